/*
 * probe.h - finding out whether a service is ready.
 *
 * A plan is what ajob_ready_options say, checked and taken apart; it is made once
 * and serves every attempt. A probe is one attempt's: it looks (tcp, http, file,
 * exec: again and again; line, fd: at what it is given) until the service is
 * ready, and says so once. Whatever a probe has open on the loop outlives it for a
 * moment and frees itself, so probe_stop() is immediate.
 */
#ifndef AJOB_EXEC_PROBE_H
#define AJOB_EXEC_PROBE_H

#include "ajob.h"
#include "base/text.h"
#include "exec/output.h"

enum {
    PROBE_INTERVAL_MS = 100,
    PROBE_LINE_MAX = 64 * 1024, /* bytes of a line that are matched */
    PROBE_VALUE_MAX = 4096,     /* bytes of fd's value */
};

struct probe_plan;

/* NULL with what is wrong appended to error (one line, no prefix), or on lack of
 * memory with error as it was. Not for AJOB_READY_AT_START. */
struct probe_plan *probe_plan_new(const ajob_ready_options *options, struct text *error);

/* Takes NULL. No probe of it may be left. */
void probe_plan_free(struct probe_plan *plan);

/* The descriptor on which the service is to get the writing end of a pipe; -1:
 * its readiness is not told that way. */
int probe_plan_fd(const struct probe_plan *plan);

struct probe;

/* The service is ready; value is what it wrote to its fd, else NULL. The probe may
 * be stopped from inside. */
typedef void probe_ready_fn(void *data, const char *value);

struct probe_setup {
    struct ajob_loop *loop;
    const struct probe_plan *plan; /* outlives the probe */
    const char *dir;               /* what a path and a command start from; NULL: where we are */
    const char *const *env;        /* of a command, as in ajob_exec_options; outlives the probe */
    int fd;                        /* the reading end of the pipe; taken over, also on failure */
    probe_ready_fn *ready;
    void *data;
};

/* ready() comes once, from the loop or from inside probe_add(). NULL on lack of
 * memory or descriptors. */
struct probe *probe_start(const struct probe_setup *setup);

/* What the service prints. */
void probe_add(struct probe *probe, enum output_stream stream, const char *data, size_t length);

/* ready() comes no more; the probe is gone. Takes NULL. */
void probe_stop(struct probe *probe);

#endif
