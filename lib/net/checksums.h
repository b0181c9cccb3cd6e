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

/* What a file says, one line after the other: read once, for it may be long, and the assets
 * that it is asked for many. */
struct checksums {
    struct checksum {
        char *name; /* without directories; "": the digest stands alone */
        char digest[CHECKSUM_MAX];
        bool is_doubtful; /* there are others for this name */
    } * items;            /* by name */
    size_t count, space;
};

/* Reads the text into what is zeroed before. False on lack of memory. checksums_done() frees
 * in either case. */
bool checksums_read(struct checksums *checksums, const char *text, size_t length);

/* The digest of this name: its line may have directories before it, but the name is the
 * whole rest. A digest alone counts if the file is for this name only. NULL: it says
 * nothing, or several things. */
const char *checksums_find(const struct checksums *checksums, const char *name, bool is_for_name);

void checksums_done(struct checksums *checksums);

#endif
