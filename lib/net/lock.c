/* lock.c - what was chosen to be downloaded. See lock.h. */
#include "net/lock.h"

#include "base/text.h"
#include "net/digest.h"
#include "net/download.h"

/* ---- entries -------------------------------------------------------------- */

static struct lock_entry *entry_free(struct lock_entry *entry) {
    mem_free(entry->key);
    mem_free(entry->api);
    mem_free(entry->repository);
    mem_free(entry->tag);
    github_asset_done(&entry->asset);
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

static struct lock_entry *new_entry(const struct lock_entry *of) {
    struct lock_entry *entry = mem_new(sizeof *entry);
    struct github_asset asset = of->asset;
    struct digest_want want;
    char digest[16 + DIGEST_HEX_MAX];
    if (!entry)
        return NULL;
    asset.state = (char *)"uploaded";
    if (asset.digest && digest_parse(asset.digest, &want)) { /* "SHA256:AB" as "sha256:ab" */
        digest_format(&want, digest);
        asset.digest = digest;
    }
    entry->key = text_make("%s %s %llu", of->api, of->repository, (unsigned long long)asset.id);
    entry->api = mem_copy(of->api);
    entry->repository = mem_copy(of->repository);
    entry->tag = mem_copy(of->tag);
    bool is_whole = github_copy_asset(&asset, &entry->asset) && entry->key && entry->api &&
                    entry->repository && entry->tag;
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
    entry->has_come = ajob_task_status(task) == AJOB_SUCCEEDED;
    const char *hex = entry->has_come ? download_sha256(task) : NULL;
    if (hex && !entry->asset.digest)
        entry->asset.digest = text_make("sha256:%s", hex);
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
