/*
 * assets.h - which assets of a release are wanted, and their downloads.
 */
#ifndef AJOB_NET_ASSETS_H
#define AJOB_NET_ASSETS_H

#include "net/release_plan.h"

/* How many assets are chosen; marks them in chosen (as many as the release has)
 * unless that is NULL. 0: error says why, with the names there are. */
size_t assets_choose(const struct release_plan *plan, const struct github_release *release,
                     bool *chosen, struct text *error);

/* The next file of checksums to read, at *index or after it, or NULL: lists first,
 * then those of single assets; only while an asset that is chosen has no digest.
 * *index begins at 0 and is moved behind it. */
const struct github_asset *assets_next_checksums(const struct release_plan *plan,
                                                 const struct github_release *release,
                                                 size_t *index);

/* Gives the assets that have no digest the one that this file has for them. */
bool assets_apply_checksums(struct github_release *release, const struct github_asset *file,
                            const char *text, size_t length);

/* Where an asset is downloaded from; on the heap or NULL. */
char *assets_url(const struct release_plan *plan, const struct github_asset *asset);

/* The download, whose attempt goes on (download.h), begins anew with this asset. False: it
 * cannot. */
bool assets_again(const struct release_plan *plan, ajob_task *download,
                  const struct github_asset *asset, const char *subdir);

/* Tells of each chosen asset and, unless it is only a list, adds its download to
 * the group. False with one line in error. */
bool assets_add(const struct release_plan *plan, const struct github_release *release,
                ajob_task *group, struct text *error);

#endif
