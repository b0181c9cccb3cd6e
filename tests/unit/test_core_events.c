/*
 * test_core_events.c - the record of a run: its fields, that every line is JSON
 * and UTF-8 whatever names and causes are, paths, ticks of progress, the trace.
 */
#include <cjson/cJSON.h>
#include <locale.h>

#include "core/event.h"
#include "core/names.h"
#include "core_rig.h"

enum { LINES_MAX = 64 };

static struct work a, b;
static struct {
    cJSON *json[LINES_MAX];
    unsigned count;
} lines;

static bool is_utf8(const char *text) {
    for (size_t left = strlen(text); left;) {
        uint32_t point;
        size_t step = utf8_decode(text, left, &point);
        if (!step)
            return false;
        text += step;
        left -= step;
    }
    return true;
}

static void parse_line(const ajob_event *event, void *data) {
    size_t length;
    const char *line = ajob_event_json(data, event, &length), *end;
    if (!CHECK(line && length == strlen(line) && lines.count < LINES_MAX))
        return;
    CHECK(strchr(line, '\n') == line + length - 1);
    CHECK(is_utf8(line));
    cJSON *json = cJSON_ParseWithOpts(line, &end, false);
    CHECK(json && !strcmp(end, "\n"));
    lines.json[lines.count++] = json;
}

static void open_lines(void) {
    rig_open(0);
    lines.count = 0;
    ajob_on_event(rig.loop, parse_line, rig.loop);
}

static void close_lines(void) {
    for (unsigned i = 0; i < lines.count; i++)
        cJSON_Delete(lines.json[i]);
    rig_close();
}

/* A field of a line, as text; of what is no string as JSON. */
static const char *field(unsigned line, const char *name) {
    static char text[4096];
    const cJSON *item =
        line < lines.count ? cJSON_GetObjectItemCaseSensitive(lines.json[line], name) : NULL;
    if (cJSON_IsString(item))
        return item->valuestring;
    if (!item || !cJSON_PrintPreallocated((cJSON *)item, text, sizeof text, false))
        return NULL;
    return text;
}

static void an_event_has_the_fields_that_stay(void) {
    open_lines();
    ajob_task *root = make_group(AJOB_SETTLED, NULL, NULL);
    make(&a, "a", root), make(&b, "b", root);
    ajob_need(b.task, a.task);
    ajob_set_retry(a.task, &(ajob_retry){.max = 1, .delay_ms = 1250, .no_jitter = true});
    start_run(root);
    ajob_resolve(a.task, "no");
    turn();
    pass(1250);
    pass(250);
    ajob_resolve(a.task, "exit 3");
    turn();
    /* run.started, a started, a retrying, a started, a ended, b ended, run.ended */
    CHECK_NUMBER(lines.count, 7);
    for (unsigned i = 0; i < lines.count; i++) {
        char number[16];
        snprintf(number, sizeof number, "%u", i + 1);
        CHECK_TEXT(field(i, "seq"), number);
        const char *time = field(i, "time"); /* 2025-01-31T12:00:00.123456Z */
        CHECK(time && strlen(time) == 27 && time[10] == 'T' && time[19] == '.' && time[26] == 'Z');
    }
    CHECK_TEXT(field(0, "event"), "run.started");
    CHECK_TEXT(field(0, "schema"), "1");
    CHECK_TEXT(field(0, "version"), AJOB_VERSION);
    CHECK_TEXT(field(0, "tasks"), "2");
    CHECK_TEXT(field(0, "task"), NULL);
    CHECK_TEXT(field(1, "event"), "task.started");
    CHECK_TEXT(field(1, "task"), "a");
    CHECK_TEXT(field(1, "attempt"), "1");
    CHECK_TEXT(field(2, "event"), "task.retrying");
    CHECK_TEXT(field(2, "attempt"), "1");
    CHECK_TEXT(field(2, "cause"), "no");
    CHECK_TEXT(field(2, "delay"), "1.25");
    CHECK_TEXT(field(3, "attempt"), "2");
    CHECK_TEXT(field(4, "event"), "task.ended");
    CHECK_TEXT(field(4, "status"), "failed");
    CHECK_TEXT(field(4, "cause"), "exit 3");
    CHECK_TEXT(field(4, "exit"), "null");
    CHECK_TEXT(field(4, "signal"), "null");
    CHECK_TEXT(field(4, "attempts"), "2");
    CHECK_TEXT(field(4, "duration"), "1.5");
    CHECK_TEXT(field(5, "status"), "skipped");
    CHECK_TEXT(field(5, "attempts"), "0");
    CHECK_TEXT(field(5, "duration"), "0");
    CHECK_TEXT(field(6, "event"), "run.ended");
    CHECK_TEXT(field(6, "status"), "failed");
    CHECK_TEXT(field(6, "exit"), "1");
    CHECK_TEXT(field(6, "counts"),
               "{\"succeeded\":0,\"failed\":1,\"timed_out\":0,\"cancelled\":0,\"skipped\":1}");
    CHECK_TEXT(field(6, "duration"), "1.5");
    close_lines();
}

static void success_has_null_for_a_cause(void) {
    open_lines();
    start_run(make(&a, "a", NULL));
    ajob_resolve(a.task, NULL);
    turn();
    CHECK_TEXT(field(2, "cause"), "null");
    CHECK_TEXT(field(3, "cause"), "null");
    close_lines();
}

static void hostile_names_and_causes_make_valid_lines(void) {
    static const char *const hostile[] = {"\"}\n{\"event\":\"run.ended\"",
                                          "\\",
                                          "\xff\xfe\xc0\x80",
                                          "\xed\xa0\x80",
                                          "\xf4\x90\x80\x80",
                                          "\x01\x1b[31m\x7f",
                                          "\xe2\x80\xae\xe2\x80\xa8",
                                          "::error::x",
                                          "a/../b",
                                          "",
                                          "\xf0\x9f\x98\x80",
                                          "\t\r\n",
                                          "%s%n%d",
                                          "\xc3"};
    for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
        open_lines();
        ajob_task *root = make_group(AJOB_SETTLED, NULL, NULL);
        ajob_task *group = make_group(AJOB_SETTLED, NULL, root);
        make(&a, NULL, group), make(&b, NULL, root);
        ajob_set_title(group, hostile[i]), ajob_set_title(a.task, hostile[i]);
        ajob_need(b.task, group);
        start_run(root);
        task_note(a.task, "%s", hostile[i]);
        ajob_resolve(a.task, hostile[i]);
        turn();
        CHECK_NUMBER(lines.count, 8);
        close_lines();
    }
}

static void what_is_valid_comes_back_unchanged(void) {
    static const char text[] = "caf\xc3\xa9 \"q\" \\ / \t\x01\x7f \xf0\x9f\x98\x80";
    open_lines();
    make(&a, NULL, NULL);
    ajob_set_title(a.task, text);
    start_run(a.task);
    ajob_resolve(a.task, text);
    turn();
    CHECK_TEXT(field(2, "task"), text);
    CHECK_TEXT(field(2, "cause"), text);
    close_lines();
}

static void a_kinds_fields_are_added(void) {
    const ajob_field fields[] = {{"path", AJOB_FIELD_TEXT, "x\"y", 0},
                                 {"bytes", AJOB_FIELD_NUMBER, NULL, INT64_MAX},
                                 {"up_to_date", AJOB_FIELD_BOOL, NULL, 1},
                                 {"sha256", AJOB_FIELD_NULL, NULL, 0}};
    ajob_event event = {.type = AJOB_TASK_ENDED,
                        .seq = 1,
                        .path = "a",
                        .status = AJOB_FAILED,
                        .cause = "signal SEGV",
                        .exit = -1,
                        .signal = 11,
                        .fields = fields,
                        .field_count = 4};
    open_lines();
    event.task = make(&a, "a", NULL);
    parse_line(&event, rig.loop);
    CHECK_TEXT(field(0, "signal"), "SEGV");
    CHECK_TEXT(field(0, "path"), "x\"y");
    CHECK(strstr(ajob_event_json(rig.loop, &event, NULL), "\"bytes\":9223372036854775807,"));
    CHECK_TEXT(field(0, "up_to_date"), "true");
    CHECK_TEXT(field(0, "sha256"), "null");
    CHECK(ajob_event_field(&event, "up_to_date") == &fields[2]);
    CHECK(!ajob_event_field(&event, "nothing"));
    event.exit = 0; /* is one */
    event.signal = 0;
    event.duration = 12345678.0000005;
    parse_line(&event, rig.loop);
    CHECK_TEXT(field(1, "exit"), "0");
    CHECK_TEXT(field(1, "signal"), "null");
    close_lines();
}

static void every_kind_of_event_is_valid(void) {
    open_lines();
    make(&a, "a", NULL);
    for (int type = AJOB_RUN_STARTED; type <= AJOB_RUN_ENDED; type++) {
        uint64_t counts[AJOB_STATUS_COUNT] = {0};
        ajob_event event = {.type = (enum ajob_event_type)type,
                            .seq = UINT64_MAX,
                            .task = a.task,
                            .path = "a",
                            .tasks = -1,
                            .total = -1,
                            .pid = 42,
                            .counts = counts};
        parse_line(&event, rig.loop);
        CHECK_TEXT(field((unsigned)type, "event"), ajob_event_name((enum ajob_event_type)type));
    }
    CHECK_TEXT(field(AJOB_RUN_STARTED, "tasks"), "null");
    CHECK_TEXT(field(AJOB_TASK_STARTED, "pid"), "42");
    CHECK_TEXT(field(AJOB_TASK_PROGRESS, "total"), "null");
    close_lines();
}

static void numbers_do_not_follow_the_locale(void) {
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "de_DE"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (setlocale(LC_NUMERIC, names[i]))
            break;
    open_lines();
    start_run(make(&a, "a", NULL));
    pass(1500);
    ajob_resolve(a.task, NULL);
    turn();
    setlocale(LC_NUMERIC, "C");
    CHECK_TEXT(field(2, "duration"), "1.5");
    close_lines();
}

static void progress_comes_at_most_once_a_second(void) {
    uint64_t last_ms = 0;
    rig_open(0);
    start_run(make(&a, "a", NULL));
    take();
    for (int i = 0; i < 35; i++) {
        task_progressed(a.task, &last_ms, 1, -1);
        pass(100);
    }
    CHECK_TEXT(take(), "a progress; a progress; a progress; ");
    ajob_resolve(a.task, NULL);
    turn();
    rig_close();
}

static char traced[4096];

static void trace(const char *line, void *data) {
    (void)data;
    size_t used = strlen(traced);
    snprintf(traced + used, sizeof traced - used, "%s\n", strchr(line, ' ') + 1);
}

static void the_trace_tells_every_change_of_state(void) {
    traced[0] = '\0';
    rig_open(0);
    ajob_on_trace(rig.loop, trace, NULL);
    ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
    make(&a, "a", root);
    start_run(root);
    ajob_cancel(a.task, "x");
    turn();
    ajob_resolve(a.task, NULL);
    turn();
    CHECK_TEXT(traced, " (group): pending -> ready\n (group): ready -> running\n"
                       "a (future): pending -> ready\na (future): ready -> running\n"
                       "a (future): running -> stopping: cancelled by x\n"
                       "a (future): stopping -> ended: cancelled: cancelled by x\n"
                       " (group): running -> ended: succeeded\n");
    rig_close();
}

static void listeners_are_bounded(void) {
    rig_open(0); /* has one */
    for (int i = 1; i < LISTENERS_MAX; i++)
        CHECK_NUMBER(ajob_on_event(rig.loop, parse_line, rig.loop), 0);
    CHECK_NUMBER(ajob_on_event(rig.loop, parse_line, rig.loop), AJOB_EINVAL);
    rig_close();
}

static void cancel_at_start(const ajob_event *event, void *data) {
    (void)data;
    if (event->type == AJOB_TASK_STARTED)
        ajob_cancel(rig.loop->root, "SIGPIPE");
}

static void a_listener_may_cancel_the_run(void) {
    rig_open(0);
    ajob_on_event(rig.loop, cancel_at_start, NULL);
    ajob_task *root = make_group(AJOB_ALL, NULL, NULL);
    make(&a, "a", root), make(&b, "b", root);
    start_run(root);
    CHECK_NUMBER(a.starts, 1); /* it was starting */
    CHECK_NUMBER(b.starts, 0);
    ajob_resolve(a.task, NULL);
    turn();
    CHECK_ENDED(root, AJOB_CANCELLED, "cancelled by SIGPIPE");
    rig_close();
}

static void the_names_are_those_of_the_header(void) {
    CHECK_TEXT(ajob_state_name(AJOB_BACKOFF), "backoff");
    CHECK_TEXT(ajob_status_name(AJOB_TIMED_OUT), "timed_out");
    CHECK_TEXT(ajob_policy_name(AJOB_RACE), "race");
    CHECK_TEXT(ajob_event_name(AJOB_RUN_CANCELLING), "run.cancelling");
    CHECK_TEXT(name_of_signal(11), "SEGV");
    CHECK_TEXT(name_of_signal(15), "TERM");
    CHECK_TEXT(name_of_signal(200), "200");
}

int main(void) {
    RUN(an_event_has_the_fields_that_stay);
    RUN(success_has_null_for_a_cause);
    RUN(hostile_names_and_causes_make_valid_lines);
    RUN(what_is_valid_comes_back_unchanged);
    RUN(a_kinds_fields_are_added);
    RUN(every_kind_of_event_is_valid);
    RUN(numbers_do_not_follow_the_locale);
    RUN(progress_comes_at_most_once_a_second);
    RUN(the_trace_tells_every_change_of_state);
    RUN(listeners_are_bounded);
    RUN(a_listener_may_cancel_the_run);
    RUN(the_names_are_those_of_the_header);
    return finish();
}
