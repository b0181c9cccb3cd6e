/*
 * test_probe_connect.c - probes of ports and of HTTP, against servers on the same
 * loop.
 */
#include <stdlib.h>

#include "probe_rig.h"

/* ---- a server ---------------------------------------------------------- */

/* Answers each connection with the next of its answers; the last one repeats. An
 * answer with '|' in it is sent in two pieces; NULL hangs. */
static struct server {
    uv_tcp_t socket;
    int port;
    unsigned connections, is_open;
    const char *const *answers;
    char request[1024];
} server;

struct client {
    uv_tcp_t socket;
    uv_timer_t timer;
    const char *rest;
    unsigned closing;
};

static void client_closed(uv_handle_t *handle) {
    struct client *client = handle->data;
    if (--client->closing == 0)
        free(client);
}

static void close_client(struct client *client) {
    if (client->closing)
        return;
    client->closing = 2;
    uv_close((uv_handle_t *)&client->socket, client_closed);
    uv_close((uv_handle_t *)&client->timer, client_closed);
}

static void send_text(struct client *client, const char *text, size_t length) {
    uv_buf_t buffer = uv_buf_init((char *)text, (unsigned)length);
    uv_try_write((uv_stream_t *)&client->socket, &buffer, 1);
}

static void send_rest(uv_timer_t *timer) {
    struct client *client = timer->data;
    send_text(client, client->rest, strlen(client->rest));
    close_client(client);
}

static void client_buffer(uv_handle_t *handle, size_t wanted, uv_buf_t *buffer) {
    static char memory[sizeof server.request];
    (void)handle, (void)wanted;
    *buffer = uv_buf_init(memory, sizeof memory - 1);
}

static void client_sent(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer) {
    struct client *client = stream->data;
    if (length <= 0) {
        close_client(client);
        return;
    }
    snprintf(server.request, sizeof server.request, "%.*s", (int)length, buffer->base);
    const char *answer = *server.answers;
    if (server.answers[1])
        server.answers++;
    if (!answer || !*answer) {
        if (answer)
            close_client(client);
        return;
    }
    size_t first = strcspn(answer, "|");
    send_text(client, answer, first);
    if (answer[first]) {
        client->rest = answer + first + 1;
        uv_timer_start(&client->timer, send_rest, 2 * INTERVAL_MS, 0);
    } else {
        close_client(client);
    }
}

static void has_client(uv_stream_t *listener, int status) {
    struct client *client = calloc(1, sizeof *client);
    CHECK_NUMBER(status, 0);
    uv_tcp_init(listener->loop, &client->socket);
    uv_timer_init(listener->loop, &client->timer);
    client->socket.data = client->timer.data = client;
    uv_accept(listener, (uv_stream_t *)&client->socket);
    server.connections++;
    uv_read_start((uv_stream_t *)&client->socket, client_buffer, client_sent);
}

/* A port of its own on this address, on which nobody listens yet. False: the
 * machine has no such address. */
static bool open_server(const char *address, const char *const *answers) {
    struct sockaddr_storage place = {0};
    int size = sizeof place;
    memset(&server, 0, sizeof server);
    server.answers = answers;
    if (uv_ip4_addr(address, 0, (struct sockaddr_in *)&place))
        uv_ip6_addr(address, 0, (struct sockaddr_in6 *)&place);
    server.is_open = 1;
    uv_tcp_init(trial.loop->uv, &server.socket);
    int error = uv_tcp_bind(&server.socket, (struct sockaddr *)&place, 0);
    if (error || uv_tcp_getsockname(&server.socket, (struct sockaddr *)&place, &size))
        return false;
    server.port = ntohs(((struct sockaddr_in *)&place)->sin_port); /* at the same place in v6 */
    return true;
}

static void listen_now(void) {
    CHECK_NUMBER(uv_listen((uv_stream_t *)&server.socket, 8, has_client), 0);
}

static void listen_at_fifth_tick(void) {
    if (trial.ticks == 5)
        listen_now();
}

static void close_all(uv_handle_t *handle, void *data) {
    (void)data;
    if (handle->type == UV_TCP && handle != (uv_handle_t *)&server.socket && handle->data)
        close_client(handle->data);
}

/* Before close_trial(). Connections of probes are closed by then. */
static void close_server(void) {
    uv_close((uv_handle_t *)&server.socket, NULL);
    for (int i = 0; i < 10; i++)
        uv_run(trial.loop->uv, UV_RUN_NOWAIT);
    uv_walk(trial.loop->uv, close_all, NULL);
    for (int i = 0; i < 10; i++)
        uv_run(trial.loop->uv, UV_RUN_NOWAIT);
}

/* The options' plan, for a place with the server's port in it. */
static void aim(enum ajob_readiness probe, const char *before, const char *after) {
    struct text error = TEXT_INIT(TEXT_LINE_MAX);
    char *text = text_make("%s:%d%s", before, server.port, after);
    probe_plan_free(trial.plan);
    trial.plan = probe_plan_new(
        &(ajob_ready_options){.probe = probe, .text = text, .interval_ms = INTERVAL_MS}, &error);
    CHECK_TEXT(text_string(&error), "");
    text_done(&error);
    mem_free(text);
}

static const char *const no_answers[] = {NULL, NULL};
static const ajob_ready_options anything = {.probe = AJOB_READY_FILE, .text = "x"};

/* ---- tcp --------------------------------------------------------------- */

static void a_port_that_accepts_is_ready(void) {
    open_trial(&anything);
    CHECK(open_server("127.0.0.1", no_answers));
    aim(AJOB_READY_TCP, "127.0.0.1", "");
    listen_now();
    CHECK_NUMBER(run_trial(SOON_MS), AJOB_SUCCEEDED);
    CHECK_TEXT(trial.value, "(none)");
    close_server();
    close_trial();
}

static void a_port_is_asked_until_it_accepts(void) {
    open_trial(&anything);
    CHECK(open_server("127.0.0.1", no_answers));
    aim(AJOB_READY_TCP, "127.0.0.1", "");
    trial.each_tick = listen_at_fifth_tick;
    CHECK_NUMBER(run_trial(SOON_MS), AJOB_SUCCEEDED);
    CHECK(trial.ticks >= 5);
    close_server();
    close_trial();
}

static void a_port_that_refuses_is_never_ready(void) {
    open_trial(&anything);
    CHECK(open_server("127.0.0.1", no_answers));
    aim(AJOB_READY_TCP, "127.0.0.1", "");
    CHECK_NUMBER(run_trial(NEVER_MS), AJOB_TIMED_OUT);
    close_server();
    close_trial();
}

/* The server listens on one of localhost's two alone. No resolver is asked: a machine
 * without /etc/hosts has a localhost, too. */
static void both_addresses_of_localhost_are_tried(void) {
    static const char *const addresses[] = {"127.0.0.1", "::1"};
    for (size_t i = 0; i < 2; i++) {
        open_trial(&anything);
        if (open_server(addresses[i], no_answers)) {
            aim(AJOB_READY_TCP, i ? "LocalHost" : "localhost", "");
            listen_now();
            CHECK_NUMBER(run_trial(SOON_MS), AJOB_SUCCEEDED);
        }
        close_server();
        close_trial();
    }
}

/* LOOKED_UP is no address to the plan, and one to the system's resolver: that needs
 * neither a network nor a file for it. */
#define LOOKED_UP "127.1"

static void a_name_is_looked_up(void) {
    open_trial(&anything);
    CHECK(open_server("127.0.0.1", no_answers));
    aim(AJOB_READY_TCP, LOOKED_UP, "");
    listen_now();
    CHECK_NUMBER(run_trial(SOON_MS), AJOB_SUCCEEDED);
    close_server();
    close_trial();
}

static void an_ipv6_address_stands_in_brackets(void) {
    open_trial(&anything);
    if (open_server("::1", no_answers)) {
        aim(AJOB_READY_TCP, "[::1]", "");
        listen_now();
        CHECK_NUMBER(run_trial(SOON_MS), AJOB_SUCCEEDED);
    }
    close_server();
    close_trial();
}

static void a_name_is_given_up_while_it_is_looked_up(void) {
    open_trial(&anything);
    CHECK(open_server("127.0.0.1", no_answers));
    aim(AJOB_READY_TCP, LOOKED_UP, "");
    begin_trial(trial.task, NULL);
    loop_turn(trial.loop); /* the first look begins */
    CHECK(trial.probe && probe_stop(trial.probe));
    CHECK_NUMBER(trial.readies, 0);
    close_server();
    close_trial();
}

/* ---- http -------------------------------------------------------------- */

static enum ajob_status ask(const char *const *answers, uint64_t timeout_ms) {
    open_trial(&anything);
    CHECK(open_server("127.0.0.1", answers));
    aim(AJOB_READY_HTTP, "http://127.0.0.1", "/health?full=1#top");
    listen_now();
    enum ajob_status status = run_trial(timeout_ms);
    close_server();
    close_trial();
    return status;
}

#define ANSWERS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void a_server_that_answers_well_is_ready(void) {
    char expected[512];
    CHECK_NUMBER(ask(ANSWERS("HTTP/1.1 200 OK\r\n\r\nfine"), SOON_MS), AJOB_SUCCEEDED);
    snprintf(expected, sizeof expected,
             "GET /health?full=1 HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUser-Agent: ajob/" AJOB_VERSION
             "\r\nAccept: */*\r\nConnection: close\r\n\r\n",
             server.port);
    CHECK_TEXT(server.request, expected);
    CHECK_NUMBER(ask(ANSWERS("HTTP/1.0 399 x\r\n\r\n"), SOON_MS), AJOB_SUCCEEDED);
    CHECK_NUMBER(ask(ANSWERS("HTTP/1.1 20|4\r\n\r\n"), SOON_MS), AJOB_SUCCEEDED);
}

static void a_server_is_asked_until_it_answers_well(void) {
    const char *const *answers =
        ANSWERS("", "HTTP/1.1 503 no\r\n\r\n", "HTTP/1.1 404 no\r\n\r\n", "SSH-2.0-OpenSSH\r\n",
                "HTTP/1.1 2", "HTTP/1.1 302 Found\r\n\r\n");
    CHECK_NUMBER(ask(answers, SOON_MS), AJOB_SUCCEEDED);
    CHECK_NUMBER(server.connections, 6);
}

static void a_server_that_answers_badly_or_hangs_is_never_ready(void) {
    CHECK_NUMBER(ask(ANSWERS("HTTP/1.1 500 no\r\n\r\n"), NEVER_MS), AJOB_TIMED_OUT);
    CHECK(server.connections > 1);
    CHECK_NUMBER(ask(ANSWERS("HTTP/1.1 400 no\r\n\r\n"), NEVER_MS), AJOB_TIMED_OUT);
    CHECK_NUMBER(ask(ANSWERS("HTTP/1.1 199 no\r\n\r\n"), NEVER_MS), AJOB_TIMED_OUT);
    CHECK_NUMBER(ask(no_answers, NEVER_MS), AJOB_TIMED_OUT);
    CHECK_NUMBER(server.connections, 1);
}

static void a_status_line_is_read_strictly(void) {
    static const struct {
        const char *answer;
        int status;
    } cases[] = {
        {"", 0},
        {"HTTP/1.1 20", 0},
        {"HTTP/1.1 200", 0},
        {"HTTP/1.1 200 OK", 200},
        {"HTTP/1.1 200\r\n", 200},
        {"HTTP/1.0 200\n", 200},
        {"HTTP/1.1 199 x", 199},
        {"HTTP/1.1 2000", -1},
        {"HTTP/1.1  200 OK", -1},
        {"HTTP/1.1 2x0 ", -1},
        {"HTTP/2 200 ", -1},
        {"http/1.1 200 OK", -1},
        {"<html>", -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (!CHECK_NUMBER(http_status(cases[i].answer, strlen(cases[i].answer)), cases[i].status))
            printf("# %s\n", cases[i].answer);
}

/* ---- lack of memory ---------------------------------------------------- */

/* A probe that cannot look now looks again; one that cannot begin says so. */
static void lack_of_memory_delays_or_is_told(void) {
    static const char *const hosts[] = {"127.0.0.1", "localhost", LOOKED_UP};
    for (size_t host = 0; host < 3; host++)
        for (unsigned long n = 1; n <= 8; n++) {
            open_trial(&anything);
            CHECK(open_server("127.0.0.1", no_answers));
            aim(AJOB_READY_TCP, hosts[host], "");
            listen_now();
            mem_fail_nth(FAULT_ALLOC, n);
            enum ajob_status status = run_trial(SOON_MS);
            mem_fail_nth(FAULT_ALLOC, 0);
            CHECK(status == AJOB_SUCCEEDED || status == AJOB_FAILED);
            close_server();
            close_trial();
        }
}

static int descriptors;

static void as_many_descriptors_are_open_as_before(void) {
    CHECK_NUMBER(count_descriptors(), descriptors);
}

int main(void) {
    RUN(a_name_is_looked_up); /* what libuv opens once for all stays open */
    descriptors = count_descriptors();
    RUN(a_port_that_accepts_is_ready);
    RUN(a_port_is_asked_until_it_accepts);
    RUN(a_port_that_refuses_is_never_ready);
    RUN(both_addresses_of_localhost_are_tried);
    RUN(a_name_is_looked_up);
    RUN(an_ipv6_address_stands_in_brackets);
    RUN(a_name_is_given_up_while_it_is_looked_up);
    RUN(a_server_that_answers_well_is_ready);
    RUN(a_server_is_asked_until_it_answers_well);
    RUN(a_server_that_answers_badly_or_hangs_is_never_ready);
    RUN(a_status_line_is_read_strictly);
    RUN(lack_of_memory_delays_or_is_told);
    RUN(as_many_descriptors_are_open_as_before);
    return finish();
}
