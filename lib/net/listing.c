/*
 * listing.c - the task kind "listing": which releases there are, the latest, the newest
 * or all.
 *
 * It adds a release for each to the group that it is in; it is no work of its own,
 * and counts only if it fails.
 */
#include "base/mem.h"
#include "core/loop.h"
#include "net/assets.h"
#include "net/inquiry.h"
#include "net/lock.h"
#include "net/release.h"

/* Releases asked for at once; one with its assets is long. */
enum { PAGE = 100, SMALL_PAGE = 5 };

struct listing {
    struct ajob_task task;
    struct inquiry inquiry;
    size_t chosen; /* assets, in all releases */
    uint64_t *ids; /* of the releases that were added */
    size_t id_count;
};

static const char no_list[] = "the API's answer makes no sense: no list of releases";

static struct listing *listing_of(struct ajob_task *task) {
    return (struct listing *)task;
}

/* Adds the release that was read to the group of the listing. */
static bool add_release(struct listing *listing, struct github_release *info) {
    struct ajob_task *task = &listing->task;
    char *tag = mem_copy(info->tag); /* info is taken over */
    ajob_task *release = tag ? release_new(task->loop, listing->inquiry.plan, tag, info) : NULL;
    bool is_added =
        release && !ajob_set_title(release, tag) && !ajob_group_add(task->parent, release);
    mem_free(tag);
    return is_added;
}

static void listing_is_over(struct listing *listing) {
    query_cancel(&listing->inquiry.query);
    task_attempt_over(&listing->task, (struct outcome){.succeeded = true, .exit = -1});
}

/* The first release in a list that is no draft, or NULL. */
static const cJSON *first_published(const cJSON *list) {
    const cJSON *item = list ? list->child : NULL;
    while (item && github_is_draft(item))
        item = item->next;
    return item;
}

/* No release is the latest: none is a full one, or there is no such repository. */
static void releases_answered(struct query *query, const struct query_result *result) {
    struct listing *listing = query->owner;
    const cJSON *item = first_published(result->json);
    const char *tag = github_tag(item);
    struct text cause = TEXT_INIT(TEXT_LINE_MAX);
    char safe[200];
    if (tag)
        text_format(&cause, "there are only prereleases, the newest is %s: use --prerelease",
                    ajob_escape(safe, sizeof safe, tag));
    else
        text_add(&cause, "the repository has none");
    bool is_seen = cJSON_IsArray(result->json);
    inquiry_fail_for(&listing->inquiry, &(struct query_result){.status = is_seen ? 0 : 404,
                                                               .cause = text_string(&cause)});
    text_done(&cause);
}

/* The only release that is asked for. */
static void add_only(struct listing *listing, const cJSON *json) {
    struct github_release info = {0};
    struct text error = TEXT_INIT(TEXT_LINE_MAX);
    if (!github_read_release(json, &info, &error))
        inquiry_fail(&listing->inquiry, NULL, text_string(&error));
    else if (!add_release(listing, &info))
        inquiry_fail(&listing->inquiry, NULL, "out of memory");
    else
        listing_is_over(listing);
    github_release_done(&info);
    text_done(&error);
}

static void latest_answered(struct query *query, const struct query_result *result) {
    struct listing *listing = query->owner;
    if (result->status == 404)
        inquiry_ask(&listing->inquiry,
                    github_releases_url(&listing->inquiry.plan->repo, SMALL_PAGE), false,
                    releases_answered);
    else if (!result->json)
        inquiry_fail_for(&listing->inquiry, result);
    else
        add_only(listing, result->json);
}

/* The newest release that is no draft: the list begins with it. */
static void newest_answered(struct query *query, const struct query_result *result) {
    struct listing *listing = query->owner;
    const cJSON *item = first_published(result->json);
    if (!result->json)
        inquiry_fail_for(&listing->inquiry, result);
    else if (!cJSON_IsArray(result->json))
        inquiry_fail(&listing->inquiry, NULL, no_list);
    else if (!item && result->next_link)
        inquiry_ask_next(&listing->inquiry, result, newest_answered);
    else if (!item)
        inquiry_fail(&listing->inquiry, NULL, "the repository has no release");
    else
        add_only(listing, item);
}

static bool knows_id(const struct listing *listing, uint64_t id) {
    for (size_t i = 0; i < listing->id_count; i++)
        if (listing->ids[i] == id)
            return true;
    return false;
}

static bool keep_id(struct listing *listing, uint64_t id, struct text *error) {
    enum { RELEASES_MAX = 20000 };
    if (listing->id_count == RELEASES_MAX) {
        text_format(error, "more than %d releases: refused", RELEASES_MAX);
        return false;
    }
    uint64_t *ids = mem_resize(listing->ids, (listing->id_count + 1) * sizeof *ids);
    if (!ids)
        return false;
    ids[listing->id_count++] = id;
    listing->ids = ids;
    return true;
}

/* Once each: pages shift when a release is published in between, and another
 * attempt begins at the first page. */
static bool add_listed(struct listing *listing, const cJSON *item, struct text *error) {
    struct github_release info = {0};
    struct text ignored = TEXT_INIT(4 * TEXT_LINE_MAX);
    bool is_ok = true;
    if (!github_read_release(item, &info, error))
        return false;
    if (!knows_id(listing, info.id) && !info.is_draft) {
        listing->chosen += assets_choose(listing->inquiry.plan, &info, NULL, &ignored);
        is_ok = release_plan_count(listing->inquiry.plan, info.asset_count, error) &&
                keep_id(listing, info.id, error) && add_release(listing, &info);
    }
    if (!is_ok && !error->length)
        text_add(error, "out of memory");
    github_release_done(&info);
    text_done(&ignored);
    return is_ok;
}

static bool add_page(struct listing *listing, const cJSON *json, struct text *error) {
    const cJSON *item;
    if (!cJSON_IsArray(json)) {
        text_add(error, no_list);
        return false;
    }
    cJSON_ArrayForEach(item, json) {
        if (!add_listed(listing, item, error))
            return false;
    }
    return true;
}

static void page_answered(struct query *query, const struct query_result *result) {
    struct listing *listing = query->owner;
    struct text error = TEXT_INIT(TEXT_LINE_MAX);
    if (!result->json) {
        inquiry_fail_for(&listing->inquiry, result);
    } else if (!add_page(listing, result->json, &error)) {
        inquiry_fail(&listing->inquiry, NULL, text_string(&error));
    } else if (result->next_link) {
        inquiry_ask_next(&listing->inquiry, result, page_answered);
    } else if (!listing->chosen) {
        inquiry_fail(&listing->inquiry, NULL,
                     listing->inquiry.plan->include ? "no asset of any release matches"
                                                    : "no release has an asset");
    } else {
        listing_is_over(listing);
    }
    text_done(&error);
}

/* A release for each tag in the lock. */
static void add_locked(struct listing *listing) {
    const struct release_plan *plan = listing->inquiry.plan;
    struct github_release info = {0};
    struct text ignored = TEXT_INIT(4 * TEXT_LINE_MAX);
    bool is_ok = true;
    const struct lock_entry *first = NULL;
    listing->chosen = 0;
    while (is_ok && (first = lock_next_release(plan->locked, &plan->repo, first))) {
        is_ok = lock_release_at(first, &info);
        if (is_ok)
            listing->chosen += assets_choose(plan, &info, NULL, &ignored);
        is_ok = is_ok && add_release(listing, &info);
        github_release_done(&info);
    }
    if (!is_ok)
        inquiry_fail(&listing->inquiry, NULL, "out of memory");
    else if (!listing->chosen)
        inquiry_fail(&listing->inquiry, NULL, "no asset in the lock matches");
    else
        listing_is_over(listing);
    text_done(&ignored);
}

static void listing_start(struct ajob_task *task) {
    struct listing *listing = listing_of(task);
    const struct release_plan *plan = listing->inquiry.plan;
    const struct github_repo *repo = &plan->repo;
    if (!task->parent) {
        inquiry_fail(&listing->inquiry, NULL, "a listing of releases must be in a group");
        return;
    }
    listing->inquiry.pages = 0;
    if (plan->locked)
        add_locked(listing);
    else if (plan->lists_all)
        inquiry_ask(&listing->inquiry, github_releases_url(repo, PAGE), false, page_answered);
    else if (plan->takes_prerelease)
        inquiry_ask(&listing->inquiry, github_releases_url(repo, SMALL_PAGE), false,
                    newest_answered);
    else
        inquiry_ask(&listing->inquiry, github_release_url(repo, NULL), false, latest_answered);
}

static void listing_stop(struct ajob_task *task, enum stop_how how) {
    (void)how;
    inquiry_fail(&listing_of(task)->inquiry, NULL, "stopped");
}

static bool listing_is_counted(const struct ajob_task *task) {
    return task->status != AJOB_UNDECIDED && task->status != AJOB_SUCCEEDED;
}

static void listing_free(struct ajob_task *task) {
    struct listing *listing = listing_of(task);
    inquiry_done(&listing->inquiry);
    mem_free(listing->ids);
}

static const struct task_kind listing_kind = {
    .name = "listing",
    .size = sizeof(struct listing),
    .grows = true,
    .retry = {.max = 4},
    .start = listing_start,
    .stop = listing_stop,
    .is_counted = listing_is_counted,
    .free = listing_free,
};

static ajob_task *listing_new(ajob_loop *loop, struct release_plan *plan) {
    struct listing *listing = task_new(loop, &listing_kind);
    if (!listing)
        return NULL;
    inquiry_init(&listing->inquiry, &listing->task, plan);
    return ajob_set_retry(&listing->task, &plan->retry) ? NULL : &listing->task;
}

ajob_task *ajob_release(ajob_loop *loop, const ajob_release_options *options) {
    struct release_plan *plan = release_plan_new(loop, options);
    if (!plan)
        return NULL;
    bool is_listing = options->all || !options->tag;
    ajob_task *task =
        is_listing ? listing_new(loop, plan) : release_new(loop, plan, options->tag, NULL);
    release_plan_unref(plan);
    return task;
}
