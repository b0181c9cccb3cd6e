/*
 * watchdog.c - a process that outlives us for a moment. See watchdog.h.
 *
 * It is forked once in a run, waits in a process group of its own for the end of a pipe
 * that we alone hold, and then kills the groups that it finds in the shared table.
 * Writing a group there is one store, so that a command costs nothing more. SIGKILL
 * at once: who killed us so did not ask politely either.
 */
#include "exec/watchdog.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

#include "base/mem.h"

enum { PLACES = 1 << 18, TABLE_SIZE = PLACES * sizeof(int32_t), FEW_FILES = 65536 };

/* ---- in the watchdog --------------------------------------------------- */

static void close_from(int first) {
#if defined __linux__ && defined SYS_close_range
    if (syscall(SYS_close_range, (unsigned)first, ~0U, 0U) == 0)
        return;
#endif
    for (int fd = first; fd < FEW_FILES; fd++)
        close(fd);
}

static void kill_groups(volatile const int32_t *groups) {
    for (uint32_t i = 0; i < PLACES; i++)
        if (groups[i] > 1)
            kill(-groups[i], SIGKILL);
}

__attribute__((noreturn)) static void watch(int pipe, volatile const int32_t *groups) {
    sigset_t all;
    char byte;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    setpgid(0, 0); /* not a session: see needs_sessions() in reaper.c */
#ifdef __linux__
    prctl(PR_SET_NAME, "ajob-watchdog");
#endif
    if (dup2(pipe, 0) == 0) {
        close_from(1);
        (void)!chdir("/");
        while (read(0, &byte, 1) < 0 && errno == EINTR)
            continue;
        kill_groups(groups);
    }
    _exit(0);
}

/* ---- in us ------------------------------------------------------------- */

static bool open_table(struct watchdog *watchdog) {
    if (watchdog->groups)
        return true;
    void *table = mmap(NULL, TABLE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (table == MAP_FAILED)
        return false;
    watchdog->groups = table;
    return true;
}

bool watchdog_start(struct watchdog *watchdog) {
    int ends[2];
    if (watchdog->pid)
        return true;
    if (!open_table(watchdog) || pipe(ends) < 0)
        return false;
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    /* Its signals are blocked from the beginning: ours must not run in it. */
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    if (pid == 0)
        watch(ends[0], watchdog->groups);
    sigprocmask(SIG_SETMASK, &before, NULL);
    close(ends[0]);
    if (pid < 0) {
        close(ends[1]);
        return false;
    }
    /* By both: who kills our group before it has run once must not reach it. */
    setpgid(pid, pid);
    watchdog->pid = pid;
    watchdog->pipe = ends[1];
    return true;
}

volatile int32_t *watchdog_place(struct watchdog *watchdog) {
    if (!watchdog->pid)
        return NULL;
    if (watchdog->free_count)
        return &watchdog->groups[watchdog->free_places[--watchdog->free_count]];
    return watchdog->used < PLACES ? &watchdog->groups[watchdog->used++] : NULL;
}

/* Without memory for the stack the place is not used again. */
void watchdog_give_back(struct watchdog *watchdog, volatile int32_t *place) {
    if (!place || !watchdog->groups)
        return;
    *place = 0;
    if (watchdog->free_count == watchdog->free_capacity) {
        uint32_t capacity = watchdog->free_capacity ? 2 * watchdog->free_capacity : 64;
        uint32_t *places =
            mem_resize(watchdog->free_places, capacity * sizeof *watchdog->free_places);
        if (!places)
            return;
        watchdog->free_places = places;
        watchdog->free_capacity = capacity;
    }
    watchdog->free_places[watchdog->free_count++] = (uint32_t)(place - watchdog->groups);
}

void watchdog_has_ended(struct watchdog *watchdog) {
    if (watchdog->pid)
        close(watchdog->pipe);
    watchdog->pid = 0;
}

void watchdog_stop(struct watchdog *watchdog) {
    pid_t pid = watchdog->pid;
    if (pid) {
        kill(pid, SIGKILL);
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    watchdog_has_ended(watchdog);
    if (watchdog->groups)
        munmap((void *)watchdog->groups, TABLE_SIZE);
    watchdog->groups = NULL;
    watchdog->free_places = mem_free(watchdog->free_places);
    watchdog->used = watchdog->free_count = watchdog->free_capacity = 0;
}
