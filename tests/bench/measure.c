/*
 * measure REPORT CMD...: run CMD, write what it cost to the file REPORT:
 *
 *     wall-seconds user-seconds sys-seconds peak-rss status
 *
 * Not done in the driver itself: the kernel's peak RSS of a process includes
 * what the forked child of its parent held before exec, which is small here
 * and many MiB in an interpreter.
 */

#define _DEFAULT_SOURCE
#include <stdio.h>
#include <stdlib.h>
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

int main(int argc, char **argv) {
    struct rusage usage;
    double began;
    pid_t pid;
    int status;
    FILE *report;

    if (argc < 3) {
        fputs("usage: measure REPORT CMD...\n", stderr);
        return 2;
    }
    began = seconds();
    pid = fork();
    if (pid == 0) {
        execvp(argv[2], argv + 2);
        perror(argv[2]);
        _exit(127);
    }
    if (pid < 0 || wait4(pid, &status, 0, &usage) < 0) {
        perror("measure");
        return 1;
    }
    began = seconds() - began;
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
