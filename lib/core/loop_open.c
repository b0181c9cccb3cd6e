/*
 * loop_open.c - making a loop, closing it, and what other rooms have on it.
 *
 * Owns the loop's defaults, and the order of the end: handles are closed, then
 * tasks are freed, then the modules.
 */
#include <unistd.h>

#include "base/mem.h"
#include "core/group.h"
#include "core/loop.h"
#include "core/pool.h"
#include "core/signals.h"

enum {
    GRACE_MS = 5000,
    TRANSFERS = 16,
    TRANSFERS_PER_HOST = 6,
    CONNECTIONS_PER_HOST = 16,
    JSON_MAX = 1 << 20
};

void loop_handle_opened(struct ajob_loop *loop) {
    loop->open_handles++;
}

static void free_loop(struct ajob_loop *loop) {
    while (loop->first) {
        struct ajob_task *task = loop->first;
        loop->first = task->next;
        task_free(task);
    }
    while (loop->modules) {
        struct loop_module *module = loop->modules;
        loop->modules = module->next;
        module->free(module);
    }
    while (loop->pools) {
        struct ajob_pool *pool = loop->pools;
        loop->pools = pool->next;
        pool_free(pool);
    }
    while (loop->ticks) {
        struct tick *tick = loop->ticks;
        loop->ticks = tick->next;
        mem_free(tick);
    }
    deadlines_done(&loop->deadlines);
    text_done(&loop->path);
    text_done(&loop->file);
    text_done(&loop->json);
    text_done(&loop->error);
    void (*closed)(void *data) = loop->closed;
    void *data = loop->closed_data;
    bool owns_uv = loop->owns_uv;
    if (!owns_uv)
        mem_free(loop); /* else ajob_loop_free() still runs the uv loop in it */
    if (closed)
        closed(data);
}

void loop_handle_closed(struct ajob_loop *loop) {
    if (--loop->open_handles == 0 && loop->closing)
        free_loop(loop);
}

static void handle_closed(uv_handle_t *handle) {
    loop_handle_closed(handle->data);
}

static bool open_handles(struct ajob_loop *loop) {
    uv_prepare_init(loop->uv, &loop->prepare);
    uv_check_init(loop->uv, &loop->check);
    uv_timer_init(loop->uv, &loop->timer);
    loop->prepare.data = loop->check.data = loop->timer.data = loop;
    loop->open_handles = 3;
    return !loop->handles_signals || signals_open(loop);
}

/* A pipe for signals and two descriptors more: libuv aborts where it has not got them. */
static bool has_files(void) {
    int ends[4] = {-1, -1, -1, -1};
    bool has_all = pipe(ends) == 0 && pipe(ends + 2) == 0;
    for (int i = 0; i < 4; i++)
        if (ends[i] >= 0)
            close(ends[i]);
    return has_all;
}

ajob_loop *ajob_loop_new(const ajob_loop_options *options) {
    static const ajob_loop_options defaults;
    if (!options)
        options = &defaults;
    struct ajob_loop *loop = mem_new(sizeof *loop);
    if (!loop)
        return NULL;
    loop->owns_uv = !options->uv;
    loop->uv = options->uv ? options->uv : &loop->own_uv;
    if (loop->owns_uv && (!has_files() || uv_loop_init(loop->uv)))
        return mem_free(loop);
    loop->handles_signals = options->handle_signals;
    loop->grace_ms = options->grace_ms ? options->grace_ms : GRACE_MS;
    loop->per_host = options->transfers_per_host ? options->transfers_per_host : TRANSFERS_PER_HOST;
    loop->connections_per_host =
        options->connections_per_host ? options->connections_per_host : CONNECTIONS_PER_HOST;
    loop->limit_rate = options->limit_rate;
    loop->clock_ns = uv_hrtime;
    loop->random = (uint32_t)uv_hrtime() | 1;
    loop->path.max = loop->file.max = JSON_MAX;
    loop->json.max = 8 * JSON_MAX;
    loop->error.max = 8 * TEXT_LINE_MAX;
    loop->transfers =
        ajob_pool_new(loop, "transfers", options->transfers ? options->transfers : TRANSFERS);
    loop->owns_children = options->owns_children;
    loop->commands = ajob_pool_new(
        loop, "commands", options->commands ? options->commands : uv_available_parallelism());
    if (open_handles(loop) && loop->transfers && loop->commands)
        return loop;
    ajob_loop_free(loop);
    return NULL;
}

void loop_close_handles(struct ajob_loop *loop) {
    loop->closing = true;
    for (struct loop_module *module = loop->modules; module; module = module->next)
        if (module->close)
            module->close(module);
    signals_close(loop->signals);
    uv_close((uv_handle_t *)&loop->prepare, handle_closed);
    uv_close((uv_handle_t *)&loop->check, handle_closed);
    uv_close((uv_handle_t *)&loop->timer, handle_closed);
}

void ajob_loop_close(ajob_loop *loop, void (*closed)(void *data), void *data) {
    loop->closed = closed;
    loop->closed_data = data;
    loop->close_wanted = loop->root != NULL;
    if (loop->root)
        ajob_kill(loop->root, "the closing of its loop");
    else
        loop_close_handles(loop);
}

static void set_flag(void *flag) {
    *(bool *)flag = true;
}

void ajob_loop_free(ajob_loop *loop) {
    bool is_closed = false;
    if (!loop)
        return;
    bool owns_uv = loop->owns_uv;
    uv_loop_t *uv = loop->uv;
    ajob_loop_close(loop, set_flag, &is_closed);
    while (!is_closed)
        uv_run(uv, UV_RUN_ONCE);
    if (!owns_uv)
        return;
    if (uv_loop_close(uv)) {
#ifdef AJOB_DEBUG
        uv_print_all_handles(uv, stderr);
        abort(); /* something of ours was not closed */
#endif
    }
    mem_free(loop);
}

void loop_add_module(struct ajob_loop *loop, struct loop_module *module) {
    module->next = loop->modules;
    loop->modules = module;
}

struct loop_module *loop_find_module(const struct ajob_loop *loop, const void *key) {
    struct loop_module *module = loop->modules;
    while (module && module->key != key)
        module = module->next;
    return module;
}

struct loop_module *loop_module(struct ajob_loop *loop, const void *key, size_t size,
                                void (*free)(struct loop_module *module)) {
    struct loop_module *module = loop_find_module(loop, key);
    if (module)
        return module;
    module = mem_new(size);
    if (!module) {
        loop_fail_memory(loop);
        return NULL;
    }
    module->key = key;
    module->free = free;
    loop_add_module(loop, module);
    return module;
}

unsigned ajob_processors(void) {
    return uv_available_parallelism();
}
