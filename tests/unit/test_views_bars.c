/*
 * test_views_bars.c - the frame of bars: its exact text, and that neither width
 * nor number nor a stopped terminal nor a hostile name can break it.
 */
#include "views_fake.h"

enum { MIB = 1 << 20, MANY = 10000 };

static void a_frame_stands_below_the_log_and_goes(void) {
    ajob_task a = {.path = "v1/a.tgz", .moves = true, .total = 10 * MIB}, b = {.path = "v1/b.tgz"};
    open_bars(80, 24, (struct view_options){.color = COLOR_NEVER});
    screen_reset(80, 24);
    run_starts(3);
    starts(&a), starts(&b);
    for (int i = 0; i < 40; i++) {
        a.bytes += MIB / 8;
        tick(100);
    }
    screen_feed(take());
    CHECK_TEXT(screen_text(),
               "v1/a.tgz                #####......   50%     5.0 MiB     1.2 MiB/s  ETA 5s\n"
               "v1/b.tgz                 4s\n"
               "0/3 done  5.0 MiB  1.2 MiB/s\n");
    emit((ajob_event){
        .type = AJOB_TASK_RETRYING, .task = &a, .attempt = 1, .delay = 2.5, .cause = "HTTP 502"});
    ends(&b, AJOB_FAILED, "exit 1");
    tick(100);
    screen_feed(take());
    CHECK_TEXT(screen_text(), "retrying v1/a.tgz in 2.5s (attempt 2): HTTP 502\n"
                              "ajob: download: v1/b.tgz: exit 1\n"
                              "v1/a.tgz                 retrying in 3s\n"
                              "1/3 done  5.0 MiB  1.2 MiB/s  1 failed\n");
    downloads(&a, 10 * MIB, false, 0);
    run_ends(AJOB_FAILED, 1, 1, 0);
    screen_feed(take());
    CHECK_TEXT(screen_text(), "retrying v1/a.tgz in 2.5s (attempt 2): HTTP 502\n"
                              "ajob: download: v1/b.tgz: exit 1\n"
                              "downloaded v1/a.tgz  10.0 MiB  1.2s  sha256 ok\n"
                              "1 downloaded, 1 failed, 10.0 MiB in 8.1s (1.2 MiB/s)\n");
    CHECK(!screen.wrapped && screen.x == 0);
    close_view();
}

static void a_stream_has_its_oldest_tasks_and_its_pace(void) {
    ajob_task tasks[40];
    char paths[40][8];
    open_bars(80, 24, (struct view_options){.color = COLOR_NEVER, .is_stream = true});
    screen_reset(80, 24);
    run_starts(1000);
    for (int i = 0; i < 40; i++) {
        snprintf(paths[i], sizeof paths[i], "%d", i + 1);
        tasks[i] = (ajob_task){.path = paths[i], .item = i ? "y" : "some item"};
        starts(&tasks[i]);
        if (i > 1)
            ends(&tasks[i], AJOB_SUCCEEDED, NULL);
        tick(100);
    }
    screen_feed(take());
    CHECK_TEXT(screen_text(), "1: some item             4s\n"
                              "2: y                     3s\n"
                              "38/1000 done  9.5/s  ETA 1m41s\n");
    ends(&tasks[0], AJOB_SUCCEEDED, NULL), ends(&tasks[1], AJOB_SUCCEEDED, NULL);
    run_ends(AJOB_SUCCEEDED, 40, 0, 0);
    close_view();
}

static void what_has_stalled_has_no_rate_and_then_a_new_one(void) {
    ajob_task a = {.path = "a", .moves = true, .total = 10 * MIB};
    open_bars(80, 24, (struct view_options){.color = COLOR_NEVER});
    screen_reset(80, 24);
    run_starts(1);
    starts(&a);
    for (int i = 0; i < 40; i++) {
        a.bytes += MIB / 8;
        tick(100);
    }
    for (int i = 0; i < 31; i++)
        tick(100);
    screen_feed(take());
    CHECK_TEXT(screen_text(), "a                       #####......   50%     5.0 MiB\n"
                              "0/1 done  5.0 MiB\n");
    for (int i = 0; i < 40; i++) {
        a.bytes += MIB / 80;
        tick(100);
    }
    screen_feed(take());
    CHECK_TEXT(screen_text(),
               "a                       ######.....   54%     5.5 MiB    131069 B/s  ETA 37s\n"
               "0/1 done  5.5 MiB  131069 B/s\n");
    ends(&a, AJOB_SUCCEEDED, NULL);
    run_ends(AJOB_SUCCEEDED, 1, 0, 0);
    close_view();
}

static void at_most_ten_frames_a_second_and_none_for_nothing(void) {
    ajob_task a = {.path = "a", .moves = true, .total = 100 * MIB};
    open_bars(80, 24, (struct view_options){0});
    run_starts(1);
    starts(&a);
    int frames = 0, ends_of_frames = 0;
    for (int i = 0; i < 1000; i++) {
        a.bytes += MIB / 20;
        tick(10);
        frames += count_of(take(), "\033[?2026h");
        ends_of_frames += count_of(raw, "\033[?2026l");
        CHECK(!strstr(raw, "\033[?25")); /* the cursor stays visible */
    }
    CHECK(frames >= 95 && frames <= 101 && ends_of_frames == frames);
    a.moves = false;
    ends(&a, AJOB_SUCCEEDED, NULL);
    for (int i = 0; i < 1000; i++) { /* the rate goes down to nothing */
        tick(100);
        take();
    }
    for (int i = 0; i < 10; i++)
        tick(100);
    CHECK_TEXT(take(), "");
    close_view();
}

static void no_line_wraps_at_any_width(void) {
    ajob_task tasks[] = {
        {.path = "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e-\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e-"
                 "\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80-e\xcc\x81.tar.gz",
         .moves = true,
         .bytes = 1023 * (uint64_t)MIB,
         .total = 2000 * (int64_t)MIB},
        {.path = "a-long-name-of-an-asset-that-no-column-has-room-for-x86_64-linux.tar.zst"},
        {.path = "\033[2Jescape", .moves = true, .bytes = 5, .total = -1}};
    for (int utf8 = 0; utf8 < 2; utf8++) {
        setenv("LC_ALL", utf8 ? "C.UTF-8" : "C", 1);
        open_bars(250, 24, (struct view_options){0});
        run_starts(3);
        for (size_t i = 0; i < 3; i++)
            starts(&tasks[i]);
        tick(5000);
        for (int cols = 250; cols >= 1; cols--) {
            resize(cols, 24);
            screen_reset(cols, 24);
            tick(5000);
            take();
            CHECK(raw[0] != '\0' && (utf8 || !strpbrk(raw, "\xe2\xe6\xf0")));
            screen.y = 20;
            screen_feed(raw);
            CHECK(!screen.wrapped);
            for (int y = 0; y < 24; y++)
                CHECK(screen.grid[y][cols - 1] == ' ');
        }
        close_view();
    }
    setenv("LC_ALL", "C.UTF-8", 1);
}

static void a_narrower_window_is_cleared_of_the_wrapped_frame(void) {
    ajob_task a = {.path = "a", .moves = true, .bytes = MIB, .total = 2 * MIB};
    open_bars(80, 24, (struct view_options){0});
    run_starts(1);
    starts(&a);
    tick(100);
    take();
    resize(30, 24); /* the line of 68 columns has become shorter: two rows, the total one */
    tick(100);
    CHECK(strncmp(take(), "\033[?2026h\r\033[3A\033[J", 16) == 0);
    resize(90, 24);
    tick(100);
    CHECK(strncmp(take(), "\033[?2026h\r\033[2A\033[J", 16) == 0);
    close_view();
}

static void many_tasks_take_few_lines(void) {
    static ajob_task tasks[MANY];
    static const struct {
        int rows;
        const char *text;
    } cases[] = {{24, "\n"},
                 {5, "t\nt\n... and 9998 more\n0/10000 done\n"},
                 {3, "... 10000 more\n0/10000 done\n"},
                 {2, "0/10000 done\n"}};
    open_bars(80, 24, (struct view_options){0});
    run_starts(MANY);
    for (size_t i = 0; i < MANY; i++) {
        tasks[i].path = "t";
        starts(&tasks[i]);
    }
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        screen_reset(80, cases[i].rows);
        resize(80, cases[i].rows);
        tick(100);
        screen_feed(take());
        if (i == 0)
            CHECK(screen.y == 12 && strstr(screen_text(), "t\n... and 9990 more\n0/10000 done\n"));
        else
            CHECK(strstr(screen_text(), cases[i].text) != NULL);
    }
    resize(80, 1); /* no room for a frame at all */
    tick(100);
    CHECK(!strstr(take(), "done"));
    /* Ending in any order finds each again. */
    for (size_t i = 0; i < MANY; i++) {
        ends(&tasks[i * 7919 % MANY], AJOB_CANCELLED, "x");
    }
    resize(80, 24);
    tick(100);
    CHECK(strstr(take(), "10000/10000 done\033[K\n") != NULL);
    close_view();
}

static void a_release_is_listed_until_its_assets_are(void) {
    ajob_task release = {.path = "v1"}, a = {.path = "v1/a", .parent = &release};
    open_bars(80, 24, (struct view_options){.color = COLOR_NEVER});
    run_starts(-1);
    starts(&release);
    tick(100);
    CHECK_TEXT(take(), "\033[?2026h\033[Jv1\033[K\n0 done\033[K\n\033[J\033[?2026l");
    starts(&a);
    release.group = true;
    tick(100);
    CHECK_TEXT(take(), "\033[?2026h\r\033[2Av1/a\033[K\n0 done\033[K\n\033[J\033[?2026l");
    ends(&a, AJOB_FAILED, "x");
    ends(&release, AJOB_FAILED, "v1/a: x");
    tick(100);
    CHECK_TEXT(take(), "\033[?2026h\r\033[2A\033[Jajob: download: v1/a: x\n"
                       "1 done  1 failed\033[K\n\033[J\033[?2026l");
    close_view();
}

static void a_stopped_terminal_holds_nobody_up(void) {
    ajob_task a = {.path = "a", .parent = &root};
    open_bars(80, 24, (struct view_options){0});
    CHECK(tcflow(writer, TCOOFF) == 0);
    run_starts(1000);
    for (int i = 0; i < 1000; i++) {
        ends(&a, AJOB_SUCCEEDED, NULL);
        tick(100);
    }
    CHECK_TEXT(take(), "");
    CHECK(tcflow(writer, TCOON) == 0);
    int lines = 0;
    for (int i = 0; i < 1000 && lines < 1000; i++) {
        tick(100);
        lines += count_of(take(), "done a");
    }
    CHECK(lines == 1000);
    close_view();
}

static void commands_print(const char *text, bool has_more) {
    view_before_output(view, writer);
    CHECK(write(writer, text, strlen(text)) == (ssize_t)strlen(text));
    view_after_output(view, writer, text[strlen(text) - 1] == '\n', has_more);
}

static void what_commands_print_stands_above_the_frame(void) {
    ajob_task a = {.path = "a"}, b = {.path = "b"};
    open_bars(80, 24, (struct view_options){.color = COLOR_NEVER});
    screen_reset(80, 24);
    run_starts(2);
    starts(&a), starts(&b);
    tick(100);
    commands_print("one\n", false);
    tick(100);
    commands_print("two", false); /* the frame is not put behind it */
    tick(100);
    screen_feed(take());
    CHECK_TEXT(screen_text(), "one\ntwo\na\nb\n0/2 done\n");
    commands_print("three, ", true); /* its reader is slow: it is not broken up */
    ends(&b, AJOB_SUCCEEDED, NULL);
    tick(1000);
    screen_feed(take());
    CHECK_TEXT(screen_text(), "one\ntwo\n"); /* and a line that is not over */
    commands_print("four\n", false);
    tick(100);
    screen_feed(take());
    CHECK_TEXT(screen_text(),
               "one\ntwo\nthree, four\ndone b  1.2s\na                        1s\n1/2 done\n");
    commands_print("end", false);
    a.moves = false;
    ends(&a, AJOB_SUCCEEDED, NULL);
    run_ends(AJOB_SUCCEEDED, 2, 0, 0);
    screen_feed(take());
    CHECK(strstr(screen_text(), "three, four\ndone b  1.2s\nend\ndone a  ") != NULL);
    close_view();
}

static void what_commands_print_ends_before_a_line(void) {
    ajob_task a = {.path = "a"};
    open_lines((struct view_options){0});
    run_starts(1);
    starts(&a);
    commands_print("prompt", false);
    ends(&a, AJOB_SUCCEEDED, NULL);
    tick(200);
    CHECK(strncmp(take(), "prompt\ndone a  ", 15) == 0);
    close_view();
}

static void bars_are_for_people(void) {
    static const struct {
        enum progress_mode mode;
        const char *term, *ci;
        bool bars;
    } cases[] = {{PROGRESS_AUTO, "xterm", "", true}, {PROGRESS_AUTO, "dumb", "", false},
                 {PROGRESS_AUTO, "", "", false},     {PROGRESS_AUTO, "xterm", "true", false},
                 {PROGRESS_BAR, "dumb", "1", true},  {PROGRESS_LINES, "xterm", "", false},
                 {PROGRESS_NONE, "xterm", "", false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        setenv("TERM", cases[i].term, 1);
        setenv("CI", cases[i].ci, 1);
        open_bars(80, 24, (struct view_options){.progress = cases[i].mode});
        run_starts(1);
        tick(100);
        CHECK((take()[0] != '\0') == cases[i].bars);
        close_view();
    }
    setenv("TERM", "xterm", 1);
    unsetenv("CI");
    open_lines((struct view_options){.progress = PROGRESS_BAR}); /* to a pipe: lines */
    run_starts(1);
    tick(100);
    CHECK_TEXT(take(), "");
    close_view();
}

int main(void) {
    begin();
    TEST(a_frame_stands_below_the_log_and_goes);
    TEST(a_stream_has_its_oldest_tasks_and_its_pace);
    TEST(what_has_stalled_has_no_rate_and_then_a_new_one);
    TEST(at_most_ten_frames_a_second_and_none_for_nothing);
    TEST(no_line_wraps_at_any_width);
    TEST(a_narrower_window_is_cleared_of_the_wrapped_frame);
    TEST(many_tasks_take_few_lines);
    TEST(a_release_is_listed_until_its_assets_are);
    TEST(a_stopped_terminal_holds_nobody_up);
    TEST(what_commands_print_stands_above_the_frame);
    TEST(what_commands_print_ends_before_a_line);
    TEST(bars_are_for_people);
    return finish();
}
