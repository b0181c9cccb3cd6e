/*
 * cycles.c - tasks that wait for each other.
 *
 * A task waits for its needs, a group for the tasks in it, a finalizer that needs
 * none by name for every ordinary task of its group (as core/check.c has it). A depth-first
 * search with a stack of its own: a task met again while it is on the stack closes a
 * cycle. All finalizers of a group share one walk over its tasks, or many of them
 * would cost the square.
 */
#include "base/mem.h"
#include "spec/reading.h"

enum { CYCLES_MOST = 20, SHOWN_MOST = 12 };

enum color { WHITE, ON_STACK, DONE };

struct frame {
    struct spec_task *task;
    struct spec_task *child;    /* of a group: the one that comes next */
    struct spec_task *ordinary; /* of a walker: the one of its group that comes next */
    uint32_t need;              /* the need that comes next */
    bool has_met_walker;
};

struct search {
    struct ajob_spec *spec;
    uint8_t *colors;            /* by number */
    struct spec_task **walkers; /* by number of a group, and at the end the top: the finalizer
                                   that walks over its ordinary tasks for all of them */
    struct frame *stack;
    uint32_t depth;
    unsigned found;
};

static void push(struct search *search, struct spec_task *task) {
    search->colors[task->number] = ON_STACK;
    search->stack[search->depth++] = (struct frame){.task = task, .child = task->first};
}

/* The next ordinary task of its group that the finalizer on top of the stack waits for.
 * One that another walks over right now, and waits for what is on top, closes a cycle. */
static struct spec_task *next_ordinary(struct search *search, struct frame *frame) {
    struct spec_task *task = frame->task, *group = task->parent;
    struct spec_task **walker = &search->walkers[group ? group->number : search->spec->task_count];
    if (!*walker) {
        *walker = task;
        frame->ordinary = group ? group->first : search->spec->first;
    }
    if (*walker != task) {
        uint32_t at = search->depth;
        if (frame->has_met_walker || search->colors[(*walker)->number] != ON_STACK)
            return NULL;
        frame->has_met_walker = true;
        while (search->stack[--at].task != *walker)
            ;
        return search->stack[at + 1].task;
    }
    while (frame->ordinary && spec_is_finalizer(frame->ordinary))
        frame->ordinary = frame->ordinary->next;
    struct spec_task *ordinary = frame->ordinary;
    if (ordinary)
        frame->ordinary = ordinary->next;
    return ordinary;
}

/* The next task that the one on top of the stack waits for, or NULL. */
static struct spec_task *next_awaited(struct search *search) {
    struct frame *frame = &search->stack[search->depth - 1];
    struct spec_task *task = frame->task;
    if (frame->need < task->need_count)
        return task->needs[frame->need++].task;
    if (frame->child) {
        struct spec_task *child = frame->child;
        frame->child = child->next;
        return child;
    }
    return spec_is_finalizer(task) && !task->need_count ? next_ordinary(search, frame) : NULL;
}

/* What is on the stack from this task on waits for it. */
static void tell(struct search *search, const struct spec_task *first) {
    struct text text = TEXT_INIT(2 * SPEC_PATH_MAX);
    uint32_t from = search->depth;
    if (++search->found > CYCLES_MOST)
        return;
    while (search->stack[--from].task != first)
        ;
    for (uint32_t i = from; i < search->depth; i++) {
        if (i - from >= SHOWN_MOST && i + 1 < search->depth) {
            text_add(&text, "... -> ");
            i = search->depth - 1;
        }
        spec_path(search->stack[i].task, &text);
        text_add(&text, " -> ");
    }
    spec_path(first, &text);
    spec_error(search->spec, first, first->at, NULL, "tasks wait for each other in a cycle: %s",
               text_string(&text));
    text_done(&text);
}

static void walk(struct search *search, struct spec_task *root) {
    push(search, root);
    while (search->depth) {
        struct spec_task *awaited = next_awaited(search);
        if (!awaited) {
            search->colors[search->stack[--search->depth].task->number] = DONE;
            continue;
        }
        if (search->colors[awaited->number] == ON_STACK)
            tell(search, awaited);
        else if (search->colors[awaited->number] == WHITE)
            push(search, awaited);
    }
}

void spec_find_cycles(struct ajob_spec *spec) {
    uint32_t count = spec->task_count;
    struct search search = {
        .spec = spec,
        .colors = mem_new(count + 1),
        .walkers = mem_new((count + 1) * sizeof(struct spec_task *)),
        .stack = mem_new((count + 1) * sizeof(struct frame)),
    };
    if (search.colors && search.walkers && search.stack) {
        for (struct spec_task *task = spec->first; task; task = spec_next(task))
            if (search.colors[task->number] == WHITE)
                walk(&search, task);
    } else {
        spec->reading->has_no_memory = true;
    }
    mem_free(search.colors);
    mem_free(search.walkers);
    mem_free(search.stack);
}
