/*
 * probe_fd.c - the s6 way: the service writes a line to a descriptor.
 *
 * What is before the first newline is the value. What comes after it is read and
 * dropped, so that the service is never hurt by writing more. A pipe that is
 * closed without a newline has said nothing.
 */
#include <unistd.h>
#include <uv.h>

#include "base/mem.h"
#include "core/loop.h"
#include "exec/probe_look.h"

enum { READ_SIZE = 4096 };

struct fd_look {
    struct look look;
    struct ajob_loop *loop;
    uv_pipe_t pipe;
    bool has_value;
    size_t length;
    char value[PROBE_VALUE_MAX + 1];
    char buffer[READ_SIZE];
};

static void has_closed(uv_handle_t *handle) {
    struct fd_look *fd = handle->data;
    struct ajob_loop *loop = fd->loop;
    mem_free(fd);
    loop_handle_closed(loop); /* may free the loop */
}

static void give_buffer(uv_handle_t *handle, size_t wanted, uv_buf_t *buffer) {
    struct fd_look *fd = handle->data;
    (void)wanted;
    *buffer = uv_buf_init(fd->buffer, READ_SIZE);
}

static void has_read(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer) {
    struct fd_look *fd = stream->data;
    if (length < 0)
        uv_read_stop(stream);
    for (ssize_t i = 0; i < length && !fd->has_value; i++) {
        char c = buffer->base[i];
        fd->has_value = c == '\n';
        if (c && c != '\n' && fd->length < PROBE_VALUE_MAX)
            fd->value[fd->length++] = c;
        if (fd->has_value)
            look_found(&fd->look, fd->value);
    }
}

static struct look *begin(struct probe *probe) {
    const struct probe_setup *setup = look_setup(probe);
    struct fd_look *fd = mem_new(sizeof *fd);
    if (!fd) {
        close(setup->fd);
        return NULL;
    }
    fd->look.probe = probe;
    fd->loop = setup->loop;
    fd->pipe.data = fd;
    uv_pipe_init(fd->loop->uv, &fd->pipe, 0);
    loop_handle_opened(fd->loop);
    bool is_open = !uv_pipe_open(&fd->pipe, setup->fd);
    if (!is_open)
        close(setup->fd);
    if (is_open && !uv_read_start((uv_stream_t *)&fd->pipe, give_buffer, has_read))
        return &fd->look;
    uv_close((uv_handle_t *)&fd->pipe, has_closed);
    return NULL;
}

static void abandon(struct look *look) {
    uv_close((uv_handle_t *)&((struct fd_look *)look)->pipe, has_closed);
}

const struct look_kind look_fd = {.begin = begin, .abandon = abandon};
