/*
 * host.c - one pool for each host, found by name. See host.h.
 *
 * The pool's size is always what can_begin() says; it is the one place where a limit, the
 * connections that one task has more than one of, and an embargo come together.
 */
#include "net/host.h"

#include "base/table.h"
#include "core/deadline.h"
#include "core/loop.h"
#include "core/pool.h"

struct host {
    UT_hash_handle hh;
    struct ajob_loop *loop;
    ajob_pool *pool;          /* the loop's */
    unsigned extra;           /* connections beside those that hold a slot */
    struct deadline embargo;  /* its end */
    uint64_t embargo_ends_ms; /* 0: there is none */
    bool is_closed;           /* the embargo is one to wait for */
    char origin[];
};

/* The hosts of a loop. */
struct hosts {
    struct loop_module module;
    struct host *table;
};

static const char hosts_key; /* its address names the module */

static void free_hosts(struct loop_module *module) {
    struct hosts *hosts = (struct hosts *)module;
    struct host *host, *next;
    HASH_ITER(hh, hosts->table, host, next) {
        HASH_DEL(hosts->table, host);
        deadline_done(&host->loop->deadlines, &host->embargo);
        mem_free(host);
    }
    mem_free(hosts);
}

/* How many tasks may be under way at once. */
static unsigned can_begin(const struct host *host) {
    unsigned per_host = host->loop->per_host, all = host->loop->connections_per_host;
    unsigned left = all > host->extra ? all - host->extra : 1;
    return host->is_closed ? 0 : left < per_host && host->extra ? left : per_host;
}

static void embargo_is_over(struct deadline *deadline) {
    struct host *host = (struct host *)((char *)deadline - offsetof(struct host, embargo));
    host->embargo_ends_ms = 0;
    host->is_closed = false;
    pool_resize(host->pool, can_begin(host));
}

static struct host *make(struct hosts *hosts, struct ajob_loop *loop, const char *origin) {
    size_t size = strlen(origin) + 1;
    struct host *host = mem_new(sizeof *host + size);
    ajob_pool *pool = host ? ajob_pool_new(loop, origin, loop->per_host) : NULL;
    if (!pool || !deadline_init(&loop->deadlines, &host->embargo, embargo_is_over))
        return mem_free(host);
    memcpy(host->origin, origin, size);
    host->loop = loop;
    host->pool = pool;
    HASH_ADD_STR(hosts->table, origin, host);
    if (table_has(host))
        return host;
    deadline_done(&loop->deadlines, &host->embargo);
    return mem_free(host);
}

struct host *host_for(struct ajob_loop *loop, const char *origin) {
    struct hosts *hosts =
        (struct hosts *)loop_module(loop, &hosts_key, sizeof(struct hosts), free_hosts);
    struct host *host = NULL;
    if (!hosts)
        return NULL;
    HASH_FIND_STR(hosts->table, origin, host);
    if (!host)
        host = make(hosts, loop, origin);
    if (!host)
        loop_fail_memory(loop);
    return host;
}

ajob_pool *host_pool(struct host *host) {
    return host->pool;
}

void host_embargo(struct host *host, uint64_t wait_ms, uint64_t most_ms) {
    struct ajob_loop *loop = host->loop;
    uint64_t ends_ms = loop_due_ms(loop, wait_ms);
    if (!wait_ms || ends_ms <= host->embargo_ends_ms)
        return;
    host->embargo_ends_ms = ends_ms;
    host->is_closed = wait_ms <= most_ms;
    deadline_arm(&loop->deadlines, &host->embargo, ends_ms);
    pool_resize(host->pool, can_begin(host));
}

uint64_t host_embargo_ms(const struct host *host) {
    uint64_t now_ms = loop_now_ms(host->loop);
    return host->embargo_ends_ms > now_ms ? host->embargo_ends_ms - now_ms : 0;
}

void host_explain(const struct host *host, struct text *cause) {
    char wait[32];
    text_format(cause, "%s wants to be left alone for %s", host->origin,
                ajob_format_duration(wait, host_embargo_ms(host)));
}

bool host_is_wanted(const struct host *host) {
    return host->extra && !host->is_closed && host->pool->first_waiter;
}

bool host_widen(struct host *host) {
    const struct ajob_pool *pool = host->pool;
    bool is_free = !host->embargo_ends_ms && !pool->first_waiter &&
                   pool->used + host->extra < host->loop->connections_per_host;
    if (!is_free)
        return false;
    host->extra++;
    pool_resize(host->pool, can_begin(host));
    return true;
}

void host_narrow(struct host *host) {
    host->extra--;
    pool_resize(host->pool, can_begin(host));
}
