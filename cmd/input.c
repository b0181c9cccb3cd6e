/* input.c - a whole file, or standard input, in memory. See input.h. */
#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK = 64 * 1024 };

/* Room for `more` bytes and a NUL. */
static bool reserve(struct input *input, size_t *space, size_t more) {
    if (input->length + more < *space)
        return true;
    size_t larger = *space ? 2 * *space : more + 1;
    char *text = realloc(input->text, larger);
    if (!text)
        return false;
    input->text = text;
    *space = larger;
    return true;
}

static int read_all(struct input *input, const struct command *command, int fd, size_t space) {
    for (;;) {
        if (!reserve(input, &space, CHUNK))
            return cli_fail(command, STATUS_FAULT, "%s: out of memory", input->name);
        ssize_t length = read(fd, input->text + input->length, CHUNK);
        if (length < 0 && errno == EINTR)
            continue;
        if (length < 0)
            return cli_fail(command, STATUS_USAGE, "%s: cannot be read: %s", input->name,
                            strerror(errno));
        if (length == 0)
            break;
        input->length += (size_t)length;
        if (input->length > INPUT_MOST)
            return cli_fail(command, STATUS_USAGE, "%s: larger than %d MiB", input->name,
                            INPUT_MOST / 1024 / 1024);
    }
    input->text[input->length] = '\0';
    return STATUS_OK;
}

int input_read(struct input *input, const struct command *command, const char *path) {
    bool is_standard = strcmp(path, "-") == 0;
    struct stat about;
    size_t space = 0;
    *input = (struct input){.name = is_standard ? "standard input" : path};
    int fd = is_standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return cli_fail(command, STATUS_USAGE, "%s: cannot be read: %s", path, strerror(errno));
    /* One piece of the right size, where that is known. */
    if (fstat(fd, &about) == 0 && about.st_size > 0 && about.st_size <= INPUT_MOST &&
        (input->text = malloc((size_t)about.st_size + CHUNK + 1)))
        space = (size_t)about.st_size + CHUNK + 1;
    int status = read_all(input, command, fd, space);
    if (!is_standard)
        close(fd);
    if (status != STATUS_OK)
        input_done(input);
    return status;
}

void input_done(struct input *input) {
    free(input->text);
    input->text = NULL;
}
