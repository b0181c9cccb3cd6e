/*
 * sleep.c - the kind that succeeds after a time. The smallest kind there is:
 * a model for a new one.
 */
#include "core/loop.h"
#include "core/task.h"

struct sleep {
    struct ajob_task task;
    struct deadline over;
    uint64_t duration_ms;
};

static void time_is_over(struct deadline *deadline) {
    struct sleep *sleep = (struct sleep *)((char *)deadline - offsetof(struct sleep, over));
    task_attempt_over(&sleep->task, (struct outcome){.succeeded = true, .exit = -1});
}

static void start(struct ajob_task *task) {
    struct sleep *sleep = (struct sleep *)task;
    deadline_arm(&task->loop->deadlines, &sleep->over, loop_due_ms(task->loop, sleep->duration_ms));
}

static void stop(struct ajob_task *task, enum stop_how how) {
    struct sleep *sleep = (struct sleep *)task;
    (void)how;
    deadline_disarm(&task->loop->deadlines, &sleep->over);
    task_attempt_over(task, (struct outcome){.exit = -1});
}

static void release(struct ajob_task *task) {
    deadline_done(&task->loop->deadlines, &((struct sleep *)task)->over);
}

static const struct task_kind sleep_kind = {
    .name = "sleep",
    .size = sizeof(struct sleep),
    .start = start,
    .stop = stop,
    .free = release,
};

ajob_task *ajob_sleep(ajob_loop *loop, uint64_t duration_ms) {
    struct sleep *sleep = task_new(loop, &sleep_kind);
    if (!sleep)
        return NULL;
    sleep->duration_ms = duration_ms;
    if (!deadline_init(&loop->deadlines, &sleep->over, time_is_over)) {
        loop_fail_memory(loop);
        return NULL;
    }
    sleep->over.depth = UINT32_MAX; /* after all timeouts of that time */
    return &sleep->task;
}
