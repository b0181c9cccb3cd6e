/*
 * lazy.h - libcurl and libcrypto, loaded when first used.
 *
 * Not linked, but defined here under their own names, is each function of theirs
 * that the library uses: it loads the library if nobody has, and passes the call on.
 * So no other file knows whether they are linked (`make LAZY=no`) or loaded. Where
 * they cannot be loaded each function fails in its own way; whoever begins
 * something asks first and has the reason.
 */
#ifndef AJOB_NET_LAZY_H
#define AJOB_NET_LAZY_H

#ifdef AJOB_LAZY
/* Loads it; NULL, or why it cannot be: a static line. From any thread. */
const char *lazy_curl_fault(void);
const char *lazy_crypto_fault(void);
#else
#include <stddef.h>

static inline const char *lazy_curl_fault(void) {
    return NULL;
}

static inline const char *lazy_crypto_fault(void) {
    return NULL;
}
#endif

#endif
