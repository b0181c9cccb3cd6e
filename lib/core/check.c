/*
 * check.c - what must hold before a run starts. See check.h.
 *
 * Cycles are found by Kahn's algorithm over one order, "ends before": a need
 * ends before what needs it, a child before its group. Until a run starts the
 * posted list and retry_after_ms of its tasks are free, and serve as the queue
 * and as the count of what is left to end before a task.
 */
#include "core/check.h"

#include "core/group.h"
#include "core/loop.h"

/* The next task of the tree in depth-first order, or NULL. */
static struct ajob_task *next_in_tree(struct ajob_task *task, const struct ajob_task *root) {
    if (task->kind->is_group && group_of(task)->first)
        return group_of(task)->first;
    while (task != root && !task->next)
        task = task->parent;
    return task == root ? NULL : task->next;
}

static bool is_visible(const struct ajob_task *need, const struct ajob_task *task) {
    for (const struct ajob_task *around = task->parent; around; around = around->parent)
        if (need->parent == around)
            return need != task;
    return false;
}

static int check_task(struct ajob_loop *loop, const struct ajob_task *task) {
    char number[16], need_number[16];
    const char *name = task_name(task, number);
    bool has_timeout = task->options && task->options->has_timeout;
    if (task->state != AJOB_PENDING || task->in_run || task->loop != loop)
        return loop_fail(loop, AJOB_EINVAL, "task %s: it has run already", name);
    if (task->is_shielded && !has_timeout)
        return loop_fail(loop, AJOB_EINVAL, "task %s: a shielded task must have a timeout", name);
    for (const struct edge *edge = task->needs; edge; edge = edge->next_need)
        if (!is_visible(edge->need, task))
            return loop_fail(loop, AJOB_EINVAL,
                             "task %s: it needs %s, which is not in its group or one around it",
                             name, task_name(edge->need, need_number));
    return 0;
}

static struct ajob_task *unended_before(const struct ajob_task *task) {
    for (const struct edge *edge = task->needs; edge; edge = edge->next_need)
        if (edge->need->retry_after_ms)
            return edge->need;
    if (task->kind->is_group)
        for (struct ajob_task *child = group_of(task)->first; child; child = child->next)
            if (child->retry_after_ms)
                return child;
    return NULL;
}

/* Names one cycle among the tasks that are left. */
static int fail_for_cycle(struct ajob_loop *loop, struct ajob_task *root, uint32_t total) {
    struct ajob_task *task = root;
    for (uint32_t i = 0; i < total; i++) /* after so many steps it is on the cycle */
        task = unended_before(task);
    struct text names = TEXT_INIT(TEXT_LINE_MAX);
    struct ajob_task *first = task;
    do {
        char number[16];
        text_add(&names, task_name(task, number));
        text_add(&names, " -> ");
        task = unended_before(task);
    } while (task != first && names.length < TEXT_LINE_MAX / 2);
    char number[16];
    text_add(&names, task_name(first, number));
    loop_fail(loop, AJOB_ECYCLE, "tasks need each other in a cycle: %s", text_string(&names));
    text_done(&names);
    return AJOB_ECYCLE;
}

static int check_cycles(struct ajob_loop *loop, struct ajob_task *root, uint32_t total) {
    struct ajob_task *free_tasks = NULL;
    for (struct ajob_task *task = root; task; task = next_in_tree(task, root)) {
        task->retry_after_ms = task->unmet + (task->kind->is_group ? group_of(task)->count : 0);
        if (!task->retry_after_ms) {
            task->post_next = free_tasks;
            free_tasks = task;
        }
    }
    while (free_tasks) {
        struct ajob_task *task = free_tasks;
        free_tasks = task->post_next;
        total--;
        for (struct edge *edge = task->needers; edge; edge = edge->next_needer)
            if (--edge->task->retry_after_ms == 0) {
                edge->task->post_next = free_tasks;
                free_tasks = edge->task;
            }
        if (task != root && --task->parent->retry_after_ms == 0) {
            task->parent->post_next = free_tasks;
            free_tasks = task->parent;
        }
    }
    return total ? fail_for_cycle(loop, root, total) : 0;
}

int check_run(struct ajob_loop *loop, struct ajob_task *root) {
    uint32_t total = 0;
    if (root->parent)
        return loop_fail(loop, AJOB_EINVAL, "the run's task is in a group");
    for (struct ajob_task *task = root; task; task = next_in_tree(task, root)) {
        int error = check_task(loop, task);
        if (error)
            return error;
        total++;
    }
    int error = check_cycles(loop, root, total);
    for (struct ajob_task *task = root; task && !error; task = next_in_tree(task, root))
        task->in_run = true;
    return error;
}
