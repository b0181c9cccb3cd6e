/*
 * defaults.c - `defaults`: options of all tasks that are work and say nothing
 * themselves.
 *
 * Tasks without options of their own share one struct, so that defaults cost
 * nothing. The env of defaults is part of the top's, for it would be just that.
 */
#include "spec/read.h"

enum {
    GETS_DEFAULTS =
        1u << SPEC_EXEC | 1u << SPEC_SH | 1u << SPEC_GET | 1u << SPEC_RELEASE | 1u << SPEC_SERVICE,
};

/* The top's variables, then those of defaults. */
static void append_env(struct ajob_spec *spec, const struct spec_variables *more) {
    uint32_t count = spec->env.count + more->count;
    struct spec_variable *items = more->count ? spec_alloc(spec, count * sizeof *items) : NULL;
    if (!items)
        return;
    if (spec->env.count)
        memcpy(items, spec->env.items, spec->env.count * sizeof *items);
    memcpy(items + spec->env.count, more->items, more->count * sizeof *items);
    spec->env = (struct spec_variables){items, count};
}

void read_defaults(const struct field *field) {
    struct defaults *defaults = &field->scope->spec->reading->defaults;
    struct scope part = {
        .spec = field->scope->spec,
        .json = field->scope->json,
        .object = &schema_task,
        .part = field->key->name,
        .more = &defaults->more,
        .payload = &defaults->command,
    };
    if (!cJSON_IsObject(field->node)) {
        field_wrong(field, field->node);
        return;
    }
    read_object(&part, field->node);
    defaults->seen = part.seen;
    append_env(part.spec, &defaults->more.env);
}

static bool has_dir_around(const struct spec_task *task) {
    for (task = task->parent; task; task = task->parent)
        if (task->more && task->more->dir.text)
            return true;
    return false;
}

/* Copies what one row is about, if it is given and the kind has it. */
static void apply(const struct defaults *defaults, const struct schema_key *key,
                  struct spec_more *more) {
    const struct spec_more *from = &defaults->more;
    switch (key->type) {
    case SCHEMA_DURATION: {
        bool given = true;
        memcpy((char *)more + key->at, (const char *)from + key->at, sizeof(uint64_t));
        memcpy((char *)more + key->given_at, &given, sizeof given);
        break;
    }
    case SCHEMA_RETRY:
        more->retry = from->retry;
        more->has_retry = from->has_retry;
        break;
    case SCHEMA_BOOL:
        memcpy((char *)more + key->at, (const char *)from + key->at, sizeof(bool));
        break;
    case SCHEMA_SEGMENTS:
        more->segments = from->segments;
        break;
    case SCHEMA_POOLS:
        more->pools = from->pools;
        more->pool_count = from->pool_count;
        break;
    case SCHEMA_STRING:
        more->dir = from->dir;
        break;
    default: /* env, leftovers: not here */
        break;
    }
}

static unsigned row_of(const struct schema_key *key) {
    return (unsigned)(key - schema_task.keys);
}

/* The task says it itself; pool and pools are one. */
static bool is_said(const struct scope *scope, const struct schema_key *key) {
    unsigned row = row_of(key);
    bool is_alias = key->flags & IS_ALIAS, has_alias = key[1].name && key[1].flags & IS_ALIAS;
    return scope->seen >> row & 1 || (is_alias && scope->seen >> (row - 1) & 1) ||
           (has_alias && scope->seen >> (row + 1) & 1);
}

void defaults_apply(struct scope *scope) {
    struct defaults *defaults = &scope->spec->reading->defaults;
    struct spec_task *task = scope->task;
    struct spec_more *more = task->more;
    bool has_dir = defaults->more.dir.text && has_dir_around(task);

    if (!defaults->seen || !(scope->kinds & GETS_DEFAULTS))
        return;
    bool is_shared = !more && !has_dir;
    if (is_shared && (more = defaults->shared[task->kind])) {
        task->more = more;
    } else {
        more = reading_more(scope->spec, task);
        if (!more)
            return;
        for (const struct schema_key *key = schema_task.keys; key->name; key++) {
            bool is_dir = key->type == SCHEMA_STRING && key->place == IN_MORE;
            if (key->place == IN_MORE && defaults->seen >> row_of(key) & 1 &&
                key->kinds & scope->kinds && !is_said(scope, key) && !(is_dir && has_dir))
                apply(defaults, key, more);
        }
        if (is_shared)
            defaults->shared[task->kind] = more;
    }
    const struct schema_key *leftovers = schema_find(&schema_task, "leftovers");
    if (leftovers->kinds & scope->kinds && !is_said(scope, leftovers) && task->command)
        task->command->leaves_leftovers = defaults->command.leaves_leftovers;
}
