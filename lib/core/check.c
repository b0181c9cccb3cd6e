/*
 * check.c - what must hold before a run starts. See check.h.
 *
 * Cycles are found by Kahn's algorithm over one order, "ends before": a need
 * ends before what needs it, a child before its group, the ordinary tasks of a
 * group before a finalizer that needs none of them by name. Until a task is in a
 * run its end_next and retry_after_ms are free, and serve as the queue and as
 * the count of what is left to end before the task; a group's `ended` counts
 * the ordinary tasks in it.
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

/* What is checked: the tree under root, which is to run or to come into group. */
struct tree {
    struct ajob_loop *loop;
    struct ajob_task *root;
    const struct ajob_task *group;
    uint32_t total;
};

static bool is_visible(const struct tree *tree, const struct ajob_task *need,
                       const struct ajob_task *task) {
    for (; task != tree->root; task = task->parent)
        if (need->parent == task->parent)
            return true;
    if (!tree->group || need == tree->root)
        return need == tree->root;
    bool may_await_group = task_is_finalizer(need) && !task_is_finalizer(tree->root);
    return need->parent == tree->group && !may_await_group;
}

/* The finalizer around the task, if there is one, that comes after all tasks of the
 * service's group, the service too: which would wait for what is in it. */
static const struct ajob_task *finalizer_after(const struct ajob_task *service,
                                               const struct ajob_task *task) {
    while (task && task->parent != service->parent)
        task = task->parent;
    return task && service->kind->is_service && task_awaits_group(task) ? task : NULL;
}

static int check_task(const struct tree *tree, const struct ajob_task *task) {
    struct ajob_loop *loop = tree->loop;
    char number[16], need_number[16], finalizer_number[16];
    const char *name = task_name(task, number);
    bool has_timeout = task->options && task->options->has_timeout;
    if (task->state != AJOB_PENDING || task->in_run || task->loop != loop)
        return loop_fail(loop, AJOB_EINVAL, "task %s: it has run already", name);
    if (task->is_shielded && !has_timeout)
        return loop_fail(loop, AJOB_EINVAL, "task %s: a shielded task must have a timeout", name);
    for (const struct edge *edge = task->needs; edge; edge = edge->next_need) {
        if (!is_visible(tree, edge->need, task))
            return loop_fail(loop, AJOB_EINVAL, "task %s: it needs %s, which %s", name,
                             task_name(edge->need, need_number),
                             tree->group ? "a task that comes into a running group cannot await"
                                         : "is not in its group or one around it");
        const struct ajob_task *finalizer = finalizer_after(edge->need, task);
        if (finalizer)
            return loop_fail(loop, AJOB_ECYCLE,
                             "task %s: it needs the service %s, and %s comes after that has "
                             "ended: say what %s needs",
                             name, task_name(edge->need, need_number),
                             task_name(finalizer, finalizer_number),
                             task_name(finalizer, finalizer_number));
    }
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
    if (task_awaits_group(task))
        for (struct ajob_task *other = group_of(task->parent)->first; other; other = other->next)
            if (other->retry_after_ms && !task_is_finalizer(other))
                return other;
    return NULL;
}

/* Names one cycle among the tasks that are left. */
static int fail_for_cycle(const struct tree *tree) {
    const uint32_t seen = UINT32_C(1) << 31;
    struct ajob_task *task = tree->root;
    while (!(task->retry_after_ms & seen)) { /* the first seen twice is on the cycle */
        task->retry_after_ms |= seen;
        task = unended_before(task);
    }
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
    loop_fail(tree->loop, AJOB_ECYCLE, "tasks need each other in a cycle: %s", text_string(&names));
    text_done(&names);
    return AJOB_ECYCLE;
}

/* The needs and children that end before the task; those in the run do not wait for it. */
static uint32_t count_before(const struct ajob_task *task) {
    uint32_t count = task->kind->is_group ? group_of(task)->count : 0;
    for (const struct edge *edge = task->needs; edge; edge = edge->next_need)
        count += !edge->need->in_run;
    return count + (task_awaits_group(task) && group_of(task->parent)->ordinary_left);
}

/* One less is left to end before the task; it is queued after the last. */
static void count_down(struct ajob_task *task, struct ajob_task **queue) {
    if (!task->retry_after_ms || --task->retry_after_ms)
        return; /* none was left: it is no task of the tree */
    task->end_next = *queue;
    *queue = task;
}

/* The task's group has one task less to wait for; so may have its finalizers. */
static void count_down_group(const struct ajob_task *task, struct ajob_task **queue) {
    struct group *group = group_of(task->parent);
    count_down(task->parent, queue);
    if (task_is_finalizer(task) || ++group->ended < group->ordinary_left)
        return;
    for (struct ajob_task *other = group->first; other; other = other->next)
        if (task_awaits_group(other))
            count_down(other, queue);
}

static int check_cycles(const struct tree *tree) {
    struct ajob_task *queue = NULL;
    uint32_t left = tree->total;
    for (struct ajob_task *task = tree->root; task; task = next_in_tree(task, tree->root)) {
        task->retry_after_ms = count_before(task) + 1;
        count_down(task, &queue);
    }
    while (queue) {
        struct ajob_task *task = queue;
        queue = task->end_next;
        left--;
        for (struct edge *edge = task->needers; edge; edge = edge->next_needer)
            count_down(edge->task, &queue);
        if (task != tree->root)
            count_down_group(task, &queue);
    }
    return left ? fail_for_cycle(tree) : 0;
}

static int check_tree(struct tree *tree) {
    for (struct ajob_task *task = tree->root; task; task = next_in_tree(task, tree->root)) {
        int error = check_task(tree, task);
        if (error)
            return error;
        tree->total++;
    }
    int error = check_cycles(tree);
    for (struct ajob_task *task = tree->root; task; task = next_in_tree(task, tree->root)) {
        task->retry_after_ms = 0;
        task->in_run = !error;
        if (task->kind->is_group)
            group_of(task)->ended = 0;
    }
    return error;
}

int check_run(struct ajob_loop *loop, struct ajob_task *root) {
    if (root->parent)
        return loop_fail(loop, AJOB_EINVAL, "the run's task is in a group");
    return check_tree(&(struct tree){.loop = loop, .root = root});
}

int check_addition(const struct ajob_task *group, struct ajob_task *task) {
    return check_tree(&(struct tree){.loop = group->loop, .root = task, .group = group});
}
