/*
 * output_rig.h - tasks that print what the test says, into files or pipes that the
 * test reads. On core_rig.h: the clock is the test's.
 */
#ifndef OUTPUT_RIG_H
#define OUTPUT_RIG_H

#include "core_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "exec/output.h"

enum { PRINTERS = 8, SEEN_MAX = 8 << 20 };

static struct {
    ajob_task *root;
    ajob_task *tasks[PRINTERS];
    struct output *outputs[PRINTERS];
    unsigned rooms[PRINTERS]; /* calls of has_room() */
    int fds[2];               /* for out and err */
    int read_fds[2];          /* the same file again, or the pipe's end */
    struct text seen[2];
    struct text marks; /* events: "a stdout 5:hello\n" */
} say;

static inline size_t say_index(const ajob_task *task) {
    for (size_t i = 0; i < PRINTERS; i++)
        if (say.tasks[i] == task)
            return i;
    return 0;
}

static inline void say_has_room(ajob_task *task) {
    say.rooms[say_index(task)]++;
}

static inline void say_starts(ajob_task *task, void *data) {
    (void)data;
    size_t i = say_index(task);
    say.outputs[i] = output_open(task, i == 0, say_has_room);
    CHECK(say.outputs[i] != NULL);
}

static inline void say_stops(ajob_task *task, bool hard, void *data) {
    (void)hard, (void)data;
    size_t i = say_index(task);
    if (say.outputs[i])
        output_close(say.outputs[i], true);
    output_free(say.outputs[i]);
    say.outputs[i] = NULL;
    ajob_resolve(task, "stopped");
}

static inline int say_file(int *read_fd) {
    char path[] = "/tmp/ajob-test-XXXXXX";
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    *read_fd = open(path, O_RDONLY);
    unlink(path);
    return fd;
}

static inline int say_pipe(int *read_fd) {
    int ends[2];
    CHECK_NUMBER(pipe(ends), 0);
    CHECK_NUMBER(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    *read_fd = ends[0];
    return ends[1];
}

static inline void say_listen(const ajob_event *event, void *data) {
    (void)data;
    if (event->type == AJOB_TASK_OUTPUT)
        text_format(&say.marks, "%s %s %zu:%.*s|", event->path, event->stream, event->length,
                    (int)event->length, event->text);
    if (event->type == AJOB_TASK_NOTE)
        text_format(&say.marks, "%s note:%s|", event->path, event->text);
}

/* Tasks a, b, c... in a group, on a loop without output yet. */
static inline void say_open(void) {
    signal(SIGPIPE, SIG_IGN);
    memset(&say, 0, sizeof say);
    say.seen[0].max = say.seen[1].max = say.marks.max = SEEN_MAX;
    say.read_fds[0] = say.read_fds[1] = -1;
    rig_open(0);
    CHECK_NUMBER(ajob_on_event(rig.loop, say_listen, NULL), 0);
    say.root = make_group(AJOB_SETTLED, NULL, NULL);
    for (size_t i = 0; i < PRINTERS; i++) {
        char name[] = {(char)('a' + i), '\0'};
        say.tasks[i] =
            ajob_future(rig.loop, &(ajob_future_options){.start = say_starts, .stop = say_stops});
        ajob_set_name(say.tasks[i], name);
        ajob_group_add(say.root, say.tasks[i]);
    }
}

static inline void say_start(ajob_output_options options) {
    options.out = say.fds[0];
    options.err = say.fds[1];
    if (!CHECK_NUMBER(ajob_set_output(rig.loop, &options), 0))
        printf("# %s\n", ajob_error(rig.loop));
    start_run(say.root);
}

/* With out and err in a file each. */
static inline void say_start_files(ajob_output_options options) {
    say_open();
    say.fds[0] = say_file(&say.read_fds[0]);
    say.fds[1] = say_file(&say.read_fds[1]);
    say_start(options);
}

static inline void uv_turns(void) {
    for (int i = 0; i < 4; i++)
        uv_run(rig.loop->uv, UV_RUN_NOWAIT);
}

/* All that has arrived since the last time. */
static inline const char *seen(enum output_stream stream) {
    static char buffer[1 << 16];
    ssize_t got;
    text_clear(&say.seen[stream]);
    do {
        while ((got = read(say.read_fds[stream], buffer, sizeof buffer)) > 0)
            text_add_n(&say.seen[stream], buffer, (size_t)got);
        uv_turns();
        got = read(say.read_fds[stream], buffer, sizeof buffer);
        if (got > 0)
            text_add_n(&say.seen[stream], buffer, (size_t)got);
    } while (got > 0);
    CHECK(text_ok(&say.seen[stream]));
    return text_string(&say.seen[stream]);
}

static inline const char *marks(void) {
    static char taken[1 << 18];
    snprintf(taken, sizeof taken, "%s", text_string(&say.marks));
    text_clear(&say.marks);
    return taken;
}

static inline void print(size_t i, const char *text) {
    output_add(say.outputs[i], OUTPUT_STDOUT, text, strlen(text));
}

static inline void complain(size_t i, const char *text) {
    output_add(say.outputs[i], OUTPUT_STDERR, text, strlen(text));
}

/* So many bytes, in lines of 64 bytes that tell who and which. */
static inline void print_much(size_t i, size_t size) {
    char line[80];
    for (size_t n = 0; n < size / 64; n++) {
        snprintf(line, sizeof line, "%c %-61zu\n", (char)('a' + i), n);
        output_add(say.outputs[i], OUTPUT_STDOUT, line, 64);
    }
}

/* Checks that text begins with what print_much() printed; returns what is after. */
static inline const char *check_much(size_t i, size_t size, const char *text) {
    char line[80];
    for (size_t n = 0; n < size / 64; n++, text += 64) {
        snprintf(line, sizeof line, "%c %-61zu\n", (char)('a' + i), n);
        if (!CHECK(!strncmp(text, line, 64)))
            break;
    }
    return text;
}

static inline void over(size_t i, const char *failure) {
    output_close(say.outputs[i], failure != NULL);
    output_free(say.outputs[i]);
    say.outputs[i] = NULL;
    ajob_resolve(say.tasks[i], failure);
    turn();
}

static inline void say_close(void) {
    for (size_t i = 0; i < PRINTERS; i++)
        if (say.outputs[i])
            over(i, NULL);
    uv_turns();
    rig_close();
    for (int i = 0; i < 2; i++) {
        if (say.fds[i] > 2)
            close(say.fds[i]);
        if (say.read_fds[i] >= 0)
            close(say.read_fds[i]);
        text_done(&say.seen[i]);
    }
    text_done(&say.marks);
}

#endif
