/*
 * test_core_many.c - very many tasks, deep nesting, and every allocation failing
 * once.
 */
#include <sys/resource.h>
#include <time.h>

#include "core_rig.h"

static struct work a;

/* ---- very many --------------------------------------------------------- */

/* Of the processor, whatever else the machine does. */
enum { MANY = 100000, SECONDS_MAX = 20 };

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
    clock_t before = clock();
    started = 0;
    rig_open(0);
    rig.is_quiet = true;
    ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
    for (int i = 0; i < MANY; i++) {
        ajob_task *task =
            ajob_future(rig.loop, &(ajob_future_options){.start = resolve_at_once,
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
    CHECK((clock() - before) / CLOCKS_PER_SEC < SECONDS_MAX);
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
    clock_t before = clock();
    start_run(root);
    CHECK_NUMBER(pool->used, MANY / 2);
    ajob_resolve(works[MANY / 4].task, failure);
    turn();
    CHECK_NUMBER(ajob_task_state(root), AJOB_ENDED);
    CHECK_NUMBER(rig.loop->counts[AJOB_CANCELLED], MANY - 1);
    CHECK((clock() - before) / CLOCKS_PER_SEC < SECONDS_MAX);
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
        tasks[i] =
            ajob_future(*loop, &(ajob_future_options){.start = resolve_at_once, .data = failure});
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
    RUN(a_chain_of_100000_runs);
    RUN(a_chain_of_100000_is_skipped);
    RUN(of_100000_siblings_one_fails);
    RUN(groups_may_be_nested_deeply);
    RUN(no_failing_allocation_crashes_or_leaks);
    return finish();
}
