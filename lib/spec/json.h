/*
 * json.h - the text of a spec: JSON (RFC 8259) with comments and trailing commas.
 *
 * cJSON is the parser, behind a scan of the whole text that it needs for three
 * reasons: it says where each value stands (cJSON keeps no positions), why a text
 * is wrong (cJSON says only where), and refuses what cJSON takes: wrong UTF-8,
 * control characters in strings, \u0000, numbers such as 012 or 1e999. Comments and
 * trailing commas become spaces in a copy, so that every offset stays true.
 *
 * The scan leaves one token for each key and each value, in the order of the text.
 * cJSON is then asked for one value at a time, so that its tree of a large spec
 * never is in memory.
 */
#ifndef AJOB_SPEC_JSON_H
#define AJOB_SPEC_JSON_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "spec/arena.h"

enum { JSON_DEPTH_MAX = 64, JSON_SIZE_MAX = 64 * 1024 * 1024 };

struct json_token {
    uint32_t at;   /* its first byte in the text */
    uint32_t next; /* the token after it and all that is in it; of a key: after its value */
};

struct json {
    char *plain; /* the text, with spaces for what cJSON does not know */
    uint32_t length;
    struct json_token *tokens; /* the whole value is the first */
    uint32_t count, space;
};

/* Why a text is no JSON. */
struct json_fault {
    uint32_t at, length;
    char text[160];
    const char *hint; /* a literal, or NULL */
};

/* Scans a text of at most JSON_SIZE_MAX bytes, with a NUL behind them. 0; AJOB_EINVAL with
 * *ret_fault, or AJOB_ENOMEM. json is for json_done() in every case. */
int json_scan(struct json *json, const char *text, size_t length, struct json_fault *ret_fault);
void json_done(struct json *json);

/* The value of a token, for cJSON_Delete(); NULL on lack of memory. The token of
 * each node in it is in its valueint, that of its key one before. */
cJSON *json_value(const struct json *json, uint32_t token);

/* The key or string of a token, in the arena; NULL on lack of memory. */
char *json_string(const struct json *json, uint32_t token, struct arena *arena);

/* How many bytes the token at this place in a text has: strings with their
 * quotes, numbers, words; 1 for brackets. */
uint32_t json_token_length(const char *text, uint32_t length, uint32_t at);

#endif
