/*
 * record.c - the record of earlier runs (their --events), asked by the keys of tasks.
 *
 * Owns a table of what has succeeded, 16 bytes for a key and some room; or, if that is
 * wanted, of what has failed since, with its items. Lines are looked through, not
 * parsed, for there may be millions: what is searched for has quotes that no text in JSON
 * can have. A key is a SHA-256, of which 96 bits are kept: two of a million tasks look
 * alike once in ten to the seventeen runs.
 */
#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "core/loop.h"
#include "net/digest.h"
#include "net/lazy.h"

enum { KEPT = 3, HEX_LENGTH = 64, BLOCK = 256 * 1024, LINE_MOST = 64 << 20 };

struct entry {
    uint32_t key[KEPT]; /* zero: the entry is free */
    uint32_t value;     /* how many have succeeded; or the place in `failed` and one, or 0 */
};

/* Tasks with the same key: the same item, as often as it is in the input. Each one of a
 * run is taken for one that an earlier run has left, as far as there are such. */
struct failed_item {
    char key[AJOB_KEY_SIZE];
    char *text;
    size_t length;
    uint32_t run;  /* the last one with such a task */
    uint32_t left; /* by the runs before it, and not tried again in it */
    uint32_t failed;
};

struct ajob_record {
    struct ajob_loop *loop;
    struct entry *entries;
    size_t count, space;
    bool keeps_failed;
    uint32_t run; /* the one that is read, from 1 */
    struct failed_item *failed;
    size_t failed_count, failed_space, failed_next;
};

/* ---- the table --------------------------------------------------------------------- */

static bool is_free(const uint32_t *key) {
    return !key[0] && !key[1] && !key[2];
}

static bool parse_key(const char *hex, uint32_t key[KEPT]) {
    memset(key, 0, KEPT * sizeof *key);
    for (size_t i = 0; i < HEX_LENGTH; i++) {
        int value = hex_value(hex[i]);
        if (value < 0)
            return false;
        if (i / 8 < KEPT)
            key[i / 8] = key[i / 8] << 4 | (uint32_t)value;
    }
    return !is_free(key);
}

/* The entry of this key, or the free one where it would be. */
static struct entry *find(const struct ajob_record *record, const uint32_t *key) {
    size_t i = (size_t)((uint64_t)key[0] * record->space >> 32);
    while (!is_free(record->entries[i].key) &&
           memcmp(record->entries[i].key, key, KEPT * sizeof *key) != 0)
        i = i + 1 == record->space ? 0 : i + 1;
    return &record->entries[i];
}

static bool grow(struct ajob_record *record) {
    size_t old_space = record->space, space = old_space ? old_space + old_space / 2 : 256;
    struct entry *old = record->entries, *entries = mem_new(space * sizeof *entries);
    if (!entries)
        return false;
    record->entries = entries;
    record->space = space;
    for (size_t i = 0; i < old_space; i++)
        if (!is_free(old[i].key))
            *find(record, old[i].key) = old[i];
    mem_free(old);
    return true;
}

static struct entry *add(struct ajob_record *record, const uint32_t *key) {
    if (5 * (record->count + 1) > 4 * record->space && !grow(record))
        return NULL;
    struct entry *entry = find(record, key);
    if (is_free(entry->key)) {
        memcpy(entry->key, key, sizeof entry->key);
        record->count++;
    }
    return entry;
}

bool ajob_record_take(ajob_record *record, const char *hex) {
    uint32_t key[KEPT];
    bool has_some = record && record->count && !record->keeps_failed;
    if (!has_some || strlen(hex) != HEX_LENGTH || !parse_key(hex, key))
        return false;
    struct entry *entry = find(record, key);
    if (!entry->value)
        return false;
    entry->value--;
    return true;
}

/* ---- what has failed ------------------------------------------------------------------ */

const char *ajob_record_next_failed(ajob_record *record, size_t *length) {
    while (record->failed_next < record->failed_count) {
        struct failed_item *item = &record->failed[record->failed_next];
        *length = item->length;
        if (item->failed ? item->failed-- : item->left && item->left--)
            return item->text;
        record->failed_next++;
    }
    return NULL;
}

const char *ajob_record_failed_key(const ajob_record *record) {
    return record->failed[record->failed_next].key;
}

size_t ajob_record_count_failed(const ajob_record *record) {
    size_t count = 0;
    for (size_t i = record->failed_next; i < record->failed_count; i++)
        count += (size_t)record->failed[i].failed + record->failed[i].left;
    return count;
}

static char *from_hex(const char *hex, size_t *length) {
    size_t count = strlen(hex) / 2;
    char *bytes = mem_new(count + 1);
    for (size_t i = 0; bytes && i < count; i++) {
        int high = hex_value(hex[2 * i]), low = hex_value(hex[2 * i + 1]);
        if (high < 0 || low < 0) /* nobody's event: no item of it is run */
            return mem_free(bytes);
        bytes[i] = (char)(high << 4 | low);
    }
    *length = count;
    return bytes;
}

/* The item of an event, the caller's; NULL: it has none, or there is no memory. */
static char *item_of(const char *line, size_t line_length, size_t *length) {
    cJSON *event = cJSON_ParseWithLength(line, line_length);
    const char *hex = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(event, "item_hex"));
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(event, "item"));
    char *item = NULL;
    if (hex)
        item = from_hex(hex, length);
    else if (text && (item = mem_copy(text)))
        *length = strlen(item);
    cJSON_Delete(event);
    return item;
}

/* A task of that item, in the run that is read. */
static void note_try(const struct ajob_record *record, struct failed_item *item, bool has_failed) {
    if (item->run != record->run) {
        item->left += item->failed;
        item->failed = 0;
        item->run = record->run;
    }
    item->left -= item->left > 0;
    item->failed += has_failed;
}

/* False on lack of memory. */
static bool add_failed(struct ajob_record *record, struct entry *entry, const char *hex,
                       const char *line, size_t length) {
    struct failed_item item = {.run = record->run};
    memcpy(item.key, hex, HEX_LENGTH);
    if (!entry->value && !(item.text = item_of(line, length, &item.length)))
        return true;
    if (!entry->value && record->failed_count == record->failed_space) {
        size_t space = record->failed_space ? 2 * record->failed_space : 64;
        void *failed = mem_resize(record->failed, space * sizeof *record->failed);
        if (!failed) {
            mem_free(item.text);
            return false;
        }
        record->failed = failed;
        record->failed_space = space;
    }
    if (!entry->value) {
        record->failed[record->failed_count++] = item;
        entry->value = (uint32_t)record->failed_count;
    }
    note_try(record, &record->failed[entry->value - 1], true);
    return true;
}

/* ---- reading ---------------------------------------------------------------------------- */

static bool has(const char *line, size_t length, const char *what) {
    return memmem(line, length, what, strlen(what)) != NULL;
}

/* False on lack of memory. */
static bool read_end(struct ajob_record *record, const char *line, size_t length) {
    static const char mark[] = "\"key\":\"";
    uint32_t key[KEPT];
    const char *at = memmem(line, length, mark, sizeof mark - 1);
    size_t rest = at ? (size_t)(line + length - at) : 0;
    if (rest < sizeof mark - 1 + HEX_LENGTH || !parse_key(at + sizeof mark - 1, key))
        return true;
    bool is_done = has(line, length, "\"status\":\"succeeded\"");
    bool has_failed =
        has(line, length, "\"status\":\"failed\"") || has(line, length, "\"status\":\"timed_out\"");
    if (record->keeps_failed ? !is_done && !has_failed : !is_done)
        return true;
    if (record->keeps_failed && is_done && (!record->count || is_free(find(record, key)->key)))
        return true; /* it had not failed before */
    struct entry *entry = add(record, key);
    if (entry && has_failed)
        return add_failed(record, entry, at + sizeof mark - 1, line, length);
    if (entry && record->keeps_failed && entry->value)
        note_try(record, &record->failed[entry->value - 1], false);
    else if (entry && !record->keeps_failed)
        entry->value++;
    return entry != NULL;
}

static int read_line(struct ajob_record *record, const char *line, size_t length, size_t number) {
    bool is_event = length && line[0] == '{' && has(line, length, "\"event\":\"");
    if (length == 0 || (length == 1 && *line == '\r'))
        return 0;
    if (!is_event)
        return loop_fail(record->loop, AJOB_EINVAL,
                         "line %zu is no event of a run: give a file that --events has written",
                         number);
    record->run += has(line, length, "\"event\":\"run.started\"");
    if (has(line, length, "\"event\":\"task.ended\"") && !read_end(record, line, length))
        return loop_fail_memory(record->loop);
    return 0;
}

/* Whole lines of what was read. Returns how much that is. */
static size_t read_lines(struct ajob_record *record, const char *text, size_t length,
                         size_t *number, int *error) {
    size_t done = 0;
    const char *end;
    while (!*error && (end = memchr(text + done, '\n', length - done))) {
        size_t line = (size_t)(end - text) - done;
        *error = read_line(record, text + done, line, ++*number);
        done += line + 1;
    }
    return done;
}

static int read_file(struct ajob_record *record, int fd, uint64_t *whole) {
    struct text text = TEXT_INIT(LINE_MOST);
    char *block = mem_new(BLOCK);
    size_t number = 0;
    int error = block ? 0 : loop_fail_memory(record->loop);
    *whole = 0;
    while (!error) {
        ssize_t got = read(fd, block, BLOCK);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            error = loop_fail(record->loop, AJOB_ESYSTEM, "cannot be read: %s", strerror(errno));
        if (got <= 0)
            break;
        text_add_n(&text, block, (size_t)got);
        if (!text_ok(&text)) {
            error = loop_fail(record->loop, AJOB_EINVAL, "line %zu is too long for an event",
                              number + 1);
            break;
        }
        size_t done = read_lines(record, text.data, text.length, &number, &error);
        memmove(text.data, text.data + done, text.length - done);
        text.length -= done;
        *whole += done;
    }
    text_done(&text);
    mem_free(block);
    return error;
}

ajob_record *ajob_record_read(ajob_loop *loop, const char *path, bool keeps_failed,
                              uint64_t *whole) {
    struct ajob_record *record = mem_new(sizeof *record);
    if (!record) {
        loop_fail_memory(loop);
        return NULL;
    }
    record->loop = loop;
    record->keeps_failed = keeps_failed;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    int error = fd >= 0 ? read_file(record, fd, whole)
                        : loop_fail(loop, AJOB_ESYSTEM, "cannot be read: %s", strerror(errno));
    if (fd >= 0)
        close(fd);
    return error ? ajob_record_free(record) : record;
}

ajob_record *ajob_record_free(ajob_record *record) {
    if (!record)
        return NULL;
    for (size_t i = 0; i < record->failed_count; i++)
        mem_free(record->failed[i].text);
    mem_free(record->failed);
    mem_free(record->entries);
    return mem_free(record);
}

/* ---- keys --------------------------------------------------------------------------------- */

/* One for a loop, used again for each key. */
struct hasher {
    struct loop_module module;
    struct digest digest;
};

static const char key_of_module;

static void free_hasher(struct loop_module *module) {
    digest_done(&((struct hasher *)module)->digest);
    mem_free(module);
}

int ajob_record_key(ajob_loop *loop, const char *const *parts, const size_t *lengths, size_t count,
                    char key[AJOB_KEY_SIZE]) {
    const char *fault = lazy_crypto_fault();
    char hex[DIGEST_HEX_MAX], length[24];
    if (fault)
        return loop_fail(loop, AJOB_ESYSTEM, "%s", fault);
    struct hasher *hasher =
        (struct hasher *)loop_module(loop, &key_of_module, sizeof *hasher, free_hasher);
    if (!hasher || !digest_begin(&hasher->digest, digest_sha256()))
        return loop_fail_memory(loop);
    for (size_t i = 0; i < count; i++) {
        int used = snprintf(length, sizeof length, "%zu:", lengths[i]);
        digest_add(&hasher->digest, length, (size_t)used);
        digest_add(&hasher->digest, parts[i], lengths[i]);
    }
    digest_end(&hasher->digest, NULL, hex);
    if (!*hex)
        return loop_fail_memory(loop);
    memcpy(key, hex, AJOB_KEY_SIZE);
    return 0;
}
