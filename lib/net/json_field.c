/* json_field.c - fields of JSON that comes from outside. See json_field.h. */
#include "net/json_field.h"

size_t json_field_count(const char *text, size_t length) {
    size_t count = 0;
    for (size_t i = 0; i < length; i++)
        count += text[i] == ',' || text[i] == '[' || text[i] == '{';
    return count;
}

const char *json_field_text(const cJSON *object, const char *key) {
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsString(value) && *value->valuestring ? value->valuestring : NULL;
}

bool json_field_whole(const cJSON *object, const char *key, uint64_t *ret_number) {
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, key);
    double number = cJSON_IsNumber(value) ? value->valuedouble : -1;
    if (!(number >= 0 && number <= 9007199254740992.0) || number != (double)(uint64_t)number)
        return false;
    *ret_number = (uint64_t)number;
    return true;
}
