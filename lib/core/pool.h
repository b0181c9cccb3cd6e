/*
 * pool.h - a named limit on how much runs at once; first come, first served.
 *
 * A task that finds a pool full sits in that pool's own list, holding nothing
 * and keeping nobody from the other pools it needs. It stays at the head until
 * the pool has all the slots it needs, so that a task that needs many is not
 * overtaken for ever by those that need few. Its place in every list is that of
 * the time when it became ready, also after it has waited for another pool.
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

/* A slot that is held becomes one of another pool, which may have one too many then:
 * for a task that learns only at its start which it needs. */
void pool_exchange(struct ajob_pool *held, struct ajob_pool *wanted);

/* The task no longer waits. */
void pool_leave(struct ajob_task *task);

/* As many slots from now on; not fewer than are taken, 0 too. */
void pool_resize(struct ajob_pool *pool, unsigned size);

void pool_free(struct ajob_pool *pool);

unsigned pool_size(const struct ajob_pool *pool);

#endif
