/*
 * cli.c - parsing a command line by its tables, and saying what is wrong with it.
 *
 * The conventions are GNU's: --option=value or --option value, -j4 or -j 4,
 * short flags bundled, options and operands mixed, "--" ends the options. Long
 * names are never abbreviated, so that a new option cannot break a script.
 */
#include "cli.h"

#include "cli_docs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_NAMES = 128 }; /* candidates of a suggestion */

enum { PARSED = 0, WANTS_HELP = -1 };

const struct cli_option cli_help_options[] = {
    CLI_HELP_ROW,
    {0},
};

/* ---- messages ---------------------------------------------------------- */

__attribute__((format(printf, 2, 0))) static void say(const struct command *command,
                                                      const char *format, va_list args) {
    char *line = NULL, *escaped = NULL;

    if (vasprintf(&line, format, args) < 0)
        line = NULL;
    if (line) {
        size_t size = 4 * strlen(line) + 1; /* a byte becomes \xNN at most */
        escaped = malloc(size);
        if (escaped)
            ajob_escape(escaped, size, ajob_hide_secrets(line));
    }
    fflush(stdout);
    fprintf(stderr, "ajob: %s%s%s\n", command->name, command->name[0] ? ": " : "",
            escaped ? escaped : "out of memory");
    free(escaped);
    free(line);
}

int cli_fail(const struct command *command, int status, const char *format, ...) {
    va_list args;
    va_start(args, format);
    say(command, format, args);
    va_end(args);
    return status;
}

void cli_warn(const struct command *command, const char *format, ...) {
    va_list args;
    va_start(args, format);
    say(command, format, args);
    va_end(args);
}

int cli_flush(const struct command *command, int status) {
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    return cli_fail(command, STATUS_FAILED, "standard output: cannot be written: %s",
                    errno ? strerror(errno) : "an earlier write failed");
}

/* "see 'ajob download --help'", the end of a message that has no better advice. */
static int fail_with_help(const struct command *command, const char *what) {
    return cli_fail(command, STATUS_USAGE, "%s: see 'ajob%s%s --help'", what,
                    command->name[0] ? " " : "", command->name);
}

/* ---- lists ------------------------------------------------------------- */

static bool text_list_add(struct text_list *list, const char *text) {
    /* The space is a power of two that has room for the NULL. */
    if (((list->count + 1) & list->count) == 0) {
        size_t space = list->count ? 2 * (list->count + 1) : 2;
        const char **items = realloc(list->items, space * sizeof *items);
        if (!items)
            return false;
        list->items = items;
    }
    list->items[list->count++] = text;
    list->items[list->count] = NULL;
    return true;
}

static void text_list_free(struct text_list *list) {
    free(list->items);
    *list = (struct text_list){0};
}

/* ---- one option -------------------------------------------------------- */

bool cli_takes_value(const struct cli_option *option) {
    return option->type >= CLI_TEXT;
}

/* The row of a long name of this length or, if name is NULL, of a letter. *ret_base
 * is its section's. NULL if there is none. */
static const struct cli_option *find_option(const struct command *command, const char *name,
                                            size_t length, char letter, size_t *ret_base) {
    for (const struct cli_section *section = command->sections; section->title; section++) {
        for (const struct cli_option *row = section->options; row->name; row++) {
            bool found = !name && row->letter == letter;
            if (name)
                found = (strlen(row->name) == length && !memcmp(row->name, name, length)) ||
                        (row->alias && strlen(row->alias) == length &&
                         !memcmp(row->alias, name, length));
            if (found) {
                *ret_base = section->base;
                return row;
            }
        }
    }
    return NULL;
}

/* "--a, --b" of the options that begin as the name does, where there are a few. */
static bool list_alike(const char *name, const char *const *names, size_t count, char *list,
                       size_t size) {
    enum { LETTERS = 4, LETTERS_MIN = 3, ALIKE_MAX = 3 };
    size_t letters = strnlen(name, LETTERS), alike = 0, used = 0;
    for (size_t i = 0; letters >= LETTERS_MIN && i < count && used < size; i++)
        if (strncmp(names[i], name, letters) == 0)
            used +=
                (size_t)snprintf(list + used, size - used, "%s--%s", alike++ ? ", " : "", names[i]);
    return alike >= 1 && alike <= ALIKE_MAX && used < size;
}

/* NULL: nobody is known to call anything so. */
static const char *habit_of(const struct command *command, const char *name, size_t length) {
    for (const struct cli_habit *habit = command->habits; habit && habit->name; habit++)
        if (strlen(habit->name) == length && strncmp(habit->name, name, length) == 0)
            return habit->here;
    return NULL;
}

/* Of an option that means another thing here: "; elsewhere ...", or "". */
static const char *elsewhere(const struct command *command, const char *letter, char buffer[160]) {
    const char *here = habit_of(command, letter, 1);
    *buffer = '\0';
    if (here)
        snprintf(buffer, 160, "; elsewhere -%c is another option, which here is %s", *letter, here);
    return buffer;
}

static int unknown_option(const struct command *command, const char *name) {
    const char *names[MAX_NAMES] = {0};
    size_t count = 0;

    for (const struct cli_section *section = command->sections; section->title; section++) {
        for (const struct cli_option *row = section->options; row->name; row++) {
            if (count + 2 > MAX_NAMES || row->hidden)
                continue;
            names[count++] = row->name;
            if (row->alias)
                names[count++] = row->alias;
        }
    }
    const char *here = habit_of(command, name, strlen(name));
    if (here)
        return cli_fail(command, STATUS_USAGE, "unknown option --%s: here it is %s", name, here);
    const char *near = ajob_nearest(name, names, count);
    if (near)
        return cli_fail(command, STATUS_USAGE, "unknown option --%s; did you mean --%s?", name,
                        near);
    char what[160], alike[160];
    if (list_alike(name, names, count, alike, sizeof alike))
        return cli_fail(command, STATUS_USAGE, "unknown option --%s; there are: %s", name, alike);
    snprintf(what, sizeof what, "unknown option --%.128s", name);
    return fail_with_help(command, what);
}

void cli_list_words(const char *const *words, char *buffer, size_t size) {
    size_t used = 0;
    buffer[0] = '\0';
    for (size_t i = 0; words[i] && used < size; i++) {
        const char *before = i == 0 ? "" : words[i + 1] ? ", " : " or ";
        used += (size_t)snprintf(buffer + used, size - used, "%s%s", before, words[i]);
    }
}

static int bad_word(const struct command *command, const struct cli_option *option,
                    const char *shown, const char *value) {
    char list[256];
    cli_list_words(option->words, list, sizeof list);
    return cli_fail(command, STATUS_USAGE, "%s: %s: not one of its words: use %s", shown, value,
                    list);
}

static bool parse_number(const char *text, uint64_t *number) {
    if (strspn(text, "0123456789") != strlen(text))
        return false;
    errno = 0;
    unsigned long long value = strtoull(text, NULL, 10);
    *number = value;
    return errno == 0;
}

/* The index of the word in the list, or -1. */
static int find_word(const char *const *words, const char *value) {
    for (int i = 0; words && words[i]; i++)
        if (strcmp(words[i], value) == 0)
            return i;
    return -1;
}

static int bad_number(const struct command *command, const struct cli_option *option,
                      const char *shown, const char *value) {
    char words[256] = "", other[160] = "";
    if (shown[1] != '-' && !strchr("0123456789", *value))
        elsewhere(command, shown + 1, other);
    if (option->words)
        cli_list_words(option->words, words, sizeof words);
    return cli_fail(command, STATUS_USAGE,
                    "%s: %s: not a whole number that fits: use %s%sone from %" PRIu64 " to %" PRIu64
                    "%s",
                    shown, value, words, *words ? " or " : "", option->min, option->max, other);
}

static int store_amount(const struct command *command, const struct cli_option *option,
                        struct amount *amount, const char *shown, const char *value) {
    uint64_t number = 0;

    if (option->type == CLI_NUMBER) {
        bool is_word = find_word(option->words, value) >= 0;
        if (!is_word &&
            (!parse_number(value, &number) || number < option->min || number > option->max))
            return bad_number(command, option, shown, value);
    } else if (option->type == CLI_DURATION) {
        if (!ajob_parse_duration(value, &number))
            return cli_fail(command, STATUS_USAGE,
                            "%s: %s: not a duration: use 500ms, 30s, 5m or 1h30m", shown, value);
    } else if (!ajob_parse_size(value, &number)) {
        return cli_fail(command, STATUS_USAGE, "%s: %s: not a size: use 64K, 4M or 1G", shown,
                        value);
    }
    *amount = (struct amount){.given = true, .value = number};
    return PARSED;
}

/* Puts an option's value where its row says. shown is the option as it was
 * written, for messages. */
static int store(const struct command *command, const struct cli_option *option, void *at,
                 const char *shown, const char *value) {
    if (value && !*value)
        return cli_fail(command, STATUS_USAGE, "%s: its value is empty: give %s", shown,
                        option->argument);
    switch (option->type) {
    case CLI_FLAG:
    case CLI_UNFLAG:
        *(bool *)at = option->type == CLI_FLAG;
        return PARSED;
    case CLI_COUNT:
        *(int *)at += 1;
        return PARSED;
    case CLI_HELP:
        return WANTS_HELP;
    case CLI_TEXT:
    case CLI_FILE:
    case CLI_DIR:
        *(const char **)at = value;
        return PARSED;
    case CLI_TEXTS:
        if (!text_list_add(at, value))
            return cli_fail(command, STATUS_FAULT, "out of memory");
        return PARSED;
    case CLI_NUMBER:
    case CLI_DURATION:
    case CLI_SIZE:
        return store_amount(command, option, at, shown, value);
    case CLI_WORD:
        if (find_word(option->words, value) < 0)
            return bad_word(command, option, shown, value);
        *(int *)at = find_word(option->words, value);
        return PARSED;
    }
    return STATUS_FAULT;
}

/* ---- a command line ---------------------------------------------------- */

/* The arguments that are still to be read. */
struct arguments {
    const struct command *command;
    char *options; /* the struct to fill */
    char **next;
    char **end;
};

static int parse_long(struct arguments *arguments, const char *argument) {
    const struct command *command = arguments->command;
    const char *name = argument + 2;
    const char *equals = strchr(name, '=');
    size_t length = equals ? (size_t)(equals - name) : strlen(name);
    char shown[64];
    size_t base;
    const struct cli_option *option = find_option(command, name, length, 0, &base);

    if (!option) {
        char *unknown = strndup(name, length);
        int status = unknown_option(command, unknown ? unknown : "");
        free(unknown);
        return status;
    }
    snprintf(shown, sizeof shown, "--%.*s", (int)length, name);
    const char *value = equals ? equals + 1 : NULL;
    if (value && !cli_takes_value(option))
        return cli_fail(command, STATUS_USAGE, "%s: takes no value: write just %s", argument,
                        shown);
    if (!value && cli_takes_value(option)) {
        if (arguments->next == arguments->end)
            return cli_fail(command, STATUS_USAGE, "%s: its value is missing: give %s %s", shown,
                            shown, option->argument);
        value = *arguments->next++;
    }
    return store(command, option, arguments->options + base + option->at, shown, value);
}

static int parse_short(struct arguments *arguments, const char *argument) {
    const struct command *command = arguments->command;

    for (const char *letter = argument + 1; *letter; letter++) {
        char shown[3] = {'-', *letter, '\0'};
        size_t base;
        const struct cli_option *option = find_option(command, NULL, 0, *letter, &base);
        const char *value = NULL;

        if (!option) {
            char what[32];
            char other[160];
            const char *here = habit_of(command, letter, 1);
            if (here)
                return cli_fail(command, STATUS_USAGE, "unknown option %s: here it is %s", shown,
                                here);
            if (letter > argument + 1 && *letter >= '0' && *letter <= '9')
                return cli_fail(command, STATUS_USAGE, "%.32s: takes no value: write just %.*s%s",
                                argument, (int)(letter - argument), argument,
                                elsewhere(command, letter - 1, other));
            /* Not a part of a character of several bytes. */
            if ((unsigned char)*letter < 0x80)
                snprintf(what, sizeof what, "unknown option %s", shown);
            else
                snprintf(what, sizeof what, "unknown option %.15s", argument);
            return fail_with_help(command, what);
        }
        if (cli_takes_value(option)) {
            value = letter[1] ? letter + 1 : NULL;
            if (!value && arguments->next == arguments->end)
                return cli_fail(command, STATUS_USAGE, "%s: its value is missing: give %s %s",
                                shown, shown, option->argument);
            if (!value)
                value = *arguments->next++;
        }
        int status = store(command, option, arguments->options + base + option->at, shown, value);
        if (status != PARSED || value)
            return status;
    }
    return PARSED;
}

/* Fills options and operands. Returns PARSED, WANTS_HELP, or an exit status
 * after a message. What it allocates is freed by free_parsed() in every case. */
static int parse(const struct command *command, int argc, char **argv, void *options,
                 struct text_list *operands) {
    struct arguments arguments = {
        .command = command, .options = options, .next = argv, .end = argv + argc};
    bool ended = false; /* no further options */

    while (arguments.next < arguments.end) {
        const char *argument = *arguments.next++;
        int status = PARSED;

        if (!ended && strcmp(argument, "--") == 0) {
            ended = true;
        } else if (!ended && strncmp(argument, "--", 2) == 0) {
            status = parse_long(&arguments, argument);
        } else if (!ended && argument[0] == '-' && argument[1]) {
            status = parse_short(&arguments, argument);
        } else {
            if (command->max_operands && operands->count == command->max_operands)
                return cli_fail(command, STATUS_USAGE, "%s: one operand too many: give %s",
                                argument, command->operands);
            if (!text_list_add(operands, argument))
                return cli_fail(command, STATUS_FAULT, "out of memory");
            ended = ended || command->takes_command;
        }
        if (status != PARSED)
            return status;
    }
    return PARSED;
}

static void free_parsed(const struct command *command, void *options, struct text_list *operands) {
    for (const struct cli_section *section = command->sections; section->title; section++)
        for (const struct cli_option *row = section->options; row->name; row++)
            if (row->type == CLI_TEXTS)
                text_list_free((void *)((char *)options + section->base + row->at));
    text_list_free(operands);
}

int cli_run(const struct command *command, int argc, char **argv) {
    struct text_list operands = {0};
    /* Never of size 0, for which calloc() may return NULL. */
    void *options = calloc(1, command->options_size + 1);
    if (!options)
        return cli_fail(command, STATUS_FAULT, "out of memory");

    int status = parse(command, argc, argv, options, &operands);
    if (status == PARSED) {
        status = command->run(command, options, &operands);
    } else if (status == WANTS_HELP) {
        docs_help(stdout, command);
        status = cli_flush(command, STATUS_OK);
    }
    free_parsed(command, options, &operands);
    free(options);
    return status;
}

const struct command *cli_find_command(const struct command *asking, const char *name) {
    const char *names[MAX_NAMES];
    size_t count = 0;

    for (; cli_commands[count] && count < MAX_NAMES; count++) {
        names[count] = cli_commands[count]->name;
        if (strcmp(names[count], name) == 0)
            return cli_commands[count];
    }
    const char *near = ajob_nearest(name, names, count);
    if (near)
        cli_fail(asking, STATUS_USAGE, "unknown command %s; did you mean %s?", name, near);
    else
        cli_fail(asking, STATUS_USAGE, "unknown command %s: see 'ajob --help'", name);
    return NULL;
}
