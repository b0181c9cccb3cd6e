/*
 * group.c - tasks made of tasks: policies, draining, finalizers. See group.h.
 *
 * A group learns of a child's end by group_child_ended(); everything it does
 * then is to record wishes on other children (task_want_stop) and to report its
 * own end (task_attempt_over). The children move in their own steps.
 */
#include "core/group.h"

#include <assert.h>

#include "base/mem.h"
#include "core/loop.h"
#include "core/pool.h"

struct group *group_of(const struct ajob_task *task) {
    assert(task->kind->is_group);
    return (struct group *)task;
}

/* ---- the end ----------------------------------------------------------- */

static const struct ajob_task *first_failure(const struct group *group) {
    if (group->decider && task_is_failure(group->decider))
        return group->decider;
    for (const struct ajob_task *child = group->first; child; child = child->next)
        if (task_is_failure(child))
            return child;
    return NULL;
}

static bool has_succeeded(const struct group *group) {
    bool is_won = group->decider && group->decider->status == AJOB_SUCCEEDED;
    switch ((enum ajob_policy)group->policy) {
    case AJOB_ANY:
    case AJOB_RACE:
        if (is_won) /* what failed beside the winner does not matter, a finalizer does */
            for (const struct ajob_task *child = group->first; child; child = child->next)
                if (task_is_finalizer(child) && task_is_failure(child))
                    return false;
        return is_won || !group->failed;
    case AJOB_ALL:
    case AJOB_SETTLED:
        break;
    }
    return !group->failed;
}

static struct outcome outcome_of(const struct group *group) {
    struct outcome outcome = {.succeeded = has_succeeded(group), .exit = -1};
    outcome.is_retryable = !group->is_dynamic;
    const struct ajob_task *failure = outcome.succeeded ? NULL : first_failure(group);
    if (failure) {
        char number[16];
        const char *cause = failure->cause ? failure->cause : "out of memory";
        bool is_nested = failure->kind->is_group && group_of(failure)->failed;
        outcome.cause =
            text_new("%s%s%s", task_name(failure, number), is_nested ? "/" : ": ", cause);
        outcome.exit = failure->exit;
        outcome.signal = failure->signal;
    }
    return outcome;
}

static void end_if_over(struct group *group) {
    if (group->is_open && !group->holds && group->ended == group->count)
        task_attempt_over(&group->task, outcome_of(group));
}

/* ---- cancelling -------------------------------------------------------- */

static bool is_beyond_reach(const struct ajob_task *child) {
    bool has_started = child->state != AJOB_PENDING && child->state != AJOB_READY;
    return task_is_finalizer(child) || (child->is_shielded && (has_started || child->attempts));
}

/* Nothing but finalizers starts any more, and what can be reached stops. */
static void drain(struct group *group, const char *cause) {
    group->is_draining = true;
    for (struct ajob_task *child = group->first; child; child = child->next) {
        if (!is_beyond_reach(child))
            task_want_stop(child, AJOB_CANCELLED, cause);
        else
            loop_post(group->task.loop, child); /* a finalizer may start now */
    }
}

static void drain_for(struct group *group, const struct ajob_task *decider) {
    struct text path = TEXT_INIT(TEXT_LINE_MAX);
    text_add(&path, "cancelled by sibling ");
    task_path(decider, &path);
    drain(group, text_string(&path));
    text_done(&path);
}

/* What the children of a stopped group are told. */
static char *cause_for_children(const struct ajob_task *task) {
    const char *cause = task->cause ? task->cause : "cancelled";
    if (!strncmp(cause, "cancelled", strlen("cancelled")))
        return mem_copy(cause);
    struct text path = TEXT_INIT(TEXT_LINE_MAX);
    task_path(task, &path);
    const char *of = path.length ? " of " : "";
    char *text = text_new("cancelled by %s%s%s", cause, of, text_string(&path));
    text_done(&path);
    return text;
}

void group_stop(struct ajob_task *task, enum stop_how how) {
    struct group *group = group_of(task);
    char *cause = cause_for_children(task);
    const char *told = cause ? cause : "cancelled";
    drain(group, told);
    if (how == STOP_HARD)
        for (struct ajob_task *child = group->first; child; child = child->next)
            task_want_kill(child, told);
    mem_free(cause);
}

/* ---- running ----------------------------------------------------------- */

/* Everything in the group back to before its start. */
static void reset_children(struct group *group) {
    group->ended = group->succeeded = group->failed = group->ordinary_left = 0;
    group->decider = NULL;
    group->is_draining = group->is_open = false;
    for (struct ajob_task *child = group->first; child; child = child->next) {
        task_reset(child);
        group->ordinary_left += !task_is_finalizer(child);
        if (child->kind->is_group)
            reset_children(group_of(child));
    }
}

/* Once all are reset: needs outside the group have ended and stay so. */
static void recount_needs(struct group *group) {
    for (struct ajob_task *child = group->first; child; child = child->next) {
        child->unmet = 0;
        for (struct edge *edge = child->needs; edge; edge = edge->next_need)
            child->unmet += edge->need->state != AJOB_ENDED;
        if (child->kind->is_group)
            recount_needs(group_of(child));
    }
}

void group_start(struct ajob_task *task) {
    struct group *group = group_of(task);
    if (task->attempts > 1 && !group->is_dynamic) {
        reset_children(group);
        recount_needs(group);
    }
    group->is_open = true;
    for (struct ajob_task *child = group->first; child; child = child->next) {
        child->deadline.depth = task->deadline.depth + 1;
        loop_post(task->loop, child);
    }
    end_if_over(group);
}

void group_hold(struct group *group) {
    group->holds++;
}

void group_release(struct group *group) {
    group->holds--;
    end_if_over(group);
}

static void apply_policy(struct group *group, struct ajob_task *child) {
    bool is_success = child->status == AJOB_SUCCEEDED;
    bool is_failure = task_is_failure(child);
    bool decides = false;
    switch ((enum ajob_policy)group->policy) {
    case AJOB_ALL:
        decides = is_failure;
        break;
    case AJOB_SETTLED:
        break;
    case AJOB_ANY:
        decides = is_success && !task_is_finalizer(child);
        break;
    case AJOB_RACE:
        decides = (is_success || is_failure) && !task_is_finalizer(child);
        break;
    }
    if (is_failure && !group->decider && group->policy != AJOB_ANY)
        group->decider = child;
    if (!decides || group->is_draining)
        return;
    group->decider = child;
    drain_for(group, child);
}

void group_child_ended(struct group *group, struct ajob_task *child) {
    group->ended++;
    group->succeeded += child->status == AJOB_SUCCEEDED;
    group->failed += task_is_failure(child);
    if (!task_is_finalizer(child) && --group->ordinary_left == 0)
        for (struct ajob_task *other = group->first; other; other = other->next)
            if (task_is_finalizer(other))
                loop_post(other->loop, other);
    apply_policy(group, child);
    end_if_over(group);
}

/* ---- making ------------------------------------------------------------ */

void group_free(struct ajob_task *task) {
    struct group *group = group_of(task);
    while (group->first) {
        struct ajob_task *child = group->first;
        group->first = child->next;
        task_free(child);
    }
}

static const struct task_kind group_kind = {
    .name = "group",
    .size = sizeof(struct group),
    .is_group = true,
    .start = group_start,
    .stop = group_stop,
    .free = group_free,
};

ajob_task *ajob_group(ajob_loop *loop, const ajob_group_options *options) {
    struct group *group = task_new(loop, &group_kind);
    if (!group || !options)
        return group ? &group->task : NULL;
    group->policy = (uint8_t)options->policy;
    if (options->limit && !(group->limit = ajob_pool_new(loop, "limit", options->limit)))
        return NULL;
    return &group->task;
}

int ajob_group_add(ajob_task *task, ajob_task *child) {
    struct group *group = group_of(task);
    bool is_running = group->is_open || group->holds;
    bool is_over = task->state == AJOB_ENDED || (is_running && task->attempt_over);
    bool is_free = !child->parent && child->state == AJOB_PENDING && !child->in_run &&
                   child->loop == task->loop && child != task;
    if (is_over || !is_free)
        return loop_fail(task->loop, AJOB_EINVAL, "%s",
                         is_over ? "the group has ended" : "the task has a group or has started");
    task_link(child, task);
    child->number = ++group->count;
    child->deadline.depth = task->deadline.depth + 1;
    child->in_run = task->in_run;
    group->ordinary_left += !task_is_finalizer(child);
    if (group->is_draining)
        task_want_stop(child, AJOB_CANCELLED, task->cause ? task->cause : "cancelled");
    if (group->is_open)
        loop_post(task->loop, child);
    return 0;
}

static ajob_task *group_with(ajob_loop *loop, enum ajob_policy policy, ajob_task *const *tasks,
                             size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!tasks[i])
            return NULL;
    ajob_task *group = ajob_group(loop, &(ajob_group_options){.policy = policy});
    for (size_t i = 0; group && i < count; i++)
        if (ajob_group_add(group, tasks[i]))
            return NULL;
    return group;
}

ajob_task *ajob_gather(ajob_loop *loop, ajob_task *const *tasks, size_t count) {
    return group_with(loop, AJOB_ALL, tasks, count);
}

ajob_task *ajob_settled(ajob_loop *loop, ajob_task *const *tasks, size_t count) {
    return group_with(loop, AJOB_SETTLED, tasks, count);
}

ajob_task *ajob_any(ajob_loop *loop, ajob_task *const *tasks, size_t count) {
    return group_with(loop, AJOB_ANY, tasks, count);
}

ajob_task *ajob_race(ajob_loop *loop, ajob_task *const *tasks, size_t count) {
    return group_with(loop, AJOB_RACE, tasks, count);
}
