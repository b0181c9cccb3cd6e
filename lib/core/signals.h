/*
 * signals.h - what a run does on signals.
 *
 * The first SIGINT, SIGTERM or SIGHUP cancels the run's task, the second kills it.
 * SIGTSTP stops the commands, then the program itself, by the same signal; both go on
 * together. SIGUSR1 tells the tree of tasks. Signals that were ignored when the
 * run began (nohup, a shell's background job) stay ignored.
 */
#ifndef AJOB_CORE_SIGNALS_H
#define AJOB_CORE_SIGNALS_H

#include <stdbool.h>

struct ajob_loop;
struct signals;

/* Opens the handles; false with ajob_error() set. */
bool signals_open(struct ajob_loop *loop);

/* Watches, and stops watching: for the time of a run. From the start to the restoring
 * a failed write raises no signal. */
void signals_start(struct signals *signals);
void signals_stop(struct signals *signals);
void signals_restore(struct signals *signals);

/* Closes the handles and frees signals once they are. Takes NULL. */
void signals_close(struct signals *signals);

#endif
