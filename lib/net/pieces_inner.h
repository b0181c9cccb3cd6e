/*
 * pieces_inner.h - what the files of pieces.h share.
 *
 * pieces.c has the life, pieces_answer.c what the first answer says and the others have to
 * agree with, pieces_share.c who brings what.
 */
#ifndef AJOB_NET_PIECES_INNER_H
#define AJOB_NET_PIECES_INNER_H

#include "net/pieces.h"
#include "net/ranges.h"

enum { SPLIT_FROM = 2 * SEGMENT_SIZE_MIN }; /* a smaller rest is not shared */

/* The cause is there, or follows. */
void pieces_fail(struct pieces *pieces, enum pieces_result result, bool is_retryable);

/* To be filled in: what an earlier failure said is forgotten. */
struct text *pieces_new_cause(struct pieces *pieces);

/* Of the whole file; STREAM_OPEN_END: not known. */
uint64_t pieces_size(const struct pieces *pieces);

/* The tick comes after this time. */
void pieces_arm_tick(struct pieces *pieces, uint64_t delay_ms);

/* Writes the note. False: that has failed, here. */
bool pieces_remember(struct pieces *pieces);

/* Writes what the stream has joined; else it has failed, here. */
void pieces_flush(struct pieces *pieces, struct stream *stream);

/* A stream's head() */
bool pieces_take_answer(struct stream *stream, const struct response *response);

/* The streams that are running, of this source; NULL: of any. */
unsigned pieces_count(const struct pieces *pieces, const struct source *source);

/* The first bytes from `from` on that are not there and that nobody brings. */
bool pieces_gap(const struct pieces *pieces, uint64_t from, struct range *ret_gap);

/* Begins the first stream, from the first gap on. */
bool pieces_start_first(struct pieces *pieces);

/* Begins streams until there are as many as are wanted, or can be had. */
void pieces_start_others(struct pieces *pieces);

/* Ends a stream; keeps what it has brought. */
void pieces_stop_stream(struct pieces *pieces, struct stream *stream);

/* Ends those that are more than wanted. */
void pieces_stop_surplus(struct pieces *pieces);

/* Ends one, if tasks wait for the host whose connection it has. */
bool pieces_make_way(struct pieces *pieces);

/* The stream has no connection any more. */
void pieces_narrow(struct stream *stream);

/* pieces.c's */
extern const struct stream_calls pieces_stream_calls;

#endif
