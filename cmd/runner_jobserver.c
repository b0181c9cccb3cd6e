/*
 * runner_jobserver.c - --jobserver: the limit on commands that ajob shares with GNU
 * make. See runner.h.
 */
#include "runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { JOBSERVER_AUTO, JOBSERVER_JOIN, JOBSERVER_PIPE, JOBSERVER_FIFO, JOBSERVER_NONE };

const char *const run_jobserver_words[] = {"auto", "join", "pipe", "fifo", "none", NULL};

/* Without a number of its own a run takes what it gets; gather and the like start
 * all at once unless they are told otherwise. */
static int join(struct run *run, const struct run_work *work, bool is_asked) {
    const struct amount *jobs = &run->options->jobs;
    if (!is_asked && work->commands)
        return STATUS_OK;
    int joined = ajob_join_jobserver(run->loop, (unsigned)jobs->value);
    if (joined == 1 || !is_asked)
        return STATUS_OK;
    return cli_fail(run->command, joined ? run_refused(run) : STATUS_USAGE, "--jobserver: %s",
                    joined ? ajob_error(run->loop)
                           : "MAKEFLAGS names none: start ajob in a rule of make -j");
}

static int offer(struct run *run, bool is_fifo) {
    const struct amount *jobs = &run->options->jobs;
    const char *directory = getenv("TMPDIR");
    char path[4096];
    unsigned slots = (unsigned)jobs->value;
    if (!slots)
        slots = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
    snprintf(path, sizeof path, "%s/ajob-jobserver-%ld",
             directory && *directory ? directory : "/tmp", (long)getpid());
    if (ajob_offer_jobserver(run->loop, slots, is_fifo ? path : NULL) == 0)
        return STATUS_OK;
    return cli_fail(run->command, run_refused(run), "--jobserver: %s", ajob_error(run->loop));
}

int run_set_jobserver(struct run *run, const struct run_work *work) {
    switch (run->options->jobserver) {
    case JOBSERVER_AUTO:
    case JOBSERVER_JOIN:
        return join(run, work, run->options->jobserver == JOBSERVER_JOIN);
    case JOBSERVER_PIPE:
    case JOBSERVER_FIFO:
        return offer(run, run->options->jobserver == JOBSERVER_FIFO);
    default:
        return STATUS_OK;
    }
}
