/* fetch.c - one exchange with a server. See fetch.h. */
#include "net/fetch.h"

#include "ajob.h"
#include "base/mem.h"
#include "core/loop.h"
#include "net/failure.h"
#include "net/host.h"
#include "net/mask.h"
#include "net/multi.h"
#include "net/profile.h"
#include "net/url.h"

enum { HOPS_MAX = 10, ERROR_BODY_MAX = 4096, IGNORED_MAX = 64 * 1024, HEADERS_MAX = 300 * 1024 };

static bool is_redirect(const struct response *response) {
    int status = response->status;
    bool has_status =
        status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
    return has_status && response->has_location;
}

/* A body that is what was asked for, whole or in part. */
static bool has_body(const struct response *response) {
    int status = response->status;
    return status == 200 || status == 203 || status == 206;
}

/* ---- libcurl's callbacks: record only ------------------------------------ */

static size_t header_came(char *line, size_t size, size_t count, void *data) {
    struct fetch *fetch = data;
    size_t length = size * count;
    if (!fetch->header_bytes) /* the others come with it, or too slowly */
        stall_heard(&fetch->stall);
    fetch->header_bytes += length;
    if (fetch->header_bytes > HEADERS_MAX)
        return 0;         /* ends the transfer with CURLE_WRITE_ERROR */
    if (!fetch->has_head) /* trailers have nothing to say */
        response_line(&fetch->response, line, length);
    return length;
}

static bool show_head(struct fetch *fetch) {
    if (!fetch->has_head) {
        fetch->has_head = true;
        fetch->fault = has_body(&fetch->response) ? response_fault(&fetch->response) : NULL;
        fetch->is_refused = fetch->fault || !fetch->calls->head(fetch->owner, &fetch->response);
    }
    return !fetch->is_refused;
}

static size_t body_came(char *data, size_t size, size_t count, void *user) {
    struct fetch *fetch = user;
    size_t length = size * count;
    if (!throttle_take(fetch->loop, &fetch->place, length)) {
        fetch->stall.was_held_back = true;
        return CURL_WRITEFUNC_PAUSE; /* the same bytes come again: nothing is counted yet */
    }
    fetch->stall.received += length;
    if (is_redirect(&fetch->response) || !has_body(&fetch->response)) {
        size_t room = fetch->error_body.max - fetch->error_body.length;
        text_add_n(&fetch->error_body, data, length < room ? length : room);
        fetch->ignored_bytes += length;
        return fetch->ignored_bytes > IGNORED_MAX ? 0 : length;
    }
    if (!show_head(fetch))
        return 0; /* ends the transfer with CURLE_WRITE_ERROR */
    fetch->is_refused = !fetch->calls->body(fetch->owner, data, length);
    return fetch->is_refused ? 0 : length;
}

/* ---- hops ----------------------------------------------------------------- */

static void exchange_is_done(struct exchange *exchange, CURLcode code);

static bool has_range(const struct fetch_request *request) {
    return request->range_first || request->range_end;
}

static bool add_header(struct curl_slist **list, const char *name, const char *value) {
    char *line = text_make("%s: %s", name, value);
    bool is_ok = line && profile_add_header(list, line);
    mem_free(line);
    return is_ok;
}

/* The profile's headers and the request's in one list; NULL headers stand for
 * the profile's own list. */
static bool make_headers(struct fetch *fetch) {
    const struct fetch_request *request = &fetch->request;
    bool is_ok = true;
    bool has_if_range = request->if_range && has_range(request);
    bool sends_basic = fetch->basic && !fetch->is_foreign && !profile_bars_login(fetch->profile);
    bool has_more = has_if_range || sends_basic || (request->headers && request->headers[0]);
    curl_slist_free_all(fetch->headers);
    fetch->headers = NULL;
    if (!has_more)
        return true;
    for (const struct curl_slist *line = fetch->profile->headers; line && is_ok; line = line->next)
        is_ok = profile_add_header(&fetch->headers, line->data);
    for (const char *const *line = request->headers; line && *line && is_ok; line++)
        is_ok = profile_add_header(&fetch->headers, *line);
    if (is_ok && has_if_range)
        is_ok = add_header(&fetch->headers, "If-Range", request->if_range);
    if (is_ok && sends_basic)
        is_ok = add_header(&fetch->headers, "Authorization", fetch->basic);
    return is_ok;
}

static void give_back(struct fetch *fetch) {
    throttle_leave(fetch->loop, &fetch->place);
    if (fetch->exchange)
        fetch->exchange = profile_give(fetch->profile, fetch->exchange);
}

/* The limit on the rate lets it go on. What libcurl has kept comes while it is told. */
static void go_on(struct throttle_place *place) {
    struct fetch *fetch = place->owner;
    struct exchange *exchange = fetch->exchange;
    CURLcode code = curl_easy_pause(exchange->easy, CURLPAUSE_CONT);
    if (code) { /* it has lost that then, and does not end by itself */
        exchange_stop(exchange);
        exchange_is_done(exchange, code);
    }
}

/* As libcurl wants it: without the unit (RFC 9110, 14.1.2). */
static void write_range(const struct fetch_request *request, char *range, size_t size) {
    unsigned long long first = request->range_first, end = request->range_end;
    if (end)
        snprintf(range, size, "%llu-%llu", first, end - 1);
    else
        snprintf(range, size, "%llu-", first);
}

static bool start_hop(struct fetch *fetch) {
    struct exchange *exchange = profile_take(fetch->profile);
    if (!exchange)
        return false;
    fetch->exchange = exchange;
    exchange->owner = fetch;
    exchange->done = exchange_is_done;
    char range[48];
    write_range(&fetch->request, range, sizeof range);
    struct curl_slist *own_list = fetch->profile->headers;
    CURL *easy = exchange->easy;
    bool is_ok =
        make_headers(fetch) &&
        profile_set_version(fetch->profile, exchange, fetch->request.is_alone) &&
        !curl_easy_setopt(easy, CURLOPT_URL, fetch->hop ? fetch->hop : fetch->request.url) &&
        !curl_easy_setopt(easy, CURLOPT_HTTPHEADER, fetch->headers ? fetch->headers : own_list) &&
        !curl_easy_setopt(easy, CURLOPT_RANGE, has_range(&fetch->request) ? range : NULL) &&
        !curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, header_came) &&
        !curl_easy_setopt(easy, CURLOPT_HEADERDATA, fetch) &&
        !curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, body_came) &&
        !curl_easy_setopt(easy, CURLOPT_WRITEDATA, fetch) && exchange_start(exchange);
    if (!is_ok) {
        fetch->exchange = profile_give(fetch->profile, exchange);
        return false;
    }
    stall_begin(&fetch->stall, easy, fetch->profile);
    return true;
}

static void finish(struct fetch *fetch, const struct fetch_result *result) {
    const struct fetch_owner *calls = fetch->calls;
    stall_end(&fetch->stall);
    give_back(fetch);
    calls->done(fetch->owner, result);
}

static void fail(struct fetch *fetch, const char *cause) {
    finish(fetch, &(struct fetch_result){.kind = FETCH_FAILED,
                                         .retry_after_ms = -1,
                                         .cause = cause,
                                         .status = fetch->response.status});
}

static void stalled(struct stall *stall, const char *cause) {
    struct fetch *fetch = (struct fetch *)((char *)stall - offsetof(struct fetch, stall));
    finish(fetch, &(struct fetch_result){.kind = FETCH_FAILED,
                                         .is_retryable = true,
                                         .retry_after_ms = -1,
                                         .cause = cause,
                                         .status = fetch->response.status});
}

/* The host of this URL; NULL on lack of memory. */
static struct host *host_of(const struct fetch *fetch, const char *url) {
    char *origin;
    url_parse(url, &origin);
    struct host *host = origin ? host_for(fetch->loop, origin) : NULL;
    mem_free(origin);
    return host;
}

/* One path that is out of service until next week is not the host. */
static bool is_of_path(const struct fetch *fetch, uint64_t wait_ms) {
    return fetch->response.status == 503 && wait_ms > fetch->request.max_wait_ms;
}

static void obey_host(const struct fetch *fetch) {
    uint64_t wait_ms = response_wait_ms(&fetch->response);
    if (is_of_path(fetch, wait_ms))
        return;
    struct host *host =
        wait_ms ? host_of(fetch, fetch->hop ? fetch->hop : fetch->request.url) : NULL;
    if (host)
        host_embargo(host, wait_ms, fetch->request.max_wait_ms);
}

/* A redirect to a host that wants to be left alone is not followed now. */
static bool is_embargoed(struct fetch *fetch, const char *target) {
    const struct host *host = host_of(fetch, target);
    uint64_t wait_ms = host ? host_embargo_ms(host) : 0;
    if (!wait_ms)
        return false;
    struct text cause = TEXT_INIT(TEXT_LINE_MAX);
    host_explain(host, &cause);
    finish(fetch, &(struct fetch_result){.kind = FETCH_FAILED,
                                         .is_retryable = true,
                                         .retry_after_ms = (int64_t)wait_ms,
                                         .cause = text_string(&cause)});
    text_done(&cause);
    return true;
}

/* Where the redirect leads, or NULL. libcurl knows it only once the body has ended, and
 * a long one is not waited for. */
static const char *redirect_target(struct fetch *fetch) {
    char *known = NULL;
    curl_easy_getinfo(fetch->exchange->easy, CURLINFO_REDIRECT_URL, &known);
    if (fetch->ignored_bytes <= IGNORED_MAX || !fetch->response.location)
        return known;
    mem_free(fetch->target);
    fetch->target =
        url_resolve(fetch->hop ? fetch->hop : fetch->request.url, fetch->response.location);
    return fetch->target;
}

/* Goes where the redirect leads, or fails. */
static void follow(struct fetch *fetch) {
    char *next = NULL;
    const char *here = fetch->hop ? fetch->hop : fetch->request.url;
    const char *target = redirect_target(fetch);
    if (!target || url_fault(target)) {
        fail(fetch, "redirected to what is no http or https URL");
        return;
    }
    if (url_is_https(here) && !url_is_https(target)) {
        fail(fetch, "redirected from https to http: refused");
        return;
    }
    if (++fetch->hops > HOPS_MAX) {
        fail(fetch, "more than 10 redirects");
        return;
    }
    if (is_embargoed(fetch, target))
        return;
    char *basic = NULL, *password = NULL; /* a redirect's: not sent */
    url_split(target, &next, &basic, &password);
    mem_free(basic);
    mem_free(password);
    mem_free(fetch->hop);
    fetch->hop = next;
    give_back(fetch);
    if (next && !url_same_origin(fetch->request.url, next)) {
        fetch->profile = fetch->profile->foreign;
        fetch->is_foreign = true;
    }
    response_done(&fetch->response);
    text_clear(&fetch->error_body);
    fetch->header_bytes = fetch->ignored_bytes = 0;
    if (!next || !start_hop(fetch))
        fail(fetch, "out of memory");
}

/* What a server says may be what it was sent. */
static void mask_secrets(const struct fetch *fetch, struct text *text) {
    profile_mask(fetch->request.profile, text);
    if (fetch->basic) {
        mask_value(text, fetch->basic);
        mask_secret(text, fetch->password);
    }
}

/* Before anything is cut off: the beginning of a secret is a part of it. */
static void mask_body(struct fetch *fetch) {
    struct text *body = &fetch->error_body;
    mask_secrets(fetch, body);
    if (body->length > ERROR_BODY_MAX) {
        body->length = ERROR_BODY_MAX;
        body->data[body->length] = '\0';
    }
}

static void exchange_is_done(struct exchange *exchange, CURLcode code) {
    struct fetch *fetch = exchange->owner;
    struct text cause = TEXT_INIT(TEXT_LINE_MAX);
    struct failure failure = {false, -1};
    struct fetch_result result = {.kind = FETCH_FAILED, .status = fetch->response.status};
    if (code == CURLE_WRITE_ERROR && fetch->ignored_bytes > IGNORED_MAX)
        code = CURLE_OK; /* we left: what was said by then is enough */
    if (code == CURLE_OK && !fetch->response.is_whole)
        code = CURLE_GOT_NOTHING; /* libcurl is content with the beginning of a head */
    if (code == CURLE_OK && is_redirect(&fetch->response)) {
        follow(fetch);
        return;
    }
    bool is_for_owner = has_body(&fetch->response) || fetch->response.status == 416;
    if (code == CURLE_OK && is_for_owner)
        show_head(fetch); /* there was no body to show it before */
    if (fetch->fault) {
        text_add(&cause, fetch->fault);
        failure.is_retryable = true;
    } else if (fetch->is_refused) {
        result.kind = FETCH_REFUSED;
    } else if (fetch->header_bytes > HEADERS_MAX) {
        text_add(&cause, "the server's headers are longer than 300 KiB");
    } else if (code != CURLE_OK) {
        failure = failure_of_code(exchange->easy, code, exchange->error, &cause);
    } else if (fetch->has_head) {
        result.kind = FETCH_OK;
    } else {
        mask_body(fetch);
        failure = failure_of_status(&fetch->response, &fetch->error_body, &cause);
        obey_host(fetch);
    }
    mask_secrets(fetch, &cause);
    result.is_retryable = failure.is_retryable;
    result.retry_after_ms = failure.retry_after_ms;
    result.cause = text_string(&cause);
    finish(fetch, &result);
    text_done(&cause);
}

/* ---- the fetch ------------------------------------------------------------ */

static void release(struct fetch *fetch) {
    give_back(fetch);
    stall_done(&fetch->stall);
    curl_slist_free_all(fetch->headers);
    mem_free((char *)fetch->request.url);
    mem_free((char *)fetch->request.if_range);
    mem_free(fetch->hop);
    mem_free(fetch->target);
    mem_free(fetch->basic);
    mem_free(fetch->password);
    response_done(&fetch->response);
    text_done(&fetch->error_body);
    *fetch = (struct fetch){0};
}

bool fetch_start(struct fetch *fetch, struct ajob_loop *loop, const struct fetch_owner *calls,
                 void *owner, const struct fetch_request *request) {
    release(fetch);
    fetch->loop = loop;
    fetch->calls = calls;
    fetch->owner = owner;
    fetch->request = *request;
    char *url;
    bool is_split = url_split(request->url, &url, &fetch->basic, &fetch->password);
    fetch->request.url = url;
    fetch->request.if_range = mem_copy(request->if_range);
    fetch->profile = request->profile;
    fetch->error_body.max = 2 * ERROR_BODY_MAX; /* so that no secret is cut in what is shown */
    fetch->place = (struct throttle_place){.go_on = go_on, .owner = fetch};
    response_init(&fetch->response);
    bool is_ok = is_split && (!request->if_range || fetch->request.if_range) &&
                 stall_init(&fetch->stall, loop, &fetch->place, stalled) && throttle_open(loop);
    if (is_ok && start_hop(fetch))
        return true;
    release(fetch);
    return false;
}

void fetch_cancel(struct fetch *fetch) {
    if (fetch->calls)
        release(fetch);
}
