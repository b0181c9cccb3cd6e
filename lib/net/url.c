/* url.c - questions about URLs. See url.h. */
#include "net/url.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <curl/curl.h>
#include <stdint.h>

#include "base/mem.h"
#include "base/text.h"
#include "net/lazy.h"

static const char no_memory[] = "out of memory";

static CURLU *parse(const char *url) {
    CURLU *handle = curl_url();
    if (handle && curl_url_set(handle, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME)) {
        curl_url_cleanup(handle);
        handle = NULL;
    }
    return handle;
}

/* libcurl has decoded the host; a '%' that is in it still ("%2541") would be decoded by
 * the next one who reads it: two hosts in one URL. */
static bool has_plain_host(CURLU *handle) {
    char *host = NULL;
    bool is_plain = !curl_url_get(handle, CURLUPART_HOST, &host, 0) && !strchr(host, '%');
    curl_free(host);
    return is_plain;
}

static const char *fault_of_text(const char *url) {
    for (const char *c = url; *c; c++)
        if (iscntrl((unsigned char)*c) || *c == ' ')
            return "a space or control character in it: write %20";
    const char *colon = strstr(url, "://");
    if (!colon)
        return "not a URL: it begins with https:// or http://";
    size_t length = (size_t)(colon - url);
    bool is_http = (length == 4 && !strncasecmp(url, "http", 4)) ||
                   (length == 5 && !strncasecmp(url, "https", 5));
    if (!is_http)
        return "only http:// and https:// are spoken";
    /* Others take it for a slash: where would it go? */
    bool has_backslash = memchr(colon + 3, '\\', strcspn(colon + 3, "/?#"));
    return has_backslash ? "a backslash in its host" : NULL;
}

static char *origin_of(CURLU *handle) {
    char *scheme = NULL, *host = NULL, *port = NULL, *origin = NULL;
    bool is_ok = !curl_url_get(handle, CURLUPART_SCHEME, &scheme, 0) &&
                 !curl_url_get(handle, CURLUPART_HOST, &host, 0) &&
                 !curl_url_get(handle, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT);
    if (is_ok)
        origin = text_make("%s://%s:%s", scheme, host, port);
    for (char *c = origin; c && *c; c++)
        *c = (char)tolower((unsigned char)*c);
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    return origin;
}

/* Whether a host stands as libcurl would spell it: a name, or an address of four
 * decimal numbers ("43" and "0x7f.1" are addresses, too). */
static bool is_plain_host(const char *host, size_t length) {
    char address[INET_ADDRSTRLEN];
    struct in_addr ignored;
    size_t last = length;
    while (last && host[last - 1] != '.')
        last--;
    if (isalpha((unsigned char)host[last]))
        return true;
    if (length >= sizeof address)
        return false;
    memcpy(address, host, length);
    address[length] = '\0';
    return inet_pton(AF_INET, address, &ignored) == 1;
}

/* Most URLs are plain: lower-case scheme and host, a port or none, a path. NULL
 * for any other. */
static char *plain_origin(const char *url) {
    static const char host_letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-.";
    bool is_https = !strncmp(url, "https://", 8);
    const char *host = url + (is_https ? 8 : 7);
    if (!is_https && strncmp(url, "http://", 7) != 0)
        return NULL;
    size_t host_length = strspn(host, host_letters);
    const char *port = host + host_length;
    size_t port_length = *port == ':' ? strspn(port + 1, "0123456789") : 0;
    const char *path = *port == ':' ? port + 1 + port_length : port;
    bool is_plain = host_length && host[0] != '.' && host[0] != '-' && *path == '/' &&
                    is_plain_host(host, host_length) &&
                    (*port != ':' || (port_length && port_length <= 5 && port[1] != '0' &&
                                      strtoul(port + 1, NULL, 10) <= UINT16_MAX));
    if (!is_plain)
        return NULL;
    return *port == ':' ? mem_copy_n(url, (size_t)(path - url))
                        : text_make("%.*s:%s", (int)(path - url), url, is_https ? "443" : "80");
}

/* One that decodes to control characters cannot be sent (RFC 7617, 2). */
static bool has_login_to_send(CURLU *handle) {
    char *user = NULL, *password = NULL;
    CURLUcode of_user = curl_url_get(handle, CURLUPART_USER, &user, CURLU_URLDECODE);
    CURLUcode of_password = curl_url_get(handle, CURLUPART_PASSWORD, &password, CURLU_URLDECODE);
    curl_free(user);
    curl_free(password);
    return (!of_user || of_user == CURLUE_NO_USER) &&
           (!of_password || of_password == CURLUE_NO_PASSWORD);
}

const char *url_parse(const char *url, char **ret_origin) {
    const char *fault = fault_of_text(url);
    *ret_origin = fault ? NULL : plain_origin(url);
    if (*ret_origin)
        return NULL;
    if (!fault)
        fault = lazy_curl_fault();
    CURLU *handle = fault ? NULL : parse(url);
    bool is_valid = handle && has_plain_host(handle);
    if (is_valid && !has_login_to_send(handle))
        fault = "a control character in its user or password";
    *ret_origin = is_valid && !fault ? origin_of(handle) : NULL;
    curl_url_cleanup(handle);
    if (fault)
        return fault;
    return !is_valid ? "not a valid URL" : *ret_origin ? NULL : no_memory;
}

const char *url_fault(const char *url) {
    char *origin;
    const char *fault = url_parse(url, &origin);
    mem_free(origin);
    return fault;
}

static bool is_no_memory(const char *fault) {
    return fault && !strcmp(fault, no_memory);
}

int url_compare_origins(const char *a, const char *b) {
    char *origin_a, *origin_b;
    bool is_short = is_no_memory(url_parse(a, &origin_a));
    is_short = is_no_memory(url_parse(b, &origin_b)) || is_short;
    int is_same = is_short ? -1 : origin_a && origin_b && !strcmp(origin_a, origin_b);
    mem_free(origin_a);
    mem_free(origin_b);
    return is_same;
}

bool url_same_origin(const char *a, const char *b) {
    return url_compare_origins(a, b) > 0;
}

bool url_is_https(const char *url) {
    return !strncasecmp(url, "https://", 8);
}

char *url_redacted(const char *url) {
    CURLU *handle = parse(url);
    char *plain = NULL, *copy = NULL;
    bool is_ok = handle && !curl_url_set(handle, CURLUPART_USER, NULL, 0) &&
                 !curl_url_set(handle, CURLUPART_PASSWORD, NULL, 0) &&
                 !curl_url_set(handle, CURLUPART_QUERY, NULL, 0) &&
                 !curl_url_set(handle, CURLUPART_FRAGMENT, NULL, 0) &&
                 !curl_url_get(handle, CURLUPART_URL, &plain, 0);
    if (is_ok)
        copy = mem_copy(plain);
    curl_free(plain);
    curl_url_cleanup(handle);
    return copy;
}

static char *basic_of(const char *user, const char *password) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct text pair = TEXT_INIT(1 << 16), basic = TEXT_INIT(1 << 17);
    text_format(&pair, "%s:%s", user, password);
    text_add(&basic, "Basic ");
    for (size_t i = 0; i < pair.length; i += 3) {
        size_t left = pair.length - i;
        const unsigned char *at = (const unsigned char *)pair.data + i;
        unsigned bits =
            (unsigned)at[0] << 16 | (left > 1 ? (unsigned)at[1] << 8 : 0) | (left > 2 ? at[2] : 0);
        text_add_char(&basic, digits[bits >> 18]);
        text_add_char(&basic, digits[bits >> 12 & 63]);
        text_add_char(&basic, left > 1 ? digits[bits >> 6 & 63] : '=');
        text_add_char(&basic, left > 2 ? digits[bits & 63] : '=');
    }
    char *copy = text_ok(&pair) && text_ok(&basic) ? mem_copy(text_string(&basic)) : NULL;
    text_done(&pair);
    text_done(&basic);
    return copy;
}

bool url_split(const char *url, char **ret_plain, char **ret_basic, char **ret_password) {
    char *user = NULL, *password = NULL, *plain = NULL;
    CURLU *handle = strchr(url, '@') ? parse(url) : NULL;
    *ret_plain = *ret_basic = *ret_password = NULL;
    if (handle) {
        curl_url_get(handle, CURLUPART_USER, &user, CURLU_URLDECODE);
        curl_url_get(handle, CURLUPART_PASSWORD, &password, CURLU_URLDECODE);
    }
    bool has_login = user || password, is_ok = true;
    if (has_login) {
        is_ok = !curl_url_set(handle, CURLUPART_USER, NULL, 0) &&
                !curl_url_set(handle, CURLUPART_PASSWORD, NULL, 0) &&
                !curl_url_get(handle, CURLUPART_URL, &plain, 0);
        *ret_basic = is_ok ? basic_of(user ? user : "", password ? password : "") : NULL;
        *ret_password = mem_copy(password ? password : "");
        is_ok = *ret_basic && *ret_password;
    }
    *ret_plain = is_ok ? mem_copy(plain ? plain : url) : NULL;
    curl_free(user);
    curl_free(password);
    curl_free(plain);
    curl_url_cleanup(handle);
    return *ret_plain != NULL;
}

char *url_resolve(const char *base, const char *reference) {
    CURLU *handle = parse(base);
    char *url = NULL, *copy;
    if (handle && !curl_url_set(handle, CURLUPART_URL, reference, CURLU_NON_SUPPORT_SCHEME))
        curl_url_get(handle, CURLUPART_URL, &url, 0);
    copy = url ? mem_copy(url) : NULL;
    curl_free(url);
    curl_url_cleanup(handle);
    return copy;
}

char *url_encode_segment(const char *raw) {
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
    struct text text = TEXT_INIT(1 << 16);
    for (; *raw; raw++) {
        if (strchr(plain, *raw))
            text_add_char(&text, *raw);
        else
            text_format(&text, "%%%02X", (unsigned)(unsigned char)*raw);
    }
    char *copy = text_ok(&text) ? mem_copy(text_string(&text)) : NULL;
    text_done(&text);
    return copy;
}
