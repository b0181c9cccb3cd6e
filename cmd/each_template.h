/*
 * each_template.h - the command of ajob each: arguments with placeholders, and what
 * becomes of them for an item.
 *
 *     {}                an item, whole
 *     {.} {/} {//} {/.} without its extension; its last part; its directory; its last
 *                       part without the extension
 *     {2} {2/} ...      the same of the second column or, where a command has several
 *                       items, of the second item; empty if there is none
 *     {#}               the number of the command
 *
 * An item is put into an argument, never becomes one more or one less: nothing splits or
 * unquotes it. Only an argument with a {} in it comes once for each item of the command.
 */
#ifndef CMD_EACH_TEMPLATE_H
#define CMD_EACH_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct template;

/* What a command is made for. columns is NULL where items have none. */
struct template_values {
    const char *const *items;
    size_t count;
    const char *const *columns; /* of the only item */
    size_t column_count;
    uint64_t number;
};

/* A list of arguments. The zero value is empty; it is used again and again. */
struct arguments {
    const char **argv; /* ends with NULL; valid until the next expansion */
    size_t count;
    char *text;
    size_t used, size, space; /* of text; of argv */
};

/* NULL on lack of memory. The arguments must outlive it. */
struct template *template_new(const char *const *argv, size_t count);
struct template *template_free(struct template *template);

/* The arguments for these values. False on lack of memory. */
bool template_expand(const struct template *template, const struct template_values *values,
                     struct arguments *arguments);

/* How many bytes the arguments without any item have, a NUL each; and how many
 * a further item of this length adds at most. */
size_t template_length(const struct template *template);
size_t template_growth(const struct template *template, size_t length);

/* How many arguments a further item adds at most. */
size_t template_uses(const struct template *template);

/* Lists made by hand: arguments_add() for each, then arguments_end(). An argument may
 * have NULs in it if only its text is used. False on lack of memory. */
bool arguments_add(struct arguments *arguments, const char *text, size_t length);
bool arguments_end(struct arguments *arguments);
void arguments_clear(struct arguments *arguments);

void arguments_done(struct arguments *arguments);

/* The arguments as a line for sh, quoted where they must be: malloc'd, of *ret_length
 * bytes. False on lack of memory. */
bool arguments_quote(const struct arguments *arguments, char **ret_line, size_t *ret_length);

#endif
