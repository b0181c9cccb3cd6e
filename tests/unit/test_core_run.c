/*
 * test_core_run.c - runs on a real libuv loop, its own and a foreign one; signals,
 * ticks, one run after another.
 */
#include <signal.h>

#include "core_rig.h"

static struct work a, b, c;

/* ---- on libuv ---------------------------------------------------------- */

static void a_run_on_its_own_loop(void) {
    ajob_loop *loop = ajob_loop_new(NULL);
    uint64_t before = uv_hrtime();
    ajob_task *both =
        ajob_gather(loop, (ajob_task *[]){ajob_sleep(loop, 30), ajob_sleep(loop, 20)}, 2);
    CHECK_NUMBER(ajob_run(loop, both), 0);
    CHECK(uv_hrtime() - before >= 30 * 1000000u);
    CHECK(uv_hrtime() - before < UINT64_C(60) * 1000000000);

    ajob_task *late = ajob_sleep(loop, 3600 * 1000);
    ajob_set_timeout(late, 10);
    CHECK_NUMBER(ajob_run(loop, late), 124);
    CHECK_ENDED(late, AJOB_TIMED_OUT, "timeout 10ms");

    ajob_task *fast = ajob_sleep(loop, 1), *slow = ajob_sleep(loop, 3600 * 1000);
    CHECK_NUMBER(ajob_run(loop, ajob_race(loop, (ajob_task *[]){slow, fast}, 2)), 0);
    CHECK_ENDED(slow, AJOB_CANCELLED, "cancelled by sibling 2");
    CHECK_NUMBER(ajob_run(loop, ajob_group(loop, NULL)), 0);
    ajob_task *never = ajob_sleep(loop, 0), *soon = ajob_sleep(loop, 1);
    ajob_set_timeout(never, 0);
    CHECK_NUMBER(ajob_run(loop, ajob_any(loop, (ajob_task *[]){never, soon}, 2)), 0);
    CHECK_ENDED(never, AJOB_TIMED_OUT, "timeout 0s");
    ajob_loop_free(loop);
}

static void a_sleep_and_a_timeout_at_once_is_a_timeout(void) {
    ajob_task *sleep;
    rig_open(0);
    sleep = ajob_sleep(rig.loop, 1000);
    ajob_set_timeout(sleep, 1000);
    start_run(sleep);
    pass(1000);
    CHECK_ENDED(sleep, AJOB_TIMED_OUT, "timeout 1s");
    sleep = ajob_sleep(rig.loop, 1000);
    ajob_set_timeout(sleep, 1000);
    start_run(ajob_gather(rig.loop, &sleep, 1));
    pass(1000);
    CHECK_ENDED(sleep, AJOB_TIMED_OUT, "timeout 1s");
    sleep = ajob_sleep(rig.loop, UINT64_MAX); /* never */
    start_run(sleep);
    pass(UINT64_C(3600) * 1000);
    CHECK_NUMBER(ajob_task_state(sleep), AJOB_RUNNING);
    ajob_cancel(sleep, "x");
    turn();
    CHECK_ENDED(sleep, AJOB_CANCELLED, "cancelled by x");
    sleep = ajob_sleep(rig.loop, 0);
    start_run(sleep);
    turn();
    CHECK_ENDED(sleep, AJOB_SUCCEEDED, NULL);
    rig_close();
}

static void no_wait_is_too_short(void) {
    rig_open(0);
    rig.now_ns += 999999; /* within a millisecond */
    ajob_task *sleep = ajob_sleep(rig.loop, 10);
    start_run(sleep);
    rig.now_ns += 9999999;
    turn();
    CHECK_NUMBER(ajob_task_state(sleep), AJOB_RUNNING);
    pass(1);
    CHECK_ENDED(sleep, AJOB_SUCCEEDED, NULL);
    rig_close();
}

static void a_sleep_is_tried_again(void) {
    rig_open(0);
    ajob_task *sleep = ajob_sleep(rig.loop, 2000);
    ajob_set_attempt_timeout(sleep, 1000);
    ajob_set_retry(sleep, &(ajob_retry){.max = 1, .delay_ms = 500, .no_jitter = true});
    ajob_set_name(sleep, "nap");
    start_run(sleep);
    pass(1000);
    pass(500);
    pass(1000);
    CHECK_TEXT(take(), "started; nap started; nap retrying: attempt timeout 1s; nap started; "
                       "nap timed_out: attempt timeout 1s; timed_out: attempt timeout 1s\n");
    rig_close();
}

static bool is_closed;

static void when_closed(void *data) {
    is_closed = true;
    *(bool *)data = true;
}

static void close_when_done(ajob_task *task, void *data) {
    CHECK_ENDED(task, AJOB_SUCCEEDED, NULL);
    ajob_loop_close(*(ajob_loop **)data, when_closed, &is_closed);
}

static void a_foreign_loop_is_left_as_it_was(void) {
    uv_loop_t uv;
    ajob_loop *loop;
    uv_loop_init(&uv);
    loop = ajob_loop_new(&(ajob_loop_options){.uv = &uv, .handle_signals = true});
    ajob_task *both =
        ajob_gather(loop, (ajob_task *[]){ajob_sleep(loop, 5), ajob_sleep(loop, 1)}, 2);
    is_closed = false;
    CHECK_NUMBER(ajob_start(loop, both, close_when_done, &loop), 0);
    CHECK_NUMBER(ajob_start(loop, both, NULL, NULL), AJOB_EBUSY);
    CHECK(!is_closed);
    CHECK_NUMBER(uv_run(&uv, UV_RUN_DEFAULT), 0); /* ends by itself: nothing is left */
    CHECK(is_closed);
    CHECK_NUMBER(uv_loop_close(&uv), 0);
}

static void an_unused_loop_keeps_nothing_alive(void) {
    uv_loop_t uv;
    uv_loop_init(&uv);
    ajob_loop *loop = ajob_loop_new(&(ajob_loop_options){.uv = &uv});
    (void)ajob_sleep(loop, 1000);
    CHECK_NUMBER(uv_run(&uv, UV_RUN_DEFAULT), 0);
    ajob_loop_free(loop);
    CHECK_NUMBER(uv_loop_close(&uv), 0);
}

static void nothing(uv_timer_t *timer) {
    CHECK(!timer);
}

static void run_does_not_wait_for_the_callers_handles(void) {
    uv_loop_t uv;
    uv_timer_t timer;
    uv_loop_init(&uv);
    uv_timer_init(&uv, &timer);
    uv_timer_start(&timer, nothing, UINT64_C(3600) * 1000, 0);
    ajob_loop *loop = ajob_loop_new(&(ajob_loop_options){.uv = &uv});
    uint64_t before = uv_hrtime();
    CHECK_NUMBER(ajob_run(loop, ajob_group(loop, NULL)), 0);
    CHECK_NUMBER(ajob_run(loop, ajob_sleep(loop, 5)), 0);
    CHECK(uv_hrtime() - before < UINT64_C(60) * 1000000000);
    ajob_loop_free(loop);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(&uv, UV_RUN_DEFAULT);
    CHECK_NUMBER(uv_loop_close(&uv), 0);
}

/* ---- signals ----------------------------------------------------------- */

static int to_raise[3]; /* when it starts, is stopped, is stopped hard; 0: it resolves */
static unsigned stopped_politely, stopped_hard, cleanings;

static void raise_or_resolve(ajob_task *task, int number) {
    if (number)
        raise(number);
    else
        ajob_resolve(task, NULL);
}

static void signalled_starts(ajob_task *task, void *data) {
    struct sigaction action;
    (void)data;
    if (to_raise[0])
        raise(to_raise[0]);
    sigaction(to_raise[0], NULL, &action);
    if (!to_raise[0] || action.sa_handler == SIG_IGN)
        ajob_resolve(task, NULL);
}

static void signalled_stops(ajob_task *task, bool hard, void *data) {
    (void)data;
    stopped_politely += !hard;
    stopped_hard += hard;
    raise_or_resolve(task, to_raise[hard ? 2 : 1]);
}

static void cleaning_starts(ajob_task *task, void *data) {
    (void)data;
    cleanings++;
    ajob_resolve(task, NULL);
}

static void note_cancelling(const ajob_event *event, void *data) {
    if (event->type == AJOB_RUN_CANCELLING)
        snprintf(data, 16, "%s", event->cause);
}

/* Runs work that is sent these signals. */
static int run_signalled(int at_start, int at_stop, char cancelling[16]) {
    ajob_loop *loop = ajob_loop_new(&(ajob_loop_options){.handle_signals = true});
    ajob_task *work = ajob_future(
        loop, &(ajob_future_options){.start = signalled_starts, .stop = signalled_stops});
    ajob_task *cleaning = ajob_future(loop, &(ajob_future_options){.start = cleaning_starts});
    to_raise[0] = at_start, to_raise[1] = at_stop;
    stopped_politely = stopped_hard = cleanings = 0;
    cancelling[0] = '\0';
    ajob_on_event(loop, note_cancelling, cancelling);
    ajob_set_when(cleaning, AJOB_WHEN_ALWAYS);
    int status = ajob_run(loop, ajob_gather(loop, (ajob_task *[]){work, cleaning}, 2));
    CHECK_NUMBER(status > 128 ? ajob_exit_signal(loop) : 0, status > 128 ? status - 128 : 0);
    ajob_loop_free(loop);
    return status;
}

static void the_first_signal_cancels_and_the_second_kills(void) {
    char cancelling[16];
    CHECK_NUMBER(run_signalled(0, 0, cancelling), 0);
    CHECK_NUMBER(cleanings, 1);
    CHECK_NUMBER(run_signalled(SIGTERM, 0, cancelling), 128 + SIGTERM);
    CHECK_TEXT(cancelling, "SIGTERM");
    CHECK(stopped_politely == 1 && stopped_hard == 0 && cleanings == 1);
    CHECK_NUMBER(run_signalled(SIGINT, SIGHUP, cancelling), 128 + SIGINT);
    CHECK_TEXT(cancelling, "SIGINT"); /* once */
    CHECK(stopped_politely == 1 && stopped_hard == 1 && cleanings == 0);
}

static void a_signal_ignored_at_the_start_stays_ignored(void) {
    char cancelling[16];
    signal(SIGHUP, SIG_IGN);
    CHECK_NUMBER(run_signalled(SIGHUP, 0, cancelling), 0);
    signal(SIGHUP, SIG_DFL);
}

static unsigned order, ticks, tick_at_end;

static void count_tick(void *data) {
    (void)data;
    ticks++;
    tick_at_end = ++order;
}

static void note_run_ended(const ajob_event *event, void *data) {
    if (event->type == AJOB_RUN_ENDED)
        *(unsigned *)data = ++order;
}

static void ticks_come_during_a_run_and_last_before_its_end(void) {
    unsigned ended = 0;
    order = ticks = tick_at_end = 0;
    rig_open(0);
    ajob_on_event(rig.loop, note_run_ended, &ended);
    CHECK_NUMBER(ajob_every(rig.loop, 100, count_tick, NULL), 0);
    turn();
    CHECK_NUMBER(ticks, 0);
    start_run(make(&a, "a", NULL));
    pass(99);
    CHECK_NUMBER(ticks, 0);
    pass(1);
    CHECK_NUMBER(ticks, 1);
    pass(1000); /* one leap, one tick */
    CHECK_NUMBER(ticks, 2);
    ajob_resolve(a.task, NULL);
    turn();
    CHECK_NUMBER(ticks, 3);
    CHECK_NUMBER(tick_at_end + 1, ended);
    pass(1000);
    CHECK_NUMBER(ticks, 3);
    rig_close();
}

static void start_another(ajob_task *task, void *data) {
    ajob_task **next = data;
    (void)task;
    if (*next)
        CHECK_NUMBER(ajob_start(rig.loop, *next, rig_done, NULL), 0);
}

static void a_run_may_be_started_when_one_is_done(void) {
    rig_open(0);
    ajob_task *next = make(&b, "b", NULL);
    make(&a, "a", NULL);
    CHECK_NUMBER(ajob_start(rig.loop, a.task, start_another, &next), 0);
    turn();
    ajob_resolve(a.task, "no");
    turn();
    CHECK_NUMBER(ajob_exit_status(rig.loop), 0); /* of the run under way */
    rig.seq = 0;
    turn();
    CHECK_NUMBER(b.starts, 1);
    ajob_resolve(b.task, NULL);
    turn();
    CHECK_TEXT(take(), "started; a started; a failed: no; failed: no\n"
                       "started; b started; b succeeded; succeeded\n");
    rig_close();
}

static void add_one(ajob_task *task, void *data) {
    struct work *work = data;
    CHECK_NUMBER(ajob_group_add(ajob_task_parent(task), work->task), 0);
}

static void a_task_may_be_added_when_another_ends(void) {
    rig_open(0);
    ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
    make(&a, "a", root), make(&b, "b", root), make(&c, "c", NULL);
    ajob_on_end(a.task, add_one, &c);
    start_run(root);
    ajob_resolve(a.task, NULL);
    turn();
    CHECK_NUMBER(c.starts, 1);
    ajob_resolve(b.task, NULL), ajob_resolve(c.task, NULL);
    turn();
    CHECK_ENDED(root, AJOB_SUCCEEDED, NULL);
    rig_close();
}

int main(void) {
    RUN(a_run_on_its_own_loop);
    RUN(a_sleep_and_a_timeout_at_once_is_a_timeout);
    RUN(no_wait_is_too_short);
    RUN(a_sleep_is_tried_again);
    RUN(a_foreign_loop_is_left_as_it_was);
    RUN(an_unused_loop_keeps_nothing_alive);
    RUN(run_does_not_wait_for_the_callers_handles);
    RUN(the_first_signal_cancels_and_the_second_kills);
    RUN(a_signal_ignored_at_the_start_stays_ignored);
    RUN(ticks_come_during_a_run_and_last_before_its_end);
    RUN(a_run_may_be_started_when_one_is_done);
    RUN(a_task_may_be_added_when_another_ends);
    return finish();
}
