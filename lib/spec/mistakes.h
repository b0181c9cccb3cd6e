/*
 * mistakes.h - what is wrong in a spec: kept until it is asked for, then told in
 * the order of the text.
 */
#ifndef AJOB_SPEC_MISTAKES_H
#define AJOB_SPEC_MISTAKES_H

#include "spec/spec.h"

struct mistake {
    uint32_t at, length; /* length 0: of the token that stands there */
    uint32_t main_at;    /* of a note: the place of the mistake that it belongs to */
    uint32_t order;
    uint8_t severity;
    const char *argument; /* at is SPEC_NOWHERE: where it is */
    char *text, *hint;
};

struct mistakes {
    struct mistake *items;
    size_t count, space;
    size_t errors;        /* told and untold */
    bool has_lost_memory; /* one could not be kept */
    bool is_last_dropped; /* its notes are, too */
};

/* Keeps one. hint is copied and may be NULL. Beyond a number that nobody reads they
 * are only counted. */
void mistakes_add(struct mistakes *mistakes, const struct mistake *mistake, const char *hint,
                  const char *format, va_list arguments) __attribute__((format(printf, 4, 0)));

/* Tells all of them. text may be NULL if none has a place in it. */
void mistakes_tell(struct mistakes *mistakes, const char *file, const char *text, uint32_t length,
                   ajob_mistake_fn *tell, void *data);

void mistakes_done(struct mistakes *mistakes);

/* Something wrong at a place in the spec's text (SPEC_NOWHERE: in the argument that
 * the task came from). A note belongs to the mistake before it. */
void spec_error(struct ajob_spec *spec, const struct spec_task *task, uint32_t at, const char *hint,
                const char *format, ...) __attribute__((format(printf, 5, 6)));
void spec_warning(struct ajob_spec *spec, const struct spec_task *task, uint32_t at,
                  const char *hint, const char *format, ...) __attribute__((format(printf, 5, 6)));
void spec_note(struct ajob_spec *spec, const struct spec_task *task, uint32_t at,
               const char *format, ...) __attribute__((format(printf, 4, 5)));
/* An error whose place is so many bytes long. */
void spec_error_part(struct ajob_spec *spec, const struct spec_task *task, uint32_t at,
                     uint32_t length, const char *hint, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

#endif
