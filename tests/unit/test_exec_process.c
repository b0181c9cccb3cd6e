/*
 * test_exec_process.c - one attempt of a command, in every order of what can happen.
 *
 * process.c with a system around it that is the test's: no process, no pipe, no time
 * but what a random walk says. What must hold whatever comes: it is over once, not
 * before its leader was waited for and its group is empty (or left alone), nothing is
 * signalled that may be another's by then, and it does end.
 */
#define process_start tested_process_start
#define process_stop tested_process_stop
#define process_read_on tested_process_read_on
#define process_pid tested_process_pid
#define spawn_try fake_spawn_try
#define queue_room fake_queue_room
#define queue_raise_files fake_queue_raise_files
#define queue_add fake_queue_add
#define queue_remove fake_queue_remove
#define reaper_begin fake_reaper_begin
#define reaper_add fake_reaper_add
#define reaper_remove fake_reaper_remove
#define reaper_signal fake_reaper_signal
#define reaper_group_lives fake_reaper_group_lives
#define pipes_open fake_pipes_open
#define pipes_watch fake_pipes_watch
#define pipes_may_wait fake_pipes_may_wait
#define pipes_print fake_pipes_print
#define pipes_are_full fake_pipes_are_full
#define pipes_read_on fake_pipes_read_on
#define pipes_read_now fake_pipes_read_now
#define pipes_close fake_pipes_close
#define pipes_close_all fake_pipes_close_all

#include "../../lib/exec/process.c"

#include "core_rig.h"

enum { LEADER_PID = 4242, GRACE_MS = 5000 };

/* What the system is like. */
static struct {
    struct reaper reaper;
    struct process *process;
    bool leader_lives, leader_is_waited_for;
    bool member_lives; /* another one in the group */
    bool is_held;      /* somebody outside the group has its pipes */
    bool is_full;      /* nobody reads what it prints */
    bool are_closed;   /* our ends of the pipes */
    bool are_watched;  /* so that what comes is read, and their end is told */
    bool is_urgent;    /* what is printed is to be read as it comes */
    bool is_unreadable;
    bool is_deaf;  /* to SIGTERM: leader and member */
    bool has_room; /* for a process */
    unsigned terms, continues, kills, overs;
    struct process_end end;
} world;

static bool group_is_empty(void) {
    return world.leader_is_waited_for && !world.member_lives;
}

/* ---- the system --------------------------------------------------------- */

enum spawn_verdict spawn_try(const struct spawn *spawn, const struct spawn_room *room,
                             struct spawned *ret_spawned, struct spawn_failure *ret_failure) {
    (void)spawn, (void)room;
    *ret_failure = (struct spawn_failure){-1, NULL};
    *ret_spawned = (struct spawned){.pid = LEADER_PID, .pipes = {-1, -1, -1}};
    world.leader_lives = world.has_room;
    return world.has_room ? SPAWN_DONE : SPAWN_LATER;
}

bool queue_room(struct queue *queue, struct spawn_room *ret_room) {
    (void)queue;
    *ret_room = (struct spawn_room){.nothing = -1};
    return true;
}

bool queue_raise_files(struct queue *queue) {
    (void)queue;
    return false;
}

void queue_add(struct queue *queue, struct waiter *waiter) {
    (void)queue;
    waiter->is_waiting = true;
}

void queue_remove(struct queue *queue, struct waiter *waiter) {
    (void)queue;
    waiter->is_waiting = false;
}

bool reaper_begin(struct reaper *reaper) {
    (void)reaper;
    return true;
}

bool reaper_add(struct reaper *reaper, struct child *child) {
    (void)reaper, (void)child;
    return true;
}

void reaper_remove(struct reaper *reaper, struct child *child) {
    (void)reaper, (void)child;
    CHECK(world.leader_is_waited_for);
}

bool reaper_signal(struct reaper *reaper, struct child *child, int number) {
    (void)reaper;
    CHECK_NUMBER(child->pid, LEADER_PID);
    if (group_is_empty())
        return false; /* the reaper asks first: see reaper_group_lives() */
    world.terms += number == SIGTERM;
    world.continues += number == SIGCONT;
    world.kills += number == SIGKILL;
    if (number == SIGKILL || (number == SIGTERM && !world.is_deaf))
        world.leader_lives = world.member_lives = false;
    return true;
}

bool reaper_group_lives(const struct reaper *reaper, const struct child *child) {
    (void)reaper, (void)child;
    return !group_is_empty();
}

void pipes_open(struct pipes *pipes, const struct spawned *spawned) {
    (void)pipes, (void)spawned;
    world.are_closed = world.are_watched = false;
}

bool pipes_may_wait(const struct pipes *pipes) {
    (void)pipes;
    return !world.is_urgent;
}

bool pipes_watch(struct pipes *pipes) {
    (void)pipes;
    CHECK(!world.are_closed);
    world.are_watched = true;
    return !world.is_unreadable;
}

bool pipes_print(const struct pipes *pipes) {
    (void)pipes;
    bool is_open = world.leader_lives || world.member_lives || world.is_held;
    return is_open && !world.are_closed;
}

bool pipes_are_full(const struct pipes *pipes) {
    (void)pipes;
    return world.is_full;
}

void pipes_read_on(struct pipes *pipes) {
    (void)pipes;
}

void pipes_read_now(struct pipes *pipes) {
    (void)pipes;
    CHECK(!world.are_closed);
}

void pipes_close(struct pipes *pipes, enum spawn_pipe pipe) {
    (void)pipes, (void)pipe;
}

void pipes_close_all(struct pipes *pipes) {
    (void)pipes;
    world.are_closed = true;
}

/* ---- the owner ------------------------------------------------------------ */

static void over(void *owner, struct process_end end) {
    (void)owner;
    CHECK_NUMBER(++world.overs, 1);
    CHECK(!end.has_started || world.leader_is_waited_for);
    CHECK(!end.has_started || group_is_empty() || world.process->leaves_leftovers);
    CHECK(end.has_started || !world.leader_lives);
    world.end = end;
    world.process = NULL;
}

static const struct process_owner owner = {.over = over};

static void begin(bool leaves_leftovers) {
    static const struct spawn spawn;
    struct process_end end;
    rig_open(GRACE_MS);
    world.reaper.loop = rig.loop;
    rig.loop->root = (struct ajob_task *)&world; /* deadlines fire in a run only */
    CHECK(
        process_start(&world.reaper, &spawn, leaves_leftovers, &owner, NULL, &world.process, &end));
}

static void end(void) {
    CHECK_NUMBER(world.overs, 1);
    CHECK_NUMBER(rig.loop->deadlines.count, 0);
    rig.loop->root = NULL;
    mem_free(world.end.failure);
    rig_close();
}

/* ---- what can happen ---------------------------------------------------------- */

static void time_passes(uint64_t ms) {
    rig.now_ns += ms * 1000000;
    deadline_fire(&rig.loop->deadlines, rig.now_ns / 1000000);
}

/* The leader has gone: by a signal, or by itself if it lives. */
static void leader_ends(int status) {
    if (!world.process || world.process->state == WAITING || world.leader_is_waited_for)
        return;
    world.leader_lives = false;
    world.leader_is_waited_for = world.process->child.has_ended = true;
    world.process->child.ended(&world.process->child, status);
}

static void member_ends(void) {
    world.member_lives = false;
    if (world.process && world.process->child.has_ended)
        world.process->child.group_changed(&world.process->child);
}

static void holder_lets_go(void) {
    world.is_held = false;
    if (world.process && !pipes_print(&world.process->pipes) && world.are_watched &&
        !world.are_closed)
        world.process->pipes.closed(&world.process->pipes);
}

static void room_comes(void) {
    world.has_room = true;
    if (world.process && world.process->waiter.is_waiting)
        CHECK(world.process->waiter.try(&world.process->waiter));
}

static void reader_comes(void) {
    world.is_full = false;
    if (world.process && world.process->state != WAITING)
        process_read_on(world.process);
}

static void happen(unsigned what) {
    switch (what) {
    case 0:
        leader_ends(3 << 8);
        break;
    case 1:
        member_ends();
        break;
    case 2:
        holder_lets_go();
        break;
    case 3:
        if (world.process)
            process_stop(world.process, STOP_POLITE);
        break;
    case 4:
        if (world.process)
            process_stop(world.process, STOP_HARD);
        break;
    case 5:
        reader_comes();
        break;
    case 6:
        world.is_full = true;
        break;
    case 7:
        room_comes();
        break;
    default:
        time_passes(what * 100);
    }
}

/* Everything that must come comes: it is over then. */
static void let_it_end(void) {
    room_comes();
    for (int i = 0; i < 8 && world.process; i++) {
        if (!world.leader_lives || i > 1)
            leader_ends(SIGKILL);
        if (!world.member_lives)
            member_ends();
        reader_comes();
        time_passes(GRACE_MS + 1);
    }
}

/* ---- tests ------------------------------------------------------------------------ */

static void whatever_happens_in_whatever_order_it_is_over_once_and_nothing_is_left(void) {
    uint32_t random = 1;
    for (int walk = 0; walk < 20000; walk++) {
        memset(&world, 0, sizeof world);
        for (int i = 0; i < 3; i++) {
            random = random * 1664525 + 1013904223;
            world.member_lives = random >> 31;
            world.is_held = random >> 30 & 1;
            world.is_deaf = random >> 29 & 1;
            world.has_room = random >> 28 & 3;
            world.is_urgent = random >> 24 & 1;
            world.is_unreadable = !(random >> 18 & 63);
            world.reaper.adopts = random >> 26 & 1;
        }
        begin(random >> 25 & 1);
        for (int i = 0; i < 12; i++) {
            random = random * 1664525 + 1013904223;
            happen((random >> 16) % 14);
        }
        let_it_end();
        CHECK(world.continues <= world.terms && world.terms <= 1 && world.kills <= 1);
        end();
    }
}

static void what_is_printed_is_watched_once_it_has_run_for_a_while(void) {
    memset(&world, 0, sizeof world);
    world.has_room = true;
    begin(false);
    CHECK(!world.are_watched);
    time_passes(WATCH_MS);
    CHECK(world.are_watched);
    let_it_end();
    end();
}

static void what_is_printed_is_watched_at_once_where_that_may_not_wait(void) {
    memset(&world, 0, sizeof world);
    world.has_room = world.is_urgent = true;
    begin(false);
    CHECK(world.are_watched);
    let_it_end();
    end();
}

static void pipes_that_others_hold_are_watched_at_the_end(void) {
    memset(&world, 0, sizeof world);
    world.has_room = world.is_held = true;
    begin(false);
    leader_ends(0);
    CHECK(world.process && world.are_watched);
    holder_lets_go();
    CHECK(!world.process);
    end();
}

static void a_command_that_cannot_be_read_is_ended(void) {
    memset(&world, 0, sizeof world);
    world.has_room = world.is_unreadable = true;
    begin(false);
    time_passes(WATCH_MS);
    CHECK_NUMBER(world.kills, 1);
    leader_ends(SIGKILL);
    CHECK(world.end.failure && strstr(world.end.failure, "cannot be read"));
    end();
}

static void the_polite_stop_comes_once_and_the_hard_one_after_it(void) {
    memset(&world, 0, sizeof world);
    world.has_room = world.is_deaf = true;
    begin(false);
    process_stop(world.process, STOP_POLITE);
    process_stop(world.process, STOP_POLITE);
    CHECK_NUMBER(world.terms, 1);
    CHECK_NUMBER(world.kills, 0);
    process_stop(world.process, STOP_HARD);
    process_stop(world.process, STOP_HARD);
    CHECK_NUMBER(world.kills, 1);
    CHECK_NUMBER(world.overs, 0);
    leader_ends(SIGKILL);
    CHECK_NUMBER(world.end.signal, SIGKILL);
    CHECK_NUMBER(world.end.exit, -1);
    end();
}

static void one_that_waits_for_room_is_stopped_without_having_run(void) {
    memset(&world, 0, sizeof world);
    begin(false);
    process_stop(world.process, STOP_POLITE);
    CHECK(!world.end.has_started);
    CHECK_NUMBER(world.end.exit, -1);
    end();
}

static void what_is_held_is_drained_for_two_seconds_unless_nobody_reads_it(void) {
    memset(&world, 0, sizeof world);
    world.has_room = world.is_held = true;
    begin(false);
    leader_ends(0);
    time_passes(1999);
    CHECK_NUMBER(world.overs, 0);
    world.is_full = true;
    time_passes(100000);
    CHECK_NUMBER(world.overs, 0);
    reader_comes();
    CHECK_NUMBER(world.overs, 1);
    CHECK_NUMBER(world.end.exit, 0);
    end();
}

static void who_has_left_the_group_does_not_hold_up_a_stop(void) {
    memset(&world, 0, sizeof world);
    world.has_room = world.is_held = true;
    begin(false);
    process_stop(world.process, STOP_POLITE);
    CHECK_NUMBER(world.overs, 0);
    leader_ends(SIGTERM);
    end();
}

static void what_is_left_has_the_grace(void) {
    memset(&world, 0, sizeof world);
    world.has_room = world.member_lives = world.is_deaf = world.reaper.adopts = true;
    begin(false);
    leader_ends(0);
    CHECK_NUMBER(world.terms, 0);
    time_passes(2001);
    CHECK_NUMBER(world.terms, 1);
    time_passes(GRACE_MS - 100);
    CHECK_NUMBER(world.kills, 0);
    time_passes(200);
    CHECK_NUMBER(world.kills, 1);
    member_ends();
    end();
}

int main(void) {
    RUN(whatever_happens_in_whatever_order_it_is_over_once_and_nothing_is_left);
    RUN(what_is_printed_is_watched_once_it_has_run_for_a_while);
    RUN(what_is_printed_is_watched_at_once_where_that_may_not_wait);
    RUN(pipes_that_others_hold_are_watched_at_the_end);
    RUN(a_command_that_cannot_be_read_is_ended);
    RUN(the_polite_stop_comes_once_and_the_hard_one_after_it);
    RUN(one_that_waits_for_room_is_stopped_without_having_run);
    RUN(what_is_held_is_drained_for_two_seconds_unless_nobody_reads_it);
    RUN(who_has_left_the_group_does_not_hold_up_a_stop);
    RUN(what_is_left_has_the_grace);
    return finish();
}
