/*
 * check.h - what must hold before a run starts.
 */
#ifndef AJOB_CORE_CHECK_H
#define AJOB_CORE_CHECK_H

struct ajob_loop;
struct ajob_task;

/* The tasks under root have not run, need only what their groups can see, do
 * not need each other in a cycle, and shielded ones have a timeout. 0, or an
 * AJOB_E... with ajob_error() set. Marks them as being in the run. */
int check_run(struct ajob_loop *loop, struct ajob_task *root);

#endif
