/*
 * task.h - a task: its life, its edges, and what a kind of work fills in.
 *
 *     pending -> ready -> running (-> backoff -> ready -> running)*
 *             -> stopping? -> ended
 *
 * Whoever learns something about a task only records it here (a need ended,
 * the attempt is over, a stop is wanted, a deadline has come) and posts the
 * task; task_step() alone moves it, one arm for each state, in the order of
 * life. So it does not matter in which order facts arrive, and nothing calls
 * back into the one who brought the fact.
 *
 * A kind adds its own state behind the task (its struct begins with a struct
 * ajob_task) and fills in start and stop. To start() one task_attempt_over() is
 * owed, inside start() or any time later, stopped or not.
 */
#ifndef AJOB_CORE_TASK_H
#define AJOB_CORE_TASK_H

#include "ajob.h"
#include "core/deadline.h"

struct text;

enum stop_how { STOP_POLITE, STOP_HARD };

/* So many slots of a pool, held while the task runs. */
struct slot {
    struct ajob_pool *pool;
    unsigned count;
};

enum { KIND_SLOTS_MAX = 2, KIND_FIELDS_MAX = 8 };

struct task_kind {
    const char *name;
    size_t size; /* of the whole struct */
    /* A group's struct is behind the task: see group.h. */
    bool is_group;
    /* Adds tasks to its group or its group's group while it runs: another
     * attempt keeps them, and how many tasks a run has is not known. */
    bool grows;
    /* Its start begins its feed again: another attempt is possible. */
    bool feeds_again;
    /* Meaningful while an ajob_set_retry() is missing. */
    ajob_retry retry;
    /* Begins an attempt. */
    void (*start)(struct ajob_task *task);
    /* Asks the attempt to end: politely once, hard at most once after that. */
    void (*stop)(struct ajob_task *task, enum stop_how how);
    /* The slots an attempt holds. Returns how many it wrote; NULL: the kind is
     * no work (a group, a sleep), and no limit counts it. */
    size_t (*slots)(const struct ajob_task *task, struct slot slots[KIND_SLOTS_MAX]);
    /* What the kind adds to task.ended; NULL: nothing. */
    size_t (*fields)(const struct ajob_task *task, ajob_field fields[KIND_FIELDS_MAX]);
    /* The process of the attempt, 0: none. NULL: it never has one. With it, the
     * attempt's task.started comes after start(). */
    int (*pid)(const struct ajob_task *task);
    /* It is a service: see task_became_ready(). */
    bool is_service;
    /* Bytes moved; NULL: it moves none. */
    void (*progress)(const struct ajob_task *task, uint64_t *bytes, int64_t *total);
    /* Whether run.ended counts the task; NULL: unless it is a group. */
    bool (*is_counted)(const struct ajob_task *task);
    /* The task has ended, however; may be NULL. */
    void (*ended)(struct ajob_task *task);
    /* Frees what the kind owns; the task itself is freed by the caller. */
    void (*free)(struct ajob_task *task);
};

/* task needs need. Each edge is in two lists. */
struct edge {
    struct ajob_task *task, *need;
    struct edge *next_need;   /* of task */
    struct edge *next_needer; /* of need */
    bool is_start;            /* only the start of need is awaited */
    bool is_met;              /* need started, or is ready, before it has ended */
};

/* What few tasks have. */
struct task_options {
    uint64_t timeout_ms, attempt_timeout_ms; /* meaningful if has_... */
    bool has_timeout, has_attempt_timeout, has_retry;
    ajob_retry retry; /* its `on` is the task's own copy */
    struct slot *slots;
    unsigned slot_count;
    char *key;
    char *item;
    size_t item_length;
    ajob_prepare_fn *prepare;
    void *prepare_data;
};

struct ajob_task {
    const struct task_kind *kind;
    struct ajob_loop *loop;
    struct ajob_task *parent;          /* its group, or NULL */
    struct ajob_task *previous, *next; /* in its group, or among the loop's tasks in no group */
    struct ajob_task *post_next;       /* in the loop's posted list */
    struct ajob_task *end_next;        /* in the loop's ended list: it may be in both */
    struct ajob_task *wait_previous, *wait_next; /* in the pool it waits for */
    struct ajob_pool *waiting_for;               /* meaningful while ready; else NULL */
    struct edge *needs, *needers;
    struct task_options *options; /* NULL: all at their defaults */
    char *name;                   /* or title; NULL: its number */
    char *cause; /* why it ended; before that, why it is to stop or why the attempt failed */
    ajob_done_fn *ended;
    void *ended_data;
    struct deadline deadline; /* the earlier of the next two */
    uint64_t timeout_at_ms;   /* 0: none */
    uint64_t phase_at_ms;     /* 0: none; the attempt's timeout, backoff's or grace's end */
    uint64_t started_ns;
    uint64_t changed_ms; /* when it came to its state */
    uint32_t number;     /* in its group, from 1 */
    uint32_t unmet;      /* needs that have not ended */
    uint32_t retry_after_ms;
    uint32_t ticket;   /* meaningful while ready: the place in every queue */
    uint32_t attempts; /* begun so far */
    uint32_t failures; /* of attempts, since the last that got somewhere */
    int16_t exit;      /* -1: none */
    uint8_t signal;
    uint8_t state;  /* enum ajob_state */
    uint8_t status; /* enum ajob_status */
    uint8_t wanted; /* the status a stop will end it with; UNDECIDED: no stop wanted */
    uint8_t when;   /* enum ajob_when */
    bool is_posted : 1;
    bool in_run : 1;
    bool has_title : 1;
    bool is_shielded : 1;
    bool holds_slots : 1;
    bool need_failed : 1;    /* a need did not succeed; cause says which */
    bool need_cancelled : 1; /* the same, and that need was cancelled */
    bool attempt_over : 1;   /* the kind has reported; the next four say what */
    bool attempt_succeeded : 1;
    bool is_retryable : 1;
    bool has_progressed : 1;
    bool has_alternative : 1;
    bool has_decided : 1;       /* it will report what nothing changes any more */
    bool no_retry : 1;          /* a stop or the timeout came when the attempt was decided */
    bool attempt_timed_out : 1; /* stopping for the sake of another attempt */
    bool phase_is_due : 1;
    bool kill_wanted : 1;
    bool was_killed : 1;  /* stop(STOP_HARD) was called */
    bool not_needed : 1;  /* skipped without anything having failed: that is no failure */
    bool may_fail : 1;    /* its failure is none of its group's, and no need's */
    bool is_done : 1;     /* by an earlier run */
    bool is_streamed : 1; /* somebody awaits only its start: it holds no slot of the loop's */
    bool is_serving : 1;  /* a service, ready */
};

_Static_assert(sizeof(struct ajob_task) <= 256, "a task costs at most 256 bytes");

/* Makes a task of this kind among the loop's tasks in no group; zeroed behind
 * the task. NULL with ajob_error() set on lack of memory. */
void *task_new(struct ajob_loop *loop, const struct task_kind *kind);

/* Frees a task and, if it is a group, what is in it. It must not be running. */
void task_free(struct ajob_task *task);

/* Takes an ended task out of its group and frees it: at once, or, if it or what is
 * in it is still posted, when the posted list is empty. */
void task_forget(struct ajob_task *task);

/* How an attempt ended. */
struct outcome {
    bool succeeded;
    bool is_retryable;       /* another attempt may mend it */
    bool has_progressed;     /* it got somewhere: the budget of retries is whole again */
    bool has_alternative;    /* another way, not tried yet: taken at once, and it is no retry */
    uint32_t retry_after_ms; /* not before this */
    int exit;                /* -1: none; note that 0 is one */
    int signal;
    char *cause; /* handed over; NULL if succeeded (else: no memory for it) */
};

void task_attempt_over(struct ajob_task *task, struct outcome outcome);

/* How the attempt ends is decided, though it is not over yet (a command has exited,
 * and what it left is being cleared away): no timeout and no cancelling changes that
 * any more. */
void task_has_decided(struct ajob_task *task);

/* A service is ready, once in an attempt: what needs it may start; it holds no
 * slot and has no timeout any more. The value goes into the event; may be NULL. */
void task_became_ready(struct ajob_task *task, const char *value);

/* Wants the task ended with this status and cause (copied). A second wish
 * changes nothing. */
void task_want_stop(struct ajob_task *task, enum ajob_status status, const char *cause);

/* The same without grace, shielded tasks and finalizers included. */
void task_want_kill(struct ajob_task *task, const char *cause);

/* A deadline of the task has come. */
void task_deadline_is_due(struct deadline *deadline);

/* Moves the task as far as the facts allow. Called by the loop's turn only. */
void task_step(struct ajob_task *task);

/* The task's group ends without having started, and the task with it. */
void task_abandon(struct ajob_task *task, enum ajob_status status, const char *cause);

/* The need of an edge has ended. */
void task_need_ended(const struct edge *edge);

/* What awaits no more of the task than this may start: its start, or for all that
 * need it (a service that is ready). */
void task_meet_needs(struct ajob_task *task, bool is_start);

/* A finalizer that needs nothing by name: it comes after all ordinary tasks of
 * its group. */
bool task_awaits_group(const struct ajob_task *task);

/* Nothing that it waits for is left. */
bool task_needs_have_ended(const struct ajob_task *task);

/* How the needs that have ended end the task; UNDECIDED: they do not. Sets its
 * cause. */
enum ajob_status task_judge_needs(struct ajob_task *task);

/* A service that nothing needs any more is stopped. */
void task_release_service(struct ajob_task *service);

/* The task has ended: the same for the services that it, or what is in it, needed. */
void task_release_needs(const struct ajob_task *task);

/* It may be tried again after a failure. */
bool task_has_retries(const struct ajob_task *task);

/* Some of what needs the service, in whatever group, has not ended. */
bool task_is_needed(const struct ajob_task *service);

/* The cause is handed over; NULL: none, or no memory for it. */
void task_set_cause(struct ajob_task *task, char *cause);

/* Back to pending, for another attempt of its group; the group counts unmet
 * needs again once all in it are reset. */
void task_reset(struct ajob_task *task);

/* Takes the task out of the list it is in and makes it group's last. */
void task_link(struct ajob_task *task, struct ajob_task *group);

/* Another attempt can begin where the first one did: not if the kind has added
 * tasks, or a feed has brought some. */
bool task_can_repeat(const struct ajob_task *task);
bool task_is_finalizer(const struct ajob_task *task);
/* It failed or timed out, and that does not matter. */
bool task_failed_freely(const struct ajob_task *task);
/* It ended, and not well: failed, timed out, or skipped for such a need. */
bool task_is_failure(const struct ajob_task *task);
bool task_is_counted(const struct ajob_task *task);
const char *task_name(const struct ajob_task *task, char number[16]);
/* Its path from the root; appended. A root that is a group has an empty one. */
void task_path(const struct ajob_task *task, struct text *path);

/* The kind's report of bytes moved: an event at most once a second. *last_ms
 * is kept by the kind, 0 at first. */
void task_progressed(struct ajob_task *task, uint64_t *last_ms, uint64_t bytes, int64_t total);

/* Something a person should know, as an event. */
void task_note(struct ajob_task *task, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
