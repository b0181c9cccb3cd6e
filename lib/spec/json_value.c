/* json_value.c - what was scanned as values: cJSON's part. See json.h. */
#include <ctype.h>

#include "base/mem.h"
#include "spec/json.h"

void json_done(struct json *json) {
    mem_free(json->plain);
    mem_free(json->tokens);
    *json = (struct json){0};
}

uint32_t json_token_length(const char *text, uint32_t length, uint32_t at) {
    uint32_t end = at;
    if (at >= length)
        return 1;
    if (text[at] == '"') {
        for (end++; end < length && text[end] != '"' && text[end] != '\n'; end++)
            if (text[end] == '\\' && end + 1 < length)
                end++;
        return end - at + (end < length && text[end] == '"');
    }
    while (end < length && (isalnum((unsigned char)text[end]) || strchr("+-._$", text[end])) &&
           text[end])
        end++;
    return end > at ? end - at : 1;
}

/* Numbers the nodes in the order of the text, as the scan did. */
static uint32_t number(cJSON *node, uint32_t token) {
    token += node->string != NULL;
    node->valueint = (int)token++;
    for (cJSON *child = node->child; child; child = child->next)
        token = number(child, token);
    return token;
}

cJSON *json_value(const struct json *json, uint32_t token) {
    uint32_t at = json->tokens[token].at;
    const char *end;
    cJSON *value = cJSON_ParseWithLengthOpts(json->plain + at, json->length - at + 1, &end, false);
    if (value)
        number(value, token);
    return value;
}

char *json_string(const struct json *json, uint32_t token, struct arena *arena) {
    uint32_t at = json->tokens[token].at;
    uint32_t length = json_token_length(json->plain, json->length, at);
    if (!memchr(json->plain + at, '\\', length))
        return arena_copy(arena, json->plain + at + 1, length - 2);
    cJSON *value = json_value(json, token);
    char *string = value ? arena_copy(arena, value->valuestring, strlen(value->valuestring)) : NULL;
    cJSON_Delete(value);
    return string;
}
