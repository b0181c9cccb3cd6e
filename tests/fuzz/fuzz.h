/*
 * fuzz.h - what a fuzzer here needs: HOLDS(), and its input as a string.
 *
 * A fuzz_NAME.c is one function that libFuzzer calls with bytes; it feeds one parser
 * and says, with HOLDS(), what must be true of what comes out. The seeds of corpus/NAME
 * go through the same function in every `make check` (replay.c), without libFuzzer.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the program, which is how libFuzzer learns of it. */
static inline void fuzz_holds(bool holds, const char *what, const char *file, int line) {
    if (holds)
        return;
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
    abort();
}

#define HOLDS(condition) fuzz_holds(condition, #condition, __FILE__, __LINE__)

/* The bytes as a string of just their size, so that the sanitizers see who reads
 * behind it; cut at a NUL. For mem_free(). */
static inline char *fuzz_string(const uint8_t *data, size_t size) {
    const uint8_t *nul = size ? memchr(data, '\0', size) : NULL;
    char *string = mem_copy_n((const char *)data, nul ? (size_t)(nul - data) : size);
    HOLDS(string);
    return string;
}

/* What stands before the next `end` in *rest (or all of it), which moves behind it: for
 * inputs of several fields. For mem_free(). */
static inline char *fuzz_field(const char **rest, char end) {
    const char *at = strchr(*rest, end);
    size_t length = at ? (size_t)(at - *rest) : strlen(*rest);
    char *field = mem_copy_n(*rest, length);
    HOLDS(field);
    *rest += at ? length + 1 : length;
    return field;
}

static inline bool fuzz_same(const char *a, const char *b) {
    return a && b ? !strcmp(a, b) : a == b;
}

/* Nothing in it acts on a terminal: whole characters that show as themselves. */
static inline bool fuzz_is_printable(const char *text) {
    size_t left = strlen(text);
    while (left) {
        uint32_t point;
        size_t step = utf8_decode(text, left, &point);
        if (!step || !utf8_is_printable(point))
            return false;
        text += step;
        left -= step;
    }
    return true;
}

#endif
