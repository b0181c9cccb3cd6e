/*
 * line_reader.h - what a command prints, line by line, while it prints it.
 */
#ifndef AJOB_SPEC_LINE_READER_H
#define AJOB_SPEC_LINE_READER_H

#include "ajob.h"

enum { LINE_MAX_LENGTH = 128 * 1024 };

struct line_reader {
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
enum line_state line_reader_next(struct line_reader *reader, const char **line, size_t *length);

/* From the first line again, in which no other attempt of the command was read. */
void line_reader_rewind(struct line_reader *reader);

void line_reader_done(struct line_reader *reader);

#endif
