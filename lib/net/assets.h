/*
 * assets.h - which assets of a release are wanted, and their downloads.
 */
#ifndef AJOB_NET_ASSETS_H
#define AJOB_NET_ASSETS_H

#include "ajob.h"
#include "net/cache.h"
#include "net/github.h"
#include "net/profile.h"
#include "net/url.h"

/* What one ajob_release() asks for, shared by the tasks it leads to. */
struct release_plan {
    unsigned references;
    struct github_repo repo;
    struct profile *profile; /* of the API */
    struct profile *assets_profile;
    ajob_http_options http; /* for the downloads; its strings are copies */
    char *token, *cacert;
    char *token_hint;        /* or NULL; as in ajob_release_options */
    ajob_lock *lock;         /* where what is chosen is added; or NULL */
    const ajob_lock *locked; /* what is chosen, instead of asking; or NULL */
    struct cache *cache;     /* of the API's answers, or NULL */
    char *dir;
    char **include, **exclude; /* NULL-terminated, or NULL */
    ajob_retry retry;
    uint64_t max_wait_ms;
    unsigned segments; /* as in ajob_download_options, the next too */
    bool syncs;
    enum ajob_policy policy;
    bool lists_all, is_flat, has_token, list_only;
    bool takes_prerelease; /* without tag: the newest release of any kind */
    bool requires_digest;
    void (*asset)(const ajob_asset *asset, void *data);
    void *data;
};

/* NULL with ajob_error() set. */
struct release_plan *release_plan_new(ajob_loop *loop, const ajob_release_options *options);
struct release_plan *release_plan_ref(struct release_plan *plan);
void release_plan_unref(struct release_plan *plan);

/* How many assets are chosen; marks them in chosen (as many as the release has)
 * unless that is NULL. 0: error says why, with the names there are. */
size_t assets_choose(const struct release_plan *plan, const struct github_release *release,
                     bool *chosen, struct text *error);

/* The next file of checksums to read, at *index or after it, or NULL: lists first,
 * then those of single assets; only while an asset that is chosen has no digest.
 * *index begins at 0 and is moved behind it. */
const struct github_asset *assets_next_checksums(const struct release_plan *plan,
                                                 const struct github_release *release,
                                                 size_t *index);

/* Gives the assets that have no digest the one that this file has for them. */
bool assets_apply_checksums(struct github_release *release, const struct github_asset *file,
                            const char *text, size_t length);

/* Where an asset is downloaded from; on the heap or NULL. */
char *assets_url(const struct release_plan *plan, const struct github_asset *asset);

/* The download, whose attempt goes on (download.h), begins anew with this asset. False: it
 * cannot. */
bool assets_again(const struct release_plan *plan, ajob_task *download,
                  const struct github_asset *asset, const char *subdir);

/* Tells of each chosen asset and, unless it is only a list, adds its download to
 * the group. False with one line in error. */
bool assets_add(const struct release_plan *plan, const struct github_release *release,
                ajob_task *group, struct text *error);

#endif
