/*
 * probe_file.c - does a path exist. Asked in libuv's threads: a dead network file
 * system keeps one of those, never the loop.
 */
#include <uv.h>

#include "base/mem.h"
#include "core/loop.h"
#include "core/task.h"
#include "exec/probe_look.h"

struct file_look {
    struct look look;
    struct ajob_loop *loop;
    uv_fs_t request;
    char *path; /* the thread's until it answers */
};

static void free_look(struct file_look *file) {
    mem_free(file->path);
    mem_free(file);
}

static void has_answered(uv_fs_t *request) {
    struct file_look *file = request->data;
    struct ajob_loop *loop = file->loop;
    bool exists = request->result == 0;
    uv_fs_req_cleanup(request);
    look_over(&file->look, exists);
    free_look(file);
    loop_handle_closed(loop); /* may free the loop */
}

static struct look *begin(struct probe *probe) {
    const struct probe_setup *setup = look_setup(probe);
    const char *path = setup->plan->path, *dir = setup->dir;
    struct file_look *file = mem_new(sizeof *file);
    if (!file)
        return NULL;
    file->look.probe = probe;
    file->loop = setup->task->loop;
    file->request.data = file;
    file->path = dir && path[0] != '/' ? text_make("%s/%s", dir, path) : mem_copy(path);
    if (!file->path || uv_fs_stat(file->loop->uv, &file->request, file->path, has_answered)) {
        free_look(file);
        return NULL;
    }
    loop_handle_opened(file->loop);
    return &file->look;
}

static bool abandon(struct look *look) {
    uv_cancel((uv_req_t *)&((struct file_look *)look)->request); /* or it comes when it comes */
    return true;
}

const struct look_kind look_file = {.begin = begin, .abandon = abandon};
