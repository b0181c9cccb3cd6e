/*
 * spawns COUNT JOBS CMD...: the least that running CMD COUNT times, JOBS at a time,
 * costs: vfork, exec, wait, and nothing else.
 */

#define _DEFAULT_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
    long left, running = 0, jobs;
    int status;

    if (argc < 4) {
        fputs("usage: spawns COUNT JOBS CMD...\n", stderr);
        return 2;
    }
    left = strtol(argv[1], NULL, 10);
    jobs = strtol(argv[2], NULL, 10);
    while (left || running) {
        if (left && running < jobs) {
            pid_t pid = vfork();
            if (pid == 0) {
                execvp(argv[3], argv + 3);
                _exit(127);
            }
            left--;
            running++;
            if (pid > 0)
                continue;
        }
        if (wait(&status) < 0 || status != 0)
            return 1;
        running--;
    }
    return 0;
}
