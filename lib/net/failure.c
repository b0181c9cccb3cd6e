/* failure.c - why an exchange failed, and whether to try again. See failure.h. */
#include "net/failure.h"

#include <cjson/cJSON.h>
#include <ctype.h>

#include "ajob.h"

enum { MESSAGE_MAX = 200 };

/* ---- libcurl ------------------------------------------------------------- */

/* What another attempt may mend: the network, not the request, not the
 * certificate, not the disk. */
static bool code_is_retryable(CURLcode code) {
    switch (code) {
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_HTTP2:
    case CURLE_PARTIAL_FILE:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_HTTP2_STREAM:
    case CURLE_UNSUPPORTED_PROTOCOL: /* a reply that is not HTTP */
        return true;
    default:
        return false;
    }
}

/* An answer that is no TLS: the same the next time, unlike a handshake that breaks off. */
static bool is_no_tls(CURLcode code, const char *words) {
    return code == CURLE_SSL_CONNECT_ERROR &&
           (strstr(words, "wrong version number") || strstr(words, "packet length too long"));
}

/* Ours for what people meet every day; libcurl's own words for the rest. */
static const char *words_for(CURL *easy, CURLcode code, const char *words) {
    long os_error = 0;
    switch (code) {
    case CURLE_COULDNT_CONNECT:
        curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &os_error);
        return os_error ? strerror((int)os_error) : "could not connect";
    case CURLE_OPERATION_TIMEDOUT:
        return "connection timed out";
    case CURLE_PARTIAL_FILE:
        return "the body ended early";
    case CURLE_GOT_NOTHING:
        return "the server closed the connection without a reply";
    case CURLE_OUT_OF_MEMORY: /* libcurl says so of what is more than it takes, too */
        return "out of memory, or a line of the server's headers is longer than 100 KiB";
    case CURLE_COULDNT_RESOLVE_PROXY: /* one that it cannot read is repeated, with its login */
        return strncmp(words, "Could not resolve", 17) != 0
                   ? "the proxy that http_proxy, https_proxy or all_proxy names is no URL"
                   : words;
    default:
        return *words ? words : curl_easy_strerror(code);
    }
}

struct failure failure_of_code(CURL *easy, CURLcode code, const char *words, struct text *cause) {
    char safe[TEXT_LINE_MAX];
    if (is_no_tls(code, words)) {
        text_add(cause, "the server does not speak TLS there: is it an http:// URL?");
        return (struct failure){false, -1};
    }
    text_add(cause, ajob_escape(safe, sizeof safe, words_for(easy, code, words)));
    return (struct failure){code_is_retryable(code), -1};
}

/* ---- HTTP ---------------------------------------------------------------- */

static bool status_is_retryable(int status) {
    switch (status) {
    case 408:
    case 425:
    case 429:
    case 500:
    case 502:
    case 503:
    case 504:
        return true;
    default:
        return status >= 520 && status <= 524;
    }
}

/* Text that may have line ends in it, as one printable line. */
static void add_line(struct text *cause, const char *text, size_t length) {
    char line[MESSAGE_MAX + 1], safe[4 * MESSAGE_MAX];
    size_t used = 0;
    for (size_t i = 0; i < length && used < MESSAGE_MAX; i++) {
        bool is_space = isspace((unsigned char)text[i]);
        if (is_space && (!used || line[used - 1] == ' '))
            continue;
        line[used++] = is_space ? ' ' : text[i];
    }
    while (used && line[used - 1] == ' ')
        used--;
    line[used] = '\0';
    if (used)
        text_format(cause, ": %s", ajob_escape(safe, sizeof safe, line));
}

static bool add_json_message(struct text *cause, const struct text *body) {
    cJSON *json = cJSON_ParseWithLength(text_string(body), body->length);
    const cJSON *message = cJSON_GetObjectItemCaseSensitive(json, "message");
    bool has_message = cJSON_IsString(message);
    if (has_message)
        add_line(cause, message->valuestring, strlen(message->valuestring));
    cJSON_Delete(json);
    return has_message;
}

void failure_add_message(struct text *cause, const char *content_type, const struct text *body) {
    const char *text = text_string(body);
    if (add_json_message(cause, body))
        return;
    if (content_type && strcasestr(content_type, "json"))
        return;
    const char *title = strcasestr(text, "<title>");
    const char *title_end = title ? strcasestr(title, "</title>") : NULL;
    if (title_end)
        add_line(cause, title + 7, (size_t)(title_end - title - 7));
    else if (*text != '<' && *text != '{')
        add_line(cause, text, strcspn(text, "\r\n"));
}

/* Many a server says its status once more: "404 Not Found". */
static bool repeats(const struct text *body, int status, const char *reason) {
    char again[64];
    const char *text = text_string(body), *title = strcasestr(text, "<title>");
    snprintf(again, sizeof again, "%d %s", status, reason);
    const char *said = title ? title + 7 : text;
    size_t length = strcspn(said, title ? "<" : "\r\n");
    return length == strlen(again) && !strncasecmp(said, again, length);
}

struct failure failure_of_status(const struct response *response, const struct text *body,
                                 struct text *cause) {
    const char *reason = http_reason(response->status);
    text_format(cause, *reason ? "HTTP %d (%s)" : "HTTP %d", response->status, reason);
    if (!repeats(body, response->status, reason))
        failure_add_message(cause, response->content_type, body);
    int64_t wait_ms = (int64_t)response_wait_ms(response);
    return (struct failure){
        .is_retryable = status_is_retryable(response->status) || wait_ms,
        .retry_after_ms = wait_ms ? wait_ms : response->retry_after_ms,
    };
}
