/* checksums.c - files of checksums among the assets. See checksums.h. */
#include "net/checksums.h"

#include <ctype.h>
#include <fnmatch.h>

enum { LINE_MAX_LENGTH = 4096, NAME_MAX_LENGTH = 1024 };

bool checksums_is_list(const char *asset) {
    static const char *const forms[] = {
        "sha256sum",           "sha256sums",
        "sha256sum.txt",       "sha256sums.txt",
        "sha512sum",           "sha512sums",
        "sha512sum.txt",       "sha512sums.txt",
        "checksums.txt",       "checksums.sha256",
        "checksum.txt",        "*[-_.]checksums.txt",
        "*[-_.]sha256sums",    "*[-_.]sha256sums.txt",
        "*[-_.]sha512sums",    "*[-_.]sha512sums.txt",
        "*[-_.]sha256sum.txt", "*[-_.]checksums.sha256",
        "shasums256.txt",      "shasums512.txt",
    };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        if (fnmatch(forms[i], asset, FNM_CASEFOLD) == 0)
            return true;
    return false;
}

bool checksums_is_for(const char *asset, const char *name) {
    static const char *const endings[] = {".sha256", ".sha256sum", ".sha512", ".sha512sum"};
    size_t length = strlen(name);
    if (strncmp(asset, name, length) != 0)
        return false;
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
        if (!strcasecmp(asset + length, endings[i]))
            return true;
    return false;
}

/* One line, taken apart. */
struct entry {
    char digest[CHECKSUM_MAX];
    char name[NAME_MAX_LENGTH]; /* empty: the digest stood alone */
};

/* The digest at text in lower case, with its kind before it; how many digits it
 * has, or 0. */
static size_t read_digest(const char *text, char digest[CHECKSUM_MAX]) {
    size_t length = strspn(text, "0123456789abcdefABCDEF");
    if (length != 64 && length != 128)
        return 0;
    int used = snprintf(digest, CHECKSUM_MAX, "%s:", length == 64 ? "sha256" : "sha512");
    for (size_t i = 0; i < length; i++)
        digest[used++] = (char)tolower((unsigned char)text[i]);
    digest[used] = '\0';
    return length;
}

/* Copies a name; in an escaped line "\n", "\r" and "\\" stand for what they do in
 * C. False: too long. */
static bool read_name(const char *text, size_t length, bool is_escaped, char *name) {
    size_t used = 0;
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (is_escaped && c == '\\' && i + 1 < length) {
            c = text[++i];
            c = c == 'n' ? '\n' : c == 'r' ? '\r' : c;
        }
        if (used == NAME_MAX_LENGTH - 1)
            return false;
        name[used++] = c;
    }
    name[used] = '\0';
    return true;
}

/* "SHA256 (NAME) = HEX", as sha256sum --tag and the BSDs write it. */
static bool read_tagged(const char *line, bool is_escaped, struct entry *entry) {
    const char *open = strstr(line, " ("), *close = strstr(line, ") = ");
    for (const char *later = close; later; later = strstr(later + 1, ") = "))
        close = later;
    bool is_tagged = !strncasecmp(line, "SHA256 (", 8) || !strncasecmp(line, "SHA512 (", 8);
    if (!is_tagged || !close || close < open + 2)
        return false;
    size_t digits = read_digest(close + 4, entry->digest);
    return digits && !close[4 + digits] &&
           read_name(open + 2, (size_t)(close - open - 2), is_escaped, entry->name);
}

/* "HEX  NAME", "HEX *NAME" or "HEX". */
static bool read_plain(const char *line, bool is_escaped, struct entry *entry) {
    size_t digits = read_digest(line, entry->digest);
    const char *name = line + digits;
    entry->name[0] = '\0';
    if (!digits || (*name && *name != ' ' && *name != '\t'))
        return false;
    name += strspn(name, " \t");
    if (*name == '*')
        name++;
    return !strcmp(name, "-") || read_name(name, strlen(name), is_escaped, entry->name);
}

static bool read_line(const char *text, size_t length, struct entry *entry) {
    char line[LINE_MAX_LENGTH];
    while (length && isspace((unsigned char)text[length - 1]))
        length--;
    if (!length || length >= sizeof line || memchr(text, '\0', length))
        return false;
    memcpy(line, text, length);
    line[length] = '\0';
    bool is_escaped = line[0] == '\\';
    const char *start = line + is_escaped;
    return read_tagged(start, is_escaped, entry) || read_plain(start, is_escaped, entry);
}

static const char *last_part(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

bool checksums_find(const char *text, size_t length, const char *name, bool is_for_name,
                    char ret_digest[CHECKSUM_MAX]) {
    const char *end = text + length;
    bool is_found = false;
    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *line_end = newline ? newline : end;
        struct entry entry;
        bool is_ours = read_line(text, (size_t)(line_end - text), &entry) &&
                       (*entry.name ? !strcmp(last_part(entry.name), name) : is_for_name);
        if (is_ours && is_found && strcmp(entry.digest, ret_digest) != 0)
            return false;
        if (is_ours)
            memcpy(ret_digest, entry.digest, CHECKSUM_MAX);
        is_found = is_found || is_ours;
        text = line_end + 1;
    }
    return is_found;
}
