/* query.c - one question to the REST API of a GitHub server. See query.h. */
#include "net/query.h"

#include "ajob.h"
#include "base/mem.h"
#include "core/loop.h"
#include "net/json_field.h"
#include "net/url.h"

enum { BODY_MAX = 32 << 20, TEXT_MAX = 4 << 20, SECONDARY_WAIT_MS = 60000 };

/* The questions of a loop. */
struct line {
    struct loop_module module;
    struct query *first; /* waits for its turn */
    bool is_running;
};

static const char line_key; /* its address names the module */

static void free_line(struct loop_module *module) {
    mem_free(module);
}

static struct line *line_of(struct ajob_loop *loop) {
    return (struct line *)loop_module(loop, &line_key, sizeof(struct line), free_line);
}

static bool ask(struct query *query);

/* ---- the line of questions ------------------------------------------------ */

static void ask_next(struct line *line) {
    while (line->first && !line->is_running) {
        struct query *query = line->first;
        line->first = query->next;
        query->is_waiting = false;
        if (!ask(query))
            query->done(query,
                        &(struct query_result){.cause = "out of memory", .retry_after_ms = -1});
    }
}

static void leave_line(struct query *query) {
    if (!query->is_running && !query->is_waiting)
        return; /* perhaps there was no memory for a line */
    struct line *line = line_of(query->loop);
    struct query **link = &line->first;
    if (query->is_running)
        line->is_running = query->is_running = false;
    if (!query->is_waiting)
        return;
    while (*link != query)
        link = &(*link)->next;
    *link = query->next;
    query->is_waiting = false;
}

/* ---- failures ------------------------------------------------------------- */

/* How long a rate limit lasts; -1: this is none. GitHub's secondary limits may say so in
 * words only. */
static int64_t rate_limit_ms(const struct response *response, const char *words) {
    if (response->status != 403 && response->status != 429)
        return -1;
    if (response->retry_after_ms >= 0)
        return response->retry_after_ms;
    if (response->rate_remaining == 0 && response->rate_reset_s >= 0) {
        int64_t wait_s = response->rate_reset_s - response_now(response);
        return wait_s < 1 ? 1000 : wait_s > INT32_MAX / 1000 ? INT32_MAX : wait_s * 1000;
    }
    bool is_secondary = response->status == 429 || strcasestr(words, "secondary rate limit") ||
                        strcasestr(words, "secondary-rate-limit");
    return is_secondary ? SECONDARY_WAIT_MS : -1;
}

static void explain_rate_limit(struct query *query, int64_t wait_ms, struct query_result *result,
                               struct text *cause) {
    char wait[32], clock[32];
    struct tm at;
    time_t end = time(NULL) + (time_t)(wait_ms / 1000);
    localtime_r(&end, &at);
    strftime(clock, sizeof clock, "%H:%M:%S", &at);
    text_clear(cause);
    text_format(cause, "HTTP %d: rate limit of the API, until %s (in %s)", result->status, clock,
                ajob_format_duration(wait, (uint64_t)wait_ms));
    result->is_retryable = (uint64_t)wait_ms <= query->max_wait_ms;
    result->retry_after_ms = wait_ms;
    if (!result->is_retryable)
        text_add(cause, query->has_token
                            ? ": longer than --max-wait"
                            : ": longer than --max-wait; a token raises it: set GH_TOKEN");
}

static void explain_long_wait(struct query_result *result, struct text *cause) {
    char wait[32];
    result->is_retryable = false;
    text_format(cause, ": to be tried again in %s, which is longer than --max-wait",
                ajob_format_duration(wait, (uint64_t)result->retry_after_ms));
}

/* What the token lacks, in GitHub's words. */
static void explain_refusal(const struct response *response, struct text *cause) {
    char safe[300];
    const char *url = response->sso ? strstr(response->sso, "url=") : NULL;
    char *page = url ? url_redacted(url + 4) : NULL; /* what is cut off is a secret of a kind */
    if (response->sso)
        text_format(cause, ": the token has to be authorized for the organization's SSO%s%s",
                    page ? " at " : "", page ? ajob_escape(safe, sizeof safe, page) : "");
    else if (response->permissions)
        text_format(cause, ": the token needs the permissions %s",
                    ajob_escape(safe, sizeof safe, response->permissions));
    mem_free(page);
}

static void explain(struct query *query, struct query_result *result, struct text *cause) {
    const struct response *response = &query->fetch.response;
    int64_t wait_ms = rate_limit_ms(response, text_string(&query->fetch.error_body));
    if (wait_ms >= 0)
        explain_rate_limit(query, wait_ms, result, cause);
    else if (result->retry_after_ms > 0 && (uint64_t)result->retry_after_ms > query->max_wait_ms)
        explain_long_wait(result, cause);
    else if (result->status == 401 && query->has_token)
        text_add(cause, ": the token is wrong or has expired; what is public needs none");
    else if (result->status == 403)
        explain_refusal(response, cause);
}

/* ---- the exchange --------------------------------------------------------- */

static bool head_came(void *owner, const struct response *response) {
    (void)owner;
    return response->status == 200;
}

/* Takes it from the budget, if there is so much left. */
static bool spend(struct query *query, size_t length) {
    bool is_enough = !query->budget || length <= *query->budget;
    if (query->budget)
        *query->budget -= is_enough ? length : *query->budget;
    query->is_over_budget = query->is_over_budget || !is_enough;
    return is_enough;
}

static bool body_came(void *owner, const char *data, size_t length) {
    struct query *query = owner;
    if (!spend(query, length))
        return false;
    text_add_n(&query->body, data, length);
    return text_ok(&query->body);
}

static cJSON *parse(const struct text *body) {
    enum { VALUES_MAX = 1000000 }; /* of some 100 bytes; GitHub's assets have 40 each */
    const char *text = text_string(body);
    bool is_too_much = json_field_count(text, body->length) > VALUES_MAX;
    return is_too_much ? NULL : cJSON_ParseWithLength(text, body->length);
}

/* The answer is the one that was kept. */
static bool is_unchanged(const struct query *query, const struct fetch_result *fetched) {
    return fetched->kind == FETCH_FAILED && fetched->status == 304 && query->kept.body;
}

static void take_kept(struct query *query, struct query_result *result) {
    spend(query, query->kept.length);
    text_clear(&query->body);
    text_add_n(&query->body, query->kept.body, query->kept.length);
    result->status = 200;
    if (!result->next_link)
        result->next_link = query->kept.next_link;
    cache_touch(query->cache, query->url, query->token);
}

/* The last page of a list, when it is full, has the ETag that it had when there will be
 * a page after it: 304 would not say that there is. */
static bool is_full_page(const struct query *query, const cJSON *json) {
    const char *size = strstr(query->url, "per_page=");
    return cJSON_IsArray(json) && !query->fetch.response.next_link &&
           (!size || cJSON_GetArraySize(json) >= (int)strtol(size + 9, NULL, 10));
}

/* Only what could be read is kept. */
static void keep(const struct query *query, const cJSON *json) {
    const struct response *response = &query->fetch.response;
    if (query->cache && response->etag && query->body.length && !is_full_page(query, json))
        cache_keep(query->cache, query->url, query->token,
                   &(struct cache_answer){
                       .etag = response->etag,
                       .next_link = response->next_link,
                       .body = query->body.data,
                       .length = query->body.length,
                   });
}

static void read_json(struct query *query, cJSON **ret_json, struct text *cause) {
    const char *type = query->fetch.response.content_type;
    char safe[128];
    *ret_json = text_ok(&query->body) ? parse(&query->body) : NULL;
    if (!*ret_json)
        text_format(cause, "the answer is no valid JSON (%s): is this the address of the API?",
                    ajob_escape(safe, sizeof safe, type ? type : "no Content-Type"));
}

static void fetch_is_done(void *owner, const struct fetch_result *fetched) {
    struct query *query = owner;
    struct line *line = line_of(query->loop);
    struct text cause = TEXT_INIT(2 * TEXT_LINE_MAX);
    struct query_result result = {
        .status = fetched->status,
        .is_retryable = fetched->is_retryable,
        .retry_after_ms = fetched->retry_after_ms,
        .next_link = query->fetch.response.next_link,
    };
    cJSON *json = NULL;
    leave_line(query);
    if (is_unchanged(query, fetched))
        take_kept(query, &result);
    if (query->is_over_budget) {
        text_add(&cause, "the API's answers are too long: more than 256 MiB in all");
    } else if (is_unchanged(query, fetched)) {
        read_json(query, &json, &cause);
    } else if (fetched->kind == FETCH_FAILED) {
        text_add(&cause, fetched->cause);
        explain(query, &result, &cause);
    } else if (fetched->kind == FETCH_REFUSED) {
        text_format(&cause,
                    query->body.has_no_memory ? "out of memory"
                    : query->body.failed      ? "the API's answer is too long"
                                              : "HTTP %d: no answer of the API",
                    fetched->status);
    } else if (query->fetch.response.has_no_memory) { /* there may be a next page */
        text_add(&cause, "out of memory");
    } else if (query->is_text) {
        result.text = text_string(&query->body);
        result.length = query->body.length;
    } else {
        read_json(query, &json, &cause);
        if (json)
            keep(query, json);
    }
    result.json = json;
    result.cause = text_string(&cause);
    query->done(query, &result);
    cJSON_Delete(json);
    text_done(&cause);
    ask_next(line);
}

static void forget_kept(struct query *query) {
    cache_answer_done(&query->kept);
    query->if_none_match = mem_free(query->if_none_match);
}

static void set_headers(struct query *query) {
    size_t count = 0;
    forget_kept(query);
    if (query->is_text) {
        query->headers[count++] = "Accept: application/octet-stream";
    } else {
        query->headers[count++] = "Accept: application/vnd.github+json";
        query->headers[count++] = "X-GitHub-Api-Version: 2022-11-28";
        if (query->cache && cache_find(query->cache, query->url, query->token, &query->kept))
            query->if_none_match = text_make("If-None-Match: %s", query->kept.etag);
        if (query->if_none_match)
            query->headers[count++] = query->if_none_match;
        else
            cache_answer_done(&query->kept);
    }
    query->headers[count] = NULL;
}

static bool ask(struct query *query) {
    static const struct fetch_owner calls = {head_came, body_came, fetch_is_done};
    struct line *line = line_of(query->loop);
    query->body.max = query->is_text ? TEXT_MAX : BODY_MAX;
    query->is_over_budget = false;
    text_clear(&query->body);
    set_headers(query);
    struct fetch_request request = {
        .url = query->url,
        .profile = query->profile,
        .headers = query->headers,
        .max_wait_ms = query->max_wait_ms,
    };
    query->is_running = fetch_start(&query->fetch, query->loop, &calls, query, &request);
    line->is_running = line->is_running || query->is_running;
    return query->is_running;
}

bool query_start(struct query *query, const char *url) {
    struct line *line = line_of(query->loop);
    char *copy = mem_copy(url);
    if (!line || !copy) {
        mem_free(copy);
        return false;
    }
    mem_free(query->url);
    query->url = copy;
    if (!line->is_running)
        return ask(query);
    struct query **link = &line->first;
    while (*link)
        link = &(*link)->next;
    *link = query;
    query->next = NULL;
    query->is_waiting = true;
    return true;
}

void query_cancel(struct query *query) {
    if (!query->loop)
        return;
    bool was_running = query->is_running;
    leave_line(query);
    fetch_cancel(&query->fetch);
    query->url = mem_free(query->url);
    forget_kept(query);
    text_done(&query->body);
    if (was_running)
        ask_next(line_of(query->loop));
}
