/*
 * test_probe.c - probes of files, lines and descriptors; what is wrong with a
 * probe's options.
 */
#include <stdlib.h>

#include "probe_rig.h"

/* ---- file -------------------------------------------------------------- */

static char scratch[] = "/tmp/ajob-probe-XXXXXX";

static void make_file_at_fifth_tick(void) {
    char path[64];
    if (trial.ticks != 5)
        return;
    snprintf(path, sizeof path, "%s/ready", scratch);
    FILE *file = fopen(path, "w");
    if (CHECK(file != NULL))
        fclose(file);
}

static void a_file_is_awaited_in_the_directory_of_the_service(void) {
    char path[64];
    snprintf(path, sizeof path, "%s/ready", scratch);
    open_trial(&(ajob_ready_options){.probe = AJOB_READY_FILE, .text = "ready"});
    trial.dir = scratch;
    trial.each_tick = make_file_at_fifth_tick;
    CHECK_NUMBER(run_trial(SOON_MS), AJOB_SUCCEEDED);
    CHECK(trial.ticks >= 5);
    close_trial();
    open_trial(&(ajob_ready_options){.probe = AJOB_READY_FILE, .text = path});
    trial.dir = "/nowhere";
    CHECK_NUMBER(run_trial(SOON_MS), AJOB_SUCCEEDED);
    close_trial();
    unlink(path);
}

static void a_file_that_is_not_there_is_never_ready(void) {
    open_trial(&(ajob_ready_options){.probe = AJOB_READY_FILE, .text = "ready"});
    trial.dir = scratch;
    CHECK_NUMBER(run_trial(NEVER_MS), AJOB_TIMED_OUT);
    close_trial();
}

/* ---- being told -------------------------------------------------------- */

static void open_told(const ajob_ready_options *options) {
    open_trial(options);
    begin_trial(trial.task, NULL);
}

static void open_lines(const char *expression) {
    open_told(&(ajob_ready_options){.probe = AJOB_READY_LINE, .text = expression});
    CHECK(probe_plan_wants_lines(trial.plan) && !probe_plan_fd(trial.plan));
}

/* A line of so many bytes makes it ready, or not. */
static void tell(const char *line, size_t length, unsigned readies) {
    probe_line(trial.probe, line, length);
    if (!CHECK_NUMBER(trial.readies, readies))
        printf("# %s\n", line);
}

static void close_told(void) {
    CHECK(probe_stop(trial.probe));
    close_trial();
}

static void the_first_line_that_matches_makes_it_ready_once(void) {
    open_lines("^ready on port [0-9]+$");
    tell("starting", 8, 0);
    tell("ready on port 80!", 17, 0);
    tell("ready on port 80!", 16, 1);
    tell("ready on port 80", 16, 1);
    CHECK_TEXT(trial.value, "(none)");
    close_told();
}

static void a_line_may_end_as_in_dos_and_be_empty(void) {
    open_lines("^ready$");
    tell("", 0, 0);
    tell("ready\r", 6, 1);
    close_told();
    open_lines("^$");
    tell("x", 1, 0);
    tell("", 0, 1);
    close_told();
}

static void zero_bytes_hide_nothing(void) {
    open_lines("^ready$");
    tell("\0re\0ady\0", 8, 1);
    close_told();
}

static void the_value_is_told_and_cut(void) {
    char *text = mem_new(2 * PROBE_VALUE_MAX + 1);
    memset(text, 'v', 2 * PROBE_VALUE_MAX);
    open_told(&(ajob_ready_options){.probe = AJOB_READY_FD, .fd = 5});
    CHECK_NUMBER(probe_plan_fd(trial.plan), 5);
    CHECK(!probe_plan_wants_lines(trial.plan));
    tell("a line", 6, 0);
    probe_value(trial.probe, text);
    CHECK_NUMBER(strlen(trial.value), PROBE_VALUE_MAX);
    probe_value(trial.probe, text);
    CHECK_NUMBER(trial.readies, 1);
    close_told();
    mem_free(text);
}

/* ---- options ----------------------------------------------------------- */

static void what_is_wrong_is_said(void) {
#define TEXT(probe_, text_)                                                                        \
    { .probe = AJOB_READY_##probe_, .text = (text_) }
    static const char *const empty[] = {NULL}, *const nameless[] = {"", NULL};
    static const struct {
        ajob_ready_options options;
        const char *said;
    } cases[] = {
        {TEXT(TCP, NULL), "ready tcp: it is empty"},
        {TEXT(TCP, ""), "ready tcp: it is empty"},
        {TEXT(TCP, "localhost"), "ready tcp \"localhost\": it has no port: write host:port"},
        {TEXT(TCP, "[::1]"), "ready tcp \"[::1]\": it has no port: write host:port"},
        {TEXT(TCP, ":80"), "ready tcp \":80\": it has no host: write 127.0.0.1 for this machine"},
        {TEXT(TCP, "a:0"), "ready tcp \"a:0\": a port is a number from 1 to 65535"},
        {TEXT(TCP, "a:"), "ready tcp \"a:\": a port is a number from 1 to 65535"},
        {TEXT(TCP, "a:70000"), "ready tcp \"a:70000\": a port is a number from 1 to 65535"},
        {TEXT(TCP, "a:000080"), "ready tcp \"a:000080\": a port is a number from 1 to 65535"},
        {TEXT(TCP, "a:-1"), "ready tcp \"a:-1\": a port is a number from 1 to 65535"},
        {TEXT(TCP, "::1:80"), "ready tcp \"::1:80\": an IPv6 address is written in brackets: "
                              "[::1]:5432"},
        {TEXT(TCP, "[::1]80"), "ready tcp \"[::1]80\": it is no [address]:port"},
        {TEXT(TCP, "[a.b]:80"),
         "ready tcp \"[a.b]:80\": what is in the brackets is no IPv6 address"},
        {TEXT(TCP, "http://a:80"), "ready tcp \"http://a:80\": it is no host:port"},
        {TEXT(TCP, "a b:80"), "ready tcp \"a b:80\": it has a host that is no name and no address"},
        {TEXT(TCP, "a\x1b:80"),
         "ready tcp \"a\\x1b:80\": it has a host that is no name and no address"},
        {TEXT(HTTP, NULL), "ready http: it is empty"},
        {TEXT(HTTP, "https://a/"), "ready http \"https://a/\": only http:// is asked: probe https "
                                   "with exec and curl -fsk"},
        {TEXT(HTTP, "a/b"), "ready http \"a/b\": it does not begin with http://"},
        {TEXT(HTTP, "http:///b"),
         "ready http \"http:///b\": it has no host: write 127.0.0.1 for this machine"},
        {TEXT(HTTP, "http://a:99999/b"),
         "ready http \"http://a:99999/b\": a port is a number from 1 to 65535"},
        {TEXT(HTTP, "http://u:p@a/"), "ready http \"http://u:p@a/\": a user and password are not "
                                      "sent: probe with exec and curl"},
        {TEXT(HTTP, "http://a/\r\nX: y"), "ready http \"http://a/\\x0d\\x0aX: y\": it is no URL: "
                                          "spaces and others are written as %20"},
        {TEXT(FILE, ""), "ready file: it is empty"},
        {TEXT(LINE, NULL), "ready line: it is empty"},
        {TEXT(LINE, "a("), "ready line \"a(\": no regular expression: Unmatched ( or \\("},
        {{.probe = AJOB_READY_FD}, "ready fd: 0: a descriptor for it is a number from 3 to 255"},
        {{.probe = AJOB_READY_FD, .fd = 2},
         "ready fd: 2: a descriptor for it is a number from 3 to 255"},
        {{.probe = AJOB_READY_FD, .fd = 256},
         "ready fd: 256: a descriptor for it is a number from 3 to 255"},
        {{.probe = AJOB_READY_EXEC}, "ready exec: there is no command"},
        {{.probe = AJOB_READY_EXEC, .argv = empty}, "ready exec: there is no command"},
        {{.probe = AJOB_READY_EXEC, .argv = nameless}, "ready exec: there is no command"},
        {{.probe = (enum ajob_readiness)99}, "ready: there is no probe number 99"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct text error = TEXT_INIT(TEXT_LINE_MAX);
        struct probe_plan *plan = probe_plan_new(&cases[i].options, &error);
        CHECK(plan == NULL);
        CHECK_TEXT(text_string(&error), cases[i].said);
        probe_plan_free(plan);
        text_done(&error);
    }
}

static void what_is_right_is_taken(void) {
    static const ajob_ready_options cases[] = {
        TEXT(TCP, "localhost:5432"),
        TEXT(TCP, "db_1.example.org:1"),
        TEXT(TCP, "127.0.0.1:65535"),
        TEXT(TCP, "[fe80::1%lo]:80"),
        TEXT(HTTP, "http://a"),
        TEXT(HTTP, "HTTP://a?b#c"),
        TEXT(HTTP, "http://[::1]:8080"),
        TEXT(HTTP, "http://a:80/%20"),
        TEXT(FILE, "a b"),
        TEXT(LINE, "^(a|b)+ [0-9]{2}$"),
        {.probe = AJOB_READY_FD, .fd = 3},
        {.probe = AJOB_READY_FD, .fd = 255},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct text error = TEXT_INIT(TEXT_LINE_MAX);
        struct probe_plan *plan = probe_plan_new(&cases[i], &error);
        CHECK(plan != NULL);
        CHECK_TEXT(text_string(&error), "");
        probe_plan_free(plan);
        text_done(&error);
    }
}

static int descriptors;

static void as_many_descriptors_are_open_as_before(void) {
    CHECK_NUMBER(count_descriptors(), descriptors);
}

int main(void) {
    if (!mkdtemp(scratch))
        return 1;
    RUN(a_file_that_is_not_there_is_never_ready); /* what libuv opens once for all stays open */
    descriptors = count_descriptors();
    RUN(a_file_is_awaited_in_the_directory_of_the_service);
    RUN(the_first_line_that_matches_makes_it_ready_once);
    RUN(a_line_may_end_as_in_dos_and_be_empty);
    RUN(zero_bytes_hide_nothing);
    RUN(the_value_is_told_and_cut);
    RUN(what_is_wrong_is_said);
    RUN(what_is_right_is_taken);
    RUN(as_many_descriptors_are_open_as_before);
    rmdir(scratch);
    return finish();
}
