/*
 * cache.h - answers of the API, kept with their ETags between runs.
 *
 * An answer that has not changed (304) costs no rate limit. One file for each URL and
 * token, so that what was seen with one token is not shown to another, in a directory
 * that only its owner can open. The cache is never a reason to fail: what cannot be
 * kept is not kept, and what cannot be read, or is not what we wrote, is not there.
 */
#ifndef AJOB_NET_CACHE_H
#define AJOB_NET_CACHE_H

#include <stdbool.h>
#include <stddef.h>

struct cache;

/* The cache in this directory, which is made when the first answer is kept. NULL on
 * lack of memory. */
struct cache *cache_new(const char *dir);

/* Takes NULL; returns NULL. */
struct cache *cache_free(struct cache *cache);

/* An answer. Strings on the heap or NULL. */
struct cache_answer {
    char *etag;
    char *next_link; /* or NULL: it was the last page */
    char *body;
    size_t length;
};

/* What is kept for this URL, asked for with this token (NULL: none). False: nothing. */
bool cache_find(struct cache *cache, const char *url, const char *token,
                struct cache_answer *ret_answer);

/* Keeps an answer, if it is not too long; its etag and body must be there. What has not
 * been used for long is removed. */
void cache_keep(struct cache *cache, const char *url, const char *token,
                const struct cache_answer *answer);

/* The answer was of use. */
void cache_touch(struct cache *cache, const char *url, const char *token);

void cache_answer_done(struct cache_answer *answer);

#endif
