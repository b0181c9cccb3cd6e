/* guard.c - the files that are no download's. See guard.h. */
#include "net/guard.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "ajob.h"
#include "base/mem.h"
#include "core/loop.h"

struct file_id {
    dev_t device;
    ino_t inode; /* 0: there is none */
};

struct guard {
    struct guard *next;
    struct file_id dir, file;
    char name[]; /* in dir */
};

/* The guards of a loop. */
struct guards {
    struct loop_module module;
    struct guard *first;
};

static const char guards_key; /* its address names the module */

static void free_guards(struct loop_module *module) {
    struct guards *guards = (struct guards *)module;
    while (guards->first) {
        struct guard *guard = guards->first;
        guards->first = guard->next;
        mem_free(guard);
    }
    mem_free(guards);
}

static bool is_same(const struct file_id *a, const struct file_id *b) {
    return a->inode && a->device == b->device && a->inode == b->inode;
}

/* With or without a file: what will have the name is meant, too. */
static bool fill_in(struct guard *guard, const char *path, size_t dir_length) {
    char *dir = dir_length ? mem_copy_n(path, dir_length) : mem_copy(".");
    struct stat status;
    if (dir && !stat(dir, &status))
        guard->dir = (struct file_id){status.st_dev, status.st_ino};
    if (!stat(path, &status) && S_ISREG(status.st_mode))
        guard->file = (struct file_id){status.st_dev, status.st_ino};
    mem_free(dir);
    return dir != NULL;
}

int ajob_protect(ajob_loop *loop, const char *path) {
    struct guards *guards =
        (struct guards *)loop_module(loop, &guards_key, sizeof *guards, free_guards);
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    struct guard *guard = guards ? mem_new(sizeof *guard + strlen(name) + 1) : NULL;
    if (!guard || !fill_in(guard, path, (size_t)(name - path))) {
        mem_free(guard);
        return loop_fail_memory(loop);
    }
    memcpy(guard->name, name, strlen(name) + 1);
    guard->next = guards->first;
    guards->first = guard;
    return 0;
}

bool guard_has(struct ajob_loop *loop, int dir_fd, const char *name, struct text *error) {
    const struct guards *guards = (struct guards *)loop_find_module(loop, &guards_key);
    const struct guard *guard = guards ? guards->first : NULL;
    struct file_id dir = {0}, file = {0};
    struct stat status;
    char safe[300];
    if (guard && !fstat(dir_fd, &status))
        dir = (struct file_id){status.st_dev, status.st_ino};
    if (guard && !fstatat(dir_fd, name, &status, AT_SYMLINK_NOFOLLOW))
        file = (struct file_id){status.st_dev, status.st_ino};
    while (guard && !is_same(&guard->file, &file) &&
           !(is_same(&guard->dir, &dir) && !strcmp(guard->name, name)))
        guard = guard->next;
    if (guard)
        text_format(error, "%s: a file that this run uses itself has the name: refused",
                    ajob_escape(safe, sizeof safe, name));
    return guard != NULL;
}
