/*
 * stall.h - whether an exchange is too slow.
 *
 * Until the connection stands the time to connect counts, which is libcurl's to watch; then,
 * until the first header, how long the server thinks; then the pace of what comes (pace.h).
 * What we hold back ourselves (throttle.h), or miss while we are stopped (SIGSTOP), makes
 * nobody slow.
 */
#ifndef AJOB_NET_STALL_H
#define AJOB_NET_STALL_H

#include <curl/curl.h>

#include "core/deadline.h"
#include "net/pace.h"
#include "net/throttle.h"

struct ajob_loop;
struct profile;

struct stall {
    struct ajob_loop *loop;
    CURL *easy;                         /* of the exchange */
    const struct throttle_place *place; /* where we hold it back */
    void (*stalled)(struct stall *stall, const char *cause);
    struct deadline look; /* when the pace is looked at next */
    struct pace pace;
    uint64_t started_ms;
    uint64_t heard_ms;  /* when its first header came, until that was looked at; else 0 */
    uint64_t received;  /* bytes of bodies; the owner counts */
    bool is_timed;      /* the connection stands: the pace counts */
    bool was_held_back; /* since it was last looked at; the owner says so */
    bool is_suspect;    /* too slow, if the next poll brings nothing */
};

/* For a zeroed one; false on lack of memory. stalled() is told in the loop, with a cause that
 * lives as long as the call, once for each stall_begin(); not after stall_end(). */
bool stall_init(struct stall *stall, struct ajob_loop *loop, const struct throttle_place *place,
                void (*stalled)(struct stall *stall, const char *cause));

/* The exchange has begun. */
void stall_begin(struct stall *stall, CURL *easy, const struct profile *profile);

/* Its first header has come. */
void stall_heard(struct stall *stall);

/* It is not watched any more. */
void stall_end(struct stall *stall);

/* Frees; for a zeroed one it does nothing. */
void stall_done(struct stall *stall);

#endif
