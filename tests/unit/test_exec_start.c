/*
 * test_exec_start.c - what a command is started with, and what is said when it cannot
 * be.
 */
#include "exec_rig.h"

static const char *const print_arguments[] = {"/bin/sh", "-c", "printf '%s\\0' \"$@\" >out", "sh"};

/* ---- the program ------------------------------------------------------- */

static void a_name_is_looked_up_in_the_path_of_the_environment_of_the_command(void) {
    open_place(&owning);
    CHECK(mkdir("bin", 0755) == 0 && mkdir("empty", 0755) == 0);
    write_file("bin/tool", "#!/bin/sh\necho mine >out\n", 0755);
    const char *const argv[] = {"tool", NULL};
    const char *const env[] = {"PATH=empty::nowhere:bin:/bin:/usr/bin", NULL};
    CHECK_EXIT(run_exec(&(ajob_exec_options){.argv = argv}), 127, "not found: tool");
    CHECK_EXIT(run_exec(&(ajob_exec_options){.argv = argv, .env = env}), 0, NULL);
    CHECK_TEXT(read_file("out"), "mine\n");
    const char *const none[] = {"PATH", NULL};
    const char *const plain[] = {"true", NULL};
    CHECK_EXIT(run_exec(&(ajob_exec_options){.argv = plain, .env = none}), 0, NULL);
    const char *const wrong[] = {"PATH=/nowhere", NULL};
    CHECK_EXIT(run_exec(&(ajob_exec_options){.argv = plain, .env = wrong}), 127, "not found: true");
    close_place();
}

static void a_file_that_cannot_be_run_does_not_hide_one_that_can(void) {
    open_place(&owning);
    CHECK(mkdir("a", 0755) == 0 && mkdir("a/tool", 0755) == 0);
    CHECK(mkdir("b", 0755) == 0 && mkdir("c", 0755) == 0);
    write_file("b/tool", "no", 0644);
    const char *const argv[] = {"tool", NULL};
    const char *const env[] = {"PATH=a:b:c:/bin:/usr/bin", NULL};
    CHECK_EXIT(run_exec(&(ajob_exec_options){.argv = argv, .env = env}), 126,
               "cannot be run: tool: permission denied");
    write_file("c/tool", "#!/bin/sh\nexit 5\n", 0755);
    CHECK_EXIT(run_exec(&(ajob_exec_options){.argv = argv, .env = env}), 5, "exit 5");
    close_place();
}

static void what_cannot_be_run_is_told_apart(void) {
    open_place(&owning);
    CHECK(mkdir("directory", 0755) == 0);
    write_file("data", "x", 0644);
    write_file("orphan", "#! /no/such/interpreter -x\n", 0755);
    static const struct {
        const char *program;
        int exit;
        const char *cause;
    } cases[] = {
        {"nosuch", 127, "not found: nosuch"},
        {"./nosuch", 127, "not found: ./nosuch"},
        {"", 127, "not found: "},
        {"./directory", 126, "cannot be run: ./directory: it is a directory"},
        {"./data", 126, "cannot be run: ./data: permission denied"},
        {"./data/x", 126, "cannot be run: ./data/x: Not a directory"},
        {"./orphan", 126,
         "cannot be run: ./orphan: its interpreter /no/such/interpreter is not there"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *const argv[] = {cases[i].program, NULL};
        CHECK_EXIT(run_exec(&(ajob_exec_options){.argv = argv}), cases[i].exit, cases[i].cause);
    }
    close_place();
}

static void too_many_arguments_are_a_failure_not_a_wait(void) {
    open_place(&owning);
    size_t length = 200 * 1024; /* one argument may have 128 KiB on Linux */
    char *big = mem_new(length + 1);
    memset(big, 'x', length);
    const char *const argv[] = {"true", big, NULL};
    CHECK_EXIT(run_exec(&(ajob_exec_options){.argv = argv}), 126,
               "cannot be run: true: its arguments and environment are too long");
    mem_free(big);
    close_place();
}

static void a_script_without_an_interpreter_is_for_the_shell(void) {
    open_place(&owning);
    write_file("plain", "printf '%s,' \"$0\" \"$@\" >out\n", 0755);
    const char *const argv[] = {"./plain", "a b", "", "c", NULL};
    CHECK_EXIT(run_exec(&(ajob_exec_options){.argv = argv}), 0, NULL);
    CHECK_TEXT(read_file("out"), "./plain,a b,,c,");
    close_place();
}

static void arguments_arrive_byte_for_byte(void) {
    char all[256];
    for (int i = 0; i < 255; i++)
        all[i] = (char)(i + 1);
    all[255] = 0;
    open_place(&owning);
    const char *const argv[] = {print_arguments[0],
                                print_arguments[1],
                                print_arguments[2],
                                print_arguments[3],
                                "",
                                " a  b ",
                                "-n",
                                "--",
                                "'\"\\$`*?~;|&<>",
                                "two\nlines",
                                "\xff\xfe\xc3",
                                all,
                                NULL};
    CHECK_EXIT(run_exec(&(ajob_exec_options){.argv = argv}), 0, NULL);
    const char *at = read_file("out");
    for (size_t i = 4; argv[i]; i++) {
        CHECK_TEXT(at, argv[i]);
        at += strlen(argv[i]) + 1;
    }
    close_place();
}

/* ---- where it runs, and with what --------------------------------------- */

static void the_environment_is_ours_with_what_is_set_and_without_what_is_removed(void) {
    open_place(&owning);
    setenv("UNIT_KEPT", "kept", 1);
    setenv("UNIT_REMOVED", "wrong", 1);
    setenv("UNIT_SET", "wrong", 1);
    const char *const env[] = {"UNIT_SET=wrong", "UNIT_REMOVED",   "UNIT_SET=a=b c",
                               "UNIT_NEW=",      "UNIT_KEP=short", NULL};
    CHECK_EXIT(
        run_exec(&(ajob_exec_options){.script = "env | grep ^UNIT_ | sort >out", .env = env}), 0,
        NULL);
    CHECK_TEXT(read_file("out"), "UNIT_KEP=short\nUNIT_KEPT=kept\nUNIT_NEW=\nUNIT_SET=a=b c\n");
    unsetenv("UNIT_KEPT");
    unsetenv("UNIT_REMOVED");
    unsetenv("UNIT_SET");
    close_place();
}

static void a_directory_that_is_missing_is_not_a_program_that_is(void) {
    open_place(&owning);
    CHECK(mkdir("there", 0755) == 0);
    write_file("file", "", 0644);
    write_file("there/tool", "#!/bin/sh\npwd >out\n", 0755);
    const char *const argv[] = {"./tool", NULL};
    CHECK_EXIT(run_exec(&(ajob_exec_options){.argv = argv, .dir = "there"}), 0, NULL);
    CHECK(strstr(read_file("there/out"), "/there\n") != NULL);
    CHECK_EXIT(run_exec(&(ajob_exec_options){.argv = argv, .dir = "nowhere"}), 126,
               "directory nowhere: there is no such directory");
    CHECK_EXIT(run_exec(&(ajob_exec_options){.argv = argv, .dir = "file"}), 126,
               "directory file: Not a directory");
    const char *const here[] = {"PATH=.:/bin:/usr/bin", NULL};
    const char *const name[] = {"tool", NULL};
    CHECK_EXIT(run_exec(&(ajob_exec_options){.argv = name, .dir = "there", .env = here}), 0, NULL);
    close_place();
}

static void its_standard_input_is_empty_or_a_file(void) {
    open_place(&owning);
    write_file("in", "from a file", 0644);
    CHECK_EXIT(run_script("cat >out"), 0, NULL);
    CHECK_TEXT(read_file("out"), "");
    CHECK_EXIT(run_exec(&(ajob_exec_options){.script = "cat >out", .stdin_path = "in"}), 0, NULL);
    CHECK_TEXT(read_file("out"), "from a file");
    CHECK_EXIT(run_exec(&(ajob_exec_options){.script = "cat >out", .stdin_path = "none"}), -1,
               "standard input: none: No such file or directory");
    CHECK_EXIT(run_exec(&(ajob_exec_options){.script = "cat >out", .stdin_path = "."}), -1,
               "standard input: .: Is a directory");
    close_place();
}

static void a_program_whose_own_three_descriptors_are_closed_can_run_commands(void) {
    open_place(&owning);
    int kept = dup(0);
    close(0);
    CHECK_EXIT(
        run_script("cat >out; for i in $(seq 0 99); do test ! -e /proc/self/fd/$i || echo $i; "
                   "done >fds"),
        0, NULL);
    dup2(kept, 0);
    close(kept);
    CHECK_TEXT(read_file("out"), "");
    CHECK(!strncmp(read_file("fds"), "0\n1\n2\n", 6));
    close_place();
}

/* ---- options -------------------------------------------------------------- */

static void wrong_options_make_no_task(void) {
    open_place(&owning);
    const char *const nothing[] = {NULL};
    const char *const true_argv[] = {"true", NULL};
    const char *const nameless[] = {"=x", NULL};
    ajob_task *other = ajob_sleep(place.loop, 1);
    ajob_task *forgetful = ajob_exec(place.loop, &(ajob_exec_options){.argv = true_argv});
    CHECK(!ajob_exec(place.loop, &(ajob_exec_options){.argv = NULL}));
    CHECK_TEXT(ajob_error(place.loop), "command: no program is given");
    CHECK(!ajob_exec(place.loop, &(ajob_exec_options){.argv = nothing}));
    CHECK(!ajob_exec(place.loop, &(ajob_exec_options){.argv = true_argv, .env = nameless}));
    CHECK(!ajob_exec(place.loop, &(ajob_exec_options){.argv = true_argv, .stdin_task = other}));
    CHECK(!ajob_exec(place.loop, &(ajob_exec_options){.argv = true_argv, .stdin_task = forgetful}));
    CHECK_TEXT(ajob_task_kind(forgetful), "exec");
    CHECK_TEXT(ajob_task_kind(ajob_exec(place.loop, &(ajob_exec_options){.script = "x"})), "sh");
    CHECK_NUMBER(ajob_exec_change(other, &(ajob_exec_options){.argv = true_argv}), AJOB_EINVAL);
    close_place();
}

static const char *prepare(ajob_task *task, void *data) {
    unsigned *attempts = data;
    char script[32];
    snprintf(script, sizeof script, "exit %u", 2 - ++*attempts);
    CHECK_NUMBER(ajob_exec_change(task, &(ajob_exec_options){.script = script}), 0);
    return NULL;
}

static void each_attempt_may_be_of_another_command(void) {
    unsigned attempts = 0;
    open_place(&owning);
    ajob_task *task = ajob_exec(place.loop, &(ajob_exec_options){.script = "exit 9"});
    ajob_on_attempt(task, prepare, &attempts);
    ajob_set_retry(task, &(ajob_retry){.max = 5, .delay_ms = 1});
    CHECK_NUMBER(ajob_run(place.loop, task), 0);
    CHECK_NUMBER(attempts, 2);
    close_place();
}

/* ---- memory ---------------------------------------------------------------- */

static void when_any_allocation_fails_the_run_still_ends(void) {
    const char *const env[] = {"A=b", "PATH", NULL};
    unsigned long left = 0;
    for (unsigned long nth = 1; !left && nth < 1000; nth++) {
        open_place(&owning);
        unsigned files = count_files();
        mem_fail_nth(FAULT_ALLOC, nth);
        ajob_task *task = ajob_exec(
            place.loop, &(ajob_exec_options){.script = "echo x; exit 3", .env = env, .dir = "."});
        if (task)
            ajob_run(place.loop, task);
        left = mem_fail_nth(FAULT_ALLOC, 0);
        CHECK(!task || ajob_task_status(task) == AJOB_FAILED ||
              ajob_task_state(task) == AJOB_PENDING);
        CHECK(count_files() <= files + 3); /* libuv's own, for signals */
        CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
        close_place();
    }
    CHECK(left != 0);
}

int main(void) {
    RUN(a_name_is_looked_up_in_the_path_of_the_environment_of_the_command);
    RUN(a_file_that_cannot_be_run_does_not_hide_one_that_can);
    RUN(what_cannot_be_run_is_told_apart);
    RUN(too_many_arguments_are_a_failure_not_a_wait);
    RUN(a_script_without_an_interpreter_is_for_the_shell);
    RUN(arguments_arrive_byte_for_byte);
    RUN(the_environment_is_ours_with_what_is_set_and_without_what_is_removed);
    RUN(a_directory_that_is_missing_is_not_a_program_that_is);
    RUN(its_standard_input_is_empty_or_a_file);
    RUN(a_program_whose_own_three_descriptors_are_closed_can_run_commands);
    RUN(wrong_options_make_no_task);
    RUN(each_attempt_may_be_of_another_command);
    RUN(when_any_allocation_fails_the_run_still_ends);
    return finish();
}
