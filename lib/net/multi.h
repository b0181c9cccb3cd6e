/*
 * multi.h - libcurl's multi interface on the libuv loop.
 *
 * The only room that knows both. Hands out *exchanges*: easy handles, reused,
 * with what a profile asks for already set. libcurl never sees more of them
 * than there are transfer slots: the queue is ours (pool.h).
 *
 * Nothing here may be called from within a libcurl callback, except that the
 * callbacks of an exchange read its easy handle's info.
 */
#ifndef AJOB_NET_MULTI_H
#define AJOB_NET_MULTI_H

#include <curl/curl.h>
#include <stdbool.h>

struct ajob_loop;
struct net;
struct profile;

struct exchange {
    CURL *easy;
    struct net *net;
    const struct profile *profile;
    struct exchange *next_idle;
    /* Called once for each exchange_start(), from the loop, never from within
     * it; not after exchange_give(). */
    void (*done)(struct exchange *exchange, CURLcode code);
    void *owner;
    bool is_running;
    char error[CURL_ERROR_SIZE]; /* libcurl's own words; may stay empty */
};

/* The net of a loop, made at the first call. NULL with ajob_error() set. */
struct net *net_of(struct ajob_loop *loop);

/* An exchange set up for the profile, idle. NULL on lack of memory. */
struct exchange *exchange_take(struct net *net, const struct profile *profile);

/* Starts it. False on lack of memory. */
bool exchange_start(struct exchange *exchange);

/* Ends it if it is running, and takes it back. Takes NULL; returns NULL. */
struct exchange *exchange_give(struct exchange *exchange);

#endif
