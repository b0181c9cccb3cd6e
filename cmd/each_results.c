/*
 * each_results.c - what became of each item, in files. See each_results.h.
 *
 * A status is written last, under another name first: one that is there is complete, and
 * so is what is beside it. An old one goes before the item runs again.
 */
#include "each_results.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* DIR/N, open, and made if need be. What stands there may be somebody else's: a link is
 * not followed. -1 with errno. */
static int open_directory(const struct each_results *results, const ajob_event *event) {
    const char *dir = results->run->options->results_dir;
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/%s", dir, event->path) >= (int)sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    bool is_made =
        (mkdir(dir, 0777) == 0 || errno == EEXIST) && (mkdir(path, 0777) == 0 || errno == EEXIST);
    return is_made ? open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
}

static bool write_all(int fd, const char *text, size_t length) {
    while (length) {
        ssize_t written = write(fd, text, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        text += written;
        length -= (size_t)written;
    }
    return true;
}

/* A file of its own, whatever had the name: a pipe would keep us waiting for its reader. */
static bool write_file(int dir, const char *name, const char *text, size_t length) {
    if (unlinkat(dir, name, 0) && errno != ENOENT)
        return false;
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    bool is_written = fd >= 0 && write_all(fd, text, length);
    int error = errno;
    if (fd >= 0 && close(fd) && is_written)
        return false;
    errno = error;
    return is_written;
}

static bool write_status(int dir, const ajob_event *event) {
    char line[1024];
    const char *cause = event->cause;
    if (cause && event->status == AJOB_CANCELLED && strncmp(cause, "cancelled ", 10) == 0)
        cause += 10;
    int length = snprintf(line, sizeof line - 1, "%s%s%s", ajob_status_name(event->status),
                          cause ? ": " : "", cause ? cause : "");
    if (length > (int)sizeof line - 2)
        length = (int)sizeof line - 2;
    line[length++] = '\n';
    return write_file(dir, ".status", line, (size_t)length) &&
           renameat(dir, ".status", dir, "status") == 0;
}

static bool write_end(const struct each_results *results, const ajob_event *event) {
    size_t length;
    const char *item = ajob_task_item(event->task, &length);
    int dir = open_directory(results, event);
    bool is_written =
        dir >= 0 && write_file(dir, "item", item ? item : "", length) && write_status(dir, event);
    int error = errno;
    if (dir >= 0)
        close(dir);
    errno = error;
    return is_written;
}

static bool forget(const struct each_results *results, const ajob_event *event) {
    int dir = open_directory(results, event);
    bool is_gone = dir >= 0 && (unlinkat(dir, "status", 0) == 0 || errno == ENOENT);
    int error = errno;
    if (dir >= 0)
        close(dir);
    errno = error;
    return is_gone;
}

static void heard(const ajob_event *event, void *data) {
    struct each_results *results = data;
    bool is_kept = true;
    if (event->type == AJOB_TASK_STARTED && event->attempt == 1)
        is_kept = forget(results, event);
    else if (event->type == AJOB_TASK_ENDED && event->attempts)
        is_kept = write_end(results, event);
    int error = errno;
    if (is_kept)
        return;
    if (error == ENOSPC || error == EDQUOT) /* nothing more would be kept of what may be endless */
        ajob_cancel(results->run->root, "a failure to write the results");
    if (results->has_failed)
        return;
    results->has_failed = true;
    cli_warn(results->run->command, "--results: %s/%s: cannot be written: %s",
             results->run->options->results_dir, event->path, strerror(error));
    results->run->has_lost_results = true;
}

int each_results_open(struct each_results *results, struct run *run) {
    results->run = run;
    if (ajob_on_event(run->loop, heard, results) == 0)
        return STATUS_OK;
    return cli_fail(run->command, STATUS_FAULT, "%s", ajob_error(run->loop));
}
