/*
 * each.h - the kind "each": a group with one task for each item, made while it runs.
 */
#ifndef AJOB_SPEC_EACH_H
#define AJOB_SPEC_EACH_H

#include "spec/build.h"

/* NULL with ajob_error() set. */
ajob_task *each_new(struct scope *scope, const struct spec_task *spec);

#endif
