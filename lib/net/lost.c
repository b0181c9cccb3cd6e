/* lost.c - an asset that its server does not have any more. See lost.h. */
#include "net/lost.h"

#include "base/mem.h"
#include "net/assets.h"
#include "net/inquiry.h"
#include "net/lock.h"

/* A look at the release. */
struct look {
    struct inquiry inquiry;
    struct lost *lost;
    struct github_release release;
    char *cause; /* why the download failed */
};

struct lost {
    struct release_plan *plan;
    char *name, *tag, *subdir;
    uint64_t release_id, asset_id;
    bool had_digest;
    bool has_looked;
    struct look *look; /* under way, or NULL */
};

static struct look *look_free(struct look *look) {
    if (!look)
        return NULL;
    inquiry_done(&look->inquiry);
    github_release_done(&look->release);
    mem_free(look->cause);
    return mem_free(look);
}

static void lost_free(void *data) {
    struct lost *lost = data;
    look_free(lost->look);
    release_plan_unref(lost->plan);
    mem_free(lost->name);
    mem_free(lost->tag);
    mem_free(lost->subdir);
    mem_free(lost);
}

void *lost_new(const struct lost_where *where, const struct github_asset *asset) {
    struct lost *lost = mem_new(sizeof *lost);
    if (!lost)
        return NULL;
    lost->plan = release_plan_ref((struct release_plan *)where->plan);
    lost->name = mem_copy(asset->name);
    lost->tag = mem_copy(where->tag);
    lost->subdir = mem_copy(where->subdir);
    lost->release_id = where->release_id;
    lost->asset_id = asset->id;
    lost->had_digest = asset->digest != NULL;
    if (lost->name && lost->tag && (lost->subdir || !where->subdir))
        return lost;
    lost_free(lost);
    return NULL;
}

/* ---- the look ------------------------------------------------------------- */

/* Nothing has come of it: the attempt ends as it would have, or for this cause. */
static void give_up(struct lost *lost, const char *cause) {
    struct look *look = lost->look;
    lost->look = NULL;
    inquiry_fail(&look->inquiry, NULL, cause ? cause : look->cause);
    look_free(look);
}

static void there_is_none(struct lost *lost) {
    char *cause = text_new("%s: the release does not have it any more", lost->look->cause);
    give_up(lost, cause);
    mem_free(cause);
}

static const struct github_asset *find(const struct github_release *release, const char *name) {
    for (size_t i = 0; i < release->asset_count; i++)
        if (!strcmp(release->assets[i].name, name))
            return &release->assets[i];
    return NULL;
}

/* The lock is of what is downloaded. */
static bool exchange_in_lock(const struct lost *lost, ajob_task *download,
                             const struct github_asset *asset) {
    const struct release_plan *plan = lost->plan;
    if (!plan->lock)
        return true;
    struct lock_entry *entry = lock_add(plan->lock, &plan->repo, lost->tag, asset);
    if (!entry)
        return false;
    lock_watch(entry, download); /* which completes the old one no more */
    lock_forget(plan->lock, &plan->repo, lost->asset_id);
    return true;
}

/* The asset that has the name now is downloaded, if it is as good as the one before. */
static void assets_are_known(struct lost *lost, ajob_task *download) {
    struct look *look = lost->look;
    const struct github_asset *asset = find(&look->release, lost->name);
    if (!asset) {
        there_is_none(lost);
    } else if (asset->id == lost->asset_id || (lost->had_digest && !asset->digest) ||
               !exchange_in_lock(lost, download, asset)) {
        give_up(lost, NULL);
    } else {
        task_note(download, "the asset was replaced meanwhile: downloading the new one");
        lost->look = NULL; /* its end may come before this returns */
        if (assets_again(lost->plan, download, asset, lost->subdir)) {
            look_free(look);
            return;
        }
        lost->look = look;
        give_up(lost, NULL);
    }
}

static void page_answered(struct query *query, const struct query_result *result) {
    struct look *look = (struct look *)((char *)query - offsetof(struct look, inquiry.query));
    struct text error = TEXT_INIT(TEXT_LINE_MAX);
    if (!result->json || !github_read_assets(result->json, &look->release, &error))
        give_up(look->lost, NULL);
    else if (result->next_link)
        inquiry_ask_next(&look->inquiry, result, page_answered);
    else
        assets_are_known(look->lost, look->inquiry.task);
    text_done(&error);
}

/* ---- the watch ------------------------------------------------------------ */

static bool lost(ajob_task *download, void *data, bool is_gone, char **cause) {
    struct lost *lost = data;
    if (lost->plan->locked) {
        char *changed = text_new("locked: has changed: %s", *cause);
        mem_free(*cause);
        *cause = changed;
        return false;
    }
    struct look *look = is_gone && !lost->has_looked ? mem_new(sizeof *look) : NULL;
    lost->has_looked = true;
    if (!look)
        return false;
    inquiry_init(&look->inquiry, download, lost->plan);
    look->lost = lost;
    look->cause = mem_copy(*cause);
    lost->look = look;
    inquiry_ask(&look->inquiry, github_assets_url(&lost->plan->repo, lost->release_id), false,
                page_answered);
    return true;
}

static void stop(ajob_task *download, void *data) {
    struct lost *lost = data;
    (void)download;
    if (lost->look)
        give_up(lost, "stopped");
}

const struct download_watch lost_watch = {.lost = lost, .stop = stop, .free = lost_free};
