/*
 * sink.h - a descriptor that is written to without waiting for its reader.
 *
 * The descriptor is shared with the shell and with other programs, so O_NONBLOCK is
 * never set on it: that would be set for them too. What takes bytes without
 * waiting depends on what it is:
 *
 *   a file, a disk, /dev/null  write(): there is no reader to wait for
 *   a pipe, a terminal         opened once more through /proc/self/fd, that
 *                              description is ours alone and does not block
 *   a socket                   send() with MSG_DONTWAIT
 *   any of these, elsewhere    write() of at most PIPE_BUF bytes once poll() says
 *                              that they will be taken
 */
#ifndef AJOB_EXEC_SINK_H
#define AJOB_EXEC_SINK_H

#include <stdbool.h>
#include <stddef.h>

#include "exec/watch.h"

enum sink_kind { SINK_FILE, SINK_OWN, SINK_SOCKET, SINK_POLLED };

struct sink {
    int fd;     /* the caller's */
    int own_fd; /* the same file opened again, or -1 */
    enum sink_kind kind;
    bool is_open;
    bool is_blocked; /* it takes nothing until ready() comes */
    bool at_line_start;
    int error; /* errno of the first failure; it takes nothing more */
    void (*ready)(struct sink *sink);
    struct watch watch;
};

/* ready comes from the libuv loop after sink_write() has set is_blocked. */
void sink_open(struct sink *sink, struct ajob_loop *loop, int fd, void (*ready)(struct sink *sink));

/* Writes what is taken now. Returns how much that was; if not all, is_blocked or
 * error is set. */
size_t sink_write(struct sink *sink, const char *data, size_t length);

/* ready does not come any more. */
void sink_stop(struct sink *sink);

/* Closes what was opened here. The memory must outlive the loop's uv handles. */
void sink_close(struct sink *sink);

/* Whether both descriptors lead to the same file, terminal or pipe. */
bool sink_is_same(int a, int b);

#endif
