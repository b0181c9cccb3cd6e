/*
 * checksums.h - files of checksums among the assets of a release.
 *
 * Which asset is one, for which others, and what it says of a name. Pure. Knows
 * the forms that sha256sum(1) writes, plain and --tag, the escaped names of both,
 * and a digest alone. Only SHA-256 and SHA-512 count.
 */
#ifndef AJOB_NET_CHECKSUMS_H
#define AJOB_NET_CHECKSUMS_H

#include <stdbool.h>
#include <stddef.h>

enum { CHECKSUM_MAX = 8 + 128 + 1 }; /* "sha512:" and its digits */

/* A list for all assets: SHA256SUMS, checksums.txt, tool_1.0_checksums.txt... */
bool checksums_is_list(const char *asset);

/* The file of one asset: NAME.sha256, NAME.sha256sum, NAME.sha512... */
bool checksums_is_for(const char *asset, const char *name);

/* What the file says of this name: its line may have directories before it, but
 * the name is the whole rest. A digest alone counts if the file is for this name
 * only. False: it says nothing, or several things. */
bool checksums_find(const char *text, size_t length, const char *name, bool is_for_name,
                    char ret_digest[CHECKSUM_MAX]);

#endif
