/*
 * test_verifier.c - digests of files that are being written, and syncing them: the loop
 * is run by hand, so a thread's work is over only when the test lets it be.
 */
#include "base/mem.h"
#include "check.h"
#include "net/sync.h"
#include "net/verifier.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { KIB = 1024, MIB = 1024 * 1024, FILE_MAX = 12 * MIB };

static uv_loop_t uv;
static struct verifier verifier;
static int fd, done_count;
static char content[FILE_MAX];

/* ---- the rig ---------------------------------------------------------------- */

static void is_done(struct verifier *of) {
    CHECK(of == &verifier && !of->is_running);
    done_count++;
}

static void begin(void) {
    done_count = 0;
    CHECK(!ftruncate(fd, 0));
    verifier.done = is_done;
    CHECK(verifier_begin(&verifier, &uv, digest_sha256(), fd));
}

static void put(size_t first, size_t length) {
    CHECK(pwrite(fd, content + first, length, (off_t)first) == (ssize_t)length);
}

/* Whether what was verified is the first length bytes of the content. */
static bool is_content(size_t length) {
    struct digest digest = {0};
    struct digest_want none = {.algorithm = digest_sha256()}, want;
    char hex[DIGEST_HEX_MAX], expected[DIGEST_HEX_MAX];
    digest_begin(&digest, none.algorithm);
    digest_add(&digest, content, length);
    digest_end(&digest, &none, expected);
    digest_done(&digest);
    CHECK(digest_parse(expected, &want));
    bool is_same = verifier_end(&verifier, &want, hex);
    CHECK(is_same == !strcmp(hex, expected));
    return is_same && !verifier.error;
}

static void run(void) {
    uv_run(&uv, UV_RUN_DEFAULT);
}

static void end(void) {
    run();
    CHECK_NUMBER(done_count, 1);
    verifier_cancel(&verifier); /* nothing is owed any more */
    run();
    CHECK_NUMBER(done_count, 1);
    verifier_done(&verifier);
}

/* ---- in order ---------------------------------------------------------------- */

static void an_empty_file(void) {
    begin();
    verifier_finish(&verifier);
    CHECK_NUMBER(done_count, 1);
    CHECK(is_content(0));
    end();
}

static void a_small_file_is_hashed_as_it_is_written(void) {
    begin();
    for (size_t at = 0; at < 100 * KIB; at += 10 * KIB)
        CHECK(verifier_feed(&verifier, content + at, 10 * KIB));
    verifier_reach(&verifier, 50 * KIB); /* the rest is joined, and hashed already */
    verifier_finish(&verifier);
    CHECK_NUMBER(done_count, 1); /* and nothing had to be read: the file is empty */
    CHECK(is_content(100 * KIB));
    end();
}

static void of_a_large_file_the_rest_is_read_back(void) {
    begin();
    size_t at = 0;
    while (verifier_feed(&verifier, content + at, 16 * KIB))
        at += 16 * KIB;
    CHECK_NUMBER(at, MIB);
    put(0, MIB + 500 * KIB);
    verifier_reach(&verifier, MIB + 500 * KIB);
    CHECK(!verifier.is_running); /* there will be more */
    CHECK(!verifier_feed(&verifier, content + MIB + 500 * KIB, 1));
    put(MIB + 500 * KIB, 7 * MIB - MIB - 500 * KIB);
    verifier_reach(&verifier, 7 * MIB);
    CHECK(verifier.is_running);
    verifier_finish(&verifier);
    CHECK_NUMBER(done_count, 0);
    run();
    CHECK(is_content(7 * MIB));
    end();
}

/* ---- blocks ------------------------------------------------------------------ */

static char *block;

/* Offers the block that begins at `at`; whether it was taken. Nothing is in the file. */
static bool offer(size_t at) {
    if (!block)
        block = mem_new(64 * KIB);
    memcpy(block, content + at, 64 * KIB);
    char *other = verifier_trade(&verifier, at, block, 64 * KIB);
    bool is_taken = other != block;
    block = other;
    memset(block, 0, 64 * KIB); /* it is ours again, and the taken one is not */
    return is_taken;
}

static void blocks_are_hashed_from_where_they_are(void) {
    size_t at = 0;
    begin();
    while (verifier_feed(&verifier, content + at, 16 * KIB))
        at += 16 * KIB;
    CHECK(!offer(at - 64 * KIB)); /* hashed already */
    CHECK(offer(at - 16 * KIB));  /* in part */
    for (at += 48 * KIB; at < 2 * MIB; at += 64 * KIB)
        CHECK(offer(at));
    CHECK(!offer(at + 64 * KIB)); /* there is something missing before it */
    CHECK(offer(at));
    verifier_finish(&verifier);
    run();
    CHECK(is_content(at + 64 * KIB));
    end();
}

static void blocks_come_while_the_thread_is_at_work(void) {
    size_t at = 300 * KIB;
    begin();
    put(0, 300 * KIB);
    verifier_reach(&verifier, 300 * KIB);
    CHECK(verifier.is_running);
    CHECK(offer(at)); /* behind what has to be read back */
    for (at += 64 * KIB; at + 64 * KIB <= FILE_MAX; at += 64 * KIB)
        if (!offer(at)) { /* more than it can take */
            put(at, 64 * KIB);
            verifier_reach(&verifier, at + 64 * KIB);
        }
    verifier_finish(&verifier);
    run();
    CHECK(is_content(at));
    end();
}

static void with_no_room_they_are_read_back(void) {
    size_t at = 0;
    begin();
    verifier.fd = -1; /* nothing can be read: a refused one must not get lost */
    while (at < 4 * MIB && offer(at))
        at += 64 * KIB;
    CHECK(at > 0);
    verifier_reach(&verifier, at + 64 * KIB);
    CHECK(!offer(at + 128 * KIB));
    verifier_finish(&verifier);
    run();
    CHECK_NUMBER(verifier.error, EBADF);
    end();
}

static void over_again_with_blocks_that_wait(void) {
    begin();
    put(0, 2 * MIB);
    verifier_reach(&verifier, 2 * MIB);
    CHECK(verifier.is_running && offer(2 * MIB));
    verifier_restart(&verifier);
    CHECK(!offer(0)); /* the thread has to stop first */
    run();
    for (size_t at = 0; at < 3 * MIB; at += 64 * KIB)
        CHECK(offer(at));
    verifier_finish(&verifier);
    run();
    CHECK(is_content(3 * MIB));
    end();
}

static void cancelled_with_blocks_that_wait(void) {
    begin();
    for (size_t at = 0; at < 2 * MIB; at += 64 * KIB)
        CHECK(offer(at));
    CHECK(verifier.is_running);
    verifier_cancel(&verifier);
    end();
}

static void the_prefix_first_while_the_rest_comes(void) {
    begin();
    put(0, 300 * KIB);
    verifier_reach(&verifier, 300 * KIB);
    CHECK(verifier.is_running);                                /* at once */
    CHECK(!verifier_feed(&verifier, content + 300 * KIB, 10)); /* it must not overtake */
    put(300 * KIB, 10);
    verifier_reach(&verifier, 300 * KIB + 10);
    CHECK(!verifier_feed(&verifier, content + 300 * KIB + 10, 10));
    run();
    CHECK(!verifier_feed(&verifier, content + 300 * KIB + 10, 10)); /* 10 are not hashed */
    put(300 * KIB + 10, 10);
    verifier_reach(&verifier, 300 * KIB + 20);
    verifier_finish(&verifier);
    run();
    CHECK(is_content(300 * KIB + 20));
    end();
}

static void after_the_prefix_small_rests_are_fed(void) {
    begin();
    put(0, 300 * KIB);
    verifier_reach(&verifier, 300 * KIB);
    run();
    CHECK(verifier_feed(&verifier, content + 300 * KIB, 10));
    verifier_finish(&verifier);
    CHECK(done_count == 1 && is_content(300 * KIB + 10));
    end();
}

static void a_thread_behind_a_writer(void) {
    begin();
    for (size_t at = 0; at < FILE_MAX; at += 64 * KIB) {
        put(at, 64 * KIB);
        verifier_reach(&verifier, at + 64 * KIB);
        uv_run(&uv, UV_RUN_NOWAIT);
        CHECK(done_count == 0);
    }
    verifier_finish(&verifier);
    run();
    CHECK(is_content(FILE_MAX));
    end();
}

/* ---- over again, early ends, errors ------------------------------------------ */

static void over_again_while_a_thread_is_at_work(void) {
    begin();
    put(0, FILE_MAX);
    verifier_reach(&verifier, FILE_MAX);
    CHECK(verifier.is_running);
    verifier_restart(&verifier);
    CHECK(!ftruncate(fd, 0));
    put(0, 10);
    verifier_reach(&verifier, 10);
    verifier_finish(&verifier);
    CHECK_NUMBER(done_count, 0);
    run();
    CHECK(is_content(10));
    end();
}

static void over_again_while_none_is(void) {
    begin();
    CHECK(verifier_feed(&verifier, content, 100));
    verifier_restart(&verifier);
    CHECK(verifier_feed(&verifier, content, 50) && verifier_feed(&verifier, content + 50, 7));
    verifier_restart(&verifier);
    put(0, 30);
    verifier_reach(&verifier, 30);
    run();
    verifier_finish(&verifier);
    CHECK(is_content(30));
    end();
    CHECK(verifier_begin(&verifier, &uv, digest_sha256(), fd)); /* and for another file */
    done_count = 0;
    verifier_finish(&verifier);
    CHECK(is_content(0));
    end();
}

static void cancelled_with_and_without_a_thread_at_work(void) {
    begin();
    verifier_cancel(&verifier);
    CHECK_NUMBER(done_count, 1);
    end();
    begin();
    CHECK(!ftruncate(fd, (off_t)1 << 36)); /* reading all of it would take a minute */
    verifier_reach(&verifier, 1 << 30);
    verifier_reach(&verifier, (uint64_t)1 << 36);
    verifier_cancel(&verifier);
    CHECK_NUMBER(done_count, 0);
    run();
    CHECK(verifier.hashed <= 1 << 30);
    end();
    begin(); /* while it was to begin again */
    put(0, MIB);
    verifier_reach(&verifier, MIB);
    verifier_restart(&verifier);
    verifier_reach(&verifier, MIB);
    verifier_cancel(&verifier);
    verifier_cancel(&verifier);
    end();
    begin(); /* while it was being finished */
    put(0, MIB);
    verifier_reach(&verifier, MIB);
    verifier_finish(&verifier);
    verifier_cancel(&verifier);
    end();
}

static void a_file_that_is_shorter_than_was_said(void) {
    begin();
    put(0, 10);
    verifier_reach(&verifier, 11);
    run();
    CHECK_NUMBER(verifier.error, -1);
    CHECK(!verifier_feed(&verifier, content, 1));
    verifier_reach(&verifier, 20 * MIB);
    CHECK(!verifier.is_running && !done_count);
    verifier_finish(&verifier);
    CHECK(done_count == 1 && !is_content(11) && !is_content(10));
    end();
    /* It may begin again, and be right. */
    begin();
    verifier_reach(&verifier, 1);
    run();
    CHECK_NUMBER(verifier.error, -1);
    verifier_restart(&verifier);
    CHECK(verifier_feed(&verifier, content, 5));
    verifier_finish(&verifier);
    CHECK(is_content(5));
    end();
}

static void a_file_that_cannot_be_read(void) {
    begin();
    verifier.fd = open("/tmp", O_RDONLY | O_DIRECTORY);
    verifier_reach(&verifier, 10);
    verifier_finish(&verifier);
    run();
    CHECK_NUMBER(verifier.error, EISDIR);
    close(verifier.fd);
    end();
}

/* ---- syncing ----------------------------------------------------------------- */

static int synced;

static void is_synced(struct sync *sync) {
    CHECK(!sync->is_running);
    synced++;
}

static void files_and_directories_are_synced(void) {
    struct sync sync = {.done = is_synced};
    int directory = open("/tmp", O_RDONLY | O_DIRECTORY);
    synced = 0;
    CHECK(sync_start(&sync, &uv, fd) && sync.is_running);
    run();
    CHECK(synced == 1 && sync.error == 0);
    CHECK(sync_start(&sync, &uv, directory));
    run();
    CHECK(synced == 2 && sync.error == 0);
    mem_fail_nth(FAULT_FSYNC, 1);
    CHECK(sync_start(&sync, &uv, fd));
    run();
    CHECK(synced == 3 && sync.error == EIO);
    close(directory);
    CHECK(sync_start(&sync, &uv, -1));
    run();
    CHECK(synced == 4 && sync.error == EBADF);
}

int main(void) {
    char name[] = "/tmp/ajob-test-XXXXXX";
    fd = mkstemp(name);
    unlink(name);
    if (fd < 0 || uv_loop_init(&uv))
        return 1;
    for (size_t i = 0; i < sizeof content; i++)
        content[i] = (char)(i * 2654435761U >> 13);
    RUN(an_empty_file);
    RUN(a_small_file_is_hashed_as_it_is_written);
    RUN(of_a_large_file_the_rest_is_read_back);
    RUN(blocks_are_hashed_from_where_they_are);
    RUN(blocks_come_while_the_thread_is_at_work);
    RUN(with_no_room_they_are_read_back);
    RUN(over_again_with_blocks_that_wait);
    RUN(cancelled_with_blocks_that_wait);
    RUN(the_prefix_first_while_the_rest_comes);
    RUN(after_the_prefix_small_rests_are_fed);
    RUN(a_thread_behind_a_writer);
    RUN(over_again_while_a_thread_is_at_work);
    RUN(over_again_while_none_is);
    RUN(cancelled_with_and_without_a_thread_at_work);
    RUN(a_file_that_is_shorter_than_was_said);
    RUN(a_file_that_cannot_be_read);
    RUN(files_and_directories_are_synced);
    mem_free(block);
    CHECK(!uv_loop_close(&uv));
    close(fd);
    return finish();
}
