/* event.c - the facts of a run, told to the listeners. See event.h. */
#include "core/event.h"

#include "core/group.h"
#include "core/loop.h"

enum { HEX_MAX = 16 << 20 };

static int64_t unix_time_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void emit(struct ajob_loop *loop, ajob_event *event) {
    bool is_run_itself = event->task && !event->task->parent && event->task->kind->is_group;
    if (is_run_itself) /* run.started and run.ended are its events */
        return;
    event->seq = ++loop->seq;
    if (!loop->listener_count)
        return;
    event->time_us = unix_time_us();
    if (event->task) {
        text_clear(&loop->path);
        task_path(event->task, &loop->path);
        event->path = text_string(&loop->path);
    }
    for (unsigned i = 0; i < loop->listener_count; i++)
        loop->listeners[i].call(event, loop->listeners[i].data);
}

/* The counted tasks that are there, or -1 if more may come. */
static int64_t count_tasks(const struct ajob_task *task) {
    int64_t count = task_is_counted(task) ? 1 : 0;
    if (task->kind->grows)
        return -1;
    if (!task->kind->is_group)
        return count;
    int64_t fed = group_count_fed(group_of(task));
    if (fed < 0)
        return -1;
    count += fed;
    for (const struct ajob_task *child = group_of(task)->first; child; child = child->next) {
        int64_t more = count_tasks(child);
        if (more < 0)
            return -1;
        count += more;
    }
    return count;
}

void event_run_started(struct ajob_loop *loop) {
    if (loop->is_announced)
        return;
    loop->is_announced = true;
    emit(loop, &(ajob_event){.type = AJOB_RUN_STARTED, .tasks = count_tasks(loop->root)});
}

void event_run_cancelling(struct ajob_loop *loop, const char *cause) {
    event_run_started(loop);
    emit(loop, &(ajob_event){.type = AJOB_RUN_CANCELLING, .cause = cause});
}

void event_run_ended(struct ajob_loop *loop) {
    emit(loop, &(ajob_event){
                   .type = AJOB_RUN_ENDED,
                   .status = loop->root->status,
                   .cause = ajob_task_cause(loop->root),
                   .exit = loop->exit_status,
                   .counts = loop->counts,
                   .done_before = loop->done_before,
                   .duration = (double)(loop_now_ns(loop) - loop->run_started_ns) / 1e9,
               });
}

void event_task_started(struct ajob_task *task) {
    emit(task->loop, &(ajob_event){
                         .type = AJOB_TASK_STARTED,
                         .task = task,
                         .attempt = task->attempts,
                         .pid = task->kind->pid ? task->kind->pid(task) : 0,
                     });
}

void event_task_ready(struct ajob_task *task, const char *value) {
    emit(task->loop, &(ajob_event){.type = AJOB_TASK_READY, .task = task, .text = value});
}

void event_task_retrying(struct ajob_task *task, uint64_t delay_ms) {
    emit(task->loop, &(ajob_event){
                         .type = AJOB_TASK_RETRYING,
                         .task = task,
                         .attempt = task->attempts,
                         .cause = task->cause ? task->cause : "out of memory",
                         .delay = (double)delay_ms / 1000,
                     });
}

void event_task_progress(struct ajob_task *task, uint64_t bytes, int64_t total) {
    emit(task->loop,
         &(ajob_event){.type = AJOB_TASK_PROGRESS, .task = task, .bytes = bytes, .total = total});
}

void event_task_output(struct ajob_task *task, const char *stream, const char *text,
                       size_t length) {
    emit(task->loop, &(ajob_event){
                         .type = AJOB_TASK_OUTPUT,
                         .task = task,
                         .stream = stream,
                         .text = text,
                         .length = length,
                     });
}

/* Valid UTF-8 without a NUL: JSON gives it back as it is. */
static bool is_plain(const char *text, size_t length) {
    uint32_t point;
    for (size_t step; length; text += step, length -= step)
        if (!*text || !(step = utf8_decode(text, length, &point)))
            return false;
    return true;
}

static size_t item_fields(const struct task_options *options, ajob_field *fields,
                          struct text *hex) {
    static const char digits[] = "0123456789abcdef";
    fields[0] = (ajob_field){"item", AJOB_FIELD_TEXT, options->item, 0};
    if (is_plain(options->item, options->item_length))
        return 1;
    for (size_t i = 0; i < options->item_length; i++) {
        unsigned char byte = (unsigned char)options->item[i];
        text_add_char(hex, digits[byte >> 4]);
        text_add_char(hex, digits[byte & 15]);
    }
    if (!text_ok(hex))
        return 1;
    fields[1] = (ajob_field){"item_hex", AJOB_FIELD_TEXT, text_string(hex), 0};
    return 2;
}

void event_task_ended(struct ajob_task *task) {
    ajob_field fields[KIND_FIELDS_MAX + 5];
    size_t field_count = task->kind->fields ? task->kind->fields(task, fields) : 0;
    if (task_failed_freely(task))
        fields[field_count++] = (ajob_field){"allowed", AJOB_FIELD_BOOL, NULL, true};
    if (task->is_done)
        fields[field_count++] = (ajob_field){"resumed", AJOB_FIELD_BOOL, NULL, true};
    struct text hex = TEXT_INIT(HEX_MAX);
    if (task->options && task->options->item)
        field_count += item_fields(task->options, fields + field_count, &hex);
    if (task->options && task->options->key)
        fields[field_count++] = (ajob_field){"key", AJOB_FIELD_TEXT, task->options->key, 0};
    uint64_t elapsed_ns = task->attempts ? loop_now_ns(task->loop) - task->started_ns : 0;
    emit(task->loop, &(ajob_event){
                         .type = AJOB_TASK_ENDED,
                         .task = task,
                         .status = task->status,
                         .cause = ajob_task_cause(task),
                         .exit = task->exit,
                         .signal = task->signal,
                         .attempts = task->attempts,
                         .duration = (double)elapsed_ns / 1e9,
                         .fields = fields,
                         .field_count = field_count,
                     });
    text_done(&hex);
}

void task_note(struct ajob_task *task, const char *format, ...) {
    struct text text = TEXT_INIT(TEXT_LINE_MAX);
    va_list arguments;
    va_start(arguments, format);
    text_vformat(&text, format, arguments);
    va_end(arguments);
    emit(task->loop,
         &(ajob_event){.type = AJOB_TASK_NOTE, .task = task, .text = text_string(&text)});
    text_done(&text);
}

void event_trace(const struct ajob_task *task, enum ajob_state state) {
    struct ajob_loop *loop = task->loop;
    if (!loop->trace)
        return;
    struct text line = TEXT_INIT(TEXT_LINE_MAX);
    text_format(&line, "%llu ", (unsigned long long)loop_now_ms(loop));
    task_path(task, &line);
    text_format(&line, " (%s): %s -> %s", task->kind->name, ajob_state_name(task->state),
                ajob_state_name(state));
    if (state == AJOB_ENDED)
        text_format(&line, ": %s", ajob_status_name(task->status));
    if (task->cause)
        text_format(&line, ": %s", task->cause);
    loop->trace(text_string(&line), loop->trace_data);
    text_done(&line);
}

void ajob_on_trace(ajob_loop *loop, ajob_trace_fn *trace, void *data) {
    loop->trace = trace;
    loop->trace_data = data;
}

int ajob_on_event(ajob_loop *loop, ajob_event_fn *listener, void *data) {
    if (loop->listener_count == LISTENERS_MAX)
        return loop_fail(loop, AJOB_EINVAL, "no more than %d listeners", LISTENERS_MAX);
    loop->listeners[loop->listener_count].call = listener;
    loop->listeners[loop->listener_count++].data = data;
    return 0;
}

const ajob_field *ajob_event_field(const ajob_event *event, const char *name) {
    for (size_t i = 0; i < event->field_count; i++)
        if (!strcmp(event->fields[i].name, name))
            return &event->fields[i];
    return NULL;
}
