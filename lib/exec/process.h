/*
 * process.h - one attempt of a command, from the spawn until nothing of it is left.
 *
 *     waiting? -> running -> draining -> clearing -> over
 *
 * It runs until its leader has exited; then its pipes are drained: what is there at
 * once, the rest until everybody has closed them, at most two seconds; then what is
 * left in its process group is stopped. Whatever is learnt is only recorded;
 * process_step() alone moves it.
 */
#ifndef AJOB_EXEC_PROCESS_H
#define AJOB_EXEC_PROCESS_H

#include "core/task.h"
#include "exec/pipes.h"
#include "exec/queue.h"
#include "exec/reaper.h"
#include "exec/spawn.h"

/* How it ended. */
struct process_end {
    int exit;      /* -1: none */
    int signal;    /* 0: none */
    char *failure; /* why it could not be started, the receiver's; else NULL */
    bool has_started;
};

struct process_owner {
    struct pipes_reader reader; /* process_read_on() is its pipes_read_on() */
    /* Once, not from inside process_start(). The process is gone. */
    void (*over)(void *owner, struct process_end end);
    /* It runs; may come from inside process_start(). May be NULL. */
    void (*started)(void *owner);
    /* It has exited; over() comes once its pipes and its group are cleared. May be NULL. */
    void (*exited)(void *owner);
};

struct process;

/* Begins. The spawn and the owner stay valid until over(). False: it could not be
 * started; *ret_end says why, and there will be no over(). */
bool process_start(struct reaper *reaper, const struct spawn *spawn, bool leaves_leftovers,
                   const struct process_owner *owner, void *data, struct process **ret_process,
                   struct process_end *ret_end);

/* Asks its group to stop; over() may come from inside. */
void process_stop(struct process *process, enum stop_how how);

/* The owner has room again. */
void process_read_on(struct process *process);

/* 0: it waits to be started. */
int process_pid(const struct process *process);

#endif
