/*
 * join.h - the kind that succeeds at once: for what waits for others and does nothing.
 */
#ifndef AJOB_CORE_JOIN_H
#define AJOB_CORE_JOIN_H

#include "core/task.h"

/* NULL with ajob_error() set on lack of memory. */
ajob_task *join_new(ajob_loop *loop);

#endif
