/*
 * disk.h - what this room asks of the disk, where AJOB_FAULT makes it fail.
 */
#ifndef AJOB_NET_DISK_H
#define AJOB_NET_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text;

/* "NAME: why" in error, the name escaped; returns false. */
bool disk_fail(struct text *error, const char *name, const char *why);
bool disk_fail_errno(struct text *error, const char *name);

/* Returns how many bytes were written; with fewer than length errno says why. */
size_t disk_write(int fd, const char *data, size_t length, uint64_t offset);

/* As mkdir -p; what cannot be made is left to the open that follows. False on lack of
 * memory. */
bool disk_make_dirs(const char *path, unsigned mode);

/* Within one directory. False: errno. */
bool disk_rename(int dir_fd, const char *from, const char *to);

/* fsync(2), which may take long: AJOB_FAULT is the caller's to ask, for this may be called
 * from a thread. A directory, where its file system has no way to sync one, counts as synced.
 * False: errno. */
bool disk_sync(int fd);

/* Claims the open file for as long as it is open. False: errno; EWOULDBLOCK if
 * another has it, anything else where locks do not work. */
bool disk_lock(int fd);

/* What the system's boot is called (Linux: boot_id): what was written in another one may not
 * have reached the disk. NULL: not known here. */
enum { DISK_BOOT_MAX = 64 };
char *disk_boot(char boot[DISK_BOOT_MAX]);

#endif
