/*
 * test_core_options.c - what few tasks have: allowed failures, keys, work that is done
 * already, a last word before an attempt, needs of a start, retries by exit code,
 * a feed that waits, a program that was suspended.
 */
#include "core_rig.h"

static struct work works[8];
static const char *prepared_cause;
static unsigned prepared;

static const char *prepare(ajob_task *task, void *data) {
    (void)data;
    CHECK_NUMBER(task->state, AJOB_RUNNING);
    prepared++;
    return prepared_cause;
}

static void an_allowed_failure_fails_nothing_else(void) {
    rig_open(0);
    ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
    ajob_task *flaky = make(&works[0], "flaky", root), *next = make(&works[1], "next", root);
    ajob_set_allow_failure(flaky, true);
    ajob_need(next, flaky);
    start_run(root);
    ajob_resolve(flaky, "exit 1");
    turn();
    CHECK_ENDED(flaky, AJOB_FAILED, "exit 1");
    CHECK_NUMBER(works[1].starts, 1);
    ajob_resolve(next, NULL);
    turn();
    CHECK_ENDED(root, AJOB_SUCCEEDED, NULL);
    CHECK_NUMBER(rig.loop->counts[AJOB_FAILED], 1);
    rig_close();
}

static void what_skips_because_of_an_allowed_failures_need_still_fails(void) {
    rig_open(0);
    ajob_task *root = make_group(AJOB_SETTLED, NULL, NULL);
    ajob_task *first = make(&works[0], "first", root), *second = make(&works[1], "second", root);
    ajob_set_allow_failure(second, true);
    ajob_need(second, first);
    start_run(root);
    ajob_resolve(first, "exit 1");
    turn();
    CHECK_ENDED(second, AJOB_SKIPPED, "first failed: exit 1");
    CHECK_ENDED(root, AJOB_FAILED, "first: exit 1");
    rig_close();
}

static void work_that_is_done_ends_in_its_turn_without_starting(void) {
    rig_open(0);
    ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
    ajob_task *first = make(&works[0], "first", root), *done = make(&works[1], "done", root);
    ajob_task *last = make(&works[2], "last", root);
    ajob_set_done(done);
    ajob_need(done, first);
    ajob_need(last, done);
    start_run(root);
    CHECK(done->state == AJOB_PENDING);
    ajob_resolve(first, NULL);
    turn();
    CHECK_ENDED(done, AJOB_SUCCEEDED, NULL);
    CHECK_NUMBER(works[1].starts, 0);
    CHECK_NUMBER(works[2].starts, 1);
    ajob_resolve(last, NULL);
    turn();
    rig_close();
}

static void the_last_word_before_an_attempt_can_end_it(void) {
    rig_open(0);
    prepared = 0;
    prepared_cause = "no value";
    ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
    ajob_task *task = make(&works[0], "a", root);
    ajob_on_attempt(task, prepare, NULL);
    ajob_set_retry(task, &(ajob_retry){.max = 3});
    start_run(root);
    CHECK_NUMBER(prepared, 1);
    CHECK_NUMBER(works[0].starts, 0);
    CHECK_ENDED(task, AJOB_FAILED, "no value");
    rig_close();
}

static void it_is_asked_before_each_attempt(void) {
    rig_open(0);
    prepared = 0;
    prepared_cause = NULL;
    ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
    ajob_task *task = make(&works[0], "a", root);
    ajob_on_attempt(task, prepare, NULL);
    ajob_set_retry(task, &(ajob_retry){.max = 1, .delay_ms = 10, .no_jitter = true});
    start_run(root);
    ajob_resolve(task, "exit 1");
    pass(0);
    pass(11);
    CHECK_NUMBER(prepared, 2);
    ajob_resolve(task, NULL);
    turn();
    CHECK_ENDED(root, AJOB_SUCCEEDED, NULL);
    rig_close();
}

static void a_need_of_a_start_is_met_by_it(void) {
    rig_open(0);
    ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
    ajob_task *gate = make(&works[0], "gate", root), *producer = make(&works[1], "producer", root);
    ajob_task *consumer = make(&works[2], "consumer", root);
    ajob_need(producer, gate);
    ajob_need_start(consumer, producer);
    start_run(root);
    CHECK_NUMBER(works[2].starts, 0);
    ajob_resolve(gate, NULL);
    turn();
    CHECK_NUMBER(works[1].starts, 1);
    CHECK_NUMBER(works[2].starts, 1);
    ajob_resolve(consumer, NULL);
    ajob_resolve(producer, NULL);
    turn();
    CHECK_ENDED(root, AJOB_SUCCEEDED, NULL);
    rig_close();
}

static void a_need_that_never_starts_skips(void) {
    rig_open(0);
    ajob_task *root = make_group(AJOB_SETTLED, NULL, NULL);
    ajob_task *gate = make(&works[0], "gate", root), *producer = make(&works[1], "producer", root);
    ajob_task *consumer = make(&works[2], "consumer", root);
    ajob_need(producer, gate);
    ajob_need_start(consumer, producer);
    start_run(root);
    ajob_resolve(gate, "exit 1");
    turn();
    CHECK_ENDED(consumer, AJOB_SKIPPED, "producer skipped: gate failed: exit 1");
    rig_close();
}

static void a_repeated_group_awaits_the_start_again(void) {
    rig_open(0);
    ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
    ajob_task *group = make_group(AJOB_ALL, "g", root);
    ajob_task *producer = make(&works[0], "producer", group);
    ajob_task *consumer = make(&works[1], "consumer", group);
    ajob_need_start(consumer, producer);
    ajob_set_retry(group, &(ajob_retry){.max = 1, .delay_ms = 10, .no_jitter = true});
    start_run(root);
    ajob_resolve(producer, NULL);
    ajob_resolve(consumer, "exit 1");
    turn();
    pass(11);
    CHECK_NUMBER(works[0].starts, 2);
    CHECK_NUMBER(works[1].starts, 2);
    ajob_resolve(producer, NULL);
    ajob_resolve(consumer, NULL);
    turn();
    CHECK_ENDED(root, AJOB_SUCCEEDED, NULL);
    rig_close();
}

static void only_the_named_exit_codes_are_retried(void) {
    static const int codes[] = {75};
    rig_open(0);
    ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
    ajob_task *task = make(&works[0], "a", root);
    ajob_set_retry(
        task,
        &(ajob_retry){.max = 5, .delay_ms = 10, .no_jitter = true, .on = codes, .on_count = 1});
    start_run(root);
    task_attempt_over(task, (struct outcome){.is_retryable = true, .exit = 75});
    turn();
    CHECK_NUMBER(task->state, AJOB_BACKOFF);
    pass(11);
    task_attempt_over(task, (struct outcome){.is_retryable = true, .exit = 1});
    turn();
    CHECK_NUMBER(task->state, AJOB_ENDED);
    rig_close();
}

/* A feed of one task that comes late. */
static bool has_come;

static ajob_task *next_late(ajob_task *group, void *data) {
    (void)data;
    if (works[0].task)
        return NULL;
    if (!has_come) {
        ajob_feed_wait(group);
        return NULL;
    }
    return make(&works[0], "late", NULL);
}

static ajob_task *start_late(void) {
    rig_open(0);
    has_come = false;
    works[0] = (struct work){0};
    ajob_task *group = make_group(AJOB_ALL, NULL, NULL);
    CHECK_NUMBER(ajob_group_feed(group, &(ajob_feed){.next = next_late}), 0);
    start_run(group);
    CHECK(group->state == AJOB_RUNNING);
    return group;
}

static void a_feed_may_wait(void) {
    ajob_task *group = start_late();
    ajob_feed_resume(group);
    CHECK(!works[0].task); /* not from inside */
    turn();
    CHECK(group->state == AJOB_RUNNING);
    has_come = true;
    ajob_feed_resume(group);
    turn();
    CHECK_NUMBER(works[0].starts, 1);
    ajob_resolve(works[0].task, NULL);
    turn();
    CHECK_ENDED(group, AJOB_SUCCEEDED, NULL);
    rig_close();
}

static void nobody_waits_for_a_feed_in_a_cancelled_group(void) {
    ajob_task *group = start_late();
    ajob_cancel(group, "me");
    turn();
    CHECK_ENDED(group, AJOB_CANCELLED, "cancelled by me");
    ajob_feed_resume(group);
    turn();
    rig_close();
}

static void time_stands_still_while_the_program_is_suspended(void) {
    rig_open(0);
    ajob_task *task = make(&works[0], "a", NULL);
    ajob_set_timeout(task, 1000);
    start_run(task);
    rig.loop->suspended_ns += UINT64_C(5000) * 1000000; /* as loop_suspend() does */
    pass(5000);
    CHECK_NUMBER(works[0].stops, 0);
    pass(1001);
    CHECK_NUMBER(works[0].stops, 1);
    ajob_resolve(task, "stopped");
    turn();
    rig_close();
}

static void add_line(const char *line, void *data) {
    text_format(data, "%s\n", line);
}

static void the_dump_says_what_each_task_waits_for(void) {
    rig_open(0);
    struct text lines = TEXT_INIT(4096);
    ajob_pool *pool = ajob_pool_new(rig.loop, "db", 1);
    ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
    ajob_task *group = make_group(AJOB_ALL, "tests", root);
    ajob_task *one = make(&works[0], "one", group), *two = make(&works[1], "two", group);
    ajob_task *last = make(&works[2], "last", root);
    ajob_set_pool(one, pool, 1);
    ajob_set_pool(two, pool, 1);
    ajob_set_timeout(one, 10000);
    ajob_need(last, group);
    start_run(root);
    pass(2000);
    ajob_dump(rig.loop, add_line, &lines);
    CHECK_TEXT(text_string(&lines), "tests  group running for 2s\n"
                                    "  one  future running for 2s  times out in 8s\n"
                                    "  two  future ready for 2s  waits for a slot of db\n"
                                    "last  future pending for 2s  waits for tests\n");
    text_done(&lines);
    ajob_kill(root, "me");
    turn();
    ajob_resolve(one, "killed");
    turn();
    rig_close();
}

static ajob_task *next_of_none(ajob_task *group, void *data) {
    (void)data;
    ajob_feed_wait(group);
    return NULL;
}

static void the_dump_says_what_a_feed_waits_for(void) {
    rig_open(0);
    struct text lines = TEXT_INIT(4096);
    ajob_task *group = make_group(AJOB_ALL, NULL, NULL);
    CHECK_NUMBER(ajob_group_feed(group, &(ajob_feed){.next = next_of_none}), 0);
    start_run(group);
    turn();
    ajob_dump(rig.loop, add_line, &lines);
    loop_hold_feeds(rig.loop, true);
    ajob_feed_resume(group);
    turn();
    ajob_dump(rig.loop, add_line, &lines);
    CHECK_TEXT(text_string(&lines), "the run  waits for its input\n"
                                    "the run  waits for the reader of what was printed\n");
    text_done(&lines);
    loop_hold_feeds(rig.loop, false);
    ajob_kill(group, "me");
    turn();
    rig_close();
}

int main(void) {
    RUN(an_allowed_failure_fails_nothing_else);
    RUN(what_skips_because_of_an_allowed_failures_need_still_fails);
    RUN(work_that_is_done_ends_in_its_turn_without_starting);
    RUN(the_last_word_before_an_attempt_can_end_it);
    RUN(it_is_asked_before_each_attempt);
    RUN(a_need_of_a_start_is_met_by_it);
    RUN(a_need_that_never_starts_skips);
    RUN(a_repeated_group_awaits_the_start_again);
    RUN(only_the_named_exit_codes_are_retried);
    RUN(a_feed_may_wait);
    RUN(nobody_waits_for_a_feed_in_a_cancelled_group);
    RUN(time_stands_still_while_the_program_is_suspended);
    RUN(the_dump_says_what_each_task_waits_for);
    RUN(the_dump_says_what_a_feed_waits_for);
    return finish();
}
