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

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_JOBS = 1024, MOST_RETRIES = 1000, DEFAULT_RETRIES = 4 };

/* ---- the tables -------------------------------------------------------- */

/* In the order of the enums that they stand for. */
static const char *const http_words[] = {"auto", "1.1", "2", NULL};
static const char *const progress_words[] = {"auto", "bar", "lines", "none", NULL};
static const char *const color_words[] = {"auto", "always", "never", NULL};

_Static_assert(AJOB_HTTP_AUTO == 0 && AJOB_HTTP_1_1 == 1 && AJOB_HTTP_2 == 2, "http_words");
_Static_assert(PROGRESS_AUTO == 0 && PROGRESS_BAR == 1 && PROGRESS_LINES == 2 && PROGRESS_NONE == 3,
               "progress_words");
_Static_assert(COLOR_AUTO == 0 && COLOR_ALWAYS == 1 && COLOR_NEVER == 2, "color_words");

#define AT(field) .at = offsetof(struct run_options, field)

const struct cli_option run_transfer_options[] = {
    {
        .name = "dir",
        .alias = "download-dir",
        .letter = 'd',
        .argument = "DIR",
        .type = CLI_DIR,
        AT(dir),
        .help = "Write to DIR, which is made if needed (default: the current directory)",
    },
    {
        .name = "jobs",
        .letter = 'j',
        .argument = "N",
        .type = CLI_NUMBER,
        AT(jobs),
        .min = 1,
        .max = MOST_JOBS,
        .help = "Run N transfers at once (default: 16, and 6 of them to one host)",
        .more = "Given a number, so many may go to one host too, unless --per-host says otherwise.",
    },
    {
        .name = "per-host",
        .argument = "N",
        .type = CLI_NUMBER,
        AT(per_host),
        .min = 1,
        .max = MOST_JOBS,
        .help = "Run at most N transfers to one host at once",
    },
    {
        .name = "timeout",
        .argument = "D",
        .type = CLI_DURATION,
        AT(timeout),
        .help = "Stop everything after the duration D, and exit 124",
        .more = "What had arrived is kept, and used by the next run.",
    },
    {
        .name = "grace",
        .argument = "D",
        .type = CLI_DURATION,
        AT(grace),
        .help = "Stop hard what has not stopped D after it was asked to (default: 5s)",
    },
    {
        .name = "retries",
        .letter = 'r',
        .argument = "N",
        .type = CLI_NUMBER,
        AT(retries),
        .max = MOST_RETRIES,
        .help = "Try up to N times more where that may help (default: 4)",
        .more =
            "That is after connection and DNS errors, stalls, truncated bodies and the HTTP "
            "statuses 408, 425, 429, 500, 502, 503, 504 and 520 to 524. What has arrived is kept.",
    },
    {
        .name = "retry-delay",
        .argument = "D",
        .type = CLI_DURATION,
        AT(retry_delay),
        .help = "Wait up to D before the first retry, then twice as long each time (default: 1s)",
        .more = "The wait is drawn at random from zero to that time, which grows to 30s at most. A "
                "server that asks for a longer one with Retry-After is obeyed, up to 5m (for "
                "releases, --max-wait); one that asks for more fails the task.",
    },
    {
        .name = "fail-fast",
        .type = CLI_FLAG,
        AT(fail_fast),
        .help = "Cancel everything else at the first failure",
    },
    {
        .name = "keep-going",
        .letter = 'k',
        .type = CLI_UNFLAG,
        AT(fail_fast),
        .help = "Let the others go on after a failure (the default)",
        .more = "The last one of --keep-going and --fail-fast counts.",
    },
    {
        .name = "dry-run",
        .letter = 'n',
        .type = CLI_FLAG,
        AT(dry_run),
        .help = "Print what would be downloaded to where, and download nothing",
    },
    {0},
};

const struct cli_option run_network_options[] = {
    {
        .name = "header",
        .letter = 'H',
        .argument = "LINE",
        .type = CLI_TEXTS,
        AT(headers),
        .help = "Send the header LINE, as in \"Name: value\", with each request; may be repeated",
        .more = "Headers go to the server that was named, never to one that it redirects to. Other "
                "users of the machine can see them in the list of processes.",
    },
    {
        .name = "cacert",
        .argument = "FILE",
        .type = CLI_FILE,
        AT(cacert),
        .help = "Trust the certificate authorities in FILE (PEM) instead of the system's",
    },
    {
        .name = "http",
        .argument = "VERSION",
        .type = CLI_WORD,
        .words = http_words,
        AT(http),
        .help = "Speak this VERSION of HTTP",
        .more = "With auto, it is what the server offers and the installed libcurl does well.",
    },
    {
        .name = "connect-timeout",
        .argument = "D",
        .type = CLI_DURATION,
        AT(connect_timeout),
        .help = "Give up connecting after D (default: 30s)",
    },
    {
        .name = "stall-timeout",
        .argument = "D",
        .type = CLI_DURATION,
        AT(stall_timeout),
        .help = "Give up an attempt when nothing has arrived for D (default: 30s)",
    },
    {0},
};

const struct cli_option run_output_options[] = {
    {
        .name = "events",
        .argument = "FILE",
        .type = CLI_FILE,
        AT(events),
        .help = "Write every event of the run to FILE as a line of JSON (-: standard output)",
    },
    {
        .name = "progress",
        .argument = "HOW",
        .type = CLI_WORD,
        .words = progress_words,
        AT(progress),
        .help = "Show progress in this way",
        .more = "With auto, it is bars on a terminal and lines elsewhere.",
    },
    {
        .name = "color",
        .argument = "WHEN",
        .type = CLI_WORD,
        .words = color_words,
        AT(color),
        .help = "Use colors on the terminal",
        .more = "With auto, NO_COLOR and CLICOLOR_FORCE are obeyed too.",
    },
    {
        .name = "quiet",
        .letter = 'q',
        .type = CLI_FLAG,
        AT(quiet),
        .help = "Show failures only",
    },
    {
        .name = "verbose",
        .letter = 'v',
        .type = CLI_COUNT,
        AT(verbosity),
        .help = "Show what starts, is cancelled or is skipped, too",
    },
    {0},
};

/* ---- options in the library's words ------------------------------------ */

/* In the library 0 asks for the default; here it was asked for as such. */
static uint64_t duration_of(const struct amount *amount) {
    return amount->given && amount->value == 0 ? 1 : amount->value;
}

/* curl(1) reads the first of these, and OpenSSL the second. */
static const char *certificates(const struct run_options *options) {
    static const char *const names[] = {"CURL_CA_BUNDLE", "SSL_CERT_FILE"};
    if (options->cacert)
        return options->cacert;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = getenv(names[i]);
        if (value && *value)
            return value;
    }
    return NULL;
}

ajob_http_options run_http(const struct run_options *options) {
    ajob_http_options http = {
        .headers = options->headers.items,
        .cacert = certificates(options),
        .connect_timeout_ms = duration_of(&options->connect_timeout),
        .stall_timeout_ms = duration_of(&options->stall_timeout),
    };
    if (options->http == AJOB_HTTP_1_1)
        http.version = AJOB_HTTP_1_1;
    else if (options->http == AJOB_HTTP_2)
        http.version = AJOB_HTTP_2;
    return http;
}

bool run_has_retry(const struct run_options *options) {
    return options->retries.given || options->retry_delay.given;
}

ajob_retry run_retry(const struct run_options *options) {
    return (ajob_retry){
        .max = options->retries.given ? (unsigned)options->retries.value : DEFAULT_RETRIES,
        .delay_ms = duration_of(&options->retry_delay),
    };
}

enum ajob_policy run_policy(const struct run_options *options) {
    return options->fail_fast ? AJOB_ALL : AJOB_SETTLED;
}

/* ---- the run ----------------------------------------------------------- */

static int check(const struct command *command, const struct run_options *options) {
    struct stat status;
    const char *cacert = certificates(options);

    for (size_t i = 0; i < options->headers.count; i++) {
        const char *line = options->headers.items[i];
        const char *colon = strchr(line, ':');
        if (!colon || colon == line || line[strcspn(line, "\r\n")] ||
            strcspn(line, " \t") < (size_t)(colon - line))
            return cli_fail(command, STATUS_USAGE,
                            "--header: %s: not a header: use one line \"Name: value\"", line);
    }
    if (cacert && access(cacert, R_OK) != 0)
        return cli_fail(command, STATUS_USAGE, "%s: certificates cannot be read: %s", cacert,
                        strerror(errno));
    if (options->dir && stat(options->dir, &status) == 0 && !S_ISDIR(status.st_mode))
        return cli_fail(command, STATUS_USAGE, "--dir: %s: is not a directory", options->dir);
    return STATUS_OK;
}

/* AJOB_TRACE=state: every change of a task's state, for those who debug ajob. */
static void trace(const char *line, void *data) {
    char safe[1024];
    (void)data;
    fprintf(stderr, "ajob: trace: %s\n", ajob_escape(safe, sizeof safe, line));
}

int run_open(struct run *run, const struct command *command, const struct run_options *options) {
    *run = (struct run){.command = command, .options = options};
    int status = check(command, options);
    if (status != STATUS_OK)
        return status;

    /* Also before and after the run: writes fail, and run_close() knows what to do. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    struct amount per_host = options->per_host.given ? options->per_host : options->jobs;
    run->loop = ajob_loop_new(&(ajob_loop_options){
        .handle_signals = true,
        .grace_ms = duration_of(&options->grace),
        .transfers = (unsigned)options->jobs.value,
        .transfers_per_host = (unsigned)per_host.value,
    });
    if (!run->loop)
        return cli_fail(command, STATUS_FAULT, "the loop cannot be made: out of memory or files");
    const char *traced = getenv("AJOB_TRACE");
    if (traced && strstr(traced, "state"))
        ajob_on_trace(run->loop, trace, NULL);
    run->root = ajob_group(run->loop, &(ajob_group_options){.policy = run_policy(options)});
    if (!run->root) {
        cli_fail(command, STATUS_FAULT, "%s", ajob_error(run->loop));
        return run_close(run, STATUS_FAULT);
    }
    return STATUS_OK;
}

int run_add(struct run *run, ajob_task *task, const char *title, const char *what) {
    char escaped[1024];
    if (task && ajob_set_title(task, title) == 0 && ajob_group_add(run->root, task) == 0)
        return STATUS_OK;
    const char *error = ajob_error(run->loop);
    if (!what || strstr(error, ajob_escape(escaped, sizeof escaped, what)))
        return cli_fail(run->command, STATUS_USAGE, "%s", error);
    return cli_fail(run->command, STATUS_USAGE, "%s: %s", what, error);
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

int run_start(struct run *run) {
    const struct run_options *options = run->options;
    struct view *events = NULL;
    char *error = NULL;

    if (options->events) {
        events = view_events_open(run->loop, options->events, &error);
        if (!events) {
            cli_fail(run->command, STATUS_USAGE, "%s", error ? error : "out of memory");
            free(error);
            return run_close(run, STATUS_USAGE);
        }
    }
    struct view *view =
        view_open(run->loop, &(struct view_options){
                                 .progress = run->silent ? PROGRESS_NONE
                                                         : (enum progress_mode)options->progress,
                                 .color = (enum color_mode)options->color,
                                 .quiet = options->quiet || run->silent,
                                 .verbosity = options->verbosity,
                                 .command = run->command->name,
                             });
    int status = STATUS_FAULT;
    if (!view) {
        cli_fail(run->command, STATUS_FAULT, "out of memory");
    } else {
        if (options->timeout.given)
            ajob_set_timeout(run->root, options->timeout.value);
        status = ajob_run(run->loop, run->root);
        if (status == STATUS_FAULT)
            cli_fail(run->command, STATUS_FAULT, "%s", ajob_error(run->loop));
        view_close(view); /* stderr: there is nowhere to complain */
    }
    if (events)
        status = close_events(run, events, status);
    return run_close(run, status);
}
