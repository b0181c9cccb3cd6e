/*
 * json_field.h - fields of JSON that comes from outside.
 *
 * cJSON takes numbers that are no whole ones, and makes of a small text a large tree: who
 * parses asks json_field_count() first.
 */
#ifndef AJOB_NET_JSON_FIELD_H
#define AJOB_NET_JSON_FIELD_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* About how many values a text has, at 64 bytes of memory and more for each. */
size_t json_field_count(const char *text, size_t length);

/* The text of this key, which is not empty, or NULL. */
const char *json_field_text(const cJSON *object, const char *key);

/* The whole number of this key, as far as JSON's numbers are exact (2^53). False: there is
 * none. */
bool json_field_whole(const cJSON *object, const char *key, uint64_t *ret_number);

#endif
