/*
 * reading.c - what is collected while a spec is made: tasks, wants, uses. See
 * reading.h.
 */
#include "spec/reading.h"

#include "base/mem.h"
#include "spec/value.h"

const char *reading_argument(const struct ajob_spec *spec, const struct spec_task *task) {
    for (; task; task = task->parent)
        for (const struct argument *it = spec->reading->arguments; it; it = it->next)
            if (it->task == task)
                return it->text;
    return NULL;
}

static bool check_name(struct ajob_spec *spec, struct spec_task *parent, const char *name,
                       uint32_t at) {
    if (!spec_is_name(name)) {
        spec_error(spec, parent, at,
                   strlen(name) > SPEC_NAME_MAX
                       ? "it is too long"
                       : "letters, digits, '_', '-' and '.' make one; it begins with a letter, "
                         "digit or '_'",
                   "\"%.60s\" is no name of a task", name);
        return false;
    }
    const struct spec_task *other = names_find(&spec->reading->names, parent, name, strlen(name));
    if (!other)
        return true;
    spec_error(spec, parent, at, NULL, "task \"%.60s\" is defined twice", name);
    spec_note(spec, other, other->at, "here is the first one");
    return false;
}

struct spec_task *reading_add_task(struct ajob_spec *spec, struct spec_task *parent,
                                   const char *name, uint32_t at) {
    bool is_right = !name || check_name(spec, parent, name, at);
    struct spec_task *task = is_right ? spec_alloc(spec, sizeof *task) : NULL;
    if (!task)
        return NULL;
    *task = (struct spec_task){.parent = parent, .at = at, .number = spec->task_count};
    if (name) {
        task->name = spec_copy(spec, name, strlen(name));
        if (!task->name)
            return NULL;
        if (!names_add(&spec->reading->names, task)) {
            spec->reading->has_no_memory = true;
            return NULL;
        }
    }
    struct spec_task **last = parent ? &parent->last : &spec->last;
    *(*last ? &(*last)->next : parent ? &parent->first : &spec->first) = task;
    *last = task;
    spec->task_count++;
    spec->reading->is_resolved = false;
    return task;
}

struct spec_more *reading_more(struct ajob_spec *spec, struct spec_task *task) {
    if (!task->more)
        task->more = spec_alloc(spec, sizeof *task->more);
    return task->more;
}

/* Room for one more of these; NULL on lack of memory. */
static void *one_more(struct ajob_spec *spec, void *items, uint32_t count, uint32_t *space,
                      size_t size) {
    if (count < *space)
        return items;
    uint32_t larger = *space ? *space + *space / 2 : 16;
    void *grown = mem_resize(items, larger * size);
    if (grown)
        *space = larger;
    spec->reading->has_no_memory |= !grown;
    return grown;
}

void reading_want(struct ajob_spec *spec, struct spec_task *task, enum want_type type,
                  const char *name, uint32_t at) {
    struct spec_reading *reading = spec->reading;
    struct want *wants =
        one_more(spec, reading->wants, reading->want_count, &reading->want_space, sizeof *wants);
    char *copy = arena_copy(&reading->scratch, name, strlen(name));
    if (wants)
        reading->wants = wants;
    reading->has_no_memory |= !copy;
    if (wants && copy)
        wants[reading->want_count++] = (struct want){type, at, task, copy};
    reading->is_resolved = false;
}

void reading_use(struct ajob_spec *spec, struct spec_task *task, struct spec_string string) {
    struct spec_reading *reading = spec->reading;
    if (!string.text || !value_has_any(string.text))
        return;
    struct use *uses =
        one_more(spec, reading->uses, reading->use_count, &reading->use_space, sizeof *uses);
    if (!uses)
        return;
    reading->uses = uses;
    uses[reading->use_count++] = (struct use){task, string};
    reading->is_resolved = false;
}
