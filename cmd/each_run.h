/*
 * each_run.h - a run of ajob each: from items to tasks.
 */
#ifndef CMD_EACH_RUN_H
#define CMD_EACH_RUN_H

#include "each_input.h"
#include "each_results.h"
#include "each_template.h"
#include "runner.h"

struct each_options {
    struct run_options run;
    struct each_input_options input;
    struct amount task_timeout, max_failures, delay;
    const char *limit_start, *resume, *retry_failed;
    bool is_shell, is_get;
};

/* What the key of a command is made from: the template, then its items. */
struct key_parts {
    const char **texts;
    size_t *lengths;
    size_t count, space;
};

/* What a run is made of. */
struct each {
    const struct command *command;
    const struct each_options *options;
    struct run_options run_options; /* of the run, with what was found out */
    const char *const *argv;        /* CMD [ARG...] */
    size_t argc;
    struct run run;
    struct each_input input;
    struct template *template; /* NULL: the items are the commands */
    struct arguments arguments;
    ajob_retry retry;
    ajob_record *record; /* of earlier runs, or NULL */
    ajob_claims *claims; /* with --get: which names of files are taken; or NULL */
    bool is_resumed;     /* it says what is done; else what is to be done */
    struct key_parts parts;
    struct each_results results;
    uint64_t number;   /* of the last command */
    bool has_given_up; /* and cancelled the run */
    char *failure;     /* why the input could not be read to its end */
};

/* Runs it. command, options, run_options, template, argv and argc are set, and input is
 * open. Returns the exit status. */
int each_run(struct each *each);

/* Frees what the run has made; the input stays open. */
void each_done(struct each *each);

#endif
