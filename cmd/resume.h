/*
 * resume.h - files of events that are read and then added to.
 */
#ifndef CMD_RESUME_H
#define CMD_RESUME_H

#include "cli.h"

/* Whether both names lead to one file; also if it does not exist. */
bool resume_is_same_file(const char *a, const char *b);

/* Cuts off what is behind the last whole line, which ends at length: it would spoil the
 * one that is added. STATUS_OK, or another status after a message. */
int resume_cut(const struct command *command, const char *path, uint64_t length);

#endif
