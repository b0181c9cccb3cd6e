/*
 * units.c - durations and sizes as people write and read them.
 *
 * Owns the syntax of "1h30m" and "64K"; declared in ajob.h, since programs
 * that use the library read the same words from their users.
 */
#include "ajob.h"

#include <ctype.h>

static const struct {
    const char *name;
    uint64_t ms;
} duration_units[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60 * 1000}, {"h", 3600 * 1000}, {"d", 24 * 3600 * 1000},
};

enum { UNIT_COUNT = sizeof duration_units / sizeof duration_units[0] };

/* A decimal number at *text, in thousandths; moves *text behind it. */
static bool read_thousandths(const char **text, uint64_t *ret_value) {
    const char *at = *text;
    uint64_t value = 0, scale = 1000;
    if (!isdigit((unsigned char)*at))
        return false;
    for (; isdigit((unsigned char)*at); at++) {
        value = value * 10 + (uint64_t)(*at - '0');
        if (value > UINT64_C(1) << 44)
            return false;
    }
    value *= 1000;
    if (*at == '.') {
        if (!isdigit((unsigned char)*++at))
            return false;
        for (; isdigit((unsigned char)*at); at++)
            value += (uint64_t)(*at - '0') * (scale /= 10);
    }
    *text = at;
    *ret_value = value;
    return true;
}

/* The index of the unit at *text, moved behind it; UNIT_COUNT if there is none. */
static int read_unit(const char **text) {
    size_t length = strspn(*text, "abcdefghijklmnopqrstuvwxyz");
    for (int i = 0; i < UNIT_COUNT; i++) {
        const char *name = duration_units[i].name;
        if (strlen(name) == length && strncmp(*text, name, length) == 0) {
            *text += length;
            return i;
        }
    }
    return UNIT_COUNT;
}

bool ajob_parse_duration(const char *text, uint64_t *duration_ms) {
    const uint64_t most = UINT64_C(365) * 24 * 3600 * 1000;
    uint64_t total = 0;
    int last_unit = UNIT_COUNT; /* units come in falling order: 1h30m */
    do {
        uint64_t value;
        if (!read_thousandths(&text, &value))
            return false;
        bool bare = !*text && last_unit == UNIT_COUNT;
        int unit = bare ? 1 : read_unit(&text);
        if (unit >= last_unit)
            return false;
        if (value / 1000 > most / duration_units[unit].ms)
            return false;
        total += value * duration_units[unit].ms / 1000;
        if (total > most)
            return false;
        last_unit = unit;
    } while (*text);
    *duration_ms = total;
    return true;
}

bool ajob_parse_size(const char *text, uint64_t *size) {
    static const char units[] = "KMGT";
    uint64_t value = 0;
    if (!isdigit((unsigned char)*text))
        return false;
    for (; isdigit((unsigned char)*text); text++) {
        uint64_t digit = (uint64_t)(*text - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    if (*text) {
        const char *unit = strchr(units, toupper((unsigned char)*text));
        if (!unit || text[1])
            return false;
        unsigned shift = 10 * (unsigned)(unit - units + 1);
        if (value > UINT64_MAX >> shift)
            return false;
        value <<= shift;
    }
    *size = value;
    return true;
}

const char *ajob_format_duration(char buffer[32], uint64_t duration_ms) {
    if (duration_ms && duration_ms < 1000) {
        snprintf(buffer, 32, "%ums", (unsigned)duration_ms);
        return buffer;
    }
    if (duration_ms < 60000) {
        unsigned tenths = (unsigned)(duration_ms / 100);
        if (tenths % 10)
            snprintf(buffer, 32, "%u.%us", tenths / 10, tenths % 10);
        else
            snprintf(buffer, 32, "%us", tenths / 10);
        return buffer;
    }
    size_t used = 0;
    uint64_t left = duration_ms / 1000 * 1000;
    buffer[0] = '\0';
    for (int i = UNIT_COUNT - 1; i > 0; i--) {
        uint64_t count = left / duration_units[i].ms;
        left %= duration_units[i].ms;
        if (count)
            used += (size_t)snprintf(buffer + used, 32 - used, "%llu%s", (unsigned long long)count,
                                     duration_units[i].name);
    }
    return buffer;
}

const char *ajob_format_size(char buffer[32], uint64_t size) {
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = (double)size;
    size_t unit = 0;
    while (value >= 1023.95 && unit < 6) {
        value /= 1024;
        unit++;
    }
    snprintf(buffer, 32, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
    return buffer;
}
