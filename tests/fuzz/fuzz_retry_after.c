/* fuzz_retry_after.c - Retry-After beside a Date: a wait that can be waited for. The first
 * line of the input is the Date, the rest the Retry-After. */
#include <ctype.h>

#include "fuzz.h"
#include "net/headers.h"

static void hear(struct response *response, const char *field, const char *value) {
    struct text line = TEXT_INIT(1 << 16);
    text_format(&line, "%s: %s\r\n", field, value);
    HOLDS(text_ok(&line));
    response_line(response, text_string(&line), line.length);
    text_done(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct response response;
    char *input = fuzz_string(data, size < 8000 ? size : 8000);
    const char *rest = input;
    char *date = fuzz_field(&rest, '\n');
    response_init(&response);
    hear(&response, "Date", date);
    HOLDS(response_now(&response) >= 0);
    hear(&response, "Retry-After", rest);
    HOLDS(response.retry_after_ms >= -1);
    HOLDS(response.retry_after_ms <= (int64_t)INT32_MAX * 1000);
    size_t digits = strspn(rest, "0123456789");
    if (digits && digits < 9 && !rest[digits])
        HOLDS(response.retry_after_ms == strtoll(rest, NULL, 10) * 1000);
    /* It is given as soon as the server says when: never longer than that. */
    int64_t at = http_date(rest);
    if (!digits && at >= 0 && response.retry_after_ms > 0 && !isspace((unsigned char)*rest))
        HOLDS(response.retry_after_ms / 1000 <= at);
    response_done(&response);
    mem_free(date);
    mem_free(input);
    return 0;
}
