/*
 * check.h - what a unit test needs: CHECK(), and a test's result as TAP.
 *
 * A program is a list of RUN(function) between nothing and `return finish();`.
 * A failed CHECK is told with its line and does not end the test.
 */
#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static int check_tests, check_failed_tests, check_failures;

static inline bool check_that(bool holds, const char *what, const char *file, int line) {
    if (!holds && ++check_failures <= 20)
        printf("# %s:%d: %s\n", file, line, what);
    return holds;
}

static inline bool check_text(const char *actual, const char *expected, const char *file,
                              int line) {
    bool same = actual && expected ? !strcmp(actual, expected) : actual == expected;
    if (!same && ++check_failures <= 20)
        printf("# %s:%d:\n#   expected \"%s\"\n#   actual   \"%s\"\n", file, line,
               expected ? expected : "(null)", actual ? actual : "(null)");
    return same;
}

static inline bool check_number(long long actual, long long expected, const char *what,
                                const char *file, int line) {
    bool same = actual == expected;
    if (!same && ++check_failures <= 20)
        printf("# %s:%d: %s: expected %lld, actual %lld\n", file, line, what, expected, actual);
    return same;
}

#define CHECK(condition) check_that(condition, #condition, __FILE__, __LINE__)
#define CHECK_TEXT(actual, expected) check_text(actual, expected, __FILE__, __LINE__)
#define CHECK_NUMBER(actual, expected)                                                             \
    check_number((long long)(actual), (long long)(expected), #actual, __FILE__, __LINE__)

static inline void check_run_test(const char *name, void (*test)(void)) {
    check_failures = 0;
    test();
    check_failed_tests += check_failures > 0;
    printf("%sok %d - ", check_failures ? "not " : "", ++check_tests);
    for (; *name; name++)
        putchar(*name == '_' ? ' ' : *name);
    putchar('\n');
    fflush(stdout);
}

/* The function's name is what it proves. */
#define RUN(test) check_run_test(#test, test)

static inline int finish(void) {
    printf("1..%d\n", check_tests);
    return check_failed_tests ? 1 : 0;
}

#endif
