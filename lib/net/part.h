/*
 * part.h - a file on its way: NAME.part, its note NAME.part.json, and NAME.
 *
 * Owns the promise that NAME is only ever the old file or the whole new one.
 * Everything happens relative to one open directory, on single names, never
 * through a symbolic link. A part is claimed by flock(2); where locks do not
 * work it gets a name of its own, and cannot be resumed.
 *
 * The note has what resuming needs; without one a part is worth nothing. Bytes
 * may be written in any order. Which are there is in `have`, and in the note
 * ("part": 2, "ranges") unless they are simply the first N bytes of the file
 * ("part": 1: what is there is then the file's size, so a process that is killed
 * needs no newer note). Two rules keep a note from ever lying:
 * - It is only about bytes that have been written.
 * - One with ranges is on disk before the first byte behind a gap is written:
 *   set is_in_pieces and call part_remember() first. Should a byte be written
 *   behind a gap without it, the note that is there is removed before.
 * Bytes that a note with ranges does not list yet are lost by a kill: it is
 * written again whenever part_note_is_due(), and when an attempt ends.
 */
#ifndef AJOB_NET_PART_H
#define AJOB_NET_PART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "net/ranges.h"

/* What is added to NAME for the files that stand beside it meanwhile: the part, its note, and
 * that until it is whole. NULL-terminated. */
enum { PART_ENDING, PART_ENDING_NOTE };
extern const char *const part_endings[];

struct part {
    int dir_fd; /* the caller's */
    int fd;     /* -1: not open */
    char *name, *part_name, *note_name;
    bool is_locked;
    uint64_t device, inode; /* of the open file */
    bool has_note;          /* on disk */
    bool has_room;          /* reserved beyond its end, and not used yet */
    bool is_resumable;      /* false: a name of its own */
    bool is_in_pieces;      /* the caller's word that bytes come behind a gap */
    struct ranges have;     /* the bytes that are written; once claimed 0..size */
    bool note_has_ranges;   /* the one on disk */
    uint64_t noted_bytes;   /* ranges_total(have) when it was written */
    uint64_t noted_at_ms;   /* and when that was, of a clock of its own */
};

/* Where one stream writes next. Small pieces of a large body are joined before
 * they are written: `at` is ahead of what `have` knows of. Begins with {.at = N}
 * or, when nothing is joined, by setting `at`. */
struct part_writer {
    uint64_t at;  /* of the next byte handed over */
    char *joined; /* the last of those before it, not written yet; or NULL */
    size_t joined_length;
    /* Is offered each full block of what was joined, from the heap, once it is written at
     * `at`. Returns another one of its length for it, or the block itself. May be NULL. */
    char *(*trade)(void *owner, uint64_t at, char *block, size_t length);
    void *owner;
};

/* What a part is a part of. Strings on the heap or NULL. */
struct part_note {
    char *identity;      /* equal: the same thing, whatever its URL */
    char *url;           /* for people, without secrets */
    char *etag;          /* strong */
    char *last_modified; /* if it tells versions apart; meaningful without etag */
    char *modified;      /* Last-Modified as it was sent, for the file's own time */
    char *boot;          /* the system's boot when it was written; NULL: not known */
    int64_t total;       /* -1: not known */
    /* In the text only: part_recall() moves them to `have`, part_remember() takes
     * them from there. */
    struct ranges ranges;
    bool has_ranges;
};

void part_note_done(struct part_note *note);

#define PART_INIT(directory)                                                                       \
    { .dir_fd = (directory), .fd = -1 }

/* Errors of all below: false, and one line in error. */

/* What stands under this name now (a note that was left beside it goes): a regular file is opened
 * for reading (fd, size and mtime), nothing or a symbolic link gives fd -1; a directory or device
 * is an error. */
struct part_target {
    int fd;
    uint64_t size;
    int64_t mtime_s;
    unsigned mode; /* 0: there is none */
};
bool part_look(struct part *part, const char *name, struct part_target *ret_target,
               struct text *error);

/* Opens and claims the part of this name; `have` is then all of the file. */
bool part_claim(struct part *part, const char *name, struct text *error);

/* The note, if there is one that can be read. Of one with ranges those that are
 * in the file become what it has. */
bool part_recall(struct part *part, struct part_note *ret_note);

/* Writes the note, with what the part has and this boot; atomically. */
bool part_remember(struct part *part, const struct part_note *note, struct text *error);

/* Whether so much was written since the note, or so long ago, that a kill would
 * lose more than a newer note costs. Never for one without ranges. size: of the
 * whole file; 0: not known. */
bool part_note_is_due(const struct part *part, uint64_t size);

/* Hands bytes over, for where the writer is; part_flush() writes what is left of
 * them. After an error `have` is still true. */
bool part_write(struct part *part, struct part_writer *writer, const char *data, size_t length,
                struct text *error);
bool part_flush(struct part *part, struct part_writer *writer, struct text *error);

/* Drops what was not written, and frees; nobody is offered anything then. */
void part_writer_done(struct part_writer *writer);

/* Asks for room for so many bytes; false only if the disk says it is full. For a large size
 * that nobody is sure of no room is taken, it is only asked whether there is: who announces
 * much and sends little is not to fill the disk for others. */
bool part_reserve(struct part *part, uint64_t size, bool is_sure, struct text *error);

/* Forgets all at `size` and behind it, in the file, too. */
bool part_cut(struct part *part, uint64_t size, struct text *error);

/* Forgets everything, with the note. What writers have joined is theirs to drop. */
bool part_empty(struct part *part, struct text *error);

/* Makes it like the file that it is to become: modified at mtime_s (-1: now), with the
 * permissions of the one that it replaces (mode; 0: none). A sync that follows keeps them, too.
 * Its owner may still read and write it: it may be gone on with. */
void part_dress(struct part *part, int64_t mtime_s, unsigned mode);

/* The part, all writers flushed, becomes the file unless something else has taken its name;
 * mode: as for part_dress(). To survive a power cut, the file is synced before this and the
 * directory after it (see sync.h): by the caller. */
bool part_commit(struct part *part, unsigned mode, struct text *error);

/* Removes the part and its note; nothing can be done with it then but close it. */
void part_discard(struct part *part);

/* Closes it and leaves on disk what is there. */
void part_close(struct part *part);

#endif
