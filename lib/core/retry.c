/* retry.c - exponential backoff with full jitter. See retry.h and ajob_retry in ajob.h. */
#include "core/retry.h"

#define AGES_MS 1e15 /* fits every integer of ours */

uint64_t retry_delay(const ajob_retry *retry, unsigned attempt, uint32_t draw, uint64_t at_least) {
    double delay = retry->delay_ms ? (double)retry->delay_ms : 1000;
    double backoff = retry->backoff > 0 ? retry->backoff : 2;
    double most = retry->max_delay_ms ? (double)retry->max_delay_ms : 30000;
    if (most > AGES_MS)
        most = AGES_MS;
    for (unsigned i = 1; i < attempt && delay < most && delay >= 1 && backoff != 1; i++)
        delay *= backoff;
    if (delay > most)
        delay = most;
    if (!retry->no_jitter)
        delay *= (double)draw / (double)UINT32_MAX;
    uint64_t chosen = (uint64_t)delay;
    return chosen > at_least ? chosen : at_least;
}
