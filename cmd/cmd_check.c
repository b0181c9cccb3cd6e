/*
 * cmd_check.c - ajob check: what is wrong with a spec, all of it at once.
 */
#include "cli.h"
#include "definition.h"
#include "input.h"
#include "mistakes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct check_options {
    struct text_list set;
    bool schema, json, strict;
    int verbosity;
};

#define AT(field) .at = offsetof(struct check_options, field)

static const struct cli_option check_rows[] = {
    {
        .name = "set",
        .argument = "NAME=VALUE",
        .type = CLI_TEXTS,
        AT(set),
        .help = "Replace ${var.NAME} by VALUE in the spec; may be repeated",
    },
    {
        .name = "strict",
        .type = CLI_FLAG,
        AT(strict),
        .help = "Count warnings as errors",
    },
    {
        .name = "json",
        .type = CLI_FLAG,
        AT(json),
        .help = "Print each mistake on standard output instead, as a line of JSON",
    },
    {
        .name = "schema",
        .type = CLI_FLAG,
        AT(schema),
        .help = "Print the JSON Schema of specs, for editors, and exit",
    },
    {
        .name = "verbose",
        .letter = 'v',
        .type = CLI_COUNT,
        AT(verbosity),
        .help = "Say of a right spec that it is right, too",
    },
    {0},
};

/* ---- as JSON ---------------------------------------------------------------- */

/* A string of JSON; what is not printable in it was escaped. */
static void put_string(const char *name, const char *text) {
    size_t size = 8 * strlen(text) + 1;
    char *safe = malloc(size);
    printf(",\"%s\":\"", name);
    for (const char *c = safe ? ajob_escape(safe, size, text) : ""; *c; c++)
        printf(*c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
    putchar('"');
    free(safe);
}

static void print_json(const ajob_mistake *mistake, void *data) {
    static const char *const words[] = {[AJOB_MISTAKE_ERROR] = "error",
                                        [AJOB_MISTAKE_WARNING] = "warning",
                                        [AJOB_MISTAKE_NOTE] = "note"};
    struct mistakes_shown *shown = data;
    shown->warnings += mistake->severity == AJOB_MISTAKE_WARNING;
    printf("{\"severity\":\"%s\"", words[mistake->severity]);
    put_string("file", mistake->file);
    if (mistake->line)
        printf(",\"line\":%u,\"column\":%u,\"length\":%u", mistake->line, mistake->column,
               mistake->length);
    put_string("text", mistake->text);
    if (mistake->hint)
        put_string("hint", mistake->hint);
    fputs("}\n", stdout);
}

/* ---- the command ------------------------------------------------------------ */

static int check_one(const struct command *command, const struct check_options *options,
                     const char *path) {
    ajob_spec *spec = ajob_spec_new();
    struct mistakes_shown shown = {0};
    struct input input = {0};
    int status = spec ? definition_set(command, spec, &options->set)
                      : cli_fail(command, STATUS_FAULT, "out of memory");
    if (status == STATUS_OK)
        status = input_read(&input, command, path);
    if (status == STATUS_OK && ajob_spec_parse(spec, input.name, input.text, input.length))
        status = cli_fail(command, STATUS_FAULT, "%s", ajob_spec_error(spec));
    if (status == STATUS_OK && options->json)
        shown.errors = ajob_spec_check(spec, print_json, &shown);
    else if (status == STATUS_OK)
        shown = mistakes_print(spec);
    if (status == STATUS_OK)
        status = mistakes_status(&shown);
    if (status == STATUS_OK && options->strict && shown.warnings)
        status = STATUS_USAGE;
    if (status == STATUS_OK && options->verbosity)
        fprintf(stderr, "ajob: check: %s: right\n", input.name);
    input_done(&input);
    ajob_spec_free(spec);
    return status;
}

static int check(const struct command *command, void *data, const struct text_list *operands) {
    const struct check_options *options = data;
    int status = STATUS_OK;
    if (options->schema) {
        const char *schema = ajob_spec_schema();
        if (!schema)
            return cli_fail(command, STATUS_FAULT, "out of memory");
        fputs(schema, stdout);
        return cli_flush(command, STATUS_OK);
    }
    if (operands->count == 0)
        return cli_fail(command, STATUS_USAGE, "no spec given: use ajob check SPEC.json");
    for (size_t i = 0; i < operands->count; i++) {
        int one = check_one(command, options, operands->items[i]);
        status = one > status ? one : status;
    }
    return cli_flush(command, status);
}

static const struct cli_section sections[] = {
    {"Checking", check_rows, 0},
    CLI_HELP_SECTION,
    {0},
};

const struct command check_command = {
    .name = "check",
    .summary = "Say what is wrong with a spec, all of it at once",
    .operands = "SPEC...",
    .description =
        "Read each SPEC (-: standard input), a graph of tasks as JSON, and say everything that is "
        "wrong with it, with its place and what may have been meant. Nothing is started.",
    .examples = "ajob check ci.json\n"
                "ajob check --set version=1.7.1 --strict ci.json\n"
                "ajob check --schema >ajob.schema.json",
    .sections = sections,
    .options_size = sizeof(struct check_options),
    .complete = CLI_OPERAND_FILES,
    .run = check,
};
