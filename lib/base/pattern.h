/*
 * pattern.h - regular expressions (POSIX extended) whose cost is bounded.
 *
 * regcomp() copies what is repeated, copies within copies, and looking for what a
 * back reference means can take for ever: neither can be interrupted.
 */
#ifndef AJOB_BASE_PATTERN_H
#define AJOB_BASE_PATTERN_H

/* Why the expression is not given to regcomp(): a clause for a message; NULL: it may be.
 * Whether it is right at all only regcomp() knows. */
const char *pattern_excess(const char *expression);

#endif
