/* test_expand.c - ${...} becomes text: constants, what is not known, what is wrong. */
#include "spec/expand.h"

#include "base/mem.h"
#include "check.h"

static struct ajob_spec *spec;
static char said[1024];

/* The text, or "!" and the error. */
static const char *expanded(const char *string, const char *item) {
    struct expand_source source = {.spec = spec, .item = item};
    struct text text = TEXT_INIT(EXPAND_MAX), error = TEXT_INIT(TEXT_LINE_MAX);
    bool is_ok = expand(&source, NULL, string, &text, &error);
    CHECK(is_ok == (error.length == 0));
    snprintf(said, sizeof said, "%s%s", is_ok ? "" : "!", text_string(is_ok ? &text : &error));
    text_done(&text);
    text_done(&error);
    return said;
}

static void constants_become_text(void) {
    CHECK_TEXT(expanded("", NULL), "");
    CHECK_TEXT(expanded("plain", NULL), "plain");
    CHECK_TEXT(expanded("a$$b$$$${item}$", "x"), "a$b$${item}$");
    CHECK_TEXT(expanded("<${item}>${item}", "x y"), "<x y>x y");
    CHECK_TEXT(expanded("${var.one}-${var.one}", NULL), "1-1");
    CHECK_TEXT(expanded("${env.AJOB_TEST_SET}", NULL), "${item}");
}

static void a_value_is_not_looked_at_again(void) {
    CHECK_TEXT(expanded("${item}", "${var.one} $$ ${item}"), "${var.one} $$ ${item}");
    CHECK_TEXT(expanded("${env.AJOB_TEST_SET}${item}", "i"), "${item}i");
}

static void what_is_not_known_stands_for_itself(void) {
    CHECK_TEXT(expanded("a${item}b", NULL), "a\1${item}\1b");
    CHECK_TEXT(expanded("${t.stdout}${t.path}${t.exit}", "i"),
               "\1${t.stdout}\1\1${t.path}\1\1${t.exit}\1");
    CHECK_TEXT(expanded("$${t.stdout}", NULL), "${t.stdout}");
}

static void what_is_not_set_is_named(void) {
    CHECK_TEXT(expanded("x${env.AJOB_TEST_UNSET}", NULL),
               "!${env.AJOB_TEST_UNSET}: it is not set in the environment of ajob");
    CHECK_TEXT(expanded("${var.two}", NULL), "!${var.two}: it is not set: use --set");
    CHECK(expanded("${", NULL)[0] == '!');
    CHECK(expanded("${}", NULL)[0] == '!');
}

static void a_text_has_a_bound(void) {
    static char item[EXPAND_MAX + 2];
    memset(item, 'x', EXPAND_MAX);
    CHECK(expanded("${item}", item)[0] == 'x');
    item[EXPAND_MAX] = 'x';
    CHECK(expanded("${item}", item)[0] == '!');
}

static void late_is_what_tasks_have_made(void) {
    CHECK(expand_is_late("a${t.stdout}"));
    CHECK(expand_is_late("${t.a.path}"));
    CHECK(expand_is_late("${item}${t.exit}"));
    CHECK(!expand_is_late("${item}${env.X}${var.y}$$"));
    CHECK(!expand_is_late("$${t.stdout}"));
    CHECK(!expand_is_late(""));
    CHECK(!expand_is_late(NULL));
}

static void no_memory_is_an_error(void) {
    for (unsigned long n = 1; n < 10; n++) {
        mem_fail_nth(FAULT_ALLOC, n);
        expanded("${item} and more", "some text");
        bool has_come = mem_fail_nth(FAULT_ALLOC, 0) == 0;
        CHECK(!has_come || said[0] == '!' || !said[0]);
    }
}

int main(void) {
    setenv("AJOB_TEST_SET", "${item}", 1);
    spec = ajob_spec_new();
    ajob_spec_set(spec, "one", "1");
    RUN(constants_become_text);
    RUN(a_value_is_not_looked_at_again);
    RUN(what_is_not_known_stands_for_itself);
    RUN(what_is_not_set_is_named);
    RUN(a_text_has_a_bound);
    RUN(late_is_what_tasks_have_made);
    RUN(no_memory_is_an_error);
    ajob_spec_free(spec);
    return finish();
}
