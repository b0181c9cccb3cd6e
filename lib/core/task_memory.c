/*
 * task_memory.c - a task's memory and the list it is in: making, linking, freeing,
 * and putting back to before its start.
 */
#include "base/mem.h"
#include "core/group.h"
#include "core/loop.h"

void *task_new(struct ajob_loop *loop, const struct task_kind *kind) {
    struct ajob_task *task = mem_new(kind->size);
    if (!task || !deadline_init(&loop->deadlines, &task->deadline, task_deadline_is_due)) {
        mem_free(task);
        loop_fail_memory(loop);
        return NULL;
    }
    task->kind = kind;
    task->loop = loop;
    task->exit = -1;
    task_link(task, NULL);
    return task;
}

static void unlink_from_list(struct ajob_task *task) {
    struct group *from = task->parent ? group_of(task->parent) : NULL;
    struct ajob_task **first = from ? &from->first : &task->loop->first;
    struct ajob_task **last = from ? &from->last : &task->loop->last;
    if (task->previous)
        task->previous->next = task->next;
    else if (*first == task)
        *first = task->next;
    if (task->next)
        task->next->previous = task->previous;
    else if (*last == task)
        *last = task->previous;
}

void task_link(struct ajob_task *task, struct ajob_task *parent) {
    struct group *to = parent ? group_of(parent) : NULL;
    struct ajob_task **first = to ? &to->first : &task->loop->first;
    struct ajob_task **last = to ? &to->last : &task->loop->last;
    unlink_from_list(task);
    task->parent = parent;
    task->next = NULL;
    task->previous = *last;
    if (*last)
        (*last)->next = task;
    else
        *first = task;
    *last = task;
}

static bool is_posted_within(const struct ajob_task *task) {
    if (task->is_posted || !task->kind->is_group)
        return task->is_posted;
    for (const struct ajob_task *child = group_of(task)->first; child; child = child->next)
        if (is_posted_within(child))
            return true;
    return false;
}

void task_forget(struct ajob_task *task) {
    unlink_from_list(task);
    if (is_posted_within(task)) {
        task->end_next = task->loop->forgotten;
        task->loop->forgotten = task;
    } else {
        task_free(task);
    }
}

void task_free(struct ajob_task *task) {
    if (task->kind->free)
        task->kind->free(task);
    deadline_done(&task->loop->deadlines, &task->deadline);
    while (task->needs) {
        struct edge *edge = task->needs;
        task->needs = edge->next_need;
        mem_free(edge);
    }
    if (task->options) {
        mem_free(task->options->slots);
        mem_free(task->options->key);
        mem_free(task->options->item);
        mem_free((void *)task->options->retry.on);
        mem_free(task->options);
    }
    mem_free(task->name);
    mem_free(task->cause);
    mem_free(task);
}

void task_reset(struct ajob_task *task) {
    if (task_is_counted(task) && task->state == AJOB_ENDED)
        task->loop->counts[task->status]--;
    task_set_cause(task, NULL);
    task->state = AJOB_PENDING;
    task->status = task->wanted = AJOB_UNDECIDED;
    task->attempts = task->failures = 0;
    task->exit = -1;
    task->signal = 0;
    task->need_failed = task->need_cancelled = task->no_retry = task->not_needed = false;
    task->kill_wanted = task->was_killed = task->is_serving = false;
}
