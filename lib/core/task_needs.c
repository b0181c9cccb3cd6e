/*
 * task_needs.c - what a task waits for, and what follows from how that ended.
 *
 * Owns the rules for skipping: a task needs success, a finalizer only an end;
 * and the words of the cause that goes down a chain of needs.
 */
#include "base/mem.h"
#include "base/text.h"
#include "core/group.h"
#include "core/loop.h"

/* ---- asked by task_step ------------------------------------------------ */

bool task_awaits_group(const struct ajob_task *task) {
    return task_is_finalizer(task) && !task->needs && task->parent;
}

bool task_needs_have_ended(const struct ajob_task *task) {
    if (!task_awaits_group(task))
        return task->unmet == 0;
    const struct group *group = group_of(task->parent);
    return !group->ordinary_left && !group->is_fed;
}

static bool something_failed(const struct ajob_task *finalizer) {
    return task_awaits_group(finalizer) ? group_is_failing(group_of(finalizer->parent))
                                        : finalizer->need_failed;
}

enum ajob_status task_judge_needs(struct ajob_task *task) {
    if (!task_is_finalizer(task))
        return task->need_cancelled ? AJOB_CANCELLED
               : task->need_failed  ? AJOB_SKIPPED
                                    : AJOB_UNDECIDED;
    bool runs =
        task->when == AJOB_WHEN_ALWAYS || !task_needs_have_ended(task) || something_failed(task);
    if (runs)
        return AJOB_UNDECIDED;
    task_set_cause(task, mem_copy("nothing failed"));
    task->not_needed = true;
    return AJOB_SKIPPED;
}

/* ---- a need has ended --------------------------------------------------- */

/* The end of a chain of causes that is too long to be read: where it began. */
static const char *origin_of(const char *cause) {
    enum { CHAIN_MAX = 160, ORIGIN_MAX = 80 };
    size_t length = strlen(cause);
    if (length <= CHAIN_MAX)
        return cause;
    const char *gap = strstr(cause, ": ... ");
    const char *link = strstr(cause + length - ORIGIN_MAX, ": ");
    const char *origin = gap ? gap + strlen(": ... ") : link ? link + strlen(": ") : NULL;
    return origin ? origin : cause;
}

/* Why what needs this task does not run: "b skipped: a failed: exit 3". A long
 * chain costs no more than "z skipped: ... b skipped: a failed: exit 3". */
static char *cause_of_need(const struct ajob_task *need) {
    char number[16];
    const char *name = task_name(need, number);
    const char *cause = need->cause ? need->cause : "out of memory";
    bool is_chain = need->status == AJOB_SKIPPED || need->need_cancelled;
    const char *origin = is_chain ? origin_of(cause) : cause;
    const char *gap = origin == cause ? "" : "... ";
    if (need->status == AJOB_CANCELLED || need->status == AJOB_TIMED_OUT)
        return text_new("%s: %s%s", name, gap, origin);
    return text_new("%s %s: %s%s", name, ajob_status_name(need->status), gap, origin);
}

void task_meet_needs(struct ajob_task *task, bool is_start) {
    for (struct edge *edge = task->needers; edge; edge = edge->next_needer) {
        if (edge->is_met || edge->is_start != is_start)
            continue;
        edge->is_met = true;
        edge->task->unmet--;
        loop_post(task->loop, edge->task);
    }
}

void task_need_ended(const struct edge *edge) {
    struct ajob_task *task = edge->task;
    const struct ajob_task *need = edge->need;
    bool is_finalizer = task_is_finalizer(task);
    bool matters = need->status != AJOB_SUCCEEDED && !task_failed_freely(need) &&
                   !(is_finalizer && need->not_needed);
    task->unmet--;
    if (matters && task->state == AJOB_PENDING && !task->need_failed) {
        task->need_failed = true;
        if (!is_finalizer) {
            task->need_cancelled = need->status == AJOB_CANCELLED;
            task->not_needed = need->not_needed;
            task_set_cause(task, cause_of_need(need));
        }
    }
    loop_post(task->loop, task);
}
