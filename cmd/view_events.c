/*
 * view_events.c - the events as NDJSON. Owns the file and the lines that are
 * not in it yet: they are written ten times a second, and at once when the run
 * is being cancelled, has ended, or a task has failed, so that they are there
 * if a signal then ends ajob. A write is always of whole lines.
 *
 * A file that cannot be written to does not stop the run: the first error is
 * told when the view is closed. There are two exceptions: the reader of stdout
 * that went away, for nobody wants the run then; and a stream of tasks, which may
 * have no end, and of which nobody would know what it has done.
 */
#include "view.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BUFFER_MAX = 64 * 1024 };

struct events_view {
    struct view view;
    struct term term; /* the file, and errno of its first failure */
    char *path;       /* for messages, escaped */
    struct bytes lines;
    const ajob_task *root; /* once an event has named a task */
    bool is_stream;        /* each end of a task is written at once */
    bool is_cancelled;     /* the run, for nothing can be written */
};

/* During the run a reader who takes nothing is not waited for, unless a megabyte waits
 * already: signals are to be heard. */
static void events_write(struct events_view *events, bool wait) {
    struct term *term = &events->term;

    term_write(term, events->lines.data, events->lines.length, wait);
    events->lines.length = 0;
    bool is_deserted = term->error == EPIPE && term->fd == STDOUT_FILENO;
    bool is_in_vain = is_deserted || (term->error && events->is_stream);
    bool is_over = !events->root || ajob_task_status(events->root) != AJOB_UNDECIDED;
    if (!is_in_vain || is_over || events->is_cancelled)
        return;
    events->is_cancelled = true;
    ajob_cancel((ajob_task *)events->root,
                is_deserted ? "SIGPIPE" : "a failure to write the events");
}

static bool is_urgent(const ajob_event *event) {
    return event->type == AJOB_RUN_CANCELLING || event->type == AJOB_RUN_ENDED ||
           (event->type == AJOB_TASK_ENDED &&
            (event->status == AJOB_FAILED || event->status == AJOB_TIMED_OUT));
}

static void events_event(struct view *view, const ajob_event *event) {
    struct events_view *events = (struct events_view *)view;
    size_t length;

    if (!events->root && event->task) {
        events->root = event->task;
        for (const ajob_task *up; (up = ajob_task_parent(events->root));)
            events->root = up;
    }
    if (!events->term.error) {
        const char *line = ajob_event_json(view->loop, event, &length);
        if (!line || !bytes_add(&events->lines, line, length))
            events->term.error = ENOMEM; /* a line is missing: no more are written */
    }
    if (event->type == AJOB_RUN_CANCELLING)
        events->term.patience_ms = PATIENCE_MS;
    bool is_awaited = events->is_stream && event->type == AJOB_TASK_ENDED;
    if (events->lines.length >= BUFFER_MAX || is_awaited || is_urgent(event))
        events_write(events, false);
}

static void events_tick(struct view *view) {
    events_write((struct events_view *)view, false);
}

static void events_free(struct events_view *events) {
    term_done(&events->term);
    bytes_done(&events->lines);
    free(events->path);
    free(events);
}

static int events_close(struct view *view) {
    struct events_view *events = (struct events_view *)view;
    struct term *term = &events->term;

    events_write(events, true);
    if (term->fd != STDOUT_FILENO && close(term->fd) != 0 && !term->error)
        term->error = errno;
    bool lost = term->error != 0 && !(term->error == EPIPE && term->fd == STDOUT_FILENO);
    if (lost)
        fprintf(stderr, "ajob: events: %s: %s%s\n", events->path, strerror(term->error),
                events->is_cancelled ? ": the run was ended; --resume goes on from what is there"
                                     : "");
    events_free(events);
    return lost ? -1 : 0;
}

void view_events_stream(struct view *view, const ajob_task *root) {
    struct events_view *events = (struct events_view *)view;
    events->is_stream = true;
    events->root = root;
}

static int open_file(const char *path, bool appends) {
    if (strcmp(path, "-") == 0)
        return fcntl(STDOUT_FILENO, F_GETFD) < 0 ? -1 : STDOUT_FILENO;
    int how = appends ? O_APPEND : O_TRUNC;
    return open(path, O_WRONLY | O_CREAT | how | O_CLOEXEC | O_NOCTTY, 0666);
}

struct view *view_events_open(ajob_loop *loop, const char *path, bool appends, char **error) {
    static const struct view_kind kind = {events_event, events_tick, events_close};
    struct events_view *events = calloc(1, sizeof *events);
    char name[NAME_SIZE];

    *error = NULL;
    if (!events)
        return NULL;
    int fd = open_file(path, appends);
    int why = errno;
    term_init(&events->term, fd, NULL);
    term_escape(&events->term, name, sizeof name, path);
    events->path = strdup(fd == STDOUT_FILENO ? "stdout" : name);
    events->view = (struct view){.kind = &kind, .loop = loop};
    if (fd >= 0 && events->path && view_listen(&events->view))
        return &events->view;
    if (fd < 0 && asprintf(error, "--events: %s: %s", name, strerror(why)) < 0)
        *error = NULL;
    if (fd > STDERR_FILENO)
        close(fd);
    events_free(events);
    return NULL;
}
