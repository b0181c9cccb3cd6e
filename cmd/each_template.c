/* each_template.c - the command of ajob each. See each_template.h. */
#include "each_template.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum part_kind { PART_TEXT, PART_ITEM, PART_NUMBER };
enum part_form { FORM_WHOLE, FORM_STEM, FORM_BASE, FORM_DIR, FORM_BASE_STEM };

struct part {
    enum part_kind kind;
    enum part_form form;
    uint32_t position; /* of PART_ITEM: {2} is 2; 0: {} */
    const char *text;  /* of PART_TEXT */
    size_t length;
};

struct argument {
    size_t first, count; /* among the parts */
    bool is_repeated;    /* for each item: a {} is in it */
};

struct template {
    struct argument *arguments;
    size_t count;
    struct part *parts;
    size_t part_count, part_space;
    size_t length;   /* of what is no placeholder, and a NUL for each argument */
    size_t repeated; /* the same, of the arguments that come for each item */
    size_t uses;     /* how often an item is in the command at most */
    bool is_plain;   /* there is no placeholder: what there is comes at the end */
};

/* ---- parsing ----------------------------------------------------------------- */

static bool add_part(struct template *template, struct part part) {
    if (template->part_count == template->part_space) {
        size_t space = template->part_space ? 2 * template->part_space : 8;
        struct part *parts = realloc(template->parts, space * sizeof *parts);
        if (!parts)
            return false;
        template->parts = parts;
        template->part_space = space;
    }
    template->parts[template->part_count++] = part;
    return true;
}

/* The length of the placeholder at text, which begins with '{', or 0. */
static size_t parse_placeholder(const char *text, struct part *part) {
    static const char *const forms[] = {
        [FORM_WHOLE] = "}", [FORM_STEM] = ".}",       [FORM_BASE] = "/}",
        [FORM_DIR] = "//}", [FORM_BASE_STEM] = "/.}",
    };
    enum { DIGITS_MAX = 9 };
    const char *at = text + 1;
    *part = (struct part){.kind = PART_ITEM};
    if (strncmp(at, "#}", 2) == 0) {
        part->kind = PART_NUMBER;
        return 3;
    }
    size_t digits = strspn(at, "0123456789");
    if (digits > DIGITS_MAX || (digits && *at == '0'))
        return 0;
    for (size_t i = 0; i < digits; i++)
        part->position = part->position * 10 + (uint32_t)(at[i] - '0');
    at += digits;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (strncmp(at, forms[i], strlen(forms[i])) == 0) {
            part->form = (enum part_form)i;
            return (size_t)(at - text) + strlen(forms[i]);
        }
    }
    return 0;
}

static bool parse_argument(struct template *template, struct argument *argument, const char *text) {
    const char *begun = text;
    size_t length = 1;
    argument->first = template->part_count;
    while (*text) {
        struct part part;
        size_t taken = *text == '{' ? parse_placeholder(text, &part) : 0;
        if (!taken) {
            text++;
            continue;
        }
        struct part before = {.text = begun, .length = (size_t)(text - begun)};
        if ((before.length && !add_part(template, before)) || !add_part(template, part))
            return false;
        length += before.length;
        template->is_plain = false;
        template->uses += part.kind == PART_ITEM;
        argument->is_repeated |= part.kind == PART_ITEM && !part.position;
        text += taken;
        begun = text;
    }
    struct part rest = {.text = begun, .length = (size_t)(text - begun)};
    length += rest.length;
    if (rest.length && !add_part(template, rest))
        return false;
    argument->count = template->part_count - argument->first;
    *(argument->is_repeated ? &template->repeated : &template->length) += length;
    return true;
}

struct template *template_new(const char *const *argv, size_t count) {
    struct template *template = calloc(1, sizeof *template);
    if (template)
        template->arguments = calloc(count + 1, sizeof *template->arguments);
    if (!template || !template->arguments)
        return template_free(template);
    template->is_plain = true;
    for (; template->count < count; template->count++)
        if (!parse_argument(template, &template->arguments[template->count], argv[template->count]))
            return template_free(template);
    return template;
}

struct template *template_free(struct template *template) {
    if (template) {
        free(template->arguments);
        free(template->parts);
        free(template);
    }
    return NULL;
}

size_t template_length(const struct template *template) {
    return template->length;
}

size_t template_uses(const struct template *template) {
    return template->uses ? template->uses : 1;
}

size_t template_growth(const struct template *template, size_t length) {
    if (template->is_plain)
        return length + 1;
    return template->repeated + template->uses * length;
}

/* ---- forms of an item ------------------------------------------------------------ */

struct slice {
    const char *text;
    size_t length;
};

static struct slice base_of(struct slice item) {
    const char *slash = memrchr(item.text, '/', item.length);
    size_t skip = slash ? (size_t)(slash - item.text) + 1 : 0;
    return (struct slice){item.text + skip, item.length - skip};
}

static struct slice stem_of(struct slice item) {
    struct slice base = base_of(item);
    const char *dot = memrchr(base.text, '.', base.length);
    bool has_extension = dot && dot + 1 < base.text + base.length;
    return (struct slice){item.text, has_extension ? (size_t)(dot - item.text) : item.length};
}

/* As dirname(1). */
static struct slice dir_of(struct slice item) {
    bool is_absolute = item.length && *item.text == '/';
    while (item.length && item.text[item.length - 1] == '/')
        item.length--;
    while (item.length && item.text[item.length - 1] != '/')
        item.length--;
    while (item.length && item.text[item.length - 1] == '/')
        item.length--;
    if (item.length)
        return item;
    return is_absolute ? (struct slice){"/", 1} : (struct slice){".", 1};
}

static struct slice form_of(enum part_form form, const char *text) {
    struct slice item = {text, strlen(text)};
    switch (form) {
    case FORM_WHOLE:
        break;
    case FORM_STEM:
        return stem_of(item);
    case FORM_BASE:
        return base_of(item);
    case FORM_DIR:
        return dir_of(item);
    case FORM_BASE_STEM:
        return stem_of(base_of(item));
    }
    return item;
}

/* ---- expanding -------------------------------------------------------------------- */

static bool add_text(struct arguments *arguments, const char *text, size_t length) {
    if (arguments->used + length > arguments->size) {
        size_t size = arguments->size ? arguments->size : 256;
        while (size < arguments->used + length)
            size *= 2;
        char *bytes = realloc(arguments->text, size);
        if (!bytes)
            return false;
        arguments->text = bytes;
        arguments->size = size;
    }
    if (length)
        memcpy(arguments->text + arguments->used, text, length);
    arguments->used += length;
    return true;
}

/* The argument that was added to the text is over. */
static bool end_argument(struct arguments *arguments) {
    arguments->count++;
    return add_text(arguments, "", 1);
}

static struct slice value_of(const struct part *part, const struct template_values *values,
                             size_t index) {
    const char *text = values->items[index];
    if (part->position) {
        const char *const *all = values->columns ? values->columns : values->items;
        size_t count = values->columns ? values->column_count : values->count;
        if (part->position > count)
            return (struct slice){"", 0};
        text = all[part->position - 1];
    }
    return form_of(part->form, text);
}

/* An argument for the item of this index. */
static bool expand_argument(const struct template *template, const struct argument *argument,
                            const struct template_values *values, size_t index,
                            struct arguments *arguments) {
    char number[24];
    for (size_t i = 0; i < argument->count; i++) {
        const struct part *part = &template->parts[argument->first + i];
        struct slice slice = {part->text, part->length};
        if (part->kind == PART_NUMBER) {
            int length =
                snprintf(number, sizeof number, "%llu", (unsigned long long)values->number);
            slice = (struct slice){number, (size_t)length};
        } else if (part->kind == PART_ITEM) {
            slice = value_of(part, values, index);
        }
        if (!add_text(arguments, slice.text, slice.length))
            return false;
    }
    return end_argument(arguments);
}

bool arguments_add(struct arguments *arguments, const char *text, size_t length) {
    return add_text(arguments, text, length) && end_argument(arguments);
}

static bool append_all(const struct template_values *values, struct arguments *arguments) {
    const char *const *all = values->columns ? values->columns : values->items;
    size_t count = values->columns ? values->column_count : values->count;
    for (size_t i = 0; i < count; i++)
        if (!arguments_add(arguments, all[i], strlen(all[i])))
            return false;
    return true;
}

void arguments_clear(struct arguments *arguments) {
    arguments->used = arguments->count = 0;
}

/* The text does not move any more. */
bool arguments_end(struct arguments *arguments) {
    if (arguments->count + 1 > arguments->space) {
        size_t space = 2 * (arguments->count + 1);
        const char **argv = realloc(arguments->argv, space * sizeof *argv);
        if (!argv)
            return false;
        arguments->argv = argv;
        arguments->space = space;
    }
    const char *at = arguments->text;
    for (size_t i = 0; i < arguments->count; i++) {
        arguments->argv[i] = at;
        at += strlen(at) + 1;
    }
    arguments->argv[arguments->count] = NULL;
    return true;
}

bool template_expand(const struct template *template, const struct template_values *values,
                     struct arguments *arguments) {
    arguments_clear(arguments);
    for (size_t i = 0; i < template->count; i++) {
        const struct argument *argument = &template->arguments[i];
        size_t times = argument->is_repeated ? values->count : 1;
        for (size_t j = 0; j < times; j++)
            if (!expand_argument(template, argument, values, j, arguments))
                return false;
    }
    if (template->is_plain && !append_all(values, arguments))
        return false;
    return arguments_end(arguments);
}

void arguments_done(struct arguments *arguments) {
    free(arguments->argv);
    free(arguments->text);
    *arguments = (struct arguments){0};
}

/* ---- for a shell ------------------------------------------------------------------- */

/* What no shell takes for anything but itself, wherever it stands. An assignment, a
 * reserved word or ~ is none of these only as a whole word: quoted, too. */
static bool needs_quotes(const char *text, bool is_first) {
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                               "_-./,:@%+";
    static const char *const words[] = {"case",   "coproc", "do",   "done",     "elif", "else",
                                        "esac",   "fi",     "for",  "function", "if",   "in",
                                        "select", "then",   "time", "until",    "while"};
    if (!*text || *text == '=')
        return true;
    for (size_t i = 0; is_first && i < sizeof words / sizeof words[0]; i++)
        if (strcmp(text, words[i]) == 0)
            return true;
    size_t length = strspn(text, safe);
    if (!is_first) /* only there is NAME=VALUE an assignment */
        length += strspn(text + length, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                        "0123456789_-./,:@%+=");
    return text[length] != '\0';
}

static bool quote(struct arguments *line, const char *text, bool is_first) {
    if (!needs_quotes(text, is_first))
        return add_text(line, text, strlen(text));
    bool is_added = add_text(line, "'", 1);
    while (is_added && *text) {
        size_t plain = strcspn(text, "'");
        is_added = add_text(line, text, plain);
        text += plain;
        if (*text == '\'') {
            is_added = is_added && add_text(line, "'\\''", 4);
            text++;
        }
    }
    return is_added && add_text(line, "'", 1);
}

bool arguments_quote(const struct arguments *arguments, char **ret_line, size_t *ret_length) {
    struct arguments line = {0};
    bool is_added = true;
    for (size_t i = 0; is_added && i < arguments->count; i++)
        is_added = (i == 0 || add_text(&line, " ", 1)) && quote(&line, arguments->argv[i], i == 0);
    is_added = is_added && add_text(&line, "", 1);
    if (!is_added) {
        arguments_done(&line);
        return false;
    }
    *ret_line = line.text;
    *ret_length = line.used - 1;
    return true;
}
