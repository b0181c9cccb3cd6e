/*
 * draw.h - what the drawings of a spec have in common.
 *
 * A drawing is handed out line by line and never held whole. Tasks that are not
 * selected are in no drawing. A *box* is a group or an each with something in it:
 * it is drawn around other tasks; all else is a *node*.
 */
#ifndef AJOB_SPEC_DRAW_H
#define AJOB_SPEC_DRAW_H

#include "spec/spec.h"

/* The longest text of a task, in characters: on a line, in a node. */
enum { DRAW_LINE_MOST = 1000, DRAW_LABEL_MOST = 60 };

struct drawing {
    const struct ajob_spec *spec;
    ajob_draw_fn *draw;
    void *data;
    struct text line;  /* the one that is being made */
    struct text words; /* of a task, before they are escaped */
    bool is_ascii;
    bool has_no_memory;
};

/* One per format. Lack of memory is in has_no_memory. */
void draw_tree(struct drawing *drawing);
void draw_dot(struct drawing *drawing);
void draw_mermaid(struct drawing *drawing);
void draw_json(struct drawing *drawing);
void draw_order(struct drawing *drawing);

/* Hands out the line with its newline, and begins the next. */
void draw_line(struct drawing *drawing);

/* Empties a text, and notes if memory was short for it. */
void draw_clear(struct drawing *drawing, struct text *text);

/* Appends text to the line as a terminal may show it, cut to so many characters. */
void draw_shown(struct drawing *drawing, const char *text, size_t most);

/* ---- which tasks ---- */

/* The tasks in a group (NULL: at the top) that are drawn:
 * for (task = draw_first(spec, group); task; task = draw_after(spec, task)) */
const struct spec_task *draw_first(const struct ajob_spec *spec, const struct spec_task *group);
const struct spec_task *draw_after(const struct ajob_spec *spec, const struct spec_task *task);

/* The same at every depth, each before what is in it; task NULL: the first. */
const struct spec_task *draw_next(const struct ajob_spec *spec, const struct spec_task *task);

bool draw_has(const struct ajob_spec *spec, const struct spec_task *task);
bool draw_is_box(const struct ajob_spec *spec, const struct spec_task *task);

/* What of a need is awaited. */
enum draw_wait { DRAW_WAIT_END, DRAW_WAIT_START, DRAW_WAIT_READY };
enum draw_wait draw_wait(const struct spec_need *need);
const char *draw_wait_name(enum draw_wait wait);

/* ---- words, not escaped ---- */

/* What the task does, with its kind: "sh: make", and without. No secrets of URLs. */
void words_what(const struct ajob_spec *spec, const struct spec_task *task, struct text *words);
void words_work(const struct ajob_spec *spec, const struct spec_task *task, struct text *words);

/* "timeout 10m, retry 2", or nothing. */
void words_options(const struct spec_task *task, struct text *words);

/* "tcp 127.0.0.1:5432", of a service that has a probe. */
void words_ready(const struct spec_command *command, struct text *words);

/* "3 items", "1 task". */
void words_count(struct text *words, uint64_t count, const char *what);

/* ---- order ---- */

/* The nodes, each after what it needs; among those that could come next finalizers
 * last, then by the order of the text. Whatever the needs are, each comes once. */
struct draw_order {
    const struct spec_task **nodes;
    uint32_t count;
};

/* False on lack of memory. */
bool draw_sort(const struct ajob_spec *spec, struct draw_order *ret_order);
void draw_order_done(struct draw_order *order);

#endif
