/*
 * measure [-n COUNT] REPORT CMD...: run CMD COUNT times, one after the other, and
 * write what that cost to the file REPORT:
 *
 *     wall-seconds user-seconds sys-seconds peak-rss status
 *
 * Not done in the driver itself: the kernel's peak RSS of a process includes
 * what the forked child of its parent held before exec, which is small here
 * and many MiB in an interpreter; and what a start costs is told by many of them.
 */

#define _DEFAULT_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(void) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double of_timeval(struct timeval tv) {
    return (double)tv.tv_sec + (double)tv.tv_usec / 1e6;
}

/* 0 and the status of CMD, or 1 if it cannot be run. */
static int run(char **argv, int *ret_status) {
    pid_t pid = vfork();
    if (pid == 0) {
        execvp(argv[0], argv);
        _exit(127);
    }
    return pid < 0 || waitpid(pid, ret_status, 0) < 0;
}

int main(int argc, char **argv) {
    struct rusage usage;
    double began;
    long count = 1;
    int status = 0;
    FILE *report;

    if (argc > 3 && strcmp(argv[1], "-n") == 0) {
        count = strtol(argv[2], NULL, 10);
        argc -= 2;
        argv += 2;
    }
    if (argc < 3) {
        fputs("usage: measure [-n COUNT] REPORT CMD...\n", stderr);
        return 2;
    }
    began = seconds();
    for (long i = 0; i < count && status == 0; i++) {
        if (run(argv + 2, &status)) {
            perror(argv[2]);
            return 1;
        }
    }
    began = seconds() - began;
    getrusage(RUSAGE_CHILDREN, &usage);
    report = fopen(argv[1], "w");
    if (!report) {
        perror(argv[1]);
        return 1;
    }
    fprintf(report, "%.6f %.6f %.6f %ld %d\n", began, of_timeval(usage.ru_utime),
            of_timeval(usage.ru_stime), usage.ru_maxrss,
            WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    return fclose(report) ? 1 : 0;
}
