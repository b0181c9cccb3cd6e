/*
 * listing.c - the task kind "listing": which releases there are, the latest or all.
 *
 * It adds a release for each to the group that it is in; it is no work of its own,
 * and counts only if it fails.
 */
#include "base/mem.h"
#include "core/loop.h"
#include "net/inquiry.h"
#include "net/release.h"

struct listing {
    struct ajob_task task;
    struct inquiry inquiry;
    size_t chosen; /* assets, in all releases */
    uint64_t *ids; /* of the releases that were added */
    size_t id_count;
};

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

static void latest_answered(struct query *query, const struct query_result *result) {
    struct listing *listing = query->owner;
    struct github_release info = {0};
    struct text error = TEXT_INIT(TEXT_LINE_MAX);
    if (!result->json)
        inquiry_fail_for(&listing->inquiry, result);
    else if (!github_read_release(result->json, &info, &error))
        inquiry_fail(&listing->inquiry, NULL, text_string(&error));
    else if (!add_release(listing, &info))
        inquiry_fail(&listing->inquiry, NULL, "out of memory");
    else
        listing_is_over(listing);
    github_release_done(&info);
    text_done(&error);
}

static bool knows_id(const struct listing *listing, uint64_t id) {
    for (size_t i = 0; i < listing->id_count; i++)
        if (listing->ids[i] == id)
            return true;
    return false;
}

static bool keep_id(struct listing *listing, uint64_t id) {
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
static bool add_listed(struct listing *listing, const cJSON *item, struct text *error) {
    struct github_release info = {0};
    struct text ignored = TEXT_INIT(4 * TEXT_LINE_MAX);
    bool is_ok = true;
    if (!github_read_release(item, &info, error))
        return false;
    if (!knows_id(listing, info.id) && !info.is_draft) {
        listing->chosen += assets_choose(listing->inquiry.plan, &info, NULL, &ignored);
        is_ok = keep_id(listing, info.id) && add_release(listing, &info);
    }
    if (!is_ok)
        text_add(error, "too many releases, or out of memory");
    github_release_done(&info);
    text_done(&ignored);
    return is_ok;
}

static bool add_page(struct listing *listing, const cJSON *json, struct text *error) {
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

static void listing_start(struct ajob_task *task) {
    struct listing *listing = listing_of(task);
    const struct github_repo *repo = &listing->inquiry.plan->repo;
    if (!task->parent) {
        inquiry_fail(&listing->inquiry, NULL, "a listing of releases must be in a group");
        return;
    }
    listing->inquiry.pages = 0;
    if (listing->inquiry.plan->lists_all)
        inquiry_ask(&listing->inquiry, github_releases_url(repo), false, page_answered);
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
