/*
 * queue.h - who waits until the system has room for one more process; and what all
 * that are spawned share.
 *
 * Too many processes, too many files or too little memory is no failure of the
 * command: it is tried again when one of ours has ended, and now and then. Only if
 * nothing of ours runs any more and there is still no room after ten seconds is it
 * given up.
 */
#ifndef AJOB_EXEC_QUEUE_H
#define AJOB_EXEC_QUEUE_H

#include "core/deadline.h"
#include "exec/spawn.h"

struct reaper;

struct waiter {
    struct waiter *previous, *next;
    /* Tries. True: it is not to wait any longer, whatever came of it. */
    bool (*try)(struct waiter *waiter);
    void (*give_up)(struct waiter *waiter);
    bool is_waiting;
};

struct queue {
    struct reaper *reaper;
    struct waiter *first, *last;
    struct deadline again;
    uint64_t delay_ms;
    uint64_t stuck_since_ms; /* 0: it is not */
    struct rlimit files;     /* before it was raised; meaningful if is_raised */
    bool is_raised;
    int nothing;       /* /dev/null, or -1 */
    char *buffer;      /* that everything is read into: QUEUE_BUFFER_SIZE */
    size_t last_total; /* bytes that were read from who ended last */
};

enum { QUEUE_BUFFER_SIZE = 64 * 1024 };

/* False: out of memory. */
bool queue_init(struct queue *queue, struct reaper *reaper);
void queue_done(struct queue *queue);

/* For spawn_try(). False: /dev/null cannot be opened, errno says why. */
bool queue_room(struct queue *queue, struct spawn_room *ret_room);

/* There were too many files: raises our limit. False: it is as high as it may be. */
bool queue_raise_files(struct queue *queue);

/* There was no room, or others wait already. */
void queue_add(struct queue *queue, struct waiter *waiter);
void queue_remove(struct queue *queue, struct waiter *waiter);

/* One of ours has ended. */
void queue_retry(struct queue *queue);

/* The run is over: nobody waits, and limits are as they were. */
void queue_end_run(struct queue *queue);

#endif
