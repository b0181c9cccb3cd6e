/*
 * multi.h - libcurl's multi interface on the libuv loop.
 *
 * The only room that knows both. libcurl never sees more exchanges than there
 * are transfer slots, and one question to an API: the queue is ours (pool.h).
 *
 * Nothing here may be called from within a libcurl callback, except that the
 * callbacks of an exchange read its easy handle's info.
 */
#ifndef AJOB_NET_MULTI_H
#define AJOB_NET_MULTI_H

#include <curl/curl.h>
#include <stdbool.h>

struct ajob_loop;
struct multi;

/* One easy handle, used for one transfer after the other. */
struct exchange {
    CURL *easy;
    struct multi *multi;
    struct exchange *next_idle; /* the owner's list of idle ones */
    /* Called once for each exchange_start(), from the loop, never from within
     * it; not after exchange_stop(). */
    void (*done)(struct exchange *exchange, CURLcode code);
    void *owner;
    bool is_running;
    char error[CURL_ERROR_SIZE]; /* libcurl's own words; may stay empty */
};

/* A new one, with what the loop needs of it set. NULL with ajob_error() set. */
struct exchange *exchange_new(struct ajob_loop *loop);

/* Starts the transfer that is set up. False on lack of memory. */
bool exchange_start(struct exchange *exchange);

/* Ends the transfer without done(), if one is running. */
void exchange_stop(struct exchange *exchange);

/* Takes NULL; returns NULL. It must not be running. */
struct exchange *exchange_free(struct exchange *exchange);

#endif
