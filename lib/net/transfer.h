/*
 * transfer.h - one attempt to bring one file from its source.
 *
 *     opening -> comparing? -> claiming -> fetching -> verifying? -> finishing -> leaving -> over
 *
 * opening     the directory, and what stands under the name now
 * comparing   is the file that is there what would be downloaded? (its digest); from fetching,
 *             where the server says so: which digest has it?
 * claiming    the part, and what an earlier attempt left in it
 * fetching    what it lacks comes (pieces.h); its digest is computed meanwhile (verifier.h)
 * verifying   the rest of the digest
 * finishing   to the disk, if that is wanted, and the rename
 * leaving     what still uses the part ends; what is left in it is made fit to be continued
 *
 * Facts (the digest is there, the pieces are over, a sync is done, stop) are recorded and
 * transfer_step() called; it moves on as far as they allow.
 */
#ifndef AJOB_NET_TRANSFER_H
#define AJOB_NET_TRANSFER_H

#include "core/task.h"
#include "net/part.h"
#include "net/pieces.h"
#include "net/plan.h"
#include "net/sync.h"
#include "net/verifier.h"

enum transfer_state {
    TRANSFER_OPENING,
    TRANSFER_COMPARING,
    TRANSFER_CLAIMING,
    TRANSFER_FETCHING,
    TRANSFER_VERIFYING,
    TRANSFER_FINISHING,
    TRANSFER_LEAVING,
    TRANSFER_OVER,
};

struct transfer {
    struct ajob_task *task; /* whose attempt this is: events, loop */
    const struct transfer_plan *plan;
    void (*over)(struct transfer *transfer); /* once, perhaps from inside start or stop */
    enum transfer_state state;
    struct part part;
    struct part_target target;
    struct part_note note; /* what the part is, or will be, a part of */
    struct pieces pieces;
    struct verifier comparison; /* of the file that is there */
    struct verifier verifier;   /* of the part */
    struct sync sync;
    bool is_stepping;
    bool has_entered;                                                /* the directory */
    bool is_compared, are_pieces_over, is_verifier_over, is_stopped; /* facts */
    bool is_synced, is_committed, is_directory_synced;
    /* Once over: */
    bool succeeded, is_up_to_date, is_verified;
    bool is_retryable;
    bool is_servers; /* the failure: another server may do better */
    bool is_gone;    /* ... it does not have the file */
    bool is_other;   /* ... the file is not the one expected */
    bool is_mixed;   /* what did not match came from more than one attempt or server */
    int64_t retry_after_ms;
    uint64_t bytes; /* of the file; until then see pieces */
    int64_t total;  /* -1: not known */
    uint64_t left;  /* bytes in a part that the next attempt can continue */
    char hex[DIGEST_HEX_MAX];
    struct text cause;
};

/* How an attempt is to go about it. */
struct transfer_way {
    struct source *source;
    bool is_clean; /* from nobody else, by one stream */
};

/* Begins; over() is owed. It may come before this returns, as it may from
 * transfer_stop(): they do not touch the transfer after it. */
void transfer_start(struct transfer *transfer, struct ajob_task *task,
                    const struct transfer_plan *plan, const struct transfer_way *way,
                    void (*over)(struct transfer *transfer));

/* Ends it soon, keeping what has arrived; over() is still owed. */
void transfer_stop(struct transfer *transfer);

/* Frees what it holds; it must be over. */
void transfer_done(struct transfer *transfer);

#endif
