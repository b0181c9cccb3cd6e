/* dir.c - directories that downloads go to, each open once. See dir.h. */
#include "net/dir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/table.h"
#include "core/loop.h"
#include "net/disk.h"

struct entry {
    UT_hash_handle hh;
    char *key;
    struct dir dir;
};

/* The directories of a loop. */
struct dirs {
    struct loop_module module;
    struct entry *table;
    struct dir *last; /* that was asked for: most tasks come in rows */
};

static const char dirs_key; /* its address names the module */

static void free_entry(struct entry *entry) {
    mem_free(entry->key);
    mem_free(entry->dir.path);
    mem_free(entry->dir.subdir);
    mem_free(entry);
}

static void free_dirs(struct loop_module *module) {
    struct dirs *dirs = (struct dirs *)module;
    struct entry *entry, *next;
    HASH_ITER(hh, dirs->table, entry, next) {
        HASH_DEL(dirs->table, entry);
        free_entry(entry);
    }
    mem_free(dirs);
}

static struct entry *new_entry(const char *key, const char *path, const char *subdir) {
    struct entry *entry = mem_new(sizeof *entry);
    if (!entry)
        return NULL;
    entry->key = mem_copy(key);
    entry->dir.path = mem_copy(path);
    entry->dir.subdir = mem_copy(subdir);
    if (entry->key && entry->dir.path && (entry->dir.subdir || !subdir))
        return entry;
    free_entry(entry);
    return NULL;
}

static bool is_dir(const struct dir *dir, const char *path, const char *subdir) {
    bool same_subdir = dir->subdir && subdir ? !strcmp(dir->subdir, subdir) : dir->subdir == subdir;
    return same_subdir && !strcmp(dir->path, path);
}

/* The entry with this key, new or not; NULL on lack of memory. */
static struct entry *entry_for(struct dirs *dirs, const char *key, const char *path,
                               const char *subdir) {
    struct entry *entry;
    HASH_FIND_STR(dirs->table, key, entry);
    if (entry)
        return entry;
    entry = new_entry(key, path, subdir);
    if (entry)
        HASH_ADD_KEYPTR(hh, dirs->table, entry->key, strlen(entry->key), entry);
    if (!entry || table_has(entry))
        return entry;
    free_entry(entry);
    return NULL;
}

static struct dir *find(struct dirs *dirs, const char *path, const char *subdir) {
    char *key = text_make("%s\n%s", path, subdir ? subdir : "");
    struct entry *entry = key ? entry_for(dirs, key, path, subdir) : NULL;
    mem_free(key);
    return entry ? &entry->dir : NULL;
}

struct dir *dir_for(struct ajob_loop *loop, const char *path, const char *subdir) {
    struct dirs *dirs = (struct dirs *)loop_module(loop, &dirs_key, sizeof(struct dirs), free_dirs);
    if (dirs && dirs->last && is_dir(dirs->last, path, subdir))
        return dirs->last;
    struct dir *outer = dirs ? find(dirs, path, NULL) : NULL;
    struct dir *dir = outer && subdir ? find(dirs, path, subdir) : outer;
    if (dir) {
        dir->outer = outer;
        return dirs->last = dir;
    }
    loop_fail_memory(loop);
    return NULL;
}

/* ---- opening --------------------------------------------------------------- */

static bool fail_errno(struct text *error, const char *name) {
    char safe[TEXT_LINE_MAX / 2]; /* the end of a line has to be said, too */
    text_format(error, "%s: %s", ajob_escape(safe, sizeof safe, name), strerror(errno));
    return false;
}

/* Whether the path names this directory by itself, not through a link at its end; with a
 * slash there every call would follow one. */
static bool is_real(const char *path, int fd) {
    struct stat named, opened;
    char plain[PATH_MAX];
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    if (length >= sizeof plain)
        return false;
    memcpy(plain, path, length);
    plain[length] = '\0';
    return !lstat(plain, &named) && !fstat(fd, &opened) && S_ISDIR(named.st_mode) &&
           named.st_dev == opened.st_dev && named.st_ino == opened.st_ino;
}

/* The path itself, open; -1 with one line in error. */
static int open_outer(struct dir *outer, struct text *error) {
    const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
    int fd = open(outer->path, flags);
    if (fd < 0 && errno == ENOENT) {
        bool is_tried = disk_make_dirs(outer->path, 0777);
        fd = open(outer->path, flags);
        if (fd < 0 && !is_tried)
            errno = ENOMEM;
    }
    if (fd < 0) {
        fail_errno(error, outer->path);
        return -1;
    }
    bool was_real = outer->is_known_real;
    outer->is_known_real = is_real(outer->path, fd);
    if (!was_real || outer->is_known_real)
        return fd;
    char safe[TEXT_LINE_MAX];
    text_format(error, "%s: has become a symbolic link meanwhile: refused",
                ajob_escape(safe, sizeof safe, outer->path));
    outer->is_known_real = true; /* as it was, for those who come next */
    close(fd);
    return -1;
}

static bool open_dir(struct dir *dir, struct text *error) {
    const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;
    int outer = open_outer(dir->outer, error);
    if (outer < 0)
        return false;
    if (!dir->subdir) {
        dir->fd = outer;
        return true;
    }
    bool is_made = !mkdirat(outer, dir->subdir, 0777) || errno == EEXIST;
    dir->fd = is_made ? openat(outer, dir->subdir, flags) : -1;
    bool is_ok = dir->fd >= 0 || fail_errno(error, dir->subdir);
    close(outer);
    return is_ok;
}

bool dir_enter(struct dir *dir, struct text *error) {
    if (!dir->users && !open_dir(dir, error))
        return false;
    dir->users++;
    return true;
}

void dir_leave(struct dir *dir) {
    if (--dir->users == 0)
        close(dir->fd);
}

char *dir_path(const struct dir *dir, const char *name) {
    bool is_here = !strcmp(dir->path, ".");
    size_t length = strlen(dir->path);
    bool has_slash = length && dir->path[length - 1] == '/';
    return text_make("%s%s%s%s%s", is_here ? "" : dir->path, is_here || has_slash ? "" : "/",
                     dir->subdir ? dir->subdir : "", dir->subdir ? "/" : "", name);
}
