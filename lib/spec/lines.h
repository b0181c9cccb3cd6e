/*
 * lines.h - what a command prints, line by line, while it prints it.
 */
#ifndef AJOB_SPEC_LINES_H
#define AJOB_SPEC_LINES_H

#include "ajob.h"

enum { LINE_MAX_LENGTH = 128 * 1024 };

struct lines {
    ajob_task *command; /* whose lines they are */
    bool is_streamed;   /* nobody else reads them: what was read is let go */
    char *buffer;
    size_t start, seen, end; /* in it: what is left, as far as it was looked through */
    uint64_t offset;         /* of end, in what the command has printed */
};

enum line_state {
    LINE_FOUND,
    LINE_NONE_YET,
    LINE_END,
    LINE_TOO_LONG,
    LINE_UNREADABLE, /* or there is no memory to read it */
};

/* The next line that is not empty, without its newline; valid until the next call.
 * The last one needs no newline. */
enum line_state lines_next(struct lines *lines, const char **line, size_t *length);

/* From the first line again, in which no other attempt of the command was read. */
void lines_rewind(struct lines *lines);

void lines_done(struct lines *lines);

#endif
