/*
 * cmd_each.c - ajob each: one command for each item of an input, as a stream.
 *
 * An item is read when a slot is about to become free, and forgotten when its command
 * has ended: what a run costs is its window, not its length. An item that no command
 * can be made of is a task that fails, so that it is counted and told of like the others.
 */
#include "cli.h"
#include "each_input.h"
#include "each_results.h"
#include "each_template.h"
#include "runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct each_options {
    struct run_options run;
    struct each_input_options input;
    struct amount task_timeout, max_failures, delay;
    const char *limit_start;
    bool is_shell;
};

#define AT(field) .at = offsetof(struct each_options, field)

static const struct cli_option item_rows[] = {
    {
        .name = "shell",
        .type = CLI_FLAG,
        AT(is_shell),
        .help = "The items are command lines for /bin/sh; there is no CMD",
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
    {0},
};

/* What a run is made of. */
struct each {
    const struct command *command;
    const struct each_options *options;
    struct run_options run_options; /* of the run, with what was found out */
    struct run run;
    struct each_input input;
    struct template *template; /* NULL: the items are the commands */
    struct arguments arguments;
    ajob_retry retry;
    struct each_results results;
    uint64_t number; /* of the last command */
    char *failure;   /* why the input could not be read to its end */
};

/* ---- tasks --------------------------------------------------------------------- */

/* data is the reason. */
static void fail(ajob_task *task, void *data) {
    ajob_resolve(task, data);
}

static ajob_task *make_failing(struct each *each, const char *why) {
    return ajob_future(each->run.loop, &(ajob_future_options){
                                           .start = fail,
                                           .data = (void *)why,
                                           .holds_no_slot = true,
                                       });
}

static bool expand(struct each *each, const struct each_batch *batch) {
    if (each->template)
        return template_expand(each->template, &batch->values, &each->arguments);
    arguments_clear(&each->arguments);
    return arguments_add(&each->arguments, batch->text, batch->length) &&
           arguments_end(&each->arguments);
}

static ajob_task *make_command(struct each *each, const struct each_batch *batch) {
    const struct each_options *options = each->options;
    if (!expand(each, batch))
        return NULL;
    ajob_task *task = ajob_exec(each->run.loop, &(ajob_exec_options){
                                                    .argv = each->arguments.argv,
                                                    .script = each->template ? NULL : batch->text,
                                                    .dir = options->run.dir,
                                                });
    bool has_retry = each->retry.max > 0;
    if (!task || (has_retry && ajob_set_retry(task, &each->retry)) ||
        (options->task_timeout.given &&
         ajob_set_attempt_timeout(task, options->task_timeout.value)))
        return NULL;
    return task;
}

/* The task of a batch; NULL after cancelling the run, which lacks memory. */
static ajob_task *make_task(struct each *each, const struct each_batch *batch) {
    ajob_task *task = batch->fault ? make_failing(each, batch->fault) : make_command(each, batch);
    if (task && ajob_set_item(task, batch->text, batch->length) == 0)
        return task;
    ajob_cancel(each->run.root, "lack of memory");
    return NULL;
}

/* A run whose input broke off has not done all that it was asked for. */
static ajob_task *fail_input(struct each *each) {
    if (asprintf(&each->failure, "%s: %s", each_input_name(&each->input),
                 ajob_error(each->run.loop)) < 0)
        each->failure = NULL;
    each->input.is_over = true;
    ajob_task *task = make_failing(each, each->failure ? each->failure : "out of memory");
    if (task && ajob_set_name(task, "input") == 0)
        return task;
    ajob_cancel(each->run.root, "lack of memory");
    return NULL;
}

/* ---- the commands as a list ------------------------------------------------------- */

static void show(struct each *each, const struct each_batch *batch) {
    char *line = NULL;
    size_t length = 0;
    if (batch->fault) {
        cli_warn(each->command, "%llu: %s", (unsigned long long)each->number, batch->fault);
    } else if (!each->template) {
        run_print(&each->run, "%s\n", batch->text);
    } else if (expand(each, batch) && arguments_quote(&each->arguments, &line, &length)) {
        run_print(&each->run, "%s\n", line);
    }
    free(line);
}

/* ---- the feed ---------------------------------------------------------------------- */

static ajob_task *next_task(ajob_task *group, void *data) {
    enum { SHOWN_AT_ONCE = 64 }; /* then signals are heard */
    struct each *each = data;
    struct each_batch *batch;
    for (int shown = 0; shown < SHOWN_AT_ONCE; shown++) {
        switch (each_input_next(&each->input, &batch)) {
        case AJOB_ITEM_NONE_YET:
            ajob_feed_wait(group);
            return NULL;
        case AJOB_ITEM_END:
            return NULL;
        case AJOB_ITEM_UNREADABLE:
            return fail_input(each);
        case AJOB_ITEM_FOUND:
        case AJOB_ITEM_TOO_LONG:
            break;
        }
        batch->values.number = ++each->number;
        if (!each->run.silent)
            return make_task(each, batch);
        show(each, batch);
        ajob_feed_skip(group);
    }
    ajob_feed_wait(group);
    ajob_feed_resume(group);
    return NULL;
}

static void more_items(void *data) {
    struct each *each = data;
    ajob_feed_resume(each->run.root);
}

/* "10/s" as microseconds from one to the next. */
static bool parse_rate(const char *text, uint64_t *interval_us) {
    static const char units[] = "smh";
    static const uint64_t seconds[] = {1, 60, 3600};
    enum { MOST = 1000000 };
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    const char *unit = *end == '/' && end[1] ? strchr(units, end[1]) : NULL;
    if (*text < '0' || *text > '9' || !number || number > MOST || !unit || end[2])
        return false;
    *interval_us = seconds[unit - units] * 1000000 / number;
    return true;
}

static int feed(struct each *each) {
    const struct each_options *options = each->options;
    unsigned jobs = (unsigned)each->run_options.jobs.value;
    ajob_feed asks = {
        .next = next_task,
        .data = each,
        .window = 2 * (jobs ? jobs : ajob_processors()),
        .total = each_input_count(&each->input),
        .interval_us = options->delay.value * 1000,
        .drops_rest = true,
    };
    uint64_t interval_us = 0;
    if (options->limit_start && !parse_rate(options->limit_start, &interval_us))
        return cli_fail(each->command, STATUS_USAGE,
                        "--limit-start: %s: not a rate: use 10/s, 100/m or 1000/h",
                        options->limit_start);
    if (interval_us > asks.interval_us)
        asks.interval_us = interval_us;
    if (asks.interval_us) /* what it gets then starts at once */
        asks.window /= 2;
    if (!each_input_start(&each->input, each->run.loop, more_items, each) ||
        ajob_group_feed(each->run.root, &asks))
        return cli_fail(each->command, STATUS_FAULT, "%s", ajob_error(each->run.loop));
    return STATUS_OK;
}

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

static int check(const struct command *command, const struct each_options *options,
                 const struct parts *parts) {
    const struct run_options *run = &options->run;
    bool is_batched = options->input.max_args.given || options->input.max_chars.given;
    if (!parts->argc && !options->is_shell)
        return cli_fail(command, STATUS_USAGE,
                        "no command given: use ajob each CMD [ARG...], or --shell if the items "
                        "are command lines");
    if (parts->argc && options->is_shell)
        return cli_fail(command, STATUS_USAGE, "--shell: the items are the commands: leave out %s",
                        parts->argv[0]);
    if (options->is_shell && (is_batched || options->input.columns))
        return cli_fail(command, STATUS_USAGE,
                        "--shell: an item is a command line: leave out --max-args, --max-chars "
                        "and --columns");
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

static int run_each(struct each *each) {
    const struct amount *most = &each->options->max_failures;
    struct run_work work = {
        .policy = each->run_options.fail_fast || most->given ? AJOB_ALL : AJOB_SETTLED,
        .max_failures = (unsigned)most->value,
        .has_commands = true,
        .runs_one_command = each->run_options.jobs.value == 1,
        .is_stream = true,
        .commands = (unsigned)each->run_options.jobs.value,
    };
    if (each->run_options.dry_run)
        each->run_options.events = each->run_options.results_dir = NULL;
    int status = run_open(&each->run, each->command, &each->run_options, &work);
    if (status != STATUS_OK)
        return status;
    each->run.silent = each->run_options.dry_run;
    status = feed(each);
    if (status == STATUS_OK && each->run_options.results_dir)
        status = each_results_open(&each->results, &each->run);
    return status == STATUS_OK ? run_start(&each->run) : run_close(&each->run, status);
}

static int each(const struct command *command, void *data, const struct text_list *operands) {
    const struct each_options *options = data;
    struct each each = {
        .command = command,
        .options = options,
        .run_options = options->run,
        .retry = run_command_retry(&options->run),
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
    if (status == STATUS_OK)
        status = run_each(&each);
    each_input_close(&each.input);
    template_free(each.template);
    arguments_done(&each.arguments);
    free(each.failure);
    return status;
}

static const struct cli_section sections[] = {
    {"Items", each_input_rows, offsetof(struct each_options, input)},
    {"Tasks", item_rows, 0},
    {"Commands", run_item_options, offsetof(struct each_options, run)},
    {"What commands print", run_item_printing_options, offsetof(struct each_options, run)},
    {"Output", run_output_options, offsetof(struct each_options, run)},
    CLI_HELP_SECTION,
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
    .run = each,
};
