/*
 * cmd_run.c - ajob run: a graph of tasks, from a file or from arguments.
 *
 * A wrong spec starts nothing. With --resume and --events naming one file, what an
 * earlier run has written there stays: else a run that is killed early would have
 * forgotten what is done.
 */
#include "cli.h"
#include "definition.h"
#include "input.h"
#include "resume.h"
#include "runner.h"
#include "token.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct run_graph_options {
    struct run_options run;
    struct definition_options definition;
    const char *resume;
    const char *token_file;
    bool keep_going;
};

#define AT(field) .at = offsetof(struct run_graph_options, field)

static const struct cli_option run_rows[] = {
    {
        .name = "keep-going",
        .letter = 'k',
        .type = CLI_FLAG,
        AT(keep_going),
        .help = "Let the others go on after a failure, whatever the spec says",
        .more = "What needs a task that failed is skipped.",
    },
    {
        .name = "resume",
        .argument = "EVENTS",
        .type = CLI_FILE,
        AT(resume),
        .help = "Skip what has succeeded in the run whose --events are in the file EVENTS",
        .more = "That is each command that succeeded then and is defined now as it was, with all "
                "that it needs. One whose output is used by something that runs runs again; "
                "downloads find out by themselves what is up to date. If --events names the same "
                "file, the events are added to it, and it need not be there.",
    },
    {
        .name = "token-file",
        .argument = "FILE",
        .type = CLI_FILE,
        AT(token_file),
        .help = "Read the token for releases from FILE instead of the environment",
    },
    {0},
};

/* ---- what an earlier run has done ---------------------------------------------------- */

/* A last line that was cut off would spoil the one that is added behind it. */
static int cut_last_line(const struct command *command, const struct input *input) {
    const char *newline = memrchr(input->text, '\n', input->length);
    size_t length = newline ? (size_t)(newline - input->text) + 1 : 0;
    return resume_cut(command, input->name, length);
}

static int read_events(const struct command *command, ajob_spec *spec,
                       const struct run_graph_options *options, struct run_options *run) {
    struct input input;
    if (!options->resume)
        return STATUS_OK;
    run->adds_events = run->events && resume_is_same_file(options->resume, run->events);
    if (run->adds_events && access(options->resume, F_OK) != 0 && errno == ENOENT)
        return STATUS_OK;
    int status = input_read(&input, command, options->resume);
    if (status != STATUS_OK)
        return status;
    int error = ajob_spec_resume(spec, input.text, input.length);
    if (error)
        status = cli_fail(command, error == AJOB_ENOMEM ? STATUS_FAULT : STATUS_USAGE,
                          "--resume: %s: %s", options->resume, ajob_spec_error(spec));
    else if (run->adds_events && !run->dry_run)
        status = cut_last_line(command, &input);
    input_done(&input);
    return status;
}

/* ---- the run -------------------------------------------------------------------------- */

static void print_order(const char *text, void *data) {
    (void)data;
    fputs(text, stdout);
}

static int show_order(const struct command *command, ajob_spec *spec) {
    if (ajob_spec_draw(spec, AJOB_DRAW_ORDER, print_order, NULL))
        return cli_fail(command, STATUS_FAULT, "out of memory");
    return cli_flush(command, STATUS_OK);
}

static bool is_set(const char *text) {
    return text && *text;
}

static int run_graph(const struct command *command, ajob_spec *spec,
                     const struct run_graph_options *options,
                     const struct run_options *run_options) {
    static char token[TOKEN_SIZE];
    struct run_work work = {
        .has_commands = true,
        .runs_one_command = run_options->jobs.value == 1,
        .commands = (unsigned)run_options->jobs.value,
    };
    struct run run;
    int status = token_find(command, options->token_file, token);
    if (status == STATUS_OK)
        status = run_open(&run, command, run_options, &work);
    if (status != STATUS_OK)
        return status;
    const char *api_url = getenv("GITHUB_API_URL");
    run.root = ajob_spec_build(spec, run.loop,
                               &(ajob_spec_options){
                                   .http = run_http(run_options),
                                   .dir = run_options->dir,
                                   .api_url = is_set(api_url) ? api_url : NULL,
                                   .token = *token ? token : NULL,
                                   .retry = run_retry(run_options),
                                   .has_retry = run_options->retries.given,
                                   .keep_going = options->keep_going,
                                   .has_keys = run_options->events || options->resume,
                               });
    if (run.root)
        return run_start(&run);
    status = cli_fail(command, run_refused(&run), "%s", ajob_error(run.loop));
    return run_close(&run, status);
}

/* What the spec says of the run holds where no option does. */
static struct run_options with_top(const ajob_spec *spec, const struct run_options *options) {
    struct run_options run = *options;
    ajob_spec_top top = ajob_spec_get_top(spec);
    if (!run.jobs.given && top.jobs)
        run.jobs = (struct amount){true, top.jobs};
    if (!run.timeout.given && top.has_timeout)
        run.timeout = (struct amount){true, top.timeout_ms};
    if (!run.limit_rate.given)
        run.limit_rate.value = top.limit_rate;
    return run;
}

static int check_options(const struct command *command, const struct run_graph_options *options) {
    if (options->run.retry_delay.given && !options->run.retries.given)
        return cli_fail(command, STATUS_USAGE,
                        "--retry-delay: goes with --retries; a task's own is in its \"retry\"");
    if (options->run.dry_run && is_set(options->run.events) &&
        strcmp(options->run.events, "-") == 0)
        return cli_fail(command, STATUS_USAGE,
                        "--events: -: the list goes to standard output too: use a file");
    return STATUS_OK;
}

static int run(const struct command *command, void *data, const struct text_list *operands) {
    const struct run_graph_options *options = data;
    struct run_options run_options;
    int status = check_options(command, options);
    if (status != STATUS_OK)
        return status;
    ajob_spec *spec;
    status = definition_open(command, &options->definition, operands, &spec);
    if (status != STATUS_OK)
        return status;
    run_options = with_top(spec, &options->run);
    status = read_events(command, spec, options, &run_options);
    if (status == STATUS_OK)
        status = options->run.dry_run ? show_order(command, spec)
                                      : run_graph(command, spec, options, &run_options);
    ajob_spec_free(spec);
    return status;
}

static const struct cli_section sections[] = {
    {"Tasks", definition_rows, offsetof(struct run_graph_options, definition)},

    {"Run", run_rows, 0},
    {"Work", run_graph_options, offsetof(struct run_graph_options, run)},
    {"Network", run_network_options, offsetof(struct run_graph_options, run)},
    {"What commands print", run_printing_options, offsetof(struct run_graph_options, run)},
    {"Output", run_output_options, offsetof(struct run_graph_options, run)},
    CLI_HELP_SECTION,
    {0},
};

const struct command run_command = {
    .name = "run",
    .summary = "Run a graph of tasks: commands, downloads, services",
    .operands = "[SPEC] [TASK...]",
    .description =
        "Run the tasks of SPEC, a graph as JSON (-: standard input), each as soon as what it "
        "needs has succeeded; or only each TASK, as in tests/unit, and what it needs. With --exec "
        "or "
        "--get the tasks come from these options, and SPEC, if there is one, must be - or end in "
        ".json. A wrong spec starts nothing.",
    .examples = "ajob run ci.json\n"
                "ajob run --set version=1.7.1 -k ci.json build tests/unit\n"
                "ajob run --exec build=make --exec test:build='make check'\n"
                "ajob run --resume events --events events ci.json",
    .sections = sections,
    .options_size = sizeof(struct run_graph_options),
    .complete = CLI_OPERAND_FILES,
    .run = run,
};
