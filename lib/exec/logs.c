/* logs.c - a directory with one file for each task. See logs.h. */
#include "exec/logs.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/table.h"
#include "base/text.h"

enum { NAME_MAX_BYTES = 200, PATH_MAX_BYTES = 4000 };

struct log_name {
    UT_hash_handle hh;
    char path[];
};

/* ---- names ------------------------------------------------------------- */

/* One component of a path, out of any text. */
static void add_neutral(struct text *path, const char *name) {
    size_t left = strlen(name), used = 0;
    while (left) {
        uint32_t point = 0;
        size_t step = utf8_decode(name, left, &point);
        bool is_kept = step && utf8_is_printable(point) && point != '/' && point != '\\' &&
                       (used || (point != '.' && point != '-'));
        if (used + (is_kept ? step : 1) > NAME_MAX_BYTES)
            break;
        if (is_kept)
            text_add_n(path, name, step);
        else
            text_add_char(path, '_');
        used += is_kept ? step : 1;
        name += step ? step : 1;
        left -= step ? step : 1;
    }
    if (!used)
        text_add_char(path, '_');
}

static void add_path(struct text *path, const struct ajob_task *task) {
    char number[16];
    if (!task->parent && task->kind->is_group)
        return;
    if (task->parent)
        add_path(path, task->parent);
    if (path->length)
        text_add_char(path, '/');
    add_neutral(path, task_name(task, number));
}

/* Whether this run has opened it before. -1: no memory. */
static int is_known(struct logs *logs, const char *path, size_t length) {
    struct log_name *name;
    HASH_FIND(hh, logs->names, path, length, name);
    if (name)
        return 1;
    name = mem_new(sizeof *name + length + 1);
    if (!name)
        return -1;
    memcpy(name->path, path, length);
    HASH_ADD_KEYPTR(hh, logs->names, name->path, length, name);
    if (table_has(name))
        return 0;
    mem_free(name);
    return -1;
}

/* ---- directories ------------------------------------------------------- */

/* Opens dir/name, making it if needed. */
static int enter(int dir, const char *name, int flags) {
    if (mkdirat(dir, name, 0777) && errno != EEXIST)
        return -1;
    return openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags);
}

/* Opens the directory of the file at path (which is written to), below dir. */
static int enter_all(int dir, char *path, int flags, char **ret_file) {
    int at = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    char *slash;
    while (at >= 0 && (slash = strchr(path, '/'))) {
        *slash = '\0';
        int next = enter(at, path, flags);
        int error = errno;
        close(at);
        errno = error;
        at = next;
        path = slash + 1;
    }
    *ret_file = path;
    return at;
}

bool logs_open(struct logs *logs, const char *dir) {
    char *path = text_make("%s/", dir), *rest = path;
    *logs = (struct logs){.dir_fd = -1};
    if (!path || !*dir) {
        errno = path ? ENOENT : ENOMEM;
        mem_free(path);
        return false;
    }
    while (*rest == '/')
        rest++;
    int from = rest > path ? open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : AT_FDCWD;
    for (char *to = rest, *c = rest; (*to = *c); c++) /* a//b is a/b: nothing has no name */
        to += *c != '/' || (to > rest && to[-1] != '/');
    logs->dir_fd = enter_all(from, rest, 0, &rest);
    int error = errno;
    if (from >= 0)
        close(from);
    mem_free(path);
    errno = error;
    return logs->dir_fd >= 0;
}

/* In the directory of path, which is written to. -1 with errno. */
static int open_at(const struct logs *logs, struct text *path, bool is_emptied) {
    char *file;
    if (!text_ok(path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    int dir = enter_all(logs->dir_fd, path->data, O_NOFOLLOW, &file);
    if (dir < 0)
        return -1;
    int fd = openat(dir, file,
                    O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC |
                        (is_emptied ? O_TRUNC : 0),
                    0666);
    int error = errno;
    close(dir);
    errno = error;
    return fd;
}

/* NAME.log, or NAME/part. */
static int open_file(struct logs *logs, const struct text *name, const char *part) {
    struct text path = TEXT_INIT(PATH_MAX_BYTES);
    int known = part ? 0 : is_known(logs, text_string(name), name->length);
    text_add_n(&path, text_string(name), name->length);
    text_add(&path, part ? "/" : ".log");
    text_add(&path, part ? part : "");
    errno = ENOMEM;
    int fd = known < 0 ? -1 : open_at(logs, &path, !known);
    int error = errno;
    text_done(&path);
    errno = error;
    return fd;
}

bool logs_open_files(struct logs *logs, const struct ajob_task *task, int fds[2]) {
    struct text name = TEXT_INIT(PATH_MAX_BYTES);
    add_path(&name, task);
    if (!name.length)
        text_add_char(&name, '_');
    fds[0] = open_file(logs, &name, logs->is_split ? "stdout" : NULL);
    fds[1] = logs->is_split && fds[0] >= 0 ? open_file(logs, &name, "stderr") : fds[0];
    int error = errno;
    text_done(&name);
    if (fds[1] < 0 && fds[0] >= 0)
        close(fds[0]);
    if (fds[1] < 0)
        fds[0] = -1;
    errno = error;
    return fds[0] >= 0;
}

void logs_close(struct logs *logs) {
    struct log_name *name, *next;
    HASH_ITER(hh, logs->names, name, next) {
        HASH_DEL(logs->names, name);
        mem_free(name);
    }
    if (logs->dir_fd >= 0)
        close(logs->dir_fd);
    logs->dir_fd = -1;
}
