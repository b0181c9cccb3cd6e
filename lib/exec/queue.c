/* queue.c - who waits until the system has room for one more process. See queue.h. */
#include "exec/queue.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/mem.h"
#include "core/loop.h"
#include "exec/jobserver.h"
#include "exec/reaper.h"

enum { FIRST_DELAY_MS = 10, LONGEST_DELAY_MS = 1000, GIVE_UP_MS = 10000, FILES_OF_ONE = 3 };

/* ---- what all share ---------------------------------------------------- */

bool queue_raise_files(struct queue *queue) {
    struct rlimit files;
    bool may_raise = queue->reaper->loop->owns_children && !queue->is_raised &&
                     getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max;
    if (!may_raise)
        return false;
    queue->files = files;
    files.rlim_cur = files.rlim_max;
    queue->is_raised = setrlimit(RLIMIT_NOFILE, &files) == 0;
    return queue->is_raised;
}

/* Before it is needed: others need files too. */
static void raise_files_in_time(struct queue *queue) {
    struct rlimit files;
    rlim_t ours = FILES_OF_ONE * (rlim_t)HASH_COUNT(queue->reaper->running);
    if (!queue->is_raised && getrlimit(RLIMIT_NOFILE, &files) == 0 && ours > files.rlim_cur / 2)
        queue_raise_files(queue);
}

bool queue_room(struct queue *queue, struct spawn_room *ret_room) {
    enum { ABOVE_STANDARD = 3 };
    if (queue->nothing < 0) {
        int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        queue->nothing = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, ABOVE_STANDARD);
        if (fd >= 0)
            close(fd);
        if (queue->nothing < 0)
            return false;
    }
    raise_files_in_time(queue);
    *ret_room = (struct spawn_room){
        .nothing = queue->nothing,
        .files = queue->is_raised ? &queue->files : NULL,
        .gift = jobserver_gift(queue->reaper->loop),
    };
    return true;
}

/* ---- waiting ----------------------------------------------------------- */

static void try_later(struct queue *queue) {
    struct ajob_loop *loop = queue->reaper->loop;
    queue->delay_ms = queue->delay_ms ? 2 * queue->delay_ms : FIRST_DELAY_MS;
    if (queue->delay_ms > LONGEST_DELAY_MS)
        queue->delay_ms = LONGEST_DELAY_MS;
    deadline_arm(&loop->deadlines, &queue->again, loop_due_ms(loop, queue->delay_ms));
}

void queue_add(struct queue *queue, struct waiter *waiter) {
    waiter->is_waiting = true;
    waiter->next = NULL;
    waiter->previous = queue->last;
    *(queue->last ? &queue->last->next : &queue->first) = waiter;
    queue->last = waiter;
    if (queue->first == waiter) {
        queue->delay_ms = 0;
        queue->stuck_since_ms = 0;
        try_later(queue);
    }
}

void queue_remove(struct queue *queue, struct waiter *waiter) {
    if (!waiter->is_waiting)
        return;
    waiter->is_waiting = false;
    *(waiter->previous ? &waiter->previous->next : &queue->first) = waiter->next;
    *(waiter->next ? &waiter->next->previous : &queue->last) = waiter->previous;
    if (!queue->first)
        deadline_disarm(&queue->reaper->loop->deadlines, &queue->again);
}

/* Nothing of ours runs that could make room by its end, and that for too long. */
static bool is_hopeless(struct queue *queue) {
    uint64_t now_ms = loop_now_ms(queue->reaper->loop);
    if (queue->reaper->running)
        queue->stuck_since_ms = 0;
    else if (!queue->stuck_since_ms)
        queue->stuck_since_ms = now_ms;
    return queue->stuck_since_ms && now_ms - queue->stuck_since_ms >= GIVE_UP_MS;
}

static void give_all_up(struct queue *queue) {
    while (queue->first) {
        struct waiter *waiter = queue->first;
        queue_remove(queue, waiter);
        waiter->give_up(waiter);
    }
}

void queue_retry(struct queue *queue) {
    while (queue->first && queue->first->try(queue->first)) {
        queue->delay_ms = 0;
        queue->stuck_since_ms = 0;
    }
    if (queue->first && is_hopeless(queue))
        give_all_up(queue);
    else if (queue->first)
        try_later(queue);
}

static void time_has_come(struct deadline *deadline) {
    queue_retry((struct queue *)((char *)deadline - offsetof(struct queue, again)));
}

/* ---- the run ----------------------------------------------------------- */

bool queue_init(struct queue *queue, struct reaper *reaper) {
    queue->reaper = reaper;
    queue->nothing = -1;
    queue->buffer = mem_new(QUEUE_BUFFER_SIZE);
    return queue->buffer && deadline_init(&reaper->loop->deadlines, &queue->again, time_has_come);
}

void queue_end_run(struct queue *queue) {
    if (queue->is_raised)
        setrlimit(RLIMIT_NOFILE, &queue->files);
    queue->is_raised = false;
    if (queue->nothing >= 0)
        close(queue->nothing);
    queue->nothing = -1;
}

void queue_done(struct queue *queue) {
    deadline_done(&queue->reaper->loop->deadlines, &queue->again);
    queue->buffer = mem_free(queue->buffer);
}
