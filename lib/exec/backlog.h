/*
 * backlog.h - output that waits to be written: pieces in order, each with its
 * stream. A capture with a head before each piece; pieces of one stream that
 * follow each other become one while they can. The zero value is empty.
 */
#ifndef AJOB_EXEC_BACKLOG_H
#define AJOB_EXEC_BACKLOG_H

#include "exec/capture.h"
#include "exec/output.h"

struct backlog {
    struct capture bytes;
    uint64_t last_at; /* the head of the last piece; meaningful if has_last */
    bool has_last;    /* and that may still grow */
    uint64_t read_at;
    uint32_t left;   /* of the piece that is being read, 0: between pieces */
    uint8_t stream;  /* of that piece */
    uint64_t length; /* of all pieces, without heads */
};

/* False if there is no room, neither in memory nor on disk (bytes.error), now and
 * from now on. */
bool backlog_add(struct backlog *backlog, enum output_stream stream, const char *data,
                 size_t length);

/* Says what became of the rest, after an add that failed. */
void backlog_force(struct backlog *backlog, enum output_stream stream, const char *data,
                   size_t length);

/* The stream that the next bytes are of. False: there are none. */
bool backlog_next(struct backlog *backlog, enum output_stream *stream);

/* These bytes, in memory or read into buffer: at least one, at most size, of one
 * piece. NULL if there are none or they cannot be read: errno. */
const char *backlog_peek(struct backlog *backlog, char *buffer, size_t size, size_t *length);

/* So many of them are not needed any more. True: that was the piece's end. */
bool backlog_skip(struct backlog *backlog, size_t length);

void backlog_done(struct backlog *backlog);

#endif
