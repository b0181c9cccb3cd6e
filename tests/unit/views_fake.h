/*
 * views_fake.h - what test_views.c stands on: a loop whose events are made by
 * hand, a clock that is a variable, a screen that is a pipe or a
 * pseudo-terminal, and a small emulator of the terminal behind it.
 */
#ifndef VIEWS_FAKE_H
#define VIEWS_FAKE_H

#include "../../cmd/view.h"
#include "../../cmd/width.h"

#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static FILE *tap; /* stdout is also a thing under test */
static int failures;
static bool failed;

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(tap, "# %s:%d: %s\n", __FILE__, __LINE__, #condition);                         \
            failed = true;                                                                         \
        }                                                                                          \
    } while (0)
#define CHECK_TEXT(actual, expected) check_text(__FILE__, __LINE__, actual, expected)

static inline void print_text(const char *text) {
    for (const char *c = text; *c != '\0'; c++)
        fprintf(tap, *c == '\n' ? "\n# " : *c < ' ' && *c >= 0 ? "\\x%02x" : "%c", *c);
}

static inline void check_text(const char *file, int line, const char *actual,
                              const char *expected) {
    if (strcmp(actual, expected) == 0)
        return;
    failed = true;
    fprintf(tap, "# %s:%d: is\n# ", file, line);
    print_text(actual);
    fprintf(tap, "\n# and should be\n# ");
    print_text(expected);
    fputc('\n', tap);
}

static int tests;

#define TEST(name)                                                                                 \
    do {                                                                                           \
        failed = false;                                                                            \
        name();                                                                                    \
        fprintf(tap, "%sok %d %s\n", failed ? "not " : "", ++tests, #name);                        \
        failures += failed;                                                                        \
    } while (0)

/* A known environment, and an alarm for what would block. */
static inline void begin(void) {
    static const char *const unset[] = {"CI",       "GITHUB_ACTIONS", "TEAMCITY_VERSION",
                                        "NO_COLOR", "CLICOLOR_FORCE", "BUILD_NUMBER"};
    for (size_t i = 0; i < sizeof unset / sizeof unset[0]; i++)
        unsetenv(unset[i]);
    setenv("TERM", "xterm", 1);
    setenv("LC_ALL", "C.UTF-8", 1);
    signal(SIGPIPE, SIG_IGN);
    alarm(60);
    tap = fdopen(dup(STDOUT_FILENO), "w");
    setvbuf(tap, NULL, _IOLBF, 0);
}

static inline int finish(void) {
    fprintf(tap, "1..%d\n", tests);
    fclose(tap);
    return failures > 0;
}

/* ---- the library, as far as views see it ----------------------------------- */

struct ajob_task {
    const char *path;
    ajob_task *parent;
    bool group, moves, is_cancelled;
    const char *kind; /* NULL: a command */
    const char *item; /* or NULL */
    uint64_t bytes;
    int64_t total;
};

struct ajob_loop {
    ajob_event_fn *event;
    ajob_tick_fn *tick;
    void *data;
};

static ajob_loop loop;
static uint64_t clock_ms;
static char cancelled_by[64];
static ajob_task *cancelled_task;
static ajob_task root = {.path = "", .group = true};

static inline uint64_t virtual_clock(void) {
    return clock_ms;
}

int ajob_on_event(ajob_loop *on, ajob_event_fn *listener, void *data) {
    on->event = listener;
    on->data = data;
    return 0;
}
int ajob_every(ajob_loop *on, uint64_t interval_ms, ajob_tick_fn *tick, void *data) {
    on->tick = tick;
    return interval_ms == 100 && data == on->data ? 0 : -1;
}
bool ajob_task_progress(const ajob_task *task, uint64_t *bytes, int64_t *total) {
    *bytes = task->bytes;
    *total = task->total;
    return task->moves;
}
bool ajob_task_is_group(const ajob_task *task) {
    return task->group;
}
void ajob_on_dump(ajob_loop *on, ajob_dump_fn *line, void *data) {
    (void)on, (void)line, (void)data;
}
char *ajob_hide_secrets(char *text) {
    return text;
}
const char *ajob_task_kind(const ajob_task *task) {
    return task->kind ? task->kind : "exec";
}
const char *ajob_task_name(const ajob_task *task) {
    return ajob_task_kind(task);
}
const char *ajob_status_name(enum ajob_status status) {
    static const char *const names[] = {
#define AJOB_X(name, text) text,
        AJOB_STATUSES(AJOB_X)
#undef AJOB_X
    };
    return names[status];
}
static uint64_t done_before;
uint64_t ajob_done_before(const ajob_loop *on) {
    (void)on;
    return done_before;
}
const char *ajob_task_item(const ajob_task *task, size_t *length) {
    *length = task->item ? strlen(task->item) : 0;
    return task->item;
}
ajob_task *ajob_task_parent(const ajob_task *task) {
    return task->parent;
}
enum ajob_status ajob_task_status(const ajob_task *task) {
    return task->is_cancelled ? AJOB_CANCELLED : AJOB_UNDECIDED;
}
void ajob_cancel(ajob_task *task, const char *by) {
    task->is_cancelled = true;
    cancelled_task = task;
    snprintf(cancelled_by, sizeof cancelled_by, "%s", by);
}
const ajob_field *ajob_event_field(const ajob_event *event, const char *name) {
    for (size_t i = 0; i < event->field_count; i++) {
        if (strcmp(event->fields[i].name, name) == 0)
            return &event->fields[i];
    }
    return NULL;
}
const char *ajob_format_size(char buffer[32], uint64_t size) {
    double mebi = (double)size / (1 << 20);
    if (size < 1 << 20)
        snprintf(buffer, 32, "%llu B", (unsigned long long)size);
    else
        snprintf(buffer, 32, mebi < 100 ? "%.1f MiB" : "%.0f MiB", mebi);
    return buffer;
}
const char *ajob_escape(char *buffer, size_t size, const char *text) {
    size_t used = 0;
    for (; *text != '\0' && used + 5 < size; text++)
        used += (size_t)snprintf(buffer + used, size - used,
                                 (*text & 0xe0) == 0 || *text == 127 ? "\\x%02x" : "%c",
                                 (unsigned char)*text);
    buffer[used] = '\0';
    return buffer;
}
const char *ajob_event_json(ajob_loop *on, const ajob_event *event, size_t *length) {
    static char line[256];
    (void)on;
    *length = (size_t)snprintf(line, sizeof line, "{\"event\":%d,\"task\":\"%s\"}\n", event->type,
                               event->path ? event->path : "");
    return line;
}

/* ---- events ----------------------------------------------------------------- */

static inline void emit(ajob_event event) {
    if (event.task)
        event.path = event.task->path;
    loop.event(&event, loop.data);
}
static inline void run_starts(int64_t tasks) {
    emit((ajob_event){.type = AJOB_RUN_STARTED, .tasks = tasks});
}
static inline void starts(ajob_task *task) {
    if (!task->parent)
        task->parent = &root;
    emit((ajob_event){.type = AJOB_TASK_STARTED, .task = task, .attempt = 1});
}
static inline void ends(const ajob_task *task, enum ajob_status status, const char *cause) {
    emit((ajob_event){
        .type = AJOB_TASK_ENDED, .task = task, .status = status, .cause = cause, .duration = 1.2});
}
static inline void downloads(const ajob_task *task, int64_t bytes, bool up_to_date,
                             int64_t resumed) {
    ajob_field fields[] = {
        {"path", AJOB_FIELD_TEXT, "out/a", 0},
        {"bytes", AJOB_FIELD_NUMBER, NULL, bytes},
        {"sha256", AJOB_FIELD_TEXT, "00ff", 0},
        {"verified", AJOB_FIELD_BOOL, NULL, 1},
        {"up_to_date", AJOB_FIELD_BOOL, NULL, up_to_date},
        {"resumed_from", AJOB_FIELD_NUMBER, NULL, resumed},
    };
    emit((ajob_event){.type = AJOB_TASK_ENDED,
                      .task = task,
                      .status = AJOB_SUCCEEDED,
                      .duration = 1.2,
                      .fields = fields,
                      .field_count = sizeof fields / sizeof fields[0]});
}
static inline void run_ends(enum ajob_status status, uint64_t succeeded, uint64_t failed_count,
                            uint64_t cancelled) {
    uint64_t counts[AJOB_STATUS_COUNT] = {0};
    counts[AJOB_SUCCEEDED] = succeeded;
    counts[AJOB_FAILED] = failed_count;
    counts[AJOB_CANCELLED] = cancelled;
    emit((ajob_event){.type = AJOB_RUN_ENDED, .status = status, .duration = 8.1, .counts = counts});
}
static inline void tick(uint64_t ms) {
    clock_ms += ms;
    loop.tick(loop.data);
}

/* ---- screens ----------------------------------------------------------------- */

static int reader, writer; /* what the view writes to, and the other end */
static struct view *view;
static char raw[1 << 20]; /* what take() read */

static inline const char *take(void) {
    size_t used = 0;
    ssize_t n;
    while ((n = read(reader, raw + used, sizeof raw - 1 - used)) > 0)
        used += (size_t)n;
    raw[used] = '\0';
    return raw;
}
static inline void open_view(int r, int w, struct view_options options) {
    reader = r;
    writer = w;
    fcntl(reader, F_SETFL, O_NONBLOCK);
    clock_ms = 1000000;
    options.command = "download";
    view = view_open_on(&loop, &options, writer, virtual_clock);
    CHECK(view != NULL);
}
static inline void open_lines(struct view_options options) {
    int ends_of_pipe[2] = {-1, -1};
    CHECK(pipe(ends_of_pipe) == 0);
    open_view(ends_of_pipe[0], ends_of_pipe[1], options);
}
static inline void resize(int cols, int rows) {
    struct winsize size = {.ws_col = (unsigned short)cols, .ws_row = (unsigned short)rows};
    CHECK(ioctl(writer, TIOCSWINSZ, &size) == 0);
}
static inline void open_bars(int cols, int rows, struct view_options options) {
    struct termios mode;
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    CHECK(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    CHECK(slave >= 0 && tcgetattr(slave, &mode) == 0);
    mode.c_oflag &= ~(tcflag_t)OPOST;
    tcsetattr(slave, TCSANOW, &mode);
    open_view(master, slave, options);
    resize(cols, rows);
}
static inline void close_view(void) {
    CHECK(view_close(view) == 0);
    close(reader);
    close(writer);
}

/* The emulator: what the views use of a terminal, which is little. A character
 * of several bytes stands in the grid as '#', or '.' for the light block. */
static struct {
    int cols, rows, x, y;
    bool wrapped;
    char grid[64][256];
} screen;

static inline void screen_reset(int cols, int rows) {
    memset(&screen, 0, sizeof screen);
    screen.cols = cols;
    screen.rows = rows;
    memset(screen.grid, ' ', sizeof screen.grid);
}
static inline void screen_newline(void) {
    screen.x = 0;
    if (++screen.y < screen.rows)
        return;
    screen.y--;
    memmove(screen.grid[0], screen.grid[1], sizeof screen.grid[0] * (size_t)(screen.rows - 1));
    memset(screen.grid[screen.y], ' ', sizeof screen.grid[0]);
}
static inline const char *screen_sequence(const char *s) {
    int number = 0;
    while (*s == '?' || (*s >= '0' && *s <= '9'))
        number = *s == '?' ? 0 : number * 10 + (*s - '0'), s++;
    if (*s == 'A')
        screen.y = screen.y > number ? screen.y - number : 0;
    if (*s == 'K' || *s == 'J')
        memset(screen.grid[screen.y] + screen.x, ' ', (size_t)(256 - screen.x));
    for (int y = screen.y + 1; *s == 'J' && y < screen.rows; y++)
        memset(screen.grid[y], ' ', sizeof screen.grid[0]);
    return s + 1;
}
static inline void screen_feed(const char *s) {
    while (*s != '\0') {
        int columns;
        size_t length = width_next(s, &columns);
        if (s[0] == '\033' && s[1] == '[') {
            s = screen_sequence(s + 2);
            continue;
        }
        if (*s == '\n') {
            screen_newline();
        } else if (*s == '\r') {
            screen.x = 0;
        } else {
            if (screen.x + columns > screen.cols) {
                screen.wrapped = true;
                screen_newline();
            }
            for (int i = 0; i < columns; i++)
                screen.grid[screen.y][screen.x++] = length == 1                          ? *s
                                                    : strncmp(s, "\xe2\x96\x91", 3) == 0 ? '.'
                                                                                         : '#';
        }
        s += length;
    }
}
/* All lines above the cursor, without the spaces at their ends. */
static inline const char *screen_text(void) {
    static char text[64 * 256];
    size_t used = 0;
    for (int y = 0; y < screen.y; y++) {
        int last = 255;
        while (last >= 0 && screen.grid[y][last] == ' ')
            last--;
        memcpy(text + used, screen.grid[y], (size_t)last + 1);
        used += (size_t)last + 1;
        text[used++] = '\n';
    }
    text[used] = '\0';
    return text;
}
static inline int count_of(const char *text, const char *what) {
    int n = 0;
    while ((text = strstr(text, what)) != NULL)
        n++, text++;
    return n;
}

#endif
