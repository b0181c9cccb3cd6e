/* watch.c - waiting for a shared descriptor. See watch.h. */
#include "exec/watch.h"

#include <unistd.h>
#ifdef __linux__
#include <sys/epoll.h>
#endif

#include "core/loop.h"

enum { AGAIN_MS = 2 };

static void timer_fired(uv_timer_t *timer) {
    struct watch *watch = timer->data;
    watch->ready(watch);
}

static void opened(struct watch *watch) {
    watch->handle.any.data = watch;
    watch->has_handle = true;
    loop_handle_opened(watch->loop);
}

static bool start_timer(struct watch *watch) {
    if (!watch->has_handle) {
        uv_timer_init(watch->loop->uv, &watch->handle.timer);
        watch->epoll_fd = -1;
        opened(watch);
    }
    uv_update_time(watch->loop->uv);
    return uv_timer_start(&watch->handle.timer, timer_fired, AGAIN_MS, 0) == 0;
}

#ifdef __linux__
static void poll_fired(uv_poll_t *poll, int status, int events) {
    struct watch *watch = poll->data;
    (void)status, (void)events; /* an error shows in the next read or write */
    uv_poll_stop(poll);
    watch->ready(watch);
}

/* False: the system has no epoll descriptor left, a timer does too. */
static bool open_poll(struct watch *watch) {
    struct epoll_event event = {.events = watch->is_for_reading ? EPOLLIN : EPOLLOUT};
    watch->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (watch->epoll_fd < 0)
        return false;
    if (epoll_ctl(watch->epoll_fd, EPOLL_CTL_ADD, watch->fd, &event) == 0 &&
        uv_poll_init(watch->loop->uv, &watch->handle.poll, watch->epoll_fd) == 0) {
        opened(watch);
        return true;
    }
    close(watch->epoll_fd);
    watch->epoll_fd = -1;
    return false;
}

bool watch_start(struct watch *watch) {
    bool is_polled = watch->has_handle ? watch->epoll_fd >= 0 : open_poll(watch);
    if (!is_polled)
        return start_timer(watch);
    return uv_poll_start(&watch->handle.poll, UV_READABLE, poll_fired) == 0;
}
#else
bool watch_start(struct watch *watch) {
    return start_timer(watch);
}
#endif

void watch_stop(struct watch *watch) {
    if (!watch->has_handle)
        return;
    if (watch->epoll_fd >= 0)
        uv_poll_stop(&watch->handle.poll);
    else
        uv_timer_stop(&watch->handle.timer);
}

static void handle_closed(uv_handle_t *handle) {
    struct watch *watch = handle->data;
    if (watch->epoll_fd >= 0)
        close(watch->epoll_fd);
    watch->epoll_fd = -1;
    loop_handle_closed(watch->loop);
}

void watch_close(struct watch *watch) {
    if (watch->has_handle)
        uv_close(&watch->handle.any, handle_closed);
    watch->has_handle = false;
}
