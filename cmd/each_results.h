/*
 * each_results.h - --results of ajob each: DIR/N/item and DIR/N/status beside what the
 * library keeps there of the output.
 */
#ifndef CMD_EACH_RESULTS_H
#define CMD_EACH_RESULTS_H

#include "runner.h"

/* One for a run; it must outlive that. */
struct each_results {
    struct run *run;
    bool has_failed; /* which was told once */
};

/* STATUS_OK, or another status after a message. */
int each_results_open(struct each_results *results, struct run *run);

#endif
