/* test_output_modes.c - who may write when, in each mode. */
#include "exec/printer.h"
#include "output_rig.h"

enum { A, B, C, D };

static void group__a_block_when_the_task_ends(void) {
    say_start_files((ajob_output_options){.mode = AJOB_OUTPUT_GROUP});
    print(A, "a1\n");
    print(B, "b1\n");
    complain(A, "a2\n");
    print(A, "a3\nno newline");
    CHECK_TEXT(seen(OUTPUT_STDOUT), "");
    over(B, NULL);
    CHECK_TEXT(seen(OUTPUT_STDOUT), "b1\n");
    over(A, "boom");
    CHECK_TEXT(seen(OUTPUT_STDOUT), "a1\na3\nno newline");
    CHECK_TEXT(seen(OUTPUT_STDERR), "a2\n");
    say_close();
}

static void group__one_file_for_both_keeps_the_order(void) {
    say_open();
    say.fds[0] = say_file(&say.read_fds[0]);
    say.fds[1] = dup(say.fds[0]);
    say_start((ajob_output_options){.mode = AJOB_OUTPUT_GROUP});
    print(A, "out 1, ");
    complain(A, "err 1\n");
    print(A, "the rest\nout 2\n");
    complain(A, "err 2\n");
    print(A, "out 3\n");
    over(A, NULL);
    CHECK_TEXT(seen(OUTPUT_STDOUT), "err 1\nout 1, the rest\nout 2\nerr 2\nout 3\n");
    say_close();
}

static void group__what_holds_too_much_has_its_turn_at_once(void) {
    say_start_files((ajob_output_options){.mode = AJOB_OUTPUT_GROUP});
    printer_of(rig.loop)->held_most = 4096;
    print_much(B, 4096 - 64);
    CHECK_TEXT(seen(OUTPUT_STDOUT), "");
    print(C, "c1\n");
    over(C, NULL);
    CHECK_TEXT(seen(OUTPUT_STDOUT), "c1\n");
    print(B, "b, the line that is too much and makes it write as it goes on from here\n");
    CHECK_TEXT(check_much(B, 4096 - 64, seen(OUTPUT_STDOUT)),
               "b, the line that is too much and makes it write as it goes on from here\n");
    print(B, "b1\n");
    CHECK_TEXT(seen(OUTPUT_STDOUT), "b1\n");
    print_much(D, 8192); /* another such has to wait until that has ended */
    CHECK(output_is_full(say.outputs[D]));
    print(A, "a1\n");
    over(A, NULL);
    CHECK_TEXT(seen(OUTPUT_STDOUT), "");
    over(B, NULL);
    const char *rest = seen(OUTPUT_STDOUT);
    CHECK(!strncmp(rest, "a1\n", 3));
    CHECK_TEXT(check_much(D, 8192, rest + 3), "");
    CHECK(!output_is_full(say.outputs[D]));
    say_close();
}

static void live__the_oldest_streams_and_hands_over(void) {
    say_start_files((ajob_output_options){.mode = AJOB_OUTPUT_GROUP, .live = true});
    print(B, "b1\n");
    print(A, "a1\na2");
    CHECK_TEXT(seen(OUTPUT_STDOUT), "a1\n");
    print(C, "c1\n");
    over(C, NULL);
    print(D, "d1\n");
    CHECK_TEXT(seen(OUTPUT_STDOUT), "");
    over(A, NULL); /* the rest of a, what has ended, then the oldest left */
    CHECK_TEXT(seen(OUTPUT_STDOUT), "a2\nc1\nb1\n");
    print(B, "b2\n");
    CHECK_TEXT(seen(OUTPUT_STDOUT), "b2\n");
    over(D, NULL);
    over(B, NULL);
    CHECK_TEXT(seen(OUTPUT_STDOUT), "d1\n");
    say_close();
}

static void live__one_that_is_silent_holds_up_nobody_who_has_ended(void) {
    say_start_files((ajob_output_options){.mode = AJOB_OUTPUT_GROUP, .live = true});
    print(B, "b1\n");
    CHECK_TEXT(seen(OUTPUT_STDOUT), "");
    over(B, NULL);
    CHECK_TEXT(seen(OUTPUT_STDOUT), "b1\n");
    print(A, "a1\n");
    CHECK_TEXT(seen(OUTPUT_STDOUT), "a1\n");
    print(C, "c1\n");
    over(C, NULL);
    CHECK_TEXT(seen(OUTPUT_STDOUT), "");
    over(A, NULL);
    CHECK_TEXT(seen(OUTPUT_STDOUT), "c1\n");
    say_close();
}

static void live__what_failed_is_seen_at_once(void) {
    say_start_files((ajob_output_options){.mode = AJOB_OUTPUT_GROUP, .live = true});
    print(A, "a1\na2");
    print(B, "b1\nb2\n");
    print(C, "c1\n");
    over(C, NULL);
    CHECK_TEXT(seen(OUTPUT_STDOUT), "a1\n");
    over(B, "exit 1");
    CHECK_TEXT(seen(OUTPUT_STDOUT), "b1\nb2\n");
    print(A, "\na3\n");
    CHECK_TEXT(seen(OUTPUT_STDOUT), "a2\na3\n");
    over(A, NULL);
    CHECK_TEXT(seen(OUTPUT_STDOUT), "c1\n");
    say_close();
}

static void prefix__each_line_after_the_name(void) {
    say_start_files((ajob_output_options){.mode = AJOB_OUTPUT_PREFIX});
    print(A, "one\ntw");
    print(B, "\n\n");
    complain(A, "wrong\n");
    print(A, "o\nend");
    over(A, NULL);
    CHECK_TEXT(seen(OUTPUT_STDOUT), "[a] one\n[b] \n[b] \n[a] two\n[a] end\n");
    CHECK_TEXT(seen(OUTPUT_STDERR), "[a] wrong\n");
    say_close();
}

static void prefix__names_are_escaped_and_bytes_are_not(void) {
    say_open();
    say.fds[0] = say_file(&say.read_fds[0]);
    say.fds[1] = say_file(&say.read_fds[1]);
    CHECK_NUMBER(ajob_set_title(say.tasks[A], "x\033[2J/\n"), 0);
    say_start((ajob_output_options){.mode = AJOB_OUTPUT_PREFIX});
    print(A, "\033[1mbold\r\xff\n");
    CHECK_TEXT(seen(OUTPUT_STDOUT), "[x\\x1b[2J/\\x0a] \033[1mbold\r\xff\n");
    say_close();
}

static void prefix__a_long_line_is_cut(void) {
    static char line[150000];
    memset(line, 'x', sizeof line - 2);
    line[sizeof line - 2] = '\n';
    say_start_files((ajob_output_options){.mode = AJOB_OUTPUT_PREFIX});
    print(A, line);
    const char *text = seen(OUTPUT_STDOUT);
    size_t rest = sizeof line - 2 - 2 * 65536;
    CHECK_NUMBER(strlen(text), sizeof line - 2 + 3 * 5);
    CHECK(!strncmp(text + 4 + 65536, "\n[a] x", 6));
    CHECK(!strncmp(text + 2 * (5 + 65536), "[a] x", 5));
    CHECK(!strcmp(text + 2 * (5 + 65536) + 4 + rest, "\n"));
    say_close();
}

static void prefix__many_short_lines_in_one_piece(void) {
    static char lines[60001];
    memset(lines, '\n', sizeof lines - 1);
    say_start_files((ajob_output_options){.mode = AJOB_OUTPUT_PREFIX});
    print(A, lines);
    CHECK_NUMBER(strlen(seen(OUTPUT_STDOUT)), 5 * (sizeof lines - 1));
    say_close();
}

static void stream__whole_lines_as_they_come(void) {
    say_start_files((ajob_output_options){.mode = AJOB_OUTPUT_STREAM});
    print(A, "one ");
    print(B, "two\nthr");
    print(A, "line\n");
    CHECK_TEXT(seen(OUTPUT_STDOUT), "two\none line\n");
    pass(10000); /* it is not alone */
    CHECK_TEXT(seen(OUTPUT_STDOUT), "");
    over(B, NULL);
    CHECK_TEXT(seen(OUTPUT_STDOUT), "thr");
    say_close();
}

static void stream__a_prompt_of_one_alone_is_shown_after_a_while(void) {
    say_start_files((ajob_output_options){.mode = AJOB_OUTPUT_STREAM});
    for (size_t i = B; i < PRINTERS; i++)
        over(i, NULL);
    print(A, "Password: \xe2\x82");
    pass(100);
    CHECK_TEXT(seen(OUTPUT_STDOUT), "");
    pass(150);
    CHECK_TEXT(seen(OUTPUT_STDOUT), "Password: ");
    print(A, "\xac\n");
    CHECK_TEXT(seen(OUTPUT_STDOUT), "\xe2\x82\xac\n");
    say_close();
}

static void none__failures_only_on_standard_error(void) {
    say_start_files((ajob_output_options){.mode = AJOB_OUTPUT_NONE});
    print(A, "a1\n");
    complain(A, "a2\n");
    print(B, "b1\n");
    over(A, NULL);
    CHECK_TEXT(seen(OUTPUT_STDERR), "");
    print(C, "c1\n");
    complain(C, "c2\n");
    print(C, "c3\n");
    over(C, "boom");
    CHECK_TEXT(seen(OUTPUT_STDERR), "c1\nc2\nc3\n");
    over(B, "boom");
    CHECK_TEXT(seen(OUTPUT_STDERR), "b1\n");
    CHECK_TEXT(seen(OUTPUT_STDOUT), "");
    say_close();
}

static void without_set_output_it_is_read_and_dropped(void) {
    say_open();
    start_run(say.root);
    print(A, "kept\n");
    print(B, "dropped\n");
    char buffer[8];
    CHECK_NUMBER(output_read(say.outputs[A], 1, buffer, sizeof buffer), 4);
    CHECK(!memcmp(buffer, "ept\n", 4));
    CHECK_NUMBER(output_printed(say.outputs[B]), 8);
    CHECK_NUMBER(output_read(say.outputs[B], 0, buffer, sizeof buffer), AJOB_ESYSTEM);
    say_close();
}

static void events__pieces_are_lines(void) {
    static char line[65600];
    say_start_files((ajob_output_options){.mode = AJOB_OUTPUT_NONE, .has_events = true});
    print(A, "one\ntwo\nthr");
    complain(A, "wrong\n");
    CHECK_TEXT(marks(), "a stdout 8:one\ntwo\n|a stderr 6:wrong\n|");
    over(A, NULL);
    CHECK_TEXT(marks(), "a stdout 3:thr|");
    for (size_t i = 0; i + 1 < sizeof line; i += 3) /* 65536 is no multiple of 3 */
        memcpy(line + i, "\xe2\x82\xac", i + 3 < sizeof line ? 3 : 1);
    line[65598] = '\0';
    print(B, line);
    CHECK(!strncmp(marks(), "b stdout 65535:\xe2", 16));
    over(B, NULL);
    CHECK(!strncmp(marks(), "b stdout 63:\xe2", 13));
    say_close();
}

static void events__any_byte_is_valid_json(void) {
    size_t length;
    say_open();
    start_run(say.root);
    const char *json = ajob_event_json(rig.loop,
                                       &(ajob_event){.type = AJOB_TASK_OUTPUT,
                                                     .task = say.tasks[A],
                                                     .path = "a",
                                                     .stream = "stdout",
                                                     .text = "a\0\xff\n",
                                                     .length = 4},
                                       &length);
    CHECK(strstr(json, "\"stream\":\"stdout\",\"text\":\"a\\u0000\xef\xbf\xbd\\n\"}\n") != NULL);
    say_close();
}

static void options_that_are_wrong_are_refused(void) {
    say_open();
    CHECK_NUMBER(ajob_set_output(rig.loop, &(ajob_output_options){.out = 1, .err = 9999}),
                 AJOB_EINVAL);
    CHECK_NUMBER(ajob_set_output(rig.loop, &(ajob_output_options){.mode = 7, .out = 1, .err = 1}),
                 AJOB_EINVAL);
    CHECK_NUMBER(
        ajob_set_output(rig.loop,
                        &(ajob_output_options){.out = 1, .err = 1, .log_dir = "/dev/null/x"}),
        AJOB_ESYSTEM);
    CHECK_TEXT(ajob_error(rig.loop), "/dev/null/x: cannot be made or written to: Not a directory");
    CHECK_NUMBER(ajob_set_output(rig.loop, &(ajob_output_options){.out = 1, .err = 1}), 0);
    CHECK_NUMBER(ajob_set_output(rig.loop, &(ajob_output_options){.out = 1, .err = 1}),
                 AJOB_EINVAL);
    start_run(say.root);
    say_close();
}

int main(void) {
    RUN(group__a_block_when_the_task_ends);
    RUN(group__one_file_for_both_keeps_the_order);
    RUN(group__what_holds_too_much_has_its_turn_at_once);
    RUN(live__the_oldest_streams_and_hands_over);
    RUN(live__what_failed_is_seen_at_once);
    RUN(live__one_that_is_silent_holds_up_nobody_who_has_ended);
    RUN(prefix__each_line_after_the_name);
    RUN(prefix__names_are_escaped_and_bytes_are_not);
    RUN(prefix__a_long_line_is_cut);
    RUN(prefix__many_short_lines_in_one_piece);
    RUN(stream__whole_lines_as_they_come);
    RUN(stream__a_prompt_of_one_alone_is_shown_after_a_while);
    RUN(none__failures_only_on_standard_error);
    RUN(without_set_output_it_is_read_and_dropped);
    RUN(events__pieces_are_lines);
    RUN(events__any_byte_is_valid_json);
    RUN(options_that_are_wrong_are_refused);
    return finish();
}
