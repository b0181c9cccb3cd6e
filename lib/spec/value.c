/* value.c - ${...} in a string of a spec: taking it apart. See value.h. */
#include "spec/value.h"

#include <string.h>

static bool is_word(const char *text, size_t length, const char *word) {
    return strlen(word) == length && memcmp(text, word, length) == 0;
}

static const char name_letters[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";

/* What is between the braces of ${...}. */
static void read_reference(struct value *value, const char *inside, size_t length) {
    const char *dot = memchr(inside, '.', length);
    size_t first = dot ? (size_t)(dot - inside) : length;

    value->type = VALUE_WRONG;
    value->name = inside;
    value->length = length;
    if (is_word(inside, length, "item")) {
        value->type = VALUE_ITEM;
        return;
    }
    if (dot && (is_word(inside, first, "env") || is_word(inside, first, "var"))) {
        value->name = dot + 1;
        value->length = length - first - 1;
        if (value->length)
            value->type = *inside == 'e' ? VALUE_ENV : VALUE_VAR;
        else
            value->error = "a name is missing after the dot";
        return;
    }
    if (length == 0) {
        value->error = "it is empty";
        return;
    }
    for (size_t i = 0; i < length; i++)
        if (!strchr(name_letters, inside[i])) {
            value->error = "it is no name of a task and no variable";
            return;
        }
    while (length && inside[length - 1] != '.')
        length--;
    if (length < 2) {
        value->error = "a property is missing: .stdout, .path or .exit";
        return;
    }
    const char *property = inside + length;
    size_t property_length = value->length - length;
    value->length = length - 1;
    if (is_word(property, property_length, "stdout"))
        value->type = VALUE_STDOUT;
    else if (is_word(property, property_length, "path"))
        value->type = VALUE_PATH;
    else if (is_word(property, property_length, "exit"))
        value->type = VALUE_EXIT;
    else
        value->error = "the properties of a task are .stdout, .path and .exit";
}

struct value value_next(const char *string, const char **cursor) {
    const char *start = *cursor;
    struct value value = {.name = start, .offset = (size_t)(start - string)};

    if (!*start)
        return value;
    if (start[0] == '$' && start[1] == '$') {
        value.type = VALUE_LITERAL;
        value.length = 1;
        *cursor = start + 2;
        return value;
    }
    if (start[0] == '$' && start[1] == '{') {
        const char *end = strchr(start, '}');
        if (!end) {
            value.type = VALUE_WRONG;
            value.length = strlen(start);
            value.error = "its closing brace is missing (a dollar sign is written $$)";
            *cursor = start + value.length;
            return value;
        }
        read_reference(&value, start + 2, (size_t)(end - start) - 2);
        *cursor = end + 1;
        return value;
    }
    value.type = VALUE_LITERAL;
    value.length = 1 + strcspn(start + 1, "$");
    *cursor = start + value.length;
    return value;
}

bool value_has_any(const char *string) {
    for (const char *dollar = strchr(string, '$'); dollar; dollar = strchr(dollar + 1, '$'))
        if (dollar[1] == '{' || dollar[1] == '$')
            return true;
    return false;
}
