/*
 * names.h - from a group and a name to the task: a table that costs 8 bytes a
 * task and slot, where uthash's handles would cost as much as the tasks.
 */
#ifndef AJOB_SPEC_NAMES_H
#define AJOB_SPEC_NAMES_H

#include "spec/spec.h"

/* The zero value is an empty table. */
struct names {
    struct spec_task **slots;
    uint32_t size, count; /* size is a power of two */
};

/* The task of this name in this group (NULL: at the top), or NULL. */
struct spec_task *names_find(const struct names *names, const struct spec_task *group,
                             const char *name, size_t length);

/* Adds a task that is not in it, by its name and parent. False on lack of memory. */
bool names_add(struct names *names, struct spec_task *task);

void names_done(struct names *names);

#endif
