/* capture.c - bytes in memory, and beyond a bound in a file. See capture.h. */
#include "exec/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/mem.h"

enum { PIECE = 64 * 1024, KEPT_WHEN_EMPTY = 64 * 1024 };

/* ---- the file ---------------------------------------------------------- */

/* What is in memory goes to the file. */
static bool spill(struct capture *capture) {
    if (!capture->has_file) {
        capture->file = spool_open_file();
        if (capture->file < 0)
            return false;
        capture->has_file = true;
        capture->file_at = capture->memory_at;
    }
    if (!spool_write(capture->file, capture->memory, capture->used,
                     capture->memory_at - capture->file_at))
        return false;
    capture->memory_at += capture->used;
    capture->used = 0;
    return true;
}

/* ---- adding ------------------------------------------------------------ */

/* Gives up what is at the front of memory and not wanted any more. */
static void compact(struct capture *capture) {
    if (capture->first <= capture->memory_at)
        return;
    size_t gone = (size_t)(capture->first - capture->memory_at);
    memmove(capture->memory, capture->memory + gone, capture->used - gone);
    capture->used -= gone;
    capture->memory_at += gone;
    capture->file_at = capture->memory_at; /* capture_drop() has emptied the file */
}

static bool grow(struct capture *capture, size_t wanted) {
    size_t capacity = capture->capacity ? capture->capacity : 256;
    if (wanted <= capture->capacity)
        return true;
    while (capacity < wanted)
        capacity *= 2;
    char *memory = mem_resize(capture->memory, capacity);
    if (!memory)
        return false;
    capture->memory = memory;
    capture->capacity = capacity;
    return true;
}

bool capture_reserve(struct capture *capture, size_t length) {
    if (capture->error)
        return false;
    if (capture->used + length <= capture->capacity)
        return true;
    compact(capture);
    errno = ENOMEM;
    if (capture->used + length > CAPTURE_MEMORY && !spill(capture)) {
        capture->error = errno;
        return false;
    }
    if (!grow(capture, capture->used + length)) {
        capture->error = ENOMEM;
        return false;
    }
    return true;
}

void capture_append(struct capture *capture, const char *data, size_t length) {
    memcpy(capture->memory + capture->used, data, length);
    capture->used += length;
}

bool capture_add(struct capture *capture, const char *data, size_t length) {
    while (length) {
        size_t piece = length < PIECE ? length : PIECE;
        if (!capture_reserve(capture, piece))
            return false;
        capture_append(capture, data, piece);
        data += piece;
        length -= piece;
    }
    return true;
}

void capture_force(struct capture *capture, const char *data, size_t length) {
    if (grow(capture, capture->used + length))
        capture_append(capture, data, length);
}

/* ---- reading ----------------------------------------------------------- */

uint64_t capture_end(const struct capture *capture) {
    return capture->memory_at + capture->used;
}

const char *capture_peek(const struct capture *capture, uint64_t offset, char *buffer, size_t size,
                         size_t *length) {
    *length = 0;
    errno = 0;
    if (offset >= capture_end(capture))
        return NULL;
    if (offset >= capture->memory_at) {
        size_t before = (size_t)(offset - capture->memory_at), left = capture->used - before;
        *length = left < size ? left : size;
        return capture->memory + before;
    }
    uint64_t left = capture->memory_at - offset;
    ssize_t got;
    do
        got = pread(capture->file, buffer, left < size ? (size_t)left : size,
                    (off_t)(offset - capture->file_at));
    while (got < 0 && errno == EINTR);
    if (got == 0)
        errno = EIO; /* somebody has cut it */
    if (got <= 0)
        return NULL;
    *length = (size_t)got;
    return buffer;
}

bool capture_patch(struct capture *capture, uint64_t offset, const void *data, size_t length) {
    if (offset < capture->memory_at || offset + length > capture_end(capture))
        return false;
    memcpy(capture->memory + (offset - capture->memory_at), data, length);
    return true;
}

void capture_drop(struct capture *capture, uint64_t offset) {
    if (offset > capture_end(capture))
        offset = capture_end(capture);
    if (offset <= capture->first)
        return;
    capture->first = offset;
    if (offset < capture->memory_at)
        return;
    bool has_old = capture->has_file && capture->file_at < capture->memory_at;
    if (has_old && !capture->shared && ftruncate(capture->file, 0))
        errno = 0; /* what comes next overwrites it */
    capture->file_at = capture->memory_at;
    if (offset < capture_end(capture))
        return;
    capture->file_at = capture->memory_at = offset;
    capture->used = 0;
    if (capture->capacity > KEPT_WHEN_EMPTY) {
        capture->memory = mem_free(capture->memory);
        capture->capacity = 0;
    }
}

/* Where a descriptor cannot be opened again by its number: a copy. */
static int copy_of(const struct capture *capture) {
    char buffer[PIECE];
    uint64_t at = 0;
    size_t length;
    const char *data;
    int file = spool_open_file();
    if (file < 0)
        return -1;
    while ((data = capture_peek(capture, at, buffer, sizeof buffer, &length))) {
        if (!spool_write(file, data, length, at))
            break;
        at += length;
    }
    if (at == capture_end(capture))
        return file;
    int error = errno;
    close(file);
    errno = error;
    return -1;
}

int capture_dup(struct capture *capture) {
    char path[32];
    if (capture->error || capture->first) {
        errno = capture->error ? capture->error : EINVAL;
        return -1;
    }
    if (!spill(capture))
        return -1;
    snprintf(path, sizeof path, "/proc/self/fd/%d", capture->file);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    return file >= 0 ? file : copy_of(capture);
}

bool capture_share(struct capture *capture, struct spool *spool) {
    uint64_t at, start = capture->first > capture->memory_at ? capture->first : capture->memory_at;
    size_t gone = (size_t)(start - capture->memory_at);
    if (capture->has_file || capture->used == gone)
        return false;
    capture->shared = spool_add(spool, capture->memory + gone, capture->used - gone, &at);
    if (!capture->shared)
        return false;
    capture->has_file = true;
    capture->file = capture->shared->file;
    capture->file_at = start - at; /* may wrap round: what counts are differences */
    capture->memory_at = capture_end(capture);
    capture->used = capture->capacity = 0;
    capture->memory = mem_free(capture->memory);
    return true;
}

void capture_done(struct capture *capture) {
    mem_free(capture->memory);
    if (capture->shared)
        spool_release(capture->shared);
    else if (capture->has_file)
        close(capture->file);
    *capture = (struct capture){0};
}
