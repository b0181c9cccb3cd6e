/*
 * group.h - a task made of tasks: the only scheduler there is.
 *
 * A group starts its children as their needs and the limits allow, applies its
 * policy when one ends, and is over when all have ended. Kinds that find out
 * their children at run time (release) embed a struct group, add, and call
 * group_start() once they know their children.
 */
#ifndef AJOB_CORE_GROUP_H
#define AJOB_CORE_GROUP_H

#include "core/task.h"

/* Where the children of a group come from. */
struct feed {
    ajob_feed asks;
    struct group *group;
    struct ajob_task *early; /* the next child, in no group yet: it is too early for it; or NULL */
    struct deadline pause;   /* armed while there is one */
    uint64_t next_ns;        /* no child before this */
    struct feed *held_next;
    bool is_held; /* it is in the loop's list of those that wait for loop_hold_feeds() */
};

struct group {
    struct ajob_task task;
    struct ajob_task *first, *last; /* children, in the order of adding */
    struct ajob_task *decider;      /* the child that decided: the first failure, or the winner */
    struct ajob_pool *limit;        /* on the work in it; NULL: none */
    struct feed *feed;              /* where more children come from; NULL: they are all here */
    uint32_t count, ended, succeeded, failed;
    uint32_t max_failures;  /* policy all: so many cancel the others; 0: 1 */
    uint32_t ordinary_left; /* children that are no finalizers and have not ended */
    uint32_t services_left; /* those of them that are services */
    uint64_t drained_at_ms; /* since when it is draining; 0: it is not */
    uint8_t policy;         /* enum ajob_policy */
    bool is_fed;            /* the feed has an end, and it has not come yet */
    bool feed_waits;        /* it has none yet, or is not to be asked: ajob_feed_resume() is owed */
    bool feed_resumed;      /* that came, and the feed has not been asked again */
    bool is_open;           /* children may start */
    bool is_draining;       /* being cancelled: nothing but finalizers starts */
};

/* The group behind a task whose kind is_group. */
struct group *group_of(const struct ajob_task *task);

/* For kinds that embed a group: what their start, stop and free call. */
void group_start(struct ajob_task *task);
void group_stop(struct ajob_task *task, enum stop_how how);
void group_free(struct ajob_task *task);

/* Back to before the first child, none of which is running; the feed is asked again.
 * For kinds that make their children in each attempt, at its start. */
void group_clear(struct group *group);

/* A child of the group has ended and its dependents know. */
void group_child_ended(struct group *group, struct ajob_task *child);

/* All have heard of the child's end: a group that is fed frees it. */
void group_forget(struct group *group, struct ajob_task *child);

/* Asks the feed for more children; the group may be over then. */
void group_refill(struct group *group);

/* Asks the feed for as many children as the window has room for. */
void feed_take(struct group *group);

/* The same if the feed was resumed. */
void feed_step(struct group *group);

/* The group is being cancelled. */
void feed_drain(struct group *group);

void feed_free(struct feed *feed);

/* How many children the feed will bring: 0 without one, -1 if that is not known. */
int64_t group_count_fed(const struct group *group);

/* The group ends with this status without having started: so do its children. */
void group_abandon(struct group *group, enum ajob_status status);

/* What the children are told when the group is stopped or decided; the caller's. */
char *group_cause_for_children(const struct group *group);

/* The cancelling of its group does not stop the child: a finalizer, or shielded. */
bool group_cannot_reach(const struct ajob_task *child);

/* Not all of its ordinary tasks, which have ended, did well; it was told to
 * stop; or nothing won in it. For its finalizers. */
bool group_is_failing(const struct group *group);

#endif
