/*
 * host.h - one pool for each host that is downloaded from.
 */
#ifndef AJOB_NET_HOST_H
#define AJOB_NET_HOST_H

#include "ajob.h"

/* The pool of an origin (url.h): transfers_per_host slots. NULL with
 * ajob_error() set on lack of memory. */
ajob_pool *host_pool(struct ajob_loop *loop, const char *origin);

#endif
