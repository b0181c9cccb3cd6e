/*
 * spec.c - a spec's life, and walking through its tasks. See spec.h.
 */
#include "spec/spec.h"

#include "base/mem.h"
#include "spec/reading.h"

ajob_spec *ajob_spec_new(void) {
    struct ajob_spec *spec = mem_new(sizeof *spec);
    if (!spec)
        return NULL;
    spec->error.max = TEXT_LINE_MAX;
    spec->arena = mem_new(sizeof *spec->arena);
    spec->reading = mem_new(sizeof *spec->reading);
    if (!spec->arena || !spec->reading) {
        ajob_spec_free(spec);
        return NULL;
    }
    return spec;
}

static void free_reading(struct spec_reading *reading) {
    mem_free(reading->file);
    mem_free(reading->text);
    mem_free(reading->wants);
    mem_free(reading->uses);
    mistakes_done(&reading->mistakes);
    names_done(&reading->names);
    arena_done(&reading->scratch);
    mem_free(reading);
}

void ajob_spec_free(ajob_spec *spec) {
    if (!spec)
        return;
    if (spec->reading)
        free_reading(spec->reading);
    if (spec->arena)
        arena_done(spec->arena);
    mem_free(spec->arena);
    text_done(&spec->error);
    mem_free(spec);
}

const char *ajob_spec_error(const ajob_spec *spec) {
    return text_string(&spec->error);
}

int spec_fail(struct ajob_spec *spec, int code, const char *format, ...) {
    va_list arguments;
    text_clear(&spec->error);
    va_start(arguments, format);
    text_vformat(&spec->error, format, arguments);
    va_end(arguments);
    return code;
}

void *spec_alloc(struct ajob_spec *spec, size_t size) {
    void *piece = arena_new(spec->arena, size);
    spec->reading->has_no_memory |= !piece;
    return piece;
}

char *spec_copy(struct ajob_spec *spec, const char *text, size_t length) {
    char *copy = arena_copy(spec->arena, text, length);
    spec->reading->has_no_memory |= !copy;
    return copy;
}

struct spec_task *spec_find(const struct ajob_spec *spec, const struct spec_task *from,
                            const char *name, size_t length) {
    const struct names *names = &spec->reading->names;
    for (; from; from = from->parent) {
        struct spec_task *found = names_find(names, from->parent, name, length);
        if (found)
            return found;
        if (!from->parent)
            return NULL;
    }
    return names_find(names, NULL, name, length);
}

const char *spec_var(const struct ajob_spec *spec, const char *name, size_t length) {
    for (const struct setting *it = spec->reading->settings; it; it = it->next)
        if (strncmp(it->name, name, length) == 0 && !it->name[length])
            return it->value;
    return NULL;
}

int ajob_spec_set(ajob_spec *spec, const char *name, const char *value) {
    if (!spec_is_name(name))
        return spec_fail(spec, AJOB_EINVAL,
                         "%s: not a name: letters, digits, '_', '-' and '.' make one, and it "
                         "begins with a letter, digit or '_'",
                         name);
    struct setting *setting = spec_alloc(spec, sizeof *setting);
    if (setting)
        *setting = (struct setting){
            .name = spec_copy(spec, name, strlen(name)),
            .value = spec_copy(spec, value, strlen(value)),
            .next = spec->reading->settings,
        };
    if (!setting || !setting->name || !setting->value)
        return spec_fail(spec, AJOB_ENOMEM, "out of memory");
    spec->reading->settings = setting;
    return 0;
}

ajob_spec_top ajob_spec_get_top(const ajob_spec *spec) {
    return spec->top;
}

struct spec_task *spec_next(const struct spec_task *task) {
    if (task->first)
        return task->first;
    while (task && !task->next)
        task = task->parent;
    return task ? task->next : NULL;
}

void spec_path(const struct spec_task *task, struct text *path) {
    if (task->parent) {
        spec_path(task->parent, path);
        text_add_char(path, '/');
    }
    text_add(path, task->name ? task->name : "do");
}

bool spec_is_command(const struct spec_task *task) {
    return task->kind == SPEC_EXEC || task->kind == SPEC_SH || task->kind == SPEC_SERVICE;
}

bool spec_is_finalizer(const struct spec_task *task) {
    return task->more && task->more->when != AJOB_WHEN_NEEDS_SUCCEEDED;
}

/* Both ends of a range are in it; modulo 2^64, for it may span more than an int64_t. */
bool spec_count_items(const struct spec_each *each, uint64_t *ret_count) {
    *ret_count = each->items.count;
    if (each->lines)
        return false;
    if (!each->is_range)
        return true;
    bool is_down = each->step < 0;
    uint64_t from = (uint64_t)each->from, to = (uint64_t)each->to, step = (uint64_t)each->step;
    if (is_down ? each->from < each->to : each->from > each->to) {
        *ret_count = 0;
        return true;
    }
    *ret_count = (is_down ? from - to : to - from) / (is_down ? -step : step ? step : 1) + 1;
    return true;
}

const char *spec_kind_name(enum spec_kind kind) {
    static const char *const names[] = {"join",  "exec",    "sh",    "get", "release",
                                        "sleep", "service", "group", "each"};
    return names[kind];
}

bool spec_is_name(const char *name) {
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
    size_t length = strspn(name, letters);
    return *name && *name != '-' && *name != '.' && !name[length] && length <= SPEC_NAME_MAX;
}

size_t ajob_spec_check(ajob_spec *spec, ajob_mistake_fn *mistake, void *data) {
    struct spec_reading *reading = spec->reading;
    struct mistakes *mistakes = &reading->mistakes;
    spec_resolve(spec);
    mistakes->has_lost_memory |= reading->has_no_memory;
    if (mistake)
        mistakes_tell(mistakes, reading->file ? reading->file : "arguments", reading->text,
                      reading->length, mistake, data);
    return mistakes->errors + mistakes->has_lost_memory;
}
