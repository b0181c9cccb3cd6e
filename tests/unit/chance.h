/*
 * chance.h - the numbers of random walks: the same in every run, so that one that fails
 * can be walked again.
 */
#ifndef CHANCE_H
#define CHANCE_H

#include <stdbool.h>
#include <stdint.h>

static uint32_t chance = 1;

/* At least 0, less than limit. */
static inline uint32_t below(uint32_t limit) {
    chance = chance * 1664525 + 1013904223;
    return (chance >> 8) % limit;
}

static inline bool one_in(uint32_t count) {
    return !below(count);
}

#endif
