/* checksums.c - files of checksums among the assets. See checksums.h. */
#include "net/checksums.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdlib.h>

#include "base/mem.h"

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

static int by_name(const void *a, const void *b) {
    return strcmp(((const struct checksum *)a)->name, ((const struct checksum *)b)->name);
}

/* Each name once: it has one digest, or none that counts. */
static void join_names(struct checksums *checksums) {
    struct checksum *items = checksums->items;
    size_t count = 0;
    if (checksums->count)
        qsort(items, checksums->count, sizeof *items, by_name);
    for (size_t i = 0; i < checksums->count; i++) {
        struct checksum *last = count ? &items[count - 1] : NULL;
        if (!last || strcmp(last->name, items[i].name) != 0) {
            items[count++] = items[i];
            continue;
        }
        last->is_doubtful = last->is_doubtful || strcmp(last->digest, items[i].digest) != 0;
        mem_free(items[i].name);
    }
    checksums->count = count;
}

static bool keep(struct checksums *checksums, const struct entry *entry) {
    const char *name = last_part(entry->name);
    if (*entry->name && !*name)
        return true; /* of a directory */
    if (checksums->count == checksums->space) {
        size_t space = checksums->space ? 2 * checksums->space : 16;
        void *items = mem_resize(checksums->items, space * sizeof *checksums->items);
        if (!items)
            return false;
        checksums->items = items;
        checksums->space = space;
    }
    struct checksum *item = &checksums->items[checksums->count];
    *item = (struct checksum){.name = mem_copy(name)};
    memcpy(item->digest, entry->digest, CHECKSUM_MAX);
    checksums->count += item->name != NULL;
    return item->name != NULL;
}

bool checksums_read(struct checksums *checksums, const char *text, size_t length) {
    const char *end = text + length;
    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *line_end = newline ? newline : end;
        struct entry entry;
        if (read_line(text, (size_t)(line_end - text), &entry) && !keep(checksums, &entry))
            return false;
        text = line_end + 1;
    }
    join_names(checksums);
    return true;
}

static const struct checksum *find(const struct checksums *checksums, const char *name) {
    struct checksum key = {.name = (char *)name};
    return checksums->count ? bsearch(&key, checksums->items, checksums->count, sizeof key, by_name)
                            : NULL;
}

const char *checksums_find(const struct checksums *checksums, const char *name, bool is_for_name) {
    const struct checksum *named = *name ? find(checksums, name) : NULL;
    const struct checksum *alone = is_for_name ? find(checksums, "") : NULL;
    const struct checksum *found = named ? named : alone;
    bool is_doubtful = (named && named->is_doubtful) || (alone && alone->is_doubtful) ||
                       (named && alone && strcmp(named->digest, alone->digest) != 0);
    return found && !is_doubtful ? found->digest : NULL;
}

void checksums_done(struct checksums *checksums) {
    for (size_t i = 0; i < checksums->count; i++)
        mem_free(checksums->items[i].name);
    mem_free(checksums->items);
    *checksums = (struct checksums){0};
}
