/* stream.c - one connection's share of a file. See stream.h. */
#include "net/stream.h"

#include "core/loop.h"

static bool head_came(void *owner, const struct response *response) {
    struct stream *stream = owner;
    stream->has_head = stream->calls->head(stream, response);
    return stream->has_head;
}

static bool body_came(void *owner, const char *data, size_t length) {
    struct stream *stream = owner;
    const struct stream_calls *calls = stream->calls;
    stream->heard_ms = loop_now_ms(stream->fetch.loop);
    while (length) {
        uint64_t room = stream->end - stream->writer.at;
        size_t piece = length < room ? length : (size_t)room;
        if (!piece && !calls->full(stream))
            return false;
        if (piece && !calls->body(stream, data, piece))
            return false;
        data += piece;
        length -= piece;
    }
    bool is_full = stream->writer.at == stream->end && stream->end < stream->reach;
    return !is_full || calls->full(stream); /* now rather than when the next byte comes */
}

static void fetch_is_done(void *owner, const struct fetch_result *result) {
    struct stream *stream = owner;
    stream->is_running = false;
    stream->calls->done(stream, result);
}

bool stream_start(struct stream *stream, struct ajob_loop *loop, const struct transfer_plan *plan,
                  const char *if_range) {
    static const struct fetch_owner calls = {head_came, body_came, fetch_is_done};
    struct fetch_request request = {
        .url = stream->source->url,
        .profile = stream->source->profile,
        .headers = plan->headers,
        .range_first = stream->has_range ? stream->writer.at : 0,
        .range_end = stream->has_range && stream->end != STREAM_OPEN_END ? stream->end : 0,
        .if_range = if_range,
        .max_wait_ms = plan->max_wait_ms,
        .is_alone = stream->is_wide || plan->segments > 1,
    };
    stream->first = stream->writer.at;
    stream->reach = 0;
    stream->heard_ms = loop_now_ms(loop);
    stream->has_head = false;
    stream->is_running = fetch_start(&stream->fetch, loop, &calls, stream, &request);
    return stream->is_running;
}

void stream_stop(struct stream *stream) {
    fetch_cancel(&stream->fetch);
    stream->is_running = false;
}
