/*
 * cmd_gather.c - ajob gather, any and race: shell commands, all at once.
 *
 * The three differ in their policy alone. A command has a name, by which the run
 * shows it: its number, unless --name gave it another.
 */
#include "cli.h"
#include "runner.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_SHOWN = 64 * 1024 };

struct gather_options {
    struct run_options run;
    struct text_list names;
    bool keep_going;
};

#define AT(field) .at = offsetof(struct gather_options, field)

#define ROW_NAME                                                                                   \
    {                                                                                              \
        .name = "name", .argument = "NAME", .type = CLI_TEXTS, AT(names),                          \
        .help = "Call the next command NAME, instead of by its number; may be repeated",           \
        .more = "The first is for the first CMD, the second for the second, and so on.",           \
    }

static const struct cli_option name_options[] = {ROW_NAME, {0}};

static const struct cli_option gather_options[] = {
    ROW_NAME,
    {
        .name = "keep-going",
        .letter = 'k',
        .type = CLI_FLAG,
        AT(keep_going),
        .help = "Let the others go on after a failure",
    },
    {0},
};

/* ---- names ------------------------------------------------------------- */

static const char *name_of(const struct gather_options *options, size_t index, char number[24]) {
    if (index < options->names.count)
        return options->names.items[index];
    snprintf(number, 24, "%zu", index + 1);
    return number;
}

static int compare(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Those without a name have their numbers, which may be a name of another. */
static int check_names(const struct command *command, const struct gather_options *options,
                       size_t count) {
    const struct text_list *names = &options->names;
    const char **sorted;
    int status = STATUS_OK;

    if (names->count > count)
        return cli_fail(command, STATUS_USAGE, "--name: %s: there are fewer commands than names",
                        names->items[count]);
    for (size_t i = 0; i < names->count; i++) {
        char number[24], *end;
        unsigned long value = strtoul(names->items[i], &end, 10);
        snprintf(number, sizeof number, "%lu", value);
        if (value > names->count && value <= count && strcmp(number, names->items[i]) == 0)
            return cli_fail(command, STATUS_USAGE,
                            "--name: %s: is the name of another command, by its number", number);
    }
    sorted = calloc(names->count + 1, sizeof *sorted);
    if (!sorted)
        return cli_fail(command, STATUS_FAULT, "out of memory");
    for (size_t i = 0; i < names->count; i++)
        sorted[i] = names->items[i];
    qsort(sorted, names->count, sizeof *sorted, compare);
    for (size_t i = 1; i < names->count && status == STATUS_OK; i++)
        if (strcmp(sorted[i - 1], sorted[i]) == 0)
            status = cli_fail(command, STATUS_USAGE, "--name: %s: is given twice", sorted[i]);
    free(sorted);
    return status;
}

/* ---- the run ----------------------------------------------------------- */

static int check(const struct command *command, const struct gather_options *options,
                 const struct text_list *operands) {
    if (operands->count == 0)
        return cli_fail(command, STATUS_USAGE, "no command given: use ajob %s CMD CMD...",
                        command->name);
    if (options->run.dry_run && options->run.events && strcmp(options->run.events, "-") == 0)
        return cli_fail(command, STATUS_USAGE,
                        "--events: -: the list goes to standard output too: use a file");
    for (size_t i = 0; i < operands->count; i++)
        if (!*operands->items[i])
            return cli_fail(command, STATUS_USAGE, "operand %zu is empty: give a command", i + 1);
    return check_names(command, options, operands->count);
}

static int show_commands(struct run *run, const struct gather_options *options,
                         const struct text_list *operands) {
    static char shown[MOST_SHOWN];
    char number[24], name[256];
    for (size_t i = 0; i < operands->count; i++)
        run_print(run, "would run %s: %s\n",
                  ajob_escape(name, sizeof name, name_of(options, i, number)),
                  ajob_escape(shown, sizeof shown, operands->items[i]));
    return run_close(run, STATUS_OK);
}

/* STATUS_OK, or a status after a message. */
static int add_command(struct run *run, const struct gather_options *options, const char *script,
                       const char *name) {
    ajob_retry retry = run_command_retry(&options->run);
    ajob_task *task =
        ajob_exec(run->loop, &(ajob_exec_options){.script = script, .dir = options->run.dir});
    if (!task)
        return cli_fail(run->command, STATUS_FAULT, "%s", ajob_error(run->loop));
    if (name && ajob_set_name(task, name))
        return cli_fail(run->command, run_refused(run), "--name: %s: %s", name,
                        ajob_error(run->loop));
    if (ajob_set_retry(task, &retry) || ajob_group_add(run->root, task))
        return cli_fail(run->command, STATUS_FAULT, "%s", ajob_error(run->loop));
    return STATUS_OK;
}

static int gather_with(const struct command *command, enum ajob_policy policy,
                       const struct gather_options *options, const struct text_list *operands) {
    const struct amount *jobs = &options->run.jobs;
    struct run_work work = {
        .policy = policy,
        .has_commands = true,
        .runs_one_command = operands->count == 1 || jobs->value == 1,
        .commands = jobs->given ? (unsigned)jobs->value : UINT_MAX,
    };
    struct run run;

    int status = check(command, options, operands);
    if (status == STATUS_OK)
        status = run_open(&run, command, &options->run, &work);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < operands->count && status == STATUS_OK; i++) {
        bool is_named = i < options->names.count;
        status = add_command(&run, options, operands->items[i],
                             is_named ? options->names.items[i] : NULL);
    }
    if (status != STATUS_OK)
        return run_close(&run, status);
    if (options->run.dry_run)
        return show_commands(&run, options, operands);
    return run_start(&run);
}

static int gather(const struct command *command, void *data, const struct text_list *operands) {
    const struct gather_options *options = data;
    return gather_with(command, options->keep_going ? AJOB_SETTLED : AJOB_ALL, options, operands);
}

static int any(const struct command *command, void *data, const struct text_list *operands) {
    return gather_with(command, AJOB_ANY, data, operands);
}

static int race(const struct command *command, void *data, const struct text_list *operands) {
    return gather_with(command, AJOB_RACE, data, operands);
}

/* ---- the three commands ------------------------------------------------ */

static const struct cli_section gather_sections[] = {
    {"Tasks", gather_options, 0},
    {"Commands", run_command_options, offsetof(struct gather_options, run)},
    {"What commands print", run_printing_options, offsetof(struct gather_options, run)},
    {"Output", run_output_options, offsetof(struct gather_options, run)},
    CLI_HELP_SECTION,
    {0},
};

static const struct cli_section sections[] = {
    {"Tasks", name_options, 0},
    {"Commands", run_command_options, offsetof(struct gather_options, run)},
    {"What commands print", run_printing_options, offsetof(struct gather_options, run)},
    {"Output", run_output_options, offsetof(struct gather_options, run)},
    CLI_HELP_SECTION,
    {0},
};

const struct command gather_command = {
    .name = "gather",
    .summary = "Run commands at once; the first failure cancels the rest",
    .operands = "CMD...",
    .description =
        "Run each CMD, a command line for /bin/sh, all at once, and wait for all of them. When "
        "one fails, the others are stopped. Nothing that a command has started is left behind.",
    .examples = "ajob gather 'make lint' 'make test' 'make doc'\n"
                "ajob gather -k --name unit 'make unit' --name it 'make it'\n"
                "ajob gather --timeout 10m --exit-code first ./a.sh ./b.sh",
    .sections = gather_sections,
    .options_size = sizeof(struct gather_options),
    .complete = CLI_OPERAND_FILES,
    .run = gather,
};

const struct command any_command = {
    .name = "any",
    .summary = "Run commands at once; the first success cancels the rest",
    .operands = "CMD...",
    .description =
        "Run each CMD, a command line for /bin/sh, all at once, until one of them succeeds. The "
        "others are then stopped. Fails only if all of them fail.",
    .examples = "ajob any 'wget -q https://a.example/x' 'wget -q https://b.example/x'",
    .sections = sections,
    .options_size = sizeof(struct gather_options),
    .complete = CLI_OPERAND_FILES,
    .run = any,
};

const struct command race_command = {
    .name = "race",
    .summary = "Run commands at once; the first to end decides",
    .operands = "CMD...",
    .description =
        "Run each CMD, a command line for /bin/sh, all at once, until one of them ends, well or "
        "not. The others are then stopped, and its result is that of the run.",
    .examples = "ajob race ./server './wait-for-signal && exit 0'",
    .sections = sections,
    .options_size = sizeof(struct gather_options),
    .complete = CLI_OPERAND_FILES,
    .run = race,
};
