/*
 * input.h - a whole file, or standard input, in memory.
 */
#ifndef CMD_INPUT_H
#define CMD_INPUT_H

#include "cli.h"

enum { INPUT_MOST = 64 * 1024 * 1024 };

struct input {
    const char *name; /* for messages: the path, or "standard input" */
    char *text;       /* with a NUL after it */
    size_t length;
};

/* Reads the file, or standard input if path is "-". STATUS_OK; STATUS_USAGE after a
 * message if it cannot be read or has more than INPUT_MOST bytes, STATUS_FAULT on
 * lack of memory. */
int input_read(struct input *input, const struct command *command, const char *path);
void input_done(struct input *input);

#endif
