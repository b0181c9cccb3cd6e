/*
 * test_net_parsing.c - what comes from outside: header lines, dates, URLs, names,
 * digests, and what is kept of them for resuming.
 */
#include "base/mem.h"
#include "check.h"
#include "net/digest.h"
#include "net/headers.h"
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

static void lengths(void) {
    hear("HTTP/1.1 200 x\r\nContent-Length: 7\r\nTransfer-Encoding: chunked\r\n");
    CHECK_NUMBER(response.length, -1);
    hear("HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\nContent-Length: 7\r\n");
    CHECK_NUMBER(response.length, -1);
    hear("HTTP/1.1 200 x\r\nContent-Length: 7, 7\r\n");
    CHECK_NUMBER(response.length, -1);
    hear("HTTP/1.1 200 x\r\nContent-Length: -1\r\n");
    CHECK_NUMBER(response.length, -1);
}

static void only_a_strong_etag_will_do(void) {
    hear("HTTP/1.1 200 x\r\nETag: \"a b\"\r\n");
    CHECK_TEXT(response_strong_etag(&response), "\"a b\"");
    hear("HTTP/1.1 200 x\r\nETag: W/\"a\"\r\n");
    CHECK_TEXT(response_strong_etag(&response), NULL);
    hear("HTTP/1.1 200 x\r\nETag: a\r\n");
    CHECK_TEXT(response_strong_etag(&response), NULL);
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
    hear("HTTP/1.1 503 x\r\nRetry-After: 99999999999\r\n");
    CHECK(response.retry_after_ms > 0);
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
    RUN(lengths);
    RUN(only_a_strong_etag_will_do);
    RUN(waits);
    RUN(links);
    RUN(dates);
    RUN(what_resuming_needs_is_learnt_once);
    RUN(origins);
    RUN(names);
    RUN(digests);
    response_done(&response);
    return finish();
}
