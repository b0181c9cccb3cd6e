/* targets.c - what ajob get is asked for. See targets.h. */
#include "targets.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LINE = 64 * 1024 };

bool targets_add(struct targets *targets, struct target target) {
    if (targets->count == targets->space) {
        size_t space = targets->space ? 2 * targets->space : 16;
        struct target *items = realloc(targets->items, space * sizeof *items);
        if (!items) {
            target_done(&target);
            return false;
        }
        targets->items = items;
        targets->space = space;
    }
    targets->items[targets->count++] = target;
    return true;
}

void target_done(struct target *target) {
    free(target->mirrors);
    free(target->line);
    free(target->path);
    *target = (struct target){0};
}

void targets_done(struct targets *targets) {
    for (size_t i = 0; i < targets->count; i++)
        target_done(&targets->items[i]);
    free(targets->items);
}

const char *target_place(const struct targets *targets, const struct target *target,
                         char buffer[PLACE_SIZE]) {
    if (target->number == 0)
        return ajob_show_url(buffer, PLACE_SIZE, target->url);
    snprintf(buffer, PLACE_SIZE, "%s:%zu", targets->list, target->number);
    return buffer;
}

/* ---- the list ---------------------------------------------------------- */

static int bad_line(const struct targets *targets, size_t number, const char *why) {
    return cli_fail(targets->command, STATUS_USAGE, "%s:%zu: %s", targets->list, number, why);
}

/* Cuts the first field, "URL[ MIRROR...]", at its spaces. False on lack of memory. */
static bool split_urls(struct target *target, char *field) {
    size_t count = 0;
    target->url = field;
    char *space = strchr(field, ' ');
    if (!space)
        return true;
    for (const char *at = space; at; at = strchr(at + 1, ' '))
        count++; /* at least as many as there are words after it */
    target->mirrors = calloc(count + 1, sizeof *target->mirrors);
    for (size_t i = 0; space && target->mirrors; space = strchr(space, ' ')) {
        *space++ = '\0';
        if (*space && *space != ' ')
            target->mirrors[i++] = space;
    }
    return target->mirrors != NULL;
}

/* Without the white space at its ends, and a line end of either kind. Tabs
 * separate fields: they stay. */
static char *trimmed(const char *line, size_t length) {
    size_t skip = length >= 3 && memcmp(line, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0; /* a UTF-8 BOM */
    while (skip < length && line[skip] == ' ')
        skip++;
    while (length > skip && strchr(" \r\n", line[length - 1]))
        length--;
    return strndup(line + skip, length - skip);
}

const char *target_parse(struct target *target, const char *text, size_t length) {
    char *line = trimmed(text, length);
    *target = (struct target){.line = line};
    if (!line)
        return "out of memory";
    if (!*line || *line == '#')
        return NULL;
    char *name = strchr(line, '\t'), *digest = NULL;
    if (name) {
        *name++ = '\0';
        digest = strchr(name, '\t');
        if (digest)
            *digest++ = '\0';
        if (digest && strchr(digest, '\t'))
            return "too many fields: use URL, name and digest, with tabs between";
        target->name = *name ? name : NULL;
        target->digest = digest && *digest ? digest : NULL;
    }
    if (target->name && strchr(target->name, '/'))
        return "the name has a directory in it: --dir says where to";
    return split_urls(target, line) ? NULL : "out of memory";
}

static const char hidden_login[] = "***@", hidden_query[] = "?***";

/* Adds one URL. False on lack of memory. */
static bool hide_url(FILE *hidden, const char *url, size_t length) {
    const char *end = url + length, *scheme = memmem(url, length, "://", 3);
    const char *host = scheme ? scheme + 3 : url, *path = host, *query;
    while (path < end && !strchr("/?#", *path))
        path++;
    const char *at = memrchr(host, '@', (size_t)(path - host));
    if (at)
        fprintf(hidden, "%.*s%s", (int)(host - url), url, hidden_login);
    const char *shown = at ? at + 1 : url;
    for (query = path; query < end && *query != '?' && *query != '#';)
        query++;
    fprintf(hidden, "%.*s%s", (int)(query - shown), shown, query < end ? hidden_query : "");
    return !ferror(hidden);
}

char *target_hide(const char *text, size_t length) {
    char *line = NULL;
    size_t size;
    FILE *hidden = open_memstream(&line, &size);
    const char *end = text + length, *tab = memchr(text, '\t', length);
    const char *urls_end = tab ? tab : end;
    bool is_ok = hidden != NULL;
    for (const char *word = text; is_ok && word < urls_end;) {
        const char *space = memchr(word, ' ', (size_t)(urls_end - word));
        const char *word_end = space ? space : urls_end;
        is_ok = hide_url(hidden, word, (size_t)(word_end - word));
        if (space)
            fputc(' ', hidden);
        word = space ? space + 1 : urls_end;
    }
    if (is_ok)
        fprintf(hidden, "%.*s", (int)(end - urls_end), urls_end);
    is_ok = hidden && !fclose(hidden) && is_ok;
    if (!is_ok)
        free(line);
    return is_ok ? line : NULL;
}

bool target_is_hidden(const char *text, size_t length) {
    const char *tab = memchr(text, '\t', length);
    size_t urls = tab ? (size_t)(tab - text) : length;
    return memmem(text, urls, hidden_login, sizeof hidden_login - 1) ||
           memmem(text, urls, hidden_query, sizeof hidden_query - 1);
}

static int read_line(struct targets *targets, const char *line, size_t length, size_t number) {
    struct target target;
    const char *mistake = target_parse(&target, line, length);
    target.number = number;
    if (mistake || !target.url)
        target_done(&target);
    if (mistake)
        return bad_line(targets, number, mistake);
    if (target.line && !targets_add(targets, target))
        return cli_fail(targets->command, STATUS_FAULT, "out of memory");
    return STATUS_OK;
}

static int read_lines(struct targets *targets, FILE *file) {
    char *line = NULL;
    size_t space = 0, number = 0;
    ssize_t length;
    int status = STATUS_OK;

    while (status == STATUS_OK && (length = getline(&line, &space, file)) >= 0) {
        number++;
        if (length > MOST_LINE)
            status = bad_line(targets, number, "the line is longer than 64K");
        else if (memchr(line, '\0', (size_t)length))
            status = bad_line(targets, number, "there is a NUL byte in it: not a text file");
        if (status != STATUS_OK)
            break;
        status = read_line(targets, line, (size_t)length, number);
    }
    free(line);
    return status;
}

int targets_read(struct targets *targets, const char *path) {
    bool standard = strcmp(path, "-") == 0;
    FILE *file = standard ? stdin : fopen(path, "r");
    int status = STATUS_OK, error = errno;

    targets->list = standard ? "standard input" : path;
    if (file) {
        errno = 0;
        status = read_lines(targets, file);
        error = ferror(file) ? errno : 0;
        if (!standard)
            fclose(file);
    }
    if (!file || (status == STATUS_OK && error))
        return cli_fail(targets->command, STATUS_USAGE, "--input-file: %s: cannot be read: %s",
                        targets->list, strerror(error));
    return status;
}

/* ---- two targets, one file --------------------------------------------- */

/* By file, then in the order given. */
static int by_path(const void *a, const void *b) {
    const struct target *const *left = a, *const *right = b;
    int order = strcmp((*left)->path, (*right)->path);
    return order ? order : (*left > *right) - (*left < *right);
}

static bool has_same_mirrors(const struct target *one, const struct target *other) {
    size_t i = 0;
    if (!one->mirrors || !other->mirrors)
        return one->mirrors == other->mirrors;
    while (one->mirrors[i] && other->mirrors[i] && strcmp(one->mirrors[i], other->mirrors[i]) == 0)
        i++;
    return one->mirrors[i] == other->mirrors[i]; /* both NULL */
}

static bool is_same(const struct target *one, const struct target *other) {
    return strcmp(one->url, other->url) == 0 && has_same_mirrors(one, other) &&
           (!one->digest || !other->digest || strcmp(one->digest, other->digest) == 0);
}

static void drop(struct target *target) {
    free(target->path);
    target->path = NULL;
}

/* The target whose part would be written to the file of this one, or NULL. */
static const struct target *part_owner(struct target *const *sorted, size_t count,
                                       const struct target *target) {
    static const char *const endings[] = {AJOB_PART_ENDINGS};
    size_t length = strlen(target->path);
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        size_t cut = strlen(endings[i]);
        if (length <= cut || strcmp(target->path + length - cut, endings[i]) != 0)
            continue;
        for (size_t j = 0; j < count; j++) /* such names are rare */
            if (sorted[j]->path && strlen(sorted[j]->path) == length - cut &&
                strncmp(sorted[j]->path, target->path, length - cut) == 0)
                return sorted[j];
    }
    return NULL;
}

static int check_parts(const struct targets *targets, struct target *const *sorted) {
    char first[PLACE_SIZE], second[PLACE_SIZE];
    for (size_t i = 0; i < targets->count; i++) {
        const struct target *target = sorted[i];
        const struct target *owner =
            target->path ? part_owner(sorted, targets->count, target) : NULL;
        if (owner)
            return cli_fail(targets->command, STATUS_USAGE,
                            "%s: %s is where the part of %s goes: name one of them with "
                            "--input-file",
                            target_place(targets, target, second), target->path,
                            target_place(targets, owner, first));
    }
    return STATUS_OK;
}

int targets_merge(struct targets *targets) {
    char first[PLACE_SIZE], second[PLACE_SIZE];
    struct target **sorted = calloc(targets->count + 1, sizeof *sorted);
    int status = STATUS_OK;

    if (!sorted)
        return cli_fail(targets->command, STATUS_FAULT, "out of memory");
    for (size_t i = 0; i < targets->count; i++)
        sorted[i] = &targets->items[i];
    qsort(sorted, targets->count, sizeof(struct target *), by_path);

    size_t kept = 0; /* the index of the one of this file */
    for (size_t i = 1; i < targets->count && status == STATUS_OK; i++) {
        struct target *one = sorted[kept], *other = sorted[i];
        if (strcmp(one->path, other->path) != 0) {
            kept = i;
        } else if (!is_same(one, other)) {
            status = cli_fail(targets->command, STATUS_USAGE,
                              "%s: is to be written to %s, as is %s: name one of them with "
                              "--input-file",
                              target_place(targets, other, second), one->path,
                              target_place(targets, one, first));
        } else if (one->digest) {
            drop(other);
        } else {
            drop(one);
            kept = i;
        }
    }
    if (status == STATUS_OK)
        status = check_parts(targets, sorted);
    free(sorted);
    return status;
}
