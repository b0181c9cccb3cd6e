/* process.c - one attempt of a command. See process.h. */
#include "exec/process.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "core/loop.h"
#include "exec/orphans.h"

enum { WATCH_MS = 5, DRAIN_MS = 2000, LOOK_MS = 20, KILLED_MS = 1000 };

enum process_state { WAITING, RUNNING, DRAINING, CLEARING, OVER };

struct process {
    struct waiter waiter; /* in the queue, while WAITING */
    struct child child;
    struct reaper *reaper;
    const struct spawn *spawn;
    const struct process_owner *owner;
    void *data;
    struct pipes pipes;
    struct deadline deadline; /* running: its pipes are to be watched; draining: its end;
                               * clearing: the grace's end, or to look again */
    uint64_t grace_end_ms;    /* meaningful while clearing */
    struct process_end end;
    char *lack;    /* while WAITING: of what there is too little */
    uint8_t state; /* enum process_state */
    bool leaves_leftovers;
    bool has_exited, is_due, stop_wanted, kill_wanted;
    bool was_asked, was_killed; /* its group, by a signal */
};

static void step(struct process *process);

/* The handles of its pipes go later than it does. */
static void free_if_unused(struct process *process) {
    if (process->state == OVER && !process->pipes.handles)
        mem_free(process);
}

/* ---- its life ---------------------------------------------------------- */

static void go_to(struct process *process, enum process_state state) {
    assert(state > process->state);
    process->state = (uint8_t)state;
    process->is_due = false;
    deadline_disarm(&process->reaper->loop->deadlines, &process->deadline);
}

static void arm(struct process *process, uint64_t delay_ms) {
    struct ajob_loop *loop = process->reaper->loop;
    deadline_arm(&loop->deadlines, &process->deadline, loop_due_ms(loop, delay_ms));
}

/* What it prints is read as it comes. */
static void watch_output(struct process *process) {
    if (pipes_watch(&process->pipes))
        return;
    if (!process->end.failure)
        process->end.failure = text_new("its output cannot be read: out of memory or files");
    process->kill_wanted = true;
}

/* Passes on what it was told, each once. Stopped processes act on it, too. */
static void tell_group(struct process *process) {
    if (process->kill_wanted && !process->was_killed) {
        process->was_killed = true;
        reaper_signal(process->reaper, &process->child, SIGKILL);
    } else if (process->stop_wanted && !process->was_asked) {
        process->was_asked = true;
        reaper_signal(process->reaper, &process->child, SIGTERM);
        reaper_signal(process->reaper, &process->child, SIGCONT);
    }
}

/* Told to stop, what is still in its pipes' hands has left its group: that ends later
 * than the command, and has no say in when it does. */
static bool is_drained(const struct process *process) {
    bool is_over = process->kill_wanted || (process->is_due && !pipes_are_full(&process->pipes));
    return is_over || !pipes_print(&process->pipes) ||
           (process->stop_wanted && !reaper_group_lives(process->reaper, &process->child));
}

static void begin_draining(struct process *process) {
    go_to(process, DRAINING);
    pipes_read_now(&process->pipes);
    pipes_close(&process->pipes, SPAWN_EXTRA);
    if (!is_drained(process)) {
        watch_output(process);
        arm(process, DRAIN_MS);
    }
}

static void begin_clearing(struct process *process) {
    if (pipes_print(&process->pipes))
        pipes_read_now(&process->pipes);
    pipes_close_all(&process->pipes);
    go_to(process, CLEARING);
    process->grace_end_ms = loop_due_ms(process->reaper->loop, process->reaper->loop->grace_ms);
}

/* Where orphans do not become our children nobody says when one has ended. */
static void look_again(struct process *process) {
    struct ajob_loop *loop = process->reaper->loop;
    uint64_t look_at_ms = loop_due_ms(loop, LOOK_MS);
    bool is_told = process->reaper->adopts;
    uint64_t at_ms =
        is_told || process->grace_end_ms < look_at_ms ? process->grace_end_ms : look_at_ms;
    if (process->was_killed)
        at_ms = is_told ? 0 : look_at_ms;
    if (at_ms)
        deadline_arm(&loop->deadlines, &process->deadline, at_ms);
}

/* Nothing is left in its group. */
static bool is_cleared(struct process *process) {
    uint64_t now_ms = loop_now_ms(process->reaper->loop);
    bool is_killed_long_ago = process->was_killed && !process->reaper->adopts &&
                              now_ms >= process->grace_end_ms + KILLED_MS;
    if (process->leaves_leftovers) {
        if (process->reaper->orphans && reaper_group_lives(process->reaper, &process->child))
            orphans_leave_session(process->reaper->orphans, process->child.pid);
        return true;
    }
    if (is_killed_long_ago || !reaper_group_lives(process->reaper, &process->child))
        return true;
    process->stop_wanted = true;
    if (now_ms >= process->grace_end_ms)
        process->kill_wanted = true;
    tell_group(process);
    look_again(process);
    /* What has become another user's cannot be stopped, and is not waited for. */
    return process->was_killed && !reaper_signal(process->reaper, &process->child, 0);
}

static void report_end(struct process *process) {
    if (process->child.pid)
        reaper_remove(process->reaper, &process->child);
    queue_remove(&process->reaper->queue, &process->waiter);
    deadline_done(&process->reaper->loop->deadlines, &process->deadline);
    process->lack = mem_free(process->lack);
    process->owner->over(process->data, process->end);
    free_if_unused(process);
}

static void step(struct process *process) {
    for (;;) {
        switch ((enum process_state)process->state) {
        case WAITING:
            if (!process->stop_wanted && !process->kill_wanted && !process->end.failure)
                return; /* the queue tries, and gives up */
            go_to(process, OVER);
            report_end(process);
            return;
        case RUNNING:
            tell_group(process);
            if (!process->has_exited)
                return;
            begin_draining(process);
            break;
        case DRAINING:
            tell_group(process);
            if (!is_drained(process))
                return;
            begin_clearing(process);
            break;
        case CLEARING:
            if (!is_cleared(process))
                return;
            go_to(process, OVER);
            report_end(process);
            return;
        case OVER:
            return;
        }
    }
}

/* ---- facts ------------------------------------------------------------- */

static struct process *of_pipes(struct pipes *pipes) {
    return (struct process *)((char *)pipes - offsetof(struct process, pipes));
}

static void pipe_closed(struct pipes *pipes) {
    step(of_pipes(pipes));
}

static void pipes_gone(struct pipes *pipes) {
    free_if_unused(of_pipes(pipes));
}

void process_read_on(struct process *process) {
    pipes_read_on(&process->pipes);
    if (process->state == DRAINING)
        pipes_read_now(&process->pipes);
    step(process);
}

static struct process *of_child(struct child *child) {
    return (struct process *)((char *)child - offsetof(struct process, child));
}

static void leader_ended(struct child *child, int status) {
    struct process *process = of_child(child);
    process->has_exited = true;
    process->end.exit = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    process->end.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    if (process->owner->exited)
        process->owner->exited(process->data);
    step(process);
}

static void group_changed(struct child *child) {
    struct process *process = of_child(child);
    if (process->state >= DRAINING)
        step(process);
}

static void deadline_is_due(struct deadline *deadline) {
    struct process *process =
        (struct process *)((char *)deadline - offsetof(struct process, deadline));
    process->is_due = true;
    if (process->state == RUNNING)
        watch_output(process);
    step(process);
}

void process_stop(struct process *process, enum stop_how how) {
    process->stop_wanted = true;
    process->kill_wanted = process->kill_wanted || how == STOP_HARD;
    step(process);
}

int process_pid(const struct process *process) {
    return process->child.pid;
}

/* ---- the start --------------------------------------------------------- */

static void begin_running(struct process *process, const struct spawned *spawned) {
    process->end.has_started = true;
    go_to(process, RUNNING);
    pipes_open(&process->pipes, spawned);
    if (pipes_may_wait(&process->pipes))
        arm(process, WATCH_MS);
    else
        watch_output(process);
    if (process->owner->started)
        process->owner->started(process->data);
    step(process);
}

/* It is not in the table: nobody would hear of its end. */
static enum spawn_verdict undo(struct process *process, const struct spawned *spawned,
                               struct spawn_failure *ret_failure) {
    kill(-spawned->pid, SIGKILL);
    while (waitpid(spawned->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    for (int i = 0; i < SPAWN_PIPES; i++)
        if (spawned->pipes[i] >= 0)
            close(spawned->pipes[i]);
    process->child.pid = 0;
    *ret_failure = (struct spawn_failure){-1, text_new("cannot be started: out of memory")};
    return SPAWN_FAILED;
}

static enum spawn_verdict try_to_spawn(struct process *process, struct spawn_failure *ret_failure) {
    struct reaper *reaper = process->reaper;
    struct spawn_room room;
    struct spawned spawned;
    enum spawn_verdict verdict;
    *ret_failure = (struct spawn_failure){-1, NULL};
    if (!reaper_begin(reaper) || !queue_room(&reaper->queue, &room)) {
        ret_failure->cause = text_new("cannot be started: out of memory or files");
        return SPAWN_LATER;
    }
    process->child.place = watchdog_place(&reaper->watchdog);
    room.registered = process->child.place;
    room.has_session = reaper->uses_sessions || process->leaves_leftovers;
    room.ignored = reaper->loop->owns_children ? &reaper->ignored : NULL;
    room.mark = process->leaves_leftovers && reaper->orphans ? orphans_mark(reaper->orphans) : NULL;
    do {
        ret_failure->cause = mem_free(ret_failure->cause);
        verdict = spawn_try(process->spawn, &room, &spawned, ret_failure);
    } while (verdict == SPAWN_LATER && queue_raise_files(&reaper->queue));
    if (verdict == SPAWN_DONE) {
        process->child.pid = spawned.pid;
        if (reaper_add(reaper, &process->child))
            begin_running(process, &spawned);
        else
            verdict = undo(process, &spawned, ret_failure);
    }
    if (verdict != SPAWN_DONE) {
        watchdog_give_back(&reaper->watchdog, process->child.place);
        process->child.place = NULL;
    }
    return verdict;
}

static void fail(struct process *process, struct spawn_failure failure) {
    process->end.failure = failure.cause ? failure.cause : mem_copy("out of memory");
    process->end.exit = failure.exit;
}

static struct process *of_waiter(struct waiter *waiter) {
    return (struct process *)((char *)waiter - offsetof(struct process, waiter));
}

static bool try_again(struct waiter *waiter) {
    struct process *process = of_waiter(waiter);
    struct spawn_failure failure;
    enum spawn_verdict verdict = try_to_spawn(process, &failure);
    if (verdict == SPAWN_LATER) {
        mem_free(process->lack);
        process->lack = failure.cause;
        return false;
    }
    queue_remove(&process->reaper->queue, waiter);
    if (verdict == SPAWN_FAILED) {
        fail(process, failure);
        step(process);
    }
    return true;
}

/* One that only stood behind others is tried once, to know what it lacks. */
static void give_up(struct waiter *waiter) {
    struct process *process = of_waiter(waiter);
    if (!process->lack && try_again(waiter))
        return;
    fail(process, (struct spawn_failure){-1, process->lack});
    process->lack = NULL;
    step(process);
}

bool process_start(struct reaper *reaper, const struct spawn *spawn, bool leaves_leftovers,
                   const struct process_owner *owner, void *data, struct process **ret_process,
                   struct process_end *ret_end) {
    struct spawn_failure failure = {-1, NULL};
    struct process *process = mem_new(sizeof *process);
    enum spawn_verdict verdict = SPAWN_FAILED;
    if (!process || !deadline_init(&reaper->loop->deadlines, &process->deadline, deadline_is_due)) {
        mem_free(process);
        *ret_end = (struct process_end){.exit = -1, .failure = mem_copy("out of memory")};
        return false;
    }
    process->waiter = (struct waiter){.try = try_again, .give_up = give_up};
    process->child = (struct child){.ended = leader_ended, .group_changed = group_changed};
    process->pipes = (struct pipes){.queue = &reaper->queue,
                                    .reader = &owner->reader,
                                    .data = data,
                                    .closed = pipe_closed,
                                    .gone = pipes_gone};
    process->reaper = reaper;
    process->spawn = spawn;
    process->leaves_leftovers = leaves_leftovers;
    process->owner = owner;
    process->data = data;
    process->end.exit = -1;
    verdict = reaper->queue.first ? SPAWN_LATER : try_to_spawn(process, &failure);
    if (verdict == SPAWN_FAILED) {
        fail(process, failure);
        *ret_end = process->end;
        deadline_done(&reaper->loop->deadlines, &process->deadline);
        mem_free(process);
        return false;
    }
    process->lack = failure.cause;
    if (verdict == SPAWN_LATER)
        queue_add(&reaper->queue, &process->waiter);
    *ret_process = process;
    return true;
}
