/*
 * view_running.c - the tasks under way, as a screen knows them: a hash table (linear
 * probing) by the task's address, which each event costs a look into, and a list in the
 * order of their start. See view.h.
 */
#include "view.h"

#include <stdlib.h>
#include <string.h>

static size_t slot_of(const struct screen *screen, const ajob_task *task) {
    uint64_t hash = (uint64_t)(uintptr_t)task * 0x9e3779b97f4a7c15u;
    return (size_t)(hash >> 32) & (screen->slot_count - 1);
}

/* The slot that holds the task, or the empty one where it would go. */
static size_t slot_find(const struct screen *screen, const ajob_task *task) {
    size_t i = slot_of(screen, task);
    while (screen->slots[i] && screen->slots[i]->task != task)
        i = (i + 1) & (screen->slot_count - 1);
    return i;
}

struct running *running_find(const struct screen *screen, const ajob_task *task) {
    return screen->slot_count > 0 ? screen->slots[slot_find(screen, task)] : NULL;
}

static bool slots_grow(struct screen *screen) {
    size_t old_count = screen->slot_count, count = old_count ? old_count * 2 : 64;
    struct running **old = screen->slots, **slots = calloc(count, sizeof *slots);

    if (!slots)
        return false;
    screen->slots = slots;
    screen->slot_count = count;
    for (size_t i = 0; i < old_count; i++) {
        if (old[i])
            slots[slot_find(screen, old[i]->task)] = old[i];
    }
    free(old);
    return true;
}

struct running *running_add(struct screen *screen, const ajob_task *task, const char *name) {
    size_t length = strlen(name) + 1;

    if (screen->slots_used * 2 >= screen->slot_count && !slots_grow(screen))
        return NULL;
    struct running *running = calloc(1, sizeof *running + length);
    if (!running)
        return NULL;
    running->task = task;
    running->total = -1;
    memcpy(running->name, name, length);
    screen->slots[slot_find(screen, task)] = running;
    screen->slots_used++;
    return running;
}

void running_list(struct screen *screen, struct running *running) {
    running->older = screen->newest;
    *(screen->newest ? &screen->newest->newer : &screen->oldest) = running;
    screen->newest = running;
    screen->running++;
}

void running_unlist(struct screen *screen, struct running *running) {
    if (running->name[0] == '\0')
        return;
    *(running->older ? &running->older->newer : &screen->oldest) = running->newer;
    *(running->newer ? &running->newer->older : &screen->newest) = running->older;
    running->name[0] = '\0';
    screen->running--;
}

void running_remove(struct screen *screen, struct running *running) {
    size_t mask = screen->slot_count - 1, hole = slot_find(screen, running->task);

    running_unlist(screen, running);
    screen->slots[hole] = NULL;
    screen->slots_used--;
    free(running);
    for (size_t i = (hole + 1) & mask; screen->slots[i]; i = (i + 1) & mask) {
        size_t home = slot_of(screen, screen->slots[i]->task);
        if (((i - home) & mask) < ((i - hole) & mask))
            continue; /* it would come to stand before its home */
        screen->slots[hole] = screen->slots[i];
        screen->slots[i] = NULL;
        hole = i;
    }
}
