/*
 * loop.h - the loop: one libuv loop and everything of ours that runs on it.
 *
 * Owns the queue of tasks to step, the deadlines and their one timer, the
 * listeners, and the uv handles of the core. A *turn* is: fire what is due (when
 * a whole poll has found nothing that came before), then step posted
 * tasks until none is left. Turns come from a uv_prepare and a
 * uv_check handle, so whatever is posted from any libuv callback is stepped
 * before the loop blocks again, and never inside that callback.
 */
#ifndef AJOB_CORE_LOOP_H
#define AJOB_CORE_LOOP_H

#include <uv.h>

#include "ajob.h"
#include "base/text.h"
#include "core/deadline.h"

struct signals;

/* What a file of another room has on the loop for itself: curl's handles, the reaper. */
struct loop_module {
    struct loop_module *next;
    const void *key; /* who it is */
    /* Closes its uv handles, each counted by loop_handle_opened(); may be NULL. */
    void (*close)(struct loop_module *module);
    /* After its handles are closed and every task is freed. */
    void (*free)(struct loop_module *module);
    /* At the end of every turn; may be NULL. */
    void (*turn_ended)(struct loop_module *module);
    /* The program is about to be stopped by SIGTSTP, or goes on; may be NULL. */
    void (*suspend)(struct loop_module *module, bool is_stopping);
    /* The root has ended: what outlived its task is stopped, hard if a second
     * signal came. False: the run waits, and this is asked again at the end of
     * every turn. May be NULL. */
    bool (*sweep)(struct loop_module *module, bool is_hard);
};

struct tick {
    struct deadline deadline;
    struct tick *next;
    struct ajob_loop *loop;
    uint64_t interval_ms;
    ajob_tick_fn *call;
    void *data;
};

enum { LISTENERS_MAX = 8 };

struct ajob_loop {
    uv_loop_t *uv;
    uv_loop_t own_uv; /* meaningful if owns_uv */
    bool owns_uv;
    bool handles_signals;
    bool owns_children; /* see ajob_loop_options */
    bool closing;
    bool close_wanted; /* when the run is over */
    uint64_t grace_ms;
    unsigned per_host;             /* transfers to one host at once */
    unsigned connections_per_host; /* the same of connections, where a transfer has several */
    uint64_t limit_rate;           /* bytes a second of all transfers; 0: none */

    uv_prepare_t prepare;
    uv_check_t check;
    uv_timer_t timer;
    unsigned open_handles;
    void (*closed)(void *data); /* once closing and no handle is left open */
    void *closed_data;

    struct ajob_task *posted, *last_posted; /* to be stepped, linked by post_next */
    struct ajob_task *ended, *last_ended;   /* to be told to dependents and group: by end_next */
    bool in_turn;
    uint64_t turn_ms; /* when the turn began, or the last one did */
    struct deadlines deadlines;
    bool was_due;               /* one of them, after the last poll */
    uint64_t (*clock_ns)(void); /* uv_hrtime, or a test's */
    uint64_t suspended_ns;      /* for which the program was stopped (SIGTSTP): it does not count */
    uint32_t random;            /* state of loop_random() */
    uint32_t tickets;           /* given out to tasks that became ready */

    struct feed *held_feeds; /* linked by held_next */
    bool holds_feeds;
    uint64_t done_before; /* see ajob_feed_skip() */

    struct ajob_task *forgotten;    /* to be freed when nothing is posted, linked by end_next */
    struct ajob_task *first, *last; /* tasks in no group */
    struct ajob_pool *pools;
    struct ajob_pool *transfers;
    struct ajob_pool *commands;
    struct loop_module *modules;
    struct tick *ticks;
    struct signals *signals;

    struct ajob_task *root; /* of the run under way, or NULL */
    bool is_announced;      /* run.started was emitted */
    bool is_blocking;       /* ajob_run() waits for the end */
    ajob_done_fn *done;
    void *done_data;
    uint64_t run_started_ns;
    uint64_t counts[AJOB_STATUS_COUNT];
    int exit_status, exit_signal;
    bool has_lost_output; /* it could not be written: no run is a success for a shell */
    bool is_killing;      /* a second signal came */

    struct {
        ajob_event_fn *call;
        void *data;
    } listeners[LISTENERS_MAX];
    unsigned listener_count;
    uint64_t seq;
    ajob_trace_fn *trace;
    void *trace_data;
    ajob_dump_fn *dump; /* for SIGUSR1, or NULL */
    void *dump_data;
    struct text path, file, json, error; /* what was last handed out */
};

/* The time since some point in the past. */
uint64_t loop_now_ns(const struct ajob_loop *loop);
uint64_t loop_now_ms(const struct ajob_loop *loop);

/* For a deadline: the first millisecond at which this much time has passed. */
uint64_t loop_due_ms(const struct ajob_loop *loop, uint64_t delay_ms);

/* A random number, for jitter: not for secrets. */
uint32_t loop_random(struct ajob_loop *loop);

/* The task is stepped in this turn or the next one. */
void loop_post(struct ajob_loop *loop, struct ajob_task *task);

/* The task has ended; its dependents and its group hear of it in this turn. */
void loop_post_ended(struct ajob_loop *loop, struct ajob_task *task);

/* One turn. Called from uv, and by unit tests. */
void loop_turn(struct ajob_loop *loop);

/* The program stops by SIGTSTP, and what runs on the loop with it; returns when
 * it goes on. */
void loop_suspend(struct ajob_loop *loop);

/* Groups that are fed take no more tasks, or do again: more waits for somebody outside
 * than should. */
void loop_hold_feeds(struct ajob_loop *loop, bool is_held);

/* Sets ajob_error() and returns code. */
int loop_fail(struct ajob_loop *loop, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for a lack of memory: returns AJOB_ENOMEM. */
int loop_fail_memory(struct ajob_loop *loop);

/* Begins to close everything on the loop; its last handle frees it. */
void loop_close_handles(struct ajob_loop *loop);

/* A uv handle was opened, was closed: the loop's close waits for the count. */
void loop_handle_opened(struct ajob_loop *loop);
void loop_handle_closed(struct ajob_loop *loop);

void loop_add_module(struct ajob_loop *loop, struct loop_module *module);
struct loop_module *loop_find_module(const struct ajob_loop *loop, const void *key);

/* The module with this key, made of `size` zeroed bytes at the first call; the other
 * functions of it are the caller's to set then. NULL with ajob_error() set. */
struct loop_module *loop_module(struct ajob_loop *loop, const void *key, size_t size,
                                void (*free)(struct loop_module *module));

#endif
