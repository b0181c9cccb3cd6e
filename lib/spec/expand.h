/*
 * expand.h - ${...} in a string of a spec becomes text.
 *
 * What a task printed is known only when it has ended; a string that uses it is
 * `late`. The others are expanded when the tasks are made.
 */
#ifndef AJOB_SPEC_EXPAND_H
#define AJOB_SPEC_EXPAND_H

#include "spec/spec.h"

enum { EXPAND_MAX = 128 * 1024 }; /* bytes of a text, as of an argument in Linux */

/* Where values come from. */
struct expand_source {
    const struct ajob_spec *spec;
    /* The task that a task of the spec has become. NULL: what tasks have made is not
     * known, and stands in the text as it is written, between \1s. */
    ajob_task *(*find)(const void *data, const struct spec_task *task);
    const void *data;
    const char *item; /* NULL: not known; the same */
};

/* Appends the string, which stands in `from` (NULL: at the top), to text, whose
 * maximum is EXPAND_MAX. False with a cause appended to error. */
bool expand(const struct expand_source *source, const struct spec_task *from, const char *string,
            struct text *text, struct text *error);

/* It uses what a task has made. NULL uses nothing. */
bool expand_is_late(const char *string);

/* Calls use with each task whose standard output the string uses. */
typedef void expand_use_fn(struct spec_task *used, void *data);
void expand_uses(const struct ajob_spec *spec, const struct spec_task *from, const char *string,
                 expand_use_fn *use, void *data);

#endif
