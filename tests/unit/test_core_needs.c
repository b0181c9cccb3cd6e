/*
 * test_core_needs.c - edges between tasks: order, chains of skipped tasks and their
 * cause, needs across groups.
 */
#include "core_rig.h"

static struct work a, b, c, d, f;

static void end_well(struct work *work) {
    ajob_resolve(work->task, NULL);
    turn();
}

static void fail(struct work *work, const char *cause) {
    ajob_resolve(work->task, cause);
    turn();
}

/* ---- needs ------------------------------------------------------------- */

static void a_task_waits_for_all_it_needs(void) {
    rig_open(0);
    ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
    make(&c, "c", root), make(&a, "a", root), make(&b, "b", root);
    ajob_need(c.task, a.task), ajob_need(c.task, b.task), ajob_need(c.task, b.task);
    start_run(root);
    CHECK_NUMBER(c.starts, 0);
    end_well(&b);
    CHECK_NUMBER(c.starts, 0);
    end_well(&a);
    CHECK_NUMBER(c.starts, 1);
    end_well(&c);
    CHECK_ENDED(root, AJOB_SUCCEEDED, NULL);
    rig_close();
}

static void a_diamond_runs_its_end_once(void) {
    rig_open(0);
    ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
    make(&a, "a", root), make(&b, "b", root), make(&c, "c", root), make(&d, "d", root);
    ajob_need(b.task, a.task), ajob_need(c.task, a.task);
    ajob_need(d.task, b.task), ajob_need(d.task, c.task);
    start_run(root);
    end_well(&a);
    CHECK(b.starts == 1 && c.starts == 1);
    ajob_resolve(b.task, NULL), ajob_resolve(c.task, NULL);
    turn();
    CHECK_NUMBER(d.starts, 1);
    end_well(&d);
    CHECK_TEXT(take(), "started; a started; a succeeded; c started; b started; b succeeded; "
                       "c succeeded; d started; d succeeded; succeeded\n");
    rig_close();
}

static void a_diamond_is_skipped_once(void) {
    rig_open(0);
    ajob_task *root = make_group(AJOB_SETTLED, NULL, NULL);
    make(&a, "a", root), make(&b, "b", root), make(&c, "c", root), make(&d, "d", root);
    ajob_need(d.task, c.task), ajob_need(d.task, b.task);
    ajob_need(c.task, a.task), ajob_need(b.task, a.task);
    start_run(root);
    fail(&a, "exit 3");
    CHECK_TEXT(take(), "started; a started; a failed: exit 3; b skipped: a failed: exit 3; "
                       "c skipped: a failed: exit 3; d skipped: b skipped: a failed: exit 3; "
                       "failed: a: exit 3\n");
    rig_close();
}

static void a_chain_is_skipped_in_order_before_the_siblings_are_cancelled(void) {
    rig_open(0);
    ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
    make(&d, "d", root), make(&c, "c", root), make(&b, "b", root), make(&a, "a", root);
    make(&f, "other", root);
    ajob_need(b.task, a.task), ajob_need(c.task, b.task), ajob_need(d.task, c.task);
    start_run(root);
    take();
    fail(&a, "exit 3");
    CHECK_NUMBER(f.stops, 1);
    end_well(&f);
    CHECK_TEXT(take(), "a failed: exit 3; b skipped: a failed: exit 3; "
                       "c skipped: b skipped: a failed: exit 3; "
                       "d skipped: c skipped: b skipped: a failed: exit 3; "
                       "other cancelled: cancelled by sibling a; failed: a: exit 3\n");
    rig_close();
}

static void what_needs_a_timed_out_task_is_skipped(void) {
    rig_open(0);
    ajob_task *root = make_group(AJOB_SETTLED, NULL, NULL);
    make(&a, "a", root), make(&b, "b", root), make(&c, "c", root);
    ajob_need(b.task, a.task), ajob_need(c.task, b.task);
    ajob_set_timeout(a.task, 2000);
    start_run(root);
    pass(2000);
    end_well(&a);
    CHECK_ENDED(b.task, AJOB_SKIPPED, "a: timeout 2s");
    CHECK_ENDED(c.task, AJOB_SKIPPED, "b skipped: a: timeout 2s");
    CHECK_ENDED(root, AJOB_FAILED, "a: timeout 2s");
    rig_close();
}

static void what_needs_a_cancelled_task_is_cancelled(void) {
    rig_open(0);
    ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
    make(&a, "a", root), make(&b, "b", root), make(&c, "c", root);
    ajob_need(b.task, a.task), ajob_need(c.task, b.task);
    start_run(root);
    ajob_cancel(a.task, "x");
    turn();
    end_well(&a);
    CHECK_ENDED(b.task, AJOB_CANCELLED, "a: cancelled by x");
    CHECK_ENDED(c.task, AJOB_CANCELLED, "b: a: cancelled by x");
    CHECK_ENDED(root, AJOB_SUCCEEDED, NULL);
    rig_close();
}

static void a_task_inside_may_need_one_outside(void) {
    for (int failing = 0; failing < 2; failing++) {
        rig_open(0);
        ajob_task *root = make_group(AJOB_SETTLED, NULL, NULL);
        ajob_task *outer = make_group(AJOB_SETTLED, "outer", root);
        ajob_task *inner = make_group(AJOB_SETTLED, "inner", outer);
        make(&a, "a", root), make(&b, "b", inner), make(&c, "c", inner);
        ajob_need(b.task, a.task);
        start_run(root);
        CHECK(b.starts == 0 && c.starts == 1);
        if (failing) {
            fail(&a, "exit 3");
            CHECK_ENDED(b.task, AJOB_SKIPPED, "a failed: exit 3");
        } else {
            end_well(&a);
            CHECK_NUMBER(b.starts, 1);
            end_well(&b);
        }
        end_well(&c);
        CHECK_NUMBER(ajob_task_status(root), failing ? AJOB_FAILED : AJOB_SUCCEEDED);
        rig_close();
    }
}

static void a_need_outside_may_end_before_the_group_starts(void) {
    for (int failing = 0; failing < 2; failing++) {
        rig_open(0);
        ajob_task *root = make_group(AJOB_SETTLED, NULL, NULL);
        ajob_task *group = make_group(AJOB_SETTLED, "g", root);
        make(&a, "a", root), make(&d, "d", root), make(&b, "b", group), make(&c, "c", group);
        ajob_need(b.task, a.task), ajob_need(group, d.task);
        start_run(root);
        ajob_resolve(a.task, failing ? "exit 3" : NULL);
        turn();
        CHECK_NUMBER(ajob_task_state(b.task), AJOB_PENDING);
        end_well(&d);
        CHECK_NUMBER(b.starts, !failing);
        if (failing)
            CHECK_ENDED(b.task, AJOB_SKIPPED, "a failed: exit 3");
        else
            end_well(&b);
        end_well(&c);
        CHECK_NUMBER(ajob_task_status(root), failing ? AJOB_FAILED : AJOB_SUCCEEDED);
        rig_close();
    }
}

static void a_need_that_failed_is_the_cause_even_of_a_cancelled_task(void) {
    rig_open(0);
    ajob_task *root = make_group(AJOB_SETTLED, NULL, NULL);
    ajob_task *group = make_group(AJOB_SETTLED, "g", root);
    make(&a, "a", root), make(&d, "d", root), make(&b, "b", group);
    ajob_need(b.task, a.task), ajob_need(group, d.task);
    start_run(root);
    fail(&a, "exit 3");
    ajob_cancel(b.task, "x");
    turn();
    CHECK_ENDED(b.task, AJOB_SKIPPED, "a failed: exit 3");
    end_well(&d);
    CHECK_ENDED(group, AJOB_FAILED, "b: a failed: exit 3");
    rig_close();
}

static void a_long_chain_keeps_its_origin_and_little_else(void) {
    enum { LENGTH = 100 };
    struct work chain[LENGTH];
    size_t longest = 0;
    rig_open(0);
    ajob_task *root = make_group(AJOB_SETTLED, NULL, NULL);
    for (int i = 0; i < LENGTH; i++) {
        char name[16];
        snprintf(name, sizeof name, "t%d", i);
        make(&chain[i], name, root);
        if (i)
            ajob_need(chain[i].task, chain[i - 1].task);
    }
    start_run(root);
    fail(&chain[0], "exit 3");
    for (int i = 1; i < LENGTH; i++) {
        char nearest[32];
        const char *cause = ajob_task_cause(chain[i].task);
        snprintf(nearest, sizeof nearest, "t%d %s: ", i - 1, i > 1 ? "skipped" : "failed");
        CHECK(!strncmp(cause, nearest, strlen(nearest)));
        CHECK(strstr(cause, "t0 failed: exit 3"));
        longest = strlen(cause) > longest ? strlen(cause) : longest;
    }
    CHECK_TEXT(ajob_task_cause(chain[5].task),
               "t4 skipped: t3 skipped: t2 skipped: t1 skipped: t0 failed: exit 3");
    CHECK(longest < 200);
    rig_close();
}

int main(void) {
    RUN(a_task_waits_for_all_it_needs);
    RUN(a_diamond_runs_its_end_once);
    RUN(a_diamond_is_skipped_once);
    RUN(a_chain_is_skipped_in_order_before_the_siblings_are_cancelled);
    RUN(what_needs_a_timed_out_task_is_skipped);
    RUN(what_needs_a_cancelled_task_is_cancelled);
    RUN(a_task_inside_may_need_one_outside);
    RUN(a_need_outside_may_end_before_the_group_starts);
    RUN(a_need_that_failed_is_the_cause_even_of_a_cancelled_task);
    RUN(a_long_chain_keeps_its_origin_and_little_else);
    return finish();
}
