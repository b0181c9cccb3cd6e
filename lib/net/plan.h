/*
 * plan.h - what a download brings from where to where.
 */
#ifndef AJOB_NET_PLAN_H
#define AJOB_NET_PLAN_H

#include <stdint.h>

#include "net/digest.h"
#include "net/dir.h"

struct profile;

/* What to bring where; lives longer than its transfers. */
struct transfer_plan {
    char *url;
    struct dir *dir;
    char *path;                 /* the file, as a person would type it */
    const char *name;           /* its last part: one usable name */
    char *identity;             /* NULL: the URL */
    struct digest_want *want;   /* NULL: none */
    const char *const *headers; /* static; NULL: none */
    struct profile *profile;
    uint64_t size;        /* meaningful if size_known */
    uint64_t max_wait_ms; /* for a server that says when to come again; fits 32 bits */
    bool size_known;
};

#endif
