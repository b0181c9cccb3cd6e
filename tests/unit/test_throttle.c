/*
 * test_throttle.c - a limit on the rate, with a clock of the test's: the average is right
 * for tiny and for huge limits, those in line get their share, nothing is paid for twice;
 * and what is too slow for too long.
 */
#include "core_rig.h"
#include "net/pace.h"
#include "net/throttle.h"

enum { MOST = 16 };

/* One who always has more to come, in pieces. */
static struct receiver {
    struct throttle_place place;
    size_t piece;
    unsigned pieces_at_once; /* that libcurl hands over when it goes on; 0: without end */
    uint64_t received, asked;
} receivers[MOST];

static void receive(struct receiver *receiver) {
    for (unsigned i = 0; !receiver->pieces_at_once || i < receiver->pieces_at_once; i++) {
        receiver->asked++;
        if (!throttle_take(rig.loop, &receiver->place, receiver->piece))
            return;
        receiver->received += receiver->piece;
    }
}

static void go_on(struct throttle_place *place) {
    receive(place->owner);
}

static void open_with(uint64_t limit_rate, unsigned count, size_t piece) {
    rig_open(0);
    rig.loop->limit_rate = limit_rate;
    CHECK(throttle_open(rig.loop) && throttle_open(rig.loop));
    for (unsigned i = 0; i < count; i++) {
        receivers[i] = (struct receiver){.piece = piece};
        receivers[i].place = (struct throttle_place){.go_on = go_on, .owner = &receivers[i]};
    }
}

static void close_with(unsigned count) {
    for (unsigned i = 0; i < count; i++)
        throttle_leave(rig.loop, &receivers[i].place);
    rig_close();
}

/* A turn at each step, and what is not in line asks, as a readable socket makes it. */
static void run_for(unsigned count, uint64_t total_ms, uint64_t step_ms) {
    for (uint64_t ms = 0; ms < total_ms; ms += step_ms) {
        for (unsigned i = 0; i < count; i++)
            if (!receivers[i].place.is_waiting)
                receive(&receivers[i]);
        pass(step_ms);
    }
}

static uint64_t all_received(unsigned count) {
    uint64_t sum = 0;
    for (unsigned i = 0; i < count; i++)
        sum += receivers[i].received;
    return sum;
}

static void check_average(uint64_t limit_rate, unsigned count, size_t piece, uint64_t total_ms,
                          uint64_t step_ms) {
    open_with(limit_rate, count, piece);
    run_for(count, total_ms, step_ms);
    double wanted = (double)limit_rate * (double)total_ms / 1000;
    double got = (double)all_received(count);
    bool is_right = got <= wanted && got >= 0.98 * wanted - (double)piece;
    if (!CHECK(is_right))
        printf("# limit %llu, %u of %zu: %.0f of %.0f\n", (unsigned long long)limit_rate, count,
               piece, got, wanted);
    close_with(count);
}

static void the_average_is_right_and_never_above(void) {
    check_average(1, 1, 1, 1000000, 1);
    check_average(100, 1, 1024, 1000000, 7);
    check_average(1024, 1, 1024, 100000, 1);
    check_average(1024, 16, 1024, 1000000, 10);
    check_average(65536, 3, 6553, 10000, 1);
    check_average(10 << 20, 16, 16384, 10000, 1);
    check_average(1 << 30, 1, 16384, 2000, 1);
    check_average(1 << 30, 16, 16384, 2000, 1);
    check_average(UINT64_C(10) << 30, 4, 16384, 1000, 1);
}

static void a_loop_that_is_late_loses_nothing_below_a_tenth_of_a_second(void) {
    check_average(1 << 20, 4, 16384, 18000, 90);
}

static void each_gets_its_share(void) {
    open_with(1 << 20, MOST, 16384);
    run_for(MOST, 20000, 1);
    for (int i = 0; i < MOST; i++) {
        CHECK(receivers[i].received >= all_received(MOST) / MOST * 95 / 100);
        CHECK(receivers[i].received <= all_received(MOST) / MOST * 105 / 100);
    }
    close_with(MOST);
}

static void one_with_large_pieces_is_not_starved_by_small_ones(void) {
    open_with(64 << 10, 4, 256);
    receivers[2].piece = 64 << 10; /* a second's worth: more than the bucket holds */
    run_for(4, 60000, 1);
    for (int i = 0; i < 4; i++)
        CHECK(receivers[i].received >= receivers[i].piece * 8);
    close_with(4);
}

static void what_idles_saves_up_a_tenth_of_a_second_at_most(void) {
    open_with(1000000, 1, 1000);
    pass(5000);
    receive(&receivers[0]);
    CHECK_NUMBER(receivers[0].received, 99000); /* a piece less than a tenth of a second */
    close_with(1);
}

static void a_run_begins_with_nothing(void) {
    open_with(1000000, 1, 1000);
    receive(&receivers[0]);
    CHECK_NUMBER(receivers[0].received, 0);
    CHECK(receivers[0].place.is_waiting);
    pass(2);
    CHECK_NUMBER(receivers[0].received, 1000);
    close_with(1);
}

static void those_in_line_are_served_in_order_and_may_leave(void) {
    open_with(1000, 3, 100);
    for (int i = 0; i < 3; i++) {
        receivers[i].pieces_at_once = 1;
        receive(&receivers[i]);
    }
    pass(101);
    CHECK_NUMBER(receivers[0].received, 100);
    CHECK_NUMBER(receivers[1].received, 0);
    throttle_leave(rig.loop, &receivers[1].place);
    throttle_leave(rig.loop, &receivers[1].place);
    pass(100);
    CHECK_NUMBER(receivers[1].received, 0);
    CHECK_NUMBER(receivers[2].received, 100);
    CHECK_NUMBER(receivers[2].asked, 2);
    close_with(3);
}

static void one_who_comes_later_does_not_overtake(void) {
    open_with(1000, 2, 100);
    receivers[0].pieces_at_once = receivers[1].pieces_at_once = 1;
    receive(&receivers[0]);
    rig.now_ns += UINT64_C(101000000); /* due, but not yet told */
    receive(&receivers[1]);
    CHECK_NUMBER(receivers[1].received, 0);
    pass(0);
    CHECK_NUMBER(receivers[0].received, 100);
    CHECK_NUMBER(receivers[1].received, 0);
    close_with(2);
}

static void without_a_limit_nobody_waits(void) {
    open_with(0, 1, 1 << 30);
    receivers[0].pieces_at_once = 1000;
    receive(&receivers[0]);
    CHECK_NUMBER(receivers[0].received, UINT64_C(1000) << 30);
    CHECK_NUMBER(throttle_piece(rig.loop, 262144), 262144);
    rig.loop->limit_rate = 1;
    CHECK_NUMBER(throttle_piece(rig.loop, 262144), 1024);
    rig.loop->limit_rate = 100000;
    CHECK_NUMBER(throttle_piece(rig.loop, 262144), 10000);
    rig.loop->limit_rate = UINT64_MAX;
    CHECK_NUMBER(throttle_piece(rig.loop, 262144), 262144);
    rig.loop->limit_rate = 0;
    close_with(1);
}

/* ---- too slow -------------------------------------------------------------- */

/* The time at which it is slow, when bytes_at(ms) have come by then; 0: it is not within
 * 100 windows. */
static uint64_t slow_at(uint64_t window_ms, uint64_t min_speed, uint64_t (*bytes_at)(uint64_t ms)) {
    struct pace pace = {.window_ms = window_ms, .min_speed = min_speed};
    pace_begin(&pace, 5000, 0);
    for (uint64_t ms = 0; ms <= 100 * window_ms; ms += pace_step_ms(&pace))
        if (pace_is_slow(&pace, 5000 + ms, bytes_at(ms)))
            return ms;
    return 0;
}

static uint64_t none(uint64_t ms) {
    (void)ms;
    return 0;
}

static uint64_t one_burst(uint64_t ms) {
    return ms < 1500 ? 0 : 1 << 20;
}

static uint64_t hundred_a_second(uint64_t ms) {
    return ms / 10;
}

static uint64_t in_bursts(uint64_t ms) {
    return ms / 900 * 100;
}

static void silence_is_noticed_after_one_window(void) {
    CHECK_NUMBER(slow_at(8000, 1, none), 8000);
    CHECK_NUMBER(slow_at(8000, 100, none), 8000);
    CHECK_NUMBER(slow_at(3, 1, none), 3);
}

static void a_burst_does_not_hide_a_stall_for_long(void) {
    uint64_t at_ms = slow_at(8000, 100, one_burst);
    CHECK(at_ms >= 1500 + 8000 && at_ms <= 1500 + 8000 + 2 * 8000 / PACE_STEPS);
}

static void what_is_as_fast_as_it_must_be_is_not_slow(void) {
    CHECK_NUMBER(slow_at(1000, 100, hundred_a_second), 0);
    CHECK(slow_at(1000, 101, hundred_a_second) > 0);
    CHECK_NUMBER(slow_at(2000, 50, in_bursts), 0);
}

int main(void) {
    RUN(the_average_is_right_and_never_above);
    RUN(a_loop_that_is_late_loses_nothing_below_a_tenth_of_a_second);
    RUN(each_gets_its_share);
    RUN(one_with_large_pieces_is_not_starved_by_small_ones);
    RUN(what_idles_saves_up_a_tenth_of_a_second_at_most);
    RUN(a_run_begins_with_nothing);
    RUN(those_in_line_are_served_in_order_and_may_leave);
    RUN(one_who_comes_later_does_not_overtake);
    RUN(without_a_limit_nobody_waits);
    RUN(silence_is_noticed_after_one_window);
    RUN(a_burst_does_not_hide_a_stall_for_long);
    RUN(what_is_as_fast_as_it_must_be_is_not_slow);
    return finish();
}
