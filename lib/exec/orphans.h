/*
 * orphans.h - what outlived the command that started it, in a session of its own: it
 * has become our child, and is stopped at the end of the run.
 */
#ifndef AJOB_EXEC_ORPHANS_H
#define AJOB_EXEC_ORPHANS_H

#include <stdbool.h>
#include <sys/types.h>

struct ajob_loop;
struct orphans;

/* At the beginning of a run, before it has a child: those that we have are not the
 * run's. NULL on lack of memory. */
struct orphans *orphans_new(struct ajob_loop *loop);

/* An entry for the environment of a command that may leave something behind: what
 * has it is left alone. */
const char *orphans_mark(const struct orphans *orphans);

/* So is what is in this session. */
void orphans_leave_session(struct orphans *orphans, pid_t session);

/* We had children at the beginning: what is in our session is left alone, for it may
 * be of theirs. */
bool orphans_has_company(const struct orphans *orphans);

/* None is left. Else they have been told to stop, each once, and are killed after the
 * grace, or at once if is_hard; to be asked again and again. */
bool orphans_are_gone(struct orphans *orphans, bool is_hard);

/* A child has ended: the next question is worth a look. */
void orphans_may_have_changed(struct orphans *orphans);

/* Takes NULL. */
void orphans_free(struct orphans *orphans);

#endif
