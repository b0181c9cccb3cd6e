/*
 * cmd_graph.c - ajob graph: the graph of a spec, for people and for other programs.
 */
#include "cli.h"
#include "definition.h"
#include "term.h"
#include "width.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* In the order of enum ajob_drawing. */
static const char *const format_words[] = {"text", "dot", "mermaid", "json", NULL};
_Static_assert(AJOB_DRAW_TEXT == 0 && AJOB_DRAW_DOT == 1 && AJOB_DRAW_MERMAID == 2 &&
                   AJOB_DRAW_JSON == 3,
               "format_words");

struct graph_options {
    struct definition_options definition;
    int format; /* enum ajob_drawing */
};

static const struct cli_option graph_rows[] = {
    {
        .name = "format",
        .argument = "FORMAT",
        .type = CLI_WORD,
        .words = format_words,
        .at = offsetof(struct graph_options, format),
        .help = "Draw the graph in this FORMAT",
    },
    {0},
};

struct sheet {
    int columns; /* 0: lines are not cut */
    const char *ellipsis;
};

static void print_line(const char *line, void *data) {
    const struct sheet *sheet = data;
    size_t length = strlen(line) - 1; /* without the newline */
    char *copy = sheet->columns ? strndup(line, length) : NULL;
    char *cut = copy ? malloc(length + strlen(sheet->ellipsis) + 1) : NULL;
    if (cut) {
        width_fit(cut, length + strlen(sheet->ellipsis) + 1, copy, sheet->columns, sheet->ellipsis,
                  false);
        puts(cut);
    } else {
        fputs(line, stdout);
    }
    free(cut);
    free(copy);
}

static int draw(const struct command *command, const ajob_spec *spec, enum ajob_drawing drawing) {
    struct sheet sheet = {.ellipsis = "..."};
    if (drawing == AJOB_DRAW_TEXT) {
        struct term term;
        term_init(&term, STDOUT_FILENO, NULL);
        term_ask_locale(&term);
        term_measure(&term);
        if (term.tty)
            sheet.columns = term.cols;
        if (term.utf8)
            sheet.ellipsis = "\xe2\x80\xa6";
        else
            drawing = AJOB_DRAW_ASCII;
        term_done(&term);
    }
    if (ajob_spec_draw(spec, drawing, print_line, &sheet))
        return cli_fail(command, STATUS_FAULT, "out of memory");
    return cli_flush(command, STATUS_OK);
}

static int graph(const struct command *command, void *data, const struct text_list *operands) {
    const struct graph_options *options = data;
    ajob_spec *spec;
    int status = definition_open(command, &options->definition, operands, &spec);
    if (status != STATUS_OK)
        return status;
    status = draw(command, spec, (enum ajob_drawing)options->format);
    ajob_spec_free(spec);
    return status;
}

static const struct cli_section sections[] = {
    {"Drawing", graph_rows, 0},
    {"Tasks", definition_rows, offsetof(struct graph_options, definition)},
    CLI_HELP_SECTION,
    {0},
};

const struct command graph_command = {
    .name = "graph",
    .summary = "Draw a graph of tasks as a tree, DOT, Mermaid or JSON",
    .operands = "[SPEC] [TASK...]",
    .description =
        "Draw the graph of tasks in SPEC (-: standard input), or of the TASKs in it and what they "
        "need. Nothing is started. Users, passwords and queries of URLs are left out.",
    .examples = "ajob graph ci.json\n"
                "ajob graph ci.json tests/unit\n"
                "ajob graph --format dot ci.json | dot -Tsvg >ci.svg\n"
                "ajob graph --exec build=make --exec test:build='make check'",
    .sections = sections,
    .options_size = sizeof(struct graph_options),
    .complete = CLI_OPERAND_FILES,
    .run = graph,
};
