/*
 * view_actions.c - what GitHub Actions is told of a run. See view_actions.h.
 *
 * Names and causes come from outside. Each of the four places has its own way to be
 * tricked: an annotation is a line that begins with "::" and ends at a newline; a table is
 * Markdown, where anything that is no letter may mean something; an output ends where its
 * delimiter stands, so that is drawn at random. What is escaped for a terminal is escaped
 * once more for the place.
 *
 * Rows are kept until the end, for the failures are to stand first and the runner drops a
 * summary of more than 1 MiB as a whole. So they have a limit, and what is beyond it is
 * counted.
 */
#include "view_actions.h"

#include "view.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    ANNOTATIONS_MOST = 9, /* the runner shows ten of a step */
    ROWS_MOST = 448 * 1024,
    SUMMARY_MOST = 1024 * 1024,
    OUTPUT_MOST = 1024 * 1024,
    DELIMITER_BYTES = 16,
};

/* Lines, some of which may have been left out. */
struct rows {
    struct bytes text;
    uint64_t left_out;
};

struct table {
    struct rows failed, others;
};

/* Texts, each with its NUL. */
struct texts {
    struct bytes all;
    size_t count;
    bool is_cut;    /* there were more */
    bool has_unfit; /* one that is no line was left out */
};

struct actions {
    struct actions_options options;
    uint64_t failures; /* that were to be annotated */
    char annotation[3 * NAME_SIZE];
    char line[512]; /* the last one, of the run */
    struct table files, tasks;
    struct texts paths, tags;
};

bool actions_around(void) {
    const char *value = getenv("GITHUB_ACTIONS");
    return value && strcmp(value, "true") == 0;
}

struct actions *actions_open(const struct actions_options *options) {
    struct actions *actions = calloc(1, sizeof *actions);
    if (actions)
        actions->options = *options;
    return actions;
}

/* ---- annotations ----------------------------------------------------------- */

/* As the runner reads data of a command: "%", CR and LF are not themselves in it. */
static const char *annotate(struct actions *actions, const char *text) {
    char *buffer = actions->annotation;
    size_t size = sizeof actions->annotation;
    size_t used =
        (size_t)snprintf(buffer, size, "::error title=ajob %s::", actions->options.command);
    for (; *text && used + 4 < size; text++) {
        if (*text == '%' || *text == '\r' || *text == '\n')
            used += (size_t)snprintf(buffer + used, size - used, "%%%02X", (unsigned)*text);
        else
            buffer[used++] = *text;
    }
    buffer[used] = '\0';
    return buffer;
}

const char *actions_annotation(struct actions *actions, const char *text) {
    return ++actions->failures > ANNOTATIONS_MOST ? NULL : annotate(actions, text);
}

const char *actions_last_annotation(struct actions *actions) {
    char text[64];
    if (actions->failures <= ANNOTATIONS_MOST)
        return NULL;
    snprintf(text, sizeof text, "%" PRIu64 " more failed: the log names them",
             actions->failures - ANNOTATIONS_MOST);
    return annotate(actions, text);
}

/* ---- rows ------------------------------------------------------------------ */

/* Escaped as for a terminal, and then for Markdown: a numeric reference is never more
 * than the character that it stands for. */
static void add_markdown(struct bytes *row, const char *text) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                " ./,-+=()%";
    char safe[NAME_SIZE];
    ajob_escape(safe, sizeof safe, text);
    for (const char *at = safe; *at; at++) {
        bool is_host = *at == '.' && at - safe >= 3 && strncasecmp(at - 3, "www", 3) == 0;
        if (!is_host && (*at & 0x80 || strchr(plain, *at)))
            bytes_add(row, at, 1);
        else
            bytes_printf(row, "&#%d;", *at);
    }
}

static void add_row(struct rows *rows, const struct bytes *row) {
    if (rows->text.length + row->length > ROWS_MOST ||
        !bytes_add(&rows->text, row->data, row->length))
        rows->left_out++;
}

static const ajob_field *field_of(const ajob_event *event, const char *name) {
    const ajob_field *field = ajob_event_field(event, name);
    return field && field->type != AJOB_FIELD_NULL ? field : NULL;
}

static void add_digest(struct bytes *row, const ajob_event *event) {
    static const char *const digests[] = {"sha256", "sha512", "sha1", "md5"};
    const ajob_field *verified = field_of(event, "verified");
    for (size_t i = 0; i < sizeof digests / sizeof digests[0]; i++) {
        const ajob_field *digest = field_of(event, digests[i]);
        if (!digest)
            continue;
        bytes_printf(row, "<code>%s:", digests[i]);
        add_markdown(row, digest->text);
        bytes_printf(row, "</code>");
        break;
    }
    bytes_printf(row, " | ");
    if (event->status != AJOB_SUCCEEDED)
        return;
    if (verified && verified->type == AJOB_FIELD_TEXT)
        add_markdown(row, verified->text);
    else
        bytes_printf(row, "%s", verified && verified->number ? "yes" : "no");
}

/* "1.2s", "up to date", "**failed**: HTTP 404 (Not Found)". */
static void add_result(struct bytes *row, const ajob_event *event) {
    const ajob_field *up_to_date = field_of(event, "up_to_date");
    const ajob_field *resumed = field_of(event, "resumed_from");
    char text[32];
    if (event->status != AJOB_SUCCEEDED) {
        bytes_printf(row, "**%s**: ", ajob_status_name(event->status));
        add_markdown(row, event->cause ? event->cause : "");
    } else if (up_to_date && up_to_date->number) {
        bytes_printf(row, "up to date");
    } else {
        bytes_printf(row, "%s", seconds_text(text, event->duration));
        if (resumed && resumed->number > 0)
            bytes_printf(row, ", resumed at %s", ajob_format_size(text, (uint64_t)resumed->number));
    }
}

/* | name | size | digest | verified | result | */
static void add_file(struct bytes *row, const ajob_event *event) {
    const ajob_field *bytes = field_of(event, "bytes");
    char size[32];
    bytes_printf(row, " | ");
    if (bytes && event->status == AJOB_SUCCEEDED)
        bytes_printf(row, "%s", ajob_format_size(size, (uint64_t)bytes->number));
    bytes_printf(row, " | ");
    add_digest(row, event);
    bytes_printf(row, " | ");
    add_result(row, event);
}

/* | name | status | time | cause | */
static void add_task(struct bytes *row, const ajob_event *event) {
    bool is_done_before = field_of(event, "resumed") != NULL;
    char time[32];
    const char *status = ajob_status_name(event->status);
    if (event->status == AJOB_FAILED || event->status == AJOB_TIMED_OUT)
        bytes_printf(row, " | **%s**", status);
    else
        bytes_printf(row, " | %s", is_done_before ? "done before" : status);
    bytes_printf(row, " | %s | ", seconds_text(time, event->duration));
    add_markdown(row, event->cause ? event->cause : "");
}

static bool is_download(const ajob_event *event) {
    return strcmp(ajob_task_kind(event->task), "get") == 0;
}

static void note_row(struct actions *actions, const ajob_event *event) {
    bool is_file = is_download(event);
    struct table *table = is_file ? &actions->files : &actions->tasks;
    bool has_failed = event->status == AJOB_FAILED || event->status == AJOB_TIMED_OUT;
    struct bytes row = {0};
    bytes_printf(&row, "| ");
    add_markdown(&row, event->path ? event->path : "");
    if (is_file)
        add_file(&row, event);
    else
        add_task(&row, event);
    bytes_printf(&row, " |\n");
    add_row(has_failed ? &table->failed : &table->others, &row);
    bytes_done(&row);
}

/* ---- outputs --------------------------------------------------------------- */

static bool has_text(const struct texts *texts, const char *text) {
    const char *at = texts->all.data, *end = at + texts->all.length;
    for (; at && at < end; at += strlen(at) + 1)
        if (strcmp(at, text) == 0)
            return true;
    return false;
}

static bool is_line(const char *text) {
    while (*text && !iscntrl((unsigned char)*text))
        text++;
    return !*text;
}

/* Those who read the output take it apart at its lines. */
static void add_text(struct texts *texts, const char *text) {
    size_t size = strlen(text) + 1;
    if (!is_line(text))
        texts->has_unfit = true;
    else if (texts->all.length + size > OUTPUT_MOST || !bytes_add(&texts->all, text, size))
        texts->is_cut = true;
    else
        texts->count++;
}

static void note_outputs(struct actions *actions, const ajob_event *event) {
    const ajob_field *path = field_of(event, "path");
    const ajob_task *parent = ajob_task_parent(event->task);
    if (event->status == AJOB_SUCCEEDED && path)
        add_text(&actions->paths, path->text);
    if (actions->options.has_tags && parent) {
        const char *tag = ajob_task_name(parent);
        if (*tag && !has_text(&actions->tags, tag))
            add_text(&actions->tags, tag);
    }
}

void actions_event(struct actions *actions, const ajob_event *event, bool is_news) {
    if (event->type != AJOB_TASK_ENDED || !is_news || actions->options.writes_nothing)
        return;
    note_row(actions, event);
    if (actions->options.has_outputs && is_download(event))
        note_outputs(actions, event);
}

void actions_sum_up(struct actions *actions, const char *line) {
    snprintf(actions->line, sizeof actions->line, "%s", line);
}

/* ---- the files ------------------------------------------------------------- */

static void complain(const struct actions *actions, const char *variable, const char *why) {
    char safe[NAME_SIZE];
    const char *path = getenv(variable);
    fprintf(stderr, "ajob: %s: %s: %s: %s\n", actions->options.command, variable,
            ajob_escape(safe, sizeof safe, path ? path : ""), why);
}

/* Opens the file that the variable names, to add to it; -1: there is none, or it cannot
 * be, which was told then. */
static int open_file(const struct actions *actions, const char *variable) {
    const char *path = getenv(variable);
    if (!path || !*path)
        return -1;
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0666);
    if (fd < 0)
        complain(actions, variable, strerror(errno));
    return fd;
}

static void write_file(const struct actions *actions, const char *variable, int fd,
                       const struct bytes *text) {
    size_t done = 0;
    int error = 0;
    while (done < text->length && !error) {
        ssize_t length = write(fd, text->data + done, text->length - done);
        if (length > 0)
            done += (size_t)length;
        else if (length == 0 || errno != EINTR)
            error = length == 0 ? EIO : errno;
    }
    if (close(fd) != 0 && !error)
        error = errno;
    if (error)
        complain(actions, variable, strerror(error));
}

/* As many whole lines as there is room for. Adds those that there is none for. */
static void add_lines(struct bytes *text, const struct bytes *lines, size_t room,
                      uint64_t *left_out) {
    size_t length = lines->length;
    if (length > room) {
        const char *end = room ? memrchr(lines->data, '\n', room) : NULL;
        length = end ? (size_t)(end - lines->data) + 1 : 0;
    }
    bytes_add(text, lines->data, length);
    for (const char *at = lines->data; length < lines->length; length++)
        *left_out += at[length] == '\n';
}

static void add_table(struct bytes *text, const struct table *table, const char *header,
                      size_t room) {
    uint64_t left_out = table->failed.left_out + table->others.left_out;
    size_t end = text->length + room;
    if (table->failed.text.length + table->others.text.length + left_out == 0)
        return;
    bytes_printf(text, "\n%s", header);
    add_lines(text, &table->failed.text, end > text->length ? end - text->length : 0, &left_out);
    add_lines(text, &table->others.text, end > text->length ? end - text->length : 0, &left_out);
    if (left_out)
        bytes_printf(text, "\nand %" PRIu64 " more\n", left_out);
}

static void write_summary(const struct actions *actions) {
    static const char variable[] = "GITHUB_STEP_SUMMARY";
    static const char files[] = "| file | size | digest | verified | result |\n"
                                "|---|--:|---|---|---|\n";
    static const char tasks[] = "| task | status | time | cause |\n|---|---|--:|---|\n";
    enum { SLACK = 1024 }; /* for headers and counts */
    struct stat about;
    struct bytes text = {0};
    int fd = open_file(actions, variable);
    if (fd < 0)
        return;
    uint64_t there = fstat(fd, &about) == 0 && about.st_size > 0 ? (uint64_t)about.st_size : 0;
    if (there + 2 * SLACK > SUMMARY_MOST) {
        complain(actions, variable, "is full: the runner takes no more than 1 MiB");
        close(fd);
        return;
    }
    size_t room = SUMMARY_MOST - (size_t)there - SLACK;
    bytes_printf(&text, "### ajob %s%s", actions->options.command, *actions->line ? ": " : "");
    add_markdown(&text, actions->line);
    bytes_printf(&text, "\n");
    add_table(&text, &actions->files, files, room - text.length);
    size_t left = room > text.length ? room - text.length : 0;
    add_table(&text, &actions->tasks, tasks, left);
    bytes_printf(&text, "\n");
    write_file(actions, variable, fd, &text);
    bytes_done(&text);
}

static int compare(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The texts as lines, in an order that does not depend on which came first. */
static void add_sorted(struct bytes *lines, const struct texts *texts) {
    const char **sorted = calloc(texts->count + 1, sizeof *sorted);
    const char *at = texts->all.data;
    for (size_t i = 0; sorted && i < texts->count; i++, at += strlen(at) + 1)
        sorted[i] = at;
    if (sorted)
        qsort(sorted, texts->count, sizeof *sorted, compare);
    for (size_t i = 0; sorted && i < texts->count; i++)
        bytes_printf(lines, "%s\n", sorted[i]);
    free(sorted);
}

/* NAME<<DELIMITER, the texts, DELIMITER. False if no delimiter could be drawn. */
static bool add_output(struct bytes *text, const char *name, const struct texts *texts) {
    unsigned char drawn[DELIMITER_BYTES];
    char delimiter[2 * DELIMITER_BYTES + sizeof "ajob_"] = "ajob_";
    struct bytes lines = {0};
    add_sorted(&lines, texts);
    do { /* once, that is, unless the impossible happens */
        if (getentropy(drawn, sizeof drawn) != 0) {
            bytes_done(&lines);
            return false;
        }
        for (size_t i = 0; i < sizeof drawn; i++)
            snprintf(delimiter + 5 + 2 * i, 3, "%02x", drawn[i]);
    } while (lines.length && memmem(lines.data, lines.length, delimiter, strlen(delimiter)));
    bytes_printf(text, "%s<<%s\n", name, delimiter);
    bytes_add(text, lines.data, lines.length);
    bytes_printf(text, "%s\n", delimiter);
    bytes_done(&lines);
    return true;
}

static void write_outputs(const struct actions *actions) {
    static const char variable[] = "GITHUB_OUTPUT";
    const struct texts *tags = &actions->tags;
    struct bytes text = {0};
    int fd = open_file(actions, variable);
    if (fd < 0)
        return;
    bool is_whole = !actions->paths.is_cut && add_output(&text, "paths", &actions->paths);
    if (tags->count > 0 && !tags->is_cut)
        is_whole = add_output(&text, tags->count == 1 ? "tag" : "tags", tags) && is_whole;
    if (!actions->paths.is_cut)
        bytes_printf(&text, "count=%zu\n", actions->paths.count);
    if (!is_whole)
        complain(actions, variable, "has no paths: they are more than 1 MiB");
    if (actions->paths.has_unfit || tags->has_unfit)
        complain(actions, variable, "lacks a path or tag: it has a control character in it");
    write_file(actions, variable, fd, &text);
    bytes_done(&text);
}

static void table_done(struct table *table) {
    bytes_done(&table->failed.text);
    bytes_done(&table->others.text);
}

void actions_close(struct actions *actions) {
    if (!actions)
        return;
    if (!actions->options.writes_nothing)
        write_summary(actions);
    if (!actions->options.writes_nothing && actions->options.has_outputs)
        write_outputs(actions);
    table_done(&actions->files);
    table_done(&actions->tasks);
    bytes_done(&actions->paths.all);
    bytes_done(&actions->tags.all);
    free(actions);
}
