/*
 * test_core_retry.c - a task's timeouts, those of its attempts, and further attempts.
 */
#include "core_rig.h"

enum { HOUR = 3600 * 1000 };

static struct work a;

/* ---- timeouts ---------------------------------------------------------- */

static void timeout_0_never_starts_it(void) {
    rig_open(0);
    make(&a, "a", NULL);
    ajob_set_timeout(a.task, 0);
    start_run(a.task);
    CHECK_NUMBER(a.starts, 0);
    CHECK_ENDED(a.task, AJOB_TIMED_OUT, "timeout 0s");
    CHECK_NUMBER(ajob_exit_status(rig.loop), 124);
    rig_close();
}

static void a_timeout_has_the_grace_too(void) {
    rig_open(2000);
    make(&a, "a", NULL);
    ajob_set_timeout(a.task, 90500);
    start_run(a.task);
    pass(90499);
    CHECK_NUMBER(a.stops, 0);
    pass(1);
    CHECK_NUMBER(a.stops, 1);
    pass(1999);
    CHECK_NUMBER(a.hards, 0);
    pass(1);
    CHECK_NUMBER(a.hards, 1);
    ajob_resolve(a.task, NULL);
    turn();
    CHECK_ENDED(a.task, AJOB_TIMED_OUT, "timeout 1m30s");
    CHECK_NUMBER(ajob_exit_status(rig.loop), 124);
    rig_close();
}

static void the_longest_timeout_is_never(void) {
    rig_open(UINT64_MAX);
    make(&a, "a", NULL);
    ajob_set_timeout(a.task, UINT64_MAX);
    ajob_set_attempt_timeout(a.task, UINT64_MAX);
    start_run(a.task);
    pass(HOUR);
    CHECK_NUMBER(ajob_task_state(a.task), AJOB_RUNNING);
    ajob_cancel(a.task, "a test");
    pass(HOUR);
    CHECK_NUMBER(a.hards, 0);
    ajob_resolve(a.task, NULL);
    turn();
    CHECK_NUMBER(ajob_task_status(a.task), AJOB_CANCELLED);
    rig_close();
}

/* ---- retries ----------------------------------------------------------- */

static void retry(unsigned max, uint64_t delay_ms) {
    ajob_retry options = {.max = max, .delay_ms = delay_ms, .backoff = 2, .no_jitter = true};
    CHECK_NUMBER(ajob_set_retry(a.task, &options), 0);
}

static void retries_wait_longer_each_time(void) {
    rig_open(0);
    make(&a, "a", NULL);
    retry(2, 1000);
    start_run(a.task);
    ajob_resolve(a.task, "one");
    turn();
    CHECK_NUMBER(ajob_task_state(a.task), AJOB_BACKOFF);
    CHECK(!ajob_task_cause(a.task));
    pass(999);
    CHECK_NUMBER(a.starts, 1);
    pass(1);
    CHECK_NUMBER(a.starts, 2);
    ajob_resolve(a.task, "two");
    turn();
    pass(1999);
    CHECK_NUMBER(a.starts, 2);
    pass(1);
    CHECK_NUMBER(a.starts, 3);
    ajob_resolve(a.task, "three");
    turn();
    CHECK_ENDED(a.task, AJOB_FAILED, "three");
    CHECK_TEXT(take(), "started; a started; a retrying: one; a started; a retrying: two; "
                       "a started; a failed: three; failed: three\n");
    rig_close();
}

static void a_retry_may_succeed(void) {
    rig_open(0);
    make(&a, "a", NULL);
    retry(5, 1000);
    start_run(a.task);
    ajob_resolve(a.task, "one");
    turn();
    pass(1000);
    ajob_resolve(a.task, NULL);
    turn();
    CHECK_ENDED(a.task, AJOB_SUCCEEDED, NULL);
    rig_close();
}

/* A mirror, say. */
static void an_alternative_is_taken_at_once_and_is_no_retry(void) {
    rig_open(0);
    make(&a, "a", NULL);
    retry(0, 1000);
    start_run(a.task);
    task_attempt_over(a.task, (struct outcome){.has_alternative = true, .exit = -1});
    turn();
    pass(0);
    CHECK_NUMBER(a.starts, 2);
    task_attempt_over(a.task, (struct outcome){.is_retryable = true, .exit = -1});
    turn();
    CHECK_NUMBER(ajob_task_status(a.task), AJOB_FAILED);
    rig_close();
}

static void no_alternative_is_taken_after_a_cancel(void) {
    rig_open(0);
    make(&a, "a", NULL);
    start_run(a.task);
    ajob_cancel(a.task, "a test");
    turn();
    task_attempt_over(a.task, (struct outcome){.has_alternative = true, .exit = -1});
    turn();
    CHECK_NUMBER(ajob_task_status(a.task), AJOB_CANCELLED);
    CHECK_NUMBER(a.starts, 1);
    rig_close();
}

static void many_retries_are_counted(void) {
    enum { MANY = 70000 };
    rig_open(0);
    rig.is_quiet = true;
    make(&a, "a", NULL);
    ajob_set_retry(a.task, &(ajob_retry){.max = MANY, .delay_ms = 1, .backoff = 1});
    ajob_set_timeout(a.task, HOUR);
    start_run(a.task);
    for (int i = 0; i < MANY + 10 && ajob_task_state(a.task) != AJOB_ENDED; i++) {
        ajob_resolve(a.task, "no");
        turn();
        pass(1);
    }
    CHECK_ENDED(a.task, AJOB_FAILED, "no");
    CHECK_NUMBER(a.starts, MANY + 1);
    rig_close();
}

/* What a kind says of an attempt that failed. */
static void over(struct outcome outcome) {
    outcome.cause = mem_copy("no");
    task_attempt_over(a.task, outcome);
    turn();
}

static void an_attempt_that_got_somewhere_makes_the_budget_whole(void) {
    rig_open(0);
    make(&a, "a", NULL);
    retry(2, 1000);
    start_run(a.task);
    for (int i = 0; i < 20; i++) {
        over((struct outcome){.is_retryable = true, .has_progressed = i % 2});
        CHECK_NUMBER(ajob_task_state(a.task), AJOB_BACKOFF);
        pass(4000);
    }
    CHECK_NUMBER(a.task->failures, 1);
    over((struct outcome){.is_retryable = true});
    pass(4000);
    over((struct outcome){.is_retryable = true});
    CHECK_ENDED(a.task, AJOB_FAILED, "no");
    CHECK_NUMBER(a.starts, 22);
    rig_close();
}

static void what_no_attempt_can_mend_is_not_retried(void) {
    rig_open(0);
    make(&a, "a", NULL);
    retry(9, 1000);
    start_run(a.task);
    over((struct outcome){.exit = 7});
    CHECK_ENDED(a.task, AJOB_FAILED, "no");
    CHECK_NUMBER(a.task->exit, 7);
    rig_close();
}

static void a_server_may_ask_for_a_longer_wait(void) {
    rig_open(0);
    make(&a, "a", NULL);
    retry(9, 1000);
    start_run(a.task);
    over((struct outcome){.is_retryable = true, .retry_after_ms = 60000});
    pass(59999);
    CHECK_NUMBER(a.starts, 1);
    pass(1);
    CHECK_NUMBER(a.starts, 2);
    ajob_resolve(a.task, NULL);
    turn();
    rig_close();
}

static void a_cancel_during_the_backoff_ends_it_at_once(void) {
    for (int kill = 0; kill < 2; kill++) {
        rig_open(0);
        make(&a, "a", NULL);
        retry(5, 1000);
        start_run(a.task);
        ajob_resolve(a.task, "one");
        turn();
        (kill ? ajob_kill : ajob_cancel)(a.task, "a test");
        turn();
        CHECK_ENDED(a.task, AJOB_CANCELLED, "cancelled by a test");
        CHECK_NUMBER(a.starts, 1);
        CHECK_NUMBER(a.stops + a.hards, 0);
        rig_close();
    }
}

static void nothing_is_retried_after_a_cancel(void) {
    rig_open(0);
    make(&a, "a", NULL);
    retry(5, 1000);
    start_run(a.task);
    ajob_cancel(a.task, "a test");
    turn();
    ajob_resolve(a.task, "failed on the way");
    turn();
    CHECK_ENDED(a.task, AJOB_CANCELLED, "cancelled by a test");

    start_run((make(&a, "b", NULL), retry(5, 1000), a.task));
    ajob_resolve(a.task, "by itself");
    ajob_cancel(a.task, "a test"); /* too late, but not for the retry */
    turn();
    CHECK_ENDED(a.task, AJOB_FAILED, "by itself");
    CHECK_NUMBER(a.starts, 1);
    rig_close();
}

static void the_timeout_counts_the_retries_and_their_waits(void) {
    rig_open(0);
    make(&a, "a", NULL);
    retry(5, 1000);
    ajob_set_timeout(a.task, 1500);
    start_run(a.task);
    ajob_resolve(a.task, "one");
    turn();
    pass(1000);
    CHECK_NUMBER(a.starts, 2);
    ajob_resolve(a.task, "two");
    turn();
    pass(499);
    CHECK_NUMBER(ajob_task_state(a.task), AJOB_BACKOFF);
    pass(1);
    CHECK_ENDED(a.task, AJOB_TIMED_OUT, "timeout 1.5s");
    CHECK_NUMBER(a.starts, 2);
    rig_close();
}

static void an_attempt_timeout_is_retried(void) {
    rig_open(0);
    make(&a, "a", NULL);
    retry(1, 1000);
    ajob_set_attempt_timeout(a.task, 3000);
    start_run(a.task);
    pass(3000);
    CHECK_NUMBER(ajob_task_state(a.task), AJOB_STOPPING);
    CHECK_NUMBER(a.stops, 1);
    ajob_resolve(a.task, NULL); /* too late for a success */
    turn();
    CHECK_NUMBER(ajob_task_state(a.task), AJOB_BACKOFF);
    pass(1000);
    CHECK_NUMBER(a.starts, 2);
    a.stops = 0;
    pass(3000);
    CHECK_NUMBER(a.stops, 1);
    pass(5000);
    CHECK_NUMBER(a.hards, 1);
    ajob_resolve(a.task, "killed");
    turn();
    CHECK_ENDED(a.task, AJOB_TIMED_OUT, "attempt timeout 3s");
    CHECK_TEXT(take(), "started; a started; a retrying: attempt timeout 3s; a started; "
                       "a timed_out: attempt timeout 3s; timed_out: attempt timeout 3s\n");
    rig_close();
}

static void a_cancel_while_an_attempt_is_timed_out_ends_the_task(void) {
    rig_open(0);
    make(&a, "a", NULL);
    retry(9, 1000);
    ajob_set_attempt_timeout(a.task, 3000);
    start_run(a.task);
    pass(3000);
    ajob_cancel(a.task, "a test");
    turn();
    CHECK_NUMBER(a.stops, 1);
    ajob_resolve(a.task, "stopped");
    turn();
    CHECK_ENDED(a.task, AJOB_CANCELLED, "cancelled by a test");

    make(&a, "b", NULL); /* its timeout while it stops for the attempt's */
    retry(9, 1000);
    ajob_set_attempt_timeout(a.task, 3000);
    ajob_set_timeout(a.task, 4000);
    start_run(a.task);
    pass(3000);
    pass(1000);
    ajob_resolve(a.task, "stopped");
    turn();
    CHECK_ENDED(a.task, AJOB_TIMED_OUT, "timeout 4s");
    CHECK_NUMBER(a.stops, 1);
    rig_close();
}

static void both_timeouts_at_once_end_the_task(void) {
    rig_open(0);
    make(&a, "a", NULL);
    retry(9, 1000);
    ajob_set_attempt_timeout(a.task, 3000);
    ajob_set_timeout(a.task, 3000);
    start_run(a.task);
    pass(3000);
    ajob_resolve(a.task, "stopped");
    turn();
    CHECK_ENDED(a.task, AJOB_TIMED_OUT, "timeout 3s");
    CHECK_NUMBER(a.starts, 1);
    rig_close();
}

/* As a command that has exited and is being cleared away. */
static void an_attempt_that_has_decided_leaves_the_timeout_to_the_next(void) {
    rig_open(0);
    make(&a, "a", NULL);
    retry(1, 1000);
    ajob_set_timeout(a.task, 9000);
    start_run(a.task);
    task_has_decided(a.task);
    ajob_resolve(a.task, "boom");
    turn();
    pass(1000);
    CHECK_NUMBER(a.starts, 2);
    pass(8000);
    CHECK_NUMBER(a.stops, 1);
    ajob_resolve(a.task, "stopped");
    turn();
    CHECK_ENDED(a.task, AJOB_TIMED_OUT, "timeout 9s");
    rig_close();
}

static void an_attempt_that_has_decided_leaves_the_timeout_to_the_backoff(void) {
    rig_open(0);
    make(&a, "a", NULL);
    retry(1, 5000);
    ajob_set_timeout(a.task, 3000);
    start_run(a.task);
    task_has_decided(a.task);
    ajob_resolve(a.task, "boom");
    turn();
    pass(3000);
    CHECK_ENDED(a.task, AJOB_TIMED_OUT, "timeout 3s");
    CHECK_NUMBER(a.starts, 1);
    rig_close();
}

static void a_timeout_after_the_decision_leaves_its_cause(void) {
    rig_open(0);
    make(&a, "a", NULL);
    retry(1, 1000);
    ajob_set_timeout(a.task, 3000);
    start_run(a.task);
    task_has_decided(a.task);
    pass(3000);
    ajob_resolve(a.task, "boom");
    turn();
    CHECK_ENDED(a.task, AJOB_FAILED, "boom");
    CHECK_NUMBER(a.starts, 1);
    rig_close();
}

int main(void) {
    RUN(timeout_0_never_starts_it);
    RUN(a_timeout_has_the_grace_too);
    RUN(the_longest_timeout_is_never);
    RUN(retries_wait_longer_each_time);
    RUN(a_retry_may_succeed);
    RUN(an_alternative_is_taken_at_once_and_is_no_retry);
    RUN(no_alternative_is_taken_after_a_cancel);
    RUN(many_retries_are_counted);
    RUN(an_attempt_that_got_somewhere_makes_the_budget_whole);
    RUN(what_no_attempt_can_mend_is_not_retried);
    RUN(a_server_may_ask_for_a_longer_wait);
    RUN(a_cancel_during_the_backoff_ends_it_at_once);
    RUN(nothing_is_retried_after_a_cancel);
    RUN(the_timeout_counts_the_retries_and_their_waits);
    RUN(an_attempt_timeout_is_retried);
    RUN(a_cancel_while_an_attempt_is_timed_out_ends_the_task);
    RUN(both_timeouts_at_once_end_the_task);
    RUN(an_attempt_that_has_decided_leaves_the_timeout_to_the_next);
    RUN(an_attempt_that_has_decided_leaves_the_timeout_to_the_backoff);
    RUN(a_timeout_after_the_decision_leaves_its_cause);
    return finish();
}
