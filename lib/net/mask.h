/*
 * mask.h - secrets in text that others will read.
 *
 * A server may send back what it was sent, and its words end up in messages and logs.
 */
#ifndef AJOB_NET_MASK_H
#define AJOB_NET_MASK_H

#include "base/text.h"

/* Puts *** wherever the secret stands. One of fewer than 4 characters is none. */
void mask_secret(struct text *text, const char *secret);

/* The same for all that may be secret in the value of a header: the value, what follows its
 * scheme ("Bearer"), and each word of 8 characters or more (the cookies in a Cookie). */
void mask_value(struct text *text, const char *value);

#endif
