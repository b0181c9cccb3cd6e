/*
 * launch.c - from descriptors and strings to a process. See launch.h.
 *
 * On Linux by vfork(): the child runs in our memory, on our stack, until it is the
 * program. So it may write its pid where our watchdog finds it, before it can do
 * anything else: were we killed in between, it would be known all the same.
 * posix_spawn() cannot do that, and is what other systems get. What the child does
 * must be safe in a signal handler, and change nothing that we use afterwards.
 */
#include "exec/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

#ifdef __linux__
#include <linux/close_range.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { SYSTEMS_SIGNALS = 65, FEW_FILES = 65536 };

/* Nothing of ours passes on. In the child's own table: ours stays as it is. */
static void mark_all_for_closing(void) {
    struct rlimit files;
    if (syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
        return;
    /* A kernel before 5.11. */
    rlim_t most = getrlimit(RLIMIT_NOFILE, &files) == 0 ? files.rlim_cur : FEW_FILES;
    for (int fd = 3; fd < (int)(most < FEW_FILES ? most : FEW_FILES); fd++)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static int give(int from, int to) {
    if (from == to) /* dup2() would leave it marked for closing */
        return fcntl(to, F_SETFD, 0);
    return dup2(from, to);
}

/* Those that are handled execve() puts back to their default, those that are ignored
 * it does not. */
static void heed_signals(const sigset_t *ignored) {
    struct sigaction standard = {.sa_handler = SIG_DFL};
    for (int number = 1; number < SYSTEMS_SIGNALS; number++)
        if (!ignored || sigismember(ignored, number) == 1)
            sigaction(number, &standard, NULL);
}

/* In the child: does not return, unless by an errno. */
static int become(const struct launch *launch) {
    sigset_t none;
    if (launch->registered)
        *launch->registered = getpid();
    if (launch->has_session)
        setsid(); /* cannot fail: we have just been born */
    else
        setpgid(0, 0);
    heed_signals(launch->ignored);
    mark_all_for_closing();
    if (give(launch->in, 0) < 0 || give(launch->out, 1) < 0 || give(launch->err, 2) < 0)
        return errno;
    if (launch->extra >= 0 && give(launch->extra, launch->extra_as) < 0)
        return errno;
    for (int i = 0; i < 2; i++)
        if (launch->shared[i] >= 0 && give(launch->shared[i], launch->shared[i]) < 0)
            return errno;
    if (launch->dir >= 0 && fchdir(launch->dir) < 0)
        return errno;
    if (launch->files)
        setrlimit(RLIMIT_NOFILE, launch->files);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(launch->path, launch->argv, launch->env);
    return errno;
}

int launch(const struct launch *launch, pid_t *ret_pid) {
    volatile int error = 0;
    sigset_t all, before;
    /* A handler of ours must not run in the child. */
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid_t pid = vfork();
    if (pid == 0) {
        error = become(launch);
        _exit(127);
    }
    if (pid < 0)
        error = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (!error) {
        *ret_pid = pid;
        return 0;
    }
    if (launch->registered)
        *launch->registered = 0;
    while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    return error;
}

#else

/* Of everything, as on Linux. The child's limit on files is as ours. */
static int set_attributes(posix_spawnattr_t *attributes) {
    sigset_t all, none;
    short flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
#ifdef POSIX_SPAWN_SETSID
    flags |= POSIX_SPAWN_SETSID;
#else
    flags |= POSIX_SPAWN_SETPGROUP;
#endif
#ifdef POSIX_SPAWN_CLOEXEC_DEFAULT
    flags |= POSIX_SPAWN_CLOEXEC_DEFAULT;
#endif
    sigfillset(&all);
    sigdelset(&all, SIGKILL);
    sigdelset(&all, SIGSTOP);
    sigemptyset(&none);
    int error = posix_spawnattr_setsigdefault(attributes, &all);
    if (!error)
        error = posix_spawnattr_setsigmask(attributes, &none);
    return error ? error : posix_spawnattr_setflags(attributes, flags);
}

static int set_actions(posix_spawn_file_actions_t *actions, const struct launch *launch) {
    int error = posix_spawn_file_actions_adddup2(actions, launch->in, 0);
    if (!error)
        error = posix_spawn_file_actions_adddup2(actions, launch->out, 1);
    if (!error)
        error = posix_spawn_file_actions_adddup2(actions, launch->err, 2);
    if (!error && launch->extra >= 0)
        error = posix_spawn_file_actions_adddup2(actions, launch->extra, launch->extra_as);
    for (int i = 0; i < 2 && !error; i++)
        if (launch->shared[i] >= 0)
            error = posix_spawn_file_actions_adddup2(actions, launch->shared[i], launch->shared[i]);
    if (!error && launch->dir >= 0)
        error = posix_spawn_file_actions_addfchdir_np(actions, launch->dir);
    return error;
}

int launch(const struct launch *launch, pid_t *ret_pid) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int error = posix_spawn_file_actions_init(&actions);
    if (error)
        return error;
    error = posix_spawnattr_init(&attributes);
    if (!error) {
        error = set_attributes(&attributes);
        if (!error)
            error = set_actions(&actions, launch);
        if (!error)
            error = posix_spawn(ret_pid, launch->path, &actions, &attributes, launch->argv,
                                launch->env);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    if (!error && launch->registered)
        *launch->registered = *ret_pid;
    return error;
}

#endif
