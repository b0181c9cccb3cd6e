/*
 * check.h - what must hold before a run starts, or a running group gets more.
 */
#ifndef AJOB_CORE_CHECK_H
#define AJOB_CORE_CHECK_H

struct ajob_loop;
struct ajob_task;

/* The tasks under root have not run, need only what their groups can see, do
 * not need each other in a cycle, and shielded ones have a timeout. 0, or an
 * AJOB_E... with ajob_error() set. Marks them as being in the run. */
int check_run(struct ajob_loop *loop, struct ajob_task *root);

/* The same for a task and what is in it that come into a group of the run.
 * They may need each other and the other tasks of that group; a need further
 * out could wait for the group itself. */
int check_addition(const struct ajob_task *group, struct ajob_task *task);

#endif
