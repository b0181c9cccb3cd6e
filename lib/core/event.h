/*
 * event.h - the facts of a run, told to the listeners.
 *
 * One function for each event that the core emits; a kind has its own events
 * through task.h (task_progressed, task_note).
 */
#ifndef AJOB_CORE_EVENT_H
#define AJOB_CORE_EVENT_H

#include "core/task.h"

/* Once in a run; again does nothing. */
void event_run_started(struct ajob_loop *loop);
void event_run_cancelling(struct ajob_loop *loop, const char *cause);
void event_run_ended(struct ajob_loop *loop);

void event_task_started(struct ajob_task *task);
void event_task_ready(struct ajob_task *task, const char *value);
void event_task_retrying(struct ajob_task *task, uint64_t delay_ms);
void event_task_progress(struct ajob_task *task, uint64_t bytes, int64_t total);
void event_task_output(struct ajob_task *task, const char *stream, const char *text, size_t length);
void event_task_ended(struct ajob_task *task);

/* The task goes to this state: a line for ajob_on_trace(). */
void event_trace(const struct ajob_task *task, enum ajob_state state);

#endif
