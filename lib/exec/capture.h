/*
 * capture.h - bytes that are held: in memory up to a bound, beyond it on disk.
 *
 * Bytes are added at the end, and have their offset from the first one ever added
 * as their name. Once memory would hold more than CAPTURE_MEMORY, all of it goes
 * to a file without name in TMPDIR (else /tmp), which its last descriptor frees. A
 * memfd would not do: it is memory. The zero value is empty.
 */
#ifndef AJOB_EXEC_CAPTURE_H
#define AJOB_EXEC_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "exec/spool.h"

enum { CAPTURE_MEMORY = 1 << 20 };

struct capture {
    char *memory;
    size_t used, capacity;
    uint64_t first;     /* what is before this is not wanted any more */
    uint64_t file_at;   /* the offset of the file's first byte */
    uint64_t memory_at; /* of the memory's: where the file ends */
    int file;           /* meaningful if has_file */
    bool has_file;
    struct spool_file *shared; /* where the file is one of many captures; or NULL */
    int error;                 /* errno of the failure since which nothing is added, or 0 */
};

/* Makes room, so that adding up to length bytes (at most CAPTURE_MEMORY) cannot
 * fail. False, with error set for good, if the file cannot be written to or there is
 * no memory. */
bool capture_reserve(struct capture *capture, size_t length);

/* Adds bytes for which there is room. */
void capture_append(struct capture *capture, const char *data, size_t length);

/* Both: in pieces, whatever the length. */
bool capture_add(struct capture *capture, const char *data, size_t length);

/* The same with little, whatever the bound and although a failure came before: the
 * words about that failure. Without memory nothing is added. */
void capture_force(struct capture *capture, const char *data, size_t length);

/* The offset after the last byte. */
uint64_t capture_end(const struct capture *capture);

/* Bytes from offset on, at least one and at most size of them, where they are in
 * memory, or read into buffer. NULL if there are none, or with *length 0 and errno
 * if they cannot be read. Valid until the next call. */
const char *capture_peek(const struct capture *capture, uint64_t offset, char *buffer, size_t size,
                         size_t *length);

/* Overwrites bytes if they are still in memory. */
bool capture_patch(struct capture *capture, uint64_t offset, const void *data, size_t length);

/* What is before offset is not wanted any more. */
void capture_drop(struct capture *capture, uint64_t offset);

/* A descriptor of its own for reading from the first byte on, close-on-exec; what is
 * in memory goes to the file for that. -1 with errno. Nothing may have been
 * dropped. */
int capture_dup(struct capture *capture);

/* What is in memory goes to a file that many share; nothing is added after this. False:
 * it stays where it is, for it is in a file already, or cannot be written. */
bool capture_share(struct capture *capture, struct spool *spool);

void capture_done(struct capture *capture);

#endif
