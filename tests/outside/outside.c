/*
 * outside.c - a program of somebody else's, with a libuv loop of its own.
 *
 *     outside URL FILE
 *
 * Downloads URL to FILE beside a timer of its own and a task that sleeps, through
 * the installed ajob.h and libajob and nothing else of ours. Prints what happened.
 */
#include <ajob.h>
#include <stdio.h>
#include <uv.h>

static ajob_loop *loop;
static uv_timer_t own_timer;
static int own_ticks, status = -1;
static bool is_closed;

static void on_event(const ajob_event *event, void *data) {
    (void)data;
    if (event->type == AJOB_TASK_ENDED)
        printf("%s %s\n", event->path, ajob_status_name(event->status));
}

static void closed(void *data) {
    *(bool *)data = true;
    uv_close((uv_handle_t *)&own_timer, NULL);
}

static void done(ajob_task *task, void *data) {
    (void)task, (void)data;
    status = ajob_exit_status(loop);
    ajob_loop_close(loop, closed, &is_closed);
}

static void ticks(uv_timer_t *timer) {
    (void)timer;
    own_ticks++;
}

int main(int count, char **arguments) {
    uv_loop_t uv;
    if (count != 3)
        return 2;
    uv_loop_init(&uv);
    uv_timer_init(&uv, &own_timer);
    uv_timer_start(&own_timer, ticks, 1, 1);

    loop = ajob_loop_new(&(ajob_loop_options){.uv = &uv});
    ajob_task *file =
        ajob_download(loop, &(ajob_download_options){.url = arguments[1], .path = arguments[2]});
    ajob_task *both = ajob_gather(loop, (ajob_task *[]){file, ajob_sleep(loop, 50)}, 2);
    ajob_on_event(loop, on_event, NULL);
    if (!both || ajob_start(loop, both, done, NULL) < 0) {
        fprintf(stderr, "outside: %s\n", ajob_error(loop));
        return 1;
    }
    uv_run(&uv, UV_RUN_DEFAULT);
    if (uv_loop_close(&uv) != 0)
        status = 1;
    printf("status %d, %s, %s\n", status, is_closed ? "closed" : "not closed",
           own_ticks > 0 ? "the loop was shared" : "the loop was blocked");
    return status;
}
