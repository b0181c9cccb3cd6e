/* test_build_journal.c - events read back: keys and how often they count; what is none. */
#include "base/mem.h"
#include "check.h"
#include "spec/journal.h"
#include "spec/spec.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define STARTED "{\"event\":\"run.started\"}\n"
#define ENDED(task, status, key)                                                                   \
    "{\"event\":\"task.ended\",\"task\":\"" task "\",\"status\":\"" status "\",\"key\":\"" key     \
    "\"}\n"

static ajob_spec *spec;

static int reading(const char *text) {
    ajob_spec_free(spec);
    spec = ajob_spec_new();
    return ajob_spec_resume(spec, text, strlen(text));
}

/* How many tasks with this key are done. */
static int count(const char *key) {
    int taken = 0;
    journal_rewind(spec->journal);
    while (journal_take(spec->journal, key))
        taken++;
    return taken;
}

static void successes_count_by_key(void) {
    CHECK_NUMBER(reading(STARTED ENDED("1", "succeeded", A) ENDED("2", "succeeded", A)
                             ENDED("3", "succeeded", B) ENDED("4", "failed", B)),
                 0);
    CHECK_NUMBER(count(A), 2);
    CHECK_NUMBER(count(B), 1);
    CHECK_NUMBER(count("nothing"), 0);
    CHECK_NUMBER(count(A), 2); /* rewound */
}

static void a_task_counts_once_in_a_run(void) {
    CHECK_NUMBER(reading(STARTED ENDED("1", "succeeded", A) ENDED("1", "succeeded", A)), 0);
    CHECK_NUMBER(count(A), 1);
}

static void of_several_runs_the_one_with_most_counts(void) {
    CHECK_NUMBER(reading(STARTED ENDED("1", "succeeded", A) STARTED ENDED("1", "succeeded", A)
                             ENDED("2", "succeeded", A) STARTED ENDED("3", "succeeded", A)
                                 ENDED("1", "succeeded", B)),
                 0);
    CHECK_NUMBER(count(A), 2);
    CHECK_NUMBER(count(B), 1);
}

static void what_was_cut_off_is_left_out(void) {
    CHECK_NUMBER(reading(STARTED ENDED("1", "succeeded", A) "{\"event\":\"task.ended\",\"ta"), 0);
    CHECK_NUMBER(count(A), 1);
    CHECK_NUMBER(reading(""), 0);
    CHECK_NUMBER(count(A), 0);
    CHECK_NUMBER(reading("\n\n" STARTED "  \r\n"), 0);
}

static void what_is_no_event_is_an_error_with_its_line(void) {
    CHECK_NUMBER(reading(STARTED "garbage\n" STARTED), AJOB_EINVAL);
    CHECK(!strncmp(ajob_spec_error(spec), "line 2 ", 7));
    CHECK_NUMBER(reading(STARTED STARTED "{}\n"), AJOB_EINVAL);
    CHECK(!strncmp(ajob_spec_error(spec), "line 3 ", 7));
    CHECK_NUMBER(reading("{}"), AJOB_EINVAL); /* whole, so it was not cut off */
    CHECK_NUMBER(reading("[1]\n"), AJOB_EINVAL);
    CHECK_NUMBER(reading("{\"event\":\"x\"} {\"event\":\"x\"}\n"), AJOB_EINVAL);
    CHECK_NUMBER(reading("{\"event\":5}\n"), AJOB_EINVAL);
}

static void a_key_that_is_none_is_nobodys(void) {
    CHECK_NUMBER(reading(ENDED("1", "succeeded", "short") ENDED("2", "succeeded", "")), 0);
    CHECK_NUMBER(count("short"), 0);
}

static void lack_of_memory_is_said(void) {
    static const char text[] = STARTED ENDED("1", "succeeded", A) ENDED("2", "succeeded", B);
    bool is_over = false;
    for (unsigned long n = 1; !is_over && n < 1000; n++) {
        ajob_spec_free(spec);
        spec = ajob_spec_new();
        mem_fail_nth(FAULT_ALLOC, n);
        int error = ajob_spec_resume(spec, text, strlen(text));
        is_over = mem_fail_nth(FAULT_ALLOC, 0) != 0;
        CHECK_NUMBER(error, is_over ? 0 : AJOB_ENOMEM);
    }
    CHECK(is_over);
}

int main(void) {
    RUN(successes_count_by_key);
    RUN(a_task_counts_once_in_a_run);
    RUN(of_several_runs_the_one_with_most_counts);
    RUN(what_was_cut_off_is_left_out);
    RUN(what_is_no_event_is_an_error_with_its_line);
    RUN(a_key_that_is_none_is_nobodys);
    RUN(lack_of_memory_is_said);
    ajob_spec_free(spec);
    return finish();
}
