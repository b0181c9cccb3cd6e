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
};

struct pipes {
    struct pipe {
        uv_pipe_t handle;
        struct pipes *pipes;
        int fd;
        bool is_open;
    } of[SPAWN_PIPES];
    struct queue *queue; /* for its buffer and loop */
    const struct pipes_reader *reader;
    void *data;
    void (*closed)(struct pipes *pipes); /* one was, by the process */
    void (*gone)(struct pipes *pipes);   /* no handle is left: the memory may go */
    unsigned handles;
};

/* Begins to read from those that were spawned, which are the pipes' from now on. False:
 * one cannot be read, and is closed. */
bool pipes_open(struct pipes *pipes, const struct spawned *spawned);

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
