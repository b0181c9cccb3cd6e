/*
 * taken.h - which files the downloads of a run go to, so that no two go to one:
 * names that differ for the server may not differ here.
 *
 * Paths that are equal are known beforehand. Names that only a file system takes for one
 * (A and a, or an accent spelled in two ways) are known when the second is about to
 * replace what the first has written: nobody but the file system knows its rules. Of
 * these the last some thousands are remembered.
 */
#ifndef AJOB_NET_TAKEN_H
#define AJOB_NET_TAKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

struct ajob_loop;

/* Takes the path for the asset with this id, in the run under way. *ret_is_ours is
 * false if another has taken it; the same may take it again, for another attempt of a
 * group around. False on lack of memory. */
bool taken_add(struct ajob_loop *loop, const char *path, uint64_t id, bool *ret_is_ours);

/* The run has written the file of this name in the directory, or found it as it should
 * be. */
void taken_keep(struct ajob_loop *loop, int dir_fd, const char *name);

/* Whether that name may be written: not if it is that of a file that was kept under another
 * name. One line in error. */
bool taken_is_free(struct ajob_loop *loop, int dir_fd, const char *name, struct text *error);

#endif
