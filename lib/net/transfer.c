/* transfer.c - one attempt to bring one file from its source. See transfer.h. */
#include "net/transfer.h"

#include <assert.h>
#include <unistd.h>

#include "base/mem.h"
#include "core/loop.h"
#include "net/guard.h"
#include "net/resume.h"
#include "net/taken.h"

static const char no_digest[] = "the digest cannot be computed here";

static void transfer_step(struct transfer *transfer);

static bool edge_is_legal(enum transfer_state from, enum transfer_state to) {
    enum { LEAVING = 1 << TRANSFER_LEAVING };
    static const uint8_t next[] = {
        [TRANSFER_OPENING] = 1 << TRANSFER_COMPARING | 1 << TRANSFER_CLAIMING | LEAVING,
        [TRANSFER_COMPARING] = 1 << TRANSFER_CLAIMING | 1 << TRANSFER_FINISHING | LEAVING,
        [TRANSFER_CLAIMING] = 1 << TRANSFER_FETCHING | LEAVING,
        [TRANSFER_FETCHING] =
            1 << TRANSFER_COMPARING | 1 << TRANSFER_VERIFYING | 1 << TRANSFER_FINISHING | LEAVING,
        [TRANSFER_VERIFYING] = 1 << TRANSFER_FINISHING | LEAVING,
        [TRANSFER_FINISHING] = LEAVING,
        [TRANSFER_LEAVING] = 1 << TRANSFER_OVER,
        [TRANSFER_OVER] = 0,
    };
    return next[from] & 1 << to;
}

/* The one place where the state changes. */
static void go_to(struct transfer *transfer, enum transfer_state state) {
    bool is_legal = edge_is_legal(transfer->state, state);
    assert(is_legal);
    (void)is_legal;
    transfer->state = state;
}

/* The cause is there already. */
static void fail(struct transfer *transfer, bool is_retryable) {
    transfer->is_retryable = is_retryable;
    go_to(transfer, TRANSFER_LEAVING);
}

static void fail_with(struct transfer *transfer, bool is_retryable, const char *cause) {
    text_clear(&transfer->cause);
    text_add(&transfer->cause, cause);
    fail(transfer, is_retryable);
}

/* ---- digests -------------------------------------------------------------- */

static void is_compared(struct verifier *verifier) {
    struct transfer *transfer = verifier->owner;
    transfer->is_compared = true;
    transfer_step(transfer);
}

static void verifier_is_over(struct verifier *verifier) {
    struct transfer *transfer = verifier->owner;
    transfer->is_verifier_over = true;
    transfer_step(transfer);
}

static bool begin_verifier(struct transfer *transfer, struct verifier *verifier, int fd,
                           void (*done)(struct verifier *verifier)) {
    verifier->done = done;
    verifier->owner = transfer;
    return verifier_begin(verifier, transfer->task->loop->uv, transfer->plan->digests, fd);
}

/* Sets hex. False: it is not the digest that is wanted. */
static bool end_verifier(struct transfer *transfer, struct verifier *verifier) {
    const struct digest_want *want = transfer->plan->want;
    return verifier_end(verifier, want, transfer->hex) || !want;
}

/* ---- opening and comparing ------------------------------------------------ */

static void compare_target(struct transfer *transfer) {
    struct verifier *comparison = &transfer->comparison;
    go_to(transfer, TRANSFER_COMPARING);
    transfer->is_compared = false;
    if (!begin_verifier(transfer, comparison, transfer->target.fd, is_compared)) {
        fail_with(transfer, false, no_digest);
        return;
    }
    verifier_reach(comparison, transfer->target.size);
    verifier_finish(comparison);
}

static void open_target(struct transfer *transfer) {
    const struct transfer_plan *plan = transfer->plan;
    struct part_target *target = &transfer->target;
    transfer->has_entered = dir_enter(plan->dir, &transfer->cause);
    if (!transfer->has_entered) {
        fail(transfer, false);
        return;
    }
    transfer->part = (struct part)PART_INIT(plan->dir->fd);
    if (guard_has(transfer->task->loop, plan->dir->fd, plan->name, &transfer->cause) ||
        !part_look(&transfer->part, plan->name, target, &transfer->cause)) {
        fail(transfer, false);
        return;
    }
    bool is_candidate =
        target->fd >= 0 && plan->want && (!plan->size_known || plan->size == target->size);
    if (is_candidate)
        compare_target(transfer);
    else
        go_to(transfer, TRANSFER_CLAIMING);
}

static void target_is_up_to_date(struct transfer *transfer) {
    transfer->is_up_to_date = true;
    transfer->pieces.resumed_from = 0;
    transfer->bytes = transfer->target.size;
    transfer->total = (int64_t)transfer->target.size;
    go_to(transfer, TRANSFER_FINISHING);
}

/* Before anything is asked for its digest decides; later (is_up_to_date) it is that of
 * what the server has, and only to be told. */
static void compare(struct transfer *transfer) {
    bool is_whole = !transfer->comparison.error;
    bool is_same = is_whole && end_verifier(transfer, &transfer->comparison);
    if (is_same || transfer->is_up_to_date) {
        transfer->is_verified = is_same && transfer->plan->want;
        target_is_up_to_date(transfer);
    } else {
        transfer->hex[0] = '\0';
        go_to(transfer, TRANSFER_CLAIMING);
    }
}

/* ---- claiming ------------------------------------------------------------- */

/* Whether the target stays, for it is what the server has, as far as one can tell. */
static bool is_wanted(void *owner, const struct response *response) {
    struct transfer *transfer = owner;
    const struct part_target *target = &transfer->target;
    const struct transfer_plan *plan = transfer->plan;
    bool is_comparable = target->fd >= 0 && !plan->want && !response->is_encoded &&
                         (!plan->size_known || plan->size == target->size);
    bool is_same_size = response->length >= 0 && (uint64_t)response->length == target->size;
    return !is_comparable || !is_same_size || !response->last_modified ||
           http_date(response->last_modified) != target->mtime_s;
}

static void pieces_are_over(void *owner) {
    struct transfer *transfer = owner;
    transfer->are_pieces_over = true;
    transfer_step(transfer);
}

/* Bytes that are there are hashed while the rest is asked for. */
static bool start_verifier(struct transfer *transfer) {
    struct verifier *verifier = &transfer->verifier;
    if (!transfer->plan->digests)
        return true;
    if (!begin_verifier(transfer, verifier, transfer->part.fd, verifier_is_over))
        return false;
    transfer->pieces.verifier = verifier;
    verifier_reach(verifier, ranges_frontier(&transfer->part.have));
    return true;
}

static void claim(struct transfer *transfer) {
    const struct transfer_plan *plan = transfer->plan;
    struct pieces *pieces = &transfer->pieces;
    struct part *part = &transfer->part;
    if (!part_claim(part, plan->name, &transfer->cause)) {
        fail(transfer, false);
        return;
    }
    bool is_continued = resume_recall(plan, pieces->source->url, part, &transfer->note);
    if (!is_continued && !part_empty(part, &transfer->cause)) {
        fail(transfer, false);
        return;
    }
    if (!start_verifier(transfer)) {
        fail_with(transfer, false, no_digest);
        return;
    }
    go_to(transfer, TRANSFER_FETCHING);
    transfer->are_pieces_over = !pieces_start(pieces);
}

/* ---- fetching ------------------------------------------------------------- */

static void fetched(struct transfer *transfer) {
    struct pieces *pieces = &transfer->pieces;
    switch (pieces->verdict.result) {
    case PIECES_COMPLETE:
        go_to(transfer, TRANSFER_VERIFYING);
        if (pieces->verifier) {
            verifier_reach(pieces->verifier, pieces->here);
            verifier_finish(pieces->verifier);
        }
        break;
    case PIECES_UNWANTED:
        transfer->is_up_to_date = true;
        if (transfer->plan->digests)
            compare_target(transfer);
        else
            target_is_up_to_date(transfer);
        break;
    case PIECES_UNDER_WAY:
    case PIECES_FAILED:
    case PIECES_FAILED_HERE:
        transfer->is_servers = pieces->verdict.result == PIECES_FAILED;
        transfer->is_gone = transfer->is_servers && pieces->verdict.is_gone;
        transfer->is_other = transfer->is_servers && pieces->verdict.is_other;
        transfer->retry_after_ms = pieces->verdict.retry_after_ms;
        fail_with(transfer, pieces->verdict.is_retryable, text_string(&pieces->verdict.cause));
        break;
    }
}

/* ---- verifying and finishing ---------------------------------------------- */

/* What came is not what is wanted. If it was put together from several answers a clean
 * attempt may mend it. */
static void reject(struct transfer *transfer) {
    transfer->pieces.verdict.is_useless = true;
    transfer->is_servers = transfer->is_other = true;
    transfer->is_mixed = transfer->pieces.resumed_from || transfer->pieces.verdict.is_mixed;
    fail(transfer, transfer->is_mixed);
}

static void verify(struct transfer *transfer) {
    const struct transfer_plan *plan = transfer->plan;
    int error = transfer->verifier.error;
    if (error) {
        transfer->pieces.verdict.is_useless = true;
        fail_with(transfer, error < 0,
                  error < 0 ? "the part changed while it was read" : strerror(error));
        return;
    }
    if (plan->digests && !end_verifier(transfer, &transfer->verifier)) {
        char wanted[16 + DIGEST_HEX_MAX];
        digest_format(plan->want, wanted);
        text_clear(&transfer->cause);
        text_format(&transfer->cause, "%s mismatch: expected %s, got %s",
                    digest_name(plan->want->algorithm), strchr(wanted, ':') + 1, transfer->hex);
        reject(transfer);
        return;
    }
    const char *modified = transfer->note.modified;
    part_dress(&transfer->part, modified ? http_date(modified) : -1, transfer->target.mode);
    go_to(transfer, TRANSFER_FINISHING);
}

static void sync_is_done(struct sync *sync) {
    transfer_step(sync->owner);
}

static void start_sync(struct transfer *transfer, int fd) {
    transfer->sync.done = sync_is_done;
    transfer->sync.owner = transfer;
    if (!sync_start(&transfer->sync, transfer->task->loop->uv, fd))
        transfer->sync.error = ENOMEM;
}

static void fail_sync(struct transfer *transfer, const char *what) {
    bool is_there = transfer->is_committed || transfer->is_up_to_date;
    text_clear(&transfer->cause);
    text_format(&transfer->cause, "fsync: %s: %s%s", what, strerror(transfer->sync.error),
                is_there ? "; the file is there, but a power cut may undo that" : "");
    if (!is_there) /* what was written may be lost, whatever a read says */
        transfer->pieces.verdict.is_useless = true;
    fail(transfer, false);
}

/* False: it waits for a sync. A file that is there already may be that of a run which did
 * not live to sync it. */
static bool finish(struct transfer *transfer) {
    const struct transfer_plan *plan = transfer->plan;
    if (transfer->sync.is_running)
        return false;
    if (transfer->sync.error) {
        fail_sync(transfer, transfer->is_directory_synced ? "the directory" : plan->name);
    } else if (transfer->is_stopped && !transfer->is_committed) {
        go_to(transfer, TRANSFER_LEAVING);
    } else if (plan->fsync && !transfer->is_synced) {
        transfer->is_synced = true;
        start_sync(transfer, transfer->is_up_to_date ? transfer->target.fd : transfer->part.fd);
    } else if (!transfer->is_committed && !transfer->is_up_to_date) {
        text_clear(&transfer->cause);
        bool is_free =
            taken_is_free(transfer->task->loop, plan->dir->fd, plan->name, &transfer->cause);
        transfer->pieces.verdict.is_useless = !is_free;
        transfer->is_committed =
            is_free && part_commit(&transfer->part, transfer->target.mode, &transfer->cause);
        if (!transfer->is_committed)
            fail(transfer, false);
    } else if (plan->fsync && !transfer->is_directory_synced) {
        transfer->is_directory_synced = true;
        start_sync(transfer, plan->dir->fd);
    } else {
        transfer->succeeded = true;
        transfer->is_verified = plan->want != NULL;
        go_to(transfer, TRANSFER_LEAVING);
    }
    return true;
}

/* ---- leaving -------------------------------------------------------------- */

static void cancel(struct verifier *verifier) {
    if (verifier->done) /* it was begun */
        verifier_cancel(verifier);
}

static bool is_hashing(const struct transfer *transfer) {
    return transfer->verifier.is_running || transfer->comparison.is_running;
}

static void leave(struct transfer *transfer) {
    if (transfer->is_committed || (transfer->succeeded && transfer->is_up_to_date))
        taken_keep(transfer->task->loop, transfer->plan->dir->fd, transfer->plan->name);
    if (!transfer->is_up_to_date) {
        transfer->bytes = transfer->pieces.here;
        transfer->total = transfer->pieces.total;
    }
    if (!transfer->is_committed) { /* else the part has become the file */
        bool is_useless = transfer->is_up_to_date || transfer->pieces.verdict.is_useless;
        transfer->left = resume_leave(transfer->plan, &transfer->part, &transfer->note, is_useless);
    }
    if (transfer->target.fd >= 0)
        close(transfer->target.fd);
    part_close(&transfer->part);
    if (transfer->has_entered)
        dir_leave(transfer->plan->dir);
    go_to(transfer, TRANSFER_OVER);
}

/* ---- the machine ---------------------------------------------------------- */

/* As far as the facts allow; false: they do not allow more. */
static bool move_on(struct transfer *transfer) {
    switch (transfer->state) {
    case TRANSFER_OPENING:
        open_target(transfer);
        return true;
    case TRANSFER_COMPARING:
        if (transfer->is_stopped)
            go_to(transfer, TRANSFER_LEAVING);
        else if (transfer->is_compared)
            compare(transfer);
        else
            return false;
        return true;
    case TRANSFER_CLAIMING:
        claim(transfer);
        return true;
    case TRANSFER_FETCHING:
        if (transfer->is_stopped)
            go_to(transfer, TRANSFER_LEAVING);
        else if (transfer->are_pieces_over)
            fetched(transfer);
        else
            return false;
        return true;
    case TRANSFER_VERIFYING:
        if (transfer->is_stopped)
            go_to(transfer, TRANSFER_LEAVING);
        else if (transfer->is_verifier_over || !transfer->plan->digests)
            verify(transfer);
        else
            return false;
        return true;
    case TRANSFER_FINISHING:
        return finish(transfer);
    case TRANSFER_LEAVING:
        pieces_stop(&transfer->pieces);
        cancel(&transfer->verifier);
        cancel(&transfer->comparison);
        if (is_hashing(transfer))
            return false;
        leave(transfer);
        return true;
    case TRANSFER_OVER:
        return false;
    }
    return false;
}

static void transfer_step(struct transfer *transfer) {
    if (transfer->is_stepping) /* a fact that was there at once */
        return;
    transfer->is_stepping = true;
    while (move_on(transfer)) {
    }
    transfer->is_stepping = false;
    if (transfer->state == TRANSFER_OVER)
        transfer->over(transfer);
}

void transfer_start(struct transfer *transfer, struct ajob_task *task,
                    const struct transfer_plan *plan, const struct transfer_way *way,
                    void (*over)(struct transfer *transfer)) {
    *transfer = (struct transfer){
        .task = task,
        .plan = plan,
        .over = over,
        .part = PART_INIT(-1),
        .target = {.fd = -1},
        .note = {.total = -1},
        .pieces = {.task = task,
                   .plan = plan,
                   .source = way->source,
                   .part = &transfer->part,
                   .note = &transfer->note,
                   .is_single = way->is_clean,
                   .is_wanted = is_wanted,
                   .over = pieces_are_over,
                   .owner = transfer,
                   .total = -1},
        .retry_after_ms = -1,
        .total = -1,
        .cause = TEXT_INIT(TEXT_LINE_MAX),
    };
    transfer_step(transfer);
}

void transfer_stop(struct transfer *transfer) {
    transfer->is_stopped = true;
    transfer_step(transfer);
}

void transfer_done(struct transfer *transfer) {
    pieces_done(&transfer->pieces);
    verifier_done(&transfer->verifier);
    verifier_done(&transfer->comparison);
    part_note_done(&transfer->note);
    text_done(&transfer->cause);
}
