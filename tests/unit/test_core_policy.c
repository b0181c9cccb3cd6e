/*
 * test_core_policy.c - what a group does when one of its tasks ends.
 */
#include "core_rig.h"

static struct work a, b, c;

/* A group of a, b and c under this policy, running as the root. */
static ajob_task *start_three(enum ajob_policy policy) {
    ajob_task *root = make_group(policy, NULL, NULL);
    make(&a, "a", root), make(&b, "b", root), make(&c, "c", root);
    start_run(root);
    CHECK(a.starts == 1 && b.starts == 1 && c.starts == 1);
    take();
    return root;
}

static void stop_politely(struct work *work) {
    CHECK_NUMBER(work->stops, 1);
    ajob_resolve(work->task, "stopped");
    turn();
}

/* ---- policies ---------------------------------------------------------- */

static void an_empty_group_succeeds_at_once(void) {
    rig_open(0);
    for (int policy = AJOB_ALL; policy <= AJOB_RACE; policy++) {
        ajob_task *root = make_group((enum ajob_policy)policy, NULL, NULL);
        start_run(root);
        CHECK_ENDED(root, AJOB_SUCCEEDED, NULL);
        ajob_task *outer = make_group((enum ajob_policy)policy, NULL, NULL);
        make_group((enum ajob_policy)policy, "inner", outer);
        start_run(outer);
        CHECK_ENDED(outer, AJOB_SUCCEEDED, NULL);
        CHECK_TEXT(take(), "started; succeeded\nstarted; inner started; inner succeeded; "
                           "succeeded\n");
    }
    rig_close();
}

static void all_cancels_the_siblings_of_the_first_failure(void) {
    rig_open(0);
    ajob_task *root = start_three(AJOB_ALL);
    ajob_resolve(b.task, "exit 3");
    turn();
    CHECK_NUMBER(ajob_task_state(root), AJOB_RUNNING);
    stop_politely(&c);
    CHECK_NUMBER(ajob_task_state(root), AJOB_RUNNING); /* a still runs */
    stop_politely(&a);
    CHECK_ENDED(root, AJOB_FAILED, "b: exit 3");
    CHECK_TEXT(take(), "b failed: exit 3; c cancelled: cancelled by sibling b; "
                       "a cancelled: cancelled by sibling b; failed: b: exit 3\n");
    rig_close();
}

static void all_keeps_every_failure_of_one_turn_with_its_cause(void) {
    static struct work *const orders[][3] = {{&a, &b, &c}, {&a, &c, &b}, {&b, &a, &c},
                                             {&b, &c, &a}, {&c, &a, &b}, {&c, &b, &a}};
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        char cause[32];
        rig_open(0);
        ajob_task *root = start_three(AJOB_ALL);
        for (int j = 0; j < 3; j++)
            ajob_resolve(orders[i][j]->task, ajob_task_name(orders[i][j]->task));
        turn();
        CHECK_ENDED(a.task, AJOB_FAILED, "a");
        CHECK_ENDED(b.task, AJOB_FAILED, "b");
        CHECK_ENDED(c.task, AJOB_FAILED, "c");
        const char *first = ajob_task_name(orders[i][0]->task);
        snprintf(cause, sizeof cause, "%s: %s", first, first);
        CHECK_ENDED(root, AJOB_FAILED, cause);
        CHECK_NUMBER(a.stops + b.stops + c.stops, 0);
        rig_close();
    }
}

static void settled_runs_all(void) {
    rig_open(0);
    ajob_task *root = start_three(AJOB_SETTLED);
    ajob_resolve(c.task, "exit 9");
    turn();
    ajob_resolve(a.task, "exit 3");
    turn();
    CHECK_NUMBER(b.stops, 0);
    ajob_resolve(b.task, NULL);
    turn();
    CHECK_ENDED(root, AJOB_FAILED, "c: exit 9"); /* the first in time */
    CHECK_NUMBER(ajob_exit_status(rig.loop), 1);
    rig_close();
}

static void any_takes_the_first_success(void) {
    rig_open(0);
    ajob_task *root = start_three(AJOB_ANY);
    ajob_resolve(a.task, "exit 3");
    turn();
    CHECK_NUMBER(b.stops + c.stops, 0);
    ajob_resolve(b.task, NULL);
    turn();
    stop_politely(&c);
    CHECK_ENDED(root, AJOB_SUCCEEDED, NULL);
    CHECK_TEXT(take(), "a failed: exit 3; b succeeded; c cancelled: cancelled by sibling b; "
                       "succeeded\n");
    rig_close();
}

static void any_fails_with_the_first_cause_when_all_fail(void) {
    rig_open(0);
    ajob_task *root = start_three(AJOB_ANY);
    ajob_resolve(c.task, "exit 1");
    turn();
    ajob_resolve(a.task, "exit 2");
    turn();
    ajob_resolve(b.task, "exit 3");
    turn();
    CHECK_ENDED(root, AJOB_FAILED, "c: exit 1");
    rig_close();
}

static void any_ignores_failures_beside_the_winner(void) {
    rig_open(0);
    ajob_task *root = start_three(AJOB_ANY); /* all in one turn */
    ajob_resolve(a.task, "exit 1");
    ajob_resolve(b.task, NULL);
    ajob_resolve(c.task, "exit 3");
    turn();
    CHECK_ENDED(c.task, AJOB_FAILED, "exit 3");
    CHECK_ENDED(root, AJOB_SUCCEEDED, NULL);
    rig_close();
}

static void race_is_decided_by_the_first_end(void) {
    rig_open(0);
    ajob_task *root = start_three(AJOB_RACE);
    ajob_resolve(b.task, NULL);
    turn();
    stop_politely(&a);
    stop_politely(&c);
    CHECK_ENDED(root, AJOB_SUCCEEDED, NULL);
    CHECK_ENDED(a.task, AJOB_CANCELLED, "cancelled by sibling b");

    root = start_three(AJOB_RACE);
    ajob_resolve(c.task, "exit 3");
    turn();
    stop_politely(&a);
    stop_politely(&b);
    CHECK_ENDED(root, AJOB_FAILED, "c: exit 3");
    rig_close();
}

static void race_within_one_turn_goes_to_the_first(void) {
    rig_open(0);
    ajob_task *root = start_three(AJOB_RACE);
    ajob_resolve(c.task, "exit 3"), ajob_resolve(a.task, NULL), ajob_resolve(b.task, "exit 1");
    turn();
    CHECK_ENDED(root, AJOB_FAILED, "c: exit 3");
    root = start_three(AJOB_RACE);
    ajob_resolve(a.task, NULL), ajob_resolve(b.task, "exit 1"), ajob_resolve(c.task, NULL);
    turn();
    CHECK_ENDED(root, AJOB_SUCCEEDED, NULL);
    rig_close();
}

static void what_was_cancelled_on_request_is_no_failure(void) {
    rig_open(0);
    for (int policy = AJOB_ALL; policy <= AJOB_RACE; policy++) {
        ajob_task *root = start_three((enum ajob_policy)policy);
        ajob_cancel(a.task, "x"), ajob_cancel(b.task, "x"), ajob_cancel(c.task, "x");
        turn();
        stop_politely(&a), stop_politely(&b);
        CHECK_NUMBER(ajob_task_state(root), AJOB_RUNNING);
        stop_politely(&c);
        CHECK_ENDED(c.task, AJOB_CANCELLED, "cancelled by x");
        CHECK_ENDED(root, AJOB_SUCCEEDED, NULL);
    }
    rig_close();
}

static void any_fails_if_some_failed_and_none_won(void) {
    rig_open(0);
    ajob_task *root = start_three(AJOB_ANY);
    ajob_cancel(a.task, "x");
    turn();
    stop_politely(&a);
    ajob_resolve(b.task, "exit 3"), ajob_resolve(c.task, "exit 4");
    turn();
    CHECK_ENDED(root, AJOB_FAILED, "b: exit 3");
    rig_close();
}

int main(void) {
    RUN(an_empty_group_succeeds_at_once);
    RUN(all_cancels_the_siblings_of_the_first_failure);
    RUN(all_keeps_every_failure_of_one_turn_with_its_cause);
    RUN(settled_runs_all);
    RUN(any_takes_the_first_success);
    RUN(any_fails_with_the_first_cause_when_all_fail);
    RUN(any_ignores_failures_beside_the_winner);
    RUN(race_is_decided_by_the_first_end);
    RUN(race_within_one_turn_goes_to_the_first);
    RUN(what_was_cancelled_on_request_is_no_failure);
    RUN(any_fails_if_some_failed_and_none_won);
    return finish();
}
