/*
 * pieces.c - brings what a part lacks, over one connection or several. See pieces.h.
 *
 * libcurl allows nobody to begin or end an exchange from within its callbacks: those of the
 * streams only record (pieces_fail(), has_answer...) and refuse; step() comes when a stream is
 * done, or by the tick.
 */
#include "core/loop.h"
#include "net/pieces_inner.h"
#include "net/resume.h"

enum {
    NOTE_AFTER = 512 * 1024,     /* with less of it here, or to come, no note is written yet */
    SHORT_RANGE_MIN = 16 * 1024, /* by less a server would make a request of every byte */
    PROGRESS = 1024 * 1024,      /* a stream that has brought so much may fail and come again */
    SETTLED_TICK_MS = 1000,
};

static struct pieces *pieces_of(const struct stream *stream) {
    return stream->owner;
}

void pieces_fail(struct pieces *pieces, enum pieces_result result, bool is_retryable) {
    pieces->result = result;
    pieces->is_retryable = is_retryable;
}

struct text *pieces_new_cause(struct pieces *pieces) {
    text_clear(&pieces->cause);
    pieces->is_gone = false;
    pieces->retry_after_ms = -1;
    return &pieces->cause;
}

/* Whatever servers have said before, this is why. Frees the error. */
static bool fail_here(struct pieces *pieces, struct text *error) {
    text_add(pieces_new_cause(pieces), text_string(error));
    text_done(error);
    pieces_fail(pieces, PIECES_FAILED_HERE, false);
    return false;
}

uint64_t pieces_size(const struct pieces *pieces) {
    return pieces->total >= 0 ? (uint64_t)pieces->total : STREAM_OPEN_END;
}

void pieces_arm_tick(struct pieces *pieces, uint64_t delay_ms) {
    struct ajob_loop *loop = pieces->task->loop;
    deadline_arm(&loop->deadlines, &pieces->tick,
                 delay_ms ? loop_due_ms(loop, delay_ms) : loop_now_ms(loop));
}

/* ---- the note ------------------------------------------------------------- */

bool pieces_remember(struct pieces *pieces) {
    struct text error = TEXT_INIT(TEXT_LINE_MAX);
    return resume_remember(pieces->plan, pieces->part, pieces->note, &error) ||
           fail_here(pieces, &error);
}

/* For a process that is killed; one that is stopped leaves a note anyway. */
static bool keep_note(struct pieces *pieces) {
    const struct part *part = pieces->part;
    bool is_long = pieces->here >= NOTE_AFTER &&
                   (pieces->total < 0 || (uint64_t)pieces->total >= pieces->here + NOTE_AFTER);
    bool is_due = part->has_note ? part_note_is_due(part, pieces_size(pieces)) : is_long;
    return !is_due || !part->is_resumable || !resume_is_possible(pieces->plan, pieces->note) ||
           pieces_remember(pieces);
}

/* ---- bodies --------------------------------------------------------------- */

static void verify(struct pieces *pieces, uint64_t at, const char *data, size_t length) {
    struct verifier *verifier = pieces->verifier;
    if (!verifier || (at == verifier->reached && verifier_feed(verifier, data, length)))
        return;
    verifier_reach(verifier, ranges_frontier(&pieces->part->have));
}

static char *trade(void *owner, uint64_t at, char *block, size_t length) {
    return verifier_trade(owner, at, block, length);
}

static bool body_came(struct stream *stream, const char *data, size_t length) {
    struct pieces *pieces = pieces_of(stream);
    struct text error = TEXT_INIT(TEXT_LINE_MAX);
    uint64_t at = stream->writer.at;
    bool is_kept = part_write(pieces->part, &stream->writer, data, length, &error) ||
                   fail_here(pieces, &error);
    pieces->here += length;
    pieces->came += length;
    if (!is_kept || !keep_note(pieces))
        return false;
    verify(pieces, at, data, length);
    task_progressed(pieces->task, &pieces->last_event_ms, pieces->here, pieces->total);
    return true;
}

void pieces_flush(struct pieces *pieces, struct stream *stream) {
    struct text error = TEXT_INIT(TEXT_LINE_MAX);
    if (!part_flush(pieces->part, &stream->writer, &error))
        fail_here(pieces, &error);
}

/* What follows the share, of bytes that come anyway: it was given away and has come back, or
 * who is to bring it has no answer yet. */
static bool take_following(struct pieces *pieces, struct stream *stream) {
    struct range gap;
    for (size_t i = 0; i < SEGMENTS_MAX; i++) {
        struct stream *other = &pieces->streams[i];
        if (other->is_running && !other->has_head && other->writer.at == stream->end)
            other->end = other->writer.at;
    }
    bool is_free = pieces_gap(pieces, stream->end, &gap) && gap.first == stream->end;
    if (is_free)
        stream->end = gap.end < stream->reach ? gap.end : stream->reach;
    return is_free;
}

static bool share_is_full(struct stream *stream) {
    struct pieces *pieces = stream->owner;
    if (stream->end < stream->reach)
        return take_following(pieces, stream);
    if (stream->source != pieces->source) {
        stream->source->is_unfit = true;
        return false;
    }
    pieces->is_useless = !stream->reach; /* only the size that is wanted ended it */
    pieces->is_other = pieces->is_useless && pieces->plan->size_known;
    if (pieces->is_useless)
        text_format(pieces_new_cause(pieces), "the body is longer than the %llu bytes expected",
                    (unsigned long long)stream->end);
    else
        text_add(pieces_new_cause(pieces), "the body is longer than the range it was said to be");
    pieces_fail(pieces, PIECES_FAILED, false);
    return false;
}

static bool is_complete(const struct pieces *pieces) {
    return pieces->total >= 0 && ranges_frontier(&pieces->part->have) == (uint64_t)pieces->total;
}

/* A stream has all that its server sends, and is about to be done: its connection can be
 * used again then. */
static bool is_ending(const struct pieces *pieces) {
    bool is_ending = false;
    for (size_t i = 0; i < SEGMENTS_MAX; i++) {
        const struct stream *stream = &pieces->streams[i];
        is_ending = is_ending || (stream->is_running && stream->writer.at == stream->reach);
    }
    return is_ending;
}

static void step(struct pieces *pieces) {
    bool has_all = is_complete(pieces);
    if (pieces->result == PIECES_UNDER_WAY && has_all && !is_ending(pieces))
        pieces->result = PIECES_COMPLETE;
    if (pieces->result == PIECES_UNDER_WAY && !has_all) {
        pieces_stop_surplus(pieces);
        pieces_start_others(pieces);
        if (pieces->may_split && pieces_count(pieces, NULL) < pieces->wanted)
            pieces_arm_tick(pieces, SEGMENTS_ASK_MS); /* there may be something for one soon */
        bool has_none = !pieces_count(pieces, NULL) && pieces->result == PIECES_UNDER_WAY;
        if (has_none && !pieces->cause.length)
            text_add(&pieces->cause, "no server brings the rest");
        if (has_none) /* why is what the last one said */
            pieces_fail(pieces, PIECES_FAILED, true);
    }
    if (pieces->result == PIECES_UNDER_WAY)
        return;
    pieces_stop(pieces);
    pieces->over(pieces->owner);
}

static void tick_is_due(struct deadline *deadline) {
    struct pieces *pieces = (struct pieces *)((char *)deadline - offsetof(struct pieces, tick));
    struct segments *segments = &pieces->segments;
    unsigned count = 0;
    if (!pieces->may_split)
        return;
    for (size_t i = 0; i < SEGMENTS_MAX; i++)
        count += pieces->streams[i].is_running && pieces->streams[i].has_head;
    pieces->wanted = segments_advise(segments, loop_now_ms(pieces->task->loop), count, pieces->came,
                                     pieces_size(pieces) - pieces->here);
    bool is_in_the_way = pieces_make_way(pieces); /* perhaps others are, too */
    bool is_quiet = (segments->fixed || segments->phase == SEGMENTS_RESTING) && !is_in_the_way;
    pieces_arm_tick(pieces, is_quiet ? SETTLED_TICK_MS : SEGMENTS_ASK_MS);
    keep_note(pieces);
    step(pieces);
}

/* The body has ended, and was not refused. Whether that is as it should be. */
static bool ended_well(struct pieces *pieces, const struct stream *stream) {
    uint64_t at = stream->writer.at;
    if (stream->end == STREAM_OPEN_END || at == stream->end || !stream->has_head) {
        if (pieces->total < 0 || !stream->reach)
            pieces->total = (int64_t)at; /* there is no more, for all that one can know */
        return true;
    }
    bool is_short = at > stream->first && at == stream->reach;
    if (is_short && at - stream->first >= SHORT_RANGE_MIN)
        return true; /* the rest is asked for next */
    if (is_short) {
        text_format(pieces_new_cause(pieces), "the server sends no more than %llu bytes at a time",
                    (unsigned long long)(at - stream->first));
        pieces->is_retryable = true;
        return false;
    }
    uint64_t size = pieces->total >= 0 ? (uint64_t)pieces->total : stream->end;
    text_format(pieces_new_cause(pieces), "the body ended early: %llu of %llu bytes",
                (unsigned long long)pieces->here, (unsigned long long)size);
    pieces->is_retryable = true;
    return false;
}

/* Others may bring the rest of what it was to bring. Whatever a helper does, the attempt is
 * not that one's. */
static void stream_failed(struct pieces *pieces, struct stream *stream) {
    unsigned others = pieces_count(pieces, NULL);
    bool is_own = stream->source == pieces->source;
    bool has_progressed = stream->has_head && stream->writer.at >= stream->first + PROGRESS;
    if (!is_own) {
        stream->source->is_unfit = stream->source->is_unfit || !has_progressed;
    } else if (!others) {
        pieces_fail(pieces, PIECES_FAILED, pieces->is_retryable);
    } else if (!has_progressed) {
        segments_refused(&pieces->segments, others);
        if (pieces->wanted > others) /* until the next advice */
            pieces->wanted = others;
    }
}

static void judge(struct pieces *pieces, struct stream *stream, const struct fetch_result *result) {
    bool is_full = stream->writer.at == stream->end;
    bool is_well = result->kind == FETCH_OK ? ended_well(pieces, stream)
                                            : result->kind == FETCH_REFUSED && is_full;
    if (result->kind == FETCH_FAILED) {
        bool is_own = stream->source == pieces->source;
        text_add(pieces_new_cause(pieces), result->cause);
        pieces->is_retryable = result->is_retryable;
        pieces->is_gone = is_own && (result->status == 404 || result->status == 410);
        pieces->retry_after_ms = is_own ? result->retry_after_ms : -1;
    }
    if (is_well)
        pieces->done_ms = loop_now_ms(pieces->task->loop);
    else
        stream_failed(pieces, stream);
}

static void stream_is_done(struct stream *stream, const struct fetch_result *result) {
    struct pieces *pieces = pieces_of(stream);
    pieces_narrow(stream);
    pieces_flush(pieces, stream);
    if (pieces->result == PIECES_UNDER_WAY) /* else why it ends is known */
        judge(pieces, stream, result);
    step(pieces);
}

const struct stream_calls pieces_stream_calls = {
    .head = pieces_take_answer,
    .body = body_came,
    .full = share_is_full,
    .done = stream_is_done,
};

/* ---- the life ------------------------------------------------------------- */

bool pieces_start(struct pieces *pieces) {
    const struct transfer_plan *plan = pieces->plan;
    const struct ranges *have = &pieces->part->have;
    for (size_t i = 0; i < plan->source_count; i++)
        plan->sources[i].is_unfit = false;
    for (size_t i = 0; i < SEGMENTS_MAX && pieces->verifier; i++)
        pieces->streams[i].writer = (struct part_writer){.trade = trade, .owner = pieces->verifier};
    pieces->cause.max = TEXT_LINE_MAX;
    pieces->total = pieces->retry_after_ms = -1;
    pieces->here = pieces->resumed_from = ranges_total(have);
    pieces->is_foreign = pieces->here && resume_is_foreign(plan, pieces->source->url, pieces->note);
    pieces->part->is_in_pieces = pieces->here > ranges_frontier(have);
    pieces->wanted = 1;
    pieces->began_ms = loop_now_ms(pieces->task->loop);
    segments_begin(&pieces->segments, plan->segments);
    if (deadline_init(&pieces->task->loop->deadlines, &pieces->tick, tick_is_due) &&
        pieces_start_first(pieces))
        return true;
    text_add(pieces_new_cause(pieces), "out of memory");
    pieces_fail(pieces, PIECES_FAILED_HERE, false);
    return false;
}

void pieces_stop(struct pieces *pieces) {
    if (pieces->tick.due)
        deadline_disarm(&pieces->task->loop->deadlines, &pieces->tick);
    for (size_t i = 0; i < SEGMENTS_MAX; i++)
        if (pieces->streams[i].is_running)
            pieces_stop_stream(pieces, &pieces->streams[i]);
}

void pieces_done(struct pieces *pieces) {
    for (size_t i = 0; i < SEGMENTS_MAX; i++) {
        fetch_cancel(&pieces->streams[i].fetch);
        part_writer_done(&pieces->streams[i].writer);
    }
    if (pieces->task)
        deadline_done(&pieces->task->loop->deadlines, &pieces->tick);
    text_done(&pieces->cause);
}
