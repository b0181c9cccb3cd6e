/*
 * each_get.h - the items of ajob each --get: what each asks for, and whether the name of
 * its file is free.
 */
#ifndef CMD_EACH_GET_H
#define CMD_EACH_GET_H

#include "each_run.h"
#include "targets.h"

/* What an item asks for. */
struct each_download {
    struct target target; /* its url is NULL: nothing, the line is empty or a comment */
    const char *path;     /* where to; until the next item; NULL with a mistake */
    const char *mistake;  /* why it cannot be done, or NULL */
    bool is_refused;      /* that is an earlier item, so this one is not to be tried again */
    char text[1024];      /* of the mistake */
};

/* Reads the item, whose number each->number is, and takes the name of its file for it.
 * To be given to each_get_done() in any case. */
void each_get_ask(struct each *each, const struct each_batch *batch,
                  struct each_download *download);

/* Its task. NULL on lack of memory. */
ajob_task *each_get_make(struct each *each, const struct each_download *download);

void each_get_done(struct each_download *download);

#endif
