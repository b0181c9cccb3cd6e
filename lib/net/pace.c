/* pace.c - a window over a counter of bytes. See pace.h. */
#include "net/pace.h"

void pace_begin(struct pace *pace, uint64_t begin_ms, uint64_t bytes) {
    pace->marks[0].at_ms = begin_ms;
    pace->marks[0].bytes = bytes;
    pace->oldest = 0;
    pace->count = 1;
}

/* The youngest mark that is a whole window old, or the oldest. Those before it go. */
static void slide(struct pace *pace, uint64_t now_ms) {
    while (pace->count > 1) {
        unsigned next = (pace->oldest + 1) % PACE_MARKS;
        if (pace->marks[next].at_ms + pace->window_ms > now_ms)
            return;
        pace->oldest = next;
        pace->count--;
    }
}

bool pace_is_slow(struct pace *pace, uint64_t now_ms, uint64_t bytes) {
    slide(pace, now_ms);
    uint64_t begin_ms = pace->marks[pace->oldest].at_ms;
    uint64_t passed_ms = now_ms > begin_ms ? now_ms - begin_ms : 0;
    pace->in_window = bytes - pace->marks[pace->oldest].bytes;
    double wanted = (double)pace->min_speed * (double)passed_ms / 1000;
    if (pace->count < PACE_MARKS) {
        unsigned index = (pace->oldest + pace->count++) % PACE_MARKS;
        pace->marks[index].at_ms = now_ms;
        pace->marks[index].bytes = bytes;
    }
    return passed_ms >= pace->window_ms && (double)pace->in_window < wanted;
}

uint64_t pace_step_ms(const struct pace *pace) {
    uint64_t step_ms = pace->window_ms / PACE_STEPS;
    return step_ms ? step_ms : 1;
}
