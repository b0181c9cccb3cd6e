/* backlog.c - pieces of output that wait. See backlog.h. */
#include "exec/backlog.h"

#include <errno.h>

enum { PIECE_MAX = 64 * 1024, MERGED_MAX = 256 * 1024 };

struct head {
    uint32_t length;
    uint32_t stream;
};

/* Makes the last piece longer instead of beginning one. */
static bool merge(struct backlog *backlog, enum output_stream stream, size_t length) {
    struct head head;
    size_t head_length;
    if (!backlog->has_last || backlog->last_at < backlog->bytes.memory_at)
        return false;
    memcpy(&head, capture_peek(&backlog->bytes, backlog->last_at, NULL, sizeof head, &head_length),
           sizeof head);
    if (head.stream != stream || head.length + length > MERGED_MAX)
        return false;
    head.length += (uint32_t)length;
    return capture_patch(&backlog->bytes, backlog->last_at, &head, sizeof head);
}

static bool add_piece(struct backlog *backlog, enum output_stream stream, const char *data,
                      size_t length) {
    struct head head = {.length = (uint32_t)length, .stream = stream};
    if (!capture_reserve(&backlog->bytes, sizeof head + length))
        return false;
    if (!merge(backlog, stream, length)) {
        backlog->last_at = capture_end(&backlog->bytes);
        backlog->has_last = true;
        capture_append(&backlog->bytes, (const char *)&head, sizeof head);
    }
    capture_append(&backlog->bytes, data, length);
    backlog->length += length;
    return true;
}

bool backlog_add(struct backlog *backlog, enum output_stream stream, const char *data,
                 size_t length) {
    while (length) {
        size_t piece = length < PIECE_MAX ? length : PIECE_MAX;
        if (!add_piece(backlog, stream, data, piece))
            return false;
        data += piece;
        length -= piece;
    }
    return true;
}

void backlog_force(struct backlog *backlog, enum output_stream stream, const char *data,
                   size_t length) {
    char piece[sizeof(struct head) + 1024];
    struct head head = {.stream = stream};
    if (length > sizeof piece - sizeof head)
        length = sizeof piece - sizeof head;
    head.length = (uint32_t)length;
    memcpy(piece, &head, sizeof head);
    memcpy(piece + sizeof head, data, length);
    uint64_t before = capture_end(&backlog->bytes);
    capture_force(&backlog->bytes, piece, sizeof head + length);
    backlog->has_last = false;
    if (capture_end(&backlog->bytes) != before)
        backlog->length += length;
}

/* Copies a head, of which the file may have one part and memory the other. */
static bool read_head(struct backlog *backlog, struct head *head) {
    char *to = (char *)head;
    size_t have = 0, length;
    while (have < sizeof *head) {
        const char *from = capture_peek(&backlog->bytes, backlog->read_at + have, to + have,
                                        sizeof *head - have, &length);
        if (!from)
            return false;
        memmove(to + have, from, length);
        have += length;
    }
    return true;
}

bool backlog_next(struct backlog *backlog, enum output_stream *stream) {
    struct head head;
    if (!backlog->left) {
        if (!backlog->length || !read_head(backlog, &head))
            return false;
        if (backlog->has_last && backlog->last_at == backlog->read_at)
            backlog->has_last = false; /* its length is known now */
        backlog->read_at += sizeof head;
        backlog->left = head.length;
        backlog->stream = (uint8_t)head.stream;
    }
    *stream = (enum output_stream)backlog->stream;
    return true;
}

const char *backlog_peek(struct backlog *backlog, char *buffer, size_t size, size_t *length) {
    enum output_stream stream;
    if (!backlog_next(backlog, &stream))
        return NULL;
    if (size > backlog->left)
        size = backlog->left;
    return capture_peek(&backlog->bytes, backlog->read_at, buffer, size, length);
}

bool backlog_skip(struct backlog *backlog, size_t length) {
    backlog->read_at += length;
    backlog->left -= (uint32_t)length;
    backlog->length -= length;
    capture_drop(&backlog->bytes, backlog->read_at);
    return !backlog->left;
}

void backlog_done(struct backlog *backlog) {
    capture_done(&backlog->bytes);
    *backlog = (struct backlog){0};
}
