/*
 * jobserver.c - tokens become slots of the pool of commands, and tokens again.
 *
 * All of it happens at the end of a turn, when every task has had its chance:
 * then a waiting command means that a token is missing, and no waiting command that
 * the unused ones go back. The descriptor we read from is opened anew (Linux:
 * /proc/self/fd), since O_NONBLOCK on the inherited one would be everybody's.
 */
#include "exec/jobserver.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "core/loop.h"
#include "core/pool.h"

enum { TOKENS_MAX = 4096 };

/* Above the descriptors of probes, or else above what shells use. */
enum { GIVEN_FD_FIRST = 256, GIVEN_FD_LOW = 10, MAKEFLAGS_MAX = 64 * 1024 };

struct jobserver {
    struct loop_module module;
    struct ajob_loop *loop;
    uv_poll_t poll;
    bool has_poll, is_polling;
    bool is_dry; /* reading failed: no more tokens are asked for */
    int in, out; /* ours; in does not block */
    char *fifo;  /* to be removed with the loop; NULL: none */
    char *variable;
    struct jobserver_gift gift; /* its descriptors are closed with the loop */
    unsigned most;              /* commands at once */
    unsigned unpaid;            /* commands that need no token */
    unsigned held;
    char tokens[TOKENS_MAX]; /* the first `held`: as they were, each may mean something */
};

static const char key;

/* ---- MAKEFLAGS --------------------------------------------------------- */

/* The options end before the variables that were set on make's command line. */
static size_t options_length(const char *makeflags) {
    if (!strncmp(makeflags, "-- ", 3))
        return 0;
    const char *variables = strstr(makeflags, " -- ");
    return variables ? (size_t)(variables - makeflags) : strlen(makeflags);
}

static bool read_address(const char *word, size_t length, struct jobserver_address *ret_address) {
    static const char fifo[] = "fifo:";
    struct jobserver_address address = {.in = -1, .out = -1};
    if (length > sizeof fifo - 1 && !strncmp(word, fifo, sizeof fifo - 1)) {
        address.fifo = word + sizeof fifo - 1;
        address.fifo_length = length - (sizeof fifo - 1);
    } else {
        char numbers[32];
        int used = 0;
        if (length >= sizeof numbers)
            return false;
        memcpy(numbers, word, length);
        numbers[length] = '\0';
        if (sscanf(numbers, "%9d,%9d%n", &address.in, &address.out, &used) != 2 ||
            (size_t)used != length || address.in < 0 || address.out < 0)
            return false; /* make writes negative numbers for "not for you" */
    }
    *ret_address = address;
    return true;
}

bool jobserver_find(const char *makeflags, struct jobserver_address *ret_address) {
    static const char *const options[] = {"--jobserver-auth=", "--jobserver-fds="};
    bool is_there = false;
    const char *end = makeflags + options_length(makeflags);
    for (const char *word = makeflags; word < end;) {
        size_t length = strcspn(word, " ");
        for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
            size_t name = strlen(options[i]);
            if (length > name && !strncmp(word, options[i], name)) /* the last one counts */
                is_there = read_address(word + name, length - name, ret_address);
        }
        word += length + (word[length] == ' ');
    }
    return is_there;
}

/* ---- tokens ------------------------------------------------------------ */

static void set_slots(struct jobserver *server) {
    pool_resize(server->loop->commands, server->unpaid + server->held);
}

static void put_back(struct jobserver *server) {
    ssize_t done;
    server->held--;
    do
        done = write(server->out, &server->tokens[server->held], 1);
    while (done < 0 && errno == EINTR);
    set_slots(server); /* whoever offers it may be gone: nobody misses the token then */
}

/* False: there is none now. */
static bool take(struct jobserver *server) {
    ssize_t length;
    if (server->is_dry)
        return false;
    do
        length = read(server->in, &server->tokens[server->held], 1);
    while (length < 0 && errno == EINTR);
    server->is_dry = length == 0 || (length < 0 && errno != EAGAIN && errno != EWOULDBLOCK);
    if (length != 1)
        return false;
    server->held++;
    set_slots(server);
    return true;
}

static void may_have_token(uv_poll_t *poll, int status, int events) {
    struct jobserver *server = poll->data;
    (void)events; /* the turn that follows takes it */
    server->is_dry = server->is_dry || status < 0;
}

static void poll_while(struct jobserver *server, bool is_wanted) {
    if (is_wanted == server->is_polling)
        return;
    if (!is_wanted)
        uv_poll_stop(&server->poll);
    else if (uv_poll_start(&server->poll, UV_READABLE, may_have_token))
        return;
    server->is_polling = is_wanted;
}

static void turn_ended(struct loop_module *module) {
    struct jobserver *server = (struct jobserver *)module;
    const struct ajob_pool *pool = server->loop->commands;
    bool lacks = pool->first_waiter && pool->used >= pool->size;
    bool may_take = server->held < TOKENS_MAX && pool->size < server->most;
    bool is_wanted = lacks && may_take && !take(server);
    while (!pool->first_waiter && server->held && pool->size > pool->used)
        put_back(server);
    poll_while(server, is_wanted && !server->is_dry);
}

/* ---- opening and closing ----------------------------------------------- */

static void has_closed(uv_handle_t *handle) {
    struct jobserver *server = handle->data;
    loop_handle_closed(server->loop);
}

static void close_server(struct loop_module *module) {
    struct jobserver *server = (struct jobserver *)module;
    while (server->held)
        put_back(server);
    if (server->has_poll)
        uv_close((uv_handle_t *)&server->poll, has_closed);
}

static void close_fd(int fd) {
    if (fd >= 0)
        close(fd);
}

static void free_server(struct loop_module *module) {
    struct jobserver *server = (struct jobserver *)module;
    close_fd(server->in);
    close_fd(server->out);
    close_fd(server->gift.ends[0]);
    close_fd(server->gift.ends[1]);
    if (server->fifo)
        unlink(server->fifo);
    mem_free(server->fifo);
    mem_free(server->variable);
    mem_free(server);
}

/* Not among the loop's modules yet; freed by free_server(). */
static struct jobserver *new_server(struct ajob_loop *loop, unsigned most) {
    struct jobserver *server = mem_new(sizeof *server);
    if (!server) {
        loop_fail_memory(loop);
        return NULL;
    }
    server->module = (struct loop_module){
        .key = &key, .close = close_server, .free = free_server, .turn_ended = turn_ended};
    server->loop = loop;
    server->in = server->out = server->gift.ends[0] = server->gift.ends[1] = -1;
    server->most = most ? most : UINT_MAX;
    return server;
}

static bool is_pipe(int fd) {
    struct stat status;
    return !fstat(fd, &status) && S_ISFIFO(status.st_mode);
}

static int duplicate(int fd) {
    int high = fcntl(fd, F_DUPFD_CLOEXEC, GIVEN_FD_FIRST);
    return high < 0 ? fcntl(fd, F_DUPFD_CLOEXEC, GIVEN_FD_LOW) : high;
}

/* To give to commands, and to use. False: reading without blocking would change the
 * old one, or there are too many files. */
static bool open_pipe_anew(struct jobserver *server, int in, int out) {
    char path[32];
    int flags = fcntl(in, F_GETFL);
    snprintf(path, sizeof path, "/dev/fd/%d", in);
    server->in = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    server->out = fcntl(out, F_DUPFD_CLOEXEC, 0);
    bool is_harmless =
        server->in >= 0 && (fcntl(server->in, F_GETFL) & O_NONBLOCK) && fcntl(in, F_GETFL) == flags;
    server->gift.ends[0] = duplicate(in);
    server->gift.ends[1] = duplicate(out);
    return is_harmless && server->out >= 0 && server->gift.ends[0] >= 0 &&
           server->gift.ends[1] >= 0;
}

static bool open_fifo(struct jobserver *server, const char *path) {
    server->in = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    server->out = server->in < 0 ? -1 : open(path, O_WRONLY | O_CLOEXEC);
    return server->out >= 0 && is_pipe(server->in) && is_pipe(server->out);
}

/* It takes part from now on. */
static int add_server(struct jobserver *server) {
    int error = uv_poll_init(server->loop->uv, &server->poll, server->in);
    if (error) {
        loop_fail(server->loop, AJOB_ESYSTEM, "jobserver: %s", uv_strerror(error));
        free_server(&server->module);
        return AJOB_ESYSTEM;
    }
    server->has_poll = true;
    server->poll.data = server;
    loop_handle_opened(server->loop);
    loop_add_module(server->loop, &server->module);
    set_slots(server);
    return 0;
}

static int refuse(struct jobserver *server, const char *what, const char *why) {
    char shown[256];
    loop_fail(server->loop, AJOB_ESYSTEM, "jobserver %s: %s",
              ajob_escape(shown, sizeof shown, what), why);
    free_server(&server->module);
    return AJOB_ESYSTEM;
}

/* Ours goes instead of what the word says. */
static bool is_replaced(const char *word, size_t length, unsigned jobs) {
    static const char option[] = "--jobserver-";
    size_t name = sizeof option - 1;
    if (length > name && !strncmp(word, option, name))
        return true;
    return jobs && length >= 2 && !strncmp(word, "-j", 2) &&
           strspn(word + 2, "0123456789") == length - 2;
}

/* MAKEFLAGS as the caller has them, but with this jobserver. jobs 0: -j stays. */
static bool set_variable(struct jobserver *server, unsigned jobs) {
    struct text text = TEXT_INIT(MAKEFLAGS_MAX);
    const char *flags = getenv("MAKEFLAGS");
    flags = flags ? flags : "";
    const char *end = flags + options_length(flags);
    text_add(&text, "MAKEFLAGS=");
    for (const char *word = flags; word < end; word += strspn(word, " ")) {
        size_t length = strcspn(word, " ");
        if (!is_replaced(word, length, jobs)) {
            text_add_n(&text, word, length);
            text_add_char(&text, ' ');
        }
        word += length;
    }
    if (jobs)
        text_format(&text, "-j%u ", jobs);
    if (server->fifo)
        text_format(&text, "--jobserver-auth=fifo:%s", server->fifo);
    else
        text_format(&text, "--jobserver-auth=%d,%d", server->gift.ends[0], server->gift.ends[1]);
    if (*end)
        text_format(&text, "%s%s", *end == ' ' ? "" : " ", end);
    if (text_ok(&text))
        server->gift.variable = server->variable = mem_copy(text_string(&text));
    text_done(&text);
    return server->variable != NULL;
}

static int join_at(struct ajob_loop *loop, const struct jobserver_address *address, unsigned most) {
    struct jobserver *server = new_server(loop, most);
    if (!server)
        return AJOB_ENOMEM;
    server->unpaid = 1;
    if (address->fifo) {
        char *path = mem_copy_n(address->fifo, address->fifo_length);
        bool is_open = path && open_fifo(server, path);
        int error = is_open ? 0 : refuse(server, path ? path : "", "it cannot be opened");
        mem_free(path);
        return error ? error : add_server(server);
    }
    char name[32];
    snprintf(name, sizeof name, "%d,%d", address->in, address->out);
    if (!is_pipe(address->in) || !is_pipe(address->out))
        return refuse(server, name, "it is not open: the rule in the makefile needs a + before it");
    if (!open_pipe_anew(server, address->in, address->out))
        return refuse(server, name, "this system cannot read it without blocking");
    if (!set_variable(server, 0))
        return refuse(server, name, "out of memory");
    return add_server(server);
}

static bool make_pipe(struct jobserver *server) {
    int ends[2];
    if (pipe(ends))
        return false;
    bool is_open = open_pipe_anew(server, ends[0], ends[1]);
    close(ends[0]);
    close(ends[1]);
    return is_open;
}

static bool make_fifo(struct jobserver *server, const char *path) {
    if (mkfifo(path, 0600))
        return false;
    server->fifo = mem_copy(path);
    if (!server->fifo)
        unlink(path);
    return server->fifo && open_fifo(server, path);
}

/* ---- ajob.h ------------------------------------------------------------ */

static int check_loop(struct ajob_loop *loop) {
    if (loop->root)
        return loop_fail(loop, AJOB_EBUSY, "jobserver: the loop already has a run");
    if (loop_find_module(loop, &key))
        return loop_fail(loop, AJOB_EINVAL, "jobserver: the loop has one already");
    return 0;
}

int ajob_join_jobserver(ajob_loop *loop, unsigned most) {
    struct jobserver_address address;
    const char *makeflags = getenv("MAKEFLAGS");
    int error = check_loop(loop);
    if (error)
        return error;
    if (!makeflags || !jobserver_find(makeflags, &address))
        return 0;
    error = join_at(loop, &address, most);
    return error ? error : 1;
}

static bool put_tokens(const struct jobserver *server, unsigned count) {
    static const char token = '+';
    for (unsigned i = 0; i < count; i++)
        if (write(server->out, &token, 1) != 1)
            return false;
    return true;
}

int ajob_offer_jobserver(ajob_loop *loop, unsigned jobs, const char *fifo) {
    const char *what = fifo ? fifo : "pipe";
    int error = check_loop(loop);
    if (error)
        return error;
    if (!jobs || jobs > TOKENS_MAX)
        return loop_fail(loop, AJOB_EINVAL, "jobserver: its jobs are from 1 to %d", TOKENS_MAX);
    struct jobserver *server = new_server(loop, 0);
    if (!server)
        return AJOB_ENOMEM;
    if (!(fifo ? make_fifo(server, fifo) : make_pipe(server)) || !put_tokens(server, jobs))
        return refuse(server, what, strerror(errno));
    if (!set_variable(server, jobs))
        return refuse(server, what, "out of memory");
    return add_server(server);
}

const struct jobserver_gift *jobserver_gift(const struct ajob_loop *loop) {
    const struct jobserver *server = (const struct jobserver *)loop_find_module(loop, &key);
    return server ? &server->gift : NULL;
}
