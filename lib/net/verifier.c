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

static void hash_file(struct verifier *verifier, uint64_t end) {
    char block[BLOCK];
    while (verifier->hashed < end && !atomic_load(&verifier->is_cancelled)) {
        uint64_t left = end - verifier->hashed;
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

/* The next block, and where it begins; waits a little for one. While a body pours in, the
 * loop does not come to start another thread. */
static bool next_block(struct verifier *verifier, struct verifier_block *ret_block,
                       uint64_t *ret_at) {
    const uint64_t patience_ns = 5 * 1000000;
    uv_mutex_lock(&verifier->mutex);
    bool is_early = verifier->consumed == verifier->produced && !verifier->is_finishing &&
                    !atomic_load(&verifier->is_cancelled);
    if (is_early)
        uv_cond_timedwait(&verifier->has_news, &verifier->mutex, patience_ns);
    bool has_one = verifier->consumed < verifier->produced && !atomic_load(&verifier->is_cancelled);
    *ret_block = verifier->blocks[verifier->consumed % VERIFIER_BLOCKS];
    *ret_at = verifier->blocks_at;
    uv_mutex_unlock(&verifier->mutex);
    return has_one;
}

/* In a thread of the pool: touches nothing but its own of the verifier. */
static void work(uv_work_t *request) {
    struct verifier *verifier = request->data;
    struct verifier_block block;
    uint64_t at;
    hash_file(verifier, verifier->working_to);
    while (!verifier->error && next_block(verifier, &block, &at)) {
        hash_file(verifier, at);
        if (verifier->hashed != at)
            return;
        size_t length = block.length - block.skip;
        digest_add(&verifier->digest, block.data + block.skip, length);
        verifier->hashed += length;
        uv_mutex_lock(&verifier->mutex);
        verifier->consumed++;
        verifier->blocks_at += length;
        uv_mutex_unlock(&verifier->mutex);
    }
}

/* ---- blocks ----------------------------------------------------------------- */

/* Takes those back that are hashed. Returns how many are not. */
static unsigned take_back(struct verifier *verifier) {
    uv_mutex_lock(&verifier->mutex);
    uint64_t consumed = verifier->consumed;
    uv_mutex_unlock(&verifier->mutex);
    for (; verifier->taken_back < consumed; verifier->taken_back++)
        verifier->spare[verifier->spare_count++] =
            verifier->blocks[verifier->taken_back % VERIFIER_BLOCKS].data;
    return (unsigned)(verifier->produced - consumed);
}

/* Nobody will hash those that are left. No thread is at work. */
static void drop_blocks(struct verifier *verifier) {
    verifier->consumed = verifier->produced;
    take_back(verifier);
}

static void tell_thread(struct verifier *verifier, bool is_finishing) {
    uv_mutex_lock(&verifier->mutex);
    verifier->is_finishing = is_finishing;
    uv_cond_signal(&verifier->has_news);
    uv_mutex_unlock(&verifier->mutex);
}

char *verifier_trade(struct verifier *verifier, uint64_t at, char *block, size_t length) {
    unsigned count = take_back(verifier);
    /* What is before it is in the file, or in other blocks. */
    bool is_next = (!count || verifier->blocks_end == verifier->reached) &&
                   at <= verifier->reached && at + length > verifier->reached;
    if (!is_next || count == VERIFIER_BLOCKS || verifier->is_restarting)
        return block;
    char *other =
        verifier->spare_count ? verifier->spare[--verifier->spare_count] : mem_new(length);
    if (!other)
        return block;
    uv_mutex_lock(&verifier->mutex);
    if (verifier->consumed == verifier->produced)
        verifier->blocks_at = verifier->reached;
    verifier->blocks[verifier->produced++ % VERIFIER_BLOCKS] = (struct verifier_block){
        .data = block, .skip = (size_t)(verifier->reached - at), .length = length};
    uv_cond_signal(&verifier->has_news);
    uv_mutex_unlock(&verifier->mutex);
    verifier->reached = verifier->blocks_end = at + length;
    verifier_step(verifier);
    return other;
}

/* ---- the machine ------------------------------------------------------------ */
/* Of what had been in the file nothing counts, nor what reading it said. */
static void restart(struct verifier *verifier) {
    verifier->is_restarting = false;
    atomic_store(&verifier->is_cancelled, false);
    drop_blocks(verifier);
    verifier->hashed = 0;
    verifier->error = digest_begin(&verifier->digest, verifier->algorithm) ? 0 : ENOMEM;
}

static void work_is_done(uv_work_t *request, int status) {
    struct verifier *verifier = request->data;
    (void)status; /* if it was cancelled before it began, that is noted already */
    verifier->is_running = false;
    take_back(verifier);
    if (verifier->is_restarting)
        restart(verifier);
    verifier_step(verifier);
}

static void start(struct verifier *verifier) {
    verifier->work.data = verifier;
    verifier->working_to = take_back(verifier) ? verifier->blocks_at : verifier->reached;
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
    if (!verifier->has_mutex && uv_mutex_init(&verifier->mutex))
        return false;
    if (!verifier->has_mutex && uv_cond_init(&verifier->has_news)) {
        uv_mutex_destroy(&verifier->mutex);
        return false;
    }
    verifier->has_mutex = true;
    verifier->uv = uv;
    verifier->algorithm = algorithm;
    verifier->fd = fd;
    verifier->reached = verifier->hashed = 0;
    drop_blocks(verifier);
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
    tell_thread(verifier, false);
}

void verifier_finish(struct verifier *verifier) {
    tell_thread(verifier, true);
    verifier_step(verifier);
}

void verifier_cancel(struct verifier *verifier) {
    if (verifier->is_over)
        return;
    verifier->is_restarting = false;
    atomic_store(&verifier->is_cancelled, true);
    tell_thread(verifier, true);
    if (verifier->is_running)
        uv_cancel((uv_req_t *)&verifier->work);
    verifier_step(verifier);
}

bool verifier_end(struct verifier *verifier, const struct digest_want *want,
                  char hex[DIGEST_HEX_MAX]) {
    return digest_end(&verifier->digest, want, hex);
}

void verifier_done(struct verifier *verifier) {
    if (verifier->has_mutex) {
        drop_blocks(verifier);
        uv_cond_destroy(&verifier->has_news);
        uv_mutex_destroy(&verifier->mutex);
    }
    verifier->has_mutex = false;
    while (verifier->spare_count)
        mem_free(verifier->spare[--verifier->spare_count]);
    digest_done(&verifier->digest);
}
