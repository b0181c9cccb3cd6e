/*
 * uses.c - ${} in strings: what they use exists, can be seen, has that property,
 * and is a need from then on. See reading.h.
 */
#include "spec/json.h"
#include "spec/reading.h"
#include "spec/value.h"

/* How many bytes of a literal in the text the character at `at` takes, and *ret_bytes
 * how many bytes of the string it stands for. */
static uint32_t literal_step(const char *text, uint32_t at, uint32_t *ret_bytes) {
    *ret_bytes = 1;
    if (text[at] != '\\')
        return 1;
    if (text[at + 1] != 'u')
        return 2;
    unsigned point = 0;
    for (int i = 2; i < 6; i++)
        point = point * 16 + (unsigned)hex_value(text[at + (uint32_t)i]);
    bool is_pair = point >= 0xd800 && point < 0xdc00;
    *ret_bytes = is_pair ? 4 : point < 0x80 ? 1 : point < 0x800 ? 2 : 3;
    return is_pair ? 12 : 6;
}

/* The place in the text of so many bytes into a string. */
static uint32_t place_in(const struct ajob_spec *spec, const struct spec_string *string,
                         size_t offset) {
    const char *text = spec->reading->text;
    uint32_t at = string->at;
    if (at == SPEC_NOWHERE || text[at] != '"')
        return at;
    for (at++; offset && text[at] != '"';) {
        uint32_t bytes;
        at += literal_step(text, at, &bytes);
        offset -= bytes < offset ? bytes : offset;
    }
    return at;
}

struct using {
    struct ajob_spec *spec;
    const struct use *use;
    struct value value;
    uint32_t length; /* of the whole reference */
};

__attribute__((format(printf, 3, 4))) static void fail(const struct using *using, const char *hint,
                                                       const char *format, ...) {
    struct ajob_spec *spec = using->spec;
    const struct spec_string *string = &using->use->string;
    char what[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    uint32_t at = place_in(spec, string, using->value.offset);
    uint32_t end = place_in(spec, string, using->value.offset + using->length);
    int shown = using->length < 80 ? (int)using->length : 80;
    spec_error_part(spec, using->use->task, at, end > at ? end - at : 1, hint, "%.*s: %s", shown,
                    string->text + using->value.offset, what);
}

static bool is_in_each(const struct spec_task *task) {
    for (; task; task = task->parent)
        if (task->parent && task->parent->kind == SPEC_EACH)
            return true;
    return false;
}

static const char *property_of(enum value_type type) {
    return type == VALUE_STDOUT ? "stdout" : type == VALUE_PATH ? "path" : "exit";
}

static bool has_property(const struct spec_task *task, enum value_type type) {
    switch ((enum spec_kind)task->kind) {
    case SPEC_EXEC:
    case SPEC_SH:
        return type != VALUE_PATH;
    case SPEC_SERVICE:
        return type == VALUE_STDOUT;
    case SPEC_GET:
        return type == VALUE_PATH;
    default:
        return false;
    }
}

static void use_task(const struct using *using) {
    struct ajob_spec *spec = using->spec;
    const struct value *value = &using->value;
    struct spec_task *task = using->use->task;
    char name[80], hint[128];
    snprintf(name, sizeof name, "%.*s", (int)value->length, value->name);
    if (!task) {
        fail(using, NULL, "what stands at the top is known before any task has run");
        return;
    }
    struct spec_task *found = spec_find(spec, task, value->name, value->length);
    if (!found) {
        const char *nearest = spec_nearest(spec, task, name);
        snprintf(hint, sizeof hint, "did you mean \"%s\"?", nearest ? nearest : "");
        fail(using, nearest ? hint : NULL, "there is no task \"%s\" in its group or one around it",
             name);
        return;
    }
    if (!has_property(found, value->type)) {
        fail(using, value->type == VALUE_PATH ? "only a get has a path" : NULL,
             "task \"%s\" is of the kind %s and has no %s", name,
             spec_kind_name((enum spec_kind)found->kind), property_of(value->type));
        return;
    }
    for (const struct spec_task *around = task; around; around = around->parent)
        if (around == found) {
            fail(using, NULL, "a task cannot use what it %s itself",
                 value->type == VALUE_STDOUT ? "prints" : "is");
            return;
        }
    found->keeps_stdout |= value->type == VALUE_STDOUT;
    spec_add_need(spec, task, found, false);
}

void spec_check_use(struct ajob_spec *spec, const struct use *use) {
    const char *cursor = use->string.text;
    for (;;) {
        struct using using = {.spec = spec, .use = use};
        const char *start = cursor;
        using.value = value_next(use->string.text, &cursor);
        using.length = (uint32_t)(cursor - start);
        switch (using.value.type) {
        case VALUE_END:
            return;
        case VALUE_LITERAL:
        case VALUE_ENV:
            break;
        case VALUE_STDOUT:
        case VALUE_PATH:
        case VALUE_EXIT:
            use_task(&using);
            break;
        case VALUE_ITEM:
            if (!is_in_each(use->task))
                fail(&using, NULL, "there is an item only in the \"do\" of an each");
            break;
        case VALUE_VAR:
            if (!spec_var(spec, using.value.name, using.value.length)) {
                char hint[128];
                snprintf(hint, sizeof hint, "give it a value with --set %.*s=VALUE",
                         (int)(using.value.length < 60 ? using.value.length : 60),
                         using.value.name);
                fail(&using, hint, "is not set");
            }
            break;
        case VALUE_WRONG:
            fail(&using, NULL, "%s", using.value.error);
            break;
        }
    }
}
