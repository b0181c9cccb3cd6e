/*
 * view_actions.h - what GitHub Actions is told of a run: annotations of its failures, a
 * table in the summary of the step, outputs of the step.
 *
 * Beside the view on a screen, which hands on the events and what it thinks of them, and
 * says the annotations among its own lines. The files are written when it is closed.
 */
#ifndef VIEW_ACTIONS_H
#define VIEW_ACTIONS_H

#include "ajob.h"

struct actions;

struct actions_options {
    const char *command; /* the subcommand; must outlive this */
    bool has_outputs;    /* files are the point of it: get and download */
    bool has_tags;       /* they stand in groups that have the tags for names: download */
    bool writes_nothing; /* failures are annotated, and that is all */
};

/* Whether GITHUB_ACTIONS says that we are there. */
bool actions_around(void);

/* NULL on lack of memory. */
struct actions *actions_open(const struct actions_options *options);

/* One event; is_news: a person is told of it, for nothing else tells of the same. */
void actions_event(struct actions *actions, const ajob_event *event, bool is_news);

/* The last line of the run, for people: "3 downloaded, 2 failed in 4.2s". */
void actions_sum_up(struct actions *actions, const char *line);

/* The workflow command that makes this text an annotation, or NULL: there were
 * enough. In a buffer until the next call. */
const char *actions_annotation(struct actions *actions, const char *text);

/* That of how many there were beyond these, or NULL. */
const char *actions_last_annotation(struct actions *actions);

/* Writes the files, tells on stderr if that fails, and frees. Takes NULL. */
void actions_close(struct actions *actions);

#endif
