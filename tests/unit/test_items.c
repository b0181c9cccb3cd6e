/* test_items.c - items from descriptors: whatever the pieces that come, the bounds, the
 * end, and that nothing is read before it is asked for. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core_rig.h"

static unsigned ready;

static void is_ready(void *data) {
    (void)data;
    ready++;
}

static ajob_items *open_items(int fd, ajob_items_options options) {
    rig_open(0);
    ready = 0;
    options.fd = fd;
    options.ready = is_ready;
    ajob_items *items = ajob_items_open(rig.loop, &options);
    CHECK(items != NULL);
    return items;
}

static void put(int fd, const char *text) {
    CHECK_NUMBER(write(fd, text, strlen(text)), strlen(text));
}

/* "one|two|<end>", or where it stops. */
static const char *drain(ajob_items *items) {
    static const char *const marks[] = {"", "<none yet>", "<end>", "<too long>", "<unreadable>"};
    static struct text seen = TEXT_INIT(1 << 20);
    text_clear(&seen);
    for (;;) {
        const char *item;
        size_t length;
        enum ajob_item_state state = ajob_items_next(items, &item, &length);
        if (state == AJOB_ITEM_FOUND || state == AJOB_ITEM_TOO_LONG) {
            CHECK(item[length] == '\0');
            text_add_n(&seen, item, length);
            text_add(&seen, marks[state]);
            text_add_char(&seen, '|');
        } else {
            text_add(&seen, marks[state]);
            return text_string(&seen);
        }
    }
}

static void items_come_as_they_are_written(void) {
    int ends[2];
    CHECK_NUMBER(pipe(ends), 0);
    ajob_items *items = open_items(ends[0], (ajob_items_options){0});
    CHECK_TEXT(drain(items), "<none yet>");
    CHECK_TEXT(drain(items), "<none yet>");
    put(ends[1], "one\n\ntw");
    uv_run(rig.loop->uv, UV_RUN_ONCE);
    CHECK_NUMBER(ready, 1);
    CHECK_TEXT(drain(items), "one||<none yet>");
    put(ends[1], "o\nlast");
    CHECK_TEXT(drain(items), "two|<none yet>");
    close(ends[1]);
    CHECK_TEXT(drain(items), "last|<end>");
    CHECK_TEXT(drain(items), "<end>");
    CHECK(!(fcntl(ends[0], F_GETFL) & O_NONBLOCK)); /* others have it, too */
    rig_close();
    close(ends[0]);
}

static void nothing_is_read_before_it_is_asked_for(void) {
    int ends[2], waiting = 0;
    CHECK_NUMBER(pipe(ends), 0);
    ajob_items *items = open_items(ends[0], (ajob_items_options){0});
    put(ends[1], "one\n");
    for (int i = 0; i < 4; i++)
        uv_run(rig.loop->uv, UV_RUN_NOWAIT);
    CHECK_NUMBER(ioctl(ends[0], FIONREAD, &waiting), 0);
    CHECK_NUMBER(waiting, 4);
    close(ends[1]);
    CHECK_TEXT(drain(items), "one|<end>");
    rig_close();
    close(ends[0]);
}

static void an_item_that_is_too_long_is_cut_and_the_next_is_whole(void) {
    char long_text[70001];
    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    char path[] = "/tmp/ajob-test-XXXXXX";
    int fd = mkstemp(path);
    unlink(path);
    put(fd, "before\n");
    for (int i = 0; i < 3; i++)
        put(fd, long_text);
    put(fd, "\nafter\n");
    put(fd, long_text);
    put(fd, long_text);
    CHECK_NUMBER(lseek(fd, 0, SEEK_SET), 0);
    const char *item;
    size_t length;
    ajob_items *items = open_items(fd, (ajob_items_options){.max_length = 100000});
    CHECK_NUMBER(ajob_items_next(items, &item, &length), AJOB_ITEM_FOUND);
    CHECK_TEXT(item, "before");
    CHECK_NUMBER(ajob_items_next(items, &item, &length), AJOB_ITEM_TOO_LONG);
    CHECK_NUMBER(length, 100000);
    CHECK_NUMBER(strspn(item, "x"), 100000);
    CHECK_NUMBER(ajob_items_next(items, &item, &length), AJOB_ITEM_FOUND);
    CHECK_TEXT(item, "after");
    CHECK_NUMBER(ajob_items_next(items, &item, &length), AJOB_ITEM_TOO_LONG);
    CHECK_NUMBER(ajob_items_next(items, &item, &length), AJOB_ITEM_END);
    rig_close();
    close(fd);
}

static void the_longest_that_is_allowed_is_found(void) {
    char path[] = "/tmp/ajob-test-XXXXXX";
    int fd = mkstemp(path);
    unlink(path);
    char *text = malloc(128 * 1024 + 2);
    memset(text, 'y', 128 * 1024);
    text[128 * 1024] = '\n';
    text[128 * 1024 + 1] = '\0';
    for (int i = 0; i < 3; i++)
        put(fd, text);
    CHECK_NUMBER(lseek(fd, 0, SEEK_SET), 0);
    ajob_items *items = open_items(fd, (ajob_items_options){0});
    const char *item;
    size_t length;
    for (int i = 0; i < 3; i++) {
        CHECK_NUMBER(ajob_items_next(items, &item, &length), AJOB_ITEM_FOUND);
        CHECK_NUMBER(length, 128 * 1024);
    }
    CHECK_NUMBER(ajob_items_next(items, &item, &length), AJOB_ITEM_END);
    rig_close();
    free(text);
    close(fd);
}

static void other_delimiters(void) {
    int ends[2];
    CHECK_NUMBER(pipe(ends), 0);
    ajob_items *items =
        open_items(ends[0], (ajob_items_options){.delimiter = '\0', .has_delimiter = true});
    CHECK_NUMBER(write(ends[1], "a\nb\0\0c\0", 7), 7);
    close(ends[1]);
    CHECK_TEXT(drain(items), "a\nb||c|<end>");
    rig_close();
    close(ends[0]);
}

static void what_cannot_be_read_says_why(void) {
    int fd = open("/", O_RDONLY);
    ajob_items *items = open_items(fd, (ajob_items_options){0});
    CHECK_TEXT(drain(items), "<unreadable>");
    CHECK_TEXT(ajob_error(rig.loop), "cannot be read: Is a directory");
    rig_close();
    close(fd);
    fd = open("/dev/null", O_RDONLY);
    items = open_items(fd, (ajob_items_options){0});
    CHECK_TEXT(drain(items), "<end>");
    rig_close();
    close(fd);
}

/* Against a model: any bytes in any pieces. */
static void any_pieces_make_the_same_items(void) {
    enum { SIZE = 30000, MOST = 500 };
    static char bytes[SIZE];
    for (int round = 0; round < 30; round++) {
        int ends[2];
        size_t begun = 0, written = 0, checked = 0;
        CHECK_NUMBER(pipe(ends), 0);
        ajob_items *items = open_items(ends[0], (ajob_items_options){.max_length = MOST});
        for (size_t i = 0; i < SIZE; i++)
            bytes[i] = loop_random(rig.loop) % 200 ? (char)(loop_random(rig.loop) % 256) : '\n';
        enum ajob_item_state state = AJOB_ITEM_NONE_YET;
        while (state != AJOB_ITEM_END) {
            size_t piece = loop_random(rig.loop) % 3000, left = SIZE - written;
            piece = piece < left ? piece : left;
            CHECK_NUMBER(write(ends[1], bytes + written, piece), piece);
            written += piece;
            if (written == SIZE && ends[1] >= 0) {
                close(ends[1]);
                ends[1] = -1;
            }
            const char *item;
            size_t length;
            while ((state = ajob_items_next(items, &item, &length)) == AJOB_ITEM_FOUND ||
                   state == AJOB_ITEM_TOO_LONG) {
                const char *end = memchr(bytes + begun, '\n', SIZE - begun);
                size_t whole = end ? (size_t)(end - bytes) - begun : SIZE - begun;
                bool is_cut = state == AJOB_ITEM_TOO_LONG;
                CHECK(is_cut ? whole > MOST && length <= whole : length == whole);
                CHECK(!memcmp(item, bytes + begun, length));
                begun += whole + 1;
                checked++;
            }
            if (ends[1] < 0 && state == AJOB_ITEM_NONE_YET)
                break;
        }
        CHECK_NUMBER(state, AJOB_ITEM_END);
        CHECK(begun >= SIZE && checked > 10);
        rig_close();
        close(ends[0]);
    }
}

int main(void) {
    RUN(items_come_as_they_are_written);
    RUN(nothing_is_read_before_it_is_asked_for);
    RUN(an_item_that_is_too_long_is_cut_and_the_next_is_whole);
    RUN(the_longest_that_is_allowed_is_found);
    RUN(other_delimiters);
    RUN(what_cannot_be_read_says_why);
    RUN(any_pieces_make_the_same_items);
    return finish();
}
