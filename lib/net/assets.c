/* assets.c - which assets of a release are wanted, and their downloads. See assets.h. */
#include "net/assets.h"

#include <fnmatch.h>

#include "base/mem.h"
#include "core/loop.h"
#include "core/task.h"
#include "net/checksums.h"
#include "net/digest.h"
#include "net/download.h"
#include "net/lock.h"
#include "net/lost.h"
#include "net/name.h"
#include "net/part.h"
#include "net/refusal.h"
#include "net/taken.h"
#include "net/url.h"

/* ---- choosing ------------------------------------------------------------- */

static bool matches_any(char **globs, const char *name) {
    for (char **glob = globs; glob && *glob; glob++)
        if (fnmatch(*glob, name, 0) == 0)
            return true;
    return false;
}

static bool is_chosen(const struct release_plan *plan, const struct github_asset *asset) {
    return (!plan->include || matches_any(plan->include, asset->name)) &&
           !matches_any(plan->exclude, asset->name);
}

static void list_names(const struct github_release *release, struct text *error) {
    enum { SHOWN_MAX = 20 };
    for (size_t i = 0; i < release->asset_count && i < SHOWN_MAX; i++) {
        char safe[300];
        text_format(error, "%s%s", i ? ", " : "",
                    ajob_escape(safe, sizeof safe, release->assets[i].name));
    }
    if (release->asset_count > SHOWN_MAX)
        text_format(error, " and %zu more", release->asset_count - SHOWN_MAX);
}

size_t assets_choose(const struct release_plan *plan, const struct github_release *release,
                     bool *chosen, struct text *error) {
    size_t count = 0;
    for (size_t i = 0; i < release->asset_count; i++) {
        bool is_wanted = is_chosen(plan, &release->assets[i]);
        count += is_wanted;
        if (chosen)
            chosen[i] = is_wanted;
    }
    if (!count && !release->asset_count) {
        text_add(error, "the release has no assets");
    } else if (!count) {
        text_add(error, "no asset matches; there are: ");
        list_names(release, error);
    }
    return count;
}

/* ---- checksums ------------------------------------------------------------ */

/* Whether the file has something to say that is not known. */
static bool is_wanted(const struct release_plan *plan, const struct github_release *release,
                      const struct github_asset *file, bool is_list) {
    for (size_t i = 0; i < release->asset_count; i++) {
        const struct github_asset *asset = &release->assets[i];
        bool lacks_digest = asset != file && !asset->digest && is_chosen(plan, asset);
        if (lacks_digest && (is_list || checksums_is_for(file->name, asset->name)))
            return true;
    }
    return false;
}

const struct github_asset *assets_next_checksums(const struct release_plan *plan,
                                                 const struct github_release *release,
                                                 size_t *index) {
    enum { FILE_MAX = 4 << 20 };
    for (; *index < 2 * release->asset_count; (*index)++) {
        bool is_list = *index < release->asset_count;
        const struct github_asset *file = &release->assets[*index % release->asset_count];
        bool is_readable = file->size <= FILE_MAX && !strcmp(file->state, "uploaded");
        if (is_readable && checksums_is_list(file->name) == is_list &&
            is_wanted(plan, release, file, is_list))
            return &release->assets[(*index)++ % release->asset_count];
    }
    return NULL;
}

bool assets_apply_checksums(struct github_release *release, const struct github_asset *file,
                            const char *text, size_t length) {
    struct checksums checksums = {0};
    bool is_list = checksums_is_list(file->name);
    bool is_ok = checksums_read(&checksums, text, length);
    for (size_t i = 0; i < release->asset_count && is_ok; i++) {
        struct github_asset *asset = &release->assets[i];
        bool is_for_name = checksums_is_for(file->name, asset->name);
        if (asset == file || asset->digest || (!is_for_name && !is_list))
            continue;
        const char *digest = checksums_find(&checksums, asset->name, is_for_name);
        asset->digest = mem_copy(digest);
        is_ok = asset->digest || !digest;
    }
    checksums_done(&checksums);
    return is_ok;
}

/* ---- adding --------------------------------------------------------------- */

/* Why the asset cannot be downloaded, on the heap; NULL: it can. False: no memory to
 * say so. */
static bool find_fault(const struct release_plan *plan, const struct github_asset *asset,
                       char **ret_fault) {
    struct digest_want want;
    char safe[300];
    *ret_fault = NULL;
    if (strcmp(asset->state, "uploaded") != 0)
        *ret_fault = text_new("its upload is not complete: the API says state \"%s\"",
                              ajob_escape(safe, sizeof safe, asset->state));
    else if (asset->digest && !digest_parse(asset->digest, &want))
        *ret_fault = text_new("its digest is of a kind that cannot be verified: %s",
                              ajob_escape(safe, sizeof safe, asset->digest));
    else if (plan->requires_digest && !asset->digest)
        *ret_fault = text_new("it has no digest, from the API or in a file of checksums: refused");
    else
        return true;
    return *ret_fault != NULL;
}

/* With a token through the API, which alone serves private assets; without one
 * by the browser's URL, which counts against no rate limit. */
char *assets_url(const struct release_plan *plan, const struct github_asset *asset) {
    bool is_public = !plan->has_token && asset->url && !url_fault(asset->url) &&
                     (url_is_https(asset->url) || !url_is_https(plan->repo.api));
    return is_public ? mem_copy(asset->url) : github_asset_url(&plan->repo, asset->id);
}

/* What to download, with strings of its own. */
struct order {
    ajob_download_options options;
    char *url, *identity;
};

static void order_done(struct order *order) {
    mem_free(order->url);
    mem_free(order->identity);
}

static bool make_order(const struct release_plan *plan, const struct github_asset *asset,
                       struct order *order) {
    order->url = assets_url(plan, asset);
    order->identity =
        text_make("%s/%s/%s:%llu:%llu:%s", plan->repo.api, plan->repo.owner, plan->repo.name,
                  (unsigned long long)asset->id, (unsigned long long)asset->size,
                  asset->digest ? asset->digest : "");
    order->options = (ajob_download_options){
        .url = order->url,
        .dir = plan->dir,
        .name = asset->name,
        .digest = asset->digest,
        .size = asset->size,
        .size_known = true,
        .identity = order->identity,
        .max_wait_ms = plan->max_wait_ms,
        .segments = plan->segments,
        .fsync = plan->syncs,
        .wants_digest = plan->lock && !asset->digest,
        .http = plan->http,
    };
    return order->url && order->identity;
}

static const char *const download_headers[] = {"Accept: application/octet-stream", NULL};

static ajob_task *new_download(const struct release_plan *plan, const struct lost_where *where,
                               const struct github_asset *asset, ajob_loop *loop) {
    struct order order;
    struct download_extra extra = {
        .plan = {.subdir = where->subdir, .headers = download_headers},
        .is_release = true,
        .watch = &lost_watch,
        .watch_data = lost_new(where, asset),
    };
    ajob_task *task = NULL;
    if (!extra.watch_data)
        loop_fail_memory(loop);
    else if (make_order(plan, asset, &order))
        task = download_new(loop, &order.options, &extra);
    else
        lost_watch.free(extra.watch_data);
    if (task && ajob_set_retry(task, &plan->retry))
        task = NULL;
    if (extra.watch_data)
        order_done(&order);
    return task;
}

bool assets_again(const struct release_plan *plan, ajob_task *download,
                  const struct github_asset *asset, const char *subdir) {
    struct plan_extra extra = {.subdir = subdir, .headers = download_headers};
    struct order order;
    char *fault = NULL;
    bool is_fine = find_fault(plan, asset, &fault) && !fault && make_order(plan, asset, &order);
    bool is_begun = is_fine && download_again(download, &order.options, &extra);
    mem_free(fault);
    if (is_fine)
        order_done(&order);
    return is_begun;
}

static void tell(const struct release_plan *plan, const struct github_release *release,
                 const struct github_asset *asset, const char *path) {
    if (!plan->asset)
        return;
    ajob_asset told = {
        .tag = release->tag,
        .name = asset->name,
        .digest = asset->digest,
        .state = asset->state,
        .url = asset->url,
        .path = path,
        .id = asset->id,
        .size = asset->size,
    };
    plan->asset(&told, plan->data);
}

/* Takes one of the names that a download needs; a fault (on the heap) if another asset has it. */
static bool take_name(ajob_loop *loop, const char *path, const char *ending, uint64_t id,
                      char **ret_fault) {
    char safe[300];
    bool is_ours = true;
    char *name = text_make("%s%s", path, ending);
    bool is_ok = name && taken_add(loop, name, id, &is_ours);
    if (is_ok && !is_ours)
        *ret_fault = text_new("another asset would be written to %s too",
                              ajob_escape(safe, sizeof safe, strrchr(name, '/') + 1));
    mem_free(name);
    return is_ok && (is_ours || *ret_fault);
}

/* The path and the names that its part needs. */
static bool take(ajob_loop *loop, const char *path, uint64_t id, char **ret_fault) {
    bool is_ok = take_name(loop, path, "", id, ret_fault);
    for (size_t i = 0; part_endings[i] && is_ok && !*ret_fault; i++)
        is_ok = take_name(loop, path, part_endings[i], id, ret_fault);
    return is_ok;
}

/* Notes the asset in the lock, with how its download (NULL: there is none) ends. */
static bool lock_it(const struct release_plan *plan, const struct github_release *release,
                    const struct github_asset *asset, ajob_task *download) {
    struct lock_entry *entry = lock_add(plan->lock, &plan->repo, release->tag, asset);
    if (entry && download)
        lock_watch(entry, download);
    return entry != NULL;
}

static bool add_one(const struct release_plan *plan, const struct github_release *release,
                    const struct github_asset *asset, ajob_task *group, const char *subdir) {
    ajob_loop *loop = group->loop;
    char *name = name_neutral(asset->name), *path = NULL, *fault = NULL;
    if (name)
        path = text_make("%s/%s%s%s", plan->dir, subdir ? subdir : "", subdir ? "/" : "", name);
    bool is_ok =
        path && find_fault(plan, asset, &fault) && (fault || take(loop, path, asset->id, &fault));
    if (is_ok && !fault)
        tell(plan, release, asset, path);
    if (is_ok && (fault || !plan->list_only)) {
        struct lost_where where = {plan, release->tag, subdir, release->id};
        ajob_task *task =
            fault ? refusal_new(loop, fault) : new_download(plan, &where, asset, loop);
        is_ok = task && !ajob_set_title(task, asset->name) && !ajob_group_add(group, task) &&
                (!plan->lock || lock_it(plan, release, asset, fault ? NULL : task));
    }
    mem_free(name);
    mem_free(path);
    mem_free(fault);
    return is_ok;
}

bool assets_add(const struct release_plan *plan, const struct github_release *release,
                ajob_task *group, struct text *error) {
    char *subdir = plan->is_flat ? NULL : name_neutral(release->tag);
    bool *chosen = mem_new(release->asset_count * sizeof *chosen + 1);
    bool is_ok = chosen && (plan->is_flat || subdir);
    if (is_ok)
        assets_choose(plan, release, chosen, error);
    for (size_t i = 0; is_ok && i < release->asset_count; i++)
        if (chosen[i])
            is_ok = add_one(plan, release, &release->assets[i], group, subdir);
    if (!is_ok)
        text_add(error, "out of memory");
    mem_free(chosen);
    mem_free(subdir);
    return is_ok;
}
