/* test_output_held.c - bytes that are held, pieces that wait, and lines, against
 * models of them, on random input. */
#include "check.h"
#include "exec/backlog.h"
#include "exec/lines.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"

enum { MODEL_MAX = 40 << 20 };

static char *model;
static uint32_t state = 2463534242u;

static uint32_t any(uint32_t below) {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state % below;
}

/* Mostly little, sometimes much. */
static size_t some(void) {
    return any(10) ? any(200) : any(3) ? any(70000) : any(1500000);
}

static void fill(char *data, size_t length) {
    for (size_t i = 0; i < length; i++)
        data[i] = (char)any(256);
}

/* ---- captures ---------------------------------------------------------- */

static void check_capture(const struct capture *capture, uint64_t first, uint64_t end) {
    char buffer[5000];
    size_t length;
    CHECK_NUMBER(capture_end(capture), end);
    if (first == end)
        return;
    uint64_t offset = first + any((uint32_t)(end - first));
    const char *data = capture_peek(capture, offset, buffer, 1 + any(sizeof buffer - 1), &length);
    CHECK(data && length > 0 && offset + length <= end);
    CHECK(data && !memcmp(data, model + offset, length));
}

static void a_capture_is_its_bytes(void) {
    for (int round = 0; round < 8; round++) {
        struct capture capture = {0};
        uint64_t first = 0, end = 0;
        for (int i = 0; i < 400; i++) {
            size_t length = some();
            if (end + length > MODEL_MAX)
                break;
            fill(model + end, length < 4096 ? length : 4096);
            CHECK(capture_add(&capture, model + end, length));
            end += length;
            CHECK(capture.capacity <= CAPTURE_MEMORY);
            check_capture(&capture, first, end);
            if (round % 2 && end > first && !any(3)) {
                first += any(4) ? any((uint32_t)(end - first)) : end - first;
                capture_drop(&capture, first);
                check_capture(&capture, first, end);
            }
        }
        capture_done(&capture);
    }
}

static void a_capture_is_given_away_as_a_file(void) {
    struct capture capture = {0};
    static char buffer[100];
    CHECK(capture_add(&capture, "one", 3));
    int file = capture_dup(&capture);
    CHECK(capture_add(&capture, "two", 3));
    CHECK_NUMBER(read(file, buffer, sizeof buffer), 3);
    CHECK_NUMBER(write(file, "x", 1), -1);
    close(file);
    file = capture_dup(&capture);
    capture_done(&capture);
    CHECK_NUMBER(read(file, buffer, sizeof buffer), 6);
    CHECK(!memcmp(buffer, "onetwo", 6));
    close(file);
}

/* ---- backlogs ---------------------------------------------------------- */

static void a_backlog_keeps_order_and_streams(void) {
    static char data[1500000], scratch[4096];
    for (int round = 0; round < 6; round++) {
        struct backlog backlog = {0};
        uint64_t added = 0, taken = 0; /* the model's byte says what it is and of which stream */
        char next_in = 0, next_out = 0;
        for (int i = 0; i < 600; i++) {
            enum output_stream stream = any(2) ? OUTPUT_STDERR : OUTPUT_STDOUT;
            size_t length = any(8) ? any(300) : any(200000);
            for (size_t n = 0; n < length; n++, next_in = (char)((next_in + 1) & 0x7f))
                data[n] = (char)(next_in | (stream == OUTPUT_STDERR ? 0x80 : 0));
            CHECK(backlog_add(&backlog, stream, data, length));
            added += length;
            bool is_drained = !any(50);
            for (int turns = is_drained ? 1 << 20 : (int)any(6); turns > 0; turns--) {
                size_t got = 0;
                const char *piece = backlog_peek(&backlog, scratch, sizeof scratch, &got);
                if (!piece)
                    break;
                if (!is_drained)
                    got = 1 + any((uint32_t)got);
                for (size_t n = 0; n < got; n++, next_out = (char)((next_out + 1) & 0x7f))
                    if (!CHECK((piece[n] & 0x7f) == next_out) ||
                        !CHECK(((piece[n] & 0x80) != 0) == (backlog.stream == OUTPUT_STDERR)))
                        return;
                taken += got;
                backlog_skip(&backlog, got);
            }
            CHECK_NUMBER(backlog.length, added - taken);
            CHECK(!is_drained || added == taken);
        }
        backlog_done(&backlog);
    }
}

/* ---- lines ------------------------------------------------------------- */

struct heard {
    uint64_t length;
    size_t pieces, cut;
};

static void hear(void *data, const char *piece, size_t length) {
    struct heard *heard = data;
    CHECK(length > 0 && length <= LINES_PIECE_MAX);
    CHECK(!memcmp(piece, model + heard->length, length));
    heard->length += length;
    heard->pieces++;
    heard->cut += piece[length - 1] != '\n';
}

static void lines_are_all_there_and_whole(void) {
    for (int round = 0; round < 200; round++) {
        struct lines lines = {0};
        struct heard heard = {0};
        size_t length = some(), most = some(), between = 1 + any(round % 2 ? 100 : 100000);
        for (size_t i = 0; i < length; i++)
            model[i] = any((uint32_t)between) ? (char)('a' + any(26)) : '\n';
        size_t last = length, longest = 0;
        while (last && model[last - 1] != '\n')
            last--;
        for (size_t i = 0, run = 1; i < length; i++, run = i && model[i - 1] == '\n' ? 1 : run + 1)
            longest = run > longest ? run : longest;
        for (size_t at = 0, piece; at < length; at += piece) {
            piece = 1 + any((uint32_t)(most + 1));
            if (piece > length - at)
                piece = length - at;
            lines_add(&lines, model + at, piece, hear, &heard);
        }
        CHECK(heard.length >= last);
        CHECK(heard.cut == 0 || longest >= LINES_PIECE_MAX);
        lines_flush(&lines, true, hear, &heard);
        CHECK_NUMBER(heard.length, length);
        lines_done(&lines);
    }
}

int main(void) {
    model = mem_new(MODEL_MAX);
    RUN(a_capture_is_its_bytes);
    RUN(a_capture_is_given_away_as_a_file);
    RUN(a_backlog_keeps_order_and_streams);
    RUN(lines_are_all_there_and_whole);
    mem_free(model);
    return finish();
}
