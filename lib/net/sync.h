/*
 * sync.h - fsync(2) off the loop, in libuv's thread pool.
 */
#ifndef AJOB_NET_SYNC_H
#define AJOB_NET_SYNC_H

#include <stdbool.h>
#include <uv.h>

struct sync {
    uv_work_t work;
    int fd; /* the caller's: a file, or a directory whose names are to be kept */
    bool is_running;
    int error; /* after done(): errno, or 0. After an error the file's data are lost: trying again
                  proves nothing */
    void (*done)(struct sync *sync);
    void *owner;
};

/* done() comes once, from the loop. AJOB_FAULT=fsync:N makes the N-th fail. False if the loop
 * refuses: then it does not come. */
bool sync_start(struct sync *sync, uv_loop_t *uv, int fd);

#endif
