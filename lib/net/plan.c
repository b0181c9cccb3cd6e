/* plan.c - what a download brings from where to where. See plan.h. */
#include "net/plan.h"

#include "base/mem.h"
#include "base/text.h"
#include "core/loop.h"
#include "net/host.h"
#include "net/name.h"
#include "net/profile.h"
#include "net/url.h"

static int fail(ajob_loop *loop, const char *what, const char *why) {
    char safe[TEXT_LINE_MAX];
    return loop_fail(loop, AJOB_EINVAL, "%s: %s", ajob_escape(safe, sizeof safe, what), why);
}

/* A URL may have secrets in it even where it is none that can be read. */
static int fail_url(ajob_loop *loop, const char *url, const char *why) {
    char safe[TEXT_LINE_MAX];
    return loop_fail(loop, AJOB_EINVAL, "%s: %s", ajob_show_url(safe, sizeof safe, url), why);
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
    return plan->path ? 0 : loop_fail_memory(loop);
}

static int plan_digest(struct transfer_plan *plan, ajob_loop *loop,
                       const ajob_download_options *options) {
    plan->digests = options->wants_digest ? digest_sha256() : NULL;
    if (!options->digest)
        return 0;
    plan->want = mem_new(sizeof *plan->want);
    if (!plan->want)
        return loop_fail_memory(loop);
    if (!digest_parse(options->digest, plan->want))
        return fail(loop, options->digest,
                    "not a digest: sha256:<64 hex digits> (or sha512, sha1, md5)");
    plan->digests = plan->want->algorithm;
    return 0;
}

/* Who is asked: the URL, how to talk to its server, and which host that is. The token and
 * the headers are for the origin of the first one. */
static int plan_source(struct transfer_plan *plan, ajob_loop *loop, const char *url,
                       struct profile *profile) {
    struct source *source = &plan->sources[plan->source_count];
    char *origin;
    const char *fault = url_parse(url, &origin);
    if (fault)
        return fail_url(loop, url, fault);
    bool is_first = plan->source_count++ == 0;
    source->host = origin ? host_for(loop, origin) : NULL;
    source->url = mem_copy(url);
    mem_free(origin);
    if (!source->host || !source->url)
        return loop_fail_memory(loop);
    if (is_first)
        plan->url = source->url;
    source->profile = url_same_origin(plan->url, url) ? profile : profile->foreign;
    return 0;
}

static int plan_sources(struct transfer_plan *plan, ajob_loop *loop,
                        const ajob_download_options *options) {
    static const char *const none[] = {NULL};
    const char *const *mirrors = options->mirrors ? options->mirrors : none;
    size_t count = 1;
    while (mirrors[count - 1])
        count++;
    const char *fault = url_fault(options->url);
    if (fault)
        return fail_url(loop, options->url, fault);
    struct profile *profile = profile_for(loop, &options->http);
    if (!profile)
        return AJOB_EINVAL;
    plan->sources = mem_new(count * sizeof *plan->sources);
    if (!plan->sources)
        return loop_fail_memory(loop);
    int error = plan_source(plan, loop, options->url, profile);
    for (; *mirrors && !error; mirrors++)
        error = plan_source(plan, loop, *mirrors, profile);
    return error;
}

int plan_make(struct transfer_plan *plan, ajob_loop *loop, const ajob_download_options *options,
              const struct plan_extra *extra) {
    enum { MAX_WAIT_MS = 300000 };
    int error = plan_sources(plan, loop, options);
    if (!error)
        error = plan_file(plan, loop, options, extra->subdir);
    if (!error)
        error = plan_digest(plan, loop, options);
    if (error)
        return error;
    plan->identity = mem_copy(options->identity);
    plan->headers = extra->headers;
    plan->size = options->size;
    plan->size_known = options->size_known;
    plan->segments = options->segments;
    plan->fsync = options->fsync;
    plan->max_wait_ms = options->max_wait_ms ? options->max_wait_ms : MAX_WAIT_MS;
    if (plan->max_wait_ms > UINT32_MAX)
        plan->max_wait_ms = UINT32_MAX;
    return plan->identity || !options->identity ? 0 : loop_fail_memory(loop);
}

void plan_done(struct transfer_plan *plan) {
    for (size_t i = 0; i < plan->source_count; i++)
        mem_free(plan->sources[i].url);
    mem_free(plan->sources);
    mem_free(plan->path);
    mem_free(plan->identity);
    mem_free(plan->want);
}
