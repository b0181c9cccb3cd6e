/*
 * watchdog.h - a process that outlives us for a moment if we are killed, to take our
 * commands along.
 */
#ifndef AJOB_EXEC_WATCHDOG_H
#define AJOB_EXEC_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* The zero value is one that does not run. */
struct watchdog {
    pid_t pid;                /* 0: it does not run */
    int pipe;                 /* our end, which closes when we die; meaningful if it runs */
    volatile int32_t *groups; /* in memory that both see; 0: the place is free */
    uint32_t used;            /* places that have been in use */
    uint32_t *free_places;    /* a stack of those that are free again */
    uint32_t free_count, free_capacity;
};

/* Starts it unless it runs. False if the system refuses: commands run without. */
bool watchdog_start(struct watchdog *watchdog);

/* A place for the process group of one command, 0 in it at first; NULL: none, it
 * does not run. Given back when the group is gone or is to be left alone. */
volatile int32_t *watchdog_place(struct watchdog *watchdog);
void watchdog_give_back(struct watchdog *watchdog, volatile int32_t *place);

/* Ends it, and waits for that. */
void watchdog_stop(struct watchdog *watchdog);

/* It was waited for by somebody else. */
void watchdog_has_ended(struct watchdog *watchdog);

#endif
