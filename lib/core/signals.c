/* signals.c - what a run does on signals. See signals.h. */
#include "core/signals.h"

#include <signal.h>

#include "base/mem.h"
#include "core/loop.h"
#include "core/names.h"
#include "core/task.h"

static const int watched[] = {SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGUSR1};
enum { WATCHED_COUNT = sizeof watched / sizeof watched[0] };

struct signals {
    struct ajob_loop *loop;
    uv_signal_t handles[WATCHED_COUNT];
    void (*pipe)(int), (*file_size)(int); /* what was before the run */
    int open;
};

static void end_run(struct ajob_loop *loop, int number) {
    char by[24];
    snprintf(by, sizeof by, "SIG%s", name_of_signal(number));
    if (loop->exit_signal) {
        loop->is_killing = true;
        ajob_kill(loop->root, by);
        return;
    }
    loop->exit_signal = number;
    if (!loop->root->is_shielded)
        ajob_cancel(loop->root, by);
}

static void signal_came(uv_signal_t *handle, int number) {
    struct signals *signals = handle->data;
    struct ajob_loop *loop = signals->loop;
    if (!loop->root)
        return;
    if (number == SIGTSTP)
        loop_suspend(loop);
    else if (number == SIGUSR1)
        ajob_dump(loop, loop->dump, loop->dump_data);
    else
        end_run(loop, number);
}

/* One that was ignored when the run began stays so; without anyone to tell the
 * tree to, SIGUSR1 does what it does to any program. */
static bool is_watched(const struct ajob_loop *loop, int number) {
    struct sigaction before;
    if (number == SIGUSR1 && !loop->dump)
        return false;
    return sigaction(number, NULL, &before) || before.sa_handler != SIG_IGN;
}

bool signals_open(struct ajob_loop *loop) {
    struct signals *signals = mem_new(sizeof *signals);
    if (!signals) {
        loop_fail_memory(loop);
        return false;
    }
    signals->loop = loop;
    loop->signals = signals;
    for (int i = 0; i < WATCHED_COUNT; i++) {
        int error = uv_signal_init(loop->uv, &signals->handles[i]);
        if (error) {
            loop_fail(loop, AJOB_ESYSTEM, "signals: %s", uv_strerror(error));
            return false;
        }
        signals->handles[i].data = signals;
        uv_unref((uv_handle_t *)&signals->handles[i]);
        loop_handle_opened(loop);
        signals->open++;
    }
    return true;
}

void signals_start(struct signals *signals) {
    /* libcurl and the views expect writes to fail with EPIPE instead. */
    signals->pipe = signal(SIGPIPE, SIG_IGN);
    signals->file_size = signal(SIGXFSZ, SIG_IGN); /* EFBIG instead */
    for (int i = 0; i < signals->open; i++)
        if (is_watched(signals->loop, watched[i]))
            uv_signal_start(&signals->handles[i], signal_came, watched[i]);
}

void signals_stop(struct signals *signals) {
    for (int i = 0; i < signals->open; i++)
        uv_signal_stop(&signals->handles[i]);
}

void signals_restore(struct signals *signals) {
    signal(SIGPIPE, signals->pipe);
    signal(SIGXFSZ, signals->file_size);
}

static void handle_closed(uv_handle_t *handle) {
    struct signals *signals = handle->data;
    struct ajob_loop *loop = signals->loop;
    if (--signals->open == 0) {
        mem_free(signals);
        loop->signals = NULL;
    }
    loop_handle_closed(loop);
}

void signals_close(struct signals *signals) {
    if (!signals)
        return;
    for (int i = 0; i < WATCHED_COUNT && i < signals->open; i++)
        uv_close((uv_handle_t *)&signals->handles[i], handle_closed);
    if (!signals->open)
        mem_free(signals);
}
