/* lock.c - what was chosen to be downloaded. See lock.h. */
#include "net/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/loop.h"
#include "core/task.h"
#include "net/digest.h"
#include "net/lock_json.h"

/* ---- entries -------------------------------------------------------------- */

static struct lock_entry *entry_free(struct lock_entry *entry) {
    mem_free(entry->key);
    mem_free(entry->api);
    mem_free(entry->repository);
    mem_free(entry->tag);
    mem_free(entry->asset.name);
    mem_free(entry->asset.state);
    mem_free(entry->asset.url);
    mem_free(entry->asset.digest);
    return mem_free(entry);
}

ajob_lock *ajob_lock_new(void) {
    return mem_new(sizeof(ajob_lock));
}

ajob_lock *ajob_lock_free(ajob_lock *lock) {
    struct lock_entry *entry, *next;
    if (!lock)
        return NULL;
    HASH_ITER(hh, lock->table, entry, next) {
        HASH_DEL(lock->table, entry);
        entry_free(entry);
    }
    for (entry = lock->taken_out; entry; entry = next) {
        next = entry->next;
        entry_free(entry);
    }
    return mem_free(lock);
}

/* "SHA256:AB" as "sha256:ab"; what cannot be read stays. */
static char *copy_digest(const char *digest) {
    char text[16 + DIGEST_HEX_MAX];
    struct digest_want want;
    if (!digest || !digest_parse(digest, &want))
        return mem_copy(digest);
    digest_format(&want, text);
    return mem_copy(text);
}

static struct lock_entry *new_entry(const struct lock_entry *of) {
    const struct github_asset *asset = &of->asset;
    struct lock_entry *entry = mem_new(sizeof *entry);
    if (!entry)
        return NULL;
    entry->key = text_make("%s %s %llu", of->api, of->repository, (unsigned long long)asset->id);
    entry->api = mem_copy(of->api);
    entry->repository = mem_copy(of->repository);
    entry->tag = mem_copy(of->tag);
    entry->asset.id = asset->id;
    entry->asset.size = asset->size;
    entry->asset.name = mem_copy(asset->name);
    entry->asset.state = mem_copy("uploaded");
    entry->asset.url = mem_copy(asset->url);
    entry->asset.digest = copy_digest(asset->digest);
    bool is_whole = entry->key && entry->api && entry->repository && entry->tag &&
                    entry->asset.name && entry->asset.state && (entry->asset.url || !asset->url) &&
                    (entry->asset.digest || !asset->digest);
    return is_whole ? entry : entry_free(entry);
}

static void take_out(ajob_lock *lock, struct lock_entry *entry) {
    HASH_DEL(lock->table, entry);
    entry->next = lock->taken_out;
    lock->taken_out = entry;
}

struct lock_entry *lock_add_entry(ajob_lock *lock, const struct lock_entry *of) {
    struct lock_entry *entry = new_entry(of), *before;
    if (!entry)
        return NULL;
    HASH_FIND_STR(lock->table, entry->key, before);
    if (before) {
        entry->is_ambiguous = before->is_ambiguous || strcmp(before->tag, entry->tag) != 0 ||
                              strcmp(before->asset.name, entry->asset.name) != 0;
        take_out(lock, before);
    }
    HASH_ADD_KEYPTR(hh, lock->table, entry->key, strlen(entry->key), entry);
    lock->is_sorted = false;
    return table_has(entry) ? entry : entry_free(entry);
}

struct lock_entry *lock_add(ajob_lock *lock, const struct github_repo *repo, const char *tag,
                            const struct github_asset *asset) {
    char *repository = text_make("%s/%s", repo->owner, repo->name);
    struct lock_entry entry = {
        .api = repo->api, .repository = repository, .tag = (char *)tag, .asset = *asset};
    int is_web = asset->url ? github_is_web_url(repo->api, asset->url) : 0;
    if (!is_web)
        entry.asset.url = NULL;
    struct lock_entry *added = repository && is_web >= 0 ? lock_add_entry(lock, &entry) : NULL;
    mem_free(repository);
    return added;
}

void lock_forget(ajob_lock *lock, const struct github_repo *repo, uint64_t id) {
    struct lock_entry *entry = NULL;
    char *key =
        text_make("%s %s/%s %llu", repo->api, repo->owner, repo->name, (unsigned long long)id);
    if (key)
        HASH_FIND_STR(lock->table, key, entry);
    if (entry)
        take_out(lock, entry);
    mem_free(key);
}

/* What came has a digest, even if none was known before. */
static void has_ended(ajob_task *task, void *data) {
    struct lock_entry *entry = data;
    ajob_field fields[KIND_FIELDS_MAX];
    size_t count = task->kind->fields ? task->kind->fields(task, fields) : 0;
    entry->has_come = ajob_task_status(task) == AJOB_SUCCEEDED;
    for (size_t i = 0; i < count && entry->has_come && !entry->asset.digest; i++)
        if (!strcmp(fields[i].name, "sha256") && fields[i].type == AJOB_FIELD_TEXT)
            entry->asset.digest = text_make("sha256:%s", fields[i].text);
}

void lock_watch(struct lock_entry *entry, ajob_task *download) {
    ajob_on_end(download, has_ended, entry);
}

/* ---- questions ------------------------------------------------------------ */

static bool is_of(const struct lock_entry *entry, const struct github_repo *repo) {
    size_t owner = strlen(repo->owner);
    return !strcmp(entry->api, repo->api) && !strncasecmp(entry->repository, repo->owner, owner) &&
           entry->repository[owner] == '/' &&
           !strcasecmp(entry->repository + owner + 1, repo->name);
}

static bool is_same_release(const struct lock_entry *a, const struct lock_entry *b) {
    return !strcmp(a->api, b->api) && !strcasecmp(a->repository, b->repository) &&
           !strcmp(a->tag, b->tag);
}

const struct lock_entry *lock_next_release(const ajob_lock *lock, const struct github_repo *repo,
                                           const struct lock_entry *after) {
    const struct lock_entry *entry = after ? after->hh.next : lock->table;
    while (entry && (!is_of(entry, repo) || (after && is_same_release(entry, after))))
        entry = entry->hh.next;
    return entry;
}

bool lock_release_at(const struct lock_entry *first, struct github_release *ret_release) {
    struct github_release release = {.tag = mem_copy(first->tag)};
    bool is_ok = release.tag != NULL;
    for (const struct lock_entry *entry = first; entry && is_ok; entry = entry->hh.next) {
        if (!is_same_release(entry, first))
            break;
        is_ok = github_add_asset(&release, &entry->asset);
    }
    if (is_ok)
        *ret_release = release;
    else
        github_release_done(&release);
    return is_ok;
}

bool lock_release(const ajob_lock *lock, const struct github_repo *repo, const char *tag,
                  struct github_release *ret_release) {
    const struct lock_entry *entry = lock->table;
    while (entry && (!is_of(entry, repo) || strcmp(entry->tag, tag) != 0))
        entry = entry->hh.next;
    return entry && lock_release_at(entry, ret_release);
}

bool lock_has(const ajob_lock *lock, const struct github_repo *repo, const char *tag,
              struct text *error) {
    const struct lock_entry *elsewhere = NULL, *other = NULL;
    bool has_repo = false;
    char safe[300];
    for (const struct lock_entry *entry = lock->table; entry; entry = entry->hh.next) {
        struct github_repo there = {.api = entry->api, .owner = repo->owner, .name = repo->name};
        if (is_of(entry, repo) && (!tag || !strcmp(entry->tag, tag)))
            return true;
        has_repo = has_repo || is_of(entry, repo);
        elsewhere = is_of(entry, &there) ? entry : elsewhere;
        other = entry;
    }
    text_format(error, "%s/%s: ", repo->owner, repo->name);
    if (has_repo)
        text_format(error, "release %s: not in the lock", ajob_escape(safe, sizeof safe, tag));
    else if (elsewhere)
        text_format(error, "locked for the API %s: set GITHUB_API_URL or give the repository's URL",
                    ajob_escape(safe, sizeof safe, elsewhere->api));
    else if (other)
        text_format(error, "not in the lock; it has %s", other->repository);
    else
        text_add(error, "not in the lock; it is empty");
    return false;
}

const char *ajob_lock_repository(ajob_lock *lock, size_t index) {
    const char *last = NULL;
    lock_sort(lock);
    for (const struct lock_entry *entry = lock->table; entry; entry = entry->hh.next) {
        bool is_new = !last || strcasecmp(last, entry->repository) != 0;
        if (is_new && !index--)
            return entry->repository;
        last = entry->repository;
    }
    return NULL;
}

static int by_place(const struct lock_entry *a, const struct lock_entry *b) {
    int order = strcmp(a->api, b->api);
    if (!order)
        order = strcasecmp(a->repository, b->repository);
    if (!order)
        order = strcmp(a->tag, b->tag);
    if (!order)
        order = strcmp(a->asset.name, b->asset.name);
    return order ? order : (a->asset.id > b->asset.id) - (a->asset.id < b->asset.id);
}

void lock_sort(ajob_lock *lock) {
    if (!lock->is_sorted)
        HASH_SORT(lock->table, by_place);
    lock->is_sorted = true;
}

/* ---- files ---------------------------------------------------------------- */

static int fail(ajob_loop *loop, int code, const char *path, const char *why) {
    char safe[TEXT_LINE_MAX];
    return loop_fail(loop, code, "%s: %s", ajob_escape(safe, sizeof safe, path), why);
}

/* The file's text, on the heap; NULL with ajob_error() set. */
static char *read_file(ajob_loop *loop, const char *path, size_t *ret_length) {
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    size_t used = 0;
    if (fd < 0 || fstat(fd, &status)) {
        fail(loop, AJOB_EINVAL, path, strerror(errno));
    } else if (!S_ISREG(status.st_mode) || status.st_size > LOCK_SIZE_MAX) {
        fail(loop, AJOB_EINVAL, path,
             S_ISREG(status.st_mode) ? "longer than a lock file is: 16 MiB" : "is no regular file");
    } else {
        size_t size = (size_t)status.st_size;
        char *text = mem_new(size + 1);
        ssize_t count = text ? 1 : 0;
        while (text && used < size && count > 0)
            if ((count = read(fd, text + used, size - used)) > 0)
                used += (size_t)count;
        close(fd);
        *ret_length = used;
        if (text && count >= 0)
            return text;
        fail(loop, text ? AJOB_EINVAL : AJOB_ENOMEM, path,
             text ? strerror(errno) : "out of memory");
        mem_free(text);
        return NULL;
    }
    if (fd >= 0)
        close(fd);
    return NULL;
}

ajob_lock *ajob_lock_read(ajob_loop *loop, const char *path) {
    struct text error = TEXT_INIT(TEXT_LINE_MAX);
    size_t length = 0;
    char *text = read_file(loop, path, &length);
    if (!text)
        return NULL;
    ajob_lock *lock = ajob_lock_new();
    int code = lock ? lock_parse(lock, text, length, &error) : AJOB_ENOMEM;
    if (code)
        fail(loop, code, path, code == AJOB_ENOMEM ? "out of memory" : text_string(&error));
    mem_free(text);
    text_done(&error);
    return code ? ajob_lock_free(lock) : lock;
}

/* False with errno set. */
static bool write_all(int fd, const struct text *json) {
    size_t done = 0;
    while (done < json->length) {
        if (mem_fault(FAULT_WRITE)) {
            errno = ENOSPC;
            return false;
        }
        ssize_t count = write(fd, json->data + done, json->length - done);
        if (count < 0 && errno != EINTR)
            return false;
        done += count > 0 ? (size_t)count : 0;
    }
    if (mem_fault(FAULT_FSYNC)) {
        errno = EIO;
        return false;
    }
    return !fsync(fd);
}

static bool rename_to(int dir_fd, const char *from, const char *to) {
    if (mem_fault(FAULT_RENAME)) {
        errno = EIO;
        return false;
    }
    return !renameat(dir_fd, from, dir_fd, to);
}

/* NULL, or why the file cannot be replaced. */
static const char *replace(int dir_fd, const char *name, const char *draft,
                           const struct text *json) {
    struct stat status;
    bool is_there = !fstatat(dir_fd, name, &status, AT_SYMLINK_NOFOLLOW);
    if (is_there && S_ISLNK(status.st_mode))
        return "is a symbolic link: refused";
    if (is_there && !S_ISREG(status.st_mode))
        return "is no regular file";
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
    unlinkat(dir_fd, draft, 0); /* of a run that was killed */
    int fd = openat(dir_fd, draft, flags, 0666);
    if (fd < 0)
        return strerror(errno);
    const char *fault = write_all(fd, json) ? NULL : strerror(errno);
    if (!fault && is_there)
        fchmod(fd, status.st_mode & 0777);
    if (close(fd) && !fault)
        fault = strerror(errno);
    if (!fault && !rename_to(dir_fd, draft, name))
        fault = strerror(errno);
    if (fault)
        unlinkat(dir_fd, draft, 0);
    return fault;
}

static int write_file(ajob_loop *loop, const char *path, const struct text *json) {
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    char *parent = !slash          ? mem_copy(".")
                   : slash == path ? mem_copy("/")
                                   : mem_copy_n(path, (size_t)(slash - path));
    char *draft = text_make("%s.tmp", name);
    int dir_fd = parent ? open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    const char *fault = !parent || !draft ? "out of memory"
                        : dir_fd < 0      ? strerror(errno)
                                          : replace(dir_fd, name, draft, json);
    int code = fault ? fail(loop, AJOB_ESYSTEM, path, fault) : 0;
    if (dir_fd >= 0)
        close(dir_fd);
    mem_free(parent);
    mem_free(draft);
    return code;
}

/* What a server may name, a lock may not: better said now than when it is used. */
static int check_readable(ajob_loop *loop, const char *path, const struct text *json) {
    struct text error = TEXT_INIT(TEXT_LINE_MAX);
    ajob_lock *again = ajob_lock_new();
    int code = again ? lock_parse(again, json->data, json->length, &error) : AJOB_ENOMEM;
    if (code)
        fail(loop, code, path, code == AJOB_ENOMEM ? "out of memory" : text_string(&error));
    ajob_lock_free(again);
    text_done(&error);
    return code;
}

int ajob_lock_write(ajob_lock *lock, ajob_loop *loop, const char *path) {
    struct text json = TEXT_INIT(LOCK_SIZE_MAX);
    char safe[300];
    int code = 0;
    for (const struct lock_entry *entry = lock->table; entry && !code; entry = entry->hh.next)
        if (!entry->has_come || entry->is_ambiguous)
            code = loop_fail(loop, AJOB_EINVAL, "%s: %s: not locked",
                             ajob_escape(safe, sizeof safe, entry->asset.name),
                             entry->has_come ? "the API has its id for another asset, too"
                                             : "was not downloaded");
    if (!code) {
        lock_print(lock, &json);
        code = !text_ok(&json) ? fail(loop, AJOB_ENOMEM, path, "out of memory")
                               : check_readable(loop, path, &json);
    }
    if (!code)
        code = write_file(loop, path, &json);
    text_done(&json);
    return code;
}
