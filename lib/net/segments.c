/* segments.c - how many connections one file is worth. See segments.h. */
#include "net/segments.h"

enum {
    STEP_MS = 60,       /* a gain that shows in so short a time is one, */
    LONG_STEP_MS = 280, /* but that there is none takes longer to tell: bytes come in bursts */
    IDLE_MS = 40,       /* nothing has come for so long: the line has room */
    PATIENCE_MS = 1500, /* for connections that are wanted to come about */
    WEIGH_MS = 1000,
    REST_MS = 5000,       /* after the first decision; twice as long after every other */
    GUESS_REST_MS = 1000, /* before a guess is weighed */
    REST_MAX_MS = 120000,
    WORTH_MS = 1000, /* what takes less is not worth another connection, */
    WORTH_IDLE_MS = 300,
    WORTH_BYTES = 2 << 20,
    GAIN_PERCENT = 15, /* nor is a doubling for which less comes of it */
    LOSS_PERCENT = 10  /* what half of them may bring less, and be enough */
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
    segments->step_at_ms = segments->heard_ms = now_ms;
    segments->step_bytes = bytes;
    segments->step_count = count;
}

static void rest(struct segments *segments, uint64_t now_ms, unsigned count) {
    segments->phase = SEGMENTS_RESTING;
    segments->rested_at_ms = now_ms;
    segments->wanted = count;
}

/* What is there now is what others have to beat, or half of it has to match. */
static void wake(struct segments *segments) {
    segments->phase = segments->is_guess ? SEGMENTS_WEIGHING : SEGMENTS_GROWING;
    segments->best_count = segments->step_count = 0;
    if (segments->is_guess)
        return;
    segments->rest_ms *= 2;
    if (segments->rest_ms > REST_MAX_MS)
        segments->rest_ms = REST_MAX_MS;
}

static bool is_resting(const struct segments *segments, uint64_t now_ms) {
    uint64_t rest_ms = segments->is_guess ? GUESS_REST_MS : segments->rest_ms;
    return segments->phase == SEGMENTS_RESTING && now_ms - segments->rested_at_ms < rest_ms;
}

/* Whether `left` bytes take longer than that at this rate. */
static bool takes(uint64_t left, uint64_t rate, uint64_t ms) {
    return left >= WORTH_BYTES && left / ms >= rate / 1000;
}

static uint64_t rate_of_step(const struct segments *segments, uint64_t now_ms, uint64_t bytes) {
    uint64_t elapsed_ms = now_ms - segments->step_at_ms;
    return (bytes - segments->step_bytes) * 1000 / (elapsed_ms ? elapsed_ms : 1);
}

static void want_double(struct segments *segments, unsigned count) {
    segments->wanted = count * 2 < segments->most ? count * 2 : segments->most;
}

/* Bytes flow, and the step is long enough to say something. */
static void judge(struct segments *segments, uint64_t now_ms, uint64_t bytes, uint64_t left) {
    unsigned count = segments->step_count;
    uint64_t rate = rate_of_step(segments, now_ms, bytes);
    bool is_gain = rate >= segments->best_rate + segments->best_rate * GAIN_PERCENT / 100;
    if (count > segments->best_count && segments->best_count && !is_gain) {
        if (now_ms - segments->step_at_ms >= LONG_STEP_MS)
            rest(segments, now_ms, segments->best_count);
        return;
    }
    segments->best_count = count;
    segments->best_rate = rate;
    if (takes(left, rate, WORTH_MS))
        want_double(segments, count);
    if (segments->wanted <= count && count >= segments->most)
        rest(segments, now_ms, segments->most);
    begin_step(segments, now_ms, count, bytes);
}

static void grow(struct segments *segments, uint64_t now_ms, uint64_t bytes, uint64_t left) {
    unsigned count = segments->step_count;
    uint64_t so_far_ms = now_ms - segments->began_ms + SEGMENTS_ASK_MS;
    bool is_idle = bytes && now_ms - segments->heard_ms >= IDLE_MS;
    if (is_idle && takes(left, bytes * 1000 / so_far_ms, WORTH_IDLE_MS)) {
        segments->is_guess = true;
        segments->best_count = count;
        segments->best_rate = rate_of_step(segments, now_ms, bytes);
        want_double(segments, count);
        if (segments->wanted <= count)
            rest(segments, now_ms, segments->most);
        begin_step(segments, now_ms, count, bytes);
    } else if (now_ms - segments->step_at_ms >= STEP_MS && bytes > segments->step_bytes) {
        judge(segments, now_ms, bytes, left);
    }
}

/* A guess against half of it, and that against its half, until less would be lost. */
static void weigh(struct segments *segments, uint64_t now_ms, uint64_t bytes) {
    unsigned count = segments->step_count;
    uint64_t rate = rate_of_step(segments, now_ms, bytes);
    if (now_ms - segments->step_at_ms < WEIGH_MS)
        return;
    bool is_enough = segments->phase == SEGMENTS_WEIGHING ||
                     rate >= segments->best_rate - segments->best_rate * LOSS_PERCENT / 100;
    segments->is_guess = is_enough && count > 1;
    if (segments->is_guess) {
        segments->phase = SEGMENTS_TRYING;
        segments->best_count = count;
        segments->best_rate = rate;
        segments->wanted = count / 2;
    } else {
        rest(segments, now_ms, is_enough ? count : segments->best_count);
    }
}

unsigned segments_advise(struct segments *segments, uint64_t now_ms, unsigned count, uint64_t bytes,
                         uint64_t left) {
    if (segments->fixed)
        return segments->fixed < segments->most ? segments->fixed : segments->most;
    if (is_resting(segments, now_ms))
        return segments->wanted;
    if (segments->phase == SEGMENTS_RESTING)
        wake(segments);
    if (!segments->began_ms)
        segments->began_ms = now_ms;
    if (count != segments->step_count)
        begin_step(segments, now_ms, count, bytes);
    if (bytes != segments->heard_bytes)
        segments->heard_ms = now_ms;
    segments->heard_bytes = bytes;
    if (count < segments->wanted && segments->best_count) {
        if (now_ms - segments->step_at_ms >= PATIENCE_MS)
            rest(segments, now_ms, count ? count : 1);
    } else if (segments->phase == SEGMENTS_GROWING) {
        grow(segments, now_ms, bytes, left);
    } else {
        weigh(segments, now_ms, bytes);
    }
    return segments->wanted;
}

void segments_refused(struct segments *segments, unsigned count) {
    segments->most = count ? count : 1;
    if (segments->wanted > segments->most)
        segments->wanted = segments->most;
}
