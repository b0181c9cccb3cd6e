/*
 * name.h - names of files that come from outside, made harmless.
 */
#ifndef AJOB_NET_NAME_H
#define AJOB_NET_NAME_H

#include <stdbool.h>

/* The longest name that leaves room for ".part.json.tmp" in 255 bytes. */
enum { NAME_LENGTH_MAX = 240 };

/* raw as one path component: separators, control and bidirectional characters
 * and bytes that are not UTF-8 become '_', so does a leading '.' or '-'; cut to
 * NAME_LENGTH_MAX with its ending kept; "_" if nothing is left. What is a device for
 * another system (NUL, COM1) is a name like any other here. On the heap, or NULL. */
char *name_neutral(const char *raw);

/* The name for a URL: the last segment of its path, decoded and neutral;
 * "index.html" if it is empty. */
char *name_from_url(const char *url);

/* A name that a person chose: not empty, ".", "..", too long, or with a '/'. */
bool name_is_usable(const char *name);

#endif
