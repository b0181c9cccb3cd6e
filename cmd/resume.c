/* resume.c - files of events that are read and then added to. See resume.h. */
#include "resume.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool resume_is_same_file(const char *a, const char *b) {
    struct stat about_a, about_b;
    if (strcmp(a, b) == 0)
        return true;
    return stat(a, &about_a) == 0 && stat(b, &about_b) == 0 && about_a.st_dev == about_b.st_dev &&
           about_a.st_ino == about_b.st_ino;
}

int resume_cut(const struct command *command, const char *path, uint64_t length) {
    struct stat about;
    bool is_longer =
        stat(path, &about) == 0 && S_ISREG(about.st_mode) && (uint64_t)about.st_size > length;
    if (!is_longer || truncate(path, (off_t)length) == 0)
        return STATUS_OK;
    return cli_fail(command, STATUS_USAGE, "--events: %s: %s", path, strerror(errno));
}
