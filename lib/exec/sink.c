/* sink.c - writing without waiting for the reader. See sink.h. */
#include "exec/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/loop.h"

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

static void is_ready(struct watch *watch) {
    struct sink *sink = (struct sink *)((char *)watch - offsetof(struct sink, watch));
    sink->is_blocked = false;
    sink->ready(sink);
}

void sink_open(struct sink *sink, struct ajob_loop *loop, int fd,
               void (*ready)(struct sink *sink)) {
    *sink = (struct sink){
        .fd = fd, .own_fd = -1, .is_open = true, .at_line_start = true, .ready = ready};
    sink->kind = kind_of(sink);
    sink->watch.loop = loop;
    sink->watch.fd = sink->own_fd >= 0 ? sink->own_fd : fd;
    sink->watch.ready = is_ready;
}

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
    if (sink->is_blocked && !watch_start(&sink->watch)) {
        sink->is_blocked = false;
        sink->error = EIO;
    }
    return done;
}

/* ---- closing ----------------------------------------------------------- */

void sink_stop(struct sink *sink) {
    if (sink->is_open)
        watch_stop(&sink->watch);
}

void sink_close(struct sink *sink) {
    if (!sink->is_open)
        return;
    sink->is_open = false;
    watch_close(&sink->watch);
    if (sink->own_fd >= 0)
        close(sink->own_fd);
    sink->own_fd = -1;
}
