/*
 * arguments.c - tasks from arguments, NAME[:NEED,...]=VALUE.
 *
 * They stand at the top of the spec, and have its defaults if it was read before.
 * The first '=' ends the name and the needs, for neither can have one in it. What is
 * wrong is kept with the other mistakes; it is "in" what stands before the '='.
 */
#include "base/mem.h"
#include "net/url.h"
#include "spec/read.h"
#include "spec/value.h"

enum { SHOWN_MOST = 200 }; /* bytes of an argument in messages */

static const char usage[] = "write NAME=VALUE or NAME:NEED,NEED=VALUE";
static const char names_usage[] =
    "letters, digits, '_', '-' and '.' make one; it begins with a letter, digit or '_'";

/* Something wrong in an argument that has not become a task. */
static void fail(struct ajob_spec *spec, const char *argument, const char *hint, const char *format,
                 ...) __attribute__((format(printf, 4, 5)));
static void fail(struct ajob_spec *spec, const char *argument, const char *hint, const char *format,
                 ...) {
    struct mistake mistake = {
        .at = SPEC_NOWHERE, .severity = AJOB_MISTAKE_ERROR, .argument = argument};
    va_list arguments;
    va_start(arguments, format);
    mistakes_add(&spec->reading->mistakes, &mistake, hint, format, arguments);
    va_end(arguments);
}

static bool check_name(struct ajob_spec *spec, const char *argument, const char *name) {
    if (!*name) {
        fail(spec, argument, usage, "the name of a task is missing");
        return false;
    }
    if (!spec_is_name(name)) {
        fail(spec, argument, strlen(name) > SPEC_NAME_MAX ? "it is too long" : names_usage,
             "\"%.60s\" is no name of a task", name);
        return false;
    }
    return true;
}

static bool check_free(struct ajob_spec *spec, const char *argument, const char *name) {
    const struct spec_task *other = spec_find(spec, NULL, name, strlen(name));
    if (!other)
        return true;
    fail(spec, argument, NULL, "task \"%.60s\" is defined twice", name);
    spec_note(spec, other, other->at, "here is the first one");
    return false;
}

/* needs: "a,b"; becomes the names. */
static void want_all(struct ajob_spec *spec, struct spec_task *task, const char *argument,
                     char *needs) {
    for (char *name = needs, *comma; name; name = comma) {
        comma = strchr(name, ',');
        if (comma)
            *comma++ = '\0';
        if (check_name(spec, argument, name))
            reading_want(spec, task, WANT_NEED, name, SPEC_NOWHERE);
    }
}

static void set_url(struct ajob_spec *spec, struct spec_task *task, const char *argument,
                    struct spec_string url) {
    const char *fault = url.text && !value_has_any(url.text) ? url_fault(url.text) : NULL;
    task->kind = SPEC_GET;
    task->get = spec_alloc(spec, sizeof *task->get);
    if (!task->get)
        return;
    task->get->url = url;
    reading_use(spec, task, url);
    if (fault)
        fail(spec, argument, NULL, "the URL of task \"%.60s\": %s", task->name, fault);
}

static void set_script(struct ajob_spec *spec, struct spec_task *task, struct spec_string script) {
    task->kind = SPEC_SH;
    task->command = spec_alloc(spec, sizeof *task->command);
    if (task->command)
        task->command->script = script;
}

/* head: a copy of what is before the '=', to take apart. argument: the same, to show. */
static void add(struct ajob_spec *spec, bool is_get, const char *argument, char *head,
                const char *value) {
    char *needs = strchr(head, ':');
    if (needs)
        *needs++ = '\0';
    if (!check_name(spec, argument, head) || !check_free(spec, argument, head))
        return;
    if (!value[strspn(value, " \t\r\n")]) {
        fail(spec, argument, is_get ? "write NAME=URL" : "write NAME=COMMAND",
             "task \"%.60s\" has an empty value", head);
        return;
    }
    struct spec_task *task = reading_add_task(spec, NULL, head, SPEC_NOWHERE);
    struct argument *origin = spec_alloc(spec, sizeof *origin);
    struct spec_string text = {spec_copy(spec, value, strlen(value)), SPEC_NOWHERE};
    if (!task || !origin)
        return;
    *origin = (struct argument){task, argument, spec->reading->arguments};
    spec->reading->arguments = origin;
    if (is_get)
        set_url(spec, task, argument, text);
    else
        set_script(spec, task, text);
    want_all(spec, task, argument, needs);
    defaults_apply(&(struct scope){.spec = spec, .task = task, .kinds = 1u << task->kind});
}

int ajob_spec_add(ajob_spec *spec, const char *kind, const char *argument) {
    bool is_get = strcmp(kind, "get") == 0;
    const char *equals = strchr(argument, '=');
    size_t length = equals ? (size_t)(equals - argument) : strlen(argument);
    size_t shown_length = length && length < SHOWN_MOST ? length : strnlen(argument, SHOWN_MOST);

    if (!is_get && strcmp(kind, "exec") != 0)
        return spec_fail(spec, AJOB_EINVAL, "%s: no kind of task that an argument makes", kind);
    const char *shown = spec_copy(spec, argument, shown_length);
    char *head = mem_copy_n(argument, length);
    if (!shown || !head)
        spec->reading->has_no_memory = true;
    else if (equals)
        add(spec, is_get, shown, head, equals + 1);
    else
        fail(spec, shown, usage, "a task has no value");
    mem_free(head);
    return spec->reading->has_no_memory ? spec_fail(spec, AJOB_ENOMEM, "out of memory") : 0;
}
