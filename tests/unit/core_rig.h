/*
 * core_rig.h - a loop whose clock and whose work are the test's.
 *
 * No time passes but by pass(); nothing moves but by turn(). Work is a future
 * that records its calls; the test resolves it, in any order. A listener writes
 * down the events and checks what holds for every run: seq without gaps, a task
 * ends once, a group after all that is in it.
 */
#ifndef CORE_RIG_H
#define CORE_RIG_H

#include "ajob.h"
#include "base/mem.h"
#include "check.h"
#include "core/group.h"
#include "core/loop.h"
#include "core/pool.h"
#include "core/task.h"

enum { RIG_LOG_MAX = 1 << 16 };

static struct {
    ajob_loop *loop;
    uint64_t now_ns;
    uint64_t seq;
    size_t ended;    /* tasks that have ended, the root not if it is a group */
    bool is_quiet;   /* no log */
    unsigned done;   /* calls of done() */
    struct text log; /* "a started; a failed: boom; " */
} rig;

/* What a future is asked to do. */
struct work {
    ajob_task *task;
    unsigned starts, stops, hards;
    bool resolves_when_stopped;
};

static inline uint64_t rig_clock(void) {
    return rig.now_ns;
}

static inline void rig_check_ended(const ajob_event *event) {
    const ajob_task *task = event->task;
    CHECK(ajob_task_state(task) == AJOB_ENDED);
    CHECK(event->status != AJOB_UNDECIDED);
    CHECK((event->cause == NULL) == (event->status == AJOB_SUCCEEDED));
    CHECK(!task->parent || task->parent->state != AJOB_ENDED);
    if (task->kind->is_group)
        for (const ajob_task *child = group_of(task)->first; child; child = child->next)
            CHECK(child->state == AJOB_ENDED);
    rig.ended++;
}

static inline void rig_listen(const ajob_event *event, void *data) {
    (void)data;
    CHECK_NUMBER(event->seq, ++rig.seq);
    if (event->type == AJOB_TASK_ENDED)
        rig_check_ended(event);
    if (rig.is_quiet)
        return;
    if (event->path)
        text_format(&rig.log, "%s ", event->path);
    if (event->type == AJOB_TASK_ENDED || event->type == AJOB_RUN_ENDED)
        text_format(&rig.log, "%s", ajob_status_name(event->status));
    else
        text_format(&rig.log, "%s", strchr(ajob_event_name(event->type), '.') + 1);
    if (event->cause)
        text_format(&rig.log, ": %s", event->cause);
    text_add(&rig.log, event->type == AJOB_RUN_ENDED ? "\n" : "; ");
}

static inline void rig_done(ajob_task *task, void *data) {
    (void)task, (void)data;
    rig.done++;
}

/* Opens the loop; grace as given (0: the default of 5 s). */
static inline ajob_loop *rig_open(uint64_t grace_ms) {
    text_done(&rig.log);
    memset(&rig, 0, sizeof rig);
    rig.now_ns = UINT64_C(1000000000000);
    rig.log.max = RIG_LOG_MAX;
    rig.loop = ajob_loop_new(&(ajob_loop_options){.grace_ms = grace_ms});
    if (CHECK(rig.loop != NULL)) {
        rig.loop->clock_ns = rig_clock;
        rig.loop->random = 12345;
        CHECK_NUMBER(ajob_on_event(rig.loop, rig_listen, NULL), 0);
    }
    return rig.loop;
}

/* No deadline and no slot is left behind a run. */
static inline void rig_close(void) {
    if (!rig.loop->root)
        CHECK_NUMBER(rig.loop->deadlines.count, 0);
    CHECK(!rig.loop->posted && !rig.loop->ended);
    for (ajob_pool *pool = rig.loop->pools; pool && !rig.loop->root; pool = pool->next) {
        CHECK_NUMBER(pool->used, 0);
        CHECK(!pool->first_waiter && !pool->last_waiter);
    }
    ajob_loop_free(rig.loop);
    text_done(&rig.log);
    rig.loop = NULL;
}

static inline void turn(void) {
    loop_turn(rig.loop);
}

/* Time passes, in one leap, and a turn comes. */
static inline void pass(uint64_t ms) {
    rig.now_ns += ms * 1000000;
    turn();
}

/* What was written down since the last take(); valid until the next one. */
static inline const char *take(void) {
    static char taken[RIG_LOG_MAX + 1];
    snprintf(taken, sizeof taken, "%s", text_string(&rig.log));
    text_clear(&rig.log);
    return taken;
}

static inline void rig_work_starts(ajob_task *task, void *data) {
    struct work *work = data;
    CHECK(work->task == task && task->state == AJOB_RUNNING);
    work->starts++;
}

static inline void rig_work_stops(ajob_task *task, bool hard, void *data) {
    struct work *work = data;
    CHECK(work->task == task && task->state == AJOB_STOPPING);
    CHECK(work->hards == 0 && (hard || work->stops == 0));
    work->stops += !hard;
    work->hards += hard;
    if (work->resolves_when_stopped)
        ajob_resolve(task, "stopped");
}

/* A future named so in a group (NULL: none), whose calls work records. */
static inline ajob_task *make(struct work *work, const char *name, ajob_task *group) {
    *work = (struct work){0};
    work->task = ajob_future(
        rig.loop,
        &(ajob_future_options){.start = rig_work_starts, .stop = rig_work_stops, .data = work});
    if (CHECK(work->task != NULL) && name)
        CHECK_NUMBER(ajob_set_name(work->task, name), 0);
    if (work->task && group)
        CHECK_NUMBER(ajob_group_add(group, work->task), 0);
    return work->task;
}

/* A group named so in a group (NULL: none). */
static inline ajob_task *make_group(enum ajob_policy policy, const char *name, ajob_task *group) {
    ajob_task *task = ajob_group(rig.loop, &(ajob_group_options){.policy = policy});
    if (CHECK(task != NULL) && name)
        CHECK_NUMBER(ajob_set_name(task, name), 0);
    if (task && group)
        CHECK_NUMBER(ajob_group_add(group, task), 0);
    return task;
}

static inline void start_run(ajob_task *root) {
    int error = ajob_start(rig.loop, root, rig_done, NULL);
    if (!CHECK_NUMBER(error, 0))
        printf("# %s\n", ajob_error(rig.loop));
    rig.seq = 0;
    turn();
}

/* The task has ended so; cause NULL: it succeeded. */
#define CHECK_ENDED(task, expected, expected_cause)                                                \
    do {                                                                                           \
        CHECK_TEXT(ajob_status_name(ajob_task_status(task)), ajob_status_name(expected));          \
        CHECK_TEXT(ajob_task_cause(task), expected_cause);                                         \
    } while (0)

#endif
