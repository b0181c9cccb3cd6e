/*
 * test_core_service.c - services: when what needs them starts, and when and in
 * which order they stop. The service is a fake: a future that the test declares
 * ready.
 */
#include "core_rig.h"

struct fake {
    struct ajob_task task;
    unsigned starts, stops, hards;
};

static void fake_start(struct ajob_task *task) {
    ((struct fake *)task)->starts++;
}

static void fake_stop(struct ajob_task *task, enum stop_how how) {
    struct fake *fake = (struct fake *)task;
    fake->stops += how == STOP_POLITE;
    fake->hards += how == STOP_HARD;
}

static size_t fake_slots(const struct ajob_task *task, struct slot slots[KIND_SLOTS_MAX]) {
    slots[0] = (struct slot){task->loop->commands, 1};
    return 1;
}

static const struct task_kind fake_kind = {
    .name = "service",
    .size = sizeof(struct fake),
    .is_service = true,
    .start = fake_start,
    .stop = fake_stop,
    .slots = fake_slots,
};

static struct work work;

static struct fake *make_service(const char *name, ajob_task *group) {
    struct fake *fake = task_new(rig.loop, &fake_kind);
    ajob_set_name(&fake->task, name);
    CHECK_NUMBER(ajob_group_add(group, &fake->task), 0);
    return fake;
}

static void become_ready(struct fake *fake) {
    task_became_ready(&fake->task, NULL);
    turn();
}

static void end_service(struct fake *fake, bool is_retryable) {
    task_attempt_over(&fake->task,
                      (struct outcome){.exit = 0,
                                       .is_retryable = is_retryable,
                                       .cause = mem_copy("ended before it was ready")});
    turn();
}

static void dependants_start_when_it_is_ready_and_it_stops_after_them(void) {
    rig_open(0);
    ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
    struct fake *db = make_service("db", root);
    ajob_task *test = make(&work, "test", root);
    ajob_need(test, &db->task);
    start_run(root);
    CHECK_NUMBER(work.starts, 0);
    become_ready(db);
    CHECK_NUMBER(work.starts, 1);
    CHECK_NUMBER(rig.loop->commands->used, 0);
    CHECK_NUMBER(db->stops, 0);
    ajob_resolve(test, NULL);
    turn();
    CHECK_NUMBER(db->stops, 1);
    CHECK(root->state != AJOB_ENDED);
    end_service(db, false);
    CHECK_ENDED(&db->task, AJOB_SUCCEEDED, NULL);
    CHECK_ENDED(root, AJOB_SUCCEEDED, NULL);
    CHECK(strstr(take(), "db ready; test started; test succeeded; db succeeded"));
    rig_close();
}

static void its_timeout_is_the_time_to_become_ready(void) {
    rig_open(0);
    ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
    struct fake *db = make_service("db", root), *slow = make_service("slow", root);
    ajob_task *test = make(&work, "test", root), *other;
    struct work other_work;
    other = make(&other_work, "other", root);
    ajob_need(test, &db->task);
    ajob_need(other, &slow->task);
    ajob_set_timeout(&db->task, 1000);
    ajob_set_timeout(&slow->task, 1000);
    start_run(root);
    become_ready(db);
    pass(1001);
    CHECK_NUMBER(db->stops, 0);
    CHECK_NUMBER(slow->stops, 1);
    end_service(slow, false);
    CHECK_ENDED(&slow->task, AJOB_TIMED_OUT, "timeout 1s");
    CHECK_ENDED(other, AJOB_SKIPPED, "slow: timeout 1s");
    ajob_resolve(test, "stopped");
    turn();
    end_service(db, false);
    CHECK_ENDED(root, AJOB_FAILED, "slow: timeout 1s");
    rig_close();
}

static void one_that_ends_before_it_is_ready_is_started_again_if_so_asked(void) {
    rig_open(0);
    ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
    struct fake *db = make_service("db", root);
    ajob_task *test = make(&work, "test", root);
    ajob_need(test, &db->task);
    ajob_set_retry(&db->task, &(ajob_retry){.max = 1, .delay_ms = 10, .no_jitter = true});
    start_run(root);
    end_service(db, true);
    CHECK_NUMBER(work.starts, 0);
    pass(11);
    CHECK_NUMBER(db->starts, 2);
    end_service(db, true);
    CHECK_ENDED(&db->task, AJOB_FAILED, "ended before it was ready");
    CHECK_ENDED(test, AJOB_SKIPPED, "db failed: ended before it was ready");
    CHECK_ENDED(root, AJOB_FAILED, "db: ended before it was ready");
    rig_close();
}

static void services_stop_in_the_reverse_order_of_their_needs(void) {
    rig_open(0);
    ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
    struct fake *disk = make_service("disk", root), *db = make_service("db", root);
    ajob_task *test = make(&work, "test", root);
    ajob_need(&db->task, &disk->task);
    ajob_need(test, &db->task);
    start_run(root);
    CHECK_NUMBER(db->starts, 0);
    become_ready(disk);
    become_ready(db);
    ajob_resolve(test, NULL);
    turn();
    CHECK_NUMBER(db->stops, 1);
    CHECK_NUMBER(disk->stops, 0);
    end_service(db, false);
    CHECK_NUMBER(disk->stops, 1);
    end_service(disk, false);
    CHECK_ENDED(root, AJOB_SUCCEEDED, NULL);
    rig_close();
}

static void a_cancelled_group_stops_it_after_what_needs_it(void) {
    rig_open(0);
    ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
    struct fake *db = make_service("db", root);
    ajob_task *test = make(&work, "test", root);
    ajob_need(test, &db->task);
    start_run(root);
    become_ready(db);
    ajob_cancel(root, "SIGINT");
    turn();
    CHECK_NUMBER(work.stops, 1);
    CHECK_NUMBER(db->stops, 0);
    pass(4900);
    ajob_resolve(test, "stopped");
    turn();
    CHECK_NUMBER(db->stops, 1);
    pass(900); /* the grace is over, but a second is its own */
    CHECK_NUMBER(db->hards, 0);
    pass(101);
    CHECK_NUMBER(db->hards, 1);
    end_service(db, false);
    CHECK_ENDED(&db->task, AJOB_CANCELLED, "cancelled by SIGINT");
    CHECK_ENDED(root, AJOB_CANCELLED, "cancelled by SIGINT");
    rig_close();
}

static void a_kill_reaches_it_at_once(void) {
    rig_open(0);
    ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
    struct fake *db = make_service("db", root);
    ajob_task *test = make(&work, "test", root);
    ajob_need(test, &db->task);
    start_run(root);
    become_ready(db);
    ajob_cancel(root, "SIGINT");
    turn();
    ajob_kill(root, "SIGINT");
    turn();
    CHECK_NUMBER(db->hards, 1);
    CHECK_NUMBER(work.hards, 1);
    ajob_resolve(test, "killed");
    end_service(db, false);
    CHECK_ENDED(root, AJOB_CANCELLED, "cancelled by SIGINT");
    rig_close();
}

static void one_that_nothing_needs_lives_as_long_as_the_work_beside_it(void) {
    rig_open(0);
    ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
    struct fake *db = make_service("db", root), *log = make_service("log", root);
    ajob_task *test = make(&work, "test", root);
    start_run(root);
    become_ready(db);
    become_ready(log);
    CHECK_NUMBER(db->stops, 0);
    ajob_resolve(test, NULL);
    turn();
    CHECK_NUMBER(db->stops, 1);
    CHECK_NUMBER(log->stops, 1);
    end_service(db, false);
    end_service(log, false);
    CHECK_ENDED(root, AJOB_SUCCEEDED, NULL);
    rig_close();
}

static void one_whose_dependants_were_skipped_never_starts(void) {
    rig_open(0);
    ajob_task *root = make_group(AJOB_SETTLED, NULL, NULL);
    ajob_task *first = make(&work, "first", root);
    struct fake *db = make_service("db", root);
    struct work late;
    ajob_task *test = make(&late, "test", root);
    ajob_need(&db->task, first);
    ajob_need(test, &db->task);
    ajob_need(test, first);
    start_run(root);
    ajob_resolve(first, "exit 1");
    turn();
    CHECK_NUMBER(db->starts, 0);
    CHECK_NUMBER(late.starts, 0);
    CHECK_ENDED(root, AJOB_FAILED, "first: exit 1");
    rig_close();
}

static void one_that_dies_while_it_is_needed_fails_its_group(void) {
    rig_open(0);
    ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
    struct fake *db = make_service("db", root);
    ajob_task *test = make(&work, "test", root);
    ajob_need(test, &db->task);
    start_run(root);
    become_ready(db);
    end_service(db, false);
    CHECK_NUMBER(work.stops, 1);
    ajob_resolve(test, "stopped");
    turn();
    CHECK_ENDED(test, AJOB_CANCELLED, "cancelled by sibling db");
    CHECK_ENDED(root, AJOB_FAILED, "db: ended before it was ready");
    rig_close();
}

static void it_wins_no_race(void) {
    rig_open(0);
    ajob_task *root = make_group(AJOB_ANY, NULL, NULL);
    struct fake *db = make_service("db", root);
    ajob_task *test = make(&work, "test", root);
    ajob_need(test, &db->task);
    start_run(root);
    become_ready(db);
    ajob_resolve(test, "exit 1");
    turn();
    end_service(db, false);
    CHECK_ENDED(root, AJOB_FAILED, "test: exit 1");
    rig_close();
}

int main(void) {
    RUN(dependants_start_when_it_is_ready_and_it_stops_after_them);
    RUN(its_timeout_is_the_time_to_become_ready);
    RUN(one_that_ends_before_it_is_ready_is_started_again_if_so_asked);
    RUN(services_stop_in_the_reverse_order_of_their_needs);
    RUN(a_cancelled_group_stops_it_after_what_needs_it);
    RUN(a_kill_reaches_it_at_once);
    RUN(one_that_nothing_needs_lives_as_long_as_the_work_beside_it);
    RUN(one_whose_dependants_were_skipped_never_starts);
    RUN(one_that_dies_while_it_is_needed_fails_its_group);
    RUN(it_wins_no_race);
    return finish();
}
