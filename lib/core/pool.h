/*
 * pool.h - a named limit on how much runs at once; first come, first served.
 *
 * A task that finds a pool full sits in that pool's own list, holding nothing.
 * It stays at its head until it has got all its slots, so that a task that
 * needs many is not overtaken for ever by those that need few.
 */
#ifndef AJOB_CORE_POOL_H
#define AJOB_CORE_POOL_H

#include "ajob.h"
#include "core/task.h"

struct ajob_pool {
    struct ajob_pool *next; /* of the loop's */
    char *name;
    unsigned size, used;
    struct ajob_task *first_waiter, *last_waiter;
};

/* Takes all slots the task needs (its kind's, its own, its groups' limits), or
 * none: then the task waits, and is posted when it is worth trying again. */
bool pool_take(struct ajob_task *task);

/* Gives back what the task holds. */
void pool_give(struct ajob_task *task);

/* The task no longer waits. */
void pool_leave(struct ajob_task *task);

void pool_free(struct ajob_pool *pool);

#endif
