/*
 * pipes.h - the pipes from a process, read as something comes.
 */
#ifndef AJOB_EXEC_PIPES_H
#define AJOB_EXEC_PIPES_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "exec/spawn.h"

struct queue;

/* Who gets what is read. */
struct pipes_reader {
    /* data is NULL once SPAWN_EXTRA was closed. */
    void (*read)(void *reader, enum spawn_pipe pipe, const char *data, size_t length);
    /* Nothing of what is printed is to be read, until pipes_read_on(). */
    bool (*is_full)(void *reader);
    /* What is printed may be read some milliseconds late. */
    bool (*is_patient)(void *reader);
};

struct pipes {
    struct pipe {
        uv_pipe_t handle;
        struct pipes *pipes;
        int fd;
        bool is_open;
        bool is_watched; /* has a handle */
    } of[SPAWN_PIPES];
    struct queue *queue; /* for its buffer and loop */
    const struct pipes_reader *reader;
    void *data;
    void (*closed)(struct pipes *pipes); /* one was, by the process */
    void (*gone)(struct pipes *pipes);   /* no handle is left: the memory may go */
    unsigned handles;
    size_t total; /* bytes read */
};

/* Those that were spawned are the pipes' from now on. Nothing is read yet. */
void pipes_open(struct pipes *pipes, const struct spawned *spawned);

/* From now on reads as something comes. A command that ends before that is read at once by
 * pipes_read_now(), which spares it the loop's attention: half of what its pipes cost.
 * False: one cannot be read, and is closed. */
bool pipes_watch(struct pipes *pipes);

/* It need not be now: the reader is patient, and no pipe is likely to be full soon, since
 * the process that ended last printed less than fits into one. */
bool pipes_may_wait(const struct pipes *pipes);

/* One of the two that it prints to is open. */
bool pipes_print(const struct pipes *pipes);

bool pipes_are_full(const struct pipes *pipes);

/* The reader has room again. */
void pipes_read_on(struct pipes *pipes);

/* What is in them now: at most 1 MiB each, for who writes may go on. */
void pipes_read_now(struct pipes *pipes);

void pipes_close(struct pipes *pipes, enum spawn_pipe pipe);
void pipes_close_all(struct pipes *pipes);

#endif
