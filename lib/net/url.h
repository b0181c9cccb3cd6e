/*
 * url.h - questions about URLs (RFC 3986), answered by libcurl's parser.
 */
#ifndef AJOB_NET_URL_H
#define AJOB_NET_URL_H

#include <stdbool.h>

/* NULL if it is an http or https URL with a host and without control
 * characters and spaces, else why not: a static text. */
const char *url_fault(const char *url);

/* The same, and the origin "https://host:443" in lower case, on the heap; NULL
 * with a fault. */
const char *url_parse(const char *url, char **ret_origin);

/* Whether they have the same scheme, host and port: 1, 0, or -1 on lack of memory. */
int url_compare_origins(const char *a, const char *b);

/* They have, for sure. */
bool url_same_origin(const char *a, const char *b);

bool url_is_https(const char *url);

/* For messages: without user, password and query; on the heap or NULL. */
char *url_redacted(const char *url);

/* Takes user and password out of a URL: the URL without them, and, if there were any,
 * "Basic ..." for an Authorization field (RFC 7617) and the password; all on the heap.
 * False on lack of memory. */
bool url_split(const char *url, char **ret_plain, char **ret_basic, char **ret_password);

/* Where a reference leads that stands at base (RFC 3986, 5): on the heap or NULL. */
char *url_resolve(const char *base, const char *reference);

/* text percent-encoded as one path segment ('/' too); on the heap or NULL. */
char *url_encode_segment(const char *text);

#endif
