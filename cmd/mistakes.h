/*
 * mistakes.h - what is wrong in a spec, on standard error.
 *
 *     ci.json:14:7: error: unknown key "timout" in task "fetch"; did you mean "timeout"?
 *        14 |       "timout": "30s",
 *           |       ^~~~~~~~
 */
#ifndef CMD_MISTAKES_H
#define CMD_MISTAKES_H

#include "cli.h"

struct mistakes_shown {
    size_t errors, warnings;
    bool has_no_memory; /* one of the errors is that the spec could not be read for lack of it */
};

/* Checks the spec and prints its mistakes, escaped, a hundred of them at most and how
 * many more there are; in colors where the terminal and the environment want them. */
struct mistakes_shown mistakes_print(ajob_spec *spec);

/* What they mean for what needs a right spec: STATUS_OK, STATUS_USAGE if there are errors
 * among them, or STATUS_FAULT. */
int mistakes_status(const struct mistakes_shown *shown);

/* Prints them, for what needs a right spec: that status. */
int mistakes_check(ajob_spec *spec);

#endif
