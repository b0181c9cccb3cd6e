/*
 * cmd_help.c - ajob help, and what the project's own tests ask of the tables.
 *
 * The hidden options are for tests/drift: --mdoc prints a block of a manual
 * page, --check says what is wrong with the option tables.
 */
#include "cli.h"
#include "cli_docs.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum mdoc { MDOC_NONE, MDOC_SYNOPSIS, MDOC_OPTIONS, MDOC_COMMANDS };
static const char *const mdoc_words[] = {"none", "synopsis", "options", "commands", NULL};

struct help_options {
    int mdoc; /* enum mdoc */
    bool check;
};

#define AT(field) .at = offsetof(struct help_options, field)

static const struct cli_option tool_options[] = {
    CLI_HELP_ROW,
    {
        .name = "mdoc",
        .argument = "BLOCK",
        .type = CLI_WORD,
        .words = mdoc_words,
        AT(mdoc),
        .help = "Print a block of the manual",
        .hidden = true,
    },
    {
        .name = "check",
        .type = CLI_FLAG,
        AT(check),
        .help = "Check the option tables",
        .hidden = true,
    },
    {0},
};

/* ---- the check --------------------------------------------------------- */

/* What is wrong with a row by itself, or NULL. */
static const char *wrong_row(const struct cli_option *row) {
    if (!row->help || !isupper((unsigned char)row->help[0]))
        return "its help does not begin with a capital";
    if (row->help[strlen(row->help) - 1] == '.')
        return "its help ends with a full stop";
    if (row->more && row->more[strlen(row->more) - 1] != '.')
        return "its further text does not end with a full stop";
    if (row->letter && !isalnum((unsigned char)row->letter))
        return "its letter is none";
    if (!row->argument != !cli_takes_value(row))
        return "its type and its argument's name disagree";
    if (row->words ? row->type != CLI_WORD && row->type != CLI_NUMBER : row->type == CLI_WORD)
        return "its type and its words disagree";
    if (row->type == CLI_NUMBER && row->max <= row->min)
        return "it has no range";
    return NULL;
}

static bool same(const char *a, const char *b) {
    return a && b && strcmp(a, b) == 0;
}

static bool names_clash(const struct cli_option *a, const struct cli_option *b) {
    return same(a->name, b->name) || same(a->name, b->alias) || same(a->alias, b->name) ||
           same(a->alias, b->alias) || (a->letter && a->letter == b->letter);
}

/* Compares a row with all others: a name is used once in a command, and a letter
 * means the same in all of them. Returns how many mistakes it printed. */
static int check_against_all(const struct command *command, const struct cli_option *row) {
    int mistakes = 0;
    for (size_t i = 0; cli_commands[i]; i++) {
        const struct command *other = cli_commands[i];
        for (const struct cli_section *section = other->sections; section->title; section++) {
            for (const struct cli_option *it = section->options; it->name; it++) {
                bool twice = other == command && it != row && names_clash(it, row);
                bool differs =
                    row->letter && it->letter == row->letter && !same(it->name, row->name);
                if (!twice && !differs)
                    continue;
                printf("%s: --%s: clashes with --%s of %s\n", command->name, row->name, it->name,
                       other->name);
                mistakes++;
            }
        }
    }
    return mistakes;
}

static int check_tables(void) {
    int mistakes = 0;
    for (size_t i = 0; cli_commands[i]; i++) {
        const struct command *command = cli_commands[i];
        if (!command->summary || !command->operands || !command->description || !command->run) {
            printf("%s: a text or its function is missing\n", command->name);
            mistakes++;
        }
        for (const struct cli_section *section = command->sections; section->title; section++) {
            for (const struct cli_option *row = section->options; row->name; row++) {
                const char *wrong = wrong_row(row);
                if (wrong) {
                    printf("%s: --%s: %s\n", command->name, row->name, wrong);
                    mistakes++;
                }
                mistakes += check_against_all(command, row);
            }
        }
    }
    return mistakes;
}

/* ---- the command ------------------------------------------------------- */

static int help(const struct command *command, void *data, const struct text_list *operands) {
    const struct help_options *options = data;
    const struct command *topic = &ajob_command;

    if (options->check)
        return cli_flush(command, check_tables() ? STATUS_FAILED : STATUS_OK);
    if (operands->count)
        topic = cli_find_command(command, operands->items[0]);
    if (!topic)
        return STATUS_USAGE;
    switch ((enum mdoc)options->mdoc) {
    case MDOC_NONE:
        docs_help(stdout, topic);
        break;
    case MDOC_SYNOPSIS:
        docs_mdoc_synopsis(stdout, topic);
        break;
    case MDOC_OPTIONS:
        docs_mdoc_options(stdout, topic);
        break;
    case MDOC_COMMANDS:
        docs_mdoc_commands(stdout);
        break;
    }
    return cli_flush(command, STATUS_OK);
}

static const struct cli_section sections[] = {{"Help", tool_options, 0}, {0}};

const struct command help_command = {
    .name = "help",
    .summary = "Show what a command does and the options it has",
    .operands = "[COMMAND]",
    .description = "Show the help of COMMAND, as `ajob COMMAND --help` does, or that of ajob.",
    .sections = sections,
    .options_size = sizeof(struct help_options),
    .max_operands = 1,
    .complete = CLI_OPERAND_COMMANDS,
    .run = help,
};
