/* names.c - from a group and a name to the task: open addressing. See names.h. */
#include "spec/names.h"

#include "base/mem.h"

/* FNV-1a over the name and where the group is in memory. */
static uint32_t hash_of(const struct spec_task *group, const char *name, size_t length) {
    uint32_t hash =
        UINT32_C(2166136261) ^ (uint32_t)((uintptr_t)group / sizeof *group) * UINT32_C(2654435761);
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)name[i]) * UINT32_C(16777619);
    return hash ^ hash >> 15;
}

struct spec_task *names_find(const struct names *names, const struct spec_task *group,
                             const char *name, size_t length) {
    if (!names->size)
        return NULL;
    for (uint32_t i = hash_of(group, name, length);; i++) {
        struct spec_task *task = names->slots[i & (names->size - 1)];
        if (!task)
            return NULL;
        if (task->parent == group && strncmp(task->name, name, length) == 0 &&
            task->name[length] == '\0')
            return task;
    }
}

static void put(struct names *names, struct spec_task *task) {
    uint32_t i = hash_of(task->parent, task->name, strlen(task->name));
    while (names->slots[i & (names->size - 1)])
        i++;
    names->slots[i & (names->size - 1)] = task;
}

static bool grow(struct names *names) {
    struct names larger = {.size = names->size ? 2 * names->size : 64, .count = names->count};
    larger.slots = mem_new(larger.size * sizeof(struct spec_task *));
    if (!larger.slots)
        return false;
    for (uint32_t i = 0; i < names->size; i++)
        if (names->slots[i])
            put(&larger, names->slots[i]);
    mem_free(names->slots);
    *names = larger;
    return true;
}

bool names_add(struct names *names, struct spec_task *task) {
    if (names->count + names->count / 2 >= names->size && !grow(names))
        return false;
    put(names, task);
    names->count++;
    return true;
}

void names_done(struct names *names) {
    mem_free(names->slots);
    *names = (struct names){0};
}
