/*
 * definition.h - the spec that a command line defines: by a file, by options, or
 * by both, and the tasks of it that are wanted.
 *
 *     ajob_spec *spec;
 *     int status = definition_open(command, &options->definition, operands, &spec);
 *     if (status != STATUS_OK)
 *         return status;
 *     ...
 *     ajob_spec_free(spec);
 */
#ifndef CMD_DEFINITION_H
#define CMD_DEFINITION_H

#include "cli.h"

/* Filled by the table below. */
struct definition_options {
    struct text_list set, exec, get;
};

extern const struct cli_option definition_rows[];

/* Reads, checks and selects. operands are [SPEC] [TASK...]: with --exec or --get the
 * first is a SPEC only if it is "-" or ends in .json or .jsonc. STATUS_OK, or another
 * status after messages. */
int definition_open(const struct command *command, const struct definition_options *options,
                    const struct text_list *operands, ajob_spec **ret_spec);

/* --set alone. */
int definition_set(const struct command *command, ajob_spec *spec, const struct text_list *set);

#endif
