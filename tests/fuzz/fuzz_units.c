/* fuzz_units.c - durations and sizes that people write, and how they are written for them. */
#include "ajob.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = fuzz_string(data, size), written[32];
    uint64_t number, again;
    if (ajob_parse_duration(text, &number)) {
        HOLDS(number <= UINT64_C(365) * 24 * 3600 * 1000);
        HOLDS(ajob_format_duration(written, number) == written && strlen(written) < 32);
        HOLDS(ajob_parse_duration(written, &again) && again <= number);
        HOLDS(number - again < (number < 1000 ? 1 : number < 60000 ? 100 : 1000));
    }
    if (ajob_parse_size(text, &number)) {
        char *end;
        unsigned long long plain = strtoull(text, &end, 10);
        const char *unit = *end ? strcasestr("KMGT", end) : NULL;
        HOLDS(!*end || (unit && !end[1]));
        HOLDS(number == (unit ? plain << (10 * (unit - "KMGT" + 1)) : plain) || unit);
        HOLDS(number >= plain);
        HOLDS(ajob_format_size(written, number) == written && strlen(written) < 32);
    }
    mem_free(text);
    return 0;
}
