/*
 * throttle.c - who may receive how much, and when. See throttle.h.
 *
 * The bucket is a point in time (the generic cell rate algorithm): everything up to
 * spent_ns has been received, at the limit; what lies between it and now is what is in the
 * bucket. That is clamped to the bucket's size, but never while somebody waits for a piece
 * that is larger.
 */
#include "net/throttle.h"

#include "base/mem.h"
#include "core/deadline.h"
#include "core/loop.h"

enum { NS_PER_MS = 1000000, BURST_MS = 100, SHARE_MS = 5, PIECE_MIN = 1024 };

struct throttle {
    struct loop_module module;
    struct ajob_loop *loop;
    struct throttle_place *first, *last; /* in line */
    struct throttle_place *served;       /* its go_on() is under way: it need not queue */
    uint64_t served_ns;                  /* what it has taken since */
    struct deadline deadline;            /* when the first may go on */
    uint64_t spent_ns;
};

static const char throttle_key; /* its address names the module */

static void free_throttle(struct loop_module *module) {
    struct throttle *throttle = (struct throttle *)module;
    deadline_done(&throttle->loop->deadlines, &throttle->deadline);
    mem_free(throttle);
}

static struct throttle *throttle_of(struct ajob_loop *loop) {
    return (struct throttle *)loop_find_module(loop, &throttle_key);
}

static uint64_t cost_ns(const struct throttle *throttle, size_t length) {
    double cost = (double)length * 1e9 / (double)throttle->loop->limit_rate;
    return cost < 1e18 ? (uint64_t)cost + 1 : (uint64_t)1e18; /* rather less than too much */
}

/* What was not used in time is lost, but for what a piece that is waited for needs. */
static void clamp(struct throttle *throttle, uint64_t now_ns, uint64_t kept_ns) {
    uint64_t most_ns = (uint64_t)BURST_MS * NS_PER_MS + kept_ns;
    if (now_ns > most_ns && throttle->spent_ns < now_ns - most_ns)
        throttle->spent_ns = now_ns - most_ns;
}

static void arm(struct throttle *throttle) {
    const struct throttle_place *first = throttle->first;
    if (!first) {
        deadline_disarm(&throttle->loop->deadlines, &throttle->deadline);
        return;
    }
    uint64_t at_ns = throttle->spent_ns + cost_ns(throttle, first->length);
    deadline_arm(&throttle->loop->deadlines, &throttle->deadline,
                 (at_ns + NS_PER_MS - 1) / NS_PER_MS);
}

static void leave(struct throttle *throttle, struct throttle_place *place) {
    *(place->previous ? &place->previous->next : &throttle->first) = place->next;
    *(place->next ? &place->next->previous : &throttle->last) = place->previous;
    place->previous = place->next = NULL;
    place->is_waiting = false;
}

/* Whoever is due, in order. One who has had its share is at the end of the line again. */
static void serve(struct deadline *deadline) {
    struct throttle *throttle =
        (struct throttle *)((char *)deadline - offsetof(struct throttle, deadline));
    struct throttle_place *place;
    uint64_t now_ns = loop_now_ns(throttle->loop);
    while ((place = throttle->first)) {
        uint64_t cost = cost_ns(throttle, place->length);
        if (throttle->spent_ns + cost > now_ns)
            break;
        clamp(throttle, now_ns, cost);
        leave(throttle, place);
        throttle->served = place;
        throttle->served_ns = 0;
        place->go_on(place);
        throttle->served = NULL;
    }
    arm(throttle);
}

bool throttle_open(struct ajob_loop *loop) {
    if (!loop->limit_rate)
        return true;
    struct throttle *throttle =
        (struct throttle *)loop_module(loop, &throttle_key, sizeof(struct throttle), free_throttle);
    if (!throttle || throttle->deadline.due)
        return throttle != NULL;
    throttle->loop = loop;
    throttle->spent_ns = loop_now_ns(loop);
    if (deadline_init(&loop->deadlines, &throttle->deadline, serve))
        return true;
    loop_fail_memory(loop);
    return false;
}

bool throttle_take(struct ajob_loop *loop, struct throttle_place *place, size_t length) {
    if (!loop->limit_rate)
        return true;
    struct throttle *throttle = throttle_of(loop);
    uint64_t now_ns = loop_now_ns(loop), cost = cost_ns(throttle, length);
    if (!throttle->first && !throttle->served)
        clamp(throttle, now_ns, 0);
    bool is_served =
        throttle->served == place && throttle->served_ns < (uint64_t)SHARE_MS * NS_PER_MS;
    if ((is_served || !throttle->first) && throttle->spent_ns + cost <= now_ns) {
        throttle->spent_ns += cost;
        throttle->served_ns += cost;
        return true;
    }
    place->length = length;
    place->is_waiting = true;
    place->previous = throttle->last;
    place->next = NULL;
    *(throttle->last ? &throttle->last->next : &throttle->first) = place;
    throttle->last = place;
    arm(throttle);
    return false;
}

void throttle_leave(struct ajob_loop *loop, struct throttle_place *place) {
    if (!place->is_waiting)
        return;
    struct throttle *throttle = throttle_of(loop);
    leave(throttle, place);
    arm(throttle);
}

long throttle_piece(const struct ajob_loop *loop, long size) {
    uint64_t burst = loop->limit_rate / (1000 / BURST_MS);
    if (!loop->limit_rate || burst >= (uint64_t)size)
        return size;
    return burst < PIECE_MIN ? PIECE_MIN : (long)burst;
}
