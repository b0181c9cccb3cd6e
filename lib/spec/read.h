/*
 * read.h - from JSON to the structs of spec.h, by the tables of schema.h.
 *
 * read.c goes through objects and tasks, fields.c and parts.c have a reader for each
 * type of value. A reader that lacks memory marks the reading and goes on.
 */
#ifndef AJOB_SPEC_READ_H
#define AJOB_SPEC_READ_H

#include "spec/json.h"
#include "spec/reading.h"
#include "spec/schema.h"

/* An object that is being read, and the structs that its keys go into. */
struct scope {
    struct ajob_spec *spec;
    const struct json *json;
    const struct schema_object *object;
    struct spec_task *task; /* that it is, or belongs to; NULL at the top */
    const char *part;       /* its key: "retry"; NULL if it is a task or the top */
    unsigned kinds;         /* the task's kind as a bit, or 0 */
    struct spec_more *more; /* NULL: the task's, made when needed */
    void *payload, *whole;  /* IN_PAYLOAD, IN_PART */
    uint64_t seen;          /* bits of rows */
    uint32_t seen_at[SCHEMA_KEYS_MAX];
};

/* One member of it. */
struct field {
    struct scope *scope;
    const struct schema_key *key;
    const cJSON *node;
};

/* Where the value and its key stand in the text. */
uint32_t field_at(const struct scope *scope, const cJSON *node);
uint32_t field_key_at(const struct scope *scope, const cJSON *node);

/* Reads all members of an object; what is required and missing is a mistake. */
void read_object(struct scope *scope, const cJSON *node);

/* Reads a value into the place of its row. */
void read_field(const struct field *field);

/* Where the value goes, or NULL on lack of memory. */
void *field_to(const struct field *field);

/* The same, and the key's value counts as given. */
void *field_given(const struct field *field);

/* "..." must be ..., not ...; node: the value, or an element of it. */
void field_wrong(const struct field *field, const cJSON *node);
void field_error(const struct field *field, const cJSON *node, const char *hint, const char *format,
                 ...) __attribute__((format(printf, 4, 5)));

/* `in task "tests/unit"`, `in "retry" of task "a"`, `at the top`; in a buffer. */
enum { WHERE_SIZE = 256 };
const char *scope_where(const struct scope *scope, char buffer[WHERE_SIZE]);

/* A copy of a string node that may be replaced in. */
struct spec_string field_string(const struct field *field, const cJSON *node);

/* A number as it is written in the text, in the spec's arena. */
char *field_literal(const struct field *field, const cJSON *node);

/* A whole number between min and max: false after a mistake. */
bool field_whole(const struct field *field, const cJSON *node, int64_t min, int64_t max,
                 int64_t *ret_value);

/* The readers of numbers.c. */
void read_duration(const struct field *field);
void read_size(const struct field *field);
void read_count(const struct field *field);
void read_segments(const struct field *field);
void read_whole(const struct field *field);
void read_factor(const struct field *field);

/* The readers of parts.c. */
void read_variables(const struct field *field);
void read_headers(const struct field *field);
void read_needs(const struct field *field);
void read_pools(const struct field *field);
void read_pool_sizes(const struct field *field);
void read_retry(const struct field *field);
void read_exits(const struct field *field);
void read_ready(const struct field *field);
void read_stdin(const struct field *field);
void read_name(const struct field *field);
void read_each(const struct field *field);

/* Those of read.c and defaults.c. */
void read_tasks(const struct field *field);
void read_do(const struct field *field);
void read_defaults(const struct field *field);

/* Gives the task what `defaults` say and it does not. (defaults.c) */
void defaults_apply(struct scope *scope);

#endif
