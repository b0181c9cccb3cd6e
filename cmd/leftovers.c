/* leftovers.c - debug builds prove that a run leaves nothing behind. See leftovers.h. */
#include "leftovers.h"

#ifdef AJOB_DEBUG

#include "ajob.h"

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WATCHED = 1024 };

static bool was_open[WATCHED];
static bool had_children; /* the program that became ajob left it some */

/* Calls see for every open descriptor; where there is no /proc, for none. */
static void each_descriptor(void (*see)(int fd)) {
    DIR *dir = opendir("/proc/self/fd");
    const struct dirent *entry;
    while (dir && (entry = readdir(dir))) {
        int fd = (int)strtol(entry->d_name, NULL, 10);
        if (entry->d_name[0] != '.' && fd != dirfd(dir) && fd < WATCHED)
            see(fd);
    }
    if (dir)
        closedir(dir);
}

static void remember(int fd) {
    was_open[fd] = true;
}

static void complain(int fd) {
    char link[64], target[PATH_MAX];
    if (was_open[fd])
        return;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, target, sizeof target - 1);
    target[length < 0 ? 0 : length] = '\0';
    fprintf(stderr, "ajob: left open: descriptor %d: %s\n", fd, target);
    abort();
}

static bool has_children(void) {
    siginfo_t info;
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

void leftovers_begin(void) {
    had_children = has_children();
    /* libuv keeps a pipe of its own for good. Where AJOB_FAULT wants this to fail, it does
     * so once. */
    ajob_loop *loop = ajob_loop_new(NULL);
    ajob_loop_free(loop ? loop : ajob_loop_new(NULL));
    each_descriptor(remember);
}

void leftovers_check(void) {
    each_descriptor(complain);
    if (!had_children && has_children()) {
        fprintf(stderr, "ajob: a child process is left\n");
        abort();
    }
}

#else

void leftovers_begin(void) {
}

void leftovers_check(void) {
}

#endif
