/* fuzz_checksums.c - what a file of checksums says of a name is written in it, beside that
 * name. The first line of the input is the name that is asked for. */
#include "fuzz.h"
#include "net/checksums.h"
#include "net/digest.h"

/* Whether the digits stand in the text, in any case. */
static bool has_digits(const char *text, size_t length, const char *digits) {
    size_t wanted = strlen(digits);
    for (size_t i = 0; i + wanted <= length; i++)
        if (!strncasecmp(text + i, digits, wanted))
            return true;
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const uint8_t *newline = size ? memchr(data, '\n', size) : NULL;
    char *name = fuzz_string(data, newline ? (size_t)(newline - data) : size);
    const char *text = newline ? (const char *)newline + 1 : (const char *)data + size;
    size_t length = (size_t)((const char *)data + size - text);
    char again[16 + DIGEST_HEX_MAX];
    struct checksums checksums = {0};
    struct digest_want want;
    HOLDS(checksums_read(&checksums, text, length));
    const char *digest = checksums_find(&checksums, name, false);
    const char *whole = checksums_find(&checksums, name, true);
    if (digest) {
        HOLDS(digest_parse(digest, &want));
        digest_format(&want, again);
        HOLDS(fuzz_same(again, digest));
        HOLDS(has_digits(text, length, strchr(digest, ':') + 1));
        HOLDS(strchr(name, '\n') || strchr(name, '\r') || strchr(name, '\\') ||
              memmem(text, length, name, strlen(name)));
    }
    /* That a digest alone counts, too, never changes what is listed into another. */
    if (whole && digest)
        HOLDS(fuzz_same(whole, digest));
    checksums_done(&checksums);
    HOLDS(!checksums_is_for(name, name));
    checksums_is_list(name);
    mem_free(name);
    return 0;
}
