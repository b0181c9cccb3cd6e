/*
 * reading.h - what is known of a spec only until it is checked: the text, the
 * names that tasks need each other by, the strings with ${} in them, mistakes.
 *
 * read.c (from JSON) and ajob_spec_add() (from arguments) make tasks and say what
 * they want; resolve.c finds out what that is.
 */
#ifndef AJOB_SPEC_READING_H
#define AJOB_SPEC_READING_H

#include "spec/arena.h"
#include "spec/json.h"
#include "spec/mistakes.h"
#include "spec/names.h"
#include "spec/spec.h"

/* A task that is wanted by name. */
struct want {
    enum want_type { WANT_NEED, WANT_STDIN, WANT_LINES } type;
    uint32_t at; /* of the name */
    struct spec_task *task;
    const char *name;
};

/* A string with ${} in it. */
struct use {
    struct spec_task *task; /* NULL: at the top */
    struct spec_string string;
};

struct setting { /* ajob_spec_set() */
    const char *name, *value;
    struct setting *next;
};

struct argument { /* what a task was made from */
    const struct spec_task *task;
    const char *text;
    struct argument *next;
};

/* What `defaults` say; of use while tasks are read. */
struct defaults {
    struct spec_more more;
    struct spec_command command;             /* leaves_leftovers */
    uint64_t seen;                           /* bits of schema_task's rows */
    struct spec_more *shared[SPEC_EACH + 1]; /* for tasks of a kind that say nothing themselves */
};

struct spec_reading {
    char *file, *text; /* text has a NUL after its length */
    uint32_t length;
    bool is_parsed, is_resolved;
    bool has_no_memory; /* something is missing */
    struct mistakes mistakes;
    struct names names;
    struct defaults defaults;
    struct arena scratch; /* the names of wants */
    struct want *wants;
    uint32_t want_count, want_space;
    struct use *uses;
    uint32_t use_count, use_space;
    struct setting *settings;
    struct argument *arguments;
};

/* A task without a kind yet (SPEC_JOIN) at the end of its group (parent NULL: the
 * top); an `each` takes one without a name. Tasks come in the order of the tree,
 * and are numbered so. Says and returns NULL if the name is
 * no name or is taken; NULL on lack of memory, too. */
struct spec_task *reading_add_task(struct ajob_spec *spec, struct spec_task *parent,
                                   const char *name, uint32_t at);

/* The task's options, made when they are first asked for; NULL on lack of memory. */
struct spec_more *reading_more(struct ajob_spec *spec, struct spec_task *task);

/* The task of this name is wanted; it may come later. */
void reading_want(struct ajob_spec *spec, struct spec_task *task, enum want_type type,
                  const char *name, uint32_t at);

/* The string may have ${} in it: what it uses is then a need of the task. */
void reading_use(struct ajob_spec *spec, struct spec_task *task, struct spec_string string);

/* The argument that a task (or the one around it) came from, or NULL. */
const char *reading_argument(const struct ajob_spec *spec, const struct spec_task *task);

/* Finds what is wanted and used, and checks all that can be checked only then. Once,
 * unless something was added. */
void spec_resolve(struct ajob_spec *spec);

/* The parts of it: cycles.c, uses.c, sense.c. */
void spec_find_cycles(struct ajob_spec *spec);
void spec_check_use(struct ajob_spec *spec, const struct use *use);
void spec_check_sense(struct ajob_spec *spec);

/* A need that follows from what the task uses, unless it has it already. The task
 * may be deep in the `do` of an each: then it is the each that needs. */
void spec_add_need(struct ajob_spec *spec, struct spec_task *task, struct spec_task *need,
                   bool is_start);

/* The task of a path from the top, "tests/unit", or NULL. */
struct spec_task *spec_find_path(const struct ajob_spec *spec, const char *path);

/* The names that can be meant where `from` stands, for "did you mean". */
const char *spec_nearest(const struct ajob_spec *spec, const struct spec_task *from,
                         const char *name);

/* Of bytes in a name, and in a path of JSON_DEPTH_MAX of them. */
enum { SPEC_NAME_MAX = 200, SPEC_PATH_MAX = JSON_DEPTH_MAX * (SPEC_NAME_MAX + 1) };

/* name is one: letters, digits, '_', '-' and '.', not too many. */
bool spec_is_name(const char *name);

#endif
