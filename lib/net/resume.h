/*
 * resume.h - what an earlier attempt left, and what the next one will need.
 *
 * A part may be continued only if its note names the same thing, and if what
 * comes then is sure to fit: by a strong validator that goes into If-Range (RFC
 * 9110, 13.1.5), or by a digest of the whole.
 */
#ifndef AJOB_NET_RESUME_H
#define AJOB_NET_RESUME_H

#include "net/headers.h"
#include "net/part.h"
#include "net/plan.h"

/* Whether the part that was claimed may be continued with bytes from this URL, one of the
 * plan's; then its note, too. If that names another URL, the answer must have its ETag. */
bool resume_recall(const struct transfer_plan *plan, const char *url, struct part *part,
                   struct part_note *ret_note);

/* Whether the note is from this URL's server: then so are its validators. */
bool resume_is_from(const struct transfer_plan *plan, const char *url,
                    const struct part_note *note);

/* Takes from the response what the note lacks; total -1: not known. */
void resume_learn(struct part_note *note, const struct response *response, int64_t total);

/* Whether a part with this note could be continued at all. */
bool resume_is_possible(const struct transfer_plan *plan, const struct part_note *note);

/* Writes the note of the part. False: one line in error. */
bool resume_remember(const struct transfer_plan *plan, struct part *part, struct part_note *note,
                     struct text *error);

/* An attempt ends without the file: leaves the part with its note on disk if another one can
 * continue it, else nothing. How many bytes are left so. */
uint64_t resume_leave(const struct transfer_plan *plan, struct part *part, struct part_note *note,
                      bool is_useless);

#endif
