/*
 * test_core_group.c - tasks in groups: the policies, that nothing outlives its
 * group, timeouts inside timeouts, a group's own retry, adding to one that runs.
 */
#include "core_rig.h"

enum { HOUR = 3600 * 1000 };

static struct work a, b, c, d;

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

/* ---- nesting ----------------------------------------------------------- */

static void a_failure_inside_names_its_path(void) {
    rig_open(0);
    ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
    ajob_task *outer = make_group(AJOB_ALL, "outer", root);
    ajob_task *inner = make_group(AJOB_ALL, "inner", outer);
    make(&a, "a", inner), make(&b, "b", outer), make(&c, "c", root);
    start_run(root);
    take();
    ajob_resolve(a.task, "exit 3");
    turn();
    stop_politely(&b);
    stop_politely(&c);
    CHECK_ENDED(root, AJOB_FAILED, "outer/inner/a: exit 3");
    CHECK_TEXT(take(),
               "outer/inner/a failed: exit 3; outer/inner failed: a: exit 3; "
               "outer/b cancelled: cancelled by sibling outer/inner; "
               "outer failed: inner/a: exit 3; c cancelled: cancelled by sibling outer; "
               "failed: outer/inner/a: exit 3\n");
    rig_close();
}

static void groups_that_fail_at_once_both_fail(void) {
    rig_open(0);
    ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
    ajob_task *left = make_group(AJOB_ALL, "left", root);
    ajob_task *right = make_group(AJOB_ALL, "right", root);
    make(&a, "a", left), make(&b, "b", left), make(&c, "c", right), make(&d, "d", right);
    start_run(root);
    ajob_resolve(c.task, "exit 3"), ajob_resolve(d.task, "exit 4");
    ajob_resolve(b.task, "exit 2"), ajob_resolve(a.task, "exit 1");
    turn();
    CHECK_ENDED(left, AJOB_FAILED, "b: exit 2");
    CHECK_ENDED(right, AJOB_FAILED, "c: exit 3");
    CHECK_ENDED(root, AJOB_FAILED, "right/c: exit 3");
    rig_close();
}

static void a_cancel_reaches_what_is_deep_inside(void) {
    rig_open(0);
    ajob_task *root = make_group(AJOB_SETTLED, NULL, NULL);
    ajob_task *outer = make_group(AJOB_SETTLED, "outer", root);
    ajob_task *inner = make_group(AJOB_SETTLED, "inner", outer);
    make(&a, "a", inner), make(&b, "b", inner);
    ajob_need(b.task, a.task);
    start_run(root);
    take();
    ajob_cancel(root, "SIGINT");
    turn();
    CHECK_NUMBER(ajob_task_state(root), AJOB_STOPPING);
    stop_politely(&a);
    CHECK_NUMBER(b.starts, 0);
    CHECK_TEXT(take(), "outer/inner/b cancelled: cancelled by SIGINT; "
                       "outer/inner/a cancelled: cancelled by SIGINT; "
                       "outer/inner cancelled: cancelled by SIGINT; "
                       "outer cancelled: cancelled by SIGINT; cancelled: cancelled by SIGINT\n");
    rig_close();
}

static void each_task_in_a_group_has_its_own_grace(void) {
    rig_open(1000);
    ajob_task *root = start_three(AJOB_ALL);
    ajob_cancel(root, "x");
    turn();
    pass(1000);
    CHECK_NUMBER(a.hards + b.hards + c.hards, 3);
    ajob_resolve(a.task, "k"), ajob_resolve(b.task, "k"), ajob_resolve(c.task, "k");
    turn();
    CHECK_ENDED(root, AJOB_CANCELLED, "cancelled by x");
    rig_close();
}

static void a_kill_reaches_all_without_grace(void) {
    for (int after_cancel = 0; after_cancel < 2; after_cancel++) {
        rig_open(HOUR);
        ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
        ajob_task *inner = make_group(AJOB_ALL, "inner", root);
        make(&a, "a", inner), make(&b, "b", root);
        start_run(root);
        if (after_cancel) {
            ajob_cancel(root, "SIGINT");
            turn();
        }
        ajob_kill(root, "SIGTERM");
        ajob_kill(root, "SIGTERM");
        turn();
        CHECK_NUMBER(a.stops + b.stops, after_cancel ? 2 : 0);
        CHECK_NUMBER(a.hards + b.hards, 2);
        ajob_resolve(a.task, "k"), ajob_resolve(b.task, "k");
        turn();
        CHECK_ENDED(a.task, AJOB_CANCELLED,
                    after_cancel ? "cancelled by SIGINT" : "cancelled by SIGTERM");
        CHECK_ENDED(root, AJOB_CANCELLED,
                    after_cancel ? "cancelled by SIGINT" : "cancelled by SIGTERM");
        rig_close();
    }
}

static void nothing_starts_in_a_group_that_is_being_cancelled(void) {
    /* b became ready in the very turn, before the root heard of its cancel. */
    for (int way = 0; way < 3; way++) {
        rig_open(0);
        ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
        ajob_task *outer = make_group(AJOB_ALL, "outer", root);
        ajob_task *inner = make_group(AJOB_ALL, "inner", outer);
        make(&a, "a", inner), make(&b, "b", inner);
        ajob_need(b.task, a.task);
        ajob_set_timeout(root, 1000);
        start_run(root);
        ajob_resolve(a.task, NULL);
        if (way == 0)
            ajob_cancel(root, "x");
        if (way == 1)
            ajob_kill(outer, "x");
        if (way == 2)
            rig.now_ns += UINT64_C(1000000000);
        turn();
        CHECK_NUMBER(b.starts, 0);
        CHECK_ENDED(a.task, AJOB_SUCCEEDED, NULL);
        CHECK_ENDED(b.task, AJOB_CANCELLED,
                    way == 2 ? "cancelled by timeout 1s" : "cancelled by x");
        rig_close();
    }
}

static void nothing_is_retried_in_a_group_that_is_being_cancelled(void) {
    rig_open(0);
    ajob_task *root = make_group(AJOB_SETTLED, NULL, NULL);
    make(&a, "a", root);
    ajob_set_retry(a.task, &(ajob_retry){.max = 3});
    start_run(root);
    take();
    ajob_resolve(a.task, "exit 3"); /* by itself, before */
    ajob_cancel(root, "x");
    turn();
    CHECK_TEXT(take(), "a failed: exit 3; cancelled: cancelled by x\n");
    rig_close();
}

static void what_never_started_ends_with_its_group(void) {
    rig_open(0);
    ajob_task *root = make_group(AJOB_SETTLED, NULL, NULL);
    make(&a, "a", root);
    ajob_task *outer = make_group(AJOB_ALL, "outer", root);
    ajob_task *inner = make_group(AJOB_ALL, "inner", outer);
    make(&b, "b", inner), make(&c, "c", outer);
    make(&d, "d", NULL);
    ajob_set_when(d.task, AJOB_WHEN_ALWAYS);
    ajob_group_add(outer, d.task);
    ajob_need(outer, a.task);
    start_run(root);
    take();
    ajob_resolve(a.task, "exit 3");
    turn();
    CHECK_TEXT(take(), "a failed: exit 3; outer/inner/b skipped: a failed: exit 3; "
                       "outer/inner skipped: a failed: exit 3; outer/c skipped: a failed: exit 3; "
                       "outer/d skipped: a failed: exit 3; outer skipped: a failed: exit 3; "
                       "failed: a: exit 3\n");
    CHECK_NUMBER(rig.loop->counts[AJOB_SKIPPED], 3);
    CHECK_NUMBER(rig.loop->counts[AJOB_FAILED], 1);

    root = make_group(AJOB_SETTLED, NULL, NULL);
    outer = make_group(AJOB_ALL, "outer", root);
    make(&b, "b", outer);
    ajob_set_timeout(outer, 0);
    start_run(root);
    CHECK_TEXT(take(), "started; outer/b cancelled: cancelled by timeout 0s of outer; "
                       "outer timed_out: timeout 0s; failed: outer: timeout 0s\n");

    root = make_group(AJOB_SETTLED, NULL, NULL);
    make(&a, "a", root);
    ajob_cancel(root, "x");
    start_run(root);
    CHECK_ENDED(a.task, AJOB_CANCELLED, "cancelled by x");
    CHECK_ENDED(root, AJOB_CANCELLED, "cancelled by x");
    rig_close();
}

static void a_child_cancelled_before_its_group_starts_ends_alone(void) {
    rig_open(0);
    ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
    make(&a, "a", root);
    ajob_task *inner = make_group(AJOB_ALL, "inner", root);
    make(&b, "b", inner), make(&c, "c", inner);
    ajob_need(inner, a.task);
    start_run(root);
    ajob_cancel(b.task, "x");
    turn();
    CHECK_ENDED(b.task, AJOB_CANCELLED, "cancelled by x");
    ajob_resolve(a.task, NULL);
    turn();
    ajob_resolve(c.task, NULL);
    turn();
    CHECK_NUMBER(b.starts, 0);
    CHECK_ENDED(inner, AJOB_SUCCEEDED, NULL);
    CHECK_ENDED(root, AJOB_SUCCEEDED, NULL);
    rig_close();
}

/* ---- timeouts ---------------------------------------------------------- */

static void under_a_groups_timeout_its_tasks_are_cancelled(void) {
    rig_open(0);
    ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
    ajob_task *inner = make_group(AJOB_ALL, "inner", root);
    make(&a, "a", inner);
    ajob_set_timeout(inner, 30000);
    start_run(root);
    pass(30000);
    stop_politely(&a);
    CHECK_ENDED(a.task, AJOB_CANCELLED, "cancelled by timeout 30s of inner");
    CHECK_ENDED(inner, AJOB_TIMED_OUT, "timeout 30s");
    CHECK_ENDED(root, AJOB_FAILED, "inner: timeout 30s");
    CHECK_NUMBER(ajob_exit_status(rig.loop), 1); /* only the run's own is 124 */

    root = make_group(AJOB_ALL, NULL, NULL);
    make(&a, "a", root);
    ajob_set_timeout(root, 30000);
    start_run(root);
    pass(30000);
    stop_politely(&a);
    CHECK_ENDED(a.task, AJOB_CANCELLED, "cancelled by timeout 30s");
    CHECK_NUMBER(ajob_exit_status(rig.loop), 124);
    rig_close();
}

static void of_timeouts_that_expire_together_the_outer_is_the_cause(void) {
    /* The same millisecond, in both orders of arming; or a late loop that sees
     * both at once: then the inner one is first only if it was due first. */
    static const struct {
        uint64_t outer_ms, inner_ms;
        bool outer_wins;
    } cases[] = {{1000, 1000, true}, {1000, 1001, true}, {1001, 1000, false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rig_open(0);
        ajob_task *root = make_group(AJOB_SETTLED, NULL, NULL);
        ajob_task *outer = make_group(AJOB_SETTLED, "outer", root);
        ajob_task *inner = make_group(AJOB_SETTLED, "inner", outer);
        make(&a, "a", inner), make(&b, "b", outer);
        ajob_set_timeout(outer, cases[i].outer_ms);
        ajob_set_timeout(inner, cases[i].inner_ms);
        ajob_set_timeout(a.task, cases[i].inner_ms);
        ajob_set_timeout(b.task, cases[i].inner_ms);
        start_run(root);
        pass(2000);
        stop_politely(&a), stop_politely(&b);
        CHECK_ENDED(outer, AJOB_TIMED_OUT, "timeout 1s");
        if (cases[i].outer_wins) {
            CHECK_ENDED(a.task, AJOB_CANCELLED, "cancelled by timeout 1s of outer");
            CHECK_ENDED(b.task, AJOB_CANCELLED, "cancelled by timeout 1s of outer");
            CHECK_ENDED(inner, AJOB_CANCELLED, "cancelled by timeout 1s of outer");
        } else {
            CHECK_ENDED(a.task, AJOB_CANCELLED, "cancelled by timeout 1s of outer/inner");
            CHECK_ENDED(b.task, AJOB_TIMED_OUT, "timeout 1s");
            CHECK_ENDED(inner, AJOB_TIMED_OUT, "timeout 1s");
        }
        rig_close();
    }
}

static void a_failure_just_before_the_outer_timeout_keeps_its_cause(void) {
    rig_open(0);
    ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
    make(&a, "a", root);
    ajob_set_timeout(root, 1000);
    start_run(root);
    ajob_resolve(a.task, "exit 3");
    pass(1000);
    CHECK_ENDED(a.task, AJOB_FAILED, "exit 3");
    CHECK_ENDED(root, AJOB_TIMED_OUT, "timeout 1s");
    rig_close();
}

/* ---- a group's own retry ----------------------------------------------- */

static void a_groups_retry_runs_all_in_it_again(void) {
    rig_open(0);
    ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
    ajob_task *group = make_group(AJOB_ALL, "g", root);
    ajob_task *inner = make_group(AJOB_ALL, "inner", group);
    make(&a, "a", group), make(&b, "b", inner), make(&c, "c", group);
    ajob_need(c.task, inner);
    ajob_need(inner, a.task);
    ajob_set_retry(group, &(ajob_retry){.max = 1, .delay_ms = 1000, .no_jitter = true});
    start_run(root);
    ajob_resolve(a.task, NULL);
    turn();
    ajob_resolve(b.task, "exit 3");
    turn();
    CHECK_NUMBER(ajob_task_state(group), AJOB_BACKOFF);
    pass(1000);
    CHECK_NUMBER(a.starts, 2);
    CHECK_NUMBER(b.starts, 1);
    ajob_resolve(a.task, NULL);
    turn();
    CHECK_NUMBER(b.starts, 2);
    ajob_resolve(b.task, NULL);
    turn();
    CHECK_NUMBER(c.starts, 1);
    ajob_resolve(c.task, NULL);
    turn();
    CHECK_ENDED(root, AJOB_SUCCEEDED, NULL);
    CHECK_NUMBER(rig.loop->counts[AJOB_SUCCEEDED], 3);
    CHECK_NUMBER(rig.loop->counts[AJOB_FAILED] + rig.loop->counts[AJOB_SKIPPED], 0);
    CHECK_TEXT(take(),
               "started; g started; g/a started; g/a succeeded; g/inner started; g/inner/b "
               "started; g/inner/b failed: exit 3; g/inner failed: b: exit 3; "
               "g/c skipped: inner failed: b: exit 3; g retrying: inner/b: exit 3; g started; "
               "g/a started; g/a succeeded; g/inner started; g/inner/b started; "
               "g/inner/b succeeded; g/inner succeeded; g/c started; g/c succeeded; "
               "g succeeded; succeeded\n");
    rig_close();
}

static void a_groups_retry_does_not_forget_needs_outside(void) {
    rig_open(0);
    ajob_task *root = make_group(AJOB_SETTLED, NULL, NULL);
    make(&a, "a", root);
    ajob_task *group = make_group(AJOB_SETTLED, "g", root);
    make(&b, "b", group), make(&c, "c", group);
    ajob_need(b.task, a.task);
    ajob_set_retry(group, &(ajob_retry){.max = 1, .delay_ms = 1000, .no_jitter = true});
    start_run(root);
    ajob_resolve(a.task, "exit 3");
    turn();
    ajob_resolve(c.task, "exit 4");
    turn();
    pass(1000);
    CHECK_NUMBER(c.starts, 2);
    CHECK_NUMBER(b.starts, 0);
    ajob_resolve(c.task, NULL);
    turn();
    CHECK_ENDED(b.task, AJOB_SKIPPED, "a failed: exit 3");
    CHECK_ENDED(group, AJOB_FAILED, "b: a failed: exit 3");
    rig_close();
}

static void a_groups_attempt_timeout_is_retried(void) {
    rig_open(0);
    ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
    ajob_task *group = make_group(AJOB_ALL, "g", root);
    make(&a, "a", group);
    ajob_set_attempt_timeout(group, 3000);
    ajob_set_retry(group, &(ajob_retry){.max = 1, .delay_ms = 1000, .no_jitter = true});
    start_run(root);
    pass(3000);
    stop_politely(&a);
    pass(1000);
    ajob_resolve(a.task, NULL);
    turn();
    CHECK_ENDED(root, AJOB_SUCCEEDED, NULL);
    CHECK_TEXT(take(), "started; g started; g/a started; "
                       "g/a cancelled: cancelled by attempt timeout 3s of g; "
                       "g retrying: attempt timeout 3s; g started; g/a started; g/a succeeded; "
                       "g succeeded; succeeded\n");
    rig_close();
}

static void a_cancel_ends_a_group_in_its_backoff(void) {
    rig_open(0);
    ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
    ajob_task *group = make_group(AJOB_ALL, "g", root);
    make(&a, "a", group);
    ajob_set_retry(group, &(ajob_retry){.max = 9});
    start_run(root);
    ajob_resolve(a.task, "exit 3");
    turn();
    ajob_cancel(root, "x");
    turn();
    CHECK_ENDED(a.task, AJOB_FAILED, "exit 3");
    CHECK_ENDED(group, AJOB_CANCELLED, "cancelled by x");
    CHECK_ENDED(root, AJOB_CANCELLED, "cancelled by x");
    rig_close();
}

/* ---- adding ------------------------------------------------------------ */

static void a_running_group_takes_more(void) {
    rig_open(0);
    ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
    make(&a, "a", root), make(&b, "b", root);
    ajob_need(b.task, a.task);
    start_run(root);
    ajob_task *group = make_group(AJOB_ALL, "g", NULL);
    make(&c, "c", group);
    CHECK_NUMBER(ajob_need(group, b.task), 0);
    CHECK_NUMBER(ajob_group_add(root, group), 0);
    turn();
    CHECK_NUMBER(ajob_need(c.task, b.task), AJOB_EINVAL);
    ajob_resolve(a.task, NULL);
    turn();
    ajob_resolve(b.task, NULL);
    turn();
    CHECK_NUMBER(c.starts, 1);
    CHECK_NUMBER(ajob_group_add(group, make(&d, "d", NULL)), 0);
    turn();
    CHECK_NUMBER(d.starts, 1);
    ajob_resolve(c.task, NULL);
    turn();
    CHECK_NUMBER(ajob_task_state(group), AJOB_RUNNING);
    ajob_resolve(d.task, NULL);
    turn();
    CHECK_ENDED(root, AJOB_SUCCEEDED, NULL);
    CHECK_NUMBER(rig.loop->counts[AJOB_SUCCEEDED], 4);
    rig_close();
}

static void what_comes_into_a_draining_group_is_cancelled(void) {
    rig_open(0);
    ajob_task *root = start_three(AJOB_ALL);
    ajob_resolve(a.task, "exit 3");
    turn();
    ajob_task *group = make_group(AJOB_ALL, "g", NULL);
    make(&d, "d", group);
    CHECK_NUMBER(ajob_group_add(root, group), 0);
    turn();
    CHECK_NUMBER(d.starts, 0);
    CHECK_ENDED(d.task, AJOB_CANCELLED, "cancelled by sibling a");
    CHECK_ENDED(group, AJOB_CANCELLED, "cancelled by sibling a");
    stop_politely(&b), stop_politely(&c);
    CHECK_ENDED(root, AJOB_FAILED, "a: exit 3");

    root = start_three(AJOB_ALL);
    ajob_cancel(root, "x");
    CHECK_NUMBER(ajob_group_add(root, make(&d, "d", NULL)), 0); /* before its step */
    turn();
    CHECK_NUMBER(d.starts, 0);
    CHECK_ENDED(d.task, AJOB_CANCELLED, "cancelled by x");
    CHECK_NUMBER(ajob_group_add(root, make(&d, "e", NULL)), 0); /* and after */
    turn();
    CHECK_ENDED(d.task, AJOB_CANCELLED, "cancelled by x");
    stop_politely(&a), stop_politely(&b), stop_politely(&c);
    rig_close();
}

static void what_cannot_be_added_is_refused(void) {
    rig_open(0);
    ajob_task *root = start_three(AJOB_ALL);
    make(&d, "d", NULL);
    CHECK_NUMBER(ajob_group_add(a.task, d.task), AJOB_EINVAL);
    CHECK_TEXT(ajob_error(rig.loop), "a future is no group");
    CHECK_NUMBER(ajob_group_add(root, a.task), AJOB_EINVAL);
    CHECK_TEXT(ajob_error(rig.loop), "the task has a group or has started");
    ajob_task *outer = make_group(AJOB_ALL, "outer", NULL);
    ajob_task *inner = make_group(AJOB_ALL, "inner", outer);
    CHECK_NUMBER(ajob_group_add(inner, outer), AJOB_EINVAL);
    CHECK_NUMBER(ajob_group_add(inner, inner), AJOB_EINVAL);
    ajob_loop *other = ajob_loop_new(NULL);
    CHECK_NUMBER(ajob_group_add(ajob_group(other, NULL), d.task), AJOB_EINVAL);
    ajob_loop_free(other);
    ajob_resolve(a.task, NULL), ajob_resolve(b.task, NULL), ajob_resolve(c.task, NULL);
    turn();
    CHECK_NUMBER(ajob_group_add(root, d.task), AJOB_EINVAL);
    CHECK_TEXT(ajob_error(rig.loop), "the group has ended");
    CHECK(!ajob_gather(rig.loop, (ajob_task *[]){d.task, NULL}, 2));
    CHECK(!ajob_gather(rig.loop, (ajob_task *[]){d.task, a.task}, 2));
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
    RUN(a_failure_inside_names_its_path);
    RUN(groups_that_fail_at_once_both_fail);
    RUN(a_cancel_reaches_what_is_deep_inside);
    RUN(each_task_in_a_group_has_its_own_grace);
    RUN(a_kill_reaches_all_without_grace);
    RUN(nothing_starts_in_a_group_that_is_being_cancelled);
    RUN(nothing_is_retried_in_a_group_that_is_being_cancelled);
    RUN(what_never_started_ends_with_its_group);
    RUN(a_child_cancelled_before_its_group_starts_ends_alone);
    RUN(under_a_groups_timeout_its_tasks_are_cancelled);
    RUN(of_timeouts_that_expire_together_the_outer_is_the_cause);
    RUN(a_failure_just_before_the_outer_timeout_keeps_its_cause);
    RUN(a_groups_retry_runs_all_in_it_again);
    RUN(a_groups_retry_does_not_forget_needs_outside);
    RUN(a_groups_attempt_timeout_is_retried);
    RUN(a_cancel_ends_a_group_in_its_backoff);
    RUN(a_running_group_takes_more);
    RUN(what_comes_into_a_draining_group_is_cancelled);
    RUN(what_cannot_be_added_is_refused);
    return finish();
}
