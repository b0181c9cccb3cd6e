/*
 * ajob.h - structured concurrency for commands, downloads and other work on a libuv loop.
 *
 * This is the one public header of libajob. The words and the shape are those
 * of Python's asyncio: a *task* runs once and ends with a result, a *group*
 * waits for all the tasks in it, cancelling is a request followed by a wait.
 *
 *     ajob_loop *loop = ajob_loop_new(NULL);
 *     ajob_task *a = ajob_download(loop, &(ajob_download_options){.url = url, .path = path});
 *     ajob_task *b = ajob_sleep(loop, 1000);
 *     ajob_task *both = ajob_gather(loop, (ajob_task *[]){a, b}, 2);
 *     ajob_set_timeout(both, 30000);
 *     int status = ajob_run(loop, both);
 *     ajob_loop_free(loop);
 *
 * Rules that hold for everything below:
 *
 * - One thread. Every function must be called on the thread that runs the
 *   loop, from a callback or while the loop is not running. None blocks,
 *   except ajob_run() and ajob_loop_free().
 * - Callbacks never come from inside the function that asked for them; they
 *   come from the libuv loop, each exactly once unless its text says otherwise.
 *   ajob_run() and ajob_loop_free() may not be called from them.
 * - Strings and arrays that are passed in are copied. Strings that are handed
 *   out belong to the library and live as long as the object they came from.
 * - A task belongs to the loop it was made on until ajob_loop_free(); giving
 *   it to a group moves it there. There is nothing to free by hand.
 * - Functions that can fail return NULL or a negative AJOB_E... number, and
 *   ajob_error() then has one complete line of text. The library never prints
 *   and never ends the process.
 * - The zero value of an options field is its default.
 * - Durations are in milliseconds, sizes in bytes.
 */
#ifndef AJOB_H
#define AJOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define AJOB_API __attribute__((visibility("default")))
#else
#define AJOB_API
#endif

#define AJOB_VERSION "0.1.0"

struct uv_loop_s; /* libuv's uv_loop_t */

typedef struct ajob_loop ajob_loop;
typedef struct ajob_task ajob_task;
typedef struct ajob_pool ajob_pool;

/* Numbers of errors: name, value, text. */
#define AJOB_ERRORS(X)                                                                             \
    X(ENOMEM, -1, "out of memory")                                                                 \
    X(EINVAL, -2, "invalid argument")                                                              \
    X(EBUSY, -3, "the loop already has a run")                                                     \
    X(ECYCLE, -4, "tasks need each other in a cycle")                                              \
    X(ESYSTEM, -5, "a system call failed")

enum ajob_errors {
#define AJOB_X(name, value, text) AJOB_##name = (value),
    AJOB_ERRORS(AJOB_X)
#undef AJOB_X
};

/* Where a task stands in its life. */
#define AJOB_STATES(X)                                                                             \
    X(PENDING, "pending")   /* made; what it needs has not ended, or its group has not started */  \
    X(READY, "ready")       /* waits for a slot */                                                 \
    X(RUNNING, "running")   /* an attempt is under way */                                          \
    X(BACKOFF, "backoff")   /* waits before the next attempt, holding no slot */                   \
    X(STOPPING, "stopping") /* was told to stop and has not stopped yet */                         \
    X(ENDED, "ended")

enum ajob_state {
#define AJOB_X(name, text) AJOB_##name,
    AJOB_STATES(AJOB_X)
#undef AJOB_X
};

/* How a task ended. */
#define AJOB_STATUSES(X)                                                                           \
    X(UNDECIDED, "undecided") /* it has not ended */                                               \
    X(SUCCEEDED, "succeeded")                                                                      \
    X(FAILED, "failed")                                                                            \
    X(TIMED_OUT, "timed_out")                                                                      \
    X(CANCELLED, "cancelled")                                                                      \
    X(SKIPPED, "skipped") /* something it needs did not succeed */

enum ajob_status {
#define AJOB_X(name, text) AJOB_##name,
    AJOB_STATUSES(AJOB_X)
#undef AJOB_X
        AJOB_STATUS_COUNT
};

/* What a group does when one of its tasks ends. */
#define AJOB_POLICIES(X)                                                                           \
    X(ALL, "all")         /* the first failure cancels the others */                               \
    X(SETTLED, "settled") /* all run, failures or not */                                           \
    X(ANY, "any")         /* the first success cancels the others; fails only if none succeeds */  \
    X(RACE, "race")       /* the first to end, either way, decides and cancels the others */

enum ajob_policy {
#define AJOB_X(name, text) AJOB_##name,
    AJOB_POLICIES(AJOB_X)
#undef AJOB_X
};

/* What commands print, and where it goes (ajob_set_output). */
#define AJOB_OUTPUT_MODES(X)                                                                       \
    /* what a task printed as one block when it has ended, or once it is 1 GiB */                  \
    X(GROUP, "group")                                                                              \
    X(PREFIX, "prefix") /* line by line, each after the task's name */                             \
    X(STREAM, "stream") /* line by line as it comes */                                             \
    X(NONE, "none")     /* of failed tasks only, on standard error */

enum ajob_output_mode {
#define AJOB_X(name, text) AJOB_OUTPUT_##name,
    AJOB_OUTPUT_MODES(AJOB_X)
#undef AJOB_X
};

/* When a task runs: ordinarily, or as a finalizer (see ajob_set_when). */
enum ajob_when {
    AJOB_WHEN_NEEDS_SUCCEEDED,
    AJOB_WHEN_ALWAYS,
    AJOB_WHEN_FAILURE,
};

/* The names of the enums above, as events and messages spell them. */
AJOB_API const char *ajob_state_name(enum ajob_state state);
AJOB_API const char *ajob_status_name(enum ajob_status status);
AJOB_API const char *ajob_policy_name(enum ajob_policy policy);

/* The version of the library in use, and of what it stands on, as one line. */
AJOB_API const char *ajob_version(void);
AJOB_API const char *ajob_version_details(void);

/* ---- the loop ---------------------------------------------------------- */

typedef struct ajob_loop_options {
    /* The libuv loop to live on. NULL: one of its own, run by ajob_run(). A
     * loop of the caller's must outlive the ajob_loop's close. */
    struct uv_loop_s *uv;
    /* Take SIGINT, SIGTERM and SIGHUP for the time of a run: the first cancels
     * it, the second stops hard. A signal ignored at the start stays ignored.
     * SIGTSTP stops the commands, then the program; when it goes on they do,
     * and the time in between counts for no timeout. SIGUSR1: see ajob_on_dump().
     * Also ignores SIGPIPE and SIGXFSZ for that time: writes fail instead. */
    bool handle_signals;
    /* The time between asking a task to stop and stopping it hard. 0: 5000. */
    uint64_t grace_ms;
    /* The program starts no child process but through this loop. All children
     * are then waited for in one call however many there are, and on Linux what
     * a command left behind in a session of its own becomes a child
     * (PR_SET_CHILD_SUBREAPER) and is stopped at the end of the run. */
    bool owns_children;
    /* How many commands run at once (0: as many as the process has CPUs). */
    unsigned commands;
    /* How many transfers run at once (0: 16), and how many of them to one
     * host (0: 6). */
    unsigned transfers;
    unsigned transfers_per_host;
    /* How many connections to one host all transfers together may have where one file is
     * worth more than one. 0: 16. */
    unsigned connections_per_host;
    /* How many bytes a second all transfers together may receive. 0: no limit. */
    uint64_t limit_rate;
} ajob_loop_options;

/* Makes a loop. options may be NULL. NULL on lack of memory or if libuv
 * refuses. */
AJOB_API ajob_loop *ajob_loop_new(const ajob_loop_options *options);

/* Closes a loop that lives on a libuv loop of the caller's: everything that
 * the library holds there is closed and every task freed, then closed() comes
 * from the libuv loop, once; the ajob_loop is gone by then. A run that is under
 * way is killed first. */
AJOB_API void ajob_loop_close(ajob_loop *loop, void (*closed)(void *data), void *data);

/* ajob_loop_close(), then runs the libuv loop until that is done. Takes NULL. */
AJOB_API void ajob_loop_free(ajob_loop *loop);

/* The text of the last failure on this loop: one line, no newline. It ends in "out of
 * memory" where that was why. */
AJOB_API const char *ajob_error(const ajob_loop *loop);

/* Starts the run of a task and of all that is in it. One run at a time:
 * AJOB_EBUSY otherwise; AJOB_EINVAL for a task that has run or is in a group;
 * AJOB_ECYCLE if tasks need each other in a cycle. done() comes from the
 * libuv loop after the task has ended. */
typedef void ajob_done_fn(ajob_task *task, void *data);
AJOB_API int ajob_start(ajob_loop *loop, ajob_task *task, ajob_done_fn *done, void *data);

/* ajob_start(), then runs the libuv loop until the task has ended. Returns
 * ajob_exit_status(), or 125 if the run could not be started. */
AJOB_API int ajob_run(ajob_loop *loop, ajob_task *task);

/* The exit status of the last run as a shell knows it: 0 succeeded, 1 not (or
 * what commands printed could not be written), 124 the run's own timeout, 125 a
 * fault of the library's own, 128+n cancelled by signal n. */
AJOB_API int ajob_exit_status(const ajob_loop *loop);

/* The signal that cancelled the last run, or 0. */
AJOB_API int ajob_exit_signal(const ajob_loop *loop);

/* Calls tick every interval_ms while a run is under way, this one or a later
 * one, first after interval_ms and a last time just before run.ended is emitted.
 * 0 or AJOB_ENOMEM. */
typedef void ajob_tick_fn(void *data);
AJOB_API int ajob_every(ajob_loop *loop, uint64_t interval_ms, ajob_tick_fn *tick, void *data);

/* ---- tasks ------------------------------------------------------------- */

/* What is set for a task, its name aside, is set before it starts: AJOB_EINVAL
 * otherwise. The functions that set return 0, or AJOB_ENOMEM. */

/* The name of a task in its group: letters, digits, '_', '-' and '.',
 * beginning with a letter, digit or '_'; AJOB_EINVAL otherwise. A task without
 * a name gets its number in its group ("1", "2", ...). Names are for people;
 * a group does not check that they differ. */
AJOB_API int ajob_set_name(ajob_task *task, const char *name);

/* A name of any text, shown instead of the name; what is not valid UTF-8 or
 * not printable in it is shown escaped. '/' in it is not a separator. */
AJOB_API int ajob_set_title(ajob_task *task, const char *title);

/* The task may start only after need has succeeded. need must be in the same
 * group or in one around it (one that comes into a running group: in the same
 * group), and neither may have started. A task ends skipped
 * if a need failed, timed out or was skipped, cancelled if a need was
 * cancelled. */
AJOB_API int ajob_need(ajob_task *task, ajob_task *need);

/* The same, but only the start of need is awaited, not its end: to read what
 * it prints while it prints it. need holds no slot of the loop's limits. If need
 * ends without having started, this task is skipped or cancelled. */
AJOB_API int ajob_need_start(ajob_task *task, ajob_task *need);

/* The time the task may take from its start, its retries included. 0 never
 * starts it: it ends timed_out. */
AJOB_API int ajob_set_timeout(ajob_task *task, uint64_t timeout_ms);

/* The time one attempt may take; it is then stopped and counts as failed. */
AJOB_API int ajob_set_attempt_timeout(ajob_task *task, uint64_t timeout_ms);

/* Further attempts after a failure that another attempt may mend. The wait
 * before the n-th is drawn evenly from 0 to delay * backoff^(n-1), at most
 * max_delay ("full jitter"). A server's Retry-After is a lower bound. */
typedef struct ajob_retry {
    unsigned max;          /* further attempts */
    uint64_t delay_ms;     /* 0: 1000 */
    double backoff;        /* 0: 2 */
    uint64_t max_delay_ms; /* 0: 30000 */
    bool no_jitter;        /* wait the whole delay instead */
    const int *on;         /* only after these exit codes; NULL: any failure that may pass */
    size_t on_count;
} ajob_retry;
AJOB_API int ajob_set_retry(ajob_task *task, const ajob_retry *retry);

/* A named limit: `size` slots, first come, first served. Belongs to the loop.
 * NULL if size is 0, or on lack of memory. */
AJOB_API ajob_pool *ajob_pool_new(ajob_loop *loop, const char *name, unsigned size);

/* The task holds `count` slots of the pool while it runs. May be called for
 * several pools. AJOB_EINVAL if the pool is smaller than count or was named for
 * the task before, and for what is no work (groups, sleeps). */
AJOB_API int ajob_set_pool(ajob_task *task, ajob_pool *pool, unsigned count);

/* The task, once started, is not reached by its group's cancellation; its own
 * timeout and a hard stop still end it. A shielded task must have a timeout,
 * or ajob_start() refuses the run. */
AJOB_API int ajob_set_shield(ajob_task *task, bool shield);

/* AJOB_WHEN_ALWAYS and AJOB_WHEN_FAILURE make a finalizer: it starts once what
 * it needs (if nothing: every ordinary task of its group) has ended, however
 * that ended and even in a cancelled group; AJOB_WHEN_FAILURE only if not all
 * of that succeeded (of a group with policy any or race: if nothing won), else
 * it is skipped, which is no failure. It has a timeout of 30 s unless one
 * is set. AJOB_EINVAL for a task that is in a group, and for a service. */
AJOB_API int ajob_set_when(ajob_task *task, enum ajob_when when);

/* A failure or timeout of the task is no failure of its group, and what needs
 * it runs. */
AJOB_API int ajob_set_allow_failure(ajob_task *task, bool allow);

/* What tells this task's definition from every other, for continuing a run:
 * any text without control characters; in task.ended as "key". */
AJOB_API int ajob_set_key(ajob_task *task, const char *key);

/* What the task is for, among many that are alike: a text that a view shows beside its
 * name, and in task.ended as "item"; if that is not the text to the byte (which may be
 * no UTF-8, or have a NUL in it), its bytes are there as "item_hex", too. */
AJOB_API int ajob_set_item(ajob_task *task, const char *item, size_t length);

/* The task has been done by an earlier run: when its turn comes it ends
 * succeeded without starting, "resumed" in its task.ended. */
AJOB_API int ajob_set_done(ajob_task *task);

/* Calls prepare before each attempt, with the slots held: it may still change
 * what is done (ajob_exec_change, ajob_download_change). Returns NULL, or the
 * cause with which the attempt fails instead, valid until the next call. */
typedef const char *ajob_prepare_fn(ajob_task *task, void *data);
AJOB_API int ajob_on_attempt(ajob_task *task, ajob_prepare_fn *prepare, void *data);

/* Asks a task to stop: it and what is in it ends cancelled with this cause
 * ("cancelled by " comes before it). Nothing happens to a task that has ended
 * or is stopping. The task has stopped when it has ended, not before. */
AJOB_API void ajob_cancel(ajob_task *task, const char *by);

/* The same without grace, shielded tasks and finalizers included. */
AJOB_API void ajob_kill(ajob_task *task, const char *by);

/* Calls ended once the task has ended, again for each attempt of a group around
 * it. One per task; NULL removes it. */
AJOB_API void ajob_on_end(ajob_task *task, ajob_done_fn *ended, void *data);

AJOB_API const char *ajob_task_name(const ajob_task *task); /* the title, else the name, or "" */
AJOB_API const char *ajob_task_kind(const ajob_task *task); /* "group", "get", ... */
AJOB_API const char *ajob_task_item(const ajob_task *task, size_t *length); /* or NULL */
AJOB_API ajob_task *ajob_task_parent(const ajob_task *task);                /* NULL for the root */
AJOB_API enum ajob_state ajob_task_state(const ajob_task *task);
AJOB_API enum ajob_status ajob_task_status(const ajob_task *task);
/* Why the task did not succeed: "exit 3", "HTTP 404 (Not Found)", "timeout
 * 30s", "cancelled by SIGINT"; NULL if it succeeded or has not ended. */
AJOB_API const char *ajob_task_cause(const ajob_task *task);
/* The exit code and the signal it ended with: -1 and 0 where there is none. */
AJOB_API int ajob_task_exit(const ajob_task *task);
AJOB_API int ajob_task_signal(const ajob_task *task);
/* The bytes moved so far, and of how many (-1: not known). False if the task
 * moves none. */
AJOB_API bool ajob_task_progress(const ajob_task *task, uint64_t *bytes, int64_t *total);
/* True for a task that is made of others and so is not counted itself. */
AJOB_API bool ajob_task_is_group(const ajob_task *task);

/* ---- kinds of tasks ---------------------------------------------------- */

typedef struct ajob_group_options {
    enum ajob_policy policy;
    unsigned limit;        /* how many tasks in it, at any depth, work at once; 0: no limit */
    unsigned max_failures; /* policy all: so many failures cancel the others; 0: 1 */
} ajob_group_options;

/* A group of tasks; it ends only when all of them have ended. options may be
 * NULL. An empty group succeeds at once. */
AJOB_API ajob_task *ajob_group(ajob_loop *loop, const ajob_group_options *options);

/* Puts a task into a group, before the group's start or while one of its tasks
 * has not ended. AJOB_EINVAL if the task has a group already, has started, or
 * is of another loop; into a running group also for what ajob_start() refuses. */
AJOB_API int ajob_group_add(ajob_task *group, ajob_task *task);

/* A group that asks for its tasks as it can use them and frees those that have
 * ended, so that a million of them cost what a window of them costs. */
typedef struct ajob_feed {
    /* The next task, made on the group's loop and in no group, or NULL: there
     * are no more. Called from the loop while the group runs, and while it is
     * being cancelled: what comes then ends cancelled without starting. A task
     * may need nothing and be needed by nothing. If there is none yet, it calls
     * ajob_feed_wait() and returns NULL; ajob_feed_resume() then asks again. */
    ajob_task *(*next)(ajob_task *group, void *data);
    void *data;
    unsigned window; /* how many there are at once, ended ones aside; 0: 64 */
    uint64_t total;  /* how many will come; 0: not known */
    /* At least this long between two tasks, in microseconds; the next is asked for before
     * that is over, so that no time passes after the last. With a window that is not larger
     * than the number of slots that is the time between two starts. */
    uint64_t interval_us;
    bool is_rate; /* that is an average: an interval that was late by up to 10 ms shortens the next
                   */
    bool drops_rest; /* a group that is being cancelled asks for no more */
} ajob_feed;

/* Feeds a group that has not started. Its end waits for the last task. A task
 * handed out by an ended event is gone after that event. While more output of commands
 * waits for its reader or its turn than should, the feed is not asked. */
AJOB_API int ajob_group_feed(ajob_task *group, const ajob_feed *feed);

/* See ajob_feed.next. Resuming a group that does not wait does nothing. */
AJOB_API void ajob_feed_wait(ajob_task *group);
AJOB_API void ajob_feed_resume(ajob_task *group);

/* From ajob_feed.next: the task that would come now has been done by an earlier run,
 * and is not made. It has its number all the same, and run.ended counts it in
 * `done_before`; there is no other event of it. */
AJOB_API void ajob_feed_skip(ajob_task *group);

/* How many that are, so far, in the run under way or the last one. */
AJOB_API uint64_t ajob_done_before(const ajob_loop *loop);

/* A group of these tasks, policy all, settled, any, race. NULL if one of them
 * is NULL (the error of its making stands) or cannot be added. */
AJOB_API ajob_task *ajob_gather(ajob_loop *loop, ajob_task *const *tasks, size_t count);
AJOB_API ajob_task *ajob_settled(ajob_loop *loop, ajob_task *const *tasks, size_t count);
AJOB_API ajob_task *ajob_any(ajob_loop *loop, ajob_task *const *tasks, size_t count);
AJOB_API ajob_task *ajob_race(ajob_loop *loop, ajob_task *const *tasks, size_t count);

/* A task that succeeds after a time. */
AJOB_API ajob_task *ajob_sleep(ajob_loop *loop, uint64_t duration_ms);

/* A task whose work the caller does. start() begins an attempt; when that is
 * over, the caller calls ajob_resolve() once, inside start() or later. stop()
 * asks for an early end (hard: again, after the grace): ajob_resolve() is still
 * owed. stop may be NULL for work that cannot be interrupted. */
typedef struct ajob_future_options {
    void (*start)(ajob_task *task, void *data);
    void (*stop)(ajob_task *task, bool hard, void *data);
    void *data;
    bool holds_no_slot; /* as groups and sleeps: limits do not count it */
} ajob_future_options;
AJOB_API ajob_task *ajob_future(ajob_loop *loop, const ajob_future_options *options);

/* Ends the attempt of a future: failure NULL means success, else it is the
 * cause. Called when no attempt is under way it does nothing. */
AJOB_API void ajob_resolve(ajob_task *future, const char *failure);

/* A command: a process of its own process group (and, where there is a terminal, of
 * its own session, so that it has none), its standard
 * input empty unless said otherwise, what it prints collected over pipes. */
typedef struct ajob_exec_options {
    /* argv[0] is looked up in the PATH of the command's environment.
     * NULL-terminated. */
    const char *const *argv;
    const char *script; /* instead of argv: for /bin/sh -c */
    /* "NAME=value" sets a variable, "NAME" removes it; the others are the
     * caller's. NULL-terminated; may be NULL. */
    const char *const *env;
    const char *dir; /* NULL: the current directory */
    /* From the current directory, not from dir; a named pipe that nobody writes to yet
     * is empty. NULL: /dev/null. */
    const char *stdin_path;
    ajob_task *stdin_task; /* instead: what this command, which must be needed, printed */
    bool keeps_stdout;     /* for ajob_exec_read() and others' stdin_task */
    /* What it leaves running is not stopped, in its process group or out of it, then
     * and later. Where that has to be told from what others leave (owns_children, on
     * Linux) it has the variable AJOB_LEFT_ALONE in its environment. */
    bool leaves_leftovers;
} ajob_exec_options;

/* It is over when the process has exited and its pipes are closed, or two
 * seconds after the exit; what is left in its process group is then stopped.
 * Succeeds with exit status 0. A program that is missing counts as exit 127; one that
 * cannot be run, or not in its directory, as 126. While the system has no room for
 * one more process or file it waits, which is no failure until nothing of the loop's
 * has run for ten seconds. To stop it, SIGTERM goes to its process group, and
 * SIGKILL after the grace. Fields of its task.ended: exit and signal. */
AJOB_API ajob_task *ajob_exec(ajob_loop *loop, const ajob_exec_options *options);

/* Other options for a command, from ajob_on_attempt()'s callback. AJOB_EINVAL while an
 * attempt is under way, for a mistake in them, and for what is no command. */
AJOB_API int ajob_exec_change(ajob_task *exec, const ajob_exec_options *options);

/* What a command with keeps_stdout has printed to its standard output in its
 * last attempt: up to size bytes from offset. Returns how many, or AJOB_ESYSTEM. */
AJOB_API int64_t ajob_exec_read(const ajob_task *exec, uint64_t offset, char *buffer, size_t size);

/* How much that is so far; 0 before its first attempt, and for another kind. */
AJOB_API uint64_t ajob_exec_printed(const ajob_task *exec);

/* Calls printed when there is more of that to read, and when an attempt is over;
 * NULL: no longer. ajob_exec_taken() says that what is before offset will not be read
 * again: a command that is more than 1 MiB ahead is not read from until then. */
AJOB_API int ajob_exec_follow(ajob_task *exec, ajob_done_fn *printed, void *data);
AJOB_API void ajob_exec_taken(ajob_task *exec, uint64_t offset);

/* How a service shows that it is ready. */
#define AJOB_READINESS(X)                                                                          \
    X(FD, "fd") /* writes a line to the descriptor `fd`: that line is the value */                 \
    X(LINE,                                                                                        \
      "line")     /* prints a line that the regular expression `text` (POSIX extended) matches */  \
    X(TCP, "tcp") /* "host:port" accepts a connection */                                           \
    X(HTTP, "http") /* the http:// URL answers with a status from 200 to 399 */                    \
    X(FILE, "file") /* the path, from the service's directory, exists */                           \
    X(EXEC, "exec") /* the command `argv`, in its directory and environment, exits with 0 */

enum ajob_readiness {
    AJOB_READY_AT_START,
#define AJOB_X(name, text) AJOB_READY_##name,
    AJOB_READINESS(AJOB_X)
#undef AJOB_X
};

typedef struct ajob_ready_options {
    enum ajob_readiness probe;
    int fd; /* from 3 */
    const char *text;
    const char *const *argv; /* NULL-terminated */
    uint64_t interval_ms;    /* between tries of tcp, http, file and exec; 0: 100 */
} ajob_ready_options;

/* A long-lived command. What needs it starts when it is ready; when all of that
 * has ended (if nothing needs it: every other ordinary task of its group that is
 * no service) it is stopped, and succeeds. Its timeout is the time it may take to
 * become ready; one that ends before, or while it is needed, has failed, whatever
 * its exit status. It holds no slot once it is ready. It is tried again only if it
 * has not been ready. ready may be NULL: AJOB_READY_AT_START. NULL with AJOB_EINVAL's
 * text for a mistake in the options. */
AJOB_API ajob_task *ajob_service(ajob_loop *loop, const ajob_exec_options *options,
                                 const ajob_ready_options *ready);

/* Other options for a service, both of them, as ajob_exec_change(). */
AJOB_API int ajob_service_change(ajob_task *service, const ajob_exec_options *options,
                                 const ajob_ready_options *ready);

/* ---- items from a descriptor ----------------------------------------------------- */

/* A reader of what somebody else writes, item by item, that never waits in a read. */
typedef struct ajob_items ajob_items;

typedef struct ajob_items_options {
    int fd;
    bool owns_fd;   /* it is closed with the loop; otherwise it must outlive that */
    char delimiter; /* meaningful if has_delimiter; otherwise a newline */
    bool has_delimiter;
    size_t max_length; /* of an item; 0: 128 KiB */
    /* More may be there, after AJOB_ITEM_NONE_YET; from the loop. */
    void (*ready)(void *data);
    void *data;
} ajob_items_options;

/* Nothing is read before ajob_items_next(), and then no more than fits the buffer, so a
 * writer is held back by a reader who does not ask. Lives as long as the loop; NULL on
 * lack of memory. O_NONBLOCK is not set: the descriptor may be shared. */
AJOB_API ajob_items *ajob_items_open(ajob_loop *loop, const ajob_items_options *options);

enum ajob_item_state {
    AJOB_ITEM_FOUND,
    AJOB_ITEM_NONE_YET, /* ready() will come */
    AJOB_ITEM_END,
    AJOB_ITEM_TOO_LONG,   /* the item is the beginning of one; the rest of it is left out */
    AJOB_ITEM_UNREADABLE, /* see ajob_error() */
};

/* The next item without its delimiter, valid until the next call, with a NUL behind it
 * that is not counted. Items may be empty; behind the last delimiter there is one only
 * if it is not. */
AJOB_API enum ajob_item_state ajob_items_next(ajob_items *items, const char **item, size_t *length);

/* How many CPUs the process may use. */
AJOB_API unsigned ajob_processors(void);

/* GNU make's jobserver: one limit for all the makes and other programs that start
 * each other. The commands of the loop, and nothing else, then take their slots from
 * it, instead of the loop's number of commands. Once, before the run.
 *
 * Joins the one that MAKEFLAGS in the environment names: one command needs no slot
 * from there, each further one waits for one; no more than `most` run at once (0:
 * no limit of our own). Commands get at it, too. Returns 1; 0 if MAKEFLAGS names
 * none; AJOB_ESYSTEM if it cannot be used (make gives it to rules with a + only). */
AJOB_API int ajob_join_jobserver(ajob_loop *loop, unsigned most);

/* Makes one with this many slots, up to 4096, shared by the commands of the loop and
 * what they start, and names it to them in MAKEFLAGS. It is a pipe, which every make
 * since 4.2 understands, or a fifo of this path, which must not exist and is removed
 * with the loop (make 4.4, ninja). 0; AJOB_EINVAL for another number; AJOB_ESYSTEM if it
 * cannot be made. */
AJOB_API int ajob_offer_jobserver(ajob_loop *loop, unsigned jobs, const char *fifo);

/* Where the output of commands goes. Without this it is read and dropped. */
typedef struct ajob_output_options {
    enum ajob_output_mode mode;
    /* Descriptors for what commands print to their standard output and error;
     * may be the same file. The loop never blocks in writing to them: while they
     * take no more, commands are not read from, and what is held is in memory up
     * to 1 MiB for each task, beyond that in a file without name. When the reader
     * of one has gone, the run is cancelled by "SIGPIPE"; when it takes nothing for
     * a second after a signal or the run's timeout, what is held is dropped. */
    int out, err;
    bool live;           /* group: what the oldest running task prints is shown as it comes */
    const char *log_dir; /* keeps what each task printed in a file of its path, ".log" */
    /* Instead of log_dir: in a directory of its path, in "stdout" and "stderr"; of the
     * last attempt. */
    const char *results_dir;
    /* group, none: in the order in which the tasks were made. What the first of those that
     * are not over prints is shown as it comes; what waits for its turn is in memory up to
     * a few MiB in all, beyond that in a file without name. */
    bool is_ordered;
    bool tag;        /* each line comes after the task's item and a tab, or its name without one */
    bool has_events; /* tells it by task.output, too */
    /* Around each write to one of them (a frame of progress must not be in the way).
     * After it, whether that descriptor is at the start of a line, and whether the
     * rest of a line that was begun waits for its reader. May be NULL. */
    void (*before)(int fd, void *data);
    void (*after)(int fd, bool at_line_start, bool has_more, void *data);
    void *data;
} ajob_output_options;

/* Before the first run, once. AJOB_EINVAL for descriptors that are not open,
 * AJOB_ESYSTEM if log_dir cannot be made. */
AJOB_API int ajob_set_output(ajob_loop *loop, const ajob_output_options *options);

/* errno of the first failure to write to out or err (EPIPE: its reader has gone), or
 * 0. It has cancelled the run, if that was not over already but for the writing. */
AJOB_API int ajob_output_error(const ajob_loop *loop);

/* How to talk to a server. Equal options are stored once per loop. */
typedef struct ajob_http_options {
    /* "Name: value", NULL-terminated. They go to the URL's own origin (scheme,
     * host, port) alone, never to the target of a redirect elsewhere. */
    const char *const *headers;
    const char *token;  /* sent as "Authorization: Bearer", under the same rule */
    const char *cacert; /* a PEM file of certificate authorities; NULL: the system's */
    enum { AJOB_HTTP_AUTO, AJOB_HTTP_1_1, AJOB_HTTP_2 } version;
    uint64_t connect_timeout_ms; /* 0: 30000 */
    uint64_t stall_timeout_ms;   /* fails after so long without a byte; 0: 30000 */
    /* Fails when fewer bytes a second than this arrive for stall_timeout_ms; 0: 100. What
     * a limit_rate holds back counts as arrived. */
    uint64_t min_speed;
    /* Take any certificate. Token, headers and a login in the URL are then not sent at
     * all. */
    bool insecure;
} ajob_http_options;

/* What stands beside PATH while it is on its way: these are added to it. */
#define AJOB_PART_ENDINGS ".part", ".part.json", ".part.json.tmp"

/* One file from one URL (http or https). It is written to PATH.part, verified,
 * and renamed to PATH; PATH.part and PATH.part.json stay behind for resuming
 * when it is interrupted. A PATH that is there already is left alone if it is
 * what would be downloaded, else replaced atomically. */
typedef struct ajob_download_options {
    const char *url;
    const char *path; /* the file; NULL: a name made from the URL, in dir */
    const char *dir;  /* where a name without path goes; NULL: "." */
    const char *name; /* the name in dir, neutralised; NULL: from the URL */
    /* "sha256:<hex>" (also sha512, sha1, md5, or a bare hex digest of one of
     * their lengths). A body with another digest is a failure, never a file. */
    const char *digest;
    uint64_t size;        /* that a body must have; meaningful if size_known */
    bool size_known;      /* also when 0 */
    uint64_t max_wait_ms; /* longest Retry-After to wait for, up to 49 days; 0: 300000 */
    /* What stays the same when the URL changes, for resuming; NULL: the URL. */
    const char *identity;
    /* More URLs of the same file, NULL-terminated, or NULL. When one fails the next is
     * tried at once, from the beginning; where a digest is known it goes on with what is
     * there, and all may be used together. */
    const char *const *mirrors;
    /* Connections at once for this file. 0: one, and more while they add throughput; never
     * more than 16, nor than connections_per_host. What cannot be taken in pieces gets one,
     * as does all with AJOB_HTTP_2; else those that are added speak HTTP/1.1. */
    unsigned segments;
    bool fsync;        /* the file is on the disk, by its name too, before it is a success */
    bool wants_digest; /* compute and report a sha256 where none has to be verified, too */
    ajob_http_options http;
} ajob_download_options;

/* Retries up to 4 times unless ajob_set_retry() says otherwise. NULL with
 * AJOB_EINVAL's text for a bad URL, digest or name. Fields of its task.ended:
 * path, bytes, up_to_date, resumed_from, kept (the bytes that another run can go on from,
 * where it did not succeed), verified (null: there was no digest to verify), sha256 (or
 * the digest's own name), url (without secrets). */
AJOB_API ajob_task *ajob_download(ajob_loop *loop, const ajob_download_options *options);

/* Another URL, path, digest and so on for a download, from ajob_on_attempt()'s
 * callback of its first attempt. */
AJOB_API int ajob_download_change(ajob_task *download, const ajob_download_options *options);

/* Says what ajob_download() would say to these options, without making a task;
 * on success *path is the file it would write, until the next call. */
AJOB_API int ajob_download_check(ajob_loop *loop, const ajob_download_options *options,
                                 const char **path);

/* The file a download writes, as a person would type it; NULL for another kind. */
AJOB_API const char *ajob_download_path(const ajob_task *task);

/* One file of a release, as it was listed. Lives as long as the call. */
typedef struct ajob_asset {
    const char *tag;
    const char *name;   /* as the server spells it: print it escaped */
    const char *digest; /* "sha256:<hex>" or NULL */
    const char *state;  /* "uploaded", or what it is instead */
    const char *url;    /* for people: the browser's download URL */
    const char *path;   /* the file it goes to */
    uint64_t id;
    uint64_t size;
} ajob_asset;

/* What was chosen to be downloaded, to download exactly that again: a JSON file with
 * repository, tag, asset id, name, size, digest and URL of each. */
typedef struct ajob_lock ajob_lock;

/* Assets of releases on GitHub or a server with its REST API. */
typedef struct ajob_release_options {
    const char *repository; /* OWNER/REPO, or its URL */
    const char *tag;        /* NULL: the latest release */
    bool all;               /* every release instead */
    const char *api_url;    /* NULL: the public API, or /api/v3 of the repository URL's host */
    const char *dir;        /* NULL: "."; assets go to DIR/TAG/NAME */
    bool flat;              /* to DIR/NAME instead */
    /* Globs (fnmatch) of asset names, NULL-terminated. NULL: every asset. */
    const char *const *include;
    const char *const *exclude;
    enum ajob_policy policy; /* of the assets of one release */
    ajob_retry retry;        /* of each asset and API request; max 0: 4, see no_retry */
    bool no_retry;
    uint64_t max_wait_ms; /* longest wait that a server may ask for; 0: 60000 */
    bool prerelease;      /* without tag: the newest release, whether a prerelease or not */
    bool require_digest;  /* an asset without a digest fails, before it is downloaded */
    unsigned segments;    /* as in ajob_download_options */
    bool fsync;
    /* Where answers of the API are kept, with their ETags, so that what has not changed
     * costs no rate limit. Made if needed. NULL: nowhere. */
    const char *cache_dir;
    /* What is chosen is added here; see ajob_lock_write(). NULL: nowhere. It must outlive
     * the loop. */
    ajob_lock *lock;
    /* Exactly the assets that this has of the repository (and of tag, unless that is NULL)
     * are downloaded, with their sizes and digests; the API is not asked what there is. An
     * asset that has gone or changed fails; what the lock does not have is AJOB_EINVAL. It
     * must outlive the loop. NULL: the API is asked. */
    const ajob_lock *locked;
    /* Called for every asset chosen, before its download; may be NULL. */
    void (*asset)(const ajob_asset *asset, void *data);
    void *data;
    bool list_only;         /* call asset, download nothing */
    ajob_http_options http; /* its token and headers go to the API's host alone */
    /* What "not found" may mean with this token, or none: "or ...". NULL: that it has no
     * access, or that one is needed. */
    const char *token_hint;
} ajob_release_options;

/* A group of downloads named by asset, made when the release is known. Without
 * tag or with all it adds one such group for each release to the group it is
 * in, named by tag; it must be in a group then. */
AJOB_API ajob_task *ajob_release(ajob_loop *loop, const ajob_release_options *options);

/* No download of this loop replaces the file at path, or what gets that name: it fails. For
 * the files that a program uses itself, where names come from elsewhere. 0 or AJOB_ENOMEM. */
AJOB_API int ajob_protect(ajob_loop *loop, const char *path);

/* An empty one; NULL on lack of memory. */
AJOB_API ajob_lock *ajob_lock_new(void);

/* The one in this file. NULL with ajob_error() set: it cannot be read, or makes no sense. */
AJOB_API ajob_lock *ajob_lock_read(ajob_loop *loop, const char *path);

/* Whether ajob_lock_write() will be able to write this file, as far as can be known before:
 * makes one beside it, and removes that. 0, or AJOB_EINVAL. */
AJOB_API int ajob_lock_check(ajob_loop *loop, const char *path);

/* The repositories that it has something of, "OWNER/REPO", in the order of the file; NULL
 * behind the last one. */
AJOB_API const char *ajob_lock_repository(ajob_lock *lock, size_t index);

/* Replaces the file atomically. What was downloaded without a digest known beforehand has
 * the sha256 that came; what was not downloaded successfully, or what a lock could not be read
 * back with, is a mistake: AJOB_EINVAL. AJOB_ESYSTEM: the file cannot be written. */
AJOB_API int ajob_lock_write(ajob_lock *lock, ajob_loop *loop, const char *path);

/* Takes NULL; returns NULL. */
AJOB_API ajob_lock *ajob_lock_free(ajob_lock *lock);

/* ---- specs: a task graph as JSON --------------------------------------- */

typedef struct ajob_spec ajob_spec;

/* Something wrong in a spec. Lives as long as the call that hands it out. */
typedef struct ajob_mistake {
    /* A note says more about the mistake before it: where the other one is. */
    enum { AJOB_MISTAKE_ERROR, AJOB_MISTAKE_WARNING, AJOB_MISTAKE_NOTE } severity;
    const char *file;      /* or the argument it was in */
    unsigned line, column; /* from 1, in characters; 0: in an argument */
    unsigned length;       /* characters to underline, at least 1 */
    const char *text;
    const char *hint;   /* did you mean "timeout"? or NULL */
    const char *source; /* the line of the file without its newline, or NULL */
} ajob_mistake;
typedef void ajob_mistake_fn(const ajob_mistake *mistake, void *data);

/* An empty spec. Belongs to the caller. NULL on lack of memory. */
AJOB_API ajob_spec *ajob_spec_new(void);
/* Takes NULL. The loops that something was built on must be gone. */
AJOB_API void ajob_spec_free(ajob_spec *spec);

/* Why the last of these functions that failed did: one line, no newline. What is wrong
 * in the spec's text is no failure of theirs: ajob_spec_check() tells that. */
AJOB_API const char *ajob_spec_error(const ajob_spec *spec);

/* Reads a spec's text (JSON, with comments and trailing commas), once. file is its
 * name in messages. Mistakes are kept for ajob_spec_check(). 0, AJOB_ENOMEM, or
 * AJOB_EINVAL the second time. */
AJOB_API int ajob_spec_parse(ajob_spec *spec, const char *file, const char *text, size_t length);

/* Adds a task from an argument NAME[:NEED,...]=VALUE, of the kind "exec" (VALUE is
 * for /bin/sh) or "get" (VALUE is a URL). What it needs may come later. After
 * ajob_spec_parse() if there is a text, for its defaults are this task's too. Mistakes
 * are kept for ajob_spec_check(); 0, AJOB_ENOMEM, or AJOB_EINVAL for another kind. */
AJOB_API int ajob_spec_add(ajob_spec *spec, const char *kind, const char *argument);

/* The value of ${var.NAME}, before ajob_spec_check(); the last one counts. 0,
 * AJOB_ENOMEM, or AJOB_EINVAL if that is no name. */
AJOB_API int ajob_spec_set(ajob_spec *spec, const char *name, const char *value);

/* Only these tasks (a, tests/unit) and what they need. 0, AJOB_ENOMEM, or AJOB_EINVAL
 * if there is no such task. */
AJOB_API int ajob_spec_select(ajob_spec *spec, const char *const *names, size_t count);

/* Tells every mistake, in the order of the text, and returns how many are
 * errors. A spec with errors cannot be built. mistake may be NULL. */
AJOB_API size_t ajob_spec_check(ajob_spec *spec, ajob_mistake_fn *mistake, void *data);

/* What the top of the spec says about the run, once its text was read. */
typedef struct ajob_spec_top {
    unsigned jobs; /* 0: nothing */
    bool has_timeout;
    uint64_t timeout_ms; /* meaningful if has_timeout */
    uint64_t limit_rate; /* bytes a second of all transfers; 0: nothing */
} ajob_spec_top;
AJOB_API ajob_spec_top ajob_spec_get_top(const ajob_spec *spec);

typedef struct ajob_spec_options {
    ajob_http_options http; /* of its downloads */
    const char *dir;        /* NULL: "." */
    const char *api_url;    /* of its releases, as in ajob_release_options */
    const char *token;      /* of its releases */
    ajob_retry retry;       /* of tasks that do not say; meaningful if has_retry */
    bool has_retry;
    bool keep_going; /* the outermost group is settled, whatever the spec says */
    bool has_keys;   /* tasks have their keys in task.ended; for ajob_spec_resume(), too */
} ajob_spec_options;

/* Reads the events (NDJSON) of an earlier run of this spec, once: what has succeeded
 * then and is unchanged is not done again by what is built with has_keys. 0, AJOB_ENOMEM,
 * or AJOB_EINVAL if the text is no such events; a last line that was cut off is left
 * out. */
AJOB_API int ajob_spec_resume(ajob_spec *spec, const char *text, size_t length);

/* The group of the spec's tasks on this loop, or NULL with ajob_error(). The spec
 * must outlive the loop. */
AJOB_API ajob_task *ajob_spec_build(ajob_spec *spec, ajob_loop *loop,
                                    const ajob_spec_options *options);

#define AJOB_DRAWINGS(X)                                                                           \
    X(TEXT, "text")       /* a tree for a terminal, in UTF-8 */                                    \
    X(DOT, "dot")         /* for graphviz */                                                       \
    X(MERMAID, "mermaid") /* for Mermaid */                                                        \
    X(JSON, "json")       /* nodes and edges: see ajob-graph(1) */                                 \
    X(ORDER, "order")     /* what would run, one task a line, each after what it needs; ASCII */   \
    X(ASCII, "ascii")     /* as text, in ASCII */

enum ajob_drawing {
#define AJOB_X(name, text) AJOB_DRAW_##name,
    AJOB_DRAWINGS(AJOB_X)
#undef AJOB_X
};

/* Draws the graph of a spec that has no errors, or of what is selected in it. URLs are
 * without user, password and query, ${} is as it was written. draw is called from
 * inside, with whole lines that end in a newline, one at a time in text, order and
 * ascii. What came from outside is escaped for the format, and nothing in it acts on
 * a terminal. 0, or AJOB_ENOMEM: the drawing is cut off then. */
typedef void ajob_draw_fn(const char *text, void *data);
AJOB_API int ajob_spec_draw(const ajob_spec *spec, enum ajob_drawing drawing, ajob_draw_fn *draw,
                            void *data);

/* The JSON Schema (draft-07) of specs. A string of the library's own; NULL on lack of
 * memory. */
AJOB_API const char *ajob_spec_schema(void);

/* ---- events ------------------------------------------------------------ */

#define AJOB_EVENTS(X)                                                                             \
    X(RUN_STARTED, "run.started")                                                                  \
    X(TASK_STARTED, "task.started")                                                                \
    X(TASK_READY, "task.ready")                                                                    \
    X(TASK_RETRYING, "task.retrying")                                                              \
    X(TASK_PROGRESS, "task.progress")                                                              \
    X(TASK_OUTPUT, "task.output")                                                                  \
    X(TASK_NOTE, "task.note")                                                                      \
    X(TASK_ENDED, "task.ended")                                                                    \
    X(RUN_CANCELLING, "run.cancelling")                                                            \
    X(RUN_ENDED, "run.ended")

enum ajob_event_type {
#define AJOB_X(name, text) AJOB_##name,
    AJOB_EVENTS(AJOB_X)
#undef AJOB_X
};

/* What a kind adds to task.ended. */
typedef struct ajob_field {
    const char *name;
    enum { AJOB_FIELD_NULL, AJOB_FIELD_TEXT, AJOB_FIELD_NUMBER, AJOB_FIELD_BOOL } type;
    const char *text;
    int64_t number; /* also of a bool */
} ajob_field;

/* One fact about a run. Lives as long as the call that hands it out. */
typedef struct ajob_event {
    enum ajob_event_type type;
    uint64_t seq;             /* from 1, without gaps, in one run */
    int64_t time_us;          /* since 1970, UTC */
    const ajob_task *task;    /* task events, else NULL */
    const char *path;         /* task events: its path from the root, a/b */
    unsigned attempt;         /* task.started, task.retrying: from 1 */
    int pid;                  /* task.started: 0 where there is none */
    int64_t tasks;            /* run.started: how many, or -1 */
    enum ajob_status status;  /* the ended events */
    const char *cause;        /* the ended events, task.retrying, run.cancelling; NULL on success */
    double delay;             /* task.retrying: seconds */
    uint64_t bytes;           /* task.progress */
    int64_t total;            /* task.progress: -1 if not known */
    const char *stream;       /* task.output: "stdout" or "stderr" */
    const char *text;         /* task.output, task.note, task.ready (the value, or NULL) */
    size_t length;            /* task.output: of text, which may have NULs in it */
    int exit;                 /* task.ended: -1 if it has none; run.ended: the exit status */
    int signal;               /* task.ended: 0 if none */
    unsigned attempts;        /* task.ended */
    double duration;          /* the ended events: seconds */
    const ajob_field *fields; /* task.ended: what its kind adds */
    size_t field_count;
    const uint64_t *counts; /* run.ended: by enum ajob_status, of all tasks that are no groups */
    uint64_t done_before;   /* run.ended: how many more ajob_feed_skip() has left out */
} ajob_event;

/* Calls listener with every event, as it happens, in the order of adding. A
 * listener must not start or cancel anything but may call ajob_cancel() on the
 * root (a view whose reader has gone). At most 8: AJOB_EINVAL for another. */
typedef void ajob_event_fn(const ajob_event *event, void *data);
AJOB_API int ajob_on_event(ajob_loop *loop, ajob_event_fn *listener, void *data);

/* "task.started" and so on. */
AJOB_API const char *ajob_event_name(enum ajob_event_type type);

/* What the event says under this name, or NULL. */
AJOB_API const ajob_field *ajob_event_field(const ajob_event *event, const char *name);

/* The event as one line of JSON (RFC 8259) with its newline, valid UTF-8
 * whatever is in it. In a buffer of the loop's, until the next call; NULL on
 * lack of memory. */
AJOB_API const char *ajob_event_json(ajob_loop *loop, const ajob_event *event, size_t *length);

/* Calls line once for each task that has not ended, in the order of the tree,
 * and its depth: its state, since when, what it waits for, its process and its
 * deadline; and at last, if the run itself waits (for the input or the reader of the
 * output of its group's feed, or after the last task for what is left), for that.
 * line also comes when the program gets SIGUSR1 in a run of a loop that
 * handles signals and has one set by ajob_on_dump(). */
typedef void ajob_dump_fn(const char *line, void *data);
AJOB_API void ajob_dump(ajob_loop *loop, ajob_dump_fn *line, void *data);
AJOB_API void ajob_on_dump(ajob_loop *loop, ajob_dump_fn *line, void *data);

/* Calls trace with one line for every change of a task's state: for debugging,
 * the text is no interface. */
typedef void ajob_trace_fn(const char *line, void *data);
AJOB_API void ajob_on_trace(ajob_loop *loop, ajob_trace_fn *trace, void *data);

/* ---- the record of earlier runs ------------------------------------------ */

/* What the events of earlier runs say of tasks with keys. */
typedef struct ajob_record ajob_record;

enum { AJOB_KEY_SIZE = 65 };

/* A key made of these parts and their order: no other list has it. For ajob_set_key().
 * 0, AJOB_ENOMEM, or AJOB_ESYSTEM if there is no libcrypto. */
AJOB_API int ajob_record_key(ajob_loop *loop, const char *const *parts, const size_t *lengths,
                             size_t count, char key[AJOB_KEY_SIZE]);

/* Reads a file of events (NDJSON), of one run or of several behind each other, for
 * ajob_record_take(): costs some 25 bytes for each task that has succeeded. Or, with
 * keeps_failed, for ajob_record_next_failed(): what has failed or timed out, and not
 * succeeded in a later run, each item as often as its tasks have. A last line that was
 * cut off is left out: *whole is the length of what is before it. NULL with
 * ajob_error(). */
AJOB_API ajob_record *ajob_record_read(ajob_loop *loop, const char *path, bool keeps_failed,
                                       uint64_t *whole);

/* Whether a task with this key has succeeded; once for each that has. record may be
 * NULL. */
AJOB_API bool ajob_record_take(ajob_record *record, const char *key);

/* The item (ajob_set_item()) of the next task that has failed, in the order of the file.
 * NULL: there are no more. */
AJOB_API const char *ajob_record_next_failed(ajob_record *record, size_t *length);

/* The key of the task that ajob_record_next_failed() gave last: with it the record knows what
 * became of the item, whatever is done with it now. Valid until it is called again. */
AJOB_API const char *ajob_record_failed_key(const ajob_record *record);

/* How many ajob_record_next_failed() has not given yet. */
AJOB_API size_t ajob_record_count_failed(const ajob_record *record);

/* Takes NULL; returns NULL. */
AJOB_API ajob_record *ajob_record_free(ajob_record *record);

/* ---- names that are taken ------------------------------------------------ */

/* Who was the first to take a name, among as many as there may ever be: beyond some
 * thousands they are kept in a file, so that memory stays flat (24 bytes there for each). */
typedef struct ajob_claims ajob_claims;

/* NULL with ajob_error(): out of memory. */
AJOB_API ajob_claims *ajob_claims_new(ajob_loop *loop);

/* Takes the name for *number (from 1), and for a purpose; both are keys of
 * ajob_record_key(). If it is taken for another purpose, *number becomes the number of
 * who has it. 0, or AJOB_ESYSTEM: it cannot be kept. */
AJOB_API int ajob_claims_add(ajob_claims *claims, const char *name, const char *purpose,
                             uint64_t *number);

/* Who has taken the name, or 0. 0, or AJOB_ESYSTEM. */
AJOB_API int ajob_claims_find(ajob_claims *claims, const char *name, uint64_t *number);

/* Takes NULL; returns NULL. */
AJOB_API ajob_claims *ajob_claims_free(ajob_claims *claims);

/* ---- words that people write ------------------------------------------- */

/* "500ms", "30s", "5m", "1h30m"; a bare number, "1.5" too, is seconds. False
 * if it is not one or is above 365 days. */
AJOB_API bool ajob_parse_duration(const char *text, uint64_t *duration_ms);

/* "64K", "4M", "1G" (powers of 1024); a bare number is bytes. */
AJOB_API bool ajob_parse_size(const char *text, uint64_t *size);

/* The reverse, for people: "1m30s", "250ms"; "13.9 MiB". Returns buffer. */
AJOB_API const char *ajob_format_duration(char buffer[32], uint64_t duration_ms);
AJOB_API const char *ajob_format_size(char buffer[32], uint64_t size);

/* Copies text so that no terminal and no CI system acts on it: control and
 * bidirectional characters and invalid UTF-8 become \xNN or \u{N}, a leading
 * "::" becomes "\x3a:", "##[" "\x23#[". Cut to size-1 bytes, at a character.
 * Returns buffer. */
AJOB_API const char *ajob_escape(char *buffer, size_t size, const char *text);

/* Takes user, password, query and fragment out of all URLs in text, in place, be they valid
 * or not: for messages. A URL ends at a space. Returns text. */
AJOB_API char *ajob_hide_secrets(char *text);

/* The same for one text that is, or should be, a URL, spaces and all; escaped as by
 * ajob_escape(). Returns buffer. */
AJOB_API const char *ajob_show_url(char *buffer, size_t size, const char *url);

/* The candidate nearest to word by edit distance, or NULL if none is near
 * enough to be what was meant. */
AJOB_API const char *ajob_nearest(const char *word, const char *const *candidates, size_t count);

#ifdef __cplusplus
}
#endif

#endif
