/*
 * sense.c - what can be said of a spec only when all of it is known: shields
 * without timeout, lines that are read twice, downloads into one file.
 */
#include "base/mem.h"
#include "spec/reading.h"

static void fail_of(struct ajob_spec *spec, const struct spec_task *task, const char *hint,
                    const char *what) {
    struct text path = TEXT_INIT(TEXT_LINE_MAX);
    spec_path(task, &path);
    spec_error(spec, task, task->at, hint, "task \"%.150s\" %s", text_string(&path), what);
    text_done(&path);
}

static void check_task(struct ajob_spec *spec, const struct spec_task *task) {
    const struct spec_more *more = task->more;
    bool is_finalizer = more && more->when != AJOB_WHEN_NEEDS_SUCCEEDED;
    if (more && more->is_shielded && !more->has_timeout && !is_finalizer)
        fail_of(spec, task, "give it a \"timeout\"",
                "is shielded and has no timeout: nothing could stop it");
}

void spec_check_sense(struct ajob_spec *spec) {
    for (const struct spec_task *task = spec->first; task; task = spec_next(task))
        check_task(spec, task);
}
