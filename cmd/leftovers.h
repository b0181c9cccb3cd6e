/*
 * leftovers.h - debug builds prove that a run leaves nothing behind.
 *
 * In other builds both do nothing. A file descriptor that was not there at the
 * start, or a child process, aborts ajob with a line that says what it is.
 */
#ifndef CMD_LEFTOVERS_H
#define CMD_LEFTOVERS_H

void leftovers_begin(void);
void leftovers_check(void);

#endif
