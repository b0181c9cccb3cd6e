/*
 * read.c - from the text of a spec to its tasks: objects by their tables, tasks,
 * the top.
 *
 * The tasks come last, whatever the order of the text, so that pools and defaults
 * are known; so do the tasks in a task. cJSON is asked for one of the outermost
 * tasks at a time. Mistakes are sorted when they are told.
 */
#include "spec/read.h"

#include "base/mem.h"

/* ---- objects --------------------------------------------------------------- */

static void fail_unknown(struct scope *scope, const char *name, uint32_t key_at) {
    char where[WHERE_SIZE], hint[96];
    bool is_read = scope->spec->reading->mistakes.errors < 1000;
    const char *nearest = is_read ? schema_nearest(scope->object, scope->kinds, name) : NULL;
    if (!nearest && !scope->task && !scope->part && schema_find(&schema_task, name))
        snprintf(hint, sizeof hint, "it belongs to a task, in \"tasks\"");
    else if (nearest)
        snprintf(hint, sizeof hint, "did you mean \"%s\"?", nearest);
    else
        hint[0] = '\0';
    spec_error(scope->spec, scope->task, key_at, hint[0] ? hint : NULL, "unknown key \"%.60s\" %s",
               name, scope_where(scope, where));
}

static void fail_kind(struct scope *scope, const struct schema_key *key, uint32_t key_at) {
    char where[WHERE_SIZE], kinds[128];
    size_t used = 0;
    for (unsigned kind = SPEC_JOIN; kind <= SPEC_EACH; kind++)
        if (key->kinds >> kind & 1 && used < sizeof kinds)
            used += (size_t)snprintf(kinds + used, sizeof kinds - used, "%s%s", used ? ", " : "",
                                     spec_kind_name(kind));
    if (scope->part) { /* defaults */
        spec_error(scope->spec, scope->task, key_at, NULL, "\"%s\" cannot be a default", key->name);
        return;
    }
    unsigned kind = SPEC_JOIN;
    while (!(scope->kinds >> kind & 1))
        kind++;
    char hint[160];
    snprintf(hint, sizeof hint, "it is for %s", kinds);
    if (kind == SPEC_JOIN)
        spec_error(scope->spec, scope->task, key_at, hint,
                   "\"%s\" does not belong %s, which has no kind", key->name,
                   scope_where(scope, where));
    else
        spec_error(scope->spec, scope->task, key_at, hint,
                   "\"%s\" does not belong %s, which is of the kind %s", key->name,
                   scope_where(scope, where), spec_kind_name(kind));
}

/* Says if one that excludes this key was there before. */
static void check_others(struct scope *scope, const struct schema_key *key, unsigned row,
                         uint32_t key_at) {
    char where[WHERE_SIZE];
    for (unsigned i = 0; i < row || scope->object->keys[i].name; i++) {
        const struct schema_key *other = &scope->object->keys[i];
        bool is_alias =
            (i + 1 == row && key->flags & IS_ALIAS) || (row + 1 == i && other->flags & IS_ALIAS);
        bool excludes = key->flags & other->flags & NOT_WITH_OTHERS;
        if (i == row || !(scope->seen >> i & 1) || !(is_alias || excludes))
            continue;
        spec_error(scope->spec, scope->task, key_at, NULL, "\"%s\" cannot be with \"%s\" %s",
                   key->name, other->name, scope_where(scope, where));
        spec_note(scope->spec, scope->task, scope->seen_at[i], "here is \"%s\"", other->name);
        return;
    }
}

/* True if the member is one to read; else what is wrong was said. */
static bool check_member(struct scope *scope, const struct schema_key *key, uint32_t key_at) {
    unsigned row = (unsigned)(key - scope->object->keys);
    char where[WHERE_SIZE];
    if (scope->seen >> row & 1) {
        spec_error(scope->spec, scope->task, key_at, NULL, "\"%s\" is there twice %s", key->name,
                   scope_where(scope, where));
        spec_note(scope->spec, scope->task, scope->seen_at[row], "here is the first one");
        return false;
    }
    check_others(scope, key, row, key_at);
    scope->seen |= UINT64_C(1) << row;
    scope->seen_at[row] = key_at;
    if (scope->object != &schema_task)
        return true;
    if (scope->part ? key->flags & IN_DEFAULTS : key->kinds & scope->kinds)
        return true;
    if (!(key->flags & IS_KIND) || scope->part) /* two kinds were said already */
        fail_kind(scope, key, key_at);
    return false;
}

/* Others of its name are mistakes. */
static void read_member(struct scope *scope, const char *name, uint32_t key_at, const cJSON *node) {
    const struct schema_key *key = schema_find(scope->object, name);
    if (!key) {
        if (!schema_is_ignored(name))
            fail_unknown(scope, name, key_at);
        return;
    }
    if (check_member(scope, key, key_at))
        read_field(&(struct field){scope, key, node});
}

static void read_check_required(struct scope *scope, uint32_t at) {
    char where[WHERE_SIZE];
    for (unsigned i = 0; scope->object->keys[i].name; i++) {
        const struct schema_key *key = &scope->object->keys[i];
        bool is_wanted = key->flags & IS_REQUIRED && (!key->kinds || key->kinds & scope->kinds);
        if (is_wanted && !(scope->seen >> i & 1))
            spec_error(scope->spec, scope->task, at, NULL, "\"%s\" is missing %s", key->name,
                       scope_where(scope, where));
    }
}

void read_object(struct scope *scope, const cJSON *node) {
    for (const cJSON *member = node->child; member; member = member->next)
        read_member(scope, member->string, field_key_at(scope, member), member);
    read_check_required(scope, field_at(scope, node));
}

/* ---- tasks ----------------------------------------------------------------- */

/* The task's kind, by the first key that says one. */
static void read_kind(struct scope *scope, const cJSON *node) {
    const cJSON *first = NULL;
    for (const cJSON *member = node->child; member; member = member->next) {
        const struct schema_key *key = schema_find(&schema_task, member->string);
        if (!key || !(key->flags & IS_KIND))
            continue;
        if (first && strcmp(first->string, member->string) != 0) {
            char where[WHERE_SIZE];
            spec_error(scope->spec, scope->task, field_key_at(scope, member),
                       "a task has one kind: use a group for two", "\"%s\" is a second kind %s",
                       key->name, scope_where(scope, where));
            spec_note(scope->spec, scope->task, field_key_at(scope, first), "\"%s\" is the first",
                      first->string);
        }
        if (first)
            continue;
        first = member;
        while (key->kinds >> scope->task->kind != 1)
            scope->task->kind++;
    }
    scope->kinds = 1u << scope->task->kind;
}

static bool make_payload(struct scope *scope) {
    static const size_t sizes[] = {
        [SPEC_EXEC] = sizeof(struct spec_command),    [SPEC_SH] = sizeof(struct spec_command),
        [SPEC_SERVICE] = sizeof(struct spec_command), [SPEC_GET] = sizeof(struct spec_get),
        [SPEC_RELEASE] = sizeof(struct spec_release), [SPEC_EACH] = sizeof(struct spec_each),
    };
    size_t size = sizes[scope->task->kind];
    if (!size)
        return true;
    scope->payload = spec_alloc(scope->spec, size);
    scope->task->command = scope->payload; /* they are a union */
    return scope->payload != NULL;
}

/* "sh" as a string stands for {"sh": ...}. */
static void read_short_task(struct scope *scope, const cJSON *node) {
    scope->task->kind = SPEC_SH;
    scope->kinds = 1u << SPEC_SH;
    if (make_payload(scope))
        read_field(&(struct field){scope, schema_find(&schema_task, "sh"), node});
}

static bool is_nested(const char *name) {
    return strcmp(name, "group") == 0 || strcmp(name, "do") == 0;
}

static void read_long_task(struct scope *scope, const cJSON *node) {
    read_kind(scope, node);
    if (!make_payload(scope))
        return;
    for (int is_last = 0; is_last <= 1; is_last++)
        for (const cJSON *member = node->child; member; member = member->next)
            if (is_nested(member->string) == is_last)
                read_member(scope, member->string, field_key_at(scope, member), member);
    read_check_required(scope, scope->task->at);
}

static void read_task(struct ajob_spec *spec, const struct json *json, struct spec_task *task,
                      const cJSON *node) {
    struct scope scope = {.spec = spec, .json = json, .object = &schema_task, .task = task};
    char where[WHERE_SIZE];
    if (cJSON_IsString(node))
        read_short_task(&scope, node);
    else if (cJSON_IsObject(node))
        read_long_task(&scope, node);
    else
        spec_error(spec, task, field_at(&scope, node), NULL,
                   "what stands %s is no task: it must be an object or a string for /bin/sh",
                   scope_where(&scope, where));
    defaults_apply(&scope);
}

void read_tasks(const struct field *field) {
    const struct scope *scope = field->scope;
    if (!cJSON_IsObject(field->node)) {
        field_wrong(field, field->node);
        return;
    }
    for (const cJSON *member = field->node->child; member; member = member->next) {
        if (schema_is_comment(member->string))
            continue;
        struct spec_task *task =
            reading_add_task(scope->spec, scope->task, member->string, field_key_at(scope, member));
        if (task)
            read_task(scope->spec, scope->json, task, member);
    }
    if (scope->task && !scope->task->first)
        spec_warning(scope->spec, scope->task, field_at(scope, field->node), NULL,
                     "a group without tasks");
}

void read_do(const struct field *field) {
    struct scope *scope = field->scope;
    uint32_t at = field_at(scope, field->node);
    struct spec_task *task = reading_add_task(scope->spec, scope->task, NULL, at);
    for (const cJSON *member = cJSON_IsObject(field->node) ? field->node->child : NULL; member;
         member = member->next)
        if (strcmp(member->string, "needs") == 0 || strcmp(member->string, "when") == 0)
            spec_error(scope->spec, scope->task, field_key_at(scope, member),
                       "move it beside \"each\"", "the \"do\" of an each has no \"%s\" of its own",
                       member->string);
    if (task)
        read_task(scope->spec, scope->json, task, field->node);
}

/* ---- the top ---------------------------------------------------------------- */

/* One task of the outermost group at a time. */
static void read_outermost(struct scope *scope, uint32_t token) {
    struct ajob_spec *spec = scope->spec;
    const struct json *json = scope->json;
    const struct json_token *tokens = json->tokens;
    if (json->plain[tokens[token].at] != '{') {
        cJSON *value = json_value(json, token);
        if (value)
            field_wrong(&(struct field){scope, schema_find(&schema_top, "tasks"), value}, value);
        cJSON_Delete(value);
        return;
    }
    for (uint32_t key = token + 1; key < tokens[token].next; key = tokens[key].next) {
        char *name = json_string(json, key, &spec->reading->scratch);
        if (name && schema_is_comment(name))
            continue;
        struct spec_task *task = name ? reading_add_task(spec, NULL, name, tokens[key].at) : NULL;
        cJSON *value = task ? json_value(json, key + 1) : NULL;
        if (value)
            read_task(spec, json, task, value);
        spec->reading->has_no_memory |= !name || (task && !value);
        cJSON_Delete(value);
        if (spec->reading->has_no_memory)
            return;
    }
    if (!spec->first)
        spec_warning(spec, NULL, tokens[token].at, NULL, "no tasks: nothing is started");
}

/* Reads the members of the top that stand in this turn: defaults after pools. */
static uint32_t read_turn(struct scope *scope, int turn) {
    static const char *const turns[] = {"", "defaults", "tasks"};
    const struct json *json = scope->json;
    uint32_t tasks = 0;
    for (uint32_t key = 1; key < json->tokens[0].next; key = json->tokens[key].next) {
        char *name = json_string(json, key, &scope->spec->reading->scratch);
        int its_turn = 0;
        if (!name) {
            scope->spec->reading->has_no_memory = true;
            return 0;
        }
        for (int i = 1; i <= 2; i++)
            if (strcmp(name, turns[i]) == 0)
                its_turn = i;
        if (its_turn != turn)
            continue;
        if (turn == 2) {
            if (check_member(scope, schema_find(&schema_top, name), json->tokens[key].at))
                tasks = key;
            continue;
        }
        cJSON *value = json_value(json, key + 1);
        if (value)
            read_member(scope, name, json->tokens[key].at, value);
        else
            scope->spec->reading->has_no_memory = true;
        cJSON_Delete(value);
    }
    return tasks;
}

static void read_top(struct ajob_spec *spec, const struct json *json) {
    struct scope scope = {.spec = spec, .json = json, .object = &schema_top, .whole = spec};
    if (json->plain[json->tokens[0].at] != '{') {
        spec_error(spec, NULL, json->tokens[0].at, "the least is { \"tasks\": {} }",
                   "a spec is an object");
        return;
    }
    read_turn(&scope, 0);
    read_turn(&scope, 1);
    uint32_t tasks = read_turn(&scope, 2);
    read_check_required(&scope, json->tokens[0].at);
    if (tasks)
        read_outermost(&scope, tasks + 1);
}

int ajob_spec_parse(ajob_spec *spec, const char *file, const char *text, size_t length) {
    struct spec_reading *reading = spec->reading;
    struct json json;
    struct json_fault fault;
    if (reading->is_parsed)
        return spec_fail(spec, AJOB_EINVAL, "%s: a spec was read already", file);
    reading->is_parsed = true;
    reading->is_resolved = false;
    reading->file = mem_copy(file);
    reading->text = mem_copy_n(text, length > JSON_SIZE_MAX ? 0 : length);
    reading->has_no_memory |= !reading->file || !reading->text;
    if (reading->has_no_memory)
        return spec_fail(spec, AJOB_ENOMEM, "out of memory");
    reading->length = length > JSON_SIZE_MAX ? 0 : (uint32_t)length;
    int error = json_scan(&json, length > JSON_SIZE_MAX ? text : reading->text, length, &fault);
    if (error == AJOB_EINVAL)
        spec_error_part(spec, NULL, fault.at, fault.length, fault.hint, "%s", fault.text);
    else if (!error)
        read_top(spec, &json);
    json_done(&json);
    if (error == AJOB_ENOMEM || reading->has_no_memory) {
        reading->has_no_memory = true;
        return spec_fail(spec, AJOB_ENOMEM, "out of memory");
    }
    return 0;
}
