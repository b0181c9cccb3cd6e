/*
 * runner_output.c - what commands print: its options, and the wiring of it to the
 * library and to the view whose frame must not be in its way. See runner.h.
 */
#include "runner.h"
#include "view.h"

#include <string.h>
#include <unistd.h>

enum { MODE_AUTO };

/* auto, then in the order of enum ajob_output_mode. */
static const char *const mode_words[] = {
    "auto",
#define AJOB_X(name, text) text,
    AJOB_OUTPUT_MODES(AJOB_X)
#undef AJOB_X
        NULL,
};

#define AT(field) .at = offsetof(struct run_options, field)

#define ROW_OUTPUT                                                                                 \
    {                                                                                              \
        .name = "output", .argument = "HOW", .type = CLI_WORD, .words = mode_words, AT(output),    \
        .help = "Show in this way what commands print",                                            \
        .more =                                                                                    \
            "With group, it is one block for each command when that has ended; on a terminal "     \
            "the command that has run longest shows it as it comes, and once it has, the blocks "  \
            "of the others wait for its end. With prefix, it is line by line, each after "         \
            "\"[NAME] \"; with stream, line by line; with none, only what failed commands have "   \
            "printed, on standard error. With auto, it is stream where only one command runs at "  \
            "a time, and group elsewhere.",                                                        \
    }

#define ROW_EVENTS_OUTPUT                                                                          \
    {                                                                                              \
        .name = "events-output", .type = CLI_FLAG, AT(events_output),                              \
        .help = "Write what commands print to the --events, too",                                  \
    }

const struct cli_option run_printing_options[] = {
    ROW_OUTPUT,
    {
        .name = "log-dir",
        .argument = "DIR",
        .type = CLI_DIR,
        AT(log_dir),
        .help = "Keep what each command prints in DIR/NAME.log, too",
        .more = "DIR is made if needed.",
    },
    ROW_EVENTS_OUTPUT,
    {0},
};

const struct cli_option run_item_printing_options[] = {
    ROW_OUTPUT,
    {
        .name = "ordered",
        .type = CLI_FLAG,
        AT(is_ordered),
        .help = "Show the blocks in the order of the items",
        .more = "The first command that has not ended shows what it prints as it comes. What waits "
                "is kept in TMPDIR; when that are many thousand blocks, no new command is "
                "started until some are shown.",
    },
    {
        .name = "tag",
        .type = CLI_FLAG,
        AT(tag),
        .help = "Begin each line that commands print with the item and a tab",
    },
    {
        .name = "results",
        .argument = "DIR",
        .type = CLI_DIR,
        AT(results_dir),
        .help = "Keep stdout, stderr, status and item of the Nth command in DIR/N, too",
        .more = "DIR/N/status is there once the command has ended: succeeded, or failed, timed_out "
                "or cancelled with the cause after a colon. DIR is made if needed.",
    },
    ROW_EVENTS_OUTPUT,
    {0},
};

int run_check_printing(const struct command *command, const struct run_options *options) {
    if (options->events_output && !options->events)
        return cli_fail(command, STATUS_USAGE,
                        "--events-output: there are no --events: use --events FILE, too");
    if (options->is_ordered &&
        (options->output == 1 + AJOB_OUTPUT_PREFIX || options->output == 1 + AJOB_OUTPUT_STREAM))
        return cli_fail(command, STATUS_USAGE,
                        "--ordered: goes with --output group or none: blocks have an order");
    return STATUS_OK;
}

static void before(int fd, void *data) {
    struct run *run = data;
    if (run->view)
        view_before_output(run->view, fd);
}

static void after(int fd, bool at_line_start, bool has_more, void *data) {
    struct run *run = data;
    if (run->view)
        view_after_output(run->view, fd, at_line_start, has_more);
}

static enum ajob_output_mode mode_of(const struct run *run) {
    if (run->options->output != MODE_AUTO)
        return (enum ajob_output_mode)(run->options->output - 1);
    bool is_stream = run->runs_one_command && !run->options->is_ordered;
    return is_stream ? AJOB_OUTPUT_STREAM : AJOB_OUTPUT_GROUP;
}

int run_set_output(struct run *run) {
    const struct run_options *options = run->options;
    bool has_events = options->events && strcmp(options->events, "-") == 0;
    int out = has_events ? STDERR_FILENO : STDOUT_FILENO; /* events are for a program to read */
    if (!run->has_commands)
        return STATUS_OK;
    int error = ajob_set_output(run->loop, &(ajob_output_options){
                                               .mode = mode_of(run),
                                               .out = out,
                                               .err = STDERR_FILENO,
                                               .live = isatty(out),
                                               .log_dir = options->log_dir,
                                               .results_dir = options->results_dir,
                                               .is_ordered = options->is_ordered,
                                               .tag = options->tag,
                                               .has_events = options->events_output,
                                               .before = before,
                                               .after = after,
                                               .data = run,
                                           });
    if (error == AJOB_ESYSTEM)
        return cli_fail(run->command, STATUS_USAGE, "%s: %s",
                        options->results_dir ? "--results" : "--log-dir", ajob_error(run->loop));
    if (error)
        return cli_fail(run->command, STATUS_FAULT, "%s", ajob_error(run->loop));
    return STATUS_OK;
}
