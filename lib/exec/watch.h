/*
 * watch.h - waiting until a descriptor that is shared with others takes or has bytes.
 *
 * uv_poll_init() would set O_NONBLOCK, for the shell and for other programs too, so what
 * libuv watches is an epoll descriptor with the real one in it; where there is no
 * epoll, a timer asks.
 */
#ifndef AJOB_EXEC_WATCH_H
#define AJOB_EXEC_WATCH_H

#include <uv.h>

#include <stdbool.h>

struct ajob_loop;

struct watch {
    struct ajob_loop *loop;
    int fd;
    bool is_for_reading;
    void (*ready)(struct watch *watch); /* from the libuv loop, once for each watch_start() */
    int epoll_fd;                       /* meaningful if has_handle; -1: a timer asks */
    bool has_handle;
    union {
        uv_handle_t any;
        uv_poll_t poll;
        uv_timer_t timer;
    } handle; /* meaningful if has_handle */
};

/* False: libuv refuses. */
bool watch_start(struct watch *watch);
void watch_stop(struct watch *watch);

/* The memory must outlive the loop's uv handles. */
void watch_close(struct watch *watch);

#endif
