/*
 * profile.h - how to talk to a server, stored once for all who talk alike.
 *
 * A profile with headers or a token is for its URL's own origin only; its
 * `foreign` twin, the same without them, is for redirects elsewhere.
 */
#ifndef AJOB_NET_PROFILE_H
#define AJOB_NET_PROFILE_H

#include <curl/curl.h>

#include "ajob.h"

struct net;
struct exchange;

struct profile {
    struct profile *next;
    const struct profile *foreign; /* itself if it has no secrets */
    struct curl_slist *headers;    /* the user's, and Authorization */
    char *cacert;
    int version; /* ajob_http_options.version */
    long connect_ms, stall_s;
    struct exchange *idle; /* set up for this profile */
};

/* The profile for these options; lives as long as the net. NULL with
 * ajob_error() set: a header that is none, or no memory. */
struct profile *profile_for(struct ajob_loop *loop, const ajob_http_options *options);

void profile_free(struct profile *profile);

/* Sets all that does not change between two exchanges of a profile. */
bool profile_apply(const struct profile *profile, CURL *easy, long buffer_size);

#endif
