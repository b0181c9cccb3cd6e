/*
 * spawn.c - a command as people write it becomes a process with pipes. See spawn.h.
 *
 * Everything that it opens is close-on-exec, and the ends for the process are closed
 * here again before it returns.
 */
#include "exec/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "exec/jobserver.h"
#include "exec/launch.h"
#include "exec/output.h"
#include "exec/program.h"

enum { NONE = -1, EXIT_CANNOT_RUN = 126 };

/* What an attempt to spawn holds, and what it lacked. */
struct attempt {
    const struct spawn *spawn;
    const struct spawn_room *room;
    struct spawned *spawned;
    struct launch launch;
    char **environment;
    int in; /* opened for it, or NONE */
    int ends[SPAWN_PIPES];
    int error;
    struct spawn_failure failure;
};

static bool is_passing(int error) {
    return error == EAGAIN || error == ENOMEM || error == EMFILE || error == ENFILE;
}

static bool fail(struct attempt *attempt, int error, int code, char *cause) {
    attempt->error = error;
    attempt->failure = (struct spawn_failure){code, cause};
    return false;
}

/* Of the system, not of the command. */
static bool fail_to_begin(struct attempt *attempt, int error) {
    const char *what = error == EAGAIN   ? "too many processes (ulimit -u)"
                       : error == EMFILE ? "too many open files (ulimit -n)"
                                         : strerror(error);
    return fail(attempt, error, NONE, text_new("cannot be started: %s", what));
}

/* The descriptors of a process begin above its own three: else giving it one of
 * them could take another. */
static int above_standard(int fd) {
    if (fd < 0 || fd > STDERR_FILENO)
        return fd;
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    int error = errno;
    close(fd);
    errno = error;
    return moved;
}

static void close_one(int *fd) {
    if (*fd >= 0)
        close(*fd);
    *fd = NONE;
}

/* ---- its standard input ------------------------------------------------ */

/* Not blocking on the open of a pipe that nobody writes to. */
static int open_input(const char *path) {
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return NONE;
    if (fstat(fd, &status) == 0 && S_ISDIR(status.st_mode)) {
        close(fd);
        errno = EISDIR;
        return NONE;
    }
    fcntl(fd, F_SETFL, 0);
    return fd;
}

static bool prepare_input(struct attempt *attempt) {
    const struct spawn *spawn = attempt->spawn;
    attempt->launch.in = attempt->room->nothing;
    if (!spawn->stdin_path && !spawn->stdin_output)
        return true;
    attempt->in = above_standard(spawn->stdin_output ? output_dup(spawn->stdin_output)
                                                     : open_input(spawn->stdin_path));
    attempt->launch.in = attempt->in;
    if (attempt->in >= 0)
        return true;
    if (is_passing(errno))
        return fail_to_begin(attempt, errno);
    return fail(attempt, errno, NONE,
                text_new("standard input: %s: %s",
                         spawn->stdin_output ? "what was printed" : spawn->stdin_path,
                         strerror(errno)));
}

/* ---- where it runs, and what ------------------------------------------- */

static bool prepare_dir(struct attempt *attempt) {
    const char *dir = attempt->spawn->dir;
    if (!dir)
        return true;
    attempt->launch.dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (attempt->launch.dir >= 0)
        return true;
    if (is_passing(errno))
        return fail_to_begin(attempt, errno);
    const char *why = errno == ENOENT ? "there is no such directory" : strerror(errno);
    return fail(attempt, errno, EXIT_CANNOT_RUN, text_new("directory %s: %s", dir, why));
}

static bool open_pipe(struct attempt *attempt, enum spawn_pipe which) {
    int ends[2];
#ifdef __linux__
    if (pipe2(ends, O_CLOEXEC) < 0)
        return fail_to_begin(attempt, errno);
#else
    if (pipe(ends) < 0)
        return fail_to_begin(attempt, errno);
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
#endif
    attempt->spawned->pipes[which] = ends[0];
    attempt->ends[which] = above_standard(ends[1]);
    return attempt->ends[which] >= 0 || fail_to_begin(attempt, errno);
}

static bool prepare_pipes(struct attempt *attempt) {
    if (!open_pipe(attempt, SPAWN_STDOUT) || !open_pipe(attempt, SPAWN_STDERR))
        return false;
    attempt->launch.out = attempt->ends[SPAWN_STDOUT];
    attempt->launch.err = attempt->ends[SPAWN_STDERR];
    if (!attempt->spawn->extra_as)
        return true;
    if (!open_pipe(attempt, SPAWN_EXTRA))
        return false;
    attempt->launch.extra = attempt->ends[SPAWN_EXTRA];
    attempt->launch.extra_as = attempt->spawn->extra_as;
    return true;
}

/* A file without "#!" is a script for the shell, as for execvp(3). */
static int launch_by_shell(const struct launch *by_itself, pid_t *ret_pid) {
    static char shell[] = "/bin/sh";
    size_t count = 0;
    while (by_itself->argv[count])
        count++;
    char **argv = mem_new((count + 2) * sizeof *argv);
    if (!argv)
        return ENOMEM;
    argv[0] = shell;
    argv[1] = (char *)by_itself->path;
    for (size_t i = 1; i < count; i++)
        argv[i + 1] = by_itself->argv[i];
    struct launch by_shell = *by_itself;
    by_shell.path = argv[0];
    by_shell.argv = argv;
    int error = launch(&by_shell, ret_pid);
    mem_free(argv);
    return error;
}

static bool start(struct attempt *attempt) {
    char path[PATH_MAX] = "";
    const char *name = attempt->spawn->argv[0];
    int dir = attempt->launch.dir >= 0 ? attempt->launch.dir : AT_FDCWD;
    const struct jobserver_gift *gift = attempt->room->gift;
    attempt->environment =
        program_environment(attempt->spawn->env, attempt->room->mark, gift ? gift->variable : NULL);
    if (!attempt->environment)
        return fail_to_begin(attempt, ENOMEM);
    for (int i = 0; i < 2; i++)
        attempt->launch.shared[i] = gift ? gift->ends[i] : NONE;
    attempt->launch.path = path;
    attempt->launch.argv = (char *const *)attempt->spawn->argv;
    attempt->launch.env = attempt->environment;
    int error = program_find(name, attempt->environment, dir, path);
    if (!error)
        error = launch(&attempt->launch, &attempt->spawned->pid);
    if (error == ENOEXEC)
        error = launch_by_shell(&attempt->launch, &attempt->spawned->pid);
    if (!error)
        return true;
    if (is_passing(error))
        return fail_to_begin(attempt, error);
    if (error == EACCES && attempt->spawn->dir && access(attempt->spawn->dir, X_OK) < 0)
        return fail(attempt, error, EXIT_CANNOT_RUN,
                    text_new("directory %s: %s", attempt->spawn->dir, strerror(error)));
    attempt->error = error;
    attempt->failure = program_failure(name, path, dir, error);
    return false;
}

/* ---- all of it --------------------------------------------------------- */

enum spawn_verdict spawn_try(const struct spawn *spawn, const struct spawn_room *room,
                             struct spawned *ret_spawned, struct spawn_failure *ret_failure) {
    struct attempt attempt = {
        .spawn = spawn,
        .room = room,
        .spawned = ret_spawned,
        .launch = {.dir = NONE,
                   .extra = NONE,
                   .files = room->files,
                   .registered = room->registered,
                   .ignored = room->ignored,
                   .has_session = room->has_session},
        .in = NONE,
        .ends = {NONE, NONE, NONE},
    };
    *ret_spawned = (struct spawned){.pipes = {NONE, NONE, NONE}};
    bool is_done = prepare_dir(&attempt) && prepare_input(&attempt) && prepare_pipes(&attempt) &&
                   start(&attempt);
    close_one(&attempt.launch.dir);
    close_one(&attempt.in);
    for (int i = 0; i < SPAWN_PIPES; i++) {
        close_one(&attempt.ends[i]);
        if (!is_done)
            close_one(&ret_spawned->pipes[i]);
    }
    program_free_environment(attempt.environment);
    *ret_failure = attempt.failure;
    if (is_done)
        return SPAWN_DONE;
    return is_passing(attempt.error) ? SPAWN_LATER : SPAWN_FAILED;
}
