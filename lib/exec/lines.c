/* lines.c - whole lines out of what pipes bring. See lines.h. */
#include "exec/lines.h"

#include <stdint.h>

#include "base/mem.h"
#include "base/text.h"

/* How much of data to hand on, so that no character is cut that may be complete
 * later. */
static size_t whole_characters(const char *data, size_t length) {
    enum { LONGEST = 4 };
    size_t start = length;
    uint32_t point;
    while (start && length - start < LONGEST - 1 && (data[start - 1] & 0xc0) == 0x80)
        start--;
    if (!start || (data[start - 1] & 0xc0) != 0xc0)
        return length;
    start--;
    size_t needs = (data[start] & 0xe0) == 0xc0 ? 2 : (data[start] & 0xf0) == 0xe0 ? 3 : 4;
    if (length - start >= needs || utf8_decode(data + start, length - start, &point))
        return length;
    return start;
}

static bool hold(struct lines *lines, const char *data, size_t length) {
    size_t wanted = lines->length + length, capacity = lines->capacity ? lines->capacity : 128;
    if (wanted > lines->capacity) {
        while (capacity < wanted)
            capacity *= 2;
        char *partial = mem_resize(lines->partial, capacity);
        if (!partial)
            return false;
        lines->partial = partial;
        lines->capacity = capacity;
    }
    memcpy(lines->partial + lines->length, data, length);
    lines->length = wanted;
    return true;
}

static void hand_on_partial(struct lines *lines, size_t length, lines_piece_fn *hand_on, void *to) {
    size_t rest = lines->length - length;
    hand_on(to, lines->partial, length);
    memmove(lines->partial, lines->partial + length, rest);
    lines->length = rest;
    if (!rest && lines->capacity > LINES_PIECE_MAX / 4)
        lines_done(lines);
}

/* Adds to the line that was begun. Returns how much of data that took. */
static size_t complete(struct lines *lines, const char *data, size_t length,
                       lines_piece_fn *hand_on, void *to) {
    size_t room = LINES_PIECE_MAX - lines->length;
    if (length > room)
        length = room;
    const char *end = memchr(data, '\n', length);
    if (end)
        length = (size_t)(end - data) + 1;
    if (!hold(lines, data, length)) { /* no memory: out of turn rather than lost */
        hand_on_partial(lines, lines->length, hand_on, to);
        hand_on(to, data, length);
        return length;
    }
    if (end)
        hand_on_partial(lines, lines->length, hand_on, to);
    else if (lines->length == LINES_PIECE_MAX)
        hand_on_partial(lines, whole_characters(lines->partial, lines->length), hand_on, to);
    return length;
}

/* What memrchr() does where it is. The length of what ends with a line's end. */
static size_t whole_lines(const char *data, size_t length) {
    while (length && data[length - 1] != '\n')
        length--;
    return length;
}

void lines_add(struct lines *lines, const char *data, size_t length, lines_piece_fn *hand_on,
               void *to) {
    while (length) {
        size_t piece = length < LINES_PIECE_MAX ? length : LINES_PIECE_MAX;
        if (lines->length) {
            piece = complete(lines, data, length, hand_on, to);
        } else {
            size_t whole = whole_lines(data, piece);
            if (whole)
                piece = whole;
            else if (piece == LINES_PIECE_MAX)
                piece = whole_characters(data, piece);
            if (whole || length >= LINES_PIECE_MAX || !hold(lines, data, piece))
                hand_on(to, data, piece);
        }
        data += piece;
        length -= piece;
    }
}

void lines_flush(struct lines *lines, bool is_over, lines_piece_fn *hand_on, void *to) {
    size_t length = lines->length;
    if (!is_over)
        length = whole_characters(lines->partial, length);
    if (length)
        hand_on_partial(lines, length, hand_on, to);
}

void lines_done(struct lines *lines) {
    mem_free(lines->partial);
    *lines = (struct lines){0};
}
