/*
 * build_resume.c - what an earlier run has done, by the keys of tasks.
 *
 * What has succeeded runs again if something that will run uses what it prints, for
 * that was not kept. So those that use come before what they use. Seen from around
 * an each, what is in its `do` runs; for an item itself it is found out when its tasks
 * are made.
 */
#include "base/mem.h"
#include "core/loop.h"
#include "spec/build.h"
#include "spec/expand.h"
#include "spec/journal.h"

static bool is_resumable(const struct spec_task *task) {
    bool is_finalizer = spec_is_finalizer(task);
    switch ((enum spec_kind)task->kind) {
    case SPEC_EXEC:
    case SPEC_SH:
    case SPEC_SLEEP:
        return !is_finalizer;
    case SPEC_EACH: /* the items of another are known without running anything */
        return !is_finalizer && task->each->lines;
    case SPEC_GET: /* they find out by themselves what is up to date */
    case SPEC_RELEASE:
    case SPEC_SERVICE:
    case SPEC_GROUP:
    case SPEC_JOIN:
        break;
    }
    return false;
}

/* The key of a task in this scope. */
static int key_of(const struct scope *scope, const struct spec_task *task, char key[KEY_SIZE]) {
    const struct builder *builder = scope->builder;
    if (scope->item)
        return keys_combine(builder, builder->keys[task->number], scope->items_key, key);
    memcpy(key, builder->keys[task->number], KEY_SIZE);
    return 0;
}

/* ---- who is used by what will run ------------------------------------------------- */

static struct resumed *resumed_of(const struct scope *scope, const struct spec_task *task) {
    return &scope->resumed[task->number - scope->first];
}

static void use_again(struct spec_task *used, void *data) {
    const struct scope *scope = data;
    if (scope_has(scope, used))
        resumed_of(scope, used)->is_used_again = true;
}

struct user {
    struct scope *scope;
    const struct spec_task *task;
};

static void visit_use(const char *label, const char *name, const struct spec_string *string,
                      void *data) {
    const struct user *user = data;
    (void)label, (void)name;
    expand_uses(user->scope->builder->spec, user->task, string->text, use_again, user->scope);
}

/* The task will run: so must those whose output it, or what is around it, uses. */
static void mark_used(struct scope *scope, const struct spec_task *task) {
    for (const struct spec_task *up = task; up && scope_has(scope, up); up = up->parent)
        values_visit(up, visit_use, &(struct user){scope, up});
    if (spec_is_command(task) && task->command->stdin_task)
        use_again(task->command->stdin_task, scope);
    if (task->kind == SPEC_EACH && task->each->lines)
        use_again(task->each->lines, scope);
}

/* The outermost each of this scope that the task is in, or NULL. */
static const struct spec_task *each_around(const struct scope *scope,
                                           const struct spec_task *task) {
    const struct spec_task *each = NULL;
    for (task = task->parent; task && scope_has(scope, task); task = task->parent)
        if (task->kind == SPEC_EACH)
            each = task;
    return each;
}

/* ---- what is done --------------------------------------------------------------------- */

static int judge(struct scope *scope, struct spec_task *task) {
    struct resumed *resumed = resumed_of(scope, task);
    const struct spec_task *each = each_around(scope, task);
    const struct ajob_spec *spec = scope->builder->spec;
    char key[KEY_SIZE];
    if (!scope->item && spec->has_selection && !(each ? each : task)->is_selected)
        return 0;
    if (!each && is_resumable(task) && !resumed->is_used_again) {
        int error = key_of(scope, task, key);
        if (error)
            return error;
        resumed->is_done = journal_take(spec->journal, key);
    }
    bool is_done = each ? resumed_of(scope, each)->is_done : resumed->is_done;
    if (!is_done && task->kind != SPEC_GROUP)
        mark_used(scope, task);
    return 0;
}

/* The scope's tasks stand together in the order, up to its own; those that they need
 * outside of it may be between. */
static int judge_all(struct scope *scope) {
    const struct builder *builder = scope->builder;
    uint32_t at = scope->from ? scope->from->place + 1 : builder->spec->task_count;
    uint32_t left = scope->count;
    int error = 0;
    while (at && left && !error) {
        struct spec_task *task = builder->order[--at];
        if (!scope_has(scope, task))
            continue;
        error = judge(scope, task);
        left--;
    }
    return error;
}

int resume_scope(struct scope *scope) {
    struct builder *builder = scope->builder;
    if (!builder->keys)
        return 0;
    int error = scope->item
                    ? keys_combine(builder, scope->parent->items_key, scope->item, scope->items_key)
                    : 0;
    if (error || !builder->spec->journal)
        return error;
    scope->resumed = mem_new((scope->count + 1) * sizeof *scope->resumed);
    return scope->resumed ? judge_all(scope) : loop_fail_memory(builder->loop);
}

int resume_task(const struct scope *scope, const struct spec_task *spec, ajob_task *task) {
    char key[KEY_SIZE];
    if (!scope->builder->keys || !is_resumable(spec))
        return 0;
    int error = key_of(scope, spec, key);
    if (!error)
        error = ajob_set_key(task, key);
    if (!error && scope->resumed && resumed_of(scope, spec)->is_done)
        error = ajob_set_done(task);
    return error;
}
