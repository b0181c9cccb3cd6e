/* lazy_crypto.c - the functions of libcrypto, passed on to it. See lazy.h. */
#include <lazy_names.h> /* made by the Makefile */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>

#include "base/lazy.h"
#include "net/lazy.h"

/* type, name, parameters, arguments, and what it returns without libcrypto */
#define FUNCTIONS(X)                                                                               \
    X(const EVP_MD *, EVP_md5, (void), (), NULL)                                                   \
    X(const EVP_MD *, EVP_sha1, (void), (), NULL)                                                  \
    X(const EVP_MD *, EVP_sha256, (void), (), NULL)                                                \
    X(const EVP_MD *, EVP_sha512, (void), (), NULL)                                                \
    X(EVP_MD_CTX *, EVP_MD_CTX_new, (void), (), NULL)                                              \
    X(int, EVP_DigestInit_ex, (EVP_MD_CTX * context, const EVP_MD *type, ENGINE *engine),          \
      (context, type, engine), 0)                                                                  \
    X(int, EVP_DigestUpdate, (EVP_MD_CTX * context, const void *data, size_t length),              \
      (context, data, length), 0)                                                                  \
    X(int, EVP_DigestFinal_ex, (EVP_MD_CTX * context, unsigned char *bytes, unsigned *length),     \
      (context, bytes, length), 0)                                                                 \
    X(int, CRYPTO_memcmp, (const void *a, const void *b, size_t length), (a, b, length), 1)        \
    X(const char *, OpenSSL_version, (int what), (what), "no libcrypto")

static struct {
#define MEMBER(type, name, ...) __typeof__(name) *name;
    FUNCTIONS(MEMBER)
    __typeof__(EVP_MD_CTX_free) *EVP_MD_CTX_free;
} crypto;

static const struct lazy_function functions[] = {
#define ROW(type, name, ...) {#name, &crypto.name},
    FUNCTIONS(ROW){"EVP_MD_CTX_free", &crypto.EVP_MD_CTX_free},
};

static struct lazy_library library = {.file = LIBCRYPTO_FILE,
                                      .what = "OpenSSL",
                                      .functions = functions,
                                      .count = sizeof functions / sizeof functions[0]};

static void load(void) {
    lazy_load(&library);
}

const char *lazy_crypto_fault(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    return *library.fault ? library.fault : NULL;
}

/* ---- under libcrypto's names ---------------------------------------------- */

#define DEFINE(type, name, parameters, arguments, without)                                         \
    type lazy_##name parameters LAZY_DEFINED_AS(name);                                             \
    type lazy_##name parameters {                                                                  \
        return lazy_crypto_fault() ? (without) : crypto.name arguments;                            \
    }
FUNCTIONS(DEFINE)

void lazy_free(EVP_MD_CTX *context) LAZY_DEFINED_AS(EVP_MD_CTX_free);

void lazy_free(EVP_MD_CTX *context) {
    if (context)
        crypto.EVP_MD_CTX_free(context);
}
