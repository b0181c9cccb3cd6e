/*
 * orphans.c - what outlived the command that started it. See orphans.h.
 *
 * Only children of ours are told anything: while we have not waited for them their
 * numbers cannot become others'. What stands below them becomes our child when they
 * go, and its turn comes then. If we had children before the run, its commands are in
 * sessions of their own, and nothing that they start can come back into ours: who is
 * in that was here before, or is no matter of the run's.
 */
#include "exec/orphans.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "core/loop.h"
#include "core/task.h"

struct pids {
    pid_t *items;
    size_t count, capacity;
};

struct orphans {
    struct ajob_loop *loop;
    struct deadline grace; /* armed once the first was told to stop */
    bool is_told, grace_is_over;
    bool has_looked;     /* and nothing has happened since */
    bool has_killed;     /* in that look */
    struct pids before;  /* our children at the beginning */
    struct pids told;    /* to stop, politely */
    struct pids skipped; /* sessions left alone */
    char mark[48];
};

/* One of our children, from /proc. */
struct orphan {
    pid_t pid, group, session;
};

static bool pids_have(const struct pids *pids, pid_t pid) {
    for (size_t i = 0; i < pids->count; i++)
        if (pids->items[i] == pid)
            return true;
    return false;
}

static bool pids_add(struct pids *pids, pid_t pid) {
    if (pids->count == pids->capacity) {
        size_t capacity = pids->capacity ? 2 * pids->capacity : 16;
        pid_t *items = mem_resize(pids->items, capacity * sizeof *items);
        if (!items)
            return false;
        pids->items = items;
        pids->capacity = capacity;
    }
    pids->items[pids->count++] = pid;
    return true;
}

/* ---- who there is ------------------------------------------------------ */

static bool has_children(void) {
    siginfo_t info;
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

/* Reads /proc/PID/NAME. Returns its length; 0: it cannot be read. */
static size_t read_proc(pid_t pid, const char *name, char *buffer, size_t size) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t length = read(fd, buffer, size - 1);
    close(fd);
    buffer[length > 0 ? length : 0] = 0;
    return length > 0 ? (size_t)length : 0;
}

/* Whether the process is a child of ours, and which. proc(5): after the name, which
 * may hold anything, come the state, parent, group and session. */
static bool read_child(pid_t pid, struct orphan *ret_orphan) {
    char stat[512];
    long parent, group, session;
    if (!read_proc(pid, "stat", stat, sizeof stat))
        return false;
    const char *rest = strrchr(stat, ')');
    if (!rest || sscanf(rest, ") %*c %ld %ld %ld", &parent, &group, &session) != 3)
        return false;
    *ret_orphan = (struct orphan){pid, (pid_t)group, (pid_t)session};
    return parent == getpid();
}

/* Calls each with every child of ours. */
static void visit_children(void (*each)(void *data, const struct orphan *orphan), void *data) {
    DIR *proc = opendir("/proc");
    struct dirent *entry;
    struct orphan orphan;
    while (proc && (entry = readdir(proc)))
        if (isdigit((unsigned char)*entry->d_name) &&
            read_child((pid_t)strtol(entry->d_name, NULL, 10), &orphan))
            each(data, &orphan);
    if (proc)
        closedir(proc);
}

/* ---- who is left alone ------------------------------------------------- */

static bool has_mark(const struct orphans *orphans, pid_t pid) {
    enum { MOST = 256 * 1024 };
    char *environment = mem_new(MOST);
    bool is_marked = false;
    size_t length = environment ? read_proc(pid, "environ", environment, MOST) : 0;
    for (size_t at = 0; at < length && !is_marked; at += strlen(environment + at) + 1)
        is_marked = !strcmp(environment + at, orphans->mark);
    mem_free(environment);
    return is_marked;
}

static bool is_anothers(const struct orphan *orphan) {
    return kill(orphan->pid, 0) < 0 && errno == EPERM;
}

bool orphans_has_company(const struct orphans *orphans) {
    return orphans->before.count > 0;
}

static bool is_left_alone(const struct orphans *orphans, const struct orphan *orphan) {
    bool may_be_theirs = orphans_has_company(orphans) && orphan->session == getsid(0);
    return may_be_theirs || is_anothers(orphan) || pids_have(&orphans->before, orphan->pid) ||
           pids_have(&orphans->skipped, orphan->session) || has_mark(orphans, orphan->pid);
}

const char *orphans_mark(const struct orphans *orphans) {
    return orphans->mark;
}

/* Without memory for it, it is stopped after all. */
void orphans_leave_session(struct orphans *orphans, pid_t session) {
    (void)pids_add(&orphans->skipped, session);
}

/* ---- stopping them ----------------------------------------------------- */

struct sweep {
    struct orphans *orphans;
    bool kills, has_found;
};

/* What is in its group outlived the same command. */
static void signal_orphan(const struct orphan *orphan, int number) {
    kill(orphan->pid, number);
    if (orphan->group > 1)
        kill(-orphan->group, number);
}

static void stop_orphan(void *data, const struct orphan *orphan) {
    struct sweep *sweep = data;
    struct orphans *orphans = sweep->orphans;
    if (is_left_alone(orphans, orphan))
        return;
    sweep->has_found = true;
    if (sweep->kills) {
        signal_orphan(orphan, SIGKILL);
    } else if (!pids_have(&orphans->told, orphan->pid) && pids_add(&orphans->told, orphan->pid)) {
        signal_orphan(orphan, SIGTERM);
        signal_orphan(orphan, SIGCONT);
    }
}

bool orphans_are_gone(struct orphans *orphans, bool is_hard) {
    struct ajob_loop *loop = orphans->loop;
    struct sweep sweep = {orphans, is_hard || orphans->grace_is_over, false};
    if (orphans->has_looked && sweep.kills == orphans->has_killed)
        return false;
    if (!has_children())
        return true;
    visit_children(stop_orphan, &sweep);
    orphans->has_looked = true;
    orphans->has_killed = sweep.kills;
    if (sweep.has_found && !orphans->is_told)
        deadline_arm(&loop->deadlines, &orphans->grace, loop_due_ms(loop, loop->grace_ms));
    orphans->is_told = true;
    return !sweep.has_found;
}

void orphans_may_have_changed(struct orphans *orphans) {
    orphans->has_looked = false;
}

/* ---- making and freeing ------------------------------------------------ */

static void grace_is_over(struct deadline *deadline) {
    struct orphans *orphans =
        (struct orphans *)((char *)deadline - offsetof(struct orphans, grace));
    orphans->grace_is_over = true;
}

static void remember(void *data, const struct orphan *orphan) {
    struct orphans *orphans = data;
    (void)pids_add(&orphans->before, orphan->pid);
}

struct orphans *orphans_new(struct ajob_loop *loop) {
    struct orphans *orphans = mem_new(sizeof *orphans);
    if (!orphans || !deadline_init(&loop->deadlines, &orphans->grace, grace_is_over))
        return mem_free(orphans);
    orphans->loop = loop;
    snprintf(orphans->mark, sizeof orphans->mark, "AJOB_LEFT_ALONE=%d", (int)getpid());
    if (has_children())
        visit_children(remember, orphans);
    return orphans;
}

void orphans_free(struct orphans *orphans) {
    if (!orphans)
        return;
    deadline_done(&orphans->loop->deadlines, &orphans->grace);
    mem_free(orphans->before.items);
    mem_free(orphans->told.items);
    mem_free(orphans->skipped.items);
    mem_free(orphans);
}
