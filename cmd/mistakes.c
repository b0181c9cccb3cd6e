/*
 * mistakes.c - what is wrong in a spec, on standard error. See mistakes.h.
 *
 * The line of the spec is shown as far as the screen is likely to have it, around
 * the place meant. Escaping changes widths: what is before the place and the place
 * itself are escaped on their own, and the marks below count columns of that.
 */
#include "mistakes.h"

#include "term.h"
#include "width.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    PRINTED_MOST = 100,
    SHOWN_BEFORE = 60, /* columns of the line before the place meant */
    SHOWN_AFTER = 20,
    MARKED_MOST = 60,
    NUMBER_WIDTH = 5,
    PIECE_SIZE = 8 * 1024,
};

struct printer {
    struct term term;
    struct mistakes_shown shown;
    size_t printed;
    bool is_left_out; /* the last one was: so are its notes */
};

static const char *paint(const struct printer *printer, const char *code) {
    return printer->term.color ? code : "";
}

/* Appends the first `columns` characters of *text, moved past them, safe to show.
 * Returns how wide that is. */
static int add_piece(struct printer *printer, struct bytes *out, const char **text,
                     unsigned columns) {
    char piece[PIECE_SIZE / 8], safe[PIECE_SIZE];
    size_t length = 0;
    const char *from = *text;
    for (; columns && from[length]; columns--) {
        int width;
        size_t step = width_next(from + length, &width);
        if (length + step >= sizeof piece)
            break;
        length += step;
    }
    memcpy(piece, from, length);
    piece[length] = '\0';
    for (char *tab = piece; (tab = strchr(tab, '\t'));)
        *tab = ' ';
    *text += length;
    term_escape(&printer->term, safe, sizeof safe, piece);
    bytes_add(out, safe, strlen(safe));
    return width_of(safe);
}

static void skip_characters(const char **text, unsigned count) {
    int width;
    for (; count && **text; count--)
        *text += width_next(*text, &width);
}

/* Puts * for each of these characters. Returns where they end now. */
static char *mask(char *to, const char *from, const char *end) {
    for (; from < end; from++)
        if (((unsigned char)*from & 0xc0) != 0x80)
            *to++ = '*';
    return to;
}

/* The line, malloc'd, as many characters, with user, password and query of its URLs masked:
 * a string of JSON ends at a quotation mark. NULL on lack of memory. */
static char *hide_secrets(const char *source) {
    char *line = malloc(strlen(source) + 1), *to = line;
    for (const char *from = source, *scheme; line; from += strcspn(from, "\"")) {
        scheme = strstr(from, "://");
        size_t plain = scheme ? (size_t)(scheme + 3 - from) : strlen(from);
        memcpy(to, from, plain);
        to += plain;
        from += plain;
        size_t host = strcspn(from, "/?#\"");
        const char *at = memrchr(from, '@', host);
        to = at ? mask(to, from, at) : to;
        size_t path = strcspn(at ? at : from, "?#\"");
        memcpy(to, at ? at : from, path);
        to += path;
        from = (at ? at : from) + path;
        to = mask(to, from, from + strcspn(from, "\""));
        if (!scheme)
            break;
    }
    if (line)
        *to = '\0';
    return line;
}

static void add_source(struct printer *printer, struct bytes *out, const ajob_mistake *mistake) {
    char *source = hide_secrets(mistake->source);
    const char *line = source ? source : "";
    unsigned before = mistake->column - 1, skipped = 0;
    if (before > SHOWN_BEFORE) {
        skipped = before - SHOWN_BEFORE;
        skip_characters(&line, skipped);
    }
    bytes_printf(out, "%*u | ", NUMBER_WIDTH, mistake->line);
    int indent = skipped ? 3 : 0;
    bytes_printf(out, "%s", skipped ? "..." : "");
    indent += add_piece(printer, out, &line, before - skipped);
    unsigned marked = mistake->length < MARKED_MOST ? mistake->length : MARKED_MOST;
    int marks = add_piece(printer, out, &line, marked);
    add_piece(printer, out, &line, SHOWN_AFTER);
    bytes_printf(out, "%s\n%*s | %*s%s^", *line ? "..." : "", NUMBER_WIDTH, "", indent, "",
                 paint(printer, "\033[1;32m"));
    for (int i = 1; i < marks; i++)
        bytes_add(out, "~", 1);
    bytes_printf(out, "%s\n", paint(printer, "\033[0m"));
    free(source);
}

static void add_text(struct printer *printer, struct bytes *out, const char *text) {
    char safe[PIECE_SIZE];
    term_escape(&printer->term, safe, sizeof safe, text);
    bytes_add(out, safe, strlen(safe));
}

static void print(struct printer *printer, const ajob_mistake *mistake) {
    static const char *const words[] = {[AJOB_MISTAKE_ERROR] = "error",
                                        [AJOB_MISTAKE_WARNING] = "warning",
                                        [AJOB_MISTAKE_NOTE] = "note"};
    static const char *const colors[] = {[AJOB_MISTAKE_ERROR] = "\033[1;31m",
                                         [AJOB_MISTAKE_WARNING] = "\033[1;35m",
                                         [AJOB_MISTAKE_NOTE] = "\033[1;36m"};
    struct bytes out = {0};

    add_text(printer, &out, mistake->file);
    if (mistake->line)
        bytes_printf(&out, ":%u:%u", mistake->line, mistake->column);
    bytes_printf(&out, ": %s%s:%s ", paint(printer, colors[mistake->severity]),
                 words[mistake->severity], paint(printer, "\033[0m"));
    add_text(printer, &out, mistake->text);
    if (mistake->hint) {
        bytes_add(&out, "; ", 2);
        add_text(printer, &out, mistake->hint);
    }
    bytes_add(&out, "\n", 1);
    if (mistake->source)
        add_source(printer, &out, mistake);
    term_write(&printer->term, out.data, out.length, true);
    bytes_done(&out);
}

static void on_mistake(const ajob_mistake *mistake, void *data) {
    struct printer *printer = data;
    printer->shown.has_no_memory |= !strcmp(mistake->text, "out of memory");
    printer->shown.warnings += mistake->severity == AJOB_MISTAKE_WARNING;
    if (mistake->severity != AJOB_MISTAKE_NOTE) {
        printer->is_left_out = printer->printed >= PRINTED_MOST;
        printer->printed += !printer->is_left_out;
    }
    if (printer->is_left_out)
        return;
    term_ask_locale(&printer->term); /* here: few specs have mistakes */
    print(printer, mistake);
}

struct mistakes_shown mistakes_print(ajob_spec *spec) {
    struct printer printer = {0};
    char more[64];
    fflush(stdout);
    term_init(&printer.term, STDERR_FILENO, NULL);
    printer.shown.errors = ajob_spec_check(spec, on_mistake, &printer);
    size_t all = printer.shown.errors + printer.shown.warnings;
    if (all > printer.printed) {
        int length = snprintf(more, sizeof more, "... and %zu more\n", all - printer.printed);
        term_write(&printer.term, more, (size_t)length, true);
    }
    term_done(&printer.term);
    return printer.shown;
}

int mistakes_status(const struct mistakes_shown *shown) {
    return shown->has_no_memory ? STATUS_FAULT : shown->errors ? STATUS_USAGE : STATUS_OK;
}

int mistakes_check(ajob_spec *spec) {
    struct mistakes_shown shown = mistakes_print(spec);
    return mistakes_status(&shown);
}
