/*
 * test_core_group.c - a group's own retry, and adding to one that runs, that drains,
 * that has ended.
 */
#include "core_rig.h"

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
    RUN(a_groups_retry_runs_all_in_it_again);
    RUN(a_groups_retry_does_not_forget_needs_outside);
    RUN(a_groups_attempt_timeout_is_retried);
    RUN(a_cancel_ends_a_group_in_its_backoff);
    RUN(a_running_group_takes_more);
    RUN(what_comes_into_a_draining_group_is_cancelled);
    RUN(what_cannot_be_added_is_refused);
    return finish();
}
