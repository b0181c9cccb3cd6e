/*
 * output.h - what commands print: held, ordered, written, kept.
 *
 * A command opens an output for each attempt, adds what its pipes bring, and
 * closes it when the attempt is over; the rest (modes, spilling, the one who may
 * write now, the log files, task.output events) is done here. The loop never
 * blocks: while the reader of stdout takes no more, outputs are full, and their
 * commands are not read from.
 */
#ifndef AJOB_EXEC_OUTPUT_H
#define AJOB_EXEC_OUTPUT_H

#include "core/task.h"

enum output_stream { OUTPUT_STDOUT, OUTPUT_STDERR };

struct output;
struct place;

/* has_room comes from the loop, never from inside a call below, once a full
 * output has room again. NULL on lack of memory. With keeps_stdout what is printed
 * to stdout can be read back until output_free(). */
struct output *output_open(struct ajob_task *task, bool keeps_stdout,
                           void (*has_room)(struct ajob_task *task));

/* Where there is an order: a place for a task that is made now, which its outputs have
 * one after the other, until the task has ended. NULL where there is none; or, with
 * *is_lacking, on lack of memory. */
struct place *output_place(struct ajob_loop *loop, bool *is_lacking);
void output_set_place(struct output *output, struct place *place);
void output_place_over(struct place *place); /* takes NULL */

void output_add(struct output *output, enum output_stream stream, const char *data, size_t length);

/* The command is not to be read from until has_room() comes. */
bool output_is_full(const struct output *output);

/* Nobody can tell, before it is closed, when something was added, and what was added to
 * others meanwhile: it may come some milliseconds late. */
bool output_may_be_late(const struct output *output);

/* The attempt is over. What is held is still written; has_room does not come any
 * more. */
void output_close(struct output *output, bool has_failed);

/* What was printed to stdout: how much, and from offset up to size bytes of it
 * (AJOB_ESYSTEM if it cannot be read back, in particular without keeps_stdout). */
uint64_t output_printed(const struct output *output);
int64_t output_read(const struct output *output, uint64_t offset, char *buffer, size_t size);

/* A descriptor open for reading at the start of what was printed to stdout,
 * close-on-exec, the caller's; or -1 with errno. For another command's stdin. */
int output_dup(const struct output *output);

/* Somebody follows, or does no more: the output is full while it is 1 MiB ahead of
 * what was taken. */
void output_follow(struct output *output, bool is_followed);
void output_taken(struct output *output, uint64_t offset);

/* Drops what is kept; what is still to be written is written. One that is open is
 * closed first, as of an attempt that failed. Takes NULL. */
void output_free(struct output *output);

#endif
