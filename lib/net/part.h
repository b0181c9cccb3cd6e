/*
 * part.h - a file on its way: NAME.part, its note NAME.part.json, and NAME.
 *
 * Owns the promise that NAME is only ever the old file or the whole new one.
 * Everything happens relative to one open directory, on single names, never
 * through a symbolic link. A part is claimed by flock(2); where locks do not
 * work it gets a name of its own, and cannot be resumed.
 *
 * The note has what resuming needs. Bytes are written in order, so what is
 * there already is the part's size. Without a note a part is worth nothing.
 */
#ifndef AJOB_NET_PART_H
#define AJOB_NET_PART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

struct part {
    int dir_fd; /* the caller's */
    int fd;     /* -1: not open */
    char *name, *part_name, *note_name;
    bool is_locked;
    uint64_t device, inode; /* of the open file */
    bool has_note;          /* on disk */
    bool is_resumable;      /* false: a name of its own */
    uint64_t size;          /* the bytes in it, those still joined included */
    char *joined;           /* the last of them, not written yet; or NULL */
    size_t joined_length;
};

/* What a part is a part of. Strings on the heap or NULL. */
struct part_note {
    char *identity;      /* equal: the same thing, whatever its URL */
    char *url;           /* for people, without secrets */
    char *etag;          /* strong */
    char *last_modified; /* if it tells versions apart; meaningful without etag */
    char *modified;      /* Last-Modified as it was sent, for the file's own time */
    int64_t total;       /* -1: not known */
};

void part_note_done(struct part_note *note);

#define PART_INIT(directory)                                                                       \
    { .dir_fd = (directory), .fd = -1 }

/* Errors of all below: false, and one line in error. */

/* What stands under this name now: a regular file is opened for reading (fd,
 * size and mtime), nothing or a symbolic link gives fd -1; a directory or
 * device is an error. */
struct part_target {
    int fd;
    uint64_t size;
    int64_t mtime_s;
    unsigned mode; /* 0: there is none */
};
bool part_look(struct part *part, const char *name, struct part_target *ret_target,
               struct text *error);

/* Opens and claims the part of this name. */
bool part_claim(struct part *part, const char *name, struct text *error);

/* The note, if there is one that can be read. */
bool part_recall(struct part *part, struct part_note *ret_note);

/* Writes the note; atomically. */
bool part_remember(struct part *part, const struct part_note *note, struct text *error);

/* Adds bytes at its end. Small pieces of a large body are joined before they
 * are written; part_flush() writes what is left of them. */
bool part_append(struct part *part, const char *data, size_t length, struct text *error);
bool part_flush(struct part *part, struct text *error);

/* Asks for room for so many bytes; false only if the disk says it is full. */
bool part_reserve(struct part *part, uint64_t size, struct text *error);

bool part_empty(struct part *part, struct text *error);

/* The part, flushed, becomes the file unless something else has taken its name:
 * modified at mtime_s (-1: now), with the
 * permissions of the file it replaces (mode; 0: none). */
bool part_commit(struct part *part, int64_t mtime_s, unsigned mode, struct text *error);

/* Removes the part and its note; nothing can be done with it then but close it. */
void part_discard(struct part *part);

/* Closes it and leaves on disk what is there. */
void part_close(struct part *part);

#endif
