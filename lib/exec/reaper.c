/* reaper.c - our child processes. See reaper.h for what may be signalled when. */
#include "exec/reaper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "core/loop.h"
#include "core/task.h"
#include "exec/launch.h"
#include "exec/orphans.h"

static const char key;

/* ---- groups ------------------------------------------------------------ */

bool reaper_group_lives(const struct reaper *reaper, const struct child *child) {
    siginfo_t info;
    if (!reaper->adopts)
        return kill(-child->pid, 0) == 0 || errno == EPERM;
    return waitid(P_PGID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

bool reaper_signal(struct reaper *reaper, struct child *child, int number) {
    if (child->has_ended && !reaper_group_lives(reaper, child))
        return false;
    return kill(-child->pid, number) == 0;
}

/* ---- who has ended ----------------------------------------------------- */

static void child_ended(struct reaper *reaper, struct child *child, int status) {
    HASH_DEL(reaper->running, child);
    child->has_ended = true;
    child->previous = NULL;
    child->next = reaper->ended;
    if (child->next)
        child->next->previous = child;
    reaper->ended = child;
    child->ended(child, status);
}

static pid_t wait_for(pid_t pid, int *ret_status) {
    pid_t waited;
    do
        waited = waitpid(pid, ret_status, WNOHANG);
    while (waited < 0 && errno == EINTR);
    return waited;
}

/* All children are ours: one call for each that has ended, however many there are. */
static void reap_any(struct reaper *reaper) {
    struct child *child;
    int status;
    pid_t pid;
    while ((pid = wait_for(-1, &status)) > 0) {
        HASH_FIND_INT(reaper->running, &pid, child);
        if (child)
            child_ended(reaper, child, status);
        else if (pid == reaper->watchdog.pid)
            watchdog_has_ended(&reaper->watchdog);
    }
}

static void reap_known(struct reaper *reaper) {
    struct child *child, *next;
    int status;
    HASH_ITER(hh, reaper->running, child, next) {
        if (wait_for(child->pid, &status) > 0)
            child_ended(reaper, child, status);
    }
}

static void children_ended(uv_signal_t *handle, int number) {
    struct reaper *reaper = handle->data;
    (void)number;
    if (reaper->loop->owns_children)
        reap_any(reaper);
    else
        reap_known(reaper);
    for (struct child *child = reaper->ended, *next; child; child = next) {
        next = child->next;
        child->group_changed(child);
    }
    queue_retry(&reaper->queue);
    if (reaper->orphans)
        orphans_may_have_changed(reaper->orphans);
}

/* ---- the table --------------------------------------------------------- */

bool reaper_add(struct reaper *reaper, struct child *child) {
    HASH_ADD_INT(reaper->running, pid, child);
    return table_has(child);
}

void reaper_remove(struct reaper *reaper, struct child *child) {
    if (!child->has_ended)
        HASH_DEL(reaper->running, child);
    else if (child->previous)
        child->previous->next = child->next;
    else
        reaper->ended = child->next;
    if (child->has_ended && child->next)
        child->next->previous = child->previous;
    watchdog_give_back(&reaper->watchdog, child->place);
    child->place = NULL;
}

/* ---- the run ----------------------------------------------------------- */

static void begin_adopting(struct reaper *reaper) {
#ifdef PR_SET_CHILD_SUBREAPER
    int before = 0;
    prctl(PR_GET_CHILD_SUBREAPER, &before);
    reaper->adopted_before = before;
    reaper->adopts = prctl(PR_SET_CHILD_SUBREAPER, 1) == 0;
#else
    (void)reaper;
#endif
}

static void end_adopting(struct reaper *reaper) {
#ifdef PR_SET_CHILD_SUBREAPER
    if (reaper->adopts && !reaper->adopted_before)
        prctl(PR_SET_CHILD_SUBREAPER, 0);
#endif
    reaper->adopts = false;
}

/* From a terminal that we have no command can read, nor change it, in a session of
 * its own: it is told so at once, where it would be stopped otherwise. And what had
 * been started by who has become us is told by its session from what our commands
 * leave behind. Else a process group is enough: a session costs twice as much where
 * the kernel makes a group of the scheduler's of each (sched(7), autogroup). */
static bool needs_sessions(const struct reaper *reaper) {
    int terminal = open("/dev/tty", O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    bool has_terminal = terminal >= 0 || errno != ENXIO;
    if (terminal >= 0)
        close(terminal);
    return has_terminal || (reaper->orphans && orphans_has_company(reaper->orphans));
}

static void note_ignored_signals(sigset_t *ret_ignored) {
    sigemptyset(ret_ignored);
    for (int number = 1; number < LAUNCH_SIGNALS; number++) {
        struct sigaction action;
        if (sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
            sigaddset(ret_ignored, number);
    }
}

static bool open_handle(struct reaper *reaper) {
    if (reaper->is_open)
        return true;
    if (uv_signal_init(reaper->loop->uv, &reaper->signal))
        return false;
    reaper->signal.data = reaper;
    uv_unref((uv_handle_t *)&reaper->signal);
    loop_handle_opened(reaper->loop);
    reaper->is_open = true;
    return true;
}

bool reaper_begin(struct reaper *reaper) {
    if (reaper->is_watching) {
        if (reaper->orphans)
            watchdog_start(&reaper->watchdog); /* again, should it have been killed */
        return true;
    }
    if (!open_handle(reaper) || uv_signal_start(&reaper->signal, children_ended, SIGCHLD))
        return false;
    if (reaper->loop->owns_children) {
        reaper->orphans = orphans_new(reaper->loop);
        if (!reaper->orphans) {
            uv_signal_stop(&reaper->signal);
            return false;
        }
        begin_adopting(reaper);
        watchdog_start(&reaper->watchdog);
    }
    reaper->uses_sessions = needs_sessions(reaper);
    note_ignored_signals(&reaper->ignored);
    reaper->is_watching = true;
    return true;
}

static void end_run(struct reaper *reaper) {
    end_adopting(reaper);
    watchdog_stop(&reaper->watchdog);
    reaper->orphans = (orphans_free(reaper->orphans), NULL);
    queue_end_run(&reaper->queue);
    uv_signal_stop(&reaper->signal);
    reaper->is_watching = false;
}

/* No command is left: the watchdog has nothing to watch, and is no orphan. */
static bool sweep(struct loop_module *module, bool is_hard) {
    struct reaper *reaper = (struct reaper *)module;
    if (!reaper->is_watching)
        return true;
    if (reaper->adopts) {
        watchdog_stop(&reaper->watchdog);
        reap_any(reaper);
        if (!orphans_are_gone(reaper->orphans, is_hard))
            return false;
    }
    end_run(reaper);
    return true;
}

static void suspend(struct loop_module *module, bool is_stopping) {
    struct reaper *reaper = (struct reaper *)module;
    int number = is_stopping ? SIGSTOP : SIGCONT;
    for (struct child *child = reaper->running; child; child = child->hh.next)
        reaper_signal(reaper, child, number);
    for (struct child *child = reaper->ended; child; child = child->next)
        reaper_signal(reaper, child, number);
}

/* ---- making and closing ------------------------------------------------ */

static void handle_closed(uv_handle_t *handle) {
    struct reaper *reaper = handle->data;
    loop_handle_closed(reaper->loop);
}

static void close_module(struct loop_module *module) {
    struct reaper *reaper = (struct reaper *)module;
    if (reaper->is_watching)
        end_run(reaper);
    if (reaper->is_open)
        uv_close((uv_handle_t *)&reaper->signal, handle_closed);
    reaper->is_open = false;
}

static void free_module(struct loop_module *module) {
    struct reaper *reaper = (struct reaper *)module;
    queue_done(&reaper->queue);
    HASH_CLEAR(hh, reaper->running);
    mem_free(reaper);
}

struct reaper *reaper_of(struct ajob_loop *loop) {
    struct reaper *reaper = (struct reaper *)loop_module(loop, &key, sizeof *reaper, free_module);
    if (!reaper || reaper->is_ready)
        return reaper;
    reaper->loop = loop;
    reaper->module.close = close_module;
    reaper->module.suspend = suspend;
    reaper->module.sweep = sweep;
    reaper->is_ready = queue_init(&reaper->queue, reaper);
    if (reaper->is_ready)
        return reaper;
    loop_fail_memory(loop);
    return NULL;
}
