/* test_answer.c - what servers' answers mean for a part. */
#include "check.h"
#include "net/answer.h"

static struct response response;

/* The answer to a question, as header lines separated by '\n'. */
static enum answer said(const struct question *question, const char *lines) {
    response_init(&response);
    for (const char *end; *lines; lines = *end ? end + 1 : end) {
        end = lines + strcspn(lines, "\n");
        response_line(&response, lines, (size_t)(end - lines));
    }
    enum answer answer = answer_to(question, &response);
    response_done(&response);
    return answer;
}

#define RANGE "HTTP/1.1 206 Partial Content\nContent-Range: bytes "
#define NONE "HTTP/1.1 416 Range Not Satisfiable\nContent-Range: bytes "

static struct part_note etag_note = {.etag = (char *)"\"x\"", .total = 100};
static struct part_note date_note = {.last_modified = (char *)"Wed, 01 Jan 2025 00:00:00 GMT",
                                     .total = 100};
static struct part_note bare_note = {.total = -1};

static void a_range_is_the_one_that_was_asked_for(void) {
    struct question asked = {
        .has_range = true, .first = 10, .note = &etag_note, .is_same_server = true};
    CHECK_NUMBER(said(&asked, RANGE "10-99/100"), ANSWER_RANGE);
    CHECK_NUMBER(said(&asked, RANGE "10-19/100"), ANSWER_RANGE);
    CHECK_NUMBER(said(&asked, RANGE "10-99/*"), ANSWER_RANGE);
    CHECK_NUMBER(said(&asked, RANGE "9-99/100"), ANSWER_OTHER);
    CHECK_NUMBER(said(&asked, RANGE "11-99/100"), ANSWER_OTHER);
    CHECK_NUMBER(said(&asked, RANGE "10-99/101"), ANSWER_OTHER);
    CHECK_NUMBER(said(&asked, RANGE "10-99/100\nContent-Encoding: gzip"), ANSWER_OTHER);
    CHECK_NUMBER(said(&asked, "HTTP/1.1 206 Partial Content"), ANSWER_OTHER);
    CHECK_NUMBER(said(&asked, "HTTP/1.1 200 OK"), ANSWER_WHOLE);
    asked.note = &bare_note;
    CHECK_NUMBER(said(&asked, RANGE "10-99/*"), ANSWER_OTHER);
    asked.has_range = false;
    asked.first = 0;
    CHECK_NUMBER(said(&asked, RANGE "0-99/100"), ANSWER_OTHER);
    asked.has_range = true; /* a gap at the beginning */
    CHECK_NUMBER(said(&asked, RANGE "0-9/100"), ANSWER_RANGE);
}

static void another_version_does_not_fit(void) {
    struct question asked = {
        .has_range = true, .first = 10, .note = &etag_note, .is_same_server = true};
    CHECK_NUMBER(said(&asked, RANGE "10-99/100\nETag: \"x\""), ANSWER_RANGE);
    CHECK_NUMBER(said(&asked, RANGE "10-99/100\nETag: \"y\""), ANSWER_OTHER);
    asked.note = &date_note;
    CHECK_NUMBER(said(&asked, RANGE "10-99/100\nLast-Modified: Wed, 01 Jan 2025 00:00:00 GMT"),
                 ANSWER_RANGE);
    CHECK_NUMBER(said(&asked, RANGE "10-99/100\nLast-Modified: Thu, 02 Jan 2025 00:00:00 GMT"),
                 ANSWER_OTHER);
}

static void another_servers_validators_count_as_far_as_they_prove_something(void) {
    struct question asked = {.has_range = true, .first = 10, .note = &etag_note};
    CHECK_NUMBER(said(&asked, RANGE "10-99/100\nETag: \"y\""), ANSWER_RANGE); /* a digest does */
    CHECK_NUMBER(said(&asked, RANGE "10-99/101\nETag: \"x\""), ANSWER_OTHER);
    asked.is_same_server = asked.must_say_etag = true;
    CHECK_NUMBER(said(&asked, RANGE "10-99/100\nETag: \"x\""), ANSWER_RANGE);
    CHECK_NUMBER(said(&asked, RANGE "10-99/100\nETag: W/\"x\""), ANSWER_OTHER);
    CHECK_NUMBER(said(&asked, RANGE "10-99/100"), ANSWER_OTHER);
}

static void nothing_is_left_only_where_the_file_ends_there(void) {
    struct question asked = {
        .has_range = true, .first = 100, .note = &etag_note, .is_same_server = true};
    CHECK_NUMBER(said(&asked, NONE "*/100"), ANSWER_NOTHING);
    CHECK_NUMBER(said(&asked, NONE "*/101"), ANSWER_CHANGED);
    CHECK_NUMBER(said(&asked, NONE "*/100\nETag: \"y\""), ANSWER_CHANGED);
    CHECK_NUMBER(said(&asked, "HTTP/1.1 416 Range Not Satisfiable"), ANSWER_CHANGED);
    asked.first = 50;
    CHECK_NUMBER(said(&asked, NONE "*/100"), ANSWER_CHANGED);
    CHECK_NUMBER(said(&asked, NONE "*/50"), ANSWER_CHANGED);
    asked = (struct question){.note = &bare_note, .is_same_server = true};
    CHECK_NUMBER(said(&asked, NONE "*/0"), ANSWER_CHANGED);
}

int main(void) {
    RUN(a_range_is_the_one_that_was_asked_for);
    RUN(another_version_does_not_fit);
    RUN(another_servers_validators_count_as_far_as_they_prove_something);
    RUN(nothing_is_left_only_where_the_file_ends_there);
    return finish();
}
