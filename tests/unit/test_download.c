/*
 * test_download.c - which source is asked next, and for how long at all: download.c with
 * attempts that are the test's.
 */
#define transfer_start fake_transfer_start
#define transfer_stop fake_transfer_stop
#define transfer_done fake_transfer_done
#define host_embargo_ms fake_host_embargo_ms
#define host_explain fake_host_explain
#define download_new tested_download_new
#define download_again tested_download_again
#define download_sha256 tested_download_sha256
#define ajob_download tested_ajob_download
#define ajob_download_change tested_ajob_download_change
#define ajob_download_check tested_ajob_download_check
#define ajob_download_path tested_ajob_download_path

#include "../../lib/net/download.c"

#include "chance.h"
#include "core_rig.h"

enum { MIB = 1 << 20, MIRRORS_MAX = 3, SOURCES_MAX = MIRRORS_MAX + 1 };

static const char *const urls[SOURCES_MAX] = {"http://a/f", "http://b/f", "http://c/f",
                                              "http://d/f"};

static struct {
    ajob_task *task;
    struct transfer *transfer; /* the attempt that is under way */
    void (*over)(struct transfer *transfer);
    const struct source *source; /* which it asks */
    size_t count;                /* of sources */
    unsigned attempts, asked[SOURCES_MAX];
    bool is_hopeless[SOURCES_MAX];
    bool is_closed[SOURCES_MAX]; /* it wants to be left alone */
} world;

/* ---- attempts and hosts --------------------------------------------------------------- */

static size_t index_of(const struct source *source) {
    return (size_t)(source - download_of(world.task)->plan.sources);
}

static size_t index_of_host(const struct host *host) {
    const struct transfer_plan *plan = &download_of(world.task)->plan;
    for (size_t i = 0; i < plan->source_count; i++)
        if (plan->sources[i].host == host)
            return i;
    CHECK(host == NULL);
    return 0;
}

/* The task has a slot of the host that it asks, and no other. */
static void check_slots(void) {
    const struct transfer_plan *plan = &download_of(world.task)->plan;
    for (size_t i = 0; i < plan->source_count; i++)
        CHECK_NUMBER(host_pool(plan->sources[i].host)->used, &plan->sources[i] == world.source);
}

void transfer_start(struct transfer *transfer, struct ajob_task *task,
                    const struct transfer_plan *plan, const struct transfer_way *way,
                    void (*over)(struct transfer *transfer)) {
    CHECK(task == world.task && plan == &download_of(task)->plan && !world.transfer);
    CHECK(way->source - plan->sources < (ptrdiff_t)world.count);
    transfer->task = task;
    transfer->plan = plan;
    transfer->retry_after_ms = transfer->total = -1;
    transfer->cause.max = TEXT_LINE_MAX;
    world.transfer = transfer;
    world.over = over;
    world.source = way->source;
    world.attempts++;
    size_t index = index_of(way->source);
    CHECK(!world.is_hopeless[index]);
    for (size_t i = 0; i < world.count; i++) /* each before one once more */
        CHECK(world.is_hopeless[i] || world.asked[index] <= world.asked[i]);
    world.asked[index]++;
    check_slots();
}

void transfer_done(struct transfer *transfer) {
    text_done(&transfer->cause);
}

static void attempt_ends(void) {
    struct transfer *transfer = world.transfer;
    world.transfer = NULL;
    world.source = NULL;
    world.over(transfer);
    turn();
    turn(); /* what is tried at once is due now */
}

void transfer_stop(struct transfer *transfer) {
    CHECK(transfer == world.transfer);
    transfer->is_stopped = true;
}

static void attempt_fails(bool is_retryable, uint64_t left) {
    if (!CHECK(world.transfer != NULL))
        return;
    world.transfer->is_retryable = is_retryable;
    world.transfer->is_servers = true;
    world.transfer->left = left;
    text_add(&world.transfer->cause, "it failed");
    world.is_hopeless[index_of(world.source)] = !is_retryable;
    attempt_ends();
}

uint64_t host_embargo_ms(const struct host *host) {
    return world.is_closed[index_of_host(host)] ? 600000 : 0;
}

void host_explain(const struct host *host, struct text *cause) {
    CHECK(world.is_closed[index_of_host(host)]);
    text_add(cause, "left alone");
}

/* ---- the rig --------------------------------------------------------------------------- */

static void begin(size_t mirrors) {
    static char digest[] = "sha256:"
                           "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    memset(&world, 0, sizeof world);
    world.count = mirrors + 1;
    rig_open(0);
    const char *others[MIRRORS_MAX + 1] = {0};
    for (size_t i = 0; i < mirrors; i++)
        others[i] = urls[i + 1];
    ajob_download_options options = {
        .url = urls[0], .path = "f", .digest = digest, .mirrors = others};
    world.task = ajob_download(rig.loop, &options);
    CHECK(world.task != NULL);
    start_run(world.task);
}

static void end(void) {
    CHECK(!world.transfer && rig.done == 1);
    rig_close();
}

/* Until the next attempt begins, or there is none. */
static void wait(void) {
    for (int i = 0; i < 100 && !world.transfer && !rig.done; i++)
        pass(60000);
    CHECK(world.transfer || rig.done);
}

/* ---- tests --------------------------------------------------------------------------------- */

static void without_progress_it_is_tried_five_times(void) {
    begin(0);
    for (int i = 0; i < 100 && world.transfer; i++) {
        attempt_fails(true, MIB - 1); /* the same each time is none */
        wait();
    }
    CHECK_NUMBER(world.attempts, 5);
    CHECK_ENDED(world.task, AJOB_FAILED, "it failed");
    end();
}

static void with_progress_the_retries_begin_again(void) {
    begin(0);
    for (int i = 1; i <= 20; i++) {
        attempt_fails(true, (uint64_t)i * MIB);
        wait();
        CHECK(world.transfer != NULL);
    }
    for (int i = 0; i < 100 && world.transfer; i++) {
        attempt_fails(true, 20 * MIB + MIB / 2);
        wait();
    }
    CHECK_NUMBER(world.attempts, 24);
    end();
}

static void the_progress_of_one_source_counts_where_another_makes_none(void) {
    begin(1);
    for (unsigned i = 1; i <= 20; i++) {
        CHECK(world.transfer && index_of(world.source) == 0);
        attempt_fails(true, (uint64_t)i * MIB);
        CHECK(world.transfer && index_of(world.source) == 1);
        attempt_fails(true, 0);
        wait();
        if (!CHECK(world.transfer != NULL))
            break;
    }
    while (world.transfer) {
        attempt_fails(false, 0);
        wait();
    }
    end();
}

static void a_mirror_is_asked_at_once_and_each_before_one_is_asked_again(void) {
    begin(2);
    for (unsigned i = 0; i < 3; i++) {
        CHECK(world.transfer && index_of(world.source) == i); /* without a wait */
        attempt_fails(true, 0);
    }
    CHECK(!world.transfer && !rig.done);
    wait();
    CHECK(world.transfer && index_of(world.source) == 0);
    world.transfer->succeeded = true;
    attempt_ends();
    CHECK_ENDED(world.task, AJOB_SUCCEEDED, NULL);
    end();
}

static void one_that_has_not_got_it_is_not_asked_again(void) {
    begin(1);
    attempt_fails(false, 0);
    CHECK(world.transfer && index_of(world.source) == 1);
    attempt_fails(true, 0);
    wait();
    CHECK(world.transfer && index_of(world.source) == 1);
    attempt_fails(false, 0);
    CHECK(rig.done && world.attempts == 3);
    end();
}

static void whatever_fails_it_ends_and_nobody_is_asked_out_of_turn(void) {
    unsigned succeeded = 0, failed = 0;
    chance = 1;
    for (int walk = 0; walk < 3000 && !check_failures; walk++) {
        uint64_t left = 0;
        begin(below(SOURCES_MAX));
        rig.is_quiet = true;
        for (int i = 0; i < 200 && !rig.done; i++) {
            if (!world.transfer)
                wait();
            if (!world.transfer)
                continue;
            left += one_in(4) && i < 50 ? MIB : 0;
            world.transfer->succeeded = one_in(12);
            if (!world.transfer->succeeded && !one_in(20)) {
                attempt_fails(!one_in(6), left);
                continue;
            }
            if (!world.transfer->succeeded) {
                ajob_cancel(world.task, "enough");
                turn();
                CHECK(world.transfer->is_stopped);
            }
            attempt_ends();
        }
        succeeded += ajob_task_status(world.task) == AJOB_SUCCEEDED;
        failed += ajob_task_status(world.task) == AJOB_FAILED;
        end();
    }
    CHECK(succeeded > 300 && failed > 300);
}

int main(void) {
    RUN(without_progress_it_is_tried_five_times);
    RUN(with_progress_the_retries_begin_again);
    RUN(the_progress_of_one_source_counts_where_another_makes_none);
    RUN(a_mirror_is_asked_at_once_and_each_before_one_is_asked_again);
    RUN(one_that_has_not_got_it_is_not_asked_again);
    RUN(whatever_fails_it_ends_and_nobody_is_asked_out_of_turn);
    return finish();
}
