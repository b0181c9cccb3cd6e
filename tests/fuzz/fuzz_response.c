/* fuzz_response.c - the lines of whole responses, fed as libcurl hands them over. */
#include "fuzz.h"
#include "net/failure.h"
#include "net/headers.h"

static void check(const struct response *response) {
    HOLDS(response->length >= -1 && response->range_total >= -1);
    HOLDS(!response->is_chunked || response->length == -1);
    HOLDS(!response->has_extent || response->has_range);
    HOLDS(response->retry_after_ms >= -1 && response->rate_remaining >= -1);
    HOLDS(response->rate_reset_s >= -1);
    const char *etag = response_strong_etag(response);
    HOLDS(!etag || (etag == response->etag && etag[0] == '"'));
    const char *kept[] = {response->etag, response->last_modified, response->content_type,
                          response->next_link, response->date};
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        HOLDS(!kept[i] || !strchr(kept[i], '\n'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct response response;
    struct text body = TEXT_INIT(1 << 16), cause = TEXT_INIT(TEXT_LINE_MAX);
    const char *text = (const char *)data, *end = text + size;
    response_init(&response);
    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *next = newline ? newline + 1 : end;
        response_line(&response, text, (size_t)(next - text));
        check(&response);
        text = next;
    }
    text_add_n(&body, (const char *)data, size < 4096 ? size : 4096);
    struct failure failure = failure_of_status(&response, &body, &cause);
    HOLDS(failure.retry_after_ms == response.retry_after_ms);
    HOLDS(cause.length && fuzz_is_printable(text_string(&cause)));
    response_done(&response);
    text_done(&body);
    text_done(&cause);
    return 0;
}
