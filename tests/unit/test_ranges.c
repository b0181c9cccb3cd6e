/*
 * test_ranges.c - which bytes of a file are there: against a plain table of bytes.
 */
#include "base/mem.h"
#include "check.h"
#include "net/ranges.h"

#include <stdlib.h>

static void check_is(const struct ranges *ranges, const char *expected) {
    char text[256] = "";
    size_t used = 0;
    for (size_t i = 0; i < ranges->count; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%d-%d", i ? " " : "",
                                 (int)ranges->items[i].first, (int)ranges->items[i].end);
    CHECK_TEXT(text, expected);
}

static void touching_and_overlapping_ranges_become_one(void) {
    struct ranges ranges = {0};
    CHECK(ranges_add(&ranges, 10, 20) && ranges_add(&ranges, 30, 40) && ranges_add(&ranges, 0, 5));
    check_is(&ranges, "0-5 10-20 30-40");
    CHECK(ranges_add(&ranges, 12, 12)); /* nothing */
    CHECK(ranges_add(&ranges, 13, 17)); /* there already */
    check_is(&ranges, "0-5 10-20 30-40");
    CHECK(ranges_add(&ranges, 20, 25) && ranges_add(&ranges, 29, 30));
    check_is(&ranges, "0-5 10-25 29-40");
    CHECK(ranges_add(&ranges, 4, 30));
    check_is(&ranges, "0-40");
    CHECK(ranges_add(&ranges, 50, 60) && ranges_add(&ranges, 0, 100));
    check_is(&ranges, "0-100");
    ranges_done(&ranges);
    check_is(&ranges, "");
}

static void what_is_behind_the_end_is_cut_off(void) {
    struct ranges ranges = {0};
    ranges_add(&ranges, 0, 10);
    ranges_add(&ranges, 20, 30);
    ranges_add(&ranges, 40, 50);
    ranges_cut(&ranges, 60);
    check_is(&ranges, "0-10 20-30 40-50");
    ranges_cut(&ranges, 40);
    check_is(&ranges, "0-10 20-30");
    ranges_cut(&ranges, 21);
    check_is(&ranges, "0-10 20-21");
    ranges_cut(&ranges, 0);
    check_is(&ranges, "");
    ranges_cut(&ranges, 0);
    ranges_done(&ranges);
}

static void gaps_are_found_from_anywhere(void) {
    struct ranges ranges = {0};
    struct range gap;
    CHECK(ranges_gap(&ranges, 3, 10, &gap) && gap.first == 3 && gap.end == 10);
    CHECK(!ranges_gap(&ranges, 10, 10, &gap) && !ranges_gap(&ranges, 0, 0, &gap));
    ranges_add(&ranges, 10, 20);
    ranges_add(&ranges, 30, 40);
    CHECK(ranges_gap(&ranges, 0, 50, &gap) && gap.first == 0 && gap.end == 10);
    CHECK(ranges_gap(&ranges, 10, 50, &gap) && gap.first == 20 && gap.end == 30);
    CHECK(ranges_gap(&ranges, 20, 50, &gap) && gap.first == 20 && gap.end == 30);
    CHECK(ranges_gap(&ranges, 25, 50, &gap) && gap.first == 25 && gap.end == 30);
    CHECK(ranges_gap(&ranges, 35, 50, &gap) && gap.first == 40 && gap.end == 50);
    CHECK(ranges_gap(&ranges, 0, 5, &gap) && gap.end == 5);
    CHECK(ranges_gap(&ranges, 15, 25, &gap) && gap.first == 20 && gap.end == 25);
    CHECK(!ranges_gap(&ranges, 35, 40, &gap) && !ranges_gap(&ranges, 15, 20, &gap));
    ranges_done(&ranges);
}

static void numbers_may_be_as_large_as_they_get(void) {
    struct ranges ranges = {0};
    CHECK(ranges_add(&ranges, UINT64_MAX - 1, UINT64_MAX) && ranges_add(&ranges, 0, 1));
    CHECK(ranges_add(&ranges, 1, UINT64_MAX));
    CHECK(ranges.count == 1 && ranges_frontier(&ranges) == UINT64_MAX);
    CHECK(ranges_total(&ranges) == UINT64_MAX);
    ranges_done(&ranges);
}

static void without_memory_nothing_changes_and_growing_needs_none(void) {
    struct ranges ranges = {0};
    mem_fail_nth(FAULT_ALLOC, 1);
    CHECK(!ranges_add(&ranges, 0, 1) && !ranges.count);
    for (uint64_t i = 0; i < 4; i++)
        ranges_add(&ranges, 10 * i, 10 * i + 5);
    mem_fail_nth(FAULT_ALLOC, 1);
    CHECK(!ranges_add(&ranges, 7, 8));
    check_is(&ranges, "0-5 10-15 20-25 30-35");
    mem_fail_nth(FAULT_ALLOC, 1);
    CHECK(ranges_add(&ranges, 15, 17) && ranges_add(&ranges, 28, 30) && ranges_add(&ranges, 0, 11));
    CHECK_NUMBER(mem_fail_nth(FAULT_ALLOC, 0), 1);
    check_is(&ranges, "0-17 20-25 28-35");
    ranges_done(&ranges);
}

/* ---- against a table ------------------------------------------------------- */

enum { BYTES = 64 };
static bool table[BYTES];

static void check_against_table(const struct ranges *ranges) {
    bool same[BYTES] = {false};
    uint64_t total = 0, frontier = 0;
    for (size_t i = 0; i < ranges->count; i++) {
        const struct range *range = &ranges->items[i];
        CHECK(range->first < range->end && (!i || ranges->items[i - 1].end < range->first));
        for (uint64_t at = range->first; at < range->end && at < BYTES; at++)
            same[at] = true;
    }
    CHECK(!memcmp(same, table, sizeof table));
    for (int i = 0; i < BYTES; i++)
        total += table[i];
    while (frontier < BYTES && table[frontier])
        frontier++;
    CHECK_NUMBER(ranges_total(ranges), total);
    CHECK_NUMBER(ranges_frontier(ranges), frontier);
    for (uint64_t from = 0; from <= BYTES; from++) {
        struct range gap = {0};
        uint64_t first = from, end;
        while (first < BYTES && table[first])
            first++;
        for (end = first; end < BYTES && !table[end];)
            end++;
        CHECK(ranges_gap(ranges, from, BYTES, &gap) == (first < BYTES));
        CHECK(first == BYTES || (gap.first == first && gap.end == end));
    }
}

static void any_order_of_adding_and_cutting(void) {
    srand(1);
    for (int round = 0; round < 300; round++) {
        struct ranges ranges = {0};
        memset(table, 0, sizeof table);
        for (int step = 0; step < 25; step++) {
            uint64_t first = (uint64_t)rand() % BYTES, end = first + (uint64_t)rand() % 9;
            if (rand() % 10 == 0) {
                ranges_cut(&ranges, first);
                memset(table + first, 0, BYTES - first);
            } else {
                end = end > BYTES ? BYTES : end;
                CHECK(ranges_add(&ranges, first, end));
                memset(table + first, 1, end - first);
            }
            check_against_table(&ranges);
        }
        ranges_done(&ranges);
    }
}

int main(void) {
    RUN(touching_and_overlapping_ranges_become_one);
    RUN(what_is_behind_the_end_is_cut_off);
    RUN(gaps_are_found_from_anywhere);
    RUN(numbers_may_be_as_large_as_they_get);
    RUN(without_memory_nothing_changes_and_growing_needs_none);
    RUN(any_order_of_adding_and_cutting);
    return finish();
}
