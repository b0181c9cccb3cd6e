/*
 * main.c - ajob: the list of commands and the way to them.
 *
 * A map of the source. An arrow points down only: what is higher in this list
 * uses what is lower, never the other way round.
 *
 *   cmd/        the command line; it knows lib/ajob.h and nothing else of lib/
 *     main              this file
 *     cmd_download, cmd_get, cmd_gather (any and race, too), cmd_each, cmd_run,
 *     cmd_check, cmd_graph, cmd_completion, cmd_help
 *                       subcommands: their options and what they ask for
 *     each_run          from items to tasks; each_results: --results
 *     each_input, each_template, each_get
 *                       what each is asked for: items, the command or download for them
 *     targets           what get is asked for: operands and lists
 *     definition        what graph and run are asked for: a spec, or tasks from options
 *     token             the token for GitHub's API
 *     resume            files of events that are read and then added to
 *     input, mistakes   files that are read whole; what is wrong with a spec
 *     runner            from the options that all runs have to an exit status;
 *                       runner_options, runner_network, runner_output, runner_jobserver:
 *                       those options
 *     leftovers         debug builds: nothing is left behind
 *     view              what a run shows: view_bars, view_lines with view_summary,
 *                       view_events (NDJSON), view_actions (GitHub Actions)
 *     term, width       the terminal; how wide text is on it
 *     cli               commands and options as tables; parsing; messages
 *     cli_docs, cli_completion
 *                       --help, the manual's blocks, completions, from the tables
 *
 *   lib/        libajob; ajob.h is its one public header
 *     version           which libraries it stands on
 *     spec/             a graph of tasks as JSON
 *                         json, schema (every key), read, resolve: text to spec
 *                         build, each, expand: spec to tasks; journal, record: --resume;
 *                         claims: names that are taken; draw: spec to drawings
 *     exec/             processes; knows nothing of net/, nor that of it
 *                         command, service: the kinds of task; probe: is it ready
 *                         process, spawn, reaper, orphans, watchdog: one attempt, and
 *                         that nothing of it stays
 *                         output, printer, sink: what it prints, and who may write
 *                         jobserver: one limit with GNU make
 *     net/              curl on the loop, fetches, part files, digests and
 *                       checksums, GitHub's API, the download and release tasks;
 *                       the way of a file through it: net/download.h
 *     core/             loop, task, group, feed, pool, when a service stops, deadlines,
 *                       retry, events, signals
 *     base/             text, memory, durations and sizes; knows no loop
 *
 *   tests/      by feature; a server whose faults are in its URLs; tests/drift
 *               keeps man/ and completions/ in step with the tables
 *
 * To add
 *   a subcommand      a file cmd_X.c with its const struct command, its name in cli.h
 *                     and in the list below, a page man/ajob-X.1, then tests/drift --fix
 *   a kind of task    a file in its room with a struct task_kind (a model: core/sleep.c;
 *                     a full one: net/download.c), and its maker in ajob.h; for specs,
 *                     in enum spec_kind and schema.c, and where the compiler then asks
 *   a key of specs    a row in spec/schema.c and its field in spec.h; a new type of value
 *                     has its reader in fields.c, numbers.c or parts.c; what it means goes into
 *                     build_task.c or build_values.c, and build_keys.c if it defines
 *                     what the task does; draw_words.c and draw_json.c show it
 *   a probe           AJOB_READINESS in ajob.h, a plan in exec/probe_plan.c, a look in
 *                     exec/probe_X.c if it looks; for specs, in schema.c and parts.c
 *   a drawing         AJOB_DRAWINGS in ajob.h, spec/draw_X.c, and its row in spec/draw.c
 */
#include "cli.h"
#include "cli_docs.h"
#include "leftovers.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static char printed[64 * 1024];

const struct command *const cli_commands[] = {
    &download_command, &get_command,        &gather_command, &any_command,
    &race_command,     &each_command,       &run_command,    &check_command,
    &graph_command,    &completion_command, &help_command,   NULL,
};

struct ajob_options {
    bool version;
};

static const struct cli_option ajob_options[] = {
    CLI_HELP_ROW,
    {
        .name = "version",
        .type = CLI_FLAG,
        .at = offsetof(struct ajob_options, version),
        .help = "Show the versions of ajob and of the libraries it uses, and exit",
    },
    {0},
};

static int ajob(const struct command *command, void *data, const struct text_list *operands) {
    const struct ajob_options *options = data;

    if (options->version) {
        printf("ajob %s\n%s\n", ajob_version(), ajob_version_details());
        return cli_flush(command, STATUS_OK);
    }
    if (operands->count == 0) {
        docs_usage(stderr);
        return STATUS_USAGE;
    }
    const struct command *found = cli_find_command(command, operands->items[0]);
    if (!found)
        return STATUS_USAGE;
    return cli_run(found, (int)operands->count - 1, (char **)(operands->items + 1));
}

static const struct cli_section sections[] = {{"Options", ajob_options, 0}, {0}};

const struct command ajob_command = {
    .name = "",
    .summary = "Commands and downloads as tasks: many at once, nothing left behind",
    .operands = "COMMAND [ARGUMENT...]",
    .description = "Run commands and downloads as tasks on one loop: many at once, in the order of "
                   "what they need, with timeouts, retries, and a cancellation that leaves nothing "
                   "behind.",
    .examples = "ajob gather 'make lint' 'make test'\n"
                "ajob download jqlang/jq\n"
                "ajob run ci.json\n"
                "ajob help download",
    .sections = sections,
    .options_size = sizeof(struct ajob_options),
    .complete = CLI_OPERAND_COMMANDS,
    .takes_command = true,
    .run = ajob,
};

/* A standard stream that the caller has closed would become the first file that
 * is opened. Opened the wrong way round, using it fails as it should. */
static void hold_standard_streams(void) {
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) == -1)
            (void)!open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
}

/* A mask is inherited: with SIGCHLD in it no command would ever be over for us, and
 * with the others nothing but SIGKILL could end a run. */
static void unblock_signals(void) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

int main(int argc, char **argv) {
    hold_standard_streams();
    unblock_signals();
    if (!isatty(STDOUT_FILENO)) /* most of what is printed fits: a failure then has its errno */
        setvbuf(stdout, printed, _IOFBF, sizeof printed);
    leftovers_begin();
    return cli_run(&ajob_command, argc > 0 ? argc - 1 : 0, argv + 1);
}
