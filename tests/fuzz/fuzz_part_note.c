/* fuzz_part_note.c - a note that can be read is written so that it reads the same; one that
 * lies about in a directory puts no line of its own into a request. */
#include <ctype.h>

#include "fuzz.h"
#include "net/part_note.h"

static bool is_line(const char *text) {
    for (const char *c = text; c && *c; c++)
        if (iscntrl((unsigned char)*c))
            return false;
    return true;
}

static void check_same(const struct part_note *a, const struct part_note *b) {
    HOLDS(fuzz_same(a->identity, b->identity) && fuzz_same(a->url, b->url));
    HOLDS(fuzz_same(a->etag, b->etag) && fuzz_same(a->modified, b->modified));
    HOLDS(fuzz_same(a->last_modified, b->last_modified) && a->total == b->total);
    HOLDS(fuzz_same(a->boot, b->boot) && a->has_ranges == b->has_ranges);
    HOLDS(a->ranges.count == b->ranges.count);
    for (size_t i = 0; i < a->ranges.count; i++)
        HOLDS(a->ranges.items[i].first == b->ranges.items[i].first &&
              a->ranges.items[i].end == b->ranges.items[i].end);
}

/* In order, apart, none empty; only where the note says that it has them. */
static void check_ranges(const struct part_note *note) {
    HOLDS(note->has_ranges || !note->ranges.count);
    for (size_t i = 0; i < note->ranges.count; i++) {
        const struct range *range = &note->ranges.items[i];
        HOLDS(range->first < range->end && range->end <= INT64_MAX);
        HOLDS(!i || range->first > range[-1].end);
    }
}

/* What part_note_write() writes of it, read. */
static bool write_and_read(const struct part_note *note, struct part_note *ret_again) {
    struct text json = TEXT_INIT(1 << 20);
    part_note_write(note, &json);
    HOLDS(text_ok(&json));
    bool is_read = part_note_read(json.data, json.length, ret_again);
    text_done(&json);
    return is_read;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct part_note note, again, third;
    if (!part_note_read((const char *)data, size, &note))
        return 0;
    HOLDS(note.identity && note.total >= -1);
    HOLDS(!note.etag || note.etag[0] == '"');
    HOLDS(is_line(note.identity) && is_line(note.url) && is_line(note.etag));
    HOLDS(is_line(note.last_modified) && is_line(note.modified) && is_line(note.boot));
    check_ranges(&note);
    /* Wrong UTF-8, which cJSON takes, becomes U+FFFD once. */
    HOLDS(write_and_read(&note, &again));
    HOLDS(again.total == note.total && write_and_read(&again, &third));
    check_same(&again, &third);
    part_note_done(&note);
    part_note_done(&again);
    part_note_done(&third);
    return 0;
}
