/*
 * task_options.c - what people set on a task before it starts, and look up.
 *
 * The public functions of ajob.h's "tasks", and what the core asks of one; none
 * of them moves a task.
 */
#include "base/mem.h"
#include "core/event.h"
#include "core/group.h"
#include "core/loop.h"
#include "core/pool.h"

/* Options may be set only before the start. */
static int check_settable(const struct ajob_task *task, const char *what) {
    if (task->state == AJOB_PENDING && !(task->in_run && task->attempts))
        return 0;
    return loop_fail(task->loop, AJOB_EINVAL, "%s: the task has started", what);
}

static struct task_options *options_of(struct ajob_task *task) {
    if (!task->options && !(task->options = mem_new(sizeof *task->options)))
        loop_fail_memory(task->loop);
    return task->options;
}

static int set_name(struct ajob_task *task, const char *name, bool is_title) {
    char *copy = mem_copy(name);
    if (!copy)
        return loop_fail_memory(task->loop);
    mem_free(task->name);
    task->name = copy;
    task->has_title = is_title;
    return 0;
}

int ajob_set_name(ajob_task *task, const char *name) {
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
    bool is_valid = *name && *name != '-' && *name != '.' && !name[strspn(name, letters)];
    if (!is_valid)
        return loop_fail(task->loop, AJOB_EINVAL,
                         "not a task name: letters, digits, '_', '-' and '.' make one, "
                         "and it begins with a letter, digit or '_'");
    return set_name(task, name, false);
}

int ajob_set_title(ajob_task *task, const char *title) {
    return set_name(task, title, true);
}

static int add_need(ajob_task *task, ajob_task *need, bool is_start) {
    if (task->state != AJOB_PENDING || task->in_run) /* the run's cycles have been looked for */
        return loop_fail(task->loop, AJOB_EINVAL, "need: the task is in a run already");
    if (need->attempts || need->state == AJOB_ENDED)
        return loop_fail(task->loop, AJOB_EINVAL, "need: what is needed has started");
    struct edge *edge = mem_new(sizeof *edge);
    if (!edge)
        return loop_fail_memory(task->loop);
    *edge = (struct edge){task, need, task->needs, need->needers, is_start, false};
    task->needs = need->needers = edge;
    task->unmet++;
    if (is_start)
        need->is_streamed = true;
    return 0;
}

int ajob_need(ajob_task *task, ajob_task *need) {
    return add_need(task, need, false);
}

int ajob_need_start(ajob_task *task, ajob_task *need) {
    return add_need(task, need, true);
}

int ajob_set_timeout(ajob_task *task, uint64_t timeout_ms) {
    if (check_settable(task, "timeout"))
        return AJOB_EINVAL;
    struct task_options *options = options_of(task);
    if (!options)
        return AJOB_ENOMEM;
    options->has_timeout = true;
    options->timeout_ms = timeout_ms;
    return 0;
}

int ajob_set_attempt_timeout(ajob_task *task, uint64_t timeout_ms) {
    if (check_settable(task, "attempt timeout"))
        return AJOB_EINVAL;
    struct task_options *options = options_of(task);
    if (!options)
        return AJOB_ENOMEM;
    options->has_attempt_timeout = true;
    options->attempt_timeout_ms = timeout_ms;
    return 0;
}

int ajob_set_retry(ajob_task *task, const ajob_retry *retry) {
    if (check_settable(task, "retry"))
        return AJOB_EINVAL;
    struct task_options *options = options_of(task);
    if (!options)
        return AJOB_ENOMEM;
    int *on = retry->on ? mem_new((retry->on_count + 1) * sizeof *on) : NULL;
    if (retry->on && !on)
        return loop_fail_memory(task->loop);
    for (size_t i = 0; on && i < retry->on_count; i++)
        on[i] = retry->on[i];
    mem_free((void *)options->retry.on);
    options->has_retry = true;
    options->retry = *retry;
    options->retry.on = on;
    return 0;
}

int ajob_set_pool(ajob_task *task, ajob_pool *pool, unsigned count) {
    if (check_settable(task, "pool"))
        return AJOB_EINVAL;
    if (!task->kind->slots)
        return loop_fail(task->loop, AJOB_EINVAL, "pool %s: a %s holds no slots", pool->name,
                         task->kind->name);
    if (!count || count > pool->size)
        return loop_fail(task->loop, AJOB_EINVAL, "pool %s: %u slots wanted, it has %u", pool->name,
                         count, pool->size);
    struct task_options *options = options_of(task);
    if (!options)
        return AJOB_ENOMEM;
    for (unsigned i = 0; i < options->slot_count; i++)
        if (options->slots[i].pool == pool)
            return loop_fail(task->loop, AJOB_EINVAL, "pool %s: named twice", pool->name);
    void *slots = mem_resize(options->slots, (options->slot_count + 1) * sizeof *options->slots);
    if (!slots)
        return loop_fail_memory(task->loop);
    options->slots = slots;
    options->slots[options->slot_count++] = (struct slot){pool, count};
    return 0;
}

int ajob_set_shield(ajob_task *task, bool shield) {
    if (check_settable(task, "shield"))
        return AJOB_EINVAL;
    task->is_shielded = shield;
    return 0;
}

int ajob_set_when(ajob_task *task, enum ajob_when when) {
    enum { FINALIZER_TIMEOUT_MS = 30000 };
    if (check_settable(task, "when"))
        return AJOB_EINVAL;
    if (task->kind->is_service)
        return loop_fail(task->loop, AJOB_EINVAL, "when: a service cannot be a finalizer");
    if (task->parent)
        return loop_fail(task->loop, AJOB_EINVAL, "when: set it before the task is in a group");
    bool has_timeout = task->options && task->options->has_timeout;
    task->when = (uint8_t)when;
    return task_is_finalizer(task) && !has_timeout ? ajob_set_timeout(task, FINALIZER_TIMEOUT_MS)
                                                   : 0;
}

int ajob_set_allow_failure(ajob_task *task, bool allow) {
    if (check_settable(task, "allow failure"))
        return AJOB_EINVAL;
    task->may_fail = allow;
    return 0;
}

int ajob_set_key(ajob_task *task, const char *key) {
    if (check_settable(task, "key"))
        return AJOB_EINVAL;
    struct task_options *options = options_of(task);
    char *copy = options ? mem_copy(key) : NULL;
    if (!copy)
        return loop_fail_memory(task->loop);
    mem_free(options->key);
    options->key = copy;
    return 0;
}

int ajob_set_item(ajob_task *task, const char *item, size_t length) {
    if (check_settable(task, "item"))
        return AJOB_EINVAL;
    struct task_options *options = options_of(task);
    char *copy = options ? mem_new(length + 1) : NULL;
    if (!copy)
        return loop_fail_memory(task->loop);
    memcpy(copy, item, length);
    mem_free(options->item);
    options->item = copy;
    options->item_length = length;
    return 0;
}

const char *ajob_task_item(const ajob_task *task, size_t *length) {
    const char *item = task->options ? task->options->item : NULL;
    *length = item ? task->options->item_length : 0;
    return item;
}

int ajob_set_done(ajob_task *task) {
    if (check_settable(task, "done"))
        return AJOB_EINVAL;
    task->is_done = true;
    return 0;
}

int ajob_on_attempt(ajob_task *task, ajob_prepare_fn *prepare, void *data) {
    if (check_settable(task, "on attempt"))
        return AJOB_EINVAL;
    struct task_options *options = options_of(task);
    if (!options)
        return AJOB_ENOMEM;
    options->prepare = prepare;
    options->prepare_data = data;
    return 0;
}

void ajob_cancel(ajob_task *task, const char *by) {
    char cause[TEXT_LINE_MAX];
    snprintf(cause, sizeof cause, "cancelled by %s", by);
    task_want_stop(task, AJOB_CANCELLED, cause);
}

void ajob_kill(ajob_task *task, const char *by) {
    char cause[TEXT_LINE_MAX];
    snprintf(cause, sizeof cause, "cancelled by %s", by);
    task_want_kill(task, cause);
}

void ajob_on_end(ajob_task *task, ajob_done_fn *ended, void *data) {
    task->ended = ended;
    task->ended_data = data;
}

const char *ajob_task_name(const ajob_task *task) {
    return task->name ? task->name : "";
}

const char *ajob_task_kind(const ajob_task *task) {
    return task->kind->name;
}

ajob_task *ajob_task_parent(const ajob_task *task) {
    return task->parent;
}

enum ajob_state ajob_task_state(const ajob_task *task) {
    return task->state;
}

enum ajob_status ajob_task_status(const ajob_task *task) {
    return task->status;
}

const char *ajob_task_cause(const ajob_task *task) {
    if (task->state != AJOB_ENDED || task->status == AJOB_SUCCEEDED)
        return NULL;
    return task->cause ? task->cause : "out of memory";
}

int ajob_task_exit(const ajob_task *task) {
    return task->exit;
}

int ajob_task_signal(const ajob_task *task) {
    return task->signal;
}

bool ajob_task_progress(const ajob_task *task, uint64_t *bytes, int64_t *total) {
    *bytes = 0;
    *total = -1;
    if (task->kind->progress)
        task->kind->progress(task, bytes, total);
    return task->kind->progress != NULL;
}

bool ajob_task_is_group(const ajob_task *task) {
    return !task_is_counted(task);
}

/* ---- looking, inside ----------------------------------------------------------- */

bool task_can_repeat(const struct ajob_task *task) {
    bool is_fed = task->kind->is_group && group_of(task)->feed;
    return !task->kind->grows && (!is_fed || task->kind->feeds_again);
}

bool task_is_finalizer(const struct ajob_task *task) {
    return task->when != AJOB_WHEN_NEEDS_SUCCEEDED;
}

bool task_failed_freely(const struct ajob_task *task) {
    return task->may_fail && (task->status == AJOB_FAILED || task->status == AJOB_TIMED_OUT);
}

bool task_is_failure(const struct ajob_task *task) {
    if (task->status == AJOB_SKIPPED)
        return !task->not_needed;
    bool has_failed = task->status == AJOB_FAILED || task->status == AJOB_TIMED_OUT;
    return has_failed && !task->may_fail;
}

bool task_is_counted(const struct ajob_task *task) {
    return task->kind->is_counted ? task->kind->is_counted(task) : !task->kind->is_group;
}

const char *task_name(const struct ajob_task *task, char number[16]) {
    if (task->name)
        return task->name;
    snprintf(number, 16, "%u", task->number);
    return number;
}

void task_path(const struct ajob_task *task, struct text *path) {
    char number[16];
    size_t before = path->length;
    if (!task->parent && task->kind->is_group)
        return;
    if (task->parent)
        task_path(task->parent, path);
    if (path->length > before)
        text_add_char(path, '/');
    text_add(path, task_name(task, number));
}

void task_progressed(struct ajob_task *task, uint64_t *last_ms, uint64_t bytes, int64_t total) {
    uint64_t now_ms = loop_now_ms(task->loop);
    if (*last_ms && now_ms - *last_ms >= 1000)
        event_task_progress(task, bytes, total);
    if (!*last_ms || now_ms - *last_ms >= 1000)
        *last_ms = now_ms;
}
