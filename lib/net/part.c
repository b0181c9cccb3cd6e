/* part.c - a file on its way. See part.h; its note is in part_note.c. */
#include "net/part.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/magic.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#endif

#include "ajob.h"
#include "base/mem.h"
#include "net/disk.h"
#include "net/part_note.h"
#include "net/part_own.h"

enum {
    BELIEVED_MAX = 1024 * 1024 * 1024,
    JOIN_FROM = 256 * 1024, /* libcurl hands out 16 KiB at a time; for the first of */
    JOIN_SIZE = 64 * 1024   /* them, and small files, that is good enough */
};

const char *const part_endings[] = {AJOB_PART_ENDINGS, NULL};

/* The note of a part that became the file just before its owner was killed. */
static void remove_orphan(const struct part *part, const char *name) {
    char *note_name = text_make("%s%s", name, part_endings[PART_ENDING_NOTE]);
    if (note_name && !faccessat(part->dir_fd, note_name, F_OK, AT_SYMLINK_NOFOLLOW)) {
        char *part_name = text_make("%s%s", name, part_endings[PART_ENDING]);
        if (part_name && faccessat(part->dir_fd, part_name, F_OK, AT_SYMLINK_NOFOLLOW))
            unlinkat(part->dir_fd, note_name, 0);
        mem_free(part_name);
    }
    mem_free(note_name);
}

/* /dev/stdout and its like: that root may replace them does not make it right. */
static bool is_special_link(int dir_fd, const char *name) {
    static const char proc[] = "/proc/";
    char target[sizeof proc - 1];
    struct stat end;
    bool is_magic = readlinkat(dir_fd, name, target, sizeof target) == (ssize_t)sizeof target &&
                    !memcmp(target, proc, sizeof target); /* what is behind it may well be a file */
    bool has_end = !fstatat(dir_fd, name, &end, 0);
    return is_magic || (has_end && !S_ISREG(end.st_mode) && !S_ISDIR(end.st_mode));
}

bool part_look(struct part *part, const char *name, struct part_target *ret_target,
               struct text *error) {
    struct stat status;
    *ret_target = (struct part_target){.fd = -1};
    if (fstatat(part->dir_fd, name, &status, AT_SYMLINK_NOFOLLOW))
        return errno == ENOENT || disk_fail_errno(error, name);
    if (S_ISLNK(status.st_mode)) /* the rename will replace the link, not what it points to */
        return !is_special_link(part->dir_fd, name) ||
               disk_fail(error, name, "leads to what is no regular file");
    if (!S_ISREG(status.st_mode))
        return disk_fail(error, name,
                         S_ISDIR(status.st_mode) ? "is a directory" : "is no regular file");
    /* Nobody else's file decides who may write to ours. */
    ret_target->mode = status.st_mode & (status.st_uid == geteuid() ? 0777 : 0755);
    int fd = openat(part->dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) || !S_ISREG(status.st_mode)) {
        if (fd >= 0)
            close(fd);
        return true; /* unreadable: it will be replaced */
    }
    remove_orphan(part, name);
    ret_target->fd = fd;
    ret_target->size = (uint64_t)status.st_size;
    ret_target->mtime_s = status.st_mtime;
    return true;
}

/* ---- claiming ------------------------------------------------------------- */

/* own: what stands for the name in those of the part. */
static bool set_names(struct part *part, const char *name, const char *own) {
    part->name = mem_copy(name);
    part->part_name = text_make("%s%s", own, part_endings[PART_ENDING]);
    part->note_name = text_make("%s%s", own, part_endings[PART_ENDING_NOTE]);
    return part->name && part->part_name && part->note_name;
}

/* Looks at the open part: it has all of the file. NULL: it may be used. */
static const char *look_at_part(struct part *part, bool *ret_is_named) {
    struct stat status;
    if (fstat(part->fd, &status) || !S_ISREG(status.st_mode) || status.st_nlink > 1)
        return "is no file of its own: refused";
    if (status.st_uid != geteuid())
        return "belongs to another user: refused";
    part->device = status.st_dev;
    part->inode = status.st_ino;
    *ret_is_named = status.st_nlink == 1;
    ranges_cut(&part->have, 0);
    return ranges_add(&part->have, 0, (uint64_t)status.st_size) ? NULL : "out of memory";
}

/* A part that nobody else can have: for file systems without locks. */
static bool claim_own(struct part *part, const char *name, struct text *error) {
    char *own = part_own_name(name);
    part->name = mem_free(part->name);
    part->part_name = mem_free(part->part_name);
    part->note_name = mem_free(part->note_name);
    bool is_named_now = own && set_names(part, name, own);
    mem_free(own);
    if (!is_named_now)
        return disk_fail(error, name, "out of memory");
    part_own_sweep(part->dir_fd, name);
    part->is_resumable = part->has_note = false;
    part->fd = openat(part->dir_fd, part->part_name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (part->fd < 0)
        return disk_fail_errno(error, part->part_name);
    bool is_named;
    const char *fault = look_at_part(part, &is_named);
    return !fault || disk_fail(error, part->part_name, fault);
}

/* Whether the open file still has its name. */
static bool is_still_named(const struct part *part) {
    struct stat named;
    return !fstatat(part->dir_fd, part->part_name, &named, AT_SYMLINK_NOFOLLOW) &&
           part->inode == named.st_ino && part->device == named.st_dev;
}

/* Opens the part, new or not. */
static int open_new_or_old(struct part *part, bool *ret_is_new) {
    const int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    part->fd = openat(part->dir_fd, part->part_name, flags | O_EXCL, 0666);
    *ret_is_new = part->fd >= 0;
    part->has_note = false;
    if (part->fd >= 0)
        unlinkat(part->dir_fd, part->note_name, 0); /* of another, that has become the file */
    if (part->fd >= 0 || errno != EEXIST)
        return part->fd;
    part->fd = openat(part->dir_fd, part->part_name, flags, 0666);
    if (part->fd >= 0)
        part->has_note = !faccessat(part->dir_fd, part->note_name, F_OK, AT_SYMLINK_NOFOLLOW);
    return part->fd;
}

/* A length that was announced need not come: what stays behind takes no more than it has. */
static void give_room_back(struct part *part) {
    struct stat status;
    bool is_known = part->has_room && !fstat(part->fd, &status);
    part->has_room = is_known && ftruncate(part->fd, status.st_size);
}

/* Opens and locks it. NULL: done, locked if that can be; else why not, and
 * nothing is left open. Between our open and our lock its last owner may have
 * renamed or removed it: then once more. */
static const char *open_part(struct part *part) {
    for (;;) {
        bool is_new, is_named = false;
        const char *fault = NULL;
        if (open_new_or_old(part, &is_new) < 0)
            return errno == ELOOP ? "is a symbolic link: refused" : strerror(errno);
        part->is_locked = disk_lock(part->fd);
        if (!part->is_locked && errno == EWOULDBLOCK)
            fault = "another download is writing it";
        else
            fault = look_at_part(part, &is_named);
        /* A new one may have had an owner already: who left bytes in it left a note, too. */
        is_named = is_named && (!is_new || !part->have.count) && is_still_named(part);
        if (!fault && (is_named || !part->is_locked)) {
            if (part->is_locked && !is_new) {
                part_note_forget_half(part);
                part->has_room = true; /* perhaps, of an owner that was killed */
                give_room_back(part);
            }
            return NULL;
        }
        close(part->fd);
        part->fd = -1;
        if (fault)
            return fault;
    }
}

bool part_claim(struct part *part, const char *name, struct text *error) {
    if (!set_names(part, name, name))
        return disk_fail(error, name, "out of memory");
    const char *fault = open_part(part);
    if (fault)
        return disk_fail(error, part->part_name, fault);
    if (!part->is_locked) {
        if (!part->have.count)
            unlinkat(part->dir_fd, part->part_name, 0); /* nobody's loss, and perhaps ours */
        close(part->fd);
        part->fd = -1;
        return claim_own(part, name, error);
    }
    part->is_resumable = true;
    return true;
}

/* ---- the bytes ------------------------------------------------------------ */

static bool write_at(struct part *part, const char *data, size_t length, uint64_t at,
                     struct text *error) {
    if (part->has_note && !part->note_has_ranges && at > ranges_frontier(&part->have))
        part_note_forget(part); /* by the file's size it would say that the gap is there */
    size_t written = disk_write(part->fd, data, length, at);
    if (written < length)
        disk_fail_errno(error, part->part_name);
    bool is_known = ranges_add(&part->have, at, at + written);
    if (!is_known)
        disk_fail(error, part->part_name, "out of memory");
    return is_known && written == length;
}

bool part_flush(struct part *part, struct part_writer *writer, struct text *error) {
    size_t length = writer->joined_length;
    uint64_t at = writer->at - length;
    writer->joined_length = 0;
    if (length && !write_at(part, writer->joined, length, at, error))
        return false;
    if (length == JOIN_SIZE && writer->trade)
        writer->joined = writer->trade(writer->owner, at, writer->joined, length);
    return true;
}

bool part_write(struct part *part, struct part_writer *writer, const char *data, size_t length,
                struct text *error) {
    if (!writer->joined && writer->at >= JOIN_FROM)
        writer->joined = mem_new(JOIN_SIZE);
    if (!writer->joined) {
        writer->at += length;
        return write_at(part, data, length, writer->at - length, error);
    }
    while (length) {
        size_t room = JOIN_SIZE - writer->joined_length;
        size_t piece = length < room ? length : room;
        memcpy(writer->joined + writer->joined_length, data, piece);
        writer->joined_length += piece;
        writer->at += piece;
        data += piece;
        length -= piece;
        if (writer->joined_length == JOIN_SIZE && !part_flush(part, writer, error))
            return false;
    }
    return true;
}

void part_writer_done(struct part_writer *writer) {
    mem_free(writer->joined);
    *writer = (struct part_writer){0};
}

#ifdef FALLOC_FL_KEEP_SIZE
/* In memory room is made by filling pages with zeros: twice the work. */
static bool is_in_memory(int fd) {
    struct statfs status;
    return !fstatfs(fd, &status) && status.f_type == TMPFS_MAGIC;
}

/* A reservation for which there is not enough takes all there is before it fails, and
 * everybody else on that disk fails with it: so it is not tried. What is kept for root may
 * be ours, so that only trying tells; a file system without sizes is one to try, too. */
static bool can_fit(int fd, uint64_t size) {
    struct statvfs disk;
    struct stat file;
    if (fstatvfs(fd, &disk) || !disk.f_blocks || fstat(fd, &file))
        return true;
    uint64_t taken = (uint64_t)file.st_blocks * 512;
    return size <= taken || (size - taken) / disk.f_frsize < disk.f_bfree;
}
#endif

bool part_reserve(struct part *part, uint64_t size, bool is_sure, struct text *error) {
#ifdef FALLOC_FL_KEEP_SIZE
    if (!size || is_in_memory(part->fd))
        return true;
    errno = ENOSPC;
    bool is_full = !can_fit(part->fd, size);
    if (is_full || (!is_sure && size > BELIEVED_MAX))
        return !is_full || disk_fail_errno(error, part->part_name);
    part->has_room = true;
    if (fallocate(part->fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)size) &&
        (errno == ENOSPC || errno == EDQUOT || errno == EFBIG)) {
        disk_fail_errno(error, part->part_name);
        give_room_back(part); /* some of it was there */
        return false;
    }
#else
    (void)is_sure;
    (void)part;
    (void)size;
    (void)error;
#endif
    return true;
}

bool part_cut(struct part *part, uint64_t size, struct text *error) {
    struct stat status;
    /* By the file's size what is cut off would seem to be there again, once there
     * are bytes behind it. */
    if (part->note_has_ranges)
        part_note_forget(part);
    ranges_cut(&part->have, size);
    bool is_done = !fstat(part->fd, &status) &&
                   ((uint64_t)status.st_size <= size || !ftruncate(part->fd, (off_t)size));
    return is_done || disk_fail_errno(error, part->part_name);
}

bool part_empty(struct part *part, struct text *error) {
    part_note_forget(part); /* it speaks of what was in it */
    part->is_in_pieces = false;
    return part_cut(part, 0, error);
}

/* ---- the end -------------------------------------------------------------- */

enum { OWNERS = 0600 };

void part_dress(struct part *part, int64_t mtime_s, unsigned mode) {
    if (mtime_s >= 0)
        futimens(part->fd, (struct timespec[]){{.tv_nsec = UTIME_OMIT}, {.tv_sec = mtime_s}});
    if (mode)
        fchmod(part->fd, mode | OWNERS);
}

bool part_commit(struct part *part, unsigned mode, struct text *error) {
    part->has_room = false; /* it is used up */
    if (!is_still_named(part))
        return disk_fail(error, part->part_name, "something else has taken its name");
    if (!disk_rename(part->dir_fd, part->part_name, part->name))
        return disk_fail_errno(error, part->name);
    if (mode && (mode & OWNERS) != OWNERS)
        fchmod(part->fd, mode);
    part_note_forget(part); /* now: a kill before would have made all of the part worthless */
    return true;
}

void part_discard(struct part *part) {
    if (part->fd < 0)
        return;
    if (is_still_named(part)) {
        part_note_forget(part);
        unlinkat(part->dir_fd, part->part_name, 0);
    }
    close(part->fd);
    part->fd = -1;
    part->is_resumable = false;
}

void part_close(struct part *part) {
    if (part->fd >= 0) {
        give_room_back(part);
        close(part->fd);
    }
    mem_free(part->name);
    mem_free(part->part_name);
    mem_free(part->note_name);
    ranges_done(&part->have);
    *part = (struct part)PART_INIT(-1);
}
