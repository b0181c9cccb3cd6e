/* part_own.c - the name of a part that nobody else can have. See part_own.h. */
#include "net/part_own.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "net/disk.h"
#include "net/part.h"

enum {
    STEM_MAX = 190, /* of the name: the rest, with its ending, has to have room behind it */
    PLACE_SIZE = 17,
};

static size_t stem_length(const char *name) {
    size_t length = strlen(name);
    if (length <= STEM_MAX)
        return length;
    for (length = STEM_MAX; length && ((unsigned char)name[length] & 0xc0) == 0x80;)
        length--;
    return length;
}

static void add_hash(uint64_t *hash, const char *text, size_t length) {
    for (size_t i = 0; i < length; i++)
        *hash = (*hash ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3); /* FNV-1a */
}

/* False: what it would stand for is not known; then nobody can tell whose a part is. */
static bool find_place(char place[PLACE_SIZE]) {
    char boot[DISK_BOOT_MAX], processes[64];
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    ssize_t length = readlink("/proc/self/ns/pid", processes, sizeof processes);
    bool is_known = disk_boot(boot) && length > 0 && length < (ssize_t)sizeof processes;
    if (is_known) {
        add_hash(&hash, boot, strlen(boot));
        add_hash(&hash, processes, (size_t)length);
    }
    snprintf(place, PLACE_SIZE, "%llx", is_known ? (unsigned long long)hash : 0);
    return is_known;
}

char *part_own_name(const char *name) {
    struct timespec now;
    char place[PLACE_SIZE];
    clock_gettime(CLOCK_REALTIME, &now);
    find_place(place);
    return text_make("%.*s.%ld-%lx-%s", (int)stem_length(name), name, (long)getpid(),
                     (unsigned long)now.tv_nsec, place);
}

/* Whose part this entry is, if it is one of the file and of this place; else 0. */
static pid_t owner_of(const char *entry, const char *name, const char *place) {
    size_t stem = stem_length(name);
    char *end = NULL;
    if (strncmp(entry, name, stem) != 0 || entry[stem] != '.' || entry[stem + 1] < '1' ||
        entry[stem + 1] > '9')
        return 0;
    long pid = strtol(entry + stem + 1, &end, 10);
    size_t digits = *end == '-' ? strspn(end + 1, "0123456789abcdef") : 0;
    const char *said = digits && end[1 + digits] == '-' ? end + 2 + digits : "";
    size_t length = strlen(place);
    bool is_of_place = pid <= INT32_MAX && !strncmp(said, place, length);
    for (size_t i = 0; is_of_place && part_endings[i]; i++)
        if (!strcmp(said + length, part_endings[i]))
            return (pid_t)pid;
    return 0;
}

static bool is_file_of_ours(int dir_fd, const char *name) {
    struct stat status;
    return !fstatat(dir_fd, name, &status, AT_SYMLINK_NOFOLLOW) && S_ISREG(status.st_mode) &&
           status.st_uid == geteuid();
}

void part_own_sweep(int dir_fd, const char *name) {
    char place[PLACE_SIZE];
    int fd = find_place(place) ? openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        pid_t owner = owner_of(entry->d_name, name, place);
        bool is_dead = owner && kill(owner, 0) && errno == ESRCH;
        if (is_dead && is_file_of_ours(dir_fd, entry->d_name))
            unlinkat(dir_fd, entry->d_name, 0);
    }
    if (dir)
        closedir(dir);
    else if (fd >= 0)
        close(fd);
}
