/*
 * test_core_run.c - what is refused before a run; runs on a real libuv loop, its
 * own and a foreign one; signals; very many tasks; every allocation failing once.
 */
#include <signal.h>
#include <sys/resource.h>
#include <uv.h>

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

/* ---- on libuv ---------------------------------------------------------- */

static void a_run_on_its_own_loop(void) {
    ajob_loop *loop = ajob_loop_new(NULL);
    uint64_t before = uv_hrtime();
    ajob_task *both = ajob_gather(loop, (ajob_task *[]){ajob_sleep(loop, 30), ajob_sleep(loop, 20)}, 2);
    CHECK_NUMBER(ajob_run(loop, both), 0);
    CHECK(uv_hrtime() - before >= 30 * 1000000u);
    CHECK(uv_hrtime() - before < 5000 * (uint64_t)1000000);

    ajob_task *late = ajob_sleep(loop, 3600 * 1000);
    ajob_set_timeout(late, 10);
    CHECK_NUMBER(ajob_run(loop, late), 124);
    CHECK_ENDED(late, AJOB_TIMED_OUT, "timeout 10ms");

    ajob_task *fast = ajob_sleep(loop, 1), *slow = ajob_sleep(loop, 3600 * 1000);
    CHECK_NUMBER(ajob_run(loop, ajob_race(loop, (ajob_task *[]){slow, fast}, 2)), 0);
    CHECK_ENDED(slow, AJOB_CANCELLED, "cancelled by sibling 2");
    CHECK_NUMBER(ajob_run(loop, ajob_group(loop, NULL)), 0);
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
    ajob_task *both = ajob_gather(loop, (ajob_task *[]){ajob_sleep(loop, 5), ajob_sleep(loop, 1)}, 2);
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

/* ---- very many --------------------------------------------------------- */

enum { MANY = 100000 };

static unsigned started;

static void resolve_at_once(ajob_task *task, void *data) {
    started++;
    ajob_resolve(task, started == 1 ? data : NULL);
}

static size_t memory_kib(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (size_t)usage.ru_maxrss;
}

static void chain_of_many(bool is_failing) {
    char failure[] = "exit 3";
    ajob_task *previous = NULL;
    size_t memory_before = memory_kib(), kib_per_task_max = 2;
    uint64_t before = uv_hrtime();
    started = 0;
    rig_open(0);
    rig.is_quiet = true;
    ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
    for (int i = 0; i < MANY; i++) {
        ajob_task *task = ajob_future(rig.loop, &(ajob_future_options){
                                                    .start = resolve_at_once,
                                                    .data = is_failing ? failure : NULL});
        ajob_group_add(root, task);
        if (previous)
            ajob_need(task, previous);
        previous = task;
    }
    start_run(root);
    CHECK_NUMBER(ajob_task_state(root), AJOB_ENDED);
    CHECK_NUMBER(started, is_failing ? 1 : MANY);
    CHECK_NUMBER(rig.ended, MANY);
    CHECK_NUMBER(ajob_task_status(previous), is_failing ? AJOB_SKIPPED : AJOB_SUCCEEDED);
    if (is_failing)
        CHECK_TEXT(ajob_task_cause(root), "1: exit 3");
    CHECK(uv_hrtime() - before < UINT64_C(20) * 1000000000);
    CHECK(memory_kib() - memory_before < MANY * kib_per_task_max);
    rig_close();
}

static void a_chain_of_100000_runs(void) {
    chain_of_many(false);
}

static void a_chain_of_100000_is_skipped(void) {
    chain_of_many(true);
}

static void of_100000_siblings_one_fails(void) {
    char failure[] = "exit 3";
    struct work *works = calloc(MANY, sizeof *works);
    rig_open(0);
    rig.is_quiet = true;
    ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
    ajob_pool *pool = ajob_pool_new(rig.loop, "p", MANY / 2);
    for (int i = 0; i < MANY; i++) {
        make(&works[i], NULL, root);
        works[i].resolves_when_stopped = true;
        ajob_set_pool(works[i].task, pool, 1);
    }
    uint64_t before = uv_hrtime();
    start_run(root);
    CHECK_NUMBER(pool->used, MANY / 2);
    ajob_resolve(works[MANY / 4].task, failure);
    turn();
    CHECK_NUMBER(ajob_task_state(root), AJOB_ENDED);
    CHECK_NUMBER(rig.loop->counts[AJOB_CANCELLED], MANY - 1);
    CHECK(uv_hrtime() - before < UINT64_C(20) * 1000000000);
    rig_close();
    free(works);
}

static void groups_may_be_nested_deeply(void) {
    enum { DEEP = 5000 };
    rig_open(0);
    rig.is_quiet = true;
    ajob_task *root = make_group(AJOB_ALL, NULL, NULL), *group = root;
    for (int i = 0; i < DEEP; i++)
        group = make_group(AJOB_ALL, NULL, group);
    make(&a, "a", group);
    start_run(root);
    ajob_cancel(root, "x");
    turn();
    CHECK_NUMBER(a.stops, 1);
    ajob_resolve(a.task, NULL);
    turn();
    CHECK_ENDED(root, AJOB_CANCELLED, "cancelled by x");
    rig_close();
}

/* ---- allocations that fail --------------------------------------------- */

static void listen_in_json(const ajob_event *event, void *data) {
    size_t length;
    const char *line = ajob_event_json(data, event, &length);
    CHECK(!line || line[length - 1] == '\n');
}

/* Builds a graph of every kind and runs it; false as soon as something cannot
 * be made. What is made must then run to its end all the same. */
static bool build_and_run(ajob_loop **loop) {
    ajob_task *tasks[6], *cleaning, *sleep, *root;
    ajob_pool *pool;
    char failure[] = "exit 3";
    started = 1;
    if (!(*loop = ajob_loop_new(&(ajob_loop_options){.handle_signals = true})))
        return false;
    if (ajob_on_event(*loop, listen_in_json, *loop) || !(pool = ajob_pool_new(*loop, "p", 2)))
        return false;
    for (int i = 0; i < 6; i++) {
        tasks[i] = ajob_future(
            *loop, &(ajob_future_options){.start = resolve_at_once, .data = failure});
        if (!tasks[i] || ajob_set_title(tasks[i], "\xc3\xa9\x01") ||
            ajob_set_pool(tasks[i], pool, 1) || ajob_set_timeout(tasks[i], 60000))
            return false;
    }
    if (ajob_need(tasks[1], tasks[0]) || ajob_need(tasks[2], tasks[1]) ||
        ajob_set_retry(tasks[0], &(ajob_retry){.max = 1, .delay_ms = 1}))
        return false;
    started = 0; /* the first to start fails */
    ajob_task *inner = ajob_settled(*loop, tasks, 3);
    sleep = ajob_sleep(*loop, 3600 * 1000);
    cleaning = ajob_future(*loop, &(ajob_future_options){.start = resolve_at_once});
    if (!inner || !sleep || !cleaning || ajob_set_when(cleaning, AJOB_WHEN_ALWAYS))
        return false;
    root = ajob_group(*loop, &(ajob_group_options){.limit = 3});
    if (!root || ajob_group_add(root, tasks[3]) || ajob_group_add(root, tasks[4]) ||
        ajob_group_add(root, inner) || ajob_group_add(root, sleep) ||
        ajob_group_add(root, cleaning))
        return false;
    int status = ajob_start(*loop, root, NULL, NULL);
    if (status)
        return false;
    ajob_cancel(sleep, "x");
    while ((*loop)->root)
        uv_run((*loop)->uv, UV_RUN_ONCE);
    CHECK_NUMBER(ajob_task_state(root), AJOB_ENDED);
    CHECK_NUMBER(ajob_task_state(tasks[2]), AJOB_ENDED);
    CHECK_NUMBER(ajob_task_status(cleaning), AJOB_SUCCEEDED);
    CHECK((ajob_task_cause(root) == NULL) == (ajob_task_status(root) == AJOB_SUCCEEDED));
    return true;
}

static void no_failing_allocation_crashes_or_leaks(void) {
    unsigned long n = 0, built = 0;
    bool has_failed;
    do {
        ajob_loop *loop = NULL;
        mem_fail_nth(FAULT_ALLOC, ++n);
        built += build_and_run(&loop);
        has_failed = mem_fail_nth(FAULT_ALLOC, 0) == 0;
        ajob_loop_free(loop);
    } while (has_failed && CHECK(n < 10000));
    printf("# %lu allocations\n", n - 1);
    CHECK(n > 50);
    CHECK(built > 1); /* some fail in the run itself */
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
    RUN(a_run_on_its_own_loop);
    RUN(a_sleep_and_a_timeout_at_once_is_a_timeout);
    RUN(a_foreign_loop_is_left_as_it_was);
    RUN(an_unused_loop_keeps_nothing_alive);
    RUN(run_does_not_wait_for_the_callers_handles);
    RUN(the_first_signal_cancels_and_the_second_kills);
    RUN(a_signal_ignored_at_the_start_stays_ignored);
    RUN(ticks_come_during_a_run_and_last_before_its_end);
    RUN(a_run_may_be_started_when_one_is_done);
    RUN(a_task_may_be_added_when_another_ends);
    RUN(a_chain_of_100000_runs);
    RUN(a_chain_of_100000_is_skipped);
    RUN(of_100000_siblings_one_fails);
    RUN(groups_may_be_nested_deeply);
    RUN(no_failing_allocation_crashes_or_leaks);
    return finish();
}
