/*
 * lock_file.c - reads and writes the file of an ajob_lock.
 *
 * The file is the old one or the whole new one: written and synced under another name, then
 * renamed. It is short, so that happens on the loop. Its text is lock_json.c's.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "core/loop.h"
#include "net/disk.h"
#include "net/lock.h"
#include "net/lock_json.h"

static int fail(ajob_loop *loop, int code, const char *path, const char *why) {
    char safe[TEXT_LINE_MAX];
    return loop_fail(loop, code, "%s: %s", ajob_escape(safe, sizeof safe, path), why);
}

/* The file's text, on the heap; NULL with ajob_error() set. */
static char *read_file(ajob_loop *loop, const char *path, size_t *ret_length) {
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    size_t used = 0;
    if (fd < 0 || fstat(fd, &status)) {
        fail(loop, AJOB_EINVAL, path, strerror(errno));
    } else if (!S_ISREG(status.st_mode) || status.st_size > LOCK_SIZE_MAX) {
        fail(loop, AJOB_EINVAL, path,
             S_ISREG(status.st_mode) ? "longer than a lock file is: 16 MiB" : "is no regular file");
    } else {
        size_t size = (size_t)status.st_size;
        char *text = mem_new(size + 1);
        ssize_t count = text ? 1 : 0;
        while (text && used < size && count > 0)
            if ((count = read(fd, text + used, size - used)) > 0)
                used += (size_t)count;
        close(fd);
        *ret_length = used;
        if (text && count >= 0)
            return text;
        fail(loop, text ? AJOB_EINVAL : AJOB_ENOMEM, path,
             text ? strerror(errno) : "out of memory");
        mem_free(text);
        return NULL;
    }
    if (fd >= 0)
        close(fd);
    return NULL;
}

ajob_lock *ajob_lock_read(ajob_loop *loop, const char *path) {
    struct text error = TEXT_INIT(TEXT_LINE_MAX);
    size_t length = 0;
    char *text = read_file(loop, path, &length);
    if (!text)
        return NULL;
    ajob_lock *lock = ajob_lock_new();
    int code = lock ? lock_parse(lock, text, length, &error) : AJOB_ENOMEM;
    if (code)
        fail(loop, code, path, code == AJOB_ENOMEM ? "out of memory" : text_string(&error));
    mem_free(text);
    text_done(&error);
    return code ? ajob_lock_free(lock) : lock;
}

/* False with errno set. */
static bool write_synced(int fd, const struct text *json) {
    if (disk_write(fd, json->data, json->length, 0) < json->length)
        return false;
    if (mem_fault(FAULT_FSYNC)) {
        errno = EIO;
        return false;
    }
    return disk_sync(fd);
}

/* Where a lock file is, or will be. */
struct place {
    const char *name; /* the path's last part */
    char *draft;      /* its name until it is whole */
    int dir_fd;       /* -1: the directory cannot be opened */
};

static void place_done(struct place *place) {
    if (place->dir_fd >= 0)
        close(place->dir_fd);
    mem_free(place->draft);
}

/* NULL, or why there can be no such place; place_done() in any case. */
static const char *find_place(const char *path, struct place *ret_place) {
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    *ret_place = (struct place){.name = name, .draft = text_make("%s.tmp", name), .dir_fd = -1};
    char *parent = !slash          ? mem_copy(".")
                   : slash == path ? mem_copy("/")
                                   : mem_copy_n(path, (size_t)(slash - path));
    if (parent)
        ret_place->dir_fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const char *fault = !parent || !ret_place->draft ? "out of memory"
                        : ret_place->dir_fd < 0      ? strerror(errno)
                        : !*name                     ? "is a directory"
                                                     : NULL;
    mem_free(parent);
    return fault;
}

/* NULL, or why what has the name cannot be replaced. *ret_mode: that it has; 0: nothing has. */
static const char *look(const struct place *place, unsigned *ret_mode) {
    struct stat status;
    *ret_mode = 0;
    if (fstatat(place->dir_fd, place->name, &status, AT_SYMLINK_NOFOLLOW))
        return errno == ENOENT ? NULL : strerror(errno);
    *ret_mode = status.st_mode;
    return S_ISLNK(status.st_mode)    ? "is a symbolic link: refused"
           : S_ISDIR(status.st_mode)  ? "is a directory"
           : !S_ISREG(status.st_mode) ? "is no regular file"
                                      : NULL;
}

/* Makes the draft anew, empty. -1 with errno set. */
static int open_draft(const struct place *place) {
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
    unlinkat(place->dir_fd, place->draft, 0); /* of a run that was killed */
    return openat(place->dir_fd, place->draft, flags, 0666);
}

/* NULL, or why the file cannot be replaced. */
static const char *replace(const struct place *place, const struct text *json) {
    unsigned mode;
    const char *fault = look(place, &mode);
    int fd = fault ? -1 : open_draft(place);
    if (fd < 0)
        return fault ? fault : strerror(errno);
    if (!write_synced(fd, json))
        fault = strerror(errno);
    if (!fault && mode)
        fchmod(fd, mode & 0777);
    if (close(fd) && !fault)
        fault = strerror(errno);
    if (!fault && !disk_rename(place->dir_fd, place->draft, place->name))
        fault = strerror(errno);
    if (fault)
        unlinkat(place->dir_fd, place->draft, 0);
    return fault;
}

static int write_file(ajob_loop *loop, const char *path, const struct text *json) {
    struct place place;
    const char *fault = find_place(path, &place);
    if (!fault)
        fault = replace(&place, json);
    place_done(&place);
    return fault ? fail(loop, AJOB_ESYSTEM, path, fault) : 0;
}

/* Only trying tells whether a file can be made there. */
int ajob_lock_check(ajob_loop *loop, const char *path) {
    struct place place;
    unsigned mode;
    const char *fault = find_place(path, &place);
    if (!fault)
        fault = look(&place, &mode);
    int fd = fault ? -1 : open_draft(&place);
    if (!fault && fd < 0)
        fault = strerror(errno);
    if (fd >= 0) {
        close(fd);
        unlinkat(place.dir_fd, place.draft, 0);
    }
    place_done(&place);
    return fault ? fail(loop, AJOB_EINVAL, path, fault) : 0;
}

/* What a server may name, a lock may not: better said now than when it is used. */
static int check_readable(ajob_loop *loop, const char *path, const struct text *json) {
    struct text error = TEXT_INIT(TEXT_LINE_MAX);
    ajob_lock *again = ajob_lock_new();
    int code = again ? lock_parse(again, json->data, json->length, &error) : AJOB_ENOMEM;
    if (code)
        fail(loop, code, path, code == AJOB_ENOMEM ? "out of memory" : text_string(&error));
    ajob_lock_free(again);
    text_done(&error);
    return code;
}

int ajob_lock_write(ajob_lock *lock, ajob_loop *loop, const char *path) {
    struct text json = TEXT_INIT(LOCK_SIZE_MAX);
    char safe[300];
    int code = 0;
    for (const struct lock_entry *entry = lock->table; entry && !code; entry = entry->hh.next)
        if (!entry->has_come || entry->is_ambiguous)
            code = loop_fail(loop, AJOB_EINVAL, "%s: %s: not locked",
                             ajob_escape(safe, sizeof safe, entry->asset.name),
                             entry->has_come ? "the API has its id for another asset, too"
                                             : "was not downloaded");
    if (!code) {
        lock_print(lock, &json);
        code = !text_ok(&json) ? fail(loop, AJOB_ENOMEM, path, "out of memory")
                               : check_readable(loop, path, &json);
    }
    if (!code)
        code = write_file(loop, path, &json);
    text_done(&json);
    return code;
}
