/* name.c - names of files that come from outside, made harmless. See name.h. */
#include "net/name.h"

#include <ctype.h>
#include <stdint.h>

#include "base/mem.h"
#include "base/text.h"

/* Cuts the middle, at characters, so that the ending (".tar.gz") stays. */
static void cut(struct text *name) {
    enum { ENDING_MAX = 32 };
    if (name->length <= NAME_LENGTH_MAX)
        return;
    size_t ending = name->length - ENDING_MAX, start = NAME_LENGTH_MAX - ENDING_MAX;
    while (((unsigned char)name->data[ending] & 0xc0) == 0x80)
        ending++;
    while (((unsigned char)name->data[start] & 0xc0) == 0x80)
        start--;
    memmove(name->data + start, name->data + ending, name->length - ending + 1);
    name->length = start + (name->length - ending);
}

char *name_neutral(const char *raw) {
    struct text name = TEXT_INIT(1 << 16);
    size_t left = strlen(raw);
    while (left) {
        uint32_t point = 0;
        size_t step = utf8_decode(raw, left, &point);
        bool is_first = name.length == 0;
        bool is_harmful = !step || !utf8_is_printable(point) || point == '/' || point == '\\' ||
                          (is_first && (point == '.' || point == '-'));
        if (!step)
            step = 1;
        if (is_harmful)
            text_add_char(&name, '_');
        else
            text_add_n(&name, raw, step);
        raw += step;
        left -= step;
    }
    if (!name.length)
        text_add_char(&name, '_');
    if (text_ok(&name))
        cut(&name);
    char *copy = text_ok(&name) ? mem_copy(text_string(&name)) : NULL;
    text_done(&name);
    return copy;
}

char *name_from_url(const char *url) {
    const char *authority = strstr(url, "://");
    const char *path = strchr(authority ? authority + 3 : url, '/');
    if (!path)
        return mem_copy("index.html");
    size_t length = strcspn(path, "?#");
    const char *end = path + length, *segment = end;
    while (segment[-1] != '/')
        segment--;
    struct text name = TEXT_INIT(1 << 16);
    for (; segment < end; segment++) {
        bool is_escape = segment[0] == '%' && end - segment > 2 &&
                         isxdigit((unsigned char)segment[1]) && isxdigit((unsigned char)segment[2]);
        if (is_escape) {
            char byte = (char)(hex_value(segment[1]) << 4 | hex_value(segment[2]));
            text_add_char(&name, byte ? byte : '_');
            segment += 2;
        } else {
            text_add_char(&name, *segment);
        }
    }
    bool is_ok = text_ok(&name);
    char *neutral = !is_ok        ? NULL
                    : name.length ? name_neutral(text_string(&name))
                                  : mem_copy("index.html");
    text_done(&name);
    return neutral;
}

bool name_is_usable(const char *name) {
    return *name && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && !strchr(name, '/') &&
           strlen(name) <= NAME_LENGTH_MAX;
}
