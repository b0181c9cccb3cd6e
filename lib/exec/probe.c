/*
 * probe.c - a probe: look, rest, look again, until the service is ready.
 *
 * Callbacks record whether a look is over and whether the rest is; probe_step()
 * does the rest of it. Lines are matched here too, since there is nothing to wait
 * for: what does not fit into a line's buffer is left out.
 */
#include "exec/probe_look.h"

#include <unistd.h>

#include "base/mem.h"
#include "core/loop.h"

enum probe_state { PROBE_LOOKING, PROBE_RESTING, PROBE_READY };

struct line_buffer {
    char *data; /* room for PROBE_LINE_MAX and a NUL */
    size_t length;
};

struct probe {
    struct probe_setup setup;
    enum probe_state state;
    struct look *look;    /* under way, or NULL */
    struct deadline rest; /* while resting */
    bool look_is_over, look_succeeded, rest_is_over;
    struct line_buffer lines[2]; /* line: by enum output_stream */
};

static void probe_step(struct probe *probe);

const struct probe_setup *look_setup(const struct probe *probe) {
    return &probe->setup;
}

/* ---- looking ----------------------------------------------------------- */

static void begin_look(struct probe *probe) {
    probe->state = PROBE_LOOKING;
    probe->look = probe->setup.plan->kind->begin(probe);
    probe->setup.fd = -1; /* fd has taken it */
    probe->look_is_over = !probe->look;
    probe->look_succeeded = false;
}

static void begin_rest(struct probe *probe) {
    struct ajob_loop *loop = probe->setup.loop;
    probe->state = PROBE_RESTING;
    probe->rest_is_over = false;
    deadline_arm(&loop->deadlines, &probe->rest, loop_due_ms(loop, probe->setup.plan->interval_ms));
}

/* The probe may be gone afterwards. */
static void become_ready(struct probe *probe, const char *value) {
    probe->state = PROBE_READY;
    probe->setup.ready(probe->setup.data, value);
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
            begin_rest(probe);
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

void look_found(struct look *look, const char *value) {
    if (look->probe && look->probe->state != PROBE_READY)
        become_ready(look->probe, value);
}

static void rest_is_over(struct deadline *deadline) {
    struct probe *probe = (struct probe *)((char *)deadline - offsetof(struct probe, rest));
    probe->rest_is_over = true;
    probe_step(probe);
}

/* ---- lines ------------------------------------------------------------- */

static void fill(struct line_buffer *line, const char *data, size_t length) {
    for (size_t i = 0; i < length && line->length < PROBE_LINE_MAX; i++)
        if (data[i])
            line->data[line->length++] = data[i]; /* regexec() would stop at a NUL */
}

static bool line_matches(struct line_buffer *line, const regex_t *expression) {
    if (line->length && line->data[line->length - 1] == '\r')
        line->length--;
    line->data[line->length] = '\0';
    line->length = 0;
    return regexec(expression, line->data, 0, NULL, 0) == 0;
}

void probe_add(struct probe *probe, enum output_stream stream, const char *data, size_t length) {
    const struct probe_plan *plan = probe->setup.plan;
    struct line_buffer *line = &probe->lines[stream];
    if (!plan->has_line || probe->state == PROBE_READY)
        return;
    for (const char *end = data + length; data < end;) {
        const char *newline = memchr(data, '\n', (size_t)(end - data));
        const char *stop = newline ? newline : end;
        fill(line, data, (size_t)(stop - data));
        if (newline && line_matches(line, &plan->line)) {
            become_ready(probe, NULL);
            return;
        }
        data = newline ? newline + 1 : end;
    }
}

/* ---- starting and stopping --------------------------------------------- */

static void close_fd(const struct probe_setup *setup) {
    if (setup->plan->kind == &look_fd && setup->fd >= 0)
        close(setup->fd);
}

static bool open_probe(struct probe *probe) {
    const struct probe_plan *plan = probe->setup.plan;
    if (!deadline_init(&probe->setup.loop->deadlines, &probe->rest, rest_is_over))
        return false;
    probe->rest.depth = UINT32_MAX; /* after all timeouts of that time */
    if (plan->has_line)
        for (int i = 0; i < 2; i++)
            if (!(probe->lines[i].data = mem_new(PROBE_LINE_MAX + 1)))
                return false;
    if (!plan->kind)
        return true;
    begin_look(probe);
    return probe->look || plan->kind != &look_fd;
}

struct probe *probe_start(const struct probe_setup *setup) {
    struct probe *probe = mem_new(sizeof *probe);
    if (!probe) {
        close_fd(setup);
        return NULL;
    }
    probe->setup = *setup;
    if (!open_probe(probe)) {
        probe_stop(probe);
        return NULL;
    }
    probe_step(probe);
    return probe;
}

void probe_stop(struct probe *probe) {
    if (!probe)
        return;
    if (probe->look) {
        probe->look->probe = NULL;
        probe->setup.plan->kind->abandon(probe->look);
    }
    close_fd(&probe->setup);
    deadline_done(&probe->setup.loop->deadlines, &probe->rest);
    mem_free(probe->lines[OUTPUT_STDOUT].data);
    mem_free(probe->lines[OUTPUT_STDERR].data);
    mem_free(probe);
}
