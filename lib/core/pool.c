/* pool.c - limits on how much runs at once. See pool.h. */
#include "core/pool.h"

#include "base/mem.h"
#include "core/group.h"
#include "core/loop.h"

/* Walks over all slots that a task needs. */
struct slot_walk {
    const struct ajob_task *task;
    const struct ajob_task *ancestor; /* whose limit comes next */
    struct slot of_kind[KIND_SLOTS_MAX];
    size_t of_kind_count, index;
};

static struct slot_walk walk_slots(const struct ajob_task *task) {
    struct slot_walk walk = {.task = task};
    if (task->kind->slots && !task->is_streamed) {
        walk.of_kind_count = task->kind->slots(task, walk.of_kind);
        walk.ancestor = task->parent;
    }
    return walk;
}

static bool next_slot(struct slot_walk *walk, struct slot *ret_slot) {
    const struct task_options *options = walk->task->options;
    size_t own = options ? options->slot_count : 0;
    if (walk->index < walk->of_kind_count) {
        *ret_slot = walk->of_kind[walk->index++];
        return true;
    }
    if (walk->index < walk->of_kind_count + own) {
        *ret_slot = options->slots[walk->index++ - walk->of_kind_count];
        return true;
    }
    while (walk->ancestor) {
        struct ajob_pool *limit = group_of(walk->ancestor)->limit;
        walk->ancestor = walk->ancestor->parent;
        if (limit) {
            *ret_slot = (struct slot){limit, 1};
            return true;
        }
    }
    return false;
}

static bool came_before(const struct ajob_task *a, const struct ajob_task *b) {
    return (int32_t)(a->ticket - b->ticket) < 0;
}

/* Mostly last. One that waited elsewhere before comes where it would be if it
 * had waited here: near the first, so the search is short. */
static void wait_for(struct ajob_task *task, struct ajob_pool *pool) {
    struct ajob_task *next = NULL;
    if (pool->last_waiter && came_before(task, pool->last_waiter))
        for (next = pool->first_waiter; came_before(next, task);)
            next = next->wait_next;
    struct ajob_task *previous = next ? next->wait_previous : pool->last_waiter;
    task->waiting_for = pool;
    task->wait_next = next;
    task->wait_previous = previous;
    *(previous ? &previous->wait_next : &pool->first_waiter) = task;
    *(next ? &next->wait_previous : &pool->last_waiter) = task;
}

static void wake_first(struct ajob_pool *pool) {
    if (pool->first_waiter && pool->used < pool->size)
        loop_post(pool->first_waiter->loop, pool->first_waiter);
}

void pool_leave(struct ajob_task *task) {
    struct ajob_pool *pool = task->waiting_for;
    if (!pool)
        return;
    if (task->wait_previous)
        task->wait_previous->wait_next = task->wait_next;
    else
        pool->first_waiter = task->wait_next;
    if (task->wait_next)
        task->wait_next->wait_previous = task->wait_previous;
    else
        pool->last_waiter = task->wait_previous;
    task->waiting_for = NULL;
    wake_first(pool);
}

static bool has_room(const struct ajob_pool *pool, unsigned count, const struct ajob_task *task) {
    bool is_turn = !pool->first_waiter || !came_before(pool->first_waiter, task);
    return is_turn && pool->used + count <= pool->size;
}

bool pool_take(struct ajob_task *task) {
    struct slot slot;
    struct slot_walk walk = walk_slots(task);
    while (next_slot(&walk, &slot)) {
        if (has_room(slot.pool, slot.count, task))
            continue;
        if (task->waiting_for != slot.pool) {
            pool_leave(task);
            wait_for(task, slot.pool);
        }
        return false;
    }
    walk = walk_slots(task);
    while (next_slot(&walk, &slot))
        slot.pool->used += slot.count;
    task->holds_slots = true;
    pool_leave(task);
    return true;
}

void pool_give(struct ajob_task *task) {
    struct slot slot;
    if (!task->holds_slots)
        return;
    task->holds_slots = false;
    struct slot_walk walk = walk_slots(task);
    while (next_slot(&walk, &slot)) {
        slot.pool->used -= slot.count;
        wake_first(slot.pool);
    }
}

void pool_exchange(struct ajob_pool *held, struct ajob_pool *wanted) {
    held->used--;
    wake_first(held);
    wanted->used++;
}

ajob_pool *ajob_pool_new(ajob_loop *loop, const char *name, unsigned size) {
    if (!size) {
        loop_fail(loop, AJOB_EINVAL, "pool %s: it must have at least one slot", name);
        return NULL;
    }
    struct ajob_pool *pool = mem_new(sizeof *pool);
    char *copy = mem_copy(name);
    if (!pool || !copy) {
        mem_free(pool);
        mem_free(copy);
        loop_fail_memory(loop);
        return NULL;
    }
    *pool = (struct ajob_pool){.next = loop->pools, .name = copy, .size = size};
    loop->pools = pool;
    return pool;
}

void pool_resize(struct ajob_pool *pool, unsigned size) {
    pool->size = size;
    wake_first(pool);
}

void pool_free(struct ajob_pool *pool) {
    mem_free(pool->name);
    mem_free(pool);
}

unsigned pool_size(const struct ajob_pool *pool) {
    return pool->size;
}
