/*
 * probe_exec.c - does a command exit with 0. What it prints is dropped; one that
 * takes too long, or that nobody waits for any more, is killed with its group.
 */
#include "base/mem.h"
#include "core/loop.h"
#include "exec/probe_look.h"
#include "exec/process.h"

struct exec_look {
    struct look look;
    struct ajob_loop *loop;
    const struct probe_owner *owner;
    void *data;
    struct spawn spawn;
    struct process *process;
    struct deadline bound;
    bool *is_gone; /* abandon() wants to know; else NULL */
};

static void drop(void *data, enum spawn_pipe pipe, const char *text, size_t length) {
    (void)data, (void)pipe, (void)text, (void)length;
}

static bool is_never_full(void *data) {
    (void)data;
    return false;
}

static bool is_patient(void *data) {
    (void)data;
    return true;
}

static void free_look(struct exec_look *exec) {
    deadline_done(&exec->loop->deadlines, &exec->bound);
    mem_free(exec);
}

static void is_over(void *data, struct process_end end) {
    struct exec_look *exec = data;
    bool is_abandoned = !exec->look.probe;
    if (exec->is_gone)
        *exec->is_gone = true;
    else if (is_abandoned)
        exec->owner->gone(exec->data);
    else
        look_over(&exec->look, !end.failure && end.exit == 0);
    mem_free(end.failure);
    free_look(exec);
}

static void bound_is_due(struct deadline *deadline) {
    struct exec_look *exec =
        (struct exec_look *)((char *)deadline - offsetof(struct exec_look, bound));
    process_stop(exec->process, STOP_HARD);
}

static struct look *begin(struct probe *probe) {
    static const struct process_owner owner = {
        {drop, is_never_full, is_patient}, is_over, NULL, NULL};
    const struct probe_setup *setup = look_setup(probe);
    struct ajob_loop *loop = setup->task->loop;
    struct reaper *reaper = reaper_of(loop);
    struct exec_look *exec = reaper ? mem_new(sizeof *exec) : NULL;
    struct process_end end;
    if (!exec || !deadline_init(&loop->deadlines, &exec->bound, bound_is_due)) {
        mem_free(exec);
        return NULL;
    }
    exec->look.probe = probe;
    exec->loop = loop;
    exec->owner = setup->owner;
    exec->data = setup->data;
    exec->spawn = (struct spawn){
        .argv = (const char *const *)setup->plan->argv, .env = setup->env, .dir = setup->dir};
    if (!process_start(reaper, &exec->spawn, false, &owner, exec, &exec->process, &end)) {
        look_failed(probe, end.failure ? end.failure : "out of memory");
        mem_free(end.failure);
        free_look(exec);
        return NULL;
    }
    deadline_arm(&loop->deadlines, &exec->bound, loop_due_ms(loop, LOOK_COMMAND_MS));
    return &exec->look;
}

static bool abandon(struct look *look) {
    struct exec_look *exec = (struct exec_look *)look;
    bool is_gone = false;
    exec->is_gone = &is_gone;
    process_stop(exec->process, STOP_HARD);
    if (!is_gone)
        exec->is_gone = NULL;
    return is_gone;
}

const struct look_kind look_exec = {.begin = begin, .abandon = abandon};
