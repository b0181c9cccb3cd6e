/*
 * taken.h - which files the assets of a run go to, so that no two go to one:
 * names that differ for the server may not differ here.
 */
#ifndef AJOB_NET_TAKEN_H
#define AJOB_NET_TAKEN_H

#include <stdbool.h>

struct ajob_loop;

/* Takes the path for the run under way. *ret_is_new is false if it was taken.
 * False on lack of memory. */
bool taken_add(struct ajob_loop *loop, const char *path, bool *ret_is_new);

#endif
