/*
 * items.c - what somebody else writes to a descriptor, item by item.
 *
 * Owns the buffer between that writer and who asks for items. It is read into only when
 * it has no whole item left, and only what poll() says is there: the descriptor may be
 * shared with the shell, so O_NONBLOCK is not set on it. From a file or a device that
 * is no terminal reading does not wait, as far as anybody can tell.
 */
#include <errno.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "core/loop.h"
#include "exec/watch.h"

enum { PIECE = 64 * 1024, LENGTH_MAX = 128 * 1024 };
enum { CUT_AT_ONCE = 64 }; /* pieces of an item without an end: then signals are heard */

struct ajob_items {
    struct ajob_items *next; /* of the loop's */
    struct ajob_loop *loop;
    ajob_items_options options;
    struct watch watch;
    bool is_always_readable;
    bool is_cutting; /* the rest of an item that was too long is left out */
    bool is_over;    /* read() has told the end */
    char *buffer;    /* with one byte more than capacity */
    size_t capacity;
    size_t start, seen, end; /* in it: what is left, as far as it was looked through */
};

struct readers {
    struct loop_module module;
    struct ajob_items *first;
};

static const char key;

/* ---- reading ----------------------------------------------------------------- */

static void is_ready(struct watch *watch) {
    struct ajob_items *items =
        (struct ajob_items *)((char *)watch - offsetof(struct ajob_items, watch));
    if (items->options.ready)
        items->options.ready(items->options.data);
}

static bool has_bytes(const struct ajob_items *items) {
    struct pollfd ready = {.fd = items->options.fd, .events = POLLIN};
    return items->is_always_readable || poll(&ready, 1, 0) > 0; /* an error too: read() tells it */
}

/* Behind what is left there is room for a piece, or for all of the longest item. */
static bool make_room(struct ajob_items *items) {
    if (items->start) {
        memmove(items->buffer, items->buffer + items->start, items->end - items->start);
        items->seen -= items->start;
        items->end -= items->start;
        items->start = 0;
    }
    if (items->end < items->capacity)
        return true;
    size_t most = items->options.max_length + 1;
    size_t capacity = items->capacity ? 2 * items->capacity : PIECE;
    if (items->capacity && capacity > most)
        capacity = most > PIECE ? most : PIECE;
    char *buffer = mem_resize(items->buffer, capacity + 1);
    if (!buffer)
        return false;
    items->buffer = buffer;
    items->capacity = capacity;
    return true;
}

static enum ajob_item_state wait_for_more(struct ajob_items *items) {
    if (watch_start(&items->watch))
        return AJOB_ITEM_NONE_YET;
    loop_fail(items->loop, AJOB_ESYSTEM, "cannot be waited for: %s", strerror(errno));
    return AJOB_ITEM_UNREADABLE;
}

/* Reads more behind what is left. AJOB_ITEM_FOUND: there is more to look at. */
static enum ajob_item_state read_more(struct ajob_items *items) {
    int fd = items->options.fd;
    if (items->is_over)
        return AJOB_ITEM_END;
    if (!make_room(items)) {
        loop_fail_memory(items->loop);
        return AJOB_ITEM_UNREADABLE;
    }
    while (has_bytes(items)) {
        ssize_t count = read(fd, items->buffer + items->end, items->capacity - items->end);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            break; /* somebody else has set O_NONBLOCK */
        if (count < 0) {
            loop_fail(items->loop, AJOB_ESYSTEM, "cannot be read: %s", strerror(errno));
            return AJOB_ITEM_UNREADABLE;
        }
        items->is_over = count == 0;
        items->end += (size_t)count;
        return count ? AJOB_ITEM_FOUND : AJOB_ITEM_END;
    }
    return wait_for_more(items);
}

/* ---- items -------------------------------------------------------------------- */

static void take(struct ajob_items *items, size_t length, size_t skip, const char **item,
                 size_t *ret_length) {
    items->buffer[items->start + length] = '\0';
    *item = items->buffer + items->start;
    *ret_length = length;
    items->start += skip;
    items->seen = items->start;
}

/* Up to the next delimiter in the buffer. False: there is none. */
static bool take_whole(struct ajob_items *items, const char **item, size_t *length) {
    size_t left = items->end - items->seen;
    const char *end =
        left ? memchr(items->buffer + items->seen, items->options.delimiter, left) : NULL;
    items->seen = items->end;
    if (!end)
        return false;
    size_t whole = (size_t)(end - items->buffer) - items->start;
    take(items, whole, whole + 1, item, length);
    return true;
}

static bool is_too_long(const struct ajob_items *items) {
    return items->end - items->start > items->options.max_length;
}

/* What is in the buffer is the inside of an item that was too long. */
static void cut(struct ajob_items *items) {
    items->start = items->seen = items->end;
}

static enum ajob_item_state take_last(struct ajob_items *items, const char **item, size_t *length) {
    size_t left = items->end - items->start;
    if (!left || items->is_cutting)
        return AJOB_ITEM_END;
    take(items, left, left, item, length);
    return AJOB_ITEM_FOUND;
}

enum ajob_item_state ajob_items_next(ajob_items *items, const char **item, size_t *length) {
    unsigned pieces = 0;
    *item = "";
    *length = 0;
    for (;;) {
        if (take_whole(items, item, length)) {
            if (items->is_cutting) {
                items->is_cutting = false;
                continue;
            }
            return *length > items->options.max_length ? AJOB_ITEM_TOO_LONG : AJOB_ITEM_FOUND;
        }
        if (items->is_cutting) {
            cut(items);
            if (++pieces > CUT_AT_ONCE)
                return wait_for_more(items);
        } else if (is_too_long(items)) {
            items->is_cutting = true;
            take(items, items->options.max_length, items->end - items->start, item, length);
            return AJOB_ITEM_TOO_LONG;
        }
        enum ajob_item_state state = read_more(items);
        if (state == AJOB_ITEM_END)
            return take_last(items, item, length);
        if (state != AJOB_ITEM_FOUND)
            return state;
    }
}

/* ---- opening ------------------------------------------------------------------- */

static void close_all(struct loop_module *module) {
    struct readers *readers = (struct readers *)module;
    for (struct ajob_items *items = readers->first; items; items = items->next)
        watch_close(&items->watch);
}

static void free_all(struct loop_module *module) {
    struct readers *readers = (struct readers *)module;
    while (readers->first) {
        struct ajob_items *items = readers->first;
        readers->first = items->next;
        if (items->options.owns_fd)
            close(items->options.fd);
        mem_free(items->buffer);
        mem_free(items);
    }
    mem_free(readers);
}

static bool is_always_readable(int fd) {
    struct stat about;
    return fstat(fd, &about) || S_ISREG(about.st_mode) || S_ISBLK(about.st_mode) ||
           S_ISDIR(about.st_mode) || (S_ISCHR(about.st_mode) && !isatty(fd));
}

ajob_items *ajob_items_open(ajob_loop *loop, const ajob_items_options *options) {
    struct readers *readers = (struct readers *)loop_module(loop, &key, sizeof *readers, free_all);
    struct ajob_items *items = readers ? mem_new(sizeof *items) : NULL;
    if (!items) {
        loop_fail_memory(loop);
        return NULL;
    }
    readers->module.close = close_all;
    items->loop = loop;
    items->options = *options;
    if (!options->has_delimiter)
        items->options.delimiter = '\n';
    if (!options->max_length)
        items->options.max_length = LENGTH_MAX;
    items->is_always_readable = is_always_readable(options->fd);
    items->watch =
        (struct watch){.loop = loop, .fd = options->fd, .is_for_reading = true, .ready = is_ready};
    items->next = readers->first;
    readers->first = items;
    return items;
}
