/* arena.c - many small pieces of memory that go together. See arena.h. */
#include "spec/arena.h"

#include <stdint.h>

#include "base/mem.h"

enum { BLOCK_FIRST = 4096, BLOCK_MOST = 256 * 1024, ALIGNMENT = 8 };

struct arena_block {
    struct arena_block *next;
    size_t size;
    uint64_t data[];
};

static char *data_of(struct arena_block *block) {
    return (char *)block->data;
}

/* Room for size bytes in the first block. */
static bool reserve(struct arena *arena, size_t size) {
    if (arena->blocks && arena->back - arena->front >= size)
        return true;
    size_t block_size = arena->blocks ? 2 * arena->blocks->size : BLOCK_FIRST;
    if (block_size > BLOCK_MOST)
        block_size = BLOCK_MOST;
    if (block_size < size)
        block_size = size;
    if (block_size > SIZE_MAX - sizeof(struct arena_block))
        return false;
    struct arena_block *block = mem_new(sizeof *block + block_size);
    if (!block)
        return false;
    block->size = block_size;
    block->next = arena->blocks;
    arena->blocks = block;
    arena->front = 0;
    arena->back = block_size;
    return true;
}

void *arena_new(struct arena *arena, size_t size) {
    if (size > SIZE_MAX - ALIGNMENT)
        return NULL;
    size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (!reserve(arena, size))
        return NULL;
    void *piece = data_of(arena->blocks) + arena->front;
    arena->front += size;
    return piece;
}

char *arena_copy(struct arena *arena, const char *text, size_t length) {
    if (length == SIZE_MAX || !reserve(arena, length + 1))
        return NULL;
    arena->back -= length + 1;
    char *copy = data_of(arena->blocks) + arena->back;
    if (length)
        memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

void arena_done(struct arena *arena) {
    while (arena->blocks) {
        struct arena_block *block = arena->blocks;
        arena->blocks = block->next;
        mem_free(block);
    }
    *arena = (struct arena){0};
}
