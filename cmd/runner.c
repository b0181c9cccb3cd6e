/*
 * runner.c - a run from its common options to its exit status. See runner.h.
 *
 * Owns the order at the end of a run: views are closed and stdout is flushed
 * while everything is still there, then the loop goes, and only then does ajob
 * die of the signal that ended the run, if one did.
 */
#include "runner.h"

#include "leftovers.h"
#include "view.h"
#include "view_actions.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the run ----------------------------------------------------------- */

static int check(const struct command *command, const struct run_options *options,
                 const struct run_work *work) {
    struct stat status;
    const char *cacert = run_http(options).cacert;

    for (size_t i = 0; i < options->headers.count; i++) {
        const char *line = options->headers.items[i];
        const char *colon = strchr(line, ':');
        if (!colon || colon == line || line[strcspn(line, "\r\n")] ||
            strcspn(line, " \t") < (size_t)(colon - line))
            return cli_fail(command, STATUS_USAGE, /* it may be a secret */
                            "--header: not a header (not shown): use one line \"Name: value\"");
    }
    if (cacert && access(cacert, R_OK) != 0)
        return cli_fail(command, STATUS_USAGE, "%s: certificates cannot be read: %s", cacert,
                        strerror(errno));
    bool has_dir = options->dir && stat(options->dir, &status) == 0;
    if (has_dir && !S_ISDIR(status.st_mode))
        return cli_fail(command, STATUS_USAGE, "--dir: %s: is not a directory", options->dir);
    if (options->dir && !has_dir && work->has_commands)
        return cli_fail(command, STATUS_USAGE, "--dir: %s: %s", options->dir, strerror(errno));
    return run_check_printing(command, options);
}

/* AJOB_TRACE=state: every change of a task's state, for those who debug ajob. */
static void trace(const char *line, void *data) {
    char safe[1024];
    (void)data;
    fprintf(stderr, "ajob: trace: %s\n", ajob_escape(safe, sizeof safe, line));
}

int run_open(struct run *run, const struct command *command, const struct run_options *options,
             const struct run_work *work) {
    *run = (struct run){.command = command,
                        .options = options,
                        .has_commands = work->has_commands,
                        .runs_one_command = work->runs_one_command,
                        .has_files = work->has_files,
                        .has_tags = work->has_tags,
                        .is_stream = work->is_stream,
                        .is_batched = work->is_batched};
    int status = check(command, options, work);
    if (status != STATUS_OK)
        return status;

    if (options->insecure)
        cli_warn(command,
                 "--insecure: certificates are not checked: whoever is on the way can read "
                 "and change what comes; tokens and headers are not sent");
    /* Also before and after the run: writes fail, and run_close() knows what to do. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    struct amount per_host = options->per_host.given ? options->per_host : options->jobs;
    run->loop = ajob_loop_new(&(ajob_loop_options){
        .handle_signals = true,
        .grace_ms = run_amount(&options->grace),
        .owns_children = true,
        .commands = work->commands,
        .transfers = (unsigned)options->jobs.value,
        .transfers_per_host = (unsigned)per_host.value,
        .connections_per_host = (unsigned)options->per_host.value, /* 0: not given */
        .limit_rate = options->limit_rate.value,
    });
    if (!run->loop)
        return cli_fail(command, STATUS_FAULT, "the loop cannot be made: out of memory or files");
    if (work->has_commands && !options->dry_run)
        status = run_set_jobserver(run, work);
    if (status != STATUS_OK)
        return run_close(run, status);
    const char *traced = getenv("AJOB_TRACE");
    if (traced && strstr(traced, "state"))
        ajob_on_trace(run->loop, trace, NULL);
    run->root = ajob_group(run->loop, &(ajob_group_options){.policy = work->policy,
                                                            .max_failures = work->max_failures});
    if (!run->root) {
        cli_fail(command, STATUS_FAULT, "%s", ajob_error(run->loop));
        return run_close(run, STATUS_FAULT);
    }
    return STATUS_OK;
}

int run_refused(const struct run *run) {
    static const char end[] = "out of memory";
    const char *error = ajob_error(run->loop);
    size_t length = strlen(error), end_length = sizeof end - 1;
    bool has_no_memory = length >= end_length && !strcmp(error + length - end_length, end);
    return has_no_memory ? STATUS_FAULT : STATUS_USAGE;
}

int run_add(struct run *run, ajob_task *task, const char *title, const char *what) {
    char escaped[1024];
    if (task && ajob_set_title(task, title) == 0 && ajob_group_add(run->root, task) == 0)
        return STATUS_OK;
    const char *error = ajob_error(run->loop);
    if (!what || strstr(error, ajob_escape(escaped, sizeof escaped, what)))
        return cli_fail(run->command, run_refused(run), "%s", error);
    return cli_fail(run->command, run_refused(run), "%s: %s", what, error);
}

static void write_failed(struct run *run, int error) {
    if (run->write_error)
        return;
    run->write_error = error ? error : EIO;
    ajob_cancel(run->root, error == EPIPE ? "SIGPIPE" : "a failure to write to standard output");
}

void run_print(struct run *run, const char *format, ...) {
    va_list args;
    if (run->write_error)
        return;
    va_start(args, format);
    errno = 0;
    int written = vprintf(format, args);
    va_end(args);
    if (written < 0)
        write_failed(run, errno);
}

/* Ends ajob as a signal would have, had the loop not taken it. */
static void die_of(int signal_number) {
    sigset_t set;
    signal(signal_number, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, signal_number);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    raise(signal_number);
}

int run_close(struct run *run, int status) {
    int signal_number = 0;

    errno = 0;
    if (fflush(stdout) != 0 && !run->write_error)
        run->write_error = errno ? errno : EIO;
    if (run->write_error && run->write_error != EPIPE) {
        cli_fail(run->command, STATUS_FAILED, "standard output: cannot be written: %s",
                 strerror(run->write_error));
        status = status == STATUS_OK ? STATUS_FAILED : status;
    }
    if (run->loop)
        signal_number = ajob_exit_signal(run->loop);
    ajob_loop_free(run->loop);
    run->loop = NULL;
    leftovers_check();
    if (signal_number == 0 && run->write_error == EPIPE)
        signal_number = SIGPIPE;
    if (signal_number) {
        die_of(signal_number);
        return 128 + signal_number;
    }
    return status;
}

/* Closes the events. Returns status, or another one if they are not complete,
 * which the view has told then. If they went to stdout and its reader has gone,
 * the view has cancelled the run by SIGPIPE. */
static int close_events(struct run *run, struct view *events, int status) {
    const char *cause = ajob_task_cause(run->root);
    if (cause && strcmp(cause, "cancelled by SIGPIPE") == 0)
        run->write_error = EPIPE;
    if (view_close(events) == 0)
        return status;
    return status == STATUS_OK ? STATUS_FAILED : status;
}

/* What --exit-code makes of the status of a run in which something failed. */
static int exit_code(const struct run *run, int status) {
    int code = ajob_task_exit(run->root), signal_number = ajob_task_signal(run->root);
    if (status != STATUS_FAILED || run->options->exit_code != EXIT_CODE_FIRST)
        return status;
    if (signal_number)
        return 128 + signal_number;
    return code > 0 ? code : status;
}

/* NULL where there are none to be told, or no memory for them: they are an extra. */
static struct actions *open_actions(const struct run *run) {
    if (run->options->no_actions || !actions_around())
        return NULL;
    return actions_open(&(struct actions_options){
        .command = run->command->name,
        .has_outputs = run->has_files,
        .has_tags = run->has_tags,
        .writes_nothing = run->silent,
    });
}

/* Who reads what commands print from a pipe, as tee does, may write it to this terminal:
 * a frame would take it away again. */
static enum progress_mode progress_of(const struct run *run) {
    struct stat about;
    enum progress_mode mode = (enum progress_mode)run->options->progress;
    bool is_piped = run->has_commands && fstat(STDOUT_FILENO, &about) == 0 &&
                    (S_ISFIFO(about.st_mode) || S_ISSOCK(about.st_mode));
    if (run->silent)
        return PROGRESS_NONE;
    return mode == PROGRESS_AUTO && is_piped ? PROGRESS_LINES : mode;
}

int run_start(struct run *run) {
    const struct run_options *options = run->options;
    struct view *events = NULL;
    char *error = NULL;

    int status = run_set_output(run);
    if (status != STATUS_OK)
        return run_close(run, status);
    if (options->events) {
        events = view_events_open(run->loop, options->events, options->adds_events, &error);
        if (!events) {
            status = error ? STATUS_USAGE : STATUS_FAULT;
            cli_fail(run->command, status, "%s", error ? error : "out of memory");
            free(error);
            return run_close(run, status);
        }
        if (run->is_stream)
            view_events_stream(events, run->root);
        if (ajob_protect(run->loop, options->events)) {
            view_close(events);
            cli_fail(run->command, STATUS_FAULT, "out of memory");
            return run_close(run, STATUS_FAULT);
        }
    }
    struct actions *actions = open_actions(run);
    run->view = view_open(run->loop, &(struct view_options){
                                         .progress = progress_of(run),
                                         .color = (enum color_mode)options->color,
                                         .quiet = options->quiet || run->silent,
                                         .verbosity = options->verbosity,
                                         .is_stream = run->is_stream,
                                         .is_batched = run->is_batched,
                                         .command = run->command->name,
                                         .names_urls = run->has_files,
                                         .actions = actions,
                                     });
    status = STATUS_FAULT;
    if (!run->view) {
        cli_fail(run->command, STATUS_FAULT, "out of memory");
    } else {
        if (options->timeout.given)
            ajob_set_timeout(run->root, options->timeout.value);
        status = ajob_run(run->loop, run->root);
        if (status == STATUS_FAULT)
            cli_fail(run->command, STATUS_FAULT, "%s", ajob_error(run->loop));
        status = exit_code(run, status);
        if (status == STATUS_OK && run->has_lost_results)
            status = STATUS_FAILED;
        if (!run->write_error)
            run->write_error = ajob_output_error(run->loop);
        if (status == STATUS_FAILED && !run->write_error &&
            ajob_task_status(run->root) == AJOB_SUCCEEDED)
            cli_fail(run->command, STATUS_FAILED,
                     "output of commands is lost, it could not be kept: make room in memory or in "
                     "TMPDIR");
        view_close(run->view); /* stderr: there is nowhere to complain */
        run->view = NULL;
        if (status == STATUS_OK && run->succeeded)
            status = run->succeeded(run, run->succeeded_data);
    }
    actions_close(actions);
    if (events)
        status = close_events(run, events, status);
    return run_close(run, status);
}
