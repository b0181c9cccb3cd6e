/*
 * table.h - hash tables: uthash, with our memory, and without an exit.
 *
 * Include this instead of <uthash.h>. After HASH_ADD... the entry is in the
 * table if table_has(entry); it is not if memory was short.
 */
#ifndef AJOB_BASE_TABLE_H
#define AJOB_BASE_TABLE_H

#include "base/mem.h"

#define HASH_NONFATAL_OOM 1
#define uthash_malloc(size) mem_new(size)
#define uthash_free(block, size) mem_free(block)

#include <uthash.h>

#define table_has(entry) ((entry)->hh.tbl != NULL)

#endif
