/* query.c - one question to the REST API of a GitHub server. See query.h. */
#include "net/query.h"

#include "ajob.h"
#include "base/mem.h"
#include "core/loop.h"

enum { BODY_MAX = 64 << 20, TEXT_MAX = 4 << 20, SECONDARY_WAIT_MS = 60000 };

static const char *const api_headers[] = {
    "Accept: application/vnd.github+json",
    "X-GitHub-Api-Version: 2022-11-28",
    NULL,
};

static const char *const file_headers[] = {"Accept: application/octet-stream", NULL};

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
    struct line *line = line_of(query->loop);
    struct query **link = &line->first;
    if (query->is_running) {
        line->is_running = false;
        query->is_running = false;
    }
    if (!query->is_waiting)
        return;
    while (*link != query)
        link = &(*link)->next;
    *link = query->next;
    query->is_waiting = false;
}

/* ---- failures ------------------------------------------------------------- */

/* How long a rate limit lasts; -1: this is none. */
static int64_t rate_limit_ms(const struct response *response) {
    if (response->status != 403 && response->status != 429)
        return -1;
    if (response->retry_after_ms >= 0)
        return response->retry_after_ms;
    if (response->rate_remaining == 0 && response->rate_reset_s >= 0) {
        int64_t wait_s = response->rate_reset_s - response_now(response);
        return wait_s < 1 ? 1000 : wait_s > INT32_MAX / 1000 ? INT32_MAX : wait_s * 1000;
    }
    return response->status == 429 ? SECONDARY_WAIT_MS : -1;
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

static void explain(struct query *query, struct query_result *result, struct text *cause) {
    int64_t wait_ms = rate_limit_ms(&query->fetch.response);
    if (wait_ms >= 0)
        explain_rate_limit(query, wait_ms, result, cause);
    else if (result->retry_after_ms > 0 && (uint64_t)result->retry_after_ms > query->max_wait_ms)
        explain_long_wait(result, cause);
    else if (result->status == 401)
        text_add(cause, ": check the token");
}

/* ---- the exchange --------------------------------------------------------- */

static bool head_came(void *owner, const struct response *response) {
    (void)owner;
    return response->status == 200;
}

static bool body_came(void *owner, const char *data, size_t length) {
    struct query *query = owner;
    text_add_n(&query->body, data, length);
    return text_ok(&query->body);
}

/* Each value costs 64 bytes and more: a small text can be a large tree. */
static cJSON *parse(const struct text *body) {
    enum { VALUES_MAX = 4000000 };
    size_t values = 0;
    for (size_t i = 0; i < body->length; i++)
        values += body->data[i] == ',' || body->data[i] == '[' || body->data[i] == '{';
    return values > VALUES_MAX ? NULL : cJSON_ParseWithLength(text_string(body), body->length);
}

static void fetch_is_done(void *owner, const struct fetch_result *fetched) {
    struct query *query = owner;
    struct line *line = line_of(query->loop);
    struct text cause = TEXT_INIT(2 * TEXT_LINE_MAX);
    struct query_result result = {
        .status = fetched->status,
        .is_retryable = fetched->is_retryable,
        .retry_after_ms = fetched->retry_after_ms,
    };
    cJSON *json = NULL;
    leave_line(query);
    if (fetched->kind == FETCH_FAILED) {
        text_add(&cause, fetched->cause);
        explain(query, &result, &cause);
    } else if (fetched->kind == FETCH_REFUSED) {
        text_format(&cause,
                    query->body.failed ? "the API's answer is too long"
                                       : "HTTP %d: no answer of the API",
                    fetched->status);
    } else if (query->is_text) {
        result.text = text_string(&query->body);
        result.length = query->body.length;
    } else {
        json = parse(&query->body);
        const char *type = query->fetch.response.content_type;
        char safe[128];
        if (!json)
            text_format(&cause, "the answer is no valid JSON (%s): is this the address of the API?",
                        ajob_escape(safe, sizeof safe, type ? type : "no Content-Type"));
    }
    result.json = json;
    result.cause = text_string(&cause);
    result.next_link = query->fetch.response.next_link;
    query->done(query, &result);
    cJSON_Delete(json);
    text_done(&cause);
    ask_next(line);
}

static bool ask(struct query *query) {
    static const struct fetch_owner calls = {head_came, body_came, fetch_is_done};
    struct line *line = line_of(query->loop);
    query->body.max = query->is_text ? TEXT_MAX : BODY_MAX;
    text_clear(&query->body);
    struct fetch_request request = {
        .url = query->url,
        .profile = query->profile,
        .headers = query->is_text ? file_headers : api_headers,
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
    text_done(&query->body);
    if (was_running)
        ask_next(line_of(query->loop));
}
