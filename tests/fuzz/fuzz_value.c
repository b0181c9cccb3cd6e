/* fuzz_value.c - ${...} in a string: its pieces, put together, are the string. */
#include "fuzz.h"
#include "spec/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *string = fuzz_string(data, size);
    const char *cursor = string;
    bool has_any = false;
    while (*cursor) {
        const char *before = cursor;
        struct value value = value_next(string, &cursor);
        HOLDS(cursor > before && value.type != VALUE_END);
        HOLDS(value.offset == (size_t)(before - string));
        HOLDS(value.name >= string && value.name + value.length <= cursor);
        HOLDS(value.type != VALUE_WRONG || (value.error && *value.error));
        HOLDS(value.type == VALUE_LITERAL || string[value.offset] == '$');
        has_any = has_any || string[value.offset] == '$';
    }
    HOLDS(value_next(string, &cursor).type == VALUE_END);
    HOLDS(has_any || !value_has_any(string));
    mem_free(string);
    return 0;
}
