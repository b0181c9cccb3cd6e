/*
 * test_service.c - services as real processes, through ajob.h alone.
 *
 * Each test is a run in a directory of its own; what happened is read from the
 * events and from a file `log` that the commands write.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ajob.h"
#include "base/mem.h"
#include "base/text.h"
#include "check.h"

enum { LONG_MS = 30000 };

static struct {
    ajob_loop *loop;
    ajob_task *root;
    struct text events; /* "db ready 80; user succeeded; " */
    void (*seen)(const ajob_event *event);
} run;

/* Stays until it is told to stop. */
#define STAY "trap 'echo db stops >>log; exit 7' TERM; echo db runs >>log; "
#define FOR_EVER " while :; do sleep 60 & wait; done"

static void note(const ajob_event *event, void *data) {
    (void)data;
    if (run.seen)
        run.seen(event);
    if (!event->path || !*event->path)
        return;
    const char *what = strchr(ajob_event_name(event->type), '.') + 1;
    if (event->type == AJOB_TASK_ENDED)
        what = ajob_status_name(event->status);
    text_format(&run.events, "%s %s", event->path, what);
    if (event->type == AJOB_TASK_READY && event->text)
        text_format(&run.events, " %s", event->text);
    if (event->cause)
        text_format(&run.events, ": %s", event->cause);
    text_add(&run.events, "; ");
}

static void open_run(void) {
    unlink("log");
    memset(&run, 0, sizeof run);
    run.events.max = 1 << 16;
    run.loop = ajob_loop_new(
        &(ajob_loop_options){.owns_children = true, .handle_signals = true, .grace_ms = 300});
    run.root = ajob_group(run.loop, NULL);
    ajob_on_event(run.loop, note, NULL);
}

static ajob_task *add(ajob_task *task, const char *name) {
    if (!CHECK(task != NULL)) {
        printf("# %s\n", ajob_error(run.loop));
        exit(1);
    }
    CHECK_NUMBER(ajob_set_name(task, name), 0);
    CHECK_NUMBER(ajob_group_add(run.root, task), 0);
    return task;
}

static ajob_task *add_service(const char *name, const char *script,
                              const ajob_ready_options *ready) {
    return add(ajob_service(run.loop, &(ajob_exec_options){.script = script}, ready), name);
}

static ajob_task *add_user(const char *name, const char *script, ajob_task *need) {
    ajob_task *task = add(ajob_exec(run.loop, &(ajob_exec_options){.script = script}), name);
    if (need)
        CHECK_NUMBER(ajob_need(task, need), 0);
    return task;
}

static const char *read_log(void) {
    static char text[4096];
    FILE *file = fopen("log", "r");
    size_t length = file ? fread(text, 1, sizeof text - 1, file) : 0;
    if (file)
        fclose(file);
    text[length] = '\0';
    for (char *c = text; *c; c++)
        if (*c == '\n')
            *c = ';';
    return text;
}

static void close_run(void) {
    ajob_loop_free(run.loop);
    text_done(&run.events);
}

/* Runs it and compares: the exit status, the events, the log. */
static void expect(int status, const char *events, const char *log) {
    CHECK_NUMBER(ajob_run(run.loop, run.root), status);
    CHECK_TEXT(text_string(&run.events), events);
    CHECK_TEXT(read_log(), log);
    close_run();
}

/* ---- lives ------------------------------------------------------------- */

static void without_a_probe_it_is_ready_when_it_runs(void) {
    open_run();
    ajob_task *db = add_service("db", STAY FOR_EVER, NULL);
    add_user("user", "until grep -q runs log; do sleep 0.01; done; echo user >>log", db);
    expect(0, "db started; db ready; user started; user succeeded; db succeeded; ",
           "db runs;user;db stops;");
}

static void the_value_of_its_descriptor_is_told(void) {
    open_run();
    ajob_task *db = add_service("db", STAY "echo port 80 >&5; echo more >&5;" FOR_EVER,
                                &(ajob_ready_options){.probe = AJOB_READY_FD, .fd = 5});
    add_user("user", "echo user >>log", db);
    expect(0, "db started; db ready port 80; user started; user succeeded; db succeeded; ",
           "db runs;user;db stops;");
}

static void a_line_in_two_writes_makes_it_ready(void) {
    open_run();
    ajob_task *db =
        add_service("db", STAY "echo starting; printf 'rea' >&2; sleep 0.05; echo dy >&2;" FOR_EVER,
                    &(ajob_ready_options){.probe = AJOB_READY_LINE, .text = "^ready$"});
    add_user("user", "echo user >>log", db);
    expect(0, "db started; db ready; user started; user succeeded; db succeeded; ",
           "db runs;user;db stops;");
}

static void a_command_is_asked_until_it_succeeds(void) {
    static const char *const argv[] = {"sh", "-c", "echo asked >>log; test $(wc -l <log) -ge 4",
                                       NULL};
    open_run();
    ajob_task *db = add_service(
        "db", STAY FOR_EVER,
        &(ajob_ready_options){.probe = AJOB_READY_EXEC, .argv = argv, .interval_ms = 150});
    add_user("user", "echo user >>log", db);
    CHECK_NUMBER(ajob_run(run.loop, run.root), 0);
    CHECK_TEXT(text_string(&run.events),
               "db started; db ready; user started; user succeeded; db succeeded; ");
    CHECK(strstr(read_log(), "asked;asked;"));
    CHECK(strstr(read_log(), "asked;user;db stops;"));
    close_run();
}

static void a_command_that_hangs_is_stopped_with_the_service(void) {
    static const char *const argv[] = {"sh", "-c", "trap '' TERM; echo $$ >asking; sleep 600",
                                       NULL};
    open_run();
    ajob_task *db =
        add_service("db", FOR_EVER, &(ajob_ready_options){.probe = AJOB_READY_EXEC, .argv = argv});
    ajob_set_timeout(db, 300);
    add_user("user", "echo user >>log", db);
    CHECK_NUMBER(ajob_run(run.loop, run.root), 1);
    FILE *file = fopen("asking", "r");
    int pid = 0;
    CHECK(file && fscanf(file, "%d", &pid) == 1 && pid > 1);
    if (file)
        fclose(file);
    CHECK(pid > 1 && kill(-pid, 0) && errno == ESRCH);
    CHECK_TEXT(text_string(&run.events),
               "db started; db timed_out: timeout 300ms; user skipped: db: timeout 300ms; ");
    close_run();
}

static void one_that_is_never_ready_times_out(void) {
    static const ajob_ready_options readies[] = {
        {.probe = AJOB_READY_FD, .fd = 3},
        {.probe = AJOB_READY_LINE, .text = "ready"},
        {.probe = AJOB_READY_TCP, .text = "127.0.0.1:1"},
        {.probe = AJOB_READY_HTTP, .text = "http://127.0.0.1:1/"},
        {.probe = AJOB_READY_FILE, .text = "missing"},
    };
    for (size_t i = 0; i < sizeof readies / sizeof readies[0]; i++) {
        open_run();
        ajob_task *db = add_service("db", STAY FOR_EVER, &readies[i]);
        ajob_set_timeout(db, 300);
        add_user("user", "echo user >>log", db);
        expect(1, "db started; db timed_out: timeout 300ms; user skipped: db: timeout 300ms; ",
               "db runs;db stops;");
    }
}

static void one_that_ends_before_it_is_ready_has_failed(void) {
    static const ajob_ready_options never = {.probe = AJOB_READY_FILE, .text = "missing"};
    open_run();
    add_user("user", "echo user >>log", add_service("db", "exit 0", &never));
    expect(1,
           "db started; db failed: ended before it was ready: exit 0; "
           "user skipped: db failed: ended before it was ready: exit 0; ",
           "");
    open_run();
    add_user("user", "echo user >>log", add_service("db", "kill -SEGV $$", &never));
    expect(1,
           "db started; db failed: ended before it was ready: signal SEGV; "
           "user skipped: db failed: ended before it was ready: signal SEGV; ",
           "");
}

static void one_that_cannot_be_run_says_why(void) {
    static const char *const argv[] = {"./no-such-program", NULL};
    open_run();
    ajob_task *db = ajob_service(run.loop, &(ajob_exec_options){.argv = argv}, NULL);
    add_user("user", "echo user >>log", add(db, "db"));
    CHECK_NUMBER(ajob_run(run.loop, run.root), 1);
    CHECK(strstr(text_string(&run.events), "no-such-program"));
    CHECK(!strstr(text_string(&run.events), "ready"));
    CHECK_NUMBER(ajob_task_exit(db), 127);
    close_run();
}

static void one_that_ends_while_it_is_needed_has_failed(void) {
    open_run();
    ajob_task *db =
        add_service("db", "echo >&3; until grep -q user log; do sleep 0.01; done; exit 1",
                    &(ajob_ready_options){.probe = AJOB_READY_FD, .fd = 3});
    ajob_set_retry(db, &(ajob_retry){.max = 5, .delay_ms = 1});
    add_user("user", "trap 'echo user stops >>log' TERM; echo user >>log; sleep 600 & wait", db);
    expect(1,
           "db started; db ready ; user started; db failed: ended while it was needed: exit 1; "
           "user cancelled: cancelled by sibling db; ",
           "user;user stops;");
}

static void it_is_started_again_until_it_is_ready(void) {
    open_run();
    ajob_task *db = add_service(
        "db", "echo try >>log; test $(wc -l <log) -ge 3 || exit 1; echo up >&3;" FOR_EVER,
        &(ajob_ready_options){.probe = AJOB_READY_FD, .fd = 3});
    ajob_set_retry(db, &(ajob_retry){.max = 5, .delay_ms = 1});
    add_user("user", "echo user >>log", db);
    expect(0,
           "db started; db retrying: ended before it was ready: exit 1; "
           "db started; db retrying: ended before it was ready: exit 1; "
           "db started; db ready up; user started; user succeeded; db succeeded; ",
           "try;try;try;user;");
}

/* ---- stopping ---------------------------------------------------------- */

static void one_that_will_not_stop_is_killed_after_the_grace(void) {
    open_run();
    ajob_task *db = add_service("db", "trap 'echo told >>log' TERM; echo >&3;" FOR_EVER,
                                &(ajob_ready_options){.probe = AJOB_READY_FD, .fd = 3});
    add_user("user", "echo user >>log", db);
    expect(0, "db started; db ready ; user started; user succeeded; db succeeded; ", "user;told;");
    open_run();
    db = add_service("db", "trap '' TERM; echo >&3; while :; do sleep 60; done",
                     &(ajob_ready_options){.probe = AJOB_READY_FD, .fd = 3});
    add_user("user", "echo user >>log", db);
    expect(0, "db started; db ready ; user started; user succeeded; db succeeded; ", "user;");
}

static void services_stop_in_the_reverse_order_of_their_needs(void) {
    static const ajob_ready_options fd = {.probe = AJOB_READY_FD, .fd = 3};
    open_run();
    ajob_task *db =
        add_service("db", "trap 'echo db stops >>log; exit' TERM; echo >&3;" FOR_EVER, &fd);
    ajob_task *web = add_service(
        "web", "trap 'sleep 0.05; echo web stops >>log; exit' TERM; echo >&3;" FOR_EVER, &fd);
    CHECK_NUMBER(ajob_need(web, db), 0);
    add_user("user", "echo user >>log", web);
    expect(0,
           "db started; db ready ; web started; web ready ; user started; user succeeded; "
           "web succeeded; db succeeded; ",
           "user;web stops;db stops;");
}

static void cancel_when_user_starts(const ajob_event *event) {
    if (event->type == AJOB_TASK_STARTED && !strcmp(event->path, "user"))
        kill(getpid(), SIGINT);
}

static void on_a_signal_it_stops_after_what_needs_it(void) {
    open_run();
    ajob_task *db = add_service("db", STAY "echo >&3;" FOR_EVER,
                                &(ajob_ready_options){.probe = AJOB_READY_FD, .fd = 3});
    add_user("user", "trap 'echo user stops >>log; exit' TERM; sleep 600 & wait", db);
    run.seen = cancel_when_user_starts;
    CHECK_NUMBER(ajob_run(run.loop, run.root), 128 + SIGINT);
    CHECK_TEXT(text_string(&run.events),
               "db started; db ready ; user started; user cancelled: cancelled by SIGINT; "
               "db cancelled: cancelled by SIGINT; ");
    const char *log = read_log();
    CHECK(strstr(log, "db stops;") && log[strlen(log) - 1] == ';');
    close_run();
}

static void cancel_when_service_starts(const ajob_event *event) {
    if (event->type == AJOB_TASK_STARTED && !strcmp(event->path, "db"))
        kill(getpid(), SIGINT);
}

static void on_a_signal_one_that_is_not_ready_stops(void) {
    open_run();
    ajob_task *db = add_service(
        "db", FOR_EVER, &(ajob_ready_options){.probe = AJOB_READY_TCP, .text = "localhost:1"});
    add_user("user", "echo user >>log", db);
    run.seen = cancel_when_service_starts;
    expect(128 + SIGINT,
           "db started; user cancelled: cancelled by SIGINT; "
           "db cancelled: cancelled by SIGINT; ",
           "");
}

/* ---- options ----------------------------------------------------------- */

static void what_is_wrong_is_said(void) {
    open_run();
    ajob_exec_options options = {.script = "true"};
    CHECK(!ajob_service(run.loop, &options,
                        &(ajob_ready_options){.probe = AJOB_READY_TCP, .text = "localhost"}));
    CHECK_TEXT(ajob_error(run.loop),
               "service: ready tcp \"localhost\": it has no port: write host:port");
    CHECK(!ajob_service(run.loop, &(ajob_exec_options){0}, NULL));
    ajob_task *command = add_user("user", "true", NULL);
    CHECK_NUMBER(ajob_service_change(command, &options, NULL), AJOB_EINVAL);
    close_run();
}

static const char *change(ajob_task *task, void *data) {
    int error =
        ajob_service_change(task, &(ajob_exec_options){.script = STAY "echo 81 >&4;" FOR_EVER},
                            &(ajob_ready_options){.probe = AJOB_READY_FD, .fd = 4});
    CHECK_NUMBER(error, 0);
    CHECK_NUMBER(ajob_service_change(task, &(ajob_exec_options){.script = "false"},
                                     &(ajob_ready_options){.probe = AJOB_READY_FD, .fd = 1}),
                 AJOB_EINVAL);
    ++*(unsigned *)data;
    return NULL;
}

static void what_is_done_can_be_changed_before_an_attempt(void) {
    unsigned changes = 0;
    open_run();
    ajob_task *db = add_service("db", "exit 1", NULL);
    CHECK_NUMBER(ajob_on_attempt(db, change, &changes), 0);
    add_user("user", "echo user >>log", db);
    expect(0, "db started; db ready 81; user started; user succeeded; db succeeded; ",
           "db runs;user;db stops;");
    CHECK_NUMBER(changes, 1);
}

/* Whatever is lacking, a run ends, and leaves no process. */
static void lack_of_memory_ends_in_order(void) {
    static const char *const argv[] = {"test", "-e", "log", NULL};
    for (unsigned long n = 1; n <= 60; n++) {
        open_run();
        ajob_task *db = add_service("db", STAY FOR_EVER,
                                    &(ajob_ready_options){.probe = AJOB_READY_EXEC, .argv = argv});
        ajob_set_timeout(db, 2000);
        add_user("user", "echo user >>log", db);
        mem_fail_nth(FAULT_ALLOC, n);
        int status = ajob_run(run.loop, run.root);
        mem_fail_nth(FAULT_ALLOC, 0);
        CHECK(status == 0 || status == 1);
        CHECK(ajob_task_status(db) != AJOB_TIMED_OUT);
        close_run();
        CHECK(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
    }
}

int main(void) {
    char scratch[] = "/tmp/ajob-service-XXXXXX";
    if (!mkdtemp(scratch) || chdir(scratch))
        return 1;
    RUN(without_a_probe_it_is_ready_when_it_runs);
    RUN(the_value_of_its_descriptor_is_told);
    RUN(a_line_in_two_writes_makes_it_ready);
    RUN(a_command_is_asked_until_it_succeeds);
    RUN(a_command_that_hangs_is_stopped_with_the_service);
    RUN(one_that_is_never_ready_times_out);
    RUN(one_that_ends_before_it_is_ready_has_failed);
    RUN(one_that_cannot_be_run_says_why);
    RUN(one_that_ends_while_it_is_needed_has_failed);
    RUN(it_is_started_again_until_it_is_ready);
    RUN(one_that_will_not_stop_is_killed_after_the_grace);
    RUN(services_stop_in_the_reverse_order_of_their_needs);
    RUN(on_a_signal_it_stops_after_what_needs_it);
    RUN(on_a_signal_one_that_is_not_ready_stops);
    RUN(what_is_wrong_is_said);
    RUN(what_is_done_can_be_changed_before_an_attempt);
    RUN(lack_of_memory_ends_in_order);
    unlink("log");
    unlink("asking");
    if (chdir("/") == 0)
        rmdir(scratch);
    return finish();
}
