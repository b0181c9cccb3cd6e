/*
 * lines.h - whole lines out of what pipes bring.
 *
 * What is handed on are pieces that end with the end of a line, whatever the pieces
 * that come in; only a line of more than LINES_PIECE_MAX bytes is cut, not inside a
 * character of UTF-8. The zero value holds nothing.
 */
#ifndef AJOB_EXEC_LINES_H
#define AJOB_EXEC_LINES_H

#include <stdbool.h>
#include <stddef.h>

enum { LINES_PIECE_MAX = 64 * 1024 };

struct lines {
    char *partial; /* the line that is not complete */
    size_t length, capacity;
};

/* A piece of at most LINES_PIECE_MAX bytes. */
typedef void lines_piece_fn(void *data, const char *piece, size_t length);

void lines_add(struct lines *lines, const char *data, size_t length, lines_piece_fn *hand_on,
               void *to);

/* Hands on what there is of a line that may never be completed; is_over: there is
 * nothing more to come, not even the rest of a character. */
void lines_flush(struct lines *lines, bool is_over, lines_piece_fn *hand_on, void *to);

void lines_done(struct lines *lines);

#endif
