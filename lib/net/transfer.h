/*
 * transfer.h - one attempt to bring one URL into one file.
 *
 *     opening -> comparing? -> claiming -> rehashing? -> fetching -> finishing -> over
 *
 * opening     the directory, and what stands under the name now
 * comparing   is the file that is there what would be downloaded? (its digest)
 * claiming    the part, and what an earlier attempt left in it
 * rehashing   the digest of that
 * fetching    the exchange; bytes go to disk and digest as they come
 * finishing   length, digest, rename
 *
 * Facts (the hasher is done, the fetch is done, stop) are recorded and
 * transfer_step() called; it moves on as far as they allow.
 */
#ifndef AJOB_NET_TRANSFER_H
#define AJOB_NET_TRANSFER_H

#include "core/task.h"
#include "net/fetch.h"
#include "net/hasher.h"
#include "net/part.h"
#include "net/plan.h"

struct transfer {
    struct ajob_task *task; /* whose attempt this is: events, loop */
    const struct transfer_plan *plan;
    void (*over)(struct transfer *transfer); /* once, perhaps from inside start or stop */
    enum {
        TRANSFER_OPENING,
        TRANSFER_COMPARING,
        TRANSFER_CLAIMING,
        TRANSFER_REHASHING,
        TRANSFER_FETCHING,
        TRANSFER_FINISHING,
        TRANSFER_OVER,
    } state;
    struct part part;
    struct part_writer writer;
    struct part_target target;
    struct part_note note; /* what the part is, or will be, a part of */
    struct digest digest;
    struct hasher hasher;
    struct fetch fetch;
    bool has_entered; /* the directory */
    bool hash_is_done, fetch_is_done, is_stopped;
    bool fetch_was_ok;
    bool is_complete; /* a 416 said that nothing is missing */
    uint64_t offset;  /* bytes in the part */
    uint64_t end_at;  /* where the range that the server sends ends; 0: not said */
    uint64_t resumed_from;
    uint64_t last_event_ms;
    /* Once over: */
    bool succeeded, is_up_to_date, is_verified, is_retryable;
    int64_t retry_after_ms;
    int64_t total; /* -1: not known; also before */
    uint64_t left; /* bytes in a part that the next attempt can continue */
    char hex[DIGEST_HEX_MAX];
    struct text cause;
};

/* Begins; over() is owed. It may come before this returns, as it may from
 * transfer_stop(): they do not touch the transfer after it. */
void transfer_start(struct transfer *transfer, struct ajob_task *task,
                    const struct transfer_plan *plan, void (*over)(struct transfer *transfer));

/* Ends it soon, keeping what has arrived; over() is still owed. */
void transfer_stop(struct transfer *transfer);

/* Frees what it holds; it must be over. */
void transfer_done(struct transfer *transfer);

#endif
