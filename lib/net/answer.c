/* answer.c - what a server's answer means for a part. See answer.h. */
#include "net/answer.h"

#include <string.h>

/* A server may send a range of another version in spite of If-Range. */
static bool is_same_version(const struct question *question, const struct response *response) {
    const struct part_note *note = question->note;
    if (note->etag) /* which is strong: a weak one is not the same */
        return response->etag ? !strcmp(note->etag, response->etag) : !question->must_say_etag;
    return !note->last_modified || !response->last_modified ||
           !strcmp(note->last_modified, response->last_modified);
}

int64_t answer_total(const struct question *question, const struct response *response) {
    return response->range_total >= 0 ? response->range_total : question->note->total;
}

static bool is_of_this(const struct question *question, const struct response *response) {
    int64_t total = answer_total(question, response), known = question->note->total;
    bool is_same_total = total >= 0 && (known < 0 || total == known);
    return is_same_total && (!question->is_same_server || is_same_version(question, response));
}

/* One version has one length. Some servers send the rest as if it were all. */
static bool is_contradiction(const struct question *question, const struct response *response) {
    const struct part_note *note = question->note;
    const char *etag = response_strong_etag(response);
    return question->has_range && question->is_same_server && note->etag && etag &&
           !strcmp(note->etag, etag) && !response->is_encoded && note->total >= 0 &&
           response->length >= 0 && response->length != note->total;
}

enum answer answer_to(const struct question *question, const struct response *response) {
    if (response->status == 416) {
        bool is_end = question->has_range && question->first && response->has_range &&
                      response->range_total == (int64_t)question->first;
        return is_end && is_of_this(question, response) ? ANSWER_NOTHING : ANSWER_CHANGED;
    }
    if (response->status != 206)
        return is_contradiction(question, response) ? ANSWER_OTHER : ANSWER_WHOLE;
    bool fits = question->has_range && response->has_extent && !response->is_encoded &&
                response->range_first == question->first;
    return fits && is_of_this(question, response) ? ANSWER_RANGE : ANSWER_OTHER;
}
