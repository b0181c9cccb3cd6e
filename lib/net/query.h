/*
 * query.h - one question to the REST API of a GitHub server, answered in JSON, or
 * for one of its small files, answered as it is.
 *
 * Questions of a loop are asked one after the other, as GitHub wants it. Its
 * ways of saying "not now" (rate limits, by 403 or 429) become a wait or a
 * failure with the time when they end. What a cache has of an answer is asked for only
 * if it has changed (If-None-Match; RFC 9110, 13.1.2).
 */
#ifndef AJOB_NET_QUERY_H
#define AJOB_NET_QUERY_H

#include <cjson/cJSON.h>

#include "net/cache.h"
#include "net/fetch.h"

struct query_result {
    const cJSON *json;     /* NULL: it failed (or is_text); lives as long as the call */
    const char *text;      /* if is_text: the file, or NULL: it failed */
    size_t length;         /* of text */
    const char *next_link; /* the next page, or NULL */
    const char *cause;     /* of the failure */
    int status;            /* HTTP; 200 for what the cache has, too */
    bool is_retryable;
    int64_t retry_after_ms; /* -1: not said */
};

struct query {
    struct ajob_loop *loop;
    struct profile *profile;
    char *url;
    uint64_t max_wait_ms;
    bool has_token;
    bool is_text;        /* the URL is a file's */
    struct cache *cache; /* NULL: none */
    uint64_t *budget;    /* bytes of answers that may still come; shared; NULL: no limit */
    const char *token;   /* that the profile has, or NULL: whose answers the cache may give */
    void (*done)(struct query *query, const struct query_result *result);
    void *owner;
    struct query *next; /* waits for its turn */
    bool is_waiting, is_running;
    bool is_over_budget;
    struct fetch fetch;
    struct text body;
    struct cache_answer kept; /* what the cache has of the answer */
    char *if_none_match;      /* the header for it, or NULL */
    const char *headers[4];
};

/* Asks; done() comes once, from the loop, and may start the query again. url is
 * copied. False on lack of memory: then it does not come. */
bool query_start(struct query *query, const char *url);

/* Ends it without done(), and frees what it holds. */
void query_cancel(struct query *query);

#endif
