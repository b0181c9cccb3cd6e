/* fuzz_ranges.c - sets of ranges against a map of 256 bytes. Each operation is three bytes
 * of the input: which one, and two numbers. */
#include "fuzz.h"
#include "net/ranges.h"

enum { SPACE = 256 };

static void check(const struct ranges *ranges, const bool map[SPACE]) {
    uint64_t total = 0, frontier = 0;
    struct range gap;
    for (size_t i = 0; i < SPACE; i++)
        total += map[i];
    while (frontier < SPACE && map[frontier])
        frontier++;
    HOLDS(ranges_total(ranges) == total && ranges_frontier(ranges) == frontier);
    for (size_t i = 0; i < ranges->count; i++) {
        const struct range *range = &ranges->items[i];
        HOLDS(range->first < range->end && (!i || range->first > range[-1].end));
        for (uint64_t at = range->first; at < range->end; at++)
            HOLDS(map[at]);
    }
    for (uint64_t from = 0; from < SPACE; from += 7) {
        uint64_t first = from, end;
        while (first < SPACE && map[first])
            first++;
        end = first;
        while (end < SPACE && !map[end])
            end++;
        HOLDS(ranges_gap(ranges, from, SPACE, &gap) == (first < SPACE));
        HOLDS(first == SPACE || (gap.first == first && gap.end == end));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct ranges ranges = {0};
    bool map[SPACE] = {false};
    for (size_t i = 0; i + 2 < size && i < 300; i += 3) {
        uint8_t first = data[i + 1], end = data[i + 2];
        if (data[i] % 8 == 0) {
            ranges_cut(&ranges, first);
            memset(map + first, 0, (size_t)(SPACE - first));
        } else {
            HOLDS(ranges_add(&ranges, first, end));
            for (unsigned at = first; at < end; at++)
                map[at] = true;
        }
        check(&ranges, map);
    }
    ranges_done(&ranges);
    return 0;
}
