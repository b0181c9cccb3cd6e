/*
 * view_summary.c - failures and the last lines of a run. Owns the list of the
 * first failures, which are shown again if much was said after them.
 */
#include "view.h"

#include <stdio.h>
#include <string.h>

enum { LINES_BACK = 10 };

void summary_fail(struct screen *screen, const char *name, const char *cause) {
    char line[3 * NAME_SIZE];

    snprintf(line, sizeof line, "ajob: %s: %s%s%s", screen->options.command, name,
             name[0] != '\0' ? ": " : "", cause[0] != '\0' ? cause : "failed");
    if (screen->failed == 0)
        screen->said_since = 0;
    if (screen->failed < FAILURES_KEPT)
        screen->failures[screen->failed] = strdup(line);
    screen->failed++;
    screen_say(screen, TONE_FAILURE, "%s", line);
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

void summary_tell(struct screen *screen, const ajob_event *event) {
    static const uint64_t none[AJOB_STATUS_COUNT];
    const uint64_t *counts = event->counts ? event->counts : none;
    uint64_t files = screen->downloaded + screen->up_to_date;
    uint64_t known = files + screen->done_before;
    uint64_t done = counts[AJOB_SUCCEEDED] > known ? counts[AJOB_SUCCEEDED] - known : 0;
    uint64_t before = screen->done_before + event->done_before;
    char line[512] = "", time[32], size[32], rate[32], cause[NAME_SIZE];

    if (screen->deserted)
        return;
    /* The run's own timeout, or a failure that no task has told. */
    bool untold = event->status != AJOB_SUCCEEDED && screen->failed == 0 && !screen->cancelling;
    if (event->cause && (untold || event->status == AJOB_TIMED_OUT))
        summary_fail(screen, "", term_escape(&screen->term, cause, sizeof cause, event->cause));
    if (screen->options.quiet)
        return;
    if (screen->failed > 0 && screen->said_since > LINES_BACK)
        tell_failures_again(screen);

    add_count(line, sizeof line, screen->downloaded, "downloaded");
    add_count(line, sizeof line, screen->up_to_date, "up to date");
    add_count(line, sizeof line, done, "done");
    add_count(line, sizeof line, before, "done before");
    uint64_t failed = counts[AJOB_FAILED] + counts[AJOB_TIMED_OUT] + screen->groups_failed;
    add_count(line, sizeof line, failed - screen->allowed, "failed");
    add_count(line, sizeof line, screen->allowed, "failed as allowed");
    add_count(line, sizeof line, counts[AJOB_CANCELLED], "cancelled");
    add_count(line, sizeof line, counts[AJOB_SKIPPED], "skipped");
    if (line[0] == '\0')
        return; /* there was nothing to do */
    seconds_text(time, event->duration);
    if (screen->fetched == 0) {
        screen_say(screen, TONE_PLAIN, "%s in %s", line, time);
        return;
    }
    double per_second = event->duration > 0 ? (double)screen->fetched / event->duration : 0;
    screen_say(screen, TONE_PLAIN, "%s, %s in %s (%s/s)", line,
               ajob_format_size(size, screen->fetched), time,
               ajob_format_size(rate, (uint64_t)per_second));
}
