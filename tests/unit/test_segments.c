/* test_segments.c - how many connections a file gets from servers of different kinds. */
#include "check.h"
#include "net/segments.h"

/* A server, and a network on which a connection takes a while to come about. */
struct server {
    uint64_t each;     /* bytes a second of one connection; 0: no limit */
    uint64_t all;      /* of all of them */
    unsigned most;     /* connections; 0: no limit */
    uint64_t pause_ms; /* each connection sends what is due so often only, the first at once; 0:
                          steadily */
    uint64_t latency_ms;
};

struct end {
    uint64_t took_ms;
    unsigned most, last; /* connections */
};

enum { MIB = 1 << 20, TICK_MS = 5 };

/* What the connections send in a tick; ages_ms says for how long each has been there. */
static uint64_t bytes_of(const struct server *server, const uint64_t *ages_ms, unsigned count) {
    uint64_t bytes = 0, each = server->each ? server->each : server->all / count;
    if (server->all && each * count > server->all)
        each = server->all / count;
    for (unsigned i = 0; i < count; i++) {
        if (!server->pause_ms)
            bytes += each * TICK_MS / 1000;
        else if (ages_ms[i] % server->pause_ms == 0)
            bytes += each * server->pause_ms / 1000;
    }
    return bytes;
}

/* Brings `size` bytes, asking for advice as a transfer does. */
static struct end bring(const struct server *server, uint64_t size, unsigned fixed) {
    struct segments segments;
    struct end end = {.last = 1};
    uint64_t bytes = 0, changed_ms = 0, now_ms = 1000, ages_ms[SEGMENTS_MAX] = {0};
    unsigned wanted = 1;
    segments_begin(&segments, fixed);
    for (; end.took_ms < 600000; end.took_ms += TICK_MS, now_ms += TICK_MS) {
        bytes += bytes_of(server, ages_ms, end.last);
        if (bytes >= size)
            break;
        for (unsigned i = 0; i < SEGMENTS_MAX; i++)
            ages_ms[i] = i < end.last ? ages_ms[i] + TICK_MS : 0;
        if (end.took_ms % SEGMENTS_ASK_MS == 0) {
            unsigned before = wanted;
            wanted = segments_advise(&segments, now_ms, end.last, bytes, size - bytes);
            if (wanted != before)
                changed_ms = now_ms;
        }
        bool is_there = now_ms - changed_ms >= server->latency_ms;
        if (wanted < end.last || (wanted > end.last && is_there))
            end.last = wanted;
        if (server->most && end.last > server->most) {
            end.last = server->most;
            segments_refused(&segments, server->most);
        }
        if (end.last > end.most)
            end.most = end.last;
    }
    return end;
}

static void a_limit_on_each_connection_is_overcome(void) {
    struct server server = {.each = 4 * MIB, .latency_ms = 5};
    struct end end = bring(&server, 64 * MIB, 0);
    CHECK_NUMBER(end.most, SEGMENTS_MAX);
    CHECK(end.took_ms <= 1300);
    server.latency_ms = 200;
    CHECK_NUMBER(bring(&server, 256 * MIB, 0).last, SEGMENTS_MAX);
}

/* A limit is often kept by sending much at once, and then nothing for a while. */
static void a_limit_that_comes_in_bursts_is_overcome(void) {
    for (uint64_t pause_ms = 50; pause_ms <= 1000; pause_ms += 50) {
        struct server server = {.each = 4 * MIB, .latency_ms = 5, .pause_ms = pause_ms};
        struct end end = bring(&server, 64 * MIB, 0);
        CHECK_NUMBER(end.most, SEGMENTS_MAX);
        CHECK(end.took_ms <= 1300);
        CHECK(bring(&server, 2048 * (uint64_t)MIB, 0).last >= SEGMENTS_MAX / 2);
    }
}

static void what_was_guessed_is_taken_back(void) {
    struct server server = {.all = 4 * MIB, .latency_ms = 5, .pause_ms = 100};
    CHECK_NUMBER(bring(&server, 256 * MIB, 0).last, 1);
}

static void a_limit_on_all_is_not_fought(void) {
    struct server server = {.all = 8 * MIB, .latency_ms = 30};
    struct end end = bring(&server, 64 * MIB, 0);
    CHECK_NUMBER(end.last, 1);
    CHECK(end.most <= 2);
    /* Three connections' worth: four are the best that doubling finds. */
    server = (struct server){.each = 4 * MIB, .all = 12 * MIB, .latency_ms = 30};
    end = bring(&server, 64 * MIB, 0);
    CHECK_NUMBER(end.last, 4);
    CHECK(end.most <= 8);
}

static void a_server_that_refuses_sets_the_most(void) {
    struct server server = {.each = MIB, .most = 4};
    struct end end = bring(&server, 64 * MIB, 0);
    CHECK_NUMBER(end.most, 4);
    CHECK_NUMBER(end.last, 4);
    CHECK_NUMBER(bring(&server, 64 * MIB, 16).last, 4);
    server.most = 3;
    CHECK_NUMBER(bring(&server, 64 * MIB, 0).last, 3);
}

static void what_takes_no_time_gets_one(void) {
    CHECK_NUMBER(bring(&(struct server){.each = 100 * MIB}, 64 * MIB, 0).most, 1);
    CHECK_NUMBER(bring(&(struct server){.each = 4 * MIB}, MIB, 0).most, 1);
    CHECK_NUMBER(bring(&(struct server){.each = 1 << 18}, MIB, 0).most, 1);
}

static void a_given_number_is_taken(void) {
    struct server server = {.all = MIB};
    CHECK_NUMBER(bring(&server, 4 * MIB, 5).most, 5);
    CHECK_NUMBER(bring(&server, 4 * MIB, 1).most, 1);
    CHECK_NUMBER(bring(&server, 4 * MIB, 1000).most, SEGMENTS_MAX);
}

/* What was wanted cannot be had: the file comes with what there is. */
static void connections_that_do_not_come_about_are_not_awaited(void) {
    struct segments segments;
    segments_begin(&segments, 0);
    uint64_t now_ms = 1, bytes = 0;
    unsigned wanted = 1, most = 0;
    for (; now_ms < 4000; now_ms += 20) {
        bytes += MIB / 50;
        wanted = segments_advise(&segments, now_ms, 1, bytes, 1000 * (uint64_t)MIB);
        most = wanted > most ? wanted : most;
    }
    CHECK_NUMBER(most, 2);
    CHECK_NUMBER(wanted, 1);
    CHECK(segments.phase == SEGMENTS_RESTING);
}

/* A limit that goes away, or comes, in the middle of a long download. */
static void what_was_decided_is_tried_again(void) {
    struct segments segments;
    segments_begin(&segments, 0);
    uint64_t bytes = 0;
    unsigned count = 1, trials = 0;
    for (uint64_t now_ms = 1; now_ms < 60000; now_ms += 20) {
        struct server server = {.each = 4 * MIB, .all = now_ms < 20000 ? 4 * MIB : 0};
        bytes += bytes_of(&server, (uint64_t[SEGMENTS_MAX]){0}, count) * 20 / TICK_MS;
        unsigned wanted = segments_advise(&segments, now_ms, count, bytes, UINT64_C(1) << 40);
        trials += wanted > count && now_ms < 20000;
        count = wanted;
    }
    CHECK_NUMBER(count, SEGMENTS_MAX);
    CHECK(trials <= 3);
}

static void with_nothing_coming_it_stays_as_it_is(void) {
    struct segments segments;
    segments_begin(&segments, 0);
    for (uint64_t now_ms = 1; now_ms < 10000; now_ms += 20)
        CHECK_NUMBER(segments_advise(&segments, now_ms, 1, 0, UINT64_C(1) << 62), 1);
    segments_refused(&segments, 0);
    CHECK_NUMBER(segments_advise(&segments, 20000, 0, 0, UINT64_C(1) << 62), 1);
}

int main(void) {
    RUN(a_limit_on_each_connection_is_overcome);
    RUN(a_limit_that_comes_in_bursts_is_overcome);
    RUN(what_was_guessed_is_taken_back);
    RUN(a_limit_on_all_is_not_fought);
    RUN(a_server_that_refuses_sets_the_most);
    RUN(what_takes_no_time_gets_one);
    RUN(a_given_number_is_taken);
    RUN(connections_that_do_not_come_about_are_not_awaited);
    RUN(what_was_decided_is_tried_again);
    RUN(with_nothing_coming_it_stays_as_it_is);
    return finish();
}
