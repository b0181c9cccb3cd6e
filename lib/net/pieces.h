/*
 * pieces.h - brings what a part lacks, over one connection or several.
 *
 * The first stream asks as if it were the only one: for the whole file, or from the first
 * gap on. Its answer says which version of the file it is. Where that can be asked for in
 * ranges, and segments.h finds it worth it, others begin beside it: each takes a gap that
 * nobody brings, else half of the largest rest that another one still has to bring.
 *
 * A stream that fails leaves its share to the others; only with the last one does the
 * attempt fail, and what has come by then is the next attempt's to continue.
 *
 * Nothing is kept that does not belong together: every answer is checked against the first
 * one (answer.h). Other servers than that of the attempt take part only where a digest is
 * known, which proves the whole.
 */
#ifndef AJOB_NET_PIECES_H
#define AJOB_NET_PIECES_H

#include "core/deadline.h"
#include "core/task.h"
#include "net/part.h"
#include "net/plan.h"
#include "net/segments.h"
#include "net/stream.h"
#include "net/verifier.h"

enum pieces_result {
    PIECES_UNDER_WAY,
    PIECES_COMPLETE,
    PIECES_UNWANTED,    /* what the server has is there already */
    PIECES_FAILED,      /* as this server is, or was */
    PIECES_FAILED_HERE, /* on this machine: no other server mends it */
};

/* How it went, once it is over; the cause of a failure grows before. */
struct pieces_verdict {
    enum pieces_result result;
    bool is_retryable;
    bool is_useless; /* the part */
    bool is_mixed;   /* there was more than one answer */
    bool is_gone;    /* the server does not have the file (404, 410) */
    bool is_other;   /* ... has another one: its size is not the one expected */
    int64_t retry_after_ms;
    struct text cause;
};

/* What was asked first, and answered (pieces_answer.c). */
struct pieces_answer {
    bool is_foreign; /* what the part has is another server's: the whole is asked for */
    bool has_come;   /* the first one was taken */
    bool may_split;  /* into ranges */
};

/* What comes, and when: by which shares are made and taken away (pieces_share.c). */
struct pieces_flow {
    uint64_t began_ms;
    uint64_t bytes;   /* since then */
    uint64_t done_ms; /* when a stream had brought its share last; 0: not yet */
    uint64_t told_ms; /* of it to the listeners, last */
};

struct pieces {
    /* Set before pieces_start(), with all else zeroed: */
    struct ajob_task *task;
    const struct transfer_plan *plan;
    struct source *source; /* of the attempt, whose host the task has a slot of */
    struct part *part;     /* claimed; what it has is kept if note says of what */
    struct part_note *note;
    struct verifier *verifier; /* is told of the bytes without a gap from the start; or NULL */
    bool is_single;            /* no second stream whatever the plan says */
    /* The whole file comes: is it wanted? May be asked from inside libcurl. */
    bool (*is_wanted)(void *owner, const struct response *response);
    void (*over)(void *owner); /* once, unless stopped; never from inside pieces_start() */
    void *owner;

    struct stream streams[SEGMENTS_MAX];
    struct segments segments;
    unsigned wanted;      /* streams */
    struct deadline tick; /* to ask for advice and to write the note */
    struct pieces_answer answer;
    struct pieces_flow flow;
    /* Also meanwhile: */
    uint64_t here;         /* bytes in the part, those that are joined included */
    uint64_t resumed_from; /* of these so many were there before */
    int64_t total;         /* -1: not known */
    struct pieces_verdict verdict;
};

/* Begins. False if it cannot: then it is over, without over(). */
bool pieces_start(struct pieces *pieces);

/* Ends all streams without over(); what has come is written. To be called in any case. */
void pieces_stop(struct pieces *pieces);

/* Frees what it holds. */
void pieces_done(struct pieces *pieces);

#endif
