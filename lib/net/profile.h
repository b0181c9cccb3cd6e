/*
 * profile.h - how to talk to a server, stored once for all who talk alike.
 *
 * A profile that takes any certificate may talk to anybody: whatever could be a secret
 * (token, headers, the login in a URL) is not sent at all, to http neither, where somebody
 * might listen. It is the caller's to say so to people.
 *
 * A profile with headers or a token is for its URL's own origin only; its
 * `foreign` twin, the same without them, is for redirects elsewhere.
 */
#ifndef AJOB_NET_PROFILE_H
#define AJOB_NET_PROFILE_H

#include <curl/curl.h>

#include "ajob.h"
#include "base/text.h"

struct exchange;

struct profile {
    struct profile *next;
    struct ajob_loop *loop;
    struct profile *foreign;    /* itself if it has no secrets */
    struct curl_slist *headers; /* the user's, and Authorization */
    char *cacert;
    int version;      /* ajob_http_options.version */
    bool is_insecure; /* any certificate will do; it has no headers then, and no login */
    long connect_ms;
    uint64_t stall_ms;  /* see pace.h */
    uint64_t min_speed; /* bytes a second */
    struct exchange *idle;
};

/* The profile for these options; lives as long as the loop. NULL with
 * ajob_error() set: a header that is none, or no memory. */
struct profile *profile_for(struct ajob_loop *loop, const ajob_http_options *options);

/* Adds a line to a list of headers, which may be empty. False on lack of memory. */
bool profile_add_header(struct curl_slist **list, const char *line);

/* No login of a URL is to be sent: the headers have one, or it is insecure. */
bool profile_bars_login(const struct profile *profile);

/* Puts *** where one of the profile's secrets stands in text (mask.h). */
void profile_mask(const struct profile *profile, struct text *text);

/* Whether the user wants HTTP/2, so that all of a host share one connection. */
bool profile_wants_http2(const struct profile *profile);

/* Sets which HTTP the exchange speaks. is_alone: on a connection that it shares with nobody,
 * which is one of HTTP/1.1, unless profile_wants_http2(). */
bool profile_set_version(const struct profile *profile, struct exchange *exchange, bool is_alone);

/* An exchange with all set that a profile asks for but the version, not running. NULL with
 * ajob_error() set. */
struct exchange *profile_take(struct profile *profile);

/* Stops it if it is running, and keeps it for the next one. Takes NULL; returns
 * NULL. */
struct exchange *profile_give(struct profile *profile, struct exchange *exchange);

#endif
