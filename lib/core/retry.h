/*
 * retry.h - how long to wait before another attempt: pure policy, no clock.
 */
#ifndef AJOB_CORE_RETRY_H
#define AJOB_CORE_RETRY_H

#include "ajob.h"

/* The wait before attempt number `attempt` + 1, in milliseconds. `draw` is a
 * random number in 0..UINT32_MAX; at_least is what a server asked for. */
uint64_t retry_delay(const ajob_retry *retry, unsigned attempt, uint32_t draw, uint64_t at_least);

#endif
