/*
 * schema.h - every key of a spec, in tables.
 *
 * A row says a key's name, what its value must be, where that goes and which kinds
 * of task have it. From these come reading (read.c), "unknown key" and "must be",
 * and the JSON Schema (schema_print.c). A type's reader is in fields.c,
 * parts.c or read.c.
 */
#ifndef AJOB_SPEC_SCHEMA_H
#define AJOB_SPEC_SCHEMA_H

#include "spec/spec.h"

/* Types of values: name, what a message says it must be, and what the JSON Schema
 * says (a literal; NULL: schema_print.c makes it from the row). */
#define SCHEMA_TYPES(X)                                                                            \
    X(ANYTHING, "anything", "{}")                                                                  \
    X(TEXT, "a string", "{\"type\":\"string\"}")                                                   \
    X(BOOL, "true or false", "{\"type\":\"boolean\"}")                                             \
    X(FALSE, "true or false", "{\"type\":\"boolean\"}") /* stored inverted */                      \
    X(DURATION, "a duration such as \"30s\"", "{\"$ref\":\"#/definitions/duration\"}")             \
    X(INTERVAL, "a duration such as \"30s\"", "{\"$ref\":\"#/definitions/duration\"}") /* not 0 */ \
    X(SIZE, "a size such as \"2M\"", "{\"$ref\":\"#/definitions/size\"}") /* in bytes, not 0 */    \
    X(SEGMENTS, "a whole number from 1 to 16, or \"auto\"",                                        \
      "{\"$ref\":\"#/definitions/segments\"}")                                                     \
    X(COUNT, "a whole number", NULL)                                                               \
    X(FACTOR, "a number from 1", "{\"type\":\"number\",\"minimum\":1,\"maximum\":1000}")           \
    X(WHOLE, "a whole number", "{\"type\":\"integer\"}")                                           \
    X(WORD, "a word", NULL)                                                                        \
    X(STRING, "a string", "{\"type\":\"string\",\"minLength\":1}")                                 \
    X(STRINGS, "a string or a list of strings", "{\"$ref\":\"#/definitions/strings\"}")            \
    X(ARGV, "a list of strings: a program and its arguments", "{\"$ref\":\"#/definitions/argv\"}") \
    X(SCRIPT, "a string or a list of lines", "{\"$ref\":\"#/definitions/script\"}")                \
    X(COMMAND, "a list of strings, or a script as a string",                                       \
      "{\"$ref\":\"#/definitions/command\"}")                                                      \
    X(URL, "a URL", "{\"type\":\"string\",\"minLength\":1}")                                       \
    X(URLS, "a URL or a list of URLs", "{\"$ref\":\"#/definitions/strings\"}")                     \
    X(SHA256, "64 hexadecimal digits", "{\"$ref\":\"#/definitions/sha256\"}")                      \
    X(DIGEST, "a digest such as \"sha256:...\"", "{\"$ref\":\"#/definitions/digest\"}")            \
    X(VARIABLES, "an object of names and values", "{\"$ref\":\"#/definitions/env\"}")              \
    X(HEADERS, "an object of names and values", "{\"$ref\":\"#/definitions/headers\"}")            \
    X(NEEDS, "the name of a task, or a list of them", "{\"$ref\":\"#/definitions/needs\"}")        \
    X(POOLS, "the name of a pool, a list of them, or an object of names and counts",               \
      "{\"$ref\":\"#/definitions/pools\"}")                                                        \
    X(POOL_SIZES, "an object of names and sizes", "{\"$ref\":\"#/definitions/poolSizes\"}")        \
    X(RETRY, "a number of further tries, from 0 to 1000, or an object",                            \
      "{\"$ref\":\"#/definitions/retry\"}")                                                        \
    X(EXITS, "an exit code, or a list of them", "{\"$ref\":\"#/definitions/exits\"}")              \
    X(READY, "an object such as {\"tcp\": \"127.0.0.1:80\"}",                                      \
      "{\"$ref\":\"#/definitions/ready\"}")                                                        \
    X(STDIN, "a path, or {\"task\": NAME}", "{\"$ref\":\"#/definitions/stdin\"}")                  \
    X(EACH, "a list, a range or {\"lines\": NAME}", "{\"$ref\":\"#/definitions/each\"}")           \
    X(NAME, "the name of a task", "{\"$ref\":\"#/definitions/name\"}")                             \
    X(TASK, "a task", "{\"$ref\":\"#/definitions/doTask\"}")                                       \
    X(TASKS, "an object of tasks", "{\"$ref\":\"#/definitions/tasks\"}")                           \
    X(DEFAULTS, "an object of options", "{\"$ref\":\"#/definitions/defaults\"}")

enum schema_type {
#define X(name, expected, schema) SCHEMA_##name,
    SCHEMA_TYPES(X)
#undef X
        SCHEMA_TYPE_COUNT
};

/* What a value must be, for messages. */
extern const char *const schema_expected[SCHEMA_TYPE_COUNT];

/* The struct that a value goes into. */
enum schema_place {
    IN_NOTHING,
    IN_TASK,
    IN_MORE,
    IN_PAYLOAD, /* what the task's kind has: spec_command, spec_get, ... */
    IN_PART,    /* what the object is about: the spec, a retry, ... */
    SCHEMA_PLACE_COUNT
};

struct schema_word {
    const char *name; /* NULL ends the list */
    int value;
};

enum {
    IS_KIND = 1,          /* the key makes the task one of this kind */
    IS_REQUIRED = 2,      /* of its object */
    HAS_VALUES = 4,       /* ${} is replaced in it */
    IN_DEFAULTS = 8,      /* `defaults` may have it, too */
    IS_ALIAS = 16,        /* of the row before it: not both */
    NOT_WITH_OTHERS = 32, /* one such key at most in its object */
};

struct schema_key {
    const char *name; /* NULL ends a table */
    const char *help; /* a capital first, no full stop last */
    const struct schema_word *words;
    enum schema_type type;
    enum schema_place place;
    size_t at;       /* its offsetof() there */
    size_t given_at; /* of a bool that says that it is given, or 0 */
    unsigned kinds;  /* bits of enum spec_kind; 0 outside of tasks */
    unsigned flags;
    unsigned min, max; /* of COUNT */
};

struct schema_object {
    const char *name; /* "task", "retry": in the JSON Schema, and in messages */
    const char *help;
    const struct schema_key *keys;
};

enum { SCHEMA_KEYS_MAX = 64 }; /* of one object */

extern const struct schema_object schema_top, schema_task, schema_retry, schema_ready, schema_range,
    schema_lines, schema_stdin;

/* The row of a key, or NULL. */
const struct schema_key *schema_find(const struct schema_object *object, const char *name);

/* What can be meant by a key that is none; kind 0: any. */
const char *schema_nearest(const struct schema_object *object, unsigned kinds, const char *name);

/* A key that all objects may have: "$schema", "$comment", "x-..."; and those of them
 * that are none of the names that people choose, as those of tasks and headers are. */
bool schema_is_ignored(const char *name);
bool schema_is_comment(const char *name);

/* The type's own piece of it, or NULL. */
extern const char *const schema_texts[SCHEMA_TYPE_COUNT];

#endif
