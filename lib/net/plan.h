/*
 * plan.h - what a download brings from where to where: its options, checked.
 */
#ifndef AJOB_NET_PLAN_H
#define AJOB_NET_PLAN_H

#include <stdint.h>

#include "ajob.h"
#include "net/digest.h"
#include "net/dir.h"

struct host;
struct profile;

/* A URL that has the file. */
struct source {
    char *url;
    struct profile *profile; /* without the secrets of the first one, on another origin */
    struct host *host;
    /* Until each has been tried: */
    bool has_failed;  /* an attempt, from it */
    bool is_hopeless; /* ... in a way that another one would not mend */
    bool is_unfit;    /* in the present attempt, for a stream beside others */
};

/* What to bring where; lives longer than its transfers, which change nothing in it but
 * what they find out about its sources. */
struct transfer_plan {
    struct source *sources; /* the first one, then its mirrors */
    size_t source_count;
    const char *url; /* the first one's: what a person calls the file */
    struct dir *dir;
    char *path;                             /* the file, as a person would type it */
    const char *name;                       /* its last part: one usable name */
    char *identity;                         /* NULL: the URL */
    struct digest_want *want;               /* NULL: none */
    const struct digest_algorithm *digests; /* what to compute: want's, or another; NULL: nothing */
    const char *const *headers;             /* static; NULL: none */
    uint64_t size;                          /* meaningful if size_known */
    uint64_t max_wait_ms; /* for a server that says when to come again; fits 32 bits */
    unsigned segments;    /* 0: as many as are worth it */
    bool size_known;
    bool fsync;
};

/* What ajob_download_options cannot say. */
struct plan_extra {
    const char *subdir;         /* in options.dir: one neutral name; NULL: none */
    const char *const *headers; /* static, NULL-terminated; NULL: none */
};

/* Fills in a zeroed plan. 0, or what ajob_error() explains; plan_done() frees in either
 * case. */
int plan_make(struct transfer_plan *plan, ajob_loop *loop, const ajob_download_options *options,
              const struct plan_extra *extra);

void plan_done(struct transfer_plan *plan);

#endif
