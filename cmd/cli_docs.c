/*
 * cli_docs.c - --help and the manual's blocks, from the option tables.
 *
 * Both say the same words: an option's `help` is its line in --help and its
 * first sentence in the manual, where `more` follows. In the manual, words that
 * are options, arguments or environment variables get their markup here, so
 * that the tables hold plain text only.
 */
#include "cli_docs.h"

#include <ctype.h>
#include <string.h>

enum {
    WIDTH = 80,
    HELP_COLUMN = 27, /* where the texts of options begin */
    COMMAND_COLUMN = 15,
};

/* ---- --help ------------------------------------------------------------ */

static void pad(FILE *out, int from, int to) {
    for (; from < to; from++)
        putc(' ', out);
}

/* Writes text in lines between the columns indent and WIDTH. The cursor is at
 * `column`; at the end it is at the begin of a line. */
static void fill(FILE *out, const char *text, int column, int indent) {
    bool first = true; /* on this line */
    if (column > indent) {
        putc('\n', out);
        column = 0;
    }
    pad(out, column, indent);
    column = indent;
    while (*text) {
        int length = (int)strcspn(text, " \n");
        if (!first && column + 1 + length > WIDTH) {
            putc('\n', out);
            pad(out, 0, indent);
            column = indent;
            first = true;
        }
        column += fprintf(out, "%s%.*s", first ? "" : " ", length, text);
        first = false;
        text += length;
        text += strspn(text, " \n");
    }
    putc('\n', out);
}

static void paragraphs(FILE *out, const char *text) {
    while (*text) {
        const char *end = strstr(text, "\n\n");
        size_t length = end ? (size_t)(end - text) : strlen(text);
        char paragraph[1024];
        snprintf(paragraph, sizeof paragraph, "%.*s", (int)length, text);
        fill(out, paragraph, 0, 0);
        putc('\n', out);
        text += length + (end ? 2 : 0);
    }
}

static void help_option(FILE *out, const struct cli_option *option) {
    int column = option->letter ? fprintf(out, "  -%c, ", option->letter) : fprintf(out, "      ");
    char text[256], words[128] = "";

    column += fprintf(out, "--%s", option->name);
    if (option->alias)
        column += fprintf(out, ", --%s", option->alias);
    if (option->argument)
        column += fprintf(out, " %s", option->argument);
    if (option->type == CLI_WORD)
        cli_list_words(option->words, words, sizeof words);
    snprintf(text, sizeof text, *words ? "%s: %s" : "%s", option->help, words);
    fill(out, text, column + 2 > HELP_COLUMN ? WIDTH : column, HELP_COLUMN);
}

static bool has_type(const struct command *command, enum cli_type type) {
    for (const struct cli_section *section = command->sections; section->title; section++)
        for (const struct cli_option *row = section->options; row->name; row++)
            if (row->type == type)
                return true;
    return false;
}

void docs_help(FILE *out, const struct command *command) {
    bool top = command == &ajob_command;

    fprintf(out, "Usage: ajob%s%s %s%s\n\n", top ? "" : " ", command->name,
            top ? "" : "[OPTION...] ", command->operands);
    paragraphs(out, command->description);
    if (top) {
        fputs("Commands:\n", out);
        for (size_t i = 0; cli_commands[i]; i++)
            fill(out, cli_commands[i]->summary, fprintf(out, "  %s", cli_commands[i]->name),
                 COMMAND_COLUMN);
        putc('\n', out);
    }
    for (const struct cli_section *section = command->sections; section->title; section++) {
        fprintf(out, "%s%s:\n", section == command->sections ? "" : "\n", section->title);
        for (const struct cli_option *row = section->options; row->name; row++)
            if (!row->hidden)
                help_option(out, row);
    }
    if (has_type(command, CLI_DURATION))
        fputs("\nD is a duration: 500ms, 30s, 5m, 1h30m, or a number of seconds.\n", out);
    if (has_type(command, CLI_SIZE))
        fputs("SIZE is a number of bytes: 64K, 4M, 1G (powers of 1024), or without a letter.\n",
              out);
    if (command->examples) {
        fputs("\nExamples:\n", out);
        for (const char *line = command->examples; *line;) {
            size_t length = strcspn(line, "\n");
            fprintf(out, "  %.*s\n", (int)length, line);
            line += length + (line[length] == '\n');
        }
    }
    fprintf(out, "\nThe manual says more: man ajob%s%s\n", top ? "" : "-", command->name);
}

void docs_usage(FILE *out) {
    fprintf(out, "Usage: ajob %s\n\n", ajob_command.operands);
    for (size_t i = 0; cli_commands[i]; i++)
        fill(out, cli_commands[i]->summary, fprintf(out, "  %s", cli_commands[i]->name),
             COMMAND_COLUMN);
    fputs("\nSee 'ajob --help', and 'ajob COMMAND --help' for a command's options.\n", out);
}

/* ---- mdoc -------------------------------------------------------------- */

/* A word of plain text, apart from the punctuation around it. */
struct word {
    const char *open; /* "(" */
    const char *core;
    const char *close; /* ")," */
    size_t open_length, core_length, close_length;
};

static struct word split_word(const char *text, size_t length) {
    struct word word = {.open = text};
    const char *end = text + length;
    while (text < end && *text == '(')
        text++;
    word.open_length = (size_t)(text - word.open);
    word.core = text;
    while (end > text && strchr(".,;:)", end[-1]))
        end--;
    word.core_length = (size_t)(end - text);
    word.close = end;
    word.close_length = length - word.open_length - word.core_length;
    return word;
}

static bool same(const char *text, const char *word, size_t length) {
    return text && strlen(text) == length && memcmp(text, word, length) == 0;
}

/* True if the word, up to its first '/', stands for something that the user
 * gives: an option's argument or an operand. */
static bool is_argument(const struct command *command, const char *word, size_t length) {
    const char *slash = memchr(word, '/', length);
    size_t first = slash ? (size_t)(slash - word) : length;
    if (first == 0)
        return false;
    for (const char *at = command->operands; *at;) {
        size_t skip = strcspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
        size_t span = strspn(at += skip, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
        if (span == first && memcmp(at, word, first) == 0)
            return true;
        at += span;
    }
    for (const struct cli_section *section = command->sections; section->title; section++)
        for (const struct cli_option *row = section->options; row->name; row++)
            if (same(row->argument, word, first))
                return true;
    return false;
}

/* The macro for a word, or NULL: .Fl for options, .Ar, .Ev. */
static const char *macro_of(const struct command *command, const struct word *word) {
    if (word->core_length > 1 && word->core[0] == '-')
        return "Fl";
    if (is_argument(command, word->core, word->core_length))
        return "Ar";
    if (memchr(word->core, '_', word->core_length) && isupper((unsigned char)word->core[0]))
        return "Ev";
    return NULL;
}

static void put_roff(FILE *out, const char *text, size_t length) {
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\\')
            fputs("\\e", out);
        else
            putc(text[i], out);
    }
}

static void put_macro(FILE *out, const char *macro, const struct word *word) {
    fprintf(out, ".%s ", macro);
    for (size_t i = 0; i < word->open_length; i++)
        fprintf(out, "%c ", word->open[i]);
    bool option = macro[0] == 'F';
    put_roff(out, word->core + option, word->core_length - option);
    for (size_t i = 0; i < word->close_length; i++)
        fprintf(out, " %c", word->close[i]);
    putc('\n', out);
}

/* Plain sentences as mdoc, each on a line of its own, the last one with a full
 * stop even where the text has none. */
static void mdoc_text(FILE *out, const struct command *command, const char *text) {
    int column = 0;
    while (*text) {
        size_t length = strcspn(text, " \n");
        const char *next = text + length + strspn(text + length, " \n");
        char ended[128];
        bool stop = !*next && text[length - 1] != '.';
        snprintf(ended, sizeof ended, "%.*s%s", (int)length, text, stop ? "." : "");
        struct word word = split_word(ended, strlen(ended));
        const char *macro = macro_of(command, &word);

        if (macro || column + (int)length > 72) {
            if (column)
                putc('\n', out);
            column = 0;
        }
        if (macro) {
            put_macro(out, macro, &word);
        } else {
            if (column)
                putc(' ', out);
            else if (ended[0] == '.' || ended[0] == '\'')
                fputs("\\&", out);
            put_roff(out, ended, strlen(ended));
            column += (int)length + 1;
            if (strchr(".", ended[strlen(ended) - 1]) && *next) {
                putc('\n', out);
                column = 0;
            }
        }
        text = next;
    }
    if (column)
        putc('\n', out);
}

/* " Ar SPEC Oo Ar TASK ... Oc" of "SPEC [TASK...]", as macros of a line, or each
 * operand on a line of its own. Brackets may be nested. */
static void mdoc_operands(FILE *out, const char *operands, bool lines) {
    while (*operands) {
        size_t length = strcspn(operands, " ");
        const char *core = operands, *end = operands + length;
        int closing = 0;
        bool many = false;

        fputs(lines ? "." : " ", out);
        for (; core < end && *core == '['; core++)
            fputs("Oo ", out);
        for (; end > core && end[-1] == ']'; end--)
            closing++;
        if (end - core > 3 && memcmp(end - 3, "...", 3) == 0) {
            end -= 3;
            many = true;
        }
        fprintf(out, "%s %.*s%s", isupper((unsigned char)*core) ? "Ar" : "Cm", (int)(end - core),
                core, many ? " ..." : "");
        for (; closing > 0; closing--)
            fputs(" Oc", out);
        if (lines)
            putc('\n', out);
        operands += length;
        operands += strspn(operands, " ");
    }
}

void docs_mdoc_synopsis(FILE *out, const struct command *command) {
    bool any = false;
    fprintf(out, ".Nm ajob%s%s\n", command->name[0] ? " " : "", command->name);
    for (const struct cli_section *section = command->sections; section->title; section++) {
        for (const struct cli_option *row = section->options; row->name; row++) {
            if (row->hidden || !row->letter || cli_takes_value(row))
                continue;
            fprintf(out, "%s%c", any ? "" : ".Op Fl ", row->letter);
            any = true;
        }
    }
    if (any)
        putc('\n', out);
    for (const struct cli_section *section = command->sections; section->title; section++) {
        for (const struct cli_option *row = section->options; row->name; row++) {
            if (row->hidden || (row->letter && !cli_takes_value(row)))
                continue;
            if (row->letter)
                fprintf(out, ".Op Fl %c", row->letter);
            else
                fprintf(out, ".Op Fl -%s", row->name);
            if (row->argument)
                fprintf(out, " Ar %s", row->argument);
            putc('\n', out);
        }
    }
    mdoc_operands(out, command->operands, true);
}

static void mdoc_option(FILE *out, const struct command *command, const struct cli_option *row) {
    const char *before = row->argument ? " Ar " : "",
               *argument = row->argument ? row->argument : "";

    fputs(".It ", out);
    if (row->letter)
        fprintf(out, "Fl %c%s%s , ", row->letter, before, argument);
    fprintf(out, "Fl -%s%s%s", row->name, before, argument);
    if (row->alias)
        fprintf(out, " , Fl -%s%s%s", row->alias, before, argument);
    putc('\n', out);
    mdoc_text(out, command, row->help);
    if (row->type == CLI_WORD) {
        fprintf(out, ".Ar %s\nis\n", row->argument);
        for (size_t i = 0; row->words[i]; i++) {
            const char *after = !row->words[i + 1] ? " ." : row->words[i + 2] ? " ," : "\nor";
            fprintf(out, ".Cm %s%s\n", row->words[i], after);
        }
        fprintf(out, "The default is\n.Cm %s .\n", row->words[0]);
    }
    if (row->more)
        mdoc_text(out, command, row->more);
}

void docs_mdoc_options(FILE *out, const struct command *command) {
    bool titles = command->sections[0].title && command->sections[1].title;
    for (const struct cli_section *section = command->sections; section->title; section++) {
        if (titles)
            fprintf(out, ".Ss %s\n", section->title);
        fputs(".Bl -tag -width Ds\n", out);
        for (const struct cli_option *row = section->options; row->name; row++)
            if (!row->hidden)
                mdoc_option(out, command, row);
        fputs(".El\n", out);
    }
}

void docs_mdoc_commands(FILE *out) {
    fputs(".Bl -tag -width Ds\n", out);
    for (size_t i = 0; cli_commands[i]; i++) {
        const struct command *command = cli_commands[i];
        fprintf(out, ".It Cm %s", command->name);
        mdoc_operands(out, command->operands, false);
        putc('\n', out);
        mdoc_text(out, command, command->summary);
        fprintf(out, "See\n.Xr ajob-%s 1 .\n", command->name);
    }
    fputs(".El\n", out);
}
