/*
 * replay.c - feeds a fuzzer the files it is given, without libFuzzer. Prints TAP.
 *
 *     fuzz_NAME [FILE|DIRECTORY...]     default: tests/fuzz/corpus/NAME
 *
 * A seed that breaks what must hold ends the program; stderr has its name then.
 */
#include <dirent.h>
#include <sys/stat.h>

#include "fuzz.h"

enum { SEED_MAX = 1 << 20 };

static unsigned count;

/* From the heap, of the very size, so that reading behind the end is seen. */
static void feed_file(const char *path) {
    static uint8_t bytes[SEED_MAX];
    FILE *file = fopen(path, "rb");
    fprintf(stderr, "%s\n", path);
    HOLDS(file);
    size_t size = fread(bytes, 1, sizeof bytes, file);
    HOLDS(!ferror(file) && size < sizeof bytes);
    fclose(file);
    uint8_t *exact = malloc(size ? size : 1);
    HOLDS(exact);
    memcpy(exact, bytes, size);
    HOLDS(LLVMFuzzerTestOneInput(exact, size) == 0);
    free(exact);
    count++;
}

static void feed(const char *path) {
    struct stat status;
    struct dirent **names;
    char inside[4096];
    if (stat(path, &status) || !S_ISDIR(status.st_mode)) {
        feed_file(path);
        return;
    }
    int found = scandir(path, &names, NULL, alphasort);
    HOLDS(found >= 0);
    for (int i = 0; i < found; i++) {
        snprintf(inside, sizeof inside, "%s/%s", path, names[i]->d_name);
        if (names[i]->d_name[0] != '.')
            feed_file(inside);
        free(names[i]);
    }
    free(names);
}

int main(int argc, char **argv) {
    const char *slash = strrchr(argv[0], '/');
    const char *name = slash ? slash + 1 : argv[0];
    char corpus[4096];
    name += strncmp(name, "fuzz_", 5) ? 0 : 5;
    snprintf(corpus, sizeof corpus, "tests/fuzz/corpus/%s", name);
    LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    if (argc < 2)
        feed(corpus);
    for (int i = 1; i < argc; i++)
        feed(argv[i]);
    printf("%sok 1 - what must hold of %s holds for %u seeds\n1..1\n", count ? "" : "not ", name,
           count);
    return count ? 0 : 1;
}
