/*
 * feed.c - a group that asks for its tasks as it can use them.
 *
 * Owns the question to the feed, in the loop's turn only, when it is not asked (the
 * window is full, the loop holds feeds back), what it has brought before its time (the
 * interval is not over: that nothing comes after it is to be known without waiting for
 * that), and the forgetting of what has ended, so that a group of a million tasks is
 * never larger than its window.
 */
#include "base/mem.h"
#include "core/group.h"
#include "core/loop.h"

/* ---- when it is not asked ------------------------------------------------- */

static void pause_is_over(struct deadline *deadline) {
    struct feed *feed = (struct feed *)((char *)deadline - offsetof(struct feed, pause));
    ajob_feed_resume(&feed->group->task);
}

static bool is_too_early(struct feed *feed) {
    struct ajob_loop *loop = feed->group->task.loop;
    if (!feed->asks.interval_us || feed->next_ns <= loop_now_ns(loop))
        return false;
    deadline_arm(&loop->deadlines, &feed->pause, feed->next_ns / 1000000 + 1);
    return true;
}

/* Timers are of a millisecond: what they were late by is not lost for a rate. */
static void begin_interval(struct feed *feed) {
    enum { CREDIT_MS = 10 };
    uint64_t now_ns = loop_now_ns(feed->group->task.loop);
    uint64_t credit_ns = feed->asks.is_rate ? CREDIT_MS * UINT64_C(1000000) : 0;
    bool has_credit = feed->next_ns && feed->next_ns + credit_ns > now_ns;
    uint64_t from_ns = has_credit ? feed->next_ns : now_ns;
    feed->next_ns = from_ns + feed->asks.interval_us * 1000;
}

static bool is_held(struct feed *feed) {
    struct ajob_loop *loop = feed->group->task.loop;
    if (loop->holds_feeds && !feed->is_held) {
        feed->is_held = true;
        feed->held_next = loop->held_feeds;
        loop->held_feeds = feed;
    }
    return loop->holds_feeds;
}

void loop_hold_feeds(struct ajob_loop *loop, bool is_held_now) {
    loop->holds_feeds = is_held_now;
    while (!is_held_now && loop->held_feeds) {
        struct feed *feed = loop->held_feeds;
        loop->held_feeds = feed->held_next;
        feed->is_held = false;
        ajob_feed_resume(&feed->group->task);
    }
}

void feed_free(struct feed *feed) {
    if (!feed)
        return;
    struct ajob_loop *loop = feed->group->task.loop;
    struct feed **link = &loop->held_feeds;
    while (feed->is_held && *link != feed)
        link = &(*link)->held_next;
    if (feed->is_held)
        *link = feed->held_next;
    deadline_done(&loop->deadlines, &feed->pause);
    mem_free(feed);
}

/* ---- asking --------------------------------------------------------------- */

void feed_take(struct group *group) {
    while (group->is_fed && group->count - group->ended < group->feed->asks.window) {
        struct feed *feed = group->feed;
        if (!group->is_draining && is_held(feed)) {
            group->feed_waits = true;
            return;
        }
        struct ajob_task *child = feed->early;
        if (!child)
            child = feed->asks.next(&group->task, feed->asks.data);
        if (!child && group->feed_waits)
            return;
        bool takes_time = child && !child->is_done;
        feed->early = takes_time && !group->is_draining && is_too_early(feed) ? child : NULL;
        if (feed->early) {
            group->feed_waits = true;
            return;
        }
        if (takes_time)
            begin_interval(feed);
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

static void forget_early(struct feed *feed) {
    if (feed->early)
        task_forget(feed->early);
    feed->early = NULL;
}

void feed_drain(struct group *group) {
    if (!group->feed || !(group->feed_waits || group->feed->asks.drops_rest))
        return;
    group->is_fed = group->feed_waits = false; /* nobody waits for more */
    forget_early(group->feed);
    deadline_disarm(&group->task.loop->deadlines, &group->feed->pause);
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

void ajob_feed_skip(ajob_task *task) {
    struct group *group = group_of(task);
    group->count++;
    group->ended++;
    group->succeeded++;
    task->loop->done_before++;
}

uint64_t ajob_done_before(const ajob_loop *loop) {
    return loop->done_before;
}

/* ---- the group's ----------------------------------------------------------- */

void group_clear(struct group *group) {
    while (group->first)
        task_forget(group->first);
    if (group->feed)
        forget_early(group->feed);
    group->count = group->ended = group->succeeded = group->failed = 0;
    group->ordinary_left = group->services_left = 0;
    group->decider = NULL;
    group->is_fed = group->feed != NULL;
    group->feed_waits = group->feed_resumed = false;
}

int64_t group_count_fed(const struct group *group) {
    if (!group->feed)
        return 0;
    return group->feed->asks.total ? (int64_t)group->feed->asks.total : -1;
}

void group_forget(struct group *group, struct ajob_task *child) {
    bool is_looked_at = child == group->decider || task_is_finalizer(child);
    if (group->feed && !is_looked_at && !child->needers)
        task_forget(child);
}

int ajob_group_feed(ajob_task *task, const ajob_feed *asks) {
    enum { WINDOW = 64 };
    bool is_settable = task->kind->is_group && task->state == AJOB_PENDING && !task->in_run;
    if (!is_settable || !asks->next || group_of(task)->feed)
        return loop_fail(task->loop, AJOB_EINVAL, "feed: not a group that can be fed");
    struct group *group = group_of(task);
    struct feed *feed = mem_new(sizeof *feed);
    if (!feed || !deadline_init(&task->loop->deadlines, &feed->pause, pause_is_over)) {
        mem_free(feed);
        return loop_fail_memory(task->loop);
    }
    feed->asks = *asks;
    feed->group = group;
    if (!asks->window)
        feed->asks.window = WINDOW;
    group->feed = feed;
    group->is_fed = true;
    return 0;
}
