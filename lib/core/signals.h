/*
 * signals.h - SIGINT, SIGTERM and SIGHUP during a run.
 *
 * The first cancels the run's task, the second kills it. Signals that were
 * ignored when the run began (nohup, a shell's background job) stay ignored.
 */
#ifndef AJOB_CORE_SIGNALS_H
#define AJOB_CORE_SIGNALS_H

#include <stdbool.h>

struct ajob_loop;
struct signals;

/* Opens the handles; false with ajob_error() set. */
bool signals_open(struct ajob_loop *loop);

/* Watches, and stops watching: for the time of a run. */
void signals_start(struct signals *signals);
void signals_stop(struct signals *signals);

/* Closes the handles and frees signals once they are. Takes NULL. */
void signals_close(struct signals *signals);

#endif
