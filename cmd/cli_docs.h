/*
 * cli_docs.h - documentation made from the option tables.
 *
 * What these write is checked in as completions/ and as the marked blocks of
 * man/; tests/drift says when it no longer agrees with the tables.
 */
#ifndef CMD_CLI_DOCS_H
#define CMD_CLI_DOCS_H

#include "cli.h"

#include <stdio.h>

/* The text of --help, for 80 columns. */
void docs_help(FILE *out, const struct command *command);

/* A few lines for someone who gave no arguments. */
void docs_usage(FILE *out);

/* The parts of a manual page, in mdoc(7). */
void docs_mdoc_synopsis(FILE *out, const struct command *command);
void docs_mdoc_options(FILE *out, const struct command *command);
void docs_mdoc_commands(FILE *out);

/* The completion script of a shell: "bash", "zsh" or "fish". False for another. */
bool docs_completion(FILE *out, const char *shell);

#endif
