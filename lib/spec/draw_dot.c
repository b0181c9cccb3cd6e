/*
 * draw_dot.c - a spec for graphviz (https://graphviz.org/doc/info/lang.html).
 *
 * A box is a cluster. Graphviz has edges between nodes only: one to a box goes to
 * the first of its nodes, one from it comes from its last, both cut at its border.
 */
#include "base/mem.h"
#include "spec/draw.h"

struct dot {
    struct drawing *drawing;
    const struct spec_task **first, **last; /* nodes, of each box by its number */
};

/* ---- strings ----------------------------------------------------------- */

/* What stands between the quotes of a label: backslashes begin escapes there, and
 * HTML's entities are known. */
static void add_label(struct drawing *drawing, const char *text) {
    struct text *line = &drawing->line;
    size_t start = line->length;
    draw_shown(drawing, text, DRAW_LABEL_MOST);
    char *shown = mem_copy(text_string(line) + start);
    line->length = start;
    for (const char *c = shown; c && *c; c++) {
        if (*c == '&')
            text_add(line, "&amp;");
        else if (*c == '"' || *c == '\\')
            text_format(line, "\\%c", *c);
        else
            text_add_char(line, *c);
    }
    drawing->has_no_memory |= !shown;
    mem_free(shown);
}

static void add_words(struct drawing *drawing, const char *before) {
    if (drawing->words.length) {
        text_add(&drawing->line, before);
        add_label(drawing, text_string(&drawing->words));
    }
    draw_clear(drawing, &drawing->words);
}

/* The attribute label="name\nwhat\noptions", and tooltip="description". */
static void add_texts(struct drawing *drawing, const struct spec_task *task) {
    text_format(&drawing->line, "label=\"%s", task->name ? task->name : "do");
    words_what(drawing->spec, task, &drawing->words);
    add_words(drawing, "\\n");
    words_options(task, &drawing->words);
    add_words(drawing, "\\n");
    text_add(&drawing->line, "\", tooltip=\"");
    if (task->more && task->more->description)
        add_label(drawing, task->more->description);
    text_add_char(&drawing->line, '"');
}

/* ---- nodes and clusters ------------------------------------------------ */

static void add_path(struct text *line, const struct spec_task *task, const char *before) {
    text_format(line, "\"%s", before);
    spec_path(task, line);
    text_add_char(line, '"');
}

static void add_node(struct drawing *drawing, const struct spec_task *node, int depth) {
    static const char *const shapes[] = {
        [SPEC_JOIN] = "diamond",      [SPEC_EXEC] = "box",    [SPEC_SH] = "box",
        [SPEC_GET] = "folder",        [SPEC_RELEASE] = "tab", [SPEC_SLEEP] = "oval",
        [SPEC_SERVICE] = "component", [SPEC_GROUP] = "box",   [SPEC_EACH] = "box",
    };
    text_format(&drawing->line, "%*s", 2 * depth, "");
    add_path(&drawing->line, node, "");
    text_add(&drawing->line, " [");
    add_texts(drawing, node);
    text_format(&drawing->line, ", shape=%s%s];", shapes[node->kind],
                spec_is_finalizer(node) ? ", style=dashed" : "");
    draw_line(drawing);
}

static void add_group(struct drawing *drawing, const struct spec_task *group, int depth);

static void add_cluster(struct drawing *drawing, const struct spec_task *box, int depth) {
    text_format(&drawing->line, "%*ssubgraph ", 2 * depth, "");
    add_path(&drawing->line, box, "cluster_");
    text_add(&drawing->line, " {");
    draw_line(drawing);
    text_format(&drawing->line, "%*sgraph [", 2 * depth + 2, "");
    add_texts(drawing, box);
    text_format(&drawing->line, ", style=\"rounded%s\"];", spec_is_finalizer(box) ? ",dashed" : "");
    draw_line(drawing);
    add_group(drawing, box, depth + 1);
    text_format(&drawing->line, "%*s}", 2 * depth, "");
    draw_line(drawing);
}

static void add_group(struct drawing *drawing, const struct spec_task *group, int depth) {
    const struct ajob_spec *spec = drawing->spec;
    for (const struct spec_task *it = draw_first(spec, group); it; it = draw_after(spec, it)) {
        if (draw_is_box(spec, it))
            add_cluster(drawing, it, depth);
        else
            add_node(drawing, it, depth);
    }
}

/* ---- edges ------------------------------------------------------------- */

static void find_ends(struct dot *dot, const struct draw_order *order) {
    for (uint32_t i = 0; i < order->count; i++) {
        for (const struct spec_task *box = order->nodes[i]->parent; box; box = box->parent) {
            if (!dot->first[box->number])
                dot->first[box->number] = order->nodes[i];
            dot->last[box->number] = order->nodes[i];
        }
    }
}

static void add_edge(struct dot *dot, const struct spec_task *task, const struct spec_need *need) {
    struct text *line = &dot->drawing->line;
    const struct spec_task *from = dot->last[need->task->number];
    const struct spec_task *to = dot->first[task->number];
    enum draw_wait wait = draw_wait(need);
    text_add(line, "  ");
    add_path(line, from ? from : need->task, "");
    text_add(line, " -> ");
    add_path(line, to ? to : task, "");
    text_add(line, " [");
    if (from) {
        text_add(line, "ltail=");
        add_path(line, need->task, "cluster_");
    }
    if (to) {
        text_add(line, from ? ", lhead=" : "lhead=");
        add_path(line, task, "cluster_");
    }
    if (wait != DRAW_WAIT_END)
        text_format(line, "%sstyle=dashed, label=\"%s\"", from || to ? ", " : "",
                    draw_wait_name(wait));
    text_add(line, "];");
    draw_line(dot->drawing);
}

static void add_edges(struct dot *dot) {
    const struct ajob_spec *spec = dot->drawing->spec;
    for (const struct spec_task *task = draw_next(spec, NULL); task; task = draw_next(spec, task))
        for (uint32_t i = 0; i < task->need_count; i++)
            if (draw_has(spec, task->needs[i].task))
                add_edge(dot, task, &task->needs[i]);
}

void draw_dot(struct drawing *drawing) {
    struct dot dot = {.drawing = drawing};
    struct draw_order order = {0};
    size_t size = ((size_t)drawing->spec->task_count + 1) * sizeof *dot.first;
    dot.first = mem_new(size);
    dot.last = mem_new(size);
    if (dot.first && dot.last && draw_sort(drawing->spec, &order)) {
        find_ends(&dot, &order);
        text_add(&drawing->line, "digraph ajob {");
        draw_line(drawing);
        text_add(&drawing->line, "  graph [compound=true, fontname=\"sans-serif\"];\n"
                                 "  node [fontname=\"sans-serif\"];\n"
                                 "  edge [fontname=\"sans-serif\"];");
        draw_line(drawing);
        add_group(drawing, NULL, 1);
        add_edges(&dot);
        text_add_char(&drawing->line, '}');
        draw_line(drawing);
    } else {
        drawing->has_no_memory = true;
    }
    draw_order_done(&order);
    mem_free(dot.first);
    mem_free(dot.last);
}
