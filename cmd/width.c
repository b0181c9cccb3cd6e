/*
 * width.c - display widths. Owns nothing.
 *
 * The C library's wcwidth() is asked first: it is newer than any table here.
 * It answers -1 for all but ASCII in the C locale, and for what it does not
 * know; a short list of ranges (Unicode's East Asian Width, emoji) serves then.
 */
#include "width.h"

#include <stdint.h>
#include <string.h>
#include <wchar.h>

/* Ranges that take no column or two, in ascending order; all else takes one. */
static const struct range {
    uint32_t first, last;
    int columns;
} ranges[] = {
    {0x0300, 0x036f, 0},   {0x1100, 0x115f, 2},   {0x200b, 0x200f, 0},   {0x20d0, 0x20ff, 0},
    {0x2e80, 0x303e, 2},   {0x3041, 0xa4cf, 2},   {0xac00, 0xd7a3, 2},   {0xf900, 0xfaff, 2},
    {0xfe00, 0xfe0f, 0},   {0xfe20, 0xfe2f, 0},   {0xfe30, 0xfe6f, 2},   {0xff00, 0xff60, 2},
    {0xffe0, 0xffe6, 2},   {0x1f300, 0x1f64f, 2}, {0x1f680, 0x1f6ff, 2}, {0x1f900, 0x1faff, 2},
    {0x20000, 0x3fffd, 2},
};

static int columns_of(uint32_t c) {
    int columns = wcwidth((wchar_t)c);
    if (columns >= 0)
        return columns;
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        if (c >= ranges[i].first && c <= ranges[i].last)
            return ranges[i].columns;
    }
    return 1;
}

size_t width_next(const char *text, int *columns) {
    const unsigned char *s = (const unsigned char *)text;
    size_t length = s[0] < 0x80 ? 1 : s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : s[0] >= 0xc0 ? 2 : 1;
    uint32_t c = length == 1 ? s[0] : s[0] & (0x7fu >> length);

    *columns = s[0] != '\0';
    for (size_t i = 1; i < length; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 1; /* not UTF-8 */
        c = c << 6 | (s[i] & 0x3f);
    }
    if (c >= 0x80)
        *columns = columns_of(c);
    return s[0] != '\0' ? length : 0;
}

int width_of(const char *text) {
    int total = 0;

    while (*text != '\0') {
        int columns;
        text += width_next(text, &columns);
        total += columns;
    }
    return total;
}

/* How many bytes of text fit into `columns`. */
static size_t head_of(const char *text, int columns) {
    size_t length = 0;

    while (text[length] != '\0') {
        int wide;
        size_t step = width_next(text + length, &wide);
        if (wide > columns)
            break;
        columns -= wide;
        length += step;
    }
    return length;
}

/* The end of a text of `width` columns that fits into `columns`. It does not
 * begin with what combines with the character before it. */
static const char *tail_of(const char *text, int width, int columns) {
    while (*text != '\0') {
        int wide;
        size_t step = width_next(text, &wide);
        if (width <= columns && wide > 0)
            break;
        width -= wide;
        text += step;
    }
    return text;
}

/* Adds `count` bytes to a buffer that ends in NUL, or as many whole characters
 * as there is room for. */
static void add(char *buffer, size_t size, const char *text, size_t count) {
    size_t used = strlen(buffer), fit = 0;

    while (fit < count) {
        int wide;
        size_t step = width_next(text + fit, &wide);
        if (step == 0 || used + fit + step >= size)
            break;
        fit += step;
    }
    memcpy(buffer + used, text, fit);
    buffer[used + fit] = '\0';
}

int width_fit(char *buffer, size_t size, const char *text, int columns, const char *ellipsis,
              bool middle) {
    int width = width_of(text), room = columns - width_of(ellipsis);

    buffer[0] = '\0';
    if (width <= columns) {
        add(buffer, size, text, strlen(text));
    } else if (room <= 0) {
        add(buffer, size, text, head_of(text, columns));
    } else {
        int tail_room = middle ? room / 2 : 0;
        const char *tail = tail_of(text, width, tail_room);
        add(buffer, size, text, head_of(text, room - tail_room));
        add(buffer, size, ellipsis, strlen(ellipsis));
        add(buffer, size, tail, strlen(tail));
    }
    return width_of(buffer);
}
