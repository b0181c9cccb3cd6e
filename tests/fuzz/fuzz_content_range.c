/* fuzz_content_range.c - a Content-Range that is accepted makes sense, and means what it says. */
#include "fuzz.h"
#include "net/headers.h"

static void hear(struct response *response, const char *value) {
    struct text line = TEXT_INIT(1 << 16);
    text_format(&line, "content-range: %s\r\n", value);
    HOLDS(text_ok(&line));
    response_init(response);
    response_line(response, text_string(&line), line.length);
    text_done(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct response response, again;
    char *value = fuzz_string(data, size < 8000 ? size : 8000), said[128];
    hear(&response, value);
    if (response.has_range) {
        HOLDS(response.range_total >= -1);
        HOLDS(response.has_extent || response.range_total >= 0 || strstr(value, "*/*"));
        HOLDS(!response.has_extent || response.range_first <= response.range_last);
        HOLDS(!response.has_extent || response.range_last < INT64_MAX);
        HOLDS(!response.has_extent || response.range_total < 0 ||
              response.range_last < (uint64_t)response.range_total);
        int used = snprintf(said, sizeof said, "bytes ");
        used += response.has_extent ? snprintf(said + used, sizeof said - used, "%llu-%llu/",
                                               (unsigned long long)response.range_first,
                                               (unsigned long long)response.range_last)
                                    : snprintf(said + used, sizeof said - used, "*/");
        if (response.range_total >= 0)
            snprintf(said + used, sizeof said - used, "%lld", (long long)response.range_total);
        else
            snprintf(said + used, sizeof said - used, "*");
        hear(&again, said);
        HOLDS(again.has_range && again.has_extent == response.has_extent);
        HOLDS(again.range_first == response.range_first && again.range_last == response.range_last);
        HOLDS(again.range_total == response.range_total);
        response_done(&again);
    } else {
        HOLDS(!response.has_extent && response.range_total == -1);
    }
    response_done(&response);
    mem_free(value);
    return 0;
}
