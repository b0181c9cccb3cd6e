/*
 * jobserver.h - GNU make's jobserver: slots for commands that come from outside.
 *
 * A jobserver is a pipe or a fifo with a byte in it for every job that may still be
 * started; whoever takes one puts it back. Here the pool of commands has as many
 * slots as tokens are held: when a command waits for a slot, a token is asked for;
 * what is not used is put back in the same turn. So no token is lost, however a
 * command ends.
 *
 * Who has joined one needs no token for its first command: it has that of the rule
 * it was started by. Who offers one takes one for each: with that a make among
 * the commands starts.
 */
#ifndef AJOB_EXEC_JOBSERVER_H
#define AJOB_EXEC_JOBSERVER_H

#include "ajob.h"

/* Where a jobserver is. */
struct jobserver_address {
    int in, out;      /* inherited descriptors; meaningful without a fifo */
    const char *fifo; /* its path, not NUL-terminated; NULL: none */
    size_t fifo_length;
};

/* What a value of MAKEFLAGS says. False: nothing of a jobserver, or that there is
 * none for us. */
bool jobserver_find(const char *makeflags, struct jobserver_address *ret_address);

/* What commands are to have. */
struct jobserver_gift {
    const char *variable; /* "MAKEFLAGS=..."; NULL: as it is */
    int ends[2];          /* to read and to write, open under these numbers; -1: none */
};

/* NULL without a jobserver. */
const struct jobserver_gift *jobserver_gift(const struct ajob_loop *loop);

#endif
