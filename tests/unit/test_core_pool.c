/*
 * test_core_pool.c - limits: first come, first served; who waits holds nothing;
 * the limit of a group counts what is deep inside.
 */
#include "core_rig.h"

enum { MANY = 8 };

static struct work works[MANY];
static ajob_task *root;

static void open_with(ajob_pool **pool, unsigned size) {
    rig_open(0);
    root = make_group(AJOB_SETTLED, NULL, NULL);
    *pool = ajob_pool_new(rig.loop, "db", size);
}

/* works[i], named a, b, c..., with so many slots of the pool. */
static ajob_task *worker(int i, ajob_pool *pool, unsigned count) {
    make(&works[i], (char[]){(char)('a' + i), 0}, root);
    if (pool)
        CHECK_NUMBER(ajob_set_pool(works[i].task, pool, count), 0);
    return works[i].task;
}

static void resolve(int i) {
    ajob_resolve(works[i].task, NULL);
    turn();
}

/* The names of those that run: "ac". */
static const char *running(void) {
    static char names[MANY + 1];
    size_t count = 0;
    for (int i = 0; i < MANY; i++)
        if (works[i].task && ajob_task_state(works[i].task) == AJOB_RUNNING)
            names[count++] = (char)('a' + i);
    names[count] = '\0';
    return names;
}

static void close_all(void) {
    for (int round = 0; round < MANY && ajob_task_state(root) != AJOB_ENDED; round++)
        for (int i = 0; i < MANY; i++)
            if (works[i].task) {
                ajob_resolve(works[i].task, NULL);
                turn();
            }
    CHECK_NUMBER(ajob_task_state(root), AJOB_ENDED);
    memset(works, 0, sizeof works);
    rig_close();
}

static void first_come_first_served(void) {
    ajob_pool *pool;
    open_with(&pool, 2);
    for (int i = 0; i < 5; i++)
        worker(i, pool, 1);
    start_run(root);
    CHECK_TEXT(running(), "ab");
    CHECK_NUMBER(ajob_task_state(works[2].task), AJOB_READY);
    resolve(1);
    CHECK_TEXT(running(), "ac");
    resolve(0);
    CHECK_TEXT(running(), "cd");
    resolve(3);
    CHECK_TEXT(running(), "ce");
    close_all();
}

static void one_that_needs_many_is_not_overtaken(void) {
    ajob_pool *pool;
    open_with(&pool, 3);
    worker(0, pool, 2), worker(1, pool, 1), worker(2, pool, 3), worker(3, pool, 1);
    start_run(root);
    CHECK_TEXT(running(), "ab");
    resolve(1);
    CHECK_TEXT(running(), "a"); /* d would fit, but c came before */
    resolve(0);
    CHECK_TEXT(running(), "c");
    resolve(2);
    CHECK_TEXT(running(), "d");
    close_all();
}

static void a_cancelled_waiter_passes_on(void) {
    ajob_pool *pool;
    open_with(&pool, 3);
    worker(0, pool, 2), worker(1, pool, 3), worker(2, pool, 1), worker(3, pool, 1);
    start_run(root);
    CHECK_TEXT(running(), "a");
    ajob_cancel(works[1].task, "x");
    turn();
    CHECK_ENDED(works[1].task, AJOB_CANCELLED, "cancelled by x");
    CHECK_NUMBER(works[1].starts, 0);
    CHECK_TEXT(running(), "ac");
    resolve(0);
    CHECK_TEXT(running(), "cd");
    close_all();
}

static void a_waiter_in_the_middle_or_at_the_end_may_leave(void) {
    ajob_pool *pool;
    open_with(&pool, 1);
    for (int i = 0; i < 5; i++)
        worker(i, pool, 1);
    start_run(root);
    ajob_cancel(works[2].task, "x"), ajob_cancel(works[4].task, "x");
    turn();
    resolve(0);
    CHECK_TEXT(running(), "b");
    resolve(1);
    CHECK_TEXT(running(), "d");
    close_all();
}

static void a_cancelled_run_leaves_no_waiter(void) {
    ajob_pool *pool;
    open_with(&pool, 1);
    for (int i = 0; i < 5; i++)
        worker(i, pool, 1);
    start_run(root);
    ajob_cancel(root, "x");
    turn();
    for (int i = 1; i < 5; i++)
        CHECK_ENDED(works[i].task, AJOB_CANCELLED, "cancelled by x");
    CHECK(!pool->first_waiter);
    close_all();
}

static void who_waits_for_one_pool_holds_no_other(void) {
    ajob_pool *db, *net;
    open_with(&db, 1);
    net = ajob_pool_new(rig.loop, "net", 1);
    worker(0, db, 1);
    worker(1, db, 1), ajob_set_pool(works[1].task, net, 1); /* waits for db */
    worker(2, net, 1);                                      /* may run meanwhile */
    worker(3, net, 1), ajob_set_pool(works[3].task, db, 1);
    start_run(root);
    CHECK_TEXT(running(), "ac");
    resolve(0);
    CHECK_TEXT(running(), "c"); /* b waits for net now, and comes before d */
    CHECK_NUMBER(db->used, 0);
    resolve(2);
    CHECK_TEXT(running(), "b");
    resolve(1);
    CHECK_TEXT(running(), "d");
    close_all();
}

static void its_place_in_the_queue_is_that_of_when_it_became_ready(void) {
    ajob_pool *db, *jobs;
    open_with(&db, 1);
    jobs = ajob_pool_new(rig.loop, "jobs", 2);
    for (int i = 0; i < 6; i++) {
        worker(i, i < 3 ? db : jobs, 1);
        if (i < 3)
            ajob_set_pool(works[i].task, jobs, 1);
    }
    start_run(root); /* a has both; b and c wait for db, so d gets the other job */
    CHECK_TEXT(running(), "ad");
    resolve(0);
    CHECK_TEXT(running(), "bd"); /* not e, though it waited for a job and b did not */
    resolve(3);
    CHECK_TEXT(running(), "be");
    resolve(1);
    CHECK_TEXT(running(), "ce");
    close_all();
}

static void slots_are_given_back_in_a_backoff(void) {
    ajob_pool *pool;
    open_with(&pool, 1);
    worker(0, pool, 1), worker(1, pool, 1);
    ajob_set_retry(works[0].task, &(ajob_retry){.max = 1, .delay_ms = 1000, .no_jitter = true});
    start_run(root);
    ajob_resolve(works[0].task, "no");
    turn();
    CHECK_TEXT(running(), "b");
    pass(1000);
    CHECK_NUMBER(ajob_task_state(works[0].task), AJOB_READY); /* it waits again */
    resolve(1);
    CHECK_TEXT(running(), "a");
    close_all();
}

static void a_timeout_does_not_count_the_queue_but_the_second_wait(void) {
    ajob_pool *pool;
    open_with(&pool, 1);
    worker(0, pool, 1), worker(1, pool, 1);
    ajob_set_timeout(works[1].task, 5000);
    ajob_set_retry(works[1].task, &(ajob_retry){.max = 1, .delay_ms = 1, .no_jitter = true});
    worker(2, pool, 1);
    start_run(root);
    pass(60000);
    CHECK_NUMBER(ajob_task_state(works[1].task), AJOB_READY);
    resolve(0);
    CHECK_TEXT(running(), "b");
    ajob_resolve(works[1].task, "no");
    turn();
    CHECK_TEXT(running(), "c");
    pass(1);
    CHECK_NUMBER(ajob_task_state(works[1].task), AJOB_READY);
    pass(4999);
    CHECK_ENDED(works[1].task, AJOB_TIMED_OUT, "timeout 5s");
    close_all();
}

static void a_stopping_task_keeps_its_slot(void) {
    ajob_pool *pool;
    open_with(&pool, 1);
    worker(0, pool, 1), worker(1, pool, 1);
    start_run(root);
    ajob_cancel(works[0].task, "x");
    turn();
    CHECK_TEXT(running(), "");
    resolve(0);
    CHECK_TEXT(running(), "b");
    close_all();
}

static void the_limit_of_a_group_counts_what_is_deep_inside(void) {
    rig_open(0);
    root = ajob_group(rig.loop, &(ajob_group_options){.limit = 2, .policy = AJOB_SETTLED});
    ajob_task *inner = ajob_group(rig.loop, &(ajob_group_options){.limit = 1});
    ajob_group_add(root, inner);
    ajob_task *deep = make_group(AJOB_SETTLED, "deep", inner);
    make(&works[0], "a", deep), make(&works[1], "b", deep), make(&works[2], "c", inner);
    make(&works[3], "d", root), make(&works[4], "e", root);
    works[5].task = ajob_future(
        rig.loop,
        &(ajob_future_options){.start = rig_work_starts, .data = &works[5], .holds_no_slot = true});
    ajob_group_add(deep, works[5].task);
    start_run(root);
    CHECK_TEXT(running(), "def"); /* the children of root are posted first; f holds nothing */
    resolve(3);
    CHECK_TEXT(running(), "cef"); /* then those of inner, before those of deep */
    resolve(4);
    CHECK_TEXT(running(), "cf");
    resolve(2);
    CHECK_TEXT(running(), "af");
    resolve(0);
    CHECK_TEXT(running(), "bf");
    close_all();
}

static void a_pool_that_cannot_be_used_is_refused(void) {
    ajob_pool *pool;
    open_with(&pool, 2);
    CHECK(!ajob_pool_new(rig.loop, "none", 0));
    CHECK_TEXT(ajob_error(rig.loop), "pool none: it must have at least one slot");
    worker(0, NULL, 0);
    CHECK_NUMBER(ajob_set_pool(works[0].task, pool, 3), AJOB_EINVAL);
    CHECK_TEXT(ajob_error(rig.loop), "pool db: 3 slots wanted, it has 2");
    CHECK_NUMBER(ajob_set_pool(works[0].task, pool, 0), AJOB_EINVAL);
    CHECK_NUMBER(ajob_set_pool(works[0].task, pool, 1), 0);
    CHECK_NUMBER(ajob_set_pool(works[0].task, pool, 1), AJOB_EINVAL);
    CHECK_TEXT(ajob_error(rig.loop), "pool db: named twice");
    CHECK_NUMBER(ajob_set_pool(root, pool, 1), AJOB_EINVAL);
    CHECK_TEXT(ajob_error(rig.loop), "pool db: a group holds no slots");
    start_run(root);
    CHECK_NUMBER(pool->used, 1);
    close_all();
}

/* Any tasks with any slots of any pools: nobody waits while nobody runs, no pool
 * is overdrawn, all end. */
static void no_mix_of_pools_and_weights_is_stuck(void) {
    enum { POOLS = 3, TASKS = 40, ROUNDS = 300 };
    static struct work crowd[TASKS];
    uint32_t random = 1;
    for (int round = 0; round < ROUNDS; round++) {
        ajob_pool *pools[POOLS];
        size_t left = TASKS;
        rig_open(0);
        rig.is_quiet = true;
        root = make_group(AJOB_SETTLED, NULL, NULL);
        for (int i = 0; i < POOLS; i++)
            pools[i] = ajob_pool_new(rig.loop, "p", 1 + (unsigned)i);
        for (int i = 0; i < TASKS; i++) {
            make(&crowd[i], NULL, root);
            for (int j = 0; j < POOLS; j++) {
                random = random * 1664525 + 1013904223;
                unsigned at = (random >> 8 ^ (unsigned)i) % POOLS, want = (random >> 16) % 4;
                if (want && want <= at + 1)
                    (void)ajob_set_pool(crowd[i].task, pools[at], want);
            }
        }
        start_run(root);
        while (left) {
            int runs = -1;
            random = random * 1664525 + 1013904223;
            for (int i = 0; i < TASKS; i++) {
                int at = (int)((random >> 8) + (unsigned)i) % TASKS;
                runs = ajob_task_state(crowd[at].task) == AJOB_RUNNING ? at : runs;
            }
            for (int i = 0; i < POOLS; i++)
                CHECK(pools[i]->used <= pools[i]->size);
            if (!CHECK(runs >= 0))
                break;
            if ((random >> 24) % 5 == 0) /* sometimes a waiter gives up */
                for (int i = 0; i < TASKS; i++)
                    if (ajob_task_state(crowd[i].task) == AJOB_READY) {
                        ajob_cancel(crowd[i].task, "x");
                        left--;
                        break;
                    }
            ajob_resolve(crowd[runs].task, NULL);
            turn();
            left--;
        }
        CHECK_NUMBER(ajob_task_state(root), AJOB_ENDED);
        rig_close();
    }
}

int main(void) {
    RUN(first_come_first_served);
    RUN(one_that_needs_many_is_not_overtaken);
    RUN(a_cancelled_waiter_passes_on);
    RUN(a_waiter_in_the_middle_or_at_the_end_may_leave);
    RUN(a_cancelled_run_leaves_no_waiter);
    RUN(who_waits_for_one_pool_holds_no_other);
    RUN(its_place_in_the_queue_is_that_of_when_it_became_ready);
    RUN(slots_are_given_back_in_a_backoff);
    RUN(a_timeout_does_not_count_the_queue_but_the_second_wait);
    RUN(a_stopping_task_keeps_its_slot);
    RUN(the_limit_of_a_group_counts_what_is_deep_inside);
    RUN(a_pool_that_cannot_be_used_is_refused);
    RUN(no_mix_of_pools_and_weights_is_stuck);
    return finish();
}
