/* lines.c - what a command prints, line by line. See lines.h. */
#include "spec/lines.h"

#include <string.h>

#include "base/mem.h"

enum { BUFFER_SIZE = LINE_MAX_LENGTH + 1 };

/* Reads more behind what is left. Returns how much, or a negative number. */
static int64_t read_more(struct lines *lines) {
    if (ajob_exec_printed(lines->command) <= lines->offset)
        return 0;
    if (!lines->buffer && !(lines->buffer = mem_new(BUFFER_SIZE)))
        return AJOB_ENOMEM;
    memmove(lines->buffer, lines->buffer + lines->start, lines->end - lines->start);
    lines->seen -= lines->start;
    lines->end -= lines->start;
    lines->start = 0;
    int64_t count = ajob_exec_read(lines->command, lines->offset, lines->buffer + lines->end,
                                   BUFFER_SIZE - lines->end);
    if (count <= 0)
        return count;
    lines->end += (size_t)count;
    lines->offset += (uint64_t)count;
    if (lines->is_streamed)
        ajob_exec_taken(lines->command, lines->offset);
    return count;
}

/* What is left up to its newline. False: that has not come. */
static bool take_line(struct lines *lines, const char **line, size_t *length) {
    size_t left = lines->end - lines->seen;
    const char *newline = left ? memchr(lines->buffer + lines->seen, '\n', left) : NULL;
    lines->seen = lines->end;
    if (!newline)
        return false;
    *line = lines->buffer + lines->start;
    *length = (size_t)(newline - *line);
    lines->start += *length + 1;
    lines->seen = lines->start;
    return true;
}

/* The command has ended and all it printed was read. */
static enum line_state take_last(struct lines *lines, const char **line, size_t *length) {
    *line = lines->buffer + lines->start;
    *length = lines->end - lines->start;
    lines->start = lines->seen = lines->end;
    return *length ? LINE_FOUND : LINE_END;
}

enum line_state lines_next(struct lines *lines, const char **line, size_t *length) {
    for (;;) {
        while (take_line(lines, line, length))
            if (*length)
                return LINE_FOUND;
        if (lines->end - lines->start > LINE_MAX_LENGTH)
            return LINE_TOO_LONG;
        /* Asked first: what it printed last may come in between. */
        bool has_ended = ajob_task_state(lines->command) == AJOB_ENDED;
        int64_t count = read_more(lines);
        if (count < 0)
            return LINE_UNREADABLE;
        if (count == 0)
            return has_ended ? take_last(lines, line, length) : LINE_NONE_YET;
    }
}

void lines_rewind(struct lines *lines) {
    lines->start = lines->seen = lines->end = 0;
    lines->offset = 0;
}

void lines_done(struct lines *lines) {
    lines->buffer = mem_free(lines->buffer);
}
