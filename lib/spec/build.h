/*
 * build.h - from a spec to tasks: what the files of building share.
 *
 *     build.c          the tree: scopes, groups, edges
 *     build_task.c     one task of the spec becomes one on the loop
 *     build_values.c   its options, with their values
 *     build_keys.c     its key
 *     build_resume.c   what an earlier run has done
 *     each.c           the tasks of an each, made while it runs
 *
 * A *scope* is what is made together: the top of the spec, or the `do` of an each
 * for one item. A task of the spec has become one task in each scope that it is in.
 */
#ifndef AJOB_SPEC_BUILD_H
#define AJOB_SPEC_BUILD_H

#include "core/loop.h"
#include "core/task.h"
#include "spec/arena.h"
#include "spec/spec.h"

enum { KEY_SIZE = 65 }; /* a SHA-256 in hex, with its NUL */

/* Of one call of ajob_spec_build(); lives as long as the loop. */
struct builder {
    struct loop_module module;
    struct ajob_loop *loop;
    struct ajob_spec *spec;
    ajob_spec_options options; /* its strings are copies of the spec's */
    ajob_pool **pools;         /* as spec->pools */
    struct scope *top;
    struct spec_task **tasks; /* by number */
    uint8_t *stdout_uses;     /* by number: how many use what it prints; 2: or more */
    bool *is_streamed;        /* by number: an each reads what it prints while it runs */
    char (*keys)[KEY_SIZE];   /* by number; NULL: none are wanted */
    struct spec_task **order; /* each after what it needs and what is in it; with keys */
    struct text cause;        /* of the last attempt that could not be prepared */
};

/* What an earlier run means for a task. */
struct resumed {
    bool is_used_again; /* what it prints is used by what will run: so it runs, too */
    bool is_done;
};

/* A task whose options are known only when what it needs has ended. */
struct late {
    struct late *next;
    struct scope *scope;
    const struct spec_task *spec;
};

struct scope {
    struct builder *builder;
    struct scope *parent;         /* around it; NULL: this is the top */
    struct scope *next, **link;   /* among those of an each; what points here */
    const struct spec_task *from; /* the `do`; NULL: the top */
    char *item;                   /* NULL: the top */
    char items_key[KEY_SIZE];     /* of this item and those around it; meaningful with keys */
    struct resumed *resumed;      /* as tasks; NULL: there is no earlier run */
    struct late *lates;
    uint32_t first, count; /* the numbers of the tasks of the spec */
    ajob_task *tasks[];    /* NULL: not in this scope, or not selected */
};

/* ---- build.c ----------------------------------------------------------------- */

/* A scope for a `do` and an item, with its task, not in a group yet. NULL with
 * ajob_error() set. */
struct scope *scope_build(struct scope *parent, const struct spec_task *from, const char *item);
void scope_free(struct scope *scope);

/* The task is one of this scope, at any depth. */
bool scope_has(const struct scope *scope, const struct spec_task *task);

/* The task that a task of the spec has become, here or around here; NULL: none. As
 * expand_source.find. */
ajob_task *scope_find(const void *scope, const struct spec_task *task);

/* The scope of this one and those around it that the task is in. */
const struct scope *scope_of(const struct scope *scope, const struct spec_task *task);

/* How many tasks there are from this one to the last in it. */
uint32_t build_count(const struct builder *builder, const struct spec_task *task);

/* ajob_error() becomes "task a/b: error". */
int build_fail(const struct builder *builder, const struct spec_task *task, const char *error);

/* ---- build_task.c ------------------------------------------------------------- */

struct values;

/* Makes the task; NULL with ajob_error() set. */
ajob_task *build_task(struct scope *scope, const struct spec_task *task);

/* Finds what is wrong with the options before what they use is known. False, with
 * the error, if there is something. */
bool build_rehearse(struct values *values);

/* ---- build_values.c ------------------------------------------------------------ */

/* The options of one task, with their values; the memory is one arena. */
struct values {
    const struct scope *scope;
    const struct spec_task *task;
    struct arena memory;
    struct text error; /* what is wrong, or empty */
    bool is_rehearsal; /* what tasks have made is not known yet: it stands for itself */
};

/* The same after an error, and for a task that could not be made: values_done() is owed. */
void values_begin(struct values *values, const struct scope *scope, const struct spec_task *task);
void values_done(struct values *values);

/* Each fills in options. False: there is an error. */
bool values_command(struct values *values, ajob_exec_options *options);
bool values_ready(struct values *values, ajob_ready_options *options);
bool values_get(struct values *values, ajob_download_options *options);
bool values_release(struct values *values, ajob_release_options *options);

/* An item of the list of an each; NULL: there is an error. */
const char *values_item(struct values *values, uint32_t index);

/* The text of a string that stands in `from`; NULL stays NULL; NULL on an error. */
const char *values_text(struct values *values, const struct spec_task *from,
                        const struct spec_string *string);

/* "NAME=value" and "NAME", from the top to the task, NULL-terminated. NULL: an error. */
const char *const *values_env(struct values *values);

/* The directory of the task; NULL: where ajob was started, or an error. */
const char *values_dir(struct values *values);

/* Calls visit with every string of the task's own that is expanded. label tells what
 * it is, name which of those (a variable's; else NULL). */
typedef void values_visit_fn(const char *label, const char *name, const struct spec_string *string,
                             void *data);
void values_visit(const struct spec_task *task, values_visit_fn *visit, void *data);

/* Something in the options of the task, or in what it inherits, is late. */
bool values_are_late(const struct spec_task *task);

/* ---- build_keys.c -------------------------------------------------------------- */

/* Keys for all tasks. */
int keys_make(struct builder *builder);

/* A key from two texts; NULL is one of its own. */
int keys_combine(const struct builder *builder, const char *first, const char *second,
                 char key[KEY_SIZE]);

/* ---- build_resume.c ------------------------------------------------------------- */

/* Finds out what of the scope is done, before its tasks are made. */
int resume_scope(struct scope *scope);

/* Gives the task, which has been made, its key, and says that it is done if so. */
int resume_task(const struct scope *scope, const struct spec_task *spec, ajob_task *task);

#endif
