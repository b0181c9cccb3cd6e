/* resume.c - what an earlier attempt left, and what the next one will need. See resume.h. */
#include "net/resume.h"

#include "base/mem.h"
#include "net/url.h"

/* The URL may have secrets in it; its digest names it as well. */
static char *identity_of_url(const char *url) {
    struct digest digest = {0};
    struct digest_want none = {.algorithm = digest_sha256()};
    char hex[DIGEST_HEX_MAX] = "";
    if (digest_begin(&digest, none.algorithm)) {
        digest_add(&digest, url, strlen(url));
        digest_end(&digest, &none, hex);
    }
    digest_done(&digest);
    return *hex ? text_make("url-sha256:%s", hex) : NULL;
}

static char *identity_of(const struct transfer_plan *plan) {
    return plan->identity ? mem_copy(plan->identity) : identity_of_url(plan->url);
}

bool resume_is_possible(const struct transfer_plan *plan, const struct part_note *note) {
    return note->etag || note->last_modified || plan->want;
}

static bool ends_by(const struct ranges *ranges, uint64_t size) {
    return !ranges->count || ranges->items[ranges->count - 1].end <= size;
}

bool resume_recall(const struct transfer_plan *plan, struct part *part,
                   struct part_note *ret_note) {
    struct part_note note = {.total = -1};
    char *identity = part->have.count && part->has_note ? identity_of(plan) : NULL;
    bool is_same = identity && part_recall(part, &note) && !strcmp(note.identity, identity) &&
                   resume_is_possible(plan, &note) && part->have.count &&
                   (!plan->size_known || ends_by(&part->have, plan->size)) &&
                   (note.total < 0 || ends_by(&part->have, (uint64_t)note.total));
    mem_free(identity);
    if (is_same)
        *ret_note = note;
    else
        part_note_done(&note);
    return is_same;
}

/* Last-Modified tells two versions apart only if it is older than the answer: a
 * file may change twice in a second (RFC 9110, 8.8.2.2). */
static const char *strong_date(const struct response *response) {
    bool is_strong = response->last_modified && response->date && !response->etag &&
                     http_date(response->last_modified) < http_date(response->date);
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

bool resume_remember(const struct transfer_plan *plan, struct part *part, struct part_note *note,
                     struct text *error) {
    if (!note->identity)
        note->identity = identity_of(plan);
    if (!note->url)
        note->url = url_redacted(plan->url);
    if (note->identity)
        return part_remember(part, note, error);
    text_add(error, "out of memory");
    return false;
}
