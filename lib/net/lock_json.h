/*
 * lock_json.h - the text of a lock file.
 *
 * What it says is from outside, however it came to be: of the right shape, of files
 * that an API could have named, on its own host; or it is refused as a whole.
 */
#ifndef AJOB_NET_LOCK_JSON_H
#define AJOB_NET_LOCK_JSON_H

#include "net/lock.h"

enum { LOCK_SIZE_MAX = 16 << 20 };

/* Adds what the text says to the lock. 0; AJOB_EINVAL or AJOB_ENOMEM with one line in
 * error. */
int lock_parse(ajob_lock *lock, const char *text, size_t length, struct text *error);

/* The same text for the same entries, in whatever order they came: one asset a block,
 * one fact a line. */
void lock_print(ajob_lock *lock, struct text *json);

#endif
