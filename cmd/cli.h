/*
 * cli.h - the command line as data.
 *
 * A subcommand is one const struct command in a file of its own; its options
 * are rows in tables. From these come the parsing here, and --help, the shell
 * completions and the manual's synopsis in cli_docs.h. Options that several
 * subcommands have are written once, as a section that each of them lists.
 */
#ifndef CMD_CLI_H
#define CMD_CLI_H

#include "ajob.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Exit statuses of ajob's own; those of a run come from ajob_run(). */
enum {
    STATUS_OK = 0,
    STATUS_FAILED = 1, /* also: standard output could not be written */
    STATUS_USAGE = 2,
    STATUS_FAULT = 125,
};

/* What an option with a number, a duration (ms) or a size (bytes) was given. */
struct amount {
    bool given;
    uint64_t value; /* 0 unless given */
};

/* Strings in the order they were given. items ends with NULL, and is NULL while
 * there are none; the strings themselves are argv's. */
struct text_list {
    const char **items;
    size_t count;
};

/* What an option takes, and what is at its destination. */
enum cli_type {
    CLI_FLAG,     /* bool, set to true */
    CLI_UNFLAG,   /* bool, set to false: takes back another row's flag */
    CLI_COUNT,    /* int, how often it was given */
    CLI_HELP,     /* nothing: cli_run() shows the help */
    CLI_TEXT,     /* const char * */
    CLI_TEXTS,    /* struct text_list: may be repeated */
    CLI_FILE,     /* const char *, completed as a file */
    CLI_DIR,      /* const char *, completed as a directory */
    CLI_NUMBER,   /* struct amount, from min to max; a word of `words` counts as 0 */
    CLI_DURATION, /* struct amount */
    CLI_SIZE,     /* struct amount */
    CLI_WORD,     /* int, the index in words; words[0] is the default */
};

struct cli_option {
    const char *name;         /* without its dashes; NULL ends a table */
    const char *alias;        /* a second long name, or NULL */
    const char *argument;     /* as the documentation calls it; NULL for flags */
    const char *help;         /* a capital first, no full stop last */
    const char *more;         /* further sentences for the manual, or NULL */
    const char *const *words; /* of CLI_WORD, and of CLI_NUMBER or NULL; ends with NULL */
    uint64_t min, max;        /* of CLI_NUMBER */
    size_t at;                /* the destination's offsetof() */
    enum cli_type type;
    char letter; /* 0: it has none */
    bool hidden; /* parsed, but in no documentation */
};

/* A table of options under one heading. */
struct cli_section {
    const char *title; /* NULL ends the list */
    const struct cli_option *options;
    size_t base; /* where the struct that they fill begins in the command's own */
};

/* How a shell completes a command's operands. */
enum cli_operands {
    CLI_NOTHING_KNOWN,
    CLI_OPERAND_WORDS,    /* one of operand_words */
    CLI_OPERAND_COMMANDS, /* one of ajob's commands */
    CLI_OPERAND_FILES,    /* specs, or programs and what they are given */
};

/* What other programs call an option, and what does the same here. */
struct cli_habit {
    const char *name; /* without dashes */
    const char *here;
};

struct command {
    const char *name;        /* "" is ajob itself */
    const char *summary;     /* one line: a capital first, no full stop last */
    const char *operands;    /* "OWNER/REPO [TAG...]" */
    const char *description; /* paragraphs, with an empty line between them */
    const char *examples;    /* command lines, one a line, or NULL */
    const struct cli_section *sections;
    size_t options_size; /* of the struct that the options fill */
    size_t max_operands; /* 0: any number */
    enum cli_operands complete;
    const char *const *operand_words; /* ends with NULL */
    bool takes_command;               /* the first operand ends the options */
    const struct cli_habit *habits;   /* ends with an empty one, or NULL */
    /* Returns the exit status. options is zeroed but for what was given. */
    int (*run)(const struct command *command, void *options, const struct text_list *operands);
};

/* Every subcommand, in the order of --help; ends with NULL. And ajob itself. */
extern const struct command *const cli_commands[];
extern const struct command ajob_command;

extern const struct command download_command;
extern const struct command get_command;
extern const struct command gather_command;
extern const struct command any_command;
extern const struct command race_command;
extern const struct command each_command;
extern const struct command run_command;
extern const struct command check_command;
extern const struct command graph_command;
extern const struct command completion_command;
extern const struct command help_command;

/* The row of -h/--help, which every command has, and a section of it alone. */
#define CLI_HELP_ROW                                                                               \
    { .name = "help", .letter = 'h', .type = CLI_HELP, .help = "Show this help and exit" }
extern const struct cli_option cli_help_options[];
#define CLI_HELP_SECTION                                                                           \
    { "Help", cli_help_options, 0 }

/* Parses argv, in which argv[0] is the first argument, and then runs the command, or
 * shows its help. Returns the exit status. */
int cli_run(const struct command *command, int argc, char **argv);

/* The command of this name, or NULL after a message that suggests another. */
const struct command *cli_find_command(const struct command *asking, const char *name);

/* True if the option takes a value. */
bool cli_takes_value(const struct cli_option *option);

/* Writes "auto, bar or none" into buffer. */
void cli_list_words(const char *const *words, char *buffer, size_t size);

/* Prints "ajob: COMMAND: ..." as one line on stderr, escaped whatever is in it.
 * The one place where cmd/ prints an error, the views apart. Returns status. */
int cli_fail(const struct command *command, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same of what is no failure but has to be said, however quiet the run is to be. */
void cli_warn(const struct command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Flushes stdout. Returns status, or after a message STATUS_FAILED if what was
 * printed could not be written. */
int cli_flush(const struct command *command, int status);

#endif
