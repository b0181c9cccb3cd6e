/*
 * download.h - a download for other rooms of net: what ajob.h cannot say.
 */
#ifndef AJOB_NET_DOWNLOAD_H
#define AJOB_NET_DOWNLOAD_H

#include "ajob.h"
#include "net/plan.h"

/* Somebody who knows better than a download what it means that its server has not what
 * was asked for. */
struct download_watch {
    /* An attempt has failed, without another to come: the server has no such file
     * (is_gone) or another one. *cause, on the heap, may be exchanged. True: the attempt
     * goes on; download_again() or task_attempt_over() is owed. */
    bool (*lost)(ajob_task *download, void *data, bool is_gone, char **cause);
    /* The attempt that goes on is to end: task_attempt_over() is still owed. */
    void (*stop)(ajob_task *download, void *data);
    void (*free)(void *data);
};

struct download_extra {
    struct plan_extra plan;
    bool is_release;                    /* that it has no digest is worth saying */
    const struct download_watch *watch; /* static; NULL: nobody */
    void *watch_data;                   /* freed by watch->free(), also if there is no task */
};

/* As ajob_download(). */
ajob_task *download_new(ajob_loop *loop, const ajob_download_options *options,
                        const struct download_extra *extra);

/* The attempt that goes on begins anew, with another URL, digest and so on. False with
 * ajob_error() set: it still goes on. */
bool download_again(ajob_task *download, const ajob_download_options *options,
                    const struct plan_extra *extra);

#endif
