/*
 * dir.h - directories that downloads go to, each open once.
 *
 * Tasks of one directory share one struct dir; it is open while any of them is
 * under way. A path that was no symbolic link is not followed when it is opened again and
 * has become one: whoever can do that would choose where the rest goes.
 */
#ifndef AJOB_NET_DIR_H
#define AJOB_NET_DIR_H

#include <stdbool.h>

struct ajob_loop;
struct text;

struct dir {
    char *path;   /* as given: trusted */
    char *subdir; /* in it, one neutral name that may come from outside; or NULL */
    int fd;       /* meaningful while users */
    unsigned users;
    struct dir *outer;  /* path without subdir; itself if there is none */
    bool is_known_real; /* of outer: it was no symbolic link when it was opened first */
};

/* Belongs to the loop. NULL with ajob_error() set on lack of memory. */
struct dir *dir_for(struct ajob_loop *loop, const char *path, const char *subdir);

/* Opens it for one more user, making what is missing of it; a symbolic link is
 * not followed for subdir. False: one line in error, and nothing to leave. */
bool dir_enter(struct dir *dir, struct text *error);
void dir_leave(struct dir *dir);

/* path/subdir/name, with no "./" before it; on the heap or NULL. */
char *dir_path(const struct dir *dir, const char *name);

#endif
