/*
 * future.c - the kind whose work the caller does: asyncio's Future with a start.
 */
#include "base/mem.h"
#include "core/loop.h"
#include "core/task.h"

struct future {
    struct ajob_task task;
    ajob_future_options options;
};

static void start(struct ajob_task *task) {
    struct future *future = (struct future *)task;
    future->options.start(task, future->options.data);
}

static void stop(struct ajob_task *task, enum stop_how how) {
    struct future *future = (struct future *)task;
    if (future->options.stop)
        future->options.stop(task, how == STOP_HARD, future->options.data);
}

static size_t no_slots(const struct ajob_task *task, struct slot slots[KIND_SLOTS_MAX]) {
    (void)task;
    (void)slots;
    return 0;
}

static const struct task_kind future_kind = {
    .name = "future",
    .size = sizeof(struct future),
    .start = start,
    .stop = stop,
    .slots = no_slots,
};

static const struct task_kind idle_future_kind = {
    .name = "future",
    .size = sizeof(struct future),
    .start = start,
    .stop = stop,
};

ajob_task *ajob_future(ajob_loop *loop, const ajob_future_options *options) {
    if (!options || !options->start) {
        loop_fail(loop, AJOB_EINVAL, "future: it has no start()");
        return NULL;
    }
    struct future *future =
        task_new(loop, options->holds_no_slot ? &idle_future_kind : &future_kind);
    if (!future)
        return NULL;
    future->options = *options;
    return &future->task;
}

void ajob_resolve(ajob_task *task, const char *failure) {
    struct outcome outcome = {.succeeded = !failure, .is_retryable = true, .exit = -1};
    if (failure)
        outcome.cause = mem_copy(failure);
    task_attempt_over(task, outcome);
}
