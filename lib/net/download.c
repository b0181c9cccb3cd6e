/*
 * download.c - the task kind "get": one file, from one of the URLs that have it.
 *
 * Owns what outlives an attempt: the plan, the result, and which source is asked next. The
 * attempt itself is a struct transfer, which exists only while it is under way.
 */
#include "net/download.h"

#include "base/mem.h"
#include "base/text.h"
#include "core/loop.h"
#include "core/pool.h"
#include "net/host.h"
#include "net/transfer.h"
#include "net/url.h"

struct download {
    struct ajob_task task;
    struct transfer_plan plan;
    struct source *source;     /* of the attempt that is under way, or of the next one */
    struct transfer *transfer; /* NULL: no attempt is under way */
    bool is_clean_wanted;      /* the next attempt is to put nothing together */
    /* Of the last attempt: */
    uint64_t bytes, resumed_from;
    uint64_t kept; /* in a part that another attempt or run can continue */
    uint64_t best; /* the most that an attempt has left for the next one */
    int64_t total;
    char *hex;                /* of what was downloaded, or NULL */
    const char *digest_field; /* "sha256" */
    bool is_up_to_date, is_verified;
    bool is_release;                    /* of which one expects a digest */
    const struct download_watch *watch; /* NULL: nobody */
    void *watch_data;
};

static struct download *download_of(const struct ajob_task *task) {
    return (struct download *)task;
}

/* ---- the attempt ---------------------------------------------------------- */

/* Whether the attempt got further than any before it, and left that behind. */
static bool has_progressed(struct download *download, const struct transfer *transfer) {
    enum { PROGRESS = 1 << 20 };
    bool is_further = transfer->left >= download->best + PROGRESS;
    if (transfer->left > download->best)
        download->best = transfer->left;
    return is_further;
}

/* The server says when to come again; too late is never. */
static void obey_retry_after(struct transfer *transfer, struct outcome *outcome) {
    char wait[32];
    if (!outcome->is_retryable || transfer->retry_after_ms <= 0)
        return;
    uint64_t wait_ms = (uint64_t)transfer->retry_after_ms;
    if (wait_ms <= transfer->plan->max_wait_ms) {
        outcome->retry_after_ms = (uint32_t)wait_ms;
        return;
    }
    outcome->is_retryable = false;
    text_format(&transfer->cause, ": to be tried again in %s, which is too long to wait",
                ajob_format_duration(wait, wait_ms));
}

/* The task's slot is of the host that is asked. */
static void turn_to(struct download *download, struct source *source) {
    if (source->host != download->source->host)
        pool_exchange(host_pool(download->source->host), host_pool(source->host));
    download->source = source;
}

/* The first one that has not failed; rather one that does not want to be left alone. */
static struct source *next_source(const struct transfer_plan *plan) {
    struct source *next = NULL;
    for (size_t i = 0; i < plan->source_count; i++) {
        struct source *source = &plan->sources[i];
        bool is_closed = host_embargo_ms(source->host) > 0;
        if (!source->has_failed && !is_closed)
            return source;
        if (!source->has_failed && !next)
            next = source;
    }
    return next;
}

/* The attempt's source has failed. Each is tried before one is tried again; those for
 * which that makes no sense are not. */
static void choose_next(struct download *download, struct outcome *outcome) {
    const struct transfer_plan *plan = &download->plan;
    download->source->has_failed = true;
    download->source->is_hopeless = !outcome->is_retryable;
    struct source *next = next_source(plan);
    outcome->has_alternative = next != NULL;
    for (size_t i = 0; i < plan->source_count && !outcome->has_alternative; i++) {
        plan->sources[i].has_failed = plan->sources[i].is_hopeless;
        outcome->is_retryable = outcome->is_retryable || !plan->sources[i].is_hopeless;
    }
    if (!next)
        next = next_source(plan);
    if (next)
        turn_to(download, next);
}

/* With an alternative nobody would know otherwise who it was. */
static char *cause_of(const struct source *source, const struct outcome *outcome,
                      const struct text *cause) {
    char *url = outcome->has_alternative ? url_redacted(source->url) : NULL;
    char *named = url ? text_make("%s: %s", url, text_string(cause)) : NULL;
    mem_free(url);
    return named ? named : mem_copy(text_string(cause));
}

static void attempt_failed(struct download *download, struct outcome *outcome, bool is_servers,
                           const struct text *cause) {
    const struct source *source = download->source;
    if (is_servers)
        choose_next(download, outcome);
    outcome->cause = cause->length ? cause_of(source, outcome, cause) : NULL; /* no memory */
}

static void transfer_is_over(struct transfer *transfer) {
    struct download *download = download_of(transfer->task);
    const struct transfer_plan *plan = &download->plan;
    struct outcome outcome = {
        .succeeded = transfer->succeeded,
        .is_retryable = transfer->is_retryable,
        .has_progressed = has_progressed(download, transfer),
        .exit = -1,
    };
    obey_retry_after(transfer, &outcome);
    download->bytes = transfer->bytes;
    download->total = transfer->total;
    download->resumed_from = transfer->pieces.resumed_from;
    download->kept = transfer->left;
    download->is_up_to_date = transfer->is_up_to_date;
    download->is_verified = transfer->is_verified;
    download->is_clean_wanted = download->is_clean_wanted || transfer->is_mixed;
    mem_free(download->hex);
    download->hex = transfer->succeeded && *transfer->hex ? mem_copy(transfer->hex) : NULL;
    download->digest_field = plan->digests ? digest_name(plan->digests) : "sha256";
    download->transfer = NULL;
    bool is_lost = (transfer->is_gone || transfer->is_other) && !transfer->is_stopped;
    bool is_gone = transfer->is_gone;
    if (!transfer->succeeded) /* one that was stopped was too slow, or nobody cares */
        attempt_failed(download, &outcome, transfer->is_servers || transfer->is_stopped,
                       &transfer->cause);
    transfer_done(transfer);
    mem_free(transfer);
    bool goes_on =
        is_lost && download->watch && !outcome.is_retryable && outcome.cause &&
        download->watch->lost(&download->task, download->watch_data, is_gone, &outcome.cause);
    if (goes_on)
        mem_free(outcome.cause);
    else
        task_attempt_over(&download->task, outcome);
}

/* The host wants to be left alone for longer than anybody waits (for less, the task would
 * not have a slot). False: it does not. */
static bool is_embargoed(struct download *download) {
    struct text cause = TEXT_INIT(TEXT_LINE_MAX);
    const struct host *host = download->source->host;
    uint64_t wait_ms = host_embargo_ms(host);
    if (!wait_ms)
        return false;
    bool is_too_long = wait_ms > download->plan.max_wait_ms;
    struct outcome outcome = {
        .is_retryable = !is_too_long,
        .retry_after_ms = is_too_long ? 0 : (uint32_t)wait_ms,
        .exit = -1,
    };
    host_explain(host, &cause);
    if (is_too_long)
        text_add(&cause, ", which is too long to wait");
    attempt_failed(download, &outcome, true, &cause);
    text_done(&cause);
    task_attempt_over(&download->task, outcome);
    return true;
}

static void start(struct ajob_task *task) {
    struct download *download = download_of(task);
    if (is_embargoed(download))
        return;
    struct transfer *transfer = mem_new(sizeof *transfer);
    if (!transfer) {
        task_attempt_over(task, (struct outcome){.exit = -1});
        return;
    }
    download->transfer = transfer;
    struct transfer_way way = {download->source, download->is_clean_wanted};
    transfer_start(transfer, task, &download->plan, &way, transfer_is_over);
}

static void stop(struct ajob_task *task, enum stop_how how) {
    struct download *download = download_of(task);
    (void)how; /* it cannot end sooner than soon */
    if (download->transfer)
        transfer_stop(download->transfer);
    else if (download->watch)
        download->watch->stop(task, download->watch_data);
}

/* ---- what a kind says of itself ------------------------------------------- */

static size_t slots(const struct ajob_task *task, struct slot slots[KIND_SLOTS_MAX]) {
    slots[0] = (struct slot){host_pool(download_of(task)->source->host), 1};
    slots[1] = (struct slot){task->loop->transfers, 1};
    return 2;
}

static ajob_field text_field(const char *name, const char *text) {
    return (ajob_field){
        .name = name, .type = text ? AJOB_FIELD_TEXT : AJOB_FIELD_NULL, .text = text};
}

static ajob_field bool_field(const char *name, bool value) {
    return (ajob_field){.name = name, .type = AJOB_FIELD_BOOL, .number = value};
}

static ajob_field number_field(const char *name, uint64_t value) {
    return (ajob_field){.name = name, .type = AJOB_FIELD_NUMBER, .number = (int64_t)value};
}

/* The URL that was asked last without its secrets, until something else is handed out. */
static const char *redacted(const struct download *download) {
    struct text *file = &download->task.loop->file;
    if (!strpbrk(download->source->url, "@?#")) /* most have none */
        return download->source->url;
    char *url = url_redacted(download->source->url);
    text_clear(file);
    text_add(file, url ? url : "");
    mem_free(url);
    return text_string(file);
}

static size_t fields(const struct ajob_task *task, ajob_field fields[KIND_FIELDS_MAX]) {
    const struct download *download = download_of(task);
    size_t count = 0;
    fields[count++] = text_field("path", download->plan.path);
    fields[count++] = number_field("bytes", download->bytes);
    fields[count++] = bool_field("up_to_date", download->is_up_to_date);
    fields[count++] = number_field("resumed_from", download->resumed_from);
    fields[count++] = number_field("kept", download->kept);
    if (download->plan.want || download->is_release)
        fields[count++] = bool_field("verified", download->is_verified);
    else
        fields[count++] = (ajob_field){.name = "verified"};
    fields[count++] =
        text_field(download->digest_field ? download->digest_field : "sha256", download->hex);
    if (!download->is_release)
        fields[count++] = text_field("url", redacted(download));
    return count;
}

static void progress(const struct ajob_task *task, uint64_t *bytes, int64_t *total) {
    const struct download *download = download_of(task);
    const struct transfer *transfer = download->transfer;
    *bytes = transfer ? transfer->pieces.here : download->bytes;
    *total = transfer ? transfer->pieces.total : download->total;
    if (*total < 0 && download->plan.size_known)
        *total = (int64_t)download->plan.size;
}

static void release(struct ajob_task *task) {
    struct download *download = download_of(task);
    plan_done(&download->plan);
    mem_free(download->hex);
    if (download->watch)
        download->watch->free(download->watch_data);
}

static const struct task_kind download_kind = {
    .name = "get",
    .size = sizeof(struct download),
    .retry = {.max = 4},
    .start = start,
    .stop = stop,
    .slots = slots,
    .fields = fields,
    .progress = progress,
    .free = release,
};

/* ---- making one ----------------------------------------------------------- */

ajob_task *download_new(ajob_loop *loop, const ajob_download_options *options,
                        const struct download_extra *extra) {
    struct download *download = task_new(loop, &download_kind);
    if (!download && extra->watch)
        extra->watch->free(extra->watch_data);
    if (!download)
        return NULL;
    download->watch = extra->watch;
    download->watch_data = extra->watch_data;
    if (plan_make(&download->plan, loop, options, &extra->plan))
        return NULL;
    download->source = download->plan.sources;
    download->is_release = extra->is_release;
    download->total = -1;
    return &download->task;
}

/* What to bring from where is another plan from now on. */
static void exchange_plan(struct download *download, const struct transfer_plan *plan) {
    struct transfer_plan old = download->plan;
    turn_to(download, plan->sources);
    download->plan = *plan;
    plan_done(&old);
}

bool download_again(ajob_task *task, const ajob_download_options *options,
                    const struct plan_extra *extra) {
    struct transfer_plan plan = {0};
    if (plan_make(&plan, task->loop, options, extra)) {
        plan_done(&plan);
        return false;
    }
    exchange_plan(download_of(task), &plan);
    start(task);
    return true;
}

const char *download_sha256(const ajob_task *task) {
    const struct download *download = download_of(task);
    bool is_it = download->plan.digests == digest_sha256();
    return is_it ? download->hex : NULL;
}

ajob_task *ajob_download(ajob_loop *loop, const ajob_download_options *options) {
    return download_new(loop, options, &(struct download_extra){0});
}

int ajob_download_change(ajob_task *task, const ajob_download_options *options) {
    struct download *download = download_of(task);
    struct transfer_plan plan = {0};
    bool is_before_first = task->kind == &download_kind && task->state == AJOB_RUNNING &&
                           task->attempts == 1 && !download->transfer;
    if (!is_before_first)
        return loop_fail(task->loop, AJOB_EINVAL,
                         "a download can be changed before its first attempt only");
    int error = plan_make(&plan, task->loop, options, &(struct plan_extra){0});
    if (error) {
        plan_done(&plan);
        return error;
    }
    exchange_plan(download, &plan);
    return 0;
}

int ajob_download_check(ajob_loop *loop, const ajob_download_options *options, const char **path) {
    struct transfer_plan plan = {0};
    int error = plan_make(&plan, loop, options, &(struct plan_extra){0});
    text_clear(&loop->file);
    if (!error) {
        text_add(&loop->file, plan.path);
        *path = text_string(&loop->file);
        if (!text_ok(&loop->file))
            error = loop_fail_memory(loop);
    }
    plan_done(&plan);
    return error;
}

const char *ajob_download_path(const ajob_task *task) {
    return task->kind == &download_kind ? download_of(task)->plan.path : NULL;
}
