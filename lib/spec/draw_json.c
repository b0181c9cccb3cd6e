/*
 * draw_json.c - a spec's graph as JSON, for other programs. An interface: man page
 * ajob-graph(1) says what is in it. A node or an edge is one line.
 */
#include "spec/draw.h"

/* Durations are in seconds, as in events. */
static void add_seconds(struct text *line, const char *name, uint64_t duration_ms) {
    text_format(line, ", \"%s\": %llu", name, (unsigned long long)duration_ms / 1000);
    if (duration_ms % 1000)
        text_format(line, ".%03u", (unsigned)(duration_ms % 1000));
}

static void add_string(struct text *line, const char *name, const char *value) {
    text_format(line, ", \"%s\": \"", name);
    text_add_json(line, value, strlen(value));
    text_add_char(line, '"');
}

/* A path or null. */
static void add_id(struct text *line, const struct spec_task *task) {
    if (!task) {
        text_add(line, "null");
        return;
    }
    text_add_char(line, '"');
    spec_path(task, line);
    text_add_char(line, '"');
}

static void add_pools(struct text *line, const struct spec_more *more) {
    for (uint32_t i = 0; i < more->pool_count; i++)
        text_format(line, "%s\"%s\": %u", i ? ", " : ", \"pools\": {", more->pools[i].pool->name,
                    more->pools[i].count);
    if (more->pool_count)
        text_add_char(line, '}');
}

static void add_more(struct text *line, const struct spec_more *more) {
    if (more->description)
        add_string(line, "description", more->description);
    if (more->when != AJOB_WHEN_NEEDS_SUCCEEDED)
        add_string(line, "when", more->when == AJOB_WHEN_ALWAYS ? "always" : "failure");
    if (more->limit)
        text_format(line, ", \"limit\": %u", more->limit);
    if (more->has_timeout)
        add_seconds(line, "timeout", more->timeout_ms);
    if (more->has_attempt_timeout)
        add_seconds(line, "attempt_timeout", more->attempt_timeout_ms);
    if (more->has_retry)
        text_format(line, ", \"retry\": %u", more->retry.max);
    add_pools(line, more);
    if (more->is_shielded)
        text_add(line, ", \"shield\": true");
    if (more->allow_failure)
        text_add(line, ", \"allow_failure\": true");
    if (more->dir.text)
        add_string(line, "dir", more->dir.text);
}

static void add_words(struct drawing *drawing, const char *name) {
    add_string(&drawing->line, name, text_string(&drawing->words));
    draw_clear(drawing, &drawing->words);
}

static void add_node(struct drawing *drawing, const struct spec_task *task) {
    struct text *line = &drawing->line;
    uint64_t count;
    text_add(line, "    {\"id\": ");
    add_id(line, task);
    text_add(line, ", \"group\": ");
    add_id(line, task->parent);
    add_string(line, "kind", spec_kind_name((enum spec_kind)task->kind));
    words_work(drawing->spec, task, &drawing->words);
    add_words(drawing, "what");
    if (task->kind == SPEC_SERVICE && task->command->ready) {
        words_ready(task->command, &drawing->words);
        add_words(drawing, "ready");
    }
    if (task->kind == SPEC_GROUP || task->kind == SPEC_EACH || task->kind == SPEC_RELEASE)
        add_string(line, "policy", ajob_policy_name(task->more ? task->more->policy : AJOB_ALL));
    if (task->kind == SPEC_EACH && spec_count_items(task->each, &count))
        text_format(line, ", \"items\": %llu", (unsigned long long)count);
    else if (task->kind == SPEC_EACH)
        text_add(line, ", \"items\": null");
    if (task->more)
        add_more(line, task->more);
    text_add(line, draw_next(drawing->spec, task) ? "}," : "}");
    draw_line(drawing);
}

static void add_edges(struct drawing *drawing, const struct spec_task *task, size_t *left) {
    for (uint32_t i = 0; i < task->need_count; i++) {
        const struct spec_need *need = &task->needs[i];
        if (!draw_has(drawing->spec, need->task))
            continue;
        text_add(&drawing->line, "    {\"from\": ");
        add_id(&drawing->line, need->task);
        text_add(&drawing->line, ", \"to\": ");
        add_id(&drawing->line, task);
        add_string(&drawing->line, "after", draw_wait_name(draw_wait(need)));
        text_add(&drawing->line, --*left ? "}," : "}");
        draw_line(drawing);
    }
}

static void add_top(struct drawing *drawing) {
    const struct ajob_spec *spec = drawing->spec;
    struct text *line = &drawing->line;
    text_add(line, "  \"schema\": 1");
    add_string(line, "policy", ajob_policy_name(spec->policy));
    if (spec->top.jobs)
        text_format(line, ", \"jobs\": %u", spec->top.jobs);
    if (spec->top.has_timeout)
        add_seconds(line, "timeout", spec->top.timeout_ms);
    if (spec->top.limit_rate)
        text_format(line, ", \"limit_rate\": %llu", (unsigned long long)spec->top.limit_rate);
    text_add(line, ", \"pools\": {");
    for (uint32_t i = 0; i < spec->pool_count; i++)
        text_format(line, "%s\"%s\": %u", i ? ", " : "", spec->pools[i]->name,
                    spec->pools[i]->size);
    text_add(line, "},");
    draw_line(drawing);
}

void draw_json(struct drawing *drawing) {
    const struct ajob_spec *spec = drawing->spec;
    size_t edges = 0;
    text_add_char(&drawing->line, '{');
    draw_line(drawing);
    add_top(drawing);
    text_add(&drawing->line, "  \"nodes\": [");
    draw_line(drawing);
    for (const struct spec_task *task = draw_next(spec, NULL); task; task = draw_next(spec, task)) {
        for (uint32_t i = 0; i < task->need_count; i++)
            edges += draw_has(spec, task->needs[i].task);
        add_node(drawing, task);
    }
    text_add(&drawing->line, "  ],");
    draw_line(drawing);
    text_add(&drawing->line, "  \"edges\": [");
    draw_line(drawing);
    for (const struct spec_task *task = draw_next(spec, NULL); task; task = draw_next(spec, task))
        add_edges(drawing, task, &edges);
    text_add(&drawing->line, "  ]\n}");
    draw_line(drawing);
}
