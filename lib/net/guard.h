/*
 * guard.h - the files that are no download's: those that a run uses itself (ajob_protect()).
 *
 * Names of assets come from others: one may be called as the lock, the events or the list.
 */
#ifndef AJOB_NET_GUARD_H
#define AJOB_NET_GUARD_H

#include <stdbool.h>

#include "base/text.h"

struct ajob_loop;

/* Whether this name in the directory is one that is protected, or leads to such a file. One
 * line in error then. */
bool guard_has(struct ajob_loop *loop, int dir_fd, const char *name, struct text *error);

#endif
