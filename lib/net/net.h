/*
 * net.h - what the net of one loop consists of. Only its own rooms (multi,
 * profile, host) look inside.
 */
#ifndef AJOB_NET_NET_H
#define AJOB_NET_NET_H

#include "core/loop.h"
#include "core/pool.h"
#include "net/multi.h"

struct profile;
struct host;
struct query;
struct watch;

struct net {
    struct loop_module module;
    struct ajob_loop *loop;
    CURLM *multi;
    uv_timer_t timer;
    bool is_kicked;         /* libcurl wants to be called at once */
    struct watch **watches; /* by file descriptor; NULL where there is none */
    size_t watch_count;
    struct watch *changed; /* to be brought in line at the end of the turn */
    long buffer_size;      /* of one exchange */
    struct profile *profiles;
    struct host *hosts;
    struct query *queries; /* wait for their turn */
    bool query_is_running;
};

#endif
