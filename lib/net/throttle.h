/*
 * throttle.h - a limit on the bytes a second that all transfers of a loop receive.
 *
 * A token bucket of one tenth of a second, or of one piece where that is more; it begins
 * empty, so that a run never gets more than its limit times its duration. A transfer that
 * finds too little in it waits in line (its connection is paused, so the sender's window
 * closes) and is told when it may go on; those in line go on in order, one piece or a
 * few milliseconds' worth each, so that each gets its share. libcurl hands over the same bytes
 * again then: they are paid for when they are taken, not when they are asked for.
 */
#ifndef AJOB_NET_THROTTLE_H
#define AJOB_NET_THROTTLE_H

#include <stdbool.h>
#include <stddef.h>

struct ajob_loop;

/* One who receives. Zeroed before its first use. */
struct throttle_place {
    struct throttle_place *previous, *next; /* in line */
    size_t length;                          /* that it waits for */
    bool is_waiting;
    void (*go_on)(struct throttle_place *place); /* from the loop; may leave or wait again */
    void *owner;
};

/* Before the first throttle_take() on a loop, as often as one likes. False with
 * ajob_error() set on lack of memory. */
bool throttle_open(struct ajob_loop *loop);

/* Whether length bytes may be taken now; they are then paid for. False: the place is in
 * line, and go_on() will come. Always true on a loop without a limit. */
bool throttle_take(struct ajob_loop *loop, struct throttle_place *place, size_t length);

/* Leaves the line, if it is in it. */
void throttle_leave(struct ajob_loop *loop, struct throttle_place *place);

/* How much a transfer should ask for at once, so that a small limit has small pieces:
 * at most `size`. */
long throttle_piece(const struct ajob_loop *loop, long size);

#endif
