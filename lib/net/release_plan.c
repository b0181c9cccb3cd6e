/* release_plan.c - what an ajob_release() asks for. See release_plan.h. */
#include "net/release_plan.h"

#include "base/mem.h"
#include "core/loop.h"
#include "net/lock.h"

enum { ASSETS_MAX = 100000, ANSWERS_MAX = 256 << 20 };

static char **free_list(char **list) {
    for (char **item = list; item && *item; item++)
        mem_free(*item);
    return mem_free(list);
}

/* A copy of a NULL-terminated list; NULL for an empty one, too. */
static bool copy_list(const char *const *list, char ***ret_copy) {
    size_t count = 0;
    while (list && list[count])
        count++;
    *ret_copy = NULL;
    if (!count)
        return true;
    char **copy = mem_new((count + 1) * sizeof *copy);
    for (size_t i = 0; copy && i < count; i++)
        if (!(copy[i] = mem_copy(list[i])))
            copy = free_list(copy);
    *ret_copy = copy;
    return copy != NULL;
}

struct release_plan *release_plan_ref(struct release_plan *plan) {
    plan->references++;
    return plan;
}

void release_plan_unref(struct release_plan *plan) {
    if (!plan || --plan->references)
        return;
    github_repo_done(&plan->repo);
    mem_free(plan->token);
    mem_free(plan->cacert);
    mem_free(plan->token_hint);
    mem_free(plan->dir);
    cache_free(plan->cache);
    free_list(plan->include);
    free_list(plan->exclude);
    mem_free(plan);
}

bool release_plan_count(struct release_plan *plan, size_t assets, struct text *error) {
    bool is_fine = assets <= plan->assets_left;
    if (is_fine)
        plan->assets_left -= assets;
    else
        text_format(error, "more than %d assets in all: refused", ASSETS_MAX);
    return is_fine;
}

static bool copy_options(struct release_plan *plan, const ajob_release_options *options) {
    enum { RETRIES = 4, MAX_WAIT_MS = 60000 };
    plan->http = options->http;
    plan->http.headers = NULL; /* the API's; a release's downloads have none of the user's */
    plan->http.token = plan->token = mem_copy(options->http.token);
    plan->http.cacert = plan->cacert = mem_copy(options->http.cacert);
    plan->lock = options->lock;
    plan->locked = options->locked;
    plan->cache = options->cache_dir ? cache_new(options->cache_dir) : NULL;
    plan->token_hint = mem_copy(options->token_hint);
    plan->dir = mem_copy(options->dir ? options->dir : ".");
    plan->retry = options->retry;
    if (!plan->retry.max)
        plan->retry.max = options->no_retry ? 0 : RETRIES;
    plan->max_wait_ms = options->max_wait_ms ? options->max_wait_ms : MAX_WAIT_MS;
    if (plan->max_wait_ms > UINT32_MAX)
        plan->max_wait_ms = UINT32_MAX;
    plan->policy = options->policy;
    plan->lists_all = options->all;
    plan->is_flat = options->flat;
    plan->has_token = options->http.token != NULL;
    plan->list_only = options->list_only;
    plan->takes_prerelease = options->prerelease;
    plan->requires_digest = options->require_digest;
    plan->segments = options->segments;
    plan->syncs = options->fsync;
    plan->asset = options->asset;
    plan->data = options->data;
    return plan->dir && (plan->cache || !options->cache_dir) &&
           (plan->token_hint || !options->token_hint) && (plan->token || !options->http.token) &&
           (plan->cacert || !options->http.cacert) && copy_list(options->include, &plan->include) &&
           copy_list(options->exclude, &plan->exclude);
}

/* Those who look into the lock later need it in order. */
static bool has_in_lock(const struct release_plan *plan, const char *tag, struct text *error) {
    lock_sort((ajob_lock *)plan->locked);
    return lock_has(plan->locked, &plan->repo, tag, error);
}

struct release_plan *release_plan_new(ajob_loop *loop, const ajob_release_options *options) {
    struct text error = TEXT_INIT(2 * TEXT_LINE_MAX);
    struct release_plan *plan = mem_new(sizeof *plan);
    if (!plan) {
        loop_fail_memory(loop);
        return NULL;
    }
    plan->references = 1;
    plan->assets_left = ASSETS_MAX;
    plan->answers_left = ANSWERS_MAX;
    if (!github_parse_repo(options->repository, options->api_url, &plan->repo, &error))
        loop_fail(loop, AJOB_EINVAL, "%s", text_string(&error));
    else if (!copy_options(plan, options))
        loop_fail_memory(loop);
    else if (options->locked && !has_in_lock(plan, options->tag, &error))
        loop_fail(loop, AJOB_EINVAL, "%s", text_string(&error));
    else
        plan->profile = profile_for(loop, &options->http);
    if (plan->profile && !(plan->assets_profile = profile_for(loop, &plan->http)))
        plan->profile = NULL;
    text_done(&error);
    if (plan->profile)
        return plan;
    release_plan_unref(plan);
    return NULL;
}
