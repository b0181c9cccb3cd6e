/*
 * spec.h - a task graph as it was written: names, options, places in the text.
 *
 * What reading makes of the text (read.c, resolve.c) and what building, drawing
 * and resuming use. A spec is memory only: no loop, no tasks. Everything in it
 * is in one arena and lives as long as the spec; 100,000 small tasks must fit
 * in some 20 MiB, so what few tasks have is behind `more`.
 */
#ifndef AJOB_SPEC_SPEC_H
#define AJOB_SPEC_SPEC_H

#include "ajob.h"
#include "base/text.h"

enum spec_kind {
    SPEC_JOIN, /* no work: succeeds when its needs have */
    SPEC_EXEC,
    SPEC_SH,
    SPEC_GET,
    SPEC_RELEASE,
    SPEC_SLEEP,
    SPEC_SERVICE,
    SPEC_GROUP,
    SPEC_EACH,
};

/* Where something stands in the text: a byte offset, or SPEC_NOWHERE (it came
 * from an argument). */
enum { SPEC_NOWHERE = UINT32_MAX };

/* A string that may have ${...} and $$ in it (value.h). text NULL: not given. */
struct spec_string {
    const char *text;
    uint32_t at;
};

struct spec_strings {
    struct spec_string *items;
    uint32_t count;
};

struct spec_need {
    struct spec_task *task;
    bool is_start; /* the lines of an `each` come from it: only its start is awaited */
};

/* NAME=value; value.text NULL: NAME is removed from the environment. */
struct spec_variable {
    const char *name;
    struct spec_string value;
};
struct spec_variables {
    struct spec_variable *items;
    uint32_t count;
};

struct spec_pool {
    const char *name;
    unsigned size;
};
struct spec_pool_use {
    const struct spec_pool *pool;
    unsigned count;
};

/* exec, sh, service */
struct spec_command {
    struct spec_strings argv;      /* exec, service with a list */
    struct spec_string script;     /* sh, service with a string: never expanded */
    struct spec_string stdin_path; /* or stdin_task, or neither */
    struct spec_task *stdin_task;
    bool leaves_leftovers;
    enum ajob_readiness ready; /* service */
    int ready_fd;
    struct spec_string ready_text; /* never expanded with `line`: a `$` is its own there */
    struct spec_strings ready_argv;
    uint64_t ready_interval_ms;
};

struct spec_get {
    struct spec_string url, digest;
    struct spec_string to; /* the file; NULL: the URL's name in the task's dir */
    struct spec_strings mirrors;
    struct spec_variables headers;
};

struct spec_release {
    struct spec_string repository, tag; /* tag NULL: the latest */
    struct spec_strings assets, exclude;
    bool all, flat, prerelease, require_digest;
};

struct spec_each {
    struct spec_strings items; /* a list, or */
    bool is_range;
    int64_t from, to, step;  /* a range, both ends included, or */
    struct spec_task *lines; /* the task whose lines are the items */
};

/* What few tasks have; zero means not given. */
struct spec_more {
    const char *description;
    uint64_t timeout_ms, attempt_timeout_ms;
    ajob_retry retry;
    bool has_timeout, has_attempt_timeout, has_retry;
    bool is_shielded, allow_failure;
    enum ajob_when when;
    enum ajob_policy policy;   /* group, each, release */
    unsigned limit;            /* group, each */
    unsigned segments;         /* get, release; 0: auto */
    bool fsync;                /* get, release */
    struct spec_string dir;    /* of this task; NULL: that of the task around it */
    struct spec_variables env; /* of this task, after those of the tasks around it */
    struct spec_pool_use *pools;
    uint32_t pool_count;
};

struct spec_task {
    struct spec_task *parent;       /* the group or each around it; NULL at the top */
    struct spec_task *next;         /* in its group */
    struct spec_task *first, *last; /* group: the tasks in it; each: its `do`, alone */
    const char *name;               /* at most 200 bytes; NULL: the `do` of an each */
    uint32_t at;                    /* its key */
    uint8_t kind;                   /* enum spec_kind */
    bool is_selected;               /* it is to run (ajob_spec_select; else all are) */
    bool keeps_stdout;              /* something uses what it prints */
    uint32_t need_count;
    struct spec_need *needs; /* those written and those that follow from uses */
    struct spec_more *more;  /* or NULL; by `defaults` shared with other tasks */
    union {
        struct spec_command *command;
        struct spec_get *get;
        struct spec_release *release;
        struct spec_each *each;
        uint64_t sleep_ms;
    };
    uint32_t number; /* in the order of the tree, from 0 */
    uint32_t place;  /* while building: in the order of needs, with keys */
};

struct ajob_spec {
    struct arena *arena;            /* of spec_alloc() and spec_copy() */
    struct spec_task *first, *last; /* the top */
    uint32_t task_count;            /* at every depth, `do`s included */
    enum ajob_policy policy;
    struct spec_variables env;
    struct spec_pool **pools;
    uint32_t pool_count;
    ajob_spec_top top;
    bool has_selection;
    struct spec_reading *reading; /* text, names, mistakes: reading.h */
    struct journal *journal;      /* what an earlier run has done; NULL: none (journal.c) */
    struct text error;
};

/* The task that a name means where `from` stands: one in the same group or a
 * group around it; NULL if there is none. from NULL: at the top. */
struct spec_task *spec_find(const struct ajob_spec *spec, const struct spec_task *from,
                            const char *name, size_t length);

/* The value of ${var.NAME}, or NULL. */
const char *spec_var(const struct ajob_spec *spec, const char *name, size_t length);

/* Memory of the spec's arena, zeroed; NULL on lack of it. */
void *spec_alloc(struct ajob_spec *spec, size_t size);
char *spec_copy(struct ajob_spec *spec, const char *text, size_t length);

/* Sets ajob_spec_error() and returns code. */
int spec_fail(struct ajob_spec *spec, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Depth first, in the order of the text: the task after this one, NULL at the end. */
struct spec_task *spec_next(const struct spec_task *task);

/* "tests/unit"; appended. */
void spec_path(const struct spec_task *task, struct text *path);

/* It has a spec_command: exec, sh, service. */
bool spec_is_command(const struct spec_task *task);

/* Its `when` is another than success. */
bool spec_is_finalizer(const struct spec_task *task);

/* How many items an each has; false if only its run tells. */
bool spec_count_items(const struct spec_each *each, uint64_t *ret_count);

/* "exec", "sh", ... */
const char *spec_kind_name(enum spec_kind kind);

#endif
