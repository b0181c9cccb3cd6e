/*
 * part_note.h - the JSON of NAME.part.json.
 */
#ifndef AJOB_NET_PART_NOTE_H
#define AJOB_NET_PART_NOTE_H

#include "net/part.h"

/* Reads what note_write() wrote; false for anything else. */
bool note_read(const char *text, size_t length, struct part_note *ret_note);
void note_write(const struct part_note *note, struct text *json);

#endif
