/* output.c - what commands print. For now it is dropped. See output.h. */
#include "exec/output.h"

#include <errno.h>

#include "base/mem.h"

struct output {
    uint64_t printed;
};

struct output *output_open(struct ajob_task *task, bool keeps_stdout,
                           void (*has_room)(struct ajob_task *task)) {
    (void)task, (void)keeps_stdout, (void)has_room;
    return mem_new(sizeof(struct output));
}

void output_add(struct output *output, enum output_stream stream, const char *data, size_t length) {
    (void)data;
    if (stream == OUTPUT_STDOUT)
        output->printed += length;
}

bool output_is_full(const struct output *output) {
    (void)output;
    return false;
}

void output_close(struct output *output, bool has_failed) {
    (void)output, (void)has_failed;
}

uint64_t output_printed(const struct output *output) {
    return output->printed;
}

int64_t output_read(const struct output *output, uint64_t offset, char *buffer, size_t size) {
    (void)output, (void)offset, (void)buffer, (void)size;
    return AJOB_ESYSTEM;
}

int output_dup(const struct output *output) {
    (void)output;
    errno = ENOTSUP;
    return -1;
}

void output_follow(struct output *output) {
    (void)output;
}

void output_taken(struct output *output, uint64_t offset) {
    (void)output, (void)offset;
}

void output_free(struct output *output) {
    mem_free(output);
}
