/*
 * cli_completion.c - completion scripts for bash, zsh and fish, from the tables.
 *
 * Each script knows all commands, options and words by itself: completing never
 * runs ajob. The fixed parts are written out below, the rest comes from walking
 * the tables.
 */
#include "cli_docs.h"

#include <string.h>

/* Every option that is documented, in the order of the tables. */
#define FOR_EACH_OPTION(command, row)                                                              \
    for (const struct cli_section *section_ = (command)->sections; section_->title; section_++)    \
        for (const struct cli_option *row = section_->options; row->name; row++)                   \
            if (!row->hidden)

/* Text inside single quotes, with a backslash before each character of `special`
 * and the shell's own way to have a quote there. */
static void put_quoted(FILE *out, const char *text, const char *quote, const char *special) {
    for (; *text; text++) {
        if (*text == '\'') {
            fputs(quote, out);
        } else {
            if (strchr(special, *text))
                putc('\\', out);
            putc(*text, out);
        }
    }
}

static void put_words(FILE *out, const char *const *words) {
    for (size_t i = 0; words[i]; i++)
        fprintf(out, "%s%s", i ? " " : "", words[i]);
}

static void put_commands(FILE *out) {
    for (size_t i = 0; cli_commands[i]; i++)
        fprintf(out, "%s%s", i ? " " : "", cli_commands[i]->name);
}

static void put_operand_words(FILE *out, const struct command *command) {
    if (command->complete == CLI_OPERAND_COMMANDS)
        put_commands(out);
    else if (command->complete == CLI_OPERAND_WORDS)
        put_words(out, command->operand_words);
}

/* ---- bash -------------------------------------------------------------- */

/* What is typed is in cur, the option before it in prev. `kind` says what to
 * offer: words, files (left to readline, which quotes them), dirs or nothing. */
static const char bash_begin[] =
    "# bash completion for ajob, made by 'ajob completion bash'.\n"
    "\n"
    "_ajob() {\n"
    "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
    "    local command='' prefix='' kind=words options='' operands='' words='' ended='' word i\n"
    "    local operand=nothing valued='' at=0 program=0\n"
    "    COMPREPLY=()\n"
    "    # --option=value is three words where '=' separates words, else one.\n"
    "    if [[ $cur == '=' ]]; then\n"
    "        cur=''\n"
    "    elif [[ $prev == '=' ]] && ((COMP_CWORD > 2)); then\n"
    "        prev=${COMP_WORDS[COMP_CWORD - 2]}\n"
    "    elif [[ $cur == --*=* ]]; then\n"
    "        prefix=${cur%%=*}= prev=${cur%%=*} cur=${cur#*=}\n"
    "    fi\n"
    "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
    "        word=${COMP_WORDS[i]}\n"
    "        if [[ $word == -- ]]; then\n"
    "            ended=1\n"
    "        elif [[ -z $command && $word != -* ]]; then\n"
    "            command=$word at=$i\n"
    "        fi\n"
    "    done\n"
    "    case $command in\n";

static const char bash_end[] =
    "    *)\n"
    "        kind=nothing\n"
    "        ;;\n"
    "    esac\n"
    "    # Of a command that runs another: where that is, behind options and their values.\n"
    "    for ((i = at + 1; i < COMP_CWORD && program == 0; i++)); do\n"
    "        word=${COMP_WORDS[i]}\n"
    "        if [[ -z $valued ]]; then\n"
    "            break\n"
    "        elif [[ $word == '=' || ($valued == *\" $word \"* && ${COMP_WORDS[i + 1]} != '=') ]]; "
    "then\n"
    "            ((i++))\n"
    "        elif [[ $word == -- ]]; then\n"
    "            program=$((i + 1))\n"
    "        elif [[ $word != -* ]]; then\n"
    "            program=$i\n"
    "        fi\n"
    "    done\n"
    "    if ((program > 0 && program < COMP_CWORD)); then\n"
    "        kind=files\n"
    "        if declare -F _command_offset >/dev/null; then _command_offset \"$program\"; fi\n"
    "    elif [[ -n $valued && $kind == words && -z $words && ($cur != -* || -n $ended) ]]; then\n"
    "        kind=programs\n"
    "    fi\n"
    "    if [[ $kind == words && -z $words ]]; then\n"
    "        words=$operands\n"
    "        if [[ $cur == -* && -z $ended ]]; then words=$options; fi\n"
    "        if [[ -z $words ]]; then kind=$operand; fi\n"
    "    fi\n"
    "    case $kind in\n"
    "    words)\n"
    "        while IFS= read -r word; do COMPREPLY+=(\"$prefix$word\"); done \\\n"
    "            < <(compgen -W \"$words\" -- \"$cur\")\n"
    "        ;;\n"
    "    programs)\n"
    "        while IFS= read -r word; do COMPREPLY+=(\"$word\"); done < <(compgen -c -- \"$cur\" | "
    "sort -u)\n"
    "        ;;\n"
    "    dirs)\n"
    "        while IFS= read -r word; do COMPREPLY+=(\"$prefix$word\"); done \\\n"
    "            < <(compgen -d -- \"$cur\")\n"
    "        compopt -o filenames 2>/dev/null\n"
    "        ;;\n"
    "    nothing)\n"
    "        compopt +o default +o bashdefault 2>/dev/null\n"
    "        ;;\n"
    "    esac\n"
    "    return 0\n"
    "}\n"
    "\n"
    "complete -o bashdefault -o default -F _ajob ajob\n";

static void bash_option(FILE *out, const struct cli_option *row) {
    fputs("        ", out);
    if (row->letter)
        fprintf(out, "-%c | ", row->letter);
    fprintf(out, "--%s", row->name);
    if (row->alias)
        fprintf(out, " | --%s", row->alias);
    if (row->words) {
        fputs(") words='", out);
        put_words(out, row->words);
        fputs("' ;;\n", out);
    } else {
        fprintf(out, ") kind=%s ;;\n",
                row->type == CLI_FILE  ? "files"
                : row->type == CLI_DIR ? "dirs"
                                       : "nothing");
    }
}

/* After these comes a value, in a word of its own. */
static void bash_valued(FILE *out, const struct command *command) {
    fputs("        valued=' ", out);
    FOR_EACH_OPTION(command, row) {
        if (cli_takes_value(row) && row->letter)
            fprintf(out, "-%c ", row->letter);
        if (cli_takes_value(row))
            fprintf(out, "--%s ", row->name);
        if (cli_takes_value(row) && row->alias)
            fprintf(out, "--%s ", row->alias);
    }
    fputs("'\n", out);
}

static void bash_command(FILE *out, const struct command *command) {
    bool first = true, values = false;

    fprintf(out, "    %s)\n        options='", command->name[0] ? command->name : "''");
    FOR_EACH_OPTION(command, row) {
        fprintf(out, "%s--%s", first ? "" : " ", row->name);
        if (row->alias)
            fprintf(out, " --%s", row->alias);
        first = false;
        values = values || cli_takes_value(row);
    }
    fputs("'\n        operands='", out);
    put_operand_words(out, command);
    fputs("'\n", out);
    if (command->complete == CLI_OPERAND_FILES)
        fputs("        operand=files\n", out);
    if (command->takes_command && command->name[0])
        bash_valued(out, command);
    if (values) {
        fputs("        case $prev in\n", out);
        FOR_EACH_OPTION(command, row) {
            if (cli_takes_value(row))
                bash_option(out, row);
        }
        fputs("        esac\n", out);
    }
    fputs("        ;;\n", out);
}

static void bash(FILE *out) {
    fputs(bash_begin, out);
    bash_command(out, &ajob_command);
    for (size_t i = 0; cli_commands[i]; i++)
        bash_command(out, cli_commands[i]);
    fputs(bash_end, out);
}

/* ---- zsh --------------------------------------------------------------- */

/* One argument of _arguments: '(-j --jobs)'{-j+,--jobs=}'[help]:N: '. */
static void zsh_spec(FILE *out, const struct cli_option *row) {
    bool value = cli_takes_value(row);
    bool repeats = row->type == CLI_TEXTS || row->type == CLI_COUNT;
    bool several = row->letter || row->alias;

    fputs("                ", out);
    if (row->type == CLI_HELP) {
        fputs("'(- *)'", out);
    } else if (repeats) {
        fputs("'*'", out);
    } else if (several) {
        fputs("'(", out);
        if (row->letter)
            fprintf(out, "-%c ", row->letter);
        fprintf(out, "--%s", row->name);
        if (row->alias)
            fprintf(out, " --%s", row->alias);
        fputs(")'", out);
    }
    fputs(several ? "{" : "'", out);
    if (row->letter)
        fprintf(out, "-%c%s,", row->letter, value ? "+" : "");
    fprintf(out, "--%s%s", row->name, value ? "=" : "");
    if (row->alias)
        fprintf(out, ",--%s%s", row->alias, value ? "=" : "");
    fputs(several ? "}'[" : "[", out);
    put_quoted(out, row->help, "'\\''", "[]\\");
    putc(']', out);
    if (value) {
        fprintf(out, ":%s:", row->argument);
        if (row->words) {
            putc('(', out);
            put_words(out, row->words);
            putc(')', out);
        } else {
            fputs(row->type == CLI_FILE ? "_files" : row->type == CLI_DIR ? "_files -/" : " ", out);
        }
    }
    fputs("' \\\n", out);
}

static void zsh_command(FILE *out, const struct command *command) {
    fprintf(out, "        %s)\n            _arguments -s -S %s\\\n", command->name,
            command->takes_command ? "-A '-*' " : "");
    FOR_EACH_OPTION(command, row) {
        zsh_spec(out, row);
    }
    if (command->takes_command) {
        fputs("                '(-)1:command: _command_names -e' \\\n"
              "                '*::argument: _normal'",
              out);
    } else if (command->complete == CLI_OPERAND_FILES) {
        fputs("                '*:operand:_files'", out);
    } else {
        fputs("                '*:operand:(", out);
        put_operand_words(out, command);
        fputs(")'", out);
    }
    fputs(" && ret=0\n            ;;\n", out);
}

static void zsh(FILE *out) {
    fputs("#compdef ajob\n"
          "# zsh completion for ajob, made by 'ajob completion zsh'.\n"
          "\n"
          "_ajob() {\n"
          "    local curcontext=$curcontext state ret=1\n"
          "    local -a line subcommands\n"
          "    local -A opt_args\n"
          "    subcommands=(\n",
          out);
    for (size_t i = 0; cli_commands[i]; i++) {
        fprintf(out, "        '%s:", cli_commands[i]->name);
        put_quoted(out, cli_commands[i]->summary, "'\\''", "\\");
        fputs("'\n", out);
    }
    fputs("    )\n"
          "    _arguments -C -S \\\n",
          out);
    FOR_EACH_OPTION(&ajob_command, row) {
        zsh_spec(out, row);
    }
    fputs("                '1:command:->command' \\\n"
          "                '*::argument:->argument' && ret=0\n"
          "    case $state in\n"
          "    command)\n"
          "        _describe -t commands 'ajob command' subcommands && ret=0\n"
          "        ;;\n"
          "    argument)\n"
          "        curcontext=${curcontext%:*:*}:ajob-$line[1]:\n"
          "        case $line[1] in\n",
          out);
    for (size_t i = 0; cli_commands[i]; i++)
        zsh_command(out, cli_commands[i]);
    fputs("        esac\n"
          "        ;;\n"
          "    esac\n"
          "    return ret\n"
          "}\n"
          "\n"
          "# Autoloaded from $fpath, or sourced.\n"
          "if [[ $funcstack[1] == _ajob ]]; then\n"
          "    _ajob \"$@\"\n"
          "else\n"
          "    compdef _ajob ajob\n"
          "fi\n",
          out);
}

/* ---- fish -------------------------------------------------------------- */

static void fish_command(FILE *out, const struct command *command) {
    char when[96];
    if (command->name[0])
        snprintf(when, sizeof when, "complete -c ajob -n '__fish_seen_subcommand_from %s'",
                 command->name);
    else
        snprintf(when, sizeof when, "complete -c ajob -n __fish_use_subcommand");

    putc('\n', out);
    if (command->complete == CLI_OPERAND_FILES) {
        fprintf(out, "%s -F\n", when);
    } else if (command->complete != CLI_NOTHING_KNOWN && command->name[0]) {
        fprintf(out, "%s -a '", when);
        put_operand_words(out, command);
        fputs("'\n", out);
    }
    FOR_EACH_OPTION(command, row) {
        fputs(when, out);
        if (row->letter)
            fprintf(out, " -s %c", row->letter);
        fprintf(out, " -l %s", row->name);
        if (row->alias)
            fprintf(out, " -l %s", row->alias);
        if (row->type == CLI_FILE) {
            fputs(" -r -F", out);
        } else if (row->type == CLI_DIR) {
            fputs(" -x -a '(__fish_complete_directories)'", out);
        } else if (row->words) {
            fputs(" -x -a '", out);
            put_words(out, row->words);
            putc('\'', out);
        } else if (cli_takes_value(row)) {
            fputs(" -x", out);
        }
        fputs(" -d '", out);
        put_quoted(out, row->help, "\\'", "\\");
        fputs("'\n", out);
    }
}

static void fish(FILE *out) {
    fputs("# fish completion for ajob, made by 'ajob completion fish'.\n"
          "\n"
          "complete -c ajob -f\n",
          out);
    for (size_t i = 0; cli_commands[i]; i++) {
        fprintf(out, "complete -c ajob -n __fish_use_subcommand -a %s -d '", cli_commands[i]->name);
        put_quoted(out, cli_commands[i]->summary, "\\'", "\\");
        fputs("'\n", out);
    }
    fish_command(out, &ajob_command);
    for (size_t i = 0; cli_commands[i]; i++)
        fish_command(out, cli_commands[i]);
}

bool docs_completion(FILE *out, const char *shell) {
    if (strcmp(shell, "bash") == 0)
        bash(out);
    else if (strcmp(shell, "zsh") == 0)
        zsh(out);
    else if (strcmp(shell, "fish") == 0)
        fish(out);
    else
        return false;
    return true;
}
