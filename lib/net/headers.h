/*
 * headers.h - what a server says about a body, parsed.
 *
 * Pure: fed line by line, knows no libcurl. Follows RFC 9110 (fields, ranges,
 * validators) and RFC 8288 (Link).
 */
#ifndef AJOB_NET_HEADERS_H
#define AJOB_NET_HEADERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The last response of an exchange. Strings are on the heap or NULL. */
struct response {
    int status;
    int64_t length;  /* Content-Length, or -1 */
    bool has_range;  /* a Content-Range that can be read: */
    bool has_extent; /* range_first and range_last are meaningful */
    uint64_t range_first, range_last;
    int64_t range_total; /* -1: not said */
    bool accepts_ranges; /* Accept-Ranges: bytes */
    bool is_multiplexed; /* HTTP/2 or later: its streams share one connection */
    bool is_chunked;     /* then a Content-Length says nothing (RFC 9112, 6.3) */
    bool is_encoded;     /* a Content-Encoding other than identity */
    bool is_coded;       /* a Transfer-Encoding other than chunked */
    bool has_wrong_length, has_two_lengths, has_two_ranges;
    bool is_whole; /* the empty line has come that ends the head of what is no 1xx */
    bool has_location;
    char *location;      /* as sent */
    bool has_no_memory;  /* a field is missing for lack of it */
    char *etag;          /* as sent, with its quotes; W/ before a weak one */
    char *last_modified; /* as sent */
    char *content_type;
    char *next_link;        /* the URL of rel="next" */
    int64_t retry_after_ms; /* -1: not said */
    int64_t retry_at_s;     /* the same, if it was said as a date; else -1 */
    int64_t rate_remaining; /* X-RateLimit-Remaining, or -1 */
    int64_t rate_reset_s;   /* X-RateLimit-Reset: Unix time, or -1 */
    char *date;             /* as sent */
    char *permissions;      /* X-Accepted-GitHub-Permissions: what would have been enough */
    char *sso;              /* X-GitHub-SSO */
};

void response_init(struct response *response);
void response_done(struct response *response);

/* One header line, with or without its line end. A status line begins a new
 * response: what an earlier one (100, 103, a redirect) said is forgotten. A field with a
 * control character in it is ignored: it might go back to the server (RFC 9110, 5.5). */
void response_line(struct response *response, const char *line, size_t length);

/* Why its body cannot be trusted to be what it seems: a static text, or NULL. */
const char *response_fault(const struct response *response);

/* An ETag fit for If-Range, or NULL: there is none or it is weak. */
const char *response_strong_etag(const struct response *response);

/* The server's clock: its Date, or ours. Unix time. */
int64_t response_now(const struct response *response);

/* For how long the server wants to be left alone: 403, 429 or 503 with a Retry-After, or
 * (403, 429) with a rate limit that is used up until some time. 0: it did not say so. */
uint64_t response_wait_ms(const struct response *response);

/* An HTTP date (RFC 9110, 5.6.7) as Unix time; -1 if it is not one, or of before 1970. */
int64_t http_date(const char *text);

/* "Not Found" for 404; "" if it has no common name. */
const char *http_reason(int status);

#endif
