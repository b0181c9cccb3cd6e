/* taken.c - which files the assets of a run go to. See taken.h. */
#include "net/taken.h"

#include "base/table.h"
#include "core/loop.h"

struct taken {
    UT_hash_handle hh;
    uint64_t id; /* of the asset */
    char path[];
};

struct takings {
    struct loop_module module;
    const struct ajob_task *root; /* of the run that took them */
    struct taken *table;
};

static const char takings_key; /* its address names the module */

static void forget(struct takings *takings) {
    struct taken *taken, *next;
    HASH_ITER(hh, takings->table, taken, next) {
        HASH_DEL(takings->table, taken);
        mem_free(taken);
    }
}

static void free_takings(struct loop_module *module) {
    forget((struct takings *)module);
    mem_free(module);
}

bool taken_add(struct ajob_loop *loop, const char *path, uint64_t id, bool *ret_is_ours) {
    struct takings *takings =
        (struct takings *)loop_module(loop, &takings_key, sizeof *takings, free_takings);
    struct taken *taken = NULL;
    if (!takings)
        return false;
    if (takings->root != loop->root)
        forget(takings);
    takings->root = loop->root;
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
