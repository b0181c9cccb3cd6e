/*
 * spool.h - files without a name, in TMPDIR (else /tmp), which their last descriptor
 * frees; and one that many share: what waits for its turn, however many they are, takes
 * two descriptors.
 *
 * Nothing is ever overwritten in a shared one, it only grows, until nobody has anything
 * in it any more. So there are two: while one is large, others get room in the other.
 */
#ifndef AJOB_EXEC_SPOOL_H
#define AJOB_EXEC_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A descriptor, close-on-exec; or -1 with errno. */
int spool_open_file(void);

/* False with errno. AJOB_FAULT=write:N can make it fail. */
bool spool_write(int file, const char *data, size_t length, uint64_t at);

struct spool_file {
    int file; /* meaningful if is_open */
    bool is_open;
    uint64_t end;
    uint32_t users;
};

/* The zero value is empty. */
struct spool {
    struct spool_file files[2];
    unsigned current;
};

/* Keeps data. The file it is in and, in *at, where; NULL with errno. */
struct spool_file *spool_add(struct spool *spool, const char *data, size_t length, uint64_t *at);

/* What one spool_add() has kept is not needed any more. */
void spool_release(struct spool_file *file);

void spool_done(struct spool *spool);

#endif
