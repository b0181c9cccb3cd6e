/* test_names.c - names from outside are one harmless path component, whatever they were. */
#include "base/mem.h"
#include "base/text.h"
#include "check.h"
#include "net/name.h"

static void becomes(const char *raw, const char *expected) {
    char *name = name_neutral(raw);
    CHECK_TEXT(name, expected);
    mem_free(name);
}

static void url_becomes(const char *url, const char *expected) {
    char *name = name_from_url(url);
    CHECK_TEXT(name, expected);
    mem_free(name);
}

static void plain_names_stay(void) {
    becomes("tool-1.0_linux+amd64.tar.gz", "tool-1.0_linux+amd64.tar.gz");
    becomes("\xc3\xa9t\xc3\xa9 (1).txt", "\xc3\xa9t\xc3\xa9 (1).txt");
    becomes("::error::x", "::error::x"); /* what is shown is escaped */
    becomes("a.", "a.");
    becomes("NUL", "NUL"); /* devices of another system */
    becomes("a..b", "a..b");
}

static void nothing_leads_elsewhere(void) {
    becomes("", "_");
    becomes(".", "_");
    becomes("..", "_.");
    becomes("../a", "_._a");
    becomes("/etc/passwd", "_etc_passwd");
    becomes("a/../b", "a_.._b");
    becomes("a\\b", "a_b");
    becomes("-rf", "_rf");
    becomes("--", "_-");
    becomes(".profile", "_profile");
    becomes("~", "~"); /* no shell sees it */
}

static void nothing_acts_on_a_terminal(void) {
    becomes("a\x1b[31mb", "a_[31mb");
    becomes("a\nb\rc\td\x7f", "a_b_c_d_");
    becomes("\xc2\x9b"
            "31m",
            "_31m");                              /* U+009B, a C1 control */
    becomes("a\xe2\x80\xaegpj.exe", "a_gpj.exe"); /* U+202E */
    becomes("a\xe2\x81\xa6"
            "b",
            "a_b"); /* U+2066 */
    becomes("a\xe2\x80\x8b"
            "b",
            "a_b"); /* U+200B, seen by nobody */
    becomes("a\xe2\x80\xa8"
            "b",
            "a_b"); /* U+2028 */
    becomes("\xef\xbb\xbf"
            "a",
            "_a"); /* U+FEFF */
}

static void what_is_no_utf8_is_replaced(void) {
    becomes("a\xff\xfe", "a__");
    becomes("\xc0\xaf", "__");      /* an overlong slash */
    becomes("\xed\xa0\x80", "___"); /* a surrogate */
    becomes("a\xe2\x82", "a__");    /* cut off */
    becomes("\xf5\x80\x80\x80", "____");
}

static void long_names_keep_their_ending(void) {
    char raw[2000];
    for (size_t length = 230; length < 300; length++) {
        memset(raw, 'x', length);
        snprintf(raw + length, 8, ".tar.gz");
        char *name = name_neutral(raw);
        CHECK(name &&
              strlen(name) == (length + 7 < NAME_LENGTH_MAX ? length + 7 : NAME_LENGTH_MAX));
        CHECK(name && !strcmp(name + strlen(name) - 7, ".tar.gz"));
        mem_free(name);
    }
}

/* Cut between characters, at every offset, and with what a part needs within 255 bytes. */
static void long_names_are_cut_at_characters(void) {
    for (int shift = 0; shift < 4; shift++) {
        char raw[2000] = "";
        size_t used = 0;
        for (; used < (size_t)shift; used++)
            raw[used] = 'a';
        for (int i = 0; i < 150; i++)
            used += (size_t)snprintf(raw + used, 5, "\xf0\x9f\x98\x80");
        char *name = name_neutral(raw), *again = name ? name_neutral(name) : NULL;
        CHECK(name && strlen(name) + strlen(".part.json.tmp") <= 255);
        CHECK_TEXT(again, name);
        CHECK(name && !strchr(name, '_'));
        mem_free(name);
        mem_free(again);
    }
}

static void urls_have_names(void) {
    url_becomes("https://x.example/a/b.tgz?c#d", "b.tgz");
    url_becomes("https://x.example", "index.html");
    url_becomes("https://x.example/a/", "index.html");
    url_becomes("https://x.example/%2e%2e", "_.");
    url_becomes("https://x.example/..%2f..%2fup", "_._.._up");
    url_becomes("https://x.example/a%00b", "a_b");
    url_becomes("https://x.example/%zz%4", "%zz%4");
    url_becomes("https://x.example/%C3%A9", "\xc3\xa9");
}

static void names_of_people_are_theirs(void) {
    char name[300];
    CHECK(name_is_usable(".profile") && name_is_usable("-rf") && name_is_usable("a b"));
    CHECK(!name_is_usable("") && !name_is_usable(".") && !name_is_usable(".."));
    CHECK(!name_is_usable("a/b") && !name_is_usable("a/"));
    memset(name, 'x', sizeof name);
    name[NAME_LENGTH_MAX] = '\0';
    CHECK(name_is_usable(name));
    name[NAME_LENGTH_MAX] = 'x';
    name[NAME_LENGTH_MAX + 1] = '\0';
    CHECK(!name_is_usable(name));
}

static void memory_may_be_short(void) {
    for (unsigned long n = 1; n < 20; n++) {
        mem_fail_nth(FAULT_ALLOC, n);
        char *name = name_neutral("../a");
        unsigned long left = mem_fail_nth(FAULT_ALLOC, 0);
        CHECK(!name || !strcmp(name, "_._a"));
        mem_free(name);
        if (left)
            return;
    }
}

int main(void) {
    RUN(plain_names_stay);
    RUN(nothing_leads_elsewhere);
    RUN(nothing_acts_on_a_terminal);
    RUN(what_is_no_utf8_is_replaced);
    RUN(long_names_keep_their_ending);
    RUN(long_names_are_cut_at_characters);
    RUN(urls_have_names);
    RUN(names_of_people_are_theirs);
    RUN(memory_may_be_short);
    return finish();
}
