/*
 * width.h - how many columns of a terminal a text takes, and cutting it to fit.
 */
#ifndef WIDTH_H
#define WIDTH_H

#include <stdbool.h>
#include <stddef.h>

/* The length in bytes of the character (UTF-8) that text begins with, at least
 * 1 unless text is empty, and the columns it takes: 0, 1 or 2. What is not
 * valid UTF-8 is one byte in one column. */
size_t width_next(const char *text, int *columns);

/* The columns of a text without control characters. */
int width_of(const char *text);

/* Copies as much of text as fits into `columns` and into `size` bytes, with
 * the ellipsis where something was left out: in the middle or at the end.
 * Returns the columns of what it wrote. */
int width_fit(char *buffer, size_t size, const char *text, int columns, const char *ellipsis,
              bool middle);

#endif
