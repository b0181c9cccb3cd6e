/* fuzz_record.c - events of earlier runs, asked by key and for what has failed. */
#include <sys/mman.h>
#include <unistd.h>

#include "ajob.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char key[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    char path[64];
    uint64_t whole = 0;
    size_t length, count;
    int fd = memfd_create("events", MFD_CLOEXEC);
    ajob_loop *loop = ajob_loop_new(NULL);
    HOLDS(loop && fd >= 0 && write(fd, data, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    bool keeps_failed = size % 2;
    ajob_record *record = ajob_record_read(loop, path, keeps_failed, &whole);
    HOLDS(whole <= size && (!whole || data[whole - 1] == '\n'));
    HOLDS(record || (*ajob_error(loop) && fuzz_is_printable(ajob_error(loop))));
    while (record && ajob_record_take(record, key))
        HOLDS(!keeps_failed);
    HOLDS(!ajob_record_take(record, key));
    HOLDS(keeps_failed || !record || !ajob_record_count_failed(record));
    for (count = record ? ajob_record_count_failed(record) : 0; count; count--)
        HOLDS(ajob_record_next_failed(record, &length) && length <= size);
    HOLDS(!record || !ajob_record_next_failed(record, &length));
    ajob_record_free(record);
    ajob_loop_free(loop);
    close(fd);
    return 0;
}
