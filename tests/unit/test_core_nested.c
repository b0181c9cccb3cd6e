/*
 * test_core_nested.c - groups in groups: causes and cancels go through them,
 * nothing starts in what is being cancelled, of two timeouts the outer counts.
 */
#include "core_rig.h"

enum { HOUR = 3600 * 1000 };

static struct work a, b, c, d;

static void stop_politely(struct work *work) {
    CHECK_NUMBER(work->stops, 1);
    ajob_resolve(work->task, "stopped");
    turn();
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
    CHECK_TEXT(take(), "outer/inner/a failed: exit 3; outer/inner failed: a: exit 3; "
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
    CHECK_TEXT(take(), "cancelling: SIGINT; outer/inner/b cancelled: cancelled by SIGINT; "
                       "outer/inner/a cancelled: cancelled by SIGINT; "
                       "outer/inner cancelled: cancelled by SIGINT; "
                       "outer cancelled: cancelled by SIGINT; cancelled: cancelled by SIGINT\n");
    rig_close();
}

static void each_task_in_a_group_has_its_own_grace(void) {
    rig_open(1000);
    ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
    make(&a, "a", root), make(&b, "b", root), make(&c, "c", make_group(AJOB_ALL, "g", root));
    start_run(root);
    ajob_cancel(root, "x");
    turn();
    pass(999);
    CHECK_NUMBER(a.hards + b.hards + c.hards, 0);
    pass(1);
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
    CHECK_TEXT(take(), "a failed: exit 3; cancelling: x; cancelled: cancelled by x\n");
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

static void the_outer_is_the_cause_however_the_groups_were_made(void) {
    for (int inner_first = 0; inner_first < 2; inner_first++) {
        rig_open(0);
        ajob_task *inner = make_group(AJOB_ALL, "inner", NULL);
        make(&a, "a", inner);
        ajob_task *outer = make_group(AJOB_ALL, "outer", NULL);
        ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
        ajob_group_add(inner_first ? outer : root, inner_first ? inner : outer);
        ajob_group_add(inner_first ? root : outer, inner_first ? outer : inner);
        ajob_set_timeout(a.task, 1000);
        ajob_set_timeout(inner, 1000);
        ajob_set_timeout(outer, 1000);
        start_run(root);
        /* Armed last: it is not the heap's order that makes it first. */
        deadline_arm(&rig.loop->deadlines, &outer->deadline, outer->deadline.at_ms);
        pass(1000);
        stop_politely(&a);
        CHECK_ENDED(a.task, AJOB_CANCELLED, "cancelled by timeout 1s of outer");
        CHECK_ENDED(inner, AJOB_CANCELLED, "cancelled by timeout 1s of outer");
        CHECK_ENDED(outer, AJOB_TIMED_OUT, "timeout 1s");
        rig_close();
    }
}

static void a_groups_timeout_is_its_cause_whatever_failed_in_it(void) {
    rig_open(0);
    ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
    ajob_task *group = make_group(AJOB_SETTLED, "g", root);
    make(&a, "a", group), make(&b, "b", group);
    ajob_set_timeout(group, 1000);
    start_run(root);
    ajob_resolve(a.task, "exit 3");
    turn();
    pass(1000);
    stop_politely(&b);
    CHECK_ENDED(group, AJOB_TIMED_OUT, "timeout 1s");
    CHECK_ENDED(root, AJOB_FAILED, "g: timeout 1s");
    rig_close();
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

int main(void) {
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
    RUN(the_outer_is_the_cause_however_the_groups_were_made);
    RUN(a_groups_timeout_is_its_cause_whatever_failed_in_it);
    RUN(a_failure_just_before_the_outer_timeout_keeps_its_cause);
    return finish();
}
