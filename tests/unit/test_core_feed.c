/*
 * test_core_feed.c - groups that ask for their tasks: how many exist at once, what
 * is freed, and every way such a group can end.
 */
#include <sys/resource.h>

#include "core_rig.h"

static struct work works[16];
static unsigned asked, handed_out, most;

/* Hands out tasks named 0, 1, 2... until there are `most`. */
static ajob_task *next_work(ajob_task *group, void *data) {
    char name[16];
    (void)group, (void)data;
    asked++;
    if (handed_out == most)
        return NULL;
    snprintf(name, sizeof name, "%u", handed_out);
    return make(&works[handed_out++], name, NULL);
}

static ajob_task *open_fed(enum ajob_policy policy, unsigned window, unsigned count) {
    rig_open(0);
    asked = handed_out = 0;
    most = count;
    ajob_task *group = make_group(policy, NULL, NULL);
    CHECK_NUMBER(ajob_group_feed(group, &(ajob_feed){.next = next_work, .window = window}), 0);
    return group;
}

static void resolve(unsigned index, const char *failure) {
    ajob_resolve(works[index].task, failure);
    turn();
}

static void no_more_than_the_window_exist(void) {
    ajob_task *group = open_fed(AJOB_SETTLED, 2, 5);
    start_run(group);
    CHECK_NUMBER(handed_out, 2);
    resolve(1, NULL);
    CHECK_NUMBER(handed_out, 3);
    resolve(0, NULL);
    CHECK_NUMBER(handed_out, 4);
    CHECK_NUMBER(group_of(group)->count - group_of(group)->ended, 2);
    resolve(2, NULL);
    resolve(3, NULL);
    CHECK_NUMBER(handed_out, 5);
    CHECK_NUMBER(ajob_task_state(group), AJOB_RUNNING);
    resolve(4, NULL);
    CHECK_ENDED(group, AJOB_SUCCEEDED, NULL);
    CHECK_NUMBER(asked, 6); /* once more than there were */
    rig_close();
}

static void what_has_ended_is_freed(void) {
    ajob_task *group = open_fed(AJOB_SETTLED, 2, 4);
    start_run(group);
    resolve(0, NULL);
    resolve(1, NULL);
    unsigned children = 0;
    for (const ajob_task *child = group_of(group)->first; child; child = child->next)
        children++;
    CHECK_NUMBER(children, 2);
    CHECK_NUMBER(rig.ended, 2);
    resolve(2, NULL);
    resolve(3, NULL);
    CHECK(!group_of(group)->first);
    CHECK_NUMBER(rig.loop->counts[AJOB_SUCCEEDED], 4);
    rig_close();
}

static void the_first_failure_is_the_cause(void) {
    ajob_task *group = open_fed(AJOB_SETTLED, 1, 3);
    start_run(group);
    resolve(0, NULL);
    resolve(1, "exit 3");
    resolve(2, "exit 4");
    CHECK_ENDED(group, AJOB_FAILED, "1: exit 3");
    rig_close();
}

/* What the feed still had was cancelled, and did not start. */
static void check_rest(unsigned first) {
    CHECK_NUMBER(handed_out, most);
    for (unsigned i = first; i < most; i++)
        CHECK_NUMBER(works[i].starts, 0);
}

static void a_failure_cancels_what_is_still_to_come(void) {
    ajob_task *group = open_fed(AJOB_ALL, 2, 9);
    start_run(group);
    resolve(0, "boom");
    CHECK_NUMBER(works[1].stops, 1);
    resolve(1, NULL);
    CHECK_ENDED(group, AJOB_FAILED, "0: boom");
    CHECK_NUMBER(rig.loop->counts[AJOB_CANCELLED], 8);
    check_rest(2);
    rig_close();
}

static void a_winner_cancels_what_is_still_to_come(void) {
    ajob_task *group = open_fed(AJOB_ANY, 2, 9);
    start_run(group);
    resolve(0, "boom");
    CHECK_NUMBER(handed_out, 3);
    resolve(2, NULL);
    CHECK_NUMBER(works[1].stops, 1);
    resolve(1, "late");
    CHECK_ENDED(group, AJOB_SUCCEEDED, NULL);
    CHECK_NUMBER(rig.loop->counts[AJOB_CANCELLED], 7);
    check_rest(3);
    rig_close();
}

static void a_cancel_reaches_what_is_still_to_come(void) {
    ajob_task *group = open_fed(AJOB_SETTLED, 2, 9);
    start_run(group);
    ajob_cancel(group, "x");
    turn();
    resolve(0, NULL);
    resolve(1, NULL);
    CHECK_ENDED(group, AJOB_CANCELLED, "cancelled by x");
    CHECK_NUMBER(rig.loop->counts[AJOB_CANCELLED], 9);
    check_rest(2);
    rig_close();
}

static void a_feed_without_tasks_succeeds(void) {
    ajob_task *group = open_fed(AJOB_ALL, 2, 0);
    start_run(group);
    CHECK_ENDED(group, AJOB_SUCCEEDED, NULL);
    CHECK_NUMBER(asked, 1);
    rig_close();
}

static void only_a_group_before_its_start_is_fed_and_once(void) {
    ajob_feed feed = {.next = next_work};
    ajob_task *group = open_fed(AJOB_ALL, 2, 0);
    CHECK_NUMBER(ajob_group_feed(group, &feed), AJOB_EINVAL);
    CHECK_NUMBER(ajob_group_feed(ajob_sleep(rig.loop, 1), &feed), AJOB_EINVAL);
    CHECK_NUMBER(ajob_group_feed(make_group(AJOB_ALL, NULL, NULL), &(ajob_feed){0}), AJOB_EINVAL);
    start_run(group);
    rig_close();
}

/* A child and, beside it, a group in which b needs a. */
static ajob_task *next_nested(ajob_task *group, void *data) {
    (void)group, (void)data;
    if (handed_out++ == 0)
        return make(&works[0], "c", NULL);
    if (handed_out > 2)
        return NULL;
    ajob_task *nested = make_group(AJOB_ALL, "g", NULL);
    ajob_task *a = make(&works[1], "a", nested), *b = make(&works[2], "b", nested);
    CHECK_NUMBER(ajob_need(b, a), 0);
    return nested;
}

static void a_group_is_not_freed_while_its_tasks_are_posted(void) {
    rig_open(0);
    handed_out = 0;
    ajob_task *group = make_group(AJOB_ALL, NULL, NULL);
    CHECK_NUMBER(ajob_group_feed(group, &(ajob_feed){.next = next_nested, .window = 4}), 0);
    start_run(group);
    ajob_resolve(works[0].task, "boom");
    ajob_resolve(works[1].task, "boom too");
    turn();
    CHECK_ENDED(group, AJOB_FAILED, "c: boom");
    rig_close();
}

static void a_fed_group_is_not_tried_again(void) {
    ajob_task *group = open_fed(AJOB_ALL, 2, 2);
    CHECK_NUMBER(ajob_set_retry(group, &(ajob_retry){.max = 3, .no_jitter = true}), 0);
    CHECK_NUMBER(ajob_set_attempt_timeout(group, 1000), 0);
    start_run(group);
    pass(1000);
    resolve(0, NULL);
    resolve(1, NULL);
    CHECK_ENDED(group, AJOB_TIMED_OUT, "attempt timeout 1s");
    rig_close();
}

static ajob_task *next_with_need(ajob_task *group, void *data) {
    ajob_task *task = next_work(group, data);
    if (task && handed_out == 2)
        CHECK_NUMBER(ajob_need(task, works[0].task), 0);
    return task;
}

static void a_task_with_needs_is_refused(void) {
    rig_open(0);
    asked = handed_out = 0;
    most = 9;
    ajob_task *group = make_group(AJOB_SETTLED, NULL, NULL);
    CHECK_NUMBER(ajob_group_feed(group, &(ajob_feed){.next = next_with_need, .window = 4}), 0);
    start_run(group);
    CHECK_NUMBER(handed_out, 2);
    resolve(0, NULL);
    CHECK_ENDED(group, AJOB_FAILED, "its feed brought a task that cannot be added");
    rig_close();
}

static void resolve_in_start(ajob_task *task, void *data) {
    (void)data;
    ajob_resolve(task, NULL);
}

static ajob_task *next_short(ajob_task *group, void *data) {
    unsigned *left = data;
    (void)group;
    return !(*left)-- ? NULL
                      : ajob_future(rig.loop, &(ajob_future_options){.start = resolve_in_start});
}

static void a_million_cost_what_a_window_costs(void) {
    enum { MILLION = 1000000, GROWTH_KIB = 2048 };
    struct rusage before, after;
    unsigned left = MILLION;
    rig_open(0);
    rig.is_quiet = true;
    ajob_task *group = make_group(AJOB_SETTLED, NULL, NULL);
    CHECK_NUMBER(ajob_group_feed(group, &(ajob_feed){.next = next_short, .data = &left}), 0);
    getrusage(RUSAGE_SELF, &before);
    start_run(group);
    getrusage(RUSAGE_SELF, &after);
    CHECK_ENDED(group, AJOB_SUCCEEDED, NULL);
    CHECK_NUMBER(rig.ended, MILLION);
#if !defined(__SANITIZE_ADDRESS__) /* which keeps what is freed for a while */
    CHECK(after.ru_maxrss - before.ru_maxrss < GROWTH_KIB);
#else
    (void)before, (void)after;
#endif
    rig_close();
}

/* ---- when it is not asked ----------------------------------------------- */

static ajob_task *open_asking(ajob_feed asks, unsigned count) {
    rig_open(0);
    asked = handed_out = 0;
    most = count;
    asks.next = next_work;
    ajob_task *group = make_group(AJOB_SETTLED, NULL, NULL);
    CHECK_NUMBER(ajob_group_feed(group, &asks), 0);
    start_run(group);
    return group;
}

static void an_interval_is_between_two_tasks(void) {
    ajob_task *group = open_asking((ajob_feed){.window = 4, .interval_us = 100000}, 3);
    CHECK_NUMBER(handed_out, 2); /* one of them too early */
    CHECK_NUMBER(group_of(group)->count, 1);
    pass(90);
    resolve(0, NULL);
    CHECK_NUMBER(group_of(group)->count, 1);
    pass(20);
    CHECK_NUMBER(group_of(group)->count, 2);
    pass(1000);
    CHECK_NUMBER(group_of(group)->count, 3); /* no credit for what was late */
    resolve(1, NULL);
    resolve(2, NULL);
    CHECK_ENDED(group, AJOB_SUCCEEDED, NULL); /* no interval after the last */
    rig_close();
}

static void a_cancel_does_not_wait_for_an_interval(void) {
    ajob_task *group = open_asking((ajob_feed){.window = 4, .interval_us = 3600000000}, 3);
    CHECK_NUMBER(handed_out, 2);
    ajob_cancel(group, "x");
    turn();
    resolve(0, NULL);
    CHECK_ENDED(group, AJOB_CANCELLED, "cancelled by x");
    CHECK_NUMBER(group_of(group)->count, 1); /* what was too early is forgotten */
    rig_close();
}

static void a_rest_that_is_dropped_is_not_told_of(void) {
    ajob_task *group = open_asking((ajob_feed){.window = 2, .drops_rest = true}, 9);
    ajob_cancel(group, "x");
    turn();
    resolve(0, NULL);
    resolve(1, NULL);
    CHECK_ENDED(group, AJOB_CANCELLED, "cancelled by x");
    CHECK_NUMBER(handed_out, 2);
    rig_close();
}

static void a_loop_can_hold_feeds_back(void) {
    rig_open(0);
    asked = handed_out = 0;
    most = 2;
    ajob_task *group = make_group(AJOB_SETTLED, NULL, NULL);
    CHECK_NUMBER(ajob_group_feed(group, &(ajob_feed){.next = next_work, .window = 4}), 0);
    loop_hold_feeds(rig.loop, true);
    start_run(group);
    CHECK_NUMBER(asked, 0);
    CHECK_NUMBER(ajob_task_state(group), AJOB_RUNNING);
    loop_hold_feeds(rig.loop, false);
    turn();
    CHECK_NUMBER(handed_out, 2);
    loop_hold_feeds(rig.loop, true);
    resolve(0, NULL);
    resolve(1, NULL);
    loop_hold_feeds(rig.loop, false);
    turn();
    CHECK_ENDED(group, AJOB_SUCCEEDED, NULL);
    rig_close();
    rig_open(0); /* a cancel does not wait for it, and what is held can be freed */
    group = make_group(AJOB_SETTLED, NULL, NULL);
    CHECK_NUMBER(ajob_group_feed(group, &(ajob_feed){.next = next_work}), 0);
    loop_hold_feeds(rig.loop, true);
    start_run(group);
    ajob_cancel(group, "x");
    turn();
    CHECK_ENDED(group, AJOB_CANCELLED, "cancelled by x");
    rig_close();
}

static ajob_task *next_or_skip(ajob_task *group, void *data) {
    while (asked % 3) {
        asked++;
        ajob_feed_skip(group);
    }
    return asked < 9 ? next_work(group, data) : NULL;
}

static void what_is_skipped_has_its_number(void) {
    rig_open(0);
    asked = handed_out = 0;
    most = 9;
    ajob_task *group = make_group(AJOB_SETTLED, NULL, NULL);
    CHECK_NUMBER(ajob_group_feed(group, &(ajob_feed){.next = next_or_skip, .window = 9}), 0);
    start_run(group);
    CHECK_NUMBER(handed_out, 3);
    CHECK_NUMBER(works[1].task->number, 4);
    for (unsigned i = 0; i < 3; i++)
        resolve(i, NULL);
    CHECK_ENDED(group, AJOB_SUCCEEDED, NULL);
    CHECK_NUMBER(rig.loop->done_before, 6);
    rig_close();
}

static void so_many_failures_cancel_the_rest(void) {
    rig_open(0);
    asked = handed_out = 0;
    most = 9;
    ajob_task *group =
        ajob_group(rig.loop, &(ajob_group_options){.policy = AJOB_ALL, .max_failures = 2});
    CHECK_NUMBER(ajob_group_feed(group, &(ajob_feed){.next = next_work, .window = 3}), 0);
    start_run(group);
    resolve(1, "first");
    CHECK_NUMBER(works[0].stops, 0);
    resolve(2, "second");
    CHECK_NUMBER(works[0].stops, 1);
    resolve(0, NULL);
    CHECK(strstr(text_string(&rig.log), "0 cancelled: cancelled by 2 failures;"));
    resolve(3, NULL);
    CHECK_ENDED(group, AJOB_FAILED, "1: first");
    rig_close();
}

int main(void) {
    RUN(no_more_than_the_window_exist);
    RUN(what_has_ended_is_freed);
    RUN(the_first_failure_is_the_cause);
    RUN(a_failure_cancels_what_is_still_to_come);
    RUN(a_winner_cancels_what_is_still_to_come);
    RUN(a_cancel_reaches_what_is_still_to_come);
    RUN(a_feed_without_tasks_succeeds);
    RUN(only_a_group_before_its_start_is_fed_and_once);
    RUN(a_group_is_not_freed_while_its_tasks_are_posted);
    RUN(a_fed_group_is_not_tried_again);
    RUN(a_task_with_needs_is_refused);
    RUN(an_interval_is_between_two_tasks);
    RUN(a_cancel_does_not_wait_for_an_interval);
    RUN(a_rest_that_is_dropped_is_not_told_of);
    RUN(a_loop_can_hold_feeds_back);
    RUN(what_is_skipped_has_its_number);
    RUN(so_many_failures_cancel_the_rest);
    RUN(a_million_cost_what_a_window_costs);
    return finish();
}
