/* disk.c - writing, renaming, syncing and locking. See disk.h. */
#include "net/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ajob.h"
#include "base/mem.h"
#include "base/text.h"

bool disk_fail(struct text *error, const char *name, const char *why) {
    char safe[TEXT_LINE_MAX];
    text_format(error, "%s: %s", ajob_escape(safe, sizeof safe, name), why);
    return false;
}

bool disk_fail_errno(struct text *error, const char *name) {
    return disk_fail(error, name, strerror(errno));
}

size_t disk_write(int fd, const char *data, size_t length, uint64_t offset) {
    size_t done = 0;
    while (done < length) {
        ssize_t written = mem_fault(FAULT_WRITE)
                              ? (errno = ENOSPC, -1)
                              : pwrite(fd, data + done, length - done, (off_t)(offset + done));
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            break;
        done += (size_t)written;
    }
    return done;
}

bool disk_make_dirs(const char *path, unsigned mode) {
    char *part = mem_copy(path);
    if (!part)
        return false;
    for (char *slash = part; (slash = strchr(slash + 1, '/'));) {
        *slash = '\0';
        mkdir(part, mode);
        *slash = '/';
    }
    mkdir(part, mode);
    mem_free(part);
    return true;
}

bool disk_rename(int dir_fd, const char *from, const char *to) {
    if (mem_fault(FAULT_RENAME)) {
        errno = EIO;
        return false;
    }
    return !renameat(dir_fd, from, dir_fd, to);
}

/* On macOS fsync(2) leaves the data in the drive's own cache. */
static bool sync_once(int fd) {
#ifdef F_FULLFSYNC
    if (!fcntl(fd, F_FULLFSYNC))
        return true;
#endif
    return !fsync(fd);
}

static bool is_directory(int fd) {
    struct stat status;
    return !fstat(fd, &status) && S_ISDIR(status.st_mode);
}

/* Some network file systems say EINVAL for a directory: that is no news of any loss. */
bool disk_sync(int fd) {
    while (!sync_once(fd)) {
        int reason = errno;
        if (reason == EINVAL && is_directory(fd))
            return true;
        errno = reason;
        if (reason != EINTR)
            return false;
    }
    return true;
}

bool disk_lock(int fd) {
    if (mem_fault(FAULT_LOCK)) {
        errno = ENOLCK;
        return false;
    }
    return !flock(fd, LOCK_EX | LOCK_NB);
}

char *disk_boot(char boot[DISK_BOOT_MAX]) {
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t length = fd >= 0 ? read(fd, boot, DISK_BOOT_MAX - 1) : -1;
    if (fd >= 0)
        close(fd);
    while (length > 0 && boot[length - 1] <= ' ')
        length--;
    if (length <= 0)
        return NULL;
    boot[length] = '\0';
    return boot;
}
