/*
 * view.h - views: what shows the events of a run. The first part is for the
 * runner, the second for the views among themselves.
 *
 *     view.c          opening, what a screen knows of a run (who runs, counts)
 *     view_lines.c    the texts of log lines; the view that prints only them
 *     view_bars.c     the view with a frame of bars below the log lines
 *     view_running.c  the tasks under way
 *     view_rate.c     bytes a second
 *     view_summary.c  failures, and the last lines of a run
 *     view_events.c   NDJSON
 *     view_actions.c  GitHub Actions, see view_actions.h
 */
#ifndef VIEW_H
#define VIEW_H

#include "ajob.h"
#include "term.h"

struct actions;
struct view;

enum progress_mode { PROGRESS_AUTO, PROGRESS_BAR, PROGRESS_LINES, PROGRESS_NONE };
enum color_mode { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

struct view_options {
    enum progress_mode progress;
    enum color_mode color;
    bool quiet;              /* failures only */
    int verbosity;           /* 1: also what starts, is cancelled or skipped */
    bool is_stream;          /* many tasks, all alike: a line for each success only if verbose */
    bool is_batched;         /* a task's item is many, with a newline between them */
    const char *command;     /* the subcommand, for errors; must outlive the view */
    bool names_urls;         /* what failed is called by its URL, not by its task */
    struct actions *actions; /* is told everything, too; NULL: there are none */
};

/* A view on stderr of the next run of this loop. Bars if that is a terminal
 * made for it, lines otherwise. NULL on lack of memory. */
struct view *view_open(ajob_loop *loop, const struct view_options *options);

/* Around a write of what commands print to this descriptor: the frame goes, and comes
 * back below it. After it, whether it ended a line, and whether the rest of a line
 * waits for its reader: nothing else may be written there until that has come. */
void view_before_output(struct view *view, int fd);
void view_after_output(struct view *view, int fd, bool at_line_start, bool has_more);

/* Every event as a line of JSON, into a file that is made, or emptied unless the view
 * appends; "-" is stdout, and when the reader of that has gone the run is cancelled by
 * "SIGPIPE". NULL and one line of text in *error (the caller's to free; NULL on lack of
 * memory): "--events: FILE: why". */
struct view *view_events_open(ajob_loop *loop, const char *path, bool appends, char **error);

/* They are of a stream of tasks in this group. The end of a task is written at once: if
 * ajob is killed, it is known. Where that cannot be written the group is cancelled. */
void view_events_stream(struct view *view, const ajob_task *root);

/* Writes what is left and frees the view. After the run: the loop must have no
 * more events for it. Returns -1 if something could not be written, which is
 * then told on stderr if it was events. Takes NULL. */
int view_close(struct view *view);

/* ---- for the views ------------------------------------------------------- */

enum {
    PATIENCE_MS = 1000, /* with a reader of what a run says that is to end */
    STALLED_MS = 3000,  /* without a byte: there is no rate */
    VIEW_TICK_MS = 100, /* frames, lines and events are written at most so often */
    FRAME_LINES = 12,
    FAILURES_KEPT = 20,
    STOPPED_KEPT = 4,
    NAME_SIZE = 1024, /* of an escaped name or cause */
};

struct view_kind {
    void (*event)(struct view *view, const ajob_event *event);
    void (*tick)(struct view *view);
    int (*close)(struct view *view); /* frees it, too */
};

struct view {
    const struct view_kind *kind;
    ajob_loop *loop;
    bool deaf; /* could not be registered as a whole */
};

/* Registers the view's event and tick. False if the loop refuses; the view
 * must not be freed then, since the loop may still call it. */
bool view_listen(struct view *view);

/* Bytes a second, averaged with a time constant of 4 s; none when none came for long. */
struct rate {
    double sum, weight; /* the average is their quotient */
    uint64_t at, bytes; /* the last sample */
    uint64_t grown_at;  /* the last one with more bytes than before */
};
void rate_start(struct rate *rate, uint64_t bytes, uint64_t now);
void rate_sample(struct rate *rate, uint64_t bytes, uint64_t now);
uint64_t rate_value(const struct rate *rate);

/* A task that has started and not ended, or a group with a failure in it. */
struct running {
    const ajob_task *task;
    struct running *older, *newer;
    uint64_t started_at;
    uint64_t retry_at; /* when the next attempt is due; 0 while one is under way */
    bool moves;        /* bytes, and these are the last known */
    uint64_t bytes;
    int64_t total; /* -1: not known */
    struct rate rate;
    bool failed_child;
    char name[]; /* escaped; empty for a group, which is not listed */
};

/* A frame as it stands on the terminal. */
struct frame {
    struct bytes text;
    int widths[FRAME_LINES]; /* of its lines */
    int lines, cols;
    uint64_t next_at; /* no other frame before this */
};

/* A view for people: the log, what it knows of the run, the frame if it has
 * bars. Memory is held for running tasks only. */
struct screen {
    struct view view;
    struct view_options options;
    struct term term;
    bool bars;

    struct bytes log;    /* lines that were said and not written */
    uint64_t said_at;    /* the last line */
    uint64_t written_at; /* the last write */
    struct frame frame;
    bool shares_stdout; /* which leads to the same terminal */
    bool in_line;       /* what commands print has begun a line on this terminal */
    bool awaits_output; /* and its rest waits */

    struct running **slots; /* hash table by task */
    size_t slot_count, slots_used;
    struct running *oldest, *newest; /* the running tasks, in the order of their start */
    size_t running;

    bool started, cancelling;
    bool deserted; /* cancelled because the reader of stdout has gone: no words about that */
    int64_t tasks; /* -1: not known */
    uint64_t started_at;
    uint64_t ended; /* tasks that are no groups */
    uint64_t downloaded, up_to_date;
    uint64_t allowed;          /* failures that fail nothing else */
    uint64_t done_before;      /* by an earlier run */
    uint64_t kept, kept_files; /* bytes of what was not finished, for the next run */
    uint64_t groups_failed;    /* those without a failed child */
    uint64_t fetched;          /* bytes of what was downloaded now */
    uint64_t moved;            /* the same with what is under way or failed */
    uint64_t flow;             /* the same without what may have been resumed, for the rate */
    struct rate rate;

    struct bytes stopped;   /* the first tasks that a cancellation has stopped: "a, b" */
    uint64_t stopped_count; /* all of them */

    char *failures[FAILURES_KEPT]; /* the first ones, as they were printed */
    uint64_t failed;
    uint64_t said_since; /* lines since the first failure that were no failures */
};

/* view_open() on any descriptor and clock (NULL: the real one). */
struct view *view_open_on(ajob_loop *loop, const struct view_options *options, int fd,
                          clock_fn *now);

/* The task that runs, or NULL; one more (NULL on lack of memory: it is then not shown as
 * running), in the list of what runs or no longer in it, and gone altogether. */
struct running *running_find(const struct screen *screen, const ajob_task *task);
struct running *running_add(struct screen *screen, const ajob_task *task, const char *name);
void running_list(struct screen *screen, struct running *running);
void running_unlist(struct screen *screen, struct running *running);
void running_remove(struct screen *screen, struct running *running);

/* Asks the task for its byte counts. */
void screen_refresh(struct screen *screen, struct running *running);

/* What the event's task is called: its path, and what it is for if it has an item. */
const char *screen_name(const struct screen *screen, const ajob_event *event, char name[NAME_SIZE]);

/* How many tasks are over, those included that an earlier run has done. */
uint64_t screen_over(const struct screen *screen);

/* How a stream of tasks gets on, "  45.2/s  ETA 2m10s", as far as that is known; or
 * "". Returns buffer. */
const char *screen_pace(const struct screen *screen, const char *separator, char buffer[96]);

/* One line of the log, without newline. */
enum tone { TONE_PLAIN, TONE_WARNING, TONE_FAILURE, TONE_ANNOTATION };
void screen_say(struct screen *screen, enum tone tone, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Says what an event is worth to a person. */
void screen_tell(struct screen *screen, const ajob_event *event);

/* Whether success and progress are shown, too. */
bool screen_is_chatty(const struct screen *screen);

/* A failure that fails nothing else. */
bool event_is_allowed(const ajob_event *event);

/* "ajob: COMMAND: NAME: CAUSE", now and perhaps once more at the end. */
void summary_fail(struct screen *screen, const char *name, const char *cause);
/* The last lines of a run. */
void summary_tell(struct screen *screen, const ajob_event *event);

/* Writes the log: lines_write() as soon as it may, frame_draw() with the frame
 * below it, if that is due; both at once if it is the last time. */
void lines_write(struct screen *screen, bool now, bool wait);
void lines_heartbeat(struct screen *screen);
void frame_draw(struct screen *screen);
void frame_erase(struct screen *screen, bool wait); /* and writes the log */

/* Before anything is written: ends the line that commands have begun. */
void screen_end_line(struct screen *screen, struct bytes *out);

/* "250ms", "1.2s", "1m30s", "2h05m". Returns buffer. */
const char *seconds_text(char buffer[32], double seconds);

#endif
