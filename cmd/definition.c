/* definition.c - from operands and options to a spec without mistakes. See definition.h. */
#include "definition.h"

#include "input.h"
#include "mistakes.h"

#include <stdlib.h>
#include <string.h>

#define AT(field) .at = offsetof(struct definition_options, field)

const struct cli_option definition_rows[] = {
    {
        .name = "exec",
        .argument = "TASK=COMMAND",
        .type = CLI_TEXTS,
        AT(exec),
        .help = "Add a task that runs COMMAND, a script for /bin/sh; may be repeated",
        .more = "TASK is a name, and after a colon those of the tasks that it needs: "
                "test:build,data. They may be defined later.",
    },
    {
        .name = "get",
        .argument = "TASK=URL",
        .type = CLI_TEXTS,
        AT(get),
        .help = "Add a task that downloads URL; may be repeated",
    },
    {
        .name = "set",
        .argument = "NAME=VALUE",
        .type = CLI_TEXTS,
        AT(set),
        .help = "Replace ${var.NAME} by VALUE in the spec; may be repeated",
    },
    {0},
};

int definition_set(const struct command *command, ajob_spec *spec, const struct text_list *set) {
    for (size_t i = 0; i < set->count; i++) {
        const char *equals = strchr(set->items[i], '=');
        if (!equals)
            return cli_fail(command, STATUS_USAGE, "--set: %s: has no value: use NAME=VALUE",
                            set->items[i]);
        char *name = strndup(set->items[i], (size_t)(equals - set->items[i]));
        int error = name ? ajob_spec_set(spec, name, equals + 1) : AJOB_ENOMEM;
        free(name);
        if (error)
            return cli_fail(command, error == AJOB_ENOMEM ? STATUS_FAULT : STATUS_USAGE,
                            "--set: %s", name ? ajob_spec_error(spec) : "out of memory");
    }
    return STATUS_OK;
}

static bool ends_in(const char *text, const char *end) {
    size_t length = strlen(text), end_length = strlen(end);
    return length > end_length && !strcmp(text + length - end_length, end);
}

static bool has_file(const struct definition_options *options, const struct text_list *operands) {
    const char *first = operands->count ? operands->items[0] : NULL;
    bool has_tasks = options->exec.count || options->get.count;
    return first && (!has_tasks || !strcmp(first, "-") || ends_in(first, ".json") ||
                     ends_in(first, ".jsonc"));
}

static int parse(const struct command *command, ajob_spec *spec, const char *path) {
    struct input input;
    int status = input_read(&input, command, path);
    if (status != STATUS_OK)
        return status;
    if (ajob_spec_parse(spec, input.name, input.text, input.length))
        status = cli_fail(command, STATUS_FAULT, "%s", ajob_spec_error(spec));
    input_done(&input);
    return status;
}

static int add_all(const struct command *command, ajob_spec *spec, const char *kind,
                   const struct text_list *arguments) {
    for (size_t i = 0; i < arguments->count; i++)
        if (ajob_spec_add(spec, kind, arguments->items[i]))
            return cli_fail(command, STATUS_FAULT, "%s", ajob_spec_error(spec));
    return STATUS_OK;
}

static int select_tasks(const struct command *command, ajob_spec *spec, const char *const *names,
                        size_t count) {
    int error = count ? ajob_spec_select(spec, names, count) : 0;
    if (!error)
        return STATUS_OK;
    return cli_fail(command, error == AJOB_EINVAL ? STATUS_USAGE : STATUS_FAULT, "%s",
                    ajob_spec_error(spec));
}

static int fill(const struct command *command, const struct definition_options *options,
                const struct text_list *operands, ajob_spec *spec) {
    bool is_file = has_file(options, operands);
    int status = definition_set(command, spec, &options->set);
    if (status == STATUS_OK && is_file)
        status = parse(command, spec, operands->items[0]);
    if (status == STATUS_OK)
        status = add_all(command, spec, "exec", &options->exec);
    if (status == STATUS_OK)
        status = add_all(command, spec, "get", &options->get);
    if (status == STATUS_OK)
        status = mistakes_check(spec);
    if (status == STATUS_OK)
        status = select_tasks(command, spec, operands->items + is_file, operands->count - is_file);
    return status;
}

int definition_open(const struct command *command, const struct definition_options *options,
                    const struct text_list *operands, ajob_spec **ret_spec) {
    if (!operands->count && !options->exec.count && !options->get.count)
        return cli_fail(command, STATUS_USAGE,
                        "no spec given: use ajob %s SPEC.json, or --exec NAME=COMMAND",
                        command->name);
    ajob_spec *spec = ajob_spec_new();
    if (!spec)
        return cli_fail(command, STATUS_FAULT, "out of memory");
    int status = fill(command, options, operands, spec);
    if (status == STATUS_OK)
        *ret_spec = spec;
    else
        ajob_spec_free(spec);
    return status;
}
