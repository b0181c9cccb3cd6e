/*
 * lazy_curl.c - the functions of libcurl, passed on to it. See lazy.h.
 *
 * The compiler checks each call against its declaration in <curl/curl.h>. What is
 * defined here has libcurl's name for the linker only (LAZY_DEFINED_AS): in C it
 * would have to repeat the declaration to the last const, which differs between
 * versions of libcurl.
 */
#include <curl/curl.h>
#include <lazy_names.h> /* made by the Makefile */
#include <pthread.h>
#include <stdarg.h>

#include "base/lazy.h"
#include "net/lazy.h"

/* type, name, parameters, arguments, and what it returns without libcurl */
#define FUNCTIONS(X)                                                                               \
    X(CURL *, curl_easy_init, (void), (), NULL)                                                    \
    X(CURLcode, curl_easy_pause, (CURL * easy, int what), (easy, what), CURLE_FAILED_INIT)         \
    X(const char *, curl_easy_strerror, (CURLcode code), (code), "libcurl is missing")             \
    X(CURLMcode, curl_multi_add_handle, (CURLM * multi, CURL * easy), (multi, easy), CURLM_FAILED) \
    X(CURLMcode, curl_multi_cleanup, (CURLM * multi), (multi), CURLM_FAILED)                       \
    X(CURLMsg *, curl_multi_info_read, (CURLM * multi, int *left), (multi, left), NULL)            \
    X(CURLM *, curl_multi_init, (void), (), NULL)                                                  \
    X(CURLMcode, curl_multi_remove_handle, (CURLM * multi, CURL * easy), (multi, easy),            \
      CURLM_FAILED)                                                                                \
    X(CURLMcode, curl_multi_socket_action,                                                         \
      (CURLM * multi, curl_socket_t fd, int events, int *running), (multi, fd, events, running),   \
      CURLM_FAILED)                                                                                \
    X(CURLcode, curl_global_init, (long flags), (flags), CURLE_FAILED_INIT)                        \
    X(time_t, curl_getdate, (const char *text, const time_t *unused), (text, unused), -1)          \
    X(struct curl_slist *, curl_slist_append, (struct curl_slist * list, const char *text),        \
      (list, text), NULL)                                                                          \
    X(CURLU *, curl_url, (void), (), NULL)                                                         \
    X(CURLUcode, curl_url_get, (CURLU * url, CURLUPart part, char **text, unsigned flags),         \
      (url, part, text, flags), CURLUE_OUT_OF_MEMORY)                                              \
    X(CURLUcode, curl_url_set, (CURLU * url, CURLUPart part, const char *text, unsigned flags),    \
      (url, part, text, flags), CURLUE_OUT_OF_MEMORY)                                              \
    X(curl_version_info_data *, curl_version_info, (CURLversion age), (age), NULL)

/* These give back what libcurl made: without it there is nothing. */
#define DESTRUCTORS(X)                                                                             \
    X(curl_easy_cleanup, CURL)                                                                     \
    X(curl_free, void)                                                                             \
    X(curl_slist_free_all, struct curl_slist)                                                      \
    X(curl_url_cleanup, CURLU)

/* These take a value whose type depends on the option before it. */
#define VARIADIC(X)                                                                                \
    X(curl_easy_getinfo)                                                                           \
    X(curl_easy_setopt)                                                                            \
    X(curl_multi_setopt)

#define CURLM_FAILED CURLM_INTERNAL_ERROR

static struct {
#define MEMBER(type, name, ...) __typeof__(name) *name;
#define MEMBER_DESTRUCTOR(name, type) __typeof__(name) *name;
#define MEMBER_VARIADIC(name) __typeof__(name) *name;
    FUNCTIONS(MEMBER)
    DESTRUCTORS(MEMBER_DESTRUCTOR)
    VARIADIC(MEMBER_VARIADIC)
} curl;

static const struct lazy_function functions[] = {
#define ROW(type, name, ...) {#name, &curl.name},
#define ROW_DESTRUCTOR(name, type) {#name, &curl.name},
#define ROW_VARIADIC(name) {#name, &curl.name},
    FUNCTIONS(ROW) DESTRUCTORS(ROW_DESTRUCTOR) VARIADIC(ROW_VARIADIC)};

static struct lazy_library library = {.file = LIBCURL_FILE,
                                      .what = "libcurl",
                                      .functions = functions,
                                      .count = sizeof functions / sizeof functions[0]};

static void load(void) {
    lazy_load(&library);
}

const char *lazy_curl_fault(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    return *library.fault ? library.fault : NULL;
}

/* ---- under libcurl's names ------------------------------------------------ */

#define DEFINE(type, name, parameters, arguments, without)                                         \
    type lazy_##name parameters LAZY_DEFINED_AS(name);                                             \
    type lazy_##name parameters {                                                                  \
        return lazy_curl_fault() ? (without) : curl.name arguments;                                \
    }
FUNCTIONS(DEFINE)

#define DEFINE_DESTRUCTOR(name, type)                                                              \
    void lazy_##name(type *made) LAZY_DEFINED_AS(name);                                            \
    void lazy_##name(type *made) {                                                                 \
        if (made)                                                                                  \
            curl.name(made);                                                                       \
    }
DESTRUCTORS(DEFINE_DESTRUCTOR)

CURLcode lazy_getinfo(CURL *easy, CURLINFO info, ...) LAZY_DEFINED_AS(curl_easy_getinfo);
CURLcode lazy_setopt(CURL *easy, CURLoption option, ...) LAZY_DEFINED_AS(curl_easy_setopt);
CURLMcode lazy_multi_setopt(CURLM *multi, CURLMoption option, ...)
    LAZY_DEFINED_AS(curl_multi_setopt);

CURLcode lazy_getinfo(CURL *easy, CURLINFO info, ...) {
    va_list values;
    if (lazy_curl_fault())
        return CURLE_FAILED_INIT;
    va_start(values, info);
    CURLcode code = (curl.curl_easy_getinfo)(easy, info, va_arg(values, void *));
    va_end(values);
    return code;
}

/* The value of an option is a long, a curl_off_t, or one of several pointers. */
#define PASS_OPTION(set, handle, option, values)                                                   \
    ((option) < CURLOPTTYPE_OBJECTPOINT ? (set)((handle), (option), va_arg(values, long))          \
     : (option) >= CURLOPTTYPE_OFF_T && (option) < CURLOPTTYPE_BLOB                                \
         ? (set)((handle), (option), va_arg(values, curl_off_t))                                   \
         : (set)((handle), (option), va_arg(values, void *)))

CURLcode lazy_setopt(CURL *easy, CURLoption option, ...) {
    va_list values;
    if (lazy_curl_fault())
        return CURLE_FAILED_INIT;
    va_start(values, option);
    CURLcode code = PASS_OPTION(curl.curl_easy_setopt, easy, option, values);
    va_end(values);
    return code;
}

CURLMcode lazy_multi_setopt(CURLM *multi, CURLMoption option, ...) {
    va_list values;
    if (lazy_curl_fault())
        return CURLM_FAILED;
    va_start(values, option);
    CURLMcode code = PASS_OPTION(curl.curl_multi_setopt, multi, option, values);
    va_end(values);
    return code;
}
