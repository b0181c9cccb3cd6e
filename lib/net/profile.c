/* profile.c - how to talk to a server, stored once. See profile.h. */
#include "net/profile.h"

#include <ctype.h>

#include "base/mem.h"
#include "base/text.h"
#include "core/loop.h"
#include "net/lazy.h"
#include "net/mask.h"
#include "net/multi.h"

enum { CONNECT_MS = 30000, STALL_MS = 30000, MIN_SPEED = 100 };

/* The profiles of a loop. */
struct profiles {
    struct loop_module module;
    struct profile *first;
};

static const char profiles_key; /* its address names the module */

/* A header line is "token: value" without control characters (RFC 9110, 5.1). */
static bool is_header(const char *line) {
    static const char token[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    size_t length = strspn(line, token);
    if (!length || line[length] != ':')
        return false;
    for (const char *c = line + length; *c; c++)
        if (iscntrl((unsigned char)*c) && *c != '\t')
            return false;
    return true;
}

static bool is_token(const char *token) {
    for (const char *c = token; *c; c++)
        if (*c <= ' ' || *c == 0x7f)
            return false;
    return *token != '\0';
}

bool profile_add_header(struct curl_slist **list, const char *line) {
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (longer)
        *list = longer;
    return longer != NULL;
}

/* The headers of options as a list; false with ajob_error() set. */
static bool make_headers(struct ajob_loop *loop, const ajob_http_options *options,
                         struct curl_slist **ret_list) {
    struct curl_slist *list = NULL;
    bool is_ok = true;
    for (const char *const *line = options->headers; is_ok && line && *line; line++) {
        if (!is_header(*line)) {
            curl_slist_free_all(list);
            loop_fail(loop, AJOB_EINVAL, "header: not of the form 'Name: value'");
            return false;
        }
        is_ok = profile_add_header(&list, *line);
    }
    if (options->token && !is_token(options->token)) {
        curl_slist_free_all(list);
        loop_fail(loop, AJOB_EINVAL, "token: empty, or with a space or control character in it");
        return false;
    }
    if (is_ok && options->token) {
        struct text line = TEXT_INIT(1 << 16);
        text_format(&line, "Authorization: Bearer %s", options->token);
        is_ok = text_ok(&line) && profile_add_header(&list, text_string(&line));
        text_done(&line);
    }
    if (!is_ok) {
        curl_slist_free_all(list);
        loop_fail(loop, AJOB_ENOMEM, "out of memory");
        return false;
    }
    *ret_list = list;
    return true;
}

static void free_profile(struct profile *profile) {
    while (profile->idle) {
        struct exchange *exchange = profile->idle;
        profile->idle = exchange->next_idle;
        exchange_free(exchange);
    }
    curl_slist_free_all(profile->headers);
    mem_free(profile->cacert);
    mem_free(profile);
}

static void free_profiles(struct loop_module *module) {
    struct profiles *profiles = (struct profiles *)module;
    while (profiles->first) {
        struct profile *profile = profiles->first;
        profiles->first = profile->next;
        free_profile(profile);
    }
    mem_free(profiles);
}

static struct profiles *profiles_of(struct ajob_loop *loop) {
    return (struct profiles *)loop_module(loop, &profiles_key, sizeof(struct profiles),
                                          free_profiles);
}

static bool same_text(const char *a, const char *b) {
    return a && b ? !strcmp(a, b) : a == b;
}

static bool same_list(const struct curl_slist *a, const struct curl_slist *b) {
    for (; a && b; a = a->next, b = b->next)
        if (strcmp(a->data, b->data))
            return false;
    return a == b;
}

static struct profile *find(const struct profiles *profiles, const struct profile *like) {
    struct profile *profile = profiles->first;
    while (profile &&
           !(same_text(profile->cacert, like->cacert) && profile->version == like->version &&
             profile->is_insecure == like->is_insecure && profile->connect_ms == like->connect_ms &&
             profile->stall_ms == like->stall_ms && profile->min_speed == like->min_speed &&
             same_list(profile->headers, like->headers)))
        profile = profile->next;
    return profile;
}

/* Keeps a copy of `like`, which owns its headers but not its cacert. */
static struct profile *keep(struct profiles *profiles, const struct profile *like) {
    struct profile *profile = mem_new(sizeof *profile);
    char *cacert = mem_copy(like->cacert);
    if (!profile || (like->cacert && !cacert)) {
        mem_free(profile);
        mem_free(cacert);
        return NULL;
    }
    *profile = *like;
    profile->cacert = cacert;
    profile->foreign = profile;
    profile->next = profiles->first;
    profiles->first = profile;
    return profile;
}

struct profile *profile_for(struct ajob_loop *loop, const ajob_http_options *options) {
    struct profiles *profiles = profiles_of(loop);
    const char *fault = lazy_curl_fault();
    if (!fault)
        fault = lazy_crypto_fault(); /* here, rather than in a thread that hashes */
    if (fault) {
        loop_fail(loop, AJOB_ESYSTEM, "%s", fault);
        return NULL;
    }
    uint64_t connect_ms = options->connect_timeout_ms ? options->connect_timeout_ms : CONNECT_MS;
    uint64_t stall_ms = options->stall_timeout_ms ? options->stall_timeout_ms : STALL_MS;
    struct profile like = {
        .loop = loop,
        .cacert = (char *)options->cacert,
        .version = (int)options->version,
        .is_insecure = options->insecure,
        .connect_ms = connect_ms > INT32_MAX ? INT32_MAX : (long)connect_ms,
        .stall_ms = stall_ms,
        .min_speed = options->min_speed ? options->min_speed : MIN_SPEED,
    };
    if (!profiles || !make_headers(loop, options, &like.headers))
        return NULL;
    if (like.is_insecure) {
        curl_slist_free_all(like.headers);
        like.headers = NULL;
    }
    struct profile *profile = find(profiles, &like);
    if (profile) {
        curl_slist_free_all(like.headers);
        return profile;
    }
    struct profile bare = like;
    bare.headers = NULL;
    struct profile *foreign = find(profiles, &bare);
    if (!foreign)
        foreign = keep(profiles, &bare);
    profile = like.headers && foreign ? keep(profiles, &like) : foreign;
    if (!profile) {
        curl_slist_free_all(like.headers);
        loop_fail(loop, AJOB_ENOMEM, "out of memory");
        return NULL;
    }
    profile->foreign = foreign;
    return profile;
}

bool profile_wants_http2(const struct profile *profile) {
    return profile->version == AJOB_HTTP_2;
}

/* HTTP/2 only where libcurl does it well: before 8.14 streams could stall or a
 * reset one be taken for a whole one (curl issues 10693, 11982, 16955). Not with a limit
 * on the rate: what comes on a stream that is paused piles up in memory. */
bool profile_set_version(const struct profile *profile, struct exchange *exchange, bool is_alone) {
    enum { FIT_FOR_HTTP2 = 0x080e00 };
    CURL *easy = exchange->easy;
    bool is_fit = curl_version_info(CURLVERSION_NOW)->version_num >= FIT_FOR_HTTP2 &&
                  !profile->loop->limit_rate && !is_alone;
    bool is_2 = profile_wants_http2(profile) || (profile->version == AJOB_HTTP_AUTO && is_fit);
    long version = is_2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1;
    return !curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, version) &&
           !curl_easy_setopt(easy, CURLOPT_PIPEWAIT, is_2 ? 1L : 0L);
}

bool profile_bars_login(const struct profile *profile) {
    const struct curl_slist *line = profile->headers;
    while (line && strncasecmp(line->data, "Authorization:", 14) != 0)
        line = line->next;
    return line || profile->is_insecure;
}

void profile_mask(const struct profile *profile, struct text *text) {
    for (const struct curl_slist *line = profile->headers; line; line = line->next) {
        const char *value = strchr(line->data, ':') + 1;
        mask_value(text, value + strspn(value, " \t"));
    }
}

/* Sets all that does not change between two exchanges of a profile. */
static bool apply(const struct profile *profile, CURL *easy) {
    bool is_ok = true;
#define SET(option, value) is_ok = curl_easy_setopt(easy, option, value) == CURLE_OK && is_ok
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_QUICK_EXIT, 1L); /* a hung resolver thread must not hold us at the end */
    SET(CURLOPT_NOPROGRESS, 1L);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_FOLLOWLOCATION, 0L); /* fetch.c follows: it knows which headers are secret */
    SET(CURLOPT_CONNECTTIMEOUT_MS, profile->connect_ms);
    SET(CURLOPT_TCP_KEEPALIVE, 1L);
    SET(CURLOPT_USERAGENT, "ajob/" AJOB_VERSION);
    /* With a CApath, which Debian compiles in, libcurl reads all certificates
     * anew for every connection: 15 ms each. */
    SET(CURLOPT_CAPATH, NULL);
    if (profile->cacert)
        SET(CURLOPT_CAINFO, profile->cacert);
    if (profile->is_insecure) {
        SET(CURLOPT_SSL_VERIFYPEER, 0L);
        SET(CURLOPT_SSL_VERIFYHOST, 0L);
    }
#undef SET
    return is_ok;
}

struct exchange *profile_take(struct profile *profile) {
    struct exchange *exchange = profile->idle;
    if (exchange) {
        profile->idle = exchange->next_idle;
        return exchange;
    }
    exchange = exchange_new(profile->loop);
    if (exchange && !apply(profile, exchange->easy)) {
        loop_fail(profile->loop, AJOB_ENOMEM, "out of memory");
        exchange = exchange_free(exchange);
    }
    return exchange;
}

struct exchange *profile_give(struct profile *profile, struct exchange *exchange) {
    if (!exchange)
        return NULL;
    exchange_stop(exchange);
    exchange->next_idle = profile->idle;
    profile->idle = exchange;
    return NULL;
}
