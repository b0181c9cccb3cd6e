/* sink.c - writing without waiting for the reader. See sink.h. */
#include "exec/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/epoll.h>
#endif

#include "core/loop.h"

enum { AGAIN_MS = 2 };

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

/* ---- opening ----------------------------------------------------------- */

bool sink_is_same(int a, int b) {
    struct stat first, second;
    return fstat(a, &first) == 0 && fstat(b, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino && first.st_rdev == second.st_rdev;
}

static int open_again(int fd) {
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int own_fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (own_fd < 0 || sink_is_same(fd, own_fd))
        return own_fd;
    close(own_fd);
    return -1;
}

static enum sink_kind kind_of(struct sink *sink) {
    struct stat status;
    if (fstat(sink->fd, &status) || S_ISREG(status.st_mode) || S_ISBLK(status.st_mode) ||
        (S_ISCHR(status.st_mode) && !isatty(sink->fd)))
        return SINK_FILE;
    if (S_ISSOCK(status.st_mode))
        return SINK_SOCKET;
    sink->own_fd = open_again(sink->fd);
    return sink->own_fd >= 0 ? SINK_OWN : SINK_POLLED;
}

void sink_open(struct sink *sink, struct ajob_loop *loop, int fd,
               void (*ready)(struct sink *sink)) {
    *sink = (struct sink){.loop = loop,
                          .fd = fd,
                          .own_fd = -1,
                          .epoll_fd = -1,
                          .is_open = true,
                          .at_line_start = true,
                          .ready = ready};
    sink->kind = kind_of(sink);
}

/* ---- waiting ----------------------------------------------------------- */

static void is_ready(struct sink *sink) {
    sink->is_blocked = false;
    sink->ready(sink);
}

static void timer_fired(uv_timer_t *timer) {
    is_ready(timer->data);
}

static bool watch_by_timer(struct sink *sink) {
    if (!sink->has_watch) {
        uv_timer_init(sink->loop->uv, &sink->watch.timer);
        sink->watch.timer.data = sink;
        loop_handle_opened(sink->loop);
        sink->has_watch = true;
    }
    uv_update_time(sink->loop->uv);
    return uv_timer_start(&sink->watch.timer, timer_fired, AGAIN_MS, 0) == 0;
}

#ifdef __linux__
static void poll_fired(uv_poll_t *poll, int status, int events) {
    (void)status, (void)events; /* an error shows in the next write */
    uv_poll_stop(poll);
    is_ready(poll->data);
}

/* False: the system has no epoll descriptor left, a timer does too. */
static bool open_poll(struct sink *sink) {
    int fd = sink->own_fd >= 0 ? sink->own_fd : sink->fd;
    struct epoll_event event = {.events = EPOLLOUT};
    sink->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (sink->epoll_fd < 0)
        return false;
    if (epoll_ctl(sink->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0 &&
        uv_poll_init(sink->loop->uv, &sink->watch.poll, sink->epoll_fd) == 0) {
        sink->watch.poll.data = sink;
        loop_handle_opened(sink->loop);
        sink->has_watch = true;
        return true;
    }
    close(sink->epoll_fd);
    sink->epoll_fd = -1;
    return false;
}

static bool watch(struct sink *sink) {
    if (!sink->has_watch)
        open_poll(sink);
    if (sink->epoll_fd < 0)
        return watch_by_timer(sink);
    return uv_poll_start(&sink->watch.poll, UV_READABLE, poll_fired) == 0;
}
#else
static bool watch(struct sink *sink) {
    return watch_by_timer(sink);
}
#endif

/* ---- writing ----------------------------------------------------------- */

static bool takes_more(int fd) {
    struct pollfd ready = {.fd = fd, .events = POLLOUT};
    return poll(&ready, 1, 0) > 0; /* an error too: the write tells it */
}

static ssize_t write_once(struct sink *sink, const char *data, size_t length) {
    switch (sink->kind) {
    case SINK_FILE:
        return write(sink->fd, data, length);
    case SINK_OWN:
        return write(sink->own_fd, data, length);
    case SINK_SOCKET:
        return send(sink->fd, data, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    case SINK_POLLED:
        break;
    }
    if (!takes_more(sink->fd)) {
        errno = EAGAIN;
        return -1;
    }
    return write(sink->fd, data, length < PIPE_BUF ? length : PIPE_BUF);
}

size_t sink_write(struct sink *sink, const char *data, size_t length) {
    size_t done = 0;
    while (done < length && !sink->error && !sink->is_blocked) {
        ssize_t written = write_once(sink, data + done, length - done);
        if (written >= 0)
            done += (size_t)written;
        else if (errno == EAGAIN || errno == EWOULDBLOCK)
            sink->is_blocked = true;
        else if (errno != EINTR)
            sink->error = errno;
    }
    if (done)
        sink->at_line_start = data[done - 1] == '\n';
    if (sink->is_blocked && !watch(sink)) {
        sink->is_blocked = false;
        sink->error = EIO;
    }
    return done;
}

/* ---- closing ----------------------------------------------------------- */

void sink_stop(struct sink *sink) {
    if (!sink->is_open || !sink->has_watch)
        return;
    if (sink->epoll_fd >= 0)
        uv_poll_stop(&sink->watch.poll);
    else
        uv_timer_stop(&sink->watch.timer);
}

static void watch_closed(uv_handle_t *handle) {
    struct sink *sink = handle->data;
    if (sink->epoll_fd >= 0)
        close(sink->epoll_fd);
    sink->epoll_fd = -1;
    loop_handle_closed(sink->loop);
}

void sink_close(struct sink *sink) {
    if (!sink->is_open)
        return;
    sink->is_open = false;
    if (sink->has_watch)
        uv_close(&sink->watch.handle, watch_closed);
    sink->has_watch = false;
    if (sink->own_fd >= 0)
        close(sink->own_fd);
    sink->own_fd = -1;
}
