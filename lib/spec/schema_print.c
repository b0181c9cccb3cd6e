/*
 * schema_print.c - the JSON Schema (draft-07) of specs, from the tables of
 * schema.h.
 *
 * It says what can be said without looking anything up: names of tasks and pools,
 * cycles and ${} are beyond it. What types refer to is written out here.
 */
#include "base/mem.h"
#include "spec/schema.h"

#define NAME_PATTERN "^[A-Za-z0-9_][A-Za-z0-9_.-]*$"
#define COMMENT_PATTERN "^\\\\$(schema|comment)$"
#define IGNORED_PATTERN "^(x-.*|\\\\$schema|\\\\$comment)$"
#define DURATION_PART "[0-9]+(\\\\.[0-9]+)?"
#define REF(name) "{\"$ref\":\"#/definitions/" name "\"}"
#define ONE_OR_MORE(one, more)                                                                     \
    "{\"anyOf\":[" one ",{\"type\":\"array\"," more "\"items\":" one "}]}"
/* An object whose keys are names that people choose. */
#define MAP(pattern, value)                                                                        \
    "{\"type\":\"object\",\"patternProperties\":{\"" COMMENT_PATTERN "\":{}},"                     \
    "\"additionalProperties\":" value ",\"propertyNames\":{\"anyOf\":[{\"pattern\":\"" pattern     \
    "\",\"maxLength\":200},{\"pattern\":\"" COMMENT_PATTERN "\"}]}}"
#define FILLED "{\"type\":\"string\",\"minLength\":1}"

static const struct {
    const char *name, *text;
} definitions[] = {
    {"name", "{\"type\":\"string\",\"pattern\":\"" NAME_PATTERN "\",\"maxLength\":200}"},
    {"duration", "{\"anyOf\":[{\"type\":\"number\",\"minimum\":0,\"maximum\":31536000},"
                 "{\"type\":\"string\",\"pattern\":\"^(" DURATION_PART "|(?=.)"
                 "(" DURATION_PART "d)?(" DURATION_PART "h)?(" DURATION_PART "m)?"
                 "(" DURATION_PART "s)?(" DURATION_PART "ms)?)$\"}]}"},
    {"size", "{\"anyOf\":[{\"type\":\"integer\",\"minimum\":1,\"maximum\":9007199254740992},"
             "{\"type\":\"string\",\"pattern\":\"^0*[1-9][0-9]*[KMGTkmgt]?$\"}]}"},
    {"segments", "{\"anyOf\":[{\"type\":\"integer\",\"minimum\":1,\"maximum\":16},"
                 "{\"const\":\"auto\"}]}"},
    {"strings", ONE_OR_MORE(FILLED, "")},
    {"argv", "{\"type\":\"array\",\"minItems\":1,\"items\":{\"type\":\"string\"}}"},
    {"script", ONE_OR_MORE("{\"type\":\"string\"}", "\"minItems\":1,")},
    {"command", "{\"anyOf\":[" FILLED "," REF("argv") "]}"},
    {"sha256", "{\"type\":\"string\",\"pattern\":\"^[0-9A-Fa-f]{64}$|\\\\$\"}"},
    {"digest",
     "{\"type\":\"string\",\"pattern\":\"^((sha512:)?[0-9A-Fa-f]{128}|(sha256:)?[0-9A-Fa-f]{64}|"
     "(sha1:)?[0-9A-Fa-f]{40}|(md5:)?[0-9A-Fa-f]{32})$|\\\\$\"}"},
    {"env", MAP("^[^=]+$", "{\"type\":[\"string\",\"number\",\"null\"]}")},
    {"headers", MAP("^[-!#$%&'*+.^_`|~0-9A-Za-z]+$", "{\"type\":\"string\"}")},
    {"needs", ONE_OR_MORE(REF("name"), "")},
    {"poolSizes", MAP(NAME_PATTERN, "{\"type\":\"integer\",\"minimum\":1,\"maximum\":1000000}")},
    {"pools", "{\"anyOf\":[" REF("name") ",{\"type\":\"array\",\"items\":" REF("name") "}," REF(
                  "poolSizes") "]}"},
    {"exits",
     ONE_OR_MORE("{\"type\":\"integer\",\"minimum\":1,\"maximum\":255}", "\"minItems\":1,")},
    {"tasks", MAP(NAME_PATTERN, REF("task"))},
    {"doTask", "{\"allOf\":[" REF(
                   "task") ",{\"not\":{\"type\":\"object\",\"anyOf\":[{\"required\":[\"needs\"]},"
                           "{\"required\":[\"when\"]}]}}]}"},
};

/* ---- one row ---------------------------------------------------------------- */

static void add_quoted(struct text *text, const char *string) {
    text_add_char(text, '"');
    text_add_json(text, string, strlen(string));
    text_add_char(text, '"');
}

static void add_property(struct text *text, const struct schema_key *key) {
    add_quoted(text, key->name);
    text_add(text, ":{\"description\":");
    add_quoted(text, key->help);
    if (key->type == SCHEMA_COUNT) {
        text_format(text, ",\"type\":\"integer\",\"minimum\":%u,\"maximum\":%u}", key->min,
                    key->max);
    } else if (key->type == SCHEMA_WORD) {
        text_add(text, ",\"enum\":[");
        for (const struct schema_word *word = key->words; word->name; word++) {
            text_add(text, word == key->words ? "" : ",");
            add_quoted(text, word->name);
        }
        text_add(text, "]}");
    } else {
        text_add_char(text, ',');
        text_add(text, schema_texts[key->type] + 1);
    }
}

/* ---- what keys say of each other --------------------------------------------- */

/* {"required":["a"]},{"required":["b"]} of the keys of these kinds, but one. */
static void add_kinds(struct text *text, unsigned kinds, const struct schema_key *but) {
    bool is_first = true;
    for (const struct schema_key *key = schema_task.keys; key->name; key++) {
        if (!(key->flags & IS_KIND) || !(key->kinds & kinds) || key == but)
            continue;
        text_format(text, "%s{\"required\":[\"%s\"]}", is_first ? "" : ",", key->name);
        is_first = false;
    }
}

/* The key of a kind that the kind must have, too. */
static void add_companions(struct text *text, const struct schema_key *kind) {
    for (const struct schema_key *key = schema_task.keys; key->name; key++)
        if (key->flags & IS_REQUIRED && key->kinds == kind->kinds)
            text_format(text, ",\"required\":[\"%s\"]", key->name);
}

static void add_dependencies(struct text *text) {
    const unsigned all = (2u << SPEC_EACH) - 1, join = 1u << SPEC_JOIN;
    bool is_first = true;
    text_add(text, ",\"dependencies\":{");
    for (const struct schema_key *key = schema_task.keys; key->name; key++) {
        bool is_alias = key->flags & IS_ALIAS;
        if (key->kinds == all)
            continue;
        text_format(text, "%s\"%s\":{", is_first ? "" : ",", key->name);
        is_first = false;
        if (is_alias)
            text_format(text, "\"not\":{\"required\":[\"%s\"]},", key[-1].name);
        if (key->flags & IS_KIND) {
            text_add(text, "\"not\":{\"anyOf\":[");
            add_kinds(text, all, key);
            text_add(text, "]}");
            add_companions(text, key);
        } else {
            text_add(text, key->kinds & join ? "\"not\":{\"anyOf\":[" : "\"anyOf\":[");
            add_kinds(text, key->kinds & join ? ~key->kinds : key->kinds, NULL);
            text_add(text, key->kinds & join ? "]}" : "]");
        }
        text_add_char(text, '}');
    }
    text_add_char(text, '}');
}

/* One of these keys, and only one. */
static void add_choice(struct text *text, const struct schema_object *object) {
    bool has_any = false;
    for (const struct schema_key *key = object->keys; key->name; key++) {
        if (!(key->flags & NOT_WITH_OTHERS))
            continue;
        text_format(text, "%s{\"required\":[\"%s\"]}", has_any ? "," : ",\"oneOf\":[", key->name);
        has_any = true;
    }
    text_add(text, has_any ? "]" : "");
}

/* ---- objects ------------------------------------------------------------------ */

/* The members of an object's schema, without its braces. */
static void add_object(struct text *text, const struct schema_object *object, bool is_defaults) {
    bool is_task = object == &schema_task, is_first = true, has_required = false;
    text_add(text, "\"type\":\"object\",\"description\":");
    add_quoted(text, is_defaults ? "Options of all tasks that are work" : object->help);
    text_add(text, ",\"properties\":{");
    for (const struct schema_key *key = object->keys; key->name; key++) {
        if (is_defaults && !(key->flags & IN_DEFAULTS))
            continue;
        text_add(text, is_first ? "" : ",");
        add_property(text, key);
        is_first = false;
    }
    text_add(text,
             "},\"patternProperties\":{\"" IGNORED_PATTERN "\":{}},\"additionalProperties\":false");
    for (const struct schema_key *key = object->keys; key->name; key++) {
        if (!(key->flags & IS_REQUIRED) || is_task)
            continue;
        text_format(text, "%s\"%s\"", has_required ? "," : ",\"required\":[", key->name);
        has_required = true;
    }
    text_add(text, has_required ? "]" : "");
    add_choice(text, object);
    if (is_task && !is_defaults)
        add_dependencies(text);
}

/* A definition of an object, or of what may stand for it. */
static void define(struct text *text, const char *name, const char *others,
                   const struct schema_object *object) {
    text_format(text, ",\n    \"%s\":{%s", name, others ? "\"anyOf\":[" : "");
    text_add(text, others ? others : "");
    text_add(text, others ? ",{" : "");
    add_object(text, object, strcmp(name, "defaults") == 0);
    text_add(text, others ? "}]}" : "}");
}

static void add_each(struct text *text) {
    text_add(text,
             ",\n    \"each\":{\"anyOf\":[{\"type\":\"array\",\"items\":{\"type\":[\"string\","
             "\"number\"]}},{");
    add_object(text, &schema_range, false);
    text_add(text, "},{");
    add_object(text, &schema_lines, false);
    text_add(text, "}]}");
}

const char *ajob_spec_schema(void) {
    enum { SCHEMA_SIZE_MAX = 256 * 1024 };
    static char *made;
    struct text text = TEXT_INIT(SCHEMA_SIZE_MAX);
    if (made)
        return made;
    text_add(&text, "{\n  \"$schema\":\"http://json-schema.org/draft-07/schema#\",\n"
                    "  \"title\":\"ajob spec\",\n  ");
    add_object(&text, &schema_top, false);
    text_add(&text, ",\n  \"definitions\":{");
    for (size_t i = 0; i < sizeof definitions / sizeof definitions[0]; i++)
        text_format(&text, "%s\n    \"%s\":%s", i ? "," : "", definitions[i].name,
                    definitions[i].text);
    define(&text, "task", FILLED, &schema_task);
    define(&text, "retry", "{\"type\":\"integer\",\"minimum\":0,\"maximum\":1000}", &schema_retry);
    define(&text, "ready", NULL, &schema_ready);
    define(&text, "stdin", FILLED, &schema_stdin);
    define(&text, "defaults", NULL, &schema_task);
    add_each(&text);
    text_add(&text, "\n  }\n}\n");
    if (text_ok(&text))
        made = text.data;
    else
        text_done(&text);
    return made;
}
