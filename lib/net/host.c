/* host.c - one pool for each host, found by name. See host.h. */
#include "net/host.h"

#include "base/table.h"
#include "core/loop.h"

struct host {
    UT_hash_handle hh;
    ajob_pool *pool; /* the loop's */
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
        mem_free(host);
    }
    mem_free(hosts);
}

ajob_pool *host_pool(struct ajob_loop *loop, const char *origin) {
    struct hosts *hosts =
        (struct hosts *)loop_module(loop, &hosts_key, sizeof(struct hosts), free_hosts);
    struct host *host = NULL;
    if (!hosts)
        return NULL;
    HASH_FIND_STR(hosts->table, origin, host);
    if (host)
        return host->pool;
    size_t size = strlen(origin) + 1;
    host = mem_new(sizeof *host + size);
    ajob_pool *pool = host ? ajob_pool_new(loop, origin, loop->per_host) : NULL;
    if (!pool) {
        mem_free(host);
        loop_fail(loop, AJOB_ENOMEM, "out of memory");
        return NULL;
    }
    memcpy(host->origin, origin, size);
    host->pool = pool;
    HASH_ADD_STR(hosts->table, origin, host);
    if (table_has(host))
        return pool;
    mem_free(host);
    loop_fail(loop, AJOB_ENOMEM, "out of memory");
    return NULL;
}
