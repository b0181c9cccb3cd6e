/*
 * expand.c - ${...} in a string of a spec becomes text. See expand.h.
 *
 * A value goes into the text as it is: it is never looked at again, so that nothing
 * in it is taken for a reference or for code.
 */
#include "spec/expand.h"

#include "base/mem.h"
#include "core/task.h"
#include "spec/value.h"

static bool fail(struct text *error, const struct value *value, const char *why) {
    static const char *const properties[] = {
        [VALUE_STDOUT] = ".stdout", [VALUE_PATH] = ".path", [VALUE_EXIT] = ".exit"};
    bool is_of_task = value->type >= VALUE_STDOUT && value->type <= VALUE_EXIT;
    const char *prefix = value->type == VALUE_ENV ? "env." : value->type == VALUE_VAR ? "var." : "";
    text_format(error, "${%s%.*s%s}: %s", prefix, (int)value->length, value->name,
                is_of_task ? properties[value->type] : "", why);
    return false;
}

/* What the task has printed, without the newline at its end. */
static bool add_stdout(const struct value *value, const ajob_task *task, struct text *text,
                       struct text *error) {
    uint64_t printed = ajob_exec_printed(task);
    if (!printed) /* it may not have run at all */
        return true;
    if (printed > EXPAND_MAX + 1)
        return fail(error, value,
                    "it printed more than 128 KiB, which is too long for an argument: read it as "
                    "stdin instead");
    char *buffer = mem_new((size_t)printed + 1);
    if (!buffer)
        return fail(error, value, "out of memory");
    int64_t length = ajob_exec_read(task, 0, buffer, (size_t)printed);
    const char *fault = NULL;
    if (length < 0)
        fault = "what it printed cannot be read";
    else if (memchr(buffer, 0, (size_t)length))
        fault = "it printed a NUL byte, which cannot be in an argument";
    if (!fault) {
        if (length && buffer[length - 1] == '\n')
            length--;
        text_add_n(text, buffer, (size_t)length);
    }
    mem_free(buffer);
    return fault ? fail(error, value, fault) : true;
}

/* The exit status as a shell knows it; nothing if the task has not run. */
static void add_exit(const ajob_task *task, struct text *text) {
    int exit = ajob_task_exit(task), signal = ajob_task_signal(task);
    if (task->is_done && task->status == AJOB_SUCCEEDED)
        text_add(text, "0"); /* it was, in the run that did it */
    else if (exit >= 0 || signal)
        text_format(text, "%d", exit >= 0 ? exit : 128 + signal);
}

static const struct spec_task *task_of(const struct expand_source *source,
                                       const struct spec_task *from, const struct value *value) {
    return spec_find(source->spec, from, value->name, value->length);
}

static bool add_of_task(const struct expand_source *source, const struct spec_task *from,
                        const struct value *value, struct text *text, struct text *error) {
    const struct spec_task *used = task_of(source, from, value);
    const ajob_task *task = used ? source->find(source->data, used) : NULL;
    if (!task)
        return fail(error, value, "there is no such task here");
    if (value->type == VALUE_STDOUT)
        return add_stdout(value, task, text, error);
    if (value->type == VALUE_EXIT) {
        add_exit(task, text);
        return true;
    }
    const char *path = ajob_download_path(task);
    if (!path)
        return fail(error, value, "only a task with \"get\" has a path");
    text_add(text, path);
    return true;
}

static bool add_variable(const struct expand_source *source, const struct value *value,
                         struct text *text, struct text *error) {
    char name[256];
    const char *found = NULL;
    if (value->type == VALUE_VAR) {
        found = spec_var(source->spec, value->name, value->length);
    } else if (value->length < sizeof name) {
        memcpy(name, value->name, value->length);
        name[value->length] = '\0';
        found = getenv(name);
    }
    if (!found)
        return fail(error, value,
                    value->type == VALUE_VAR ? "it is not set: use --set"
                                             : "it is not set in the environment of ajob");
    text_add(text, found);
    return true;
}

/* What is not known yet, so that text is hardly mistaken for it. */
static void add_unknown(const char *string, const struct value *value, const char *end,
                        struct text *text) {
    text_add_char(text, '\1');
    text_add_n(text, string + value->offset, (size_t)(end - string) - value->offset);
    text_add_char(text, '\1');
}

static bool add_value(const struct expand_source *source, const struct spec_task *from,
                      const struct value *value, struct text *text, struct text *error) {
    switch (value->type) {
    case VALUE_LITERAL:
        text_add_n(text, value->name, value->length);
        return true;
    case VALUE_STDOUT:
    case VALUE_PATH:
    case VALUE_EXIT:
        return add_of_task(source, from, value, text, error);
    case VALUE_ITEM:
        text_add(text, source->item);
        return true;
    case VALUE_ENV:
    case VALUE_VAR:
        return add_variable(source, value, text, error);
    case VALUE_END:
    case VALUE_WRONG:
        break;
    }
    return fail(error, value, value->error ? value->error : "not a value");
}

static bool is_of_task(const struct value *value) {
    return value->type == VALUE_STDOUT || value->type == VALUE_PATH || value->type == VALUE_EXIT;
}

bool expand(const struct expand_source *source, const struct spec_task *from, const char *string,
            struct text *text, struct text *error) {
    for (const char *cursor = string;;) {
        struct value value = value_next(string, &cursor);
        if (value.type == VALUE_END)
            break;
        bool is_unknown =
            (is_of_task(&value) && !source->find) || (value.type == VALUE_ITEM && !source->item);
        if (is_unknown)
            add_unknown(string, &value, cursor, text);
        else if (!add_value(source, from, &value, text, error))
            return false;
    }
    if (text_ok(text))
        return true;
    text_add(error,
             text->has_no_memory ? "out of memory" : "with its values it is longer than 128 KiB");
    return false;
}

bool expand_is_late(const char *string) {
    if (!string || !value_has_any(string))
        return false;
    for (const char *cursor = string;;) {
        struct value value = value_next(string, &cursor);
        if (value.type == VALUE_END)
            return false;
        if (is_of_task(&value))
            return true;
    }
}

void expand_uses(const struct ajob_spec *spec, const struct spec_task *from, const char *string,
                 expand_use_fn *use, void *data) {
    if (!string || !value_has_any(string))
        return;
    for (const char *cursor = string;;) {
        struct value value = value_next(string, &cursor);
        if (value.type == VALUE_END)
            return;
        struct spec_task *used =
            value.type == VALUE_STDOUT ? spec_find(spec, from, value.name, value.length) : NULL;
        if (used)
            use(used, data);
    }
}
