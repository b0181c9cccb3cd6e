/*
 * digest.h - digests of files: what is wanted, and computing it (OpenSSL EVP).
 */
#ifndef AJOB_NET_DIGEST_H
#define AJOB_NET_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

enum { DIGEST_SIZE_MAX = 64, DIGEST_HEX_MAX = 2 * DIGEST_SIZE_MAX + 1 };

struct digest_algorithm;

/* A digest that a file should have. */
struct digest_want {
    const struct digest_algorithm *algorithm;
    unsigned char bytes[DIGEST_SIZE_MAX];
};

/* Reads "sha256:<hex>" (also sha512, sha1, md5) or bare hex of one of their
 * lengths, any case. False: it is none of these. */
bool digest_parse(const char *text, struct digest_want *ret_want);

const struct digest_algorithm *digest_sha256(void);
const char *digest_name(const struct digest_algorithm *algorithm);

/* "sha256:<hex>" in lower case, for people and files. */
void digest_format(const struct digest_want *want, char text[16 + DIGEST_HEX_MAX]);

/* A digest being computed. The zero value is one that is off: adding to it
 * does nothing. */
struct digest {
    void *context; /* EVP_MD_CTX */
    const struct digest_algorithm *algorithm;
};

/* Begins (again). False if the algorithm cannot be had here or on lack of
 * memory. */
bool digest_begin(struct digest *digest, const struct digest_algorithm *algorithm);
void digest_add(struct digest *digest, const void *data, size_t length);

/* Ends it: what was added, in hex, and whether it is what is wanted; with want NULL, whether
 * it could be computed. */
bool digest_end(struct digest *digest, const struct digest_want *want, char hex[DIGEST_HEX_MAX]);

void digest_done(struct digest *digest);

#endif
