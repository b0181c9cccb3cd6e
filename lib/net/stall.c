/* stall.c - whether an exchange is too slow. See stall.h. */
#include "net/stall.h"

#include "ajob.h"
#include "core/loop.h"
#include "net/profile.h"

static void arm(struct stall *stall, uint64_t from_ms) {
    stall->is_suspect = false;
    deadline_arm(&stall->loop->deadlines, &stall->look,
                 deadline_after(from_ms, pace_step_ms(&stall->pace)));
}

static bool is_timed(struct stall *stall) {
    curl_off_t connected_us = 0;
    curl_easy_getinfo(stall->easy, CURLINFO_PRETRANSFER_TIME_T, &connected_us);
    if (connected_us && !stall->is_timed)
        pace_begin(&stall->pace, stall->started_ms + (uint64_t)connected_us / 1000, 0);
    stall->is_timed = stall->is_timed || connected_us;
    if (stall->is_timed && stall->heard_ms)
        pace_begin(&stall->pace, stall->heard_ms, 0);
    stall->heard_ms = 0;
    return stall->is_timed;
}

/* What we held back counts as arrived, and nothing could while we were stopped. */
static void forgive(struct stall *stall, uint64_t now_ms) {
    bool was_stopped = now_ms > stall->look.at_ms + stall->pace.window_ms / 2;
    if (stall->place->is_waiting || stall->was_held_back || was_stopped)
        pace_begin(&stall->pace, now_ms, stall->received);
    stall->was_held_back = false;
}

static void tell(struct stall *stall) {
    char duration[32], cause[96];
    ajob_format_duration(duration, stall->pace.window_ms);
    if (stall->pace.in_window)
        snprintf(cause, sizeof cause, "stalled: less than %llu bytes/s for %s",
                 (unsigned long long)stall->pace.min_speed, duration);
    else
        snprintf(cause, sizeof cause, "stalled: no data for %s", duration);
    stall->stalled(stall, cause);
}

/* libcurl's own limit on speed averages over seconds, so it is late by as much. */
static void look_is_due(struct deadline *deadline) {
    enum { LAST_CHANCE_MS = 20 };
    struct stall *stall = (struct stall *)((char *)deadline - offsetof(struct stall, look));
    uint64_t now_ms = loop_now_ms(stall->loop);
    bool is_slow = false;
    if (is_timed(stall)) {
        forgive(stall, now_ms);
        is_slow = pace_is_slow(&stall->pace, now_ms, stall->received);
    }
    if (!is_slow) {
        arm(stall, now_ms);
    } else if (!stall->is_suspect) { /* it may be us who were stopped: data may wait to be read */
        stall->is_suspect = true;
        deadline_arm(&stall->loop->deadlines, deadline, now_ms + LAST_CHANCE_MS);
    } else {
        tell(stall);
    }
}

bool stall_init(struct stall *stall, struct ajob_loop *loop, const struct throttle_place *place,
                void (*stalled)(struct stall *stall, const char *cause)) {
    stall->loop = loop;
    stall->place = place;
    stall->stalled = stalled;
    return deadline_init(&loop->deadlines, &stall->look, look_is_due);
}

void stall_begin(struct stall *stall, CURL *easy, const struct profile *profile) {
    stall->easy = easy;
    stall->started_ms = loop_now_ms(stall->loop);
    stall->heard_ms = stall->received = 0;
    stall->is_timed = stall->was_held_back = false;
    stall->pace.window_ms = profile->stall_ms;
    stall->pace.min_speed = profile->min_speed;
    arm(stall, stall->started_ms);
}

void stall_heard(struct stall *stall) {
    stall->heard_ms = loop_now_ms(stall->loop);
}

void stall_end(struct stall *stall) {
    deadline_disarm(&stall->loop->deadlines, &stall->look);
}

void stall_done(struct stall *stall) {
    if (stall->loop)
        deadline_done(&stall->loop->deadlines, &stall->look);
}
