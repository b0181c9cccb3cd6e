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
#include "core/check.h"
#include "core/loop.h"
#include "core/pool.h"

struct group *group_of(const struct ajob_task *task) {
    assert(task->kind->is_group);
    return (struct group *)task;
}

/* ---- the end ----------------------------------------------------------- */

/* The failure that makes the group fail, or NULL: the first in time if known.
 * What failed beside a winner does not matter, but a finalizer does. */
static const struct ajob_task *first_failure(const struct group *group) {
    const struct ajob_task *decider = group->decider;
    bool is_won = decider && decider->status == AJOB_SUCCEEDED;
    if (decider && task_is_failure(decider))
        return decider;
    if (!group->failed)
        return NULL;
    for (const struct ajob_task *child = group->first; child; child = child->next)
        if (task_is_failure(child) && (!is_won || task_is_finalizer(child)))
            return child;
    return NULL;
}

static bool is_told_to_stop(const struct group *group) {
    return group->task.wanted != AJOB_UNDECIDED || group->task.state == AJOB_STOPPING;
}

bool group_is_failing(const struct group *group) {
    if (is_told_to_stop(group) || first_failure(group))
        return true;
    if (group->policy == AJOB_ANY || group->policy == AJOB_RACE)
        return false;
    for (const struct ajob_task *child = group->first; child; child = child->next)
        if (!task_is_finalizer(child) && child->status != AJOB_SUCCEEDED && !child->not_needed &&
            !task_failed_freely(child))
            return true;
    return false;
}

static struct outcome outcome_of(const struct group *group) {
    const struct ajob_task *failure = first_failure(group);
    struct outcome outcome = {.succeeded = !failure, .exit = -1};
    outcome.is_retryable = task_can_repeat(&group->task);
    if (failure) {
        char number[16];
        const char *cause = failure->cause ? failure->cause : "out of memory";
        bool is_nested =
            failure->status == AJOB_FAILED && failure->kind->is_group && group_of(failure)->failed;
        outcome.cause =
            text_new("%s%s%s", task_name(failure, number), is_nested ? "/" : ": ", cause);
        outcome.exit = failure->exit;
        outcome.signal = failure->signal;
    }
    return outcome;
}

static void end_if_over(struct group *group) {
    bool is_over = !group->is_fed && group->ended == group->count;
    if (group->is_open && is_over)
        task_attempt_over(&group->task, outcome_of(group));
}

/* ---- cancelling -------------------------------------------------------- */

bool group_cannot_reach(const struct ajob_task *child) {
    bool has_started = child->state != AJOB_PENDING && child->state != AJOB_READY;
    return task_is_finalizer(child) || (child->is_shielded && (has_started || child->attempts));
}

/* What the children are told when the group is stopped or decided. */
char *group_cause_for_children(const struct group *group) {
    const struct ajob_task *decider = is_told_to_stop(group) ? NULL : group->decider;
    const char *cause = group->task.cause ? group->task.cause : "cancelled";
    if (!decider && !strncmp(cause, "cancelled", strlen("cancelled")))
        return mem_copy(cause);
    if (decider && group->max_failures > 1)
        return text_new("cancelled by %u failures", group->failed);
    struct text path = TEXT_INIT(TEXT_LINE_MAX);
    task_path(decider ? decider : &group->task, &path);
    const char *of = path.length ? " of " : "";
    char *text = decider ? text_new("cancelled by sibling %s", text_string(&path))
                         : text_new("cancelled by %s%s%s", cause, of, text_string(&path));
    text_done(&path);
    return text;
}

/* The child was in a group that drains, or came into it now. */
static void drain_child(const struct group *group, struct ajob_task *child, const char *cause) {
    bool is_later = child->is_serving && task_is_needed(child); /* task_release_service() */
    if (group->task.kill_wanted)
        task_want_kill(child, cause);
    else if (!group_cannot_reach(child) && !is_later)
        task_want_stop(child, AJOB_CANCELLED, cause);
}

/* Nothing but finalizers starts any more, and what can be reached stops. */
static void drain(struct group *group) {
    char *cause = group_cause_for_children(group);
    group->is_draining = true;
    if (!group->drained_at_ms)
        group->drained_at_ms = loop_now_ms(group->task.loop);
    feed_drain(group);
    for (struct ajob_task *child = group->first; child; child = child->next)
        drain_child(group, child, cause ? cause : "cancelled");
    mem_free(cause);
}

void group_stop(struct ajob_task *task, enum stop_how how) {
    (void)how; /* that is hard if a kill is wanted: a group has no grace of its own */
    drain(group_of(task));
    end_if_over(group_of(task)); /* it may have had no child yet that could end */
}

void group_abandon(struct group *group, enum ajob_status status) {
    bool is_timeout = status == AJOB_TIMED_OUT;
    char *cause = is_timeout ? group_cause_for_children(group) : mem_copy(group->task.cause);
    for (struct ajob_task *child = group->first; child; child = child->next) {
        if (child->state != AJOB_ENDED)
            child->not_needed = group->task.not_needed;
        task_abandon(child, is_timeout ? AJOB_CANCELLED : status, cause);
    }
    mem_free(cause);
}

/* ---- running ----------------------------------------------------------- */

static bool is_service(const struct ajob_task *child) {
    return child->kind->is_service && !task_is_finalizer(child);
}

/* Everything in the group back to before its start. */
static void reset_children(struct group *group) {
    group->ended = group->succeeded = group->failed = 0;
    group->ordinary_left = group->services_left = 0;
    group->drained_at_ms = 0;
    group->decider = NULL;
    group->is_draining = group->is_open = false;
    for (struct ajob_task *child = group->first; child; child = child->next) {
        task_reset(child);
        group->ordinary_left += !task_is_finalizer(child);
        group->services_left += is_service(child);
        if (child->kind->is_group)
            reset_children(group_of(child));
    }
}

/* Once all are reset: needs outside the group have ended and stay so. */
static void recount_needs(struct group *group) {
    for (struct ajob_task *child = group->first; child; child = child->next) {
        child->unmet = 0;
        for (struct edge *edge = child->needs; edge; edge = edge->next_need)
            child->unmet++;
        for (struct edge *edge = child->needs; edge; edge = edge->next_need) {
            enum ajob_state state = edge->need->state;
            edge->is_met = edge->is_met && state != AJOB_PENDING;
            if (edge->is_met)
                child->unmet--;
            else if (state == AJOB_ENDED)
                task_need_ended(edge);
        }
        if (child->kind->is_group)
            recount_needs(group_of(child));
    }
}

/* Those that nothing needs by name live as long as the work beside them. */
static void release_services(struct group *group) {
    if (!group->services_left || group->ordinary_left > group->services_left || group->is_fed)
        return;
    for (struct ajob_task *child = group->first; child; child = child->next)
        if (child->kind->is_service)
            task_release_service(child);
}

void group_start(struct ajob_task *task) {
    struct group *group = group_of(task);
    if (task->attempts > 1 && !group->task.kind->grows) {
        reset_children(group);
        recount_needs(group);
    }
    group->is_open = true;
    for (struct ajob_task *child = group->first; child; child = child->next) {
        child->deadline.depth = task->deadline.depth + 1;
        loop_post(task->loop, child);
    }
    feed_take(group);
    release_services(group);
    end_if_over(group);
}

/* Those without needs may start once nothing else is left. */
static void post_finalizers(struct group *group) {
    if (group->ordinary_left || group->is_fed)
        return;
    for (struct ajob_task *child = group->first; child; child = child->next)
        if (task_is_finalizer(child))
            loop_post(group->task.loop, child);
}

static void apply_policy(struct group *group, struct ajob_task *child) {
    bool is_success = child->status == AJOB_SUCCEEDED;
    bool is_failure = task_is_failure(child);
    bool decides = false;
    switch ((enum ajob_policy)group->policy) {
    case AJOB_ALL:
        decides = is_failure && group->failed >= group->max_failures;
        break;
    case AJOB_SETTLED:
        break;
    case AJOB_ANY:
        decides = is_success && !task_is_finalizer(child) && !child->kind->is_service;
        break;
    case AJOB_RACE:
        decides =
            !task_is_finalizer(child) && (is_failure || (is_success && !child->kind->is_service));
        break;
    }
    if (is_failure && !group->decider)
        group->decider = child;
    if (!decides || group->is_draining)
        return;
    if (!is_failure || group->failed <= 1) /* of several failures the first one counts */
        group->decider = child;
    drain(group);
}

void group_child_ended(struct group *group, struct ajob_task *child) {
    group->ended++;
    group->succeeded += child->status == AJOB_SUCCEEDED;
    group->failed += task_is_failure(child);
    if (group->task.state == AJOB_ENDED)
        return; /* it was abandoned */
    group->ordinary_left -= !task_is_finalizer(child);
    group->services_left -= is_service(child);
    apply_policy(group, child);
    feed_take(group);
    release_services(group);
    post_finalizers(group);
    end_if_over(group);
}

void group_refill(struct group *group) {
    feed_take(group);
    release_services(group);
    post_finalizers(group);
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
    feed_free(group->feed);
    group->feed = NULL;
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
    group->max_failures = options->max_failures;
    if (options->limit && !(group->limit = ajob_pool_new(loop, "limit", options->limit)))
        return NULL;
    return &group->task;
}

static bool is_inside(const struct ajob_task *task, const struct ajob_task *group) {
    while (task && task != group)
        task = task->parent;
    return task != NULL;
}

int ajob_group_add(ajob_task *task, ajob_task *child) {
    if (!task->kind->is_group)
        return loop_fail(task->loop, AJOB_EINVAL, "a %s is no group", task->kind->name);
    struct group *group = group_of(task);
    bool is_running = group->is_open;
    bool is_over = task->state == AJOB_ENDED || (is_running && task->attempt_over);
    bool is_free = !child->parent && child->state == AJOB_PENDING && !child->in_run &&
                   child->loop == task->loop && !is_inside(task, child);
    if (is_over || !is_free)
        return loop_fail(task->loop, AJOB_EINVAL, "%s",
                         is_over ? "the group has ended" : "the task has a group or has started");
    int error = task->in_run ? check_addition(task, child) : 0;
    if (error)
        return error;
    task_link(child, task);
    child->number = ++group->count;
    child->deadline.depth = task->deadline.depth + 1;
    group->ordinary_left += !task_is_finalizer(child);
    group->services_left += is_service(child);
    if (group->is_draining) {
        char *cause = group_cause_for_children(group);
        drain_child(group, child, cause ? cause : "cancelled");
        mem_free(cause);
    }
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
