/*
 * names.h - what numbers are called in messages and events.
 */
#ifndef AJOB_CORE_NAMES_H
#define AJOB_CORE_NAMES_H

/* "SEGV" for SIGSEGV; "35" for one without a name. Valid until the next call
 * for such a one. */
const char *name_of_signal(int number);

#endif
