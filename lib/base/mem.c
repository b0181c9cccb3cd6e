/* mem.c - memory from the heap, and faults on demand. See mem.h. */
#include "base/mem.h"

/* Counts down to the call that fails; 0 means never. */
static struct {
    bool ready;
    unsigned long left[FAULT_COUNT];
} faults;

static void read_faults(void) {
    static const char *const names[FAULT_COUNT] = {
        "alloc:", "write:", "rename:", "fsync:", "lock:"};
    const char *spec = getenv("AJOB_FAULT");
    faults.ready = true;
    for (int i = 0; spec && i < FAULT_COUNT; i++) {
        const char *found = strstr(spec, names[i]);
        if (found)
            faults.left[i] = strtoul(found + strlen(names[i]), NULL, 10);
    }
}

unsigned long mem_fail_nth(enum fault fault, unsigned long n) {
    unsigned long left = faults.left[fault];
    faults.ready = true;
    faults.left[fault] = n;
    return left;
}

bool mem_fault(enum fault fault) {
    if (!faults.ready)
        read_faults();
    return faults.left[fault] && --faults.left[fault] == 0;
}

void *mem_new(size_t size) {
    return mem_fault(FAULT_ALLOC) ? NULL : calloc(1, size);
}

void *mem_resize(void *block, size_t size) {
    return mem_fault(FAULT_ALLOC) ? NULL : realloc(block, size);
}

char *mem_copy(const char *text) {
    return text ? mem_copy_n(text, strlen(text)) : NULL;
}

char *mem_copy_n(const char *text, size_t length) {
    char *copy = mem_new(length + 1);
    if (copy && length)
        memcpy(copy, text, length);
    return copy;
}

void *mem_free(void *block) {
    free(block);
    return NULL;
}
