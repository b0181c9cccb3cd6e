/* deadline.c - a binary heap of points in time. See deadline.h. */
#include "core/deadline.h"

#include "base/mem.h"

static bool before(const struct deadline *a, const struct deadline *b) {
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->depth < b->depth;
}

static void place(struct deadlines *deadlines, struct deadline *deadline, uint32_t index) {
    deadlines->heap[index] = deadline;
    deadline->index = index;
}

static void sift_up(struct deadlines *deadlines, struct deadline *deadline, uint32_t index) {
    while (index) {
        uint32_t parent = (index - 1) / 2;
        if (!before(deadline, deadlines->heap[parent]))
            break;
        place(deadlines, deadlines->heap[parent], index);
        index = parent;
    }
    place(deadlines, deadline, index);
}

static void sift_down(struct deadlines *deadlines, struct deadline *deadline, uint32_t index) {
    for (;;) {
        uint32_t child = 2 * index + 1;
        if (child >= deadlines->count)
            break;
        if (child + 1 < deadlines->count &&
            before(deadlines->heap[child + 1], deadlines->heap[child]))
            child++;
        if (!before(deadlines->heap[child], deadline))
            break;
        place(deadlines, deadlines->heap[child], index);
        index = child;
    }
    place(deadlines, deadline, index);
}

bool deadline_init(struct deadlines *deadlines, struct deadline *deadline,
                   void (*due)(struct deadline *deadline)) {
    if (deadlines->members == deadlines->capacity) {
        uint32_t capacity = deadlines->capacity ? deadlines->capacity * 2 : 16;
        void *heap = mem_resize(deadlines->heap, capacity * sizeof deadlines->heap[0]);
        if (!heap)
            return false;
        deadlines->heap = heap;
        deadlines->capacity = capacity;
    }
    deadlines->members++;
    deadline->due = due;
    deadline->index = DEADLINE_IDLE;
    return true;
}

void deadline_done(struct deadlines *deadlines, struct deadline *deadline) {
    if (!deadline->due)
        return;
    deadline_disarm(deadlines, deadline);
    deadlines->members--;
    deadline->due = NULL;
}

uint64_t deadline_after(uint64_t now_ms, uint64_t delay_ms) {
    return delay_ms < UINT64_MAX - now_ms ? now_ms + delay_ms : UINT64_MAX;
}

void deadline_arm(struct deadlines *deadlines, struct deadline *deadline, uint64_t at_ms) {
    deadline_disarm(deadlines, deadline);
    deadline->at_ms = at_ms;
    sift_up(deadlines, deadline, deadlines->count++);
}

void deadline_disarm(struct deadlines *deadlines, struct deadline *deadline) {
    uint32_t hole = deadline->index;
    if (hole == DEADLINE_IDLE)
        return;
    deadline->index = DEADLINE_IDLE;
    struct deadline *last = deadlines->heap[--deadlines->count];
    if (last == deadline)
        return;
    if (hole && before(last, deadlines->heap[(hole - 1) / 2]))
        sift_up(deadlines, last, hole);
    else
        sift_down(deadlines, last, hole);
}

struct deadline *deadline_first(const struct deadlines *deadlines) {
    return deadlines->count ? deadlines->heap[0] : NULL;
}

void deadline_fire(struct deadlines *deadlines, uint64_t now_ms) {
    struct deadline *first;
    while ((first = deadline_first(deadlines)) && first->at_ms <= now_ms) {
        deadline_disarm(deadlines, first);
        first->due(first);
    }
}

void deadlines_done(struct deadlines *deadlines) {
    mem_free(deadlines->heap);
    *deadlines = (struct deadlines){0};
}
