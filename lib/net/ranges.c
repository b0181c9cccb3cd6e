/* ranges.c - which bytes of a file are there. See ranges.h. */
#include "net/ranges.h"

#include "base/mem.h"

/* The first range that ends at `from` or behind it: the one it would touch. */
static size_t find(const struct ranges *ranges, uint64_t from) {
    size_t low = 0, high = ranges->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ranges->items[middle].end < from)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool make_room(struct ranges *ranges, size_t at) {
    if (ranges->count == ranges->space) {
        size_t space = ranges->space ? 2 * ranges->space : 4;
        struct range *items = mem_resize(ranges->items, space * sizeof *items);
        if (!items)
            return false;
        ranges->items = items;
        ranges->space = space;
    }
    memmove(ranges->items + at + 1, ranges->items + at,
            (ranges->count - at) * sizeof *ranges->items);
    ranges->count++;
    return true;
}

bool ranges_add(struct ranges *ranges, uint64_t first, uint64_t end) {
    if (first >= end)
        return true;
    size_t at = find(ranges, first), behind = at;
    while (behind < ranges->count && ranges->items[behind].first <= end)
        behind++;
    if (behind == at) { /* it touches none */
        if (!make_room(ranges, at))
            return false;
        ranges->items[at] = (struct range){first, end};
        return true;
    }
    struct range *joined = &ranges->items[at];
    if (first < joined->first)
        joined->first = first;
    if (ranges->items[behind - 1].end > end)
        end = ranges->items[behind - 1].end;
    joined->end = end;
    memmove(joined + 1, ranges->items + behind, (ranges->count - behind) * sizeof *joined);
    ranges->count -= behind - at - 1;
    return true;
}

void ranges_cut(struct ranges *ranges, uint64_t size) {
    while (ranges->count && ranges->items[ranges->count - 1].first >= size)
        ranges->count--;
    if (ranges->count && ranges->items[ranges->count - 1].end > size)
        ranges->items[ranges->count - 1].end = size;
}

uint64_t ranges_frontier(const struct ranges *ranges) {
    return ranges->count && !ranges->items[0].first ? ranges->items[0].end : 0;
}

uint64_t ranges_total(const struct ranges *ranges) {
    uint64_t total = 0;
    for (size_t i = 0; i < ranges->count; i++)
        total += ranges->items[i].end - ranges->items[i].first;
    return total;
}

bool ranges_gap(const struct ranges *ranges, uint64_t from, uint64_t size, struct range *ret_gap) {
    size_t at = find(ranges, from);
    if (at < ranges->count && ranges->items[at].first <= from)
        from = ranges->items[at++].end;
    if (from >= size)
        return false;
    bool is_bounded = at < ranges->count && ranges->items[at].first < size;
    *ret_gap = (struct range){from, is_bounded ? ranges->items[at].first : size};
    return true;
}

void ranges_done(struct ranges *ranges) {
    mem_free(ranges->items);
    *ranges = (struct ranges){0};
}
