/* segments.c - how many connections one file is worth. See segments.h. */
#include "net/segments.h"

enum {
    STEP_MS = 70,       /* a gain that shows in so short a time is one, */
    LONG_STEP_MS = 280, /* but that there is none takes longer to tell: bytes come in bursts */
    PATIENCE_MS = 1500, /* for connections that are wanted to come about */
    REST_MS = 5000,     /* after the first decision; twice as long after every other */
    REST_MAX_MS = 120000,
    WORTH_S = 1, /* what takes less is not worth another connection, */
    WORTH_BYTES = 1 << 20,
    GAIN_PERCENT = 15 /* nor is a doubling for which less comes of it */
};

void segments_begin(struct segments *segments, unsigned fixed) {
    *segments = (struct segments){
        .fixed = fixed > SEGMENTS_MAX ? SEGMENTS_MAX : fixed,
        .most = SEGMENTS_MAX,
        .wanted = 1,
        .rest_ms = REST_MS,
    };
}

static void begin_step(struct segments *segments, uint64_t now_ms, unsigned count, uint64_t bytes) {
    segments->step_at_ms = now_ms;
    segments->step_bytes = bytes;
    segments->step_count = count;
}

static void settle(struct segments *segments, uint64_t now_ms, unsigned count) {
    segments->wanted = count;
    segments->is_settled = true;
    segments->settled_at_ms = now_ms;
}

/* After the rest all is open again, and what is there now is what others have to beat. */
static bool is_resting(struct segments *segments, uint64_t now_ms) {
    if (!segments->is_settled)
        return false;
    if (now_ms - segments->settled_at_ms < segments->rest_ms)
        return true;
    segments->is_settled = false;
    segments->best_count = 0;
    segments->step_count = 0;
    segments->rest_ms = segments->rest_ms * 2 > REST_MAX_MS ? REST_MAX_MS : segments->rest_ms * 2;
    return false;
}

static bool is_worth_more(const struct segments *segments, uint64_t left) {
    uint64_t left_s = left / (segments->best_rate ? segments->best_rate : 1);
    return left >= WORTH_BYTES && left_s >= WORTH_S;
}

/* The step is long enough to say something. */
static void judge(struct segments *segments, uint64_t now_ms, uint64_t bytes, uint64_t left) {
    unsigned count = segments->step_count;
    uint64_t elapsed_ms = now_ms - segments->step_at_ms;
    uint64_t rate = (bytes - segments->step_bytes) * 1000 / elapsed_ms;
    bool is_gain = rate >= segments->best_rate + segments->best_rate * GAIN_PERCENT / 100;
    if (count > segments->best_count && segments->best_count && !is_gain) {
        if (elapsed_ms >= LONG_STEP_MS)
            settle(segments, now_ms, segments->best_count);
        return;
    }
    segments->best_count = count;
    segments->best_rate = rate;
    if (is_worth_more(segments, left))
        segments->wanted = count * 2 < segments->most ? count * 2 : segments->most;
    if (segments->wanted <= count && count >= segments->most)
        settle(segments, now_ms, segments->most);
    begin_step(segments, now_ms, count, bytes);
}

unsigned segments_advise(struct segments *segments, uint64_t now_ms, unsigned count, uint64_t bytes,
                         uint64_t left) {
    if (segments->fixed)
        return segments->fixed < segments->most ? segments->fixed : segments->most;
    if (is_resting(segments, now_ms))
        return segments->wanted;
    if (count != segments->step_count)
        begin_step(segments, now_ms, count, bytes);
    uint64_t elapsed_ms = now_ms - segments->step_at_ms;
    if (count < segments->wanted && segments->best_count) {
        if (elapsed_ms >= PATIENCE_MS)
            settle(segments, now_ms, count ? count : 1);
    } else if (elapsed_ms >= STEP_MS && bytes > segments->step_bytes) {
        judge(segments, now_ms, bytes, left);
    }
    return segments->wanted;
}

void segments_refused(struct segments *segments, unsigned count) {
    segments->most = count ? count : 1;
    if (segments->wanted > segments->most)
        segments->wanted = segments->most;
}
