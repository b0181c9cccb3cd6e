/*
 * arena.h - many small pieces of memory that go together.
 *
 * Objects are taken from the front of a block and strings from its back, so that
 * no space is lost to alignment.
 */
#ifndef AJOB_SPEC_ARENA_H
#define AJOB_SPEC_ARENA_H

#include <stddef.h>

struct arena_block;

/* The zero value is an empty arena. */
struct arena {
    struct arena_block *blocks; /* the one in use first */
    size_t front, back;         /* what is free in it */
};

/* Zeroed memory, aligned for pointers and numbers; NULL on lack of it. */
void *arena_new(struct arena *arena, size_t size);

/* A copy of the first length bytes, with a NUL after them. */
char *arena_copy(struct arena *arena, const char *text, size_t length);

/* Frees everything; the arena is empty and usable afterwards. */
void arena_done(struct arena *arena);

#endif
