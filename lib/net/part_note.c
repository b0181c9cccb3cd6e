/* part_note.c - the JSON of NAME.part.json. See part_note.h. */
#include "net/part_note.h"

#include <cjson/cJSON.h>
#include <ctype.h>

#include "base/mem.h"

enum { NOTE_RANGES_MAX = 1000 };
#define NOTE_SIZE_MAX 1e15 /* bytes: a petabyte */

void part_note_done(struct part_note *note) {
    mem_free(note->identity);
    mem_free(note->url);
    mem_free(note->etag);
    mem_free(note->last_modified);
    mem_free(note->modified);
    mem_free(note->boot);
    ranges_done(&note->ranges);
    *note = (struct part_note){.total = -1};
}

/* Notes lie about in directories: what goes into a header must be one line. */
static bool is_line(const char *text) {
    for (const char *c = text; *c; c++)
        if (iscntrl((unsigned char)*c))
            return false;
    return true;
}

static char *read_string(const cJSON *json, const char *key) {
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(json, key);
    bool is_usable = cJSON_IsString(value) && is_line(value->valuestring);
    return is_usable ? mem_copy(value->valuestring) : NULL;
}

/* A byte's number: JSON's numbers are exact so far. */
static bool read_place(const cJSON *json, uint64_t *ret_place) {
    bool is_place =
        cJSON_IsNumber(json) && json->valuedouble >= 0 && json->valuedouble <= NOTE_SIZE_MAX;
    *ret_place = is_place ? (uint64_t)json->valuedouble : 0;
    return is_place && (double)*ret_place == json->valuedouble;
}

/* [[first, end], ...], in order and apart, as they were written. */
static bool read_ranges(const cJSON *list, struct ranges *ret_ranges) {
    struct range range, last = {0};
    const cJSON *item;
    size_t count = 0;
    if (!cJSON_IsArray(list))
        return false;
    cJSON_ArrayForEach(item, list) {
        bool is_range = cJSON_IsArray(item) && cJSON_GetArraySize(item) == 2 &&
                        read_place(item->child, &range.first) &&
                        read_place(item->child->next, &range.end) && range.first < range.end &&
                        (!count || range.first > last.end) && ++count <= NOTE_RANGES_MAX;
        if (!is_range || !ranges_add(ret_ranges, range.first, range.end))
            return false;
        last = range;
    }
    return true;
}

bool note_read(const char *text, size_t length, struct part_note *ret_note) {
    cJSON *json = cJSON_ParseWithLength(text, length);
    const cJSON *version = cJSON_GetObjectItemCaseSensitive(json, "part");
    struct part_note note = {.total = -1};
    uint64_t total;
    if (read_place(cJSON_GetObjectItemCaseSensitive(json, "size"), &total))
        note.total = (int64_t)total;
    note.identity = read_string(json, "identity");
    note.url = read_string(json, "url");
    note.etag = read_string(json, "etag");
    note.last_modified = read_string(json, "last_modified");
    note.modified = read_string(json, "modified");
    note.boot = read_string(json, "boot");
    if (note.etag && note.etag[0] != '"') /* weak ones prove nothing */
        note.etag = mem_free(note.etag);
    note.has_ranges = cJSON_IsNumber(version) && version->valuedouble == 2;
    bool is_ok = note.has_ranges
                     ? read_ranges(cJSON_GetObjectItemCaseSensitive(json, "ranges"), &note.ranges)
                     : cJSON_IsNumber(version) && version->valuedouble == 1;
    is_ok = is_ok && note.identity;
    cJSON_Delete(json);
    if (is_ok)
        *ret_note = note;
    else
        part_note_done(&note);
    return is_ok;
}

static void add(struct text *json, const char *key, const char *value) {
    if (!value)
        return;
    text_format(json, ",\n  \"%s\": \"", key);
    text_add_json(json, value, strlen(value));
    text_add_char(json, '"');
}

/* The first of them, if there are very many: a note may say less than there is. */
static void add_ranges(struct text *json, const struct ranges *ranges) {
    text_add(json, ",\n  \"ranges\": [");
    for (size_t i = 0; i < ranges->count && i < NOTE_RANGES_MAX; i++)
        text_format(json, "%s[%llu, %llu]", i ? ", " : "",
                    (unsigned long long)ranges->items[i].first,
                    (unsigned long long)ranges->items[i].end);
    text_add_char(json, ']');
}

void note_write(const struct part_note *note, struct text *json) {
    text_format(json, "{\n  \"part\": %d", note->has_ranges ? 2 : 1);
    add(json, "url", note->url);
    add(json, "identity", note->identity);
    add(json, "etag", note->etag);
    add(json, "last_modified", note->last_modified);
    add(json, "modified", note->modified);
    add(json, "boot", note->boot);
    if (note->total >= 0)
        text_format(json, ",\n  \"size\": %lld", (long long)note->total);
    if (note->has_ranges)
        add_ranges(json, &note->ranges);
    text_add(json, "\n}\n");
}
