/* fuzz_lock.c - a lock file that is taken is printed so that it reads the same, and has
 * nothing in it that leads elsewhere. */
#include "fuzz.h"
#include "net/digest.h"
#include "net/lock_json.h"
#include "net/name.h"
#include "net/url.h"

static void check(const ajob_lock *lock) {
    for (const struct lock_entry *entry = lock->table; entry; entry = entry->hh.next) {
        struct digest_want want;
        HOLDS(!url_fault(entry->api) && !strpbrk(entry->api, "?#"));
        const char *slash = strchr(entry->repository, '/');
        HOLDS(slash && slash > entry->repository && slash[1] && !strchr(slash + 1, '/'));
        HOLDS(*entry->tag && *entry->asset.name);
        HOLDS(!entry->asset.digest || digest_parse(entry->asset.digest, &want));
        HOLDS(!entry->asset.url || !url_fault(entry->asset.url));
        char *name = name_neutral(entry->asset.name);
        HOLDS(name && name_is_usable(name));
        mem_free(name);
    }
}

/* What is printed of the lock; for text_done(). */
static struct text printed(ajob_lock *lock) {
    struct text json = TEXT_INIT(LOCK_SIZE_MAX);
    lock_print(lock, &json);
    HOLDS(text_ok(&json));
    return json;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct text error = TEXT_INIT(TEXT_LINE_MAX);
    ajob_lock *lock = ajob_lock_new(), *second = ajob_lock_new();
    HOLDS(lock && second);
    int code = lock_parse(lock, (const char *)data, size, &error);
    if (code == 0) {
        check(lock);
        struct text once = printed(lock);
        HOLDS(lock_parse(second, once.data, once.length, &error) == 0);
        struct text twice = printed(second);
        HOLDS(fuzz_same(once.data, twice.data));
        text_done(&once);
        text_done(&twice);
    } else {
        HOLDS(code == AJOB_EINVAL && error.length && fuzz_is_printable(text_string(&error)));
    }
    ajob_lock_free(lock);
    ajob_lock_free(second);
    text_done(&error);
    return 0;
}
