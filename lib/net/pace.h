/*
 * pace.h - whether bytes have come too slowly for too long.
 *
 * Pure: it is shown the clock and a counter of bytes now and then, and remembers some of
 * that. What counts is a window that slides, so a burst long ago does not hide a stall,
 * and a pause between two bursts is none.
 */
#ifndef AJOB_NET_PACE_H
#define AJOB_NET_PACE_H

#include <stdbool.h>
#include <stdint.h>

enum { PACE_STEPS = 8, PACE_MARKS = PACE_STEPS + 2 };

struct pace {
    uint64_t window_ms, min_speed; /* bytes a second */
    struct {
        uint64_t at_ms, bytes;
    } marks[PACE_MARKS]; /* a ring: the oldest is the window's begin */
    unsigned count, oldest;
    uint64_t in_window; /* bytes that came in the window of the last pace_is_slow() */
};

/* The window begins anew, at begin_ms, with so many bytes counted by then. */
void pace_begin(struct pace *pace, uint64_t begin_ms, uint64_t bytes);

/* Whether fewer than min_speed bytes a second came in the last window_ms. Never before
 * the window has once been whole. */
bool pace_is_slow(struct pace *pace, uint64_t now_ms, uint64_t bytes);

/* How long to wait until it is asked again: a PACE_STEPS-th of the window. */
uint64_t pace_step_ms(const struct pace *pace);

#endif
