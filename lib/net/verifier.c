/* verifier.c - the digest of a file, off the loop and behind its writers. See verifier.h. */
#include "net/verifier.h"

#include <errno.h>
#include <unistd.h>

#include "base/mem.h"

enum {
    BLOCK = 64 * 1024,   /* read at a time: it stays in the core's own cache */
    BATCH = 1024 * 1024, /* less is not worth going to a thread and back */
    FEED_MAX = BATCH     /* so much of a file is hashed on the loop */
};

static void verifier_step(struct verifier *verifier);

/* ---- the thread ------------------------------------------------------------- */

static void hash_file(struct verifier *verifier) {
    char block[BLOCK];
    while (verifier->hashed < verifier->working_to && !atomic_load(&verifier->is_cancelled)) {
        uint64_t left = verifier->working_to - verifier->hashed;
        ssize_t got = pread(verifier->fd, block, left < BLOCK ? (size_t)left : BLOCK,
                            (off_t)verifier->hashed);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            verifier->error = got < 0 ? errno : -1;
            return;
        }
        digest_add(&verifier->digest, block, (size_t)got);
        verifier->hashed += (uint64_t)got;
    }
}

static struct verifier_block *block_at(struct verifier *verifier, unsigned index) {
    return &verifier->blocks[(verifier->first_block + index) % VERIFIER_BLOCKS];
}

static void hash_blocks(struct verifier *verifier) {
    for (unsigned i = 0; i < verifier->working_blocks; i++) {
        const struct verifier_block *block = block_at(verifier, i);
        if (atomic_load(&verifier->is_cancelled))
            return;
        digest_add(&verifier->digest, block->data + block->skip, block->length - block->skip);
        verifier->hashed += block->length - block->skip;
    }
}

/* In a thread of the pool: touches nothing but its own of the verifier. */
static void work(uv_work_t *request) {
    struct verifier *verifier = request->data;
    hash_file(verifier);
    if (verifier->hashed == verifier->working_to)
        hash_blocks(verifier);
}

/* ---- blocks ----------------------------------------------------------------- */

/* The first ones are not needed any more. */
static void give_back(struct verifier *verifier, unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        struct verifier_block *block = block_at(verifier, i);
        verifier->spare[verifier->spare_count++] = block->data;
        verifier->blocks_at += block->length - block->skip;
    }
    verifier->first_block = (verifier->first_block + count) % VERIFIER_BLOCKS;
    verifier->block_count -= count;
}

/* Whether the block is the next of what is to be hashed. What is before it is in the file,
 * or in other blocks. */
static bool is_next_block(const struct verifier *verifier, uint64_t at, size_t length) {
    bool is_behind_blocks = !verifier->block_count || verifier->blocks_end == verifier->reached;
    return is_behind_blocks && at <= verifier->reached && at + length > verifier->reached &&
           verifier->block_count < VERIFIER_BLOCKS && !verifier->is_restarting && !verifier->error;
}

char *verifier_trade(struct verifier *verifier, uint64_t at, char *block, size_t length) {
    if (!is_next_block(verifier, at, length))
        return block;
    char *other =
        verifier->spare_count ? verifier->spare[--verifier->spare_count] : mem_new(length);
    if (!other)
        return block;
    if (!verifier->block_count)
        verifier->blocks_at = verifier->reached;
    *block_at(verifier, verifier->block_count++) = (struct verifier_block){
        .data = block, .skip = (size_t)(verifier->reached - at), .length = length};
    verifier->reached = verifier->blocks_end = at + length;
    verifier_step(verifier);
    return other;
}

/* ---- the machine ------------------------------------------------------------ */

/* Of what had been in the file nothing counts, nor what reading it said. */
static void restart(struct verifier *verifier) {
    verifier->is_restarting = false;
    atomic_store(&verifier->is_cancelled, false);
    give_back(verifier, verifier->block_count);
    verifier->hashed = 0;
    verifier->error = digest_begin(&verifier->digest, verifier->algorithm) ? 0 : ENOMEM;
}

static void work_is_done(uv_work_t *request, int status) {
    struct verifier *verifier = request->data;
    (void)status; /* if it was cancelled before it began, that is noted already */
    verifier->is_running = false;
    give_back(verifier, verifier->working_blocks);
    if (verifier->is_restarting)
        restart(verifier);
    verifier_step(verifier);
}

static void start(struct verifier *verifier) {
    verifier->work.data = verifier;
    verifier->working_to = verifier->block_count ? verifier->blocks_at : verifier->reached;
    verifier->working_blocks = verifier->block_count;
    int error = uv_queue_work(verifier->uv, &verifier->work, work, work_is_done);
    verifier->is_running = !error;
    if (error)
        verifier->error = ENOMEM;
}

/* Moves on as far as the facts allow. */
static void verifier_step(struct verifier *verifier) {
    bool is_cancelled = atomic_load(&verifier->is_cancelled);
    if (verifier->is_running || verifier->is_over)
        return;
    uint64_t left = verifier->reached - verifier->hashed;
    bool is_worth_it = left >= BATCH || !verifier->hashed || verifier->is_finishing;
    if (left && is_worth_it && !is_cancelled && !verifier->error)
        start(verifier);
    if (verifier->is_running) /* the rest is the thread's to touch */
        return;
    bool is_all = !left || is_cancelled || verifier->error;
    if (verifier->is_finishing && is_all) {
        verifier->is_over = true;
        verifier->done(verifier);
    }
}

bool verifier_begin(struct verifier *verifier, uv_loop_t *uv,
                    const struct digest_algorithm *algorithm, int fd) {
    verifier->uv = uv;
    verifier->algorithm = algorithm;
    verifier->fd = fd;
    verifier->reached = verifier->hashed = 0;
    give_back(verifier, verifier->block_count);
    verifier->is_running = verifier->is_finishing = false;
    verifier->is_restarting = verifier->is_over = false;
    atomic_store(&verifier->is_cancelled, false);
    verifier->error = 0;
    return digest_begin(&verifier->digest, algorithm);
}

void verifier_reach(struct verifier *verifier, uint64_t frontier) {
    if (frontier <= verifier->reached)
        return;
    verifier->reached = frontier;
    verifier_step(verifier);
}

bool verifier_feed(struct verifier *verifier, const void *data, size_t length) {
    bool is_next = !verifier->is_running && !verifier->error &&
                   verifier->hashed == verifier->reached && length <= FEED_MAX &&
                   verifier->hashed + length <= FEED_MAX;
    if (!is_next)
        return false;
    digest_add(&verifier->digest, data, length);
    verifier->hashed += length;
    verifier->reached = verifier->hashed;
    return true;
}

void verifier_restart(struct verifier *verifier) {
    verifier->reached = 0;
    if (!verifier->is_running) {
        restart(verifier);
        return;
    }
    verifier->is_restarting = true;
    atomic_store(&verifier->is_cancelled, true);
}

void verifier_finish(struct verifier *verifier) {
    verifier->is_finishing = true;
    verifier_step(verifier);
}

void verifier_cancel(struct verifier *verifier) {
    if (verifier->is_over)
        return;
    verifier->is_finishing = true;
    verifier->is_restarting = false;
    atomic_store(&verifier->is_cancelled, true);
    if (verifier->is_running)
        uv_cancel((uv_req_t *)&verifier->work);
    verifier_step(verifier);
}

bool verifier_end(struct verifier *verifier, const struct digest_want *want,
                  char hex[DIGEST_HEX_MAX]) {
    return digest_end(&verifier->digest, want, hex);
}

void verifier_done(struct verifier *verifier) {
    give_back(verifier, verifier->block_count);
    while (verifier->spare_count)
        mem_free(verifier->spare[--verifier->spare_count]);
    digest_done(&verifier->digest);
}
