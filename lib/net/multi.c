/*
 * multi.c - libcurl's multi interface on the libuv loop. See multi.h.
 *
 * libcurl tells which sockets to watch (socket_changed), when to be called
 * again (timer_changed), and is told what happened (act). At the end of every
 * request it stops watching the socket and at the start of the next one it
 * watches it again; since both happen in one turn, the watches are brought in
 * line once, at the turn's end, and most changes cancel out. A socket about to
 * be closed is let go at once: its number may come back as another file.
 *
 * Contract: libcurl's "multi-uv" example and curl_multi_socket_action(3).
 */
#include "net/multi.h"

#include <errno.h>
#include <unistd.h>

#include "base/mem.h"
#include "core/loop.h"
#include "core/pool.h"
#include "net/throttle.h"

/* A file descriptor that libcurl has asked, or may ask again, to watch; until
 * it is closed, or, where we do not hear of that, not wanted any more. */
struct watch {
    uv_poll_t poll;
    struct multi *multi;
    curl_socket_t fd;
    int wanted, active; /* UV_READABLE | UV_WRITABLE */
    bool is_connection; /* made by open_socket: we hear of its closing */
    bool is_changed;
    struct watch *next_changed;
};

struct multi {
    struct loop_module module;
    struct ajob_loop *loop;
    CURLM *curl;
    uv_timer_t timer;
    bool is_kicked;         /* libcurl wants to be called at once */
    struct watch **watches; /* by file descriptor; NULL where there is none */
    size_t watch_count;
    struct watch *changed; /* to be brought in line at the end of the turn */
    long buffer_size;      /* of one exchange */
};

static const char multi_key; /* its address names the module */

/* ---- telling libcurl ---------------------------------------------------- */

static void collect_done(struct multi *multi) {
    int left;
    CURLMsg *message;
    while ((message = curl_multi_info_read(multi->curl, &left))) {
        struct exchange *exchange = NULL;
        CURLcode code = message->data.result;
        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&exchange);
        exchange_stop(exchange);
        exchange->done(exchange, code);
    }
}

static void act(struct multi *multi, curl_socket_t fd, int events) {
    int running;
    curl_multi_socket_action(multi->curl, fd, events, &running);
    collect_done(multi);
}

static void timer_fired(uv_timer_t *timer) {
    act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static void socket_is_ready(uv_poll_t *poll, int status, int events) {
    struct watch *watch = poll->data;
    int flags = 0;
    if (status < 0) { /* libuv has stopped the handle; libcurl finds out why */
        watch->active = 0;
        flags = CURL_CSELECT_ERR | CURL_CSELECT_IN | CURL_CSELECT_OUT;
    }
    if (events & UV_READABLE)
        flags |= CURL_CSELECT_IN;
    if (events & UV_WRITABLE)
        flags |= CURL_CSELECT_OUT;
    act(watch->multi, watch->fd, flags);
}

/* ---- hearing from libcurl ----------------------------------------------- */

static void align(struct watch *watch) {
    if (watch->wanted == watch->active)
        return;
    if (watch->wanted)
        uv_poll_start(&watch->poll, watch->wanted, socket_is_ready);
    else
        uv_poll_stop(&watch->poll);
    watch->active = watch->wanted;
}

static void want(struct watch *watch, int events) {
    watch->wanted = events;
    if (!watch->is_connection) {
        align(watch);
    } else if (!watch->is_changed) {
        watch->is_changed = true;
        watch->next_changed = watch->multi->changed;
        watch->multi->changed = watch;
    }
}

static struct watch *watch_for(struct multi *multi, curl_socket_t fd) {
    size_t index = (size_t)fd;
    if (index >= multi->watch_count) {
        size_t count = (index + 1) * 2;
        struct watch **watches = mem_resize(multi->watches, count * sizeof *watches);
        if (!watches)
            return NULL;
        memset(watches + multi->watch_count, 0, (count - multi->watch_count) * sizeof *watches);
        multi->watches = watches;
        multi->watch_count = count;
    }
    if (multi->watches[index])
        return multi->watches[index];
    struct watch *watch = mem_new(sizeof *watch);
    if (!watch || uv_poll_init_socket(multi->loop->uv, &watch->poll, fd)) {
        mem_free(watch);
        return NULL;
    }
    loop_handle_opened(multi->loop);
    watch->poll.data = watch;
    watch->multi = multi;
    watch->fd = fd;
    multi->watches[index] = watch;
    return watch;
}

static void watch_closed(uv_handle_t *handle) {
    struct watch *watch = handle->data;
    struct ajob_loop *loop = watch->multi->loop;
    mem_free(watch);
    loop_handle_closed(loop);
}

/* Before the descriptor is closed: its number may be anybody's then. */
static void drop_watch(struct watch *watch) {
    struct watch **link = &watch->multi->changed;
    while (*link && *link != watch)
        link = &(*link)->next_changed;
    if (*link)
        *link = watch->next_changed;
    watch->multi->watches[watch->fd] = NULL;
    uv_close((uv_handle_t *)&watch->poll, watch_closed);
}

static int socket_changed(CURL *easy, curl_socket_t fd, int what, void *data, void *unused) {
    struct multi *multi = data;
    (void)easy;
    (void)unused;
    if (multi->loop->closing)
        return 0;
    struct watch *watch = watch_for(multi, fd);
    if (!watch)
        return -1; /* the transfers in this call fail with CURLM_ABORTED_BY_CALLBACK */
    bool is_in = what == CURL_POLL_IN || what == CURL_POLL_INOUT;
    bool is_out = what == CURL_POLL_OUT || what == CURL_POLL_INOUT;
    if (what == CURL_POLL_REMOVE && !watch->is_connection)
        drop_watch(watch);
    else
        want(watch, (is_in ? UV_READABLE : 0) | (is_out ? UV_WRITABLE : 0));
    return 0;
}

static int timer_changed(CURLM *curl, long timeout_ms, void *data) {
    struct multi *multi = data;
    (void)curl;
    if (multi->loop->closing)
        return 0;
    multi->is_kicked = timeout_ms == 0;
    if (timeout_ms > 0) {
        uv_update_time(multi->loop->uv);
        uv_timer_start(&multi->timer, timer_fired, (uint64_t)timeout_ms, 0);
    } else {
        uv_timer_stop(&multi->timer);
    }
    return 0;
}

static curl_socket_t open_socket(void *data, curlsocktype purpose, struct curl_sockaddr *address) {
    struct multi *multi = data;
    (void)purpose;
#ifdef SOCK_CLOEXEC
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
#else
    int fd = socket(address->family, address->socktype, address->protocol);
#endif
    struct watch *watch = fd < 0 ? NULL : watch_for(multi, fd);
    if (watch)
        watch->is_connection = true;
    return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static int close_socket(void *data, curl_socket_t fd) {
    struct multi *multi = data;
    struct watch *watch = (size_t)fd < multi->watch_count ? multi->watches[fd] : NULL;
    if (watch)
        drop_watch(watch);
    return close(fd);
}

/* How often in one turn libcurl may want to be called again at once. */
enum { ROUNDS_MAX = 4 };

/* ---- the module --------------------------------------------------------- */

static void turn_ended(struct loop_module *module) {
    struct multi *multi = (struct multi *)module;
    for (int round = 0; multi->is_kicked && round < ROUNDS_MAX; round++) {
        multi->is_kicked = false;
        act(multi, CURL_SOCKET_TIMEOUT, 0);
    }
    if (multi->is_kicked) /* signals and deadlines come first */
        uv_timer_start(&multi->timer, timer_fired, 0, 0);
    while (multi->changed) {
        struct watch *watch = multi->changed;
        multi->changed = watch->next_changed;
        watch->is_changed = false;
        align(watch);
    }
}

static void timer_closed(uv_handle_t *handle) {
    loop_handle_closed(((struct multi *)handle->data)->loop);
}

static void close_multi(struct loop_module *module) {
    struct multi *multi = (struct multi *)module;
    for (size_t i = 0; i < multi->watch_count; i++)
        if (multi->watches[i])
            uv_close((uv_handle_t *)&multi->watches[i]->poll, watch_closed);
    multi->watches = mem_free(multi->watches);
    multi->watch_count = 0;
    uv_close((uv_handle_t *)&multi->timer, timer_closed);
}

static void free_multi(struct loop_module *module) {
    struct multi *multi = (struct multi *)module;
    curl_multi_cleanup(multi->curl);
    mem_free(multi);
}

/* Each exchange has a buffer: 3 MiB for all of them together. */
static long buffer_size_for(unsigned transfers) {
    long size = (3L << 20) / (long)transfers;
    return size < 16384 ? 16384 : size > 262144 ? 262144 : size;
}

static bool set_up(struct multi *multi, unsigned transfers) {
    CURLM *curl = multi->curl;
    bool is_ok = curl != NULL;
#define SET(option, value) is_ok = is_ok && curl_multi_setopt(curl, option, value) == CURLM_OK
    SET(CURLMOPT_SOCKETFUNCTION, socket_changed);
    SET(CURLMOPT_SOCKETDATA, multi);
    SET(CURLMOPT_TIMERFUNCTION, timer_changed);
    SET(CURLMOPT_TIMERDATA, multi);
    /* Fewer than transfers would close a connection after every request. */
    SET(CURLMOPT_MAXCONNECTS, (long)transfers + 4);
#undef SET
    return is_ok;
}

static struct multi *multi_of(struct ajob_loop *loop) {
    struct loop_module *module = loop_find_module(loop, &multi_key);
    if (module)
        return (struct multi *)module;
    struct multi *multi = mem_new(sizeof *multi);
    if (!multi) {
        loop_fail_memory(loop);
        return NULL;
    }
    unsigned transfers = pool_size(loop->transfers);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    multi->loop = loop;
    multi->curl = curl_multi_init();
    multi->buffer_size = throttle_piece(loop, buffer_size_for(transfers));
    if (!set_up(multi, transfers)) {
        curl_multi_cleanup(multi->curl);
        mem_free(multi);
        loop_fail(loop, AJOB_ENOMEM, "libcurl could not be set up");
        return NULL;
    }
    uv_timer_init(loop->uv, &multi->timer);
    multi->timer.data = multi;
    loop_handle_opened(loop);
    multi->module = (struct loop_module){
        .key = &multi_key, .close = close_multi, .free = free_multi, .turn_ended = turn_ended};
    loop_add_module(loop, &multi->module);
    return multi;
}

/* ---- exchanges ----------------------------------------------------------- */

struct exchange *exchange_new(struct ajob_loop *loop) {
    struct multi *multi = multi_of(loop);
    struct exchange *exchange = multi ? mem_new(sizeof *exchange) : NULL;
    CURL *easy = exchange ? curl_easy_init() : NULL;
    bool is_ok = easy && !curl_easy_setopt(easy, CURLOPT_PRIVATE, exchange) &&
                 !curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->error) &&
                 !curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, multi->buffer_size) &&
                 !curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket) &&
                 !curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, multi) &&
                 !curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket) &&
                 !curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, multi);
    if (!is_ok) {
        curl_easy_cleanup(easy);
        loop_fail_memory(loop);
        return mem_free(exchange);
    }
    exchange->easy = easy;
    exchange->multi = multi;
    return exchange;
}

bool exchange_start(struct exchange *exchange) {
    struct multi *multi = exchange->multi;
    exchange->error[0] = '\0';
    exchange->is_running = curl_multi_add_handle(multi->curl, exchange->easy) == CURLM_OK;
    return exchange->is_running;
}

void exchange_stop(struct exchange *exchange) {
    if (!exchange->is_running)
        return;
    curl_multi_remove_handle(exchange->multi->curl, exchange->easy);
    exchange->is_running = false;
}

struct exchange *exchange_free(struct exchange *exchange) {
    if (exchange)
        curl_easy_cleanup(exchange->easy);
    return mem_free(exchange);
}
