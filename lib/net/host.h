/*
 * host.h - the hosts that are downloaded from: how much goes on with each, and when one
 * wants to be left alone.
 *
 * A host is an origin. fetch.c hears what a host says (429 and 503 with a Retry-After, a
 * rate limit that is used up) and calls host_embargo(), whoever asked: the host's pool has
 * no slots until then, so that no task begins an attempt there, while those that wait hold
 * nothing and other hosts go on.
 */
#ifndef AJOB_NET_HOST_H
#define AJOB_NET_HOST_H

#include "ajob.h"
#include "base/text.h"

struct host; /* the loop's; lives as long */

/* The host of an origin (url.h). NULL with ajob_error() set on lack of memory. */
struct host *host_for(struct ajob_loop *loop, const char *origin);

/* The slots that tasks hold: transfers_per_host of them, fewer while host_widen() has
 * taken so much that there would be more than connections_per_host, none under embargo. */
ajob_pool *host_pool(struct host *host);

/* It wants to be left alone for wait_ms: no task begins an attempt there before. What is
 * under way goes on. A longer wait that is under way already stays. Where it is longer than
 * most_ms, nobody is made to wait: tasks begin, and fail at once, see below. */
void host_embargo(struct host *host, uint64_t wait_ms, uint64_t most_ms);

/* What is left of an embargo; 0: there is none. For an attempt that is about to begin: it
 * is over before it has asked the host anything. */
uint64_t host_embargo_ms(const struct host *host);

/* "http://host:80 wants to be left alone for 3m20s", for host_embargo_ms(). */
void host_explain(const struct host *host, struct text *cause);

/* One more connection for a task that has one already. False: there are
 * connections_per_host in all, tasks wait for a slot of this host, or it is under
 * embargo. Each one is given back. */
bool host_widen(struct host *host);
void host_narrow(struct host *host);

/* Tasks wait for a slot that host_widen() has taken: whoever has taken one gives it back
 * when its piece is done. */
bool host_is_wanted(const struct host *host);

#endif
