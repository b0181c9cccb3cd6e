/*
 * spawn.h - a command as people write it becomes a process with pipes.
 */
#ifndef AJOB_EXEC_SPAWN_H
#define AJOB_EXEC_SPAWN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

struct jobserver_gift;
struct output;

/* What to run. The strings belong to the caller. */
struct spawn {
    const char *const *argv; /* ends with NULL */
    const char *const *env;  /* as in ajob_exec_options */
    const char *dir;
    const char *stdin_path;            /* NULL: none */
    const struct output *stdin_output; /* instead; NULL: none */
    int extra_as;                      /* a pipe from this descriptor of its; 0: none */
};

/* What all that are spawned share. */
struct spawn_room {
    int nothing;                       /* /dev/null, open for reading */
    const struct rlimit *files;        /* the limit that they get; NULL: ours */
    volatile int32_t *registered;      /* see launch.h */
    const sigset_t *ignored;           /* see launch.h */
    bool has_session;                  /* see launch.h */
    const char *mark;                  /* one more variable, NAME=value; NULL: none */
    const struct jobserver_gift *gift; /* NULL: none */
};

enum spawn_pipe { SPAWN_STDOUT, SPAWN_STDERR, SPAWN_EXTRA, SPAWN_PIPES };

struct spawned {
    pid_t pid;
    int pipes[SPAWN_PIPES]; /* their ends for reading; -1: none */
};

enum spawn_verdict {
    SPAWN_DONE,
    SPAWN_LATER, /* there were too many processes or files, or too little memory */
    SPAWN_FAILED,
};

/* Why not; for SPAWN_LATER what would be said if it were given up. */
struct spawn_failure {
    int exit;    /* as a shell has it: 127 not found, 126 cannot be run; -1: not begun */
    char *cause; /* the receiver's; NULL on lack of memory */
};

enum spawn_verdict spawn_try(const struct spawn *spawn, const struct spawn_room *room,
                             struct spawned *ret_spawned, struct spawn_failure *ret_failure);

#endif
