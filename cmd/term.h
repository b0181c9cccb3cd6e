/*
 * term.h - where a view writes: its size, what it can show, the bytes it has
 * not taken yet. Also the growing bytes that lines and frames are made in.
 *
 * This is the seam that tests use: any descriptor, any clock.
 */
#ifndef TERM_H
#define TERM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that grow in number. All zero is none. */
struct bytes {
    char *data; /* not NUL-terminated; NULL while empty */
    size_t length, capacity;
};

/* Both add all or, on lack of memory, nothing, and then return false. */
bool bytes_add(struct bytes *bytes, const char *data, size_t length);
bool bytes_printf(struct bytes *bytes, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void bytes_done(struct bytes *bytes);

/* Milliseconds of a clock that never goes back. */
typedef uint64_t clock_fn(void);

struct term {
    int fd;
    int own_fd; /* the same terminal opened again without blocking, or -1 */
    clock_fn *now_ms;
    bool tty;
    bool utf8;        /* the locale's characters; others get no block characters */
    bool color;       /* may be changed by the owner */
    int cols, rows;   /* as of the last term_measure() */
    int error;        /* errno of the first write that failed; nothing is written after it */
    int patience_ms;  /* how long a write waits for a reader who takes nothing; 0: for ever */
    struct bytes out; /* written by term_write(), but not taken by the descriptor yet */
};

/* now NULL: the system's. If it is a terminal, the locale is asked, too. color is what
 * the environment asks for: NO_COLOR, then CLICOLOR_FORCE, then whether it is a
 * terminal (https://bixense.com/clicolors, https://no-color.org). */
void term_init(struct term *term, int fd, clock_fn *now);

/* utf8, for what is no terminal and wants to know all the same: it costs files to
 * open. Sets LC_CTYPE, and only that, from the environment. */
void term_ask_locale(struct term *term);
void term_done(struct term *term);

/* Asks for the size now. Where the terminal does not know: COLUMNS and LINES,
 * then 80 by 24. */
void term_measure(struct term *term);

/* Whether a person looks at it and lines can be drawn over: a terminal, not a
 * dumb one, and no CI system around. */
bool term_is_screen(const struct term *term);

/* Whether the descriptor leads to the same terminal, pipe or file. */
bool term_is_at(const struct term *term, int fd);

/* Whether all that was written has gone and more could be written now. */
bool term_ready(struct term *term);

/* Writes, after what is still waiting. Without wait it never blocks: what is
 * not taken waits for the next call. A megabyte may wait, not more: then this
 * blocks, so that nothing is lost. */
void term_write(struct term *term, const char *data, size_t length, bool wait);

/* ajob_escape() for this terminal: where it is one and the locale has no
 * UTF-8, '?' for all that is not ASCII. Returns buffer. */
const char *term_escape(const struct term *term, char *buffer, size_t size, const char *text);

#endif
