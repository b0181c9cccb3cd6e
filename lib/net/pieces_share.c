/*
 * pieces_share.c - who brings what: shares, the sources that are asked for them, and their
 * connections. See pieces_inner.h.
 */
#include "core/loop.h"
#include "net/host.h"
#include "net/pieces_inner.h"

enum { ROUND = 64 * 1024 }; /* shares begin at a multiple of it: disks like that */

unsigned pieces_count(const struct pieces *pieces, const struct source *source) {
    unsigned count = 0;
    for (size_t i = 0; i < SEGMENTS_MAX; i++) {
        const struct stream *stream = &pieces->streams[i];
        count += stream->is_running && (!source || stream->source == source);
    }
    return count;
}

bool pieces_gap(const struct pieces *pieces, uint64_t from, struct range *ret_gap) {
    const struct ranges *have = &pieces->part->have;
    struct ranges taken = {0};
    bool is_ok = true;
    for (size_t i = 0; i < have->count && is_ok; i++)
        is_ok = ranges_add(&taken, have->items[i].first, have->items[i].end);
    for (size_t i = 0; i < SEGMENTS_MAX && is_ok; i++) {
        const struct stream *stream = &pieces->streams[i];
        uint64_t first = stream->writer.at - stream->writer.joined_length;
        if (stream->is_running && first < stream->end)
            is_ok = ranges_add(&taken, first, stream->end);
    }
    bool is_found = is_ok && ranges_gap(&taken, from, pieces_size(pieces), ret_gap);
    ranges_done(&taken);
    return is_found;
}

/* What a stream brings, as things go, while another one would begin. */
static uint64_t soon(const struct pieces *pieces) {
    enum { SOON_MS = 100 };
    uint64_t elapsed_ms = loop_now_ms(pieces->task->loop) - pieces->began_ms;
    unsigned count = pieces_count(pieces, NULL);
    if (elapsed_ms < SOON_MS || !count)
        return 0; /* as things go is not known yet */
    return pieces->came * SOON_MS / elapsed_ms / count;
}

/* Halves the largest rest that a stream has. False: none is worth it. */
static bool take_half(struct pieces *pieces, struct range *ret_share) {
    struct stream *largest = NULL;
    uint64_t least = soon(pieces);
    uint64_t rest = least > SPLIT_FROM ? least : SPLIT_FROM - 1;
    for (size_t i = 0; i < SEGMENTS_MAX; i++) {
        struct stream *stream = &pieces->streams[i];
        if (!stream->is_running || stream->end - stream->writer.at <= rest)
            continue;
        largest = stream;
        rest = stream->end - stream->writer.at;
    }
    if (!largest)
        return false;
    uint64_t middle = largest->writer.at + rest / 2;
    *ret_share = (struct range){middle - middle % ROUND, largest->end};
    largest->end = ret_share->first;
    return true;
}

/* The share of a stream that has been silent for a while, and since before another one was
 * done: a new connection brings it sooner, be it for a limit on each or for a hung one. */
static bool take_silent(struct pieces *pieces, struct range *ret_share) {
    enum { SILENT_MS = 300, AFTER_MS = 100 };
    uint64_t now_ms = loop_now_ms(pieces->task->loop);
    if (!pieces->done_ms || now_ms - pieces->done_ms < AFTER_MS)
        return false;
    for (size_t i = 0; i < SEGMENTS_MAX; i++) {
        struct stream *stream = &pieces->streams[i];
        bool is_ours = stream->is_allotted || stream->fetch.place.is_waiting; /* the silence */
        bool is_silent = stream->is_running && !is_ours && stream->heard_ms < pieces->done_ms &&
                         now_ms - stream->heard_ms >= SILENT_MS;
        if (!is_silent || stream->writer.at >= stream->end)
            continue;
        pieces_stop_stream(pieces, stream);
        return pieces_gap(pieces, stream->writer.at, ret_share);
    }
    return false;
}

/* The task has a connection to its own source, which nobody else can have. */
static bool is_slot_idle(const struct pieces *pieces) {
    for (size_t i = 0; i < SEGMENTS_MAX; i++)
        if (pieces->streams[i].is_running && !pieces->streams[i].is_wide)
            return false;
    return true;
}

/* Who is asked next: of those that may be, the one that brings the least. */
static struct source *choose_source(const struct pieces *pieces) {
    const struct transfer_plan *plan = pieces->plan;
    struct source *chosen = NULL;
    unsigned least = SEGMENTS_MAX;
    if (!pieces->source->is_unfit && is_slot_idle(pieces))
        return pieces->source;
    for (size_t i = 0; i < plan->source_count; i++) {
        struct source *source = &plan->sources[i];
        bool is_own = source == pieces->source;
        bool may_help = plan->want && !source->has_failed;
        unsigned count = pieces_count(pieces, source);
        if (source->is_unfit || (!is_own && !may_help) || count >= least)
            continue;
        chosen = source;
        least = count;
    }
    return chosen;
}

/* What If-Range says: the validators are those of one server. */
static const char *validator_for(const struct pieces *pieces, const struct stream *stream) {
    const struct part_note *note = pieces->note;
    if (stream->source != pieces->source)
        return NULL;
    return note->etag ? note->etag : note->last_modified;
}

void pieces_narrow(struct stream *stream) {
    if (stream->is_wide)
        host_narrow(stream->source->host);
    stream->is_wide = false;
}

/* A connection to the source: all but the task's own one have to be granted. */
static bool widen(struct pieces *pieces, struct stream *stream) {
    bool has_slot = stream->source == pieces->source && is_slot_idle(pieces);
    stream->is_wide = !has_slot && host_widen(stream->source->host);
    return has_slot || stream->is_wide;
}

static struct stream *idle_stream(struct pieces *pieces) {
    for (size_t i = 0; i < SEGMENTS_MAX; i++)
        if (!pieces->streams[i].is_running)
            return &pieces->streams[i];
    return NULL;
}

/* What comes behind a gap makes the file's size say nothing any more. */
static bool note_pieces(struct pieces *pieces) {
    if (pieces->part->is_in_pieces)
        return true;
    pieces->part->is_in_pieces = true;
    return pieces_remember(pieces);
}

static void allot(struct pieces *pieces, struct stream *stream, struct range share) {
    stream->calls = &pieces_stream_calls;
    stream->owner = pieces;
    stream->writer.at = share.first;
    stream->end = share.end;
    stream->is_running = stream->is_allotted = true;
}

/* Another stream, if there is something for it to bring. It does not ask yet: who comes
 * next may take half of its share. */
static bool allot_next(struct pieces *pieces) {
    struct stream *stream = idle_stream(pieces);
    struct source *source = choose_source(pieces);
    struct range share;
    if (!stream || !source)
        return false;
    stream->source = source;
    if (!widen(pieces, stream))
        return false;
    bool is_only = !pieces_count(pieces, NULL);
    bool has_share =
        pieces_gap(pieces, 0, &share) || take_half(pieces, &share) || take_silent(pieces, &share);
    if (!has_share || !(is_only || note_pieces(pieces))) {
        pieces_narrow(stream);
        return false;
    }
    stream->has_range = true;
    allot(pieces, stream, share);
    return true;
}

static bool start_allotted(struct pieces *pieces, struct stream *stream) {
    stream->is_allotted = false;
    if (stream_start(stream, pieces->task->loop, pieces->plan, validator_for(pieces, stream)))
        return true;
    pieces_narrow(stream);
    text_add(pieces_new_cause(pieces), "out of memory");
    return false;
}

bool pieces_start_first(struct pieces *pieces) {
    struct stream *stream = &pieces->streams[0];
    struct range share = {0, STREAM_OPEN_END};
    if (!pieces->is_foreign && !pieces_gap(pieces, 0, &share))
        return false;
    stream->source = pieces->source;
    stream->has_range = share.first || share.end != STREAM_OPEN_END;
    allot(pieces, stream, share);
    return start_allotted(pieces, stream);
}

void pieces_start_others(struct pieces *pieces) {
    while (pieces_count(pieces, NULL) < pieces->wanted && allot_next(pieces)) {
    }
    for (size_t i = 0; i < SEGMENTS_MAX; i++)
        if (pieces->streams[i].is_allotted)
            start_allotted(pieces, &pieces->streams[i]);
}

void pieces_stop_stream(struct pieces *pieces, struct stream *stream) {
    stream_stop(stream);
    pieces_narrow(stream);
    pieces_flush(pieces, stream);
}

void pieces_stop_surplus(struct pieces *pieces) {
    for (size_t i = SEGMENTS_MAX; i-- && pieces_count(pieces, NULL) > pieces->wanted;)
        if (pieces->streams[i].is_running && pieces->streams[i].is_wide)
            pieces_stop_stream(pieces, &pieces->streams[i]);
}

bool pieces_make_way(struct pieces *pieces) {
    for (size_t i = SEGMENTS_MAX; i--;) {
        struct stream *stream = &pieces->streams[i];
        if (!stream->is_wide || !host_is_wanted(stream->source->host))
            continue;
        pieces_stop_stream(pieces, stream);
        return true;
    }
    return false;
}
