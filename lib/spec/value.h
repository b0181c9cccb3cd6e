/*
 * value.h - ${...} in a string of a spec: taking it apart.
 *
 *     ${NAME.stdout}  ${NAME.path}  ${NAME.exit}   of a task
 *     ${item}         ${env.NAME}   ${var.NAME}
 *     $$              a dollar sign
 *
 * Knows the grammar and nothing of tasks or scopes. "env", "var" and "item" are
 * no names of tasks in it. A task's name may have dots in it: the last part is the
 * property.
 */
#ifndef AJOB_SPEC_VALUE_H
#define AJOB_SPEC_VALUE_H

#include <stdbool.h>
#include <stddef.h>

enum value_type {
    VALUE_END,
    VALUE_LITERAL, /* name is the text */
    VALUE_STDOUT,  /* name is the task's */
    VALUE_PATH,
    VALUE_EXIT,
    VALUE_ITEM,
    VALUE_ENV, /* name is the variable's */
    VALUE_VAR,
    VALUE_WRONG, /* name is what is wrong, error says why */
};

struct value {
    enum value_type type;
    const char *name; /* in the string; not NUL-terminated */
    size_t length;
    size_t offset;     /* of the whole reference in the string */
    const char *error; /* a literal; VALUE_WRONG only */
};

/* Takes the next piece from *cursor, which stands in string. */
struct value value_next(const char *string, const char **cursor);

/* There is something to replace in it. */
bool value_has_any(const char *string);

#endif
