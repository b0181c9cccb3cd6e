/*
 * printer.c - the printer of a loop: set up, told of outputs, swept, closed. See
 * printer.h; who writes when is in turns.c.
 */
#include "exec/printer.h"

#include <errno.h>
#include <fcntl.h>

#include "base/mem.h"
#include "exec/order.h"
#include "exec/turns.h"

/* Of what waits in memory; what comes then goes to a file. */
enum { MEMORY_MOST = 2 << 20 };

enum { PROMPT_MS = 200, STALL_MS = 1000, PREFIX_MAX = 512, HELD_MOST = 1 << 30 };

static const char key;

static struct printer *printer_at(const void *member, size_t offset) {
    return (struct printer *)((char *)member - offset);
}

/* ---- writing on -------------------------------------------------------- */

static void write_on(struct printer *printer);
static void weigh_waiting(struct printer *printer);

static void is_idle(uv_idle_t *idle) {
    uv_idle_stop(idle);
    write_on(idle->data);
}

static void write_on(struct printer *printer) {
    if (printer->is_closing || !turns_write(printer))
        return;
    if (!printer->has_idle) {
        uv_idle_init(printer->loop->uv, &printer->idle);
        printer->idle.data = printer;
        loop_handle_opened(printer->loop);
        printer->has_idle = true;
    }
    uv_idle_start(&printer->idle, is_idle);
}

void printer_has_turn(struct printer *printer) {
    write_on(printer);
}

static void stdout_ready(struct sink *sink) {
    write_on(printer_at(sink, offsetof(struct printer, sinks[OUTPUT_STDOUT])));
}

static void stderr_ready(struct sink *sink) {
    write_on(printer_at(sink, offsetof(struct printer, sinks[OUTPUT_STDERR])));
}

/* ---- nothing more is written ------------------------------------------- */

static void drop_all(struct printer *printer) {
    struct output *next;
    printer->is_gone = true;
    for (struct output *output = printer->oldest; output; output = next) {
        next = output->newer;
        turns_drop(output);
        printer_weigh(output);
    }
    while (printer->first) /* and those that have their turn then */
        turns_drop(printer->first);
    sink_stop(&printer->sinks[OUTPUT_STDOUT]);
    sink_stop(&printer->sinks[OUTPUT_STDERR]);
    if (printer->has_idle)
        uv_idle_stop(&printer->idle);
    weigh_waiting(printer);
}

void printer_fail(struct printer *printer, const struct sink *sink) {
    struct ajob_task *root = printer->loop->root;
    char by[64];
    if (printer->is_gone)
        return;
    printer->error = sink->error;
    printer->loop->has_lost_output = true;
    snprintf(by, sizeof by, "a failure to write to standard %s",
             sink->fd == printer->options.out ? "output" : "error");
    if (root)
        ajob_cancel(root, sink->error == EPIPE ? "SIGPIPE" : by);
    drop_all(printer);
}

int ajob_output_error(const ajob_loop *loop) {
    const struct printer *printer = (const struct printer *)loop_find_module(loop, &key);
    return printer ? printer->error : 0;
}

void printer_lose(struct output *output, int error) {
    char line[TEXT_LINE_MAX];
    if (output->has_lost)
        return;
    output->has_lost = true;
    if (output->printer->options.mode != AJOB_OUTPUT_NONE)
        output->printer->loop->has_lost_output = true;
    if (output->task)
        task_note(output->task, "the rest of its output cannot be kept: %s", strerror(error));
    if (!output->backlog)
        return;
    int length = snprintf(line, sizeof line, "ajob: the rest of this output cannot be kept: %s\n",
                          strerror(error));
    backlog_force(output->backlog, OUTPUT_STDERR, line, (size_t)length);
}

/* ---- what waits --------------------------------------------------------- */

static bool is_too_much(const struct printer *printer, unsigned part) {
    enum { COUNT_MOST = 8192, BYTES_MOST = 256 << 20, FILES_MOST = 64 };
    const struct waiting *waiting = &printer->waiting;
    return waiting->count > COUNT_MOST / part || waiting->bytes > BYTES_MOST / part ||
           waiting->memory > 2 * MEMORY_MOST / part || waiting->files > FILES_MOST / part;
}

static void weigh_waiting(struct printer *printer) {
    struct ajob_loop *loop = printer->loop;
    if (!loop->holds_feeds && !printer->is_gone && is_too_much(printer, 1))
        loop_hold_feeds(loop, true);
    else if (loop->holds_feeds && (printer->is_gone || !is_too_much(printer, 2)))
        loop_hold_feeds(loop, false);
}

static void spool(struct output *output) {
    if (!capture_share(&output->backlog->bytes, &output->printer->spool))
        return;
    output->printer->waiting.memory -= output->waiting_memory;
    output->waiting_memory = 0;
}

void printer_count(struct output *output) {
    struct printer *printer = output->printer;
    const struct capture *bytes = &output->backlog->bytes;
    output->is_waiting = true;
    output->waits_in_file = bytes->has_file;
    output->waiting_bytes = output->backlog->length;
    output->waiting_memory = (uint32_t)bytes->capacity;
    printer->waiting.bytes += output->waiting_bytes;
    printer->waiting.memory += output->waiting_memory;
    printer->waiting.files += bytes->has_file;
    printer->waiting.count++;
    if (printer->waiting.memory > MEMORY_MOST)
        spool(output);
    weigh_waiting(printer);
}

void printer_discount(struct output *output) {
    struct printer *printer = output->printer;
    if (!output->is_waiting)
        return;
    output->is_waiting = false;
    printer->waiting.bytes -= output->waiting_bytes;
    printer->waiting.memory -= output->waiting_memory;
    printer->waiting.files -= output->waits_in_file;
    printer->waiting.count--;
    weigh_waiting(printer);
}

/* ---- outputs ----------------------------------------------------------- */

void printer_add(struct printer *printer, struct output *output) {
    output->printer = printer;
    output->older = printer->newest;
    *(printer->newest ? &printer->newest->newer : &printer->oldest) = output;
    printer->newest = output;
}

void printer_weigh(struct output *output) {
    const struct printer *printer = output->printer;
    bool is_held = printer->options.mode == AJOB_OUTPUT_GROUP && printer->live != output;
    bool waits_at_all = output->backlog && printer->options.mode != AJOB_OUTPUT_NONE;
    uint64_t waits = waits_at_all ? output->backlog->length : 0;
    uint64_t ahead = output->is_followed ? output->printed - output->taken : 0;
    uint64_t limit = is_held ? printer->held_most : OUTPUT_FULL;
    uint64_t most = output->is_full ? limit / 2 : limit - 1;
    bool is_full =
        !output->is_closed && ((waits > most && !printer->is_gone) || ahead >= OUTPUT_FULL);
    if (output->is_full && !is_full)
        output->is_room_due = output->printer->is_room_due = true;
    output->is_full = is_full;
}

/* "[NAME] " or the like before each line, in as many pieces as that takes. */
static void print_prefixed(struct output *output, enum output_stream stream, const char *piece,
                           size_t length) {
    enum { SLICE = PRINTER_SCRATCH - LINES_PIECE_MAX - PREFIX_MAX - 1 };
    size_t prefix_length = strlen(output->prefix), used = 0;
    char *slice = output->printer->scratch;
    for (const char *line = piece, *after = piece + length; line < after;) {
        const char *end = memchr(line, '\n', (size_t)(after - line));
        size_t line_length = (size_t)((end ? end : after) - line);
        memcpy(slice + used, output->prefix, prefix_length);
        used += prefix_length;
        memcpy(slice + used, line, line_length);
        used += line_length;
        slice[used++] = '\n';
        line += line_length + 1;
        if (used >= SLICE || line >= after) {
            turns_print(output, stream, slice, used);
            used = 0;
        }
    }
}

static bool has_prefix(struct output *output) {
    struct text path = TEXT_INIT(8 * PREFIX_MAX);
    char name[PREFIX_MAX - 4];
    size_t length;
    const char *item = ajob_task_item(output->task, &length);
    bool is_tag = output->printer->options.tag;
    if (!output->prefix) {
        task_path(output->task, &path);
        const char *shown = is_tag && item ? item : text_string(&path);
        ajob_escape(name, sizeof name, shown);
        if (text_ok(&path))
            output->prefix = is_tag ? text_new("%s\t", name) : text_new("[%s] ", name);
        text_done(&path);
    }
    return output->prefix != NULL;
}

void printer_print(struct output *output, enum output_stream stream, const char *piece,
                   size_t length) {
    struct printer *printer = output->printer;
    if (!printer->is_on || printer->is_gone || output->has_lost)
        return;
    if (printer->options.mode != AJOB_OUTPUT_PREFIX && !printer->options.tag)
        turns_print(output, stream, piece, length);
    else if (has_prefix(output))
        print_prefixed(output, stream, piece, length);
    else
        printer_lose(output, ENOMEM);
    if (printer->is_gone || !printer->has_idle || !uv_is_active((uv_handle_t *)&printer->idle))
        write_on(printer);
}

void printer_await_prompt(struct printer *printer) {
    if (printer->is_on && printer->options.mode == AJOB_OUTPUT_STREAM && !printer->options.tag &&
        printer->oldest == printer->newest && printer->prompt.index == DEADLINE_IDLE)
        deadline_arm(&printer->loop->deadlines, &printer->prompt,
                     loop_due_ms(printer->loop, PROMPT_MS));
}

static void prompt_is_due(struct deadline *deadline) {
    struct printer *printer = printer_at(deadline, offsetof(struct printer, prompt));
    if (printer->oldest && printer->oldest == printer->newest)
        output_flush_prompt(printer->oldest);
}

void printer_close(struct output *output, bool has_failed) {
    struct printer *printer = output->printer;
    *(output->older ? &output->older->newer : &printer->oldest) = output->newer;
    *(output->newer ? &output->newer->older : &printer->newest) = output->older;
    output->is_closed = true;
    output->task = NULL;
    turns_close(output, has_failed);
    if (!printer->oldest)
        deadline_disarm(&printer->loop->deadlines, &printer->prompt);
    write_on(printer);
}

void printer_release(struct output *output) {
    output->is_released = true;
    if (!output->is_queued && !output->waits_for_place)
        mem_free(output);
}

/* ---- the module -------------------------------------------------------- */

static struct output *find_room_due(const struct printer *printer) {
    struct output *output = printer->oldest;
    while (output && !output->is_room_due)
        output = output->newer;
    return output;
}

static void stall_is_over(struct deadline *deadline) {
    struct printer *printer = printer_at(deadline, offsetof(struct printer, stall));
    if (!printer->has_progressed)
        drop_all(printer);
}

/* A run that is to end, by a signal or its timeout, does not wait for a reader who
 * takes nothing. */
static void limit_stall(struct printer *printer) {
    struct ajob_loop *loop = printer->loop;
    bool is_blocked =
        printer->sinks[OUTPUT_STDOUT].is_blocked || printer->sinks[OUTPUT_STDERR].is_blocked;
    bool is_ending = loop->exit_signal || (loop->root && loop->root->wanted != AJOB_UNDECIDED);
    if (!is_blocked || !is_ending || printer->is_gone || printer->stall.index != DEADLINE_IDLE)
        return;
    printer->has_progressed = false;
    deadline_arm(&loop->deadlines, &printer->stall, loop_due_ms(loop, STALL_MS));
}

static void turn_ended(struct loop_module *module) {
    struct printer *printer = (struct printer *)module;
    struct output *output;
    if (printer->is_on)
        limit_stall(printer);
    if (!printer->is_room_due)
        return;
    printer->is_room_due = false;
    while ((output = find_room_due(printer))) {
        output->is_room_due = false;
        if (!output->is_full && output->has_room)
            output->has_room(output->task);
    }
}

static bool sweep(struct loop_module *module, bool is_hard) {
    struct printer *printer = (struct printer *)module;
    struct ajob_loop *loop = printer->loop;
    write_on(printer);
    if (is_hard)
        drop_all(printer);
    if (!turns_is_waiting(printer)) {
        deadline_disarm(&loop->deadlines, &printer->prompt);
        deadline_disarm(&loop->deadlines, &printer->stall);
        return true;
    }
    return false;
}

static void idle_closed(uv_handle_t *handle) {
    loop_handle_closed(((struct printer *)handle->data)->loop);
}

static void close_printer(struct loop_module *module) {
    struct printer *printer = (struct printer *)module;
    printer->is_closing = true;
    drop_all(printer);
    sink_close(&printer->sinks[OUTPUT_STDOUT]);
    sink_close(&printer->sinks[OUTPUT_STDERR]);
    if (printer->has_idle)
        uv_close((uv_handle_t *)&printer->idle, idle_closed);
}

static void free_printer(struct loop_module *module) {
    struct printer *printer = (struct printer *)module;
    deadline_done(&printer->loop->deadlines, &printer->prompt);
    deadline_done(&printer->loop->deadlines, &printer->stall);
    order_done(printer);
    spool_done(&printer->spool);
    logs_close(&printer->logs);
    mem_free(printer->scratch);
    mem_free(printer);
}

struct printer *printer_of(struct ajob_loop *loop) {
    struct loop_module *module = loop_find_module(loop, &key);
    if (module)
        return (struct printer *)module;
    struct printer *printer =
        (struct printer *)loop_module(loop, &key, sizeof *printer, free_printer);
    if (!printer)
        return NULL;
    printer->loop = loop;
    printer->logs.dir_fd = -1;
    printer->prompt.index = printer->stall.index = DEADLINE_IDLE;
    printer->module.turn_ended = turn_ended;
    printer->module.sweep = sweep;
    printer->module.close = close_printer;
    return printer;
}

static int check(struct ajob_loop *loop, const ajob_output_options *options) {
    if (loop->root)
        return loop_fail(loop, AJOB_EBUSY, "output: the run has begun");
    if (options->mode < AJOB_OUTPUT_GROUP || options->mode > AJOB_OUTPUT_NONE)
        return loop_fail(loop, AJOB_EINVAL, "output: there is no mode %d", (int)options->mode);
    if (fcntl(options->out, F_GETFD) < 0 || fcntl(options->err, F_GETFD) < 0)
        return loop_fail(loop, AJOB_EINVAL, "output: descriptor %d or %d is not open", options->out,
                         options->err);
    return 0;
}

int ajob_set_output(ajob_loop *loop, const ajob_output_options *options) {
    struct printer *printer = printer_of(loop);
    char name[TEXT_LINE_MAX / 2];
    int error = printer ? check(loop, options) : AJOB_ENOMEM;
    if (error)
        return error;
    if (printer->is_on)
        return loop_fail(loop, AJOB_EINVAL, "output: it is set already");
    const char *dir = options->results_dir ? options->results_dir : options->log_dir;
    if (dir && !logs_open(&printer->logs, dir))
        return loop_fail(loop, errno == ENOMEM ? AJOB_ENOMEM : AJOB_ESYSTEM,
                         "%s: cannot be made or written to: %s",
                         ajob_escape(name, sizeof name, dir), strerror(errno));
    printer->logs.is_split = options->results_dir != NULL;
    printer->scratch = mem_new(PRINTER_SCRATCH);
    if (!printer->scratch || !deadline_init(&loop->deadlines, &printer->prompt, prompt_is_due) ||
        !deadline_init(&loop->deadlines, &printer->stall, stall_is_over)) {
        printer->scratch = mem_free(printer->scratch);
        logs_close(&printer->logs);
        return loop_fail_memory(loop);
    }
    printer->options = *options;
    printer->options.log_dir = printer->options.results_dir = NULL; /* the caller's */
    bool has_blocks = options->mode == AJOB_OUTPUT_GROUP || options->mode == AJOB_OUTPUT_NONE;
    printer->options.is_ordered = options->is_ordered && has_blocks;
    printer->is_one_sink = sink_is_same(options->out, options->err);
    sink_open(&printer->sinks[OUTPUT_STDOUT], loop, options->out, stdout_ready);
    if (!printer->is_one_sink)
        sink_open(&printer->sinks[OUTPUT_STDERR], loop, options->err, stderr_ready);
    printer->held_most = HELD_MOST;
    printer->is_on = true;
    return 0;
}
