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
#include "net/host.h"
#include "net/net.h"
#include "net/profile.h"

/* A file descriptor that libcurl has asked, or may ask again, to watch. The
 * handle stays for as long as the net: numbers of descriptors come back. */
struct watch {
    uv_poll_t poll;
    struct net *net;
    curl_socket_t fd;
    int wanted, active; /* UV_READABLE | UV_WRITABLE */
    bool is_connection; /* made by open_socket: we hear of its closing */
    bool is_changed;
    struct watch *next_changed;
};

static const char net_key; /* its address names the module */

/* ---- telling libcurl ---------------------------------------------------- */

static void collect_done(struct net *net) {
    int left;
    CURLMsg *message;
    while ((message = curl_multi_info_read(net->multi, &left))) {
        struct exchange *exchange = NULL;
        CURLcode code = message->data.result;
        CURL *easy = message->easy_handle;
        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&exchange);
        curl_multi_remove_handle(net->multi, easy);
        exchange->is_running = false;
        exchange->done(exchange, code);
    }
}

static void act(struct net *net, curl_socket_t fd, int events) {
    int running;
    curl_multi_socket_action(net->multi, fd, events, &running);
    collect_done(net);
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
    act(watch->net, watch->fd, flags);
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
        watch->next_changed = watch->net->changed;
        watch->net->changed = watch;
    }
}

static struct watch *watch_for(struct net *net, curl_socket_t fd) {
    size_t index = (size_t)fd;
    if (index >= net->watch_count) {
        size_t count = (index + 1) * 2;
        struct watch **watches = mem_resize(net->watches, count * sizeof *watches);
        if (!watches)
            return NULL;
        memset(watches + net->watch_count, 0, (count - net->watch_count) * sizeof *watches);
        net->watches = watches;
        net->watch_count = count;
    }
    if (net->watches[index])
        return net->watches[index];
    struct watch *watch = mem_new(sizeof *watch);
    if (!watch || uv_poll_init_socket(net->loop->uv, &watch->poll, fd)) {
        mem_free(watch);
        return NULL;
    }
    loop_handle_opened(net->loop);
    watch->poll.data = watch;
    watch->net = net;
    watch->fd = fd;
    net->watches[index] = watch;
    return watch;
}

static int socket_changed(CURL *easy, curl_socket_t fd, int what, void *data, void *unused) {
    struct net *net = data;
    (void)easy;
    (void)unused;
    if (net->loop->closing)
        return 0;
    struct watch *watch = watch_for(net, fd);
    if (!watch)
        return -1; /* the transfers in this call fail with CURLM_ABORTED_BY_CALLBACK */
    bool is_in = what == CURL_POLL_IN || what == CURL_POLL_INOUT;
    bool is_out = what == CURL_POLL_OUT || what == CURL_POLL_INOUT;
    want(watch, (is_in ? UV_READABLE : 0) | (is_out ? UV_WRITABLE : 0));
    return 0;
}

static int timer_changed(CURLM *multi, long timeout_ms, void *data) {
    struct net *net = data;
    (void)multi;
    if (net->loop->closing)
        return 0;
    net->is_kicked = timeout_ms == 0;
    if (timeout_ms > 0) {
        uv_update_time(net->loop->uv);
        uv_timer_start(&net->timer, timer_fired, (uint64_t)timeout_ms, 0);
    } else {
        uv_timer_stop(&net->timer);
    }
    return 0;
}

static curl_socket_t open_socket(void *data, curlsocktype purpose, struct curl_sockaddr *address) {
    struct net *net = data;
    (void)purpose;
#ifdef SOCK_CLOEXEC
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
#else
    int fd = socket(address->family, address->socktype, address->protocol);
#endif
    struct watch *watch = fd < 0 ? NULL : watch_for(net, fd);
    if (watch)
        watch->is_connection = true;
    return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static int close_socket(void *data, curl_socket_t fd) {
    struct net *net = data;
    struct watch *watch = (size_t)fd < net->watch_count ? net->watches[fd] : NULL;
    if (watch) {
        watch->wanted = 0;
        if (!net->loop->closing)
            align(watch);
        watch->is_connection = false;
    }
    return close(fd);
}

/* ---- the module --------------------------------------------------------- */

static void turn_ended(struct loop_module *module) {
    struct net *net = (struct net *)module;
    while (net->is_kicked) {
        net->is_kicked = false;
        act(net, CURL_SOCKET_TIMEOUT, 0);
    }
    while (net->changed) {
        struct watch *watch = net->changed;
        net->changed = watch->next_changed;
        watch->is_changed = false;
        align(watch);
    }
}

static void timer_closed(uv_handle_t *handle) {
    loop_handle_closed(((struct net *)handle->data)->loop);
}

static void watch_closed(uv_handle_t *handle) {
    struct watch *watch = handle->data;
    struct ajob_loop *loop = watch->net->loop;
    mem_free(watch);
    loop_handle_closed(loop);
}

static void close_net(struct loop_module *module) {
    struct net *net = (struct net *)module;
    for (size_t i = 0; i < net->watch_count; i++)
        if (net->watches[i])
            uv_close((uv_handle_t *)&net->watches[i]->poll, watch_closed);
    net->watches = mem_free(net->watches);
    net->watch_count = 0;
    uv_close((uv_handle_t *)&net->timer, timer_closed);
}

static void free_net(struct loop_module *module) {
    struct net *net = (struct net *)module;
    while (net->profiles) {
        struct profile *profile = net->profiles;
        net->profiles = profile->next;
        while (profile->idle) {
            struct exchange *exchange = profile->idle;
            profile->idle = exchange->next_idle;
            curl_easy_cleanup(exchange->easy);
            mem_free(exchange);
        }
        profile_free(profile);
    }
    curl_multi_cleanup(net->multi);
    hosts_free(net->hosts);
    mem_free(net);
}

/* One buffer for each exchange: 2 MiB for all of them together. */
static long buffer_size_for(unsigned transfers) {
    long size = (2L << 20) / (long)transfers;
    return size < 16384 ? 16384 : size > 524288 ? 524288 : size;
}

static bool set_up_multi(struct net *net, unsigned transfers) {
    CURLM *multi = net->multi;
    bool is_ok = multi != NULL;
#define SET(option, value) is_ok = is_ok && curl_multi_setopt(multi, option, value) == CURLM_OK
    SET(CURLMOPT_SOCKETFUNCTION, socket_changed);
    SET(CURLMOPT_SOCKETDATA, net);
    SET(CURLMOPT_TIMERFUNCTION, timer_changed);
    SET(CURLMOPT_TIMERDATA, net);
    /* Fewer than transfers would close a connection after every request. */
    SET(CURLMOPT_MAXCONNECTS, (long)transfers + 4);
#undef SET
    return is_ok;
}

struct net *net_of(struct ajob_loop *loop) {
    struct loop_module *module = loop_find_module(loop, &net_key);
    if (module)
        return (struct net *)module;
    struct net *net = mem_new(sizeof *net);
    if (!net) {
        loop_fail(loop, AJOB_ENOMEM, "out of memory");
        return NULL;
    }
    unsigned transfers = pool_size(loop->transfers);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    net->loop = loop;
    net->multi = curl_multi_init();
    net->buffer_size = buffer_size_for(transfers);
    if (!set_up_multi(net, transfers)) {
        curl_multi_cleanup(net->multi);
        mem_free(net);
        loop_fail(loop, AJOB_ENOMEM, "libcurl could not be set up");
        return NULL;
    }
    uv_timer_init(loop->uv, &net->timer);
    net->timer.data = net;
    loop_handle_opened(loop);
    net->module = (struct loop_module){
        .key = &net_key, .close = close_net, .free = free_net, .turn_ended = turn_ended};
    loop_add_module(loop, &net->module);
    return net;
}

/* ---- exchanges ----------------------------------------------------------- */

struct exchange *exchange_take(struct net *net, const struct profile *profile) {
    struct profile *mine = (struct profile *)profile; /* its idle list is the net's */
    struct exchange *exchange = mine->idle;
    if (exchange) {
        mine->idle = exchange->next_idle;
        exchange->error[0] = '\0';
        return exchange;
    }
    exchange = mem_new(sizeof *exchange);
    CURL *easy = exchange ? curl_easy_init() : NULL;
    bool is_ok = easy && profile_apply(profile, easy, net->buffer_size) &&
                 !curl_easy_setopt(easy, CURLOPT_PRIVATE, exchange) &&
                 !curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->error) &&
                 !curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket) &&
                 !curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, net) &&
                 !curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket) &&
                 !curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, net);
    if (!is_ok) {
        curl_easy_cleanup(easy);
        return mem_free(exchange);
    }
    exchange->easy = easy;
    exchange->net = net;
    exchange->profile = profile;
    return exchange;
}

bool exchange_start(struct exchange *exchange) {
    exchange->is_running =
        curl_multi_add_handle(exchange->net->multi, exchange->easy) == CURLM_OK;
    return exchange->is_running;
}

struct exchange *exchange_give(struct exchange *exchange) {
    if (!exchange)
        return NULL;
    if (exchange->is_running)
        curl_multi_remove_handle(exchange->net->multi, exchange->easy);
    exchange->is_running = false;
    struct profile *profile = (struct profile *)exchange->profile;
    exchange->next_idle = profile->idle;
    profile->idle = exchange;
    return NULL;
}
