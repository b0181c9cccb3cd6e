/*
 * draw.c - drawing a spec's graph: which tasks, line by line, escaped. See draw.h.
 *
 * Names are safe in every format; all other text came from outside.
 */
#include "spec/draw.h"

#include "base/mem.h"

enum { NO_BOUND = INT32_MAX };

int ajob_spec_draw(const ajob_spec *spec, enum ajob_drawing drawing, ajob_draw_fn *draw,
                   void *data) {
    static void (*const formats[])(struct drawing * drawing) = {
        [AJOB_DRAW_TEXT] = draw_tree,       [AJOB_DRAW_DOT] = draw_dot,
        [AJOB_DRAW_MERMAID] = draw_mermaid, [AJOB_DRAW_JSON] = draw_json,
        [AJOB_DRAW_ORDER] = draw_order,     [AJOB_DRAW_ASCII] = draw_tree,
    };
    struct drawing it = {
        .spec = spec,
        .draw = draw,
        .data = data,
        .line = TEXT_INIT(NO_BOUND),
        .words = TEXT_INIT(NO_BOUND),
        .is_ascii = drawing == AJOB_DRAW_ASCII || drawing == AJOB_DRAW_ORDER,
    };
    formats[drawing](&it);
    text_done(&it.line);
    text_done(&it.words);
    return it.has_no_memory ? AJOB_ENOMEM : 0;
}

void draw_line(struct drawing *drawing) {
    text_add_char(&drawing->line, '\n');
    drawing->has_no_memory |= !text_ok(&drawing->line) || !text_ok(&drawing->words);
    if (!drawing->has_no_memory)
        drawing->draw(text_string(&drawing->line), drawing->data);
    draw_clear(drawing, &drawing->line);
}

void draw_clear(struct drawing *drawing, struct text *text) {
    drawing->has_no_memory |= !text_ok(text);
    text_clear(text);
}

/* ---- escaping ---------------------------------------------------------- */

/* The bytes of the first `count` characters; *ret_is_all: there are no more. */
static size_t head_of(const char *text, size_t count, bool *ret_is_all) {
    size_t length = strlen(text), used = 0;
    for (; count && used < length; count--) {
        uint32_t point;
        size_t step = utf8_decode(text + used, length - used, &point);
        used += step ? step : 1;
    }
    *ret_is_all = used == length;
    return used;
}

static void add_ascii(struct text *line, const char *text) {
    size_t length = strlen(text);
    while (length) {
        uint32_t point = 0;
        size_t step = utf8_decode(text, length, &point);
        if (point < 0x80)
            text_add_n(line, text, step);
        else
            text_format(line, "\\u{%x}", (unsigned)point);
        text += step;
        length -= step;
    }
}

void draw_shown(struct drawing *drawing, const char *text, size_t most) {
    const char *mark = drawing->is_ascii ? "..." : "\xe2\x80\xa6";
    bool is_all;
    size_t length = head_of(text, most, &is_all);
    if (!is_all)
        length = head_of(text, most - (drawing->is_ascii ? 3 : 1), &is_all);
    char *head = mem_copy_n(text, length);
    size_t size = 4 * length + 1; /* a byte becomes \xNN at most */
    char *escaped = mem_new(size);
    if (head && escaped) {
        ajob_escape(escaped, size, head);
        if (drawing->is_ascii)
            add_ascii(&drawing->line, escaped);
        else
            text_add(&drawing->line, escaped);
        if (!is_all)
            text_add(&drawing->line, mark);
    } else {
        drawing->has_no_memory = true;
    }
    mem_free(head);
    mem_free(escaped);
}

/* ---- which tasks ------------------------------------------------------- */

bool draw_has(const struct ajob_spec *spec, const struct spec_task *task) {
    return !spec->has_selection || task->is_selected;
}

static const struct spec_task *first_from(const struct ajob_spec *spec,
                                          const struct spec_task *task) {
    while (task && !draw_has(spec, task))
        task = task->next;
    return task;
}

const struct spec_task *draw_first(const struct ajob_spec *spec, const struct spec_task *group) {
    return first_from(spec, group ? group->first : spec->first);
}

const struct spec_task *draw_after(const struct ajob_spec *spec, const struct spec_task *task) {
    return first_from(spec, task->next);
}

const struct spec_task *draw_next(const struct ajob_spec *spec, const struct spec_task *task) {
    const struct spec_task *next = draw_first(spec, task);
    while (task && !next) {
        next = draw_after(spec, task);
        task = task->parent;
    }
    return next;
}

bool draw_is_box(const struct ajob_spec *spec, const struct spec_task *task) {
    return draw_first(spec, task) != NULL;
}

enum draw_wait draw_wait(const struct spec_need *need) {
    if (need->is_start)
        return DRAW_WAIT_START;
    return need->task->kind == SPEC_SERVICE ? DRAW_WAIT_READY : DRAW_WAIT_END;
}

const char *draw_wait_name(enum draw_wait wait) {
    static const char *const names[] = {"end", "start", "ready"};
    return names[wait];
}
