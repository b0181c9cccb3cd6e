/* test_output_reader.c - readers that are slow, go away, or have a full disk; what is
 * held meanwhile, and what can be read back. */
#include "output_rig.h"

#include <sys/resource.h>
#include <sys/socket.h>

enum { A, B, C, MIB = 1 << 20 };

static void open_pipe(ajob_output_options options) {
    say_open();
    say.fds[0] = say_pipe(&say.read_fds[0]);
    say.fds[1] = say_file(&say.read_fds[1]);
    say_start(options);
}

/* Files that are open. */
static int open_files(void) {
    int count = 0;
    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void end_all(void) {
    for (size_t i = 0; i < PRINTERS; i++)
        if (say.outputs[i])
            over(i, NULL);
}

/* ---- backpressure ------------------------------------------------------ */

static void slow(enum ajob_output_mode mode, bool live, size_t prefix) {
    open_pipe((ajob_output_options){.mode = mode, .live = live});
    print_much(A, 65536);
    CHECK(!output_is_full(say.outputs[A]));
    for (int i = 0; i < 17; i++)
        print_much(A, 65536);
    CHECK(output_is_full(say.outputs[A]));
    CHECK(!(fcntl(say.fds[0], F_GETFL) & O_NONBLOCK)); /* others have it, too */
    CHECK_NUMBER(say.rooms[A], 0);
    const char *text = seen(OUTPUT_STDOUT);
    CHECK_NUMBER(strlen(text), 18 * 1024 * (64 + prefix));
    CHECK_NUMBER(say.rooms[A], 1);
    CHECK(!output_is_full(say.outputs[A]));
    over(A, NULL);
    say_close();
}

static void a_slow_reader_makes_outputs_full_until_it_has_read(void) {
    slow(AJOB_OUTPUT_STREAM, false, 0);
    slow(AJOB_OUTPUT_PREFIX, false, 4);
    slow(AJOB_OUTPUT_GROUP, true, 0);
}

static void a_slow_reader_holds_up_no_timer_and_no_error(void) {
    open_pipe((ajob_output_options){.mode = AJOB_OUTPUT_STREAM});
    print_much(A, 2 * MIB);
    complain(B, "wrong\n"); /* elsewhere there is room */
    CHECK_TEXT(seen(OUTPUT_STDERR), "wrong\n");
    end_all();
    uv_turns();
    CHECK(rig.loop->root != NULL); /* what is held is written first */
    check_much(A, 2 * MIB, seen(OUTPUT_STDOUT));
    CHECK(rig.loop->root == NULL);
    say_close();
}

static void lines_of_many_are_never_mixed(void) {
    open_pipe((ajob_output_options){.mode = AJOB_OUTPUT_STREAM});
    unsigned lines[PRINTERS] = {0};
    for (int round = 0; round < 200; round++)
        for (size_t i = 0; i < PRINTERS; i++) {
            char line[2000];
            memset(line, (int)('a' + i), sizeof line);
            line[0] = (char)('a' + i);
            size_t length = 1 + rig.loop->random % 1998;
            loop_random(rig.loop);
            line[length] = '\n';
            size_t half = length / 2;
            output_add(say.outputs[i], OUTPUT_STDOUT, line, half);
            output_add(say.outputs[i], OUTPUT_STDOUT, line + half, length + 1 - half);
        }
    const char *text = seen(OUTPUT_STDOUT);
    while (*text) {
        size_t length = strcspn(text, "\n");
        CHECK(length > 0 && text[length] == '\n' && strspn(text, (char[]){*text, '\0'}) == length);
        lines[*text - 'a']++;
        text += length + 1;
    }
    for (size_t i = 0; i < PRINTERS; i++)
        CHECK_NUMBER(lines[i], 200);
    say_close();
}

static void every_kind_of_descriptor_takes_it_all(void) {
    int ends[2];
    say_open();
    CHECK_NUMBER(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    CHECK_NUMBER(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
    say.fds[0] = ends[0];
    say.read_fds[0] = ends[1];
    say.fds[1] = dup(ends[0]);
    say_start((ajob_output_options){.mode = AJOB_OUTPUT_STREAM});
    print_much(A, MIB / 2);
    CHECK(!(fcntl(say.fds[0], F_GETFL) & O_NONBLOCK));
    CHECK(*check_much(A, MIB / 2, seen(OUTPUT_STDOUT)) == '\0');
    say_close();
}

/* ---- what is held ------------------------------------------------------ */

static void more_than_a_mebibyte_goes_to_a_file_without_name(void) {
    say_start_files((ajob_output_options){.mode = AJOB_OUTPUT_GROUP});
    int before = open_files();
    print_much(A, 64 * 1024);
    print_much(B, MIB - 65536);
    CHECK_NUMBER(open_files(), before);
    print_much(A, 5 * MIB);
    complain(A, "wrong\n");
    print_much(A, 64);
    CHECK_NUMBER(open_files(), before + 2); /* also for what can be read back */
    over(B, NULL);
    check_much(B, MIB - 65536, seen(OUTPUT_STDOUT));
    over(A, NULL);
    for (int i = 0; i < 20; i++)
        uv_turns(); /* a lot is written in portions */
    const char *text = check_much(A, 64 * 1024, seen(OUTPUT_STDOUT));
    text = check_much(A, 5 * MIB, text);
    CHECK(*check_much(A, 64, text) == '\0');
    CHECK_TEXT(seen(OUTPUT_STDERR), "wrong\n");
    CHECK_NUMBER(open_files(), before);
    say_close();
}

static void a_disk_that_is_full_loses_the_rest_and_says_so(void) {
    say_start_files((ajob_output_options){.mode = AJOB_OUTPUT_GROUP});
    print_much(B, 64);
    mem_fail_nth(FAULT_WRITE, 1);
    print_much(B, 2 * MIB);
    mem_fail_nth(FAULT_WRITE, 0);
    CHECK_TEXT(marks(), "b note:the rest of its output cannot be kept: No space left on device|");
    over(B, NULL);
    const char *text = seen(OUTPUT_STDOUT);
    CHECK(strlen(text) > MIB / 2 && strlen(text) < MIB);
    CHECK(*check_much(B, strlen(text) - 64, check_much(B, 64, text)) == '\0');
    CHECK_TEXT(seen(OUTPUT_STDERR),
               "ajob: the rest of this output cannot be kept: No space left on device\n");
    say_close();
}

static void without_memory_nothing_breaks(void) {
    for (unsigned long n = 1, left = 0; left == 0 && n < 100; n++) {
        say_start_files((ajob_output_options){
            .mode = (enum ajob_output_mode)(n % 4), .has_events = true, .live = n % 8 < 4});
        rig.is_quiet = true;
        mem_fail_nth(FAULT_ALLOC, n);
        print(A, "a");
        print(B, "b\n");
        print_much(A, 4096);
        print_much(C, 4096);
        complain(C, "c\n");
        over(B, "boom");
        over(C, "boom");
        left = mem_fail_nth(FAULT_ALLOC, 0);
        say_close();
    }
}

static void what_was_printed_can_be_read_back(void) {
    char buffer[100];
    say_start_files((ajob_output_options){.mode = AJOB_OUTPUT_GROUP});
    print_much(A, 3 * MIB);
    complain(A, "not this\n");
    print(A, "end");
    CHECK_NUMBER(output_printed(say.outputs[A]), 3 * MIB + 3);
    CHECK_NUMBER(output_read(say.outputs[A], 3 * MIB - 64, buffer, sizeof buffer), 67);
    CHECK(!memcmp(buffer, "a 49151", 7) && !memcmp(buffer + 64, "end", 3));
    CHECK_NUMBER(output_read(say.outputs[A], 3 * MIB + 3, buffer, sizeof buffer), 0);
    int one = output_dup(say.outputs[A]), two = output_dup(say.outputs[A]);
    CHECK_NUMBER(read(one, buffer, 70), 70);
    CHECK(!memcmp(buffer + 64, "a 1   ", 6));
    CHECK_NUMBER(read(two, buffer, 64), 64);
    CHECK(!memcmp(buffer, "a 0", 3));
    CHECK_NUMBER(lseek(two, 0, SEEK_END), 3 * MIB + 3);
    CHECK(fcntl(two, F_GETFD) & FD_CLOEXEC);
    close(one);
    close(two);
    CHECK_NUMBER(output_dup(say.outputs[B]), -1);
    output_close(say.outputs[A], false);
    CHECK_NUMBER(output_read(say.outputs[A], 0, buffer, 3), 3); /* until it is freed */
    output_free(say.outputs[A]);
    say.outputs[A] = NULL;
    ajob_resolve(say.tasks[A], NULL);
    say_close();
}

static void a_follower_holds_up_who_is_ahead(void) {
    char buffer[64];
    open_pipe((ajob_output_options){.mode = AJOB_OUTPUT_NONE});
    output_follow(say.outputs[A], true);
    print_much(A, MIB - 64);
    CHECK(!output_is_full(say.outputs[A]));
    print_much(A, 64);
    CHECK(output_is_full(say.outputs[A]));
    output_taken(say.outputs[A], 64);
    CHECK_NUMBER(say.rooms[A], 0); /* never from inside */
    turn();
    CHECK_NUMBER(say.rooms[A], 1);
    CHECK_NUMBER(output_read(say.outputs[A], 64, buffer, 64), 64);
    CHECK(!memcmp(buffer, "a 1 ", 4));
    CHECK_NUMBER(output_read(say.outputs[A], 0, buffer, 64), AJOB_ESYSTEM);
    for (uint64_t at = MIB; at < 20 * (uint64_t)MIB; at += 65536) {
        print_much(A, 65536);
        CHECK_NUMBER(output_read(say.outputs[A], at, buffer, 64), 64);
        CHECK(!memcmp(buffer, "a 0 ", 4));
        output_taken(say.outputs[A], at + 65536);
    }
    say_close();
}

/* ---- ends -------------------------------------------------------------- */

static void the_reader_goes_away(void) {
    open_pipe((ajob_output_options){.mode = AJOB_OUTPUT_STREAM});
    print(A, "a1\n");
    CHECK_TEXT(seen(OUTPUT_STDOUT), "a1\n");
    close(say.read_fds[0]);
    say.read_fds[0] = -1;
    print(A, "a2\n");
    CHECK_NUMBER(ajob_output_error(rig.loop), EPIPE);
    take();
    turn();
    CHECK(strstr(take(), "cancelling: SIGPIPE") != NULL);
    CHECK_TEXT(ajob_task_cause(say.root), "cancelled by SIGPIPE");
    CHECK(rig.loop->root == NULL);
    say_close();
}

static void a_full_disk_cancels_the_run(void) {
    say_open();
    say.fds[0] = open("/dev/full", O_WRONLY);
    say.fds[1] = say_file(&say.read_fds[1]);
    say_start((ajob_output_options){.mode = AJOB_OUTPUT_GROUP});
    print(A, "a1\n");
    over(A, NULL);
    CHECK_NUMBER(ajob_output_error(rig.loop), ENOSPC);
    turn();
    CHECK_TEXT(ajob_task_cause(say.root), "cancelled by a failure to write to standard output");
    CHECK_NUMBER(ajob_exit_status(rig.loop), 1);
    say_close();
}

static void the_last_block_cannot_be_written(void) {
    say_open();
    say.fds[0] = open("/dev/full", O_WRONLY);
    say.fds[1] = say_file(&say.read_fds[1]);
    say_start((ajob_output_options){.mode = AJOB_OUTPUT_GROUP});
    for (size_t i = 0; i < PRINTERS; i++) {
        if (i == PRINTERS - 1)
            print(i, "last\n");
        over(i, NULL);
    }
    CHECK_NUMBER(ajob_exit_status(rig.loop), 1);
    say_close();
}

static void a_blocked_reader_does_not_outlast_a_signal(void) {
    open_pipe((ajob_output_options){.mode = AJOB_OUTPUT_STREAM});
    print_much(A, MIB);
    rig.loop->exit_signal = SIGINT; /* as signals.c does */
    ajob_cancel(say.root, "SIGINT");
    turn();
    uv_turns();
    CHECK(rig.loop->root != NULL);
    pass(900);
    CHECK(rig.loop->root != NULL);
    pass(200);
    CHECK(rig.loop->root == NULL);
    say_close();
}

static void a_second_signal_drops_what_is_held(void) {
    open_pipe((ajob_output_options){.mode = AJOB_OUTPUT_STREAM});
    print_much(A, MIB);
    rig.loop->exit_signal = SIGINT;
    rig.loop->is_killing = true;
    ajob_kill(say.root, "SIGINT");
    turn();
    turn();
    CHECK(rig.loop->root == NULL);
    say_close();
}

int main(void) {
    RUN(a_slow_reader_makes_outputs_full_until_it_has_read);
    RUN(a_slow_reader_holds_up_no_timer_and_no_error);
    RUN(lines_of_many_are_never_mixed);
    RUN(every_kind_of_descriptor_takes_it_all);
    RUN(more_than_a_mebibyte_goes_to_a_file_without_name);
    RUN(a_disk_that_is_full_loses_the_rest_and_says_so);
    RUN(without_memory_nothing_breaks);
    RUN(what_was_printed_can_be_read_back);
    RUN(a_follower_holds_up_who_is_ahead);
    RUN(the_reader_goes_away);
    RUN(a_full_disk_cancels_the_run);
    RUN(the_last_block_cannot_be_written);
    RUN(a_blocked_reader_does_not_outlast_a_signal);
    RUN(a_second_signal_drops_what_is_held);
    return finish();
}
