/* headers.c - what a server says about a body, parsed. See headers.h. */
#include "net/headers.h"

#include <ctype.h>
#include <curl/curl.h>

#include "base/mem.h"

enum { VALUE_MAX = 8192 };

void response_init(struct response *response) {
    *response = (struct response){
        .length = -1,
        .range_total = -1,
        .retry_after_ms = -1,
        .retry_at_s = -1,
        .rate_remaining = -1,
        .rate_reset_s = -1,
    };
}

void response_done(struct response *response) {
    mem_free(response->etag);
    mem_free(response->last_modified);
    mem_free(response->content_type);
    mem_free(response->next_link);
    mem_free(response->date);
    mem_free(response->location);
    mem_free(response->permissions);
    mem_free(response->sso);
    response_init(response);
}

/* Digits at *text as a number below 2^62, moved behind them. */
static bool read_number(const char **text, uint64_t *ret_number) {
    const char *at = *text;
    uint64_t number = 0;
    if (!isdigit((unsigned char)*at))
        return false;
    for (; isdigit((unsigned char)*at); at++) {
        if (number > (UINT64_C(1) << 58))
            return false;
        number = number * 10 + (uint64_t)(*at - '0');
    }
    *text = at;
    *ret_number = number;
    return true;
}

static int64_t whole_number(const char *text) {
    uint64_t number;
    return read_number(&text, &number) && !*text ? (int64_t)number : -1;
}

/* One number, or the same one more than once: "7, 7" (RFC 9110, 8.6). */
static void read_length(struct response *response, const char *value) {
    for (;;) {
        uint64_t number = 0;
        bool is_number = read_number(&value, &number);
        value += strspn(value, " \t");
        if (!is_number || (*value && *value != ',')) {
            response->has_wrong_length = true;
            return;
        }
        if (response->length >= 0 && response->length != (int64_t)number)
            response->has_two_lengths = true;
        response->length = (int64_t)number;
        if (!*value)
            return;
        value++;
        value += strspn(value, " \t");
    }
}

/* bytes SP ( first "-" last "/" ( total | "*" ) | "*" "/" total ), RFC 9110, 14.4. */
static bool parse_content_range(const char *value, struct response *ret_range) {
    uint64_t first = 0, last = 0, total = 0;
    if (strncasecmp(value, "bytes ", 6))
        return false;
    value += 6;
    bool has_extent = *value != '*';
    if (has_extent) {
        if (!read_number(&value, &first) || *value++ != '-' || !read_number(&value, &last))
            return false;
    } else {
        value++;
    }
    if (*value++ != '/')
        return false;
    bool has_total = *value != '*';
    if (has_total ? !read_number(&value, &total) || *value : value[1] || !has_extent)
        return false;
    if (has_extent && (first > last || (has_total && last >= total)))
        return false;
    ret_range->has_range = true;
    ret_range->has_extent = has_extent;
    ret_range->range_first = first;
    ret_range->range_last = last;
    ret_range->range_total = has_total ? (int64_t)total : -1;
    return true;
}

static void read_content_range(struct response *response, const char *value) {
    struct response range = {0};
    if (!parse_content_range(value, &range))
        return;
    bool is_same =
        range.has_extent == response->has_extent && range.range_first == response->range_first &&
        range.range_last == response->range_last && range.range_total == response->range_total;
    response->has_two_ranges = response->has_two_ranges || (response->has_range && !is_same);
    response->has_range = true;
    response->has_extent = range.has_extent;
    response->range_first = range.range_first;
    response->range_last = range.range_last;
    response->range_total = range.range_total;
}

/* The number of two digits, or -1. */
static int two_digits(const char *text) {
    bool is_number = isdigit((unsigned char)text[0]) && isdigit((unsigned char)text[1]);
    return is_number ? (text[0] - '0') * 10 + (text[1] - '0') : -1;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT", the form that servers send today; obsolete ones
 * are not. */
static bool is_fixdate(const char *text) {
    return strlen(text) == 29 && text[3] == ',' && text[4] == ' ' && text[7] == ' ' &&
           text[11] == ' ' && text[16] == ' ' && text[19] == ':' && text[22] == ':' &&
           !strcmp(text + 25, " GMT");
}

/* Whether all of it are numbers that a clock and a calendar show; a leap second is one. */
static bool read_fixdate(const char *text, struct tm *ret_utc) {
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char month[4] = {text[8], text[9], text[10], '\0'};
    const char *found = strstr(months, month);
    int century = two_digits(text + 12), year = two_digits(text + 14);
    struct tm utc = {
        .tm_mday = two_digits(text + 5),
        .tm_mon = found && (found - months) % 3 == 0 ? (int)(found - months) / 3 : -1,
        .tm_year = century * 100 + year - 1900,
        .tm_hour = two_digits(text + 17),
        .tm_min = two_digits(text + 20),
        .tm_sec = two_digits(text + 23),
    };
    *ret_utc = utc;
    return utc.tm_mday > 0 && utc.tm_mday <= 31 && utc.tm_mon >= 0 && century >= 0 && year >= 0 &&
           utc.tm_hour >= 0 && utc.tm_hour < 24 && utc.tm_min >= 0 && utc.tm_min < 60 &&
           utc.tm_sec >= 0 && utc.tm_sec <= 60;
}

int64_t http_date(const char *text) {
    struct tm utc;
    int64_t date = -1;
    if (!is_fixdate(text)) {
        date = (int64_t)curl_getdate(text, NULL);
    } else if (read_fixdate(text, &utc)) {
        struct tm day = {.tm_mday = utc.tm_mday, .tm_mon = utc.tm_mon, .tm_year = utc.tm_year};
        timegm(&day); /* makes another month of the 31st of a shorter one */
        date = day.tm_mon == utc.tm_mon ? (int64_t)timegm(&utc) : -1;
    }
    return date >= 0 ? date : -1;
}

int64_t response_now(const struct response *response) {
    int64_t now = response->date ? http_date(response->date) : -1;
    return now >= 0 ? now : (int64_t)time(NULL);
}

uint64_t response_wait_ms(const struct response *response) {
    bool is_limit = response->status == 403 || response->status == 429;
    if (!is_limit && response->status != 503)
        return 0;
    if (response->retry_after_ms > 0)
        return (uint64_t)response->retry_after_ms;
    if (!is_limit || response->rate_remaining != 0 || response->rate_reset_s < 0)
        return 0;
    int64_t wait_s = response->rate_reset_s - response_now(response);
    return wait_s < 1           ? 0
           : wait_s > INT32_MAX ? UINT64_C(1000) * INT32_MAX
                                : (uint64_t)wait_s * 1000;
}

/* Seconds, however many, or a date; by the server's clock, if it says what that is. */
static void read_retry_after(struct response *response, const char *value) {
    size_t length = strlen(value);
    bool is_number = length && strspn(value, "0123456789") == length;
    int64_t seconds = is_number ? whole_number(value) : -1;
    if (is_number && (seconds < 0 || seconds > INT32_MAX))
        seconds = INT32_MAX;
    response->retry_at_s = is_number ? -1 : http_date(value);
    response->retry_after_ms = seconds < 0 ? -1 : seconds * 1000;
}

/* Once all lines have come, for Date may follow. */
static void reckon_retry_after(struct response *response) {
    if (response->retry_at_s < 0)
        return;
    int64_t seconds = response->retry_at_s - response_now(response);
    response->retry_after_ms = 1000 * (seconds < 0 ? 0 : seconds > INT32_MAX ? INT32_MAX : seconds);
}

/* The target with rel="next" of a Link field (RFC 8288). */
static void read_link(struct response *response, const char *value) {
    while ((value = strchr(value, '<'))) {
        const char *end = strchr(++value, '>');
        if (!end)
            return;
        const char *next = strchr(end, '<');
        const char *relation = strstr(end, "rel=\"next\"");
        if (!relation)
            relation = strstr(end, "rel=next");
        if (relation && (!next || relation < next)) {
            mem_free(response->next_link);
            response->next_link = mem_copy_n(value, (size_t)(end - value));
            response->has_no_memory |= !response->next_link;
            return;
        }
        value = end;
    }
}

static void keep(struct response *response, char **field, const char *value) {
    mem_free(*field);
    *field = mem_copy(value);
    response->has_no_memory |= !*field;
}

/* A chunked body has no length of its own, whatever is said beside it. */
static void read_transfer_encoding(struct response *response, const char *value) {
    if (!strcasecmp(value, "chunked"))
        response->is_chunked = true;
    else if (strcasecmp(value, "identity") != 0)
        response->is_coded = true;
    response->length = -1;
}

static void keep_location(struct response *response, const char *value) {
    keep(response, &response->location, value);
    response->has_location = true;
}

static void read_field(struct response *response, const char *name, const char *value) {
    if (!strcasecmp(name, "content-length"))
        read_length(response, value);
    else if (!strcasecmp(name, "transfer-encoding"))
        read_transfer_encoding(response, value);
    else if (!strcasecmp(name, "content-range"))
        read_content_range(response, value);
    else if (!strcasecmp(name, "accept-ranges"))
        response->accepts_ranges = !strcasecmp(value, "bytes");
    else if (!strcasecmp(name, "content-encoding"))
        response->is_encoded = strcasecmp(value, "identity") != 0;
    else if (!strcasecmp(name, "content-type"))
        keep(response, &response->content_type, value);
    else if (!strcasecmp(name, "etag"))
        keep(response, &response->etag, value);
    else if (!strcasecmp(name, "last-modified"))
        keep(response, &response->last_modified, value);
    else if (!strcasecmp(name, "location"))
        keep_location(response, value);
    else if (!strcasecmp(name, "link"))
        read_link(response, value);
    else if (!strcasecmp(name, "date"))
        keep(response, &response->date, value);
    else if (!strcasecmp(name, "retry-after"))
        read_retry_after(response, value);
    else if (!strcasecmp(name, "x-ratelimit-remaining"))
        response->rate_remaining = whole_number(value);
    else if (!strcasecmp(name, "x-ratelimit-reset"))
        response->rate_reset_s = whole_number(value);
    else if (!strcasecmp(name, "x-accepted-github-permissions"))
        keep(response, &response->permissions, value);
    else if (!strcasecmp(name, "x-github-sso"))
        keep(response, &response->sso, value);
}

static bool has_control(const char *line, size_t length) {
    for (size_t i = 0; i < length; i++)
        if (iscntrl((unsigned char)line[i]) && line[i] != '\t')
            return true;
    return false;
}

static bool is_end_of_head(const struct response *response, const char *line, size_t length) {
    bool is_empty = (length == 2 && !memcmp(line, "\r\n", 2)) || (length == 1 && *line == '\n');
    return is_empty && response->status >= 200;
}

void response_line(struct response *response, const char *line, size_t length) {
    char field[VALUE_MAX];
    response->is_whole = response->is_whole || is_end_of_head(response, line, length);
    while (length && isspace((unsigned char)line[length - 1]))
        length--;
    bool is_status = length >= 5 && !memcmp(line, "HTTP/", 5);
    if (length >= sizeof field && !is_status)
        return;
    length = length < sizeof field ? length : sizeof field - 1;
    memcpy(field, line, length);
    field[length] = '\0';
    if (is_status) {
        const char *status = strchr(field, ' ');
        response_done(response);
        response->status = status ? (int)strtol(status, NULL, 10) : 0;
        response->is_multiplexed = field[5] >= '2' && field[5] <= '9';
        return;
    }
    char *colon = strchr(field, ':');
    if (!colon)
        return;
    *colon = '\0';
    char *value = colon + 1;
    value += strspn(value, " \t");
    if (has_control(line, length)) {
        response->has_location = response->has_location || !strcasecmp(field, "location");
        return; /* a redirect it is, to where libcurl makes of it */
    }
    read_field(response, field, value);
    if (response->is_chunked)
        response->length = -1;
    reckon_retry_after(response);
}

const char *response_fault(const struct response *response) {
    if (response->is_coded)
        return "the server sends a Transfer-Encoding that was not asked for";
    if (response->has_two_ranges)
        return "the server sends two ranges that differ";
    if (response->is_chunked)
        return NULL;
    return response->has_two_lengths    ? "the server sends two lengths that differ"
           : response->has_wrong_length ? "the server sends a length that is none"
                                        : NULL;
}

const char *response_strong_etag(const struct response *response) {
    const char *etag = response->etag ? response->etag : "";
    size_t length = strlen(etag);
    bool is_strong = length >= 2 && strchr(etag + 1, '"') == etag + length - 1 && *etag == '"';
    return is_strong ? etag : NULL;
}

const char *http_reason(int status) {
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {
        {202, "Accepted"},
        {204, "No Content"},
        {205, "Reset Content"},
        {300, "Multiple Choices"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {303, "See Other"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {407, "Proxy Authentication Required"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {416, "Range Not Satisfiable"},
        {421, "Misdirected Request"},
        {422, "Unprocessable Content"},
        {425, "Too Early"},
        {429, "Too Many Requests"},
        {451, "Unavailable For Legal Reasons"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
    };
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "";
}
