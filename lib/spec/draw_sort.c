/*
 * draw_sort.c - the order in which a spec's tasks could run one after another.
 *
 * A run on one slot, without the work: a task starts when its group has, what it
 * needs has ended, and it is the first of those that could; a node has then ended (so
 * it is all the same whether its start or its end is awaited), a group has with the
 * last task in it. With a heap, so that 100,000 tasks take no more than a moment.
 */
#include "base/mem.h"
#include "spec/draw.h"

/* Of one task. Lists of dependents are one array, each task's from `dependents` to
 * the next task's. */
struct standing {
    const struct spec_task *task; /* NULL: not drawn */
    uint32_t awaited;             /* what has to happen before it starts */
    uint32_t left;                /* tasks in it that have not ended */
    uint32_t ordinary_left;       /* those of them that are no finalizers */
    uint32_t dependents;
    bool has_started;
};

struct sorting {
    const struct ajob_spec *spec;
    struct standing *standings; /* by number; after the last: the top */
    uint32_t *edges;            /* numbers of dependents */
    uint32_t *heap;
    uint32_t heap_count;
    struct draw_order order;
};

static struct standing *standing_of(struct sorting *sorting, const struct spec_task *task) {
    return &sorting->standings[task ? task->number : sorting->spec->task_count];
}

/* A finalizer without needs waits for the ordinary tasks of its group. */
static bool waits_for_others(const struct spec_task *task) {
    return spec_is_finalizer(task) && !task->need_count;
}

/* ---- the heap of those that could start -------------------------------- */

static bool is_before(const struct sorting *sorting, uint32_t a, uint32_t b) {
    bool is_late_a = spec_is_finalizer(sorting->standings[a].task);
    bool is_late_b = spec_is_finalizer(sorting->standings[b].task);
    return is_late_a != is_late_b ? is_late_b : a < b;
}

static void push(struct sorting *sorting, uint32_t number) {
    uint32_t at = sorting->heap_count++;
    for (uint32_t above; at && is_before(sorting, number, sorting->heap[above = (at - 1) / 2]);
         at = above)
        sorting->heap[at] = sorting->heap[above];
    sorting->heap[at] = number;
}

static uint32_t pop(struct sorting *sorting) {
    uint32_t *heap = sorting->heap;
    uint32_t first = heap[0], moved = heap[--sorting->heap_count], at = 0;
    for (;;) {
        uint32_t below = 2 * at + 1;
        if (below >= sorting->heap_count)
            break;
        if (below + 1 < sorting->heap_count && is_before(sorting, heap[below + 1], heap[below]))
            below++;
        if (!is_before(sorting, heap[below], moved))
            break;
        heap[at] = heap[below];
        at = below;
    }
    heap[at] = moved;
    return first;
}

/* ---- what happens ------------------------------------------------------ */

static void release(struct sorting *sorting, uint32_t number) {
    struct standing *standing = &sorting->standings[number];
    if (standing->awaited && --standing->awaited == 0 && !standing->has_started)
        push(sorting, number);
}

static void release_dependents(struct sorting *sorting, uint32_t number) {
    uint32_t end = sorting->standings[number + 1].dependents;
    for (uint32_t i = sorting->standings[number].dependents; i < end; i++)
        release(sorting, sorting->edges[i]);
}

static void end(struct sorting *sorting, const struct spec_task *task) {
    for (; task; task = task->parent) {
        const struct ajob_spec *spec = sorting->spec;
        struct standing *group = standing_of(sorting, task->parent);
        release_dependents(sorting, task->number);
        group->left--;
        if (!spec_is_finalizer(task) && --group->ordinary_left == 0)
            for (const struct spec_task *it = draw_first(spec, task->parent); it;
                 it = draw_after(spec, it))
                if (waits_for_others(it))
                    release(sorting, it->number);
        if (group->left)
            return;
    }
}

static void start(struct sorting *sorting, uint32_t number) {
    const struct spec_task *task = sorting->standings[number].task;
    const struct spec_task *first = draw_first(sorting->spec, task);
    sorting->standings[number].has_started = true;
    for (const struct spec_task *it = first; it; it = draw_after(sorting->spec, it))
        release(sorting, it->number);
    if (!first) {
        sorting->order.nodes[sorting->order.count++] = task;
        end(sorting, task);
    }
}

/* ---- the whole --------------------------------------------------------- */

/* The needs of a task that are drawn, one after the other. */
static const struct spec_need *next_need(const struct ajob_spec *spec, const struct spec_task *task,
                                         uint32_t *cursor) {
    while (*cursor < task->need_count) {
        const struct spec_need *need = &task->needs[(*cursor)++];
        if (draw_has(spec, need->task))
            return need;
    }
    return NULL;
}

/* Counts what each task awaits, and up to where each list of dependents goes. */
static void count(struct sorting *sorting) {
    const struct ajob_spec *spec = sorting->spec;
    struct standing *standings = sorting->standings;
    uint32_t sum = 0;
    for (const struct spec_task *task = draw_next(spec, NULL); task; task = draw_next(spec, task)) {
        struct standing *standing = standing_of(sorting, task);
        struct standing *group = standing_of(sorting, task->parent);
        standing->task = task;
        standing->awaited++; /* its group's start */
        group->left++;
        group->ordinary_left += !spec_is_finalizer(task);
        uint32_t cursor = 0;
        for (const struct spec_need *need; (need = next_need(spec, task, &cursor));) {
            standing->awaited++;
            standing_of(sorting, need->task)->dependents++;
        }
    }
    for (uint32_t i = 0; i <= spec->task_count; i++) {
        const struct spec_task *task = standings[i].task;
        sum += standings[i].dependents;
        standings[i].dependents = sum;
        if (task && waits_for_others(task) && standing_of(sorting, task->parent)->ordinary_left)
            standings[i].awaited++;
    }
}

/* Fills each list from its end, and so turns the ends into beginnings. */
static void connect(struct sorting *sorting) {
    const struct ajob_spec *spec = sorting->spec;
    for (const struct spec_task *task = draw_next(spec, NULL); task; task = draw_next(spec, task)) {
        uint32_t cursor = 0;
        for (const struct spec_need *need; (need = next_need(spec, task, &cursor));)
            sorting->edges[--standing_of(sorting, need->task)->dependents] = task->number;
    }
}

/* Needs that nothing can fulfil, a cycle's, are passed over where all else has started. */
static void run(struct sorting *sorting) {
    const struct ajob_spec *spec = sorting->spec;
    uint32_t next = 0;
    for (const struct spec_task *it = draw_first(spec, NULL); it; it = draw_after(spec, it))
        release(sorting, it->number);
    for (;;) {
        if (sorting->heap_count) {
            start(sorting, pop(sorting));
            continue;
        }
        while (next < spec->task_count &&
               (!sorting->standings[next].task || sorting->standings[next].has_started))
            next++;
        if (next == spec->task_count)
            return;
        start(sorting, next);
    }
}

bool draw_sort(const struct ajob_spec *spec, struct draw_order *ret_order) {
    struct sorting sorting = {.spec = spec};
    size_t edge_count = 0, size = (size_t)spec->task_count + 1;
    for (const struct spec_task *task = draw_next(spec, NULL); task; task = draw_next(spec, task))
        edge_count += task->need_count;
    sorting.standings = mem_new(size * sizeof *sorting.standings);
    sorting.edges = mem_new((edge_count + 1) * sizeof *sorting.edges);
    sorting.heap = mem_new(size * sizeof *sorting.heap);
    sorting.order.nodes = mem_new(size * sizeof *sorting.order.nodes);
    bool is_ok = sorting.standings && sorting.edges && sorting.heap && sorting.order.nodes;
    if (is_ok) {
        count(&sorting);
        connect(&sorting);
        run(&sorting);
    }
    mem_free(sorting.standings);
    mem_free(sorting.edges);
    mem_free(sorting.heap);
    if (!is_ok)
        draw_order_done(&sorting.order);
    *ret_order = sorting.order;
    return is_ok;
}

void draw_order_done(struct draw_order *order) {
    mem_free(order->nodes);
    *order = (struct draw_order){0};
}
