/* test_checksums.c - what files of checksums say, in every form and wrong ones. */
#include "check.h"

#include <time.h>

#include "base/text.h"
#include "net/checksums.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

/* What it says of "f"; NULL: nothing. */
static const char *said(const char *text, bool is_for_name) {
    static char digest[CHECKSUM_MAX];
    struct checksums checksums = {0};
    CHECK(checksums_read(&checksums, text, strlen(text)));
    const char *found = checksums_find(&checksums, "f", is_for_name);
    snprintf(digest, sizeof digest, "%s", found ? found : "");
    checksums_done(&checksums);
    return *digest ? digest : NULL;
}

static void each_form_is_read(void) {
    CHECK_TEXT(said(A "  f\n", false), "sha256:" A);
    CHECK_TEXT(said(A " *f", false), "sha256:" A);
    CHECK_TEXT(said("AAAA"
                    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\tf\r\n",
                    false),
               "sha256:" A);
    CHECK_TEXT(said(A B "  f\n", false), "sha512:" A B);
    CHECK_TEXT(said("SHA256 (f) = " A "\n", false), "sha256:" A);
    CHECK_TEXT(said("SHA512 (./x/f) = " A B, false), "sha512:" A B);
    CHECK_TEXT(said(A "\n", true), "sha256:" A);
    CHECK_TEXT(said(A "  -\n", true), "sha256:" A);
}

static void escaped_names_are_read(void) {
    struct checksums checksums = {0};
    const char *text = "\\" A "  a\\\\b\\nc\n";
    CHECK(checksums_read(&checksums, text, strlen(text)));
    CHECK(checksums_find(&checksums, "a\\b\nc", false));
    CHECK(!checksums_find(&checksums, "a\\\\b\\nc", false));
    checksums_done(&checksums);
}

static void a_name_is_the_whole_rest(void) {
    CHECK_TEXT(said(A "  ff\n" A "  xf\n" A "  f.sig\n" A "  f f\n", false), NULL);
    CHECK_TEXT(said(A "  dist/f\n", false), "sha256:" A);
    CHECK_TEXT(said("SHA256 (f) = " B ") = " A "\n", false), NULL);
}

static void what_contradicts_itself_says_nothing(void) {
    CHECK_TEXT(said(A "  x/f\n" B "  y/f\n", false), NULL);
    CHECK_TEXT(said(A "  x/f\n" A "  y/f\n", false), "sha256:" A);
    CHECK_TEXT(said(A "  f\n" B "\n", false), "sha256:" A);
    CHECK_TEXT(said(A "  f\n" B "\n", true), NULL);
    CHECK_TEXT(said(A "\n" A "  g\n" A "\n" A "  f\n", true), "sha256:" A);
}

static void a_digest_alone_is_of_the_files_own_asset(void) {
    CHECK_TEXT(said(A "\n", false), NULL);
    CHECK_TEXT(said(A "  g\n", true), NULL);
}

static void what_is_no_line_is_passed_over(void) {
    CHECK_TEXT(said("", true), NULL);
    CHECK_TEXT(said("<html>\n# f\n" A "f\n" A A A " f\nSHA1 (f) = " A "\n", false), NULL);
    CHECK_TEXT(said("SHA256 (f = " A "\nSHA256 () = " A "\n) = " A "\n", false), NULL);
    CHECK_TEXT(said("junk\n\n" A "  f\nSHA256", false), "sha256:" A);
}

static void which_assets_are_such_files(void) {
    CHECK(checksums_is_list("SHA256SUMS") && checksums_is_list("Checksums.txt"));
    CHECK(checksums_is_list("tool_1.0_checksums.txt") && checksums_is_list("x-sha256sums.txt"));
    CHECK(checksums_is_list("SHASUMS256.txt") && checksums_is_list("x_checksums.sha256"));
    CHECK(!checksums_is_list("notchecksums.txt") && !checksums_is_list("a.sha256"));
    CHECK(checksums_is_for("a.tgz.sha256", "a.tgz") && checksums_is_for("a.SHA512SUM", "a"));
    CHECK(!checksums_is_for("a.tgz.sha256", "a") && !checksums_is_for("a.sha256.sig", "a"));
}

/* A release of a thousand assets, and a list of all that there ever were: the time that this
 * takes is the loop's. */
static void a_long_list_is_read_once(void) {
    enum { LINES = 50000, NAMES = 1000, SECONDS_MAX = 5 };
    struct text list = TEXT_INIT(8 << 20);
    struct checksums checksums = {0};
    char name[32];
    clock_t begin = clock();
    for (int i = 0; i < LINES; i++)
        text_format(&list, "%s  dist/%d\n", A, i);
    CHECK(checksums_read(&checksums, list.data, list.length));
    for (int i = 0; i < NAMES; i++) {
        snprintf(name, sizeof name, "%d", LINES - 1 - i);
        CHECK_TEXT(checksums_find(&checksums, name, false), "sha256:" A);
    }
    CHECK(!checksums_find(&checksums, "50000", false));
    CHECK((clock() - begin) / CLOCKS_PER_SEC < SECONDS_MAX);
    checksums_done(&checksums);
    text_done(&list);
}

int main(void) {
    RUN(each_form_is_read);
    RUN(escaped_names_are_read);
    RUN(a_name_is_the_whole_rest);
    RUN(what_contradicts_itself_says_nothing);
    RUN(a_digest_alone_is_of_the_files_own_asset);
    RUN(what_is_no_line_is_passed_over);
    RUN(which_assets_are_such_files);
    RUN(a_long_list_is_read_once);
    return finish();
}
