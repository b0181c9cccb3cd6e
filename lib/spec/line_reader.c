/* line_reader.c - what a command prints, line by line. See line_reader.h. */
#include "spec/line_reader.h"

#include <string.h>

#include "base/mem.h"

enum { BUFFER_SIZE = LINE_MAX_LENGTH + 1 };

/* Reads more behind what is left. Returns how much, or a negative number. */
static int64_t read_more(struct line_reader *reader) {
    if (ajob_exec_printed(reader->command) <= reader->offset)
        return 0;
    if (!reader->buffer && !(reader->buffer = mem_new(BUFFER_SIZE)))
        return AJOB_ENOMEM;
    memmove(reader->buffer, reader->buffer + reader->start, reader->end - reader->start);
    reader->seen -= reader->start;
    reader->end -= reader->start;
    reader->start = 0;
    int64_t count = ajob_exec_read(reader->command, reader->offset, reader->buffer + reader->end,
                                   BUFFER_SIZE - reader->end);
    if (count <= 0)
        return count;
    reader->end += (size_t)count;
    reader->offset += (uint64_t)count;
    if (reader->is_streamed)
        ajob_exec_taken(reader->command, reader->offset);
    return count;
}

/* What is left up to its newline. False: that has not come. */
static bool take_line(struct line_reader *reader, const char **line, size_t *length) {
    size_t left = reader->end - reader->seen;
    const char *newline = left ? memchr(reader->buffer + reader->seen, '\n', left) : NULL;
    reader->seen = reader->end;
    if (!newline)
        return false;
    *line = reader->buffer + reader->start;
    *length = (size_t)(newline - *line);
    reader->start += *length + 1;
    reader->seen = reader->start;
    return true;
}

/* The command has ended and all it printed was read. */
static enum line_state take_last(struct line_reader *reader, const char **line, size_t *length) {
    *line = reader->buffer + reader->start;
    *length = reader->end - reader->start;
    reader->start = reader->seen = reader->end;
    return *length ? LINE_FOUND : LINE_END;
}

enum line_state line_reader_next(struct line_reader *reader, const char **line, size_t *length) {
    for (;;) {
        while (take_line(reader, line, length))
            if (*length)
                return LINE_FOUND;
        if (reader->end - reader->start > LINE_MAX_LENGTH)
            return LINE_TOO_LONG;
        /* Asked first: what it printed last may come in between. */
        bool has_ended = ajob_task_state(reader->command) == AJOB_ENDED;
        int64_t count = read_more(reader);
        if (count < 0)
            return LINE_UNREADABLE;
        if (count == 0)
            return has_ended ? take_last(reader, line, length) : LINE_NONE_YET;
    }
}

void line_reader_rewind(struct line_reader *reader) {
    reader->start = reader->seen = reader->end = 0;
    reader->offset = 0;
}

void line_reader_done(struct line_reader *reader) {
    reader->buffer = mem_free(reader->buffer);
}
