/*
 * test_transfer.c - one attempt of a download, in every order of what can happen.
 *
 * transfer.c with neighbours that are the test's: the directory, the part, the bytes, the
 * digests and the disk do what a random walk says. What must hold whatever comes: it is over
 * once, only a file that is whole, and has its digest, takes the name, what a thread reads is
 * not closed under it, and what is left behind is left for a reason.
 */
#define transfer_start tested_transfer_start
#define transfer_stop tested_transfer_stop
#define transfer_done tested_transfer_done
#define pieces_start fake_pieces_start
#define pieces_stop fake_pieces_stop
#define pieces_done fake_pieces_done
#define verifier_begin fake_verifier_begin
#define verifier_reach fake_verifier_reach
#define verifier_finish fake_verifier_finish
#define verifier_cancel fake_verifier_cancel
#define verifier_end fake_verifier_end
#define verifier_done fake_verifier_done
#define sync_start fake_sync_start
#define part_look fake_part_look
#define part_claim fake_part_claim
#define part_empty fake_part_empty
#define part_dress fake_part_dress
#define part_commit fake_part_commit
#define part_close fake_part_close
#define dir_enter fake_dir_enter
#define dir_leave fake_dir_leave
#define resume_recall fake_resume_recall
#define resume_leave fake_resume_leave
#define taken_is_free fake_taken_is_free
#define taken_keep fake_taken_keep

#define finish transfer_finish
#include "../../lib/net/transfer.c"
#undef finish

#include "chance.h"
#include "core_rig.h"

#include <fcntl.h>

enum { DIR_FD = 1001, PART_FD = 1002, SIZE = 1000, MTIME = 1577836800 };
static const char date[] = "Wed, 01 Jan 2020 00:00:00 GMT"; /* MTIME */

static struct {
    struct ajob_task task;
    struct transfer_plan plan;
    struct digest_want want;
    struct dir dir;
    struct source source;
    struct transfer transfer;
    /* How things are: */
    bool has_target; /* with the wanted digest, if is_target_right */
    bool is_target_right, has_digest_library, is_continued, is_right, is_name_free;
    bool dir_fails, look_fails, claim_fails, empty_fails, commit_fails, pieces_fail, loop_refuses;
    int thread_error; /* of the digests' threads */
    /* What happened: */
    bool is_in_dir, is_claimed, is_emptied, is_dressed, is_closed, are_pieces_running,
        is_pieces_freed;
    bool is_left, was_useless, was_stopped;
    bool is_part_synced, is_target_synced, is_dir_synced, has_sync_failed, is_kept;
    unsigned overs, commits, hashing;
} world;

static bool refuse(struct text *error) {
    text_add(error, "refused");
    return false;
}

/* ---- directory and part ------------------------------------------------------------- */

bool dir_enter(struct dir *dir, struct text *error) {
    CHECK(dir == &world.dir && !world.is_in_dir);
    if (world.dir_fails)
        return refuse(error);
    dir->fd = DIR_FD;
    return world.is_in_dir = true;
}

void dir_leave(struct dir *dir) {
    CHECK(dir == &world.dir && world.is_in_dir && world.is_closed);
    world.is_in_dir = false;
}

bool part_look(struct part *part, const char *name, struct part_target *ret_target,
               struct text *error) {
    CHECK(world.is_in_dir && part->dir_fd == DIR_FD && !strcmp(name, "f"));
    *ret_target = (struct part_target){.fd = -1};
    if (world.look_fails)
        return refuse(error);
    if (world.has_target)
        *ret_target = (struct part_target){.fd = open("/dev/null", O_RDONLY | O_CLOEXEC),
                                           .size = SIZE,
                                           .mtime_s = MTIME,
                                           .mode = 0644};
    return true;
}

bool part_claim(struct part *part, const char *name, struct text *error) {
    CHECK(!strcmp(name, "f") && !world.is_claimed);
    if (world.claim_fails)
        return refuse(error);
    part->fd = PART_FD;
    part->is_resumable = true;
    return world.is_claimed = true;
}

bool resume_recall(const struct transfer_plan *plan, const char *url, struct part *part,
                   struct part_note *ret_note) {
    CHECK(plan == &world.plan && world.is_claimed && !strcmp(url, "http://a/f"));
    if (world.is_continued)
        CHECK(ranges_add(&part->have, 0, SIZE / 2));
    (void)ret_note;
    return world.is_continued;
}

bool part_empty(struct part *part, struct text *error) {
    CHECK(part->fd == PART_FD && !world.is_continued);
    world.is_emptied = !world.empty_fails;
    return world.empty_fails ? refuse(error) : true;
}

void part_dress(struct part *part, int64_t mtime_s, unsigned mode) {
    CHECK(part->fd == PART_FD && !world.is_dressed && !world.is_part_synced && !world.commits);
    CHECK_NUMBER(mode, world.has_target ? 0644 : 0);
    CHECK_NUMBER(mtime_s, world.transfer.note.modified ? MTIME : -1);
    world.is_dressed = true;
}

bool part_commit(struct part *part, unsigned mode, struct text *error) {
    const struct transfer *transfer = &world.transfer;
    CHECK(world.is_dressed);
    CHECK(part->fd == PART_FD && !world.hashing && !world.are_pieces_running);
    CHECK(transfer->pieces.verdict.result == PIECES_COMPLETE && world.is_name_free);
    CHECK(!world.plan.want || world.is_right);
    CHECK(!world.plan.fsync || world.is_part_synced);
    CHECK(!world.was_stopped && !world.has_sync_failed && !world.is_left);
    CHECK_NUMBER(mode, world.has_target ? 0644 : 0);
    CHECK_NUMBER(++world.commits, 1);
    if (world.commit_fails)
        return refuse(error);
    return true;
}

uint64_t resume_leave(const struct transfer_plan *plan, struct part *part, struct part_note *note,
                      bool is_useless) {
    CHECK(plan == &world.plan && note == &world.transfer.note && !world.is_left);
    CHECK(!world.hashing && !world.are_pieces_running && !world.is_closed);
    CHECK(part->fd == (world.is_claimed ? PART_FD : -1));
    world.is_left = true;
    world.was_useless = is_useless;
    return is_useless ? 0 : ranges_total(&part->have);
}

void part_close(struct part *part) {
    CHECK(!world.is_closed && !world.hashing && !world.are_pieces_running);
    CHECK(!world.transfer.sync.is_running);
    world.is_closed = true;
    ranges_done(&part->have);
    *part = (struct part)PART_INIT(-1);
}

bool taken_is_free(struct ajob_loop *loop, int dir_fd, const char *name, struct text *error) {
    CHECK(loop == rig.loop && dir_fd == DIR_FD && !strcmp(name, "f"));
    return world.is_name_free ? true : refuse(error);
}

void taken_keep(struct ajob_loop *loop, int dir_fd, const char *name) {
    CHECK(loop == rig.loop && dir_fd == DIR_FD && !strcmp(name, "f") && world.is_in_dir);
    world.is_kept = true;
}

/* ---- bytes, digests, the disk ------------------------------------------------------------ */

bool pieces_start(struct pieces *pieces) {
    CHECK(world.is_claimed && pieces == &world.transfer.pieces);
    CHECK(world.is_continued || world.is_emptied);
    CHECK(!pieces->verifier == !world.plan.digests);
    pieces->total = -1;
    pieces->verdict.retry_after_ms = -1;
    pieces->here = pieces->resumed_from = ranges_total(&pieces->part->have);
    pieces->verdict.cause.max = TEXT_LINE_MAX;
    world.are_pieces_running = !world.pieces_fail;
    if (world.pieces_fail) {
        pieces->verdict.result = PIECES_FAILED_HERE;
        refuse(&pieces->verdict.cause);
    }
    return world.are_pieces_running;
}

void pieces_stop(struct pieces *pieces) {
    (void)pieces;
    world.are_pieces_running = false;
}

void pieces_done(struct pieces *pieces) {
    CHECK(!world.are_pieces_running);
    text_done(&pieces->verdict.cause);
}

static void run_thread(struct verifier *verifier) {
    CHECK(verifier->fd == PART_FD || verifier->fd == world.transfer.target.fd);
    CHECK(!verifier->is_running);
    verifier->is_running = true;
    world.hashing++;
}

bool verifier_begin(struct verifier *verifier, uv_loop_t *uv,
                    const struct digest_algorithm *algorithm, int fd) {
    CHECK(uv == rig.loop->uv && algorithm == world.plan.digests && verifier->done);
    CHECK(fd == PART_FD || fd == world.transfer.target.fd);
    verifier->fd = fd;
    return world.has_digest_library;
}

void verifier_reach(struct verifier *verifier, uint64_t frontier) {
    CHECK(!verifier->is_finishing);
    if (frontier && !verifier->is_running && one_in(2))
        run_thread(verifier);
}

static void verifier_is_done(struct verifier *verifier) {
    CHECK(!verifier->is_over);
    verifier->is_over = true;
    verifier->done(verifier);
}

void verifier_finish(struct verifier *verifier) {
    CHECK(!verifier->is_finishing && !world.are_pieces_running);
    verifier->is_finishing = true;
    if (!verifier->is_running && one_in(2))
        run_thread(verifier);
    if (!verifier->is_running)
        verifier_is_done(verifier);
}

void verifier_cancel(struct verifier *verifier) {
    if (verifier->is_over)
        return;
    verifier->is_finishing = true;
    atomic_store(&verifier->is_cancelled, true);
    if (!verifier->is_running)
        verifier_is_done(verifier);
}

bool verifier_end(struct verifier *verifier, const struct digest_want *want,
                  char hex[DIGEST_HEX_MAX]) {
    bool is_part = verifier->fd == PART_FD;
    CHECK(verifier->is_over && !verifier->error && want == world.plan.want);
    snprintf(hex, DIGEST_HEX_MAX, "%s", is_part ? "abcd" : "ef01");
    return is_part ? world.is_right : world.is_target_right;
}

void verifier_done(struct verifier *verifier) {
    CHECK(!verifier->is_running);
}

bool sync_start(struct sync *sync, uv_loop_t *uv, int fd) {
    CHECK(uv == rig.loop->uv && !sync->is_running && world.plan.fsync);
    CHECK(fd != PART_FD || world.is_dressed); /* or a power cut may take that back */
    CHECK(fd != PART_FD || !world.hashing);
    sync->fd = fd;
    sync->error = 0;
    sync->is_running = !world.loop_refuses;
    world.has_sync_failed = world.loop_refuses;
    return sync->is_running;
}

/* ---- the owner --------------------------------------------------------------------------- */

static void check_success(const struct transfer *transfer) {
    const struct transfer_plan *plan = &world.plan;
    CHECK(transfer->is_up_to_date || (world.commits == 1 && !world.commit_fails));
    CHECK(!transfer->is_up_to_date || (!world.commits && world.has_target));
    CHECK(!transfer->is_up_to_date || !plan->want || world.is_target_right);
    CHECK(!plan->fsync || world.is_dir_synced);
    CHECK(!plan->fsync ||
          (transfer->is_up_to_date ? world.is_target_synced : world.is_part_synced));
    CHECK(!world.has_sync_failed && world.is_kept);
    CHECK(transfer->is_verified == (plan->want != NULL));
    CHECK(!plan->want || *transfer->hex);
    CHECK(!world.is_left || transfer->is_up_to_date); /* of a file that is there no part stays */
    CHECK(!world.is_left || world.was_useless);
}

static void over(struct transfer *transfer) {
    bool is_there = world.commits && !world.commit_fails;
    CHECK(transfer == &world.transfer && transfer->task == &world.task);
    CHECK_NUMBER(++world.overs, 1);
    CHECK(!world.hashing && !world.are_pieces_running && !transfer->sync.is_running);
    CHECK(!world.is_in_dir && world.is_closed);
    CHECK(transfer->target.fd < 0 || fcntl(transfer->target.fd, F_GETFD) < 0);
    CHECK(world.is_left == !is_there);
    CHECK(transfer->succeeded || transfer->cause.length || world.was_stopped);
    CHECK(!transfer->succeeded || !transfer->is_retryable);
    CHECK(!transfer->is_servers || !transfer->succeeded);
    CHECK(transfer->is_servers || (!transfer->is_gone && !transfer->is_other));
    if (transfer->succeeded)
        check_success(transfer);
    else if (is_there) /* only the directory's sync fails when it is there */
        CHECK(world.has_sync_failed && world.is_kept && !transfer->is_retryable);
    else
        CHECK(!world.is_kept);
    transfer_done(transfer);
}

/* ---- what can happen -------------------------------------------------------------------- */

static void pieces_end(enum pieces_result result) {
    struct pieces *pieces = &world.transfer.pieces;
    struct response response = {.status = 200, .length = SIZE, .last_modified = (char *)date};
    if (!world.are_pieces_running)
        return;
    if (result == PIECES_UNWANTED && pieces->is_wanted(pieces->owner, &response))
        result = PIECES_COMPLETE;
    pieces->verdict.result = result;
    if (result == PIECES_COMPLETE) {
        CHECK(ranges_add(&pieces->part->have, 0, SIZE));
        pieces->here = SIZE;
        pieces->total = SIZE;
        if (one_in(2))
            world.transfer.note.modified = mem_copy(date);
    }
    if (result == PIECES_FAILED || result == PIECES_FAILED_HERE) {
        refuse(&pieces->verdict.cause);
        pieces->verdict.is_retryable = one_in(2);
        pieces->verdict.is_gone = one_in(4);
        pieces->verdict.is_other = one_in(4);
        pieces->verdict.is_useless = one_in(4);
    }
    world.are_pieces_running = false;
    pieces->over(pieces->owner);
}

static void thread_ends(struct verifier *verifier) {
    if (!verifier->is_running)
        return;
    verifier->is_running = false;
    world.hashing--;
    if (!verifier->error)
        verifier->error = world.thread_error;
    if (verifier->is_finishing)
        verifier_is_done(verifier);
}

static void sync_ends(int error) {
    struct sync *sync = &world.transfer.sync;
    if (!sync->is_running)
        return;
    CHECK(!world.is_closed);
    if (error)
        world.has_sync_failed = true;
    else if (sync->fd == DIR_FD)
        world.is_dir_synced = true;
    else if (sync->fd == PART_FD)
        world.is_part_synced = true;
    else
        world.is_target_synced = true;
    sync->is_running = false;
    sync->error = error;
    sync->done(sync);
}

static void stop(void) {
    if (world.overs)
        return;
    struct transfer *transfer = &world.transfer;
    world.was_stopped = true;
    transfer_stop(transfer);
    if (world.overs) /* else it waits for what cannot be broken off */
        return;
    CHECK(world.hashing || transfer->sync.is_running);
    CHECK(!transfer->verifier.is_running || atomic_load(&transfer->verifier.is_cancelled) ||
          transfer->sync.is_running);
    CHECK(!transfer->comparison.is_running || atomic_load(&transfer->comparison.is_cancelled));
}

static void happen(unsigned what) {
    switch (what) {
    case 0:
        thread_ends(&world.transfer.verifier);
        break;
    case 1:
        thread_ends(&world.transfer.comparison);
        break;
    case 2:
        sync_ends(one_in(6) ? 5 : 0);
        break;
    case 3:
        pieces_end(one_in(2) ? PIECES_COMPLETE : PIECES_COMPLETE + below(4));
        break;
    case 4:
        if (one_in(3))
            stop();
        break;
    default:
        if (world.are_pieces_running && world.plan.digests && !world.transfer.verifier.is_running)
            run_thread(&world.transfer.verifier);
    }
}

static void let_it_end(void) {
    for (int i = 0; i < 10 && !world.overs; i++) {
        pieces_end(PIECES_COMPLETE);
        thread_ends(&world.transfer.verifier);
        thread_ends(&world.transfer.comparison);
        sync_ends(0);
    }
    CHECK_NUMBER(world.overs, 1);
}

/* ---- the rig --------------------------------------------------------------------------------- */

/* Where nothing fails, and the old file is another one. */
static void prepare(void) {
    memset(&world, 0, sizeof world);
    rig_open(0);
    world.task.loop = rig.loop;
    world.source.url = (char *)"http://a/f";
    world.plan = (struct transfer_plan){.sources = &world.source,
                                        .source_count = 1,
                                        .url = "http://a/f",
                                        .dir = &world.dir,
                                        .name = "f",
                                        .want = &world.want,
                                        .digests = digest_sha256()};
    world.want.algorithm = digest_sha256();
    world.has_digest_library = world.is_right = world.is_name_free = true;
}

static void begin(void) {
    struct transfer_way way = {&world.source, false};
    transfer_start(&world.transfer, &world.task, &world.plan, &way, over);
}

static void end(void) {
    CHECK_NUMBER(world.overs, 1);
    rig_close();
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void draw_world(void) {
    prepare();
    world.plan.fsync = one_in(2);
    if (one_in(2))
        world.plan.want = NULL;
    if (!world.plan.want && one_in(2))
        world.plan.digests = NULL;
    world.plan.size_known = one_in(3);
    world.plan.size = one_in(4) ? SIZE / 2 : SIZE;
    world.has_target = one_in(2);
    world.is_target_right = one_in(3);
    world.is_continued = one_in(2);
    world.is_right = !one_in(4);
    world.has_digest_library = !one_in(12);
    world.is_name_free = !one_in(12);
    world.dir_fails = one_in(30);
    world.look_fails = one_in(30);
    world.claim_fails = one_in(30);
    world.empty_fails = one_in(30);
    world.pieces_fail = one_in(30);
    world.commit_fails = one_in(12);
    world.loop_refuses = one_in(12);
    world.thread_error = one_in(12) ? -1 : one_in(12) ? 5 : 0;
}

static void whatever_happens_it_is_over_once_and_only_the_right_file_takes_the_name(void) {
    unsigned succeeded = 0, failed = 0, up_to_date = 0, stopped = 0;
    chance = 1;
    for (int walk = 0; walk < 20000 && !check_failures; walk++) {
        draw_world();
        begin();
        for (unsigned i = below(16); i && !world.overs; i--)
            happen(below(6));
        let_it_end();
        succeeded += world.transfer.succeeded;
        up_to_date += world.transfer.succeeded && world.transfer.is_up_to_date;
        failed += !world.transfer.succeeded && !world.was_stopped;
        stopped += !world.transfer.succeeded && world.was_stopped;
        end();
    }
    CHECK(succeeded > 500 && failed > 500 && up_to_date > 500 && stopped > 500);
}

static void a_digest_that_differs_leaves_nothing_and_is_tried_clean_if_it_was_mixed(void) {
    for (int is_mixed = 0; is_mixed < 2; is_mixed++) {
        prepare();
        world.is_right = false;
        world.is_continued = is_mixed;
        begin();
        let_it_end();
        CHECK(!world.transfer.succeeded && world.transfer.is_servers && world.transfer.is_other);
        CHECK(world.transfer.is_mixed == is_mixed && world.transfer.is_retryable == is_mixed);
        CHECK(world.was_useless);
        end();
    }
}

static void a_stop_keeps_what_has_come_and_waits_for_the_threads(void) {
    prepare();
    world.is_continued = true;
    begin();
    if (!world.transfer.verifier.is_running)
        run_thread(&world.transfer.verifier);
    stop();
    CHECK(!world.overs && !world.are_pieces_running);
    thread_ends(&world.transfer.verifier);
    CHECK(world.overs == 1 && world.is_left && !world.was_useless);
    CHECK_NUMBER(world.transfer.left, SIZE / 2);
    end();
}

static void what_could_not_be_synced_does_not_take_the_name_nor_stays(void) {
    prepare();
    world.plan.fsync = true;
    begin();
    pieces_end(PIECES_COMPLETE);
    thread_ends(&world.transfer.verifier);
    CHECK(world.transfer.sync.is_running);
    sync_ends(5);
    CHECK(world.overs == 1 && !world.commits && world.was_useless);
    CHECK(!world.transfer.succeeded && !world.transfer.is_retryable);
    end();
}

static void once_the_file_is_there_a_stop_comes_too_late(void) {
    prepare();
    world.plan.fsync = true;
    begin();
    pieces_end(PIECES_COMPLETE);
    thread_ends(&world.transfer.verifier);
    sync_ends(0);
    CHECK_NUMBER(world.commits, 1);
    stop();
    CHECK(!world.overs); /* the directory is being synced */
    sync_ends(0);
    CHECK(world.transfer.succeeded && world.transfer.is_verified);
    end();
}

static void a_file_with_the_digest_is_not_brought_again(void) {
    prepare();
    world.has_target = world.is_target_right = true;
    begin();
    thread_ends(&world.transfer.comparison);
    CHECK(world.overs == 1 && !world.is_claimed && world.transfer.is_up_to_date);
    CHECK(world.transfer.succeeded && world.transfer.is_verified);
    CHECK_TEXT(world.transfer.hex, "ef01");
    CHECK_NUMBER(world.transfer.bytes, SIZE);
    end();
}

int main(void) {
    RUN(whatever_happens_it_is_over_once_and_only_the_right_file_takes_the_name);
    RUN(a_digest_that_differs_leaves_nothing_and_is_tried_clean_if_it_was_mixed);
    RUN(a_stop_keeps_what_has_come_and_waits_for_the_threads);
    RUN(what_could_not_be_synced_does_not_take_the_name_nor_stays);
    RUN(once_the_file_is_there_a_stop_comes_too_late);
    RUN(a_file_with_the_digest_is_not_brought_again);
    return finish();
}
