/* part.c - a file on its way. See part.h; the note's JSON is in part_note.c. */
#include "net/part.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/magic.h>
#include <sys/vfs.h>
#endif

#include "ajob.h"
#include "base/mem.h"
#include "net/part_note.h"

enum {
    JOIN_FROM = 256 * 1024, /* libcurl hands out 16 KiB at a time; for the first of */
    JOIN_SIZE = 64 * 1024   /* them, and small files, that is good enough */
};

static bool fail(struct text *error, const char *name, const char *why) {
    char safe[TEXT_LINE_MAX];
    text_format(error, "%s: %s", ajob_escape(safe, sizeof safe, name), why);
    return false;
}

static bool fail_errno(struct text *error, const char *name) {
    return fail(error, name, strerror(errno));
}

bool part_look(struct part *part, const char *name, struct part_target *ret_target,
               struct text *error) {
    struct stat status;
    *ret_target = (struct part_target){.fd = -1};
    if (fstatat(part->dir_fd, name, &status, AT_SYMLINK_NOFOLLOW))
        return errno == ENOENT || fail_errno(error, name);
    if (S_ISLNK(status.st_mode))
        return true; /* the rename will replace the link, not what it points to */
    if (!S_ISREG(status.st_mode))
        return fail(error, name, S_ISDIR(status.st_mode) ? "is a directory" : "is no regular file");
    /* Nobody else's file decides who may write to ours. */
    ret_target->mode = status.st_mode & (status.st_uid == geteuid() ? 0777 : 0755);
    int fd = openat(part->dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) || !S_ISREG(status.st_mode)) {
        if (fd >= 0)
            close(fd);
        return true; /* unreadable: it will be replaced */
    }
    ret_target->fd = fd;
    ret_target->size = (uint64_t)status.st_size;
    ret_target->mtime_s = status.st_mtime;
    return true;
}

/* ---- claiming ------------------------------------------------------------- */

static bool set_names(struct part *part, const char *name, const char *infix) {
    part->name = mem_copy(name);
    part->part_name = text_make("%s%s.part", name, infix);
    part->note_name = text_make("%s%s.part.json", name, infix);
    return part->name && part->part_name && part->note_name;
}

/* Looks at the open part. NULL: it may be used. */
static const char *look_at_part(struct part *part, bool *ret_is_named) {
    struct stat status;
    if (fstat(part->fd, &status) || !S_ISREG(status.st_mode) || status.st_nlink > 1)
        return "is no file of its own: refused";
    if (status.st_uid != geteuid())
        return "belongs to another user: refused";
    part->size = (uint64_t)status.st_size;
    part->device = status.st_dev;
    part->inode = status.st_ino;
    *ret_is_named = status.st_nlink == 1;
    return NULL;
}

/* A part that nobody else can have: for file systems without locks. */
static bool claim_own(struct part *part, const char *name, struct text *error) {
    char infix[32];
    struct timespec now;
    part->name = mem_free(part->name);
    part->part_name = mem_free(part->part_name);
    part->note_name = mem_free(part->note_name);
    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(infix, sizeof infix, ".%ld-%lx", (long)getpid(), (unsigned long)now.tv_nsec);
    if (!set_names(part, name, infix))
        return fail(error, name, "out of memory");
    part->is_resumable = part->has_note = false;
    part->fd = openat(part->dir_fd, part->part_name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (part->fd < 0)
        return fail_errno(error, part->part_name);
    bool is_named;
    const char *fault = look_at_part(part, &is_named);
    return !fault || fail(error, part->part_name, fault);
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
    part->has_note = false; /* it never outlives its part */
    *ret_is_new = part->fd >= 0;
    if (part->fd >= 0 || errno != EEXIST)
        return part->fd;
    part->fd = openat(part->dir_fd, part->part_name, flags, 0666);
    if (part->fd >= 0)
        part->has_note = !faccessat(part->dir_fd, part->note_name, F_OK, AT_SYMLINK_NOFOLLOW);
    return part->fd;
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
        part->is_locked = !flock(part->fd, LOCK_EX | LOCK_NB);
        if (!part->is_locked && errno == EWOULDBLOCK)
            fault = "another download is writing it";
        else
            fault = look_at_part(part, &is_named);
        /* A new one that had an owner already is not empty any more. */
        is_named = is_named && (is_new ? !part->size : is_still_named(part));
        if (!fault && (is_named || !part->is_locked))
            return NULL;
        close(part->fd);
        part->fd = -1;
        if (fault)
            return fault;
    }
}

bool part_claim(struct part *part, const char *name, struct text *error) {
    if (!set_names(part, name, ""))
        return fail(error, name, "out of memory");
    const char *fault = open_part(part);
    if (fault)
        return fail(error, part->part_name, fault);
    if (!part->is_locked) {
        if (!part->size)
            unlinkat(part->dir_fd, part->part_name, 0); /* nobody's loss, and perhaps ours */
        close(part->fd);
        part->fd = -1;
        return claim_own(part, name, error);
    }
    part->is_resumable = true;
    return true;
}

/* ---- the note ------------------------------------------------------------- */

static void forget_note(struct part *part) {
    if (part->has_note)
        unlinkat(part->dir_fd, part->note_name, 0);
    part->has_note = false;
}

bool part_recall(struct part *part, struct part_note *ret_note) {
    enum { NOTE_MAX = 64 * 1024 };
    char *text = mem_new(NOTE_MAX);
    int fd = openat(part->dir_fd, part->note_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    ssize_t length = text && fd >= 0 ? read(fd, text, NOTE_MAX) : -1;
    if (fd >= 0)
        close(fd);
    bool is_read = length > 0 && note_read(text, (size_t)length, ret_note);
    mem_free(text);
    return is_read;
}

static bool write_all(int fd, const char *data, size_t length, uint64_t offset) {
    while (length) {
        ssize_t written =
            mem_fault(FAULT_WRITE) ? (errno = ENOSPC, -1) : pwrite(fd, data, length, (off_t)offset);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        data += written;
        offset += (uint64_t)written;
        length -= (size_t)written;
    }
    return true;
}

bool part_remember(struct part *part, const struct part_note *note, struct text *error) {
    struct text json = TEXT_INIT(60 * 1024);
    if (!part->is_resumable)
        return true;
    char *temporary = text_make("%s.tmp", part->note_name);
    note_write(note, &json);
    if (!temporary || !text_ok(&json)) {
        mem_free(temporary);
        text_done(&json);
        return fail(error, part->note_name, "out of memory");
    }
    unlinkat(part->dir_fd, temporary, 0); /* whatever it is: it is not ours */
    int fd = openat(part->dir_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool is_ok = fd >= 0 && write_all(fd, text_string(&json), json.length, 0);
    if (fd >= 0)
        is_ok = !close(fd) && is_ok;
    is_ok = is_ok && !renameat(part->dir_fd, temporary, part->dir_fd, part->note_name);
    if (!is_ok) {
        fail_errno(error, part->note_name);
        unlinkat(part->dir_fd, temporary, 0);
    }
    part->has_note = part->has_note || is_ok;
    mem_free(temporary);
    text_done(&json);
    return is_ok;
}

/* ---- the bytes ------------------------------------------------------------ */

bool part_flush(struct part *part, struct text *error) {
    size_t length = part->joined_length;
    part->joined_length = 0;
    return write_all(part->fd, part->joined, length, part->size - length) ||
           fail_errno(error, part->part_name);
}

bool part_append(struct part *part, const char *data, size_t length, struct text *error) {
    if (!part->joined && part->size >= JOIN_FROM)
        part->joined = mem_new(JOIN_SIZE);
    if (!part->joined) {
        part->size += length;
        return write_all(part->fd, data, length, part->size - length) ||
               fail_errno(error, part->part_name);
    }
    while (length) {
        size_t room = JOIN_SIZE - part->joined_length;
        size_t piece = length < room ? length : room;
        memcpy(part->joined + part->joined_length, data, piece);
        part->joined_length += piece;
        part->size += piece;
        data += piece;
        length -= piece;
        if (part->joined_length == JOIN_SIZE && !part_flush(part, error))
            return false;
    }
    return true;
}

#ifdef FALLOC_FL_KEEP_SIZE
/* In memory room is made by filling pages with zeros: twice the work. */
static bool is_in_memory(int fd) {
    struct statfs status;
    return !fstatfs(fd, &status) && status.f_type == TMPFS_MAGIC;
}
#endif

bool part_reserve(struct part *part, uint64_t size, struct text *error) {
#ifdef FALLOC_FL_KEEP_SIZE
    if (!size || is_in_memory(part->fd))
        return true;
    bool is_full = fallocate(part->fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)size) &&
                   (errno == ENOSPC || errno == EDQUOT || errno == EFBIG);
    if (is_full)
        return fail_errno(error, part->part_name);
#else
    (void)part;
    (void)size;
    (void)error;
#endif
    return true;
}

bool part_empty(struct part *part, struct text *error) {
    bool is_empty = part->size == 0;
    forget_note(part); /* it speaks of what was in it */
    part->size = part->joined_length = 0;
    return is_empty || !ftruncate(part->fd, 0) || fail_errno(error, part->part_name);
}

/* ---- the end -------------------------------------------------------------- */

bool part_commit(struct part *part, int64_t mtime_s, unsigned mode, struct text *error) {
    if (!part_flush(part, error))
        return false;
    if (mtime_s >= 0)
        futimens(part->fd, (struct timespec[]){{.tv_nsec = UTIME_OMIT}, {.tv_sec = mtime_s}});
    if (mode)
        fchmod(part->fd, mode);
    if (!is_still_named(part))
        return fail(error, part->part_name, "something else has taken its name");
    forget_note(part); /* first: a note without its part would stay for ever */
    if (renameat(part->dir_fd, part->part_name, part->dir_fd, part->name))
        return fail_errno(error, part->name);
    return true;
}

void part_discard(struct part *part) {
    if (part->fd < 0)
        return;
    if (is_still_named(part)) {
        forget_note(part);
        unlinkat(part->dir_fd, part->part_name, 0);
    }
    close(part->fd);
    part->fd = -1;
    part->is_resumable = false;
}

void part_close(struct part *part) {
    if (part->fd >= 0)
        close(part->fd);
    mem_free(part->name);
    mem_free(part->part_name);
    mem_free(part->note_name);
    mem_free(part->joined);
    *part = (struct part)PART_INIT(-1);
}
