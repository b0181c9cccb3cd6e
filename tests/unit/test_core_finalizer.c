/*
 * test_core_finalizer.c - what a cancel does not reach: finalizers, which run however
 * the rest ended, and shielded tasks.
 */
#include "core_rig.h"

enum { HOUR = 3600 * 1000 };

static struct work a, b, c, d, f;

static void end_well(struct work *work) {
    ajob_resolve(work->task, NULL);
    turn();
}

static void fail(struct work *work, const char *cause) {
    ajob_resolve(work->task, cause);
    turn();
}

static ajob_task *finalizer(struct work *work, enum ajob_when when, ajob_task *group) {
    make(work, "f", NULL);
    CHECK_NUMBER(ajob_set_when(work->task, when), 0);
    CHECK_NUMBER(ajob_group_add(group, work->task), 0);
    return work->task;
}

/* ---- finalizers -------------------------------------------------------- */

enum ending { SUCCESS, FAILURE, SKIP, CANCEL_ONE, CANCEL_ALL, ENDINGS };

/* d fails for SKIP, so that a never starts. Else a ends as told. */
static void let_it_end(enum ending ending, ajob_task *root) {
    switch (ending) {
    case SUCCESS:
        end_well(&d), end_well(&a);
        break;
    case FAILURE:
        end_well(&d), fail(&a, "exit 3");
        break;
    case SKIP:
        fail(&d, "exit 4");
        break;
    case CANCEL_ONE:
        end_well(&d);
        ajob_cancel(a.task, "x");
        turn();
        end_well(&a);
        break;
    case CANCEL_ALL:
        end_well(&d);
        ajob_cancel(root, "SIGINT");
        turn();
        end_well(&a);
        break;
    case ENDINGS:
        break;
    }
}

static void try_finalizer(enum ending ending, enum ajob_when when, bool has_need,
                          enum ajob_policy policy) {
    rig_open(0);
    ajob_task *root = make_group(policy, NULL, NULL);
    finalizer(&f, when, root);
    make(&a, "a", root), make(&d, "d", root);
    ajob_need(a.task, d.task);
    if (has_need)
        ajob_need(f.task, a.task);
    start_run(root);
    CHECK_NUMBER(f.starts, 0);
    let_it_end(ending, root);
    bool runs = when == AJOB_WHEN_ALWAYS || ending != SUCCESS;
    CHECK_NUMBER(f.starts, runs);
    if (runs) {
        CHECK_NUMBER(ajob_task_state(root), ending == CANCEL_ALL ? AJOB_STOPPING : AJOB_RUNNING);
        end_well(&f);
        CHECK_ENDED(f.task, AJOB_SUCCEEDED, NULL);
    } else {
        CHECK_ENDED(f.task, AJOB_SKIPPED, "nothing failed");
    }
    CHECK_NUMBER(f.starts, runs);
    static const enum ajob_status ends[] = {AJOB_SUCCEEDED, AJOB_FAILED, AJOB_FAILED,
                                            AJOB_SUCCEEDED, AJOB_CANCELLED};
    CHECK_TEXT(ajob_status_name(ajob_task_status(root)), ajob_status_name(ends[ending]));
    rig_close();
}

static void finalizers_run_however_their_needs_ended(void) {
    for (int ending = 0; ending < ENDINGS; ending++)
        for (int has_need = 0; has_need < 2; has_need++)
            for (int policy = AJOB_ALL; policy <= AJOB_SETTLED; policy++) {
                int before = check_failures;
                try_finalizer((enum ending)ending, AJOB_WHEN_ALWAYS, has_need,
                              (enum ajob_policy)policy);
                try_finalizer((enum ending)ending, AJOB_WHEN_FAILURE, has_need,
                              (enum ajob_policy)policy);
                if (check_failures > before)
                    printf("# ending %d, has need %d, policy %d\n", ending, has_need, policy);
            }
}

static void a_failing_finalizer_fails_its_group(void) {
    for (int policy = AJOB_ALL; policy <= AJOB_RACE; policy++) {
        rig_open(0);
        ajob_task *root = make_group((enum ajob_policy)policy, NULL, NULL);
        make(&b, "b", root), make(&a, "a", root);
        finalizer(&f, AJOB_WHEN_ALWAYS, root);
        start_run(root);
        end_well(&a), end_well(&b);
        CHECK_NUMBER(f.starts, 1);
        fail(&f, "exit 9");
        CHECK_ENDED(root, AJOB_FAILED, "f: exit 9");

        root = make_group((enum ajob_policy)policy, NULL, NULL);
        make(&b, "b", root), make(&a, "a", root);
        finalizer(&f, AJOB_WHEN_ALWAYS, root);
        start_run(root);
        fail(&a, "exit 3");
        fail(&b, "exit 4");
        CHECK_NUMBER(f.starts, 1);
        fail(&f, "exit 9");
        CHECK_ENDED(root, AJOB_FAILED, "a: exit 3"); /* the first one first */
        rig_close();
    }
}

static void of_a_won_group_the_finalizers_failure_is_the_cause(void) {
    rig_open(0);
    ajob_task *root = make_group(AJOB_ANY, NULL, NULL);
    make(&a, "a", root), make(&b, "b", root);
    finalizer(&f, AJOB_WHEN_ALWAYS, root);
    start_run(root);
    fail(&a, "exit 3");
    end_well(&b);
    fail(&f, "exit 9");
    CHECK_ENDED(root, AJOB_FAILED, "f: exit 9");
    rig_close();
}

static void a_won_group_has_nothing_that_failed(void) {
    for (int policy = AJOB_ANY; policy <= AJOB_RACE; policy++) {
        rig_open(0);
        ajob_task *root = make_group((enum ajob_policy)policy, NULL, NULL);
        make(&a, "a", root), make(&b, "b", root);
        finalizer(&f, AJOB_WHEN_FAILURE, root);
        start_run(root);
        end_well(&a);
        end_well(&b);
        CHECK_ENDED(b.task, AJOB_CANCELLED, "cancelled by sibling a");
        CHECK_ENDED(f.task, AJOB_SKIPPED, "nothing failed");
        CHECK_ENDED(root, AJOB_SUCCEEDED, NULL);
        rig_close();
    }
}

static void a_group_that_was_not_needed_has_no_failures(void) {
    rig_open(0);
    ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
    make(&a, "a", root);
    ajob_task *group = make_group(AJOB_ALL, "g", NULL);
    make(&b, "b", group);
    ajob_set_when(group, AJOB_WHEN_FAILURE);
    ajob_group_add(root, group);
    start_run(root);
    end_well(&a);
    CHECK_ENDED(b.task, AJOB_SKIPPED, "nothing failed");
    CHECK(!task_is_failure(b.task) && !task_is_failure(group));
    CHECK_ENDED(root, AJOB_SUCCEEDED, NULL);
    rig_close();
}

static void a_finalizer_decides_no_race(void) {
    for (int policy = AJOB_ANY; policy <= AJOB_RACE; policy++) {
        rig_open(0);
        ajob_task *root = make_group((enum ajob_policy)policy, NULL, NULL);
        make(&a, "a", root), make(&b, "b", root);
        finalizer(&f, AJOB_WHEN_ALWAYS, root);
        ajob_need(f.task, a.task);
        start_run(root);
        ajob_cancel(a.task, "x"); /* which decides nothing either */
        turn();
        end_well(&a);
        end_well(&f);
        CHECK_ENDED(f.task, AJOB_SUCCEEDED, NULL);
        CHECK_NUMBER(ajob_task_state(b.task), AJOB_RUNNING);
        fail(&b, "exit 3");
        CHECK_ENDED(root, AJOB_FAILED, "b: exit 3");
        rig_close();
    }
}

static void in_a_cancelled_group_something_failed(void) {
    rig_open(0);
    ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
    make(&a, "a", root);
    ajob_set_shield(a.task, true), ajob_set_timeout(a.task, HOUR);
    finalizer(&f, AJOB_WHEN_FAILURE, root);
    start_run(root);
    ajob_cancel(root, "SIGINT");
    turn();
    end_well(&a); /* all did well, and still */
    CHECK_NUMBER(f.starts, 1);
    end_well(&f);
    CHECK_ENDED(root, AJOB_CANCELLED, "cancelled by SIGINT");
    rig_close();
}

static void what_needs_a_finalizer_that_was_not_needed_is_no_failure(void) {
    rig_open(0);
    ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
    make(&a, "a", root);
    finalizer(&f, AJOB_WHEN_FAILURE, root);
    ajob_need(f.task, a.task);
    make(&b, "b", root), make(&c, "c", NULL);
    ajob_need(b.task, f.task);
    ajob_set_when(c.task, AJOB_WHEN_FAILURE);
    ajob_group_add(root, c.task);
    ajob_need(c.task, f.task);
    start_run(root);
    end_well(&a);
    CHECK_ENDED(b.task, AJOB_SKIPPED, "f skipped: nothing failed");
    CHECK_ENDED(c.task, AJOB_SKIPPED, "nothing failed");
    CHECK_ENDED(root, AJOB_SUCCEEDED, NULL);
    rig_close();
}

static void a_finalizer_has_a_timeout_of_30_s(void) {
    rig_open(0);
    ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
    make(&a, "a", root);
    finalizer(&f, AJOB_WHEN_ALWAYS, root);
    start_run(root);
    ajob_cancel(root, "SIGINT");
    turn();
    end_well(&a);
    pass(29999);
    CHECK_NUMBER(f.stops, 0);
    pass(1);
    CHECK_NUMBER(f.stops, 1);
    end_well(&f);
    CHECK_ENDED(f.task, AJOB_TIMED_OUT, "timeout 30s");
    CHECK_ENDED(root, AJOB_CANCELLED, "cancelled by SIGINT");

    make(&f, "f", NULL);
    ajob_set_timeout(f.task, HOUR);
    ajob_set_when(f.task, AJOB_WHEN_ALWAYS);
    CHECK_NUMBER(f.task->options->timeout_ms, HOUR);
    rig_close();
}

static void in_a_killed_group_no_finalizer_starts(void) {
    for (int way = 0; way < 3; way++) {
        rig_open(0);
        ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
        ajob_task *group = make_group(AJOB_ALL, "g", root);
        make(&a, "a", group);
        finalizer(&f, AJOB_WHEN_ALWAYS, group);
        start_run(root);
        if (way == 0) { /* in one turn: the finalizer is posted before the kill is */
            ajob_resolve(a.task, NULL);
            ajob_kill(root, "SIGTERM");
            turn();
        } else {
            ajob_cancel(root, "SIGINT");
            turn();
            if (way == 2)
                end_well(&a);
            CHECK_NUMBER(f.starts, way == 2);
            ajob_kill(root, "SIGTERM");
            turn();
            ajob_resolve(way == 2 ? f.task : a.task, NULL);
            turn();
        }
        CHECK_NUMBER(f.starts, way == 2);
        CHECK_NUMBER(f.hards, way == 2);    /* one that runs is killed */
        CHECK_ENDED(f.task, AJOB_CANCELLED, /* a group's cause is that of its first stop */
                    way == 0 ? "cancelled by SIGTERM" : "cancelled by SIGINT");
        make(&f, "late", NULL);
        ajob_set_when(f.task, AJOB_WHEN_ALWAYS);
        CHECK_NUMBER(ajob_group_add(group, f.task), AJOB_EINVAL);
        rig_close();
    }
}

static void a_finalizer_may_come_into_a_draining_group(void) {
    for (int kill = 0; kill < 2; kill++) {
        rig_open(0);
        ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
        make(&a, "a", root);
        start_run(root);
        (kill ? ajob_kill : ajob_cancel)(root, "x");
        turn();
        finalizer(&f, AJOB_WHEN_ALWAYS, root);
        turn();
        CHECK_NUMBER(f.starts, 0);
        end_well(&a);
        CHECK_NUMBER(f.starts, !kill);
        end_well(&f);
        CHECK_NUMBER(ajob_task_status(f.task), kill ? AJOB_CANCELLED : AJOB_SUCCEEDED);
        CHECK_ENDED(root, AJOB_CANCELLED, "cancelled by x");
        rig_close();
    }
}

static void a_finalizer_that_is_a_group_runs_all_of_it(void) {
    rig_open(0);
    ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
    make(&a, "a", root);
    ajob_task *group = make_group(AJOB_ALL, "cleaning", NULL);
    make(&b, "b", group), make(&c, "c", group);
    ajob_need(c.task, b.task);
    ajob_set_when(group, AJOB_WHEN_ALWAYS);
    ajob_group_add(root, group);
    start_run(root);
    ajob_cancel(root, "SIGINT");
    turn();
    end_well(&a), end_well(&b), end_well(&c);
    CHECK_NUMBER(c.starts, 1);
    CHECK_ENDED(group, AJOB_SUCCEEDED, NULL);
    CHECK_ENDED(root, AJOB_CANCELLED, "cancelled by SIGINT");
    rig_close();
}

/* ---- shielded tasks ---------------------------------------------------- */

static ajob_task *start_shielded(void) {
    ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
    make(&a, "a", root), make(&b, "b", root);
    CHECK_NUMBER(ajob_set_shield(b.task, true), 0);
    CHECK_NUMBER(ajob_set_timeout(b.task, 60000), 0);
    start_run(root);
    return root;
}

static void a_shielded_task_outlives_a_siblings_failure(void) {
    rig_open(0);
    ajob_task *root = start_shielded();
    fail(&a, "exit 3");
    CHECK_NUMBER(ajob_task_state(b.task), AJOB_RUNNING);
    CHECK_NUMBER(ajob_task_state(root), AJOB_RUNNING);
    end_well(&b);
    CHECK_ENDED(b.task, AJOB_SUCCEEDED, NULL);
    CHECK_ENDED(root, AJOB_FAILED, "a: exit 3");
    rig_close();
}

static void a_shielded_task_outlives_the_first_cancel_not_the_kill(void) {
    for (int kill = 0; kill < 2; kill++) {
        rig_open(0);
        ajob_task *root = start_shielded();
        ajob_cancel(root, "SIGINT");
        turn();
        end_well(&a);
        CHECK_NUMBER(ajob_task_state(b.task), AJOB_RUNNING);
        CHECK_NUMBER(ajob_task_state(root), AJOB_STOPPING);
        if (kill) {
            ajob_kill(root, "SIGTERM");
            turn();
            CHECK(b.stops == 0 && b.hards == 1);
        }
        end_well(&b);
        CHECK_ENDED(b.task, kill ? AJOB_CANCELLED : AJOB_SUCCEEDED,
                    kill ? "cancelled by SIGINT" : NULL);
        CHECK_ENDED(root, AJOB_CANCELLED, "cancelled by SIGINT");
        rig_close();
    }
}

static void a_shielded_tasks_own_timeout_stops_it(void) {
    for (int cancel = 0; cancel < 2; cancel++) {
        rig_open(0);
        ajob_task *root = start_shielded();
        if (cancel) {
            ajob_cancel(root, "SIGINT");
            turn();
        }
        end_well(&a);
        pass(60000);
        CHECK_NUMBER(b.stops, 1);
        end_well(&b);
        CHECK_ENDED(b.task, AJOB_TIMED_OUT, "timeout 1m");
        rig_close();
    }
}

static void a_shielded_group_keeps_its_tasks(void) {
    rig_open(0);
    ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
    ajob_task *group = make_group(AJOB_ALL, "g", root);
    make(&a, "a", group), make(&b, "b", group);
    ajob_need(b.task, a.task);
    ajob_set_shield(group, true), ajob_set_timeout(group, HOUR);
    start_run(root);
    ajob_cancel(root, "SIGINT");
    end_well(&a);
    CHECK_NUMBER(b.starts, 1); /* the group goes on */
    end_well(&b);
    CHECK_ENDED(group, AJOB_SUCCEEDED, NULL);
    CHECK_ENDED(root, AJOB_CANCELLED, "cancelled by SIGINT");
    rig_close();
}

static void a_shield_does_not_start_what_has_not_started(void) {
    rig_open(0);
    ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
    make(&a, "a", root), make(&b, "b", root);
    ajob_need(b.task, a.task);
    ajob_set_shield(b.task, true), ajob_set_timeout(b.task, HOUR);
    start_run(root);
    ajob_cancel(root, "SIGINT");
    turn();
    end_well(&a);
    CHECK_ENDED(b.task, AJOB_CANCELLED, "cancelled by SIGINT");
    rig_close();
}

int main(void) {
    RUN(finalizers_run_however_their_needs_ended);
    RUN(a_failing_finalizer_fails_its_group);
    RUN(of_a_won_group_the_finalizers_failure_is_the_cause);
    RUN(a_won_group_has_nothing_that_failed);
    RUN(a_group_that_was_not_needed_has_no_failures);
    RUN(a_finalizer_decides_no_race);
    RUN(in_a_cancelled_group_something_failed);
    RUN(what_needs_a_finalizer_that_was_not_needed_is_no_failure);
    RUN(a_finalizer_has_a_timeout_of_30_s);
    RUN(in_a_killed_group_no_finalizer_starts);
    RUN(a_finalizer_may_come_into_a_draining_group);
    RUN(a_finalizer_that_is_a_group_runs_all_of_it);
    RUN(a_shielded_task_outlives_a_siblings_failure);
    RUN(a_shielded_task_outlives_the_first_cancel_not_the_kill);
    RUN(a_shielded_tasks_own_timeout_stops_it);
    RUN(a_shielded_group_keeps_its_tasks);
    RUN(a_shield_does_not_start_what_has_not_started);
    return finish();
}
