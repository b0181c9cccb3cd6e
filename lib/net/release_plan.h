/*
 * release_plan.h - what one ajob_release() asks for, shared by the tasks it leads to: its
 * options, checked.
 */
#ifndef AJOB_NET_RELEASE_PLAN_H
#define AJOB_NET_RELEASE_PLAN_H

#include "ajob.h"
#include "net/cache.h"
#include "net/github.h"
#include "net/profile.h"

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
    /* What a server may still make the tasks of it keep and read, together: */
    size_t assets_left;
    uint64_t answers_left; /* bytes */
    void (*asset)(const ajob_asset *asset, void *data);
    void *data;
};

/* NULL with ajob_error() set. */
struct release_plan *release_plan_new(ajob_loop *loop, const ajob_release_options *options);
struct release_plan *release_plan_ref(struct release_plan *plan);
void release_plan_unref(struct release_plan *plan);

/* So many more assets are kept. False, with one line in error: that is too many. */
bool release_plan_count(struct release_plan *plan, size_t assets, struct text *error);

#endif
