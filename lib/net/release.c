/*
 * release.c - the task kind "release": it asks the API what it consists of, then
 * becomes a group of downloads.
 *
 * On the way it reads the files of checksums that are needed. Which assets are
 * chosen is in assets.c, which releases there are in listing.c.
 */
#include "net/release.h"

#include "base/mem.h"
#include "core/group.h"
#include "core/loop.h"
#include "net/assets.h"
#include "net/inquiry.h"
#include "net/lock.h"

enum {
    LOOKED_THROUGH = 100, /* releases, for a tag that has none */
    SUMS_FILES_MAX = 500  /* GitHub has 1,000 assets in a release at most */
};

struct release {
    struct group group;
    struct inquiry inquiry;
    char *tag;
    struct github_release info; /* what the API said */
    bool has_begun;             /* it is a group of downloads now */
    bool is_lenient;            /* one of several releases: nothing to choose in it is no failure */
    size_t counted;             /* assets of it that the plan has counted */
    size_t checksums;           /* how far we are in the search for files of them */
    size_t sums_files;          /* that were read */
    const struct github_asset *sums_file; /* that is being read, in info */
};

static struct release *release_of(struct ajob_task *task) {
    return (struct release *)task;
}

static void begin_downloads(struct release *release) {
    struct text error = TEXT_INIT(4 * TEXT_LINE_MAX);
    struct ajob_task *task = &release->group.task;
    query_cancel(&release->inquiry.query);
    size_t chosen = assets_choose(release->inquiry.plan, &release->info, NULL, &error);
    bool is_ok = chosen ? assets_add(release->inquiry.plan, &release->info, task, &error)
                        : release->is_lenient;
    github_release_done(&release->info);
    release->has_begun = is_ok;
    if (is_ok)
        group_start(task);
    else
        inquiry_fail(&release->inquiry, NULL, text_string(&error));
    text_done(&error);
}

static void read_checksums(struct release *release);

static void checksums_answered(struct query *query, const struct query_result *result) {
    struct release *release = query->owner;
    const struct github_asset *file = release->sums_file;
    if (!result->text) { /* to go on would be to trust what may not be right */
        char safe[300];
        char *cause = text_new("%s: %s", ajob_escape(safe, sizeof safe, file->name), result->cause);
        inquiry_fail(&release->inquiry, result, cause ? cause : "out of memory");
        mem_free(cause);
    } else if (!assets_apply_checksums(&release->info, file, result->text, result->length)) {
        inquiry_fail(&release->inquiry, NULL, "out of memory");
    } else {
        read_checksums(release);
    }
}

/* Reads the files of checksums that are needed, one after the other. */
static void read_checksums(struct release *release) {
    const struct release_plan *plan = release->inquiry.plan;
    bool is_needless = plan->list_only && !plan->requires_digest;
    release->sums_file =
        is_needless ? NULL : assets_next_checksums(plan, &release->info, &release->checksums);
    if (!release->sums_file) {
        begin_downloads(release);
        return;
    }
    if (++release->sums_files > SUMS_FILES_MAX) {
        inquiry_fail(&release->inquiry, NULL, "more than 500 files of checksums: refused");
        return;
    }
    inquiry_ask(&release->inquiry, assets_url(plan, release->sums_file), true, checksums_answered);
}

/* Whether the plan takes all that are known by now. */
static bool count_assets(struct release *release, struct text *error) {
    size_t known = release->info.asset_count, counted = release->counted;
    release->counted = known > counted ? known : counted;
    return release_plan_count(release->inquiry.plan, release->counted - counted, error);
}

static void assets_are_known(struct release *release) {
    struct text error = TEXT_INIT(TEXT_LINE_MAX);
    release->checksums = release->sums_files = 0;
    if (count_assets(release, &error))
        read_checksums(release);
    else
        inquiry_fail(&release->inquiry, NULL, text_string(&error));
    text_done(&error);
}

static void assets_answered(struct query *query, const struct query_result *result) {
    struct release *release = query->owner;
    struct text error = TEXT_INIT(TEXT_LINE_MAX);
    if (!result->json) {
        inquiry_fail_for(&release->inquiry, result);
    } else if (!github_read_assets(result->json, &release->info, &error) ||
               !count_assets(release, &error)) {
        inquiry_fail(&release->inquiry, NULL, text_string(&error));
    } else if (result->next_link) {
        inquiry_ask_next(&release->inquiry, result, assets_answered);
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
    inquiry_ask(&release->inquiry,
                github_assets_url(&release->inquiry.plan->repo, release->info.id), false,
                assets_answered);
}

/* v1.2.3 for 1.2.3, else what is spelled almost alike. */
static const char *nearest_tag(const char *tag, const char *const *tags, size_t count) {
    enum { SHORTEST = 4 }; /* of v1 and v2 none is meant for v9 */
    const char *bare = *tag == 'v' ? tag + 1 : tag;
    size_t length = strlen(bare);
    for (size_t i = 0; length && i < count; i++) {
        size_t other = strlen(tags[i]);
        const char *end = other >= length ? tags[i] + other - length : NULL;
        bool is_end = end && !strcmp(end, bare) && (end == tags[i] || strchr("v-_/@", end[-1]));
        if (is_end)
            return tags[i];
    }
    return strlen(tag) < SHORTEST ? NULL : ajob_nearest(tag, tags, count);
}

/* There is no release with this tag in a repository that can be seen: fails with what
 * may be meant. */
static void suggest_tag(struct release *release, const cJSON *list) {
    enum { TAGS_MAX = 100, SHOWN_MAX = 5 };
    const char *tags[TAGS_MAX], *nearest;
    size_t count = 0;
    struct text hint = TEXT_INIT(TEXT_LINE_MAX);
    char safe[200];
    const cJSON *item;
    cJSON_ArrayForEach(item, list) {
        const char *tag = github_tag(item);
        if (tag && !github_is_draft(item) && count < TAGS_MAX)
            tags[count++] = tag;
    }
    nearest = nearest_tag(release->tag, tags, count);
    text_add(&hint, "not found");
    if (nearest)
        text_format(&hint, "; did you mean %s?", ajob_escape(safe, sizeof safe, nearest));
    for (size_t i = 0; !nearest && i < count && i < SHOWN_MAX; i++)
        text_format(&hint, "%s%s", i ? ", " : "; there are ",
                    ajob_escape(safe, sizeof safe, tags[i]));
    if (!nearest && count > SHOWN_MAX)
        text_add(&hint, " and others");
    if (!count)
        text_add(&hint, "; the repository has no release");
    inquiry_fail_for(&release->inquiry, &(struct query_result){.cause = text_string(&hint)});
    text_done(&hint);
}

/* The newest releases: drafts have a tag only there. */
static void list_answered(struct query *query, const struct query_result *result) {
    struct release *release = query->owner;
    struct text error = TEXT_INIT(TEXT_LINE_MAX);
    const cJSON *item = result->json ? result->json->child : NULL;
    const char *tag = NULL;
    for (; item; item = item->next) {
        tag = github_tag(item);
        if (tag && !strcmp(tag, release->tag))
            break;
    }
    if (!cJSON_IsArray(result->json)) /* nothing more is known than before */
        inquiry_fail_for(&release->inquiry, &(struct query_result){.status = 404});
    else if (!item)
        suggest_tag(release, result->json);
    else if (!github_read_release(item, &release->info, &error))
        inquiry_fail(&release->inquiry, NULL, text_string(&error));
    else
        complete_assets(release);
    text_done(&error);
}

static void release_answered(struct query *query, const struct query_result *result) {
    struct release *release = query->owner;
    struct text error = TEXT_INIT(TEXT_LINE_MAX);
    github_release_done(&release->info);
    if (result->status == 404)
        inquiry_ask(&release->inquiry,
                    github_releases_url(&release->inquiry.plan->repo, LOOKED_THROUGH), false,
                    list_answered);
    else if (!result->json)
        inquiry_fail_for(&release->inquiry, result);
    else if (!github_read_release(result->json, &release->info, &error))
        inquiry_fail(&release->inquiry, NULL, text_string(&error));
    else
        complete_assets(release);
    text_done(&error);
}

/* The lock says all that the API would. */
static void begin_locked(struct release *release) {
    const struct release_plan *plan = release->inquiry.plan;
    if (release->info.tag || lock_release(plan->locked, &plan->repo, release->tag, &release->info))
        begin_downloads(release);
    else
        inquiry_fail(&release->inquiry, NULL, "out of memory");
}

static void release_start(struct ajob_task *task) {
    struct release *release = release_of(task);
    if (release->has_begun) /* in another attempt of a group around it */
        group_clear(&release->group);
    release->has_begun = false;
    release->inquiry.pages = 0;
    if (release->inquiry.plan->locked)
        begin_locked(release);
    else if (release->info.tag)
        complete_assets(release);
    else
        inquiry_ask(&release->inquiry,
                    github_release_url(&release->inquiry.plan->repo, release->tag), false,
                    release_answered);
}

static void release_stop(struct ajob_task *task, enum stop_how how) {
    struct release *release = release_of(task);
    if (release->has_begun)
        group_stop(task, how);
    else
        inquiry_fail(&release->inquiry, NULL, "stopped");
}

static bool release_is_counted(const struct ajob_task *task) {
    bool has_ended_badly = task->status != AJOB_UNDECIDED && task->status != AJOB_SUCCEEDED;
    return has_ended_badly && !group_of(task)->count;
}

static void release_free(struct ajob_task *task) {
    struct release *release = release_of(task);
    inquiry_done(&release->inquiry);
    github_release_done(&release->info);
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

ajob_task *release_new(ajob_loop *loop, struct release_plan *plan, const char *tag,
                       struct github_release *info) {
    struct release *release = task_new(loop, &release_kind);
    if (!release)
        return NULL;
    struct ajob_task *task = &release->group.task;
    inquiry_init(&release->inquiry, task, plan);
    release->group.policy = (uint8_t)plan->policy;
    release->is_lenient = info != NULL && (plan->lists_all || plan->locked);
    release->inquiry.tag = release->tag = mem_copy(tag);
    if (!release->tag) {
        loop_fail_memory(loop);
        return NULL;
    }
    if (ajob_set_retry(task, &plan->retry))
        return NULL;
    if (info) {
        release->info = *info;
        release->counted = info->asset_count;
        *info = (struct github_release){0};
    }
    return task;
}
