/*
 * claims.c - which names of an endless row are taken, and by whom.
 *
 * Owns tables of which each is twice as large as the one before it; only the last one is
 * added to, so that nothing is ever moved. The first is in memory, the others in a file
 * without a name: how many claims there are is not seen in memory.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "core/loop.h"
#include "exec/spool.h"

enum { PAGE = 128, FIRST_PAGES = 256, TABLES_MOST = 40 };

struct claim {
    uint64_t name; /* half a key; 0: there is none */
    uint64_t what;
    uint64_t number;
};

struct ajob_claims {
    struct ajob_loop *loop;
    struct claim *first; /* PAGE * FIRST_PAGES of them */
    int file;            /* of the other tables, or -1 */
    unsigned tables;     /* how many there are */
    uint64_t count;      /* of what is in the last one */
    struct claim page[PAGE];
};

/* ---- tables ---------------------------------------------------------------------- */

static uint64_t pages_of(unsigned table) {
    return (uint64_t)FIRST_PAGES << table;
}

/* Where in the file the page is, in bytes. */
static uint64_t place_of(unsigned table, uint64_t page) {
    uint64_t before = pages_of(table) - 2 * (uint64_t)FIRST_PAGES; /* of tables 1, 2 ... */
    return (before + page) * PAGE * sizeof(struct claim);
}

/* The page, in memory until the next call; NULL with errno. What nobody has written yet
 * is empty. */
static struct claim *read_page(struct ajob_claims *claims, unsigned table, uint64_t page) {
    if (table == 0)
        return claims->first + page * PAGE;
    char *bytes = (char *)claims->page;
    uint64_t at = place_of(table, page);
    size_t done = 0;
    while (done < sizeof claims->page) {
        ssize_t got =
            pread(claims->file, bytes + done, sizeof claims->page - done, (off_t)(at + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return NULL;
        if (got == 0)
            break;
        done += (size_t)got;
    }
    memset(bytes + done, 0, sizeof claims->page - done);
    return claims->page;
}

/* The claim of this name in the table, or the free place where it would be; and the page
 * it is in. NULL with errno. */
static struct claim *find(struct ajob_claims *claims, unsigned table, uint64_t name,
                          uint64_t *page) {
    uint64_t pages = pages_of(table);
    for (*page = name % pages;; *page = (*page + 1) % pages) {
        struct claim *claim = read_page(claims, table, *page);
        if (!claim)
            return NULL;
        for (unsigned i = 0; i < PAGE; i++)
            if (claim[i].name == name || !claim[i].name)
                return &claim[i];
    }
}

static bool add_table(struct ajob_claims *claims) {
    if (claims->tables == TABLES_MOST) {
        errno = EFBIG;
        return false;
    }
    if (claims->tables && claims->file < 0)
        claims->file = spool_open_file();
    if (claims->tables && claims->file < 0)
        return false;
    claims->tables++;
    claims->count = 0;
    return true;
}

/* ---- claims ----------------------------------------------------------------------- */

ajob_claims *ajob_claims_new(ajob_loop *loop) {
    struct ajob_claims *claims = mem_new(sizeof *claims);
    if (claims)
        claims->first = mem_new(sizeof(struct claim) * PAGE * FIRST_PAGES);
    if (!claims || !claims->first) {
        mem_free(claims);
        loop_fail_memory(loop);
        return NULL;
    }
    claims->loop = loop;
    claims->file = -1;
    claims->tables = 1;
    return claims;
}

static int fail(const struct ajob_claims *claims) {
    return loop_fail(claims->loop, AJOB_ESYSTEM,
                     "which names are taken cannot be kept in TMPDIR, or /tmp: %s",
                     strerror(errno));
}

static uint64_t half(const char *key) {
    uint64_t value = 0;
    for (size_t i = 0; i < 16 && key[i]; i++)
        value = value << 4 | (uint64_t)hex_value(key[i]);
    return value ? value : 1;
}

int ajob_claims_find(ajob_claims *claims, const char *name, uint64_t *number) {
    uint64_t page;
    *number = 0;
    for (unsigned table = 0; table < claims->tables; table++) {
        const struct claim *claim = find(claims, table, half(name), &page);
        if (!claim)
            return fail(claims);
        if (claim->name)
            *number = claim->number;
    }
    return 0;
}

int ajob_claims_add(ajob_claims *claims, const char *name, const char *what, uint64_t *number) {
    struct claim own = {half(name), half(what), *number};
    struct claim *claim = NULL;
    uint64_t page = 0;
    for (unsigned table = 0; table < claims->tables; table++) {
        claim = find(claims, table, own.name, &page);
        if (!claim)
            return fail(claims);
        if (!claim->name)
            continue;
        if (claim->what != own.what)
            *number = claim->number;
        return 0;
    }
    if (4 * (claims->count + 1) > 3 * PAGE * pages_of(claims->tables - 1)) {
        claim = add_table(claims) ? find(claims, claims->tables - 1, own.name, &page) : NULL;
        if (!claim)
            return fail(claims);
    }
    *claim = own;
    unsigned last = claims->tables - 1;
    uint64_t at = last ? place_of(last, page) + (uint64_t)(claim - claims->page) * sizeof own : 0;
    if (last && !spool_write(claims->file, (const char *)&own, sizeof own, at))
        return fail(claims);
    claims->count++;
    return 0;
}

ajob_claims *ajob_claims_free(ajob_claims *claims) {
    if (!claims)
        return NULL;
    if (claims->file >= 0)
        close(claims->file);
    mem_free(claims->first);
    return mem_free(claims);
}
