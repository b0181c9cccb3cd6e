/*
 * build_values.c - what a task is made from: its options, with values for ${...},
 * the environment and the directory that it inherits.
 *
 * Everything is made for one call and copied by the one who takes the options. Where
 * a string has nothing to replace, it is the spec's own.
 *
 * A relative `dir` starts from that of the group around it, the outermost from the
 * run's (--dir); relative paths in options start from the task's directory.
 */
#include "base/mem.h"
#include "spec/build.h"
#include "spec/expand.h"
#include "spec/value.h"

void values_begin(struct values *values, const struct scope *scope, const struct spec_task *task) {
    *values = (struct values){.scope = scope, .task = task, .error.max = TEXT_LINE_MAX};
}

void values_done(struct values *values) {
    arena_done(&values->memory);
    text_done(&values->error);
}

static bool is_fine(const struct values *values) {
    return !values->error.length && !values->error.failed;
}

static void *take(struct values *values, size_t size) {
    void *piece = arena_new(&values->memory, size);
    if (!piece)
        text_add(&values->error, "out of memory");
    return piece;
}

/* ---- strings ------------------------------------------------------------------- */

const char *values_text(struct values *values, const struct spec_task *from,
                        const struct spec_string *string) {
    if (!string->text || !value_has_any(string->text))
        return string->text;
    const struct scope *scope = scope_of(values->scope, from);
    struct expand_source source = {
        .spec = scope->builder->spec,
        .find = values->is_rehearsal ? NULL : scope_find,
        .data = scope,
        .item = scope->item,
    };
    struct text text = TEXT_INIT(EXPAND_MAX);
    char *copy = NULL;
    if (expand(&source, from, string->text, &text, &values->error)) {
        copy = arena_copy(&values->memory, text_string(&text), text.length);
        if (!copy)
            text_add(&values->error, "out of memory");
    }
    text_done(&text);
    return copy;
}

static const char *own(struct values *values, const struct spec_string *string) {
    return values_text(values, values->task, string);
}

/* NULL-terminated. */
static const char *const *list(struct values *values, const struct spec_strings *strings) {
    const char **items = take(values, (strings->count + 1) * sizeof *items);
    for (uint32_t i = 0; items && i < strings->count; i++)
        items[i] = own(values, &strings->items[i]);
    return items;
}

static const char *join(struct values *values, const char *first, const char *between,
                        const char *second) {
    if (!first || !second)
        return NULL;
    size_t length = strlen(first), gap = strlen(between), rest = strlen(second);
    char *whole = take(values, length + gap + rest + 1);
    if (whole) {
        memcpy(whole, first, length);
        memcpy(whole + length, between, gap);
        memcpy(whole + length + gap, second, rest);
    }
    return whole;
}

/* ---- what is inherited ------------------------------------------------------------ */

static const char *path_in(struct values *values, const char *dir, const char *path) {
    if (!path || *path == '/' || !dir)
        return path;
    return join(values, dir, dir[strlen(dir) - 1] == '/' ? "" : "/", path);
}

static const char *dir_of(struct values *values, const struct spec_task *task) {
    while (task && !(task->more && task->more->dir.text))
        task = task->parent;
    if (!task)
        return values->scope->builder->options.dir;
    const char *dir = values_text(values, task, &task->more->dir);
    if (dir && !*dir)
        text_add(&values->error, "its directory has an empty name");
    if (!dir || *dir == '/' || !*dir)
        return dir;
    return path_in(values, dir_of(values, task->parent), dir);
}

const char *values_dir(struct values *values) {
    return dir_of(values, values->task);
}

static uint32_t count_env(const struct values *values) {
    uint32_t count = values->scope->builder->spec->env.count;
    for (const struct spec_task *task = values->task; task; task = task->parent)
        count += task->more ? task->more->env.count : 0;
    return count;
}

/* Writes the variables before end, the last one last. Returns where they begin. */
static const char **add_env(struct values *values, const struct spec_task *from,
                            const struct spec_variables *env, const char **end) {
    for (uint32_t i = env->count; i-- > 0;) {
        const struct spec_variable *variable = &env->items[i];
        const char *value = values_text(values, from, &variable->value);
        *--end = variable->value.text ? join(values, variable->name, "=", value) : variable->name;
    }
    return end;
}

const char *const *values_env(struct values *values) {
    uint32_t count = count_env(values);
    const char **all = take(values, (count + 1) * sizeof *all);
    if (!all)
        return NULL;
    const char **begin = all + count;
    for (const struct spec_task *task = values->task; task; task = task->parent)
        if (task->more)
            begin = add_env(values, task, &task->more->env, begin);
    add_env(values, NULL, &values->scope->builder->spec->env, begin);
    return is_fine(values) ? all : NULL;
}

/* ---- the options of each kind -------------------------------------------------------- */

bool values_command(struct values *values, ajob_exec_options *options) {
    const struct spec_command *command = values->task->command;
    *options = (ajob_exec_options){
        .argv = command->argv.count ? list(values, &command->argv) : NULL,
        .script = command->script.text,
        .env = values_env(values),
        .dir = values_dir(values),
        .keeps_stdout = values->task->keeps_stdout,
        .leaves_leftovers = command->leaves_leftovers,
    };
    options->stdin_path = path_in(values, options->dir, own(values, &command->stdin_path));
    if (command->stdin_task)
        options->stdin_task = scope_find(values->scope, command->stdin_task);
    return is_fine(values);
}

bool values_ready(struct values *values, ajob_ready_options *options) {
    const struct spec_command *command = values->task->command;
    bool is_pattern = command->ready == AJOB_READY_LINE; /* a $ in it is its own */
    *options = (ajob_ready_options){
        .probe = command->ready,
        .fd = command->ready_fd,
        .text = is_pattern ? command->ready_text.text : own(values, &command->ready_text),
        .argv = command->ready_argv.count ? list(values, &command->ready_argv) : NULL,
        .interval_ms = command->ready_interval_ms,
    };
    return is_fine(values);
}

/* Those of all downloads, and the task's. */
static const char *const *headers(struct values *values, const struct spec_variables *extra) {
    const char *const *common = values->scope->builder->options.http.headers;
    size_t count = 0;
    if (!extra->count)
        return common;
    while (common && common[count])
        count++;
    const char **all = take(values, (count + extra->count + 1) * sizeof *all);
    if (!all)
        return NULL;
    for (size_t i = 0; i < count; i++)
        all[i] = common[i];
    for (uint32_t i = 0; i < extra->count; i++) {
        const char *value = own(values, &extra->items[i].value);
        if (value && value[strcspn(value, "\r\n")])
            text_format(&values->error, "header %s: its value has more than one line",
                        extra->items[i].name);
        all[count + i] = join(values, extra->items[i].name, ": ", value);
    }
    return all;
}

bool values_get(struct values *values, ajob_download_options *options) {
    const struct spec_get *get = values->task->get;
    const struct spec_more *more = values->task->more;
    *options = (ajob_download_options){
        .url = own(values, &get->url),
        .mirrors = get->mirrors.count ? list(values, &get->mirrors) : NULL,
        .segments = more ? more->segments : 0,
        .fsync = more && more->fsync,
        .dir = values_dir(values),
        .digest = own(values, &get->digest),
        .http = values->scope->builder->options.http,
    };
    options->path = path_in(values, options->dir, own(values, &get->to));
    options->http.headers = headers(values, &get->headers);
    return is_fine(values);
}

/* The API that was asked for is not that of a server which the repository names. */
static bool is_elsewhere(const char *repository) {
    static const char *const ours[] = {"https://github.com/", "https://www.github.com/",
                                       "http://github.com/"};
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        if (!strncasecmp(repository, ours[i], strlen(ours[i])))
            return false;
    return strstr(repository, "://") != NULL;
}

const char *values_item(struct values *values, uint32_t index) {
    return own(values, &values->task->each->items.items[index]);
}

bool values_release(struct values *values, ajob_release_options *options) {
    const struct spec_release *release = values->task->release;
    const struct spec_more *more = values->task->more;
    const ajob_spec_options *common = &values->scope->builder->options;
    *options = (ajob_release_options){
        .repository = own(values, &release->repository),
        .tag = own(values, &release->tag),
        .all = release->all,
        .api_url = common->api_url,
        .dir = values_dir(values),
        .flat = release->flat,
        .include = release->assets.count ? list(values, &release->assets) : NULL,
        .exclude = release->exclude.count ? list(values, &release->exclude) : NULL,
        .policy = more ? more->policy : AJOB_ALL,
        .prerelease = release->prerelease,
        .require_digest = release->require_digest,
        .segments = more ? more->segments : 0,
        .fsync = more && more->fsync,
        .http = common->http,
    };
    if (more && more->has_retry)
        options->retry = more->retry;
    else if (common->has_retry)
        options->retry = common->retry;
    options->no_retry = ((more && more->has_retry) || common->has_retry) && !options->retry.max;
    options->http.token = common->token;
    if (options->repository && is_elsewhere(options->repository))
        options->api_url = NULL;
    return is_fine(values);
}

/* ---- looking at the strings ------------------------------------------------------------ */

static void visit_list(const char *label, const struct spec_strings *strings,
                       values_visit_fn *visit, void *data) {
    for (uint32_t i = 0; i < strings->count; i++)
        visit(label, NULL, &strings->items[i], data);
}

static void visit_variables(const char *label, const struct spec_variables *variables,
                            values_visit_fn *visit, void *data) {
    for (uint32_t i = 0; i < variables->count; i++)
        visit(label, variables->items[i].name, &variables->items[i].value, data);
}

static void visit_command(const struct spec_command *command, values_visit_fn *visit, void *data) {
    visit_list("argv", &command->argv, visit, data);
    visit("stdin", NULL, &command->stdin_path, data);
    if (command->ready != AJOB_READY_LINE)
        visit("ready", NULL, &command->ready_text, data);
    visit_list("ready", &command->ready_argv, visit, data);
}

static void visit_release(const struct spec_release *release, values_visit_fn *visit, void *data) {
    visit("repository", NULL, &release->repository, data);
    visit("tag", NULL, &release->tag, data);
    visit_list("assets", &release->assets, visit, data);
    visit_list("exclude", &release->exclude, visit, data);
}

void values_visit(const struct spec_task *task, values_visit_fn *visit, void *data) {
    switch ((enum spec_kind)task->kind) {
    case SPEC_EXEC:
    case SPEC_SH:
    case SPEC_SERVICE:
        visit_command(task->command, visit, data);
        break;
    case SPEC_GET:
        visit("url", NULL, &task->get->url, data);
        visit_list("mirror", &task->get->mirrors, visit, data);
        visit("to", NULL, &task->get->to, data);
        visit("digest", NULL, &task->get->digest, data);
        visit_variables("header", &task->get->headers, visit, data);
        break;
    case SPEC_RELEASE:
        visit_release(task->release, visit, data);
        break;
    case SPEC_EACH:
        visit_list("items", &task->each->items, visit, data);
        break;
    case SPEC_JOIN:
    case SPEC_SLEEP:
    case SPEC_GROUP:
        break;
    }
    if (!task->more)
        return;
    visit("dir", NULL, &task->more->dir, data);
    visit_variables("env", &task->more->env, visit, data);
}

static void look_for_late(const char *label, const char *name, const struct spec_string *string,
                          void *data) {
    (void)label, (void)name;
    *(bool *)data |= expand_is_late(string->text);
}

static bool env_is_late(const struct spec_variables *env) {
    for (uint32_t i = 0; i < env->count; i++)
        if (expand_is_late(env->items[i].value.text))
            return true;
    return false;
}

bool values_are_late(const struct spec_task *task) {
    bool is_late = false;
    values_visit(task, look_for_late, &is_late);
    for (const struct spec_task *up = task->parent; up && !is_late; up = up->parent)
        is_late = up->more && (expand_is_late(up->more->dir.text) || env_is_late(&up->more->env));
    return is_late;
}
