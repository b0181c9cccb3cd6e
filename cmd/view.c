/*
 * view.c - opening and closing views, and what a screen knows of a run: the
 * tasks under way and counts. It never writes; view_lines.c and
 * view_bars.c do.
 *
 * Byte counts come with events once a second, and from the task itself for those that
 * are being shown.
 *
 * A group is told of only if it failed and nothing in it did: a release that is
 * not there, a group's own timeout. So a group is remembered from the first
 * failure in it until it ends. What became a group only when it had made its
 * first child (a release that is known now) is no longer listed then. The
 * outermost group has no events of its own: run.ended says what became of it.
 */
#include "view.h"
#include "view_actions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- what events change --------------------------------------------------- */

/* New byte counts of a task. Its first ones may be what an earlier run left,
 * so they do not count as speed. */
static void running_moved(struct screen *screen, struct running *running, uint64_t bytes,
                          int64_t total) {
    if (running->bytes == 0)
        rate_start(&running->rate, bytes, screen->term.now_ms());
    else if (bytes > running->bytes)
        screen->flow += bytes - running->bytes;
    screen->moved += bytes - running->bytes;
    running->moves = true;
    running->bytes = bytes;
    running->total = total;
}

void screen_refresh(struct screen *screen, struct running *running) {
    uint64_t bytes;
    int64_t total;

    if (ajob_task_progress(running->task, &bytes, &total))
        running_moved(screen, running, bytes, total);
}

static void note_started(struct screen *screen, const ajob_event *event) {
    struct running *running = running_find(screen, event->task);
    const ajob_task *parent = ajob_task_parent(event->task);
    struct running *around = parent ? running_find(screen, parent) : NULL;

    if (!screen_is_chatty(screen)) /* nobody is told what runs */
        return;
    if (around) /* it was no group before this */
        running_unlist(screen, around);
    if (ajob_task_is_group(event->task))
        return;
    if (running) { /* a further attempt */
        running->retry_at = 0;
        return;
    }
    char name[NAME_SIZE];
    screen_name(screen, event, name);
    running = running_add(screen, event->task, name[0] != '\0' ? name : "task");
    if (!running)
        return;
    running->started_at = screen->term.now_ms();
    rate_start(&running->rate, 0, running->started_at);
    running_list(screen, running);
}

static uint64_t number_of(const ajob_event *event, const char *name) {
    const ajob_field *field = ajob_event_field(event, name);
    return field && field->number > 0 ? (uint64_t)field->number : 0;
}

static void note_bytes(struct screen *screen, const ajob_event *event,
                       const struct running *running) {
    uint64_t seen = running ? running->bytes : 0;
    uint64_t bytes = number_of(event, "bytes"), resumed = number_of(event, "resumed_from");

    uint64_t kept = number_of(event, "kept");
    screen->kept += kept;
    screen->kept_files += kept > 0;
    if (event->status != AJOB_SUCCEEDED || !ajob_event_field(event, "path"))
        return;
    if (number_of(event, "up_to_date")) {
        screen->up_to_date++;
        screen->moved -= seen;
        return;
    }
    uint64_t fresh = bytes > resumed ? bytes - resumed : 0;
    screen->downloaded++;
    screen->fetched += fresh;
    screen->moved += fresh - seen;
    if (seen == 0)
        screen->flow += fresh;
    else if (bytes > seen)
        screen->flow += bytes - seen;
}

bool event_is_allowed(const ajob_event *event) {
    const ajob_field *allowed = ajob_event_field(event, "allowed");
    return allowed && allowed->number;
}

static void note_stopped(struct screen *screen, const ajob_event *event) {
    char name[NAME_SIZE];
    if (screen->stopped_count++ < STOPPED_KEPT)
        bytes_printf(&screen->stopped, "%s%s", screen->stopped.length ? ", " : "",
                     term_escape(&screen->term, name, sizeof name, event->path));
}

static void note_failed_child(struct screen *screen, const ajob_task *group) {
    struct running *running = running_find(screen, group);

    if (!running)
        running = running_add(screen, group, "");
    if (running)
        running->failed_child = true;
}

/* Whether a person should hear of it. */
static bool note_ended(struct screen *screen, const ajob_event *event) {
    struct running *running = running_find(screen, event->task);
    const ajob_task *parent = ajob_task_parent(event->task);
    bool allowed = event_is_allowed(event);
    bool failed = (event->status == AJOB_FAILED || event->status == AJOB_TIMED_OUT) && !allowed;
    bool group = ajob_task_is_group(event->task), told = running && running->failed_child;

    if (!group && event->status == AJOB_CANCELLED && event->attempts > 0)
        note_stopped(screen, event);
    if (!group) {
        screen->ended++;
        screen->allowed += allowed;
        screen->done_before += ajob_event_field(event, "resumed") != NULL;
        note_bytes(screen, event, running);
    }
    if (running)
        running_remove(screen, running);
    if (failed && parent)
        note_failed_child(screen, parent);
    if (failed && group && !told)
        screen->groups_failed++;
    return failed ? !told : !group;
}

/* Whether a person should hear of it. */
static bool screen_note(struct screen *screen, const ajob_event *event) {
    struct running *running = event->task ? running_find(screen, event->task) : NULL;
    uint64_t now = screen->term.now_ms();

    switch (event->type) {
    case AJOB_RUN_STARTED:
        screen->started = true;
        screen->tasks = event->tasks;
        screen->said_at = screen->started_at = now;
        rate_start(&screen->rate, 0, now);
        break;
    case AJOB_TASK_STARTED:
        note_started(screen, event);
        return !ajob_task_is_group(event->task);
    case AJOB_TASK_RETRYING:
        if (running)
            running->retry_at = now + (uint64_t)(event->delay * 1000) + 1;
        break;
    case AJOB_TASK_PROGRESS:
        if (running)
            running_moved(screen, running, event->bytes, event->total);
        break;
    case AJOB_TASK_ENDED:
        return note_ended(screen, event);
    case AJOB_RUN_CANCELLING:
        screen->cancelling = true;
        screen->deserted = event->cause && strcmp(event->cause, "SIGPIPE") == 0;
        break;
    case AJOB_RUN_ENDED:
        screen->started = false;
        break;
    case AJOB_TASK_READY:
    case AJOB_TASK_OUTPUT:
    case AJOB_TASK_NOTE:
        break;
    }
    return true;
}

/* ---- the view ------------------------------------------------------------- */

static void screen_event(struct view *view, const ajob_event *event) {
    struct screen *screen = (struct screen *)view;

    if (event->type == AJOB_RUN_CANCELLING ||
        (event->type == AJOB_RUN_ENDED && event->status == AJOB_TIMED_OUT))
        screen->term.patience_ms = PATIENCE_MS;
    bool is_news = screen_note(screen, event);
    if (screen->options.actions)
        actions_event(screen->options.actions, event, is_news);
    if (is_news)
        screen_tell(screen, event);
    if (event->type == AJOB_RUN_ENDED)
        frame_erase(screen, true);
    else if (!screen->bars && screen->log.length > 0)
        lines_write(screen, event->type == AJOB_RUN_CANCELLING, false);
}

/* A line of the tree of tasks, which SIGUSR1 asks for: as a line of the log, so that
 * no frame is in its way. */
static void tell_tree(const char *line, void *data) {
    struct screen *screen = data;
    screen_say(screen, TONE_PLAIN, "%s", line);
    if (!screen->bars)
        lines_write(screen, true, false);
}

static bool is_here(const struct screen *screen, int fd) {
    return fd == screen->term.fd || (fd == STDOUT_FILENO && screen->shares_stdout);
}

void view_before_output(struct view *view, int fd) {
    struct screen *screen = (struct screen *)view;
    if (screen->frame.lines > 0 && is_here(screen, fd))
        frame_erase(screen, false);
}

void view_after_output(struct view *view, int fd, bool at_line_start, bool has_more) {
    struct screen *screen = (struct screen *)view;
    if (!is_here(screen, fd))
        return;
    screen->in_line = !at_line_start;
    screen->awaits_output = has_more;
}

void screen_end_line(struct screen *screen, struct bytes *out) {
    if (screen->in_line)
        bytes_add(out, "\n", 1);
    screen->in_line = screen->awaits_output = false;
}

static void screen_tick(struct view *view) {
    struct screen *screen = (struct screen *)view;

    rate_sample(&screen->rate, screen->flow, screen->term.now_ms());
    if (screen->bars) {
        frame_draw(screen);
    } else {
        lines_heartbeat(screen);
        lines_write(screen, true, false);
    }
}

static int screen_close(struct view *view) {
    struct screen *screen = (struct screen *)view;

    frame_erase(screen, true);
    /* A reader or a terminal that has gone misses nothing; one that stood still was
     * waited for. */
    int error = screen->term.error;
    bool lost = error != 0 && error != EPIPE && error != EIO && error != ETIMEDOUT;
    for (size_t i = 0; i < screen->slot_count; i++)
        free(screen->slots[i]);
    free(screen->slots);
    for (size_t i = 0; i < FAILURES_KEPT; i++)
        free(screen->failures[i]);
    bytes_done(&screen->stopped);
    bytes_done(&screen->log);
    bytes_done(&screen->frame.text);
    term_done(&screen->term);
    free(screen);
    return lost ? -1 : 0;
}

static bool picks_bars(const struct view_options *options, const struct term *term) {
    if (options->quiet)
        return false;
    switch (options->progress) {
    case PROGRESS_AUTO:
        return term_is_screen(term);
    case PROGRESS_BAR:
        return term->tty;
    case PROGRESS_LINES:
    case PROGRESS_NONE:
        break;
    }
    return false;
}

struct view *view_open_on(ajob_loop *loop, const struct view_options *options, int fd,
                          clock_fn *now) {
    static const struct view_kind kind = {screen_event, screen_tick, screen_close};
    struct screen *screen = calloc(1, sizeof *screen);

    if (!screen)
        return NULL;
    screen->view = (struct view){.kind = &kind, .loop = loop};
    screen->options = *options;
    screen->tasks = -1;
    term_init(&screen->term, fd, now);
    screen->shares_stdout = term_is_at(&screen->term, STDOUT_FILENO);
    if (options->color != COLOR_AUTO)
        screen->term.color = options->color == COLOR_ALWAYS;
    screen->bars = picks_bars(options, &screen->term);
    if (view_listen(&screen->view)) {
        ajob_on_dump(loop, tell_tree, screen);
        return &screen->view;
    }
    screen_close(&screen->view);
    return NULL;
}

struct view *view_open(ajob_loop *loop, const struct view_options *options) {
    return view_open_on(loop, options, STDERR_FILENO, NULL);
}

static void on_event(const ajob_event *event, void *data) {
    struct view *view = data;
    if (!view->deaf)
        view->kind->event(view, event);
}

static void on_tick(void *data) {
    struct view *view = data;
    if (!view->deaf)
        view->kind->tick(view);
}

bool view_listen(struct view *view) {
    view->deaf = ajob_on_event(view->loop, on_event, view) != 0 ||
                 ajob_every(view->loop, VIEW_TICK_MS, on_tick, view) != 0;
    return !view->deaf;
}

int view_close(struct view *view) {
    return view ? view->kind->close(view) : 0;
}
