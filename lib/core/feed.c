/*
 * feed.c - a group that asks for its tasks as it can use them.
 *
 * Owns the question to the feed, in the loop's turn only, and the forgetting of
 * what has ended, so that a group of a million tasks is never larger than its window.
 */
#include "base/mem.h"
#include "core/group.h"
#include "core/loop.h"

void feed_take(struct group *group) {
    while (group->is_fed && group->count - group->ended < group->feed->window) {
        struct ajob_task *child = group->feed->next(&group->task, group->feed->data);
        if (!child && group->feed_waits)
            return;
        bool is_wrong = child && (child->needs || ajob_group_add(&group->task, child));
        if (!child || is_wrong)
            group->is_fed = false;
        if (is_wrong)
            task_want_stop(&group->task, AJOB_FAILED,
                           "its feed brought a task that cannot be added");
    }
}

void feed_step(struct group *group) {
    if (!group->feed_resumed)
        return;
    group->feed_resumed = group->feed_waits = false;
    if (group->is_open)
        group_refill(group);
}

void ajob_feed_wait(ajob_task *task) {
    if (task->kind->is_group)
        group_of(task)->feed_waits = true;
}

void ajob_feed_resume(ajob_task *task) {
    if (!task->kind->is_group || !group_of(task)->feed_waits)
        return;
    group_of(task)->feed_resumed = true;
    loop_post(task->loop, task);
}

void group_clear(struct group *group) {
    while (group->first)
        task_forget(group->first);
    group->count = group->ended = group->succeeded = group->failed = 0;
    group->ordinary_left = group->services_left = 0;
    group->decider = NULL;
    group->is_fed = group->feed != NULL;
    group->feed_waits = group->feed_resumed = false;
}

int64_t group_count_fed(const struct group *group) {
    if (!group->feed)
        return 0;
    return group->feed->total ? (int64_t)group->feed->total : -1;
}

void group_forget(struct group *group, struct ajob_task *child) {
    bool is_looked_at = child == group->decider || task_is_finalizer(child);
    if (group->feed && !is_looked_at && !child->needers)
        task_forget(child);
}

int ajob_group_feed(ajob_task *task, const ajob_feed *feed) {
    enum { WINDOW = 64 };
    bool is_settable = task->kind->is_group && task->state == AJOB_PENDING && !task->in_run;
    if (!is_settable || !feed->next || group_of(task)->feed)
        return loop_fail(task->loop, AJOB_EINVAL, "feed: not a group that can be fed");
    struct group *group = group_of(task);
    group->feed = mem_new(sizeof *group->feed);
    if (!group->feed)
        return loop_fail(task->loop, AJOB_ENOMEM, "out of memory");
    *group->feed = *feed;
    if (!feed->window)
        group->feed->window = WINDOW;
    group->is_fed = true;
    return 0;
}
