/*
 * lazy.h - a shared library that is loaded when it is first used.
 *
 * Linked the ordinary way a library, and all that it stands on (thirty more
 * under libcurl), is mapped and relocated before main(): 3 ms, in a program
 * that otherwise starts in one. What is loaded stays: nothing is unloaded.
 */
#ifndef AJOB_BASE_LAZY_H
#define AJOB_BASE_LAZY_H

#include <stdbool.h>
#include <stddef.h>

struct lazy_function {
    const char *name;
    void *at; /* the pointer to it, of whatever type */
};

struct lazy_library {
    const char *file; /* that the linker found when this was built: libcurl.so.4 */
    const char *what; /* to install */
    const struct lazy_function *functions;
    size_t count;
    char fault[512]; /* one line; empty once it is loaded */
};

/* Loads it and fills in all pointers, or none and says why in fault. To be
 * called once (pthread_once). */
void lazy_load(struct lazy_library *library);

/* In a declaration: what the linker calls the function. */
#define LAZY_DEFINED_AS(name) __asm__(#name)

#endif
