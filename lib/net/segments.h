/*
 * segments.h - how many connections one file is worth.
 *
 * Pure policy: no clock, no network. It is told now and then how far the file is and how
 * many connections bring it, and answers how many there should be. It begins with one and
 * doubles while that adds throughput, or while nothing comes at all (a server that limits
 * each connection often does so by pauses); it goes back to the best it has seen when more
 * does not. A server that refuses a connection sets the most there may be. Nothing is added
 * where what is left takes no time. What was decided is tried again, ever more seldom; what
 * was only guessed is weighed against half of it.
 */
#ifndef AJOB_NET_SEGMENTS_H
#define AJOB_NET_SEGMENTS_H

#include <stdbool.h>
#include <stdint.h>

enum {
    SEGMENTS_MAX = 16,           /* of one file; for a host see connections_per_host */
    SEGMENT_SIZE_MIN = 256 << 10 /* a smaller rest is not worth a connection */
};

struct segments {
    unsigned fixed; /* as many as the caller said; 0: what is worth it */
    unsigned most;  /* SEGMENTS_MAX, or less once a server has refused one */
    unsigned wanted;
    enum {
        SEGMENTS_GROWING,
        SEGMENTS_RESTING,  /* since rested_at_ms, for rest_ms */
        SEGMENTS_WEIGHING, /* what as many as there are bring */
        SEGMENTS_TRYING,   /* half of them */
    } phase;
    uint64_t rested_at_ms, rest_ms;
    bool is_guess; /* the count was not measured to be better than less */
    /* The step under way: since when, from which byte count, with how many. */
    uint64_t step_at_ms, step_bytes;
    unsigned step_count;
    uint64_t best_rate; /* bytes a second, of the best count so far */
    unsigned best_count;
    uint64_t began_ms;
    uint64_t heard_ms, heard_bytes; /* when bytes came last */
};

/* fixed 0: as many as are worth it; else at most SEGMENTS_MAX of them. */
void segments_begin(struct segments *segments, unsigned fixed);

/* At now_ms `count` connections bring bytes, `bytes` have come in all since
 * segments_begin(), and `left` are still to come. Returns how many connections there should
 * be from now on: at least 1. To be asked every SEGMENTS_ASK_MS or so; while it is resting
 * every second is enough. */
enum { SEGMENTS_ASK_MS = 20 };
unsigned segments_advise(struct segments *segments, uint64_t now_ms, unsigned count, uint64_t bytes,
                         uint64_t left);

/* A server did not take another connection beside `count`. */
void segments_refused(struct segments *segments, unsigned count);

#endif
