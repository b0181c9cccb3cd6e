/* test_record.c - the record of earlier runs: what counts as done, as failed, as torn. */
#include <stdlib.h>
#include <unistd.h>

#include "core_rig.h"

static char path[64];

static ajob_record *read_text(const char *text, size_t length, bool keeps_failed, uint64_t *whole) {
    snprintf(path, sizeof path, "/tmp/ajob-test-XXXXXX");
    int fd = mkstemp(path);
    CHECK_NUMBER(write(fd, text, length), length);
    close(fd);
    ajob_record *record = ajob_record_read(rig.loop, path, keeps_failed, whole);
    unlink(path);
    return record;
}

static const char *key_of(const char *text) {
    static char key[AJOB_KEY_SIZE];
    size_t length = strlen(text);
    CHECK_NUMBER(ajob_record_key(rig.loop, &text, &length, 1, key), 0);
    return key;
}

static void add(struct text *events, const char *item, const char *status) {
    text_format(
        events,
        "{\"time\":\"x\",\"seq\":1,\"event\":\"task.ended\",\"task\":\"1\",\"status\":\"%s\","
        "\"item\":\"%s\",\"key\":\"%s\"}\n",
        status, item, key_of(item));
}

static void keys_tell_lists_apart(void) {
    char one[AJOB_KEY_SIZE], other[AJOB_KEY_SIZE];
    rig_open(0);
    CHECK_NUMBER(ajob_record_key(rig.loop, (const char *[]){"ab", "c"}, (size_t[]){2, 1}, 2, one),
                 0);
    CHECK_NUMBER(ajob_record_key(rig.loop, (const char *[]){"a", "bc"}, (size_t[]){1, 2}, 2, other),
                 0);
    CHECK_NUMBER(strlen(one), 64);
    CHECK(strcmp(one, other) != 0);
    CHECK_NUMBER(ajob_record_key(rig.loop, (const char *[]){"ab", "c"}, (size_t[]){2, 1}, 2, other),
                 0);
    CHECK_TEXT(one, other);
    rig_close();
}

static void what_has_succeeded_is_taken_as_often(void) {
    struct text events = TEXT_INIT(1 << 20);
    uint64_t whole;
    rig_open(0);
    text_add(&events, "{\"event\":\"run.started\"}\n\n");
    add(&events, "a", "succeeded");
    add(&events, "b", "failed");
    add(&events, "a", "succeeded");
    add(&events, "c", "cancelled");
    ajob_record *record = read_text(text_string(&events), events.length, false, &whole);
    CHECK_NUMBER(whole, events.length);
    CHECK(ajob_record_take(record, key_of("a")));
    CHECK(ajob_record_take(record, key_of("a")));
    CHECK(!ajob_record_take(record, key_of("a")));
    CHECK(!ajob_record_take(record, key_of("b")));
    CHECK(!ajob_record_take(record, key_of("c")));
    CHECK(!ajob_record_take(record, "short"));
    CHECK(!ajob_record_take(NULL, key_of("a")));
    ajob_record_free(record);
    text_done(&events);
    rig_close();
}

static void what_has_failed_since_is_kept(void) {
    struct text events = TEXT_INIT(1 << 20);
    uint64_t whole;
    size_t length;
    rig_open(0);
    text_add(&events, "{\"event\":\"run.started\"}\n");
    add(&events, "a", "failed");
    add(&events, "b", "timed_out");
    add(&events, "c", "failed");
    add(&events, "d", "cancelled");
    text_add(&events, "{\"event\":\"run.started\"}\n");
    add(&events, "a", "failed");
    add(&events, "b", "succeeded");
    text_format(&events,
                "{\"event\":\"task.ended\",\"status\":\"failed\",\"item\":\"x\","
                "\"item_hex\":\"610062ff\",\"key\":\"%s\"}\n",
                key_of("hex"));
    ajob_record *record = read_text(text_string(&events), events.length, true, &whole);
    CHECK_NUMBER(ajob_record_count_failed(record), 3);
    CHECK_TEXT(ajob_record_next_failed(record, &length), "a");
    CHECK_TEXT(ajob_record_next_failed(record, &length), "c");
    CHECK_NUMBER(ajob_record_count_failed(record), 1);
    const char *item = ajob_record_next_failed(record, &length);
    CHECK(item && length == 4 && !memcmp(item, "a\0b\xff", 4));
    CHECK(!ajob_record_next_failed(record, &length));
    ajob_record_free(record);
    text_done(&events);
    rig_close();
}

/* How many tries of an item are left after these ends, f or s, of runs: "ff s". */
static size_t left_after(const char *ends) {
    struct text events = TEXT_INIT(1 << 20);
    uint64_t whole;
    size_t length, count = 0;
    text_add(&events, "{\"event\":\"run.started\"}\n");
    for (const char *end = ends; *end; end++) {
        if (*end == ' ')
            text_add(&events, "{\"event\":\"run.started\"}\n");
        else
            add(&events, "x", *end == 'f' ? "failed" : "succeeded");
    }
    ajob_record *record = read_text(text_string(&events), events.length, true, &whole);
    size_t counted = ajob_record_count_failed(record);
    while (ajob_record_next_failed(record, &length))
        count++;
    CHECK_NUMBER(counted, count);
    ajob_record_free(record);
    text_done(&events);
    return count;
}

static void equal_items_are_left_as_often_as_they_have_failed(void) {
    rig_open(0);
    CHECK_NUMBER(left_after("ff"), 2);
    CHECK_NUMBER(left_after("fs"), 1);
    CHECK_NUMBER(left_after("sf"), 1);
    CHECK_NUMBER(left_after("ff fs"), 1);
    CHECK_NUMBER(left_after("ff sf"), 1);
    CHECK_NUMBER(left_after("ff ff"), 2);
    CHECK_NUMBER(left_after("ff f"), 2); /* the other one was not tried */
    CHECK_NUMBER(left_after("ff s  f"), 1);
    CHECK_NUMBER(left_after("ff s s"), 0);
    CHECK_NUMBER(left_after("f sff"), 2); /* by --resume, with more of them */
    CHECK_NUMBER(left_after("ff ss f"), 1);
    rig_close();
}

static void a_text_cannot_pretend(void) {
    struct text events = TEXT_INIT(1 << 20);
    uint64_t whole;
    rig_open(0);
    /* As JSON has it: a quote in a text has a backslash before it. */
    text_format(&events,
                "{\"event\":\"task.ended\",\"status\":\"failed\",\"item\":\"\\\"status\\\":"
                "\\\"succeeded\\\",\\\"key\\\":\\\"%s\\\"\",\"key\":\"%s\"}\n",
                key_of("other"), key_of("own"));
    ajob_record *record = read_text(text_string(&events), events.length, true, &whole);
    CHECK(!ajob_record_take(record, key_of("other")));
    CHECK(!ajob_record_take(record, key_of("own")));
    CHECK_NUMBER(ajob_record_count_failed(record), 1);
    ajob_record_free(record);
    text_done(&events);
    rig_close();
}

static void a_torn_last_line_is_left_out_and_nonsense_is_not(void) {
    struct text events = TEXT_INIT(1 << 20);
    uint64_t whole;
    rig_open(0);
    add(&events, "a", "succeeded");
    size_t complete = events.length;
    add(&events, "b", "succeeded");
    for (size_t length = complete; length < events.length; length++) {
        ajob_record *record = read_text(text_string(&events), length, false, &whole);
        CHECK(record && ajob_record_take(record, key_of("a")));
        CHECK(!ajob_record_take(record, key_of("b")));
        CHECK_NUMBER(whole, complete);
        ajob_record_free(record);
    }
    text_add(&events, "nonsense\n");
    CHECK(!read_text(text_string(&events), events.length, false, &whole));
    CHECK_TEXT(ajob_error(rig.loop),
               "line 3 is no event of a run: give a file that --events has written");
    CHECK(!ajob_record_read(rig.loop, "/nowhere/at/all", false, &whole));
    text_done(&events);
    rig_close();
}

static void many_are_found_again(void) {
    enum { MANY = 20000 };
    struct text events = TEXT_INIT(16 << 20);
    uint64_t whole;
    char item[24];
    rig_open(0);
    for (int i = 0; i < MANY; i += 2) {
        snprintf(item, sizeof item, "%d", i);
        add(&events, item, "succeeded");
    }
    ajob_record *record = read_text(text_string(&events), events.length, false, &whole);
    for (int i = 0; i < MANY; i++) {
        snprintf(item, sizeof item, "%d", i);
        if (ajob_record_take(record, key_of(item)) != (i % 2 == 0))
            CHECK_NUMBER(i, -1);
    }
    ajob_record_free(record);
    text_done(&events);
    rig_close();
}

int main(void) {
    RUN(keys_tell_lists_apart);
    RUN(what_has_succeeded_is_taken_as_often);
    RUN(what_has_failed_since_is_kept);
    RUN(equal_items_are_left_as_often_as_they_have_failed);
    RUN(a_text_cannot_pretend);
    RUN(a_torn_last_line_is_left_out_and_nonsense_is_not);
    RUN(many_are_found_again);
    return finish();
}
