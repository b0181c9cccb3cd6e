/*
 * fetch.h - one exchange with a server: a GET, the redirects it leads to, and
 * either a body that its owner wants or a failure in words.
 *
 * Redirects are followed here rather than by libcurl, which forwards every
 * header but Authorization and Cookie to wherever a redirect leads: across
 * origins a fetch goes on with the profile's foreign twin, without the login that stood in
 * the URL, and stays so should it come back: who sent it away chose how. A login that a
 * redirect brings is not sent. From https to http it does not go at all.
 *
 * A host that wants to be left alone (host.h) is, from then on: this is the one place
 * that tells it so, and a redirect to it is not followed.
 *
 * Order of calls: head() once when the final response has a body that was asked for, then
 * body() for every piece; body() alone never. done() once, last, from the loop;
 * not after fetch_cancel(). A 416 is handed to head() too: its owner asked.
 */
#ifndef AJOB_NET_FETCH_H
#define AJOB_NET_FETCH_H

#include <curl/curl.h>

#include "base/text.h"
#include "net/headers.h"
#include "net/stall.h"
#include "net/throttle.h"

struct ajob_loop;
struct exchange;
struct profile;

struct fetch_result {
    enum {
        FETCH_OK,
        FETCH_REFUSED, /* head() or body() returned false: the owner knows why */
        FETCH_FAILED,
    } kind;
    bool is_retryable;
    int64_t retry_after_ms; /* -1: the server did not say */
    const char *cause;      /* of a failure; lives as long as the call */
    int status;             /* HTTP, 0 if there was no response */
};

struct fetch_owner {
    bool (*head)(void *owner, const struct response *response);
    bool (*body)(void *owner, const char *data, size_t length);
    void (*done)(void *owner, const struct fetch_result *result);
};

struct fetch_request {
    const char *url;
    struct profile *profile;
    const char *const *headers; /* more of them, no secrets; NULL-terminated, static */
    uint64_t range_first;       /* with range_end 0 as well: the whole body */
    uint64_t range_end;         /* not included; 0: to the end */
    const char *if_range;       /* strong validator, or NULL; heeded with a range only */
    uint64_t max_wait_ms;       /* the longest that its owner would wait for a host */
    bool is_alone;              /* see profile_set_version() */
};

struct fetch {
    struct ajob_loop *loop;
    const struct fetch_owner *calls;
    void *owner;
    struct exchange *exchange; /* NULL: none under way */
    struct curl_slist *headers;
    struct profile *profile;      /* of this hop */
    struct fetch_request request; /* its url (without a login) and if_range are copies */
    char *basic, *password;       /* of the login in the URL, or NULL */
    char *hop;                    /* the URL of this hop; NULL: the request's */
    char *target;                 /* where it redirects to, if libcurl does not say; or NULL */
    bool is_foreign;              /* it has been redirected to another origin, once */
    unsigned hops;
    struct response response;
    struct text error_body; /* the beginning of a body that explains a failure */
    struct throttle_place place;
    struct stall stall;   /* of this hop */
    size_t header_bytes;  /* of all responses of this hop, trailers too */
    size_t ignored_bytes; /* of a body that nobody wants */
    bool has_head;        /* head() was called */
    bool is_refused;
    const char *fault; /* why the response cannot be taken, or NULL */
};

/* Starts; zeroed before its first use. False on lack of memory; then nothing else
 * is called. The fetch may be used again once done() has come. */
bool fetch_start(struct fetch *fetch, struct ajob_loop *loop, const struct fetch_owner *calls,
                 void *owner, const struct fetch_request *request);

/* Ends it without done(), and frees what it holds. For one that is not under
 * way it does nothing. */
void fetch_cancel(struct fetch *fetch);

#endif
