/*
 * part_note.h - NAME.part.json: its JSON, and what part.h does not say of the file.
 */
#ifndef AJOB_NET_PART_NOTE_H
#define AJOB_NET_PART_NOTE_H

#include "net/part.h"

/* Reads what part_note_write() wrote; false for anything else. */
bool part_note_read(const char *text, size_t length, struct part_note *ret_note);
void part_note_write(const struct part_note *note, struct text *json);

/* Removes the note, if there is one. */
void part_note_forget(struct part *part);

/* Removes one whose writer was killed before it was whole. */
void part_note_forget_half(const struct part *part);

#endif
