/* transfer.c - one attempt to bring one URL into one file. See transfer.h. */
#include "net/transfer.h"

#include <unistd.h>

#include "base/mem.h"
#include "core/loop.h"
#include "net/resume.h"

enum {
    NOTE_AFTER = 512 * 1024,   /* with less of it here, or to come, no note is written yet */
    RESERVE_FROM = 1024 * 1024 /* nor asking for room */
};

static void transfer_step(struct transfer *transfer);

static void go_to(struct transfer *transfer, int state) {
    transfer->state = state;
}

static void fail(struct transfer *transfer, bool is_retryable) {
    transfer->is_retryable = is_retryable;
    go_to(transfer, TRANSFER_OVER);
}

static void fail_with(struct transfer *transfer, bool is_retryable, const char *cause) {
    text_clear(&transfer->cause);
    text_add(&transfer->cause, cause);
    fail(transfer, is_retryable);
}

/* ---- opening and comparing ------------------------------------------------ */

static void hash_is_done(struct hasher *hasher) {
    struct transfer *transfer = hasher->owner;
    transfer->hash_is_done = true;
    transfer_step(transfer);
}

/* Hashes the first length bytes of fd, off the loop, into a new digest. */
static bool start_hash(struct transfer *transfer, int fd, uint64_t length) {
    transfer->hash_is_done = false;
    transfer->hasher.digest = &transfer->digest;
    transfer->hasher.fd = fd;
    transfer->hasher.length = length;
    transfer->hasher.done = hash_is_done;
    transfer->hasher.owner = transfer;
    return digest_begin(&transfer->digest, transfer->plan->want->algorithm) &&
           hasher_start(&transfer->hasher, transfer->task->loop->uv);
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
    if (!part_look(&transfer->part, plan->name, target, &transfer->cause)) {
        fail(transfer, false);
        return;
    }
    bool is_candidate =
        target->fd >= 0 && plan->want && (!plan->size_known || plan->size == target->size);
    if (!is_candidate)
        go_to(transfer, TRANSFER_CLAIMING);
    else if (start_hash(transfer, target->fd, target->size))
        go_to(transfer, TRANSFER_COMPARING);
    else
        fail_with(transfer, false, "the digest cannot be computed here");
}

static void is_up_to_date(struct transfer *transfer) {
    transfer->succeeded = transfer->is_up_to_date = true;
    transfer->resumed_from = 0;
    transfer->offset = transfer->target.size;
    transfer->total = (int64_t)transfer->target.size;
    go_to(transfer, TRANSFER_OVER);
}

static void compare(struct transfer *transfer) {
    bool is_same = digest_end(&transfer->digest, transfer->plan->want, transfer->hex);
    if (is_same && transfer->hasher.has_read_all) {
        transfer->is_verified = true;
        is_up_to_date(transfer);
    } else {
        transfer->hex[0] = '\0';
        go_to(transfer, TRANSFER_CLAIMING);
    }
}

/* ---- claiming ------------------------------------------------------------- */

static bool start_over(struct transfer *transfer) {
    const struct transfer_plan *plan = transfer->plan;
    part_note_done(&transfer->note);
    transfer->offset = transfer->resumed_from = 0;
    if (plan->want && !digest_begin(&transfer->digest, plan->want->algorithm)) {
        text_add(&transfer->cause, "the digest cannot be computed here");
        return false;
    }
    part_writer_done(&transfer->writer);
    return part_empty(&transfer->part, &transfer->cause);
}

static void start_fetch(struct transfer *transfer);

static void claim(struct transfer *transfer) {
    const struct transfer_plan *plan = transfer->plan;
    struct part *part = &transfer->part;
    if (!part_claim(part, plan->name, &transfer->cause)) {
        fail(transfer, false);
    } else if (!resume_recall(plan, part, &transfer->note)) {
        if (start_over(transfer))
            start_fetch(transfer);
        else
            fail(transfer, false);
    } else {
        /* One stream goes on where the first gap begins; what is behind it comes again. */
        transfer->offset = transfer->resumed_from = ranges_frontier(&part->have);
        transfer->writer.at = transfer->offset;
        if (!part_cut(part, transfer->offset, &transfer->cause))
            fail(transfer, false);
        else if (!plan->want)
            start_fetch(transfer);
        else if (start_hash(transfer, part->fd, transfer->offset))
            go_to(transfer, TRANSFER_REHASHING);
        else
            fail_with(transfer, false, "the digest cannot be computed here");
    }
}

/* ---- fetching ------------------------------------------------------------- */

/* The whole body comes; what is in the part already is not part of it. */
static bool take_whole(struct transfer *transfer, const struct response *response) {
    const struct part_target *target = &transfer->target;
    const struct transfer_plan *plan = transfer->plan;
    bool is_comparable = target->fd >= 0 && !plan->want && !response->is_encoded &&
                         (!plan->size_known || plan->size == target->size);
    bool is_same_size = response->length >= 0 && (uint64_t)response->length == target->size;
    if (is_comparable && is_same_size && response->last_modified &&
        http_date(response->last_modified) == target->mtime_s) {
        transfer->is_up_to_date = true;
        return false;
    }
    transfer->total = response->is_encoded ? -1 : response->length;
    transfer->end_at = 0;
    if (!transfer->offset)
        return true;
    task_note(transfer->task, "starting over: the server sends the whole file, not the rest");
    return start_over(transfer);
}

/* A server may send the rest of another version in spite of If-Range. */
static bool is_same_version(const struct part_note *note, const struct response *response) {
    const char *etag = response_strong_etag(response);
    if (note->etag)
        return !etag || !strcmp(note->etag, etag);
    return !note->last_modified || !response->last_modified ||
           !strcmp(note->last_modified, response->last_modified);
}

/* The body goes on where the part ends; anything else starts over. */
static bool take_rest(struct transfer *transfer, const struct response *response) {
    bool fits = response->has_extent && !response->is_encoded && transfer->offset &&
                response->range_first == transfer->offset;
    int64_t total = response->range_total >= 0 ? response->range_total : transfer->note.total;
    bool same_total = total >= 0 && (transfer->note.total < 0 || total == transfer->note.total);
    if (fits && same_total && is_same_version(&transfer->note, response)) {
        transfer->total = total;
        transfer->end_at = response->range_last + 1;
        return true;
    }
    text_add(&transfer->cause, "the server sent another range than asked for");
    part_discard(&transfer->part);
    transfer->is_retryable = true;
    return false;
}

/* Range not satisfiable: all of it is here already, or it has changed. */
static bool take_nothing(struct transfer *transfer, const struct response *response) {
    bool is_whole = response->has_range && response->range_total == (int64_t)transfer->offset;
    bool same_total = transfer->note.total < 0 || transfer->note.total == (int64_t)transfer->offset;
    transfer->is_complete =
        transfer->offset && is_whole && same_total && is_same_version(&transfer->note, response);
    if (transfer->is_complete) {
        transfer->total = response->range_total;
        return true;
    }
    text_add(&transfer->cause, "HTTP 416 (Range Not Satisfiable): the file has changed");
    if (transfer->offset) {
        part_discard(&transfer->part);
        transfer->is_retryable = true;
    }
    return false;
}

static bool head_came(void *owner, const struct response *response) {
    struct transfer *transfer = owner;
    const struct transfer_plan *plan = transfer->plan;
    bool is_taken = response->status == 416   ? take_nothing(transfer, response)
                    : response->status == 206 ? take_rest(transfer, response)
                                              : take_whole(transfer, response);
    if (!is_taken || response->status == 416)
        return is_taken;
    if (plan->size_known && transfer->total >= 0 && (uint64_t)transfer->total != plan->size) {
        text_format(&transfer->cause, "the server has %lld bytes, expected %llu",
                    (long long)transfer->total, (unsigned long long)plan->size);
        return false;
    }
    if (transfer->total > RESERVE_FROM &&
        !part_reserve(&transfer->part, (uint64_t)transfer->total, &transfer->cause))
        return false;
    resume_learn(&transfer->note, response, transfer->total);
    return true;
}

/* For a process that is killed; one that is stopped leaves a note anyway. */
static bool keep_note(struct transfer *transfer) {
    bool is_long =
        transfer->offset >= NOTE_AFTER &&
        (transfer->total < 0 || (uint64_t)transfer->total >= transfer->offset + NOTE_AFTER);
    return !is_long || transfer->part.has_note || !transfer->part.is_resumable ||
           !resume_is_possible(transfer->plan, &transfer->note) ||
           resume_remember(transfer->plan, &transfer->part, &transfer->note, &transfer->cause);
}

static bool body_came(void *owner, const char *data, size_t length) {
    struct transfer *transfer = owner;
    const struct transfer_plan *plan = transfer->plan;
    if (plan->size_known && transfer->offset + length > plan->size) {
        text_format(&transfer->cause, "the body is longer than the %llu bytes expected",
                    (unsigned long long)plan->size);
        return false;
    }
    if (transfer->end_at && transfer->offset + length > transfer->end_at) {
        text_add(&transfer->cause, "the body is longer than the range it was said to be");
        return false;
    }
    if (!part_write(&transfer->part, &transfer->writer, data, length, &transfer->cause))
        return false;
    if (plan->want)
        digest_add(&transfer->digest, data, length);
    transfer->offset += length;
    if (!keep_note(transfer))
        return false;
    task_progressed(transfer->task, &transfer->last_event_ms, transfer->offset, transfer->total);
    return true;
}

static void fetch_is_done(void *owner, const struct fetch_result *result) {
    struct transfer *transfer = owner;
    transfer->fetch_is_done = true;
    transfer->fetch_was_ok = result->kind == FETCH_OK;
    if (result->kind == FETCH_FAILED) {
        text_clear(&transfer->cause);
        text_add(&transfer->cause, result->cause);
        transfer->is_retryable = result->is_retryable;
        transfer->retry_after_ms = result->retry_after_ms;
    }
    transfer_step(transfer);
}

static void start_fetch(struct transfer *transfer) {
    static const struct fetch_owner calls = {head_came, body_came, fetch_is_done};
    const struct part_note *note = &transfer->note;
    struct fetch_request request = {
        .url = transfer->plan->url,
        .profile = transfer->plan->profile,
        .headers = transfer->plan->headers,
        .range_first = transfer->offset,
        .max_wait_ms = transfer->plan->max_wait_ms,
        .if_range = !transfer->offset ? NULL
                    : note->etag      ? note->etag
                                      : note->last_modified,
    };
    go_to(transfer, TRANSFER_FETCHING);
    if (!fetch_start(&transfer->fetch, transfer->task->loop, &calls, transfer, &request))
        fail_with(transfer, false, "out of memory");
}

static void fetched(struct transfer *transfer) {
    if (transfer->is_up_to_date)
        is_up_to_date(transfer);
    else if (transfer->fetch_was_ok)
        go_to(transfer, TRANSFER_FINISHING);
    else
        go_to(transfer, TRANSFER_OVER);
}

/* ---- finishing ------------------------------------------------------------ */

/* What came is not what is wanted. If it was put together from two attempts a
 * clean one may mend it. */
static void reject(struct transfer *transfer) {
    part_discard(&transfer->part);
    fail(transfer, transfer->resumed_from > 0);
}

static void finish(struct transfer *transfer) {
    const struct transfer_plan *plan = transfer->plan;
    uint64_t expected = plan->size_known       ? plan->size
                        : transfer->total >= 0 ? (uint64_t)transfer->total
                                               : transfer->offset;
    if (transfer->offset < expected) {
        text_format(&transfer->cause, "the body ended early: %llu of %llu bytes",
                    (unsigned long long)transfer->offset, (unsigned long long)expected);
        fail(transfer, true);
        return;
    }
    if (transfer->offset > expected) {
        text_format(&transfer->cause, "%llu bytes came, expected %llu",
                    (unsigned long long)transfer->offset, (unsigned long long)expected);
        reject(transfer);
        return;
    }
    if (plan->want && !digest_end(&transfer->digest, plan->want, transfer->hex)) {
        char wanted[16 + DIGEST_HEX_MAX];
        digest_format(plan->want, wanted);
        text_format(&transfer->cause, "%s mismatch: expected %s, got %s",
                    digest_name(plan->want->algorithm), strchr(wanted, ':') + 1, transfer->hex);
        reject(transfer);
        return;
    }
    const char *modified = transfer->note.modified;
    int64_t mtime_s = modified ? http_date(modified) : -1;
    if (!part_flush(&transfer->part, &transfer->writer, &transfer->cause) ||
        !part_commit(&transfer->part, mtime_s, transfer->target.mode, &transfer->cause)) {
        fail(transfer, false);
        return;
    }
    transfer->succeeded = true;
    transfer->is_verified = plan->want != NULL;
    transfer->total = (int64_t)transfer->offset;
    go_to(transfer, TRANSFER_OVER);
}

/* ---- the machine ---------------------------------------------------------- */

/* What is left on disk: a part worth resuming with its note, or nothing. */
static void leave_disk_tidy(struct transfer *transfer) {
    struct part *part = &transfer->part;
    struct text ignored = TEXT_INIT(TEXT_LINE_MAX);
    if (transfer->succeeded && !transfer->is_up_to_date)
        return; /* the part has become the file */
    bool is_worth_it = !transfer->is_up_to_date && transfer->offset && part->is_resumable &&
                       resume_is_possible(transfer->plan, &transfer->note) &&
                       part_flush(part, &transfer->writer, &ignored);
    if (!is_worth_it ||
        (!part->has_note && !resume_remember(transfer->plan, part, &transfer->note, &ignored)))
        part_discard(part);
    else
        transfer->left = transfer->offset;
    text_done(&ignored);
}

static void transfer_step(struct transfer *transfer) {
    for (;;) {
        switch (transfer->state) {
        case TRANSFER_OPENING:
            open_target(transfer);
            break;
        case TRANSFER_COMPARING:
            if (!transfer->hash_is_done)
                return;
            if (transfer->is_stopped)
                go_to(transfer, TRANSFER_OVER);
            else
                compare(transfer);
            break;
        case TRANSFER_CLAIMING:
            claim(transfer);
            break;
        case TRANSFER_REHASHING:
            if (!transfer->hash_is_done)
                return;
            if (transfer->is_stopped)
                go_to(transfer, TRANSFER_OVER);
            else if (transfer->hasher.has_read_all)
                start_fetch(transfer);
            else
                fail_with(transfer, !transfer->hasher.error,
                          transfer->hasher.error ? strerror(transfer->hasher.error)
                                                 : "the part changed while it was read");
            break;
        case TRANSFER_FETCHING:
            if (!transfer->fetch_is_done && !transfer->is_stopped)
                return;
            if (transfer->fetch_is_done)
                fetched(transfer);
            else
                go_to(transfer, TRANSFER_OVER);
            break;
        case TRANSFER_FINISHING:
            finish(transfer);
            break;
        case TRANSFER_OVER:
            fetch_cancel(&transfer->fetch);
            leave_disk_tidy(transfer);
            if (transfer->target.fd >= 0)
                close(transfer->target.fd);
            part_writer_done(&transfer->writer);
            part_close(&transfer->part);
            if (transfer->has_entered)
                dir_leave(transfer->plan->dir);
            transfer->over(transfer);
            return;
        }
    }
}

void transfer_start(struct transfer *transfer, struct ajob_task *task,
                    const struct transfer_plan *plan, void (*over)(struct transfer *transfer)) {
    *transfer = (struct transfer){
        .task = task,
        .plan = plan,
        .over = over,
        .part = PART_INIT(-1),
        .target = {.fd = -1},
        .note = {.total = -1},
        .retry_after_ms = -1,
        .total = -1,
        .cause = TEXT_INIT(TEXT_LINE_MAX),
    };
    transfer_step(transfer);
}

void transfer_stop(struct transfer *transfer) {
    transfer->is_stopped = true;
    if (transfer->hasher.is_running)
        hasher_cancel(&transfer->hasher);
    else
        transfer_step(transfer);
}

void transfer_done(struct transfer *transfer) {
    digest_done(&transfer->digest);
    part_note_done(&transfer->note);
    text_done(&transfer->cause);
}
