/*
 * output.c - one attempt's output on its way: whole lines are made of what comes,
 * and go to the log, the events and the printer. See output.h.
 */
#include "exec/output.h"

#include <errno.h>
#include <unistd.h>

#include "base/mem.h"
#include "core/event.h"
#include "exec/order.h"
#include "exec/printer.h"

/* Where lines_add() hands its pieces on to. */
struct way {
    struct output *output;
    enum output_stream stream;
};

/* ---- on the way -------------------------------------------------------- */

static void close_logs(struct output *output) {
    int *fds = output->log_fds;
    int error = 0;
    if (fds[OUTPUT_STDERR] >= 0 && fds[OUTPUT_STDERR] != fds[OUTPUT_STDOUT] &&
        close(fds[OUTPUT_STDERR]))
        error = errno;
    if (fds[OUTPUT_STDOUT] >= 0 && close(fds[OUTPUT_STDOUT]))
        error = errno;
    fds[OUTPUT_STDOUT] = fds[OUTPUT_STDERR] = -1;
    errno = error;
}

static void stop_logging(struct output *output, int error) {
    task_note(output->task, "its log cannot be written: %s", strerror(error));
    close_logs(output);
}

static void add_to_log(struct output *output, enum output_stream stream, const char *piece,
                       size_t length) {
    while (length && output->log_fds[stream] >= 0) {
        ssize_t written = write(output->log_fds[stream], piece, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0) {
            stop_logging(output, errno);
            return;
        }
        piece += written;
        length -= (size_t)written;
    }
}

static void hand_on(void *data, const char *piece, size_t length) {
    const struct way *way = data;
    struct output *output = way->output;
    add_to_log(output, way->stream, piece, length);
    if (output->printer->options.has_events)
        event_task_output(output->task, way->stream == OUTPUT_STDOUT ? "stdout" : "stderr", piece,
                          length);
    printer_print(output, way->stream, piece, length);
}

static void keep(struct output *output, const char *data, size_t length) {
    output->printed += length;
    if (output->kept && !output->kept->error && !capture_add(output->kept, data, length))
        task_note(output->task, "what it prints cannot be kept: %s", strerror(output->kept->error));
    if (output->is_followed)
        printer_weigh(output);
}

/* Whether anybody wants lines. */
static bool is_wanted(const struct output *output) {
    const struct printer *printer = output->printer;
    return printer->is_on && (!printer->is_gone || output->log_fds[OUTPUT_STDOUT] >= 0 ||
                              printer->options.has_events);
}

void output_add(struct output *output, enum output_stream stream, const char *data, size_t length) {
    struct way way = {output, stream};
    if (stream == OUTPUT_STDOUT)
        keep(output, data, length);
    if (!is_wanted(output))
        return;
    lines_add(&output->partial[stream], data, length, hand_on, &way);
    if (output->partial[stream].length)
        printer_await_prompt(output->printer);
}

bool output_may_be_late(const struct output *output) {
    const ajob_output_options *options = &output->printer->options;
    bool is_block = options->mode == AJOB_OUTPUT_GROUP || options->mode == AJOB_OUTPUT_NONE;
    return is_block && !options->live && !options->has_events && !output->is_followed;
}

static void flush(struct output *output, bool is_over) {
    for (int stream = OUTPUT_STDOUT; stream <= OUTPUT_STDERR; stream++)
        lines_flush(&output->partial[stream], is_over, hand_on,
                    &(struct way){output, (enum output_stream)stream});
}

void output_flush_prompt(struct output *output) {
    flush(output, false);
}

/* ---- from open to free ------------------------------------------------- */

struct output *output_open(struct ajob_task *task, bool keeps_stdout,
                           void (*has_room)(struct ajob_task *task)) {
    struct printer *printer = printer_of(task->loop);
    struct output *output = printer ? mem_new(sizeof *output) : NULL;
    if (!output)
        return NULL;
    if (keeps_stdout)
        output->kept = mem_new(sizeof *output->kept);
    if (keeps_stdout && !output->kept)
        return mem_free(output);
    output->task = task;
    output->has_room = has_room;
    output->log_fds[OUTPUT_STDOUT] = output->log_fds[OUTPUT_STDERR] = -1;
    printer_add(printer, output);
    if (printer->logs.dir_fd >= 0 && !logs_open_files(&printer->logs, task, output->log_fds))
        stop_logging(output, errno);
    return output;
}

struct place *output_place(struct ajob_loop *loop, bool *is_lacking) {
    struct printer *printer = printer_of(loop);
    bool is_ordered = printer && printer->is_on && printer->options.is_ordered;
    struct place *place = is_ordered ? order_add(printer) : NULL;
    *is_lacking = !printer || (is_ordered && !place);
    return place;
}

void output_place_over(struct place *place) {
    if (place)
        order_over(place);
}

void output_set_place(struct output *output, struct place *place) {
    output->place = place;
    place->open = output;
}

bool output_is_full(const struct output *output) {
    return output->is_full;
}

void output_close(struct output *output, bool has_failed) {
    if (output->is_closed)
        return;
    flush(output, true);
    lines_done(&output->partial[OUTPUT_STDOUT]);
    lines_done(&output->partial[OUTPUT_STDERR]);
    close_logs(output);
    if (errno)
        stop_logging(output, errno);
    output->prefix = mem_free(output->prefix);
    printer_close(output, has_failed);
}

void output_free(struct output *output) {
    if (!output)
        return;
    output_close(output, true);
    if (output->kept)
        capture_done(output->kept);
    output->kept = mem_free(output->kept);
    printer_release(output);
}

/* ---- what was printed -------------------------------------------------- */

uint64_t output_printed(const struct output *output) {
    return output->printed;
}

int64_t output_read(const struct output *output, uint64_t offset, char *buffer, size_t size) {
    const struct capture *kept = output->kept;
    size_t done = 0, length;
    if (!kept || offset < kept->first || (kept->error && offset + size > capture_end(kept)))
        return AJOB_ESYSTEM;
    while (done < size) {
        const char *data = capture_peek(kept, offset + done, buffer + done, size - done, &length);
        if (!data && errno)
            return AJOB_ESYSTEM;
        if (!data)
            break;
        memmove(buffer + done, data, length);
        done += length;
    }
    return (int64_t)done;
}

int output_dup(const struct output *output) {
    if (output->kept)
        return capture_dup(output->kept);
    errno = ENOTSUP;
    return -1;
}

void output_follow(struct output *output, bool is_followed) {
    output->is_followed = is_followed;
    printer_weigh(output);
}

void output_taken(struct output *output, uint64_t offset) {
    if (offset <= output->taken)
        return;
    output->taken = offset < output->printed ? offset : output->printed;
    if (output->kept)
        capture_drop(output->kept, output->taken);
    printer_weigh(output);
}
