/*
 * release.c - the task kinds "release" and "listing".
 *
 * A release asks the API what it consists of, then becomes a group of
 * downloads. A listing asks which releases there are (the latest, or all) and
 * adds a release for each to the group it is in; it is no work of its own, and
 * counts only if it fails. Which assets are chosen is in assets.c.
 */
#include "net/assets.h"

#include "base/mem.h"
#include "core/group.h"
#include "core/loop.h"
#include "net/query.h"

struct release {
    struct group group;
    struct release_plan *plan;  /* shared by all that one ajob_release() leads to */
    char *tag;                  /* NULL in a listing of the latest, or of all */
    struct github_release info; /* what the API said */
    struct query query;
    bool has_begun;   /* it is a group of downloads now */
    bool is_lenient;  /* one of all releases: nothing to choose in it is no failure */
    size_t checksums; /* how far we are in the search for files of them */
    const struct github_asset *sums_file; /* that is being read, in info */
    unsigned pages;                       /* that this attempt has read */
    /* Of a listing of all: */
    size_t chosen; /* assets, in all releases */
    uint64_t *ids; /* of the releases that were added */
    size_t id_count;
};

static struct release *release_of(struct ajob_task *task) {
    return (struct release *)task;
}

static void fail_attempt(struct release *release, const struct query_result *result,
                         const char *cause) {
    struct outcome outcome = {.cause = mem_copy(cause), .exit = -1};
    if (result) {
        outcome.is_retryable = result->is_retryable;
        outcome.retry_after_ms = result->retry_after_ms > 0 ? (uint32_t)result->retry_after_ms : 0;
    }
    query_cancel(&release->query);
    task_attempt_over(&release->group.task, outcome);
}

/* ---- questions ------------------------------------------------------------ */

typedef void answered_fn(struct query *query, const struct query_result *result);

/* Takes over the URL; that of a file, or a question to the API. */
static void ask(struct release *release, char *url, bool is_file, answered_fn *answered) {
    const struct release_plan *plan = release->plan;
    struct query *query = &release->query;
    query->loop = release->group.task.loop;
    query->profile = is_file ? plan->assets_profile : plan->profile;
    query->max_wait_ms = plan->max_wait_ms;
    query->has_token = plan->has_token;
    query->owner = release;
    query->done = answered;
    query->is_text = is_file;
    if (!url || !query_start(query, url))
        fail_attempt(release, NULL, "out of memory");
    mem_free(url);
}

/* Asks for the next page, if it is the API's: the token goes with the question. */
static void ask_next_page(struct release *release, const struct query_result *result,
                          answered_fn *answered) {
    enum { PAGES_MAX = 1000 };
    bool is_same = !strcmp(result->next_link, release->query.url);
    if (!url_same_origin(result->next_link, release->plan->repo.api))
        fail_attempt(release, NULL, "the API's next page is on another host: refused");
    else if (is_same || ++release->pages >= PAGES_MAX)
        fail_attempt(release, NULL, "the API's pages do not end: refused");
    else
        ask(release, mem_copy(result->next_link), false, answered);
}

static void fail_for_answer(struct release *release, const struct query_result *result) {
    const struct release_plan *plan = release->plan;
    struct text cause = TEXT_INIT(2 * TEXT_LINE_MAX);
    const char *hint =
        plan->has_token ? "or the token has no access to it" : "or private: set GH_TOKEN";
    text_format(&cause, "%s/%s: ", plan->repo.owner, plan->repo.name);
    if (release->tag) {
        char tag[300];
        text_format(&cause, "release %s: ", ajob_escape(tag, sizeof tag, release->tag));
    } else if (!plan->lists_all) {
        text_add(&cause, "latest release: ");
    }
    if (result->status == 404)
        text_format(&cause, "not found, %s", hint);
    else
        text_add(&cause, result->cause);
    fail_attempt(release, result, text_string(&cause));
    text_done(&cause);
}

/* ---- one release ---------------------------------------------------------- */

static void begin_downloads(struct release *release) {
    struct text error = TEXT_INIT(4 * TEXT_LINE_MAX);
    struct ajob_task *task = &release->group.task;
    query_cancel(&release->query);
    size_t chosen = assets_choose(release->plan, &release->info, NULL, &error);
    bool is_ok =
        chosen ? assets_add(release->plan, &release->info, task, &error) : release->is_lenient;
    github_release_done(&release->info);
    release->has_begun = is_ok;
    if (is_ok)
        group_start(task);
    else
        fail_attempt(release, NULL, text_string(&error));
    text_done(&error);
}

static void read_checksums(struct release *release);

static void checksums_answered(struct query *query, const struct query_result *result) {
    struct release *release = query->owner;
    const struct github_asset *file = release->sums_file;
    if (!result->text) { /* to go on would be to trust what may not be right */
        char safe[300];
        char *cause = text_new("%s: %s", ajob_escape(safe, sizeof safe, file->name), result->cause);
        fail_attempt(release, result, cause ? cause : "out of memory");
        mem_free(cause);
    } else if (!assets_apply_checksums(&release->info, file, result->text, result->length)) {
        fail_attempt(release, NULL, "out of memory");
    } else {
        read_checksums(release);
    }
}

/* Reads the files of checksums that are needed, one after the other. */
static void read_checksums(struct release *release) {
    const struct release_plan *plan = release->plan;
    release->sums_file =
        plan->list_only ? NULL : assets_next_checksums(plan, &release->info, &release->checksums);
    if (!release->sums_file) {
        begin_downloads(release);
        return;
    }
    ask(release, assets_url(plan, release->sums_file), true, checksums_answered);
}

static void assets_are_known(struct release *release) {
    release->checksums = 0;
    read_checksums(release);
}

static void assets_answered(struct query *query, const struct query_result *result) {
    struct release *release = query->owner;
    struct text error = TEXT_INIT(TEXT_LINE_MAX);
    if (!result->json) {
        fail_for_answer(release, result);
    } else if (!github_read_assets(result->json, &release->info, &error)) {
        fail_attempt(release, NULL, text_string(&error));
    } else if (result->next_link) {
        ask_next_page(release, result, assets_answered);
    } else {
        assets_are_known(release);
    }
    text_done(&error);
}

/* The release itself has at most this many of its assets in it. */
static void complete_assets(struct release *release) {
    enum { EMBEDDED_MAX = 30 };
    if (release->info.asset_count < EMBEDDED_MAX) {
        assets_are_known(release);
        return;
    }
    ask(release, github_assets_url(&release->plan->repo, release->info.id), false, assets_answered);
}

static void release_answered(struct query *query, const struct query_result *result) {
    struct release *release = query->owner;
    struct text error = TEXT_INIT(TEXT_LINE_MAX);
    github_release_done(&release->info);
    if (!result->json)
        fail_for_answer(release, result);
    else if (!github_read_release(result->json, &release->info, &error))
        fail_attempt(release, NULL, text_string(&error));
    else
        complete_assets(release);
    text_done(&error);
}

static void release_start(struct ajob_task *task) {
    struct release *release = release_of(task);
    release->pages = 0;
    if (release->info.tag)
        complete_assets(release);
    else
        ask(release, github_release_url(&release->plan->repo, release->tag), false,
            release_answered);
}

static void release_stop(struct ajob_task *task, enum stop_how how) {
    struct release *release = release_of(task);
    if (release->has_begun)
        group_stop(task, how);
    else
        fail_attempt(release, NULL, "stopped");
}

static bool release_is_counted(const struct ajob_task *task) {
    bool has_ended_badly = task->status != AJOB_UNDECIDED && task->status != AJOB_SUCCEEDED;
    return has_ended_badly && !group_of(task)->count;
}

static void release_free(struct ajob_task *task) {
    struct release *release = release_of(task);
    query_cancel(&release->query);
    github_release_done(&release->info);
    release_plan_unref(release->plan);
    mem_free(release->tag);
    group_free(task);
}

static const struct task_kind release_kind = {
    .name = "release",
    .size = sizeof(struct release),
    .is_group = true,
    .grows = true,
    .retry = {.max = 4},
    .start = release_start,
    .stop = release_stop,
    .is_counted = release_is_counted,
    .free = release_free,
};

/* ---- listings ------------------------------------------------------------- */

static struct release *new_release(struct ajob_loop *loop, const struct task_kind *kind,
                                   struct release_plan *plan) {
    struct release *release = task_new(loop, kind);
    if (!release)
        return NULL;
    release->plan = release_plan_ref(plan);
    release->group.policy = (uint8_t)plan->policy;
    bool is_set = !ajob_set_retry(&release->group.task, &plan->retry);
    return is_set ? release : NULL;
}

/* Adds the release that was read to the group of the listing. */
static bool add_release(struct release *listing, struct github_release *info) {
    struct ajob_task *task = &listing->group.task;
    struct release *release = new_release(task->loop, &release_kind, listing->plan);
    if (!release || ajob_set_title(&release->group.task, info->tag) ||
        ajob_group_add(task->parent, &release->group.task))
        return false;
    release->is_lenient = listing->plan->lists_all;
    release->tag = mem_copy(info->tag);
    release->info = *info;
    *info = (struct github_release){0};
    return release->tag != NULL;
}

static void listing_is_over(struct release *listing) {
    query_cancel(&listing->query);
    task_attempt_over(&listing->group.task, (struct outcome){.succeeded = true, .exit = -1});
}

static void latest_answered(struct query *query, const struct query_result *result) {
    struct release *listing = query->owner;
    struct github_release info = {0};
    struct text error = TEXT_INIT(TEXT_LINE_MAX);
    if (!result->json)
        fail_for_answer(listing, result);
    else if (!github_read_release(result->json, &info, &error))
        fail_attempt(listing, NULL, text_string(&error));
    else if (!add_release(listing, &info))
        fail_attempt(listing, NULL, "out of memory");
    else
        listing_is_over(listing);
    github_release_done(&info);
    text_done(&error);
}

static bool knows_id(const struct release *listing, uint64_t id) {
    for (size_t i = 0; i < listing->id_count; i++)
        if (listing->ids[i] == id)
            return true;
    return false;
}

static bool keep_id(struct release *listing, uint64_t id) {
    enum { RELEASES_MAX = 20000 };
    if (listing->id_count == RELEASES_MAX)
        return false;
    uint64_t *ids = mem_resize(listing->ids, (listing->id_count + 1) * sizeof *ids);
    if (!ids)
        return false;
    ids[listing->id_count++] = id;
    listing->ids = ids;
    return true;
}

/* Once each: pages shift when a release is published in between, and another
 * attempt begins at the first page. */
static bool add_listed(struct release *listing, const cJSON *item, struct text *error) {
    struct github_release info = {0};
    struct text ignored = TEXT_INIT(4 * TEXT_LINE_MAX);
    bool is_ok = true;
    if (!github_read_release(item, &info, error))
        return false;
    if (!knows_id(listing, info.id) && !info.is_draft) {
        listing->chosen += assets_choose(listing->plan, &info, NULL, &ignored);
        is_ok = keep_id(listing, info.id) && add_release(listing, &info);
    }
    if (!is_ok)
        text_add(error, "too many releases, or out of memory");
    github_release_done(&info);
    text_done(&ignored);
    return is_ok;
}

static bool add_page(struct release *listing, const cJSON *json, struct text *error) {
    const cJSON *item;
    if (!cJSON_IsArray(json)) {
        text_add(error, "the API's answer makes no sense: no list of releases");
        return false;
    }
    cJSON_ArrayForEach(item, json) {
        if (!add_listed(listing, item, error))
            return false;
    }
    return true;
}

static void page_answered(struct query *query, const struct query_result *result) {
    struct release *listing = query->owner;
    struct text error = TEXT_INIT(TEXT_LINE_MAX);
    if (!result->json) {
        fail_for_answer(listing, result);
    } else if (!add_page(listing, result->json, &error)) {
        fail_attempt(listing, NULL, text_string(&error));
    } else if (result->next_link) {
        ask_next_page(listing, result, page_answered);
    } else if (!listing->chosen) {
        fail_attempt(listing, NULL,
                     listing->plan->include ? "no asset of any release matches"
                                            : "no release has an asset");
    } else {
        listing_is_over(listing);
    }
    text_done(&error);
}

static void listing_start(struct ajob_task *task) {
    struct release *listing = release_of(task);
    const struct github_repo *repo = &listing->plan->repo;
    if (!task->parent) {
        fail_attempt(listing, NULL, "a listing of releases must be in a group");
        return;
    }
    listing->pages = 0;
    if (listing->plan->lists_all)
        ask(listing, github_releases_url(repo), false, page_answered);
    else
        ask(listing, github_release_url(repo, NULL), false, latest_answered);
}

static void listing_stop(struct ajob_task *task, enum stop_how how) {
    (void)how;
    fail_attempt(release_of(task), NULL, "stopped");
}

static bool listing_is_counted(const struct ajob_task *task) {
    return task->status != AJOB_UNDECIDED && task->status != AJOB_SUCCEEDED;
}

static void listing_free(struct ajob_task *task) {
    struct release *listing = release_of(task);
    query_cancel(&listing->query);
    release_plan_unref(listing->plan);
    mem_free(listing->ids);
}

static const struct task_kind listing_kind = {
    .name = "listing",
    .size = sizeof(struct release),
    .grows = true,
    .retry = {.max = 4},
    .start = listing_start,
    .stop = listing_stop,
    .is_counted = listing_is_counted,
    .free = listing_free,
};

/* ---- making one ----------------------------------------------------------- */

ajob_task *ajob_release(ajob_loop *loop, const ajob_release_options *options) {
    struct release_plan *plan = release_plan_new(loop, options);
    if (!plan)
        return NULL;
    bool is_listing = options->all || !options->tag;
    struct release *release = new_release(loop, is_listing ? &listing_kind : &release_kind, plan);
    release_plan_unref(plan);
    if (!release || is_listing)
        return release ? &release->group.task : NULL;
    release->tag = mem_copy(options->tag);
    if (!release->tag) {
        loop_fail(loop, AJOB_ENOMEM, "out of memory");
        return NULL;
    }
    return &release->group.task;
}
