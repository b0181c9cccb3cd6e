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

/* Whether the part that was claimed is of what the plan brings; then its note, too, without
 * validators that are not of this URL, one of the plan's. */
bool resume_recall(const struct transfer_plan *plan, const char *url, struct part *part,
                   struct part_note *ret_note);

/* Whether nothing would prove that bytes from this URL go on what is there: no digest is
 * known, and it came from another URL. An ETag is a name that each server gives as it
 * likes (RFC 9110, 8.8.3.3): that two have the same is no proof. */
bool resume_is_foreign(const struct transfer_plan *plan, const char *url,
                       const struct part_note *note);

/* What comes is from this URL. False on lack of memory. */
bool resume_name(const struct transfer_plan *plan, const char *url, struct part_note *note);

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
