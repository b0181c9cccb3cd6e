/*
 * command.c - the kind of task that runs a command. See command.h.
 *
 * It joins a process and an output, and says how an attempt ended; what it takes to
 * run one is in process.c. That an attempt failed is decided by the exit status
 * alone: what had to be cleared away after it changes nothing.
 */
#include "exec/command.h"

#include "base/mem.h"
#include "base/text.h"
#include "core/loop.h"
#include "core/names.h"

enum { LINE_MAX_BYTES = 64 * 1024 };

/* One block: behind it come the arrays and strings of spawn. */
struct command_options {
    struct spawn spawn;
    ajob_task *stdin_task;
    bool keeps_stdout, leaves_leftovers;
};

struct command_lines {
    struct text of[SPAWN_PIPES];
};

static bool is_command(const struct ajob_task *task) {
    return task->kind->pid == command_pid;
}

static struct command *command_of(const struct ajob_task *task) {
    return (struct command *)task;
}

/* ---- what is asked for ------------------------------------------------- */

static size_t count_strings(const char *const *strings, size_t *bytes) {
    size_t count = 0;
    for (; strings && strings[count]; count++)
        *bytes += strlen(strings[count]) + 1;
    return count;
}

static const char *pack_string(char **at, const char *string) {
    char *copy = *at;
    if (!string)
        return NULL;
    size_t size = strlen(string) + 1;
    memcpy(copy, string, size);
    *at += size;
    return copy;
}

static const char *const *pack_strings(const char ***array, char **at, const char *const *strings,
                                       size_t count) {
    const char **copy = *array;
    if (!strings)
        return NULL;
    for (size_t i = 0; i < count; i++)
        copy[i] = pack_string(at, strings[i]);
    *array += count + 1; /* the NULL is there already */
    return copy;
}

static size_t size_of(const char *string) {
    return string ? strlen(string) + 1 : 0;
}

static struct command_options *copy_options(const ajob_exec_options *options) {
    const char *const script[] = {"/bin/sh", "-c", options->script, NULL};
    const char *const *argv = options->script ? script : options->argv;
    size_t bytes = size_of(options->dir) + size_of(options->stdin_path);
    size_t argument_count = count_strings(argv, &bytes);
    size_t variable_count = count_strings(options->env, &bytes);
    size_t pointers = argument_count + variable_count + 2;
    struct command_options *copy = mem_new(sizeof *copy + pointers * sizeof(const char *) + bytes);
    if (!copy)
        return NULL;
    const char **array = (const char **)(copy + 1);
    char *at = (char *)(array + pointers);
    copy->spawn.argv = pack_strings(&array, &at, argv, argument_count);
    copy->spawn.env = pack_strings(&array, &at, options->env, variable_count);
    copy->spawn.dir = pack_string(&at, options->dir);
    copy->spawn.stdin_path = pack_string(&at, options->stdin_path);
    copy->stdin_task = options->stdin_task;
    copy->keeps_stdout = options->keeps_stdout;
    copy->leaves_leftovers = options->leaves_leftovers;
    return copy;
}

/* Why nothing can be made of the options; NULL: it can. */
static const char *mistake_in(const ajob_exec_options *options) {
    const struct ajob_task *input = options->stdin_task;
    bool is_empty = !options->argv || !options->argv[0];
    if (!options->script && is_empty)
        return "no program is given";
    for (const char *const *entry = options->env; entry && *entry; entry++)
        if (!**entry || **entry == '=')
            return "a variable of its environment has no name";
    if (input && (!is_command(input) || !command_of(input)->options->keeps_stdout))
        return "what its standard input comes from keeps nothing of what it prints";
    return NULL;
}

int command_set(struct command *command, const ajob_exec_options *options) {
    const char *mistake = mistake_in(options);
    if (mistake)
        return loop_fail(command->task.loop, AJOB_EINVAL, "command: %s", mistake);
    if (command->process)
        return loop_fail(command->task.loop, AJOB_EINVAL, "command: an attempt is under way");
    struct command_options *copy = copy_options(options);
    if (!copy)
        return loop_fail_memory(command->task.loop);
    mem_free(command->options);
    command->options = copy;
    return 0;
}

const struct spawn *command_spawn(const struct command *command) {
    return &command->options->spawn;
}

/* ---- lines, for a service ---------------------------------------------- */

static struct text *line_of(struct command *command, enum spawn_pipe pipe) {
    if (!command->lines) {
        command->lines = mem_new(sizeof *command->lines);
        for (int i = 0; command->lines && i < SPAWN_PIPES; i++)
            command->lines->of[i].max = LINE_MAX_BYTES;
    }
    return command->lines ? &command->lines->of[pipe] : NULL;
}

static void free_lines(struct command *command) {
    for (int i = 0; command->lines && i < SPAWN_PIPES; i++)
        text_done(&command->lines->of[i]);
    command->lines = mem_free(command->lines);
}

static void tell_line(struct command *command, enum spawn_pipe pipe, const struct text *line) {
    if (pipe == SPAWN_EXTRA) {
        command->extra_is_told = true;
        command->hooks->extra_line(command, text_string(line));
    } else {
        command->hooks->line(command, text_string(line), line->length);
    }
}

static bool wants_lines_of(const struct command *command, enum spawn_pipe pipe) {
    return pipe == SPAWN_EXTRA ? !command->extra_is_told : command->wants_lines;
}

/* What does not fit into a line is left out of it. */
static void cut_lines(struct command *command, enum spawn_pipe pipe, const char *data,
                      size_t length) {
    struct text *line = line_of(command, pipe);
    if (!line)
        command->hooks->line_lost(command);
    while (line && length && wants_lines_of(command, pipe)) {
        const char *end = memchr(data, '\n', length);
        size_t part = end ? (size_t)(end - data) : length;
        size_t room = LINE_MAX_BYTES - line->length;
        text_add_n(line, data, part < room ? part : room);
        if (!text_ok(line)) {
            command->hooks->line_lost(command);
            return;
        }
        if (!end)
            return;
        tell_line(command, pipe, line);
        text_clear(line);
        data += part + 1;
        length -= part + 1;
    }
}

/* ---- an attempt -------------------------------------------------------- */

static void was_read(void *owner, enum spawn_pipe pipe, const char *data, size_t length) {
    struct command *command = owner;
    if (!data) {
        if (!command->extra_is_told) {
            command->extra_is_told = true;
            command->hooks->extra_line(command, NULL);
        }
        return;
    }
    if (pipe != SPAWN_EXTRA)
        output_add(command->output, pipe == SPAWN_STDERR ? OUTPUT_STDERR : OUTPUT_STDOUT, data,
                   length);
    if (command->hooks && wants_lines_of(command, pipe))
        cut_lines(command, pipe, data, length);
    if (pipe == SPAWN_STDOUT && command->printed)
        command->printed(&command->task, command->printed_data);
}

static void has_started(void *owner) {
    struct command *command = owner;
    if (command->hooks)
        command->hooks->started(command);
}

static bool is_full(void *owner) {
    struct command *command = owner;
    return output_is_full(command->output);
}

static bool is_patient(void *owner) {
    const struct command *command = owner;
    return !command->hooks && output_may_be_late(command->output);
}

static void has_room(struct ajob_task *task) {
    struct command *command = command_of(task);
    if (command->process)
        process_read_on(command->process);
}

static struct outcome outcome_of(struct process_end end) {
    struct outcome outcome = {.exit = end.exit, .signal = end.signal, .is_retryable = true};
    if (end.failure)
        outcome.cause = end.failure;
    else if (end.signal)
        outcome.cause = text_new("signal %s", name_of_signal(end.signal));
    else if (end.exit > 0)
        outcome.cause = text_new("exit %d", end.exit);
    else if (end.exit < 0)
        outcome.cause = mem_copy("stopped before it was started");
    outcome.succeeded = !end.failure && end.exit == 0;
    return outcome;
}

/* What it printed is dropped where nobody may ask for it. */
static void release_output(struct command *command) {
    output_free(command->output);
    command->output = NULL;
}

/* A service that ends by itself has failed, whatever its exit status. */
static bool is_failure(const struct command *command, struct outcome outcome) {
    bool was_told =
        command->task.wanted == AJOB_CANCELLED || command->task.wanted == AJOB_SUCCEEDED;
    return !was_told && (command->task.kind->is_service || !outcome.succeeded);
}

static void is_over(void *owner, struct process_end end) {
    struct command *command = owner;
    struct outcome outcome = outcome_of(end);
    command->process = NULL;
    free_lines(command);
    if (command->output) {
        output_close(command->output, is_failure(command, outcome));
        if (!command->options->keeps_stdout)
            release_output(command);
    }
    if (command->hooks)
        command->hooks->over(command, outcome);
    else
        task_attempt_over(&command->task, outcome);
    if (command->printed)
        command->printed(&command->task, command->printed_data);
}

static void has_exited(void *owner) {
    struct command *command = owner;
    task_has_decided(&command->task);
}

static void fail(struct command *command, char *cause) {
    is_over(command,
            (struct process_end){.exit = -1, .failure = cause ? cause : mem_copy("out of memory")});
}

void command_start(struct ajob_task *task) {
    static const struct process_owner owner = {
        {was_read, is_full, is_patient}, is_over, has_started, has_exited};
    struct command *command = command_of(task);
    struct command_options *options = command->options;
    struct reaper *reaper = reaper_of(task->loop);
    struct process_end end;
    release_output(command);
    command->output = output_open(task, options->keeps_stdout, has_room);
    if (!command->output || !reaper) {
        fail(command, NULL);
        return;
    }
    if (command->place)
        output_set_place(command->output, command->place);
    if (command->printed)
        output_follow(command->output, true);
    options->spawn.extra_as = command->extra_as;
    command->extra_is_told = !command->extra_as;
    if (options->stdin_task) {
        options->spawn.stdin_output = command_of(options->stdin_task)->output;
        if (!options->spawn.stdin_output) {
            fail(command, text_new("standard input: %s has not been run",
                                   ajob_task_name(options->stdin_task)));
            return;
        }
    }
    if (!process_start(reaper, &options->spawn, options->leaves_leftovers, &owner, command,
                       &command->process, &end))
        is_over(command, end);
}

void command_stop(struct ajob_task *task, enum stop_how how) {
    struct command *command = command_of(task);
    if (command->process)
        process_stop(command->process, how);
}

int command_pid(const struct ajob_task *task) {
    const struct command *command = command_of(task);
    return command->process ? process_pid(command->process) : 0;
}

size_t command_slots(const struct ajob_task *task, struct slot slots[KIND_SLOTS_MAX]) {
    slots[0] = (struct slot){task->loop->commands, 1};
    return 1;
}

void command_ended(struct ajob_task *task) {
    struct command *command = command_of(task);
    struct place *place = command->place;
    command->place = NULL;
    output_place_over(place);
}

void command_free(struct ajob_task *task) {
    struct command *command = command_of(task);
    free_lines(command);
    release_output(command);
    command_ended(task);
    command->options = mem_free(command->options);
}

/* ---- ajob.h ------------------------------------------------------------ */

static const struct task_kind exec_kind = {
    .name = "exec",
    .size = sizeof(struct command),
    .start = command_start,
    .stop = command_stop,
    .slots = command_slots,
    .pid = command_pid,
    .ended = command_ended,
    .free = command_free,
};

static const struct task_kind script_kind = {
    .name = "sh",
    .size = sizeof(struct command),
    .start = command_start,
    .stop = command_stop,
    .slots = command_slots,
    .pid = command_pid,
    .ended = command_ended,
    .free = command_free,
};

ajob_task *ajob_exec(ajob_loop *loop, const ajob_exec_options *options) {
    struct command *command = task_new(loop, options->script ? &script_kind : &exec_kind);
    bool is_lacking;
    if (!command || command_set(command, options))
        return NULL;
    command->place = output_place(loop, &is_lacking);
    return is_lacking ? NULL : &command->task;
}

int ajob_exec_change(ajob_task *task, const ajob_exec_options *options) {
    if (task->kind != &exec_kind && task->kind != &script_kind)
        return loop_fail(task->loop, AJOB_EINVAL, "a %s is no command", task->kind->name);
    int error = command_set(command_of(task), options);
    if (!error)
        task->kind = options->script ? &script_kind : &exec_kind;
    return error;
}

int64_t ajob_exec_read(const ajob_task *task, uint64_t offset, char *buffer, size_t size) {
    const struct output *output = is_command(task) ? command_of(task)->output : NULL;
    if (!output)
        return loop_fail(task->loop, AJOB_ESYSTEM, "nothing that the task prints is kept");
    return output_read(output, offset, buffer, size);
}

uint64_t ajob_exec_printed(const ajob_task *task) {
    const struct output *output = is_command(task) ? command_of(task)->output : NULL;
    return output ? output_printed(output) : 0;
}

int ajob_exec_follow(ajob_task *task, ajob_done_fn *printed, void *data) {
    if (!is_command(task) || !command_of(task)->options->keeps_stdout)
        return loop_fail(task->loop, AJOB_EINVAL, "nothing that the task prints is kept");
    struct command *command = command_of(task);
    command->printed = printed;
    command->printed_data = data;
    if (command->process)
        output_follow(command->output, printed != NULL);
    return 0;
}

void ajob_exec_taken(ajob_task *task, uint64_t offset) {
    if (is_command(task) && command_of(task)->output)
        output_taken(command_of(task)->output, offset);
}
