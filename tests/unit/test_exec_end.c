/*
 * test_exec_end.c - how commands end, what they leave, and that nothing of them stays
 * with us.
 */
#include <sys/prctl.h>
#include <sys/resource.h>

#include "exec/watchdog.h"
#include "exec_rig.h"

/* ---- leftovers --------------------------------------------------------- */

static pid_t pid_in(const char *name) {
    return (pid_t)strtol(read_file(name), NULL, 10);
}

static bool is_alive(pid_t pid) {
    return pid > 1 && kill(pid, 0) == 0;
}

static void what_is_left_in_the_group_is_stopped(void) {
    open_place(&owning);
    CHECK_EXIT(run_script("sleep 1000 >/dev/null 2>&1 & echo $! >pid"), 0, NULL);
    CHECK(pid_in("pid") > 1 && !is_alive(pid_in("pid")));
    CHECK_EXIT(run_script("sh -c 'trap \"\" TERM; echo $$ >stubborn; while :; do sleep 0.01; done' "
                          ">/dev/null 2>&1 & until test -s stubborn; do sleep 0.01; done; exit 4"),
               4, "exit 4");
    CHECK(pid_in("stubborn") > 1 && !is_alive(pid_in("stubborn")));
    close_place();
}

static void what_may_be_left_is_left_alone_then_and_later(void) {
    open_place(&owning);
    ajob_task *leaving =
        ajob_exec(place.loop,
                  &(ajob_exec_options){
                      .script = "sleep 1000 >/dev/null 2>&1 & echo $! >group;"
                                "env -i sleep 1000 >/dev/null 2>&1 & echo $! >bare;"
                                "setsid sh -c 'echo $$ >session; exec sleep 1000' >/dev/null 2>&1 &"
                                "until test -s session; do sleep 0.01; done",
                      .leaves_leftovers = true});
    ajob_task *other = ajob_exec(
        place.loop,
        &(ajob_exec_options){.script = "setsid sh -c 'echo $$ >other; exec sleep 1000' "
                                       ">/dev/null 2>&1 & until test -s other; do sleep 0.01; "
                                       "done"});
    ajob_need(other, leaving);
    CHECK_NUMBER(ajob_run(place.loop, ajob_gather(place.loop, (ajob_task *[]){leaving, other}, 2)),
                 0);
    CHECK(!is_alive(pid_in("other")));
    static const char *const left[] = {"group", "bare", "session"};
    for (int i = 0; i < 3; i++) {
        CHECK(is_alive(pid_in(left[i])));
        kill(pid_in(left[i]), SIGKILL);
    }
    while (waitpid(-1, NULL, 0) > 0)
        continue;
    close_place();
}

static void what_holds_on_to_the_output_does_not_hold_up_a_command_that_may_leave_it(void) {
    open_place(&owning);
    uint64_t before = uv_hrtime();
    CHECK_EXIT(run_exec(&(ajob_exec_options){.script = "sleep 1000 & echo $! >pid",
                                             .leaves_leftovers = true}),
               0, NULL);
    CHECK(uv_hrtime() - before > UINT64_C(1900000000));
    CHECK(is_alive(pid_in("pid")));
    kill(pid_in("pid"), SIGKILL);
    while (waitpid(-1, NULL, 0) > 0)
        continue;
    close_place();
}

/* ---- a loop that does not own all children ----------------------------------- */

static void the_children_of_others_are_not_waited_for(void) {
    open_place(NULL);
    pid_t pid = fork();
    if (pid == 0)
        _exit(7);
    siginfo_t info;
    waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT); /* a zombie now */
    CHECK_EXIT(run_script("exit 3"), 3, "exit 3");
    int status = 0;
    CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 7);
    close_place();
}

static void there_too_what_is_left_in_the_group_is_stopped(void) {
    open_place(&(ajob_loop_options){.grace_ms = 300});
    CHECK_EXIT(run_script("sleep 1000 >/dev/null 2>&1 & echo $! >pid"), 0, NULL);
    CHECK(pid_in("pid") > 1 && is_gone_soon(pid_in("pid")));
    CHECK_EXIT(run_script("sh -c 'trap \"\" TERM; echo $$ >stubborn; while :; do sleep 0.01; done' "
                          ">/dev/null 2>&1 & until test -s stubborn; do sleep 0.01; done"),
               0, NULL);
    CHECK(pid_in("stubborn") > 1 && is_gone_soon(pid_in("stubborn")));
    close_place();
}

static void there_too_many_end_at_once(void) {
    open_place(&(ajob_loop_options){.commands = 100});
    ajob_task *tasks[100];
    for (int i = 0; i < 100; i++)
        tasks[i] = ajob_exec(place.loop, &(ajob_exec_options){.script = "sleep 0.1"});
    CHECK_NUMBER(ajob_run(place.loop, ajob_gather(place.loop, tasks, 100)), 0);
    close_place();
}

/* ---- stopping ------------------------------------------------------------- */

static void a_timeout_of_its_own_ends_it(void) {
    open_place(&owning);
    ajob_task *task = ajob_exec(place.loop, &(ajob_exec_options){.script = "exec sleep 1000"});
    ajob_set_timeout(task, 100);
    CHECK_NUMBER(ajob_run(place.loop, task), 124);
    CHECK_TEXT(ajob_task_cause(task), "timeout 100ms");
    CHECK_NUMBER(ajob_task_signal(task), SIGTERM);
    close_place();
}

static void a_timeout_of_an_attempt_makes_another(void) {
    open_place(&owning);
    ajob_task *task = ajob_exec(
        place.loop, &(ajob_exec_options){.script = "echo x >>tries; test $(wc -l <tries) -gt 1 || "
                                                   "exec sleep 1000"});
    ajob_set_attempt_timeout(task, 1000);
    ajob_set_retry(task, &(ajob_retry){.max = 1, .delay_ms = 1});
    CHECK_NUMBER(ajob_run(place.loop, task), 0);
    CHECK_TEXT(read_file("tries"), "x\nx\n");
    close_place();
}

static void only_these_exit_codes_are_retried(void) {
    const int on[] = {75, 76};
    open_place(&owning);
    ajob_task *task =
        ajob_exec(place.loop,
                  &(ajob_exec_options){.script = "echo x >>tries; exit $((74 + $(wc -l <tries)))"});
    ajob_set_retry(task, &(ajob_retry){.max = 9, .delay_ms = 1, .on = on, .on_count = 2});
    CHECK_NUMBER(ajob_run(place.loop, task), 1);
    CHECK_EXIT(task, 77, "exit 77");
    close_place();
}

static void closing_the_loop_kills_what_runs(void) {
    uv_loop_t uv;
    CHECK(uv_loop_init(&uv) == 0);
    open_place(&(ajob_loop_options){.uv = &uv, .owns_children = true});
    ajob_task *task =
        ajob_exec(place.loop, &(ajob_exec_options){.script = "trap '' TERM; echo $$ >pid; "
                                                             "while :; do sleep 0.01; done"});
    CHECK_NUMBER(ajob_start(place.loop, task, NULL, NULL), 0);
    while (pid_in("pid") <= 1)
        uv_run(&uv, UV_RUN_NOWAIT);
    pid_t pid = pid_in("pid");
    close_place();
    CHECK(!is_alive(pid));
    CHECK(uv_loop_close(&uv) == 0);
}

/* Also before it has run for the first time. */
static void who_kills_our_group_never_reaches_the_watchdog(void) {
    for (int i = 0; i < 50; i++) {
        struct watchdog watchdog = {0};
        CHECK(watchdog_start(&watchdog));
        CHECK_NUMBER(getpgid(watchdog.pid), watchdog.pid);
        watchdog_stop(&watchdog);
    }
}

/* ---- what stays with us ---------------------------------------------------- */

static void all_is_as_before_when_a_run_is_over(void) {
    struct rlimit before, after;
    int adopts = 0;
    open_place(&owning);
    /* Cannot end unread: libuv keeps a file of its own from the first pipe on that it reads. */
    CHECK_EXIT(run_script("head -c 1000000 /dev/zero"), 0, NULL);
    unsigned files = count_files();
    getrlimit(RLIMIT_NOFILE, &before);
    for (int i = 0; i < 3; i++) {
        CHECK_EXIT(run_script("exit 1"), 1, "exit 1");
        CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD); /* no watchdog */
        CHECK(prctl(PR_GET_CHILD_SUBREAPER, &adopts) == 0 && !adopts);
        struct sigaction child;
        CHECK(sigaction(SIGCHLD, NULL, &child) == 0 && child.sa_handler == SIG_DFL);
        CHECK_NUMBER(count_files(), files);
    }
    getrlimit(RLIMIT_NOFILE, &after);
    CHECK(before.rlim_cur == after.rlim_cur && before.rlim_max == after.rlim_max);
    close_place();
}

static void the_limit_on_files_is_raised_when_it_is_needed_and_not_for_commands(void) {
    enum { COUNT = 40, FEW = 64 };
    struct rlimit before, files;
    ajob_task *tasks[COUNT];
    open_place(&(ajob_loop_options){.owns_children = true, .commands = COUNT});
    getrlimit(RLIMIT_NOFILE, &before);
    files = before;
    files.rlim_cur = FEW;
    CHECK(setrlimit(RLIMIT_NOFILE, &files) == 0);
    for (int i = 0; i < COUNT; i++)
        tasks[i] = ajob_exec(
            place.loop, &(ajob_exec_options){.script = "echo x >>count; until test $(wc -l <count) "
                                                       "= 40; do sleep 0.02; done; "
                                                       "test $(ulimit -Sn) = 64"});
    CHECK_NUMBER(ajob_run(place.loop, ajob_gather(place.loop, tasks, COUNT)), 0);
    getrlimit(RLIMIT_NOFILE, &files);
    CHECK_NUMBER(files.rlim_cur, FEW);
    setrlimit(RLIMIT_NOFILE, &before);
    close_place();
}

static struct {
    unsigned left, peak_files;
    long memory_kib; /* after the first tenth */
} many;

enum { MANY = 10000 };

static ajob_task *next_of_many(ajob_task *group, void *data) {
    static const char *const argv[] = {"true", NULL};
    struct rusage usage;
    (void)group, (void)data;
    if (many.left % 500 == 0 && count_files() > many.peak_files)
        many.peak_files = count_files();
    getrusage(RUSAGE_SELF, &usage);
    if (many.left == MANY - MANY / 10)
        many.memory_kib = usage.ru_maxrss;
    return many.left-- ? ajob_exec(place.loop, &(ajob_exec_options){.argv = argv}) : NULL;
}

static void ten_thousand_cost_what_a_few_cost(void) {
    struct rusage usage;
    open_place(&(ajob_loop_options){.owns_children = true, .commands = 4});
    ajob_task *group = ajob_group(place.loop, NULL);
    many.left = MANY;
    unsigned files = count_files();
    CHECK_NUMBER(ajob_group_feed(group, &(ajob_feed){.next = next_of_many}), 0);
    CHECK_NUMBER(ajob_run(place.loop, group), 0);
    getrusage(RUSAGE_SELF, &usage);
    CHECK(many.peak_files < files + 30);
#ifndef __SANITIZE_ADDRESS__ /* keeps what was freed, for a while */
    CHECK(usage.ru_maxrss - many.memory_kib < 1024);
#endif
    close_place();
}

int main(void) {
    RUN(what_is_left_in_the_group_is_stopped);
    RUN(what_may_be_left_is_left_alone_then_and_later);
    RUN(what_holds_on_to_the_output_does_not_hold_up_a_command_that_may_leave_it);
    RUN(the_children_of_others_are_not_waited_for);
    RUN(there_too_what_is_left_in_the_group_is_stopped);
    RUN(there_too_many_end_at_once);
    RUN(a_timeout_of_its_own_ends_it);
    RUN(a_timeout_of_an_attempt_makes_another);
    RUN(only_these_exit_codes_are_retried);
    RUN(closing_the_loop_kills_what_runs);
    RUN(who_kills_our_group_never_reaches_the_watchdog);
    RUN(all_is_as_before_when_a_run_is_over);
    RUN(the_limit_on_files_is_raised_when_it_is_needed_and_not_for_commands);
    RUN(ten_thousand_cost_what_a_few_cost);
    return finish();
}
