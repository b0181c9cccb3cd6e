/*
 * lost.h - an asset that its server does not have any more.
 *
 * Between the answer of the API and the download the asset may have been replaced, which
 * gives it another id: there is one new look at the release, once for each download. One
 * that a lock file names is not looked for: it has changed, and that is a failure.
 */
#ifndef AJOB_NET_LOST_H
#define AJOB_NET_LOST_H

#include "net/download.h"
#include "net/release_plan.h"

extern const struct download_watch lost_watch;

struct lost_where {
    const struct release_plan *plan;
    const char *tag;
    const char *subdir; /* or NULL */
    uint64_t release_id;
};

/* The watch_data for the download of an asset; NULL on lack of memory. */
void *lost_new(const struct lost_where *where, const struct github_asset *asset);

#endif
