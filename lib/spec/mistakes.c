/*
 * mistakes.c - what is wrong in a spec. See mistakes.h.
 *
 * Lines and columns are counted when mistakes are told. A text may be one line of
 * megabytes with a thousand mistakes in it, so what was counted is noted every
 * few thousand bytes.
 */
#include "spec/mistakes.h"

#include "base/mem.h"
#include "spec/json.h"
#include "spec/reading.h"

enum { KEPT_MOST = 1000, STRIDE = 4096, MARK_LENGTH = 3, SOURCE_MOST = 1000 };

static bool reserve(struct mistakes *mistakes) {
    if (mistakes->count < mistakes->space)
        return true;
    size_t space = mistakes->space ? 2 * mistakes->space : 16;
    struct mistake *items = mem_resize(mistakes->items, space * sizeof *items);
    if (!items)
        return false;
    mistakes->items = items;
    mistakes->space = space;
    return true;
}

void mistakes_add(struct mistakes *mistakes, const struct mistake *mistake, const char *hint,
                  const char *format, va_list arguments) {
    bool is_note = mistake->severity == AJOB_MISTAKE_NOTE;
    mistakes->errors += mistake->severity == AJOB_MISTAKE_ERROR;
    if (is_note ? mistakes->is_last_dropped : mistakes->count >= KEPT_MOST) {
        mistakes->is_last_dropped = true;
        return;
    }
    char line[4 * TEXT_LINE_MAX];
    vsnprintf(line, sizeof line, format, arguments);
    char *kept = mem_copy(line);
    char *kept_hint = mem_copy(hint);
    mistakes->is_last_dropped = !kept || (hint && !kept_hint) || !reserve(mistakes);
    if (mistakes->is_last_dropped) {
        mistakes->has_lost_memory = true;
        mem_free(kept);
        mem_free(kept_hint);
        return;
    }
    uint32_t order = (uint32_t)mistakes->count;
    struct mistake *added = &mistakes->items[mistakes->count++];
    *added = *mistake;
    added->order = order;
    added->main_at = is_note && order ? mistakes->items[order - 1].main_at : mistake->at;
    added->text = kept;
    added->hint = kept_hint;
}

void mistakes_done(struct mistakes *mistakes) {
    for (size_t i = 0; i < mistakes->count; i++) {
        mem_free(mistakes->items[i].text);
        mem_free(mistakes->items[i].hint);
    }
    mem_free(mistakes->items);
    *mistakes = (struct mistakes){0};
}

/* ---- telling ------------------------------------------------------------- */

struct place {
    unsigned line, column; /* from 1 */
};

struct teller {
    const char *file, *text;
    uint32_t length;
    struct place *strides; /* of each byte whose offset is a multiple of STRIDE */
    struct text source;
};

static void count_byte(struct place *place, char c) {
    if (c == '\n') {
        place->line++;
        place->column = 1;
    } else if (((unsigned char)c & 0xc0) != 0x80) { /* not within a character */
        place->column++;
    }
}

/* A byte order mark, which nobody sees. */
static bool has_mark(const char *text, uint32_t length) {
    return length >= MARK_LENGTH && memcmp(text, "\xEF\xBB\xBF", MARK_LENGTH) == 0;
}

static bool count_strides(struct teller *teller) {
    struct place place = {1, has_mark(teller->text, teller->length) ? 0 : 1};
    teller->strides = mem_new((teller->length / STRIDE + 1) * sizeof *teller->strides);
    if (!teller->strides)
        return false;
    for (uint32_t i = 0; i < teller->length; i++) {
        if (i % STRIDE == 0)
            teller->strides[i / STRIDE] = place;
        count_byte(&place, teller->text[i]);
    }
    if (teller->length % STRIDE == 0)
        teller->strides[teller->length / STRIDE] = place;
    return true;
}

static struct place place_of(const struct teller *teller, uint32_t at) {
    struct place place = teller->strides[at / STRIDE];
    for (uint32_t i = at / STRIDE * STRIDE; i < at; i++)
        count_byte(&place, teller->text[i]);
    return place;
}

/* The line around a place; NULL if nobody would want to see so long a one. */
static const char *source_of(struct teller *teller, uint32_t at) {
    uint32_t start = at, end = at;
    while (start > 0 && teller->text[start - 1] != '\n' && at - start < SOURCE_MOST)
        start--;
    while (end < teller->length && teller->text[end] != '\n' && end - at < SOURCE_MOST)
        end++;
    if (at - start == SOURCE_MOST || end - at == SOURCE_MOST)
        return NULL;
    if (end > start && teller->text[end - 1] == '\r')
        end--;
    if (start == 0 && has_mark(teller->text, end))
        start = MARK_LENGTH;
    text_clear(&teller->source);
    text_add_n(&teller->source, teller->text + start, end - start);
    return text_ok(&teller->source) ? text_string(&teller->source) : NULL;
}

/* Characters in a piece of the text, up to its line's end. */
static unsigned characters(const struct teller *teller, uint32_t at, uint32_t length) {
    unsigned count = 0;
    for (uint32_t i = at; i < at + length && i < teller->length && teller->text[i] != '\n'; i++)
        count += ((unsigned char)teller->text[i] & 0xc0) != 0x80;
    return count ? count : 1;
}

static void tell_one(struct teller *teller, const struct mistake *mistake, ajob_mistake_fn *tell,
                     void *data) {
    ajob_mistake told = {
        .severity = mistake->severity,
        .file = teller->file,
        .text = mistake->text,
        .hint = mistake->hint,
        .length = 1,
    };
    if (mistake->at == SPEC_NOWHERE) {
        told.file = mistake->argument ? mistake->argument : teller->file;
    } else {
        uint32_t at = mistake->at < teller->length ? mistake->at : teller->length;
        uint32_t length =
            mistake->length ? mistake->length : json_token_length(teller->text, teller->length, at);
        struct place place = place_of(teller, at);
        told.line = place.line;
        told.column = place.column ? place.column : 1; /* at the mark itself */
        told.length = characters(teller, at, length);
        told.source = source_of(teller, at);
    }
    tell(&told, data);
}

static int in_order(const void *a, const void *b) {
    const struct mistake *left = a, *right = b;
    if (left->main_at != right->main_at)
        return left->main_at < right->main_at ? -1 : 1;
    return left->order < right->order ? -1 : left->order > right->order;
}

void mistakes_tell(struct mistakes *mistakes, const char *file, const char *text, uint32_t length,
                   ajob_mistake_fn *tell, void *data) {
    struct teller teller = {
        .file = file, .text = text, .length = length, .source = TEXT_INIT(2 * SOURCE_MOST)};
    if (mistakes->count) /* qsort(NULL) is undefined */
        qsort(mistakes->items, mistakes->count, sizeof *mistakes->items, in_order);
    bool is_ready = !mistakes->count || count_strides(&teller);
    for (size_t i = 0; i < mistakes->count && is_ready; i++)
        tell_one(&teller, &mistakes->items[i], tell, data);
    if (mistakes->has_lost_memory || !is_ready)
        tell(
            &(ajob_mistake){
                .severity = AJOB_MISTAKE_ERROR, .file = file, .length = 1, .text = "out of memory"},
            data);
    mem_free(teller.strides);
    text_done(&teller.source);
}

/* ---- of a spec ----------------------------------------------------------- */

__attribute__((format(printf, 5, 0))) static void
add(struct ajob_spec *spec, struct mistake mistake, const struct spec_task *task, const char *hint,
    const char *format, va_list arguments) {
    if (mistake.at == SPEC_NOWHERE)
        mistake.argument = reading_argument(spec, task);
    mistakes_add(&spec->reading->mistakes, &mistake, hint, format, arguments);
}

void spec_error(struct ajob_spec *spec, const struct spec_task *task, uint32_t at, const char *hint,
                const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    add(spec, (struct mistake){.at = at, .severity = AJOB_MISTAKE_ERROR}, task, hint, format,
        arguments);
    va_end(arguments);
}

void spec_warning(struct ajob_spec *spec, const struct spec_task *task, uint32_t at,
                  const char *hint, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    add(spec, (struct mistake){.at = at, .severity = AJOB_MISTAKE_WARNING}, task, hint, format,
        arguments);
    va_end(arguments);
}

void spec_note(struct ajob_spec *spec, const struct spec_task *task, uint32_t at,
               const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    add(spec, (struct mistake){.at = at, .severity = AJOB_MISTAKE_NOTE}, task, NULL, format,
        arguments);
    va_end(arguments);
}

void spec_error_part(struct ajob_spec *spec, const struct spec_task *task, uint32_t at,
                     uint32_t length, const char *hint, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    add(spec, (struct mistake){.at = at, .length = length, .severity = AJOB_MISTAKE_ERROR}, task,
        hint, format, arguments);
    va_end(arguments);
}
