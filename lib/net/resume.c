/* resume.c - what an earlier attempt left, and what the next one will need. See resume.h. */
#include "net/resume.h"

#include "base/mem.h"
#include "net/disk.h"
#include "net/url.h"

/* The URL may have secrets in it; its digest names it as well. */
static char *identity_of_url(const char *url) {
    struct digest digest = {0};
    char hex[DIGEST_HEX_MAX];
    bool is_begun = digest_begin(&digest, digest_sha256());
    digest_add(&digest, url, strlen(url));
    bool is_known = is_begun && digest_end(&digest, NULL, hex);
    digest_done(&digest);
    return is_known ? text_make("url-sha256:%s", hex) : NULL;
}

/* With a digest it is the digest: any mirror's bytes go on with any other's. Else what one
 * URL has is nothing that another one goes on with, whatever both call it. */
static char *identity_of(const struct transfer_plan *plan, const char *url) {
    char digest[16 + DIGEST_HEX_MAX];
    if (plan->identity && plan->source_count <= 1)
        return mem_copy(plan->identity);
    if (!plan->want)
        return identity_of_url(url);
    digest_format(plan->want, digest);
    return mem_copy(digest);
}

bool resume_is_possible(const struct transfer_plan *plan, const struct part_note *note) {
    return note->etag || note->last_modified || plan->want;
}

static bool ends_by(const struct ranges *ranges, uint64_t size) {
    return !ranges->count || ranges->items[ranges->count - 1].end <= size;
}

static bool is_named(const struct part_note *note, char *identity) {
    bool is_same = identity && note->identity && !strcmp(note->identity, identity);
    mem_free(identity);
    return is_same;
}

/* What came from the URL before its digest was known is judged by that in the end. */
static bool is_of(const struct transfer_plan *plan, const char *url, const struct part_note *note) {
    return is_named(note, identity_of(plan, url)) ||
           (plan->want && !plan->identity && is_named(note, identity_of_url(url)));
}

/* From whichever of the plan's URLs. */
static bool is_of_same(const struct transfer_plan *plan, const struct part_note *note) {
    bool is_same = is_of(plan, plan->url, note);
    for (size_t i = 1; i < plan->source_count && !is_same; i++)
        is_same = is_of(plan, plan->sources[i].url, note);
    return is_same;
}

/* What a power cut may have taken: bytes that were written, but had not reached the
 * disk. After one (or any other boot: they are not told apart) the last that were
 * recorded are brought again, unless a digest will judge them. Where a note has
 * ranges nobody knows which came last. */
static bool forget_unsafe(const struct transfer_plan *plan, struct part *part,
                          const struct part_note *note) {
    enum { UNSAFE = 64 * 1024 * 1024 };
    char boot[DISK_BOOT_MAX];
    struct text ignored = TEXT_INIT(TEXT_LINE_MAX);
    if (plan->want || !disk_boot(boot) || (note->boot && !strcmp(note->boot, boot)))
        return true;
    uint64_t size = ranges_frontier(&part->have);
    bool is_some_left =
        !part->note_has_ranges && size > UNSAFE && part_cut(part, size - UNSAFE, &ignored);
    if (is_some_left) /* should that fail: the old note has it forgotten once more */
        part_remember(part, note, &ignored);
    text_done(&ignored);
    return is_some_left;
}

/* Of what is all there (its owner was killed before the rename) no rest can be asked for: a
 * 416 seldom says which version it is of. A byte that comes once more does. */
static void reopen(const struct transfer_plan *plan, struct part *part,
                   const struct part_note *note) {
    struct text ignored = TEXT_INIT(TEXT_LINE_MAX);
    uint64_t size = ranges_frontier(&part->have);
    if (plan->want || !size || note->total < 0 || size != (uint64_t)note->total)
        return;
    part_cut(part, size - 1, &ignored);
    if (!part->has_note)
        part_remember(part, note, &ignored);
    text_done(&ignored);
}

bool resume_is_foreign(const struct transfer_plan *plan, const char *url,
                       const struct part_note *note) {
    return !is_of(plan, url, note);
}

static bool is_from(const struct transfer_plan *plan, const char *url,
                    const struct part_note *note) {
    bool is_certain = plan->identity && plan->source_count <= 1;
    char *here = is_certain ? NULL : url_redacted(url);
    bool is_from = !here || (note->url && !strcmp(note->url, here));
    mem_free(here);
    return is_from;
}

/* Another server's validators mean nothing to the one that is asked now. */
static void adopt(const struct transfer_plan *plan, const char *url, struct part_note *note) {
    if (!plan->want || is_from(plan, url, note))
        return;
    note->last_modified = mem_free(note->last_modified);
    note->etag = mem_free(note->etag);
}

bool resume_recall(const struct transfer_plan *plan, const char *url, struct part *part,
                   struct part_note *ret_note) {
    struct part_note note = {.total = -1};
    bool is_same = part->have.count && part->has_note && part_recall(part, &note) &&
                   part->have.count && is_of_same(plan, &note) && resume_is_possible(plan, &note) &&
                   (!plan->size_known || ends_by(&part->have, plan->size)) &&
                   (note.total < 0 || ends_by(&part->have, (uint64_t)note.total)) &&
                   forget_unsafe(plan, part, &note);
    if (is_same) {
        reopen(plan, part, &note);
        adopt(plan, url, &note);
        *ret_note = note;
    } else {
        part_note_done(&note);
    }
    return is_same;
}

/* Last-Modified tells two versions apart only if it is older than the answer: a
 * file may change twice in a second (RFC 9110, 8.8.2.2). */
static const char *strong_date(const struct response *response) {
    int64_t modified_s = response->last_modified ? http_date(response->last_modified) : -1;
    bool is_strong = modified_s >= 0 && response->date && !response->etag &&
                     modified_s < http_date(response->date);
    return is_strong ? response->last_modified : NULL;
}

/* Keeps what is known: the answer with the rest need not say it again. */
static void learn(char **field, const char *value) {
    if (!*field)
        *field = mem_copy(value);
}

void resume_learn(struct part_note *note, const struct response *response, int64_t total) {
    note->total = total;
    learn(&note->modified, response->last_modified);
    if (response->is_encoded || (note->last_modified && !note->etag))
        return;
    learn(&note->etag, response_strong_etag(response));
    learn(&note->last_modified, strong_date(response));
}

bool resume_name(const struct transfer_plan *plan, const char *url, struct part_note *note) {
    mem_free(note->identity);
    mem_free(note->url);
    note->identity = identity_of(plan, url);
    note->url = url_redacted(url);
    return note->identity && note->url;
}

bool resume_remember(const struct transfer_plan *plan, struct part *part, struct part_note *note,
                     struct text *error) {
    if (!note->identity)
        note->identity = identity_of(plan, plan->url);
    if (!note->url)
        note->url = url_redacted(plan->url);
    if (note->identity)
        return part_remember(part, note, error);
    text_add(error, "out of memory");
    return false;
}

uint64_t resume_leave(const struct transfer_plan *plan, struct part *part, struct part_note *note,
                      bool is_useless) {
    struct text ignored = TEXT_INIT(TEXT_LINE_MAX);
    uint64_t bytes = ranges_total(&part->have);
    bool is_worth_it = !is_useless && bytes && part->is_resumable && resume_is_possible(plan, note);
    bool has_note = part->has_note && (!part->note_has_ranges || part->noted_bytes == bytes);
    bool is_left = is_worth_it && (has_note || resume_remember(plan, part, note, &ignored));
    if (!is_left)
        part_discard(part);
    text_done(&ignored);
    return is_left ? bytes : 0;
}
