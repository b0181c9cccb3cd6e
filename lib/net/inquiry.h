/*
 * inquiry.h - what a task asks the API on behalf of an ajob_release(), and how it
 * fails if the answer is none.
 */
#ifndef AJOB_NET_INQUIRY_H
#define AJOB_NET_INQUIRY_H

#include "core/task.h"
#include "net/query.h"
#include "net/release_plan.h"

struct inquiry {
    struct ajob_task *task;    /* whose attempt it is */
    struct release_plan *plan; /* shared by all that one ajob_release() leads to */
    const char *tag;           /* that is asked for; NULL: the latest, or all */
    struct query query;
    unsigned pages; /* that this attempt has read */
};

typedef void answered_fn(struct query *query, const struct query_result *result);

/* For a task made by task_new(). */
void inquiry_init(struct inquiry *inquiry, struct ajob_task *task, struct release_plan *plan);
void inquiry_done(struct inquiry *inquiry);

/* Asks for this URL (on the heap, taken over; NULL fails the attempt): that of a
 * file, or a question to the API. query->owner is the task. */
void inquiry_ask(struct inquiry *inquiry, char *url, bool is_file, answered_fn *answered);

/* Asks for the page after this one, if it is the API's: the token goes with it. */
void inquiry_ask_next(struct inquiry *inquiry, const struct query_result *result,
                      answered_fn *answered);

/* Ends the attempt: with this cause ("": there was no memory for it), tried again if result (or
 * NULL) says so; or with what the answer was instead of one. */
void inquiry_fail(struct inquiry *inquiry, const struct query_result *result, const char *cause);
void inquiry_fail_for(struct inquiry *inquiry, const struct query_result *result);

#endif
