/*
 * view_bars.c - the frame of bars below the log, on a terminal. Owns the frame.
 *
 * The cursor always rests at the start of the line below the frame. A new
 * frame goes up over the old one and replaces it, with log lines above it, all
 * in one write, between the marks of a synchronized update (a private mode that
 * terminals without it ignore). No line reaches the last column, so none wraps;
 * if the window has become narrower since, terminals have wrapped the old
 * lines, and the way up is as much longer. The cursor is never hidden: there is
 * nothing to restore, however ajob ends.
 */
#include "view.h"
#include "width.h"

#include <stdio.h>
#include <string.h>

enum { WIDTH_MAX = 200, ETA_AFTER_MS = 2000, LOG_MAX = 1 << 20 };

/* One line while it is made. Text of a line never exceeds WIDTH_MAX columns. */
struct line {
    char text[NAME_SIZE * 2];
    int room; /* columns of the terminal that may be used */
};

/* Which columns there is room for. */
struct columns {
    int name, bar; /* bar 0: none */
    bool bytes, rate, eta;
};

static struct columns columns_for(int room) {
    struct columns c = {.bytes = room >= 36, .rate = room >= 56, .eta = room >= 70};
    int rest = room - 6 - (c.bytes ? 12 : 0) - (c.rate ? 14 : 0) - (c.eta ? 12 : 0);

    if (room >= 46) {
        c.bar = rest / 3 < 30 ? rest / 3 : 30;
        rest -= c.bar + 1;
    }
    c.name = rest > 1 ? rest : 1;
    return c;
}

/* ---- lines ---------------------------------------------------------------- */

static void add(struct line *line, const char *text) {
    size_t used = strlen(line->text);
    snprintf(line->text + used, sizeof line->text - used, "%s", text);
}

/* Whole seconds, as clocks show them. */
static const char *clock_text(char buffer[32], uint64_t seconds) {
    if (seconds >= 60)
        return seconds_text(buffer, (double)seconds);
    snprintf(buffer, 32, "%us", (unsigned)seconds);
    return buffer;
}

/* A text in a column: padded on its right, or on its left. */
static void add_padded(struct line *line, const char *text, int columns) {
    int width = width_of(text), pad = columns < 0 ? -columns - width : columns - width;
    size_t used = strlen(line->text);

    if (pad < 0)
        pad = 0;
    snprintf(line->text + used, sizeof line->text - used, "%*s%s%*s", columns < 0 ? pad : 0, "",
             text, columns < 0 ? 0 : pad, "");
}

static const char *ellipsis(const struct screen *screen) {
    return screen->term.utf8 ? "\xe2\x80\xa6" : "...";
}

static void add_bar(const struct screen *screen, struct line *line, int columns, double part) {
    const char *full = screen->term.utf8 ? "\xe2\x96\x88" : "#";
    const char *empty = screen->term.utf8 ? "\xe2\x96\x91" : ".";
    int filled = (int)(part * columns);

    for (int i = 0; i < columns; i++)
        add(line, i < filled ? full : empty);
}

static void add_transfer(const struct screen *screen, struct line *line, struct columns c,
                         const struct running *task, uint64_t now) {
    uint64_t rate = rate_value(&task->rate), total = task->total > 0 ? (uint64_t)task->total : 0;
    double part = total > 0 ? (double)task->bytes / (double)total : 0;
    char text[48], number[32];

    if (part > 1)
        part = 1;
    if (c.bar > 0) {
        add(line, " ");
        if (total > 0)
            add_bar(screen, line, c.bar, part);
        else
            add_padded(line, "", c.bar);
    }
    snprintf(text, sizeof text, "%d%%", (int)(part * 100));
    add(line, "  ");
    add_padded(line, total > 0 ? text : "", -4);
    if (c.bytes) {
        add(line, "  ");
        add_padded(line, ajob_format_size(number, task->bytes), -10);
    }
    if (c.rate) {
        snprintf(text, sizeof text, "%s/s", ajob_format_size(number, rate));
        add(line, "  ");
        add_padded(line, rate > 0 ? text : "", -12);
    }
    if (c.eta && rate > 0 && total > task->bytes && now - task->started_at >= ETA_AFTER_MS) {
        snprintf(text, sizeof text, "  ETA %s",
                 clock_text(number, (total - task->bytes) / rate + 1));
        add(line, text);
    }
}

static void add_task(const struct screen *screen, struct line *line, const struct running *task,
                     uint64_t now) {
    struct columns c = columns_for(line->room);
    char name[NAME_SIZE], text[64], number[32];
    uint64_t elapsed = (now - task->started_at) / 1000;

    width_fit(name, sizeof name, task->name, line->room < 16 ? line->room : c.name,
              ellipsis(screen), true);
    if (line->room < 16) {
        add(line, name);
        return;
    }
    add_padded(line, name, c.name);
    if (task->retry_at > now) {
        uint64_t delay = (task->retry_at - now + 999) / 1000;
        snprintf(text, sizeof text, "  retrying in %s", clock_text(number, delay));
        add(line, text);
    } else if (task->moves) {
        add_transfer(screen, line, c, task, now);
    } else {
        snprintf(text, sizeof text, "  %s", elapsed < 1 ? "" : clock_text(number, elapsed));
        add(line, text);
    }
}

static void add_total(const struct screen *screen, struct line *line) {
    uint64_t rate = rate_value(&screen->rate);
    char text[96], number[32];

    uint64_t over = screen_over(screen);
    snprintf(text, sizeof text, "%llu", (unsigned long long)over);
    add(line, text);
    if (screen->tasks >= 0 && (uint64_t)screen->tasks >= over + screen->running) {
        snprintf(text, sizeof text, "/%lld", (long long)screen->tasks);
        add(line, text);
    }
    add(line, " done");
    if (screen->moved > 0) {
        snprintf(text, sizeof text, "  %s", ajob_format_size(number, screen->moved));
        add(line, text);
    }
    if (rate > 0) {
        snprintf(text, sizeof text, "  %s/s", ajob_format_size(number, rate));
        add(line, text);
    }
    if (screen->failed > 0) {
        snprintf(text, sizeof text, "  %llu failed", (unsigned long long)screen->failed);
        add(line, text);
    }
    add(line, screen_pace(screen, "  ", text));
    if (screen->cancelling)
        add(line, "  cancelling");
}

/* ---- the frame ------------------------------------------------------------- */

/* Cuts the line to its room and puts it below the others. */
static void frame_add(const struct screen *screen, struct frame *frame, struct line *line) {
    char cut[sizeof line->text];
    int width = width_fit(cut, sizeof cut, line->text, line->room, ellipsis(screen), false);
    size_t length = strlen(cut);

    while (length > 0 && cut[length - 1] == ' ') {
        length--;
        width--;
    }
    bytes_printf(&frame->text, "%.*s\033[K\n", (int)length, cut);
    frame->widths[frame->lines++] = width;
    line->text[0] = '\0';
}

static void frame_make(struct screen *screen, struct frame *frame, uint64_t now) {
    struct line line = {.room = screen->term.cols - 1};
    int lines = screen->term.rows - 1 < FRAME_LINES ? screen->term.rows - 1 : FRAME_LINES;
    size_t places = lines > 1 ? (size_t)lines - 1 : 0, shown = 0;

    if (lines < 1)
        return; /* no room for a frame, only for the log */
    if (line.room > WIDTH_MAX)
        line.room = WIDTH_MAX;
    if (screen->running > places && places > 0)
        places--; /* for the line that says how many more there are */
    for (struct running *task = screen->oldest; task && shown < places; task = task->newer) {
        screen_refresh(screen, task);
        rate_sample(&task->rate, task->bytes, now);
        add_task(screen, &line, task, now);
        frame_add(screen, frame, &line);
        shown++;
    }
    if (screen->running > shown && lines > 1) {
        snprintf(line.text, sizeof line.text, "%s%zu more", shown ? "... and " : "... ",
                 screen->running - shown);
        frame_add(screen, frame, &line);
    }
    add_total(screen, &line);
    frame_add(screen, frame, &line);
}

/* Back to the start of the frame that stands there. */
static void add_way_up(const struct screen *screen, struct bytes *out) {
    int cols = screen->term.cols, up = 0;

    for (int i = 0; i < screen->frame.lines; i++) {
        int width = screen->frame.widths[i];
        up += width > cols ? (width + cols - 1) / cols : 1;
    }
    if (up >= screen->term.rows)
        up = screen->term.rows - 1;
    if (up > 0)
        bytes_printf(out, "\r\033[%dA", up);
}

static bool same_text(const struct bytes *a, const struct bytes *b) {
    return a->length == b->length && (a->length == 0 || memcmp(a->data, b->data, a->length) == 0);
}

void frame_draw(struct screen *screen) {
    uint64_t now = screen->term.now_ms();
    struct frame frame = {0};
    struct bytes out = {0};

    if (!screen->started || now < screen->frame.next_at || screen->awaits_output)
        return;
    if (!term_ready(&screen->term) && screen->log.length < LOG_MAX)
        return;
    term_measure(&screen->term);
    frame_make(screen, &frame, now);
    frame.cols = screen->term.cols;
    frame.next_at = screen->frame.next_at;
    if (screen->log.length == 0 && frame.cols == screen->frame.cols &&
        same_text(&frame.text, &screen->frame.text)) {
        bytes_done(&frame.text);
        return;
    }
    bytes_printf(&out, "\033[?2026h");
    screen_end_line(screen, &out);
    add_way_up(screen, &out);
    if (screen->log.length > 0 || frame.cols != screen->frame.cols)
        bytes_printf(&out, "\033[J");
    bytes_add(&out, screen->log.data, screen->log.length);
    bytes_add(&out, frame.text.data, frame.text.length);
    bytes_printf(&out, "\033[J\033[?2026l");
    term_write(&screen->term, out.data, out.length, false);
    screen->log.length = 0;
    bytes_done(&out);
    bytes_done(&screen->frame.text);
    screen->frame = frame;
    /* Ticks come a little early or late; counting from when the frame was due
     * keeps that from costing every second one. */
    uint64_t due = frame.next_at + VIEW_TICK_MS;
    screen->frame.next_at = due > now ? due : now;
}

void frame_erase(struct screen *screen, bool wait) {
    struct bytes out = {0};

    if (screen->frame.lines > 0) {
        term_measure(&screen->term);
        add_way_up(screen, &out);
        bytes_printf(&out, "\033[J");
        screen->frame.lines = 0;
        screen->frame.text.length = 0;
    }
    if (screen->log.length > 0)
        screen_end_line(screen, &out);
    bytes_add(&out, screen->log.data, screen->log.length);
    screen->log.length = 0;
    if (out.length > 0 || screen->term.out.length > 0)
        term_write(&screen->term, out.data, out.length, wait);
    bytes_done(&out);
}
