/*
 * view_summary.c - failures and the last lines of a run. Owns the list of the
 * first failures, which are shown again if much was said after them.
 */
#include "view.h"
#include "view_actions.h"

#include <stdio.h>
#include <string.h>

enum { LINES_BACK = 10 };

static void say_annotation(struct screen *screen, const char *annotation) {
    if (annotation)
        screen_say(screen, TONE_ANNOTATION, "%s", annotation);
}

void summary_fail(struct screen *screen, const char *name, const char *cause) {
    struct actions *actions = screen->options.actions;
    char what[3 * NAME_SIZE], line[3 * NAME_SIZE + 64];

    snprintf(what, sizeof what, "%s%s%s", name, name[0] != '\0' ? ": " : "",
             cause[0] != '\0' ? cause : "failed");
    snprintf(line, sizeof line, "ajob: %s: %s", screen->options.command, what);
    if (screen->failed == 0)
        screen->said_since = 0;
    if (screen->failed < FAILURES_KEPT)
        screen->failures[screen->failed] = strdup(line);
    screen->failed++;
    screen_say(screen, TONE_FAILURE, "%s", line);
    if (actions)
        say_annotation(screen, actions_annotation(actions, what));
}

static void tell_failures_again(struct screen *screen) {
    for (size_t i = 0; i < FAILURES_KEPT && i < screen->failed; i++) {
        if (screen->failures[i])
            screen_say(screen, TONE_FAILURE, "%s", screen->failures[i]);
    }
    if (screen->failed > FAILURES_KEPT)
        screen_say(screen, TONE_FAILURE, "and %llu more",
                   (unsigned long long)(screen->failed - FAILURES_KEPT));
}

/* Adds ", COUNT WORD" if there are any. */
static void add_count(char *line, size_t size, uint64_t count, const char *word) {
    size_t used = strlen(line);

    if (count > 0)
        snprintf(line + used, size - used, "%s%llu %s", used > 0 ? ", " : "",
                 (unsigned long long)count, word);
}

/* "2 downloaded, 1 failed, 34.0 MiB in 4.2s (8.1 MiB/s)"; empty if there was nothing
 * to do. */
static void sum_up(const struct screen *screen, const ajob_event *event, char *line, size_t size) {
    static const uint64_t none[AJOB_STATUS_COUNT];
    const uint64_t *counts = event->counts ? event->counts : none;
    uint64_t files = screen->downloaded + screen->up_to_date;
    uint64_t known = files + screen->done_before;
    uint64_t done = counts[AJOB_SUCCEEDED] > known ? counts[AJOB_SUCCEEDED] - known : 0;
    uint64_t failed = counts[AJOB_FAILED] + counts[AJOB_TIMED_OUT] + screen->groups_failed;
    char time[32], fetched[32], rate[32];

    line[0] = '\0';
    add_count(line, size, screen->downloaded, "downloaded");
    add_count(line, size, screen->up_to_date, "up to date");
    add_count(line, size, done, "done");
    add_count(line, size, screen->done_before + event->done_before, "done before");
    add_count(line, size, failed - screen->allowed, "failed");
    add_count(line, size, screen->allowed, "failed as allowed");
    add_count(line, size, counts[AJOB_CANCELLED], "cancelled");
    add_count(line, size, counts[AJOB_SKIPPED], "skipped");
    size_t used = strlen(line);
    if (used == 0)
        return;
    seconds_text(time, event->duration);
    if (screen->fetched == 0) {
        snprintf(line + used, size - used, " in %s", time);
        return;
    }
    double per_second = event->duration > 0 ? (double)screen->fetched / event->duration : 0;
    snprintf(line + used, size - used, ", %s in %s (%s/s)",
             ajob_format_size(fetched, screen->fetched), time,
             ajob_format_size(rate, (uint64_t)per_second));
}

/* Adds ": still running: a, b and 3 more" to the run's timeout. */
static void add_stopped(const struct screen *screen, char *cause, size_t size) {
    size_t used = strlen(cause);
    if (screen->stopped_count == 0)
        return;
    used += (size_t)snprintf(cause + used, size - used, ": still running: %.*s",
                             (int)screen->stopped.length, screen->stopped.data);
    if (screen->stopped_count > STOPPED_KEPT && used < size)
        snprintf(cause + used, size - used, " and %llu more",
                 (unsigned long long)(screen->stopped_count - STOPPED_KEPT));
}

void summary_tell(struct screen *screen, const ajob_event *event) {
    struct actions *actions = screen->options.actions;
    char line[512], cause[NAME_SIZE], kept[32];

    if (screen->deserted)
        return;
    /* The run's own timeout, or a failure that no task has told. */
    bool untold = event->status != AJOB_SUCCEEDED && screen->failed == 0 && !screen->cancelling;
    if (event->cause && (untold || event->status == AJOB_TIMED_OUT)) {
        term_escape(&screen->term, cause, sizeof cause, event->cause);
        add_stopped(screen, cause, sizeof cause);
        summary_fail(screen, "", cause);
    }
    sum_up(screen, event, line, sizeof line);
    if (actions) {
        say_annotation(screen, actions_last_annotation(actions));
        actions_sum_up(actions, line);
    }
    if (screen->options.quiet)
        return;
    if (screen->failed > 0 && screen->said_since > LINES_BACK)
        tell_failures_again(screen);
    if (line[0] != '\0')
        screen_say(screen, TONE_PLAIN, "%s", line);
    if (screen->kept_files > 0)
        screen_say(screen, TONE_PLAIN,
                   "kept %s of %llu file%s: run the same command again to go on",
                   ajob_format_size(kept, screen->kept), (unsigned long long)screen->kept_files,
                   screen->kept_files == 1 ? "" : "s");
}
