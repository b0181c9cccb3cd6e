/*
 * test_net_parsing.c - what comes from outside: header lines, dates, URLs, names,
 * digests, and what is kept of them for resuming.
 */
#include "base/mem.h"
#include "check.h"
#include "net/digest.h"
#include "net/headers.h"
#include "net/mask.h"
#include "net/name.h"
#include "net/resume.h"
#include "net/url.h"

static struct response response;

/* A response of these lines, each with CR LF. */
static void hear(const char *lines) {
    response_done(&response);
    while (*lines) {
        const char *end = strchr(lines, '\n') + 1;
        response_line(&response, lines, (size_t)(end - lines));
        lines = end;
    }
}

static bool range(const char *value) {
    char lines[256];
    snprintf(lines, sizeof lines, "HTTP/1.1 206 x\r\nContent-Range: %s\r\n", value);
    hear(lines);
    return response.has_range;
}

static void content_ranges(void) {
    CHECK(range("bytes 5-9/10") && response.has_extent);
    CHECK_NUMBER(response.range_first, 5);
    CHECK_NUMBER(response.range_last, 9);
    CHECK_NUMBER(response.range_total, 10);
    CHECK(range("bytes 0-0/*") && response.range_total == -1);
    CHECK(range("bytes */10") && !response.has_extent && response.range_total == 10);
    static const char *const wrong[] = {
        "bytes 9-5/10",
        "bytes 5-10/10",
        "bytes 5-/10",
        "bytes -5/10",
        "bytes 5-9",
        "items 5-9/10",
        "bytes 5-9/10x",
        "bytes 5-9/",
        "bytes */",
        "bytes 99999999999999999999-9/10",
        "bytes=5-9/10",
        "bytes */*x",
        "",
        "bytes 5 - 9/10",
        "bytes */*",
        "bytes  5-9/10",
        "bytes\t5-9/10",
        "bytes 5-9/10, 11-12/20",
        "bytes 5-9/10 x",
        "bytes 5-9 /10",
        "bytes +5-9/10",
        "bytes 0x5-9/10",
        "bytes 5-9/99999999999999999999",
        "bytes 5-18446744073709551621/*",
        "bits 5-9/10",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        CHECK(!range(wrong[i]));
}

static void a_status_line_begins_anew(void) {
    hear(
        "HTTP/1.1 302 Found\r\nLocation: /x\r\nETag: \"a\"\r\nHTTP/2 200\r\ncontent-length: 7\r\n");
    CHECK_NUMBER(response.status, 200);
    CHECK(!response.has_location && !response.etag);
    CHECK_NUMBER(response.length, 7);
}

static void early_hints_are_forgotten(void) {
    hear("HTTP/1.1 103 Early Hints\r\nETag: \"early\"\r\nContent-Length: 9\r\n"
         "Content-Range: bytes 0-1/2\r\nRetry-After: 9\r\nX-RateLimit-Remaining: 0\r\n"
         "HTTP/1.1 200 OK\r\nETag: \"final\"\r\n");
    CHECK_TEXT(response.etag, "\"final\"");
    CHECK(!response.has_range && response.length == -1 && response.retry_after_ms == -1);
    CHECK_NUMBER(response.rate_remaining, -1);
}

/* The length that a response with these lines has; -2: it is not to be trusted. */
static int64_t length_of(const char *lines) {
    char head[512];
    snprintf(head, sizeof head, "HTTP/1.1 200 x\r\n%s", lines);
    hear(head);
    return response_fault(&response) ? -2 : response.length;
}

static void lengths(void) {
    CHECK_NUMBER(length_of("Content-Length: 7\r\nTransfer-Encoding: chunked\r\n"), -1);
    CHECK_NUMBER(length_of("Transfer-Encoding: chunked\r\nContent-Length: 7\r\n"), -1);
    CHECK_NUMBER(length_of("Content-Length: 7\r\nContent-Length: 8\r\n"
                           "Transfer-Encoding: Chunked\r\n"),
                 -1);
    CHECK_NUMBER(length_of("Content-Length: 7, 7\r\n"), 7);
    CHECK_NUMBER(length_of("Content-Length: 7\r\nContent-Length: 7\r\n"), 7);
    CHECK_NUMBER(length_of("Content-Length: 0\r\n"), 0);
    CHECK_NUMBER(length_of(""), -1);
    CHECK_NUMBER(length_of("Content-Length: 7\r\nContent-Length: 8\r\n"), -2);
    CHECK_NUMBER(length_of("Content-Length: 7, 8\r\n"), -2);
    CHECK_NUMBER(length_of("Content-Length: -1\r\n"), -2);
    CHECK_NUMBER(length_of("Content-Length: +1\r\n"), -2);
    CHECK_NUMBER(length_of("Content-Length: 1 2\r\n"), -2);
    CHECK_NUMBER(length_of("Content-Length: 0x10\r\n"), -2);
    CHECK_NUMBER(length_of("Content-Length:\r\n"), -2);
    CHECK_NUMBER(length_of("Content-Length: 7,\r\n"), -2);
    CHECK_NUMBER(length_of("Content-Length: 99999999999999999999\r\n"), -2);
    CHECK_NUMBER(length_of("Transfer-Encoding: gzip\r\n"), -2);
    CHECK_NUMBER(length_of("Transfer-Encoding: gzip, chunked\r\n"), -2);
    CHECK_NUMBER(length_of("Transfer-Encoding: identity\r\nContent-Length: 7\r\n"), 7);
    CHECK_NUMBER(length_of("Content-Range: bytes 0-1/5\r\nContent-Range: bytes 2-3/5\r\n"), -2);
    CHECK_NUMBER(length_of("Content-Range: bytes 0-1/5\r\nContent-Range: bytes 0-1/5\r\n"), -1);
}

static void a_control_character_makes_no_field(void) {
    hear("HTTP/1.1 200 x\r\nETag: \"a\rX-Evil: 1\"\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 "
         "GMT\rX-Evil: 1\r\nContent-Type: a\x1b[2J\r\nETag : \"b\"\r\n\tETag: \"c\"\r\n");
    CHECK_TEXT(response.etag, NULL);
    CHECK_TEXT(response.last_modified, NULL);
    CHECK_TEXT(response.content_type, NULL);
}

static void only_a_strong_etag_will_do(void) {
    hear("HTTP/1.1 200 x\r\nETag: \"a b\"\r\n");
    CHECK_TEXT(response_strong_etag(&response), "\"a b\"");
    hear("HTTP/1.1 200 x\r\nETag: W/\"a\"\r\n");
    CHECK_TEXT(response_strong_etag(&response), NULL);
    hear("HTTP/1.1 200 x\r\nETag: \"\"\r\n");
    CHECK_TEXT(response_strong_etag(&response), "\"\"");
    static const char *const wrong[] = {"a",      "\"",       "\"a",     "a\"",
                                        "\"a\"b", "\"a\"b\"", "w/\"a\"", ""};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char lines[64];
        snprintf(lines, sizeof lines, "HTTP/1.1 200 x\r\nETag: %s\r\n", wrong[i]);
        hear(lines);
        CHECK_TEXT(response_strong_etag(&response), NULL);
    }
}

static void waits(void) {
    hear("HTTP/1.1 503 x\r\nRetry-After: 3\r\n");
    CHECK_NUMBER(response.retry_after_ms, 3000);
    hear("HTTP/1.1 503 x\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
         "Retry-After: Sun, 06 Nov 1994 08:50:37 GMT\r\n");
    CHECK_NUMBER(response.retry_after_ms, 60000);
    hear("HTTP/1.1 503 x\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
         "Retry-After: Sun, 06 Nov 1994 08:49:30 GMT\r\n");
    CHECK_NUMBER(response.retry_after_ms, 0);
    hear("HTTP/1.1 503 x\r\nRetry-After: soon\r\n");
    CHECK_NUMBER(response.retry_after_ms, -1);
    hear("HTTP/1.1 503 x\r\nRetry-After: -3\r\n");
    CHECK_NUMBER(response.retry_after_ms, -1);
    static const char *const huge[] = {"99999999999", "99999999999999999999999999"};
    for (size_t i = 0; i < 2; i++) {
        char lines[96];
        snprintf(lines, sizeof lines, "HTTP/1.1 503 x\r\nRetry-After: %s\r\n", huge[i]);
        hear(lines);
        CHECK_NUMBER(response.retry_after_ms, INT32_MAX * INT64_C(1000));
    }
    static const char *const none[] = {"1.5", "1e3", "3 s", "", "+3", "0x10", "P1D", "3, 4"};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        char lines[64];
        snprintf(lines, sizeof lines, "HTTP/1.1 503 x\r\nRetry-After: %s\r\n", none[i]);
        hear(lines);
        if (!CHECK(response.retry_after_ms <= 0))
            printf("# %s\n", none[i]);
    }
    hear(
        "HTTP/1.1 503 x\r\nRetry-After: Sun, 06 Nov 1994 08:50:37 GMT\r\n"
        "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"); /* our clock has no say, whatever comes first */
    CHECK_NUMBER(response.retry_after_ms, 60000);
}

static uint64_t wait_of(const char *status_and_lines) {
    char head[512];
    snprintf(head, sizeof head, "HTTP/1.1 %s", status_and_lines);
    hear(head);
    return response_wait_ms(&response);
}

static void who_wants_to_be_left_alone(void) {
    CHECK_NUMBER(wait_of("503 x\r\nRetry-After: 3\r\n"), 3000);
    CHECK_NUMBER(wait_of("429 x\r\nRetry-After: 3\r\n"), 3000);
    CHECK_NUMBER(wait_of("403 x\r\nRetry-After: 3\r\n"), 3000);
    CHECK_NUMBER(wait_of("500 x\r\nRetry-After: 3\r\n"), 0);
    CHECK_NUMBER(wait_of("200 x\r\nRetry-After: 3\r\n"), 0);
    CHECK_NUMBER(wait_of("503 x\r\n"), 0);
    static const char limit[] = "x\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                                "X-RateLimit-Remaining: %d\r\nX-RateLimit-Reset: %lld\r\n";
    char lines[256], head[300];
    static const struct {
        int status, remaining;
        long long reset;
        uint64_t wait_ms;
    } cases[] = {
        {403, 0, 784111777 + 60, 60000}, {429, 0, 784111777 + 60, 60000},
        {503, 0, 784111777 + 60, 0},     {403, 1, 784111777 + 60, 0},
        {403, 0, 784111777, 0},          {403, 0, 1, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snprintf(lines, sizeof lines, limit, cases[i].remaining, cases[i].reset);
        snprintf(head, sizeof head, "%d %s", cases[i].status, lines);
        CHECK_NUMBER(wait_of(head), cases[i].wait_ms);
    }
}

static void check_split(const char *url, const char *plain, const char *basic,
                        const char *password) {
    char *got_plain, *got_basic, *got_password;
    CHECK(url_split(url, &got_plain, &got_basic, &got_password));
    CHECK_TEXT(got_plain, plain);
    CHECK_TEXT(got_basic, basic);
    CHECK_TEXT(got_password, password);
    mem_free(got_plain);
    mem_free(got_basic);
    mem_free(got_password);
}

static void logins_in_urls(void) {
    check_split("http://h/a@b?c=d@e", "http://h/a@b?c=d@e", NULL, NULL);
    check_split("http://user:pass@h:81/x?y", "http://h:81/x?y", "Basic dXNlcjpwYXNz", "pass");
    check_split("http://user@h/", "http://h/", "Basic dXNlcjo=", "");
    check_split("http://:p@h/", "http://h/", "Basic OnA=", "p");
    check_split("http://u%3as:p%40%20@h/", "http://h/", "Basic dTpzOnBAIA==", "p@ ");
    CHECK_TEXT(url_fault("http://u%0d%0aX:p@h/"), "a control character in its user or password");
    CHECK_TEXT(url_fault("http://u:p%00@h/"), "a control character in its user or password");
    check_split("https://api.github.com@evil/", "https://evil/", "Basic YXBpLmdpdGh1Yi5jb206", "");
}

static void check_masked(const char *text, const char *value, const char *expected) {
    struct text masked = TEXT_INIT(200);
    text_add(&masked, text);
    mask_value(&masked, value);
    CHECK_TEXT(text_string(&masked), expected);
    text_done(&masked);
}

static void secrets_are_masked(void) {
    check_masked("bad token s3cr3t!", "Bearer s3cr3t", "bad token ***!");
    check_masked("a Bearer s3cr3t a", "Bearer s3cr3t", "a *** a");
    check_masked("s3crets3cret", "token s3cret", "******");
    check_masked("no session 12345678 here", "a=b; session=12345678", "no session *** here");
    check_masked("abc", "abc", "abc");
    check_masked("", "secret", "");
    check_masked("***x", "****", "***x");
    check_masked("the end: secret", "secret", "the end: ***");
}

static void links(void) {
    hear("HTTP/1.1 200 x\r\nLink: <http://a/1>; rel=\"prev\", <http://a/3>; rel=\"next\"\r\n");
    CHECK_TEXT(response.next_link, "http://a/3");
    hear("HTTP/1.1 200 x\r\nLink: <http://a/1>; rel=\"last\"\r\n");
    CHECK_TEXT(response.next_link, NULL);
    hear("HTTP/1.1 200 x\r\nLink: <http://a/1; rel=\"next\"\r\n");
    CHECK_TEXT(response.next_link, NULL);
}

static void dates(void) {
    CHECK_NUMBER(http_date("Sun, 06 Nov 1994 08:49:37 GMT"), 784111777);
    CHECK_NUMBER(http_date("Sunday, 06-Nov-94 08:49:37 GMT"), 784111777);
    CHECK_NUMBER(http_date("Sun Nov  6 08:49:37 1994"), 784111777);
    CHECK_NUMBER(http_date("Sun, 06 Nom 1994 08:49:37 GMT"), -1);
    CHECK_NUMBER(http_date("Sun, 06 anF 1994 08:49:37 GMT"), -1);
    CHECK_NUMBER(http_date("Sun, 06 Nov 1994 08:99:37 GMT"), -1);
    CHECK_NUMBER(http_date("Sun, 31 Feb 1994 08:49:37 GMT"), -1);
    CHECK_NUMBER(http_date("Sun, 06 Nov 1904 08:49:37 GMT"), -1);
    CHECK_NUMBER(http_date("Sat, 31 Dec 2016 23:59:60 GMT"), 1483228800);
    CHECK_NUMBER(http_date(""), -1);
}

static void what_resuming_needs_is_learnt_once(void) {
    struct part_note note = {.total = -1};
    hear("HTTP/1.1 200 x\r\nDate: Sun, 06 Nov 1994 08:49:38 GMT\r\n"
         "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
    resume_learn(&note, &response, 10);
    CHECK_TEXT(note.last_modified, "Sun, 06 Nov 1994 08:49:37 GMT");
    hear("HTTP/1.1 206 x\r\nDate: Sun, 06 Nov 1994 08:49:39 GMT\r\n"); /* RFC 9110, 15.3.7 */
    resume_learn(&note, &response, 10);
    CHECK_TEXT(note.last_modified, "Sun, 06 Nov 1994 08:49:37 GMT");
    CHECK_TEXT(note.modified, "Sun, 06 Nov 1994 08:49:37 GMT");
    part_note_done(&note);
    hear("HTTP/1.1 200 x\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
         "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"); /* it may change within the second */
    resume_learn(&note, &response, 10);
    CHECK_TEXT(note.last_modified, NULL);
    CHECK_TEXT(note.modified, "Sun, 06 Nov 1994 08:49:37 GMT");
    part_note_done(&note);
    hear("HTTP/1.1 200 x\r\nETag: \"a\"\r\nContent-Encoding: gzip\r\n");
    resume_learn(&note, &response, -1);
    CHECK_TEXT(note.etag, NULL);
    part_note_done(&note);
}

static void check_origin(const char *url, const char *expected) {
    char *origin;
    url_parse(url, &origin);
    CHECK_TEXT(origin, expected);
    mem_free(origin);
}

/* What looks like a host and is none. */
static void origins_that_are_not_what_they_seem(void) {
    static const struct {
        const char *url;
        bool is_same; /* as https://api.github.com/ */
    } cases[] = {
        {"https://API.GitHub.com/x", true},
        {"HTTPS://api.github.com:443/x", true},
        {"https://user:p@api.github.com/", true},
        {"https://api.github.com@evil/", false},
        {"https://api.github.com:443@evil/", false},
        {"https://evil/@api.github.com/", false},
        {"https://evil#@api.github.com/", false},
        {"https://evil?@api.github.com/", false},
        {"https://evil\\@api.github.com/", false},
        {"https://api.github.com\\@evil/", false},
        {"https://api.github.com\t@evil/", false},
        {"https://api.github.com.evil/", false},
        {"https://api.github.com./", false},
        {"https://x.api.github.com/", false},
        {"https://github.com/", false},
        {"https://api.github.com:444/", false},
        {"https://api.github.com:0443/", true},
        {"http://api.github.com/", false},
        {"http://api.github.com:443/", false},
        {"//api.github.com/", false},
        {"https:api.github.com/", false},
        {"https:///api.github.com/", true}, /* to libcurl, too */
        {"https://\xef\xbd\x81pi.github.com/", false},
        {"https://api.github.com\xe3\x80\x82"
         "evil/",
         false},
        {"https://ap\xc4\xb1.github.com/", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (!CHECK(url_same_origin("https://api.github.com/", cases[i].url) == cases[i].is_same))
            printf("# %s\n", cases[i].url);
}

static void origins(void) {
    check_origin("https://example.org/a", "https://example.org:443");
    check_origin("http://example.org:8080/a", "http://example.org:8080");
    check_origin("HTTP://Example.ORG", "http://example.org:80");
    check_origin("https://user:pw@example.org:443/@x:1", "https://example.org:443");
    check_origin("http://[::1]:80/", "http://[::1]:80");
    check_origin("http://a:99999/", NULL);
    check_origin("ftp://example.org/", NULL);
    check_origin("http://", NULL);
    check_origin("example.org/a", NULL);
    check_origin("http://a b/", NULL);
    check_origin("http://b%2541/", NULL); /* of which reading makes b%41, then bA */
    CHECK(url_same_origin("http://a/", "http://A:80/x") &&
          !url_same_origin("http://a/", "https://a/"));
    CHECK(!url_same_origin("http://a.b/", "http://a.b:81/"));
    char *plain = url_redacted("https://u:p@h/x?sig=1#f");
    CHECK_TEXT(plain, "https://h/x");
    mem_free(plain);
}

static void check_name(char *name, const char *expected) {
    CHECK_TEXT(name, expected);
    mem_free(name);
}

static void names(void) {
    check_name(name_neutral("a b.tgz"), "a b.tgz");
    check_name(name_neutral("../x"), "_._x");
    check_name(name_neutral(".."), "_.");
    check_name(name_neutral("-rf"), "_rf");
    check_name(name_neutral("a/b\\c\n\x1b[2J\xff"), "a_b_c__[2J_");
    check_name(name_neutral("\xe2\x80\xae"
                            "x"),
               "_x");
    check_name(name_neutral(""), "_");
    check_name(name_from_url("http://h/a%20b?x/y#z"), "a b");
    check_name(name_from_url("http://h/a%2F..%2f%00"), "a_..__");
    check_name(name_from_url("http://h/x/"), "index.html");
    check_name(name_from_url("http://h"), "index.html");
    check_name(name_from_url("http://h/%zz%4"), "%zz%4");
    char longest[1000];
    memset(longest, 'x', sizeof longest);
    snprintf(longest + 900, 100, ".tar.gz");
    char *cut = name_neutral(longest);
    CHECK(strlen(cut) <= NAME_LENGTH_MAX && !strcmp(cut + strlen(cut) - 7, ".tar.gz"));
    mem_free(cut);
}

static void digests(void) {
    struct digest_want want;
    CHECK(digest_parse("d41d8cd98f00b204e9800998ecf8427e", &want));
    CHECK(digest_parse("MD5:D41D8CD98F00B204E9800998ECF8427E", &want));
    CHECK(!digest_parse("sha256:d41d8cd98f00b204e9800998ecf8427e", &want));
    CHECK(!digest_parse("d41d8cd98f00b204e9800998ecf8427g", &want));
    CHECK(!digest_parse("blake3:d41d8cd98f00b204e9800998ecf8427e", &want));
    CHECK(!digest_parse("", &want) && !digest_parse(":", &want));
}

int main(void) {
    response_init(&response);
    RUN(content_ranges);
    RUN(a_status_line_begins_anew);
    RUN(early_hints_are_forgotten);
    RUN(lengths);
    RUN(a_control_character_makes_no_field);
    RUN(only_a_strong_etag_will_do);
    RUN(waits);
    RUN(who_wants_to_be_left_alone);
    RUN(origins_that_are_not_what_they_seem);
    RUN(logins_in_urls);
    RUN(secrets_are_masked);
    RUN(links);
    RUN(dates);
    RUN(what_resuming_needs_is_learnt_once);
    RUN(origins);
    RUN(names);
    RUN(digests);
    response_done(&response);
    return finish();
}
