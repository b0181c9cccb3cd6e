/* part_note.c - the JSON of NAME.part.json. See part_note.h. */
#include "net/part_note.h"

#include <cjson/cJSON.h>
#include <ctype.h>

#include "base/mem.h"

void part_note_done(struct part_note *note) {
    mem_free(note->identity);
    mem_free(note->url);
    mem_free(note->etag);
    mem_free(note->last_modified);
    mem_free(note->modified);
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

bool note_read(const char *text, size_t length, struct part_note *ret_note) {
    cJSON *json = cJSON_ParseWithLength(text, length);
    const cJSON *version = cJSON_GetObjectItemCaseSensitive(json, "part");
    const cJSON *total = cJSON_GetObjectItemCaseSensitive(json, "size");
    struct part_note note = {.total = -1};
    if (cJSON_IsNumber(total) && total->valuedouble >= 0 && total->valuedouble < 1e15)
        note.total = (int64_t)total->valuedouble;
    note.identity = read_string(json, "identity");
    note.url = read_string(json, "url");
    note.etag = read_string(json, "etag");
    note.last_modified = read_string(json, "last_modified");
    note.modified = read_string(json, "modified");
    if (note.etag && note.etag[0] != '"') /* weak ones prove nothing */
        note.etag = mem_free(note.etag);
    bool is_ok = cJSON_IsNumber(version) && version->valueint == 1 && note.identity;
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

void note_write(const struct part_note *note, struct text *json) {
    text_add(json, "{\n  \"part\": 1");
    add(json, "url", note->url);
    add(json, "identity", note->identity);
    add(json, "etag", note->etag);
    add(json, "last_modified", note->last_modified);
    add(json, "modified", note->modified);
    if (note->total >= 0)
        text_format(json, ",\n  \"size\": %lld", (long long)note->total);
    text_add(json, "\n}\n");
}
