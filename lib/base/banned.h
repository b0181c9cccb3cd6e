/*
 * banned.h - functions that this code does not use, as compile errors.
 *
 * Included in every file by the compiler's command line (see Makefile). Each
 * name is a classic source of overflows, truncation or hidden shared state;
 * text.h has what to use instead.
 */
#ifndef AJOB_BANNED_H
#define AJOB_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* Macros of a C library that checks sizes. */
#undef sprintf
#undef vsprintf
#undef strcpy
#undef strcat
#undef strncpy
#undef strncat
#undef stpcpy

#pragma GCC poison strcpy strcat strncpy strncat stpcpy sprintf vsprintf gets
#pragma GCC poison strtok gmtime localtime ctime asctime atoi atol atoll atof

#endif
