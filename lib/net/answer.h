/*
 * answer.h - what a server's answer means for a part.
 *
 * Pure. A server may answer a request for a range with the whole file, with another
 * range, or with the right one of another version of the file; none of it may ever be put
 * together with what is there (RFC 9110, 13.1.5, 14.2, 15.3.7).
 */
#ifndef AJOB_NET_ANSWER_H
#define AJOB_NET_ANSWER_H

#include "net/headers.h"
#include "net/part.h"

enum answer {
    ANSWER_WHOLE,   /* the whole file comes */
    ANSWER_RANGE,   /* the range that was asked for comes, or a beginning of it */
    ANSWER_OTHER,   /* something comes that does not fit */
    ANSWER_NOTHING, /* 416: there is nothing at that place, for the file ends there */
    ANSWER_CHANGED, /* 416: the file is not the one that it was */
};

/* What was asked for. */
struct question {
    bool has_range;
    uint64_t first;
    const struct part_note *note; /* of the part: its total, and its validators */
    bool is_same_server;          /* that the validators are of: they are not to differ */
    bool must_say_etag;           /* where there is one, as RFC 9110, 15.3.7 has it */
};

enum answer answer_to(const struct question *question, const struct response *response);

/* The total that an ANSWER_RANGE says or implies. */
int64_t answer_total(const struct question *question, const struct response *response);

#endif
