/* part_note.c - NAME.part.json: its JSON, reading and writing it. See part_note.h. */
#include "net/part_note.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/disk.h"

enum {
    NOTE_RANGES_MAX = 1000,
    /* A note with ranges is written again after a 64th of the file, within these */
    NOTE_EVERY_MIN = 256 * 1024,
    NOTE_EVERY_MAX = 64 * 1024 * 1024,
    NOTE_EVERY_MS = 1000, /* and if there is anything new */
};
#define NOTE_SIZE_MAX 1e15 /* bytes: a petabyte */

void part_note_done(struct part_note *note) {
    mem_free(note->identity);
    mem_free(note->url);
    mem_free(note->etag);
    mem_free(note->last_modified);
    mem_free(note->modified);
    mem_free(note->boot);
    ranges_done(&note->ranges);
    *note = (struct part_note){.total = -1};
}

/* Notes lie about in directories: what goes into a header must be one line. */
static bool is_line(const char *text) {
    for (const char *c = text; *c; c++)
        if (iscntrl((unsigned char)*c))
            return false;
    return true;
}

static char *read_string(const cJSON *json, const char *key) {
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(json, key);
    bool is_usable = cJSON_IsString(value) && is_line(value->valuestring);
    return is_usable ? mem_copy(value->valuestring) : NULL;
}

/* A byte's number: JSON's numbers are exact so far. */
static bool read_place(const cJSON *json, uint64_t *ret_place) {
    bool is_place =
        cJSON_IsNumber(json) && json->valuedouble >= 0 && json->valuedouble <= NOTE_SIZE_MAX;
    *ret_place = is_place ? (uint64_t)json->valuedouble : 0;
    return is_place && (double)*ret_place == json->valuedouble;
}

/* [[first, end], ...], in order and apart, as they were written. */
static bool read_ranges(const cJSON *list, struct ranges *ret_ranges) {
    struct range range, last = {0};
    const cJSON *item;
    size_t count = 0;
    if (!cJSON_IsArray(list))
        return false;
    cJSON_ArrayForEach(item, list) {
        bool is_range = cJSON_IsArray(item) && cJSON_GetArraySize(item) == 2 &&
                        read_place(item->child, &range.first) &&
                        read_place(item->child->next, &range.end) && range.first < range.end &&
                        (!count || range.first > last.end) && ++count <= NOTE_RANGES_MAX;
        if (!is_range || !ranges_add(ret_ranges, range.first, range.end))
            return false;
        last = range;
    }
    return true;
}

bool part_note_read(const char *text, size_t length, struct part_note *ret_note) {
    cJSON *json = cJSON_ParseWithLength(text, length);
    const cJSON *version = cJSON_GetObjectItemCaseSensitive(json, "part");
    struct part_note note = {.total = -1};
    uint64_t total;
    if (read_place(cJSON_GetObjectItemCaseSensitive(json, "size"), &total))
        note.total = (int64_t)total;
    note.identity = read_string(json, "identity");
    note.url = read_string(json, "url");
    note.etag = read_string(json, "etag");
    note.last_modified = read_string(json, "last_modified");
    note.modified = read_string(json, "modified");
    note.boot = read_string(json, "boot");
    if (note.etag && note.etag[0] != '"') /* weak ones prove nothing */
        note.etag = mem_free(note.etag);
    note.has_ranges = cJSON_IsNumber(version) && version->valuedouble == 2;
    bool is_ok = note.has_ranges
                     ? read_ranges(cJSON_GetObjectItemCaseSensitive(json, "ranges"), &note.ranges)
                     : cJSON_IsNumber(version) && version->valuedouble == 1;
    is_ok = is_ok && note.identity;
    cJSON_Delete(json);
    if (is_ok)
        *ret_note = note;
    else
        part_note_done(&note);
    return is_ok;
}

static void add(struct text *json, const char *key, const char *value) {
    if (!value)
        return;
    text_format(json, ",\n  \"%s\": \"", key);
    text_add_json(json, value, strlen(value));
    text_add_char(json, '"');
}

/* The first of them, if there are very many: a note may say less than there is. */
static void add_ranges(struct text *json, const struct ranges *ranges) {
    text_add(json, ",\n  \"ranges\": [");
    for (size_t i = 0; i < ranges->count && i < NOTE_RANGES_MAX; i++)
        text_format(json, "%s[%llu, %llu]", i ? ", " : "",
                    (unsigned long long)ranges->items[i].first,
                    (unsigned long long)ranges->items[i].end);
    text_add_char(json, ']');
}

void part_note_write(const struct part_note *note, struct text *json) {
    text_format(json, "{\n  \"part\": %d", note->has_ranges ? 2 : 1);
    add(json, "url", note->url);
    add(json, "identity", note->identity);
    add(json, "etag", note->etag);
    add(json, "last_modified", note->last_modified);
    add(json, "modified", note->modified);
    add(json, "boot", note->boot);
    if (note->total >= 0)
        text_format(json, ",\n  \"size\": %lld", (long long)note->total);
    if (note->has_ranges)
        add_ranges(json, &note->ranges);
    text_add(json, "\n}\n");
}

/* ---- the file ------------------------------------------------------------- */

/* The note's name until it is whole. */
static char *temporary_name(const struct part *part) {
    return text_make("%s.tmp", part->note_name);
}

void part_note_forget(struct part *part) {
    if (part->has_note)
        unlinkat(part->dir_fd, part->note_name, 0);
    part->has_note = part->note_has_ranges = false;
}

void part_note_forget_half(const struct part *part) {
    char *temporary = temporary_name(part);
    if (temporary)
        unlinkat(part->dir_fd, temporary, 0);
    mem_free(temporary);
}

static uint64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void is_noted(struct part *part, bool has_ranges) {
    part->has_note = true;
    part->note_has_ranges = has_ranges;
    part->noted_bytes = ranges_total(&part->have);
    part->noted_at_ms = now_ms();
}

bool part_note_is_due(const struct part *part, uint64_t size) {
    if (!part->has_note || !part->note_has_ranges)
        return false;
    uint64_t every = size / 64 < NOTE_EVERY_MIN   ? NOTE_EVERY_MIN
                     : size / 64 > NOTE_EVERY_MAX ? NOTE_EVERY_MAX
                                                  : size / 64;
    uint64_t more = ranges_total(&part->have) - part->noted_bytes;
    return more >= every || (more && now_ms() >= part->noted_at_ms + NOTE_EVERY_MS);
}

/* What is simply the first N bytes of a file of N. */
static bool is_its_size(const struct part *part) {
    struct stat status;
    return !fstat(part->fd, &status) && part->have.count <= 1 &&
           ranges_frontier(&part->have) == (uint64_t)status.st_size;
}

/* In a directory of several people anybody may have put it there, or made it another name
 * of something else. */
static bool is_ours(int fd) {
    struct stat status;
    return !fstat(fd, &status) && S_ISREG(status.st_mode) && status.st_uid == geteuid() &&
           status.st_nlink == 1;
}

bool part_recall(struct part *part, struct part_note *ret_note) {
    enum { NOTE_MAX = 64 * 1024 };
    char *text = mem_new(NOTE_MAX);
    int fd = openat(part->dir_fd, part->note_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    ssize_t length = text && fd >= 0 && is_ours(fd) ? read(fd, text, NOTE_MAX) : -1;
    if (fd >= 0)
        close(fd);
    struct part_note note;
    bool is_read = length > 0 && part_note_read(text, (size_t)length, &note);
    mem_free(text);
    if (!is_read)
        return false;
    if (note.has_ranges) {
        uint64_t size = ranges_total(&part->have); /* of the file, as it was claimed */
        uint64_t noted = ranges_total(&note.ranges);
        ranges_done(&part->have);
        part->have = note.ranges;
        note.ranges = (struct ranges){0};
        ranges_cut(&part->have, size);
        if (ranges_total(&part->have) < noted)
            part_note_forget(part); /* once the file is longer the rest would seem to be there */
    }
    if (part->has_note)
        is_noted(part, note.has_ranges);
    *ret_note = note;
    return true;
}

/* Under a name of its own first: the old one stays until the new one is whole. */
static bool write_note(struct part *part, const char *temporary, const struct text *json) {
    unlinkat(part->dir_fd, temporary, 0); /* whatever it is: it is not ours */
    int fd = openat(part->dir_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    bool is_written = disk_write(fd, text_string(json), json->length, 0) == json->length;
    is_written = !close(fd) && is_written;
    if (is_written && disk_rename(part->dir_fd, temporary, part->note_name))
        return true;
    int reason = errno;
    unlinkat(part->dir_fd, temporary, 0);
    errno = reason;
    return false;
}

bool part_remember(struct part *part, const struct part_note *note, struct text *error) {
    struct text json = TEXT_INIT(60 * 1024);
    struct part_note full = *note;
    char boot[DISK_BOOT_MAX];
    if (!part->is_resumable)
        return true;
    full.boot = disk_boot(boot);
    full.ranges = part->have;
    full.has_ranges = part->is_in_pieces || !is_its_size(part);
    part_note_write(&full, &json);
    char *temporary = temporary_name(part);
    bool is_ok = false;
    if (!temporary || !text_ok(&json))
        disk_fail(error, part->note_name, "out of memory");
    else if (!write_note(part, temporary, &json))
        disk_fail_errno(error, part->note_name);
    else
        is_ok = true;
    if (is_ok)
        is_noted(part, full.has_ranges);
    mem_free(temporary);
    text_done(&json);
    return is_ok;
}
