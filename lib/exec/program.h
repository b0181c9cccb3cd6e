/*
 * program.h - which file a command's name means, in which environment, and why it
 * cannot be run.
 */
#ifndef AJOB_EXEC_PROGRAM_H
#define AJOB_EXEC_PROGRAM_H

#include <limits.h>

#include "exec/spawn.h"

/* The environment of a command: env (may be NULL) over makeflags (MAKEFLAGS=..., may be
 * NULL) over ours, and the mark, if any.
 * The array is the caller's, for program_free_environment(); the strings are not.
 * NULL on lack of memory. */
char **program_environment(const char *const *env, const char *mark, const char *makeflags);
void program_free_environment(char **environment);

/* Finds the file as execvp(3) does, but in the PATH of that environment and from
 * dir (open; AT_FDCWD). 0, or ENOENT, EACCES, ENAMETOOLONG. */
int program_find(const char *name, char *const *environment, int dir, char path[PATH_MAX]);

/* What is wrong where running path, found for this name, failed by error. */
struct spawn_failure program_failure(const char *name, const char *path, int dir, int error);

#endif
