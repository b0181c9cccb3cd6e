/*
 * journal.c - events read back: what an earlier run has done. See journal.h.
 *
 * The result is a sorted array in the spec's arena; the tables that it comes from
 * live while the text is read.
 */
#include "spec/journal.h"

#include <cjson/cJSON.h>

#include "base/mem.h"
#include "base/table.h"
#include "spec/spec.h"

enum { HEX_SIZE = 64 };

struct journal_key {
    char hex[HEX_SIZE];
    uint32_t count, left;
};

struct journal {
    struct journal_key *keys; /* sorted */
    size_t count;
};

static bool is_key(const char *text) {
    return strlen(text) == HEX_SIZE && strspn(text, "0123456789abcdef") == HEX_SIZE;
}

/* ---- asking ------------------------------------------------------------------- */

void journal_rewind(struct journal *journal) {
    for (size_t i = 0; journal && i < journal->count; i++)
        journal->keys[i].left = journal->keys[i].count;
}

static int compare(const void *a, const void *b) {
    return memcmp(a, b, HEX_SIZE); /* a key's hex is its first member */
}

bool journal_take(struct journal *journal, const char *key) {
    if (!journal || !journal->count || !is_key(key))
        return false;
    struct journal_key *found =
        bsearch(key, journal->keys, journal->count, sizeof *journal->keys, compare);
    if (!found || !found->left)
        return false;
    found->left--;
    return true;
}

/* ---- reading ------------------------------------------------------------------ */

struct known_key {
    UT_hash_handle hh;
    char hex[HEX_SIZE + 1];
    uint32_t run;        /* the last one that it was in */
    uint32_t count, max; /* of tasks, in that run and in the run that has most */
};

/* A task that succeeds in each attempt of its group is one. */
struct known_task {
    UT_hash_handle hh;
    uint32_t run;
    char name[]; /* its key and its path */
};

struct reading {
    struct ajob_spec *spec;
    struct known_key *keys;
    struct known_task *tasks;
    uint32_t run;
};

static bool count_key(struct reading *reading, const char *hex) {
    struct known_key *key = NULL;
    HASH_FIND_STR(reading->keys, hex, key);
    if (!key) {
        key = mem_new(sizeof *key);
        if (!key)
            return false;
        memcpy(key->hex, hex, HEX_SIZE);
        HASH_ADD_STR(reading->keys, hex, key);
        if (!table_has(key)) {
            mem_free(key);
            return false;
        }
    }
    key->count = key->run == reading->run ? key->count + 1 : 1;
    key->run = reading->run;
    if (key->count > key->max)
        key->max = key->count;
    return true;
}

static bool add_task(struct reading *reading, const char *hex, const char *path) {
    struct known_task *task = NULL;
    size_t path_length = strlen(path), length = HEX_SIZE + path_length;
    char *name = mem_new(length + 1);
    if (!name)
        return false;
    memcpy(name, hex, HEX_SIZE);
    memcpy(name + HEX_SIZE, path, path_length);
    HASH_FIND(hh, reading->tasks, name, length, task);
    if (!task) {
        task = mem_new(sizeof *task + length + 1);
        if (task) {
            memcpy(task->name, name, length);
            HASH_ADD(hh, reading->tasks, name, length, task);
            if (!table_has(task))
                task = mem_free(task);
        }
    }
    mem_free(name);
    if (!task)
        return false;
    if (task->run == reading->run)
        return true;
    task->run = reading->run;
    return count_key(reading, hex);
}

static const char *text_of(const cJSON *object, const char *name) {
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    return text ? text : "";
}

/* False on lack of memory. */
static bool read_event(struct reading *reading, const cJSON *event) {
    const char *type = text_of(event, "event"), *key = text_of(event, "key");
    if (!strcmp(type, "run.started"))
        reading->run++;
    bool is_done = !strcmp(type, "task.ended") && !strcmp(text_of(event, "status"), "succeeded");
    return !is_done || !is_key(key) || add_task(reading, key, text_of(event, "task"));
}

static bool is_blank(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++)
        if (!strchr(" \t\r\n", text[i]) || !text[i])
            return false;
    return true;
}

static int read_line(struct reading *reading, const char *line, size_t length, size_t number,
                     bool is_cut) {
    const char *end = NULL;
    if (is_blank(line, length))
        return 0;
    cJSON *event = cJSON_ParseWithLengthOpts(line, length, &end, false);
    bool is_whole = event && end && is_blank(end, (size_t)(line + length - end));
    bool is_event = is_whole && *text_of(event, "event");
    bool is_kept = !is_event || read_event(reading, event);
    cJSON_Delete(event);
    if (!is_kept)
        return spec_fail(reading->spec, AJOB_ENOMEM, "out of memory");
    if (is_event || (is_cut && !is_whole))
        return 0;
    return spec_fail(reading->spec, AJOB_EINVAL,
                     "line %zu is no event of a run: give a file that --events has written",
                     number);
}

static int read_lines(struct reading *reading, const char *text, size_t length) {
    size_t number = 0;
    while (length) {
        const char *newline = memchr(text, '\n', length);
        size_t line = newline ? (size_t)(newline - text) : length;
        int error = read_line(reading, text, line, ++number, !newline);
        if (error)
            return error;
        text += line + (newline != NULL);
        length -= line + (newline != NULL);
    }
    return 0;
}

static int keep(struct reading *reading) {
    struct ajob_spec *spec = reading->spec;
    struct journal *journal = spec_alloc(spec, sizeof *journal);
    size_t count = HASH_COUNT(reading->keys);
    struct journal_key *keys = spec_alloc(spec, (count + 1) * sizeof *keys);
    if (!journal || !keys)
        return spec_fail(spec, AJOB_ENOMEM, "out of memory");
    journal->keys = keys;
    for (struct known_key *key = reading->keys; key; key = key->hh.next) {
        struct journal_key *kept = &keys[journal->count++];
        memcpy(kept->hex, key->hex, HEX_SIZE);
        kept->count = kept->left = key->max;
    }
    qsort(keys, count, sizeof *keys, compare);
    spec->journal = journal;
    return 0;
}

static void free_reading(struct reading *reading) {
    struct known_key *key, *next_key;
    struct known_task *task, *next_task;
    HASH_ITER(hh, reading->keys, key, next_key) {
        HASH_DEL(reading->keys, key);
        mem_free(key);
    }
    HASH_ITER(hh, reading->tasks, task, next_task) {
        HASH_DEL(reading->tasks, task);
        mem_free(task);
    }
}

int ajob_spec_resume(ajob_spec *spec, const char *text, size_t length) {
    struct reading reading = {.spec = spec, .run = 1};
    if (spec->journal)
        return spec_fail(spec, AJOB_EINVAL, "an earlier run has been read already");
    int error = read_lines(&reading, text, length);
    if (!error)
        error = keep(&reading);
    free_reading(&reading);
    return error;
}
