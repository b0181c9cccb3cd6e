/*
 * throttle.h - a limit on the bytes a second that all transfers of a loop receive.
 *
 * A token bucket of one tenth of a second. A transfer that finds it empty waits in line
 * (its connection is paused, so the sender's window closes) and is told when it may go on;
 * those in line go on in order, so that each gets its share.
 */
#ifndef AJOB_NET_THROTTLE_H
#define AJOB_NET_THROTTLE_H

#include <stdbool.h>
#include <stddef.h>

struct ajob_loop;

/* One who receives. Zeroed before its first use. */
struct throttle_place {
    struct throttle_place *previous, *next; /* in line */
    bool is_waiting;
    void (*go_on)(struct throttle_place *place); /* from the loop */
    void *owner;
};

/* Whether length bytes may be taken now; they are then paid for. False: the place is in
 * line, and go_on() will come. Always true on a loop without a limit. */
bool throttle_take(struct ajob_loop *loop, struct throttle_place *place, size_t length);

/* Leaves the line. */
void throttle_leave(struct ajob_loop *loop, struct throttle_place *place);

#endif
