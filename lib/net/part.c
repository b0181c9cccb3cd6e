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
    JOIN_SIZE = 64 * 1024,  /* them, and small files, that is good enough */
    /* A note with ranges is written again after a 64th of the file, within these */
    NOTE_EVERY_MIN = 256 * 1024,
    NOTE_EVERY_MAX = 64 * 1024 * 1024,
    NOTE_EVERY_MS = 1000, /* and if there is anything new */
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
        is_named = is_named && (is_new ? !part->have.count : is_still_named(part));
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
        if (!part->have.count)
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
    part->has_note = part->note_has_ranges = false;
}

char *part_boot(void) {
    char boot[64];
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t length = fd >= 0 ? read(fd, boot, sizeof boot) : -1;
    if (fd >= 0)
        close(fd);
    while (length > 0 && boot[length - 1] <= ' ')
        length--;
    return length > 0 ? mem_copy_n(boot, (size_t)length) : NULL;
}

static uint64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void is_noted(struct part *part, bool has_ranges) {
    part->has_note = true;
    part->note_has_ranges = has_ranges;
    part->noted_bytes = ranges_total(&part->have);
    part->noted_at_ms = now_ms();
}

bool part_note_is_due(const struct part *part, uint64_t size) {
    if (!part->has_note || !part->note_has_ranges)
        return false;
    uint64_t every = size / 64 < NOTE_EVERY_MIN   ? NOTE_EVERY_MIN
                     : size / 64 > NOTE_EVERY_MAX ? NOTE_EVERY_MAX
                                                  : size / 64;
    uint64_t more = ranges_total(&part->have) - part->noted_bytes;
    return more >= every || (more && now_ms() >= part->noted_at_ms + NOTE_EVERY_MS);
}

/* What is simply the first N bytes of a file of N. */
static bool is_its_size(const struct part *part) {
    struct stat status;
    return !fstat(part->fd, &status) && part->have.count <= 1 &&
           ranges_frontier(&part->have) == (uint64_t)status.st_size;
}

bool part_recall(struct part *part, struct part_note *ret_note) {
    enum { NOTE_MAX = 64 * 1024 };
    char *text = mem_new(NOTE_MAX);
    int fd = openat(part->dir_fd, part->note_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    ssize_t length = text && fd >= 0 ? read(fd, text, NOTE_MAX) : -1;
    if (fd >= 0)
        close(fd);
    struct part_note note;
    bool is_read = length > 0 && note_read(text, (size_t)length, &note);
    mem_free(text);
    if (!is_read)
        return false;
    if (note.has_ranges) {
        uint64_t size = ranges_total(&part->have); /* of the file, as it was claimed */
        uint64_t noted = ranges_total(&note.ranges);
        ranges_done(&part->have);
        part->have = note.ranges;
        note.ranges = (struct ranges){0};
        ranges_cut(&part->have, size);
        if (ranges_total(&part->have) < noted)
            forget_note(part); /* once the file is longer the rest would seem to be there */
    }
    if (part->has_note)
        is_noted(part, note.has_ranges);
    *ret_note = note;
    return true;
}

/* Returns how many bytes were written; with fewer than length errno says why. */
static size_t write_all(int fd, const char *data, size_t length, uint64_t offset) {
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

static bool rename_to(const struct part *part, const char *from, const char *to) {
    if (mem_fault(FAULT_RENAME)) {
        errno = EIO;
        return false;
    }
    return !renameat(part->dir_fd, from, part->dir_fd, to);
}

/* Under a name of its own first: the old one stays until the new one is whole. */
static bool write_note(struct part *part, const char *temporary, const struct text *json) {
    unlinkat(part->dir_fd, temporary, 0); /* whatever it is: it is not ours */
    int fd = openat(part->dir_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    bool is_written = write_all(fd, text_string(json), json->length, 0) == json->length;
    is_written = !close(fd) && is_written;
    if (is_written && rename_to(part, temporary, part->note_name))
        return true;
    int reason = errno;
    unlinkat(part->dir_fd, temporary, 0);
    errno = reason;
    return false;
}

bool part_remember(struct part *part, const struct part_note *note, struct text *error) {
    struct text json = TEXT_INIT(60 * 1024);
    struct part_note full = *note; /* its strings are the caller's, boot aside */
    if (!part->is_resumable)
        return true;
    full.boot = part_boot();
    full.ranges = part->have;
    full.has_ranges = part->is_in_pieces || !is_its_size(part);
    note_write(&full, &json);
    mem_free(full.boot);
    char *temporary = text_make("%s.tmp", part->note_name);
    bool is_ok = false;
    if (!temporary || !text_ok(&json))
        fail(error, part->note_name, "out of memory");
    else if (!write_note(part, temporary, &json))
        fail_errno(error, part->note_name);
    else
        is_ok = true;
    if (is_ok)
        is_noted(part, full.has_ranges);
    mem_free(temporary);
    text_done(&json);
    return is_ok;
}

/* ---- the bytes ------------------------------------------------------------ */

static bool write_at(struct part *part, const char *data, size_t length, uint64_t at,
                     struct text *error) {
    if (part->has_note && !part->note_has_ranges && at > ranges_frontier(&part->have))
        forget_note(part); /* by the file's size it would say that the gap is there */
    size_t written = write_all(part->fd, data, length, at);
    if (written < length)
        fail_errno(error, part->part_name);
    bool is_known = ranges_add(&part->have, at, at + written);
    if (!is_known)
        fail(error, part->part_name, "out of memory");
    return is_known && written == length;
}

bool part_flush(struct part *part, struct part_writer *writer, struct text *error) {
    size_t length = writer->joined_length;
    writer->joined_length = 0;
    return !length || write_at(part, writer->joined, length, writer->at - length, error);
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

bool part_cut(struct part *part, uint64_t size, struct text *error) {
    struct stat status;
    /* By the file's size what is cut off would seem to be there again, once there
     * are bytes behind it. */
    if (part->note_has_ranges)
        forget_note(part);
    ranges_cut(&part->have, size);
    bool is_done = !fstat(part->fd, &status) &&
                   ((uint64_t)status.st_size <= size || !ftruncate(part->fd, (off_t)size));
    return is_done || fail_errno(error, part->part_name);
}

bool part_empty(struct part *part, struct text *error) {
    forget_note(part); /* it speaks of what was in it */
    part->is_in_pieces = false;
    return part_cut(part, 0, error);
}

/* ---- the end -------------------------------------------------------------- */

bool part_commit(struct part *part, int64_t mtime_s, unsigned mode, struct text *error) {
    if (mtime_s >= 0)
        futimens(part->fd, (struct timespec[]){{.tv_nsec = UTIME_OMIT}, {.tv_sec = mtime_s}});
    if (mode)
        fchmod(part->fd, mode);
    if (!is_still_named(part))
        return fail(error, part->part_name, "something else has taken its name");
    forget_note(part); /* first: a note without its part would stay for ever */
    if (!rename_to(part, part->part_name, part->name))
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
    ranges_done(&part->have);
    *part = (struct part)PART_INIT(-1);
}
