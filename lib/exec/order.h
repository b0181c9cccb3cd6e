/*
 * order.h - output in the order in which the tasks were made, not in that of their ends.
 *
 * Each task has a place in a list. The output of the first place is written as it comes;
 * what others have printed waits, in memory while that is little, else in a file that all
 * share. A place goes when its task has ended and its outputs, one for each attempt, are
 * written; then it is the next one's turn.
 */
#ifndef AJOB_EXEC_ORDER_H
#define AJOB_EXEC_ORDER_H

#include "exec/printer.h"

struct place {
    struct place *previous, *next;
    struct printer *printer;
    struct output *open;           /* of the attempt under way, or NULL */
    struct output *waits, *latest; /* closed ones, linked by queue_next */
    bool is_over;                  /* the task has ended */
};

/* The last place in the order; NULL on lack of memory. */
struct place *order_add(struct printer *printer);

/* The task has ended: there will be no more of it. The place may be gone after this. */
void order_over(struct place *place);

/* Whose turn it is while nothing closed is left to be written, or NULL. */
struct output *order_live(const struct printer *printer);

bool order_is_first(const struct place *place);

/* A closed output, with something to write, waits for the turn of its place. */
void order_wait(struct output *output);

/* An output of the first place is written, or something has ended: the next ones have
 * their turn. Those are handed to turn(), which may call this again. */
void order_advance(struct printer *printer, void (*turn)(struct output *output));

/* Before the printer goes. */
void order_done(struct printer *printer);

#endif
