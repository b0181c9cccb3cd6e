/*
 * lock.h - what was chosen to be downloaded, for the next run to choose the same.
 *
 * Owns the entries of an ajob_lock and what is asked of them; its file is lock_file.c's, the
 * JSON in it lock_json.c's. An entry is filled in when its asset is chosen and completed when the
 * download has ended.
 */
#ifndef AJOB_NET_LOCK_H
#define AJOB_NET_LOCK_H

#include "ajob.h"
#include "base/table.h"
#include "net/github.h"

struct lock_entry {
    UT_hash_handle hh;
    char *key;        /* "https://api.github.com o/r 123" */
    char *api;        /* as github_repo.api */
    char *repository; /* "o/r" */
    char *tag;
    struct github_asset asset; /* its url: NULL unless it is on the API's host */
    bool has_come;             /* its download was a success */
    bool is_ambiguous;         /* another asset had its id */
    struct lock_entry *next;   /* of those that were taken out */
};

struct ajob_lock {
    struct lock_entry *table;
    struct lock_entry *taken_out; /* downloads may still end that complete them */
    bool is_sorted;               /* in the order of the file */
};

/* A new entry of this asset, in the place of one with its id; what that has to do with
 * downloads is forgotten. NULL on lack of memory. It lives as long as the lock. */
struct lock_entry *lock_add(ajob_lock *lock, const struct github_repo *repo, const char *tag,
                            const struct github_asset *asset);

/* Takes the entry of this asset out; no download completes it any more. */
void lock_forget(ajob_lock *lock, const struct github_repo *repo, uint64_t id);

/* The same for what a file says, with all in it copied. */
struct lock_entry *lock_add_entry(ajob_lock *lock, const struct lock_entry *entry);

/* Completes the entry when the download ends. */
void lock_watch(struct lock_entry *entry, ajob_task *download);

/* The first entry of the release after that of this entry (NULL: of the first release) of
 * the repository, or NULL. For a lock that is sorted, as the next one. */
const struct lock_entry *lock_next_release(const ajob_lock *lock, const struct github_repo *repo,
                                           const struct lock_entry *after);

/* The release that begins with this entry. False on lack of memory. */
bool lock_release_at(const struct lock_entry *first, struct github_release *ret_release);

/* The assets of one tag as a release. False on lack of memory. */
bool lock_release(const ajob_lock *lock, const struct github_repo *repo, const char *tag,
                  struct github_release *ret_release);

/* Whether the lock has something of this repository and tag (NULL: any). If not, one
 * line in error. */
bool lock_has(const ajob_lock *lock, const struct github_repo *repo, const char *tag,
              struct text *error);

/* In the order of the file. */
void lock_sort(ajob_lock *lock);

#endif
