/*
 * names.h - what numbers are called in messages and events.
 */
#ifndef AJOB_CORE_NAMES_H
#define AJOB_CORE_NAMES_H

#include "ajob.h"

/* "SEGV" for SIGSEGV; "35" for one without a name. Valid until the next call
 * for such a one. */
const char *name_of_signal(int number);

/* "tcp", as specs and messages have it; NULL for AJOB_READY_AT_START, and behind the
 * last one. */
const char *name_of_readiness(unsigned readiness);

#endif
