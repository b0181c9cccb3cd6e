/* fuzz_link.c - the next page of a Link field is one of its targets. */
#include "fuzz.h"
#include "net/headers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct response response;
    struct text line = TEXT_INIT(1 << 16), target = TEXT_INIT(1 << 16);
    char *value = fuzz_string(data, size < 8000 ? size : 8000);
    text_format(&line, "Link: %s", value);
    response_init(&response);
    response_line(&response, text_string(&line), line.length);
    if (response.next_link) {
        HOLDS(!strpbrk(response.next_link, ">"));
        text_format(&target, "<%s>", response.next_link);
        const char *at = strstr(value, text_string(&target));
        HOLDS(at && strcasestr(at, "rel") && strcasestr(at, "next"));
    }
    response_done(&response);
    text_done(&target);
    text_done(&line);
    mem_free(value);
    return 0;
}
