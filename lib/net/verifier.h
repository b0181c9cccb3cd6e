/*
 * verifier.h - the digest of a file while it is being written, off the loop.
 *
 * Bytes get into the file in any order. Those without a gap from its start are hashed
 * behind the writers, by a thread of libuv's pool; so hashing takes no time from the loop,
 * and what an earlier attempt left is hashed while the request for the rest is under way.
 * The thread reads them back from the page cache, unless it can have the very blocks they
 * were written from (verifier_trade). A small file, whose bytes come in order, is hashed
 * as it is written (verifier_feed): a thread would cost more.
 */
#ifndef AJOB_NET_VERIFIER_H
#define AJOB_NET_VERIFIER_H

#include <stdatomic.h>
#include <stdint.h>
#include <uv.h>

#include "net/digest.h"

enum { VERIFIER_BLOCKS = 48 };

/* Bytes of the file that are still in memory. */
struct verifier_block {
    char *data;
    size_t skip, length; /* those before skip are hashed already */
};

struct verifier {
    uv_work_t work;
    uv_loop_t *uv;
    const struct digest_algorithm *algorithm;
    struct digest digest; /* the thread's while is_running */
    int fd;               /* the caller's */
    uint64_t reached;     /* so many bytes from the start are in the file, or fed */
    uint64_t hashed;      /* and so many in the digest; the thread's while is_running */
    uint64_t working_to;  /* where the thread will stop reading back, but for blocks */
    /* A ring of what comes behind that. Blocks come while the thread is at work, and it
     * waits a little for them, so these are under the mutex: */
    uv_mutex_t mutex;
    uv_cond_t has_news;
    struct verifier_block blocks[VERIFIER_BLOCKS];
    uint64_t produced, consumed; /* blocks so far */
    uint64_t blocks_at;          /* where the first begins that is not consumed, if any */
    bool is_finishing;
    /* And these not: */
    uint64_t taken_back, blocks_end;
    char *spare[VERIFIER_BLOCKS];
    unsigned spare_count;
    bool has_mutex;
    bool is_running, is_restarting, is_over;
    atomic_bool is_cancelled;
    /* After done(): errno of reading back; -1: the file was shorter; 0. The thread's while
     * is_running. */
    int error;
    void (*done)(struct verifier *verifier);
    void *owner;
};

/* Begins, or begins once more after done(): nothing is hashed yet. False if the algorithm
 * cannot be had here, or on lack of memory. done and owner are set by the caller. */
bool verifier_begin(struct verifier *verifier, uv_loop_t *uv,
                    const struct digest_algorithm *algorithm, int fd);

/* The first `frontier` bytes are in the file (perhaps less than was reached before). What
 * is not hashed of them will be: soon if it is much or the first, else with what follows. */
void verifier_reach(struct verifier *verifier, uint64_t frontier);

/* These bytes, behind all that was reached or fed before, are hashed here and now. False:
 * a thread is still at those before, or there is much: then nothing is done, and they
 * have to be reached. */
bool verifier_feed(struct verifier *verifier, const void *data, size_t length);

/* This block from the heap is in the file, at `at`. It is hashed from where it is, and
 * another one of its length, with anything in it, comes back for it. Or the block itself:
 * a thread has too much to do, or does not need it; then its bytes have to be reached. */
char *verifier_trade(struct verifier *verifier, uint64_t at, char *block, size_t length);

/* What was in the file has gone: from byte 0 again. Not after verifier_finish(). */
void verifier_restart(struct verifier *verifier);

/* No more bytes come: done() is owed, once, when all of them are hashed; it may come
 * before this returns. */
void verifier_finish(struct verifier *verifier);

/* Ends it early; done() is owed, too: now, or from the loop where a thread is at work.
 * What it says then means nothing. After done() this does nothing. */
void verifier_cancel(struct verifier *verifier);

/* After done() without error: as digest_end(). */
bool verifier_end(struct verifier *verifier, const struct digest_want *want,
                  char hex[DIGEST_HEX_MAX]);

/* Frees what it holds; no thread is at work. */
void verifier_done(struct verifier *verifier);

#endif
