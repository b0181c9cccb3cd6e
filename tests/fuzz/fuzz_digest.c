/* fuzz_digest.c - a digest that is taken is the one that was written. */
#include "fuzz.h"
#include "net/digest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = fuzz_string(data, size), again[16 + DIGEST_HEX_MAX];
    struct digest_want want, second;
    if (digest_parse(text, &want)) {
        const char *colon = strchr(text, ':');
        digest_format(&want, again);
        HOLDS(!strcasecmp(colon ? text : strchr(again, ':') + 1, colon ? again : text));
        HOLDS(digest_parse(again, &second) && second.algorithm == want.algorithm);
        HOLDS(!memcmp(second.bytes, want.bytes, sizeof want.bytes));
    }
    mem_free(text);
    return 0;
}
