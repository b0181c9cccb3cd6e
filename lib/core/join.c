/* join.c - the kind that succeeds at once. See join.h. */
#include "core/join.h"

static void start(struct ajob_task *task) {
    task_attempt_over(task, (struct outcome){.succeeded = true, .exit = -1});
}

static void stop(struct ajob_task *task, enum stop_how how) {
    (void)task, (void)how; /* it is over before it can be stopped */
}

static const struct task_kind join_kind = {
    .name = "join",
    .size = sizeof(struct ajob_task),
    .start = start,
    .stop = stop,
};

ajob_task *join_new(ajob_loop *loop) {
    return task_new(loop, &join_kind);
}
