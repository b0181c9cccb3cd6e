/*
 * parts.c - reading values that are made of others: maps, needs, pools, retry,
 * ready, stdin, each. See read.h.
 */
#include <ctype.h>

#include "base/mem.h"
#include "base/pattern.h"
#include "core/names.h"
#include "exec/probe.h"
#include "spec/read.h"
#include "spec/value.h"

/* ---- maps ----------------------------------------------------------------- */

static uint32_t count_members(const cJSON *node) {
    uint32_t count = 0;
    for (const cJSON *member = node->child; member; member = member->next)
        count++;
    return count;
}

static int by_name(const void *a, const void *b) {
    const cJSON *const *left = a, *const *right = b;
    int order = strcmp((*left)->string, (*right)->string);
    return order ? order : (*left)->valueint - (*right)->valueint;
}

/* Says which names are in a map twice. */
static void check_twice(const struct field *field) {
    const struct scope *scope = field->scope;
    uint32_t count = count_members(field->node);
    const cJSON **sorted = count > 1 ? mem_new(count * sizeof *sorted) : NULL;
    uint32_t i = 0;
    if (!sorted) {
        scope->spec->reading->has_no_memory |= count > 1;
        return;
    }
    for (const cJSON *member = field->node->child; member; member = member->next)
        sorted[i++] = member;
    qsort(sorted, count, sizeof *sorted, by_name);
    for (i = 1; i < count; i++) {
        if (strcmp(sorted[i - 1]->string, sorted[i]->string) != 0 ||
            schema_is_comment(sorted[i]->string))
            continue;
        spec_error(scope->spec, scope->task, field_key_at(scope, sorted[i]), NULL,
                   "\"%.60s\" is in \"%s\" twice", sorted[i]->string, field->key->name);
        spec_note(scope->spec, scope->task, field_key_at(scope, sorted[i - 1]),
                  "here is the one before");
    }
    mem_free(sorted);
}

/* A map of names and strings. Numbers are taken as they are written. */
static struct spec_variables read_map(const struct field *field, const char *letters,
                                      bool has_null) {
    struct spec_variables none = {0}, map;
    if (!cJSON_IsObject(field->node)) {
        field_wrong(field, field->node);
        return none;
    }
    map.count = count_members(field->node);
    map.items = spec_alloc(field->scope->spec, (map.count + 1) * sizeof *map.items);
    if (!map.items)
        return none;
    struct spec_variable *item;
    map.count = 0;
    for (const cJSON *member = field->node->child; member; member = member->next) {
        const char *name = member->string;
        if (schema_is_comment(name))
            continue;
        item = &map.items[map.count++];
        item->name = spec_copy(field->scope->spec, name, strlen(name));
        if (!*name || name[letters ? strspn(name, letters) : strcspn(name, "=")])
            spec_error(field->scope->spec, field->scope->task, field_key_at(field->scope, member),
                       NULL, "\"%.60s\" in \"%s\" is no name for it", name, field->key->name);
        if (cJSON_IsString(member))
            item->value = field_string(field, member);
        else if (cJSON_IsNumber(member) && has_null)
            item->value =
                (struct spec_string){field_literal(field, member), field_at(field->scope, member)};
        else if (!cJSON_IsNull(member) || !has_null)
            field_error(field, member, cJSON_IsBool(member) ? "write it in quotes" : NULL,
                        "has a value that is no string");
    }
    check_twice(field);
    return map;
}

void read_variables(const struct field *field) {
    struct spec_variables *to = field_to(field), map = read_map(field, NULL, true);
    if (to)
        *to = map;
}

void read_headers(const struct field *field) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "!#$%&'*+-.^_`|~"; /* RFC 9110: token */
    struct spec_variables *to = field_to(field), map = read_map(field, letters, false);
    for (const cJSON *member = cJSON_IsObject(field->node) ? field->node->child : NULL; member;
         member = member->next)
        for (const char *c = cJSON_IsString(member) ? member->valuestring : ""; *c; c++)
            if (iscntrl((unsigned char)*c)) {
                field_error(field, member, NULL, "has a control character in a value");
                break;
            }
    if (to)
        *to = map;
}

/* ---- needs ---------------------------------------------------------------- */

static void read_need(const struct field *field, const cJSON *node) {
    if (!cJSON_IsString(node))
        field_wrong(field, node);
    else
        reading_want(field->scope->spec, field->scope->task, WANT_NEED, node->valuestring,
                     field_at(field->scope, node));
}

void read_needs(const struct field *field) {
    if (!cJSON_IsArray(field->node)) {
        read_need(field, field->node);
        return;
    }
    for (const cJSON *item = field->node->child; item; item = item->next)
        read_need(field, item);
}

void read_name(const struct field *field) {
    bool is_stdin = field->scope->object == &schema_stdin;
    if (!cJSON_IsString(field->node))
        field_wrong(field, field->node);
    else
        reading_want(field->scope->spec, field->scope->task, is_stdin ? WANT_STDIN : WANT_LINES,
                     field->node->valuestring, field_at(field->scope, field->node));
}

/* ---- pools ---------------------------------------------------------------- */

enum { POOLS_MOST = 256, POOL_MOST = 1000000 };

void read_pool_sizes(const struct field *field) {
    struct ajob_spec *spec = field->scope->spec;
    uint32_t count = cJSON_IsObject(field->node) ? count_members(field->node) : 0;
    int64_t size = 1;
    if (!cJSON_IsObject(field->node)) {
        field_wrong(field, field->node);
        return;
    }
    if (count > POOLS_MOST) {
        field_error(field, field->node, NULL, "has more than %d pools in it", POOLS_MOST);
        return;
    }
    spec->pools = spec_alloc(spec, (count + 1) * sizeof(struct spec_pool *));
    for (const cJSON *member = field->node->child; member && spec->pools; member = member->next) {
        if (schema_is_comment(member->string))
            continue;
        struct spec_pool *pool = spec_alloc(spec, sizeof *pool);
        if (!pool || !(pool->name = spec_copy(spec, member->string, strlen(member->string))))
            return;
        if (!spec_is_name(member->string))
            spec_error(spec, NULL, field_key_at(field->scope, member), NULL,
                       "\"%.60s\" is no name of a pool", member->string);
        if (!cJSON_IsNumber(member) || !(member->valuedouble >= 1) ||
            member->valuedouble > POOL_MOST ||
            member->valuedouble != (double)(int64_t)member->valuedouble)
            spec_error(spec, NULL, field_at(field->scope, member), NULL,
                       "the size of pool \"%.60s\" must be a whole number from 1 to %d",
                       member->string, POOL_MOST);
        else
            size = (int64_t)member->valuedouble;
        pool->size = (unsigned)size;
        spec->pools[spec->pool_count++] = pool;
    }
    check_twice(field);
}

static const struct spec_pool *find_pool(const struct ajob_spec *spec, const char *name) {
    for (uint32_t i = 0; i < spec->pool_count; i++)
        if (strcmp(spec->pools[i]->name, name) == 0)
            return spec->pools[i];
    return NULL;
}

static void fail_pool(const struct field *field, const char *name, uint32_t at) {
    const struct ajob_spec *spec = field->scope->spec;
    const char *names[POOLS_MOST];
    char hint[128], where[WHERE_SIZE];
    for (uint32_t i = 0; i < spec->pool_count; i++)
        names[i] = spec->pools[i]->name;
    const char *nearest = ajob_nearest(name, names, spec->pool_count);
    if (nearest)
        snprintf(hint, sizeof hint, "did you mean \"%s\"?", nearest);
    else
        snprintf(hint, sizeof hint, "declare it at the top: \"pools\": {\"%.60s\": 1}", name);
    spec_error(field->scope->spec, field->scope->task, at, hint, "unknown pool \"%.60s\" %s", name,
               scope_where(field->scope, where));
}

/* Adds so many slots of a pool to what the task uses. */
static void use_pool(const struct field *field, struct spec_more *more, const char *name,
                     uint32_t at, unsigned count) {
    struct ajob_spec *spec = field->scope->spec;
    const struct spec_pool *pool = find_pool(spec, name);
    char where[WHERE_SIZE];
    if (!pool) {
        fail_pool(field, name, at);
        return;
    }
    for (uint32_t i = 0; i < more->pool_count; i++) {
        if (more->pools[i].pool == pool) {
            spec_error(spec, field->scope->task, at, NULL, "pool \"%s\" is named twice %s",
                       pool->name, scope_where(field->scope, where));
            return;
        }
    }
    if (count > pool->size)
        spec_error(spec, field->scope->task, at, NULL,
                   "%u of pool \"%s\" %s can never be had: its size is %u", count, pool->name,
                   scope_where(field->scope, where), pool->size);
    more->pools[more->pool_count++] = (struct spec_pool_use){pool, count};
}

void read_pools(const struct field *field) {
    const cJSON *node = field->node;
    struct spec_more *more = field_to(field); /* at 0: the row has no offset */
    uint32_t count = node->child ? count_members(node) : 1;
    if (count > POOLS_MOST)
        count = POOLS_MOST; /* further ones are twice there, or unknown */
    if (!more || more->pools ||
        !(more->pools = spec_alloc(field->scope->spec, count * sizeof *more->pools)))
        return;
    if (cJSON_IsString(node)) {
        use_pool(field, more, node->valuestring, field_at(field->scope, node), 1);
        return;
    }
    if (!cJSON_IsArray(node) && !cJSON_IsObject(node))
        field_wrong(field, node);
    for (const cJSON *item = node->child; item; item = item->next) {
        int64_t wanted = 1;
        if (item->string && schema_is_comment(item->string))
            continue;
        if (item->string &&
            (!cJSON_IsNumber(item) || !(item->valuedouble >= 1) || item->valuedouble > POOL_MOST ||
             item->valuedouble != (double)(int64_t)item->valuedouble))
            field_error(field, item, NULL, "must have a whole number from 1 for each pool");
        else if (item->string || cJSON_IsString(item)) {
            wanted = item->string ? (int64_t)item->valuedouble : 1;
            use_pool(field, more, item->string ? item->string : item->valuestring,
                     item->string ? field_key_at(field->scope, item) : field_at(field->scope, item),
                     (unsigned)wanted);
        } else
            field_wrong(field, item);
    }
}

/* ---- objects of their own -------------------------------------------------- */

static struct scope part_of(const struct field *field, const struct schema_object *object,
                            void *whole) {
    return (struct scope){
        .spec = field->scope->spec,
        .json = field->scope->json,
        .object = object,
        .task = field->scope->task,
        .part = field->key->name,
        .whole = whole,
    };
}

enum { RETRIES_MOST = 1000 };

void read_retry(const struct field *field) {
    struct spec_more *more = (struct spec_more *)((char *)field_to(field) - field->key->at);
    int64_t tries;
    if (!field_to(field))
        return;
    more->has_retry = true;
    if (cJSON_IsObject(field->node)) {
        struct scope part = part_of(field, &schema_retry, &more->retry);
        read_object(&part, field->node);
    } else if (!cJSON_IsNumber(field->node)) {
        field_wrong(field, field->node);
    } else if (field_whole(field, field->node, 0, RETRIES_MOST, &tries)) {
        more->retry.max = (unsigned)tries;
    }
}

void read_exits(const struct field *field) {
    ajob_retry *retry = field->scope->whole;
    const cJSON *node = field->node;
    bool is_list = cJSON_IsArray(node);
    int *exits =
        spec_alloc(field->scope->spec, (is_list ? count_members(node) + 1 : 1) * sizeof *exits);
    int64_t code;
    if (!exits)
        return;
    retry->on = exits;
    for (const cJSON *item = is_list ? node->child : node; item; item = is_list ? item->next : NULL)
        if (field_whole(field, item, 1, 255, &code))
            exits[retry->on_count++] = (int)code;
    if (is_list && !node->child)
        field_error(field, node, NULL, "is empty: it would never be tried again");
}

/* What the probe itself refuses is a mistake here already, unless ${} is in it. */
static void check_probe(const struct field *field, const struct spec_command *command,
                        const cJSON *node) {
    struct text error = TEXT_INIT(TEXT_LINE_MAX);
    const char *text = node->valuestring;
    bool is_late = text && command->ready != AJOB_READY_LINE && value_has_any(text);
    if (!text || !*text || is_late)
        return;
    struct probe_plan *plan =
        probe_plan_new(&(ajob_ready_options){.probe = command->ready, .text = text}, &error);
    field->scope->spec->reading->has_no_memory |= !plan && !error.length;
    probe_plan_free(plan);
    if (error.length)
        spec_error(field->scope->spec, field->scope->task, field_at(field->scope, node), NULL, "%s",
                   text_string(&error));
    text_done(&error);
}

void read_ready(const struct field *field) {
    struct spec_command *command = field->scope->payload;
    struct scope part = part_of(field, &schema_ready, command);
    if (!cJSON_IsObject(field->node)) {
        field_wrong(field, field->node);
        return;
    }
    if (!command)
        return;
    read_object(&part, field->node);
    const cJSON *first = NULL;
    for (const cJSON *member = field->node->child; member; member = member->next) {
        for (unsigned i = AJOB_READY_AT_START + 1; name_of_readiness(i); i++) {
            if (strcmp(member->string, name_of_readiness(i)) != 0 || first)
                continue;
            command->ready = (enum ajob_readiness)i;
            first = member;
        }
    }
    if (first)
        check_probe(field, command, first);
    else
        field_error(field, field->node, NULL, "needs one of fd, line, tcp, http, file and exec");
}

void read_stdin(const struct field *field) {
    struct spec_command *command = field->scope->payload;
    if (cJSON_IsObject(field->node)) {
        struct scope part = part_of(field, &schema_stdin, NULL);
        read_object(&part, field->node);
    } else if (!cJSON_IsString(field->node)) {
        field_wrong(field, field->node);
    } else if (!field->node->valuestring[0]) {
        field_error(field, field->node, NULL, "must not be empty");
    } else if (command) {
        command->stdin_path = field_string(field, field->node);
    }
}

/* ---- each ----------------------------------------------------------------- */

static void read_items(const struct field *field, struct spec_each *each) {
    struct ajob_spec *spec = field->scope->spec;
    uint32_t count = count_members(field->node);
    struct spec_string *items = spec_alloc(spec, (count + 1) * sizeof *items);
    if (!items)
        return;
    each->items = (struct spec_strings){items, count};
    for (const cJSON *item = field->node->child; item; item = item->next, items++) {
        if (cJSON_IsString(item))
            *items = field_string(field, item);
        else if (cJSON_IsNumber(item))
            *items = (struct spec_string){field_literal(field, item), field_at(field->scope, item)};
        else
            field_error(field, item, NULL, "must be a list of strings");
    }
    if (!count)
        spec_warning(spec, field->scope->task, field_at(field->scope, field->node), NULL,
                     "\"each\" over an empty list: nothing is started");
}

void read_each(const struct field *field) {
    struct spec_each *each = field->scope->payload;
    struct scope part = part_of(field, &schema_range, each);
    if (!each)
        return;
    if (cJSON_IsArray(field->node)) {
        read_items(field, each);
        return;
    }
    if (!cJSON_IsObject(field->node)) {
        field_wrong(field, field->node);
        return;
    }
    for (const cJSON *member = field->node->child; member; member = member->next)
        if (strcmp(member->string, "lines") == 0)
            part.object = &schema_lines;
    each->is_range = part.object == &schema_range;
    each->step = 1;
    read_object(&part, field->node);
    if (!each->is_range)
        return;
    if (each->step == 0)
        field_error(field, field->node, NULL, "must not have a step of 0");
    else if (each->step > 0 ? each->from > each->to : each->from < each->to)
        spec_warning(field->scope->spec, field->scope->task, field_at(field->scope, field->node),
                     NULL, "\"each\" over an empty range: nothing is started");
}
