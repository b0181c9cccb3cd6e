/*
 * taken.h - which files the assets of a run go to, so that no two go to one:
 * names that differ for the server may not differ here.
 */
#ifndef AJOB_NET_TAKEN_H
#define AJOB_NET_TAKEN_H

#include <stdbool.h>
#include <stdint.h>

struct ajob_loop;

/* Takes the path for the asset with this id, in the run under way. *ret_is_ours is
 * false if another has taken it; the same may take it again, for another attempt of a
 * group around. False on lack of memory. */
bool taken_add(struct ajob_loop *loop, const char *path, uint64_t id, bool *ret_is_ours);

#endif
