/*
 * printer.h - the printer of a loop, for exec/ among itself: the two descriptors, the
 * modes, the outputs. Whose turn it is to write: turns.h.
 *
 * An output hands it whole lines; what cannot be written now waits in the output's
 * backlog, and a piece of a backlog that was begun is finished before any other
 * output writes to the same descriptor, so lines are never mixed.
 */
#ifndef AJOB_EXEC_PRINTER_H
#define AJOB_EXEC_PRINTER_H

#include "core/loop.h"
#include "exec/backlog.h"
#include "exec/lines.h"
#include "exec/logs.h"
#include "exec/output.h"
#include "exec/sink.h"
#include "exec/spool.h"

/* So much waits for its turn, or is ahead of a follower: the output is full. */
enum { OUTPUT_FULL = 1 << 20 };

enum { PRINTER_SCRATCH = 128 * 1024 };

struct place;

struct output {
    struct ajob_task *task; /* until output_close() */
    struct printer *printer;
    struct place *place; /* in the order; NULL: there is none, or it is not this one's any more */
    void (*has_room)(struct ajob_task *task);
    struct output *older, *newer;               /* among those open */
    struct output *queue_previous, *queue_next; /* meaningful if is_queued */
    struct lines partial[OUTPUT_STDERR + 1];
    struct backlog *backlog; /* what waits to be written; NULL: nothing ever did */
    struct capture *kept;    /* stdout, for output_read(); or NULL */
    char *prefix;            /* "[NAME] " or "ITEM\t", made for the first line */
    uint64_t printed, taken;
    int log_fds[OUTPUT_STDERR + 1]; /* by stream, may be the same; -1: none */
    uint64_t waiting_bytes;         /* what it counts for in printer->waiting */
    uint32_t waiting_memory;
    bool is_waiting : 1;      /* it is counted there */
    bool waits_for_place : 1; /* in the list of that */
    bool waits_in_file : 1;   /* and in a file of its own */
    bool is_followed : 1;
    bool is_full : 1;
    bool is_room_due : 1;
    bool is_queued : 1;
    bool has_written : 1; /* something of it */
    bool has_lost : 1;    /* the rest of it is dropped */
    bool is_closed : 1;
    bool has_failed : 1;  /* it is closed, and somebody watches */
    bool is_released : 1; /* freed as soon as it is written */
};

/* What closed outputs hold. */
struct waiting {
    uint64_t bytes, memory; /* memory: so many of them are not in a file */
    uint32_t count, files;  /* files: with a descriptor of its own each */
};

struct printer {
    struct loop_module module;
    struct ajob_loop *loop;
    ajob_output_options options; /* meaningful if is_on */
    bool is_on;
    bool is_gone; /* nothing more is written: an error, or nobody waits for it */
    int error;    /* errno of the first failure to write, or 0 */
    struct sink sinks[OUTPUT_STDERR + 1];
    bool is_one_sink;                          /* both descriptors are the same file */
    struct output *writers[OUTPUT_STDERR + 1]; /* by sink: who has begun a piece, or NULL */
    struct output *oldest, *newest;            /* open */
    struct output *first, *last;               /* the queue of those with something to write */
    struct output *live;                       /* group: an open one whose turn it is, or NULL */
    struct place *first_place, *last_place;    /* the order, if options.is_ordered */
    bool is_advancing;                         /* in it */
    struct spool spool;                        /* of those who wait for their place */
    struct waiting waiting;
    uint64_t held_most;     /* group: one that holds so much has its turn while it is open */
    bool has_heavy;         /* there may be such a one that has not */
    bool is_room_due;       /* to some output */
    struct deadline prompt; /* a partial line has waited long enough */
    struct deadline stall;  /* armed while a run that is to end waits for a reader */
    bool has_progressed;    /* since that was armed */
    uv_idle_t idle;         /* writes on when a lot is to be written; meaningful if has_idle */
    bool has_idle;
    bool is_closing;
    char *scratch; /* PRINTER_SCRATCH bytes, if is_on */
    struct logs logs;
};

/* The loop's, or NULL with ajob_error() set. */
struct printer *printer_of(struct ajob_loop *loop);

/* The output is open, prints a piece that lines_add() made, is closed. */
void printer_add(struct printer *printer, struct output *output);
void printer_print(struct output *output, enum output_stream stream, const char *piece,
                   size_t length);
void printer_close(struct output *output, bool has_failed);

/* Facts that is_full depends on have changed. */
void printer_weigh(struct output *output);

/* Nothing of the output is needed any more once it is written. */
void printer_release(struct output *output);

/* The rest of the output is dropped: says so, once. */
void printer_lose(struct output *output, int error);

/* A descriptor cannot be written to: the run is cancelled. */
void printer_fail(struct printer *printer, const struct sink *sink);

/* A line is not complete: what there is of it is printed after a while if it is
 * alone. */
void printer_await_prompt(struct printer *printer);

/* Counts a closed output that has something to write, until it is written or dropped:
 * of much that waits the rest goes to a file, and while it is more than should be the
 * loop's feeds are held back. */
void printer_count(struct output *output);
void printer_discount(struct output *output);

/* It is somebody else's turn. */
void printer_has_turn(struct printer *printer);

/* output.c: a partial line has waited long enough. */
void output_flush_prompt(struct output *output);

#endif
