/*
 * download.c - the task kind "get": one URL into one file.
 *
 * Owns what outlives an attempt: the plan, the result. The attempt itself is a
 * struct transfer, which exists only while it is under way.
 */
#include "net/download.h"

#include "base/mem.h"
#include "base/text.h"
#include "core/loop.h"
#include "core/pool.h"
#include "net/host.h"
#include "net/name.h"
#include "net/profile.h"
#include "net/transfer.h"
#include "net/url.h"

struct download {
    struct ajob_task task;
    struct transfer_plan plan;
    struct host *host;
    struct transfer *transfer; /* NULL: no attempt is under way */
    /* Of the last attempt: */
    uint64_t bytes, resumed_from;
    uint64_t best; /* the most that an attempt has left for the next one */
    int64_t total;
    char *hex;                /* of the digest that was verified, or NULL */
    const char *digest_field; /* "sha256" */
    bool is_up_to_date, is_verified;
    bool is_release; /* of which one expects a digest */
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
    if (!transfer->succeeded)
        outcome.cause = mem_copy(text_string(&transfer->cause));
    download->bytes = transfer->offset;
    download->total = transfer->total;
    download->resumed_from = transfer->resumed_from;
    download->is_up_to_date = transfer->is_up_to_date;
    download->is_verified = transfer->is_verified;
    mem_free(download->hex);
    download->hex = *transfer->hex ? mem_copy(transfer->hex) : NULL;
    download->digest_field = plan->want ? digest_name(plan->want->algorithm) : "sha256";
    download->transfer = NULL;
    transfer_done(transfer);
    mem_free(transfer);
    task_attempt_over(&download->task, outcome);
}

/* The host wants to be left alone for longer than anybody waits (for less, the task would
 * not have a slot). False: it does not. */
static bool is_embargoed(struct download *download) {
    struct text cause = TEXT_INIT(TEXT_LINE_MAX);
    uint64_t wait_ms = host_embargo_ms(download->host);
    if (!wait_ms)
        return false;
    bool is_too_long = wait_ms > download->plan.max_wait_ms;
    host_explain(download->host, &cause);
    if (is_too_long)
        text_add(&cause, ", which is too long to wait");
    task_attempt_over(&download->task, (struct outcome){
                                           .is_retryable = !is_too_long,
                                           .retry_after_ms = is_too_long ? 0 : (uint32_t)wait_ms,
                                           .exit = -1,
                                           .cause = mem_copy(text_string(&cause)),
                                       });
    text_done(&cause);
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
    transfer_start(transfer, task, &download->plan, transfer_is_over);
}

static void stop(struct ajob_task *task, enum stop_how how) {
    (void)how; /* it cannot end sooner than soon */
    if (download_of(task)->transfer)
        transfer_stop(download_of(task)->transfer);
}

/* ---- what a kind says of itself ------------------------------------------- */

static size_t slots(const struct ajob_task *task, struct slot slots[KIND_SLOTS_MAX]) {
    slots[0] = (struct slot){host_pool(download_of(task)->host), 1};
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

/* The URL without its secrets, until something else is handed out. */
static const char *redacted(const struct download *download) {
    struct text *file = &download->task.loop->file;
    if (!strpbrk(download->plan.url, "@?#")) /* most have none */
        return download->plan.url;
    char *url = url_redacted(download->plan.url);
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
    if (download->plan.want || download->is_release)
        fields[count++] = bool_field("verified", download->is_verified);
    else
        fields[count++] = (ajob_field){.name = "verified"};
    fields[count++] = text_field(download->digest_field ? download->digest_field : "sha256",
                                 download->is_verified ? download->hex : NULL);
    if (!download->is_release)
        fields[count++] = text_field("url", redacted(download));
    return count;
}

static void progress(const struct ajob_task *task, uint64_t *bytes, int64_t *total) {
    const struct download *download = download_of(task);
    const struct transfer *transfer = download->transfer;
    *bytes = transfer ? transfer->offset : download->bytes;
    *total = transfer ? transfer->total : download->total;
    if (*total < 0 && download->plan.size_known)
        *total = (int64_t)download->plan.size;
}

static void free_plan(struct transfer_plan *plan) {
    mem_free(plan->url);
    mem_free(plan->path);
    mem_free(plan->identity);
    mem_free(plan->want);
}

static void release(struct ajob_task *task) {
    free_plan(&download_of(task)->plan);
    mem_free(download_of(task)->hex);
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

static int fail(ajob_loop *loop, const char *what, const char *why) {
    char safe[TEXT_LINE_MAX];
    return loop_fail(loop, AJOB_EINVAL, "%s: %s", ajob_escape(safe, sizeof safe, what), why);
}

/* Where the file goes: the path taken apart, or dir and a name. */
static int plan_file(struct transfer_plan *plan, ajob_loop *loop,
                     const ajob_download_options *options, const char *subdir) {
    const char *slash = options->path ? strrchr(options->path, '/') : NULL;
    char *name, *parent;
    if (options->path) {
        name = mem_copy(slash ? slash + 1 : options->path);
        parent = slash == options->path ? mem_copy("/")
                 : slash                ? mem_copy_n(options->path, (size_t)(slash - options->path))
                                        : mem_copy(".");
    } else {
        name = options->name ? name_neutral(options->name) : name_from_url(options->url);
        parent = mem_copy(options->dir ? options->dir : ".");
    }
    bool is_usable = !name || !options->path || name_is_usable(name);
    if (is_usable && name && parent)
        plan->dir = dir_for(loop, parent, subdir);
    if (plan->dir)
        plan->path = dir_path(plan->dir, name);
    if (plan->path)
        plan->name = plan->path + strlen(plan->path) - strlen(name);
    mem_free(name);
    mem_free(parent);
    if (!is_usable)
        return fail(loop, options->path, "not the path of a file");
    return plan->path ? 0 : loop_fail(loop, AJOB_ENOMEM, "out of memory");
}

static int plan_digest(struct transfer_plan *plan, ajob_loop *loop, const char *digest) {
    if (!digest)
        return 0;
    plan->want = mem_new(sizeof *plan->want);
    if (!plan->want)
        return loop_fail(loop, AJOB_ENOMEM, "out of memory");
    if (!digest_parse(digest, plan->want))
        return fail(loop, digest, "not a digest: sha256:<64 hex digits> (or sha512, sha1, md5)");
    return 0;
}

/* Who is asked: the URL, how to talk to its server, and which host that is. */
static int plan_server(struct download *download, ajob_loop *loop,
                       const ajob_download_options *options) {
    struct transfer_plan *plan = &download->plan;
    char *origin;
    const char *fault = url_parse(options->url, &origin);
    if (fault)
        return fail(loop, options->url, fault);
    plan->profile = profile_for(loop, &options->http);
    download->host = plan->profile ? host_for(loop, origin) : NULL;
    plan->url = mem_copy(options->url);
    mem_free(origin);
    if (!download->host)
        return AJOB_EINVAL;
    return plan->url ? 0 : loop_fail(loop, AJOB_ENOMEM, "out of memory");
}

enum { MAX_WAIT_MS = 300000 };

static int plan_download(struct download *download, ajob_loop *loop,
                         const ajob_download_options *options, const struct download_extra *extra) {
    struct transfer_plan *plan = &download->plan;
    int error = plan_server(download, loop, options);
    if (!error)
        error = plan_file(plan, loop, options, extra->subdir);
    if (!error)
        error = plan_digest(plan, loop, options->digest);
    if (error)
        return error;
    plan->identity = mem_copy(options->identity);
    plan->headers = extra->headers;
    plan->size = options->size;
    plan->size_known = options->size_known;
    plan->max_wait_ms = options->max_wait_ms ? options->max_wait_ms : MAX_WAIT_MS;
    if (plan->max_wait_ms > UINT32_MAX)
        plan->max_wait_ms = UINT32_MAX;
    download->is_release = extra->is_release;
    download->total = -1;
    return plan->identity || !options->identity ? 0 : loop_fail(loop, AJOB_ENOMEM, "out of memory");
}

ajob_task *download_new(ajob_loop *loop, const ajob_download_options *options,
                        const struct download_extra *extra) {
    struct download *download = task_new(loop, &download_kind);
    if (!download || plan_download(download, loop, options, extra))
        return NULL;
    return &download->task;
}

ajob_task *ajob_download(ajob_loop *loop, const ajob_download_options *options) {
    return download_new(loop, options, &(struct download_extra){0});
}

int ajob_download_change(ajob_task *task, const ajob_download_options *options) {
    struct download *download = download_of(task), changed = {0};
    bool is_before_first = task->kind == &download_kind && task->state == AJOB_RUNNING &&
                           task->attempts == 1 && !download->transfer;
    if (!is_before_first)
        return loop_fail(task->loop, AJOB_EINVAL,
                         "a download can be changed before its first attempt only");
    int error = plan_download(&changed, task->loop, options, &(struct download_extra){0});
    if (error) {
        free_plan(&changed.plan);
        return error;
    }
    free_plan(&download->plan);
    download->plan = changed.plan;
    if (changed.host != download->host)
        pool_exchange(host_pool(download->host), host_pool(changed.host));
    download->host = changed.host;
    return 0;
}

int ajob_download_check(ajob_loop *loop, const ajob_download_options *options, const char **path) {
    struct download download = {0};
    int error = plan_download(&download, loop, options, &(struct download_extra){0});
    text_clear(&loop->file);
    if (!error) {
        text_add(&loop->file, download.plan.path);
        *path = text_string(&loop->file);
    }
    free_plan(&download.plan);
    return error;
}

const char *ajob_download_path(const ajob_task *task) {
    return task->kind == &download_kind ? download_of(task)->plan.path : NULL;
}
