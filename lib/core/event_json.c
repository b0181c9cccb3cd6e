/*
 * event_json.c - an event as one line of JSON.
 *
 * Owns the spelling of the record of a run: names and order of its fields, as
 * ajob(1) fixes them. Times are RFC 3339 in UTC.
 */
#include "core/loop.h"
#include "core/names.h"

static void add_key(struct text *json, const char *key) {
    text_format(json, ",\"%s\":", key);
}

static void add_text(struct text *json, const char *key, const char *value) {
    add_key(json, key);
    if (!value) {
        text_add(json, "null");
        return;
    }
    text_add_char(json, '"');
    text_add_json(json, value, strlen(value));
    text_add_char(json, '"');
}

static void add_number(struct text *json, const char *key, int64_t value) {
    add_key(json, key);
    text_format(json, "%lld", (long long)value);
}

/* A number that may be unknown. */
static void add_optional(struct text *json, const char *key, int64_t value, bool is_known) {
    if (is_known)
        add_number(json, key, value);
    else
        add_text(json, key, NULL);
}

static void add_seconds(struct text *json, const char *key, double seconds) {
    int64_t us = (int64_t)(seconds * 1e6 + 0.5); /* %f would write a locale's comma */
    add_key(json, key);
    text_format(json, "%lld.%06lld", (long long)(us / 1000000), (long long)(us % 1000000));
}

static void add_head(struct text *json, const ajob_event *event) {
    struct tm utc;
    char date[32];
    time_t seconds = (time_t)(event->time_us / 1000000);
    gmtime_r(&seconds, &utc);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
    text_format(json, "{\"time\":\"%s.%06dZ\",\"seq\":%llu,\"event\":\"%s\"", date,
                (int)(event->time_us % 1000000), (unsigned long long)event->seq,
                ajob_event_name(event->type));
    if (event->task)
        add_text(json, "task", event->path);
}

static void add_task_ended(struct text *json, const ajob_event *event) {
    add_text(json, "status", ajob_status_name(event->status));
    add_text(json, "cause", event->cause);
    add_optional(json, "exit", event->exit, event->exit >= 0);
    if (event->signal)
        add_text(json, "signal", name_of_signal(event->signal));
    else
        add_text(json, "signal", NULL);
    add_number(json, "attempts", event->attempts);
    add_seconds(json, "duration", event->duration);
    for (size_t i = 0; i < event->field_count; i++) {
        const ajob_field *field = &event->fields[i];
        if (field->type == AJOB_FIELD_NUMBER) {
            add_number(json, field->name, field->number);
        } else if (field->type == AJOB_FIELD_BOOL) {
            add_key(json, field->name);
            text_add(json, field->number ? "true" : "false");
        } else {
            add_text(json, field->name, field->type == AJOB_FIELD_TEXT ? field->text : NULL);
        }
    }
}

static void add_run_ended(struct text *json, const ajob_event *event) {
    add_text(json, "status", ajob_status_name(event->status));
    add_text(json, "cause", event->cause);
    add_number(json, "exit", event->exit);
    add_key(json, "counts");
    for (int status = AJOB_SUCCEEDED; status < AJOB_STATUS_COUNT; status++)
        text_format(json, "%c\"%s\":%llu", status == AJOB_SUCCEEDED ? '{' : ',',
                    ajob_status_name(status), (unsigned long long)event->counts[status]);
    text_add_char(json, '}');
    if (event->done_before)
        add_number(json, "done_before", (int64_t)event->done_before);
    add_seconds(json, "duration", event->duration);
}

static void add_body(struct text *json, const ajob_event *event) {
    switch (event->type) {
    case AJOB_RUN_STARTED:
        add_number(json, "schema", 1);
        add_text(json, "version", ajob_version());
        add_optional(json, "tasks", event->tasks, event->tasks >= 0);
        break;
    case AJOB_TASK_STARTED:
        add_number(json, "attempt", event->attempt);
        if (event->pid)
            add_number(json, "pid", event->pid);
        break;
    case AJOB_TASK_READY:
        add_text(json, "value", event->text);
        break;
    case AJOB_TASK_RETRYING:
        add_number(json, "attempt", event->attempt);
        add_text(json, "cause", event->cause);
        add_seconds(json, "delay", event->delay);
        break;
    case AJOB_TASK_PROGRESS:
        add_number(json, "bytes", (int64_t)event->bytes);
        add_optional(json, "total", event->total, event->total >= 0);
        break;
    case AJOB_TASK_OUTPUT:
        add_text(json, "stream", event->stream);
        add_key(json, "text");
        text_add_char(json, '"');
        text_add_json(json, event->text, event->length);
        text_add_char(json, '"');
        break;
    case AJOB_TASK_NOTE:
        add_text(json, "text", event->text);
        break;
    case AJOB_TASK_ENDED:
        add_task_ended(json, event);
        break;
    case AJOB_RUN_CANCELLING:
        add_text(json, "cause", event->cause);
        break;
    case AJOB_RUN_ENDED:
        add_run_ended(json, event);
        break;
    }
}

const char *ajob_event_json(ajob_loop *loop, const ajob_event *event, size_t *length) {
    struct text *json = &loop->json;
    text_clear(json);
    add_head(json, event);
    add_body(json, event);
    text_add(json, "}\n");
    if (length)
        *length = json->length;
    bool lacks_path = event->task && !text_ok(&loop->path);
    return text_ok(json) && !lacks_path ? text_string(json) : NULL;
}
