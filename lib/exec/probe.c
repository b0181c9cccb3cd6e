/*
 * probe.c - a probe: look, rest, look again, until the service is ready.
 *
 * Callbacks record whether a look is over and whether the rest is; probe_step()
 * does what follows. Lines are matched here too, since there is nothing to wait for.
 */
#include "exec/probe_look.h"

#include "base/mem.h"
#include "core/loop.h"
#include "core/task.h"

enum probe_state { PROBE_LOOKING, PROBE_RESTING, PROBE_READY };

struct probe {
    struct probe_setup setup;
    enum probe_state state;
    struct look *look;    /* under way, or NULL */
    struct deadline rest; /* while resting */
    bool look_is_over, look_succeeded, rest_is_over;
    bool has_failed; /* that a look could not begin was told */
};

static void probe_step(struct probe *probe);

const struct probe_setup *look_setup(const struct probe *probe) {
    return &probe->setup;
}

static struct ajob_loop *loop_of(const struct probe *probe) {
    return probe->setup.task->loop;
}

/* ---- looking ----------------------------------------------------------- */

static void begin_look(struct probe *probe) {
    probe->state = PROBE_LOOKING;
    probe->look_succeeded = false;
    probe->look = probe->setup.plan->kind->begin(probe);
    probe->look_is_over = !probe->look;
}

static void begin_rest(struct probe *probe, uint64_t time_ms) {
    struct ajob_loop *loop = loop_of(probe);
    uint64_t now_ms = loop_now_ms(loop);
    probe->state = PROBE_RESTING;
    probe->rest_is_over = false;
    deadline_arm(&loop->deadlines, &probe->rest, time_ms ? loop_due_ms(loop, time_ms) : now_ms);
}

/* The probe may be gone afterwards. */
static void become_ready(struct probe *probe, const char *value) {
    probe->state = PROBE_READY;
    probe->setup.owner->ready(probe->setup.data, value);
}

static void probe_step(struct probe *probe) {
    for (;;) {
        switch (probe->state) {
        case PROBE_LOOKING:
            if (!probe->look_is_over)
                return;
            if (probe->look_succeeded) {
                become_ready(probe, NULL);
                return;
            }
            begin_rest(probe, probe->setup.plan->interval_ms);
            break;
        case PROBE_RESTING:
            if (!probe->rest_is_over)
                return;
            begin_look(probe);
            break;
        case PROBE_READY:
            return;
        }
    }
}

void look_over(struct look *look, bool is_ready) {
    struct probe *probe = look->probe;
    if (!probe)
        return;
    look->probe = NULL;
    probe->look = NULL;
    probe->look_is_over = true;
    probe->look_succeeded = is_ready;
    probe_step(probe);
}

void look_failed(struct probe *probe, const char *why) {
    if (!probe->has_failed)
        task_note(probe->setup.task, "its readiness cannot be found out: %s", why);
    probe->has_failed = true;
}

static void rest_is_over(struct deadline *deadline) {
    struct probe *probe = (struct probe *)((char *)deadline - offsetof(struct probe, rest));
    probe->rest_is_over = true;
    probe_step(probe);
}

/* ---- being told -------------------------------------------------------- */

bool probe_line(struct probe *probe, const char *line, size_t length) {
    const struct probe_plan *plan = probe->setup.plan;
    if (!plan->has_line || probe->state == PROBE_READY)
        return true;
    struct text text = TEXT_INIT(length);
    for (const char *end = line + length; line < end; line++) {
        size_t part = strnlen(line, (size_t)(end - line)); /* regexec() would stop at a NUL */
        text_add_n(&text, line, part);
        line += part;
    }
    if (text.length && text.data[text.length - 1] == '\r')
        text.data[text.length - 1] = '\0';
    bool is_whole = text_ok(&text);
    bool matches = is_whole && regexec(&plan->line, text_string(&text), 0, NULL, 0) == 0;
    text_done(&text);
    if (matches)
        become_ready(probe, NULL);
    return is_whole;
}

void probe_value(struct probe *probe, const char *value) {
    char cut[PROBE_VALUE_MAX + 1];
    if (!probe->setup.plan->fd || probe->state == PROBE_READY)
        return;
    snprintf(cut, sizeof cut, "%s", value);
    become_ready(probe, cut);
}

/* ---- starting and stopping --------------------------------------------- */

struct probe *probe_start(const struct probe_setup *setup) {
    struct probe *probe = mem_new(sizeof *probe);
    if (!probe)
        return NULL;
    probe->setup = *setup;
    if (!deadline_init(&setup->task->loop->deadlines, &probe->rest, rest_is_over))
        return mem_free(probe);
    probe->rest.depth = UINT32_MAX; /* after all timeouts of that time */
    if (setup->plan->kind)
        begin_rest(probe, 0);
    return probe;
}

bool probe_stop(struct probe *probe) {
    bool is_gone = true;
    if (!probe)
        return true;
    if (probe->look) {
        probe->look->probe = NULL;
        is_gone = probe->setup.plan->kind->abandon(probe->look);
    }
    deadline_done(&loop_of(probe)->deadlines, &probe->rest);
    mem_free(probe);
    return is_gone;
}
