/*
 * test_part.c - a part's bytes and its note: what the note says is there, whatever happens.
 */
#include "base/mem.h"
#include "check.h"
#include "net/disk.h"
#include "net/part.h"
#include "net/resume.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { KIB = 1024, MIB = 1024 * 1024 };

static char dir[] = "/tmp/ajob-test-XXXXXX";
static int dir_fd;
static struct part part;
static struct part_note note;
static struct text error = TEXT_INIT(TEXT_LINE_MAX);

/* ---- the rig ---------------------------------------------------------------- */

/* The file's byte at each place. */
static char byte_at(uint64_t at) {
    return (char)(at * 2654435761U >> 13);
}

static const char *bytes(uint64_t first, size_t length) {
    static char data[MIB];
    for (size_t i = 0; i < length; i++)
        data[i] = byte_at(first + i);
    return data;
}

static bool claim(void) {
    text_clear(&error);
    part = (struct part)PART_INIT(dir_fd);
    return part_claim(&part, "f", &error);
}

static void leave(void) {
    part_close(&part);
    part_note_done(&note);
}

static void clean(void) {
    static const char *const names[] = {"f", "f.part", "f.part.json", "f.part.json.tmp", "other"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (unlinkat(dir_fd, names[i], 0))
            unlinkat(dir_fd, names[i], AT_REMOVEDIR);
}

static bool is_there(const char *name) {
    return !faccessat(dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW);
}

static bool remember(void) {
    static char identity[] = "i", from[] = "u", etag[] = "\"e\"";
    struct part_note said = {.identity = identity, .url = from, .etag = etag, .total = 2 * MIB};
    return part_remember(&part, &said, &error);
}

static bool write_from(struct part_writer *writer, size_t length) {
    return part_write(&part, writer, bytes(writer->at, length), length, &error);
}

static bool write_there(uint64_t first, size_t length) {
    struct part_writer writer = {.at = first};
    bool is_written = write_from(&writer, length) && part_flush(&part, &writer, &error);
    part_writer_done(&writer);
    return is_written;
}

/* Claims the part anew and reads its note. */
static bool recall(void) {
    leave();
    return claim() && part.has_note && part_recall(&part, &note);
}

static const char *have(void) {
    static char text[256];
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < part.have.count && used < sizeof text; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%lld-%lld", i ? " " : "",
                                 (long long)part.have.items[i].first,
                                 (long long)part.have.items[i].end);
    return text;
}

/* All that it has is in the file, and right. */
static bool is_true(void) {
    for (size_t i = 0; i < part.have.count; i++)
        for (uint64_t at = part.have.items[i].first; at < part.have.items[i].end; at += 509) {
            char byte;
            if (pread(part.fd, &byte, 1, (off_t)at) != 1 || byte != byte_at(at))
                return false;
        }
    return true;
}

static void put(const char *name, const char *text) {
    int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

static void put_size(const char *name, off_t size) {
    int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    CHECK(!ftruncate(fd, size));
    close(fd);
}

static const char *note_text(void) {
    static char text[8 * KIB];
    int fd = openat(dir_fd, "f.part.json", O_RDONLY);
    ssize_t length = fd >= 0 ? read(fd, text, sizeof text - 1) : 0;
    text[length > 0 ? length : 0] = '\0';
    if (fd >= 0)
        close(fd);
    return text;
}

/* ---- bytes and notes --------------------------------------------------------- */

static void writers_write_in_any_order(void) {
    CHECK(claim() && !part.has_note);
    struct part_writer first = {.at = 0}, second = {.at = MIB};
    CHECK(write_from(&second, 1000) && write_from(&first, 100) && write_from(&second, 500));
    CHECK_TEXT(have(), "0-100"); /* the others are joined */
    CHECK(part_flush(&part, &second, &error) && part_flush(&part, &second, &error));
    CHECK_TEXT(have(), "0-100 1048576-1050076");
    CHECK(write_from(&first, 300 * KIB) && write_from(&first, 100 * KIB));
    CHECK_NUMBER(ranges_frontier(&part.have), 100 + 300 * KIB + 64 * KIB);
    CHECK(part_flush(&part, &first, &error));
    CHECK_TEXT(have(), "0-409700 1048576-1050076");
    CHECK_NUMBER(first.at, 409700);
    CHECK(is_true());
    part_writer_done(&first);
    part_writer_done(&second);
    part_discard(&part);
    CHECK(!is_there("f.part"));
    leave();
}

static void a_note_of_the_first_bytes_is_good_for_those_that_follow(void) {
    CHECK(claim() && write_there(0, 1000) && remember() && write_there(1000, 2000));
    CHECK(!part_note_is_due(&part, 3 * MIB));
    CHECK(strstr(note_text(), "\"part\": 1") && !strstr(note_text(), "ranges"));
    CHECK(recall());
    CHECK_TEXT(have(), "0-3000");
    CHECK_TEXT(note.etag, "\"e\"");
    CHECK(!part.note_has_ranges && is_true());
    leave();
    clean();
}

static void a_note_of_pieces_lists_them(void) {
    CHECK(claim() && write_there(0, 1000));
    part.is_in_pieces = true;
    CHECK(remember() && part.note_has_ranges && write_there(MIB, 5000) && write_there(1000, 10));
    CHECK(strstr(note_text(), "\"part\": 2") && strstr(note_text(), "\"ranges\": [[0, 1000]]"));
    CHECK(recall()); /* killed: what it does not list is lost */
    CHECK_TEXT(have(), "0-1000");
    CHECK(part.note_has_ranges && write_there(MIB, 5000) && remember() && recall());
    CHECK_TEXT(have(), "0-1000 1048576-1053576");
    CHECK(is_true());
    CHECK(write_there(1000, MIB - 1000) && remember() && recall());
    CHECK(!part.note_has_ranges); /* nothing is missing in between any more */
    CHECK_TEXT(have(), "0-1053576");
    leave();
    clean();
}

static void a_note_of_pieces_is_written_again_from_time_to_time(void) {
    CHECK(claim() && !part_note_is_due(&part, 0));
    part.is_in_pieces = true;
    CHECK(remember() && !part_note_is_due(&part, 0) && write_there(10, 1000));
    CHECK(!part_note_is_due(&part, 0));
    CHECK(write_there(MIB, 256 * KIB) && part_note_is_due(&part, MIB) &&
          part_note_is_due(&part, 0));
    CHECK(!part_note_is_due(&part, 100 * MIB)); /* for a larger file that is little */
    CHECK(remember() && !part_note_is_due(&part, MIB));
    part.noted_at_ms -= 1001;
    CHECK(!part_note_is_due(&part, MIB)); /* nothing new */
    CHECK(write_there(0, 1) && part_note_is_due(&part, 100 * MIB));
    part_discard(&part);
    CHECK(!is_there("f.part") && !is_there("f.part.json"));
    leave();
}

static void a_note_goes_before_a_byte_would_make_it_lie(void) {
    CHECK(claim() && write_there(0, 1000) && remember() && is_there("f.part.json"));
    CHECK(write_there(2000, 10) && !part.has_note && !is_there("f.part.json"));
    CHECK(remember() && part.note_has_ranges); /* nobody had said that it is in pieces */
    CHECK(recall());
    CHECK_TEXT(have(), "0-1000 2000-2010");
    /* What is cut off would seem to be there once there are bytes behind it. */
    CHECK(part_cut(&part, 2005, &error) && !is_there("f.part.json"));
    CHECK_TEXT(have(), "0-1000 2000-2005");
    CHECK(remember() && part_empty(&part, &error) && !is_there("f.part.json"));
    CHECK_TEXT(have(), "");
    leave();
    clean();
}

static void ranges_end_where_the_file_does(void) {
    put_size("f.part", 150);
    put("f.part.json", "{\"part\":2,\"identity\":\"i\",\"ranges\":[[0,100],[120,200],[300,400]]}");
    CHECK(claim() && part.has_note && part_recall(&part, &note));
    CHECK_TEXT(have(), "0-100 120-150");
    CHECK(!is_there("f.part.json")); /* 300-400 would be back with byte 400 */
    leave();
    clean();
}

static void a_note_from_elsewhere_is_worth_nothing(void) {
    static const char *const texts[] = {
        "",
        "{",
        "[]",
        "null",
        "{\"part\":1}",
        "{\"part\":3,\"identity\":\"i\"}",
        "{\"part\":1.5,\"identity\":\"i\"}",
        "{\"part\":\"1\",\"identity\":\"i\"}",
        "{\"part\":1,\"identity\":7}",
        "{\"part\":1,\"identity\":\"a\\nb\"}",
        "{\"part\":2,\"identity\":\"i\"}",
        "{\"part\":2,\"identity\":\"i\",\"ranges\":7}",
        "{\"part\":2,\"identity\":\"i\",\"ranges\":{\"a\":[0,1]}}",
        "{\"part\":2,\"identity\":\"i\",\"ranges\":[0,1]}",
        "{\"part\":2,\"identity\":\"i\",\"ranges\":[[]]}",
        "{\"part\":2,\"identity\":\"i\",\"ranges\":[[1]]}",
        "{\"part\":2,\"identity\":\"i\",\"ranges\":[[0,1,2]]}",
        "{\"part\":2,\"identity\":\"i\",\"ranges\":[[\"0\",\"1\"]]}",
        "{\"part\":2,\"identity\":\"i\",\"ranges\":[[-1,1]]}",
        "{\"part\":2,\"identity\":\"i\",\"ranges\":[[0,1.5]]}",
        "{\"part\":2,\"identity\":\"i\",\"ranges\":[[0,1e300]]}",
        "{\"part\":2,\"identity\":\"i\",\"ranges\":[[0,1e999]]}",
        "{\"part\":2,\"identity\":\"i\",\"ranges\":[[1,1]]}",
        "{\"part\":2,\"identity\":\"i\",\"ranges\":[[2,1]]}",
        "{\"part\":2,\"identity\":\"i\",\"ranges\":[[0,2],[1,3]]}",
        "{\"part\":2,\"identity\":\"i\",\"ranges\":[[5,6],[0,1]]}",
        "{\"part\":2,\"identity\":\"i\",\"ranges\":[[[[[[[[[[",
    };
    put("f.part", "0123456789");
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        put("f.part.json", texts[i]);
        CHECK(claim() && part.has_note);
        if (!CHECK(!part_recall(&part, &note)))
            printf("# %s\n", texts[i]);
        CHECK_TEXT(have(), "0-10");
        leave();
    }
    clean();
}

static void a_huge_note_is_worth_nothing(void) {
    struct text json = TEXT_INIT(64 * MIB);
    text_add(&json, "{\"part\":2,\"identity\":\"i\",\"ranges\":[[0,1]");
    for (unsigned i = 1; i <= 1000; i++)
        text_format(&json, ",[%u,%u]", 2 * i, 2 * i + 1);
    text_add(&json, "]}");
    put("f.part", "0123456789");
    put("f.part.json", text_string(&json)); /* 1001: one too many */
    CHECK(claim() && !part_recall(&part, &note));
    leave();
    text_clear(&json);
    text_add(&json, "{\"part\":1,\"identity\":\"i\",\"url\":\"");
    for (unsigned i = 0; i < MIB; i++)
        text_add_char(&json, 'x');
    text_add(&json, "\"}");
    put("f.part.json", text_string(&json));
    CHECK(claim() && !part_recall(&part, &note));
    leave();
    text_done(&json);
    clean();
}

static void what_is_no_file_is_no_note(void) {
    put("f.part", "0123456789");
    put("other", "{\"part\":1,\"identity\":\"i\"}");
    CHECK(!symlinkat("other", dir_fd, "f.part.json"));
    CHECK(claim() && part.has_note && !part_recall(&part, &note));
    CHECK(remember() && recall()); /* it takes the link's place */
    CHECK(is_there("other"));
    leave();
    unlinkat(dir_fd, "f.part.json", 0);
    CHECK(!mkfifoat(dir_fd, "f.part.json", 0600));
    CHECK(claim() && !part_recall(&part, &note) && part_empty(&part, &error));
    leave();
    put("f.part", "0123456789");
    CHECK(!mkdirat(dir_fd, "f.part.json", 0700));
    CHECK(claim() && !part_recall(&part, &note) && !remember());
    CHECK(!is_there("f.part.json.tmp"));
    leave();
    clean();
}

static void half_a_note_goes_when_its_part_is_claimed(void) {
    put("f.part", "0123456789");
    put("f.part.json.tmp", "{");
    CHECK(claim() && !is_there("f.part.json.tmp"));
    part_discard(&part);
    leave();
    clean();
}

static void a_note_goes_when_its_part_has_become_the_file(void) {
    struct part_target target;
    CHECK(claim() && write_there(0, 10) && remember());
    mem_fail_nth(FAULT_RENAME, 1);
    CHECK(!part_commit(&part, 0, &error) && recall()); /* not before */
    CHECK(part_commit(&part, 0, &error) && !is_there("f.part.json"));
    leave();
    put("f.part.json", "{\"part\":1,\"identity\":\"i\"}"); /* killed in between */
    part = (struct part)PART_INIT(dir_fd);
    CHECK(part_look(&part, "f", &target, &error) && !is_there("f.part.json"));
    close(target.fd);
    leave();
    put("f.part.json", "{\"part\":2,\"identity\":\"i\",\"ranges\":[[0,10]]}");
    CHECK(claim() && !part.has_note && !is_there("f.part.json")); /* a new part, it is not its */
    CHECK(part_look(&part, "f", &target, &error) && remember());
    close(target.fd);
    CHECK(part_look(&part, "f", &target, &error) && is_there("f.part.json")); /* this is */
    close(target.fd);
    part_discard(&part);
    leave();
    clean();
}

static void without_locks_a_part_has_a_name_of_its_own(void) {
    put("f.part", "0123456789");
    mem_fail_nth(FAULT_LOCK, 1);
    CHECK(claim() && !part.is_resumable && strcmp(part.part_name, "f.part") != 0);
    CHECK(write_there(0, 100) && remember() && !part.has_note);
    CHECK(part_commit(&part, 0, &error) && is_there("f") && is_there("f.part"));
    leave();
    clean();
    mem_fail_nth(FAULT_LOCK, 1);
    CHECK(claim() && !is_there("f.part")); /* which nobody else had */
    part_discard(&part);
    leave();
}

/* What another process does between our open and our lock. */
static void (*meanwhile)(void);

int flock(int fd, int how) {
    void (*now)(void) = meanwhile;
    meanwhile = NULL;
    if (now)
        now();
    return (int)syscall(SYS_flock, fd, how);
}

static void it_becomes_the_file(void) {
    CHECK(!renameat(dir_fd, "f.part", dir_fd, "f"));
}

static void it_is_removed(void) {
    CHECK(!unlinkat(dir_fd, "f.part", 0));
}

static void it_is_left_with_bytes(void) {
    put("f.part", "theirs");
}

static void what_was_anothers_meanwhile_is_not_ours(void) {
    static void (*const ends[])(void) = {it_becomes_the_file, it_is_removed, it_is_left_with_bytes};
    struct stat status;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        for (int is_old = 0; is_old < 2; is_old++) {
            if (is_old)
                put("f.part", "");
            meanwhile = ends[i];
            CHECK(claim() && is_there("f.part"));
            CHECK(!fstatat(dir_fd, "f.part", &status, 0) && status.st_ino == part.inode);
            CHECK_TEXT(have(), ends[i] == it_is_left_with_bytes ? "0-6" : "");
            leave();
            clean();
        }
    }
}

static void more_pieces_than_a_note_can_list(void) {
    CHECK(claim());
    part.is_in_pieces = true;
    for (uint64_t i = 0; i < 1500; i++)
        CHECK(write_there(4 * i, 2));
    CHECK(remember() && recall());
    CHECK_NUMBER(part.have.count, 1000);
    CHECK(is_true());
    part_discard(&part);
    leave();
}

/* ---- faults ------------------------------------------------------------------ */

/* Two writers and a note, as they would be; how far it came does not matter. */
static bool use(void) {
    struct part_writer first = {.at = 0}, second = {.at = MIB};
    bool is_used = claim() && write_from(&first, 1000);
    part.is_in_pieces = true;
    is_used = is_used && remember() && write_from(&second, 70 * KIB) && write_from(&first, 1000) &&
              remember() && write_from(&second, 70 * KIB) && part_flush(&part, &second, &error) &&
              remember();
    part_writer_done(&first);
    part_writer_done(&second);
    return is_used;
}

static void whatever_fails_nothing_lies(enum fault fault) {
    bool has_come = true;
    for (unsigned long n = 1; has_come; n++) {
        text_clear(&error);
        mem_fail_nth(fault, n);
        bool is_used = use();
        has_come = mem_fail_nth(fault, 0) == 0;
        CHECK(has_come || is_used);
        CHECK(is_used || *text_string(&error) || fault == FAULT_ALLOC);
        CHECK(part.fd < 0 || is_true());
        CHECK(!is_there("f.part.json.tmp"));
        if (recall())
            CHECK(is_true());
        leave();
        clean();
        if (!CHECK(n < 100))
            break;
    }
}

static void whichever_write_fails_nothing_lies(void) {
    whatever_fails_nothing_lies(FAULT_WRITE);
}

static void whichever_rename_fails_nothing_lies(void) {
    whatever_fails_nothing_lies(FAULT_RENAME);
}

static void wherever_memory_lacks_nothing_lies(void) {
    whatever_fails_nothing_lies(FAULT_ALLOC);
}

static void a_file_that_cannot_be_renamed_stays_a_part(void) {
    put("f", "old");
    CHECK(claim() && write_there(0, 10));
    mem_fail_nth(FAULT_RENAME, 1);
    CHECK(!part_commit(&part, 0, &error));
    CHECK_TEXT(text_string(&error), "f: Input/output error");
    CHECK(is_there("f.part"));
    part_dress(&part, 1000, 0600);
    CHECK(part_commit(&part, 0600, &error) && !is_there("f.part"));
    struct stat status;
    CHECK(!fstatat(dir_fd, "f", &status, 0) && status.st_size == 10 && status.st_mtime == 1000);
    leave();
    clean();
}

static unsigned mode_of(const char *name) {
    struct stat status;
    CHECK(!fstatat(dir_fd, name, &status, 0));
    return status.st_mode & 07777;
}

/* One that could not be written to would stop all who come after a kill here. */
static void a_part_is_its_owners_to_write_until_it_is_the_file(void) {
    CHECK(claim() && write_there(0, 10));
    part_dress(&part, -1, 0444);
    CHECK_NUMBER(mode_of("f.part"), 0644);
    mem_fail_nth(FAULT_RENAME, 1);
    CHECK(!part_commit(&part, 0444, &error));
    CHECK_NUMBER(mode_of("f.part"), 0644);
    CHECK(part_commit(&part, 0444, &error));
    CHECK_NUMBER(mode_of("f"), 0444);
    leave();
    clean();
}

/* ---- after another boot ------------------------------------------------------ */

static const char url[] = "http://h/f";

/* A part of size bytes with the note of that URL; as of another boot. */
static void leave_part(struct transfer_plan *plan, off_t size, const char *boot) {
    struct part_note said = {.etag = mem_copy("\"e\""), .total = -1};
    leave();
    put_size("f.part", size);
    CHECK(claim() && resume_remember(plan, &part, &said, &error));
    part_note_done(&said);
    leave();
    char changed[8 * KIB];
    const char *text = note_text(), *at = strstr(text, "\"boot\": \"");
    if (!boot || !CHECK(at != NULL))
        return;
    at += strlen("\"boot\": \"");
    snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - text), text, boot, strchr(at, '"'));
    put("f.part.json", changed);
}

static bool recall_part(struct transfer_plan *plan) {
    leave();
    return claim() && resume_recall(plan, plan->url, &part, &note);
}

static void after_another_boot_the_last_bytes_are_unknown(void) {
    struct transfer_plan plan = {.url = url};
    char boot[DISK_BOOT_MAX];
    if (!disk_boot(boot))
        return; /* none is known here */
    leave_part(&plan, 100 * MIB, NULL);
    CHECK(recall_part(&plan));
    CHECK_TEXT(have(), "0-104857600");
    leave_part(&plan, 100 * MIB, "another");
    CHECK(recall_part(&plan));
    CHECK_TEXT(have(), "0-37748736");
    CHECK(recall_part(&plan)); /* that has been seen to */
    CHECK_TEXT(have(), "0-37748736");
    leave_part(&plan, 64 * MIB, "another");
    CHECK(!recall_part(&plan));
    leave();
    clean();
}

static void after_another_boot_pieces_are_unknown(void) {
    struct transfer_plan plan = {.url = url};
    char boot[DISK_BOOT_MAX];
    if (!disk_boot(boot))
        return;
    struct part_note said = {.etag = mem_copy("\"e\""), .total = -1};
    put_size("f.part", 100 * MIB);
    CHECK(claim());
    part.is_in_pieces = true;
    CHECK(resume_remember(&plan, &part, &said, &error) && recall_part(&plan));
    part_note_done(&said);
    leave();
    char changed[8 * KIB];
    snprintf(changed, sizeof changed, "%s", note_text());
    *strstr(changed, "\"boot\"") = ' '; /* no JSON any more */
    memcpy(strstr(changed, " boot\": \""), "\"Boot\": \"", 9);
    put("f.part.json", changed); /* nor is a note without a boot trusted */
    CHECK(!recall_part(&plan));
    leave();
    clean();
}

static void a_digest_judges_what_a_power_cut_left(void) {
    struct digest_want want;
    CHECK(digest_parse("d41d8cd98f00b204e9800998ecf8427e", &want));
    struct transfer_plan plan = {.url = url, .want = &want};
    leave_part(&plan, 100 * MIB, "another");
    CHECK(recall_part(&plan));
    CHECK_TEXT(have(), "0-104857600");
    CHECK_TEXT(note.etag, "\"e\"");
    /* Another URL of the same digest: the same bytes, but another server's validators. */
    struct transfer_plan mirror = {.url = "http://m/g", .want = &want};
    CHECK(recall_part(&mirror));
    CHECK_TEXT(note.etag, NULL);
    CHECK(!recall_part(&(struct transfer_plan){.url = url})); /* nor without the digest */
    leave();
    clean();
}

/* ---- room ------------------------------------------------------------------- */

/* The disk of these tests, whatever is below: of 4 KiB blocks. */
static uint64_t disk_free, disk_asked;
static int disk_error;

int fstatfs(int fd, struct statfs *status) {
    (void)fd;
    *status = (struct statfs){0};
    return 0;
}

int fstatvfs(int fd, struct statvfs *status) {
    (void)fd;
    *status = (struct statvfs){
        .f_frsize = 4 * KIB, .f_blocks = UINT32_MAX, .f_bfree = disk_free / (4 * KIB)};
    return 0;
}

int fallocate(int fd, int mode, off_t at, off_t length) {
    (void)fd, (void)mode;
    disk_asked = (uint64_t)(at + length);
    errno = disk_error;
    return errno ? -1 : 0;
}

static bool reserve(uint64_t size, bool is_sure) {
    disk_asked = 0;
    text_clear(&error);
    return part_reserve(&part, size, is_sure, &error);
}

static void room_is_taken_only_where_there_is_enough(void) {
    enum { FREE = 64 * MIB };
    CHECK(claim());
    disk_free = FREE;
    CHECK(reserve(FREE / 2, false) && disk_asked == FREE / 2 && part.has_room);
    CHECK(reserve(FREE - 4 * KIB, true) && disk_asked == FREE - 4 * KIB);
    static const uint64_t sizes[] = {FREE + 4 * KIB, FREE * 2LL, (uint64_t)INT64_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        CHECK(!reserve(sizes[i], i > 0));
        CHECK_TEXT(error.data, "f.part: No space left on device");
        CHECK_NUMBER(disk_asked, 0); /* to try would have taken all of it */
    }
    CHECK(write_there(0, MIB) && reserve(FREE, true)); /* what is there needs no room */
    leave();
    clean();
}

static void of_a_great_length_that_is_only_announced_no_room_is_taken(void) {
    CHECK(claim());
    disk_free = 1ULL << 40;
    CHECK(reserve(1ULL << 34, false) && disk_asked == 0 && !part.has_room);
    CHECK(reserve(1ULL << 34, true) && disk_asked == 1ULL << 34 && part.has_room);
    leave();
    clean();
}

static void what_could_not_be_reserved_is_given_back(void) {
    CHECK(claim());
    disk_error = EDQUOT;
    CHECK(!reserve(MIB, true) && disk_asked == MIB && !part.has_room);
    CHECK_TEXT(error.data, "f.part: Disk quota exceeded");
    disk_error = EOPNOTSUPP; /* a file system that cannot */
    CHECK(reserve(MIB, true));
    leave();
    clean();
}

int main(void) {
    if (!mkdtemp(dir) || (dir_fd = open(dir, O_RDONLY | O_DIRECTORY)) < 0)
        return 1;
    RUN(writers_write_in_any_order);
    RUN(a_note_of_the_first_bytes_is_good_for_those_that_follow);
    RUN(a_note_of_pieces_lists_them);
    RUN(a_note_of_pieces_is_written_again_from_time_to_time);
    RUN(a_note_goes_before_a_byte_would_make_it_lie);
    RUN(ranges_end_where_the_file_does);
    RUN(a_note_from_elsewhere_is_worth_nothing);
    RUN(a_huge_note_is_worth_nothing);
    RUN(what_is_no_file_is_no_note);
    RUN(half_a_note_goes_when_its_part_is_claimed);
    RUN(a_note_goes_when_its_part_has_become_the_file);
    RUN(without_locks_a_part_has_a_name_of_its_own);
    RUN(what_was_anothers_meanwhile_is_not_ours);
    RUN(more_pieces_than_a_note_can_list);
    RUN(whichever_write_fails_nothing_lies);
    RUN(whichever_rename_fails_nothing_lies);
    RUN(wherever_memory_lacks_nothing_lies);
    RUN(a_file_that_cannot_be_renamed_stays_a_part);
    RUN(a_part_is_its_owners_to_write_until_it_is_the_file);
    RUN(after_another_boot_the_last_bytes_are_unknown);
    RUN(after_another_boot_pieces_are_unknown);
    RUN(a_digest_judges_what_a_power_cut_left);
    RUN(room_is_taken_only_where_there_is_enough);
    RUN(of_a_great_length_that_is_only_announced_no_room_is_taken);
    RUN(what_could_not_be_reserved_is_given_back);
    text_done(&error);
    close(dir_fd);
    rmdir(dir);
    return finish();
}
