/* text.c - text that grows up to a bound, and text made safe to show. See text.h. */
#include "base/text.h"

#include <ctype.h>

#include "ajob.h"
#include "base/mem.h"

static bool reserve(struct text *text, size_t more) {
    if (text->failed)
        return false;
    size_t wanted = text->length + more + 1;
    if (more > text->max - text->length) {
        text->failed = true;
        return false;
    }
    if (wanted <= text->capacity)
        return true;
    size_t capacity = text->capacity ? text->capacity : 64;
    while (capacity < wanted)
        capacity *= 2;
    char *data = mem_resize(text->data, capacity);
    if (!data) {
        text->failed = text->has_no_memory = true;
        return false;
    }
    text->data = data;
    text->capacity = capacity;
    return true;
}

void text_add_n(struct text *text, const char *data, size_t length) {
    if (!reserve(text, length))
        return;
    if (length)
        memcpy(text->data + text->length, data, length);
    text->length += length;
    text->data[text->length] = '\0';
}

void text_add(struct text *text, const char *data) {
    text_add_n(text, data, strlen(data));
}

void text_add_char(struct text *text, char c) {
    text_add_n(text, &c, 1);
}

void text_vformat(struct text *text, const char *format, va_list arguments) {
    va_list again;
    if (!reserve(text, 0))
        return;
    va_copy(again, arguments);
    size_t room = text->capacity - text->length;
    int length = vsnprintf(text->data + text->length, room, format, arguments);
    bool fits = length >= 0 && (size_t)length < room;
    if (length < 0) {
        text->failed = true;
    } else if (!reserve(text, (size_t)length)) {
        text->data[text->length] = '\0';
    } else {
        if (!fits)
            vsnprintf(text->data + text->length, (size_t)length + 1, format, again);
        text->length += (size_t)length;
    }
    va_end(again);
}

void text_format(struct text *text, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    text_vformat(text, format, arguments);
    va_end(arguments);
}

void text_add_json(struct text *text, const char *data, size_t length) {
    while (length) {
        uint32_t point = 0;
        size_t step = utf8_decode(data, length, &point);
        if (!step) {
            text_add(text, "\xef\xbf\xbd"); /* U+FFFD */
            step = 1;
        } else if (point == '"' || point == '\\') {
            text_add_char(text, '\\');
            text_add_n(text, data, 1);
        } else if (point == '\n') {
            text_add(text, "\\n");
        } else if (point < 0x20 || point == 0x7f ||
                   (point == '#' && length > 1 && data[1] == '#')) {
            text_format(text, "\\u%04x", (unsigned)point); /* "##[" is a command to some CI */
        } else {
            text_add_n(text, data, step);
        }
        data += step;
        length -= step;
    }
}

bool text_ok(const struct text *text) {
    return !text->failed;
}

const char *text_string(const struct text *text) {
    return text->data ? text->data : "";
}

void text_clear(struct text *text) {
    text->length = 0;
    text->failed = text->has_no_memory = false;
    if (text->data)
        text->data[0] = '\0';
}

void text_done(struct text *text) {
    mem_free(text->data);
    *text = (struct text){.max = text->max};
}

/* Ends the line before a character of which the end is missing. */
static void cut_at_character(char *line, size_t length) {
    size_t start = length;
    while (start && length - start < 3 && (line[start - 1] & 0xc0) == 0x80)
        start--;
    uint32_t point;
    if (start && (line[start - 1] & 0x80) &&
        !utf8_decode(line + start - 1, length - start + 1, &point))
        line[start - 1] = '\0';
}

char *text_make(const char *format, ...) {
    struct text text = TEXT_INIT(64 * 1024);
    va_list arguments;
    va_start(arguments, format);
    text_vformat(&text, format, arguments);
    va_end(arguments);
    if (text_ok(&text) && text.data)
        return text.data;
    text_done(&text);
    return NULL;
}

char *text_new(const char *format, ...) {
    char line[TEXT_LINE_MAX];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (length < 0)
        return NULL;
    if (length >= (int)sizeof line) /* cut off, maybe inside a character */
        cut_at_character(line, sizeof line - 1);
    return mem_copy(line);
}

int hex_value(char c) {
    static const char digits[] = "0123456789abcdef";
    const char *found = c ? strchr(digits, tolower((unsigned char)c)) : NULL;
    return found ? (int)(found - digits) : -1;
}

size_t utf8_decode(const char *data, size_t length, uint32_t *ret_point) {
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *byte = (const unsigned char *)data;
    if (!length)
        return 0;
    size_t size = byte[0] < 0x80             ? 1
                  : (byte[0] & 0xe0) == 0xc0 ? 2
                  : (byte[0] & 0xf0) == 0xe0 ? 3
                  : (byte[0] & 0xf8) == 0xf0 ? 4
                                             : 0;
    if (!size || size > length)
        return 0;
    uint32_t point = size == 1 ? byte[0] : byte[0] & (0x7fu >> size);
    for (size_t i = 1; i < size; i++) {
        if ((byte[i] & 0xc0) != 0x80)
            return 0;
        point = point << 6 | (byte[i] & 0x3fu);
    }
    bool valid = point >= least[size] && point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
    if (!valid)
        return 0;
    *ret_point = point;
    return size;
}

bool utf8_is_printable(uint32_t point) {
    static const struct {
        uint32_t first, last;
    } hidden[] = {
        {0x00, 0x1f},       {0x7f, 0x9f},       {0xad, 0xad},       {0x600, 0x605},
        {0x61c, 0x61c},     {0x6dd, 0x6dd},     {0x70f, 0x70f},     {0x890, 0x891},
        {0x8e2, 0x8e2},     {0x180e, 0x180e},   {0x200b, 0x200f},   {0x2028, 0x202e},
        {0x2060, 0x206f},   {0xfeff, 0xfeff},   {0xfff9, 0xfffb},   {0x110bd, 0x110bd},
        {0x110cd, 0x110cd}, {0x13430, 0x1343f}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a},
        {0xe0000, 0xe007f},
    };
    for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++)
        if (point >= hidden[i].first && point <= hidden[i].last)
            return false;
    return true;
}

/* What GitHub Actions takes for a workflow command: "::" after nothing but
 * space, "##[" anywhere. */
static bool begins_command(const char *text, bool is_blank) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    bool is_hash = !strncmp(text, "##", 2) && text[2 + strspn(text + 2, letters)] == '[';
    return is_hash || (is_blank && !strncmp(text, "::", 2));
}

/* Stands for itself wherever it stands: most of what is ever escaped. */
static bool is_plain(char c) {
    return c >= ' ' && c <= '~' && c != '#' && c != ':';
}

const char *ajob_escape(char *buffer, size_t size, const char *text) {
    size_t used = 0, left = strlen(text);
    bool is_blank = true; /* so far */
    while (left && size) {
        char piece[16];
        uint32_t point = 0;
        if (is_plain(*text)) {
            if (used + 1 >= size)
                break;
            is_blank = is_blank && *text == ' ';
            buffer[used++] = *text++;
            left--;
            continue;
        }
        size_t step = utf8_decode(text, left, &point);
        if (!step) {
            snprintf(piece, sizeof piece, "\\x%02x", (unsigned)(unsigned char)*text);
            step = 1;
        } else if (begins_command(text, is_blank)) {
            snprintf(piece, sizeof piece, "\\x%02x", (unsigned)point);
        } else if (utf8_is_printable(point)) {
            memcpy(piece, text, step);
            piece[step] = '\0';
        } else {
            snprintf(piece, sizeof piece, point < 0x100 ? "\\x%02x" : "\\u{%x}", (unsigned)point);
        }
        is_blank = is_blank && (point == ' ' || point >= 0x80);
        size_t length = strlen(piece);
        if (used + length >= size)
            break;
        memcpy(buffer + used, piece, length);
        used += length;
        text += step;
        left -= step;
    }
    if (size)
        buffer[used] = '\0';
    return buffer;
}

char *ajob_hide_secrets(char *text) {
    static const char behind[] = " \t\r\n\"<>"; /* what is in no URL */
    for (char *colon = text; (colon = strstr(colon, "://")); colon += 3) {
        char *host = colon + 3, *end = host + strcspn(host, "/?#"), *at = end;
        while (at > host && at[-1] != '@')
            at--;
        if (at > host)
            memmove(host, at, strlen(at) + 1);
        char *query = host + strcspn(host, "?# \t\r\n\"<>");
        if (*query != '?' && *query != '#')
            continue;
        end = query + strcspn(query, behind);
        while (end > query && strchr(":,;", end[-1])) /* the sentence's */
            end--;
        memmove(query, end, strlen(end) + 1);
    }
    return text;
}

const char *ajob_show_url(char *buffer, size_t size, const char *url) {
    const char *scheme_end = strstr(url, "://"), *host = scheme_end ? scheme_end + 3 : url;
    size_t length = strcspn(host, "/?#"), login = length;
    while (login && host[login - 1] != '@')
        login--;
    char *plain = text_make("%.*s%.*s", (int)(host - url), url, (int)(strcspn(host, "?#") - login),
                            host + login);
    ajob_escape(buffer, size, plain ? plain : "(a URL)");
    mem_free(plain);
    return buffer;
}
