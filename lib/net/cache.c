/*
 * cache.c - answers of the API, kept between runs. See cache.h.
 *
 * A file is
 *
 *     ajob-api-cache-1 SHA256\n        of all that follows
 *     URL\nETAG\nNEXT\n                NEXT is empty on the last page
 *     BODY
 *
 * and has 0600, is written under another name and renamed. Its own name is a digest
 * of URL and token.
 */
#include "net/cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "net/digest.h"
#include "net/disk.h"

enum {
    ANSWER_MAX = 8 << 20,
    FILES_MAX = 1000,
    BYTES_MAX = 64 << 20,
    AGE_MAX_S = 30 * 24 * 3600,
    DRAFT_AGE_MAX_S = 3600, /* of a file that a killed process did not rename */
    NAME_SIZE = DIGEST_HEX_MAX + 1,
};

static const char magic[] = "ajob-api-cache-1 ";
static const char draft_prefix[] = ".new-";

struct cache {
    char *path;
    int fd; /* -1: not open */
    bool is_useless;
    bool is_pruned;
};

struct cache *cache_new(const char *dir) {
    struct cache *cache = mem_new(sizeof *cache);
    if (!cache)
        return NULL;
    cache->fd = -1;
    cache->path = mem_copy(dir);
    return cache->path ? cache : cache_free(cache);
}

struct cache *cache_free(struct cache *cache) {
    if (!cache)
        return NULL;
    if (cache->fd >= 0)
        close(cache->fd);
    mem_free(cache->path);
    return mem_free(cache);
}

void cache_answer_done(struct cache_answer *answer) {
    mem_free(answer->etag);
    mem_free(answer->next_link);
    mem_free(answer->body);
    *answer = (struct cache_answer){0};
}

/* ---- the directory -------------------------------------------------------- */

/* A directory that others can write to, or that is not ours, is none to trust; one that
 * they can read is closed to them. */
static bool is_private(int fd) {
    struct stat status;
    return !fstat(fd, &status) && S_ISDIR(status.st_mode) && status.st_uid == geteuid() &&
           !(status.st_mode & 022) && (!(status.st_mode & 055) || !fchmod(fd, 0700));
}

static bool open_dir(struct cache *cache, bool makes) {
    const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;
    if (cache->is_useless || cache->fd >= 0)
        return !cache->is_useless;
    cache->fd = open(cache->path, flags);
    if (cache->fd < 0 && errno == ENOENT && !makes)
        return false;
    if (cache->fd < 0 && errno == ENOENT) {
        disk_make_dirs(cache->path, 0700);
        cache->fd = open(cache->path, flags);
    }
    cache->is_useless = cache->fd < 0 || !is_private(cache->fd);
    return !cache->is_useless;
}

/* ---- names ---------------------------------------------------------------- */

static bool hash(char hex[DIGEST_HEX_MAX], const char *const *pieces, const size_t *lengths) {
    struct digest digest = {0};
    bool is_begun = digest_begin(&digest, digest_sha256());
    for (size_t i = 0; is_begun && pieces[i]; i++)
        digest_add(&digest, pieces[i], lengths[i]);
    bool is_known = is_begun && digest_end(&digest, NULL, hex);
    digest_done(&digest);
    return is_known;
}

static bool name_of(char name[NAME_SIZE], const char *url, const char *token) {
    const char *pieces[] = {url, "\n", token ? token : "", NULL};
    return hash(name, pieces, (size_t[]){strlen(url), 1, token ? strlen(token) : 0});
}

/* ---- reading -------------------------------------------------------------- */

static char *read_all(int fd, size_t size) {
    char *data = mem_new(size + 1);
    size_t used = 0;
    while (data && used < size) {
        ssize_t count = read(fd, data + used, size - used);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return mem_free(data);
        used += (size_t)count;
    }
    return data;
}

/* The file, if it is one of ours. */
static char *read_file(const struct cache *cache, const char *name, size_t *ret_size) {
    struct stat status;
    int fd = openat(cache->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return NULL;
    bool is_ours = !fstat(fd, &status) && S_ISREG(status.st_mode) && status.st_nlink == 1 &&
                   status.st_uid == geteuid() && status.st_size > 0 &&
                   status.st_size <= 2 * ANSWER_MAX;
    *ret_size = is_ours ? (size_t)status.st_size : 0;
    char *data = is_ours ? read_all(fd, *ret_size) : NULL;
    close(fd);
    return data;
}

/* The line at *at without its end, which is moved behind; NULL: there is none. */
static const char *next_line(char **at, const char *end) {
    char *line = *at, *newline = memchr(line, '\n', (size_t)(end - line));
    if (!newline)
        return NULL;
    *newline = '\0';
    *at = newline + 1;
    return line;
}

static bool take_apart(char *data, size_t size, const char *url, struct cache_answer *answer) {
    char hex[DIGEST_HEX_MAX];
    char *end = data + size, *at = data;
    const char *head = next_line(&at, end);
    bool is_head = head && !strncmp(head, magic, sizeof magic - 1);
    if (!is_head || !hash(hex, (const char *[]){at, NULL}, (size_t[]){(size_t)(end - at)}) ||
        strcmp(head + sizeof magic - 1, hex) != 0)
        return false;
    const char *said_url = next_line(&at, end), *etag = next_line(&at, end);
    const char *next = next_line(&at, end);
    if (!next || strcmp(said_url, url) != 0 || !*etag)
        return false;
    answer->length = (size_t)(end - at);
    answer->etag = mem_copy(etag);
    answer->next_link = *next ? mem_copy(next) : NULL;
    answer->body = mem_copy_n(at, answer->length);
    if (answer->etag && answer->body && (answer->next_link || !*next))
        return true;
    cache_answer_done(answer);
    return false;
}

bool cache_find(struct cache *cache, const char *url, const char *token,
                struct cache_answer *ret_answer) {
    char name[NAME_SIZE];
    size_t size;
    *ret_answer = (struct cache_answer){0};
    if (!open_dir(cache, false) || !name_of(name, url, token))
        return false;
    char *data = read_file(cache, name, &size);
    bool is_found = data && take_apart(data, size, url, ret_answer);
    mem_free(data);
    return is_found;
}

void cache_touch(struct cache *cache, const char *url, const char *token) {
    char name[NAME_SIZE];
    if (open_dir(cache, false) && name_of(name, url, token))
        utimensat(cache->fd, name, NULL, AT_SYMLINK_NOFOLLOW);
}

/* ---- removing ------------------------------------------------------------- */

struct found {
    char name[NAME_SIZE];
    int64_t used_s, size;
};

static int by_age(const void *a, const void *b) {
    const struct found *first = a, *second = b;
    return (second->used_s > first->used_s) - (second->used_s < first->used_s);
}

static bool is_name(const char *name) {
    return strlen(name) == 64 && strspn(name, "0123456789abcdef") == 64;
}

/* Notes the answer of this name, or removes what is too old. */
static void look_at(const struct cache *cache, const char *name, struct found *found,
                    size_t *count) {
    struct stat status;
    bool is_draft = !strncmp(name, draft_prefix, sizeof draft_prefix - 1);
    if ((!is_draft && !is_name(name)) || fstatat(cache->fd, name, &status, AT_SYMLINK_NOFOLLOW))
        return;
    int64_t age_s = (int64_t)time(NULL) - status.st_mtime;
    if (age_s > (is_draft ? DRAFT_AGE_MAX_S : AGE_MAX_S) || (!is_draft && *count > FILES_MAX)) {
        unlinkat(cache->fd, name, 0);
    } else if (!is_draft) {
        struct found *one = &found[(*count)++];
        snprintf(one->name, sizeof one->name, "%.64s", name);
        one->used_s = status.st_mtime;
        one->size = status.st_size;
    }
}

/* What was used last stays, as far as there is room. Once a run. */
static void prune(struct cache *cache) {
    int fd = openat(cache->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    struct found *found = dir ? mem_new((FILES_MAX + 1) * sizeof *found) : NULL;
    size_t count = 0;
    int64_t bytes = 0;
    for (struct dirent *entry; found && (entry = readdir(dir));)
        look_at(cache, entry->d_name, found, &count);
    if (found)
        qsort(found, count, sizeof *found, by_age);
    for (size_t i = 0; i < count; i++) {
        bytes += found[i].size;
        if (i >= FILES_MAX - 1 || bytes > BYTES_MAX)
            unlinkat(cache->fd, found[i].name, 0);
    }
    mem_free(found);
    if (dir)
        closedir(dir);
    else if (fd >= 0)
        close(fd);
    cache->is_pruned = true;
}

/* ---- writing -------------------------------------------------------------- */

/* Not a place for AJOB_FAULT: nothing comes of it. */
static bool write_all(int fd, const char *data, size_t length) {
    while (length) {
        ssize_t count = write(fd, data, length);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return false;
        data += count;
        length -= (size_t)count;
    }
    return true;
}

static bool write_file(const struct cache *cache, const char *name, const struct text *head,
                       const struct cache_answer *answer) {
    char draft[NAME_SIZE + sizeof draft_prefix];
    snprintf(draft, sizeof draft, "%s%ld-%.16s", draft_prefix, (long)getpid(), name);
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
    int fd = openat(cache->fd, draft, flags, 0600);
    if (fd < 0)
        return false;
    bool is_ok =
        write_all(fd, head->data, head->length) && write_all(fd, answer->body, answer->length);
    is_ok = !close(fd) && is_ok && !renameat(cache->fd, draft, cache->fd, name);
    if (!is_ok)
        unlinkat(cache->fd, draft, 0);
    return is_ok;
}

void cache_keep(struct cache *cache, const char *url, const char *token,
                const struct cache_answer *answer) {
    char name[NAME_SIZE], hex[DIGEST_HEX_MAX];
    struct text lines = TEXT_INIT(3 << 16), head = TEXT_INIT(4 << 16);
    if (answer->length > ANSWER_MAX || !open_dir(cache, true) || !name_of(name, url, token))
        return;
    text_format(&lines, "%s\n%s\n%s\n", url, answer->etag,
                answer->next_link ? answer->next_link : "");
    const char *pieces[] = {text_string(&lines), answer->body, NULL};
    if (!cache->is_pruned)
        prune(cache);
    if (text_ok(&lines) && hash(hex, pieces, (size_t[]){lines.length, answer->length})) {
        text_format(&head, "%s%s\n%s", magic, hex, text_string(&lines));
        if (text_ok(&head))
            write_file(cache, name, &head, answer);
    }
    text_done(&lines);
    text_done(&head);
}
