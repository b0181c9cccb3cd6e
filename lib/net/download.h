/*
 * download.h - a download for others in this room: what ajob.h cannot say.
 *
 * The way of a file through this room, from who asks to the disk. What is higher uses what
 * is lower; facts come back up by callbacks that each header has the order of.
 *
 *   download      the task: whose attempt is next (retries, mirrors), the result
 *   plan          its options, checked: sources, directory (dir), name, digest; all
 *                   down to stream read it
 *   transfer      one attempt, a machine: the old file, the part, its bytes, the rename
 *   resume        which part may go on with which source, and what stays for the next
 *   pieces        brings what the part lacks, over as many connections as segments advises;
 *                   pieces_answer: does what is sent belong to what is there
 *                   pieces_share: who asks whom for which bytes
 *   stream        one connection's share of the file
 *   verifier      the digest, on a thread behind those who write
 *   part          PATH.part with part_note beside it; what is there (ranges); part_own:
 *                   one that nobody else can have
 *   taken         no two files of a run go to one; guard: nor to one that is no download's
 *   disk, sync    what all of these ask of the disk, with AJOB_FAULT's faults
 *
 *   fetch         one exchange for a stream, or a query: redirects, and what is sent where;
 *                   stall (pace): is it too slow; failure: why, and whether to try again
 *   headers       what a server says; answer: what that means for a part
 *   profile       how to talk to a server, for all who talk alike; mask: its secrets
 *   host          how many connections it may have, and when it wants to be left alone
 *   multi         libcurl on the loop; lazy_*: libraries that are loaded when needed
 *   throttle      --limit-rate, for all transfers together
 *   url, name, json_field    what comes from outside: questions about it, made harmless
 *
 * And of a release, which ends in downloads:
 *
 *   listing, release    the tasks: which releases, and what is in one (release_plan)
 *   assets              those that are chosen, their downloads; checksums: their digests;
 *                         refusal: one that cannot come
 *   lost                an asset that has gone when its turn comes: assets once more
 *   inquiry, query      what is asked of the API; cache: its answers; github: its JSON
 *   lock                what was chosen; lock_file, lock_json: its file
 *
 * To add
 *   a rule for mirrors    for the next attempt: choose_next() in download.c; for further
 *                         connections of one: choose_source() in pieces_share.c
 *   a validator           its field in headers.c; kept: resume_learn() and part_note.c;
 *                         compared: answer.c; sent: validator_for() in pieces_share.c
 *   a header to be sent   to a server, always: profile.c; with one exchange: fetch.c
 *   a reason to retry     failure.c, or response_wait_ms() in headers.c for how long
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

/* Of what came, in hex: while the download lives and is not tried again. NULL: nothing came,
 * or it was not computed. */
const char *download_sha256(const ajob_task *download);

#endif
