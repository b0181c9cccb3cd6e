/*
 * release.h - a release for other rooms of net: what ajob.h cannot say.
 */
#ifndef AJOB_NET_RELEASE_H
#define AJOB_NET_RELEASE_H

#include "net/release_plan.h"

/* A task for the release with this tag. info, if not NULL, is what is known of it
 * already: taken over. NULL with ajob_error() set. */
ajob_task *release_new(ajob_loop *loop, struct release_plan *plan, const char *tag,
                       struct github_release *info);

#endif
