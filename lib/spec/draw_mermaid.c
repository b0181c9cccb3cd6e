/*
 * draw_mermaid.c - a spec for Mermaid (https://mermaid.js.org/syntax/flowchart.html).
 *
 * Nodes are numbered: a task may be called "end", which is a word of Mermaid's. Of
 * a text all that may mean something to Mermaid, Markdown or HTML is written as
 * #NUMBER;.
 */
#include <ctype.h>

#include "base/mem.h"
#include "spec/draw.h"

/* No colon: Mermaid's parser takes "style...: #...;" on one line apart. */
static bool is_plain(char c) {
    return (unsigned char)c >= 0x80 || isalnum((unsigned char)c) || strchr(" -_./,=+", c);
}

static void add_label(struct drawing *drawing, const char *text) {
    struct text *line = &drawing->line;
    size_t start = line->length;
    draw_shown(drawing, text, DRAW_LABEL_MOST);
    char *shown = mem_copy(text_string(line) + start);
    line->length = start;
    for (const char *c = shown; c && *c; c++) {
        if (is_plain(*c))
            text_add_char(line, *c);
        else
            text_format(line, "#%d;", *c);
    }
    drawing->has_no_memory |= !shown;
    mem_free(shown);
}

static void add_words(struct drawing *drawing) {
    if (drawing->words.length) {
        text_add(&drawing->line, "<br/>");
        add_label(drawing, text_string(&drawing->words));
    }
    draw_clear(drawing, &drawing->words);
}

static void add_texts(struct drawing *drawing, const struct spec_task *task) {
    text_format(&drawing->line, "\"%s", task->name ? task->name : "do");
    words_what(drawing->spec, task, &drawing->words);
    add_words(drawing);
    words_options(task, &drawing->words);
    add_words(drawing);
    text_add_char(&drawing->line, '"');
}

static void add_node(struct drawing *drawing, const struct spec_task *node, int depth) {
    static const struct {
        const char *open, *close;
    } shapes[] = {
        [SPEC_JOIN] = {"{", "}"},      [SPEC_EXEC] = {"[", "]"},      [SPEC_SH] = {"[", "]"},
        [SPEC_GET] = {"[/", "/]"},     [SPEC_RELEASE] = {"[/", "/]"}, [SPEC_SLEEP] = {"([", "])"},
        [SPEC_SERVICE] = {"[[", "]]"}, [SPEC_GROUP] = {"[", "]"},     [SPEC_EACH] = {"[", "]"},
    };
    text_format(&drawing->line, "%*sn%u%s", 2 * depth, "", (unsigned)node->number,
                shapes[node->kind].open);
    add_texts(drawing, node);
    text_format(&drawing->line, "%s%s", shapes[node->kind].close,
                spec_is_finalizer(node) ? ":::finalizer" : "");
    draw_line(drawing);
}

static void add_group(struct drawing *drawing, const struct spec_task *group, int depth) {
    const struct ajob_spec *spec = drawing->spec;
    for (const struct spec_task *it = draw_first(spec, group); it; it = draw_after(spec, it)) {
        if (!draw_is_box(spec, it)) {
            add_node(drawing, it, depth);
            continue;
        }
        text_format(&drawing->line, "%*ssubgraph n%u[", 2 * depth, "", (unsigned)it->number);
        add_texts(drawing, it);
        text_add_char(&drawing->line, ']');
        draw_line(drawing);
        add_group(drawing, it, depth + 1);
        text_format(&drawing->line, "%*send", 2 * depth, "");
        draw_line(drawing);
    }
}

static void add_edges(struct drawing *drawing, const struct spec_task *task) {
    for (uint32_t i = 0; i < task->need_count; i++) {
        const struct spec_need *need = &task->needs[i];
        enum draw_wait wait = draw_wait(need);
        if (!draw_has(drawing->spec, need->task))
            continue;
        text_format(&drawing->line, "  n%u ", (unsigned)need->task->number);
        if (wait == DRAW_WAIT_END)
            text_add(&drawing->line, "-->");
        else
            text_format(&drawing->line, "-.->|%s|", draw_wait_name(wait));
        text_format(&drawing->line, " n%u", (unsigned)task->number);
        draw_line(drawing);
    }
}

void draw_mermaid(struct drawing *drawing) {
    const struct ajob_spec *spec = drawing->spec;
    text_add(&drawing->line, "flowchart TD");
    draw_line(drawing);
    add_group(drawing, NULL, 1);
    for (const struct spec_task *task = draw_next(spec, NULL); task; task = draw_next(spec, task))
        add_edges(drawing, task);
    text_add(&drawing->line, "  classDef finalizer stroke-dasharray:5");
    draw_line(drawing);
}
