/* view_rate.c - bytes a second, as they are now. See view.h. */
#include "view.h"

void rate_start(struct rate *rate, uint64_t bytes, uint64_t now) {
    *rate = (struct rate){.bytes = bytes, .at = now, .grown_at = now};
}

void rate_sample(struct rate *rate, uint64_t bytes, uint64_t now) {
    double elapsed = now > rate->at ? (double)(now - rate->at) : 0;
    double fresh = elapsed / (4000 + elapsed);
    double moved = bytes > rate->bytes ? (double)(bytes - rate->bytes) : 0;

    if (elapsed < VIEW_TICK_MS / 2)
        return;
    if (moved > 0)
        rate->grown_at = now;
    if (now - rate->grown_at >= STALLED_MS) { /* what was before says nothing any more */
        rate_start(rate, bytes, now);
        rate->grown_at = now - STALLED_MS;
        return;
    }
    rate->sum += fresh * (moved * 1000 / elapsed - rate->sum);
    rate->weight += fresh * (1 - rate->weight);
    rate->bytes = bytes;
    rate->at = now;
}

uint64_t rate_value(const struct rate *rate) {
    return rate->weight > 0 ? (uint64_t)(rate->sum / rate->weight) : 0;
}
