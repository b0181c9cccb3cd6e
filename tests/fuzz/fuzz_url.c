/* fuzz_url.c - origins are those that libcurl would speak to, and what is shown of a URL
 * has no secret in it. */
#include <curl/curl.h>

#include "fuzz.h"
#include "net/lazy.h"
#include "net/url.h"

/* "https://host:443" as libcurl reads it; NULL: not at all. */
static char *asked_of_curl(const char *url) {
    char *scheme = NULL, *host = NULL, *port = NULL, *origin = NULL;
    CURLU *handle = curl_url();
    if (!curl_url_set(handle, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) &&
        !curl_url_get(handle, CURLUPART_SCHEME, &scheme, 0) &&
        !curl_url_get(handle, CURLUPART_HOST, &host, 0) &&
        !curl_url_get(handle, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT))
        origin = text_make("%s://%s:%s", scheme, host, port);
    for (char *c = origin; c && *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c + 'a' - 'A');
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(handle);
    return origin;
}

static void check_redacted(const char *url) {
    char *plain = url_redacted(url);
    if (plain) {
        const char *authority = strstr(plain, "://");
        HOLDS(!strchr(plain, '?') && !strchr(plain, '#'));
        size_t length = authority ? strcspn(authority + 3, "/") : 0;
        HOLDS(!authority || !memchr(authority + 3, '@', length));
    }
    mem_free(plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (lazy_curl_fault())
        return 0;
    char *url = fuzz_string(data, size), *origin, *again;
    const char *fault = url_parse(url, &origin);
    HOLDS((fault == NULL) == (origin != NULL) && fuzz_same(fault, url_fault(url)));
    if (origin) {
        char *curls = asked_of_curl(url);
        HOLDS(fuzz_same(origin, curls));
        mem_free(curls);
        HOLDS(!url_parse(origin, &again) && fuzz_same(again, origin));
        mem_free(again);
        HOLDS(url_same_origin(url, origin) && url_same_origin(url, url));
        HOLDS(url_is_https(url) == !strncmp(origin, "https:", 6));
    }
    HOLDS(origin || !url_same_origin(url, url));
    check_redacted(url);
    char *segment = url_encode_segment(url);
    HOLDS(segment && !strpbrk(segment, "/?#&+:@ \\"));
    mem_free(segment);
    mem_free(origin);
    mem_free(url);
    return 0;
}
