/*
 * pipes.c - the pipes from a process, read as something comes. See pipes.h.
 *
 * All of a loop are read into one buffer: what is in it is used before the next read.
 */
#include "exec/pipes.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "core/loop.h"
#include "exec/reaper.h"

static void handle_closed(uv_handle_t *handle) {
    struct pipes *pipes = ((struct pipe *)handle->data)->pipes;
    loop_handle_closed(pipes->queue->reaper->loop);
    if (--pipes->handles == 0)
        pipes->gone(pipes);
}

void pipes_close(struct pipes *pipes, enum spawn_pipe index) {
    struct pipe *pipe = &pipes->of[index];
    if (!pipe->is_open)
        return;
    pipe->is_open = false;
    if (pipe->is_watched)
        uv_close((uv_handle_t *)&pipe->handle, handle_closed);
    else
        close(pipe->fd);
}

void pipes_close_all(struct pipes *pipes) {
    for (int i = 0; i < SPAWN_PIPES; i++)
        pipes_close(pipes, i);
}

bool pipes_are_full(const struct pipes *pipes) {
    return pipes->reader->is_full(pipes->data);
}

bool pipes_print(const struct pipes *pipes) {
    return pipes->of[SPAWN_STDOUT].is_open || pipes->of[SPAWN_STDERR].is_open;
}

static void pause_reading(struct pipes *pipes) {
    for (int i = SPAWN_STDOUT; i <= SPAWN_STDERR; i++)
        if (pipes->of[i].is_open && pipes->of[i].is_watched)
            uv_read_stop((uv_stream_t *)&pipes->of[i].handle);
}

static void give_buffer(uv_handle_t *handle, size_t wanted, uv_buf_t *buffer) {
    struct pipes *pipes = ((struct pipe *)handle->data)->pipes;
    (void)wanted;
    *buffer = uv_buf_init(pipes->queue->buffer, QUEUE_BUFFER_SIZE);
}

static void was_read(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer) {
    struct pipe *pipe = stream->data;
    struct pipes *pipes = pipe->pipes;
    enum spawn_pipe index = (enum spawn_pipe)(pipe - pipes->of);
    if (length > 0) {
        pipes->total += (size_t)length;
        pipes->reader->read(pipes->data, index, buffer->base, (size_t)length);
        if (index != SPAWN_EXTRA && pipes_are_full(pipes))
            pause_reading(pipes);
    } else if (length < 0) {
        pipes_close(pipes, index);
        if (index == SPAWN_EXTRA)
            pipes->reader->read(pipes->data, index, NULL, 0);
        pipes->closed(pipes);
    }
}

void pipes_read_on(struct pipes *pipes) {
    for (int i = SPAWN_STDOUT; i <= SPAWN_STDERR; i++)
        if (pipes->of[i].is_open && pipes->of[i].is_watched)
            uv_read_start((uv_stream_t *)&pipes->of[i].handle, give_buffer, was_read);
}

void pipes_read_now(struct pipes *pipes) {
    enum { MOST = 16 * QUEUE_BUFFER_SIZE };
    char *buffer = pipes->queue->buffer;
    for (int i = 0; i < SPAWN_PIPES; i++) {
        struct pipe *pipe = &pipes->of[i];
        size_t total = 0;
        while (pipe->is_open && total < MOST && !pipes_are_full(pipes)) {
            ssize_t length = read(pipe->fd, buffer, QUEUE_BUFFER_SIZE);
            if (length < 0 && errno == EINTR)
                continue;
            if (length < 0 && errno == EAGAIN)
                break;
            if (length <= 0) {
                pipes_close(pipes, i);
                break;
            }
            pipes->reader->read(pipes->data, i, buffer, (size_t)length);
            total += (size_t)length;
        }
        pipes->total += total;
    }
    pipes->queue->last_total = pipes->total;
}

bool pipes_may_wait(const struct pipes *pipes) {
    return pipes->reader->is_patient(pipes->data) && pipes->queue->last_total < QUEUE_BUFFER_SIZE;
}

void pipes_open(struct pipes *pipes, const struct spawned *spawned) {
    for (int i = 0; i < SPAWN_PIPES; i++) {
        if (spawned->pipes[i] < 0)
            continue;
        fcntl(spawned->pipes[i], F_SETFL, O_RDONLY | O_NONBLOCK);
        pipes->of[i].pipes = pipes;
        pipes->of[i].fd = spawned->pipes[i];
        pipes->of[i].is_open = true;
    }
}

static bool watch(struct pipes *pipes, enum spawn_pipe index) {
    struct pipe *pipe = &pipes->of[index];
    struct ajob_loop *loop = pipes->queue->reaper->loop;
    uv_pipe_init(loop->uv, &pipe->handle, 0);
    pipe->handle.data = pipe;
    pipe->is_watched = true;
    pipes->handles++;
    loop_handle_opened(loop);
    int error = uv_pipe_open(&pipe->handle, pipe->fd);
    if (error)
        close(pipe->fd);
    else
        error = uv_read_start((uv_stream_t *)&pipe->handle, give_buffer, was_read);
    if (error)
        pipes_close(pipes, index);
    return !error;
}

bool pipes_watch(struct pipes *pipes) {
    bool is_readable = true;
    for (int i = 0; i < SPAWN_PIPES; i++)
        if (pipes->of[i].is_open && !pipes->of[i].is_watched)
            is_readable = watch(pipes, i) && is_readable;
    return is_readable;
}
