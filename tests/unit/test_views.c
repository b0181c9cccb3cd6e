/*
 * test_views.c - the views of a run: the exact texts of log lines, that a
 * stopped reader holds nobody up, and the file of events. test_views_bars.c has
 * the frames. Both need cmd/view*.c, cmd/term.c and cmd/width.c, and nothing of
 * the library.
 */
#include "views_fake.h"

enum { MIB = 1 << 20, MANY = 10000 };

/* ---- lines -------------------------------------------------------------------- */

static void widths_are_counted_and_cut(void) {
    char out[64];
    setlocale(LC_CTYPE, "");
    CHECK(width_of("abc") == 3);
    CHECK(width_of("e\xcc\x81") == 1);                /* combining acute */
    CHECK(width_of("\xe6\x97\xa5\xe6\x9c\xac") == 4); /* two ideographs */
    CHECK(width_of("\xf0\x9f\x98\x80") == 2);         /* emoji */
    CHECK(width_of("\xff\xc3") == 2);                 /* not UTF-8 */
    CHECK(width_fit(out, sizeof out, "abcdefghij", 10, "...", true) == 10);
    CHECK(width_fit(out, sizeof out, "abcdefghijk", 10, "...", true) == 10);
    CHECK_TEXT(out, "abcd...ijk");
    CHECK(width_fit(out, sizeof out, "abcdefghijk", 10, "...", false) == 10);
    CHECK_TEXT(out, "abcdefg...");
    CHECK(width_fit(out, sizeof out, "\xe6\x97\xa5\xe6\x97\xa5\xe6\x97\xa5", 4, ".", false) == 3);
    CHECK(width_fit(out, sizeof out, "abc", 2, "...", true) == 2);
    CHECK(width_fit(out, 3, "abc", 3, "...", true) == 2);
}

static void lines_tell_what_happened(void) {
    ajob_task a = {.path = "v1/a.tgz"}, b = {.path = "v1/b.tgz"}, c = {.path = "v1/c.tgz"},
              d = {.path = "sleep"}, e = {.path = "v1/e.tgz"};
    open_lines((struct view_options){0});
    run_starts(5);
    starts(&a), starts(&b), starts(&c), starts(&d), starts(&e);
    CHECK_TEXT(take(), "");
    downloads(&a, 14 * MIB, false, 0);
    CHECK_TEXT(take(), "downloaded v1/a.tgz  14.0 MiB  1.2s  sha256 ok\n");
    downloads(&b, 5 * MIB, true, 0);
    CHECK_TEXT(take(), ""); /* at most one write in 100 ms */
    emit((ajob_event){.type = AJOB_TASK_RETRYING,
                      .task = &c,
                      .attempt = 1,
                      .delay = 1.3,
                      .cause = "HTTP 502 (Bad Gateway)"});
    emit((ajob_event){.type = AJOB_TASK_NOTE, .task = &c, .text = "no digest"});
    ends(&c, AJOB_FAILED, "HTTP 404 (Not Found)");
    ends(&d, AJOB_SUCCEEDED, NULL);
    downloads(&e, 8 * MIB, false, 6 * MIB);
    tick(100);
    CHECK_TEXT(take(), "up to date v1/b.tgz\n"
                       "retrying v1/c.tgz in 1.3s (attempt 2): HTTP 502 (Bad Gateway)\n"
                       "note: v1/c.tgz: no digest\n"
                       "ajob: download: v1/c.tgz: HTTP 404 (Not Found)\n"
                       "done sleep  1.2s\n"
                       "downloaded v1/e.tgz  8.0 MiB  1.2s  sha256 ok  resumed at 6.0 MiB\n");
    run_ends(AJOB_FAILED, 4, 1, 0);
    CHECK_TEXT(take(), "2 downloaded, 1 up to date, 1 done, 1 failed, 16.0 MiB in 8.1s "
                       "(2.0 MiB/s)\n");
    close_view();
}

static void quiet_tells_failures_only(void) {
    ajob_task a = {.path = "a"}, b = {.path = "b"};
    open_lines((struct view_options){.quiet = true, .verbosity = 1});
    run_starts(2);
    starts(&a), starts(&b);
    downloads(&a, MIB, false, 0);
    emit((ajob_event){.type = AJOB_TASK_NOTE, .task = &b, .text = "no digest"});
    ends(&b, AJOB_TIMED_OUT, "timeout 30s");
    tick(20000);
    run_ends(AJOB_FAILED, 1, 1, 0);
    CHECK_TEXT(take(), "ajob: download: b: timeout 30s\n");
    close_view();
}

static void without_progress_there_are_errors_and_a_summary(void) {
    ajob_task a = {.path = "a"}, b = {.path = "b"};
    open_lines((struct view_options){.progress = PROGRESS_NONE});
    run_starts(2);
    starts(&a), starts(&b);
    tick(20000);
    downloads(&a, MIB, true, 0);
    ends(&b, AJOB_FAILED, "exit 3");
    run_ends(AJOB_FAILED, 1, 1, 0);
    CHECK_TEXT(take(), "ajob: download: b: exit 3\n1 up to date, 1 failed in 8.1s\n");
    close_view();
}

static void verbose_tells_starts_and_the_cancelled(void) {
    ajob_task a = {.path = "a"}, b = {.path = "b"};
    open_lines((struct view_options){.verbosity = 1});
    run_starts(2);
    starts(&a);
    emit((ajob_event){.type = AJOB_TASK_STARTED, .task = &a, .attempt = 2, .pid = 7});
    emit((ajob_event){.type = AJOB_RUN_CANCELLING, .cause = "SIGINT"});
    ends(&a, AJOB_CANCELLED, "cancelled by SIGINT");
    ends(&b, AJOB_SKIPPED, "a was not there");
    run_ends(AJOB_CANCELLED, 0, 0, 1);
    CHECK_TEXT(take(), "starting 2 tasks\nstarted a\nstarted a (attempt 2)  pid 7\n"
                       "ajob: download: cancelling: SIGINT\n"
                       "cancelled a: by SIGINT\nskipped b: a was not there\n"
                       "1 cancelled in 8.1s\n");
    close_view();
}

static void services_and_allowed_failures_have_their_words(void) {
    static const ajob_field allowed = {"allowed", AJOB_FIELD_BOOL, NULL, true};
    static const ajob_field resumed = {"resumed", AJOB_FIELD_BOOL, NULL, true};
    ajob_task db = {.path = "db", .kind = "service"}, a = {.path = "a"}, b = {.path = "b"};
    open_lines((struct view_options){0});
    run_starts(3);
    starts(&db);
    emit((ajob_event){.type = AJOB_TASK_READY, .task = &db});
    starts(&a);
    emit((ajob_event){.type = AJOB_TASK_ENDED,
                      .task = &a,
                      .status = AJOB_FAILED,
                      .cause = "exit 3",
                      .fields = &allowed,
                      .field_count = 1});
    emit((ajob_event){.type = AJOB_TASK_ENDED,
                      .task = &b,
                      .status = AJOB_SUCCEEDED,
                      .fields = &resumed,
                      .field_count = 1});
    emit((ajob_event){
        .type = AJOB_TASK_ENDED, .task = &db, .status = AJOB_SUCCEEDED, .duration = 2});
    run_ends(AJOB_SUCCEEDED, 2, 1, 0);
    CHECK_TEXT(take(), "ready db\nfailed, which is allowed: a: exit 3\nstopped db  2.0s\n"
                       "1 done, 1 done before, 1 failed as allowed in 8.1s\n");
    close_view();
}

static void a_heartbeat_comes_after_ten_silent_seconds(void) {
    ajob_task tasks[4] = {{.path = "a", .moves = true, .bytes = 10 * MIB, .total = 50 * MIB},
                          {.path = "b", .moves = true, .bytes = 31 * MIB, .total = 50 * MIB},
                          {.path = "c"},
                          {.path = "d"}};
    open_lines((struct view_options){0});
    run_starts(2);
    tick(20000);
    CHECK_TEXT(take(), ""); /* nothing runs */
    starts(&tasks[0]), starts(&tasks[1]);
    tick(100);
    CHECK_TEXT(take(), "downloading 2 files, 41% of 100 MiB, 0 B/s: a b\n");
    tick(9900);
    CHECK_TEXT(take(), "");
    starts(&tasks[2]), starts(&tasks[3]);
    tasks[1].total = -1;
    tick(100);
    CHECK_TEXT(take(), "running 4 tasks, 41.0 MiB, 0 B/s: a b c...\n");
    for (size_t i = 0; i < 4; i++)
        ends(&tasks[i], AJOB_CANCELLED, "x");
    tick(20000);
    CHECK_TEXT(take(), "");
    close_view();
}

static void a_stream_tells_failures_and_how_it_gets_on(void) {
    ajob_task a = {.path = "1", .item = "x y"}, b = {.path = "2", .item = "z\n"}, c = {.path = "3"};
    open_lines((struct view_options){.is_stream = true});
    run_starts(100);
    starts(&a), starts(&b), starts(&c);
    ends(&a, AJOB_SUCCEEDED, NULL);
    ends(&b, AJOB_FAILED, "exit 3");
    CHECK_TEXT(take(), "ajob: download: 2: z\\x0a: exit 3\n");
    tick(10000);
    CHECK_TEXT(take(), "2 of 100 done, 1 failed, 0.2/s, ETA 8m10s; running 1 task: 3\n");
    done_before = 50; /* by an earlier run: it does not count as speed */
    tick(10000);
    CHECK_TEXT(take(), "52 of 100 done, 1 failed, 0.1/s, ETA 8m00s; running 1 task: 3\n");
    done_before = 0;
    ends(&c, AJOB_SUCCEEDED, NULL);
    emit((ajob_event){.type = AJOB_RUN_ENDED,
                      .status = AJOB_FAILED,
                      .duration = 10,
                      .done_before = 5,
                      .counts =
                          (uint64_t[AJOB_STATUS_COUNT]){[AJOB_SUCCEEDED] = 2, [AJOB_FAILED] = 1}});
    CHECK_TEXT(take(), "2 done, 5 done before, 1 failed in 10.0s\n");
    close_view();
    open_lines((struct view_options){.is_stream = true, .verbosity = 1});
    run_starts(-1);
    starts(&a);
    ends(&a, AJOB_SUCCEEDED, NULL);
    CHECK_TEXT(take(), "started 1: x y\n");
    tick(100);
    CHECK_TEXT(take(), "done 1: x y  1.2s\n");
    starts(&b);
    tick(9900);
    CHECK_TEXT(take(), "started 2: z\\x0a\n");
    tick(10000);
    CHECK_TEXT(take(), "1 done, 0.1/s; running 1 task: 2: z\\x0a\n");
    close_view();
}

static void a_group_speaks_only_if_nothing_in_it_did(void) {
    ajob_task good = {.path = "v1", .parent = &root, .group = true},
              gone = {.path = "v9", .parent = &root, .group = true};
    ajob_task a = {.path = "v1/a", .parent = &good};
    open_lines((struct view_options){0});
    run_starts(-1);
    starts(&good), starts(&gone), starts(&a);
    ends(&a, AJOB_FAILED, "HTTP 500");
    ends(&good, AJOB_FAILED, "v1/a: HTTP 500");
    ends(&gone, AJOB_FAILED, "release v9: not found");
    run_ends(AJOB_FAILED, 0, 1, 0);
    CHECK_TEXT(take(), "ajob: download: v1/a: HTTP 500\n"
                       "ajob: download: v9: release v9: not found\n"
                       "2 failed in 8.1s\n");
    close_view();
}

static void a_run_tells_its_own_timeout(void) {
    ajob_task a = {.path = "a", .parent = &root};
    uint64_t counts[AJOB_STATUS_COUNT] = {[AJOB_FAILED] = 1};
    open_lines((struct view_options){0});
    run_starts(-1);
    ends(&a, AJOB_FAILED, "exit 1");
    emit((ajob_event){.type = AJOB_RUN_ENDED,
                      .status = AJOB_TIMED_OUT,
                      .cause = "timeout 30s",
                      .duration = 30,
                      .counts = counts});
    CHECK_TEXT(take(), "ajob: download: a: exit 1\n"
                       "ajob: download: timeout 30s\n"
                       "1 failed in 30.0s\n");
    close_view();
}

static void far_failures_are_told_again(void) {
    ajob_task task = {.path = "t", .parent = &root};
    open_lines((struct view_options){0});
    run_starts(40);
    for (int i = 0; i < 25; i++)
        ends(&task, AJOB_FAILED, i == 0 ? "first" : "later");
    for (int i = 0; i < 11; i++)
        ends(&task, AJOB_SUCCEEDED, NULL);
    tick(100);
    take();
    run_ends(AJOB_FAILED, 11, 25, 0);
    CHECK(strncmp(take(), "ajob: download: t: first\najob: download: t: later\n", 50) == 0);
    CHECK(count_of(raw, "t: later\n") == 19);
    CHECK(strstr(raw, "t: later\nand 5 more\n11 done, 25 failed in 8.1s\n") != NULL);
    close_view();
}

static void a_stopped_reader_holds_nobody_up(void) {
    ajob_task task = {.path = "task", .parent = &root};
    open_lines((struct view_options){0});
    run_starts(MANY);
    for (int i = 0; i < MANY; i++) { /* more than a pipe holds */
        ends(&task, AJOB_SUCCEEDED, NULL);
        clock_ms += 100;
    }
    int lines = 0;
    while (lines < MANY && take()[0] != '\0') {
        lines += count_of(raw, "done task  1.2s\n");
        tick(100);
    }
    CHECK(lines == MANY);
    close_view();
}

static void a_reader_of_stdout_that_left_is_not_talked_about(void) {
    open_lines((struct view_options){0});
    run_starts(1);
    emit((ajob_event){.type = AJOB_RUN_CANCELLING, .cause = "SIGPIPE"});
    emit((ajob_event){
        .type = AJOB_RUN_ENDED, .status = AJOB_CANCELLED, .cause = "cancelled by SIGPIPE"});
    CHECK_TEXT(take(), "");
    close_view();
}

static void colors_follow_flag_and_environment(void) {
    static const struct {
        enum color_mode mode;
        const char *no_color, *force;
        bool colored;
    } cases[] = {{COLOR_AUTO, "", "", false},   {COLOR_AUTO, "", "1", true},
                 {COLOR_AUTO, "", "0", false},  {COLOR_AUTO, "1", "1", false},
                 {COLOR_ALWAYS, "1", "", true}, {COLOR_NEVER, "", "1", false}};
    ajob_task a = {.path = "a\033[2J", .parent = &root};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        setenv("NO_COLOR", cases[i].no_color, 1);
        setenv("CLICOLOR_FORCE", cases[i].force, 1);
        open_lines((struct view_options){.color = cases[i].mode});
        run_starts(1);
        ends(&a, AJOB_FAILED, "no\nway");
        CHECK_TEXT(take(), cases[i].colored
                               ? "\033[31majob: download: a\\x1b[2J: no\\x0away\033[m\n"
                               : "ajob: download: a\\x1b[2J: no\\x0away\n");
        close_view();
    }
    unsetenv("NO_COLOR");
    unsetenv("CLICOLOR_FORCE");
}

/* ---- events --------------------------------------------------------------------- */

static void events_are_lines_of_a_file(void) {
    char path[] = "/tmp/test_views.XXXXXX", *error;
    ajob_task a = {.path = "a", .parent = &root};
    int file = mkstemp(path);
    CHECK(file >= 0 && write(file, "old", 3) == 3);
    view = view_events_open(&loop, path, false, &error);
    CHECK(view && !error);
    reader = file;
    lseek(file, 0, SEEK_SET);
    run_starts(1);
    starts(&a);
    CHECK_TEXT(take(), "");
    tick(100);
    CHECK_TEXT(take(), "{\"event\":0,\"task\":\"\"}\n{\"event\":1,\"task\":\"a\"}\n");
    ends(&a, AJOB_FAILED, "exit 1"); /* at once */
    CHECK_TEXT(take(), "{\"event\":7,\"task\":\"a\"}\n");
    emit((ajob_event){.type = AJOB_RUN_CANCELLING, .cause = "SIGINT"});
    CHECK_TEXT(take(), "{\"event\":8,\"task\":\"\"}\n");
    for (int i = 0; i < MANY; i++)
        ends(&a, AJOB_SUCCEEDED, NULL);
    run_ends(AJOB_FAILED, 0, 1, 0);
    CHECK(count_of(take(), "\n") == MANY + 1 && strstr(raw, "{\"event\":9,\"task\":\"\"}\n"));
    CHECK(view_close(view) == 0);
    close(file);
    unlink(path);
}

/* Puts another file in the place of a descriptor; returns what was there. */
static int swap_fd(int fd, int other) {
    int saved = dup(fd);
    fflush(stderr);
    CHECK(dup2(other, fd) == fd);
    return saved;
}

static void a_full_disk_is_told_once(void) {
    int ends_of_pipe[2];
    char *error;
    ajob_task a = {.path = "a", .parent = &root};
    CHECK(pipe(ends_of_pipe) == 0 && fcntl(ends_of_pipe[0], F_SETFL, O_NONBLOCK) == 0);
    reader = ends_of_pipe[0];
    int saved = swap_fd(2, ends_of_pipe[1]);
    view = view_events_open(&loop, "/dev/full", false, &error);
    CHECK(view != NULL);
    run_starts(1);
    tick(100);
    ends(&a, AJOB_FAILED, "exit 1");
    run_ends(AJOB_FAILED, 0, 1, 0);
    CHECK(view_close(view) == -1);
    CHECK_TEXT(take(), "ajob: events: /dev/full: No space left on device\n");
    close(swap_fd(2, saved));
    close(saved), close(reader), close(ends_of_pipe[1]);

    CHECK(!view_events_open(&loop, "/nowhere/\033", false, &error) && error);
    CHECK_TEXT(error, "--events: /nowhere/\\x1b: No such file or directory");
    free(error);
}

static void the_run_ends_with_the_reader_of_stdout(void) {
    int ends_of_pipe[2];
    char *error;
    ajob_task group = {.path = "v1", .parent = &root, .group = true};
    ajob_task a = {.path = "v1/a", .parent = &group};
    CHECK(pipe(ends_of_pipe) == 0);
    int saved = swap_fd(1, ends_of_pipe[1]);
    close(ends_of_pipe[0]), close(ends_of_pipe[1]);
    view = view_events_open(&loop, "-", false, &error);
    CHECK(view != NULL);
    run_starts(1);
    tick(100); /* no task is known yet */
    CHECK(!cancelled_task);
    starts(&a);
    tick(100);
    CHECK(cancelled_task == &root);
    CHECK_TEXT(cancelled_by, "SIGPIPE");
    cancelled_task = NULL;
    ends(&a, AJOB_FAILED, "x");
    run_ends(AJOB_CANCELLED, 0, 0, 1);
    CHECK(!cancelled_task && view_close(view) == 0);
    root.is_cancelled = false;
    close(swap_fd(1, saved));
    close(saved);
}

int main(void) {
    begin();
    TEST(widths_are_counted_and_cut);
    TEST(lines_tell_what_happened);
    TEST(quiet_tells_failures_only);
    TEST(without_progress_there_are_errors_and_a_summary);
    TEST(verbose_tells_starts_and_the_cancelled);
    TEST(services_and_allowed_failures_have_their_words);
    TEST(a_heartbeat_comes_after_ten_silent_seconds);
    TEST(a_stream_tells_failures_and_how_it_gets_on);
    TEST(a_group_speaks_only_if_nothing_in_it_did);
    TEST(a_run_tells_its_own_timeout);
    TEST(far_failures_are_told_again);
    TEST(a_stopped_reader_holds_nobody_up);
    TEST(a_reader_of_stdout_that_left_is_not_talked_about);
    TEST(colors_follow_flag_and_environment);
    TEST(events_are_lines_of_a_file);
    TEST(a_full_disk_is_told_once);
    TEST(the_run_ends_with_the_reader_of_stdout);
    return finish();
}
