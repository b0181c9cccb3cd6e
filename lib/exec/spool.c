/* spool.c - files without a name. See spool.h. */
#include "exec/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"

enum { LARGE = 32 << 20 };

/* ---- files ------------------------------------------------------------- */

static int open_named(const char *dir) {
    char path[PATH_MAX];
    int length = snprintf(path, sizeof path, "%s/ajob-XXXXXX", dir);
    if (length < 0 || (size_t)length >= sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    int file = mkostemp(path, O_CLOEXEC);
    if (file >= 0)
        unlink(path);
    return file;
}

static int open_in(const char *dir) {
#ifdef O_TMPFILE
    int file = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (file >= 0)
        return file;
#endif
    return open_named(dir);
}

int spool_open_file(void) {
    const char *dir = getenv("TMPDIR");
    int file = dir && *dir ? open_in(dir) : -1;
    return file >= 0 ? file : open_in("/tmp");
}

bool spool_write(int file, const char *data, size_t length, uint64_t at) {
    while (length) {
        ssize_t written =
            mem_fault(FAULT_WRITE) ? (errno = ENOSPC, -1) : pwrite(file, data, length, (off_t)at);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        data += written;
        length -= (size_t)written;
        at += (uint64_t)written;
    }
    return true;
}

/* ---- the shared ones ----------------------------------------------------- */

struct spool_file *spool_add(struct spool *spool, const char *data, size_t length, uint64_t *at) {
    if (spool->files[spool->current].end > LARGE && !spool->files[!spool->current].users)
        spool->current = !spool->current;
    struct spool_file *file = &spool->files[spool->current];
    if (!file->is_open) {
        file->file = spool_open_file();
        file->is_open = file->file >= 0;
    }
    if (!file->is_open || !spool_write(file->file, data, length, file->end))
        return NULL;
    *at = file->end;
    file->end += length;
    file->users++;
    return file;
}

void spool_release(struct spool_file *file) {
    if (--file->users)
        return;
    if (ftruncate(file->file, 0))
        errno = 0; /* what comes next overwrites it */
    file->end = 0;
}

void spool_done(struct spool *spool) {
    for (int i = 0; i < 2; i++)
        if (spool->files[i].is_open)
            close(spool->files[i].file);
    *spool = (struct spool){0};
}
