/*
 * test_probe.c - probes on a real loop, against servers on the same loop.
 *
 * A trial is a task that ends when its probe is ready, or times out. After each,
 * as many descriptors are open as before.
 */
#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ajob.h"
#include "base/mem.h"
#include "check.h"
#include "core/loop.h"
#include "core/task.h"
#include "exec/probe_look.h"

enum { SOON_MS = 20000, NEVER_MS = 250, INTERVAL_MS = 10 };

static struct trial {
    ajob_loop *loop;
    ajob_task *task;
    struct probe_plan *plan;
    struct probe *probe;
    const char *dir;
    int pipe[2];
    unsigned readies, ticks;
    char value[2 * PROBE_VALUE_MAX];
    void (*each_tick)(void);
} trial;

/* ---- the trial --------------------------------------------------------- */

static int count_descriptors(void) {
    DIR *dir = opendir("/proc/self/fd");
    int count = 0;
    while (dir && readdir(dir))
        count++;
    if (dir)
        closedir(dir);
    return count;
}

static void is_ready(void *data, const char *value) {
    CHECK(data == &trial);
    trial.readies++;
    snprintf(trial.value, sizeof trial.value, "%s", value ? value : "(none)");
    ajob_resolve(trial.task, NULL);
}

static void begin_trial(ajob_task *task, void *data) {
    (void)data;
    trial.probe = probe_start(&(struct probe_setup){.loop = trial.loop,
                                                    .plan = trial.plan,
                                                    .dir = trial.dir,
                                                    .fd = trial.pipe[0],
                                                    .ready = is_ready,
                                                    .data = &trial});
    if (!trial.probe)
        ajob_resolve(task, "no probe");
}

static void stop_trial(ajob_task *task, bool hard, void *data) {
    (void)hard, (void)data;
    ajob_resolve(task, "stopped");
}

static void tick(void *data) {
    (void)data;
    trial.ticks++;
    if (trial.each_tick && trial.task->state == AJOB_RUNNING)
        trial.each_tick();
}

static void open_trial(const ajob_ready_options *options) {
    struct text error = TEXT_INIT(TEXT_LINE_MAX);
    ajob_ready_options quick = *options;
    quick.interval_ms = INTERVAL_MS;
    memset(&trial, 0, sizeof trial);
    trial.pipe[0] = trial.pipe[1] = -1;
    trial.loop = ajob_loop_new(NULL);
    trial.plan = probe_plan_new(&quick, &error);
    CHECK(trial.plan != NULL);
    CHECK_TEXT(text_string(&error), "");
    text_done(&error);
    ajob_every(trial.loop, INTERVAL_MS, tick, NULL);
    trial.task =
        ajob_future(trial.loop, &(ajob_future_options){.start = begin_trial, .stop = stop_trial});
}

/* Runs it; returns how it ended. The loop is there until close_trial(). */
static enum ajob_status run_trial(uint64_t timeout_ms) {
    ajob_set_timeout(trial.task, timeout_ms);
    ajob_run(trial.loop, trial.task);
    probe_stop(trial.probe);
    trial.probe = NULL;
    CHECK_NUMBER(trial.readies, ajob_task_status(trial.task) == AJOB_SUCCEEDED);
    return ajob_task_status(trial.task);
}

static void close_trial(void) {
    probe_plan_free(trial.plan);
    ajob_loop_free(trial.loop);
    if (trial.pipe[1] >= 0)
        close(trial.pipe[1]);
}

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

static void every_address_of_a_name_is_tried(void) {
    open_trial(&anything);
    CHECK(open_server("127.0.0.1", no_answers));
    aim(AJOB_READY_TCP, "localhost", "");
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

/* Stopped while it resolves, and right after its start. */
static void a_name_is_given_up_while_it_is_looked_up(void) {
    open_trial(&anything);
    CHECK(open_server("127.0.0.1", no_answers));
    aim(AJOB_READY_TCP, "localhost", "");
    trial.probe = probe_start(
        &(struct probe_setup){.loop = trial.loop, .plan = trial.plan, .ready = is_ready});
    CHECK(trial.probe != NULL);
    probe_stop(trial.probe);
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

/* ---- file -------------------------------------------------------------- */

static char scratch[] = "/tmp/ajob-probe-XXXXXX";

static void make_file_at_fifth_tick(void) {
    char path[64];
    if (trial.ticks != 5)
        return;
    snprintf(path, sizeof path, "%s/ready", scratch);
    FILE *file = fopen(path, "w");
    if (CHECK(file != NULL))
        fclose(file);
}

static void a_file_is_awaited_in_the_directory_of_the_service(void) {
    char path[64];
    snprintf(path, sizeof path, "%s/ready", scratch);
    open_trial(&(ajob_ready_options){.probe = AJOB_READY_FILE, .text = "ready"});
    trial.dir = scratch;
    trial.each_tick = make_file_at_fifth_tick;
    CHECK_NUMBER(run_trial(SOON_MS), AJOB_SUCCEEDED);
    CHECK(trial.ticks >= 5);
    close_trial();
    open_trial(&(ajob_ready_options){.probe = AJOB_READY_FILE, .text = path});
    trial.dir = "/nowhere";
    CHECK_NUMBER(run_trial(SOON_MS), AJOB_SUCCEEDED);
    close_trial();
    unlink(path);
}

static void a_file_that_is_not_there_is_never_ready(void) {
    open_trial(&(ajob_ready_options){.probe = AJOB_READY_FILE, .text = "ready"});
    trial.dir = scratch;
    CHECK_NUMBER(run_trial(NEVER_MS), AJOB_TIMED_OUT);
    close_trial();
}

/* ---- line -------------------------------------------------------------- */

static void open_lines(const char *expression) {
    open_trial(&(ajob_ready_options){.probe = AJOB_READY_LINE, .text = expression});
    begin_trial(trial.task, NULL);
}

static void add(enum output_stream stream, const char *text) {
    probe_add(trial.probe, stream, text, strlen(text));
}

static void close_lines(void) {
    probe_stop(trial.probe);
    close_trial();
}

static void a_line_matches_though_it_comes_in_pieces(void) {
    open_lines("^ready on port [0-9]+$");
    add(OUTPUT_STDOUT, "starting\nready on ");
    add(OUTPUT_STDERR, "ready on\n");
    add(OUTPUT_STDOUT, "port 80");
    CHECK_NUMBER(trial.readies, 0);
    add(OUTPUT_STDOUT, "\r\nmore\nready on port 1\n");
    CHECK_NUMBER(trial.readies, 1);
    add(OUTPUT_STDERR, "ready on port 2\n");
    CHECK_NUMBER(trial.readies, 1);
    close_lines();
}

static void lines_of_stderr_count_and_lines_are_whole(void) {
    open_lines("^ready$");
    add(OUTPUT_STDOUT, "not ready\nready!\nrea\ndy\n\n");
    CHECK_NUMBER(trial.readies, 0);
    add(OUTPUT_STDERR, "x\nready\n");
    CHECK_NUMBER(trial.readies, 1);
    close_lines();
}

static void an_empty_line_can_be_awaited(void) {
    open_lines("^$");
    add(OUTPUT_STDOUT, "x");
    CHECK_NUMBER(trial.readies, 0);
    add(OUTPUT_STDOUT, "\n\n");
    CHECK_NUMBER(trial.readies, 1);
    close_lines();
}

static void of_a_long_line_the_beginning_is_matched(void) {
    char *xs = mem_new(PROBE_LINE_MAX + 1);
    memset(xs, 'x', PROBE_LINE_MAX);
    open_lines("y|z$");
    add(OUTPUT_STDOUT, xs);
    add(OUTPUT_STDOUT, "y\n");
    CHECK_NUMBER(trial.readies, 0);
    xs[PROBE_LINE_MAX - 1] = 'z';
    add(OUTPUT_STDOUT, xs);
    add(OUTPUT_STDOUT, "xx\n");
    CHECK_NUMBER(trial.readies, 1);
    close_lines();
    mem_free(xs);
}

static void zero_bytes_hide_nothing(void) {
    open_lines("^ready$");
    probe_add(trial.probe, OUTPUT_STDOUT, "re\0ady\n", 7);
    CHECK_NUMBER(trial.readies, 1);
    close_lines();
}

/* ---- fd ---------------------------------------------------------------- */

static void write_at_ticks(void) {
    static const char *const pieces[] = {NULL, NULL, "po", NULL, "rt\0 80", NULL, "80\nmore\n"};
    const char *piece = trial.ticks < 7 ? pieces[trial.ticks] : NULL;
    size_t length = trial.ticks == 4 ? 6 : piece ? strlen(piece) : 0;
    if (piece)
        CHECK_NUMBER(write(trial.pipe[1], piece, length), length);
}

static void open_pipe(void) {
    open_trial(&(ajob_ready_options){.probe = AJOB_READY_FD, .fd = 3});
    CHECK_NUMBER(probe_plan_fd(trial.plan), 3);
    CHECK_NUMBER(pipe(trial.pipe), 0);
}

static void the_value_ends_at_the_first_newline(void) {
    open_pipe();
    trial.each_tick = write_at_ticks;
    CHECK_NUMBER(run_trial(SOON_MS), AJOB_SUCCEEDED);
    CHECK_TEXT(trial.value, "port 8080");
    close_trial();
}

static void a_long_value_is_cut(void) {
    char *text = mem_new(3 * PROBE_VALUE_MAX);
    memset(text, 'v', 3 * PROBE_VALUE_MAX);
    text[2 * PROBE_VALUE_MAX] = '\n';
    open_pipe();
    CHECK_NUMBER(write(trial.pipe[1], text, 3 * PROBE_VALUE_MAX), 3 * PROBE_VALUE_MAX);
    CHECK_NUMBER(run_trial(SOON_MS), AJOB_SUCCEEDED);
    CHECK_NUMBER(strlen(trial.value), PROBE_VALUE_MAX);
    close_trial();
    mem_free(text);
}

static void a_pipe_closed_without_a_newline_is_never_ready(void) {
    open_pipe();
    CHECK_NUMBER(write(trial.pipe[1], "value", 5), 5);
    close(trial.pipe[1]);
    trial.pipe[1] = -1;
    CHECK_NUMBER(run_trial(NEVER_MS), AJOB_TIMED_OUT);
    close_trial();
}

/* ---- options ----------------------------------------------------------- */

static void what_is_wrong_is_said(void) {
#define TEXT(probe_, text_)                                                                        \
    { .probe = AJOB_READY_##probe_, .text = (text_) }
    static const char *const empty[] = {NULL}, *const nameless[] = {"", NULL};
    static const struct {
        ajob_ready_options options;
        const char *said;
    } cases[] = {
        {TEXT(TCP, NULL), "ready tcp: it is empty"},
        {TEXT(TCP, ""), "ready tcp: it is empty"},
        {TEXT(TCP, "localhost"), "ready tcp \"localhost\": it has no port: write host:port"},
        {TEXT(TCP, "[::1]"), "ready tcp \"[::1]\": it has no port: write host:port"},
        {TEXT(TCP, ":80"), "ready tcp \":80\": it has no host: write 127.0.0.1 for this machine"},
        {TEXT(TCP, "a:0"), "ready tcp \"a:0\": a port is a number from 1 to 65535"},
        {TEXT(TCP, "a:"), "ready tcp \"a:\": a port is a number from 1 to 65535"},
        {TEXT(TCP, "a:70000"), "ready tcp \"a:70000\": a port is a number from 1 to 65535"},
        {TEXT(TCP, "a:000080"), "ready tcp \"a:000080\": a port is a number from 1 to 65535"},
        {TEXT(TCP, "a:-1"), "ready tcp \"a:-1\": a port is a number from 1 to 65535"},
        {TEXT(TCP, "::1:80"), "ready tcp \"::1:80\": an IPv6 address is written in brackets: "
                              "[::1]:5432"},
        {TEXT(TCP, "[::1]80"), "ready tcp \"[::1]80\": it is no [address]:port"},
        {TEXT(TCP, "[a.b]:80"),
         "ready tcp \"[a.b]:80\": what is in the brackets is no IPv6 address"},
        {TEXT(TCP, "http://a:80"), "ready tcp \"http://a:80\": it is no host:port"},
        {TEXT(TCP, "a b:80"), "ready tcp \"a b:80\": it has a host that is no name and no address"},
        {TEXT(TCP, "a\x1b:80"),
         "ready tcp \"a\\x1b:80\": it has a host that is no name and no address"},
        {TEXT(HTTP, NULL), "ready http: it is empty"},
        {TEXT(HTTP, "https://a/"), "ready http \"https://a/\": only http:// is asked: probe https "
                                   "with exec and curl -fsk"},
        {TEXT(HTTP, "a/b"), "ready http \"a/b\": it does not begin with http://"},
        {TEXT(HTTP, "http:///b"),
         "ready http \"http:///b\": it has no host: write 127.0.0.1 for this machine"},
        {TEXT(HTTP, "http://a:99999/b"),
         "ready http \"http://a:99999/b\": a port is a number from 1 to 65535"},
        {TEXT(HTTP, "http://u:p@a/"), "ready http \"http://u:p@a/\": a user and password are not "
                                      "sent: probe with exec and curl"},
        {TEXT(HTTP, "http://a/\r\nX: y"), "ready http \"http://a/\\x0d\\x0aX: y\": it is no URL: "
                                          "spaces and others are written as %20"},
        {TEXT(FILE, ""), "ready file: it is empty"},
        {TEXT(LINE, NULL), "ready line: it is empty"},
        {TEXT(LINE, "a("), "ready line \"a(\": no regular expression: Unmatched ( or \\("},
        {{.probe = AJOB_READY_FD}, "ready fd: 0: a descriptor for it is a number from 3 to 255"},
        {{.probe = AJOB_READY_FD, .fd = 2},
         "ready fd: 2: a descriptor for it is a number from 3 to 255"},
        {{.probe = AJOB_READY_FD, .fd = 256},
         "ready fd: 256: a descriptor for it is a number from 3 to 255"},
        {{.probe = AJOB_READY_EXEC}, "ready exec: there is no command"},
        {{.probe = AJOB_READY_EXEC, .argv = empty}, "ready exec: there is no command"},
        {{.probe = AJOB_READY_EXEC, .argv = nameless}, "ready exec: there is no command"},
        {{.probe = (enum ajob_readiness)99}, "ready: there is no probe number 99"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct text error = TEXT_INIT(TEXT_LINE_MAX);
        struct probe_plan *plan = probe_plan_new(&cases[i].options, &error);
        CHECK(plan == NULL);
        CHECK_TEXT(text_string(&error), cases[i].said);
        probe_plan_free(plan);
        text_done(&error);
    }
}

static void what_is_right_is_taken(void) {
    static const ajob_ready_options cases[] = {
        TEXT(TCP, "localhost:5432"),
        TEXT(TCP, "db_1.example.org:1"),
        TEXT(TCP, "127.0.0.1:65535"),
        TEXT(TCP, "[fe80::1%lo]:80"),
        TEXT(HTTP, "http://a"),
        TEXT(HTTP, "HTTP://a?b#c"),
        TEXT(HTTP, "http://[::1]:8080"),
        TEXT(HTTP, "http://a:80/%20"),
        TEXT(FILE, "a b"),
        TEXT(LINE, "^(a|b)+ [0-9]{2}$"),
        {.probe = AJOB_READY_FD, .fd = 3},
        {.probe = AJOB_READY_FD, .fd = 255},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct text error = TEXT_INIT(TEXT_LINE_MAX);
        struct probe_plan *plan = probe_plan_new(&cases[i], &error);
        CHECK(plan != NULL);
        CHECK_TEXT(text_string(&error), "");
        probe_plan_free(plan);
        text_done(&error);
    }
}

/* ---- lack of memory ---------------------------------------------------- */

/* A probe that cannot look now looks again; one that cannot begin says so. */
static void lack_of_memory_delays_or_is_told(void) {
    static const char *const hosts[] = {"127.0.0.1", "localhost"};
    for (size_t host = 0; host < 2; host++)
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
    for (unsigned long n = 1; n <= 4; n++) {
        open_pipe();
        CHECK_NUMBER(write(trial.pipe[1], "v\n", 2), 2);
        mem_fail_nth(FAULT_ALLOC, n);
        begin_trial(trial.task, NULL);
        mem_fail_nth(FAULT_ALLOC, 0);
        probe_stop(trial.probe);
        close_trial();
    }
}

static int descriptors;

static void as_many_descriptors_are_open_as_before(void) {
    CHECK_NUMBER(count_descriptors(), descriptors);
}

int main(void) {
    if (!mkdtemp(scratch))
        return 1;
    ajob_loop_free(ajob_loop_new(NULL)); /* what libuv opens once for all stays open */
    RUN(a_port_that_accepts_is_ready);
    RUN(every_address_of_a_name_is_tried);
    descriptors = count_descriptors();
    RUN(a_port_is_asked_until_it_accepts);
    RUN(a_port_that_refuses_is_never_ready);
    RUN(every_address_of_a_name_is_tried);
    RUN(an_ipv6_address_stands_in_brackets);
    RUN(a_name_is_given_up_while_it_is_looked_up);
    RUN(a_server_that_answers_well_is_ready);
    RUN(a_server_is_asked_until_it_answers_well);
    RUN(a_server_that_answers_badly_or_hangs_is_never_ready);
    RUN(a_status_line_is_read_strictly);
    RUN(a_file_is_awaited_in_the_directory_of_the_service);
    RUN(a_file_that_is_not_there_is_never_ready);
    RUN(a_line_matches_though_it_comes_in_pieces);
    RUN(lines_of_stderr_count_and_lines_are_whole);
    RUN(an_empty_line_can_be_awaited);
    RUN(of_a_long_line_the_beginning_is_matched);
    RUN(zero_bytes_hide_nothing);
    RUN(the_value_ends_at_the_first_newline);
    RUN(a_long_value_is_cut);
    RUN(a_pipe_closed_without_a_newline_is_never_ready);
    RUN(what_is_wrong_is_said);
    RUN(what_is_right_is_taken);
    RUN(lack_of_memory_delays_or_is_told);
    RUN(as_many_descriptors_are_open_as_before);
    rmdir(scratch);
    return finish();
}
