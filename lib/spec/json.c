/*
 * json.c - the scan of a spec's text, and cJSON behind it. See json.h.
 *
 * Plain recursive descent: the depth is bounded by JSON_DEPTH_MAX. A function
 * that returns false has left the fault.
 */
#include "spec/json.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>

#include "ajob.h"
#include "base/mem.h"
#include "base/text.h"

enum { NUMBER_MAX = 60 }; /* cJSON copies numbers into a buffer not much larger */

struct scan {
    struct json *json;
    const char *text; /* followed by a NUL */
    uint32_t length, at;
    struct json_fault *fault;
    int error;
};

__attribute__((format(printf, 5, 6))) static bool
fail(struct scan *scan, uint32_t at, uint32_t length, const char *hint, const char *format, ...) {
    va_list arguments;
    scan->error = AJOB_EINVAL;
    scan->fault->at = at;
    scan->fault->length = length;
    scan->fault->hint = hint;
    va_start(arguments, format);
    vsnprintf(scan->fault->text, sizeof scan->fault->text, format, arguments);
    va_end(arguments);
    return false;
}

static unsigned line_of(const struct scan *scan, uint32_t at) {
    unsigned line = 1;
    for (uint32_t i = 0; i < at; i++)
        line += scan->text[i] == '\n';
    return line;
}

/* ---- what is between the tokens ----------------------------------------- */

/* Past one character of UTF-8 that is not ASCII. */
static bool scan_wide(struct scan *scan) {
    uint32_t point;
    size_t step = utf8_decode(scan->text + scan->at, scan->length - scan->at, &point);
    if (!step)
        return fail(scan, scan->at, 1, "save the file as UTF-8", "not UTF-8: byte 0x%02x",
                    (unsigned char)scan->text[scan->at]);
    scan->at += (uint32_t)step;
    return true;
}

static bool scan_comment(struct scan *scan) {
    uint32_t start = scan->at;
    bool is_block = scan->text[start + 1] == '*';
    scan->at += 2;
    for (;;) {
        if (scan->at >= scan->length) {
            if (is_block)
                return fail(scan, start, 2, "close it with */", "the comment is never closed");
            break;
        }
        const char *here = scan->text + scan->at;
        if (is_block && here[0] == '*' && here[1] == '/') {
            scan->at += 2;
            break;
        }
        if (!is_block && *here == '\n')
            break;
        if (*here == '\0')
            return fail(scan, scan->at, 1, "is it a text file?", "a NUL byte in the text");
        if ((unsigned char)*here < 0x80)
            scan->at++;
        else if (!scan_wide(scan))
            return false;
    }
    memset(scan->json->plain + start, ' ', scan->at - start);
    return true;
}

/* Past white space and comments. */
static bool skip_space(struct scan *scan) {
    for (;;) {
        while (scan->at < scan->length && strchr(" \t\r\n", scan->text[scan->at]) &&
               scan->text[scan->at])
            scan->at++;
        if (scan->text[scan->at] != '/' ||
            (scan->text[scan->at + 1] != '/' && scan->text[scan->at + 1] != '*'))
            return true;
        if (!scan_comment(scan))
            return false;
    }
}

/* ---- tokens -------------------------------------------------------------- */

static bool add_token(struct scan *scan, uint32_t *ret_token) {
    struct json *json = scan->json;
    if (json->count == json->space) {
        uint32_t space = json->space ? json->space + json->space / 2 : 64;
        struct json_token *tokens = mem_resize(json->tokens, space * sizeof *tokens);
        if (!tokens) {
            scan->error = AJOB_ENOMEM;
            return false;
        }
        json->tokens = tokens;
        json->space = space;
    }
    *ret_token = json->count++;
    json->tokens[*ret_token] = (struct json_token){scan->at, json->count};
    return true;
}

/* Four hexadecimal digits after \u; moves past them. */
static bool scan_hex(struct scan *scan, uint32_t escape, unsigned *ret_value) {
    unsigned value = 0;
    for (int i = 0; i < 4; i++, scan->at++) {
        int digit = scan->at < scan->length ? hex_value(scan->text[scan->at]) : -1;
        if (digit < 0)
            return fail(scan, escape, 2, NULL, "\\u needs four hexadecimal digits");
        value = value * 16 + (unsigned)digit;
    }
    *ret_value = value;
    return true;
}

static bool scan_escape(struct scan *scan) {
    uint32_t start = scan->at;
    unsigned high, low;
    char c = scan->text[start + 1];
    scan->at += 2;
    if (c && strchr("\"\\/bfnrt", c))
        return true;
    if (c != 'u')
        return fail(scan, start, isprint((unsigned char)c) ? 2 : 1, "write \\\\ for a backslash",
                    "unknown escape in a string");
    if (!scan_hex(scan, start, &high))
        return false;
    if (high == 0)
        return fail(scan, start, 6, NULL, "\\u0000 in a string: no program can be given it");
    if (high < 0xd800 || high > 0xdfff)
        return true;
    if (high < 0xdc00 && scan->text[scan->at] == '\\' && scan->text[scan->at + 1] == 'u') {
        scan->at += 2;
        if (!scan_hex(scan, scan->at - 2, &low))
            return false;
        if (low >= 0xdc00 && low <= 0xdfff)
            return true;
    }
    return fail(scan, start, 6, NULL, "half of a surrogate pair in a string");
}

static bool scan_string(struct scan *scan) {
    uint32_t start = scan->at++;
    for (;;) {
        unsigned char c = (unsigned char)scan->text[scan->at];
        if (c == '"') {
            scan->at++;
            return true;
        }
        if (c >= 0x80) {
            if (!scan_wide(scan))
                return false;
        } else if (c == '\\') {
            if (!scan_escape(scan))
                return false;
        } else if (c >= 0x20) {
            scan->at++;
        } else if (scan->at >= scan->length || c == '\n' || c == '\r') {
            return fail(scan, start, 1, "a line break in it is written \\n",
                        "the string has no closing quote on its line");
        } else {
            return fail(scan, scan->at, 1, c == '\t' ? "a tab is written \\t" : NULL,
                        "a control character in a string: byte 0x%02x", c);
        }
    }
}

static uint32_t digits(struct scan *scan) {
    uint32_t start = scan->at;
    while (isdigit((unsigned char)scan->text[scan->at]))
        scan->at++;
    return scan->at - start;
}

static bool scan_number(struct scan *scan) {
    uint32_t start = scan->at;
    const char *text = scan->text + start;
    uint32_t length = json_token_length(scan->text, scan->length, start);
    bool is_right = true, has_fraction = false;

    scan->at += *text == '-';
    bool has_zero = scan->text[scan->at] == '0';
    uint32_t whole = digits(scan);
    if (scan->text[scan->at] == '.') {
        has_fraction = true;
        scan->at++;
        is_right = digits(scan) > 0;
    }
    if (is_right && (scan->text[scan->at] == 'e' || scan->text[scan->at] == 'E')) {
        has_fraction = true;
        scan->at++;
        scan->at += scan->text[scan->at] == '+' || scan->text[scan->at] == '-';
        is_right = digits(scan) > 0;
    }
    if (has_zero && whole > 1 && is_right)
        return fail(scan, start, length, "write it without them, or in quotes",
                    "a number with leading zeros");
    if (!is_right || !whole || scan->at != start + length)
        return fail(scan, start, length, "units and words go in quotes: \"30s\"",
                    "not a number as JSON has them");
    if (length > NUMBER_MAX)
        return fail(scan, start, length, NULL, "a number of more than %d characters", NUMBER_MAX);
    if (has_fraction && isinf(strtod(text, NULL)))
        return fail(scan, start, length, NULL, "the number is too large");
    return true;
}

static bool scan_word(struct scan *scan) {
    static const char *const words[] = {"true", "false", "null"};
    static const char *const hints[] = {"did you mean true?", "did you mean false?",
                                        "did you mean null?"};
    uint32_t length = json_token_length(scan->text, scan->length, scan->at);
    char word[24], lower[24];

    snprintf(word, sizeof word, "%.*s", (int)length, scan->text + scan->at);
    for (size_t i = 0; i < sizeof word; i++)
        lower[i] = (char)tolower((unsigned char)word[i]);
    for (int i = 0; i < 3; i++) {
        if (strcmp(word, words[i]) == 0) {
            scan->at += length;
            return true;
        }
    }
    for (int i = 0; i < 3; i++)
        if (strcmp(lower, words[i]) == 0)
            return fail(scan, scan->at, length, hints[i], "unknown word %s", word);
    return fail(scan, scan->at, length, "text goes in double quotes", "unknown word %s%s", word,
                length >= sizeof word ? "..." : "");
}

/* ---- values -------------------------------------------------------------- */

static bool scan_value(struct scan *scan, unsigned depth);

/* What stands where a value (or key) should, but is none. */
static bool fail_unexpected(struct scan *scan, const char *expected) {
    unsigned char c = (unsigned char)scan->text[scan->at];
    if (scan->at >= scan->length)
        return fail(scan, scan->at, 1, NULL, "the text ends where %s is expected", expected);
    switch (c) {
    case '\0':
        return fail(scan, scan->at, 1, "is it a text file?", "a NUL byte in the text");
    case '\'':
    case '`':
        return fail(scan, scan->at, 1, NULL, "strings are in double quotes");
    case '#':
        return fail(scan, scan->at, 1, NULL, "comments begin with //");
    case ',':
        return fail(scan, scan->at, 1, NULL, "%s is missing before this comma", expected);
    default:
        if (c >= 0x80 && !scan_wide(scan))
            return false;
        return fail(scan, scan->at - (c >= 0x80), 1, NULL,
                    isprint(c) ? "%s is expected here, not '%c'" : "%s is expected here", expected,
                    c);
    }
}

/* After a member or an element: true with *ret_more, past the comma, or at the end. */
static bool scan_separator(struct scan *scan, uint32_t open, bool *ret_more) {
    char close = scan->text[open] == '{' ? '}' : ']';
    uint32_t comma = scan->at;
    if (!skip_space(scan))
        return false;
    char c = scan->text[scan->at];
    *ret_more = false;
    if (c == close)
        return true;
    if (c == ',') {
        comma = scan->at++;
        if (!skip_space(scan))
            return false;
        *ret_more = scan->text[scan->at] != close;
        if (!*ret_more)
            scan->json->plain[comma] = ' ';
        return true;
    }
    if (scan->at >= scan->length)
        return fail(scan, open, 1, NULL, "this '%c' is never closed", scan->text[open]);
    if (c == ']' || c == '}')
        return fail(scan, scan->at, 1, NULL, "'%c' is expected here, for the '%c' of line %u",
                    close, scan->text[open], line_of(scan, open));
    if (c == ':' || !(isalnum((unsigned char)c) || strchr("\"-{[", c)))
        return fail_unexpected(scan, close == '}' ? "',' or '}'" : "',' or ']'");
    return fail(scan, scan->at, json_token_length(scan->text, scan->length, scan->at), NULL,
                "a comma is missing before this");
}

static bool scan_member(struct scan *scan, unsigned depth) {
    uint32_t key;
    unsigned char c = (unsigned char)scan->text[scan->at];
    if (isalpha(c) || c == '_' || c == '$')
        return fail(scan, scan->at, json_token_length(scan->text, scan->length, scan->at), NULL,
                    "a key must be in double quotes");
    if (c != '"')
        return fail_unexpected(scan, "a key");
    if (!add_token(scan, &key) || !scan_string(scan) || !skip_space(scan))
        return false;
    if (scan->text[scan->at] != ':')
        return fail(scan, scan->json->tokens[key].at,
                    json_token_length(scan->text, scan->length, scan->json->tokens[key].at), NULL,
                    "a colon is missing after this key");
    scan->at++;
    if (!skip_space(scan) || !scan_value(scan, depth))
        return false;
    scan->json->tokens[key].next = scan->json->count;
    return true;
}

/* An object or a list. */
static bool scan_inside(struct scan *scan, unsigned depth) {
    uint32_t open = scan->at++;
    bool is_object = scan->text[open] == '{';
    if (depth == JSON_DEPTH_MAX)
        return fail(scan, open, 1, NULL, "nested deeper than %d", JSON_DEPTH_MAX);
    if (!skip_space(scan))
        return false;
    bool has_more = scan->text[scan->at] != (is_object ? '}' : ']');
    if (scan->at >= scan->length)
        return fail(scan, open, 1, NULL, "this '%c' is never closed", scan->text[open]);
    while (has_more) {
        if (!(is_object ? scan_member(scan, depth + 1) : scan_value(scan, depth + 1)) ||
            !scan_separator(scan, open, &has_more))
            return false;
    }
    scan->at++;
    return true;
}

/* depth: how many objects and lists are around it. */
static bool scan_value(struct scan *scan, unsigned depth) {
    uint32_t token;
    unsigned char c = (unsigned char)scan->text[scan->at];
    bool is_right;
    if (!add_token(scan, &token))
        return false;
    if (c == '"')
        is_right = scan_string(scan);
    else if (c == '{' || c == '[')
        is_right = scan_inside(scan, depth);
    else if (isdigit(c) || c == '-' || ((c == '+' || c == '.') && scan->text[scan->at + 1]))
        is_right = scan_number(scan);
    else if (isalpha(c))
        is_right = scan_word(scan);
    else
        return fail_unexpected(scan, "a value");
    scan->json->tokens[token].next = scan->json->count;
    return is_right;
}

static bool scan_text(struct scan *scan) {
    if (scan->length >= 3 && memcmp(scan->text, "\xEF\xBB\xBF", 3) == 0) {
        memset(scan->json->plain, ' ', 3);
        scan->at = 3;
    } else if (scan->length >= 2 &&
               (memcmp(scan->text, "\xFF\xFE", 2) == 0 || memcmp(scan->text, "\xFE\xFF", 2) == 0)) {
        return fail(scan, 0, 1, "save the file as UTF-8", "the text is UTF-16");
    }
    if (!skip_space(scan))
        return false;
    if (scan->at >= scan->length)
        return fail(scan, 0, 1, "the least is { \"tasks\": {} }", "there is nothing in it");
    if (!scan_value(scan, 0) || !skip_space(scan))
        return false;
    if (scan->at < scan->length)
        return fail(scan, scan->at, json_token_length(scan->text, scan->length, scan->at), NULL,
                    "more text after the end of the spec");
    return true;
}

int json_scan(struct json *json, const char *text, size_t length, struct json_fault *ret_fault) {
    struct scan scan = {.json = json, .fault = ret_fault};
    *json = (struct json){0};
    if (length > JSON_SIZE_MAX) {
        fail(&scan, 0, 1, NULL, "larger than %d MiB", JSON_SIZE_MAX / 1024 / 1024);
        return AJOB_EINVAL;
    }
    json->plain = mem_copy_n(text, length);
    if (!json->plain)
        return AJOB_ENOMEM;
    json->length = scan.length = (uint32_t)length;
    scan.text = text;
    return scan_text(&scan) ? 0 : scan.error;
}
