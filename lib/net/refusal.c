/* refusal.c - a task that fails with a cause known beforehand. See refusal.h. */
#include "net/refusal.h"

#include "base/mem.h"
#include "core/loop.h"
#include "core/task.h"

struct refusal {
    struct ajob_task task;
    char *cause;
};

static void start(struct ajob_task *task) {
    char *cause = mem_copy(((struct refusal *)task)->cause);
    task_attempt_over(task, (struct outcome){.cause = cause, .exit = -1});
}

static void stop(struct ajob_task *task, enum stop_how how) {
    (void)task;
    (void)how;
}

static void release(struct ajob_task *task) {
    mem_free(((struct refusal *)task)->cause);
}

static const struct task_kind refusal_kind = {
    .name = "get",
    .size = sizeof(struct refusal),
    .start = start,
    .stop = stop,
    .free = release,
};

ajob_task *refusal_new(ajob_loop *loop, const char *cause) {
    struct refusal *refusal = task_new(loop, &refusal_kind);
    if (!refusal)
        return NULL;
    refusal->cause = mem_copy(cause);
    if (!refusal->cause) {
        loop_fail_memory(loop);
        return NULL;
    }
    return &refusal->task;
}
