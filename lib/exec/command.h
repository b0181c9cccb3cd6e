/*
 * command.h - the kind of task that runs a command, and what a service adds to it.
 *
 * Between attempts a command holds its options and what it printed; a process and its
 * pipes only while one is under way. A kind that is more than a command embeds a
 * struct command as its first member, points hooks at its own, and calls the
 * functions below from its own start, stop, pid, slots and free.
 */
#ifndef AJOB_EXEC_COMMAND_H
#define AJOB_EXEC_COMMAND_H

#include "core/task.h"
#include "exec/output.h"
#include "exec/process.h"

struct command;

struct command_hooks {
    /* The process of the attempt runs; may come from inside command_start(). */
    void (*started)(struct command *command);
    /* A line of its standard output or error, without its newline; only while
     * wants_lines. One of more than 64 KiB is cut. */
    void (*line)(struct command *command, const char *line, size_t length);
    /* There is no memory for what comes; it may come again. */
    void (*line_lost)(struct command *command);
    /* The first line from descriptor extra_as; NULL: it was closed without one. */
    void (*extra_line)(struct command *command, const char *line);
    /* The attempt is over, instead of task_attempt_over(), which is owed then. */
    void (*over)(struct command *command, struct outcome outcome);
};

struct command {
    struct ajob_task task;
    struct command_options *options;   /* what was asked for, in one block */
    struct output *output;             /* of the last attempt; NULL before the first */
    struct place *place;               /* in the order of output; NULL: there is none */
    struct process *process;           /* NULL: no attempt is under way */
    const struct command_hooks *hooks; /* NULL: none */
    struct command_lines *lines;       /* what has come of lines; NULL: nothing yet */
    ajob_done_fn *printed;             /* see ajob_exec_follow() */
    void *printed_data;
    int extra_as; /* a pipe from this descriptor of the process; 0: none */
    bool wants_lines;
    bool extra_is_told; /* that hook has been called, or there is none */
};

/* Copies what is asked for; what was before is freed. 0, or an AJOB_E... with
 * ajob_error() set. Not while an attempt is under way. */
int command_set(struct command *command, const ajob_exec_options *options);

/* What it runs, where, and in which environment; until command_set(). */
const struct spawn *command_spawn(const struct command *command);

/* What a task_kind has. */
void command_start(struct ajob_task *task);
void command_stop(struct ajob_task *task, enum stop_how how);
int command_pid(const struct ajob_task *task);
size_t command_slots(const struct ajob_task *task, struct slot slots[KIND_SLOTS_MAX]);
void command_ended(struct ajob_task *task);
void command_free(struct ajob_task *task);

#endif
