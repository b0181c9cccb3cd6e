/* taken.c - which files the assets of a run go to. See taken.h. */
#include "net/taken.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "ajob.h"
#include "base/table.h"
#include "core/loop.h"

enum { KEPT_MOST = 16384 }; /* files: a run may have no end */

struct taken {
    UT_hash_handle hh;
    uint64_t id; /* of the asset */
    char path[];
};

struct file_id {
    dev_t device;
    ino_t inode;
};

struct kept {
    UT_hash_handle hh;
    struct file_id id;
    char name[];
};

struct takings {
    struct loop_module module;
    const struct ajob_task *root; /* of the run that took them */
    struct taken *table;
    struct kept *kept;
};

static const char takings_key; /* its address names the module */

static void forget(struct takings *takings) {
    struct taken *taken, *next;
    HASH_ITER(hh, takings->table, taken, next) {
        HASH_DEL(takings->table, taken);
        mem_free(taken);
    }
    struct kept *kept, *next_kept;
    HASH_ITER(hh, takings->kept, kept, next_kept) {
        HASH_DEL(takings->kept, kept);
        mem_free(kept);
    }
}

static void free_takings(struct loop_module *module) {
    forget((struct takings *)module);
    mem_free(module);
}

/* Those of the run under way, or NULL. */
static struct takings *takings_of(struct ajob_loop *loop) {
    struct takings *takings =
        (struct takings *)loop_module(loop, &takings_key, sizeof *takings, free_takings);
    if (takings && takings->root != loop->root)
        forget(takings);
    if (takings)
        takings->root = loop->root;
    return takings;
}

bool taken_add(struct ajob_loop *loop, const char *path, uint64_t id, bool *ret_is_ours) {
    struct takings *takings = takings_of(loop);
    struct taken *taken = NULL;
    if (!takings)
        return false;
    HASH_FIND_STR(takings->table, path, taken);
    *ret_is_ours = !taken || taken->id == id;
    if (taken)
        return true;
    size_t size = strlen(path) + 1;
    taken = mem_new(sizeof *taken + size);
    if (!taken)
        return false;
    taken->id = id;
    memcpy(taken->path, path, size);
    HASH_ADD_STR(takings->table, path, taken);
    if (table_has(taken))
        return true;
    mem_free(taken);
    return false;
}

/* ---- what a file system takes for one -------------------------------------- */

/* Of a file with no other name: hard links are not what this is about. */
static bool find_id(int dir_fd, const char *name, struct file_id *ret_id) {
    struct stat status;
    bool is_plain = !fstatat(dir_fd, name, &status, AT_SYMLINK_NOFOLLOW) &&
                    S_ISREG(status.st_mode) && status.st_nlink == 1;
    memset(ret_id, 0, sizeof *ret_id); /* its padding is part of the key */
    if (is_plain) {
        ret_id->device = status.st_dev;
        ret_id->inode = status.st_ino;
    }
    return is_plain;
}

void taken_keep(struct ajob_loop *loop, int dir_fd, const char *name) {
    struct takings *takings = takings_of(loop);
    struct file_id id;
    struct kept *kept = NULL;
    if (!takings || !find_id(dir_fd, name, &id))
        return;
    HASH_FIND(hh, takings->kept, &id, sizeof id, kept);
    if (kept) {
        HASH_DEL(takings->kept, kept);
        mem_free(kept);
    }
    kept = mem_new(sizeof *kept + strlen(name) + 1);
    if (!kept)
        return;
    kept->id = id;
    memcpy(kept->name, name, strlen(name) + 1);
    HASH_ADD(hh, takings->kept, id, sizeof kept->id, kept);
    if (!table_has(kept)) {
        mem_free(kept);
    } else if (HASH_COUNT(takings->kept) > KEPT_MOST) {
        struct kept *oldest = takings->kept;
        HASH_DEL(takings->kept, oldest);
        mem_free(oldest);
    }
}

bool taken_is_free(struct ajob_loop *loop, int dir_fd, const char *name, struct text *error) {
    struct takings *takings = takings_of(loop);
    struct file_id id, same;
    struct kept *kept = NULL;
    char safe[300];
    if (takings && find_id(dir_fd, name, &id))
        HASH_FIND(hh, takings->kept, &id, sizeof id, kept);
    /* It may have been renamed since: then its old name leads nowhere. */
    bool is_one = kept && strcmp(kept->name, name) != 0 && find_id(dir_fd, kept->name, &same) &&
                  !memcmp(&id, &same, sizeof id);
    if (is_one)
        text_format(error, "%s is there already: the file system takes both names for one",
                    ajob_escape(safe, sizeof safe, kept->name));
    return !is_one;
}
