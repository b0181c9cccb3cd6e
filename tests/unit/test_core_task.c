/*
 * test_core_task.c - the life of one task: every order in which the end of an
 * attempt, a wish to stop, a timeout and a kill can come; cancelling and grace.
 */
#include "core_rig.h"

enum { HOUR = 3600 * 1000, TEN_SECONDS = 10000 };

static struct work a;

/* ---- the ends ---------------------------------------------------------- */

static void a_task_costs_at_most_256_bytes(void) {
    CHECK(sizeof(struct ajob_task) <= 256);
}

static void success_has_no_cause(void) {
    rig_open(0);
    start_run(make(&a, "a", NULL));
    CHECK_NUMBER(a.starts, 1);
    CHECK_NUMBER(ajob_task_state(a.task), AJOB_RUNNING);
    CHECK(!ajob_task_cause(a.task));
    ajob_resolve(a.task, NULL);
    CHECK_NUMBER(ajob_task_state(a.task), AJOB_RUNNING); /* nothing moves but in a turn */
    turn();
    CHECK_ENDED(a.task, AJOB_SUCCEEDED, NULL);
    CHECK_NUMBER(rig.done, 1);
    CHECK_NUMBER(ajob_exit_status(rig.loop), 0);
    CHECK_TEXT(take(), "started; a started; a succeeded; succeeded\n");
    rig_close();
}

static void failure_has_the_cause_it_was_given(void) {
    rig_open(0);
    start_run(make(&a, "a", NULL));
    ajob_resolve(a.task, "exit 3");
    ajob_resolve(a.task, NULL); /* once is enough */
    turn();
    CHECK_ENDED(a.task, AJOB_FAILED, "exit 3");
    CHECK_NUMBER(ajob_exit_status(rig.loop), 1);
    CHECK_TEXT(take(), "started; a started; a failed: exit 3; failed: exit 3\n");
    ajob_resolve(a.task, NULL);
    ajob_cancel(a.task, "nobody");
    ajob_kill(a.task, "nobody");
    turn();
    CHECK_ENDED(a.task, AJOB_FAILED, "exit 3");
    rig_close();
}

static void start_at_once(ajob_task *task, void *data) {
    ajob_resolve(task, data);
}

static void an_attempt_may_end_inside_start(void) {
    char no[] = "no";
    rig_open(0);
    ajob_task *task = ajob_future(rig.loop, &(ajob_future_options){.start = start_at_once});
    start_run(task);
    CHECK_ENDED(task, AJOB_SUCCEEDED, NULL);
    task = ajob_future(rig.loop, &(ajob_future_options){.start = start_at_once, .data = no});
    start_run(task);
    CHECK_ENDED(task, AJOB_FAILED, "no");
    rig_close();
}

static void what_ended_is_refused_a_second_run(void) {
    rig_open(0);
    start_run(make(&a, "a", NULL));
    CHECK_NUMBER(ajob_start(rig.loop, a.task, NULL, NULL), AJOB_EBUSY);
    ajob_resolve(a.task, NULL);
    turn();
    CHECK_NUMBER(ajob_start(rig.loop, a.task, NULL, NULL), AJOB_EINVAL);
    CHECK_TEXT(ajob_error(rig.loop), "task a: it has run already");
    CHECK_NUMBER(ajob_set_timeout(a.task, 1), AJOB_EINVAL);
    CHECK_NUMBER(ajob_set_shield(a.task, true), AJOB_EINVAL);
    rig_close();
}

/* ---- every order of facts ---------------------------------------------- */

enum fact { OVER, CANCEL, TIMEOUT, KILL, FACT_COUNT };

struct order {
    enum fact facts[FACT_COUNT];
    unsigned count;
    bool succeeds;  /* how the attempt is over */
    bool has_turns; /* a turn after each fact, else one after all */
};

static void bring(enum fact fact, const struct order *order) {
    switch (fact) {
    case OVER:
        ajob_resolve(a.task, order->succeeds ? NULL : "boom");
        break;
    case CANCEL:
        ajob_cancel(a.task, "a test");
        break;
    case TIMEOUT:
        rig.now_ns += UINT64_C(1000000) * TEN_SECONDS;
        deadline_fire(&rig.loop->deadlines, loop_now_ms(rig.loop));
        break;
    case KILL:
        ajob_kill(a.task, "a killer");
        break;
    case FACT_COUNT:
        break;
    }
    if (order->has_turns)
        turn();
}

static int place_of(enum fact fact, const struct order *order) {
    for (unsigned i = 0; i < order->count; i++)
        if (order->facts[i] == fact)
            return (int)i;
    return FACT_COUNT;
}

/* The first fact decides the end; stop() depends on what was known by then. */
static void check_order(const struct order *order) {
    int over_at = place_of(OVER, order), kill_at = place_of(KILL, order);
    bool is_over_in_time = order->facts[0] == OVER || (!order->has_turns && over_at < FACT_COUNT);
    bool is_killed = order->has_turns ? kill_at < over_at : kill_at < FACT_COUNT;
    bool is_killed_first = order->has_turns ? kill_at == 0 : is_killed;
    switch (order->facts[0]) {
    case OVER:
        if (order->succeeds)
            CHECK_ENDED(a.task, AJOB_SUCCEEDED, NULL);
        else
            CHECK_ENDED(a.task, AJOB_FAILED, "boom");
        break;
    case CANCEL:
        CHECK_ENDED(a.task, AJOB_CANCELLED, "cancelled by a test");
        break;
    case TIMEOUT:
        CHECK_ENDED(a.task, AJOB_TIMED_OUT, "timeout 10s");
        break;
    case KILL:
        CHECK_ENDED(a.task, AJOB_CANCELLED, "cancelled by a killer");
        break;
    case FACT_COUNT:
        break;
    }
    CHECK_NUMBER(a.starts, 1);
    CHECK_NUMBER(a.stops, !is_over_in_time && !is_killed_first);
    CHECK_NUMBER(a.hards, !is_over_in_time && is_killed);
}

static void try_order(const struct order *order) {
    rig_open(HOUR);
    make(&a, "a", NULL);
    ajob_set_timeout(a.task, TEN_SECONDS);
    ajob_set_retry(a.task, &(ajob_retry){.max = order->has_turns ? 0 : 3}); /* no matter */
    start_run(a.task);
    for (unsigned i = 0; i < order->count; i++)
        bring(order->facts[i], order);
    turn();
    bool is_ended = ajob_task_state(a.task) == AJOB_ENDED;
    CHECK(is_ended || ajob_task_state(a.task) == AJOB_STOPPING);
    if (!is_ended) {
        CHECK_NUMBER(place_of(OVER, order), FACT_COUNT);
        ajob_resolve(a.task, order->succeeds ? NULL : "late");
        turn();
    }
    check_order(order);
    int before = check_failures;
    rig_close();
    if (check_failures > before)
        printf("# the order: %d %d %d %d\n", (int)order->facts[0], (int)order->facts[1],
               (int)order->facts[2], (int)order->facts[3]);
}

static unsigned tried;

static void try_orders(struct order *order, unsigned used) {
    bool is_bare_end = order->count == 1 && order->facts[0] == OVER && !order->succeeds &&
                       !order->has_turns; /* with retries that is no end */
    if (order->count && !is_bare_end) {
        try_order(order);
        tried++;
    }
    for (int fact = 0; fact < FACT_COUNT; fact++)
        if (!(used & 1u << fact)) {
            order->facts[order->count++] = (enum fact)fact;
            try_orders(order, used | 1u << fact);
            order->count--;
        }
}

static void the_first_fact_decides_in_every_order(void) {
    tried = 0;
    for (int i = 0; i < 4; i++)
        try_orders(&(struct order){.succeeds = i & 1, .has_turns = i & 2}, 0);
    CHECK_NUMBER(tried, 64 * 4 - 1);
}

/* ---- cancelling -------------------------------------------------------- */

static void cancelling_before_the_start_ends_it_without_one(void) {
    rig_open(0);
    make(&a, "a", NULL);
    ajob_cancel(a.task, "a test");
    CHECK_NUMBER(ajob_task_state(a.task), AJOB_PENDING);
    turn(); /* no run: nothing moves */
    CHECK_NUMBER(ajob_task_state(a.task), AJOB_PENDING);
    start_run(a.task);
    CHECK_ENDED(a.task, AJOB_CANCELLED, "cancelled by a test");
    CHECK_NUMBER(a.starts, 0);
    CHECK_NUMBER(ajob_exit_status(rig.loop), 1);
    CHECK_TEXT(take(), "started; a cancelled: cancelled by a test; cancelled: cancelled by a "
                       "test\n");
    rig_close();
}

static void cancelling_twice_is_harmless(void) {
    rig_open(HOUR);
    start_run(make(&a, "a", NULL));
    for (int i = 0; i < 3; i++) {
        ajob_cancel(a.task, i ? "another" : "one");
        ajob_cancel(a.task, "yet another");
        turn();
        CHECK_NUMBER(ajob_task_state(a.task), AJOB_STOPPING);
    }
    CHECK_NUMBER(a.stops, 1);
    CHECK_NUMBER(a.hards, 0);
    ajob_resolve(a.task, "stopped");
    turn();
    CHECK_ENDED(a.task, AJOB_CANCELLED, "cancelled by one");
    rig_close();
}

static void after_the_grace_comes_the_hard_stop(void) {
    rig_open(0);
    start_run(make(&a, "a", NULL));
    ajob_cancel(a.task, "a test");
    turn();
    pass(4999);
    CHECK_NUMBER(a.hards, 0);
    pass(1);
    CHECK_NUMBER(a.hards, 1);
    CHECK_NUMBER(a.stops, 1);
    pass(HOUR);
    CHECK_NUMBER(a.hards, 1);
    CHECK_NUMBER(ajob_task_state(a.task), AJOB_STOPPING); /* it ends when its work has */
    ajob_resolve(a.task, NULL);
    turn();
    CHECK_ENDED(a.task, AJOB_CANCELLED, "cancelled by a test");
    rig_close();
}

static void a_kill_shortens_the_grace_or_skips_it(void) {
    rig_open(HOUR);
    start_run(make(&a, "a", NULL));
    ajob_cancel(a.task, "a test");
    turn();
    ajob_kill(a.task, "a killer");
    ajob_kill(a.task, "a killer");
    turn();
    turn();
    CHECK_NUMBER(a.stops, 1);
    CHECK_NUMBER(a.hards, 1);
    ajob_resolve(a.task, "killed");
    turn();
    CHECK_ENDED(a.task, AJOB_CANCELLED, "cancelled by a test");

    start_run(make(&a, "a", NULL));
    ajob_kill(a.task, "a killer");
    turn();
    CHECK_NUMBER(a.stops, 0);
    CHECK_NUMBER(a.hards, 1);
    pass(2 * HOUR);
    CHECK_NUMBER(a.hards, 1);
    ajob_resolve(a.task, "killed");
    turn();
    CHECK_ENDED(a.task, AJOB_CANCELLED, "cancelled by a killer");
    rig_close();
}

static void work_without_stop_is_waited_for(void) {
    rig_open(0);
    ajob_task *task =
        ajob_future(rig.loop, &(ajob_future_options){.start = rig_work_starts, .data = &a});
    a = (struct work){.task = task};
    start_run(task);
    ajob_cancel(task, "a test");
    turn();
    pass(HOUR);
    CHECK_NUMBER(ajob_task_state(task), AJOB_STOPPING);
    ajob_resolve(task, NULL);
    turn();
    CHECK_ENDED(task, AJOB_CANCELLED, "cancelled by a test");
    rig_close();
}

static void a_long_cause_is_cut_at_a_character(void) {
    char by[3000];
    for (size_t i = 0; i + 2 < sizeof by; i += 2)
        memcpy(by + i, "\xc3\xa9", 3); /* e with an acute accent */
    rig_open(0);
    start_run(make(&a, "a", NULL));
    ajob_cancel(a.task, by);
    ajob_resolve(a.task, NULL);
    turn();
    const char *cause = ajob_task_cause(a.task);
    size_t length = strlen(cause);
    CHECK(length < TEXT_LINE_MAX && length > TEXT_LINE_MAX - 4);
    for (size_t at = 0; at < length;) {
        uint32_t point;
        size_t step = utf8_decode(cause + at, length - at, &point);
        if (!CHECK(step > 0))
            break;
        at += step;
    }
    rig_close();
}

int main(void) {
    RUN(a_task_costs_at_most_256_bytes);
    RUN(success_has_no_cause);
    RUN(failure_has_the_cause_it_was_given);
    RUN(an_attempt_may_end_inside_start);
    RUN(what_ended_is_refused_a_second_run);
    RUN(the_first_fact_decides_in_every_order);
    RUN(cancelling_before_the_start_ends_it_without_one);
    RUN(cancelling_twice_is_harmless);
    RUN(after_the_grace_comes_the_hard_stop);
    RUN(a_kill_shortens_the_grace_or_skips_it);
    RUN(work_without_stop_is_waited_for);
    RUN(a_long_cause_is_cut_at_a_character);
    return finish();
}
