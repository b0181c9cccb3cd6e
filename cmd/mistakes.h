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
};

/* Checks the spec and prints its mistakes, escaped, a hundred of them at most and how
 * many more there are; in colors where the terminal and the environment want them. */
struct mistakes_shown mistakes_print(ajob_spec *spec);

/* The same for what needs a right spec: STATUS_OK, or STATUS_USAGE after the
 * mistakes if there are errors among them. */
int mistakes_check(ajob_spec *spec);

#endif
