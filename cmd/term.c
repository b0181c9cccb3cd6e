/*
 * term.c - one descriptor that people read. Owns the bytes on their way to it.
 *
 * A terminal that was stopped (Ctrl-S) or a full pipe holds nobody up. The
 * descriptor is shared with the shell and others, so it is never made
 * non-blocking itself: a terminal is opened once more, and where that cannot be
 * done, poll() is asked before each write and little is written at a time.
 */
#include "term.h"
#include "ajob.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <limits.h>
#include <locale.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { WAITING_MAX = 1 << 20 };

/* ---- bytes ---- */

static bool bytes_reserve(struct bytes *bytes, size_t more) {
    size_t need = bytes->length + more, capacity = bytes->capacity ? bytes->capacity : 256;

    if (need <= bytes->capacity)
        return true;
    while (capacity < need)
        capacity *= 2;
    char *data = realloc(bytes->data, capacity);
    if (!data)
        return false;
    bytes->data = data;
    bytes->capacity = capacity;
    return true;
}

bool bytes_add(struct bytes *bytes, const char *data, size_t length) {
    if (length == 0)
        return true;
    if (!bytes_reserve(bytes, length))
        return false;
    memcpy(bytes->data + bytes->length, data, length);
    bytes->length += length;
    return true;
}

bool bytes_printf(struct bytes *bytes, const char *format, ...) {
    va_list args;

    va_start(args, format);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0 || !bytes_reserve(bytes, (size_t)length + 1))
        return false;
    va_start(args, format);
    vsnprintf(bytes->data + bytes->length, (size_t)length + 1, format, args);
    va_end(args);
    bytes->length += (size_t)length;
    return true;
}

void bytes_done(struct bytes *bytes) {
    free(bytes->data);
    *bytes = (struct bytes){0};
}

/* ---- what the environment says ---- */

static bool is_set(const char *name) {
    const char *value = getenv(name);
    return value && *value != '\0';
}

static bool is_dumb(void) {
    return !is_set("TERM") || strcmp(getenv("TERM"), "dumb") == 0;
}

static bool wants_color(bool tty) {
    if (is_set("NO_COLOR"))
        return false;
    if (is_set("CLICOLOR_FORCE") && strcmp(getenv("CLICOLOR_FORCE"), "0") != 0)
        return true;
    return tty && !is_dumb();
}

bool term_is_screen(const struct term *term) {
    static const char *const ci[] = {"CI", "GITHUB_ACTIONS", "TEAMCITY_VERSION", "BUILD_NUMBER"};

    for (size_t i = 0; i < sizeof ci / sizeof ci[0]; i++) {
        if (is_set(ci[i]))
            return false;
    }
    return term->tty && !is_dumb();
}

/* ---- the terminal ---- */

static uint64_t system_clock(void) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int open_again(int fd) {
    struct stat first, second;
    char path[PATH_MAX];

    if (ttyname_r(fd, path, sizeof path) != 0)
        return -1;
    int own = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (own >= 0 && fstat(fd, &first) == 0 && fstat(own, &second) == 0 &&
        first.st_rdev == second.st_rdev)
        return own;
    if (own >= 0)
        close(own);
    return -1;
}

void term_ask_locale(struct term *term) {
    setlocale(LC_CTYPE, "");
    term->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

void term_init(struct term *term, int fd, clock_fn *now) {
    *term = (struct term){.fd = fd, .now_ms = now ? now : system_clock, .tty = isatty(fd)};
    term->own_fd = term->tty ? open_again(fd) : -1;
    if (term->tty)
        term_ask_locale(term);
    term->color = wants_color(term->tty);
    term_measure(term);
}

bool term_is_at(const struct term *term, int fd) {
    struct stat own, other;
    return fd == term->fd || (fstat(term->fd, &own) == 0 && fstat(fd, &other) == 0 &&
                              own.st_dev == other.st_dev && own.st_ino == other.st_ino);
}

void term_done(struct term *term) {
    if (term->own_fd >= 0)
        close(term->own_fd);
    term->own_fd = -1;
    bytes_done(&term->out);
}

/* A size from the environment, where the terminal does not know its own. */
static int size_from(const char *name, int otherwise) {
    const char *value = getenv(name);
    char *end;
    long size = value ? strtol(value, &end, 10) : 0;

    return size > 0 && size < 10000 && *end == '\0' ? (int)size : otherwise;
}

void term_measure(struct term *term) {
    struct winsize size = {0};

    if (term->tty)
        ioctl(term->fd, TIOCGWINSZ, &size);
    term->cols = size.ws_col ? size.ws_col : size_from("COLUMNS", 80);
    term->rows = size.ws_row ? size.ws_row : size_from("LINES", 24);
}

static int writes_to(const struct term *term) {
    return term->own_fd >= 0 ? term->own_fd : term->fd;
}

/* Whether a write would be taken, or would tell what is wrong. Out of patience,
 * nothing is written any more. */
static bool takes(struct term *term, bool wait) {
    struct pollfd p = {.fd = writes_to(term), .events = POLLOUT};
    int n;

    do
        n = poll(&p, 1, !wait ? 0 : term->patience_ms ? term->patience_ms : -1);
    while (n < 0 && errno == EINTR && wait);
    if (n == 0 && wait)
        term->error = ETIMEDOUT;
    return n > 0 || (n < 0 && wait);
}

/* Writes what is waiting. A pipe that polls as writable has room for PIPE_BUF
 * bytes and would block on more. */
static void push(struct term *term, bool wait) {
    size_t done = 0;

    while (done < term->out.length && !term->error && takes(term, wait)) {
        size_t length = term->out.length - done;
        if (!wait && term->own_fd < 0 && length > PIPE_BUF)
            length = PIPE_BUF;
        ssize_t n = write(writes_to(term), term->out.data + done, length);
        if (n >= 0)
            done += (size_t)n;
        else if (errno == EAGAIN && !wait)
            break;
        else if (errno != EAGAIN && errno != EINTR)
            term->error = errno;
    }
    if (term->error)
        done = term->out.length;
    term->out.length -= done;
    if (term->out.length > 0 && done > 0)
        memmove(term->out.data, term->out.data + done, term->out.length);
}

bool term_ready(struct term *term) {
    push(term, false);
    return term->out.length == 0 && !term->error && takes(term, false);
}

void term_write(struct term *term, const char *data, size_t length, bool wait) {
    if (term->error)
        return;
    if (!bytes_add(&term->out, data, length)) {
        push(term, true); /* no memory to keep it */
        bytes_add(&term->out, data, length);
    }
    push(term, wait || term->out.length > WAITING_MAX);
}

const char *term_escape(const struct term *term, char *buffer, size_t size, const char *text) {
    ajob_escape(buffer, size, text);
    if (!term->tty || term->utf8)
        return buffer;
    char *to = buffer;
    for (const char *from = buffer; *from != '\0'; from++) {
        if ((*from & 0x80) == 0)
            *to++ = *from;
        else if ((*from & 0xc0) == 0xc0) /* the first byte of several */
            *to++ = '?';
    }
    *to = '\0';
    return buffer;
}
