/*
 * build.c - from a spec to tasks: the tree and its edges. See build.h.
 *
 * The tasks of the top are made at once; an each has one task per item instead of
 * what is in its `do`, made while it runs, by the same code.
 */
#include "spec/build.h"

#include "base/mem.h"
#include "spec/expand.h"
#include "spec/journal.h"

/* ---- the tasks of the spec ------------------------------------------------------ */

uint32_t build_count(const struct builder *builder, const struct spec_task *task) {
    uint32_t first = task->number;
    while (task && !task->next)
        task = task->parent;
    return (task ? task->next->number : builder->spec->task_count) - first;
}

bool scope_has(const struct scope *scope, const struct spec_task *task) {
    return task->number - scope->first < scope->count;
}

/* The next task that becomes one in this scope: not what is not selected, nor what is
 * in the `do` of an each. */
static struct spec_task *next_made(const struct scope *scope, struct spec_task *task,
                                   bool is_entered) {
    if (is_entered && task->kind == SPEC_GROUP && task->first)
        return task->first;
    while (task != scope->from && !task->next) {
        task = task->parent;
        if (!task)
            return NULL;
    }
    return task == scope->from ? NULL : task->next;
}

static bool is_wanted(const struct scope *scope, const struct spec_task *task) {
    return scope->from || !scope->builder->spec->has_selection || task->is_selected;
}

static bool is_retried(const struct spec_task *task) {
    return task->more && task->more->has_retry && task->more->retry.max;
}

static bool takes_pool(const struct spec_task *task, const struct spec_pool *pool) {
    bool is_taken = false;
    for (uint32_t i = 0; task->more && i < task->more->pool_count; i++)
        is_taken |= task->more->pools[i].pool == pool;
    return is_taken;
}

/* An item would wait for slots that the command holds, and the command until there is
 * room for the next one. */
static bool shares_pool(const struct builder *builder, const struct spec_task *lines,
                        const struct spec_task *each) {
    uint32_t pool_count = lines->more ? lines->more->pool_count : 0;
    uint32_t count = pool_count ? build_count(builder, each) : 0;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t j = 0; j < pool_count; j++)
            if (takes_pool(builder->tasks[each->number + i], lines->more->pools[j].pool))
                return true;
    return false;
}

/* Its lines are read while it runs and then let go: not if somebody else reads them,
 * too, nor if it holds what the items need, nor if another attempt, of the command or of a group
 * that it is not in, would begin with the first again. */
static bool is_streamed_to(const struct builder *builder, const struct spec_task *each) {
    const struct spec_task *lines = each->each->lines, *group = each->parent;
    if (!lines || builder->stdout_uses[lines->number] != 1 || is_retried(lines) ||
        is_retried(each) || shares_pool(builder, lines, each))
        return false;
    for (; group != lines->parent; group = group->parent)
        if (group->kind == SPEC_EACH || is_retried(group)) /* or of another scope: it has ended */
            return false;
    return true;
}

/* ---- scopes ----------------------------------------------------------------------- */

ajob_task *scope_find(const void *data, const struct spec_task *task) {
    for (const struct scope *scope = data; scope; scope = scope->parent)
        if (scope_has(scope, task))
            return scope->tasks[task->number - scope->first];
    return NULL;
}

const struct scope *scope_of(const struct scope *scope, const struct spec_task *task) {
    while (scope->parent && !(task && scope_has(scope, task)))
        scope = scope->parent;
    return scope;
}

static struct scope *scope_new(struct builder *builder, struct scope *parent,
                               const struct spec_task *from) {
    uint32_t count = from ? build_count(builder, from) : builder->spec->task_count;
    struct scope *scope = mem_new(sizeof *scope + count * sizeof(ajob_task *));
    if (!scope) {
        loop_fail_memory(builder->loop);
        return NULL;
    }
    scope->builder = builder;
    scope->parent = parent;
    scope->from = from;
    scope->first = from ? from->number : 0;
    scope->count = count;
    return scope;
}

void scope_free(struct scope *scope) {
    if (!scope)
        return;
    while (scope->lates) {
        struct late *late = scope->lates;
        scope->lates = late->next;
        mem_free(late);
    }
    mem_free(scope->item);
    mem_free(scope->resumed);
    mem_free(scope);
}

/* ---- the tree ---------------------------------------------------------------------- */

/* Makes one task and puts it where it belongs; group is the top's. */
static int add_task(struct scope *scope, struct spec_task *spec, ajob_task *group) {
    ajob_task *task = build_task(scope, spec);
    if (!task)
        return AJOB_EINVAL;
    scope->tasks[spec->number - scope->first] = task;
    int error = resume_task(scope, spec, task);
    bool is_in_group = spec->parent && scope_has(scope, spec->parent);
    if (is_in_group)
        group = scope->tasks[spec->parent->number - scope->first];
    if (!error && group)
        error = ajob_group_add(group, task);
    if (error && group)
        task_forget(task);
    return error;
}

static int add_tasks(struct scope *scope, struct spec_task *first, ajob_task *group) {
    bool is_made = true;
    for (struct spec_task *task = first; task; task = next_made(scope, task, is_made)) {
        is_made = is_wanted(scope, task);
        int error = is_made ? add_task(scope, task, group) : 0;
        if (error)
            return error;
    }
    return 0;
}

/* What is needed from inside the `do` of an each, the each needs (resolve.c): so both
 * ends of an edge are in one scope. */
static int add_need(struct scope *scope, const struct spec_task *spec,
                    const struct spec_need *need) {
    ajob_task *task = scope->tasks[spec->number - scope->first];
    ajob_task *needed =
        scope_has(scope, need->task) ? scope->tasks[need->task->number - scope->first] : NULL;
    if (!task || !needed)
        return 0; /* they are in an each in this scope, or not selected */
    bool is_streamed = need->is_start && scope->builder->is_streamed[need->task->number];
    return is_streamed ? ajob_need_start(task, needed) : ajob_need(task, needed);
}

static int add_needs(struct scope *scope) {
    for (uint32_t i = 0; i < scope->count; i++) {
        const struct spec_task *task = scope->builder->tasks[scope->first + i];
        for (uint32_t n = 0; n < task->need_count; n++) {
            int error = add_need(scope, task, &task->needs[n]);
            if (error)
                return error;
        }
    }
    return 0;
}

struct scope *scope_build(struct scope *parent, const struct spec_task *from, const char *item) {
    struct builder *builder = parent->builder;
    struct scope *scope = scope_new(builder, parent, from);
    if (!scope)
        return NULL;
    scope->item = mem_copy(item);
    int error = scope->item ? resume_scope(scope) : loop_fail_memory(builder->loop);
    if (!error)
        error = add_tasks(scope, builder->tasks[from->number], NULL);
    if (!error && scope->count > 1)
        error = add_needs(scope);
    if (!error)
        return scope;
    if (scope->tasks[0])
        task_forget(scope->tasks[0]);
    scope_free(scope);
    return NULL;
}

/* ---- the builder --------------------------------------------------------------------- */

int build_fail(const struct builder *builder, const struct spec_task *task, const char *error) {
    struct text line = TEXT_INIT(2 * TEXT_LINE_MAX);
    text_add(&line, "task ");
    spec_path(task, &line);
    text_format(&line, ": %s", error);
    loop_fail(builder->loop, AJOB_EINVAL, "%s", text_string(&line));
    text_done(&line);
    return AJOB_EINVAL;
}

static void free_builder(struct loop_module *module) {
    struct builder *builder = (struct builder *)module;
    scope_free(builder->top);
    mem_free(builder->pools);
    mem_free(builder->tasks);
    mem_free(builder->stdout_uses);
    mem_free(builder->is_streamed);
    mem_free(builder->keys);
    mem_free(builder->order);
    text_done(&builder->cause);
    mem_free(builder);
}

static void count_use(struct spec_task *used, void *data) {
    struct builder *builder = data;
    uint8_t *count = &builder->stdout_uses[used->number];
    if (*count < 2)
        ++*count;
}

struct visit {
    struct builder *builder;
    const struct spec_task *task;
};

static void count_uses(const char *label, const char *name, const struct spec_string *string,
                       void *data) {
    const struct visit *visit = data;
    (void)label, (void)name;
    expand_uses(visit->builder->spec, visit->task, string->text, count_use, visit->builder);
}

/* Lists the tasks and counts who uses what they print. */
static int look_at_tasks(struct builder *builder) {
    struct ajob_spec *spec = builder->spec;
    uint32_t count = spec->task_count;
    builder->tasks = mem_new((count + 1) * sizeof *builder->tasks);
    builder->stdout_uses = mem_new(count + 1);
    builder->is_streamed = mem_new(count + 1);
    if (!builder->tasks || !builder->stdout_uses || !builder->is_streamed)
        return loop_fail_memory(builder->loop);
    for (struct spec_task *task = spec->first; task; task = spec_next(task)) {
        builder->tasks[task->number] = task;
        values_visit(task, count_uses, &(struct visit){builder, task});
        if (spec_is_command(task) && task->command->stdin_task)
            count_use(task->command->stdin_task, builder);
        if (task->kind == SPEC_EACH && task->each->lines)
            count_use(task->each->lines, builder);
    }
    for (struct spec_task *task = spec->first; task; task = spec_next(task))
        if (task->kind == SPEC_EACH && is_streamed_to(builder, task))
            builder->is_streamed[task->each->lines->number] = true;
    return 0;
}

static int make_pools(struct builder *builder) {
    const struct ajob_spec *spec = builder->spec;
    builder->pools = mem_new((spec->pool_count + 1) * sizeof *builder->pools);
    if (!builder->pools)
        return loop_fail_memory(builder->loop);
    for (uint32_t i = 0; i < spec->pool_count; i++) {
        builder->pools[i] =
            ajob_pool_new(builder->loop, spec->pools[i]->name, spec->pools[i]->size);
        if (!builder->pools[i])
            return AJOB_ENOMEM;
    }
    return 0;
}

static bool copy_text(struct ajob_spec *spec, const char **text) {
    if (*text)
        *text = spec_copy(spec, *text, strlen(*text));
    return *text != NULL;
}

/* Tasks are made from them while the run is under way, too. */
static int copy_options(struct builder *builder, const ajob_spec_options *options) {
    struct ajob_spec *spec = builder->spec;
    ajob_spec_options *copy = &builder->options;
    size_t count = 0;
    if (options)
        *copy = *options;
    const char *const *headers = copy->http.headers;
    while (headers && headers[count])
        count++;
    const char **copies = spec_alloc(spec, (count + 1) * sizeof *copies);
    bool is_ok = copies != NULL;
    for (size_t i = 0; is_ok && i < count; i++) {
        copies[i] = headers[i];
        is_ok = copy_text(spec, &copies[i]);
    }
    copy->http.headers = copies;
    const char **texts[] = {&copy->http.token, &copy->http.cacert, &copy->dir, &copy->api_url,
                            &copy->token};
    for (size_t i = 0; is_ok && i < sizeof texts / sizeof texts[0]; i++)
        is_ok = !*texts[i] || copy_text(spec, texts[i]);
    return is_ok ? 0 : loop_fail_memory(builder->loop);
}

static struct builder *builder_new(ajob_spec *spec, ajob_loop *loop) {
    struct builder *builder = mem_new(sizeof *builder);
    if (!builder) {
        loop_fail_memory(loop);
        return NULL;
    }
    builder->module.key = builder;
    builder->module.free = free_builder;
    loop_add_module(loop, &builder->module);
    builder->loop = loop;
    builder->spec = spec;
    builder->cause.max = TEXT_LINE_MAX;
    return builder;
}

ajob_task *ajob_spec_build(ajob_spec *spec, ajob_loop *loop, const ajob_spec_options *options) {
    if (ajob_spec_check(spec, NULL, NULL)) {
        loop_fail(loop, AJOB_EINVAL, "the spec has mistakes");
        return NULL;
    }
    struct builder *builder = builder_new(spec, loop);
    if (!builder || copy_options(builder, options) || look_at_tasks(builder) ||
        make_pools(builder) || !(builder->top = scope_new(builder, NULL, NULL)))
        return NULL;
    journal_rewind(spec->journal);
    if (builder->options.has_keys && (keys_make(builder) || resume_scope(builder->top)))
        return NULL;
    enum ajob_policy policy = builder->options.keep_going ? AJOB_SETTLED : spec->policy;
    ajob_task *root = ajob_group(loop, &(ajob_group_options){.policy = policy});
    if (!root || add_tasks(builder->top, spec->first, root) || add_needs(builder->top))
        return NULL;
    return root;
}
