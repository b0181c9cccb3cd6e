/*
 * text.h - text that grows up to a bound, and text made safe to show.
 *
 * A `struct text` is born with its maximum. Appending never fails visibly: what
 * does not fit (or cannot be allocated) marks the text, and the one who uses
 * it asks text_ok() once at the end. The zero value plus a maximum is valid.
 */
#ifndef AJOB_BASE_TEXT_H
#define AJOB_BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
    char *data;    /* NUL-terminated once something was appended, else NULL */
    size_t length; /* without the NUL */
    size_t capacity;
    size_t max; /* of length */
    bool failed;
    bool has_no_memory; /* that is why; else it is too long */
};

#define TEXT_INIT(maximum)                                                                         \
    { .max = (maximum) }

/* The longest cause or message. */
enum { TEXT_LINE_MAX = 1024 };

void text_add(struct text *text, const char *data);
void text_add_n(struct text *text, const char *data, size_t length);
void text_add_char(struct text *text, char c);
void text_format(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_vformat(struct text *text, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

/* What JSON (RFC 8259) has between the quotes: escaped, and valid UTF-8
 * whatever comes in (each wrong byte becomes U+FFFD). */
void text_add_json(struct text *text, const char *data, size_t length);

/* Everything appended so far arrived. */
bool text_ok(const struct text *text);

/* The text so far; never NULL. */
const char *text_string(const struct text *text);

/* Empties it and forgets a failure; keeps the memory. */
void text_clear(struct text *text);

/* Frees it; it is empty and usable afterwards. */
void text_done(struct text *text);

/* A heap string from a format, or NULL: on lack of memory, or above 64 KiB. */
char *text_make(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same for messages: cut to TEXT_LINE_MAX. */
char *text_new(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The value of a hexadecimal digit, or -1. */
int hex_value(char c);

/* One character of UTF-8 (RFC 3629: no overlong forms, no surrogates).
 * Returns its length, or 0 for a wrong byte at data. */
size_t utf8_decode(const char *data, size_t length, uint32_t *ret_point);

/* A character that shows as itself: no control, bidirectional or other format
 * character, no line or paragraph separator. */
bool utf8_is_printable(uint32_t point);

#endif
