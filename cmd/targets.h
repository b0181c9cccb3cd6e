/*
 * targets.h - what ajob get is asked for: URLs, from operands and from a list.
 *
 * Messages about a target name its URL, or LIST:LINE if it comes from a list.
 * Functions that return int: STATUS_OK, or another status after a message.
 */
#ifndef CMD_TARGETS_H
#define CMD_TARGETS_H

#include "cli.h"

enum { PLACE_SIZE = 512 };

/* A file to download. The strings are argv's or in the line that owns them. */
struct target {
    const char *url;
    const char **mirrors; /* other URLs of the same file, up to a NULL; NULL: there are none */
    const char *name;     /* NULL: made from the URL */
    const char *digest;   /* NULL: none is known */
    char *line;           /* of the list, freed with the target; NULL for an operand */
    char *path;           /* the file; NULL: not checked yet, or another target is the same */
    size_t number;        /* of the line, from 1; 0 for an operand */
};

struct targets {
    const struct command *command;
    const char *list; /* the list's name in messages */
    struct target *items;
    size_t count, space;
};

/* Takes over target->line and target->mirrors. False on lack of memory. */
bool targets_add(struct targets *targets, struct target target);

/* A line of a list: "URL[ MIRROR...][TAB NAME[TAB DIGEST]]". NULL, with target.url NULL
 * for a line that is empty or a comment; or what is wrong with it. target_done() in
 * any case. */
const char *target_parse(struct target *target, const char *text, size_t length);

/* The same line, malloc'd, with *** for user and password, and for the query, of each URL in
 * it: for events, which others may read. NULL on lack of memory. */
char *target_hide(const char *text, size_t length);

/* Whether target_hide() has hidden something of this line. */
bool target_is_hidden(const char *text, size_t length);

/* Adds what the list at path names; "-" is standard input. */
int targets_read(struct targets *targets, const char *path);

/* Once all paths are known: drops what was asked for twice, by clearing its path;
 * what has a digest stays. Different URLs for one file are a mistake. */
int targets_merge(struct targets *targets);

/* A target as messages name it. */
const char *target_place(const struct targets *targets, const struct target *target,
                         char buffer[PLACE_SIZE]);

void target_done(struct target *target);
void targets_done(struct targets *targets);

#endif
