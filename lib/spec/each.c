/*
 * each.c - the kind "each": one task for each item, made while it runs.
 *
 * It is a group with a feed: an item becomes a scope with its task when the group has
 * room for one, and is gone when that has ended. Items are a list, a range, or the
 * lines of a command. What goes wrong with the items themselves fails the each after
 * those that came have ended.
 */
#include "spec/each.h"

#include "base/mem.h"
#include "core/group.h"
#include "core/loop.h"
#include "core/pool.h"
#include "spec/line_reader.h"

struct each {
    struct group group;
    struct scope *scope; /* that the each is in */
    const struct spec_task *spec;
    struct scope *items; /* those that have not ended */
    struct line_reader lines;
    uint64_t next; /* the items of a list or range that have been made */
    uint32_t told; /* of those, when it was being cancelled */
    bool has_run;
    bool is_following;
    uint8_t failing; /* the status it ends with once its items have ended; or UNDECIDED */
    char *why;
};

static struct each *each_of(struct ajob_task *task) {
    return (struct each *)task;
}

/* ---- an item that cannot be made -------------------------------------------------- */

struct unmade {
    struct ajob_task task;
    char *why;
};

static void unmade_start(struct ajob_task *task) {
    task_attempt_over(
        task, (struct outcome){.exit = -1, .cause = mem_copy(((struct unmade *)task)->why)});
}

static void unmade_stop(struct ajob_task *task, enum stop_how how) {
    (void)task, (void)how; /* it is over before it can be stopped */
}

static void unmade_free(struct ajob_task *task) {
    mem_free(((struct unmade *)task)->why);
}

static const struct task_kind unmade_kind = {
    .name = "item",
    .size = sizeof(struct unmade),
    .start = unmade_start,
    .stop = unmade_stop,
    .free = unmade_free,
};

static ajob_task *unmade_new(ajob_loop *loop, const char *why) {
    struct unmade *unmade = task_new(loop, &unmade_kind);
    if (unmade)
        unmade->why = mem_copy(why);
    return unmade ? &unmade->task : NULL;
}

/* ---- the items -------------------------------------------------------------------- */

static void stop_reading(struct each *each) {
    if (!each->is_following)
        return;
    each->is_following = false;
    ajob_exec_follow(each->lines.command, NULL, NULL);
    ajob_on_end(each->lines.command, NULL, NULL);
}

static void fail_later(struct each *each, enum ajob_status status, const char *why) {
    stop_reading(each);
    each->failing = (uint8_t)status;
    each->why = mem_copy(why);
}

/* Without memory for an item the each fails: it would have fewer items than it was given. */
static char *owned(struct each *each, char *item) {
    if (!item)
        fail_later(each, AJOB_FAILED, "out of memory");
    return item;
}

/* How the command whose lines are the items ended. */
static void judge_command(struct each *each) {
    const ajob_task *command = each->lines.command;
    enum ajob_status status = ajob_task_status(command);
    char number[16];
    stop_reading(each);
    if (status == AJOB_SUCCEEDED || task_failed_freely(command))
        return;
    char *why = text_new("%s %s: %s", task_name(command, number), ajob_status_name(status),
                         ajob_task_cause(command));
    fail_later(each, status == AJOB_CANCELLED ? AJOB_CANCELLED : AJOB_FAILED, why);
    mem_free(why);
}

static char *next_line(struct each *each, bool *is_text) {
    const char *line;
    size_t length;
    char number[16];
    const char *fault = NULL;
    *is_text = true;
    switch (line_reader_next(&each->lines, &line, &length)) {
    case LINE_FOUND:
        *is_text = !memchr(line, 0, length);
        return owned(each, mem_copy_n(line, length));
    case LINE_NONE_YET:
        ajob_feed_wait(&each->group.task);
        return NULL;
    case LINE_END:
        judge_command(each);
        return NULL;
    case LINE_TOO_LONG:
        fault = "a line is longer than 128 KiB, which cannot be an item";
        break;
    case LINE_UNREADABLE:
        fault = "what it printed cannot be read";
        break;
    }
    char *why = text_new("%s: %s", task_name(each->lines.command, number), fault);
    fail_later(each, AJOB_FAILED, why ? why : fault);
    mem_free(why);
    return NULL;
}

/* Of a list or range. */
static uint64_t item_count(const struct spec_each *items) {
    uint64_t count;
    return spec_count_items(items, &count) ? count : 0;
}

static char *next_of_range(struct each *each) {
    const struct spec_each *range = each->spec->each;
    uint64_t step = range->step ? (uint64_t)range->step : 1;
    long long number = (long long)((uint64_t)range->from + each->next++ * step);
    return owned(each, text_make("%lld", number));
}

static char *next_of_list(struct each *each) {
    struct values values;
    values_begin(&values, each->scope, each->spec);
    const char *item = values_item(&values, (uint32_t)each->next++);
    char *copy = NULL;
    if (item)
        copy = owned(each, mem_copy(item));
    else
        fail_later(each, AJOB_FAILED, text_string(&values.error));
    values_done(&values);
    return copy;
}

/* The next item, or NULL: there is none now, or none any more, or it fails. is_text is
 * false if it has a NUL in it. */
static char *next_item(struct each *each, bool *is_text) {
    const struct spec_each *items = each->spec->each;
    *is_text = true;
    if (items->lines)
        return next_line(each, is_text);
    if (each->next == item_count(items))
        return NULL;
    return items->is_range ? next_of_range(each) : next_of_list(each);
}

/* ---- the feed ---------------------------------------------------------------------- */

static void item_ended(ajob_task *task, void *data) {
    struct each *each = each_of(ajob_task_parent(task));
    struct scope *scope = data;
    if (scope) {
        *scope->link = scope->next;
        if (scope->next)
            scope->next->link = scope->link;
        scope_free(scope);
    }
    if (each->group.is_draining)
        stop_reading(each);
}

static ajob_task *make_item(struct each *each, const char *item, bool is_text) {
    ajob_loop *loop = each->group.task.loop;
    struct scope *scope = is_text ? scope_build(each->scope, each->spec->first, item) : NULL;
    ajob_task *task = scope     ? scope->tasks[0]
                      : is_text ? unmade_new(loop, ajob_error(loop))
                                : unmade_new(loop, "the item has a NUL byte in it, which cannot "
                                                   "be in an argument");
    if (scope) {
        scope->next = each->items;
        scope->link = &each->items;
        if (scope->next)
            scope->next->link = &scope->next;
        each->items = scope;
    }
    if (task)
        ajob_on_end(task, item_ended, scope);
    return task;
}

/* What is still to come when the each is being cancelled ends cancelled, too; but of a
 * range that may be more than anybody waits for. */
static bool has_told_enough(struct each *each) {
    enum { TOLD_MOST = 10000 };
    if (!each->group.is_draining)
        return false;
    return each->spec->each->lines || each->group.task.loop->is_killing ||
           each->told++ >= TOLD_MOST;
}

static ajob_task *next(ajob_task *task, void *data) {
    struct each *each = each_of(task);
    bool is_text;
    (void)data;
    char *item = each->failing || has_told_enough(each) ? NULL : next_item(each, &is_text);
    ajob_task *made = item ? make_item(each, item, is_text) : NULL;
    if (item && !made)
        fail_later(each, AJOB_FAILED, ajob_error(task->loop));
    mem_free(item);
    if (!each->failing)
        return made;
    if (each->group.ended == each->group.count)
        task_want_stop(task, each->failing, each->why ? each->why : "out of memory");
    if (!each->group.is_draining)
        ajob_feed_wait(task); /* until what came has ended */
    return NULL;
}

static void printed(ajob_task *command, void *data) {
    (void)command;
    ajob_feed_resume(data);
}

/* ---- its life ----------------------------------------------------------------------- */

/* Back to before the first item, for another attempt, of the each or of a group around. */
static void begin_again(struct each *each) {
    group_clear(&each->group);
    each->next = each->told = 0;
    each->failing = AJOB_UNDECIDED;
    each->why = mem_free(each->why);
    line_reader_rewind(&each->lines);
}

static void start(struct ajob_task *task) {
    struct each *each = each_of(task);
    const struct spec_task *lines = each->spec->each->lines;
    if (each->has_run)
        begin_again(each);
    each->has_run = true;
    if (lines) {
        each->lines.command = scope_find(each->scope, lines);
        each->lines.is_streamed = each->scope->builder->is_streamed[lines->number];
        each->is_following =
            each->lines.is_streamed && !ajob_exec_follow(each->lines.command, printed, task);
    }
    if (each->is_following) /* an attempt that is over is not the end yet */
        ajob_on_end(each->lines.command, printed, task);
    group_start(task);
}

static void stop(struct ajob_task *task, enum stop_how how) {
    stop_reading(each_of(task));
    group_stop(task, how);
}

static void release(struct ajob_task *task) {
    struct each *each = each_of(task);
    group_free(task);
    while (each->items) {
        struct scope *scope = each->items;
        each->items = scope->next;
        scope_free(scope);
    }
    line_reader_done(&each->lines);
    mem_free(each->why);
}

static const struct task_kind each_kind = {
    .name = "each",
    .size = sizeof(struct each),
    .is_group = true,
    .feeds_again = true,
    .start = start,
    .stop = stop,
    .free = release,
};

/* ---- making --------------------------------------------------------------------------- */

/* How many tasks will come, or 0: that is not known. */
static uint64_t task_total(const struct spec_task *spec) {
    const struct spec_task *task = spec->first;
    bool is_one = task->kind != SPEC_GROUP && task->kind != SPEC_EACH && task->kind != SPEC_RELEASE;
    return is_one ? item_count(spec->each) : 0;
}

/* Enough for all that may work at once. */
static unsigned window_of(const ajob_loop *loop, const struct spec_more *more) {
    enum { LEAST = 64 };
    unsigned most = pool_size(loop->commands) + pool_size(loop->transfers);
    if (more && more->limit && more->limit < most)
        most = more->limit;
    return 2 * most > LEAST ? 2 * most : LEAST;
}

/* What is wrong with the task for any item is found before the first one. */
static int rehearse(struct scope *scope, const struct spec_task *spec) {
    struct builder *builder = scope->builder;
    uint32_t count = build_count(builder, spec);
    int error = 0;
    for (uint32_t i = 0; !error && !scope->parent && i < count; i++) {
        struct values values;
        values_begin(&values, scope, builder->tasks[spec->number + i]);
        if (!build_rehearse(&values))
            error = loop_fail(builder->loop, AJOB_EINVAL, "%s", text_string(&values.error));
        values_done(&values);
    }
    return error;
}

ajob_task *each_new(struct scope *scope, const struct spec_task *spec) {
    ajob_loop *loop = scope->builder->loop;
    const struct spec_more *more = spec->more;
    if (rehearse(scope, spec))
        return NULL;
    struct each *each = task_new(loop, &each_kind);
    if (!each)
        return NULL;
    ajob_task *task = &each->group.task;
    each->scope = scope;
    each->spec = spec;
    each->group.policy = (uint8_t)(more ? more->policy : AJOB_ALL);
    if (more && more->limit && !(each->group.limit = ajob_pool_new(loop, "limit", more->limit)))
        return NULL;
    ajob_feed feed = {.next = next, .total = task_total(spec), .window = window_of(loop, more)};
    bool is_empty = !spec->each->lines && !item_count(spec->each);
    return is_empty || !ajob_group_feed(task, &feed) ? task : NULL;
}
