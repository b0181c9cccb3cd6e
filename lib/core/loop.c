/* loop.c - the loop: turns and the run. Opening and closing: loop_open.c. See loop.h. */
#include "core/loop.h"

#include <signal.h>

#include "base/mem.h"
#include "core/check.h"
#include "core/event.h"
#include "core/group.h"
#include "core/pool.h"
#include "core/signals.h"

/* ---- time -------------------------------------------------------------- */

uint64_t loop_now_ns(const struct ajob_loop *loop) {
    return loop->clock_ns() - loop->suspended_ns;
}

uint64_t loop_now_ms(const struct ajob_loop *loop) {
    return loop_now_ns(loop) / 1000000;
}

uint64_t loop_due_ms(const struct ajob_loop *loop, uint64_t delay_ms) {
    uint64_t now_ms = (loop_now_ns(loop) + 999999) / 1000000;
    return deadline_after(now_ms, delay_ms);
}

uint32_t loop_random(struct ajob_loop *loop) {
    loop->random ^= loop->random << 13; /* xorshift32 */
    loop->random ^= loop->random >> 17;
    loop->random ^= loop->random << 5;
    return loop->random;
}

/* ---- turns ------------------------------------------------------------- */

void loop_post(struct ajob_loop *loop, struct ajob_task *task) {
    if (task->is_posted || task->state == AJOB_ENDED)
        return;
    task->is_posted = true;
    task->post_next = NULL;
    if (loop->posted)
        loop->last_posted->post_next = task;
    else
        loop->posted = task;
    loop->last_posted = task;
}

static struct ajob_task *take_posted(struct ajob_loop *loop) {
    struct ajob_task *task = loop->posted;
    if (task) {
        loop->posted = task->post_next;
        task->is_posted = false;
    }
    return task;
}

void loop_post_ended(struct ajob_loop *loop, struct ajob_task *task) {
    task->end_next = NULL;
    if (loop->ended)
        loop->last_ended->end_next = task;
    else
        loop->ended = task;
    loop->last_ended = task;
}

/* What needs the task, directly or not, learns of its end before its group
 * does: so what a failure skips is skipped, not cancelled with the siblings.
 * While the first pass goes over the list, what it skips is added behind. */
static void tell_of_ends(struct ajob_loop *loop) {
    for (struct ajob_task *task = loop->ended; task; task = task->end_next)
        for (struct edge *edge = task->needers; edge; edge = edge->next_needer) {
            if (edge->is_met)
                continue;
            task_need_ended(edge);
            if (task->status != AJOB_SUCCEEDED && !task_is_finalizer(edge->task))
                task_step(edge->task);
        }
    struct ajob_task *next = loop->ended;
    loop->ended = NULL;
    while (next) {
        struct ajob_task *task = next;
        next = task->end_next;
        if (task->parent)
            group_child_ended(group_of(task->parent), task);
        task_release_needs(task);
        if (task->ended)
            task->ended(task, task->ended_data);
        if (task->parent)
            group_forget(group_of(task->parent), task);
    }
}

static void run_is_over(struct ajob_loop *loop);

static void free_forgotten(struct ajob_loop *loop) {
    while (loop->forgotten) {
        struct ajob_task *task = loop->forgotten;
        loop->forgotten = task->end_next;
        task_free(task);
    }
}

static bool is_swept(struct ajob_loop *loop) {
    bool is_swept = true;
    for (struct loop_module *module = loop->modules; module; module = module->next)
        if (module->sweep && !module->sweep(module, loop->is_killing))
            is_swept = false;
    return is_swept;
}

/* Tasks that end at once could go on for ever, with no signal being heard. */
static bool is_long(const struct ajob_loop *loop, uint64_t since_ns, unsigned steps) {
    enum { LONG_NS = 20000000, LOOK_AFTER = 256 };
    return steps % LOOK_AFTER == 0 && loop_now_ns(loop) - since_ns > LONG_NS;
}

static void turn(struct ajob_loop *loop, bool fires_deadlines) {
    struct ajob_task *task;
    unsigned steps = 0;
    bool is_over = false;
    if (loop->in_turn)
        return;
    loop->in_turn = true;
    uint64_t began_ns = loop_now_ns(loop);
    loop->turn_ms = began_ns / 1000000;
    if (loop->root)
        event_run_started(loop);
    if (fires_deadlines)
        deadline_fire(&loop->deadlines, loop_now_ms(loop));
    do {
        while (!is_over && (task = take_posted(loop))) {
            task_step(task);
            if (loop->ended)
                tell_of_ends(loop);
            is_over = is_long(loop, began_ns, ++steps);
        }
        if (!loop->posted) /* one of them may be in that list */
            free_forgotten(loop);
        for (struct loop_module *module = loop->modules; module; module = module->next)
            if (module->turn_ended)
                module->turn_ended(module);
    } while (loop->posted && !is_over);
    loop->in_turn = false;
    if (loop->root && loop->root->state == AJOB_ENDED && is_swept(loop))
        run_is_over(loop);
}

void loop_turn(struct ajob_loop *loop) {
    turn(loop, true);
}

static void timer_fired(uv_timer_t *timer) {
    (void)timer; /* the turn that follows sees what is due */
}

static void turn_from_uv(struct ajob_loop *loop, bool fires_deadlines) {
    turn(loop, fires_deadlines);
    struct deadline *first = deadline_first(&loop->deadlines);
    if (!loop->root || !(first || loop->posted)) {
        uv_timer_stop(&loop->timer);
        return;
    }
    uint64_t now_ms = loop_now_ms(loop);
    bool is_late = loop->posted || first->at_ms <= now_ms;
    uv_update_time(loop->uv);
    uv_timer_start(&loop->timer, timer_fired, is_late ? 0 : first->at_ms - now_ms, 0);
}

static void before_poll(uv_prepare_t *prepare) {
    turn_from_uv(prepare->data, false);
}

/* What was due already at the poll before this: that a poll was interrupted by the
 * signal of a child's end does not make its timeout come before its end. */
static void after_poll(uv_check_t *check) {
    struct ajob_loop *loop = check->data;
    const struct deadline *first = deadline_first(&loop->deadlines);
    bool is_due = first && first->at_ms <= loop_now_ms(loop);
    bool fires = is_due && loop->was_due;
    loop->was_due = is_due && !fires;
    turn_from_uv(loop, fires);
}

/* By its own signal, unhandled: so the system does not stop us where nobody could let
 * us go on (in an orphaned process group). */
static void stop_here(void) {
    struct sigaction by_default = {.sa_handler = SIG_DFL}, before;
    sigaction(SIGTSTP, &by_default, &before);
    raise(SIGTSTP);
    sigaction(SIGTSTP, &before, NULL);
}

void loop_suspend(struct ajob_loop *loop) {
    for (struct loop_module *module = loop->modules; module; module = module->next)
        if (module->suspend)
            module->suspend(module, true);
    uint64_t stopped_ns = loop->clock_ns();
    stop_here();
    loop->suspended_ns += loop->clock_ns() - stopped_ns;
    for (struct loop_module *module = loop->modules; module; module = module->next)
        if (module->suspend)
            module->suspend(module, false);
}

/* ---- the run ----------------------------------------------------------- */

static void tick_is_due(struct deadline *deadline) {
    struct tick *tick = (struct tick *)((char *)deadline - offsetof(struct tick, deadline));
    deadline_arm(&tick->loop->deadlines, deadline, loop_due_ms(tick->loop, tick->interval_ms));
    tick->call(tick->data);
}

int ajob_every(ajob_loop *loop, uint64_t interval_ms, ajob_tick_fn *call, void *data) {
    struct tick *tick = mem_new(sizeof *tick);
    if (!tick || !deadline_init(&loop->deadlines, &tick->deadline, tick_is_due)) {
        mem_free(tick);
        return loop_fail_memory(loop);
    }
    tick->loop = loop;
    tick->interval_ms = interval_ms ? interval_ms : 1;
    tick->call = call;
    tick->data = data;
    tick->next = loop->ticks;
    loop->ticks = tick;
    if (loop->root)
        deadline_arm(&loop->deadlines, &tick->deadline, loop_due_ms(loop, tick->interval_ms));
    return 0;
}

static int status_for_shell(const struct ajob_loop *loop) {
    switch ((enum ajob_status)loop->root->status) {
    case AJOB_SUCCEEDED:
        return loop->exit_signal ? 128 + loop->exit_signal : loop->has_lost_output;
    case AJOB_TIMED_OUT:
        return 124;
    case AJOB_CANCELLED:
        return loop->exit_signal ? 128 + loop->exit_signal : 1;
    case AJOB_UNDECIDED:
    case AJOB_FAILED:
    case AJOB_SKIPPED:
    case AJOB_STATUS_COUNT:
        break;
    }
    return loop->exit_signal ? 128 + loop->exit_signal : 1;
}

static void run_is_over(struct ajob_loop *loop) {
    struct ajob_task *root = loop->root;
    loop->exit_status = status_for_shell(loop);
    for (struct tick *tick = loop->ticks; tick; tick = tick->next) {
        deadline_disarm(&loop->deadlines, &tick->deadline);
        tick->call(tick->data);
    }
    if (loop->signals) /* who writes the last event may have to wait for a reader */
        signals_stop(loop->signals);
    event_run_ended(loop);
    loop->root = NULL;
    if (loop->signals)
        signals_restore(loop->signals);
    uv_prepare_stop(&loop->prepare);
    uv_check_stop(&loop->check);
    uv_timer_stop(&loop->timer);
    if (loop->is_blocking) /* another of the caller's handles may keep the loop busy */
        uv_stop(loop->uv);
    if (loop->done)
        loop->done(root, loop->done_data);
    if (loop->close_wanted)
        loop_close_handles(loop);
}

int ajob_start(ajob_loop *loop, ajob_task *task, ajob_done_fn *done, void *data) {
    if (loop->root || loop->closing)
        return loop_fail(loop, AJOB_EBUSY, "the loop already has a run");
    int error = check_run(loop, task);
    if (error)
        return error;
    loop->root = task;
    task->number = 1;
    loop->done = done;
    loop->done_data = data;
    loop->exit_signal = loop->exit_status = 0;
    loop->is_killing = false;
    loop->seq = 0;
    loop->is_announced = false;
    memset(loop->counts, 0, sizeof loop->counts);
    loop->done_before = 0;
    loop->run_started_ns = loop_now_ns(loop);
    for (struct tick *tick = loop->ticks; tick; tick = tick->next)
        deadline_arm(&loop->deadlines, &tick->deadline, loop_due_ms(loop, tick->interval_ms));
    if (loop->signals)
        signals_start(loop->signals);
    uv_prepare_start(&loop->prepare, before_poll);
    uv_check_start(&loop->check, after_poll);
    loop_post(loop, task);
    return 0;
}

int ajob_run(ajob_loop *loop, ajob_task *task) {
    enum { OWN_FAULT = 125 };
    if (!task || ajob_start(loop, task, NULL, NULL))
        return OWN_FAULT;
    loop->is_blocking = true;
    while (loop->root)
        uv_run(loop->uv, UV_RUN_ONCE);
    loop->is_blocking = false;
    return loop->exit_status;
}

int ajob_exit_status(const ajob_loop *loop) {
    return loop->exit_status;
}

int ajob_exit_signal(const ajob_loop *loop) {
    return loop->exit_signal;
}

/* ---- errors ------------------------------------------------------------ */

int loop_fail(struct ajob_loop *loop, int code, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    text_clear(&loop->error);
    text_vformat(&loop->error, format, arguments);
    va_end(arguments);
    if (loop->error.length)
        loop->error.length = strlen(ajob_hide_secrets(loop->error.data));
    return code;
}

int loop_fail_memory(struct ajob_loop *loop) {
    return loop_fail(loop, AJOB_ENOMEM, "out of memory");
}

const char *ajob_error(const ajob_loop *loop) {
    return text_ok(&loop->error) ? text_string(&loop->error) : "out of memory";
}
