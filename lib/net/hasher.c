/* hasher.c - digests off the loop, in libuv's thread pool. See hasher.h. */
#include "net/hasher.h"

#include <errno.h>
#include <unistd.h>

#include "base/mem.h"

/* In a thread of the pool: touches nothing but the hasher. */
static void work(uv_work_t *request) {
    enum { BLOCK = 256 * 1024 };
    struct hasher *hasher = request->data;
    uint64_t offset = 0;
    char *block = malloc(BLOCK);
    while (block && offset < hasher->length && !atomic_load(&hasher->is_cancelled)) {
        uint64_t left = hasher->length - offset;
        ssize_t got = pread(hasher->fd, block, left < BLOCK ? left : BLOCK, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            hasher->error = errno;
        if (got <= 0)
            break;
        digest_add(hasher->digest, block, (size_t)got);
        offset += (uint64_t)got;
    }
    if (!block)
        hasher->error = ENOMEM;
    free(block);
    hasher->has_read_all = offset == hasher->length;
}

static void work_is_done(uv_work_t *request, int status) {
    struct hasher *hasher = request->data;
    (void)status;
    hasher->is_running = false;
    hasher->done(hasher);
}

bool hasher_start(struct hasher *hasher, uv_loop_t *uv) {
    hasher->work.data = hasher;
    hasher->has_read_all = false;
    hasher->error = 0;
    atomic_store(&hasher->is_cancelled, false);
    hasher->is_running = uv_queue_work(uv, &hasher->work, work, work_is_done) == 0;
    return hasher->is_running;
}

void hasher_cancel(struct hasher *hasher) {
    atomic_store(&hasher->is_cancelled, true);
    if (hasher->is_running)
        uv_cancel((uv_req_t *)&hasher->work);
}
