/* sync.c - fsync(2) off the loop. See sync.h. */
#include "net/sync.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

/* On macOS fsync(2) leaves the data in the drive's own cache. */
static int sync_fd(int fd) {
#ifdef F_FULLFSYNC
    if (!fcntl(fd, F_FULLFSYNC))
        return 0;
#endif
    return fsync(fd);
}

static bool is_directory(int fd) {
    struct stat status;
    return !fstat(fd, &status) && S_ISDIR(status.st_mode);
}

/* In a thread of the pool. Some network file systems have no way to sync a
 * directory, and say EINVAL: that is no news of any loss. */
static void work(uv_work_t *request) {
    struct sync *sync = request->data;
    while (!sync->error && sync_fd(sync->fd)) {
        int reason = errno;
        if (reason == EINVAL && is_directory(sync->fd))
            return;
        if (reason != EINTR)
            sync->error = reason;
    }
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
