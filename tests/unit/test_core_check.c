/*
 * test_core_check.c - what is refused: cycles, needs out of scope, shields without
 * timeout, names; before a run and when something comes into one.
 */
#include "core_rig.h"

static struct work a, b, c, d;

/* ---- refused ----------------------------------------------------------- */

static void refuse(ajob_task *root, int code, const char *text) {
    CHECK_NUMBER(ajob_start(rig.loop, root, NULL, NULL), code);
    CHECK_TEXT(ajob_error(rig.loop), text);
    CHECK_NUMBER(ajob_run(rig.loop, root), 125);
}

static void a_cycle_is_refused_and_named(void) {
    rig_open(0);
    ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
    make(&a, "a", root), make(&b, "b", root), make(&c, "c", root), make(&d, "d", root);
    ajob_need(a.task, b.task), ajob_need(b.task, c.task), ajob_need(c.task, a.task);
    ajob_need(d.task, a.task);
    CHECK_NUMBER(ajob_start(rig.loop, root, NULL, NULL), AJOB_ECYCLE);
    const char *error = ajob_error(rig.loop);
    CHECK(!strcmp(error, "tasks need each other in a cycle: a -> b -> c -> a") ||
          !strcmp(error, "tasks need each other in a cycle: b -> c -> a -> b") ||
          !strcmp(error, "tasks need each other in a cycle: c -> a -> b -> c"));
    root = make_group(AJOB_ALL, NULL, NULL);
    make(&a, "a", root);
    ajob_need(a.task, a.task);
    refuse(root, AJOB_ECYCLE, "tasks need each other in a cycle: a -> a");
    rig_close();
}

static void a_cycle_through_groups_is_refused(void) {
    rig_open(0);
    ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
    ajob_task *group = make_group(AJOB_ALL, "g", root);
    make(&a, "a", group), make(&b, "b", root);
    ajob_need(a.task, b.task), ajob_need(b.task, group);
    CHECK_NUMBER(ajob_start(rig.loop, root, NULL, NULL), AJOB_ECYCLE);
    CHECK(strstr(ajob_error(rig.loop), "g -> a -> b -> g") ||
          strstr(ajob_error(rig.loop), "a -> b -> g -> a") ||
          strstr(ajob_error(rig.loop), "b -> g -> a -> b"));
    root = make_group(AJOB_ALL, NULL, NULL); /* a task that needs its own group */
    group = make_group(AJOB_ALL, "g", root);
    make(&a, "a", group);
    ajob_need(a.task, group);
    CHECK_NUMBER(ajob_start(rig.loop, root, NULL, NULL), AJOB_ECYCLE);
    rig_close();
}

static void a_task_that_needs_a_finalizer_of_all_is_refused(void) {
    for (int is_group = 0; is_group < 2; is_group++) {
        rig_open(0);
        ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
        ajob_task *end = is_group ? make_group(AJOB_ALL, "end", NULL) : make(&b, "end", NULL);
        make(&a, "a", root), make(&c, "c", root);
        ajob_set_when(end, AJOB_WHEN_ALWAYS);
        ajob_group_add(root, end);
        ajob_need(a.task, end); /* which waits for a, since it needs nothing by name */
        CHECK_NUMBER(ajob_start(rig.loop, root, NULL, NULL), AJOB_ECYCLE);
        CHECK(strstr(ajob_error(rig.loop), "a -> end -> a") ||
              strstr(ajob_error(rig.loop), "end -> a -> end"));
        rig_close();
    }
    rig_open(0); /* and one that comes into a running group */
    ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
    make(&a, "a", root), make(&b, "end", NULL), make(&c, "c", NULL);
    ajob_set_when(b.task, AJOB_WHEN_ALWAYS);
    ajob_group_add(root, b.task);
    start_run(root);
    ajob_need(c.task, b.task);
    CHECK_NUMBER(ajob_group_add(root, c.task), AJOB_EINVAL);
    CHECK_TEXT(ajob_error(rig.loop),
               "task c: it needs end, which a task that comes into a running group cannot await");
    ajob_resolve(a.task, NULL);
    turn();
    ajob_resolve(b.task, NULL);
    turn();
    CHECK_ENDED(root, AJOB_SUCCEEDED, NULL);
    rig_close();
}

static void a_cancelled_task_in_a_refused_run_does_no_harm(void) {
    rig_open(0);
    ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
    make(&a, "a", root), make(&b, "b", root);
    ajob_cancel(a.task, "x"), ajob_cancel(b.task, "x"), ajob_cancel(root, "x");
    ajob_need(a.task, a.task);
    CHECK_NUMBER(ajob_start(rig.loop, root, NULL, NULL), AJOB_ECYCLE);
    root = make_group(AJOB_ALL, NULL, NULL);
    make(&c, "c", root);
    start_run(root);
    ajob_resolve(c.task, NULL);
    turn();
    CHECK_ENDED(root, AJOB_SUCCEEDED, NULL);
    rig_close();
}

static void a_need_out_of_scope_is_refused(void) {
    rig_open(0);
    ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
    ajob_task *group = make_group(AJOB_ALL, "g", root);
    make(&a, "a", group), make(&b, "b", root), make(&c, "c", NULL);
    ajob_need(b.task, a.task);
    refuse(root, AJOB_EINVAL, "task b: it needs a, which is not in its group or one around it");
    root = make_group(AJOB_ALL, NULL, NULL);
    make(&b, "b", root);
    ajob_need(b.task, c.task);
    refuse(root, AJOB_EINVAL, "task b: it needs c, which is not in its group or one around it");
    rig_close();
}

static void a_shield_without_timeout_is_refused(void) {
    rig_open(0);
    ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
    ajob_task *group = make_group(AJOB_ALL, "g", root);
    make(&a, "a", group);
    ajob_set_shield(a.task, true);
    refuse(root, AJOB_EINVAL, "task a: a shielded task must have a timeout");
    refuse(group, AJOB_EINVAL, "the run's task is in a group");
    rig_close();
}

static void what_comes_into_a_running_group_is_checked_too(void) {
    rig_open(0);
    ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
    ajob_task *group = make_group(AJOB_ALL, "g", root);
    make(&a, "a", group), make(&b, "b", root);
    ajob_need(b.task, group);
    start_run(root);

    make(&c, "c", NULL); /* b waits for the group: in it, none may wait for b */
    CHECK_NUMBER(ajob_need(c.task, b.task), 0);
    CHECK_NUMBER(ajob_group_add(group, c.task), AJOB_EINVAL);
    ajob_task *ring = make_group(AJOB_ALL, "ring", NULL);
    make(&c, "c", ring), make(&d, "d", ring);
    ajob_need(c.task, d.task), ajob_need(d.task, c.task);
    CHECK_NUMBER(ajob_group_add(group, ring), AJOB_ECYCLE);
    make(&c, "c", NULL);
    ajob_set_shield(c.task, true);
    CHECK_NUMBER(ajob_group_add(group, c.task), AJOB_EINVAL);
    CHECK_NUMBER(ajob_need(b.task, a.task), AJOB_EINVAL);
    CHECK_TEXT(ajob_error(rig.loop), "need: the task is in a run already");
    make(&c, "c", NULL);
    CHECK_NUMBER(ajob_need(c.task, a.task), AJOB_EINVAL);
    CHECK_TEXT(ajob_error(rig.loop), "need: what is needed has started");

    ajob_resolve(a.task, NULL);
    turn();
    ajob_resolve(b.task, NULL);
    turn();
    CHECK_ENDED(root, AJOB_SUCCEEDED, NULL);
    rig_close();
}

static void names_are_checked(void) {
    static const char *const good[] = {"a", "_x", "0.1-rc_2", "a..b"};
    static const char *const bad[] = {"", "-a", ".a", "a/b", "a b", "\xc3\xa9", "a\n"};
    rig_open(0);
    make(&a, NULL, NULL);
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        CHECK_NUMBER(ajob_set_name(a.task, good[i]), 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK_NUMBER(ajob_set_name(a.task, bad[i]), AJOB_EINVAL);
    CHECK_TEXT(ajob_task_name(a.task), "a..b");
    ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
    make(&b, NULL, root), make(&c, NULL, root);
    start_run(root);
    CHECK_TEXT(take(), "started; 1 started; 2 started; ");
    ajob_resolve(b.task, NULL), ajob_resolve(c.task, NULL);
    turn();
    rig_close();
}

int main(void) {
    RUN(a_cycle_is_refused_and_named);
    RUN(a_cycle_through_groups_is_refused);
    RUN(a_task_that_needs_a_finalizer_of_all_is_refused);
    RUN(a_cancelled_task_in_a_refused_run_does_no_harm);
    RUN(a_need_out_of_scope_is_refused);
    RUN(a_shield_without_timeout_is_refused);
    RUN(what_comes_into_a_running_group_is_checked_too);
    RUN(names_are_checked);
    return finish();
}
