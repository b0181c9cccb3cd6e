/*
 * pieces_rig.h - a world around pieces.c and its neighbours, stream.c among them: servers that
 * answer, send and break off when the test says so, a host that grants connections or does
 * not, a note that is on disk or is not.
 *
 * The part is a real one, in memory. What is handed to it is compared with what the server
 * has there, so that no byte can come to a wrong place, or twice, unseen.
 */
#ifndef PIECES_RIG_H
#define PIECES_RIG_H

#define fetch_start fake_fetch_start
#define fetch_cancel fake_fetch_cancel
#define host_widen fake_host_widen
#define host_narrow fake_host_narrow
#define host_is_wanted fake_host_is_wanted
#define profile_wants_http2 fake_profile_wants_http2
#define resume_remember fake_resume_remember
#define task_progressed fake_task_progressed
#define task_note fake_task_note
#define verifier_feed fake_verifier_feed
#define verifier_reach fake_verifier_reach
#define verifier_trade fake_verifier_trade
#define verifier_restart fake_verifier_restart
#define part_write watched_part_write
#define part_empty watched_part_empty
#define pieces_start tested_pieces_start
#define pieces_stop tested_pieces_stop
#define pieces_done tested_pieces_done
#define pieces_fail tested_pieces_fail
#define pieces_new_cause tested_pieces_new_cause
#define pieces_size tested_pieces_size
#define pieces_arm_tick tested_pieces_arm_tick
#define pieces_remember tested_pieces_remember
#define pieces_take_answer tested_pieces_take_answer
#define pieces_count tested_pieces_count
#define pieces_gap tested_pieces_gap
#define pieces_start_first tested_pieces_start_first
#define pieces_start_others tested_pieces_start_others
#define pieces_stop_stream tested_pieces_stop_stream
#define pieces_stop_surplus tested_pieces_stop_surplus
#define pieces_make_way tested_pieces_make_way
#define pieces_flush tested_pieces_flush
#define pieces_narrow tested_pieces_narrow
#define pieces_stream_calls tested_pieces_stream_calls
#define stream_start tested_stream_start
#define stream_stop tested_stream_stop

#include "../../lib/net/pieces.c"
#include "../../lib/net/pieces_answer.c"
#include "../../lib/net/pieces_share.c"
#define body_came stream_body_came
#include "../../lib/net/stream.c"
#undef body_came

#undef part_write
#undef part_empty
bool part_write(struct part *part, struct part_writer *writer, const char *data, size_t length,
                struct text *error);
bool part_empty(struct part *part, struct text *error);

#include "chance.h"
#include "core_rig.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    KIB = 1024,
    MIB = 1024 * KIB,
    FILE_MAX = 3 * MIB,
    VERSIONS = 4,
    OF_MIRROR = 3, /* the version that only another server has */
    HOST_MAX = 16,
};

struct host {
    unsigned extra;
    bool is_full, is_wanted;
};

/* How a server is. What is not set is as it should be. */
struct server {
    unsigned version; /* of the file, now */
    bool has_etag, has_date, is_without_ranges, is_silent_of_ranges, is_multiplexed, is_encoded;
    bool ignores_if_range;
    bool forgets_etag;      /* in the answer to a range */
    bool says_no_total;     /* in Content-Range */
    bool is_chunked;        /* the whole comes without its length */
    bool sends_more;        /* than it says */
    bool shifts_ranges;     /* sends another one than asked for */
    bool ends_early;        /* and says that this was all */
    uint64_t range_max;     /* longer ones are cut; 0: none is */
    unsigned streams;       /* more at once are refused; 0: as many as there may be */
    unsigned comes_back_ms; /* what it says when it fails; 0: nothing */
    unsigned busy, asked;
};

struct connection {
    bool is_open, has_head, is_refused;
    bool has_range;
    struct server *server;
    struct fetch *fetch;
    uint64_t first, end; /* what was asked for */
    uint64_t at, to;     /* what is sent */
    unsigned version;
    char if_range[64];
};

static char content[VERSIONS][FILE_MAX + 64 * KIB];
static uint64_t sizes[VERSIONS];

static struct {
    struct ajob_task task;
    struct transfer_plan plan;
    struct digest_want want;
    struct source sources[2];
    struct host hosts[2];
    struct server servers[2];
    struct part part;
    struct part_note note;
    struct verifier verifier;
    struct pieces pieces;
    struct connection connections[SEGMENTS_MAX];
    bool is_calling;        /* a callback, as from inside libcurl */
    bool is_starting;       /* pieces_start() is under way */
    bool is_stopped;        /* pieces_stop() was called */
    bool is_without_memory; /* an allocation was made to fail */
    bool is_kept;           /* the file that is there is what the server has */
    bool is_decent;         /* there is no reason to fail */
    bool is_foreign;        /* what is in the part is another server's */
    bool note_fails, has_note_failed;
    bool is_disk_bad; /* a write fails, soon */
    unsigned overs;
    unsigned versions; /* whose bytes are in the part: a set */
    unsigned sending;  /* the version whose bytes are handed over now */
    struct ranges handed;
    struct { /* as it is on disk, while the part has one */
        struct ranges ranges;
        bool has_ranges;
        char etag[64];
    } noted;
} world;

/* ---- validators --------------------------------------------------------------- */

static const char *etag_of(unsigned version) {
    static const char *const etags[] = {"\"zero\"", "\"one\"", "\"two\"", "\"three\""};
    return etags[version];
}

static const char *date_of(unsigned version) {
    static const char *const dates[] = {
        "Wed, 01 Jan 2020 00:00:00 GMT", "Wed, 01 Jan 2020 00:00:01 GMT",
        "Wed, 01 Jan 2020 00:00:02 GMT", "Wed, 01 Jan 2020 00:00:03 GMT"};
    return dates[version];
}

/* ---- the disk ------------------------------------------------------------------- */

static bool overlaps(const struct ranges *ranges, uint64_t first, uint64_t end) {
    for (size_t i = 0; i < ranges->count; i++)
        if (ranges->items[i].first < end && first < ranges->items[i].end)
            return true;
    return false;
}

bool watched_part_write(struct part *part, struct part_writer *writer, const char *data,
                        size_t length, struct text *error) {
    const struct pieces *pieces = &world.pieces;
    uint64_t at = writer->at;
    CHECK(at + length <= FILE_MAX);
    CHECK(pieces->total < 0 || at + length <= (uint64_t)pieces->total);
    CHECK(!overlaps(&world.handed, at, at + length)); /* no byte twice */
    CHECK(!memcmp(data, content[world.sending] + at, length));
    unsigned long left = mem_fail_nth(FAULT_ALLOC, 0);
    CHECK(ranges_add(&world.handed, at, at + length));
    mem_fail_nth(FAULT_ALLOC, left);
    world.versions |= 1U << world.sending;
    return part_write(part, writer, data, length, error);
}

bool watched_part_empty(struct part *part, struct text *error) {
    CHECK(!world.pieces.answer.has_come); /* later, others write what it would lose */
    CHECK(!world.pieces.verifier || !world.verifier.reached);
    ranges_cut(&world.handed, 0);
    world.versions = 0;
    world.is_foreign = false;
    return part_empty(part, error);
}

static void copy_ranges(struct ranges *to, const struct ranges *from) {
    unsigned long left = mem_fail_nth(FAULT_ALLOC, 0);
    ranges_cut(to, 0);
    for (size_t i = 0; i < from->count; i++)
        CHECK(ranges_add(to, from->items[i].first, from->items[i].end));
    mem_fail_nth(FAULT_ALLOC, left);
}

static void put_note(void) {
    struct part *part = &world.part;
    part->has_note = true;
    part->note_has_ranges = part->is_in_pieces;
    part->noted_bytes = ranges_total(&part->have);
    part->noted_at_ms = UINT64_MAX / 2; /* it is never due for its age */
    copy_ranges(&world.noted.ranges, &part->have);
    world.noted.has_ranges = part->note_has_ranges;
    snprintf(world.noted.etag, sizeof world.noted.etag, "%s",
             world.note.etag ? world.note.etag : "");
}

bool resume_remember(const struct transfer_plan *plan, struct part *part, struct part_note *note,
                     struct text *error) {
    CHECK(plan == &world.plan && part == &world.part && note == &world.note);
    if (world.note_fails) {
        world.has_note_failed = true;
        text_add(error, "the note cannot be written");
        return false;
    }
    put_note();
    return true;
}

/* ---- the digest ----------------------------------------------------------------- */

bool verifier_feed(struct verifier *verifier, const void *data, size_t length) {
    CHECK(!memcmp(data, content[world.sending] + verifier->reached, length));
    bool is_fed = one_in(2);
    if (is_fed)
        verifier->reached += length;
    return is_fed;
}

void verifier_reach(struct verifier *verifier, uint64_t frontier) {
    CHECK(frontier <= ranges_frontier(&world.part.have));
    if (frontier > verifier->reached)
        verifier->reached = frontier;
}

char *verifier_trade(struct verifier *verifier, uint64_t at, char *block, size_t length) {
    CHECK(!overlaps(&(struct ranges){&(struct range){at, at + length}, 1, 1}, FILE_MAX,
                    STREAM_OPEN_END));
    if (at + length > verifier->reached && at <= verifier->reached && one_in(2))
        verifier->reached = at + length;
    return block;
}

void verifier_restart(struct verifier *verifier) {
    verifier->reached = 0;
}

/* ---- the host and the task -------------------------------------------------------- */

bool host_widen(struct host *host) {
    bool is_granted = !host->is_full && !host->is_wanted && host->extra + 1 < HOST_MAX;
    host->extra += is_granted;
    return is_granted;
}

void host_narrow(struct host *host) {
    CHECK(host->extra > 0);
    host->extra--;
}

bool host_is_wanted(const struct host *host) {
    return host->extra && host->is_wanted;
}

void task_progressed(struct ajob_task *task, uint64_t *last_ms, uint64_t bytes, int64_t total) {
    (void)last_ms;
    CHECK(task == &world.task && (total < 0 || bytes <= (uint64_t)total));
}

void task_note(struct ajob_task *task, const char *format, ...) {
    (void)format;
    CHECK(task == &world.task);
}

/* ---- servers ---------------------------------------------------------------------- */

bool profile_wants_http2(const struct profile *profile) {
    return world.servers[profile ? 1 : 0].is_multiplexed;
}

static struct connection *connection_of(const struct fetch *fetch) {
    for (size_t i = 0; i < SEGMENTS_MAX; i++)
        if (fetch == &world.pieces.streams[i].fetch)
            return &world.connections[i];
    CHECK(fetch == NULL);
    return NULL;
}

bool fetch_start(struct fetch *fetch, struct ajob_loop *loop, const struct fetch_owner *calls,
                 void *owner, const struct fetch_request *request) {
    struct connection *connection = connection_of(fetch);
    struct server *server = &world.servers[request->profile ? 1 : 0];
    CHECK(!world.is_calling && !world.overs && !world.is_stopped);
    CHECK(!connection->is_open);
    if (mem_fault(FAULT_ALLOC))
        return false;
    *connection = (struct connection){
        .is_open = true,
        .server = server,
        .fetch = fetch,
        .has_range = request->range_first || request->range_end,
        .first = request->range_first,
        .end = request->range_end ? request->range_end : STREAM_OPEN_END,
    };
    CHECK(connection->first < connection->end);
    CHECK(!world.pieces.answer.has_come || connection->end <= pieces_size(&world.pieces));
    CHECK(!world.is_foreign || !connection->has_range);
    CHECK_TEXT(request->url, server == world.servers ? "http://a/f" : "http://b/f");
    CHECK(!request->if_range || server == world.servers);
    snprintf(connection->if_range, sizeof connection->if_range, "%s",
             request->if_range ? request->if_range : "");
    fetch->loop = loop;
    fetch->calls = calls;
    fetch->owner = owner;
    server->busy++;
    server->asked++;
    return true;
}

static void close_connection(struct connection *connection) {
    connection->is_open = false;
    connection->server->busy--;
}

void fetch_cancel(struct fetch *fetch) {
    struct connection *connection = connection_of(fetch);
    CHECK(!world.is_calling);
    if (connection->is_open)
        close_connection(connection);
}

static void end_with(struct connection *connection, const struct fetch_result *result) {
    close_connection(connection);
    connection->fetch->calls->done(connection->fetch->owner, result);
}

static void fail_connection(struct connection *connection, int status) {
    int64_t wait_ms = connection->server->comes_back_ms;
    end_with(connection, &(struct fetch_result){.kind = FETCH_FAILED,
                                                .is_retryable = status != 404,
                                                .retry_after_ms = wait_ms ? wait_ms : -1,
                                                .cause = "it failed",
                                                .status = status});
}

static void end_connection(struct connection *connection) {
    end_with(connection,
             &(struct fetch_result){.kind = connection->is_refused ? FETCH_REFUSED : FETCH_OK,
                                    .retry_after_ms = -1,
                                    .status = 200});
}

static bool is_of_version(const struct connection *connection) {
    const struct server *server = connection->server;
    const char *asked = connection->if_range;
    return !*asked || server->ignores_if_range ||
           (server->has_etag && !strcmp(asked, etag_of(server->version))) ||
           (server->has_date && !strcmp(asked, date_of(server->version)));
}

static struct response range_of(struct connection *connection, uint64_t size) {
    struct server *server = connection->server;
    struct response response = {.status = 206, .has_range = true, .range_total = (int64_t)size};
    uint64_t shift = server->shifts_ranges ? 1000 : 0;
    if (connection->first >= size) {
        response.status = 416;
        return response;
    }
    connection->at = connection->first >= shift ? connection->first - shift : 0;
    connection->to = connection->end < size ? connection->end : size;
    if (server->range_max && connection->to - connection->at > server->range_max)
        connection->to = connection->at + server->range_max;
    response.has_extent = true;
    response.range_first = connection->at;
    response.range_last = connection->to - 1;
    response.length = (int64_t)(connection->to - connection->at);
    if (server->says_no_total)
        response.range_total = -1;
    if (server->sends_more)
        connection->to = size;
    return response;
}

/* Its head comes. */
static void answer(struct connection *connection) {
    struct server *server = connection->server;
    uint64_t size = sizes[server->version];
    struct response response = {.status = 200, .length = (int64_t)size, .range_total = -1};
    if (server->streams && server->busy > server->streams) {
        fail_connection(connection, 503);
        return;
    }
    connection->at = 0;
    connection->to = size;
    if (connection->has_range && !server->is_without_ranges && is_of_version(connection))
        response = range_of(connection, size);
    if (response.status == 200 && server->is_chunked)
        response.length = -1;
    bool is_etag_told = server->has_etag && !(response.status == 206 && server->forgets_etag);
    response.is_chunked = server->is_chunked;
    response.is_encoded = server->is_encoded;
    response.is_multiplexed = server->is_multiplexed;
    response.accepts_ranges = !server->is_without_ranges && !server->is_silent_of_ranges;
    response.etag = is_etag_told ? (char *)etag_of(server->version) : NULL;
    response.last_modified = server->has_date ? (char *)date_of(server->version) : NULL;
    response.date = (char *)"Wed, 01 Jan 2025 00:00:00 GMT";
    connection->version = server->version;
    connection->has_head = true;
    world.is_calling = true;
    connection->is_refused = !connection->fetch->calls->head(connection->fetch->owner, &response);
    world.is_calling = false;
    if (response.status == 416)
        connection->to = connection->at = 0;
}

/* Some of its body comes. */
static void send_bytes(struct connection *connection, uint64_t length) {
    uint64_t left = connection->to - connection->at;
    if (length > left)
        length = left;
    world.is_calling = true;
    world.sending = connection->version;
    connection->is_refused = !connection->fetch->calls->body(
        connection->fetch->owner, content[connection->version] + connection->at, length);
    world.is_calling = false;
    connection->at += length;
    if (!connection->is_refused) /* a kill now costs no more than it may */
        CHECK(!part_note_is_due(&world.part, pieces_size(&world.pieces)));
}

/* What comes next on it comes: the head, bytes of the body, its end. */
static void go_on(struct connection *connection, uint64_t length) {
    const struct server *server = connection->server;
    bool is_early = server->ends_early && connection->at + 20 * KIB >= connection->to;
    if (connection->is_refused || (connection->has_head && connection->at == connection->to))
        end_connection(connection);
    else if (!connection->has_head)
        answer(connection);
    else if (is_early)
        end_connection(connection);
    else
        send_bytes(connection, length);
}

#endif
