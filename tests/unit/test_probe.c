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

/* ---- line -------------------------------------------------------------- */

static void open_lines(const char *expression) {
    open_trial(&(ajob_ready_options){.probe = AJOB_READY_LINE, .text = expression});
    begin_trial(trial.task, NULL);
}

static void add(enum output_stream stream, const char *text) {
    probe_add(trial.probe, stream, text, strlen(text));
}

static void close_lines(void) {
    probe_stop(trial.probe);
    close_trial();
}

static void a_line_matches_though_it_comes_in_pieces(void) {
    open_lines("^ready on port [0-9]+$");
    add(OUTPUT_STDOUT, "starting\nready on ");
    add(OUTPUT_STDERR, "ready on\n");
    add(OUTPUT_STDOUT, "port 80");
    CHECK_NUMBER(trial.readies, 0);
    add(OUTPUT_STDOUT, "\r\nmore\nready on port 1\n");
    CHECK_NUMBER(trial.readies, 1);
    add(OUTPUT_STDERR, "ready on port 2\n");
    CHECK_NUMBER(trial.readies, 1);
    close_lines();
}

static void lines_of_stderr_count_and_lines_are_whole(void) {
    open_lines("^ready$");
    add(OUTPUT_STDOUT, "not ready\nready!\nrea\ndy\n\n");
    CHECK_NUMBER(trial.readies, 0);
    add(OUTPUT_STDERR, "x\nready\n");
    CHECK_NUMBER(trial.readies, 1);
    close_lines();
}

static void an_empty_line_can_be_awaited(void) {
    open_lines("^$");
    add(OUTPUT_STDOUT, "x");
    CHECK_NUMBER(trial.readies, 0);
    add(OUTPUT_STDOUT, "\n\n");
    CHECK_NUMBER(trial.readies, 1);
    close_lines();
}

static void of_a_long_line_the_beginning_is_matched(void) {
    char *xs = mem_new(PROBE_LINE_MAX + 1);
    memset(xs, 'x', PROBE_LINE_MAX);
    open_lines("y|z$");
    add(OUTPUT_STDOUT, xs);
    add(OUTPUT_STDOUT, "y\n");
    CHECK_NUMBER(trial.readies, 0);
    xs[PROBE_LINE_MAX - 1] = 'z';
    add(OUTPUT_STDOUT, xs);
    add(OUTPUT_STDOUT, "xx\n");
    CHECK_NUMBER(trial.readies, 1);
    close_lines();
    mem_free(xs);
}

static void zero_bytes_hide_nothing(void) {
    open_lines("^ready$");
    probe_add(trial.probe, OUTPUT_STDOUT, "re\0ady\n", 7);
    CHECK_NUMBER(trial.readies, 1);
    close_lines();
}

/* ---- fd ---------------------------------------------------------------- */

static void write_at_ticks(void) {
    static const char *const pieces[] = {NULL, NULL, "po", NULL, "rt\0 80", NULL, "80\nmore\n"};
    const char *piece = trial.ticks < 7 ? pieces[trial.ticks] : NULL;
    size_t length = trial.ticks == 4 ? 6 : piece ? strlen(piece) : 0;
    if (piece)
        CHECK_NUMBER(write(trial.pipe[1], piece, length), length);
}

static void open_pipe(void) {
    open_trial(&(ajob_ready_options){.probe = AJOB_READY_FD, .fd = 3});
    CHECK_NUMBER(probe_plan_fd(trial.plan), 3);
    CHECK_NUMBER(pipe(trial.pipe), 0);
}

static void the_value_ends_at_the_first_newline(void) {
    open_pipe();
    trial.each_tick = write_at_ticks;
    CHECK_NUMBER(run_trial(SOON_MS), AJOB_SUCCEEDED);
    CHECK_TEXT(trial.value, "port 8080");
    close_trial();
}

static void a_long_value_is_cut(void) {
    char *text = mem_new(3 * PROBE_VALUE_MAX);
    memset(text, 'v', 3 * PROBE_VALUE_MAX);
    text[2 * PROBE_VALUE_MAX] = '\n';
    open_pipe();
    CHECK_NUMBER(write(trial.pipe[1], text, 3 * PROBE_VALUE_MAX), 3 * PROBE_VALUE_MAX);
    CHECK_NUMBER(run_trial(SOON_MS), AJOB_SUCCEEDED);
    CHECK_NUMBER(strlen(trial.value), PROBE_VALUE_MAX);
    close_trial();
    mem_free(text);
}

static void a_pipe_closed_without_a_newline_is_never_ready(void) {
    open_pipe();
    CHECK_NUMBER(write(trial.pipe[1], "value", 5), 5);
    close(trial.pipe[1]);
    trial.pipe[1] = -1;
    CHECK_NUMBER(run_trial(NEVER_MS), AJOB_TIMED_OUT);
    close_trial();
}

static void lack_of_memory_is_told(void) {
    for (unsigned long n = 1; n <= 4; n++) {
        open_pipe();
        CHECK_NUMBER(write(trial.pipe[1], "v\n", 2), 2);
        mem_fail_nth(FAULT_ALLOC, n);
        begin_trial(trial.task, NULL);
        mem_fail_nth(FAULT_ALLOC, 0);
        probe_stop(trial.probe);
        close_trial();
    }
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
    RUN(a_line_matches_though_it_comes_in_pieces);
    RUN(lines_of_stderr_count_and_lines_are_whole);
    RUN(an_empty_line_can_be_awaited);
    RUN(of_a_long_line_the_beginning_is_matched);
    RUN(zero_bytes_hide_nothing);
    RUN(the_value_ends_at_the_first_newline);
    RUN(a_long_value_is_cut);
    RUN(a_pipe_closed_without_a_newline_is_never_ready);
    RUN(what_is_wrong_is_said);
    RUN(what_is_right_is_taken);
    RUN(lack_of_memory_is_told);
    RUN(as_many_descriptors_are_open_as_before);
    rmdir(scratch);
    return finish();
}
