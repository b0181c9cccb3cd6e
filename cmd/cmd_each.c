/*
 * cmd_each.c - ajob each: one command for each item of an input, as a stream.
 *
 * An item is read when a slot is about to become free, and forgotten when its command
 * has ended: what a run costs is its window, not its length.
 */
#include "cli.h"
#include "each_run.h"

#include <string.h>
#include <unistd.h>

#define AT(field) .at = offsetof(struct each_options, field)

static const struct cli_option item_rows[] = {
    {
        .name = "shell",
        .type = CLI_FLAG,
        AT(is_shell),
        .help = "The items are command lines for /bin/sh; there is no CMD",
    },
    {
        .name = "get",
        .type = CLI_FLAG,
        AT(is_get),
        .help = "The items are URLs, and each task downloads one to DIR; there is no CMD",
        .more =
            "As in the list of ajob get: mirrors may follow, with spaces between, after a tab the "
            "name of the file and, after another, its digest. Without --jobs there are 16 at once; "
            "without --retries one is tried up to 4 times more. Empty lines and those that begin "
            "with # are left out. An item "
            "whose file has the name of an earlier one's fails, unless it is the same URL: it "
            "needs another name, so --retry-failed does not try it again. On the screen, in "
            "--events and --results items are without the secrets of their URLs: without user, "
            "password and query. Where one has any, *** stands for it there, and "
            "--retry-failed cannot do it: use --resume with the same input.",
    },
    {
        .name = "task-timeout",
        .argument = "D",
        .type = CLI_DURATION,
        AT(task_timeout),
        .help = "Stop a command that has run for D; it has failed then",
        .more = "With --retries it is run again.",
    },
    {
        .name = "max-failures",
        .argument = "N",
        .type = CLI_NUMBER,
        AT(max_failures),
        .min = 1,
        .max = UINT32_MAX,
        .help = "Cancel everything else after N failures",
    },
    {
        .name = "delay",
        .argument = "D",
        .type = CLI_DURATION,
        AT(delay),
        .help = "Let D pass between the starts of two commands",
    },
    {
        .name = "limit-start",
        .argument = "N/s",
        .type = CLI_TEXT,
        AT(limit_start),
        .help = "Start at most N commands a second (N/s), minute (N/m) or hour (N/h)",
        .more = "They are spread evenly. It does not count when a command is tried again.",
    },
    {
        .name = "resume",
        .argument = "EVENTS",
        .type = CLI_FILE,
        AT(resume),
        .help = "Leave out what has succeeded in the run whose --events are in the file EVENTS",
        .more = "An item is known by its text and the command, not by its place: the input may "
                "have changed. If --events names the same file, the events are added to it, and "
                "it need not be there.",
    },
    {
        .name = "retry-failed",
        .argument = "EVENTS",
        .type = CLI_FILE,
        AT(retry_failed),
        .help = "Run the items that have failed in the run whose --events are in EVENTS",
        .more = "They are taken from there; there is no other input. If --events names the same "
                "file, the events are added to it.",
    },
    {0},
};

/* ---- the run ------------------------------------------------------------------------ */

/* CMD [ARG...] [::: ITEM...] */
struct parts {
    const char *const *argv;
    size_t argc;
    const char *const *items; /* NULL: there is no ::: */
    size_t item_count;
};

static int split(const struct command *command, const struct text_list *operands,
                 struct parts *parts) {
    *parts = (struct parts){.argv = operands->items, .argc = operands->count};
    for (size_t i = 0; i < operands->count; i++) {
        if (strcmp(operands->items[i], ":::+") == 0 || strcmp(operands->items[i], "::::+") == 0)
            return cli_fail(command, STATUS_USAGE,
                            "lists are not linked by :::+ here: use --columns, with lines of both");
        if (!parts->items && strcmp(operands->items[i], "::::") == 0)
            return cli_fail(
                command, STATUS_USAGE,
                "there is no list of files after :::: here: use --arg-file FILE, before CMD");
        if (strcmp(operands->items[i], ":::") != 0)
            continue;
        if (parts->items)
            return cli_fail(command, STATUS_USAGE,
                            "there are two lists of items: put all of them after one :::");
        parts->argc = i;
        parts->items = operands->items + i + 1;
        parts->item_count = operands->count - i - 1;
    }
    return STATUS_OK;
}

/* The first that is given of those that only downloads heed, or NULL. */
static const char *network_option(const struct run_options *run) {
    const struct {
        const char *name;
        bool is_given;
    } options[] = {
        {"--per-host", run->per_host.given},
        {"--segments", run->segments.given},
        {"--limit-rate", run->limit_rate.given},
        {"--max-wait", run->max_wait.given},
        {"--fsync", run->fsync},
        {"--header", run->headers.count > 0},
        {"--cacert", run->cacert != NULL},
        {"--http", run->http != AJOB_HTTP_AUTO},
        {"--connect-timeout", run->connect_timeout.given},
        {"--stall-timeout", run->stall_timeout.given},
        {"--min-speed", run->min_speed.given},
        {"--insecure", run->insecure},
    };
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        if (options[i].is_given)
            return options[i].name;
    return NULL;
}

static int check(const struct command *command, const struct each_options *options,
                 const struct parts *parts) {
    const struct run_options *run = &options->run;
    bool is_batched = options->input.max_args.given || options->input.max_chars.given;
    bool is_whole = options->is_shell || options->is_get;
    const char *option = options->is_get ? "--get" : "--shell";
    if (options->is_get && options->is_shell)
        return cli_fail(command, STATUS_USAGE, "--get: --shell says that the items are commands");
    if (!parts->argc && !is_whole)
        return cli_fail(command, STATUS_USAGE,
                        "no command given: use ajob each CMD [ARG...], or --shell if the items "
                        "are command lines");
    const char *word = parts->argc == 1 ? parts->argv[0] : "";
    if (!is_whole && strchr(word, ' ') && !strchr(word, '/'))
        return cli_fail(command, STATUS_USAGE,
                        "%s: one word, so the name of a program: give each argument as a word of "
                        "its own, or use sh -c",
                        word);
    if (parts->argc && run->dry_run && *parts->argv[0] &&
        !parts->argv[0][strspn(parts->argv[0], "0123456789")])
        return cli_fail(command, STATUS_USAGE,
                        "-n: is --dry-run: for %s items in one command use -N %s", parts->argv[0],
                        parts->argv[0]);
    if (parts->argc && is_whole)
        return cli_fail(command, STATUS_USAGE, "%s: the items say what is done: leave out %s",
                        option, parts->argv[0]);
    if (is_whole && (is_batched || options->input.columns))
        return cli_fail(command, STATUS_USAGE,
                        "%s: an item is for itself: leave out --max-args, --max-chars and "
                        "--columns",
                        option);
    const char *dir = run->dir ? run->dir : "";
    if ((*dir == '\\' || (*dir && !dir[1])) && access(dir, F_OK) != 0)
        return cli_fail(command, STATUS_USAGE,
                        "-d: is --dir, and there is no directory %s: for the end of an item use "
                        "--delimiter",
                        dir);
    const char *network = network_option(run);
    if (!options->is_get && network)
        return cli_fail(command, STATUS_USAGE, "%s: is for downloads: goes with --get", network);
    const char *printing = run->output          ? "--output"
                           : run->is_ordered    ? "--ordered"
                           : run->tag           ? "--tag"
                           : run->events_output ? "--events-output"
                                                : NULL;
    if (options->is_get && printing)
        return cli_fail(command, STATUS_USAGE, "%s: downloads print nothing", printing);
    if (options->retry_failed && (options->resume || parts->items || options->input.arg_file))
        return cli_fail(command, STATUS_USAGE, "--retry-failed: has the items: leave out %s",
                        options->resume ? "--resume"
                        : parts->items  ? ":::"
                                        : "--arg-file");
    if (run->fail_fast && options->max_failures.given)
        return cli_fail(command, STATUS_USAGE, "--max-failures: --fail-fast says 1 already");
    if (run->dry_run && run->events && strcmp(run->events, "-") == 0)
        return cli_fail(command, STATUS_USAGE,
                        "--events: -: the list goes to standard output too: use a file");
    return STATUS_OK;
}

static int set_jobs(struct each *each) {
    struct run_options *run = &each->run_options;
    if (!run->jobs_text || run_parse_jobs(run->jobs_text, &run->jobs))
        return STATUS_OK;
    return cli_fail(each->command, STATUS_USAGE,
                    "--jobs: %s: not a number of commands: use one from 1 to 100000, 50%%, +1 or "
                    "-1",
                    run->jobs_text);
}

static int each(const struct command *command, void *data, const struct text_list *operands) {
    const struct each_options *options = data;
    struct each each = {
        .command = command,
        .options = options,
        .run_options = options->run,
        .retry = options->is_get ? run_retry(&options->run) : run_command_retry(&options->run),
    };
    struct parts parts;
    int status = split(command, operands, &parts);
    if (status == STATUS_OK)
        status = check(command, options, &parts);
    if (status == STATUS_OK)
        status = set_jobs(&each);
    if (status != STATUS_OK)
        return status;
    if (parts.argc && !(each.template = template_new(parts.argv, parts.argc)))
        return cli_fail(command, STATUS_FAULT, "out of memory");
    status = each_input_open(&each.input, command, &options->input, parts.items, parts.item_count);
    each.input.template = each.template;
    each.argv = parts.argv;
    each.argc = parts.argc;
    if (status == STATUS_OK)
        status = each_run(&each);
    each_input_close(&each.input);
    each_done(&each);
    return status;
}

static const struct cli_section sections[] = {
    {"Items", each_input_rows, offsetof(struct each_options, input)},
    {"Tasks", item_rows, 0},
    {"Commands", run_item_options, offsetof(struct each_options, run)},
    {"What commands print", run_item_printing_options, offsetof(struct each_options, run)},
    {"Transfers, with --get", run_item_transfer_options, offsetof(struct each_options, run)},
    {"Network, with --get", run_network_options, offsetof(struct each_options, run)},
    {"Output", run_output_options, offsetof(struct each_options, run)},
    CLI_HELP_SECTION,
    {0},
};

/* Of xargs and GNU parallel. */
static const struct cli_habit habits[] = {
    {"k", "--ordered"},
    {"keep-order", "--ordered"},
    {"I", "{}, always"},
    {"i", "{}, always"},
    {"J", "{}, always"},
    {"replace", "{}, always"},
    {"L", "-N"},
    {"l", "-N"},
    {"max-lines", "-N"},
    {"n", "-N"},
    {"max-replace-args", "-N"},
    {"m", "-N or --max-chars"},
    {"X", "-N or --max-chars"},
    {"xargs", "-N or --max-chars"},
    {"r", "the default: without items nothing runs"},
    {"no-run-if-empty", "the default"},
    {"u", "--output stream"},
    {"ungroup", "--output stream"},
    {"lb", "--output stream"},
    {"line-buffer", "--output stream"},
    {"linebuffer", "--output stream"},
    {"group", "the default, --output group"},
    {"resume-failed", "--retry-failed"},
    {"wd", "--dir"},
    {"workdir", "--dir"},
    {"nice", "a part of the command: nice CMD"},
    {"P", "-j"},
    {"max-procs", "-j"},
    {"s", "--max-chars"},
    {"t", "-v"},
    {"C", "--columns"},
    {"colsep", "--columns"},
    {"joblog", "--events"},
    {"halt", "--fail-fast or --max-failures"},
    {"bar", "the default on a terminal"},
    {"eta", "the default on a terminal"},
    {"tagstring", "--tag"},
    {0},
};

const struct command each_command = {
    .name = "each",
    .summary = "Run a command for each line of input, as a stream",
    .operands = "[CMD [ARG...]] [::: ITEM...]",
    .description =
        "Run CMD for each item, several at once: for each line of standard input, or each ITEM. "
        "In an ARG, {} is the item; without one the item is the last argument. An item is read "
        "when it can be used, so the input may be endless. All items run, whether some fail or "
        "not.",
    .examples = "find . -name '*.png' -print0 | ajob each -0 optipng {}\n"
                "ajob each -j 50% --task-timeout 1m ./shard {} ::: 1 2 3 4\n"
                "cut -d, -f1,3 list.csv | ajob each --columns , ./import --id {1} --name {2}\n"
                "ajob each --events done --resume done -a urls.txt curl -sfO {}",
    .sections = sections,
    .options_size = sizeof(struct each_options),
    .takes_command = true,
    .habits = habits,
    .complete = CLI_OPERAND_FILES,
    .run = each,
};
