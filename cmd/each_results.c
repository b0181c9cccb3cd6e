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

/* DIR/N/name. False: it does not fit. */
static bool path_of(const struct each_results *results, const ajob_event *event, const char *name,
                    char path[PATH_MAX]) {
    int length =
        snprintf(path, PATH_MAX, "%s/%s/%s", results->run->options->results_dir, event->path, name);
    if (length < PATH_MAX)
        return true;
    errno = ENAMETOOLONG;
    return false;
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

static bool write_file(const char *path, const char *text, size_t length) {
    int fd =
        open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK,
             0666); /* a FIFO there would be waited for without an end */
    bool is_written = fd >= 0 && write_all(fd, text, length);
    int error = errno;
    if (fd >= 0 && close(fd) && is_written)
        return false;
    errno = error;
    return is_written;
}

/* Not a link to one, which may lead anywhere; path ends with a slash, which would. */
static bool is_directory(char *path) {
    struct stat about;
    path[strlen(path) - 1] = '\0';
    if (lstat(path, &about))
        return false;
    errno = S_ISLNK(about.st_mode) ? ELOOP : ENOTDIR;
    return S_ISDIR(about.st_mode);
}

static bool make_directories(const struct each_results *results, const ajob_event *event) {
    char path[PATH_MAX];
    const char *dir = results->run->options->results_dir;
    return path_of(results, event, "", path) && (mkdir(dir, 0777) == 0 || errno == EEXIST) &&
           (mkdir(path, 0777) == 0 || errno == EEXIST) && is_directory(path);
}

static bool write_status(const struct each_results *results, const ajob_event *event) {
    char path[PATH_MAX], made[PATH_MAX], line[1024];
    const char *cause = event->cause;
    if (cause && event->status == AJOB_CANCELLED && strncmp(cause, "cancelled ", 10) == 0)
        cause += 10;
    int length = snprintf(line, sizeof line - 1, "%s%s%s", ajob_status_name(event->status),
                          cause ? ": " : "", cause ? cause : "");
    if (length > (int)sizeof line - 2)
        length = (int)sizeof line - 2;
    line[length++] = '\n';
    return path_of(results, event, "status", path) && path_of(results, event, ".status", made) &&
           write_file(made, line, (size_t)length) && rename(made, path) == 0;
}

static bool write_end(const struct each_results *results, const ajob_event *event) {
    char path[PATH_MAX];
    size_t length;
    const char *item = ajob_task_item(event->task, &length);
    return make_directories(results, event) && path_of(results, event, "item", path) &&
           write_file(path, item ? item : "", length) && write_status(results, event);
}

static bool forget(const struct each_results *results, const ajob_event *event) {
    char path[PATH_MAX];
    return make_directories(results, event) && path_of(results, event, "status", path) &&
           (unlink(path) == 0 || errno == ENOENT);
}

static void heard(const ajob_event *event, void *data) {
    struct each_results *results = data;
    bool is_kept = true;
    if (event->type == AJOB_TASK_STARTED && event->attempt == 1)
        is_kept = forget(results, event);
    else if (event->type == AJOB_TASK_ENDED && event->attempts)
        is_kept = write_end(results, event);
    if (is_kept || results->has_failed)
        return;
    results->has_failed = true;
    cli_warn(results->run->command, "--results: %s/%s: cannot be written: %s",
             results->run->options->results_dir, event->path, strerror(errno));
    results->run->has_lost_results = true;
}

int each_results_open(struct each_results *results, struct run *run) {
    results->run = run;
    if (ajob_on_event(run->loop, heard, results) == 0)
        return STATUS_OK;
    return cli_fail(run->command, STATUS_FAULT, "%s", ajob_error(run->loop));
}
