/*
 * failure.h - why an exchange failed, in words, and whether to try again.
 */
#ifndef AJOB_NET_FAILURE_H
#define AJOB_NET_FAILURE_H

#include <curl/curl.h>

#include "base/text.h"
#include "net/headers.h"

struct failure {
    bool is_retryable;
    int64_t retry_after_ms; /* -1: not said */
};

/* libcurl's code and its own words for it ("" if none). */
struct failure failure_of_code(CURL *easy, CURLcode code, const char *words, struct text *cause);

/* A status that is no success, with the beginning of its body. */
struct failure failure_of_status(const struct response *response, const struct text *body,
                                 struct text *cause);

/* The server's message in an error body: "message" of a JSON object, the title
 * of a page, else its first line; at most 200 characters, printable. Appended;
 * nothing if there is none. */
void failure_add_message(struct text *cause, const char *content_type, const struct text *body);

#endif
