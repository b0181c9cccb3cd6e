/*
 * turns.c - who may write now, and the writing. See printer.h.
 *
 * In the queue are, in the modes prefix and stream, all outputs with something to
 * write, each for a piece at a time; in the modes group and none those that have
 * ended, each until all of it is written. In the mode group one that is open may
 * be live: it writes as it goes, once the queue is empty, and as soon as it has
 * written anything the queue waits for its end. That is the oldest, if the mode is to
 * be live at all, else one of which too much is held. Where there is an order (order.h) it is that
 * of the first place, and in the queue is only what that place has closed.
 */
#include "exec/turns.h"

#include <errno.h>

#include "base/mem.h"
#include "exec/order.h"

enum { BUDGET = 1 << 20 }; /* written in one go, before the loop has its turn again */

static bool is_by_line(const struct printer *printer) {
    return printer->options.mode == AJOB_OUTPUT_PREFIX ||
           printer->options.mode == AJOB_OUTPUT_STREAM;
}

static bool has_backlog(const struct output *output) {
    return output->backlog && output->backlog->length;
}

/* ---- the queue --------------------------------------------------------- */

static void enqueue(struct output *output, bool is_first) {
    struct printer *printer = output->printer;
    struct output *next = is_first ? printer->first : NULL;
    struct output *previous = is_first ? NULL : printer->last;
    if (output->is_queued)
        return;
    output->is_queued = true;
    output->queue_next = next;
    output->queue_previous = previous;
    *(previous ? &previous->queue_next : &printer->first) = output;
    *(next ? &next->queue_previous : &printer->last) = output;
}

static void dequeue(struct output *output) {
    struct printer *printer = output->printer;
    struct output *next = output->queue_next, *previous = output->queue_previous;
    if (!output->is_queued)
        return;
    output->is_queued = false;
    *(previous ? &previous->queue_next : &printer->first) = next;
    *(next ? &next->queue_previous : &printer->last) = previous;
}

/* ---- the descriptors --------------------------------------------------- */

static size_t sink_index(const struct printer *printer, enum output_stream stream) {
    if (printer->is_one_sink)
        return 0;
    return printer->options.mode == AJOB_OUTPUT_NONE ? OUTPUT_STDERR : stream;
}

static bool may_write(const struct output *output, enum output_stream stream) {
    const struct printer *printer = output->printer;
    size_t i = sink_index(printer, stream);
    return !printer->sinks[i].is_blocked && !printer->sinks[i].error &&
           (!printer->writers[i] || printer->writers[i] == output);
}

/* Writes what is taken now of a piece of which so much is left. */
static size_t write_some(struct output *output, enum output_stream stream, const char *data,
                         size_t length, size_t left) {
    struct printer *printer = output->printer;
    const ajob_output_options *options = &printer->options;
    size_t i = sink_index(printer, stream);
    struct sink *sink = &printer->sinks[i];
    if (options->before)
        options->before(sink->fd, options->data);
    size_t done = sink_write(sink, data, length);
    if (options->after)
        options->after(sink->fd, sink->at_line_start, done < left, options->data);
    if (done) {
        output->has_written = printer->has_progressed = true;
        printer->writers[i] = done < left ? output : NULL;
    }
    if (sink->error)
        printer_fail(printer, sink);
    return done;
}

/* ---- the end -------------------------------------------------------------- */

/* A person is reading: the next block begins on a line of its own. */
static void end_line(struct output *output) {
    const struct printer *printer = output->printer;
    bool is_for_person = printer->options.mode == AJOB_OUTPUT_GROUP && printer->options.live;
    bool is_partial = output->has_written && !printer->sinks[OUTPUT_STDOUT].at_line_start;
    if (is_for_person && is_partial && !printer->is_gone && may_write(output, OUTPUT_STDOUT))
        write_some(output, OUTPUT_STDOUT, "\n", 1, 1);
}

/* What it has left is written next, or dropped. */
static void has_its_turn(struct output *output) {
    output->place = NULL;
    if (output->printer->is_gone)
        turns_drop(output);
    else
        enqueue(output, false);
}

/* All of its backlog is written or dropped. */
static void drained(struct output *output) {
    struct printer *printer = output->printer;
    printer_discount(output);
    if (output->is_closed)
        end_line(output);
    dequeue(output);
    for (size_t i = 0; i < sizeof printer->writers / sizeof printer->writers[0]; i++)
        if (printer->writers[i] == output)
            printer->writers[i] = NULL;
    if (output->is_closed && output->backlog) {
        backlog_done(output->backlog);
        output->backlog = mem_free(output->backlog);
    }
    if (output->is_released)
        mem_free(output);
    if (printer->options.is_ordered)
        order_advance(printer, has_its_turn);
}

void turns_drop(struct output *output) {
    printer_discount(output);
    if (output->backlog)
        backlog_done(output->backlog);
    drained(output);
}

/* ---- turns ------------------------------------------------------------- */

static bool is_heavy(const struct output *output) {
    return has_backlog(output) && output->backlog->length >= output->printer->held_most;
}

/* No disk holds what a command prints that never ends. */
static struct output *heavy_one(struct printer *printer) {
    struct output *output = printer->has_heavy ? printer->oldest : NULL;
    while (output && !is_heavy(output))
        output = output->newer;
    printer->has_heavy = output != NULL;
    return output;
}

static void choose_live(struct printer *printer) {
    if (printer->options.mode != AJOB_OUTPUT_GROUP || printer->live || printer->first)
        return;
    printer->live = printer->options.is_ordered ? order_live(printer)
                    : printer->options.live     ? printer->oldest
                                                : heavy_one(printer);
    if (printer->live)
        printer_weigh(printer->live);
}

/* What a failed one printed comes between two lines of a live one: who watches should
 * not wait for it as long as that runs. */
static bool interrupts(const struct printer *printer) {
    const struct output *first = printer->first;
    return first && first->has_failed &&
           (first->has_written || printer->sinks[OUTPUT_STDOUT].at_line_start);
}

/* The live one may write: it has begun, or nobody waits. */
static bool is_live(const struct output *output) {
    const struct printer *printer = output->printer;
    if (printer->live != output || interrupts(printer))
        return false;
    return output->has_written || !printer->first;
}

static bool can_write_next(struct output *output) {
    enum output_stream stream;
    return backlog_next(output->backlog, &stream) && may_write(output, stream);
}

/* Who may write something of its backlog now, or NULL. */
static struct output *next_writer(struct printer *printer) {
    choose_live(printer);
    struct output *live = printer->live, *output = printer->first;
    if (live && is_live(live))
        output = live;
    if (!is_by_line(printer))
        return output && has_backlog(output) && can_write_next(output) ? output : NULL;
    while (output && !can_write_next(output))
        output = output->queue_next;
    return output;
}

/* Returns how much was written. */
static size_t write_next(struct output *output) {
    struct printer *printer = output->printer;
    struct backlog *backlog = output->backlog;
    size_t length;
    const char *data = backlog_peek(backlog, printer->scratch, PRINTER_SCRATCH, &length);
    if (!data) {
        int error = errno;
        backlog_done(backlog);
        printer_lose(output, error);
        if (!has_backlog(output))
            drained(output);
        return 0;
    }
    size_t done =
        write_some(output, (enum output_stream)backlog->stream, data, length, backlog->left);
    if (printer->is_gone)
        return 0; /* and with it the backlog */
    bool is_piece_over = done && backlog_skip(backlog, done);
    printer_weigh(output);
    if (!has_backlog(output)) {
        drained(output);
    } else if (is_piece_over && is_by_line(printer)) {
        dequeue(output);
        enqueue(output, false);
    }
    return done;
}

bool turns_write(struct printer *printer) {
    size_t budget = BUDGET;
    struct output *output;
    if (printer->options.is_ordered)
        order_advance(printer, has_its_turn);
    while (!printer->is_gone && (output = next_writer(printer))) {
        size_t done = write_next(output);
        if (done >= budget)
            return true;
        budget -= done;
    }
    return false;
}

/* Without a detour by the backlog, if nothing is before it. Returns how much. */
static size_t write_directly(struct output *output, enum output_stream stream, const char *data,
                             size_t length) {
    struct printer *printer = output->printer;
    if (has_backlog(output) || (!is_by_line(printer) && !is_live(output)) ||
        !may_write(output, stream))
        return 0;
    return write_some(output, stream, data, length, length);
}

static void hold(struct output *output, enum output_stream stream, const char *data,
                 size_t length) {
    if (!output->backlog)
        output->backlog = mem_new(sizeof *output->backlog);
    if (!output->backlog)
        printer_lose(output, ENOMEM);
    else if (!output->has_lost && !backlog_add(output->backlog, stream, data, length))
        printer_lose(output, output->backlog->bytes.error);
}

void turns_print(struct output *output, enum output_stream stream, const char *data,
                 size_t length) {
    struct printer *printer = output->printer;
    if (printer->is_gone)
        return;
    choose_live(printer);
    size_t done = write_directly(output, stream, data, length);
    if (done == length || printer->is_gone)
        return;
    hold(output, stream, data + done, length - done);
    if (!has_backlog(output))
        drained(output); /* no memory at all */
    else if (is_by_line(printer))
        enqueue(output, false);
    printer->has_heavy = printer->has_heavy || is_heavy(output);
    printer_weigh(output);
}

void turns_close(struct output *output, bool has_failed) {
    struct printer *printer = output->printer;
    bool was_first = is_live(output) && output->has_written;
    bool has_begun = printer->first && printer->first->has_written;
    struct place *place = output->place;
    bool is_dropped = printer->options.mode == AJOB_OUTPUT_NONE && !has_failed;
    output->has_failed = has_failed && printer->options.live && !place;
    if (printer->live == output)
        printer->live = NULL;
    if (place)
        place->open = NULL;
    if (!is_dropped && has_backlog(output))
        printer_count(output);
    if (is_dropped)
        turns_drop(output);
    else if (!has_backlog(output))
        drained(output);
    else if (place && !(order_is_first(place) && !place->waits))
        order_wait(output);
    else
        enqueue(output, was_first || (output->has_failed && !has_begun));
}

bool turns_is_waiting(const struct printer *printer) {
    return printer->first || (printer->live && has_backlog(printer->live));
}
