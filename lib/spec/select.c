/*
 * select.c - only some tasks and what they need.
 */
#include "base/mem.h"
#include "spec/reading.h"

/* Selected tasks whose needs are still to be looked at. */
struct queue {
    struct spec_task **items;
    uint32_t count;
};

static void add(struct queue *queue, struct spec_task *task) {
    if (task->is_selected)
        return;
    task->is_selected = true;
    queue->items[queue->count++] = task;
}

/* A task with all that is in it, and the groups around it. */
static void add_whole(struct queue *queue, struct spec_task *task) {
    const struct spec_task *inside = task->first;
    for (struct spec_task *around = task; around; around = around->parent)
        add(queue, around);
    while (inside) {
        add(queue, (struct spec_task *)inside);
        const struct spec_task *next = spec_next(inside);
        const struct spec_task *up = next;
        while (up && up != task)
            up = up->parent;
        inside = up ? next : NULL;
    }
}

/* The path that is nearest to the name, on the heap; NULL: none is near. */
static char *nearest_path(const struct ajob_spec *spec, const char *name) {
    char *nearest = NULL;
    for (const struct spec_task *task = spec->first; task; task = spec_next(task)) {
        struct text path = TEXT_INIT(SPEC_PATH_MAX);
        spec_path(task, &path);
        const char *candidates[] = {text_string(&path), nearest};
        if (task->name && ajob_nearest(name, candidates, nearest ? 2 : 1) == candidates[0]) {
            mem_free(nearest);
            nearest = mem_copy(candidates[0]);
        }
        text_done(&path);
    }
    return nearest;
}

static int fail_unknown(struct ajob_spec *spec, const char *name) {
    char *nearest = nearest_path(spec, name);
    int error =
        spec_fail(spec, AJOB_EINVAL, "%s: there is no such task%s%s%s", name,
                  nearest ? "; did you mean " : "", nearest ? nearest : "", nearest ? "?" : "");
    mem_free(nearest);
    return error;
}

int ajob_spec_select(ajob_spec *spec, const char *const *names, size_t count) {
    struct queue queue = {0};
    spec_resolve(spec);
    for (size_t i = 0; i < count; i++)
        if (!spec_find_path(spec, names[i]))
            return fail_unknown(spec, names[i]);
    queue.items = mem_new((spec->task_count + 1) * sizeof(struct spec_task *));
    if (!queue.items)
        return spec_fail(spec, AJOB_ENOMEM, "out of memory");
    spec->has_selection = true;
    for (size_t i = 0; i < count; i++)
        add_whole(&queue, spec_find_path(spec, names[i]));
    for (uint32_t i = 0; i < queue.count; i++)
        for (uint32_t j = 0; j < queue.items[i]->need_count; j++)
            add_whole(&queue, queue.items[i]->needs[j].task);
    mem_free(queue.items);
    return 0;
}
