/*
 * task.c - the life of a task: task_step(), and the facts that move it.
 *
 * See task.h for the idea. Reading order: task_step(), then what its arms call.
 * What a task learns from its needs is in task_needs.c; what people set before the
 * start, and looking at a task, in task_options.c; its memory in task_memory.c.
 */
#include "core/task.h"

#include <assert.h>

#include "base/mem.h"
#include "core/event.h"
#include "core/group.h"
#include "core/loop.h"
#include "core/pool.h"
#include "core/retry.h"

/* ---- changing state ---------------------------------------------------- */

static bool edge_is_legal(enum ajob_state from, enum ajob_state to) {
    static const uint8_t next[] = {
        [AJOB_PENDING] = 1 << AJOB_READY | 1 << AJOB_ENDED,
        [AJOB_READY] = 1 << AJOB_RUNNING | 1 << AJOB_ENDED,
        [AJOB_RUNNING] = 1 << AJOB_BACKOFF | 1 << AJOB_STOPPING | 1 << AJOB_ENDED,
        [AJOB_BACKOFF] = 1 << AJOB_READY | 1 << AJOB_ENDED,
        [AJOB_STOPPING] = 1 << AJOB_BACKOFF | 1 << AJOB_ENDED,
        [AJOB_ENDED] = 0,
    };
    return next[from] & 1 << to;
}

/* The one place where a state changes. */
static void go_to(struct ajob_task *task, enum ajob_state state) {
    bool is_legal = edge_is_legal(task->state, state);
    assert(is_legal);
    (void)is_legal;
    event_trace(task, state);
    task->state = (uint8_t)state;
    task->changed_ms = task->loop->turn_ms;
    task->phase_is_due = false;
}

/* The deadline is the earlier of the timeout and the phase's end. */
static void arm(struct ajob_task *task) {
    uint64_t at = task->timeout_at_ms;
    if (task->phase_at_ms && (!at || task->phase_at_ms < at))
        at = task->phase_at_ms;
    if (at)
        deadline_arm(&task->loop->deadlines, &task->deadline, at);
    else
        deadline_disarm(&task->loop->deadlines, &task->deadline);
}

static void set_phase_end(struct ajob_task *task, uint64_t at_ms) {
    task->phase_at_ms = at_ms;
    arm(task);
}

void task_set_cause(struct ajob_task *task, char *cause) {
    mem_free(task->cause);
    task->cause = cause;
}

static void end(struct ajob_task *task, enum ajob_status status) {
    struct ajob_loop *loop = task->loop;
    pool_give(task);
    pool_leave(task);
    deadline_disarm(&loop->deadlines, &task->deadline);
    task->timeout_at_ms = task->phase_at_ms = 0;
    task->status = (uint8_t)status;
    if (status == AJOB_SUCCEEDED)
        task_set_cause(task, NULL);
    go_to(task, AJOB_ENDED);
    if (task_is_counted(task))
        loop->counts[status]++;
    event_task_ended(task);
    if (task->kind->ended)
        task->kind->ended(task);
    loop_post_ended(loop, task);
}

/* As end(); a group that never started takes what is in it along, first. */
static void end_now(struct ajob_task *task, enum ajob_status status) {
    if (task->kind->is_group && !task->attempts)
        group_abandon(group_of(task), status);
    end(task, status);
}

void task_abandon(struct ajob_task *task, enum ajob_status status, const char *cause) {
    bool is_done = status == AJOB_SUCCEEDED; /* with its group, by an earlier run */
    bool has_verdict = task->need_failed && !task_is_finalizer(task) && !is_done;
    if (task->state == AJOB_ENDED)
        return;
    if (has_verdict)
        status = task->need_cancelled ? AJOB_CANCELLED : AJOB_SKIPPED;
    else
        task_set_cause(task, mem_copy(cause));
    end_now(task, status);
}

/* ---- the arms of task_step --------------------------------------------- */

static bool may_start(const struct ajob_task *task) {
    return task->parent ? group_of(task->parent)->is_open : task == task->loop->root;
}

/* A group around the task is to stop and has not passed it on: what is told to
 * the task in the same turn must not come before that (level-triggered). */
static bool stop_is_coming(const struct ajob_task *task) {
    bool is_reached = true;
    for (const struct ajob_task *around = task->parent; around; around = around->parent) {
        is_reached = is_reached && !group_cannot_reach(task);
        if (around->kill_wanted || (is_reached && around->wanted != AJOB_UNDECIDED))
            return true;
        task = around;
    }
    return false;
}

static void get_ready(struct ajob_task *task) {
    go_to(task, AJOB_READY);
    task->ticket = ++task->loop->tickets;
}

static void stop_attempt(struct ajob_task *task, enum stop_how how) {
    if (how == STOP_HARD)
        task->was_killed = true;
    if (!task->attempt_over)
        task->kind->stop(task, how);
}

static void tell_of_cancelling(const struct ajob_task *root) {
    static const char prefix[] = "cancelled by ";
    const char *cause = root->cause ? root->cause : "";
    bool is_prefixed = !strncmp(cause, prefix, sizeof prefix - 1);
    event_run_cancelling(root->loop, is_prefixed ? cause + sizeof prefix - 1 : cause);
}

/* A service is told to stop after what needed it has stopped: what that left of
 * the grace, or a second, is the service's. */
static uint64_t grace_end(const struct ajob_task *task) {
    enum { LEAST_MS = 1000 };
    uint64_t grace_ms = task->loop->grace_ms;
    uint64_t drained_at = task->parent ? group_of(task->parent)->drained_at_ms : 0;
    uint64_t end = loop_due_ms(task->loop, grace_ms);
    if (!task->is_serving || !drained_at)
        return end;
    uint64_t of_group = drained_at + grace_ms;
    uint64_t least = loop_due_ms(task->loop, grace_ms < LEAST_MS ? grace_ms : LEAST_MS);
    return of_group > least ? of_group : least;
}

static void begin_stopping(struct ajob_task *task) {
    go_to(task, AJOB_STOPPING);
    if (task == task->loop->root && task->wanted != AJOB_UNDECIDED)
        tell_of_cancelling(task);
    /* The children of a group have their own grace. */
    set_phase_end(task, task->kind->is_group ? 0 : grace_end(task));
    stop_attempt(task, task->kill_wanted ? STOP_HARD : STOP_POLITE);
}

/* The caller's last word before the attempt: it may be that there is none. */
static bool is_prepared(struct ajob_task *task) {
    const struct task_options *options = task->options;
    const char *cause =
        options && options->prepare ? options->prepare(task, options->prepare_data) : NULL;
    if (cause)
        task_attempt_over(task, (struct outcome){.exit = -1, .cause = mem_copy(cause)});
    return !cause;
}

static void begin_attempt(struct ajob_task *task) {
    const struct task_options *options = task->options;
    go_to(task, AJOB_RUNNING);
    task_set_cause(task, NULL);
    task->attempt_over = task->was_killed = task->attempt_timed_out = false;
    task->has_decided = task->is_serving = false;
    task->exit = -1;
    task->signal = 0;
    if (task->attempts++ == 0) {
        task->started_ns = loop_now_ns(task->loop);
        if (options && options->has_timeout)
            task->timeout_at_ms = loop_due_ms(task->loop, options->timeout_ms);
    }
    if (options && options->has_attempt_timeout)
        task->phase_at_ms = loop_due_ms(task->loop, options->attempt_timeout_ms);
    arm(task);
    if (task->attempts == 1)
        task_meet_needs(task, true);
    if (!task->kind->pid)
        event_task_started(task);
    if (is_prepared(task))
        task->kind->start(task);
    if (task->kind->pid)
        event_task_started(task);
}

static const ajob_retry *retry_of(const struct ajob_task *task) {
    bool has_own = task->options && task->options->has_retry;
    return has_own ? &task->options->retry : &task->kind->retry;
}

bool task_has_retries(const struct ajob_task *task) {
    return retry_of(task)->max > 0;
}

static bool is_retried(const struct ajob_task *task, const ajob_retry *retry) {
    if (!task->is_retryable || task->no_retry || task->failures > retry->max)
        return false;
    if (!retry->on)
        return true;
    for (size_t i = 0; i < retry->on_count; i++)
        if (task->exit >= 0 && retry->on[i] == task->exit)
            return true;
    return false;
}

/* The attempt failed by itself, or by its own timeout. */
static void attempt_failed(struct ajob_task *task) {
    const ajob_retry *retry = retry_of(task);
    bool is_elsewhere = task->has_alternative && !task->no_retry;
    if (task->has_progressed)
        task->failures = 0;
    if (!is_elsewhere)
        task->failures++;
    if (!(is_elsewhere || is_retried(task, retry)) || stop_is_coming(task)) {
        end(task, task->attempt_timed_out ? AJOB_TIMED_OUT : AJOB_FAILED);
        return;
    }
    uint64_t delay_ms = is_elsewhere ? 0
                                     : retry_delay(retry, task->failures, loop_random(task->loop),
                                                   task->retry_after_ms);
    pool_give(task);
    go_to(task, AJOB_BACKOFF);
    set_phase_end(task, loop_due_ms(task->loop, delay_ms));
    event_task_retrying(task, delay_ms);
}

static void attempt_timed_out(struct ajob_task *task) {
    char duration[32];
    ajob_format_duration(duration, task->options->attempt_timeout_ms);
    task_set_cause(task, text_new("attempt timeout %s", duration));
    task->attempt_timed_out = true;
    begin_stopping(task);
}

/* What ends a task before it was ready; UNDECIDED: nothing does. */
static enum ajob_status verdict_on_pending(struct ajob_task *task) {
    bool is_time = may_start(task) || task->wanted != AJOB_UNDECIDED;
    enum ajob_status verdict = is_time ? task_judge_needs(task) : AJOB_UNDECIDED;
    if (verdict == AJOB_UNDECIDED)
        verdict = task->wanted;
    bool is_done = task->is_done && may_start(task) && task_needs_have_ended(task);
    return verdict == AJOB_UNDECIDED && is_done ? AJOB_SUCCEEDED : verdict;
}

void task_step(struct ajob_task *task) {
    if (task->kind->is_group)
        feed_step(group_of(task));
    for (;;) {
        switch ((enum ajob_state)task->state) {
        case AJOB_PENDING: {
            enum ajob_status verdict = task->in_run ? verdict_on_pending(task) : AJOB_UNDECIDED;
            if (verdict != AJOB_UNDECIDED) {
                end_now(task, verdict);
                return;
            }
            if (!task->in_run || !may_start(task) || !task_needs_have_ended(task))
                return;
            get_ready(task);
            break;
        }
        case AJOB_READY:
            if (task->options && task->options->has_timeout && !task->options->timeout_ms)
                task_want_stop(task, AJOB_TIMED_OUT, "timeout 0s");
            if (task->wanted != AJOB_UNDECIDED) {
                end_now(task, task->wanted);
                return;
            }
            if (stop_is_coming(task) || !pool_take(task))
                return;
            begin_attempt(task);
            return; /* whatever start() recorded has posted the task */
        case AJOB_RUNNING:
            if (task->wanted != AJOB_UNDECIDED) {
                begin_stopping(task);
            } else if (task->attempt_over && task->attempt_succeeded) {
                end(task, AJOB_SUCCEEDED);
            } else if (task->attempt_over) {
                attempt_failed(task);
            } else if (task->phase_is_due) {
                attempt_timed_out(task);
            } else {
                return;
            }
            break;
        case AJOB_BACKOFF:
            if (task->wanted != AJOB_UNDECIDED) {
                end(task, task->wanted);
                return;
            }
            if (!task->phase_is_due)
                return;
            set_phase_end(task, 0);
            get_ready(task);
            break;
        case AJOB_STOPPING:
            if (task->attempt_over && task->wanted != AJOB_UNDECIDED) {
                end(task, task->wanted);
            } else if (task->attempt_over) {
                task->is_retryable = task_can_repeat(task);
                attempt_failed(task);
            } else if ((task->phase_is_due || task->kill_wanted) && !task->was_killed) {
                set_phase_end(task, 0);
                stop_attempt(task, STOP_HARD);
            } else {
                return;
            }
            break;
        case AJOB_ENDED:
            return;
        }
    }
}

/* ---- facts ------------------------------------------------------------- */

void task_deadline_is_due(struct deadline *deadline) {
    struct ajob_task *task =
        (struct ajob_task *)((char *)deadline - offsetof(struct ajob_task, deadline));
    uint64_t now_ms = loop_now_ms(task->loop);
    if (task->timeout_at_ms && task->timeout_at_ms <= now_ms) {
        char duration[32], cause[48];
        task->timeout_at_ms = 0;
        ajob_format_duration(duration, task->options->timeout_ms);
        snprintf(cause, sizeof cause, "timeout %s", duration);
        if (task->has_decided && task->state == AJOB_RUNNING)
            task->no_retry = true;
        else if (!stop_is_coming(task)) /* else that is the cause */
            task_want_stop(task, AJOB_TIMED_OUT, cause);
    }
    if (task->phase_at_ms && task->phase_at_ms <= now_ms) {
        task->phase_at_ms = 0;
        task->phase_is_due = true;
        loop_post(task->loop, task);
    }
    arm(task);
}

void task_attempt_over(struct ajob_task *task, struct outcome outcome) {
    bool is_expected =
        !task->attempt_over && (task->state == AJOB_RUNNING || task->state == AJOB_STOPPING);
    if (!is_expected) {
        mem_free(outcome.cause);
        return;
    }
    task->attempt_over = true;
    task->attempt_succeeded = outcome.succeeded;
    task->is_retryable = outcome.is_retryable;
    task->has_progressed = outcome.has_progressed;
    task->has_alternative = outcome.has_alternative;
    task->retry_after_ms = outcome.retry_after_ms;
    task->exit = (int16_t)outcome.exit;
    task->signal = (uint8_t)outcome.signal;
    bool has_cause = task->wanted != AJOB_UNDECIDED || task->state == AJOB_STOPPING;
    if (has_cause)
        mem_free(outcome.cause);
    else
        task_set_cause(task, outcome.cause);
    loop_post(task->loop, task);
}

void task_has_decided(struct ajob_task *task) {
    if (task->state != AJOB_RUNNING || task->attempt_over)
        return;
    task->has_decided = true;
    set_phase_end(task, 0); /* the timeout stays: it counts for the next attempt, too */
}

/* It ended by itself first: its own cause stands. What it left is to go at once. */
static void hurry(struct ajob_task *task, enum stop_how how) {
    task->no_retry = true;
    stop_attempt(task, how);
}

void task_want_stop(struct ajob_task *task, enum ajob_status status, const char *cause) {
    if (task->state == AJOB_ENDED || task->wanted != AJOB_UNDECIDED)
        return;
    bool is_under_way = task->state == AJOB_RUNNING || task->state == AJOB_STOPPING;
    if (is_under_way && (task->attempt_over || task->has_decided)) {
        if (!task->no_retry)
            hurry(task, STOP_POLITE);
        return;
    }
    bool has_verdict = task->state == AJOB_PENDING && (task->need_failed || task->need_cancelled);
    if (!has_verdict || task_is_finalizer(task))
        task_set_cause(task, mem_copy(cause));
    task->wanted = (uint8_t)status;
    loop_post(task->loop, task);
}

void task_want_kill(struct ajob_task *task, const char *cause) {
    if (task->state == AJOB_ENDED)
        return;
    task_want_stop(task, AJOB_CANCELLED, cause);
    task->kill_wanted = true;
    if (task->state == AJOB_RUNNING && task->has_decided && !task->was_killed)
        hurry(task, STOP_HARD);
    loop_post(task->loop, task);
}
