/* host.c - one pool for each host, found by name. See host.h. */
#include "net/host.h"

#include <uthash.h>

#include "base/mem.h"
#include "net/net.h"
#include "net/url.h"

struct host {
    UT_hash_handle hh;
    ajob_pool *pool; /* the loop's */
    char origin[];
};

ajob_pool *host_pool(struct ajob_loop *loop, const char *url) {
    struct net *net = net_of(loop);
    char *origin = url_origin(url);
    struct host *host = NULL;
    if (!net || !origin) {
        mem_free(origin);
        loop_fail(loop, AJOB_ENOMEM, "out of memory");
        return NULL;
    }
    HASH_FIND_STR(net->hosts, origin, host);
    if (!host) {
        size_t size = strlen(origin) + 1;
        host = mem_new(sizeof *host + size);
        ajob_pool *pool = host ? ajob_pool_new(loop, origin, loop->per_host) : NULL;
        if (!pool) {
            mem_free(host);
            mem_free(origin);
            return NULL;
        }
        memcpy(host->origin, origin, size);
        host->pool = pool;
        HASH_ADD_STR(net->hosts, origin, host);
    }
    mem_free(origin);
    return host->pool;
}

void hosts_free(struct host *hosts) {
    struct host *host, *next;
    HASH_ITER(hh, hosts, host, next) {
        HASH_DEL(hosts, host);
        mem_free(host);
    }
}
