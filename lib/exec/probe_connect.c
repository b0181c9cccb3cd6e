/*
 * probe_connect.c - does a port accept (tcp), does an HTTP server answer (http).
 *
 * Every address of the name is tried in turn, since a server often listens on
 * one of localhost's two. A connection from the port to itself, which the system
 * makes when it picks the very port it connects to, counts as none. A resolver
 * that hangs cannot be stopped: this look waits for it, and no other begins.
 */
#include <netdb.h>
#include <uv.h>

#include "base/mem.h"
#include "core/loop.h"
#include "core/task.h"
#include "exec/probe_look.h"

enum { ADDRESSES_MAX = 8, ANSWER_MAX = 64 };

enum connect_state {
    CONNECT_RESOLVING,
    CONNECT_CHOOSING, /* the next address, or the end */
    CONNECT_CONNECTING,
    CONNECT_ASKING,  /* http: until the status is there */
    CONNECT_CLOSING, /* the socket */
};

struct connect_look {
    struct look look;
    struct ajob_loop *loop;
    const struct probe_plan *plan; /* meaningful until it is abandoned */
    enum connect_state state;
    struct deadline bound;
    uv_getaddrinfo_t resolving;
    uv_tcp_t socket;
    uv_connect_t connecting;
    uv_write_t writing;
    struct sockaddr_storage addresses[ADDRESSES_MAX];
    unsigned address_count, tried;
    char answer[ANSWER_MAX];
    size_t answered;
    /* Facts, of the address being tried. */
    bool is_resolved, is_connected, has_failed, is_closed;
    bool is_ready;
};

static void step(struct connect_look *connect);

int http_status(const char *answer, size_t length) {
    static const char form[] = "HTTP/1.d ddd";
    for (size_t i = 0; form[i]; i++) {
        if (i == length)
            return 0;
        bool is_digit = answer[i] >= '0' && answer[i] <= '9';
        if (form[i] == 'd' ? !is_digit : answer[i] != form[i])
            return -1;
    }
    if (length == sizeof form - 1)
        return 0;
    char after = answer[sizeof form - 1];
    if (after != ' ' && after != '\r' && after != '\n')
        return -1;
    const char *digits = answer + sizeof form - 4;
    return (digits[0] - '0') * 100 + (digits[1] - '0') * 10 + (digits[2] - '0');
}

/* ---- facts ------------------------------------------------------------- */

static void has_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *found) {
    struct connect_look *connect = request->data;
    struct ajob_loop *loop = connect->loop;
    (void)status; /* without addresses this look is in vain */
    for (struct addrinfo *info = found; info && connect->address_count < ADDRESSES_MAX;
         info = info->ai_next)
        memcpy(&connect->addresses[connect->address_count++], info->ai_addr, info->ai_addrlen);
    uv_freeaddrinfo(found);
    connect->is_resolved = true;
    step(connect);
    loop_handle_closed(loop); /* may free the loop */
}

static bool is_connected_to_itself(const uv_tcp_t *socket) {
    struct sockaddr_storage here = {0}, there = {0};
    int here_size = sizeof here, there_size = sizeof there;
    return !uv_tcp_getsockname(socket, (struct sockaddr *)&here, &here_size) &&
           !uv_tcp_getpeername(socket, (struct sockaddr *)&there, &there_size) &&
           here_size == there_size && !memcmp(&here, &there, (size_t)here_size);
}

static void has_connected(uv_connect_t *request, int status) {
    struct connect_look *connect = request->data;
    connect->is_connected = !status && !is_connected_to_itself(&connect->socket);
    connect->has_failed = !connect->is_connected;
    step(connect);
}

static void has_written(uv_write_t *request, int status) {
    struct connect_look *connect = request->data;
    connect->has_failed = connect->has_failed || status;
    step(connect);
}

static void give_buffer(uv_handle_t *handle, size_t wanted, uv_buf_t *buffer) {
    struct connect_look *connect = handle->data;
    (void)wanted;
    *buffer = uv_buf_init(connect->answer + connect->answered,
                          (unsigned)(ANSWER_MAX - connect->answered));
}

static void has_read(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer) {
    struct connect_look *connect = stream->data;
    (void)buffer;
    connect->has_failed = connect->has_failed || length < 0;
    connect->answered += length > 0 ? (size_t)length : 0;
    step(connect);
}

static void has_closed(uv_handle_t *handle) {
    struct connect_look *connect = handle->data;
    struct ajob_loop *loop = connect->loop;
    connect->is_closed = true;
    step(connect);
    loop_handle_closed(loop); /* may free the loop */
}

static void bound_is_due(struct deadline *deadline) {
    struct connect_look *connect =
        (struct connect_look *)((char *)deadline - offsetof(struct connect_look, bound));
    connect->has_failed = true;
    step(connect);
}

/* ---- steps ------------------------------------------------------------- */

static void bind_within(struct connect_look *connect, uint64_t time_ms) {
    deadline_arm(&connect->loop->deadlines, &connect->bound, loop_due_ms(connect->loop, time_ms));
}

/* False: no socket could be made, none is to be closed. */
static bool begin_connecting(struct connect_look *connect) {
    const struct sockaddr *address = (const struct sockaddr *)&connect->addresses[connect->tried++];
    connect->is_connected = connect->has_failed = connect->is_closed = false;
    connect->answered = 0;
    if (uv_tcp_init(connect->loop->uv, &connect->socket))
        return false;
    loop_handle_opened(connect->loop);
    connect->socket.data = connect->connecting.data = connect;
    connect->state = CONNECT_CONNECTING;
    bind_within(connect, LOOK_CONNECT_MS);
    if (uv_tcp_connect(&connect->connecting, &connect->socket, address, has_connected))
        connect->has_failed = true;
    return true;
}

static void begin_asking(struct connect_look *connect) {
    char *request = connect->plan->request;
    uv_buf_t buffer = uv_buf_init(request, (unsigned)strlen(request));
    uv_stream_t *stream = (uv_stream_t *)&connect->socket;
    connect->state = CONNECT_ASKING;
    connect->writing.data = connect;
    bind_within(connect, LOOK_ANSWER_MS);
    if (uv_write(&connect->writing, stream, &buffer, 1, has_written) ||
        uv_read_start(stream, give_buffer, has_read))
        connect->has_failed = true;
}

static void begin_closing(struct connect_look *connect) {
    connect->state = CONNECT_CLOSING;
    deadline_disarm(&connect->loop->deadlines, &connect->bound);
    uv_close((uv_handle_t *)&connect->socket, has_closed);
}

static void free_look(struct connect_look *connect) {
    deadline_done(&connect->loop->deadlines, &connect->bound);
    mem_free(connect);
}

static void step(struct connect_look *connect) {
    bool is_abandoned = !connect->look.probe;
    for (;;) {
        switch (connect->state) {
        case CONNECT_RESOLVING:
            if (!connect->is_resolved)
                return;
            connect->state = CONNECT_CHOOSING;
            break;
        case CONNECT_CHOOSING: {
            bool is_last = connect->tried == connect->address_count;
            if (is_abandoned || connect->is_ready || is_last || !begin_connecting(connect)) {
                look_over(&connect->look, connect->is_ready);
                free_look(connect);
                return;
            }
            break;
        }
        case CONNECT_CONNECTING:
            if (is_abandoned || connect->has_failed) {
                begin_closing(connect);
            } else if (!connect->is_connected) {
                return;
            } else if (connect->plan->request) {
                begin_asking(connect);
            } else {
                connect->is_ready = true;
                begin_closing(connect);
            }
            break;
        case CONNECT_ASKING: {
            int status = http_status(connect->answer, connect->answered);
            if (!is_abandoned && !connect->has_failed && !status)
                return;
            connect->is_ready = status >= 200 && status <= 399;
            begin_closing(connect);
            break;
        }
        case CONNECT_CLOSING:
            if (!connect->is_closed)
                return;
            connect->state = CONNECT_CHOOSING;
            break;
        }
    }
}

/* ---- the kind ---------------------------------------------------------- */

static bool begin_resolving(struct connect_look *connect) {
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    const struct probe_plan *plan = connect->plan;
    connect->resolving.data = connect;
    if (uv_getaddrinfo(connect->loop->uv, &connect->resolving, has_resolved, plan->host, plan->port,
                       &hints))
        return false;
    loop_handle_opened(connect->loop);
    return true;
}

static struct look *begin(struct probe *probe) {
    const struct probe_setup *setup = look_setup(probe);
    struct connect_look *connect = mem_new(sizeof *connect);
    if (!connect || !deadline_init(&setup->task->loop->deadlines, &connect->bound, bound_is_due)) {
        mem_free(connect);
        return NULL;
    }
    connect->look.probe = probe;
    connect->loop = setup->task->loop;
    connect->plan = setup->plan;
    connect->bound.depth = UINT32_MAX;
    connect->address_count = connect->plan->address_count;
    memcpy(connect->addresses, connect->plan->addresses, sizeof connect->plan->addresses);
    bool has_begun = connect->address_count ? begin_connecting(connect) : begin_resolving(connect);
    if (!has_begun) {
        free_look(connect);
        return NULL;
    }
    step(connect);
    return &connect->look;
}

static bool abandon(struct look *look) {
    struct connect_look *connect = (struct connect_look *)look;
    if (connect->state == CONNECT_RESOLVING)
        uv_cancel((uv_req_t *)&connect->resolving); /* or it comes when it comes */
    step(connect);
    return true;
}

const struct look_kind look_connect = {.begin = begin, .abandon = abandon};
