/*
 * pieces_answer.c - what the first answer says, and the others have to agree with. See
 * pieces_inner.h.
 *
 * Called from inside libcurl: nothing is begun or ended here.
 */
#include "base/mem.h"
#include "core/loop.h"
#include "net/answer.h"
#include "net/pieces_inner.h"
#include "net/profile.h"
#include "net/resume.h"
#include "net/url.h"

enum { RESERVE_FROM = 1024 * 1024 }; /* less is not worth asking the disk for room */

static bool start_over(struct pieces *pieces) {
    part_note_done(pieces->note);
    pieces->here = pieces->resumed_from = 0;
    if (pieces->verifier)
        verifier_restart(pieces->verifier);
    return part_empty(pieces->part, &pieces->cause);
}

static bool is_size_right(struct pieces *pieces) {
    const struct transfer_plan *plan = pieces->plan;
    if (!plan->size_known || pieces->total < 0 || (uint64_t)pieces->total == plan->size)
        return true;
    text_format(&pieces->cause, "the server has %lld bytes, expected %llu",
                (long long)pieces->total, (unsigned long long)plan->size);
    pieces->is_other = true;
    pieces_fail(pieces, PIECES_FAILED, false);
    return false;
}

/* Where nothing but the end of the connection ends the body, it may have broken off. */
static void warn_of_open_end(const struct pieces *pieces, const struct response *response) {
    bool is_told = response->length >= 0 || response->is_chunked || response->is_multiplexed;
    if (!is_told && !pieces->plan->want && !pieces->plan->size_known)
        task_note(pieces->task, "the server does not say how long it is: whether all of it "
                                "has come cannot be known");
}

static bool take_whole(struct pieces *pieces, struct stream *stream,
                       const struct response *response) {
    if (!pieces->is_wanted(pieces->owner, response)) {
        pieces_fail(pieces, PIECES_UNWANTED, false);
        return false;
    }
    pieces->total = response->is_encoded ? -1 : response->length;
    stream->reach = pieces->total >= 0 ? (uint64_t)pieces->total : 0;
    if (!is_size_right(pieces)) /* what is here may still be good */
        return false;
    warn_of_open_end(pieces, response);
    if (pieces->here) {
        task_note(
            pieces->task,
            pieces->is_foreign
                ? "starting over: what is there is from another server, and no digest is known"
                : "starting over: the server sends the whole file, not the rest");
        if (!start_over(pieces)) {
            pieces_fail(pieces, PIECES_FAILED_HERE, false);
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
static bool give_up(struct pieces *pieces, bool is_retryable, const char *cause) {
    text_add(&pieces->cause, cause);
    pieces_fail(pieces, PIECES_FAILED, is_retryable);
    pieces->is_useless = true;
    return false;
}

/* Whether others may ask for ranges of what the first stream brings. Some servers do not
 * say that they can: those who ask for a number of streams want it to be tried. Where it is
 * us who hold the bytes back, or all would share one connection, more bring nothing. */
static bool may_split(const struct pieces *pieces, const struct response *response) {
    bool is_shared = response->is_multiplexed && profile_wants_http2(pieces->source->profile);
    const struct transfer_plan *plan = pieces->plan;
    const struct part_note *note = pieces->note;
    bool is_proved = note->etag || note->last_modified || plan->want;
    bool can_range = response->status == 206 || response->accepts_ranges || plan->segments > 1;
    bool is_held_back = pieces->task->loop->limit_rate && !plan->segments;
    return is_proved && can_range && !is_held_back && plan->segments != 1 && !pieces->is_single &&
           !response->is_encoded && !is_shared && pieces->total >= 0 &&
           (uint64_t)pieces->total >= pieces->here + SPLIT_FROM;
}

/* It says which version of the file it is. */
static bool take_first(struct pieces *pieces, struct stream *stream, const struct question *asked,
                       const struct response *response) {
    enum answer answer = answer_to(asked, response);
    bool is_taken = false;
    if (answer == ANSWER_CHANGED)
        return give_up(pieces, pieces->here > 0,
                       "HTTP 416 (Range Not Satisfiable): the file has changed");
    if (answer == ANSWER_OTHER)
        return give_up(pieces, true, "the server sent another range than asked for");
    if (answer == ANSWER_WHOLE)
        is_taken = take_whole(pieces, stream, response);
    else
        is_taken = take_range(pieces, stream, response, answer_total(asked, response));
    if (!is_taken || !is_size_right(pieces))
        return false;
    if (answer == ANSWER_NOTHING)
        return true;
    if (pieces->total > RESERVE_FROM && !part_reserve(pieces->part, (uint64_t)pieces->total,
                                                      pieces->plan->size_known, &pieces->cause)) {
        pieces_fail(pieces, PIECES_FAILED_HERE, false);
        return false;
    }
    if (stream->end > pieces_size(pieces))
        stream->end = pieces_size(pieces);
    if (stream->end == STREAM_OPEN_END && pieces->plan->size_known)
        stream->end = pieces->plan->size;
    if (!resume_name(pieces->plan, stream->source->url, pieces->note)) {
        text_add(&pieces->cause, "out of memory");
        pieces_fail(pieces, PIECES_FAILED_HERE, false);
        return false;
    }
    resume_learn(pieces->note, response, pieces->total);
    pieces->has_answer = true;
    pieces->may_split = may_split(pieces, response);
    if (pieces->may_split)
        pieces_arm_tick(pieces, pieces->plan->segments ? 0 : SEGMENTS_ASK_MS);
    return true;
}

bool pieces_take_answer(struct stream *stream, const struct response *response) {
    struct pieces *pieces = stream->owner;
    struct question asked = {
        .has_range = stream->has_range,
        .first = stream->first,
        .note = pieces->note,
        .is_same_server = stream->source == pieces->source,
        .must_say_etag = !pieces->plan->want,
    };
    if (!pieces->has_answer)
        return take_first(pieces, stream, &asked, response);
    if (stream->end == stream->writer.at)
        return false; /* another one brings it already */
    pieces->is_mixed = true;
    if (answer_to(&asked, response) == ANSWER_RANGE)
        return take_range(pieces, stream, response, pieces->total);
    /* It does no ranges after all, or has another version by now: what goes on goes on. */
    text_add(pieces_new_cause(pieces), "the file has changed while it came");
    pieces->is_retryable = true;
    stream->source->is_unfit = true;
    return false;
}
