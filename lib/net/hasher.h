/*
 * hasher.h - the digest of bytes that are in a file, computed off the loop.
 */
#ifndef AJOB_NET_HASHER_H
#define AJOB_NET_HASHER_H

#include <stdatomic.h>
#include <uv.h>

#include "net/digest.h"

struct hasher {
    uv_work_t work;
    struct digest *digest; /* the caller's, begun; not to be touched meanwhile */
    int fd;
    uint64_t length; /* from the file's start */
    atomic_bool is_cancelled;
    bool is_running;
    bool has_read_all; /* after done(): all `length` bytes were there */
    int error;         /* else errno, or 0: the file is shorter, or it was cancelled */
    void (*done)(struct hasher *hasher);
    void *owner;
};

/* Adds the first length bytes of fd to the digest; done() comes from the loop,
 * cancelled or not. False if the loop refuses: then it does not come. */
bool hasher_start(struct hasher *hasher, uv_loop_t *uv);

/* Asks a running hasher to end early. */
void hasher_cancel(struct hasher *hasher);

#endif
