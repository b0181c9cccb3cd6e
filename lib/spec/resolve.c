/*
 * resolve.c - from names to tasks: needs, and what else is wanted. See reading.h.
 */
#include "spec/reading.h"

#include "base/mem.h"

enum { CANDIDATES_MOST = 1000 }; /* of "did you mean" */

const char *spec_nearest(const struct ajob_spec *spec, const struct spec_task *from,
                         const char *name) {
    const char **names = mem_new(CANDIDATES_MOST * sizeof *names);
    size_t count = 0;
    if (!names || spec->reading->mistakes.errors > CANDIDATES_MOST) {
        mem_free(names);
        return NULL;
    }
    for (const struct spec_task *around = from;;) {
        const struct spec_task *group = around ? around->parent : NULL;
        const struct spec_task *it = group ? group->first : spec->first;
        for (; it && count < CANDIDATES_MOST; it = it->next)
            if (it->name && it != from)
                names[count++] = it->name;
        if (!group)
            break;
        around = group;
    }
    const char *nearest = ajob_nearest(name, names, count);
    mem_free(names);
    return nearest;
}

/* ---- adding ---------------------------------------------------------------- */

/* The task that can wait for another one: what is in the `do` of an each starts
 * within it, so then it is the each. */
static struct spec_task *waiter(struct spec_task *task, const struct spec_task *need) {
    struct spec_task *waits = task;
    for (; task && task->parent != need->parent; task = task->parent)
        if (task->parent && task->parent->kind == SPEC_EACH)
            waits = task->parent;
    return waits;
}

void spec_add_need(struct ajob_spec *spec, struct spec_task *task, struct spec_task *need,
                   bool is_start) {
    task = waiter(task, need);
    uint32_t count = task->need_count;
    if (count && task->needs[count - 1].task == need && task->needs[count - 1].is_start == is_start)
        return;
    /* A list that is full has a power of two in it. */
    if ((count & (count - 1)) == 0) {
        struct spec_need *needs = spec_alloc(spec, (count ? 2 * count : 1) * sizeof *needs);
        if (!needs)
            return;
        if (count)
            memcpy(needs, task->needs, count * sizeof *needs);
        task->needs = needs;
    }
    task->needs[task->need_count++] = (struct spec_need){need, is_start};
}

/* Leaves each need once. seen: by number, the last task (its number + 1) that had it. */
static void drop_doubles(struct spec_task *task, uint32_t *seen) {
    const struct spec_task *source =
        task->kind == SPEC_EACH && task->each ? task->each->lines : NULL;
    bool is_source_awaited = false; /* to its end: that is more than its start */
    uint32_t kept = 0;
    for (uint32_t i = 0; i < task->need_count; i++) {
        const struct spec_need need = task->needs[i];
        is_source_awaited |= need.task == source && !need.is_start;
        if (seen[need.task->number] != task->number + 1)
            task->needs[kept++] = need;
        seen[need.task->number] = task->number + 1;
    }
    task->need_count = kept;
    for (uint32_t i = 0; i < kept && is_source_awaited; i++)
        if (task->needs[i].task == source)
            task->needs[i].is_start = false;
}

static void drop_all_doubles(struct ajob_spec *spec) {
    uint32_t *seen = mem_new((spec->task_count + 1) * sizeof *seen);
    spec->reading->has_no_memory |= !seen;
    for (struct spec_task *task = spec->first; task && seen; task = spec_next(task))
        if (task->need_count > 1)
            drop_doubles(task, seen);
    mem_free(seen);
}

/* ---- wants ----------------------------------------------------------------- */

struct spec_task *spec_find_path(const struct ajob_spec *spec, const char *path) {
    struct spec_task *task = NULL;
    for (;;) {
        size_t length = strcspn(path, "/");
        task = names_find(&spec->reading->names, task, path, length);
        if (!task || !path[length])
            return task;
        path += length + 1;
    }
}

static struct spec_task *find_anywhere(const struct ajob_spec *spec, const char *name) {
    if (spec->reading->mistakes.errors < CANDIDATES_MOST)
        for (struct spec_task *task = spec->first; task; task = spec_next(task))
            if (task->name && strcmp(task->name, name) == 0)
                return task;
    return NULL;
}

static void fail_want(struct ajob_spec *spec, const struct want *want) {
    struct text path = TEXT_INIT(SPEC_PATH_MAX), hint = TEXT_INIT(TEXT_LINE_MAX);
    const char *nearest = spec_nearest(spec, want->task, want->name);
    struct spec_task *hidden = strchr(want->name, '/') ? spec_find_path(spec, want->name)
                                                       : find_anywhere(spec, want->name);

    spec_path(want->task, &path);
    if (hidden && hidden->parent)
        text_format(&hint,
                    "only tasks of its group or one around it can be needed: \"%.60s\" is "
                    "inside \"%.60s\"",
                    want->name, hidden->parent->name ? hidden->parent->name : "do");
    else if (nearest)
        text_format(&hint, "did you mean \"%s\"?", nearest);
    spec_error(spec, want->task, want->at, hint.length ? text_string(&hint) : NULL,
               "task \"%.150s\" %s \"%.60s\", which does not exist%s", text_string(&path),
               want->type == WANT_NEED    ? "needs"
               : want->type == WANT_STDIN ? "reads the output of"
                                          : "reads the lines of",
               want->name, hidden && hidden->parent ? " here" : "");
    text_done(&path);
    text_done(&hint);
}

/* What is read from must print. */
static bool check_source(struct ajob_spec *spec, const struct want *want,
                         const struct spec_task *found) {
    struct text path = TEXT_INIT(SPEC_PATH_MAX);
    bool is_endless = want->type == WANT_LINES && found->kind == SPEC_SERVICE;
    if (spec_is_command(found) && !is_endless)
        return true;
    spec_path(want->task, &path);
    if (is_endless)
        spec_error(spec, want->task, want->at, NULL,
                   "task \"%.150s\" reads the lines of \"%.60s\", a service, which runs as long as "
                   "they are read; take a command",
                   text_string(&path), want->name);
    else
        spec_error(
            spec, want->task, want->at, NULL,
            "task \"%.150s\" reads what \"%.60s\" prints, but that is of the kind %s and prints "
            "nothing",
            text_string(&path), want->name, spec_kind_name(found->kind));
    text_done(&path);
    return false;
}

static void resolve_want(struct ajob_spec *spec, const struct want *want) {
    struct spec_task *found = spec_find(spec, want->task, want->name, strlen(want->name));
    if (!found) {
        fail_want(spec, want);
        return;
    }
    if (want->type != WANT_NEED) {
        if (!check_source(spec, want, found))
            return;
        found->keeps_stdout = true;
        if (want->type == WANT_STDIN)
            want->task->command->stdin_task = found;
        else
            want->task->each->lines = found;
    }
    spec_add_need(spec, want->task, found, want->type == WANT_LINES);
}

void spec_resolve(struct ajob_spec *spec) {
    struct spec_reading *reading = spec->reading;
    if (reading->is_resolved)
        return;
    reading->is_resolved = true;
    for (uint32_t i = 0; i < reading->want_count; i++)
        resolve_want(spec, &reading->wants[i]);
    for (uint32_t i = 0; i < reading->use_count; i++)
        spec_check_use(spec, &reading->uses[i]);
    drop_all_doubles(spec);
    spec_find_cycles(spec);
    spec_check_sense(spec);
    reading->wants = mem_free(reading->wants);
    reading->uses = mem_free(reading->uses);
    reading->want_count = reading->want_space = 0;
    reading->use_count = reading->use_space = 0;
    arena_done(&reading->scratch);
}
