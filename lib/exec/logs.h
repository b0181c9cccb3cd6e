/*
 * logs.h - a directory with one file for each task, what it printed.
 *
 * The task a/b has DIR/a/b.log. What the first attempt opens is emptied, what
 * others (or another task of the same name) open later is appended to. Names may
 * hold anything: what a file's name should not have becomes '_', and no symbolic
 * link below DIR is followed.
 */
#ifndef AJOB_EXEC_LOGS_H
#define AJOB_EXEC_LOGS_H

#include "core/task.h"

struct log_name;

/* The zero value with dir_fd -1 is closed. */
struct logs {
    int dir_fd;             /* -1: there is no directory */
    bool is_split;          /* DIR/a/b/stdout and stderr instead, of the last attempt only */
    struct log_name *names; /* opened so far in this run */
};

/* Makes the directory and those above it if needed. False with errno. */
bool logs_open(struct logs *logs, const char *dir);
void logs_close(struct logs *logs);

/* The task's files for standard output and error, which may be the same: for appending,
 * close-on-exec, the caller's. False with errno. */
bool logs_open_files(struct logs *logs, const struct ajob_task *task, int fds[2]);

#endif
