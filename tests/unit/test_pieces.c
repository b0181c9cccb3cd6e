/*
 * test_pieces.c - the bytes that a part lacks, with everything that servers, hosts, disks and
 * owners may do meanwhile, in every order.
 *
 * A random walk through the world of pieces_rig.h. What must hold at each step: no byte comes
 * twice, or behind the end; no two streams have to bring the same one; what a kill would leave
 * on disk is true; a connection more than the task's own is one that the host has granted. It
 * is over once, with all bytes of one version or with a cause, and nothing is left open.
 */
#include "pieces_rig.h"

/* ---- what must hold --------------------------------------------------------------- */

/* No stream has to bring what is there, or what another one has to. */
static void check_shares(void) {
    struct ranges taken = {0};
    copy_ranges(&taken, &world.handed);
    for (size_t i = 0; i < SEGMENTS_MAX; i++) {
        const struct stream *stream = &world.pieces.streams[i];
        if (!stream->is_running || stream->writer.at >= stream->end ||
            !world.pieces.answer.has_come)
            continue;
        CHECK(!overlaps(&taken, stream->writer.at, stream->end));
        unsigned long left = mem_fail_nth(FAULT_ALLOC, 0);
        CHECK(ranges_add(&taken, stream->writer.at, stream->end));
        mem_fail_nth(FAULT_ALLOC, left);
    }
    ranges_done(&taken);
}

static void check_connections(void) {
    unsigned wide[2] = {0}, own = 0;
    for (size_t i = 0; i < SEGMENTS_MAX; i++) {
        const struct stream *stream = &world.pieces.streams[i];
        CHECK(stream->is_running == world.connections[i].is_open);
        CHECK(!stream->is_allotted || !stream->is_running);
        CHECK(!stream->is_wide || stream->is_running);
        if (stream->is_running && !stream->is_wide)
            own++;
        if (stream->is_running && !stream->is_wide)
            CHECK(stream->source == world.pieces.source);
        if (stream->is_wide)
            wide[stream->source - world.sources]++;
    }
    CHECK(own <= 1);
    CHECK_NUMBER(world.sources[0].host->extra, wide[0]);
    CHECK(world.plan.source_count == 1 || world.sources[1].host->extra == wide[1]);
}

/* The process is killed now, and the next one believes what it finds. */
static void check_kill(void) {
    const struct part *part = &world.part;
    struct stat status;
    bool is_apart = part->have.count > 1 || (part->have.count && part->have.items[0].first);
    CHECK(!is_apart || (part->has_note && part->note_has_ranges));
    if (!part->has_note)
        return;
    CHECK(!fstat(part->fd, &status));
    struct range whole = {0, (uint64_t)status.st_size};
    struct ranges size = {&whole, 1, 1};
    const struct ranges *believed = world.noted.has_ranges ? &world.noted.ranges : &size;
    for (size_t i = 0; i < believed->count && believed->items[i].end; i++) {
        struct range gap, range = believed->items[i];
        CHECK(!ranges_gap(&part->have, range.first, range.end, &gap));
    }
    if (world.plan.want || !part->have.count || world.is_foreign)
        return;
    for (unsigned version = 0; version < VERSIONS; version++)
        if (*world.noted.etag && world.versions & 1U << version)
            CHECK_TEXT(world.noted.etag, etag_of(version));
}

/* What is said to be there is in the file. */
static void check_file(void) {
    const struct ranges *have = &world.part.have;
    static char file[FILE_MAX];
    bool is_one = world.versions && !(world.versions & (world.versions - 1));
    unsigned version = 0;
    while (is_one && !(world.versions & 1U << version))
        version++;
    for (size_t i = 0; i < have->count && is_one; i++) {
        uint64_t first = have->items[i].first, length = have->items[i].end - first;
        CHECK(first + length <= FILE_MAX);
        CHECK(pread(world.part.fd, file, length, (off_t)first) == (ssize_t)length);
        CHECK(!memcmp(file, content[version] + first, length));
    }
    CHECK(is_one || !have->count || world.plan.want);
}

static void check_step(void) {
    uint64_t joined = 0;
    if (world.overs)
        return;
    for (size_t i = 0; i < SEGMENTS_MAX; i++)
        joined += world.pieces.streams[i].writer.joined_length;
    if (world.pieces.verdict.result == PIECES_UNDER_WAY) {
        CHECK(pieces_count(&world.pieces, NULL) > 0); /* else nothing would ever come */
        CHECK_NUMBER(world.pieces.here, ranges_total(&world.part.have) + joined);
        check_shares();
    }
    check_connections();
    check_kill();
}

/* ---- the owner ---------------------------------------------------------------------- */

static bool is_wanted(void *owner, const struct response *response) {
    CHECK(owner == &world && response->status == 200);
    return !world.is_kept;
}

static void check_end(void) {
    const struct pieces *pieces = &world.pieces;
    CHECK(pieces->tick.index == DEADLINE_IDLE || !pieces->tick.due);
    CHECK_NUMBER(pieces_count(pieces, NULL), 0);
    check_connections();
    check_file();
    check_kill();
    if (pieces->verdict.result == PIECES_FAILED || pieces->verdict.result == PIECES_FAILED_HERE)
        CHECK(pieces->verdict.cause.length || world.is_without_memory);
    if (pieces->verdict.result == PIECES_UNWANTED)
        CHECK(world.is_kept);
    if (pieces->verdict.result == PIECES_FAILED_HERE) /* and no server has anything to do with it */
        CHECK(!strstr(text_string(&pieces->verdict.cause), "it failed"));
    if (world.has_note_failed || (world.is_disk_bad && !mem_fail_nth(FAULT_WRITE, 0)))
        CHECK_NUMBER(pieces->verdict.result, PIECES_FAILED_HERE);
    if (world.is_decent)
        CHECK_NUMBER(pieces->verdict.result, PIECES_COMPLETE);
    if (pieces->verdict.result != PIECES_COMPLETE)
        return;
    CHECK(pieces->total >= 0);
    CHECK_NUMBER(ranges_frontier(&world.part.have), pieces->total);
    CHECK_NUMBER(ranges_total(&world.part.have), pieces->total);
    CHECK_NUMBER(pieces->here, pieces->total);
    if (world.plan.size_known)
        CHECK_NUMBER(pieces->total, world.plan.size);
    if (world.verifier.reached < (uint64_t)pieces->total && pieces->verifier)
        CHECK(ranges_frontier(&world.part.have) >= world.verifier.reached);
    for (unsigned version = 0; version < VERSIONS; version++)
        if (world.versions == 1U << version && !world.servers[0].ends_early)
            CHECK_NUMBER(pieces->total, sizes[version]);
    if (world.versions & (world.versions - 1)) /* which the digest will tell: a clean attempt */
        CHECK(world.plan.want && (pieces->verdict.is_mixed || pieces->resumed_from));
}

static void is_over(void *owner) {
    CHECK(owner == &world && !world.is_starting && !world.is_calling && !world.is_stopped);
    CHECK_NUMBER(++world.overs, 1);
    CHECK(world.pieces.verdict.result != PIECES_UNDER_WAY);
    check_end();
}

/* ---- the life ---------------------------------------------------------------------- */

static void prepare(void) {
    int fd = world.part.fd;
    ranges_done(&world.handed);
    ranges_done(&world.noted.ranges);
    memset(&world, 0, sizeof world);
    rig_open(0);
    world.task.loop = rig.loop;
    world.want.algorithm = digest_sha256();
    world.part = (struct part){.dir_fd = -1,
                               .fd = fd,
                               .part_name = (char *)"f.part",
                               .note_name = (char *)"f.part.json",
                               .is_resumable = true};
    CHECK(!ftruncate(fd, 0));
    world.note.total = -1;
    world.sources[0] = (struct source){.url = (char *)"http://a/f", .host = &world.hosts[0]};
    world.sources[1] = (struct source){
        .url = (char *)"http://b/f",
        .host = &world.hosts[1],
        .profile = (struct profile *)&world, /* by which it is known */
    };
    world.plan = (struct transfer_plan){
        .sources = world.sources,
        .source_count = 1,
        .url = "http://a/f",
        .identity = (char *)"the file",
    };
    world.servers[0].has_etag = true;
}

/* An earlier attempt has left these bytes of the version. */
static void leave_some(unsigned version, uint64_t first, uint64_t end) {
    CHECK(pwrite(world.part.fd, content[version] + first, end - first, (off_t)first) ==
          (ssize_t)(end - first));
    CHECK(ranges_add(&world.part.have, first, end) && ranges_add(&world.handed, first, end));
    world.part.is_in_pieces = world.part.have.count > 1 || world.part.have.items[0].first;
    world.versions |= 1U << version;
    mem_free(world.note.etag);
    mem_free(world.note.last_modified);
    world.note.etag = world.servers[0].has_etag ? mem_copy(etag_of(version)) : NULL;
    world.note.last_modified =
        !world.note.etag && world.servers[0].has_date ? mem_copy(date_of(version)) : NULL;
    world.note.total = (int64_t)sizes[version];
    put_note();
}

static bool begin(void) {
    struct pieces *pieces = &world.pieces;
    struct source *own = world.sources[0].profile ? &world.sources[1] : world.sources;
    *pieces = (struct pieces){
        .task = &world.task,
        .plan = &world.plan,
        .source = own,
        .part = &world.part,
        .note = &world.note,
        .is_single = pieces->is_single,
        .verifier = world.plan.want ? &world.verifier : NULL,
        .is_wanted = is_wanted,
        .over = is_over,
        .owner = &world,
    };
    const char *left_by = world.is_foreign ? "http://b/f" : "http://a/f";
    if (world.part.have.count && CHECK(resume_name(&world.plan, left_by, &world.note)))
        world.verifier.reached = world.plan.want ? ranges_frontier(&world.part.have) : 0;
    world.part.is_in_pieces = false; /* which is found out */
    world.is_starting = true;
    bool is_begun = pieces_start(pieces);
    world.is_starting = false;
    CHECK(is_begun || pieces->verdict.result == PIECES_FAILED_HERE);
    if (is_begun)
        check_step();
    return is_begun;
}

static void stop(void) {
    world.is_stopped = true;
    pieces_stop(&world.pieces);
    CHECK_NUMBER(pieces_count(&world.pieces, NULL), 0);
    CHECK(!world.hosts[0].extra && !world.hosts[1].extra);
    check_file();
    check_kill();
}

static void end(void) {
    mem_fail_nth(FAULT_ALLOC, 0);
    mem_fail_nth(FAULT_WRITE, 0);
    pieces_stop(&world.pieces);
    pieces_done(&world.pieces);
    CHECK(!world.hosts[0].extra && !world.hosts[1].extra);
    CHECK(!world.servers[0].busy && !world.servers[1].busy);
    part_note_done(&world.note);
    ranges_done(&world.part.have);
    rig_close();
}

static void time_passes(uint64_t ms) {
    rig.now_ns += ms * 1000000;
    deadline_fire(&rig.loop->deadlines, rig.now_ns / 1000000);
}

/* ---- what can happen ------------------------------------------------------------------ */

static struct connection *some_connection(void) {
    size_t start = below(SEGMENTS_MAX);
    for (size_t i = 0; i < SEGMENTS_MAX; i++) {
        struct connection *connection = &world.connections[(start + i) % SEGMENTS_MAX];
        if (connection->is_open)
            return connection;
    }
    return NULL;
}

/* No reason to fail, as long as the attempt's own server has not failed. */
static void disturb_gently(struct connection *connection) {
    struct host *host = &world.hosts[below(2)];
    switch (below(5)) {
    case 0:
        host->is_wanted = !host->is_wanted;
        break;
    case 1:
        host->is_full = !host->is_full;
        break;
    case 2:
        connection->fetch->place.is_waiting = !connection->fetch->place.is_waiting;
        break;
    case 3:
        world.servers[0].streams = 1 + below(4);
        break;
    case 4:
        if (connection->server != world.servers)
            fail_connection(connection, one_in(8) ? 404 : 0);
    }
}

static void disturb(struct connection *connection) {
    switch (below(9)) {
    case 0:
        fail_connection(connection, one_in(8) ? 404 : 0);
        break;
    case 1: /* another version is there from now on */
        world.servers[0].version = (world.servers[0].version + one_in(3)) % OF_MIRROR;
        break;
    case 2:
        world.servers[0].streams = below(4);
        break;
    default:
        disturb_gently(connection);
        break;
    case 6:
        world.note_fails = one_in(4);
        break;
    case 7:
        if (!world.is_disk_bad && one_in(16)) {
            mem_fail_nth(FAULT_WRITE, 1 + below(4));
            world.is_disk_bad = true;
        }
        break;
    case 8:
        if (one_in(16)) {
            mem_fail_nth(FAULT_ALLOC, 1 + below(4));
            world.is_without_memory = true;
        }
    }
}

static void happen(unsigned disturbance) {
    struct connection *connection = some_connection();
    if (one_in(disturbance))
        (world.is_decent ? disturb_gently : disturb)(connection);
    else if (one_in(4))
        time_passes(one_in(8) ? below(2000) : below(60));
    else
        go_on(connection, 1 + below(one_in(4) ? 600 * KIB : 40 * KIB));
    check_step();
}

/* Whatever is open goes on: it is over then. */
static void let_it_end(void) {
    for (int i = 0; i < 20000 && !world.overs; i++) {
        struct connection *connection = some_connection();
        if (CHECK(connection != NULL))
            go_on(connection, 64 * KIB);
        if (i % 8 == 0)
            time_passes(20);
        check_step();
    }
    CHECK_NUMBER(world.overs, 1);
}

/* ---- walks ------------------------------------------------------------------------- */

static void draw_server(struct server *server, unsigned version) {
    *server = (struct server){
        .version = version,
        .has_etag = !one_in(4),
        .has_date = !one_in(4),
        .is_without_ranges = one_in(10),
        .is_silent_of_ranges = one_in(4),
        .is_multiplexed = one_in(10),
        .is_encoded = one_in(20),
        .says_no_total = one_in(10),
        .is_chunked = one_in(10),
        .sends_more = one_in(20),
        .shifts_ranges = one_in(20),
        .ends_early = one_in(30),
        .range_max = one_in(10) ? 1 + below(600 * KIB) : 0,
        .streams = one_in(4) ? 1 + below(4) : 0,
    };
    server->ignores_if_range = server->has_etag && one_in(8);
    server->forgets_etag = server->has_etag && one_in(server->ignores_if_range ? 2 : 10);
}

/* Nothing that is a reason to fail. */
static void mend(struct server *server) {
    server->ignores_if_range = server->forgets_etag = server->is_encoded = false;
    server->sends_more = server->shifts_ranges = server->ends_early = false;
    if (server->range_max)
        server->range_max += SHORT_RANGE_MIN;
}

static void draw_part(void) {
    const struct server *server = &world.servers[0];
    bool is_told = server->has_etag || server->has_date;
    bool may_differ = is_told || !world.is_decent;
    unsigned version = may_differ && one_in(4) ? below(OF_MIRROR) : server->version;
    bool is_foreign = is_told && !world.plan.want && world.plan.source_count > 1 && one_in(4);
    if (is_foreign)
        version = OF_MIRROR;
    if (one_in(2) || !(server->has_etag || server->has_date || world.plan.want))
        return;
    uint64_t at = one_in(4) ? below(300 * KIB) : 0;
    for (unsigned i = below(4); i < 4 && at < sizes[version]; i++) {
        uint64_t most = sizes[version] - at, length = 1 + below(800 * KIB);
        leave_some(version, at, at + (length < most ? length : most));
        at += length + 1 + below(400 * KIB);
    }
    world.is_foreign = is_foreign && world.part.have.count;
    if (world.is_foreign && world.note.etag) { /* that it has the same name is no proof */
        mem_free(world.note.etag);
        world.note.etag = mem_copy(etag_of(server->version));
        put_note();
    }
}

static void swap_sources(void) {
    struct source first = world.sources[0];
    world.sources[0] = world.sources[1];
    world.sources[1] = first;
    world.plan.url = world.sources[0].url;
}

static void draw_world(bool is_decent) {
    prepare();
    for (unsigned i = 0; i < VERSIONS; i++)
        sizes[i] = one_in(3) ? 1 + below(FILE_MAX) : sizes[0];
    draw_server(&world.servers[0], below(OF_MIRROR));
    draw_server(&world.servers[1], one_in(4) ? OF_MIRROR : world.servers[0].version);
    world.plan.want = one_in(3) ? &world.want : NULL;
    world.plan.source_count = 1 + below(2);
    if (world.plan.source_count > 1 && !world.plan.want)
        world.plan.identity = NULL;
    world.plan.size_known = one_in(4);
    world.plan.size = sizes[one_in(10) ? below(VERSIONS) : world.servers[0].version];
    world.is_decent = is_decent;
    if (is_decent) {
        mend(&world.servers[0]); /* not the other one's */
        world.plan.size = sizes[world.servers[0].version];
    }
    world.plan.segments = one_in(2) ? 0 : 1 + below(SEGMENTS_MAX);
    world.pieces.is_single = one_in(10);
    if (world.plan.source_count > 1 && one_in(2))
        swap_sources();
    world.is_kept = !is_decent && one_in(20);
    rig.loop->limit_rate = one_in(10);
    draw_part();
}

static void whatever_happens_it_is_over_once_with_the_bytes_of_one_file(void) {
    unsigned results[5] = {0};
    chance = 1;
    for (int walk = 0; walk < 2500; walk++) {
        bool is_decent = one_in(3);
        draw_world(is_decent);
        unsigned disturbance = one_in(2) ? 1000 : 4 + below(30);
        unsigned long length = one_in(4) ? below(40) : below(400);
        bool is_begun = begin();
        for (unsigned i = 0; i < length && is_begun && !world.overs; i++)
            happen(disturbance);
        if (is_begun && !world.overs && one_in(4))
            stop();
        else if (is_begun)
            let_it_end();
        results[world.pieces.verdict.result]++;
        end();
        if (check_failures)
            return;
    }
    for (size_t i = 0; i < 5; i++) /* else it would prove nothing */
        CHECK(results[i] > 20);
}

/* ---- one by one -------------------------------------------------------------------------- */

/* A file of which the attempt's own server and a mirror bring one half each. */
static void begin_with_mirror(bool is_mirror_first) {
    prepare();
    sizes[0] = FILE_MAX;
    world.servers[1].has_etag = true;
    world.plan.want = &world.want;
    world.plan.source_count = world.plan.segments = 2;
    if (is_mirror_first)
        swap_sources();
    CHECK(begin());
    answer(&world.connections[0]);
    time_passes(0);
    CHECK(world.connections[1].is_open && world.connections[1].server == &world.servers[1]);
    answer(&world.connections[1]);
    check_step();
}

/* All of its share comes, and nothing else happens. */
static void bring_share(struct connection *connection) {
    uint64_t end = world.pieces.streams[connection - world.connections].end;
    while (connection->at < end)
        send_bytes(connection, end - connection->at);
    end_connection(connection);
}

static void end_complete(void) {
    let_it_end();
    CHECK_NUMBER(world.pieces.verdict.result, PIECES_COMPLETE);
    end();
}

static void a_mirror_that_fails_last_does_not_fail_the_attempt(void) {
    begin_with_mirror(false);
    bring_share(&world.connections[0]);
    while (!world.connections[0].is_open) /* it helps the mirror, and is faster */
        time_passes(20);
    answer(&world.connections[0]);
    bring_share(&world.connections[0]);
    for (int i = 0; i < 2; i++)
        if (world.connections[i].is_open && world.connections[i].server == &world.servers[1])
            fail_connection(&world.connections[i], 404);
    CHECK(!world.overs && !world.pieces.verdict.is_gone);
    end_complete();
}

static void the_connection_of_the_task_is_used_where_no_other_is_granted(void) {
    begin_with_mirror(true);
    send_bytes(&world.connections[1], FILE_MAX / 3 + 10);
    world.hosts[1].is_full = true;
    fail_connection(&world.connections[1], 0);
    bring_share(&world.connections[0]);
    CHECK(!world.overs && world.connections[0].is_open);
    end_complete();
}

static void when_a_mirror_comes_back_is_nothing_to_wait_for(void) {
    begin_with_mirror(false);
    world.servers[1].comes_back_ms = 3600000;
    world.hosts[0].is_full = true;
    fail_connection(&world.connections[1], 503);
    world.connections[0].to = world.connections[0].at;
    end_connection(&world.connections[0]);
    CHECK_NUMBER(world.pieces.verdict.result, PIECES_FAILED);
    CHECK_NUMBER(world.pieces.verdict.retry_after_ms, -1);
    end();
}

static void what_a_server_said_first_is_not_said_of_the_end(void) {
    begin_with_mirror(false);
    fail_connection(&world.connections[1], 0);
    time_passes(20);
    world.servers[0].comes_back_ms = 3600000;
    CHECK(world.connections[1].is_open && world.connections[1].server == world.servers);
    fail_connection(&world.connections[1], 404);
    CHECK_NUMBER(world.pieces.verdict.retry_after_ms, 3600000);
    world.connections[0].to = world.connections[0].at;
    end_connection(&world.connections[0]);
    CHECK_NUMBER(world.pieces.verdict.result, PIECES_FAILED);
    CHECK(strstr(text_string(&world.pieces.verdict.cause), "ended early"));
    CHECK(world.pieces.verdict.is_retryable && !world.pieces.verdict.is_gone);
    CHECK_NUMBER(world.pieces.verdict.retry_after_ms, -1);
    end();
}

static void a_mirror_that_sends_more_than_it_says_is_left_alone(void) {
    begin_with_mirror(false);
    world.connections[1].to += 10 * KIB;
    send_bytes(&world.connections[1], FILE_MAX);
    CHECK(world.connections[1].is_refused);
    end_connection(&world.connections[1]);
    CHECK(!world.overs && world.sources[1].is_unfit);
    end_complete();
    CHECK_NUMBER(world.servers[1].asked, 1);
}

static void a_server_that_takes_two_is_not_asked_for_more_all_the_time(void) {
    prepare();
    sizes[0] = FILE_MAX;
    world.plan.segments = 16;
    world.servers[0].streams = 2;
    CHECK(begin());
    end_complete();
    CHECK(world.servers[0].asked < 30);
}

int main(void) {
    world.part.fd = memfd_create("part", MFD_CLOEXEC);
    for (unsigned version = 0; version < VERSIONS; version++)
        for (size_t i = 0; i < sizeof content[version]; i++)
            content[version][i] = (char)(((i * 2654435761U) >> 13) + version * 77);
    sizes[0] = FILE_MAX / 2;
    RUN(whatever_happens_it_is_over_once_with_the_bytes_of_one_file);
    RUN(a_mirror_that_fails_last_does_not_fail_the_attempt);
    RUN(the_connection_of_the_task_is_used_where_no_other_is_granted);
    RUN(when_a_mirror_comes_back_is_nothing_to_wait_for);
    RUN(what_a_server_said_first_is_not_said_of_the_end);
    RUN(a_mirror_that_sends_more_than_it_says_is_left_alone);
    RUN(a_server_that_takes_two_is_not_asked_for_more_all_the_time);
    close(world.part.fd);
    return finish();
}
