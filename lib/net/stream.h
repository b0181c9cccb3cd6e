/*
 * stream.h - one connection's share of a file.
 *
 * A share is [writer.at, end): it is asked for, and what comes of it is handed to the
 * owner. It may become smaller meanwhile, when another stream takes its rest over. What a
 * server sends beyond it is refused, which costs the connection; one that sent exactly what
 * was asked for keeps it for the next share.
 */
#ifndef AJOB_NET_STREAM_H
#define AJOB_NET_STREAM_H

#include "net/fetch.h"
#include "net/part.h"
#include "net/plan.h"

#define STREAM_OPEN_END UINT64_MAX /* as much as there is */

struct stream;

struct stream_calls {
    /* As in fetch.h. Sets reach. */
    bool (*head)(struct stream *stream, const struct response *response);
    /* Bytes of the share, for writer.at; to be written there. False: it ends. */
    bool (*body)(struct stream *stream, const char *data, size_t length);
    /* The share has come, and more than it will: true if it is larger now. Else the stream
     * ends. */
    bool (*full)(struct stream *stream);
    /* It is not running any more. The share is what is left of it. */
    void (*done)(struct stream *stream, const struct fetch_result *result);
};

struct stream {
    const struct stream_calls *calls;
    void *owner;
    struct source *source; /* who is asked */
    struct fetch fetch;
    struct part_writer writer;
    uint64_t first;    /* where what it asked for begins */
    uint64_t end;      /* of its share; STREAM_OPEN_END */
    uint64_t reach;    /* where the range that the server sends ends; 0: not said */
    uint64_t heard_ms; /* when it asked, or bytes came last */
    bool has_range;    /* it asked for a range */
    bool is_running;
    bool is_allotted; /* running, but it has not asked yet */
    bool has_head;    /* the answer was taken */
    bool is_wide;     /* its connection is one by host_widen() */
};

/* Asks for the share, as a range if has_range. if_range: a strong validator, or NULL. False
 * on lack of memory; then nothing else is called. */
bool stream_start(struct stream *stream, struct ajob_loop *loop, const struct transfer_plan *plan,
                  const char *if_range);

/* Ends it without done(), if it is running. */
void stream_stop(struct stream *stream);

#endif
