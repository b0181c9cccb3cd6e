/* mask.c - secrets in text that others will read. See mask.h. */
#include "net/mask.h"

#include "base/mem.h"

enum { SECRET_MIN = 4, WORD_MIN = 8 };

static void mask(struct text *text, const char *secret, size_t length) {
    char *found = text->data;
    while (found &&
           (found = memmem(found, text->length - (size_t)(found - text->data), secret, length))) {
        size_t rest = text->length - (size_t)(found - text->data) - length;
        memset(found, '*', 3);
        memmove(found + 3, found + length, rest + 1); /* its end, too */
        text->length -= length - 3;
        found += 3;
    }
}

void mask_secret(struct text *text, const char *secret) {
    size_t length = strlen(secret);
    if (length >= SECRET_MIN && text->length)
        mask(text, secret, length);
}

void mask_value(struct text *text, const char *value) {
    static const char between[] = " \t,;=\"";
    size_t scheme = strcspn(value, between);
    mask_secret(text, value);
    if (value[scheme] == ' ')
        mask_secret(text, value + scheme + strspn(value + scheme, " "));
    for (const char *word = value; *word && text->length;) {
        size_t length = strcspn(word, between);
        if (length >= WORD_MIN)
            mask(text, word, length);
        word += length;
        word += strspn(word, between);
    }
}
