/*
 * sense.c - what can be said of a spec only when all of it is known: shields
 * without timeout, what never starts, downloads into one file.
 */
#include "base/mem.h"
#include "net/github.h"
#include "net/name.h"
#include "spec/reading.h"
#include "spec/value.h"

__attribute__((format(printf, 4, 5))) static void tell(struct ajob_spec *spec,
                                                       const struct spec_task *task,
                                                       bool is_warning, const char *format, ...) {
    struct text path = TEXT_INIT(SPEC_PATH_MAX);
    char what[TEXT_LINE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    spec_path(task, &path);
    if (is_warning)
        spec_warning(spec, task, task->at, NULL, "task \"%.150s\" %s", text_string(&path), what);
    else
        spec_error(spec, task, task->at, NULL, "task \"%.150s\" %s", text_string(&path), what);
    text_done(&path);
}

/* ---- one task ------------------------------------------------------------- */

/* A finalizer for failures has something that can fail. */
static bool can_fail(const struct ajob_spec *spec, const struct spec_task *finalizer) {
    const struct spec_task *other = finalizer->parent ? finalizer->parent->first : spec->first;
    if (finalizer->need_count)
        return true;
    for (; other; other = other->next)
        if (!spec_is_finalizer(other))
            return true;
    return false;
}

static void check_options(struct ajob_spec *spec, const struct spec_task *task,
                          const struct spec_more *more) {
    if (more->is_shielded && !more->has_timeout && !spec_is_finalizer(task)) /* that has 30 s */
        tell(spec, task, false,
             "is shielded and has no \"timeout\": nothing could stop it, so give it one");
    if (more->has_timeout && more->timeout_ms == 0)
        tell(spec, task, true, "has a timeout of 0 and is never started");
    if (more->when == AJOB_WHEN_FAILURE && !can_fail(spec, task))
        tell(spec, task, true, "is for failures, but nothing is there that could fail");
}

/* Its items are gone once they were taken. */
static void check_lines(struct ajob_spec *spec, const struct spec_task *each) {
    if (each->each->lines && each->more && each->more->retry.max > 0)
        tell(spec, each, false,
             "cannot be tried again (\"retry\"): the lines that are its items come once");
}

static bool is_in_each(const struct spec_task *task) {
    while (task && task->kind != SPEC_EACH)
        task = task->parent;
    return task != NULL;
}

/* Nothing is replaced in a script. ${item} is a variable of the shell's, too, but not
 * one that anybody has set. */
static void check_script(struct ajob_spec *spec, const struct spec_task *task) {
    const struct spec_string *script = &task->command->script;
    const char *cursor = script->text;
    struct value value = {.type = VALUE_LITERAL};
    while (cursor && value.type != VALUE_END) {
        value = value_next(script->text, &cursor);
        bool is_meant = value.type == VALUE_STDOUT || value.type == VALUE_PATH ||
                        value.type == VALUE_EXIT || value.type == VALUE_VAR ||
                        (value.type == VALUE_ITEM && is_in_each(task));
        if (!is_meant)
            continue;
        char name[64];
        size_t length = strcspn(script->text + value.offset, "}") + 1;
        snprintf(name, sizeof name, "%.*s", (int)length, script->text + value.offset);
        spec_warning(spec, task, script->at,
                     "hand it over: \"env\": {\"VALUE\": \"...\"}, and \"$VALUE\" in the script",
                     "nothing is replaced in a script, so %s is for the shell", name);
        return;
    }
}

static void check_release(struct ajob_spec *spec, const struct spec_task *task) {
    const struct spec_release *release = task->release;
    struct text error = TEXT_INIT(2 * TEXT_LINE_MAX);
    struct github_repo repository;
    if (release->all && release->tag.text)
        tell(spec, task, false, "has both \"tag\" and \"all\": one release or every one");
    if (release->prerelease && (release->all || release->tag.text))
        tell(spec, task, false, "has both \"prerelease\" and \"%s\": it chooses the newest release",
             release->tag.text ? "tag" : "all");
    if (!release->repository.text || value_has_any(release->repository.text))
        return;
    if (github_parse_repo(release->repository.text, NULL, &repository, &error))
        github_repo_done(&repository);
    else
        spec_error(spec, task, release->repository.at, NULL, "%s", text_string(&error));
    text_done(&error);
}

static void check_task(struct ajob_spec *spec, const struct spec_task *task) {
    if (task->more)
        check_options(spec, task, task->more);
    if (task->kind == SPEC_EACH && task->each)
        check_lines(spec, task);
    if (spec_is_command(task) && task->command && task->command->script.text)
        check_script(spec, task);
    if (task->kind == SPEC_RELEASE && task->release)
        check_release(spec, task);
}

/* ---- files ---------------------------------------------------------------- */

struct file {
    char *path;
    const struct spec_task *task;
};

static bool is_constant(const struct spec_string *string) {
    return string->text && !value_has_any(string->text);
}

/* The directory that a task works in, or NULL: the run's. False if it is not known yet. */
static bool dir_of(const struct spec_task *task, const char **ret_dir) {
    *ret_dir = NULL;
    for (; task; task = task->parent) {
        const struct spec_string *dir = task->more ? &task->more->dir : NULL;
        if (!dir || !dir->text)
            continue;
        *ret_dir = dir->text;
        return is_constant(dir);
    }
    return true;
}

/* The file that a get writes, on the heap; NULL if that is not known yet. */
static char *path_of(const struct spec_task *task) {
    const struct spec_get *get = task->get;
    const char *dir;
    char *from_url = NULL, *path = NULL;
    if (!dir_of(task, &dir))
        return NULL;
    if (!get->to.text && is_constant(&get->url))
        from_url = name_from_url(get->url.text);
    const char *name = is_constant(&get->to) ? get->to.text : from_url;
    if (name && *name != '/' && dir)
        path = text_make("%s/%s", dir, name);
    else if (name)
        path = mem_copy(strncmp(name, "./", 2) == 0 ? name + 2 : name);
    mem_free(from_url);
    return path;
}

static int by_path(const void *a, const void *b) {
    const struct file *left = a, *right = b;
    int order = strcmp(left->path, right->path);
    return order                                      ? order
           : left->task->number < right->task->number ? -1
                                                      : left->task->number > right->task->number;
}

/* Mirrors: only one of them comes to its end. */
static bool is_one_of_many(const struct ajob_spec *spec, const struct spec_task *a,
                           const struct spec_task *b) {
    const struct spec_task *group = a->parent;
    enum ajob_policy policy = !group ? spec->policy : group->more ? group->more->policy : AJOB_ALL;
    return group == b->parent && (policy == AJOB_ANY || policy == AJOB_RACE);
}

static void compare_files(struct ajob_spec *spec, struct file *files, uint32_t count) {
    if (count)
        qsort(files, count, sizeof *files, by_path);
    for (uint32_t i = 0; i < count; i++) {
        const struct spec_task *task = files[i].task;
        if (is_in_each(task))
            tell(spec, task, true, "writes to %.200s for every item", files[i].path);
        if (i == 0 || strcmp(files[i - 1].path, files[i].path) != 0 ||
            is_one_of_many(spec, task, files[i - 1].task))
            continue;
        tell(spec, task, true, "writes to %.200s, and so does another one", files[i].path);
        spec_note(spec, files[i - 1].task, files[i - 1].task->at, "here is the other one");
    }
}

static void check_files(struct ajob_spec *spec) {
    uint32_t most = 0, count = 0;
    for (const struct spec_task *task = spec->first; task; task = spec_next(task))
        most += task->kind == SPEC_GET && task->get;
    struct file *files = most ? mem_new(most * sizeof *files) : NULL;
    spec->reading->has_no_memory |= most && !files;
    for (const struct spec_task *task = spec->first; task && files; task = spec_next(task))
        if (task->kind == SPEC_GET && task->get && (files[count].path = path_of(task)))
            files[count++].task = task;
    compare_files(spec, files, count);
    while (count)
        mem_free(files[--count].path);
    mem_free(files);
}

void spec_check_sense(struct ajob_spec *spec) {
    for (const struct spec_task *task = spec->first; task; task = spec_next(task))
        check_task(spec, task);
    check_files(spec);
}
