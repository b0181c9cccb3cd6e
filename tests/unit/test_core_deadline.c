/*
 * test_core_deadline.c - the heap of deadlines against a naive model; the order
 * of those due at once; the waits between retries.
 */
#include "base/mem.h"
#include "check.h"
#include "core/deadline.h"
#include "core/retry.h"

enum { COUNT = 500, OPERATIONS = 200000 };

struct item {
    struct deadline deadline;
    bool is_armed; /* in the model */
    uint64_t at_ms;
    unsigned depth;
};

static struct item items[COUNT];
static struct deadlines heap;
static uint64_t random_state = 88172645463325252u, now_ms, last_at_ms;
static unsigned fired, last_depth;
static bool rearms;

static uint64_t draw(uint64_t below) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % below;
}

static void arm(struct item *item, uint64_t at_ms) {
    item->at_ms = at_ms;
    item->is_armed = true;
    deadline_arm(&heap, &item->deadline, at_ms);
}

static void due(struct deadline *deadline) {
    struct item *item = (struct item *)deadline;
    CHECK(item->is_armed);
    CHECK(item->at_ms <= now_ms);
    CHECK(item->at_ms > last_at_ms || (item->at_ms == last_at_ms && item->depth >= last_depth));
    last_at_ms = item->at_ms;
    last_depth = item->depth;
    item->is_armed = false;
    fired++;
    if (rearms && draw(3) == 0)
        arm(item, now_ms + 1 + draw(50));
    struct item *other = &items[draw(COUNT)]; /* what is due may disarm another */
    if (rearms && draw(20) == 0) {
        other->is_armed = false;
        deadline_disarm(&heap, &other->deadline);
    }
}

static void fire(void) {
    last_at_ms = last_depth = 0;
    deadline_fire(&heap, now_ms);
    for (int i = 0; i < COUNT; i++)
        CHECK(!items[i].is_armed || items[i].at_ms > now_ms);
}

static void compare_with_model(void) {
    uint32_t armed = 0;
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < COUNT; i++) {
        armed += items[i].is_armed;
        if (items[i].is_armed && items[i].at_ms < least)
            least = items[i].at_ms;
        CHECK(items[i].is_armed == (items[i].deadline.index != DEADLINE_IDLE));
    }
    CHECK_NUMBER(heap.count, armed);
    struct deadline *first = deadline_first(&heap);
    CHECK(first ? first->at_ms == least : !armed);
}

static void the_heap_agrees_with_a_naive_model(void) {
    rearms = true;
    for (int i = 0; i < COUNT; i++) {
        CHECK(deadline_init(&heap, &items[i].deadline, due));
        items[i].depth = items[i].deadline.depth = (unsigned)draw(5);
    }
    for (int i = 0; i < OPERATIONS; i++) {
        struct item *item = &items[draw(COUNT)];
        switch (draw(8)) {
        case 0:
        case 1:
            item->is_armed = false;
            deadline_disarm(&heap, &item->deadline);
            break;
        case 2:
            if (draw(20) == 0) {
                now_ms += draw(30);
                fire();
            }
            break;
        default:
            arm(item, now_ms + 1 + draw(100));
        }
        if (i % 100 == 0)
            compare_with_model();
    }
    rearms = false;
    now_ms += 1000;
    fire();
    CHECK_NUMBER(heap.count, 0);
    CHECK(!deadline_first(&heap));
    CHECK(fired > 1000);
    for (int i = 0; i < COUNT; i++) {
        if (i % 2)
            arm(&items[i], now_ms + 1);
        deadline_done(&heap, &items[i].deadline);
        deadline_done(&heap, &items[i].deadline); /* twice is harmless */
    }
    CHECK_NUMBER(heap.members, 0);
    CHECK_NUMBER(heap.count, 0);
    deadlines_done(&heap);
}

static void arming_needs_no_memory(void) {
    static struct item many[64];
    for (int i = 0; i < 64; i++)
        CHECK(deadline_init(&heap, &many[i].deadline, due));
    mem_fail_nth(FAULT_ALLOC, 1);
    for (int i = 0; i < 64; i++)
        deadline_arm(&heap, &many[i].deadline, 5);
    CHECK_NUMBER(mem_fail_nth(FAULT_ALLOC, 0), 1);
    deadlines_done(&heap);
    static struct item one;
    mem_fail_nth(FAULT_ALLOC, 1);
    CHECK(!deadline_init(&heap, &one.deadline, due));
    deadline_done(&heap, &one.deadline); /* never initialised */
    mem_fail_nth(FAULT_ALLOC, 0);
    deadlines_done(&heap);
}

static void a_time_does_not_wrap_round(void) {
    CHECK_NUMBER(deadline_after(5, 7), 12);
    CHECK(deadline_after(5, UINT64_MAX) == UINT64_MAX);
    CHECK(deadline_after(UINT64_MAX, 1) == UINT64_MAX);
    CHECK(deadline_after(5, UINT64_MAX - 6) == UINT64_MAX - 1);
}

/* ---- retries ----------------------------------------------------------- */

static void without_jitter_the_wait_doubles_up_to_its_bound(void) {
    const ajob_retry retry = {.no_jitter = true};
    static const uint64_t waits[] = {1000, 2000, 4000, 8000, 16000, 30000, 30000};
    for (unsigned i = 0; i < sizeof waits / sizeof waits[0]; i++)
        CHECK_NUMBER(retry_delay(&retry, i + 1, 7, 0), waits[i]);
    CHECK_NUMBER(retry_delay(&retry, UINT32_MAX, 7, 0), 30000);
}

static void jitter_draws_from_nothing_to_the_whole_wait(void) {
    const ajob_retry retry = {.delay_ms = 500, .backoff = 3, .max_delay_ms = 4000};
    CHECK_NUMBER(retry_delay(&retry, 2, 0, 0), 0);
    CHECK_NUMBER(retry_delay(&retry, 2, UINT32_MAX, 0), 1500);
    CHECK_NUMBER(retry_delay(&retry, 2, UINT32_MAX / 2, 0), 749);
    CHECK_NUMBER(retry_delay(&retry, 9, UINT32_MAX, 0), 4000);
    for (int i = 0; i < 10000; i++)
        CHECK(retry_delay(&retry, 1, (uint32_t)draw(UINT64_C(1) << 32), 0) <= 500);
}

static void what_a_server_asked_for_is_a_lower_bound(void) {
    const ajob_retry retry = {.delay_ms = 500, .max_delay_ms = 4000};
    CHECK_NUMBER(retry_delay(&retry, 1, UINT32_MAX, 9000), 9000);
    CHECK_NUMBER(retry_delay(&retry, 4, UINT32_MAX, 100), 4000);
}

static void odd_options_have_a_wait_too(void) {
    const ajob_retry shrinking = {.delay_ms = 1000, .backoff = 0.5, .no_jitter = true};
    CHECK_NUMBER(retry_delay(&shrinking, 3, 0, 0), 250);
    const ajob_retry negative = {.delay_ms = 1000, .backoff = -1, .no_jitter = true};
    CHECK_NUMBER(retry_delay(&negative, 2, 0, 0), 2000);
    const ajob_retry huge = {
        .delay_ms = UINT64_MAX, .max_delay_ms = UINT64_MAX, .backoff = 1e300, .no_jitter = true};
    CHECK_NUMBER(retry_delay(&huge, 5, 0, 0), 1000000000000000);
    const ajob_retry steady = {.delay_ms = 7, .backoff = 1, .no_jitter = true};
    CHECK_NUMBER(retry_delay(&steady, UINT32_MAX, 0, 0), 7);
}

int main(void) {
    RUN(the_heap_agrees_with_a_naive_model);
    RUN(arming_needs_no_memory);
    RUN(a_time_does_not_wrap_round);
    RUN(without_jitter_the_wait_doubles_up_to_its_bound);
    RUN(jitter_draws_from_nothing_to_the_whole_wait);
    RUN(what_a_server_asked_for_is_a_lower_bound);
    RUN(odd_options_have_a_wait_too);
    return finish();
}
