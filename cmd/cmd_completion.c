/*
 * cmd_completion.c - ajob completion: prints the completion script of a shell.
 */
#include "cli.h"
#include "cli_docs.h"

static int completion(const struct command *command, void *options,
                      const struct text_list *operands) {
    (void)options;
    if (operands->count == 0)
        return cli_fail(command, STATUS_USAGE, "no shell given: use bash, zsh or fish");
    if (!docs_completion(stdout, operands->items[0]))
        return cli_fail(command, STATUS_USAGE, "%s: unknown shell: use bash, zsh or fish",
                        operands->items[0]);
    return cli_flush(command, STATUS_OK);
}

static const char *const shells[] = {"bash", "zsh", "fish", NULL};

static const struct cli_section sections[] = {CLI_HELP_SECTION, {0}};

const struct command completion_command = {
    .name = "completion",
    .summary = "Print a completion script for a shell",
    .operands = "SHELL",
    .description = "Print the script that lets SHELL (bash, zsh or fish) complete ajob's commands, "
                   "options and their words. `make install` puts all three in place.",
    .examples = "source <(ajob completion bash)\n"
                "ajob completion fish >~/.config/fish/completions/ajob.fish",
    .sections = sections,
    .max_operands = 1,
    .complete = CLI_OPERAND_WORDS,
    .operand_words = shells,
    .run = completion,
};
