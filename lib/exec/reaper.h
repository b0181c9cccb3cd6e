/*
 * reaper.h - our child processes: who has ended, whose group still lives, what is
 * left over at the end of a run.
 *
 * One for each loop, as a module of it. It watches SIGCHLD from before the first
 * spawn of a run to the end of the run.
 *
 * When may a process group be signalled? Its number can be another's as soon as it is
 * empty and its leader was waited for. So only while one of its processes is a child
 * of ours that we have not waited for, which nobody can take from us:
 *
 * - the leader; or
 * - if we adopt (Linux, owns_children): what the leader left behind is then our child;
 *   waitid(P_PGID) says whether there is any, and only we can make it go.
 *
 * Elsewhere orphans are init's children: once the leader was waited for, the group is
 * asked by kill(2), first right after that, then every few milliseconds, and its
 * number would have to come round to another group in between.
 */
#ifndef AJOB_EXEC_REAPER_H
#define AJOB_EXEC_REAPER_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>

#include "base/table.h"
#include "core/loop.h"
#include "exec/queue.h"
#include "exec/watchdog.h"

/* The leader of a process group, started by us. */
struct child {
    pid_t pid;
    bool has_ended;          /* it was waited for */
    volatile int32_t *place; /* with the watchdog */
    /* It has ended, with this status of waitpid(2). */
    void (*ended)(struct child *child, int status);
    /* Something in its group may have ended, after it. */
    void (*group_changed)(struct child *child);
    struct child *previous, *next; /* among those that have ended and are not removed */
    UT_hash_handle hh;             /* among those that have not, by pid */
};

struct orphans;

struct reaper {
    struct loop_module module;
    struct ajob_loop *loop;
    uv_signal_t signal;
    bool is_ready;    /* the queue is */
    bool is_open;     /* the handle is */
    bool is_watching; /* from the first spawn of a run to its end */
    bool adopts;      /* what outlives its parent becomes our child */
    bool adopted_before;
    bool uses_sessions; /* a process group is not enough */
    sigset_t ignored;   /* the signals that we ignore; meaningful with owns_children */
    struct child *running;
    struct child *ended;
    struct orphans *orphans;
    struct watchdog watchdog;
    struct queue queue;
};

/* The loop's reaper. NULL with ajob_error() set. */
struct reaper *reaper_of(struct ajob_loop *loop);

/* Before each spawn. False: out of memory, or libuv refuses. */
bool reaper_begin(struct reaper *reaper);

/* child->pid has started. False: out of memory; it is not watched then. */
bool reaper_add(struct reaper *reaper, struct child *child);

/* It has ended and its group does not matter any more. */
void reaper_remove(struct reaper *reaper, struct child *child);

/* Sends a signal to the group. False: it is gone, or nothing of it is ours to
 * signal. */
bool reaper_signal(struct reaper *reaper, struct child *child, int number);

/* There is something left in the group of a child that has ended. */
bool reaper_group_lives(const struct reaper *reaper, const struct child *child);

#endif
