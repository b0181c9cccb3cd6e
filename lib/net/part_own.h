/*
 * part_own.h - the name of a part that nobody else can have, for file systems without locks.
 *
 * It is NAME.PID-TIME-PLACE.part, and says who writes it: the process PID of PLACE, which
 * stands for this boot of this machine and the processes that can be seen here. A part whose
 * process was killed is of no use to anybody, and removed when the file is next asked for;
 * but only if it is surely nobody's: of this PLACE, and of a process that is no more.
 */
#ifndef AJOB_NET_PART_OWN_H
#define AJOB_NET_PART_OWN_H

/* What "NAME" is in the name of such a part, with all that is before ".part"; a long one is
 * cut. On the heap or NULL. */
char *part_own_name(const char *name);

/* Removes what killed processes have left of such parts of the file. */
void part_own_sweep(int dir_fd, const char *name);

#endif
