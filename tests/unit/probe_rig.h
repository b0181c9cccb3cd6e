/*
 * probe_rig.h - a trial of a probe on a real loop: a task that ends when the
 * probe is ready, or times out.
 */
#ifndef PROBE_RIG_H
#define PROBE_RIG_H

#include <dirent.h>
#include <unistd.h>

#include "ajob.h"
#include "base/mem.h"
#include "check.h"
#include "core/loop.h"
#include "core/task.h"
#include "exec/probe_look.h"

enum { SOON_MS = 20000, NEVER_MS = 250, INTERVAL_MS = 10 };

static struct trial {
    ajob_loop *loop;
    ajob_task *task;
    struct probe_plan *plan;
    struct probe *probe;
    const char *dir;
    unsigned readies, ticks;
    char value[2 * PROBE_VALUE_MAX];
    void (*each_tick)(void);
} trial;

static inline int count_descriptors(void) {
    DIR *dir = opendir("/proc/self/fd");
    int count = 0;
    while (dir && readdir(dir))
        count++;
    if (dir)
        closedir(dir);
    return count;
}

static inline void is_ready(void *data, const char *value) {
    CHECK(data == &trial);
    trial.readies++;
    snprintf(trial.value, sizeof trial.value, "%s", value ? value : "(none)");
    ajob_resolve(trial.task, NULL);
}

static inline void is_gone(void *data) {
    (void)data;
}

static inline void begin_trial(ajob_task *task, void *data) {
    static const struct probe_owner owner = {is_ready, is_gone};
    (void)data;
    trial.probe = probe_start(&(struct probe_setup){
        .task = task, .plan = trial.plan, .dir = trial.dir, .owner = &owner, .data = &trial});
    if (!trial.probe)
        ajob_resolve(task, "no probe");
}

static inline void stop_trial(ajob_task *task, bool hard, void *data) {
    (void)hard, (void)data;
    ajob_resolve(task, "stopped");
}

static inline void tick(void *data) {
    (void)data;
    trial.ticks++;
    if (trial.each_tick && trial.task->state == AJOB_RUNNING)
        trial.each_tick();
}

static inline void open_trial(const ajob_ready_options *options) {
    struct text error = TEXT_INIT(TEXT_LINE_MAX);
    ajob_ready_options quick = *options;
    quick.interval_ms = INTERVAL_MS;
    memset(&trial, 0, sizeof trial);
    trial.loop = ajob_loop_new(NULL);
    trial.plan = probe_plan_new(&quick, &error);
    CHECK(trial.plan != NULL);
    CHECK_TEXT(text_string(&error), "");
    text_done(&error);
    ajob_every(trial.loop, INTERVAL_MS, tick, NULL);
    trial.task =
        ajob_future(trial.loop, &(ajob_future_options){.start = begin_trial, .stop = stop_trial});
}

/* Runs it; returns how it ended. The loop is there until close_trial(). */
static inline enum ajob_status run_trial(uint64_t timeout_ms) {
    ajob_set_timeout(trial.task, timeout_ms);
    ajob_run(trial.loop, trial.task);
    CHECK(probe_stop(trial.probe));
    trial.probe = NULL;
    CHECK_NUMBER(trial.readies, ajob_task_status(trial.task) == AJOB_SUCCEEDED);
    return ajob_task_status(trial.task);
}

static inline void close_trial(void) {
    probe_plan_free(trial.plan);
    ajob_loop_free(trial.loop);
}

#endif
