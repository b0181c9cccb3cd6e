/*
 * turns.h - who may write now, and the writing: the printer's inside.
 */
#ifndef AJOB_EXEC_TURNS_H
#define AJOB_EXEC_TURNS_H

#include "exec/printer.h"

/* A piece of output: written now if it is this output's turn, else held. */
void turns_print(struct output *output, enum output_stream stream, const char *data, size_t length);

/* The output is closed. It may be gone after this if it is released. */
void turns_close(struct output *output, bool has_failed);

/* Writes what can be written now of what is held. True: there is more, and the
 * loop should have a turn in between. */
bool turns_write(struct printer *printer);

/* Something waits to be written, or for a reader. */
bool turns_is_waiting(const struct printer *printer);

/* Drops what is held of an output. It may be gone after this. */
void turns_drop(struct output *output);

#endif
