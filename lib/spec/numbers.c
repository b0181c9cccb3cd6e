/*
 * numbers.c - reading values that are numbers: counts, durations, sizes. Those with a
 * unit may be strings. See read.h.
 */
#include "spec/read.h"

bool field_whole(const struct field *field, const cJSON *node, int64_t min, int64_t max,
                 int64_t *ret_value) {
    double value = node->valuedouble;
    if (!cJSON_IsNumber(node) || value < (double)min || value > (double)max ||
        value != (double)(int64_t)value) {
        field_wrong(field, node);
        return false;
    }
    *ret_value = (int64_t)value;
    return true;
}

void read_duration(const struct field *field) {
    enum { MOST_SECONDS = 365 * 24 * 3600 }; /* as in ajob_parse_duration() */
    const cJSON *node = field->node;
    uint64_t duration = 0;
    bool is_right = false;
    if (cJSON_IsString(node)) {
        is_right = ajob_parse_duration(node->valuestring, &duration);
    } else if (cJSON_IsNumber(node)) {
        is_right = node->valuedouble >= 0 && node->valuedouble <= MOST_SECONDS;
        duration = is_right ? (uint64_t)(node->valuedouble * 1000 + 0.5) : 0;
    }
    if (!is_right) {
        field_wrong(field, node);
        return;
    }
    uint64_t *to = field_given(field);
    if (to) /* 0 would stand for the default */
        *to = field->key->type == SCHEMA_INTERVAL && duration == 0 ? 1 : duration;
}

void read_count(const struct field *field) {
    int64_t value;
    unsigned *to = field_given(field);
    if (field_whole(field, field->node, field->key->min, field->key->max, &value) && to)
        *to = (unsigned)value;
}

void read_size(const struct field *field) {
    enum { BITS_MOST = 53 };
    int64_t bytes;
    uint64_t size, *to = field_to(field);
    if (cJSON_IsString(field->node) && ajob_parse_size(field->node->valuestring, &size) && size) {
        if (to)
            *to = size;
    } else if (field_whole(field, field->node, 1, INT64_C(1) << BITS_MOST, &bytes) && to) {
        *to = (uint64_t)bytes;
    }
}

void read_segments(const struct field *field) {
    enum { SEGMENTS_MOST = 16 };
    bool is_auto = cJSON_IsString(field->node) && !strcmp(field->node->valuestring, "auto");
    int64_t count = 0;
    unsigned *to = field_to(field);
    if ((is_auto || field_whole(field, field->node, 1, SEGMENTS_MOST, &count)) && to)
        *to = (unsigned)count;
}

void read_whole(const struct field *field) {
    enum { BITS_MOST = 53 }; /* what a double holds exactly */
    int64_t most = INT64_C(1) << BITS_MOST, value, *to = field_to(field);
    if (field_whole(field, field->node, -most, most, &value) && to)
        *to = value;
}

void read_factor(const struct field *field) {
    double *to = field_to(field), value = field->node->valuedouble;
    if (!cJSON_IsNumber(field->node) || !(value >= 1 && value <= 1000))
        field_wrong(field, field->node);
    else if (to)
        *to = value;
}
