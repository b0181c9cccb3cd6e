/* digest.c - digests of files. See digest.h. */
#include "net/digest.h"

#include <ctype.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/text.h"

struct digest_algorithm {
    const char *name;
    size_t size; /* bytes */
    const EVP_MD *(*evp)(void);
};

static const struct digest_algorithm algorithms[] = {
    {"sha256", 32, EVP_sha256},
    {"sha512", 64, EVP_sha512},
    {"sha1", 20, EVP_sha1},
    {"md5", 16, EVP_md5},
};

enum { ALGORITHM_COUNT = sizeof algorithms / sizeof algorithms[0] };

bool digest_parse(const char *text, struct digest_want *ret_want) {
    const char *colon = strchr(text, ':');
    const char *hex = colon ? colon + 1 : text;
    size_t length = strlen(hex);
    for (int i = 0; i < ALGORITHM_COUNT; i++) {
        const struct digest_algorithm *algorithm = &algorithms[i];
        size_t name_length = strlen(algorithm->name);
        bool is_named = colon && (size_t)(colon - text) == name_length &&
                        !strncasecmp(text, algorithm->name, name_length);
        if (length != 2 * algorithm->size || (colon && !is_named))
            continue;
        struct digest_want want = {.algorithm = algorithm};
        for (size_t j = 0; j < length; j++) {
            int value = hex_value(hex[j]);
            if (value < 0)
                return false;
            want.bytes[j / 2] = (unsigned char)(want.bytes[j / 2] << 4 | value);
        }
        *ret_want = want;
        return true;
    }
    return false;
}

const struct digest_algorithm *digest_sha256(void) {
    return &algorithms[0];
}

const char *digest_name(const struct digest_algorithm *algorithm) {
    return algorithm->name;
}

static void to_hex(const unsigned char *bytes, size_t size, char *hex) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < size; i++) {
        *hex++ = digits[bytes[i] >> 4];
        *hex++ = digits[bytes[i] & 15];
    }
    *hex = '\0';
}

void digest_format(const struct digest_want *want, char text[16 + DIGEST_HEX_MAX]) {
    int used = snprintf(text, 16, "%s:", want->algorithm->name);
    to_hex(want->bytes, want->algorithm->size, text + used);
}

bool digest_begin(struct digest *digest, const struct digest_algorithm *algorithm) {
    if (!digest->context)
        digest->context = EVP_MD_CTX_new();
    digest->algorithm = algorithm;
    return digest->context && EVP_DigestInit_ex(digest->context, algorithm->evp(), NULL) == 1;
}

void digest_add(struct digest *digest, const void *data, size_t length) {
    if (digest->context)
        EVP_DigestUpdate(digest->context, data, length);
}

bool digest_end(struct digest *digest, const struct digest_want *want, char hex[DIGEST_HEX_MAX]) {
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    hex[0] = '\0';
    bool is_ended = digest->context && EVP_DigestFinal_ex(digest->context, bytes, &size) == 1;
    if (!is_ended || size != digest->algorithm->size)
        return false;
    to_hex(bytes, size, hex);
    return !want ||
           (want->algorithm == digest->algorithm && CRYPTO_memcmp(bytes, want->bytes, size) == 0);
}

void digest_done(struct digest *digest) {
    EVP_MD_CTX_free(digest->context);
    *digest = (struct digest){0};
}
