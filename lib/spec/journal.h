/*
 * journal.h - what an earlier run has done, by the keys of its tasks.
 *
 * A key tells a definition, not a task: where two tasks are defined alike and one
 * of them has succeeded, one is done. So each key has a count, the largest of the
 * runs in the text, and journal_take() uses it up.
 */
#ifndef AJOB_SPEC_JOURNAL_H
#define AJOB_SPEC_JOURNAL_H

#include <stdbool.h>

struct journal;

/* All keys can be taken again. Takes NULL. */
void journal_rewind(struct journal *journal);

/* True once for every task with this key that has succeeded. journal may be NULL. */
bool journal_take(struct journal *journal, const char *key);

#endif
