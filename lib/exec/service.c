/*
 * service.c - the kind of task that serves others: a command, and a probe that finds
 * out when it is ready.
 *
 * When it is to stop is the core's to know (core/service.c). Here is said when it is
 * ready, and how an attempt ended: before it was ready or after, by itself or told
 * to. The attempt is over when the command is, and the probe's own command, too.
 */
#include "base/mem.h"
#include "base/text.h"
#include "core/loop.h"
#include "exec/command.h"
#include "exec/probe.h"

struct service {
    struct command command;
    struct probe_plan *plan; /* NULL: it is ready when it runs */
    struct probe *probe;     /* from the start of the process to the end of the attempt */
    struct deadline soon;    /* without a probe, or memory for it: the next turn */
    struct outcome outcome;  /* meaningful once the command is over */
    bool has_started, was_ready;
    bool lacks_memory; /* for the probe */
};

static struct service *service_of(const struct ajob_task *task) {
    return (struct service *)task;
}

/* ---- being ready ------------------------------------------------------- */

static void is_ready(void *owner, const char *value) {
    struct service *service = owner;
    service->was_ready = true;
    service->command.wants_lines = false;
    task_became_ready(&service->command.task, value);
}

static void soon_is_due(struct deadline *deadline) {
    struct service *service = (struct service *)((char *)deadline - offsetof(struct service, soon));
    if (service->lacks_memory)
        command_stop(&service->command.task, STOP_HARD);
    else
        is_ready(service, NULL);
}

/* Perhaps it was the one that is waited for, so the attempt ends. */
static void line_was_lost(struct command *command) {
    struct service *service = (struct service *)command;
    struct ajob_loop *loop = command->task.loop;
    if (service->was_ready)
        return;
    service->lacks_memory = true;
    deadline_arm(&loop->deadlines, &service->soon, loop_now_ms(loop));
}

static void line_came(struct command *command, const char *line, size_t length) {
    struct service *service = (struct service *)command;
    if (service->probe && !probe_line(service->probe, line, length))
        line_was_lost(command);
}

static void value_came(struct command *command, const char *value) {
    struct service *service = (struct service *)command;
    if (service->probe && value)
        probe_value(service->probe, value);
}

/* ---- an attempt -------------------------------------------------------- */

/* The core gives the cause of one that was told to stop. */
static void report(struct service *service) {
    struct outcome outcome = service->outcome;
    const char *cause = outcome.cause ? outcome.cause : "exit 0";
    char *whole = NULL;
    if (service->lacks_memory)
        whole = mem_copy("out of memory");
    else if (service->has_started)
        whole = text_new(service->was_ready ? "ended while it was needed: %s"
                                            : "ended before it was ready: %s",
                         cause);
    if (whole) {
        mem_free(outcome.cause);
        outcome.cause = whole;
    }
    outcome.succeeded = false;
    outcome.is_retryable = !service->was_ready;
    task_attempt_over(&service->command.task, outcome);
}

static void probe_is_gone(void *owner) {
    report(owner);
}

static void command_is_over(struct command *command, struct outcome outcome) {
    struct service *service = (struct service *)command;
    struct probe *probe = service->probe;
    service->outcome = outcome;
    service->probe = NULL;
    deadline_disarm(&command->task.loop->deadlines, &service->soon);
    if (probe_stop(probe))
        report(service);
}

static void command_has_started(struct command *command) {
    static const struct probe_owner owner = {is_ready, probe_is_gone};
    struct service *service = (struct service *)command;
    const struct spawn *spawn = command_spawn(command);
    struct ajob_loop *loop = command->task.loop;
    service->has_started = true;
    if (service->plan)
        service->probe = probe_start(&(struct probe_setup){.task = &command->task,
                                                           .plan = service->plan,
                                                           .dir = spawn->dir,
                                                           .env = spawn->env,
                                                           .owner = &owner,
                                                           .data = service});
    service->lacks_memory = service->plan && !service->probe;
    if (!service->probe)
        deadline_arm(&loop->deadlines, &service->soon, loop_now_ms(loop));
}

static void start(struct ajob_task *task) {
    struct service *service = service_of(task);
    service->has_started = service->was_ready = service->lacks_memory = false;
    service->command.extra_as = service->plan ? probe_plan_fd(service->plan) : 0;
    service->command.wants_lines = service->plan && probe_plan_wants_lines(service->plan);
    command_start(task);
}

static void free_service(struct ajob_task *task) {
    struct service *service = service_of(task);
    deadline_done(&task->loop->deadlines, &service->soon);
    command_free(task);
    probe_plan_free(service->plan);
}

static const struct command_hooks hooks = {
    .started = command_has_started,
    .line = line_came,
    .line_lost = line_was_lost,
    .extra_line = value_came,
    .over = command_is_over,
};

static const struct task_kind service_kind = {
    .name = "service",
    .size = sizeof(struct service),
    .is_service = true,
    .start = start,
    .stop = command_stop,
    .slots = command_slots,
    .pid = command_pid,
    .free = free_service,
};

/* ---- ajob.h ------------------------------------------------------------ */

/* NULL in *ret_plan: it needs none. */
static int make_plan(ajob_loop *loop, const ajob_ready_options *ready,
                     struct probe_plan **ret_plan) {
    struct text error = TEXT_INIT(TEXT_LINE_MAX);
    *ret_plan = NULL;
    if (!ready || ready->probe == AJOB_READY_AT_START)
        return 0;
    *ret_plan = probe_plan_new(ready, &error);
    int code = 0;
    if (!*ret_plan)
        code = error.length ? loop_fail(loop, AJOB_EINVAL, "service: %s", text_string(&error))
                            : loop_fail_memory(loop);
    text_done(&error);
    return code;
}

static int set(struct service *service, const ajob_exec_options *options,
               const ajob_ready_options *ready) {
    struct probe_plan *plan;
    int error = make_plan(service->command.task.loop, ready, &plan);
    if (!error)
        error = command_set(&service->command, options);
    if (error) {
        probe_plan_free(plan);
        return error;
    }
    probe_plan_free(service->plan);
    service->plan = plan;
    return 0;
}

ajob_task *ajob_service(ajob_loop *loop, const ajob_exec_options *options,
                        const ajob_ready_options *ready) {
    struct service *service = task_new(loop, &service_kind);
    if (!service)
        return NULL;
    service->command.hooks = &hooks;
    if (!deadline_init(&loop->deadlines, &service->soon, soon_is_due)) {
        loop_fail_memory(loop);
        return NULL;
    }
    service->soon.depth = UINT32_MAX;
    return set(service, options, ready) ? NULL : &service->command.task;
}

int ajob_service_change(ajob_task *task, const ajob_exec_options *options,
                        const ajob_ready_options *ready) {
    if (task->kind != &service_kind)
        return loop_fail(task->loop, AJOB_EINVAL, "a %s is no service", task->kind->name);
    return set(service_of(task), options, ready);
}
