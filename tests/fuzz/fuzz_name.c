/* fuzz_name.c - a name from outside never leaves its directory, hides, or acts on a terminal. */
#include "ajob.h"
#include "fuzz.h"
#include "net/name.h"

static void check(const char *name) {
    HOLDS(name && *name && !strchr(name, '/') && !strchr(name, '\\'));
    HOLDS(strcmp(name, ".") != 0 && strcmp(name, "..") != 0);
    HOLDS(name[0] != '.' && name[0] != '-');
    HOLDS(strlen(name) <= NAME_LENGTH_MAX);
    HOLDS(name_is_usable(name) && fuzz_is_printable(name));
    char *again = name_neutral(name);
    HOLDS(fuzz_same(again, name));
    mem_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *raw = fuzz_string(data, size);
    char *neutral = name_neutral(raw), *from_url = name_from_url(raw);
    check(neutral);
    check(from_url);
    if (name_is_usable(raw))
        HOLDS(*raw && !strchr(raw, '/') && strlen(raw) <= NAME_LENGTH_MAX);
    mem_free(neutral);
    mem_free(from_url);
    mem_free(raw);
    return 0;
}
