/*
 * ranges.h - which bytes of a file are there: a set of ranges.
 *
 * Pure. A range goes from first up to, not including, end.
 */
#ifndef AJOB_NET_RANGES_H
#define AJOB_NET_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct range {
    uint64_t first, end;
};

/* In order, apart from each other, none empty. Zeroed: none. */
struct ranges {
    struct range *items;
    size_t count, space;
};

/* Adds what may touch or overlap what is there. False on lack of memory: then nothing
 * has changed. Where a range only grows no memory is needed. */
bool ranges_add(struct ranges *ranges, uint64_t first, uint64_t end);

/* Forgets all at `size` and behind it. */
void ranges_cut(struct ranges *ranges, uint64_t size);

/* How far it goes from byte 0 without a gap. */
uint64_t ranges_frontier(const struct ranges *ranges);

/* How many bytes there are. */
uint64_t ranges_total(const struct ranges *ranges);

/* The first gap at `from` or behind it, and before size. False: there is none. */
bool ranges_gap(const struct ranges *ranges, uint64_t from, uint64_t size, struct range *ret_gap);

/* Empties it, and frees what it holds. */
void ranges_done(struct ranges *ranges);

#endif
