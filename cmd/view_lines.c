/*
 * view_lines.c - the log: what a line says about each event, in both views on
 * a screen, and the view that prints nothing else (pipes, files, CI).
 *
 * Words depend on what an event has, not on the kind of its task: what ended
 * with a path was a download, anything else was just done.
 */
#include "view.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { HEARTBEAT_MS = 10000, HEARTBEAT_NAMES = 3 };

const char *seconds_text(char buffer[32], double seconds) {
    if (seconds < 0)
        seconds = 0;
    unsigned long long whole = (unsigned long long)(seconds + 0.5);

    if (seconds < 0.9995)
        snprintf(buffer, 32, "%.0fms", seconds * 1000);
    else if (seconds < 59.95)
        snprintf(buffer, 32, "%.1fs", seconds);
    else if (whole < 3600)
        snprintf(buffer, 32, "%llum%02llus", whole / 60, whole % 60);
    else
        snprintf(buffer, 32, "%lluh%02llum", whole / 3600, whole / 60 % 60);
    return buffer;
}

/* Whether success and progress are shown, too. */
bool screen_is_chatty(const struct screen *screen) {
    return !screen->options.quiet && screen->options.progress != PROGRESS_NONE;
}

void screen_say(struct screen *screen, enum tone tone, const char *format, ...) {
    static const char *const colors[] = {"", "\033[33m", "\033[31m", ""};
    bool colored = screen->term.color && *colors[tone];
    char line[4 * NAME_SIZE];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    bytes_printf(&screen->log, "%s%s%s\n", colored ? colors[tone] : "", line,
                 colored ? "\033[m" : "");
    screen->said_at = screen->term.now_ms();
    screen->said_since += tone == TONE_PLAIN || tone == TONE_WARNING;
}

void lines_write(struct screen *screen, bool now, bool wait) {
    uint64_t time = screen->term.now_ms();
    struct bytes end = {0};

    if (screen->awaits_output)
        return;
    if (!now && time - screen->written_at < VIEW_TICK_MS)
        return;
    if (screen->log.length == 0 && screen->term.out.length == 0)
        return;
    if (screen->log.length > 0)
        screen_end_line(screen, &end);
    term_write(&screen->term, end.data, end.length, false);
    term_write(&screen->term, screen->log.data, screen->log.length, wait);
    bytes_done(&end);
    screen->log.length = 0;
    screen->written_at = time;
}

/* ---- how a task is called, how a stream of them gets on --------------------- */

const char *screen_name(const struct screen *screen, const ajob_event *event,
                        char name[NAME_SIZE]) {
    enum { ITEM_MOST = 120 };
    size_t length = 0, used;
    const char *item = event->task ? ajob_task_item(event->task, &length) : NULL;
    term_escape(&screen->term, name, NAME_SIZE, event->path ? event->path : "");
    used = strlen(name);
    if (item && *item && used + ITEM_MOST < NAME_SIZE) {
        char start[NAME_SIZE], shown[NAME_SIZE] = "";
        size_t cut = ITEM_MOST;
        snprintf(start, sizeof start, "%s", item);
        for (char *at = start; screen->options.is_batched && (at = strchr(at, '\n'));)
            *at = ' ';
        term_escape(&screen->term, shown, sizeof shown, start);
        ajob_hide_secrets(shown); /* it may be a URL */
        while (cut && ((unsigned char)shown[cut] & 0xc0) == 0x80)
            cut--;
        snprintf(name + used, NAME_SIZE - used, ": %.*s%s", (int)cut, shown,
                 strlen(shown) > cut ? "..." : "");
    }
    return name;
}

uint64_t screen_over(const struct screen *screen) {
    return screen->ended + ajob_done_before(screen->view.loop);
}

const char *screen_pace(const struct screen *screen, const char *separator, char buffer[96]) {
    enum { AFTER_MS = 2000 };
    uint64_t elapsed = screen->term.now_ms() - screen->started_at;
    char number[32];
    buffer[0] = '\0';
    if (!screen->options.is_stream || elapsed < AFTER_MS || !screen->ended)
        return buffer;
    double per_ms = (double)screen->ended / (double)elapsed;
    uint64_t over = screen_over(screen);
    uint64_t left =
        screen->tasks > 0 && (uint64_t)screen->tasks > over ? (uint64_t)screen->tasks - over : 0;
    int used = snprintf(buffer, 96, "%s%.1f/s", separator, per_ms * 1000);
    if (left)
        snprintf(buffer + used, 96 - (size_t)used, "%sETA %s", separator,
                 seconds_text(number, (double)left / per_ms / 1000));
    return buffer;
}

/* ---- the end of a task ----------------------------------------------------- */

static const ajob_field *field_of(const ajob_event *event, const char *name) {
    const ajob_field *field = ajob_event_field(event, name);
    return field && field->type != AJOB_FIELD_NULL ? field : NULL;
}

/* "  sha256 ok", with what said so if that is known. */
static void verified_text(const struct screen *screen, const ajob_event *event, char *buffer,
                          size_t size) {
    static const char *const digests[] = {"sha256", "sha512", "sha1", "md5"};
    const ajob_field *verified = field_of(event, "verified");
    const char *digest = "digest";
    char by[NAME_SIZE];

    buffer[0] = '\0';
    for (size_t i = 0; i < sizeof digests / sizeof digests[0]; i++) {
        if (field_of(event, digests[i])) {
            digest = digests[i];
            break;
        }
    }
    if (!verified)
        return;
    if (verified->type == AJOB_FIELD_TEXT)
        snprintf(buffer, size, "  %s ok (%s)", digest,
                 term_escape(&screen->term, by, sizeof by, verified->text));
    else if (verified->number)
        snprintf(buffer, size, "  %s ok", digest);
    else
        snprintf(buffer, size, "  not verified");
}

static const char *word_for_success(const ajob_event *event) {
    if (field_of(event, "path"))
        return "downloaded";
    return strcmp(ajob_task_kind(event->task), "service") == 0 ? "stopped" : "done";
}

static void tell_success(struct screen *screen, const ajob_event *event, const char *name) {
    const ajob_field *bytes = field_of(event, "bytes"), *resumed = field_of(event, "resumed_from");
    const ajob_field *up_to_date = field_of(event, "up_to_date");
    char size[48] = "", time[32], from[64] = "", verified[NAME_SIZE + 32], number[32];

    if (up_to_date && up_to_date->number) {
        screen_say(screen, TONE_PLAIN, "up to date %s", name);
        return;
    }
    if (field_of(event, "resumed")) {
        if (screen->options.verbosity > 0)
            screen_say(screen, TONE_PLAIN, "done before %s", name);
        return;
    }
    if (bytes)
        snprintf(size, sizeof size, "  %s", ajob_format_size(number, (uint64_t)bytes->number));
    if (resumed && resumed->number > 0)
        snprintf(from, sizeof from, "  resumed at %s",
                 ajob_format_size(number, (uint64_t)resumed->number));
    verified_text(screen, event, verified, sizeof verified);
    screen_say(screen, TONE_PLAIN, "%s %s%s  %s%s%s", word_for_success(event), name, size,
               seconds_text(time, event->duration), verified, from);
}

/* The cause of a release says which one: "o/r: release v9: not found". */
static bool is_named_by_cause(const ajob_event *event, const char *name, const char *cause) {
    const char *kind = ajob_task_kind(event->task);
    char words[NAME_SIZE + 16];
    if (strcmp(kind, "release") != 0 && strcmp(kind, "listing") != 0)
        return false;
    snprintf(words, sizeof words, strcmp(name, "latest") ? ": release %s" : ": %s release", name);
    return strstr(cause, words) != NULL;
}

/* What failed is named as the person named it: by its task, or by its URL. */
static void tell_failure(struct screen *screen, const ajob_event *event, const char *name,
                         const char *cause) {
    const ajob_field *url = field_of(event, "url");
    char subject[NAME_SIZE], both[2 * NAME_SIZE + 2];
    size_t length;
    if (is_named_by_cause(event, name, cause)) {
        name = "";
    } else if (url && url->text[0] && !ajob_task_item(event->task, &length)) { /* it is the item */
        term_escape(&screen->term, subject, sizeof subject, url->text);
        snprintf(both, sizeof both, "%s: %s", name, subject);
        name = screen->options.names_urls ? subject : both;
    }
    summary_fail(screen, name, cause);
}

static void tell_ended(struct screen *screen, const ajob_event *event, const char *name,
                       const char *cause) {
    bool verbose = screen_is_chatty(screen) && screen->options.verbosity > 0;

    switch (event->status) {
    case AJOB_SUCCEEDED:
        if (verbose || (screen_is_chatty(screen) && !screen->options.is_stream))
            tell_success(screen, event, name);
        break;
    case AJOB_FAILED:
    case AJOB_TIMED_OUT:
        if (!event_is_allowed(event))
            tell_failure(screen, event, name, cause);
        else if (screen_is_chatty(screen))
            screen_say(screen, TONE_WARNING, "failed, which is allowed: %s: %s", name, cause);
        break;
    case AJOB_CANCELLED:
        if (strncmp(cause, "cancelled ", 10) == 0)
            cause += 10;
        if (verbose)
            screen_say(screen, TONE_PLAIN, "cancelled %s: %s", name, cause);
        break;
    case AJOB_SKIPPED:
        if (verbose)
            screen_say(screen, TONE_PLAIN, "skipped %s: %s", name, cause);
        break;
    case AJOB_UNDECIDED:
    case AJOB_STATUS_COUNT:
        break;
    }
}

/* ---- the other events ------------------------------------------------------ */

static void tell_started(struct screen *screen, const ajob_event *event, const char *name) {
    char attempt[32] = "", pid[32] = "";

    if (event->attempt > 1)
        snprintf(attempt, sizeof attempt, " (attempt %u)", event->attempt);
    if (event->pid > 0)
        snprintf(pid, sizeof pid, "  pid %d", event->pid);
    screen_say(screen, TONE_PLAIN, "started %s%s%s", name, attempt, pid);
}

static void tell_cancelling(struct screen *screen, const char *cause) {
    bool is_told_later = !strncmp(cause, "timeout ", 8); /* by the summary */
    if (screen->deserted || is_told_later)
        return;
    screen_say(screen, TONE_WARNING, "ajob: %s: cancelling: %s", screen->options.command, cause);
}

/* Worth a line only to those who want to hear of what goes well. */
static bool is_no_news(const ajob_event *event) {
    switch (event->type) {
    case AJOB_RUN_STARTED:
    case AJOB_TASK_STARTED:
    case AJOB_TASK_READY:
    case AJOB_TASK_RETRYING:
    case AJOB_TASK_PROGRESS:
    case AJOB_TASK_OUTPUT:
        return true;
    case AJOB_TASK_ENDED:
        return event->status != AJOB_FAILED && event->status != AJOB_TIMED_OUT;
    case AJOB_TASK_NOTE:
    case AJOB_RUN_CANCELLING:
    case AJOB_RUN_ENDED:
        break;
    }
    return false;
}

void screen_tell(struct screen *screen, const ajob_event *event) {
    if (!screen_is_chatty(screen) && is_no_news(event))
        return;
    bool chatty = screen_is_chatty(screen), verbose = chatty && screen->options.verbosity > 0;
    char name[NAME_SIZE], cause[NAME_SIZE], text[NAME_SIZE], number[32];
    const struct term *term = &screen->term;

    screen_name(screen, event, name);
    term_escape(term, cause, sizeof cause, event->cause ? event->cause : "");
    switch (event->type) {
    case AJOB_RUN_STARTED:
        if (verbose && event->tasks >= 0)
            screen_say(screen, TONE_PLAIN, "starting %lld task%s", (long long)event->tasks,
                       event->tasks == 1 ? "" : "s");
        break;
    case AJOB_TASK_STARTED:
        if (verbose)
            tell_started(screen, event, name);
        break;
    case AJOB_TASK_READY:
        if (chatty)
            screen_say(screen, TONE_PLAIN, "ready %s", name);
        break;
    case AJOB_TASK_RETRYING:
        if (chatty) /* a mirror is tried at once */
            screen_say(screen, TONE_WARNING, "retrying %s %s%s (attempt %u): %s", name,
                       event->delay > 0 ? "in " : "at once",
                       event->delay > 0 ? seconds_text(number, event->delay) : "",
                       event->attempt + 1, cause);
        break;
    case AJOB_TASK_NOTE:
        term_escape(term, text, sizeof text, event->text ? event->text : "");
        if (!screen->options.quiet)
            screen_say(screen, TONE_WARNING, "note: %s%s%s", name, name[0] ? ": " : "", text);
        break;
    case AJOB_TASK_ENDED:
        tell_ended(screen, event, name, cause);
        break;
    case AJOB_RUN_CANCELLING:
        tell_cancelling(screen, cause);
        break;
    case AJOB_RUN_ENDED:
        summary_tell(screen, event);
        break;
    case AJOB_TASK_PROGRESS:
    case AJOB_TASK_OUTPUT:
        break;
    }
}

/* ---- the heartbeat --------------------------------------------------------- */

/* "1200 of 5000 done, 3 failed, 45.2/s, ETA 1m24s; " */
static void tell_counts(const struct screen *screen, char *buffer, size_t size) {
    char of[32] = "", failed[48] = "", pace[96];
    if (screen->tasks >= 0)
        snprintf(of, sizeof of, " of %lld", (long long)screen->tasks);
    if (screen->failed > 0)
        snprintf(failed, sizeof failed, ", %llu failed", (unsigned long long)screen->failed);
    snprintf(buffer, size, "%llu%s done%s%s; ", (unsigned long long)screen_over(screen), of, failed,
             screen_pace(screen, ", ", pace));
}

/* What runs, in a line, when there was none for a while:
 * downloading 3 files, 41% of 412 MiB, 11 MiB/s: v1/a.tgz v1/b.tgz... */
void lines_heartbeat(struct screen *screen) {
    uint64_t now = screen->term.now_ms(), bytes = 0, total = 0;
    char names[HEARTBEAT_NAMES * (NAME_SIZE + 1)] = "", done[64] = "", rate[48] = "", number[32];
    char counts[256] = "";
    size_t shown = 0, moving = 0, length = 0;
    bool known = true;

    if (screen->running == 0 || !screen_is_chatty(screen) || now - screen->said_at < HEARTBEAT_MS)
        return;
    for (struct running *task = screen->oldest; task; task = task->newer) {
        screen_refresh(screen, task);
        if (shown < HEARTBEAT_NAMES) {
            length += (size_t)snprintf(names + length, sizeof names - length, "%s%s",
                                       shown ? " " : "", task->name);
            shown++;
        }
        if (!task->moves)
            continue;
        moving++;
        bytes += task->bytes;
        known = known && task->total >= 0;
        total += task->total >= 0 ? (uint64_t)task->total : 0;
    }
    if (moving > 0) {
        if (known && total > 0)
            snprintf(done, sizeof done, ", %u%% of %s",
                     (unsigned)((double)bytes * 100 / (double)total),
                     ajob_format_size(number, total));
        else
            snprintf(done, sizeof done, ", %s", ajob_format_size(number, bytes));
        snprintf(rate, sizeof rate, ", %s/s", ajob_format_size(number, rate_value(&screen->rate)));
    }
    if (screen->options.is_stream)
        tell_counts(screen, counts, sizeof counts);
    bool files = moving == screen->running;
    screen_say(screen, TONE_PLAIN, "%s%s %zu %s%s%s%s: %s%s", counts,
               files ? "downloading" : "running", screen->running, files ? "file" : "task",
               screen->running == 1 ? "" : "s", done, rate, names,
               shown < screen->running ? "..." : "");
}
