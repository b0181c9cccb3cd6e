/*
 * dump.c - the tree of tasks as text: for SIGUSR1, and for whoever asks.
 *
 * Owns the words for what a task waits for.
 */
#include "core/group.h"
#include "core/loop.h"
#include "core/pool.h"

static void add_duration(struct text *line, const char *before, uint64_t ms) {
    char duration[32];
    text_format(line, "%s%s", before, ajob_format_duration(duration, ms));
}

static uint64_t until(const struct ajob_task *task, uint64_t at_ms) {
    uint64_t now_ms = loop_now_ms(task->loop);
    return at_ms > now_ms ? at_ms - now_ms : 0;
}

static void add_unmet_needs(struct text *line, const struct ajob_task *task) {
    enum { MOST = 3 };
    unsigned shown = 0, more = 0;
    for (const struct edge *edge = task->needs; edge; edge = edge->next_need) {
        char number[16];
        if (edge->is_met || edge->need->state == AJOB_ENDED)
            continue;
        if (shown == MOST) {
            more++;
            continue;
        }
        text_format(line, "%s%s", shown++ ? ", " : "  waits for ", task_name(edge->need, number));
    }
    if (more)
        text_format(line, " and %u more", more);
    if (!shown && task_awaits_group(task))
        text_add(line, "  waits for the rest of its group");
}

/* Why a group asks for no more children; NULL: it does, or there are none. */
static const char *feed_reason(const struct ajob_task *task) {
    const struct group *group = task->kind->is_group ? group_of(task) : NULL;
    if (!group || !group->is_fed || !group->feed_waits)
        return NULL;
    if (group->feed->is_held)
        return "the reader of what was printed";
    return group->feed->pause.index != DEADLINE_IDLE ? "its interval" : "its input";
}

static void add_reason(struct text *line, const struct ajob_task *task) {
    const char *awaited;
    switch ((enum ajob_state)task->state) {
    case AJOB_PENDING:
        add_unmet_needs(line, task);
        break;
    case AJOB_READY:
        if (task->waiting_for)
            text_format(line, "  waits for a slot of %s", task->waiting_for->name);
        break;
    case AJOB_BACKOFF:
        add_duration(line, "  tries again in ", until(task, task->phase_at_ms));
        break;
    case AJOB_STOPPING:
        if (task->phase_at_ms)
            add_duration(line, "  is killed in ", until(task, task->phase_at_ms));
        break;
    case AJOB_RUNNING:
        awaited = feed_reason(task);
        if (awaited)
            text_format(line, "  waits for %s", awaited);
        break;
    case AJOB_ENDED:
        break;
    }
}

static void dump_task(const struct ajob_task *task, unsigned depth, struct text *line) {
    char number[16], name[TEXT_LINE_MAX];
    struct ajob_loop *loop = task->loop;
    const char *state =
        task->is_serving && task->state == AJOB_RUNNING ? "serving" : ajob_state_name(task->state);
    text_clear(line);
    text_format(line, "%*s%s  %s %s", (int)(2 * depth), "",
                ajob_escape(name, sizeof name, task_name(task, number)), task->kind->name, state);
    uint64_t since_ms = task->changed_ms ? task->changed_ms : loop->run_started_ns / 1000000;
    add_duration(line, " for ", loop_now_ms(loop) - since_ms);
    add_reason(line, task);
    int pid = task->kind->pid ? task->kind->pid(task) : 0;
    if (pid)
        text_format(line, "  pid %d", pid);
    if (task->attempts > 1)
        text_format(line, "  attempt %u", task->attempts);
    if (task->timeout_at_ms)
        add_duration(line, "  times out in ", until(task, task->timeout_at_ms));
    loop->dump(text_string(line), loop->dump_data);
}

static void dump_tree(const struct ajob_task *task, unsigned depth, struct text *line) {
    enum { DEEPEST = 40 };
    bool is_run_itself = !task->parent && task->kind->is_group;
    if (task->state == AJOB_ENDED)
        return;
    if (!is_run_itself)
        dump_task(task, depth++, line);
    if (!task->kind->is_group || depth > DEEPEST)
        return;
    for (const struct ajob_task *child = group_of(task)->first; child; child = child->next)
        dump_tree(child, depth, line);
}

/* What the run itself waits for, where no task may be left to say it. */
static void dump_run(const struct ajob_task *root, struct text *line) {
    const char *awaited = feed_reason(root);
    if (root->state == AJOB_ENDED)
        awaited = "what was printed to be read, or for what its commands left behind to end";
    if (!awaited)
        return;
    text_clear(line);
    text_format(line, "the run  waits for %s", awaited);
    root->loop->dump(text_string(line), root->loop->dump_data);
}

void ajob_dump(ajob_loop *loop, ajob_dump_fn *call, void *data) {
    struct text line = TEXT_INIT(4 * TEXT_LINE_MAX);
    ajob_dump_fn *before = loop->dump;
    void *data_before = loop->dump_data;
    loop->dump = call;
    loop->dump_data = data;
    if (loop->root) {
        dump_tree(loop->root, 0, &line);
        dump_run(loop->root, &line);
    }
    loop->dump = before;
    loop->dump_data = data_before;
    text_done(&line);
}

void ajob_on_dump(ajob_loop *loop, ajob_dump_fn *call, void *data) {
    loop->dump = call;
    loop->dump_data = data;
}
