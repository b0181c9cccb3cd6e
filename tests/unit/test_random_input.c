/*
 * test_random_input.c - everything that parses what comes from outside, fed with
 * right input and with what random changes make of it. What must hold is checked,
 * and the sanitizers see the rest. `test_random_input SEED ROUNDS` for more.
 */
#include <cjson/cJSON.h>
#include <ctype.h>

#include "ajob.h"
#include "base/mem.h"
#include "base/text.h"
#include "check.h"
#include "net/checksums.h"
#include "net/digest.h"
#include "net/failure.h"
#include "net/github.h"
#include "net/headers.h"
#include "net/name.h"
#include "net/part_note.h"
#include "net/url.h"
#include "spec/json.h"
#include "spec/value.h"

enum { INPUT_MAX = 512 };

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const char *const samples[] = {
    "HTTP/1.1 206 Partial Content\r\n",
    "Content-Range: bytes 5-9/10\r\n",
    "Content-Length: 18446744073709551615\r\n",
    "Link: <http://a/1>; rel=\"prev\", <http://a/3?page=2>; rel=\"next\"\r\n",
    "Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
    "X-RateLimit-Reset: 1700000000\r\n",
    "https://user:pw@Example.org:8443/a/b%20c/..%2f?x=1&y#z",
    "http://[::1]:80/%00%ff/x.tar.gz",
    "../-rf/\xe2\x80\xae\xc0\xaf\x1b[2J::error::x##[command]y.part",
    HEX64 "  ./dist/name\nSHA256 (name) = " HEX64 "\n\\" HEX64 " *a\\nb\n",
    "sha256:" HEX64,
    "1h30m5s250ms",
    "1.5",
    "64K",
    "{\"part\":1,\"identity\":\"x\",\"url\":\"u\",\"etag\":\"\\\"e\\\"\",\"size\":123}",
    "{\"tag_name\":\"v1\",\"id\":1,\"assets\":[{\"id\":2,\"name\":\"a\",\"size\":3,\"digest\":null,"
    "\"state\":\"uploaded\",\"browser_download_url\":\"http://h/a\"}]}",
    "{\"message\":\"Not \\u0000 Found\"}",
    "<html><TITLE> a\nb </title>",
    "{\"tasks\":{\"a\":{\"exec\":[\"x\",\"${b.stdout}\"],\"needs\":\"b\",\"timeout\":\"1m\"},"
    "\"b\":\"y\"},// z\n\"jobs\":3,}",
    "{\"pools\":{\"p\":1},\"tasks\":{\"g\":{\"group\":{\"i\":{\"sh\":[\"\\u00e4\"],\"pool\":{\"p\":"
    "1}}},"
    "\"policy\":\"any\"},\"e\":{\"each\":{\"lines\":\"g\"},\"do\":{\"get\":\"http://h/"
    "${item}\"}}}}",
    "{\"defaults\":{\"retry\":{\"max\":1,\"on\":[2]},\"env\":{\"A\":null}},\"tasks\":{\"s\":{"
    "\"service\":"
    "[\"x\"],\"ready\":{\"tcp\":\"h:1\"},\"shield\":true},\"r\":{\"release\":\"o/"
    "r\",\"when\":\"always\"}}}",
    "a${b.c.stdout}$$${env.X}${item}${",
};

static uint64_t state;

static unsigned below(unsigned limit) {
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(state >> 33) % limit;
}

/* A sample, or the beginning of one and the end of another, with some bytes
 * changed, doubled or cut out. NUL-terminated; returns the length. */
static size_t make_input(char *input) {
    const char *head = samples[below(sizeof samples / sizeof samples[0])];
    const char *tail = samples[below(sizeof samples / sizeof samples[0])];
    size_t head_length = strlen(head), tail_length = strlen(tail);
    size_t keep = below(4) ? head_length : below((unsigned)head_length + 1);
    size_t length = (size_t)snprintf(input, INPUT_MAX, "%.*s%s", (int)keep, head,
                                     below(3) ? "" : tail + below((unsigned)tail_length));
    length = length < INPUT_MAX ? length : INPUT_MAX - 1;
    for (unsigned changes = below(6); changes && length; changes--) {
        size_t at = below((unsigned)length);
        switch (below(4)) {
        case 0:
            input[at] = (char)(1 + below(255));
            break;
        case 1:
            memmove(input + at, input + at + 1, length - at);
            length--;
            break;
        case 2:
            if (length + 1 < INPUT_MAX) {
                memmove(input + at + 1, input + at, length - at + 1);
                length++;
            }
            break;
        default:
            input[at] = "\"\\/%:;<>(){}[],=\r\n\t 09af\xff\xc0\xe2"[below(28)];
            break;
        }
    }
    return strlen(input);
}

static void try_headers(const char *input, size_t length) {
    static struct response response;
    static bool is_ready;
    if (!is_ready)
        response_init(&response);
    is_ready = true;
    response_line(&response, input, length);
    CHECK(response.length >= -1 && response.retry_after_ms >= -1 && response.range_total >= -1);
    CHECK(!response.has_extent || response.range_first <= response.range_last);
    if (below(50) == 0)
        response_done(&response);
    http_date(input);
}

static void try_names(const char *input) {
    char *neutral = name_neutral(input), *from_url = name_from_url(input);
    CHECK(neutral && name_is_usable(neutral) && neutral[0] != '.' && neutral[0] != '-');
    CHECK(from_url && name_is_usable(from_url) && from_url[0] != '.' && from_url[0] != '-');
    mem_free(neutral);
    mem_free(from_url);
}

static void try_urls(const char *input) {
    char *origin, *again;
    const char *fault = url_parse(input, &origin);
    CHECK((fault == NULL) == (origin != NULL));
    if (origin) { /* an origin is a URL, of the same origin */
        CHECK(!url_parse(origin, &again));
        CHECK_TEXT(again, origin);
        mem_free(again);
    }
    mem_free(origin);
    char *plain = url_redacted(input), *segment = url_encode_segment(input);
    CHECK(!plain || !strchr(plain, '?'));
    CHECK(segment && !strpbrk(segment, "/?# "));
    mem_free(plain);
    mem_free(segment);
}

static void try_texts(const char *input, size_t length) {
    struct text json = TEXT_INIT(16 * INPUT_MAX);
    char safe[8 * INPUT_MAX];
    struct digest_want want;
    uint64_t number;
    text_add_char(&json, '"');
    text_add_json(&json, input, length);
    text_add_char(&json, '"');
    cJSON *parsed = cJSON_Parse(text_string(&json));
    CHECK(cJSON_IsString(parsed));
    cJSON_Delete(parsed);
    text_done(&json);
    ajob_escape(safe, sizeof safe, input);
    for (const char *c = safe; *c; c++)
        CHECK(!iscntrl((unsigned char)*c));
    CHECK(strncmp(safe, "::", 2) != 0 && !strstr(safe, "##["));
    struct checksums checksums = {0};
    CHECK(checksums_read(&checksums, input, length));
    checksums_find(&checksums, "name", below(2));
    checksums_done(&checksums);
    digest_parse(input, &want);
    CHECK(!ajob_parse_duration(input, &number) || number <= UINT64_C(365) * 24 * 3600 * 1000);
    ajob_parse_size(input, &number);
    ajob_nearest(input, samples, sizeof samples / sizeof samples[0]);
}

static void try_json(const char *input, size_t length) {
    struct part_note note;
    struct github_release release;
    struct text error = TEXT_INIT(TEXT_LINE_MAX), body = TEXT_INIT(INPUT_MAX);
    cJSON *json = cJSON_Parse(input);
    if (part_note_read(input, length, &note)) {
        CHECK(note.identity && (!note.etag || note.etag[0] == '"'));
        part_note_done(&note);
    }
    if (github_read_release(json, &release, &error)) {
        CHECK(release.tag != NULL);
        github_release_done(&release);
    } else {
        CHECK(error.length > 0);
    }
    cJSON_Delete(json);
    text_clear(&error);
    text_add_n(&body, input, length);
    failure_add_message(&error, "text/html", &body);
    for (const char *c = text_string(&error); *c; c++)
        CHECK(!iscntrl((unsigned char)*c));
    text_done(&error);
    text_done(&body);
}

static void on_mistake(const ajob_mistake *mistake, void *data) {
    size_t *errors = data;
    *errors += mistake->severity == AJOB_MISTAKE_ERROR;
    CHECK(mistake->text[0] && mistake->line && mistake->length);
    CHECK(!mistake->source || !strchr(mistake->source, '\n'));
}

static void try_spec(const char *input, size_t length) {
    struct json json;
    struct json_fault fault;
    size_t told = 0;
    char *exact = mem_copy_n(input, length);
    ajob_spec *spec = ajob_spec_new();
    CHECK_NUMBER(ajob_spec_parse(spec, "random", input, length), 0);
    size_t errors = ajob_spec_check(spec, on_mistake, &told);
    CHECK_NUMBER(told, errors);
    if (json_scan(&json, exact, length, &fault) == 0) {
        cJSON *value = json_value(&json, 0); /* what was found right, cJSON takes */
        CHECK(value != NULL);
        cJSON_Delete(value);
    } else {
        CHECK(errors == 1 && fault.at <= length && fault.text[0]);
    }
    json_done(&json);
    ajob_spec_free(spec);
    mem_free(exact);
    for (const char *cursor = input; *cursor;) {
        const char *before = cursor;
        struct value value = value_next(input, &cursor);
        CHECK(cursor > before && value.type != VALUE_END);
        CHECK(value.name >= input && value.name + value.length <= cursor);
    }
}

static uint64_t seed = 1;
static unsigned long rounds = 20000;

static void nothing_breaks_on_what_comes(void) {
    char input[INPUT_MAX + 1];
    state = seed;
    for (unsigned long i = 0; i < rounds; i++) {
        size_t length = make_input(input);
        try_headers(input, length);
        try_names(input);
        try_urls(input);
        try_texts(input, length);
        try_json(input, length);
        try_spec(input, length);
    }
}

int main(int argc, char **argv) {
    if (argc > 1)
        seed = strtoull(argv[1], NULL, 10);
    if (argc > 2)
        rounds = strtoul(argv[2], NULL, 10);
    RUN(nothing_breaks_on_what_comes);
    return finish();
}
