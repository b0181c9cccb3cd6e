/* inquiry.c - what a task asks the API. See inquiry.h. */
#include "net/inquiry.h"

#include "base/mem.h"
#include "net/url.h"

void inquiry_init(struct inquiry *inquiry, struct ajob_task *task, struct release_plan *plan) {
    inquiry->task = task;
    inquiry->plan = release_plan_ref(plan);
}

void inquiry_done(struct inquiry *inquiry) {
    query_cancel(&inquiry->query);
    release_plan_unref(inquiry->plan);
}

void inquiry_fail(struct inquiry *inquiry, const struct query_result *result, const char *cause) {
    struct outcome outcome = {.cause = *cause ? mem_copy(cause) : NULL, .exit = -1};
    if (result) {
        outcome.is_retryable = result->is_retryable;
        outcome.retry_after_ms = result->retry_after_ms > 0 ? (uint32_t)result->retry_after_ms : 0;
    }
    query_cancel(&inquiry->query);
    task_attempt_over(inquiry->task, outcome);
}

void inquiry_ask(struct inquiry *inquiry, char *url, bool is_file, answered_fn *answered) {
    struct release_plan *plan = inquiry->plan;
    struct query *query = &inquiry->query;
    query->loop = inquiry->task->loop;
    query->profile = is_file ? plan->assets_profile : plan->profile;
    query->max_wait_ms = plan->max_wait_ms;
    query->has_token = plan->has_token;
    query->owner = inquiry->task;
    query->done = answered;
    query->is_text = is_file;
    query->cache = plan->cache;
    query->budget = &plan->answers_left;
    query->token = plan->token;
    if (!url || !query_start(query, url))
        inquiry_fail(inquiry, NULL, "out of memory");
    mem_free(url);
}

void inquiry_ask_next(struct inquiry *inquiry, const struct query_result *result,
                      answered_fn *answered) {
    enum { PAGES_MAX = 1000 };
    bool is_same = !strcmp(result->next_link, inquiry->query.url);
    if (!url_same_origin(result->next_link, inquiry->plan->repo.api))
        inquiry_fail(inquiry, NULL, "the API's next page is on another host: refused");
    else if (is_same || ++inquiry->pages >= PAGES_MAX)
        inquiry_fail(inquiry, NULL, "the API's pages do not end: refused");
    else
        inquiry_ask(inquiry, mem_copy(result->next_link), false, answered);
}

void inquiry_fail_for(struct inquiry *inquiry, const struct query_result *result) {
    const struct release_plan *plan = inquiry->plan;
    struct text cause = TEXT_INIT(2 * TEXT_LINE_MAX);
    const char *hint = plan->token_hint  ? plan->token_hint
                       : plan->has_token ? "or the token has no access to it"
                                         : "or private: set GH_TOKEN";
    text_format(&cause, "%s/%s: ", plan->repo.owner, plan->repo.name);
    if (inquiry->tag) {
        char tag[300];
        text_format(&cause, "release %s: ", ajob_escape(tag, sizeof tag, inquiry->tag));
    } else if (!plan->lists_all) {
        text_add(&cause, plan->takes_prerelease ? "newest release: " : "latest release: ");
    }
    if (result->status == 404)
        text_format(&cause, "not found, %s", hint);
    else
        text_add(&cause, result->cause);
    inquiry_fail(inquiry, result, text_string(&cause));
    text_done(&cause);
}
