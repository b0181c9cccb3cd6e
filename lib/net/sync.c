/* sync.c - fsync(2) off the loop. See sync.h. */
#include "net/sync.h"

#include <errno.h>

#include "base/mem.h"
#include "net/disk.h"

/* In a thread of the pool. */
static void work(uv_work_t *request) {
    struct sync *sync = request->data;
    if (!sync->error && !disk_sync(sync->fd))
        sync->error = errno;
}

static void work_is_done(uv_work_t *request, int status) {
    struct sync *sync = request->data;
    (void)status; /* nobody cancels it */
    sync->is_running = false;
    sync->done(sync);
}

bool sync_start(struct sync *sync, uv_loop_t *uv, int fd) {
    sync->work.data = sync;
    sync->fd = fd;
    sync->error = mem_fault(FAULT_FSYNC) ? EIO : 0;
    sync->is_running = uv_queue_work(uv, &sync->work, work, work_is_done) == 0;
    return sync->is_running;
}
