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
}

/* What note_write() writes of it, read. */
static bool write_and_read(const struct part_note *note, struct part_note *ret_again) {
    struct text json = TEXT_INIT(1 << 20);
    note_write(note, &json);
    HOLDS(text_ok(&json));
    bool is_read = note_read(json.data, json.length, ret_again);
    text_done(&json);
    return is_read;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct part_note note, again, third;
    if (!note_read((const char *)data, size, &note))
        return 0;
    HOLDS(note.identity && note.total >= -1);
    HOLDS(!note.etag || note.etag[0] == '"');
    HOLDS(is_line(note.identity) && is_line(note.url) && is_line(note.etag));
    HOLDS(is_line(note.last_modified) && is_line(note.modified));
    /* Wrong UTF-8, which cJSON takes, becomes U+FFFD once. */
    HOLDS(write_and_read(&note, &again));
    HOLDS(again.total == note.total && write_and_read(&again, &third));
    check_same(&again, &third);
    part_note_done(&note);
    part_note_done(&again);
    part_note_done(&third);
    return 0;
}
