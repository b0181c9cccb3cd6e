/*
 * deadline.h - points in time at which something is due, in one heap.
 *
 * Every wait of the core (timeouts, grace, backoff, ticks) is a deadline in
 * the loop's heap; one uv timer stands for the earliest. Of deadlines due at
 * the same millisecond the outer task's comes first: its timeout is then the
 * cause when an inner and an outer timeout expire together.
 */
#ifndef AJOB_CORE_DEADLINE_H
#define AJOB_CORE_DEADLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DEADLINE_IDLE = UINT32_MAX };

struct deadline {
    uint64_t at_ms;
    void (*due)(struct deadline *deadline); /* called once it is due; may arm it again */
    uint32_t index;                         /* in the heap, or DEADLINE_IDLE */
    uint32_t depth;                         /* breaks ties: smaller first */
};

struct deadlines {
    struct deadline **heap;
    uint32_t count, capacity;
    uint32_t members; /* deadlines that exist: room is kept for all of them */
};

/* Makes room for one more, so that arming cannot fail. False: out of memory. */
bool deadline_init(struct deadlines *deadlines, struct deadline *deadline,
                   void (*due)(struct deadline *deadline));

/* Disarms it and gives its room back. For one that was never initialised (due
 * is NULL) it does nothing. */
void deadline_done(struct deadlines *deadlines, struct deadline *deadline);

/* now_ms + delay_ms, without wrapping round. */
uint64_t deadline_after(uint64_t now_ms, uint64_t delay_ms);

/* Due at this time, instead of any time before. */
void deadline_arm(struct deadlines *deadlines, struct deadline *deadline, uint64_t at_ms);
void deadline_disarm(struct deadlines *deadlines, struct deadline *deadline);

/* The earliest, or NULL. */
struct deadline *deadline_first(const struct deadlines *deadlines);

/* Calls what is due at now_ms, earliest first. */
void deadline_fire(struct deadlines *deadlines, uint64_t now_ms);

void deadlines_done(struct deadlines *deadlines);

#endif
