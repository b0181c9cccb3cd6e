/*
 * build_keys.c - keys: a digest of what defines a task.
 *
 * In a key are the task's options with their values (those of other tasks and ${item}
 * as they are written), the environment that the spec gives it, its directory, and
 * the keys of all that it and the groups around it need; in a group's also the keys of
 * what is in it. Not in it: names, places in the text, and what says when or how often
 * something runs. The key of a task in the `do` of an each is completed by the item.
 */
#include "base/mem.h"
#include "core/loop.h"
#include "net/digest.h"
#include "net/lazy.h"
#include "spec/build.h"

struct keys {
    struct builder *builder;
    struct digest digest;
    struct values values;       /* of the task whose key is being made */
    char (*contexts)[KEY_SIZE]; /* by number, of groups: what their tasks wait for */
    uint32_t count;             /* of those that have one */
    struct frame {
        struct spec_task *task, *child; /* the next one in it to be looked at */
        uint32_t need;                  /* so many were looked at */
        bool is_entered;
    } * frames;
};

/* ---- digests ----------------------------------------------------------------------- */

/* Its length comes first, so that no two lists of fields look alike. */
static void add_field(struct keys *keys, const char *text) {
    char length[24];
    snprintf(length, sizeof length, "%zu:", text ? strlen(text) : 0);
    digest_add(&keys->digest, text ? length : "-", text ? strlen(length) : 1);
    if (text)
        digest_add(&keys->digest, text, strlen(text));
}

static bool begin_key(struct keys *keys, const char *kind) {
    if (!digest_begin(&keys->digest, digest_sha256()))
        return false;
    add_field(keys, kind);
    return true;
}

static bool end_key(struct keys *keys, char key[KEY_SIZE]) {
    char hex[DIGEST_HEX_MAX];
    digest_end(&keys->digest, NULL, hex);
    memcpy(key, hex, KEY_SIZE);
    key[KEY_SIZE - 1] = '\0';
    return *key != '\0';
}

/* ---- what is in a key ----------------------------------------------------------------- */

static void add_string(const char *label, const char *name, const struct spec_string *string,
                       void *data) {
    struct keys *keys = data;
    bool is_inherited = !strcmp(label, "env") || !strcmp(label, "dir");
    bool is_another_way = !strcmp(label, "mirror"); /* to the same file */
    if (is_inherited || is_another_way || !string->text)
        return;
    const char *text = values_text(&keys->values, keys->values.task, string);
    add_field(keys, label);
    add_field(keys, name);
    add_field(keys, text ? text : string->text);
}

static void add_inherited(struct keys *keys) {
    const char *const *env = values_env(&keys->values);
    add_field(keys, values_dir(&keys->values));
    for (; env && *env; env++)
        add_field(keys, *env);
}

static void add_number(struct keys *keys, uint64_t number) {
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    add_field(keys, text);
}

static void add_kind(struct keys *keys, const struct spec_task *task) {
    switch ((enum spec_kind)task->kind) {
    case SPEC_EXEC:
    case SPEC_SH:
    case SPEC_SERVICE:
        add_field(keys, task->command->script.text);
        add_field(keys, task->command->stdin_task ? "stdin of a task" : NULL);
        add_inherited(keys);
        break;
    case SPEC_GET:
        add_inherited(keys);
        break;
    case SPEC_RELEASE:
        add_inherited(keys);
        add_number(keys, (task->release->all ? 1u : 0u) + (task->release->flat ? 2u : 0u) +
                             (task->release->prerelease ? 4u : 0u) +
                             (task->release->require_digest ? 8u : 0u));
        break;
    case SPEC_SLEEP:
        add_number(keys, task->sleep_ms);
        break;
    case SPEC_GROUP:
        add_number(keys, task->more ? (unsigned)task->more->policy : 0);
        break;
    case SPEC_EACH:
        add_number(keys, task->more ? (unsigned)task->more->policy : 0);
        add_number(keys, task->each->is_range);
        add_number(keys, (uint64_t)task->each->from);
        add_number(keys, (uint64_t)task->each->to);
        add_number(keys, (uint64_t)task->each->step);
        break;
    case SPEC_JOIN:
        break;
    }
}

static int compare(const void *a, const void *b) {
    return memcmp(*(const char *const *)a, *(const char *const *)b, KEY_SIZE);
}

/* The keys of what it needs, in whatever order it names them. */
static bool add_needs(struct keys *keys, const struct spec_task *task) {
    if (!task->need_count)
        return true;
    const char **sorted = mem_new(task->need_count * sizeof *sorted);
    if (!sorted)
        return false;
    for (uint32_t i = 0; i < task->need_count; i++)
        sorted[i] = keys->builder->keys[task->needs[i].task->number];
    qsort(sorted, task->need_count, sizeof *sorted, compare);
    for (uint32_t i = 0; i < task->need_count; i++)
        add_field(keys, sorted[i]);
    mem_free(sorted);
    return true;
}

static const char *context_of(const struct keys *keys, const struct spec_task *task) {
    return task->parent ? keys->contexts[task->parent->number] : NULL;
}

static bool make_context(struct keys *keys, const struct spec_task *group) {
    if (!begin_key(keys, "context"))
        return false;
    add_field(keys, context_of(keys, group));
    bool is_ok = add_needs(keys, group);
    return end_key(keys, keys->contexts[group->number]) && is_ok;
}

static bool make_key(struct keys *keys, const struct spec_task *task) {
    if (!begin_key(keys, spec_kind_name((enum spec_kind)task->kind)))
        return false;
    values_begin(&keys->values, keys->builder->top, task);
    keys->values.is_rehearsal = true;
    add_field(keys, context_of(keys, task));
    bool is_ok = add_needs(keys, task);
    add_kind(keys, task);
    values_visit(task, add_string, keys);
    for (const struct spec_task *child = task->first; child; child = child->next)
        add_field(keys, keys->builder->keys[child->number]);
    values_done(&keys->values);
    return end_key(keys, keys->builder->keys[task->number]) && is_ok;
}

/* ---- the order ---------------------------------------------------------------------------- */

static bool has_key(const struct keys *keys, const struct spec_task *task) {
    return keys->builder->keys[task->number][0] != '\0';
}

/* Depth first, on a stack of our own: a chain of needs may be long. A task is entered
 * once the groups around it are. */
static bool make_from(struct keys *keys, struct spec_task *first) {
    uint32_t depth = 0;
    keys->frames[depth++] = (struct frame){first, first->first, 0, false};
    while (depth) {
        struct frame *frame = &keys->frames[depth - 1];
        struct spec_task *task = frame->task, *next = NULL;
        if (frame->need < task->need_count) {
            next = task->needs[frame->need++].task;
        } else if (frame->child) {
            if (!frame->is_entered && !make_context(keys, task))
                return false;
            frame->is_entered = true;
            next = frame->child;
            frame->child = next->next;
        } else {
            if (!make_key(keys, task))
                return false;
            task->place = keys->count;
            keys->builder->order[keys->count++] = task;
            depth--;
        }
        if (next && !has_key(keys, next) && depth < keys->builder->spec->task_count)
            keys->frames[depth++] = (struct frame){next, next->first, 0, false};
    }
    return true;
}

/* ---- for the others -------------------------------------------------------------------------- */

static int make_all(struct keys *keys) {
    struct builder *builder = keys->builder;
    uint32_t count = builder->spec->task_count;
    builder->keys = mem_new((count + 1) * sizeof *builder->keys);
    keys->contexts = mem_new((count + 1) * sizeof *keys->contexts);
    builder->order = mem_new((count + 1) * sizeof *builder->order);
    keys->frames = mem_new((count + 1) * sizeof *keys->frames);
    bool is_ok = builder->keys && builder->order && keys->contexts && keys->frames;
    for (struct spec_task *task = builder->spec->first; is_ok && task; task = task->next)
        if (!has_key(keys, task))
            is_ok = make_from(keys, task);
    return is_ok ? 0 : loop_fail_memory(builder->loop);
}

int keys_make(struct builder *builder) {
    struct keys keys = {.builder = builder};
    const char *fault = lazy_crypto_fault();
    if (fault)
        return loop_fail(builder->loop, AJOB_ESYSTEM, "keys of tasks cannot be made: %s", fault);
    int error = make_all(&keys);
    digest_done(&keys.digest);
    mem_free(keys.contexts);
    mem_free(keys.frames);
    return error;
}

int keys_combine(const struct builder *builder, const char *first, const char *second,
                 char key[KEY_SIZE]) {
    struct keys keys = {0};
    bool is_ok = begin_key(&keys, "item");
    add_field(&keys, first);
    add_field(&keys, second);
    is_ok = is_ok && end_key(&keys, key);
    digest_done(&keys.digest);
    return is_ok ? 0 : loop_fail_memory(builder->loop);
}
