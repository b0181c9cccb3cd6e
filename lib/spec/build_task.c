/*
 * build_task.c - one task of a spec becomes one on the loop: its kind, its name, and
 * what all tasks have.
 *
 * A task whose options are late gets stand-ins for them; the real ones come before
 * each attempt, by ajob_on_attempt(). A release cannot be changed: it is made when
 * the group that takes its place starts.
 */
#include "base/mem.h"
#include "core/group.h"
#include "core/join.h"
#include "spec/build.h"
#include "spec/each.h"

/* ---- late options ------------------------------------------------------------------ */

static const char *say(struct builder *builder, const char *cause) {
    text_clear(&builder->cause);
    text_add(&builder->cause, cause);
    return text_string(&builder->cause);
}

static int change(struct values *values, ajob_task *task) {
    ajob_exec_options command;
    ajob_ready_options ready;
    ajob_download_options download;
    switch ((enum spec_kind)values->task->kind) {
    case SPEC_EXEC:
    case SPEC_SH:
        return values_command(values, &command) ? ajob_exec_change(task, &command) : 0;
    case SPEC_SERVICE:
        return values_command(values, &command) && values_ready(values, &ready)
                   ? ajob_service_change(task, &command,
                                         ready.probe == AJOB_READY_AT_START ? NULL : &ready)
                   : 0;
    case SPEC_GET: /* a further attempt goes on where the last one was */
        return task->attempts == 1 && values_get(values, &download)
                   ? ajob_download_change(task, &download)
                   : 0;
    case SPEC_JOIN:
    case SPEC_RELEASE:
    case SPEC_SLEEP:
    case SPEC_GROUP:
    case SPEC_EACH:
        break;
    }
    return 0;
}

static const char *prepare(ajob_task *task, void *data) {
    const struct late *late = data;
    struct builder *builder = late->scope->builder;
    struct values values;
    const char *cause = NULL;
    values_begin(&values, late->scope, late->spec);
    if (change(&values, task))
        cause = say(builder, ajob_error(builder->loop));
    if (values.error.length || values.error.failed)
        cause = say(builder, text_string(&values.error));
    values_done(&values);
    return cause;
}

static struct late *late_new(struct scope *scope, const struct spec_task *spec) {
    struct late *late = mem_new(sizeof *late);
    if (!late) {
        loop_fail_memory(scope->builder->loop);
        return NULL;
    }
    *late = (struct late){scope->lates, scope, spec};
    scope->lates = late;
    return late;
}

static ajob_task *prepare_late(struct scope *scope, const struct spec_task *spec, ajob_task *task) {
    struct late *late = task ? late_new(scope, spec) : NULL;
    return late && !ajob_on_attempt(task, prepare, late) ? task : NULL;
}

/* What stands in the place of late options: never used. What does not depend on them
 * is right. */
static ajob_task *stand_in(struct scope *scope, const struct spec_task *spec) {
    ajob_loop *loop = scope->builder->loop;
    const char *const argv[] = {"true", NULL};
    ajob_exec_options command = {
        .argv = argv,
        .script = spec->kind == SPEC_SH ? *argv : NULL,
        .keeps_stdout = spec->keeps_stdout,
    };
    ajob_ready_options ready = {
        .probe = spec->kind == SPEC_SERVICE ? spec->command->ready : AJOB_READY_AT_START,
        .fd = spec->kind == SPEC_SERVICE ? spec->command->ready_fd : 0,
        .text = "127.0.0.1:1",
        .argv = argv,
    };
    if (ready.probe == AJOB_READY_HTTP)
        ready.text = "http://127.0.0.1:1/";
    if (spec->kind == SPEC_GET)
        return ajob_download(loop, &(ajob_download_options){.url = "http://127.0.0.1:1/late"});
    if (spec->kind == SPEC_SERVICE)
        return ajob_service(loop, &command, ready.probe == AJOB_READY_AT_START ? NULL : &ready);
    return ajob_exec(loop, &command);
}

/* ---- releases ----------------------------------------------------------------------- */

/* A group in the place of a release that is made when the group starts: for its
 * options are late, or it adds releases to the group that it is in. */
struct release_group {
    struct group group;
    struct late *late;
};

static ajob_task *release_with(struct values *values) {
    ajob_release_options options;
    if (!values_release(values, &options))
        return NULL;
    ajob_task *release = ajob_release(values->scope->builder->loop, &options);
    const char *title = options.all ? "all" : options.tag ? options.tag : "latest";
    return release && !ajob_set_title(release, title) ? release : NULL;
}

static ajob_task *next_release(ajob_task *task, void *data) {
    const struct late *late = ((struct release_group *)task)->late;
    struct values values;
    (void)data;
    if (group_of(task)->count)
        return NULL;
    values_begin(&values, late->scope, late->spec);
    ajob_task *release = release_with(&values);
    if (!release) {
        const char *error = text_string(&values.error);
        task_want_stop(task, AJOB_FAILED, *error ? error : ajob_error(task->loop));
        ajob_feed_wait(task); /* until it is told so */
    }
    values_done(&values);
    return release;
}

static void start_release_group(struct ajob_task *task) {
    group_clear(group_of(task)); /* of what another attempt has brought */
    group_start(task);
}

static const struct task_kind release_group_kind = {
    .name = "group",
    .size = sizeof(struct release_group),
    .is_group = true,
    .start = start_release_group,
    .stop = group_stop,
    .free = group_free,
};

static ajob_task *release_group_new(struct scope *scope, const struct spec_task *spec) {
    struct release_group *made = task_new(scope->builder->loop, &release_group_kind);
    struct late *late = made ? late_new(scope, spec) : NULL;
    if (!late || ajob_group_feed(&made->group.task, &(ajob_feed){.next = next_release}))
        return NULL;
    made->late = late;
    made->group.policy = (uint8_t)(spec->more ? spec->more->policy : AJOB_ALL);
    return &made->group.task;
}

/* ---- making --------------------------------------------------------------------------- */

static ajob_task *make_with_values(struct values *values) {
    ajob_loop *loop = values->scope->builder->loop;
    ajob_exec_options command;
    ajob_ready_options ready;
    ajob_download_options download;
    ajob_release_options release;
    switch ((enum spec_kind)values->task->kind) {
    case SPEC_EXEC:
    case SPEC_SH:
        return values_command(values, &command) ? ajob_exec(loop, &command) : NULL;
    case SPEC_SERVICE:
        if (!values_command(values, &command) || !values_ready(values, &ready))
            return NULL;
        return ajob_service(loop, &command, ready.probe == AJOB_READY_AT_START ? NULL : &ready);
    case SPEC_GET:
        return values_get(values, &download) ? ajob_download(loop, &download) : NULL;
    case SPEC_RELEASE:
        return values_release(values, &release) ? ajob_release(loop, &release) : NULL;
    case SPEC_JOIN:
    case SPEC_SLEEP:
    case SPEC_GROUP:
    case SPEC_EACH:
        break;
    }
    return NULL;
}

bool build_rehearse(struct values *values) {
    ajob_exec_options command;
    ajob_ready_options ready;
    ajob_download_options download;
    ajob_release_options release;
    values->is_rehearsal = true;
    switch ((enum spec_kind)values->task->kind) {
    case SPEC_EXEC:
    case SPEC_SH:
    case SPEC_SERVICE:
        return values_command(values, &command) && values_ready(values, &ready);
    case SPEC_GET:
        return values_get(values, &download);
    case SPEC_RELEASE:
        return values_release(values, &release);
    case SPEC_EACH:
        for (uint32_t i = 0; i < values->task->each->items.count; i++)
            if (!values_item(values, i))
                return false;
        return true;
    case SPEC_JOIN:
    case SPEC_SLEEP:
    case SPEC_GROUP:
        break;
    }
    return true;
}

/* It is known what it is when it is made: not if something is late, nor of a release
 * which releases it adds. */
static bool is_known(const struct spec_task *spec) {
    bool is_one = spec->kind != SPEC_RELEASE || (spec->release->tag.text && !spec->release->all);
    return is_one && !values_are_late(spec);
}

/* A command, a transfer. */
static ajob_task *make_work(struct scope *scope, const struct spec_task *spec) {
    struct values values;
    ajob_task *task = NULL;
    values_begin(&values, scope, spec);
    if (is_known(spec))
        task = make_with_values(&values);
    else if (!build_rehearse(&values))
        task = NULL;
    else if (spec->kind == SPEC_RELEASE)
        task = release_group_new(scope, spec);
    else
        task = prepare_late(scope, spec, stand_in(scope, spec));
    if (!task && (values.error.length || values.error.failed))
        loop_fail(scope->builder->loop, AJOB_EINVAL, "%s", text_string(&values.error));
    values_done(&values);
    return task;
}

static ajob_task *make(struct scope *scope, const struct spec_task *spec) {
    ajob_loop *loop = scope->builder->loop;
    switch ((enum spec_kind)spec->kind) {
    case SPEC_JOIN:
        return join_new(loop);
    case SPEC_SLEEP:
        return ajob_sleep(loop, spec->sleep_ms);
    case SPEC_GROUP:
        return ajob_group(loop, &(ajob_group_options){
                                    .policy = spec->more ? spec->more->policy : AJOB_ALL,
                                    .limit = spec->more ? spec->more->limit : 0,
                                });
    case SPEC_EACH:
        return each_new(scope, spec);
    case SPEC_EXEC:
    case SPEC_SH:
    case SPEC_GET:
    case SPEC_RELEASE:
    case SPEC_SERVICE:
        return make_work(scope, spec);
    }
    return NULL;
}

/* ---- what all tasks have ----------------------------------------------------------------- */

static ajob_pool *pool_of(const struct builder *builder, const struct spec_pool *pool) {
    for (uint32_t i = 0; i < builder->spec->pool_count; i++)
        if (builder->spec->pools[i] == pool)
            return builder->pools[i];
    return NULL;
}

static int set_pools(const struct builder *builder, const struct spec_more *more, ajob_task *task) {
    for (uint32_t i = 0; i < more->pool_count; i++) {
        int error =
            ajob_set_pool(task, pool_of(builder, more->pools[i].pool), more->pools[i].count);
        if (error)
            return error;
    }
    return 0;
}

/* Whether -r is meant for it. What is read while it runs cannot begin again. */
static bool is_retried(const struct builder *builder, const struct spec_task *spec) {
    bool is_work = spec->kind == SPEC_EXEC || spec->kind == SPEC_SH || spec->kind == SPEC_GET ||
                   spec->kind == SPEC_SERVICE;
    if (!builder->options.has_retry || !is_work)
        return false;
    return spec->kind == SPEC_GET || !builder->is_streamed[spec->number];
}

static int set_options(const struct builder *builder, const struct spec_task *spec,
                       ajob_task *task) {
    static const struct spec_more nothing;
    const struct spec_more *more = spec->more ? spec->more : &nothing;
    int error = spec->name ? ajob_set_name(task, spec->name) : 0;
    if (!error && more->has_timeout)
        error = ajob_set_timeout(task, more->timeout_ms);
    if (!error && more->has_attempt_timeout)
        error = ajob_set_attempt_timeout(task, more->attempt_timeout_ms);
    if (!error && more->has_retry && spec->kind != SPEC_RELEASE)
        error = ajob_set_retry(task, &more->retry);
    else if (!error && is_retried(builder, spec))
        error = ajob_set_retry(task, &builder->options.retry);
    if (!error)
        error = set_pools(builder, more, task);
    if (!error && more->is_shielded)
        error = ajob_set_shield(task, true);
    if (!error && more->when != AJOB_WHEN_NEEDS_SUCCEEDED)
        error = ajob_set_when(task, more->when);
    if (!error && more->allow_failure)
        error = ajob_set_allow_failure(task, true);
    return error;
}

ajob_task *build_task(struct scope *scope, const struct spec_task *spec) {
    struct builder *builder = scope->builder;
    ajob_task *task = make(scope, spec);
    if (task && !set_options(builder, spec, task))
        return task;
    char *error = mem_copy(ajob_error(builder->loop));
    if (task)
        task_forget(task);
    build_fail(builder, spec, error ? error : "out of memory");
    mem_free(error);
    return NULL;
}
