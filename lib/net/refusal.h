/*
 * refusal.h - a task that fails with a cause known beforehand: the place in a
 * run of what cannot be done.
 */
#ifndef AJOB_NET_REFUSAL_H
#define AJOB_NET_REFUSAL_H

#include "ajob.h"

ajob_task *refusal_new(ajob_loop *loop, const char *cause);

#endif
