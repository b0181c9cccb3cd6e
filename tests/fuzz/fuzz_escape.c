/* fuzz_escape.c - text that was made safe to show is: for terminals, CI systems, JSON. The
 * first byte is the size of the buffer. */
#include <cjson/cJSON.h>

#include "ajob.h"
#include "fuzz.h"
#include "net/failure.h"

static void check_json(const char *raw, size_t length) {
    uint32_t point;
    struct text json = TEXT_INIT(8u << 20);
    text_add_char(&json, '"');
    text_add_json(&json, raw, length);
    text_add_char(&json, '"');
    HOLDS(text_ok(&json));
    for (size_t i = 0, step; i < json.length; i += step) {
        step = utf8_decode(json.data + i, json.length - i, &point);
        HOLDS(step && point >= ' ');
    }
    cJSON *parsed = cJSON_ParseWithOpts(text_string(&json), NULL, true);
    HOLDS(cJSON_IsString(parsed));
    cJSON_Delete(parsed);
    text_done(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    size_t space = size ? (size_t)data[0] + 1 : 1;
    char *raw = fuzz_string(data + (size > 0), size - (size > 0));
    char *safe = mem_new(space), *all = mem_new(8 * strlen(raw) + 16);
    HOLDS(ajob_escape(safe, space, raw) == safe && strlen(safe) < space);
    HOLDS(fuzz_is_printable(safe));
    ajob_escape(all, 8 * strlen(raw) + 16, raw);
    HOLDS(fuzz_is_printable(all) && strncmp(all, "::", 2) != 0 && !strstr(all, "##["));
    HOLDS(!strncmp(safe, all, strlen(safe))); /* cut, nothing else */
    check_json(raw, strlen(raw));
    struct text body = TEXT_INIT(1 << 16), cause = TEXT_INIT(TEXT_LINE_MAX);
    text_add_n(&body, raw, strlen(raw) < 4096 ? strlen(raw) : 4096);
    failure_add_message(&cause, size % 2 ? "text/html" : "application/json", &body);
    HOLDS(fuzz_is_printable(text_string(&cause)));
    text_done(&body);
    text_done(&cause);
    mem_free(all);
    mem_free(safe);
    mem_free(raw);
    return 0;
}
