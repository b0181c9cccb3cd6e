/*
 * mem.h - memory from the heap, and faults on demand.
 *
 * All of the library's own allocations pass here, so that a test can make the
 * n-th of them fail: AJOB_FAULT=alloc:17 in the environment. In the same way
 * write:N, rename:N, fsync:N and lock:N (of a file, as where there are no locks)
 * fail the n-th call of that kind, where the code that makes it asks mem_fault();
 * several are separated by commas. To be called from one thread. Every failure is reported to the
 * caller; nothing here aborts.
 */
#ifndef AJOB_BASE_MEM_H
#define AJOB_BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>

enum fault { FAULT_ALLOC, FAULT_WRITE, FAULT_RENAME, FAULT_FSYNC, FAULT_LOCK, FAULT_COUNT };

/* Zeroed memory, or NULL. Freed with mem_free(). */
void *mem_new(size_t size);

/* As realloc(); on NULL the old block stays valid. */
void *mem_resize(void *block, size_t size);

/* A copy of text, or NULL; NULL stays NULL. */
char *mem_copy(const char *text);

/* A copy of the first length bytes, with a NUL after them. */
char *mem_copy_n(const char *text, size_t length);

/* Takes NULL; returns NULL, so that a field is cleared in the same line. */
void *mem_free(void *block);

/* For unit tests, instead of AJOB_FAULT: the n-th call from now fails; 0: none.
 * Returns how many calls were left to the one before; 0: it has come. */
unsigned long mem_fail_nth(enum fault fault, unsigned long n);

/* True if this is the call that AJOB_FAULT wants to fail. */
bool mem_fault(enum fault fault);

#endif
