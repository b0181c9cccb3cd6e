/*
 * probe.h - finding out whether a service is ready.
 *
 * A plan is what ajob_ready_options say, checked and taken apart; it is made once
 * and serves every attempt. A probe is one attempt's: it looks again and again (tcp,
 * http, file, exec) or is told (line, fd) until the service is ready, and says so
 * once. Whatever it has open on the loop outlives it for a moment and frees itself.
 */
#ifndef AJOB_EXEC_PROBE_H
#define AJOB_EXEC_PROBE_H

#include "ajob.h"
#include "base/text.h"

enum {
    PROBE_INTERVAL_MS = 100,
    PROBE_VALUE_MAX = 4096, /* bytes of fd's value */
};

struct probe_plan;

/* NULL with what is wrong appended to error (one line, no prefix), or on lack of
 * memory with error as it was. Not for AJOB_READY_AT_START. */
struct probe_plan *probe_plan_new(const ajob_ready_options *options, struct text *error);

/* Takes NULL. No probe of it may be left. */
void probe_plan_free(struct probe_plan *plan);

/* The descriptor of the service's whose first line is the value; 0: none. */
int probe_plan_fd(const struct probe_plan *plan);

/* The lines that the service prints matter. */
bool probe_plan_wants_lines(const struct probe_plan *plan);

struct probe;

struct probe_owner {
    /* The service is ready; value is what it wrote to its descriptor, else NULL. Once,
     * from the loop or from inside probe_line() and probe_value(). */
    void (*ready)(void *owner, const char *value);
    /* What probe_stop() left has gone; from the loop. */
    void (*gone)(void *owner);
};

struct probe_setup {
    struct ajob_task *task;        /* the service, for notes */
    const struct probe_plan *plan; /* outlives the probe and what it leaves */
    const char *dir;               /* what a path and a command start from; NULL: where we are */
    const char *const *env;        /* of a command, as in ajob_exec_options; lives as the plan */
    const struct probe_owner *owner;
    void *data;
};

/* NULL on lack of memory. */
struct probe *probe_start(const struct probe_setup *setup);

/* A line that the service has printed, and the first one of its descriptor. False: there
 * is no memory to look at it. */
bool probe_line(struct probe *probe, const char *line, size_t length);
void probe_value(struct probe *probe, const char *value);

/* ready() comes no more; the probe is gone. False: a command of its is still being
 * stopped, and gone() will come. Takes NULL. */
bool probe_stop(struct probe *probe);

#endif
