/*
 * pieces.c - brings what a part lacks, over one connection or several. See pieces.h.
 *
 * libcurl allows nobody to begin or end an exchange from within its callbacks: those of the
 * streams only record (fail(), is_wide...) and refuse; step() comes when a stream is done,
 * or by the tick.
 */
#include "net/pieces.h"

#include "base/mem.h"
#include "core/loop.h"
#include "net/answer.h"
#include "net/host.h"
#include "net/resume.h"
#include "net/url.h"

enum {
    NOTE_AFTER = 512 * 1024,    /* with less of it here, or to come, no note is written yet */
    RESERVE_FROM = 1024 * 1024, /* nor asking for room */
    SPLIT_FROM = 2 * SEGMENT_SIZE_MIN,
    ROUND = 64 * 1024,      /* shares begin at a multiple of it: disks like that */
    PROGRESS = 1024 * 1024, /* a stream that has brought so much may fail and come again */
    SETTLED_TICK_MS = 1000,
};

static struct pieces *pieces_of(const struct stream *stream) {
    return stream->owner;
}

static void fail(struct pieces *pieces, int result, bool is_retryable) {
    pieces->result = result;
    pieces->is_retryable = is_retryable;
}

/* For a failure that is not the first one. */
static struct text *new_cause(struct pieces *pieces) {
    text_clear(&pieces->cause);
    return &pieces->cause;
}

static unsigned count_running(const struct pieces *pieces, const struct source *source) {
    unsigned count = 0;
    for (size_t i = 0; i < SEGMENTS_MAX; i++) {
        const struct stream *stream = &pieces->streams[i];
        count += stream->is_running && (!source || stream->source == source);
    }
    return count;
}

/* ---- shares --------------------------------------------------------------- */

static uint64_t size_of(const struct pieces *pieces) {
    return pieces->total >= 0 ? (uint64_t)pieces->total : STREAM_OPEN_END;
}

/* The first bytes from `from` on that are not there and that nobody brings. */
static bool find_gap(const struct pieces *pieces, uint64_t from, struct range *ret_gap) {
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
    bool is_found = is_ok && ranges_gap(&taken, from, size_of(pieces), ret_gap);
    ranges_done(&taken);
    return is_found;
}

/* Halves the largest rest that a stream has. False: none is worth it. */
static bool take_half(struct pieces *pieces, struct range *ret_share) {
    struct stream *largest = NULL;
    uint64_t rest = SPLIT_FROM - 1;
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

/* ---- the note ------------------------------------------------------------- */

static bool remember(struct pieces *pieces) {
    return resume_remember(pieces->plan, pieces->part, pieces->note, &pieces->cause);
}

/* For a process that is killed; one that is stopped leaves a note anyway. */
static bool keep_note(struct pieces *pieces) {
    const struct part *part = pieces->part;
    bool is_long = pieces->here >= NOTE_AFTER &&
                   (pieces->total < 0 || (uint64_t)pieces->total >= pieces->here + NOTE_AFTER);
    bool is_due = part->has_note ? part_note_is_due(part, size_of(pieces)) : is_long;
    return !is_due || !part->is_resumable || !resume_is_possible(pieces->plan, pieces->note) ||
           remember(pieces);
}

/* Bytes are about to come behind a gap: the file's size will say nothing any more. */
static bool note_pieces(struct pieces *pieces) {
    if (pieces->part->is_in_pieces)
        return true;
    pieces->part->is_in_pieces = true;
    if (remember(pieces))
        return true;
    fail(pieces, PIECES_FAILED_HERE, false);
    return false;
}

/* ---- answers -------------------------------------------------------------- */

static bool start_over(struct pieces *pieces) {
    part_note_done(pieces->note);
    pieces->here = pieces->resumed_from = 0;
    if (pieces->verifier)
        verifier_restart(pieces->verifier);
    return part_empty(pieces->part, &pieces->cause);
}

static bool take_whole(struct pieces *pieces, struct stream *stream,
                       const struct response *response) {
    if (!pieces->is_wanted(pieces->owner, response)) {
        fail(pieces, PIECES_UNWANTED, false);
        return false;
    }
    pieces->total = response->is_encoded ? -1 : response->length;
    stream->reach = pieces->total >= 0 ? (uint64_t)pieces->total : 0;
    if (pieces->here) {
        task_note(pieces->task, "starting over: the server sends the whole file, not the rest");
        if (!start_over(pieces)) {
            fail(pieces, PIECES_FAILED_HERE, false);
            return false;
        }
    }
    stream->writer.at = stream->first = 0;
    stream->end = STREAM_OPEN_END;
    return true;
}

static bool take_range(struct pieces *pieces, struct stream *stream,
                       const struct response *response, int64_t total) {
    pieces->total = total;
    stream->reach = response->has_extent ? response->range_last + 1 : 0;
    return true;
}

/* What is there cannot be continued. */
static bool give_up(struct pieces *pieces, const char *cause) {
    text_add(&pieces->cause, cause);
    fail(pieces, PIECES_FAILED, pieces->here > 0);
    pieces->is_useless = true;
    return false;
}

static bool is_size_right(struct pieces *pieces) {
    const struct transfer_plan *plan = pieces->plan;
    if (!plan->size_known || pieces->total < 0 || (uint64_t)pieces->total == plan->size)
        return true;
    text_format(&pieces->cause, "the server has %lld bytes, expected %llu",
                (long long)pieces->total, (unsigned long long)plan->size);
    fail(pieces, PIECES_FAILED, false);
    return false;
}

/* Whether others may ask for ranges of what the first stream brings. Some servers do not
 * say that they can: those who ask for a number of streams want it to be tried. */
static bool may_split(const struct pieces *pieces, const struct response *response) {
    const struct transfer_plan *plan = pieces->plan;
    const struct part_note *note = pieces->note;
    bool is_proved = note->etag || note->last_modified || (plan->want && plan->size_known);
    bool can_range = response->status == 206 || response->accepts_ranges || plan->segments > 1;
    return is_proved && can_range && plan->segments != 1 && !pieces->is_single &&
           !response->is_encoded && !response->is_multiplexed && pieces->total >= 0 &&
           (uint64_t)pieces->total >= pieces->here + SPLIT_FROM;
}

static void arm_tick(struct pieces *pieces, uint64_t delay_ms) {
    struct ajob_loop *loop = pieces->task->loop;
    deadline_arm(&loop->deadlines, &pieces->tick, loop_due_ms(loop, delay_ms));
}

/* It says which version of the file it is. */
static bool take_first(struct pieces *pieces, struct stream *stream, const struct question *asked,
                       const struct response *response) {
    enum answer answer = answer_to(asked, response);
    bool is_taken = false;
    if (answer == ANSWER_CHANGED)
        return give_up(pieces, "HTTP 416 (Range Not Satisfiable): the file has changed");
    if (answer == ANSWER_OTHER)
        return give_up(pieces, "the server sent another range than asked for");
    if (answer == ANSWER_WHOLE)
        is_taken = take_whole(pieces, stream, response);
    else
        is_taken = take_range(pieces, stream, response, answer_total(asked, response));
    if (!is_taken || !is_size_right(pieces))
        return false;
    if (answer == ANSWER_NOTHING)
        return true;
    if (pieces->total > RESERVE_FROM &&
        !part_reserve(pieces->part, (uint64_t)pieces->total, &pieces->cause)) {
        fail(pieces, PIECES_FAILED_HERE, false);
        return false;
    }
    if (stream->end > size_of(pieces))
        stream->end = size_of(pieces);
    if (stream->end == STREAM_OPEN_END && pieces->plan->size_known)
        stream->end = pieces->plan->size;
    mem_free(pieces->note->url);
    pieces->note->url = url_redacted(stream->source->url);
    resume_learn(pieces->note, response, pieces->total);
    pieces->has_answer = true;
    pieces->may_split = may_split(pieces, response);
    if (pieces->may_split)
        arm_tick(pieces, pieces->plan->segments ? 0 : SEGMENTS_ASK_MS);
    return true;
}

static bool head_came(struct stream *stream, const struct response *response) {
    struct pieces *pieces = pieces_of(stream);
    struct question asked = {
        .has_range = stream->has_range,
        .first = stream->first,
        .note = pieces->note,
        .is_same_server = stream->source == pieces->source,
        .must_say_etag = pieces->is_adopted && !pieces->has_answer,
    };
    if (!pieces->has_answer)
        return take_first(pieces, stream, &asked, response);
    pieces->is_mixed = true;
    if (answer_to(&asked, response) == ANSWER_RANGE)
        return take_range(pieces, stream, response, pieces->total);
    /* It does no ranges after all, or has another version by now: what goes on goes on. */
    text_add(new_cause(pieces), "the file has changed while it came");
    pieces->is_retryable = true;
    stream->source->is_unfit = true;
    return false;
}

/* ---- bodies --------------------------------------------------------------- */

static void verify(struct pieces *pieces, uint64_t at, const char *data, size_t length) {
    struct verifier *verifier = pieces->verifier;
    if (!verifier || (at == verifier->reached && verifier_feed(verifier, data, length)))
        return;
    verifier_reach(verifier, ranges_frontier(&pieces->part->have));
}

static bool body_came(struct stream *stream, const char *data, size_t length) {
    struct pieces *pieces = pieces_of(stream);
    uint64_t at = stream->writer.at;
    bool is_kept = part_write(pieces->part, &stream->writer, data, length, &pieces->cause);
    pieces->here += length;
    pieces->came += length;
    if (!is_kept || !keep_note(pieces)) {
        fail(pieces, PIECES_FAILED_HERE, false);
        return false;
    }
    verify(pieces, at, data, length);
    task_progressed(pieces->task, &pieces->last_event_ms, pieces->here, pieces->total);
    return true;
}

/* A share that was given away may have come back; else the stream ends, well or not. */
static bool share_is_full(struct stream *stream) {
    struct pieces *pieces = pieces_of(stream);
    struct range gap;
    if (stream->end < stream->reach) {
        bool is_back = find_gap(pieces, stream->end, &gap) && gap.first == stream->end;
        if (is_back)
            stream->end = gap.end < stream->reach ? gap.end : stream->reach;
        return is_back;
    }
    if (pieces->plan->size_known && stream->end == pieces->plan->size && !stream->reach)
        text_format(new_cause(pieces), "the body is longer than the %llu bytes expected",
                    (unsigned long long)pieces->plan->size);
    else
        text_add(new_cause(pieces), "the body is longer than the range it was said to be");
    fail(pieces, PIECES_FAILED, false);
    return false;
}

/* ---- streams -------------------------------------------------------------- */

static const struct stream_calls stream_calls;

/* Who is asked next: of those that may be, the one that brings the least. */
static struct source *choose_source(const struct pieces *pieces) {
    const struct transfer_plan *plan = pieces->plan;
    struct source *chosen = NULL;
    unsigned least = SEGMENTS_MAX;
    for (size_t i = 0; i < plan->source_count; i++) {
        struct source *source = &plan->sources[i];
        bool is_own = source == pieces->source;
        bool is_proved = plan->want && plan->size_known && !source->has_failed;
        unsigned count = count_running(pieces, source);
        if (source->is_unfit || (!is_own && !is_proved) || count >= least)
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

static bool start_share(struct pieces *pieces, struct stream *stream, struct range share) {
    struct part_writer *writer = &stream->writer;
    stream->calls = &stream_calls;
    stream->owner = pieces;
    writer->at = share.first;
    stream->end = share.end;
    if (stream_start(stream, pieces->task->loop, pieces->plan, validator_for(pieces, stream)))
        return true;
    text_add(new_cause(pieces), "out of memory");
    return false;
}

static void narrow(struct stream *stream) {
    if (stream->is_wide)
        host_narrow(stream->source->host);
    stream->is_wide = false;
}

/* A connection to the source: the task's slot is for one, all others have to be granted. */
static bool widen(struct pieces *pieces, struct stream *stream) {
    bool has_slot = stream->source == pieces->source;
    for (size_t i = 0; i < SEGMENTS_MAX; i++)
        if (pieces->streams[i].is_running && !pieces->streams[i].is_wide)
            has_slot = false;
    stream->is_wide = !has_slot && host_widen(stream->source->host);
    return has_slot || stream->is_wide;
}

static struct stream *idle_stream(struct pieces *pieces) {
    for (size_t i = 0; i < SEGMENTS_MAX; i++)
        if (!pieces->streams[i].is_running)
            return &pieces->streams[i];
    return NULL;
}

/* Another stream, if there is something for it to bring. */
static bool start_next(struct pieces *pieces) {
    struct stream *stream = idle_stream(pieces);
    struct source *source = choose_source(pieces);
    struct range share;
    if (!stream || !source)
        return false;
    stream->source = source;
    if (!widen(pieces, stream))
        return false;
    bool is_only = !count_running(pieces, NULL);
    bool has_share = find_gap(pieces, 0, &share) || take_half(pieces, &share);
    stream->has_range = true;
    if (has_share && (is_only || note_pieces(pieces)) && start_share(pieces, stream, share))
        return true;
    narrow(stream);
    return false;
}

/* Keeps what it has brought. */
static void stop_stream(struct pieces *pieces, struct stream *stream) {
    stream_stop(stream);
    narrow(stream);
    if (!part_flush(pieces->part, &stream->writer, &pieces->cause))
        fail(pieces, PIECES_FAILED_HERE, false);
}

static void stop_surplus(struct pieces *pieces) {
    for (size_t i = SEGMENTS_MAX; i-- && count_running(pieces, NULL) > pieces->wanted;)
        if (pieces->streams[i].is_running && pieces->streams[i].is_wide)
            stop_stream(pieces, &pieces->streams[i]);
}

static bool is_complete(const struct pieces *pieces) {
    return pieces->total >= 0 && ranges_frontier(&pieces->part->have) == (uint64_t)pieces->total;
}

static void step(struct pieces *pieces) {
    if (pieces->result == PIECES_UNDER_WAY && is_complete(pieces))
        pieces->result = PIECES_COMPLETE;
    if (pieces->result == PIECES_UNDER_WAY) {
        stop_surplus(pieces);
        while (count_running(pieces, NULL) < pieces->wanted && start_next(pieces)) {
        }
        bool has_none = !count_running(pieces, NULL) && pieces->result == PIECES_UNDER_WAY;
        if (has_none && !pieces->cause.length)
            text_add(&pieces->cause, "no server brings the rest");
        if (has_none) /* why is what the last one said */
            fail(pieces, PIECES_FAILED, true);
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
                                     size_of(pieces) - pieces->here);
    bool is_quiet = segments->fixed || segments->is_settled;
    arm_tick(pieces, is_quiet ? SETTLED_TICK_MS : SEGMENTS_ASK_MS);
    if (!keep_note(pieces))
        fail(pieces, PIECES_FAILED_HERE, false);
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
    if (at > stream->first && at == stream->reach)
        return true; /* the range was shorter than asked for: the rest is asked for next */
    uint64_t size = pieces->total >= 0 ? (uint64_t)pieces->total : stream->end;
    text_format(new_cause(pieces), "the body ended early: %llu of %llu bytes",
                (unsigned long long)pieces->here, (unsigned long long)size);
    pieces->is_retryable = true;
    return false;
}

/* Others may bring the rest of what it was to bring. */
static void stream_failed(struct pieces *pieces, struct stream *stream) {
    unsigned others = count_running(pieces, NULL);
    bool is_own = stream->source == pieces->source;
    bool has_progressed = stream->has_head && stream->writer.at >= stream->first + PROGRESS;
    if (!others) {
        fail(pieces, PIECES_FAILED, pieces->is_retryable);
    } else if (!has_progressed && is_own) {
        segments_refused(&pieces->segments, others);
    } else if (!has_progressed) {
        stream->source->is_unfit = true;
    }
}

static void stream_is_done(struct stream *stream, const struct fetch_result *result) {
    struct pieces *pieces = pieces_of(stream);
    narrow(stream);
    if (!part_flush(pieces->part, &stream->writer, &pieces->cause))
        fail(pieces, PIECES_FAILED_HERE, false);
    bool is_full = stream->has_head && stream->writer.at == stream->end;
    bool is_well = result->kind == FETCH_OK ? ended_well(pieces, stream)
                                            : result->kind == FETCH_REFUSED && is_full;
    if (result->kind == FETCH_FAILED) {
        text_add(new_cause(pieces), result->cause);
        pieces->is_retryable = result->is_retryable;
        pieces->retry_after_ms = result->retry_after_ms;
    }
    if (!is_well && pieces->result == PIECES_UNDER_WAY)
        stream_failed(pieces, stream);
    step(pieces);
}

static const struct stream_calls stream_calls = {
    .head = head_came,
    .body = body_came,
    .full = share_is_full,
    .done = stream_is_done,
};

/* ---- the life ------------------------------------------------------------- */

bool pieces_start(struct pieces *pieces) {
    const struct ranges *have = &pieces->part->have;
    struct stream *stream = &pieces->streams[0];
    struct range share;
    struct ajob_loop *loop = pieces->task->loop;
    pieces->is_adopted =
        pieces->note->etag && !resume_is_from(pieces->plan, pieces->source->url, pieces->note);
    for (size_t i = 0; i < pieces->plan->source_count; i++)
        pieces->plan->sources[i].is_unfit = false;
    pieces->cause.max = TEXT_LINE_MAX;
    pieces->total = pieces->retry_after_ms = -1;
    pieces->here = pieces->resumed_from = ranges_total(have);
    pieces->part->is_in_pieces = pieces->here > ranges_frontier(have);
    pieces->wanted = 1;
    segments_begin(&pieces->segments, pieces->plan->segments);
    stream->source = pieces->source;
    bool is_ok =
        deadline_init(&loop->deadlines, &pieces->tick, tick_is_due) && find_gap(pieces, 0, &share);
    if (is_ok) {
        stream->has_range = share.first || share.end != STREAM_OPEN_END;
        is_ok = start_share(pieces, stream, share);
    }
    if (!is_ok)
        fail(pieces, PIECES_FAILED_HERE, false);
    return is_ok;
}

void pieces_stop(struct pieces *pieces) {
    if (pieces->tick.due)
        deadline_disarm(&pieces->task->loop->deadlines, &pieces->tick);
    for (size_t i = 0; i < SEGMENTS_MAX; i++)
        if (pieces->streams[i].is_running)
            stop_stream(pieces, &pieces->streams[i]);
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
