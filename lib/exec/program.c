/* program.c - which file a command's name means, and why not. See program.h. */
#include "exec/program.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"

extern char **environ;

enum { EXIT_CANNOT_RUN = 126, EXIT_NOT_FOUND = 127 };

/* ---- the environment --------------------------------------------------- */

static size_t name_length(const char *entry) {
    return strcspn(entry, "=");
}

/* One of these sets or removes the variable of the entry. */
static bool is_named_in(const char *const *env, const char *entry) {
    size_t length = name_length(entry);
    for (; *env; env++)
        if (name_length(*env) == length && !memcmp(*env, entry, length))
            return true;
    return false;
}

/* The last one that names a variable counts. */
char **program_environment(const char *const *env, const char *mark, const char *makeflags) {
    static const char *const nothing[] = {NULL};
    const char *const flags[] = {makeflags, NULL};
    size_t count = 3, used = 0;
    if (!env)
        env = nothing;
    if (!*env && !mark && !makeflags)
        return environ;
    for (char **entry = environ; *entry; entry++)
        count++;
    for (const char *const *entry = env; *entry; entry++)
        count++;
    char **environment = mem_new(count * sizeof *environment);
    if (!environment)
        return NULL;
    for (char **entry = environ; *entry; entry++)
        if (!is_named_in(env, *entry) && !is_named_in(flags, *entry))
            environment[used++] = *entry;
    if (makeflags && !is_named_in(env, makeflags))
        environment[used++] = (char *)makeflags;
    for (const char *const *entry = env; *entry; entry++)
        if (strchr(*entry, '=') && !is_named_in(entry + 1, *entry))
            environment[used++] = (char *)*entry;
    environment[used] = (char *)mark;
    return environment;
}

void program_free_environment(char **environment) {
    if (environment != environ)
        mem_free(environment);
}

/* ---- the file ---------------------------------------------------------- */

static const char *search_path(char *const *environment) {
    static const char name[] = "PATH=";
    for (; *environment; environment++)
        if (!strncmp(*environment, name, sizeof name - 1))
            return *environment + sizeof name - 1;
    return "/bin:/usr/bin";
}

static bool is_directory(int dir, const char *path) {
    struct stat status;
    return fstatat(dir, path, &status, 0) == 0 && S_ISDIR(status.st_mode);
}

int program_find(const char *name, char *const *environment, int dir, char path[PATH_MAX]) {
    int error = ENOENT;
    if (strlen(name) >= PATH_MAX)
        return ENAMETOOLONG;
    if (!*name || strchr(name, '/')) {
        snprintf(path, PATH_MAX, "%s", name);
        return *name ? 0 : ENOENT;
    }
    for (const char *part = search_path(environment);; part++) {
        size_t length = strcspn(part, ":");
        int written =
            snprintf(path, PATH_MAX, "%.*s%s%s", (int)length, part, length ? "/" : "./", name);
        if (written < PATH_MAX && faccessat(dir, path, X_OK, 0) == 0 && !is_directory(dir, path))
            return 0;
        if (written < PATH_MAX && errno == EACCES && faccessat(dir, path, F_OK, 0) == 0)
            error = EACCES;
        part += length;
        if (!*part)
            return error;
    }
}

/* ---- why not ----------------------------------------------------------- */

/* The first word behind "#!", or an empty text. */
static void read_interpreter(int dir, const char *path, char interpreter[128]) {
    char head[128] = "";
    int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t length = fd >= 0 ? read(fd, head, sizeof head - 1) : -1;
    if (fd >= 0)
        close(fd);
    *interpreter = 0;
    if (length < 2 || memcmp(head, "#!", 2))
        return;
    const char *word = head + 2 + strspn(head + 2, " \t");
    snprintf(interpreter, 128, "%.*s", (int)strcspn(word, " \t\r\n"), word);
}

static struct spawn_failure missing(const char *name, const char *path, int dir) {
    char interpreter[128];
    bool is_there = *path && faccessat(dir, path, F_OK, 0) == 0;
    if (!is_there)
        return (struct spawn_failure){EXIT_NOT_FOUND, text_new("not found: %s", name)};
    read_interpreter(dir, path, interpreter);
    return (struct spawn_failure){
        EXIT_CANNOT_RUN,
        *interpreter
            ? text_new("cannot be run: %s: its interpreter %s is not there", name, interpreter)
            : text_new("cannot be run: %s: the loader that it names is not there", name),
    };
}

struct spawn_failure program_failure(const char *name, const char *path, int dir, int error) {
    const char *why = strerror(error);
    if (error == ENOENT)
        return missing(name, path, dir);
    if (error == EACCES)
        why = is_directory(dir, path) ? "it is a directory" : "permission denied";
    if (error == E2BIG)
        why = "its arguments and environment are too long";
    return (struct spawn_failure){EXIT_CANNOT_RUN, text_new("cannot be run: %s: %s", name, why)};
}
