/*
 * exec_rig.h - commands run for real, in a directory of their own that is empty at
 * the beginning of each test.
 */
#ifndef EXEC_RIG_H
#define EXEC_RIG_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ajob.h"
#include "base/mem.h"
#include "check.h"
#include "core/loop.h"

static struct {
    ajob_loop *loop;
    char dir[64], home[1024];
} place;

static inline int place_remove(const char *path, const struct stat *status, int type,
                               struct FTW *at) {
    (void)status, (void)type, (void)at;
    return remove(path);
}

static inline void open_place(const ajob_loop_options *options) {
    snprintf(place.dir, sizeof place.dir, "/tmp/ajob-unit-XXXXXX");
    CHECK(getcwd(place.home, sizeof place.home) != NULL);
    CHECK(mkdtemp(place.dir) && chdir(place.dir) == 0);
    place.loop = ajob_loop_new(options);
    CHECK(place.loop != NULL);
}

static inline void close_place(void) {
    ajob_loop_free(place.loop);
    CHECK(chdir(place.home) == 0);
    CHECK(nftw(place.dir, place_remove, 8, FTW_DEPTH | FTW_PHYS) == 0);
}

static const ajob_loop_options owning = {.owns_children = true, .grace_ms = 300};

static inline void write_file(const char *name, const char *text, mode_t mode) {
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    CHECK(chmod(name, mode) == 0);
}

/* What is in a file, up to 64 KiB, or "-none-". */
static inline const char *read_file(const char *name) {
    static char text[1 << 16];
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    if (length < 0)
        return "-none-";
    text[length] = 0;
    return text;
}

/* Runs the one command. */
static inline ajob_task *run_exec(const ajob_exec_options *options) {
    ajob_task *task = ajob_exec(place.loop, options);
    if (CHECK(task != NULL))
        ajob_run(place.loop, task);
    else
        printf("# %s\n", ajob_error(place.loop));
    return task;
}

static inline ajob_task *run_script(const char *script) {
    return run_exec(&(ajob_exec_options){.script = script});
}

#define CHECK_EXIT(task, code, expected_cause)                                                     \
    do {                                                                                           \
        ajob_task *checked = (task);                                                               \
        CHECK_NUMBER(ajob_task_exit(checked), code);                                               \
        CHECK_TEXT(ajob_task_cause(checked), expected_cause);                                      \
    } while (0)

static inline unsigned count_files(void) {
    unsigned count = 0;
    DIR *dir = opendir("/proc/self/fd");
    while (dir && readdir(dir))
        count++;
    if (dir)
        closedir(dir);
    return count;
}

/* Waits, at most ten seconds, until there is no such process (a zombie is none). */
static inline bool is_gone_soon(pid_t pid) {
    char path[32];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    for (int i = 0; i < 1000; i++) {
        const char *stat = read_file(path);
        const char *rest = strrchr(stat, ')');
        if (!rest || rest[2] == 'Z' || rest[2] == 'X')
            return true;
        usleep(10000);
    }
    return false;
}

#endif
