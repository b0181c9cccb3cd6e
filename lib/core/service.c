/*
 * service.c - tasks that serve others: ready before they end, stopped when
 * nothing needs them any more.
 *
 * Owns what a service has beyond a task; how a process shows that it is ready is
 * exec's. The service's needs are met for its dependants by task_became_ready();
 * the end of each dependant calls task_release_service(), so that services stop
 * in the reverse order of their needs, in a group that is being cancelled too.
 */
#include "base/mem.h"
#include "core/event.h"
#include "core/group.h"
#include "core/loop.h"
#include "core/pool.h"

void task_became_ready(struct ajob_task *task, const char *value) {
    bool is_expected = task->state == AJOB_RUNNING && !task->attempt_over && !task->is_serving;
    if (!is_expected)
        return;
    task->is_serving = true;
    task->timeout_at_ms = task->phase_at_ms = 0;
    deadline_disarm(&task->loop->deadlines, &task->deadline);
    pool_give(task);
    event_task_ready(task, value);
    task_meet_needs(task, false);
    task_release_service(task); /* what needs it may have ended while it started */
}

/* It has not ended, or a group around it, up to the service's, may start it again. */
static bool needs_still(const struct ajob_task *task, const struct ajob_task *service) {
    bool needs_now = task->in_run && task->state != AJOB_ENDED;
    while (!needs_now && task->parent && task->parent != service->parent) {
        task = task->parent;
        needs_now = task->state != AJOB_ENDED && task_has_retries(task);
    }
    return needs_now;
}

bool task_is_needed(const struct ajob_task *service) {
    for (const struct edge *edge = service->needers; edge; edge = edge->next_needer)
        if (needs_still(edge->task, service))
            return true;
    const struct group *group = service->parent ? group_of(service->parent) : NULL;
    bool has_company = group && (group->ordinary_left > group->services_left || group->is_fed);
    return !service->needers && has_company;
}

static void release_needs(const struct ajob_task *task, bool is_repeated) {
    for (struct edge *edge = task->needs; edge; edge = edge->next_need)
        if (edge->need->kind->is_service)
            task_release_service(edge->need);
    if (!task->kind->is_group || !is_repeated)
        return;
    for (const struct ajob_task *child = group_of(task)->first; child; child = child->next)
        release_needs(child, is_repeated);
}

void task_release_needs(const struct ajob_task *task) {
    release_needs(task, task_has_retries(task));
}

void task_release_service(struct ajob_task *service) {
    const struct group *group = service->parent ? group_of(service->parent) : NULL;
    if (service->state == AJOB_ENDED || service->wanted != AJOB_UNDECIDED ||
        task_is_needed(service))
        return;
    if (group && group->is_draining) {
        char *cause = group_cause_for_children(group);
        task_want_stop(service, AJOB_CANCELLED, cause ? cause : "cancelled");
        mem_free(cause);
    } else if (service->attempts) {
        task_want_stop(service, AJOB_SUCCEEDED, "nothing needs it any more");
    } else {
        service->not_needed = true;
        task_want_stop(service, AJOB_SKIPPED, "nothing needs it any more");
    }
}
