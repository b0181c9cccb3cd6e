/*
 * draw_tree.c - a spec as a tree, and the order of its tasks: for a terminal.
 *
 *     3 tasks
 *     |-- build  sh: make
 *     `-- test   sh: make check
 *                needs: build; timeout 10m
 */
#include "base/mem.h"
#include "spec/draw.h"

enum { NAME_COLUMN_MOST = 24, PATH_COLUMN_MOST = 40, NEEDS_SHOWN = 8, INDENT_MOST = 4096 };

static int at_most(size_t length, int most) {
    return length < (size_t)most ? (int)length : most;
}

/* ---- the tree ---------------------------------------------------------- */

struct tree {
    struct drawing *drawing;
    struct text indent; /* the lines from groups above to what is below */
};

struct lines {
    const char *to_next, *to_last, *past_next, *past_last;
};

static const struct lines *lines_of(const struct tree *tree) {
    static const struct lines ascii = {"|-- ", "`-- ", "|   ", "    "};
    static const struct lines unicode = {
        "\xe2\x94\x9c\xe2\x94\x80\xe2\x94\x80 ", /* U+251C U+2500 U+2500 */
        "\xe2\x94\x94\xe2\x94\x80\xe2\x94\x80 ", /* U+2514 U+2500 U+2500 */
        "\xe2\x94\x82   ",                       /* U+2502 */
        "    ",
    };
    return tree->drawing->is_ascii ? &ascii : &unicode;
}

/* "needs: a, b"; nothing without needs. */
static void add_needs(const struct spec_task *task, struct text *words) {
    for (uint32_t i = 0; i < task->need_count && i < NEEDS_SHOWN; i++) {
        const struct spec_need *need = &task->needs[i];
        text_format(words, "%s%s", i ? ", " : "needs: ", need->task->name);
        if (need->is_start)
            text_add(words, " (its start)");
    }
    if (task->need_count > NEEDS_SHOWN)
        text_format(words, " and %u more", (unsigned)task->need_count - NEEDS_SHOWN);
}

/* A further line about a task: the words. */
static void add_detail(struct tree *tree, const struct spec_task *task, int column) {
    struct drawing *drawing = tree->drawing;
    bool is_box = draw_is_box(drawing->spec, task);
    text_add(&drawing->line, text_string(&tree->indent));
    if (is_box)
        text_add(&drawing->line, lines_of(tree)->past_next);
    text_format(&drawing->line, "%*s", column + (is_box ? -2 : 2), "");
    draw_shown(drawing, text_string(&drawing->words), DRAW_LINE_MOST);
    draw_line(drawing);
    draw_clear(drawing, &drawing->words);
}

/* The lines about one task, behind the branch that leads to it. */
static void add_task(struct tree *tree, const struct spec_task *task, int column) {
    struct drawing *drawing = tree->drawing;
    struct text *words = &drawing->words;
    text_format(&drawing->line, "%-*s  ", column, task->name ? task->name : "do");
    words_what(drawing->spec, task, words);
    draw_shown(drawing, text_string(words), DRAW_LINE_MOST);
    draw_line(drawing);
    draw_clear(drawing, words);

    text_add(&tree->indent, draw_after(drawing->spec, task) ? lines_of(tree)->past_next
                                                            : lines_of(tree)->past_last);
    if (task->more && task->more->description) {
        text_add(words, task->more->description);
        add_detail(tree, task, column);
    }
    add_needs(task, words);
    struct text options = {.max = words->max};
    words_options(task, &options);
    if (words->length && options.length)
        text_add(words, "; ");
    text_add(words, text_string(&options));
    words->failed |= options.failed;
    text_done(&options);
    if (words->length)
        add_detail(tree, task, column);
}

/* Specs nest no deeper than JSON_DEPTH_MAX. */
static void add_group(struct tree *tree, const struct spec_task *group) {
    const struct ajob_spec *spec = tree->drawing->spec;
    size_t before = tree->indent.length, longest = 2;
    for (const struct spec_task *it = draw_first(spec, group); it; it = draw_after(spec, it))
        if (it->name && strlen(it->name) > longest)
            longest = strlen(it->name);
    int column = at_most(longest, NAME_COLUMN_MOST);
    for (const struct spec_task *it = draw_first(spec, group); it; it = draw_after(spec, it)) {
        text_add(&tree->drawing->line, text_string(&tree->indent));
        text_add(&tree->drawing->line,
                 draw_after(spec, it) ? lines_of(tree)->to_next : lines_of(tree)->to_last);
        add_task(tree, it, column);
        add_group(tree, it);
        tree->indent.length = before;
        if (tree->indent.data)
            tree->indent.data[before] = '\0';
    }
}

/* "9 tasks, policy settled, jobs 8, timeout 20m, pools: db 1" */
static void add_top(struct drawing *drawing) {
    const struct ajob_spec *spec = drawing->spec;
    struct text *line = &drawing->line;
    char duration[32];
    uint64_t count = 0;
    for (const struct spec_task *task = draw_next(spec, NULL); task; task = draw_next(spec, task))
        count += task->kind != SPEC_GROUP && task->kind != SPEC_EACH;
    words_count(line, count, "task");
    if (spec->policy != AJOB_ALL)
        text_format(line, ", policy %s", ajob_policy_name(spec->policy));
    if (spec->top.jobs)
        text_format(line, ", jobs %u", spec->top.jobs);
    if (spec->top.has_timeout)
        text_format(line, ", timeout %s", ajob_format_duration(duration, spec->top.timeout_ms));
    for (uint32_t i = 0; i < spec->pool_count; i++)
        text_format(line, "%s%s %u", i ? ", " : ", pools: ", spec->pools[i]->name,
                    spec->pools[i]->size);
    draw_line(drawing);
}

void draw_tree(struct drawing *drawing) {
    struct tree tree = {.drawing = drawing, .indent = TEXT_INIT(INDENT_MOST)};
    add_top(drawing);
    add_group(&tree, NULL);
    drawing->has_no_memory |= !text_ok(&tree.indent);
    text_done(&tree.indent);
}

/* ---- the order --------------------------------------------------------- */

/* " (for each of 3 items)", " (when always)" */
static void add_circumstances(const struct spec_task *node, struct text *words) {
    const struct spec_task *each = node;
    uint64_t count;
    while (each && (each->kind != SPEC_EACH || each == node))
        each = each->parent;
    if (each && !spec_count_items(each->each, &count)) {
        text_format(words, " (for each line of %s)", each->each->lines->name);
    } else if (each) {
        text_add(words, " (for each of ");
        words_count(words, count, "item");
        text_add_char(words, ')');
    }
    if (spec_is_finalizer(node))
        text_add(words,
                 node->more->when == AJOB_WHEN_ALWAYS ? " (when always)" : " (when failure)");
}

static void add_node(struct drawing *drawing, const struct spec_task *node, struct text *path,
                     int column) {
    draw_clear(drawing, path);
    spec_path(node, path);
    text_format(&drawing->line, "%-*s  ", column, text_string(path));
    words_what(drawing->spec, node, &drawing->words);
    draw_shown(drawing, text_string(&drawing->words), DRAW_LINE_MOST);
    draw_clear(drawing, &drawing->words);
    add_circumstances(node, &drawing->line);
    draw_line(drawing);
}

void draw_order(struct drawing *drawing) {
    struct draw_order order;
    struct text path = {.max = drawing->words.max};
    size_t longest = 0;
    if (!draw_sort(drawing->spec, &order)) {
        drawing->has_no_memory = true;
        return;
    }
    for (uint32_t i = 0; i < order.count; i++) {
        draw_clear(drawing, &path);
        spec_path(order.nodes[i], &path);
        longest = path.length > longest ? path.length : longest;
    }
    for (uint32_t i = 0; i < order.count; i++)
        add_node(drawing, order.nodes[i], &path, at_most(longest, PATH_COLUMN_MOST));
    drawing->has_no_memory |= !text_ok(&path);
    text_done(&path);
    draw_order_done(&order);
}
