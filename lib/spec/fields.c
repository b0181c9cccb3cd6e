/*
 * fields.c - reading values that are one thing: words, strings, lists of strings; and
 * what all readers need. Numbers are in numbers.c. See read.h.
 */
#include <ctype.h>
#include <stdarg.h>

#include "base/mem.h"
#include "net/digest.h"
#include "net/url.h"
#include "spec/read.h"
#include "spec/value.h"

uint32_t field_at(const struct scope *scope, const cJSON *node) {
    return scope->json->tokens[node->valueint].at;
}

uint32_t field_key_at(const struct scope *scope, const cJSON *node) {
    return scope->json->tokens[node->valueint - 1].at;
}

void *field_to(const struct field *field) {
    struct scope *scope = field->scope;
    char *base = NULL;
    switch (field->key->place) {
    case IN_TASK:
        base = (char *)scope->task;
        break;
    case IN_MORE:
        if (!scope->more)
            scope->more = reading_more(scope->spec, scope->task);
        base = (char *)scope->more;
        break;
    case IN_PAYLOAD:
        base = scope->payload;
        break;
    case IN_PART:
        base = scope->whole;
        break;
    case IN_NOTHING:
    case SCHEMA_PLACE_COUNT:
        break;
    }
    return base ? base + field->key->at : NULL;
}

void *field_given(const struct field *field) {
    char *to = field_to(field);
    if (to && field->key->given_at)
        *(bool *)(to - field->key->at + field->key->given_at) = true;
    return to;
}

/* ---- what is wrong -------------------------------------------------------- */

const char *scope_where(const struct scope *scope, char buffer[WHERE_SIZE]) {
    struct text path = TEXT_INIT(SPEC_PATH_MAX);
    if (scope->task)
        spec_path(scope->task, &path);
    if (scope->part && scope->task)
        snprintf(buffer, WHERE_SIZE, "in \"%s\" of task \"%.150s\"", scope->part,
                 text_string(&path));
    else if (scope->part)
        snprintf(buffer, WHERE_SIZE, "in \"%s\"", scope->part);
    else if (scope->task)
        snprintf(buffer, WHERE_SIZE, "in task \"%.150s\"", text_string(&path));
    else
        snprintf(buffer, WHERE_SIZE, "at the top");
    text_done(&path);
    return buffer;
}

void field_error(const struct field *field, const cJSON *node, const char *hint, const char *format,
                 ...) {
    char what[512], where[WHERE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    spec_error(field->scope->spec, field->scope->task, field_at(field->scope, node), hint,
               "\"%s\" %s %s", field->key->name, scope_where(field->scope, where), what);
}

/* The value in a few words. */
static void describe(const struct field *field, const cJSON *node, char *buffer, size_t size) {
    if (cJSON_IsString(node))
        snprintf(buffer, size, "\"%.60s\"%s", node->valuestring,
                 strlen(node->valuestring) > 60 ? "..." : "");
    else if (cJSON_IsObject(node))
        snprintf(buffer, size, "an object");
    else if (cJSON_IsArray(node))
        snprintf(buffer, size, node->child ? "a list" : "an empty list");
    else if (cJSON_IsNumber(node)) {
        const struct json *json = field->scope->json;
        uint32_t at = field_at(field->scope, node);
        snprintf(buffer, size, "%.*s", (int)json_token_length(json->plain, json->length, at),
                 json->plain + at);
    } else
        snprintf(buffer, size, "%s",
                 cJSON_IsTrue(node)    ? "true"
                 : cJSON_IsFalse(node) ? "false"
                                       : "null");
}

/* "all, settled, any or race", quoted. */
static void list_words(const struct schema_word *words, char *buffer, size_t size) {
    size_t used = 0;
    for (; words->name && used < size; words++) {
        const char *after = !words[1].name ? "" : words[2].name ? ", " : " or ";
        used += (size_t)snprintf(buffer + used, size - used, "\"%s\"%s", words->name, after);
    }
}

void field_wrong(const struct field *field, const cJSON *node) {
    const struct schema_key *key = field->key;
    char expected[256], actual[128];
    if (key->type == SCHEMA_WORD)
        list_words(key->words, expected, sizeof expected);
    else if (key->type == SCHEMA_COUNT)
        snprintf(expected, sizeof expected, "a whole number from %u to %u", key->min, key->max);
    else
        snprintf(expected, sizeof expected, "%s", schema_expected[key->type]);
    describe(field, node, actual, sizeof actual);
    if (node == field->node)
        field_error(field, node, NULL, "must be %s, not %s", expected, actual);
    else
        field_error(field, node, NULL, "must be %s; %s cannot be in it", expected, actual);
}

/* ---- one value ------------------------------------------------------------ */

char *field_literal(const struct field *field, const cJSON *node) {
    const struct json *json = field->scope->json;
    uint32_t at = field_at(field->scope, node);
    return spec_copy(field->scope->spec, json->plain + at,
                     json_token_length(json->plain, json->length, at));
}

struct spec_string field_string(const struct field *field, const cJSON *node) {
    struct scope *scope = field->scope;
    struct spec_string string = {
        .text = spec_copy(scope->spec, node->valuestring, strlen(node->valuestring)),
        .at = field_at(scope, node),
    };
    if (field->key->flags & HAS_VALUES && string.text && value_has_any(string.text))
        reading_use(scope->spec, scope->task, string);
    return string;
}

static void read_bool(const struct field *field) {
    bool *to = field_given(field);
    if (!cJSON_IsBool(field->node))
        field_wrong(field, field->node);
    else if (to)
        *to = cJSON_IsTrue(field->node) != (field->key->type == SCHEMA_FALSE);
}

static void read_word(const struct field *field) {
    const struct schema_word *word = field->key->words;
    char *to = field_given(field);
    while (word->name &&
           !(cJSON_IsString(field->node) && strcmp(word->name, field->node->valuestring) == 0))
        word++;
    if (!word->name)
        field_wrong(field, field->node);
    else if (to && field->key->place == IN_PAYLOAD) /* leaves_leftovers */
        *(bool *)to = word->value;
    else if (to)
        memcpy(to, &word->value, sizeof word->value); /* an enum's size is int's here */
}

static void read_text(const struct field *field) {
    const char **to = field_to(field);
    if (!cJSON_IsString(field->node))
        field_wrong(field, field->node);
    else if (to)
        *to = spec_copy(field->scope->spec, field->node->valuestring,
                        strlen(field->node->valuestring));
}

/* A string that is not empty, as it stands in the text. */
static bool check_string(const struct field *field) {
    if (!cJSON_IsString(field->node)) {
        field_wrong(field, field->node);
        return false;
    }
    if (!field->node->valuestring[0]) {
        field_error(field, field->node, NULL, "must not be empty");
        return false;
    }
    return true;
}

static void read_string(const struct field *field) {
    struct spec_string *to = field_to(field);
    if (check_string(field) && to)
        *to = field_string(field, field->node);
}

static void check_url(const struct field *field, const cJSON *node, const char *url) {
    const char *fault = url && !value_has_any(url) ? url_fault(url) : NULL;
    if (fault)
        field_error(field, node, NULL, "is no URL to download from: %s", fault);
}

static void read_url(const struct field *field) {
    struct spec_string *to = field_to(field);
    if (!check_string(field) || !to)
        return;
    *to = field_string(field, field->node);
    check_url(field, field->node, to->text);
}

static void read_digest(const struct field *field) {
    enum { SHA256_DIGITS = 64 };
    struct spec_string *to = field_to(field);
    struct digest_want want;
    if (!check_string(field) || !to)
        return;
    *to = field_string(field, field->node);
    if (!to->text)
        return;
    bool is_constant = !value_has_any(to->text), is_right = true;
    if (field->key->type == SCHEMA_SHA256) {
        struct text prefixed = TEXT_INIT(JSON_SIZE_MAX);
        size_t hex = strspn(to->text, "0123456789abcdefABCDEF");
        is_right = !is_constant || (hex == SHA256_DIGITS && !to->text[hex]);
        text_add(&prefixed, "sha256:");
        text_add(&prefixed, to->text);
        field->scope->spec->reading->has_no_memory |= !text_ok(&prefixed);
        to->text = spec_copy(field->scope->spec, text_string(&prefixed), prefixed.length);
        text_done(&prefixed);
    } else {
        is_right = !is_constant || digest_parse(to->text, &want);
    }
    if (!is_right)
        field_wrong(field, field->node);
}

/* ---- several -------------------------------------------------------------- */

/* Whole strings, or one: false after a mistake. */
static bool read_list(const struct field *field, const cJSON *node, bool has_empty_ones,
                      struct spec_strings *ret_strings) {
    struct ajob_spec *spec = field->scope->spec;
    bool is_list = cJSON_IsArray(node), is_right = is_list || cJSON_IsString(node);
    const cJSON *first = is_list ? node->child : node;
    uint32_t count = 0;

    if (!is_right)
        field_wrong(field, node);
    for (const cJSON *item = first; item && is_right; item = is_list ? item->next : NULL) {
        if (!cJSON_IsString(item)) {
            field_wrong(field, item);
            return false;
        }
        if (!item->valuestring[0] && !has_empty_ones) {
            field_error(field, item, NULL, "has an empty string in it");
            return false;
        }
        count++;
    }
    struct spec_string *items = spec_alloc(spec, (count + 1) * sizeof *items);
    if (!is_right || !items)
        return false;
    *ret_strings = (struct spec_strings){items, count};
    for (const cJSON *item = first; item; item = is_list ? item->next : NULL)
        *items++ = field_string(field, item);
    return true;
}

static void read_strings(const struct field *field) {
    struct spec_strings strings, *to = field_to(field);
    if (read_list(field, field->node, false, &strings) && to)
        *to = strings;
}

static void read_urls(const struct field *field) {
    struct spec_strings urls, *to = field_to(field);
    if (!read_list(field, field->node, false, &urls) || !to)
        return;
    *to = urls;
    const cJSON *node = cJSON_IsArray(field->node) ? field->node->child : field->node;
    for (uint32_t i = 0; i < urls.count; i++, node = node->next)
        check_url(field, node, urls.items[i].text);
}

static void read_argv_into(const struct field *field, struct spec_strings *to) {
    struct spec_strings argv;
    if (!cJSON_IsArray(field->node)) {
        char *is_string = cJSON_IsString(field->node) ? field->node->valuestring : NULL;
        if (is_string && field->key->flags & IS_KIND)
            field_error(field, field->node, "a script goes into \"sh\"", "must be %s, not a string",
                        schema_expected[SCHEMA_ARGV]);
        else
            field_wrong(field, field->node);
        return;
    }
    if (!field->node->child ||
        (cJSON_IsString(field->node->child) && !field->node->child->valuestring[0])) {
        field_error(field, field->node, NULL, "is empty: it must begin with a program");
        return;
    }
    if (read_list(field, field->node, true, &argv) && to)
        *to = argv;
}

/* One string, or lines that are joined. */
static void read_script_into(const struct field *field, struct spec_string *to) {
    struct text script = TEXT_INIT(JSON_SIZE_MAX);
    const cJSON *node = field->node;
    bool is_list = cJSON_IsArray(node);
    if (!is_list && !check_string(field))
        return;
    for (const cJSON *line = is_list ? node->child : node; line;
         line = is_list ? line->next : NULL) {
        if (!cJSON_IsString(line)) {
            field_wrong(field, line);
            text_done(&script);
            return;
        }
        if (line != (is_list ? node->child : node))
            text_add_char(&script, '\n');
        text_add(&script, line->valuestring);
    }
    if (!script.length)
        field_error(field, node, NULL, "must not be empty");
    field->scope->spec->reading->has_no_memory |= !text_ok(&script);
    if (to)
        *to =
            (struct spec_string){spec_copy(field->scope->spec, text_string(&script), script.length),
                                 field_at(field->scope, node)};
    text_done(&script);
}

static void read_argv(const struct field *field) {
    read_argv_into(field, field_to(field));
}

static void read_script(const struct field *field) {
    read_script_into(field, field_to(field));
}

static void read_command(const struct field *field) {
    struct spec_command *command = field->scope->payload;
    if (cJSON_IsArray(field->node))
        read_argv_into(field, command ? &command->argv : NULL);
    else if (cJSON_IsString(field->node))
        read_script_into(field, command ? &command->script : NULL);
    else
        field_wrong(field, field->node);
}

static void read_nothing(const struct field *field) {
    (void)field;
}

void read_field(const struct field *field) {
    static void (*const readers[SCHEMA_TYPE_COUNT])(const struct field *) = {
        [SCHEMA_ANYTHING] = read_nothing,  [SCHEMA_TEXT] = read_text,
        [SCHEMA_BOOL] = read_bool,         [SCHEMA_FALSE] = read_bool,
        [SCHEMA_DURATION] = read_duration, [SCHEMA_INTERVAL] = read_duration,
        [SCHEMA_SIZE] = read_size,         [SCHEMA_SEGMENTS] = read_segments,
        [SCHEMA_COUNT] = read_count,       [SCHEMA_FACTOR] = read_factor,
        [SCHEMA_WHOLE] = read_whole,       [SCHEMA_WORD] = read_word,
        [SCHEMA_STRING] = read_string,     [SCHEMA_STRINGS] = read_strings,
        [SCHEMA_ARGV] = read_argv,         [SCHEMA_SCRIPT] = read_script,
        [SCHEMA_COMMAND] = read_command,   [SCHEMA_URL] = read_url,
        [SCHEMA_URLS] = read_urls,         [SCHEMA_SHA256] = read_digest,
        [SCHEMA_DIGEST] = read_digest,     [SCHEMA_VARIABLES] = read_variables,
        [SCHEMA_HEADERS] = read_headers,   [SCHEMA_NEEDS] = read_needs,
        [SCHEMA_POOLS] = read_pools,       [SCHEMA_POOL_SIZES] = read_pool_sizes,
        [SCHEMA_RETRY] = read_retry,       [SCHEMA_EXITS] = read_exits,
        [SCHEMA_READY] = read_ready,       [SCHEMA_STDIN] = read_stdin,
        [SCHEMA_EACH] = read_each,         [SCHEMA_NAME] = read_name,
        [SCHEMA_TASK] = read_do,           [SCHEMA_TASKS] = read_tasks,
        [SCHEMA_DEFAULTS] = read_defaults,
    };
    readers[field->key->type](field);
}
