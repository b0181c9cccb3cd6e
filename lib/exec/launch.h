/*
 * launch.h - from descriptors and strings to a process, at a cost that does not
 * depend on how much memory we have.
 */
#ifndef AJOB_EXEC_LAUNCH_H
#define AJOB_EXEC_LAUNCH_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

struct launch {
    const char *path; /* of the program; if it is relative, from dir */
    char *const *argv, *const *env;
    int dir;                      /* where it runs, open; -1: where we are */
    int in, out, err;             /* its 0, 1 and 2; from 3 */
    int extra, extra_as;          /* another descriptor and its number in it; -1: none */
    int shared[2];                /* it has these, too, under their own numbers; -1: none */
    const struct rlimit *files;   /* its RLIMIT_NOFILE; NULL: ours */
    volatile int32_t *registered; /* gets the pid before the program runs; may be NULL */
    const sigset_t *ignored;      /* the signals that we ignore; NULL: not known */
    bool has_session;             /* of its own, not only a process group */
};

/* The program leads a process group of its own, has every signal at
 * its default and none blocked, and no descriptor but those named here. Returns
 * when it runs: 0, or the errno of what failed; there is no process then. */
int launch(const struct launch *launch, pid_t *ret_pid);

#endif
