/*
 * each_run.c - a run of ajob each: from items to tasks. See each_run.h.
 *
 * An item that no command can be made of is a task that fails, so that it is counted and
 * told of like the others. What an earlier run has done is left out when its turn comes;
 * only where the events go to another file than that run's is there an event of it, so
 * that the new file says all.
 */
#include "each_run.h"

#include "each_get.h"
#include "resume.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- keys ---------------------------------------------------------------------- */

static bool add_part(struct key_parts *parts, const char *text, size_t length) {
    if (parts->count == parts->space) {
        size_t space = parts->space ? 2 * parts->space : 16;
        const char **texts = realloc(parts->texts, space * sizeof *texts);
        if (texts)
            parts->texts = texts;
        size_t *lengths = texts ? realloc(parts->lengths, space * sizeof *lengths) : NULL;
        if (!lengths)
            return false;
        parts->lengths = lengths;
        parts->space = space;
    }
    parts->texts[parts->count] = text;
    parts->lengths[parts->count++] = length;
    return true;
}

/* What is tried again is what had failed, also if the command is another one now. */
static bool make_key(struct each *each, const struct each_batch *batch, char key[AJOB_KEY_SIZE]) {
    struct key_parts *parts = &each->parts;
    char argc[24];
    if (batch->key) {
        memcpy(key, batch->key, AJOB_KEY_SIZE);
        return true;
    }
    int length = snprintf(argc, sizeof argc, "%zu", each->argc);
    parts->count = 0;
    bool is_get = each->options->is_get;
    bool is_made = add_part(parts, is_get ? "get" : "each", is_get ? 3 : 4) &&
                   add_part(parts, argc, (size_t)length);
    for (size_t i = 0; is_made && i < each->argc; i++)
        is_made = add_part(parts, each->argv[i], strlen(each->argv[i]));
    if (is_made && batch->fault)
        is_made = add_part(parts, batch->text, batch->length);
    for (size_t i = 0; is_made && i < batch->values.count; i++)
        is_made = add_part(parts, batch->values.items[i], strlen(batch->values.items[i]));
    return is_made &&
           ajob_record_key(each->run.loop, parts->texts, parts->lengths, parts->count, key) == 0;
}

/* ---- tasks --------------------------------------------------------------------- */

/* data is the reason. */
static void fail(ajob_task *task, void *data) {
    ajob_resolve(task, data);
}

static ajob_task *make_failing(struct each *each, const char *why) {
    return ajob_future(each->run.loop, &(ajob_future_options){
                                           .start = fail,
                                           .data = (void *)why,
                                           .holds_no_slot = true,
                                       });
}

static bool expand(struct each *each, const struct each_batch *batch) {
    if (each->template)
        return template_expand(each->template, &batch->values, &each->arguments);
    arguments_clear(&each->arguments);
    return arguments_add(&each->arguments, batch->text, batch->length) &&
           arguments_end(&each->arguments);
}

static ajob_task *make_command(struct each *each, const struct each_batch *batch) {
    const struct each_options *options = each->options;
    if (!expand(each, batch))
        return NULL;
    return ajob_exec(each->run.loop, &(ajob_exec_options){
                                         .argv = each->arguments.argv,
                                         .script = each->template ? NULL : batch->text,
                                         .dir = options->run.dir,
                                     });
}

static ajob_task *give_up(struct each *each) {
    each->has_given_up = true;
    ajob_cancel(each->run.root, "lack of memory");
    return NULL;
}

static void free_text(ajob_task *task, void *text) {
    (void)task;
    free(text);
}

/* The same with a reason that does not last. */
static ajob_task *make_failing_copy(struct each *each, const char *why) {
    char *copy = strdup(why);
    ajob_task *task = copy ? make_failing(each, copy) : NULL;
    if (task)
        ajob_on_end(task, free_text, copy);
    else
        free(copy);
    return task;
}

/* Of a download it is a URL, and who reads the events is not to have its secrets. */
static bool set_item(const struct each *each, ajob_task *task, const struct each_batch *batch) {
    if (!each->options->is_get)
        return ajob_set_item(task, batch->text, batch->length) == 0;
    char *hidden = target_hide(batch->text, batch->length);
    bool is_set = hidden && ajob_set_item(task, hidden, strlen(hidden)) == 0;
    free(hidden);
    return is_set;
}

static bool set_tries(struct each *each, ajob_task *task) {
    const struct each_options *options = each->options;
    bool has_retry = options->is_get ? run_has_retry(&options->run) : each->retry.max > 0;
    return (!has_retry || ajob_set_retry(task, &each->retry) == 0) &&
           (!options->task_timeout.given ||
            ajob_set_attempt_timeout(task, options->task_timeout.value) == 0);
}

/* The task of a batch, with --get of this download; NULL: it was left out, or the run
 * was cancelled. */
static ajob_task *make_task(struct each *each, const struct each_batch *batch,
                            const struct each_download *download) {
    char key[AJOB_KEY_SIZE] = "";
    const struct run_options *run = &each->run_options;
    bool has_key = (run->events || each->record) && !(download && download->is_refused);
    if (has_key && !make_key(each, batch, key))
        return give_up(each);
    bool is_done = each->is_resumed && has_key && ajob_record_take(each->record, key);
    if (is_done && (!run->events || run->adds_events)) {
        ajob_feed_skip(each->run.root);
        return NULL;
    }
    const char *mistake = download ? download->mistake : NULL;
    ajob_task *task = batch->fault ? make_failing(each, batch->fault)
                      : mistake    ? make_failing_copy(each, mistake)
                      : download   ? each_get_make(each, download)
                                   : make_command(each, batch);
    bool is_tried = !batch->fault && !mistake;
    if (!task || (is_tried && !set_tries(each, task)) || !set_item(each, task, batch) ||
        (has_key && ajob_set_key(task, key)) || (is_done && ajob_set_done(task)))
        return give_up(each);
    return task;
}

/* A run whose input broke off has not done all that it was asked for. */
static ajob_task *fail_input(struct each *each) {
    if (asprintf(&each->failure, "%s: %s", each_input_name(&each->input),
                 ajob_error(each->run.loop)) < 0)
        each->failure = NULL;
    each->input.is_over = true;
    ajob_task *task = make_failing(each, each->failure ? each->failure : "out of memory");
    return task && ajob_set_name(task, "input") == 0 ? task : give_up(each);
}

/* ---- the commands as a list ------------------------------------------------------- */

static void show_download(struct each *each, const struct each_download *download) {
    char text[4096], file[4096];
    if (download->mistake)
        cli_warn(each->command, "%llu: %s", (unsigned long long)each->number, download->mistake);
    else
        run_print(&each->run, "would download %s to %s\n",
                  ajob_show_url(text, sizeof text, download->target.url),
                  ajob_escape(file, sizeof file, download->path));
}

static ajob_task *show(struct each *each, const struct each_batch *batch,
                       const struct each_download *download) {
    char *line = NULL, key[AJOB_KEY_SIZE];
    size_t length = 0;
    ajob_feed_skip(each->run.root);
    bool is_refused = download && download->is_refused;
    if (each->is_resumed && !is_refused && make_key(each, batch, key) &&
        ajob_record_take(each->record, key))
        return NULL;
    if (batch->fault)
        cli_warn(each->command, "%llu: %s", (unsigned long long)each->number, batch->fault);
    else if (download)
        show_download(each, download);
    else if (!each->template)
        run_print(&each->run, "%s\n", batch->text);
    else if (expand(each, batch) && arguments_quote(&each->arguments, &line, &length))
        run_print(&each->run, "%s\n", line);
    free(line);
    return NULL;
}

/* NULL: there is none, for the caller to go on to the next batch. */
static ajob_task *make_or_show(struct each *each, const struct each_batch *batch) {
    struct each_download download;
    bool is_download = each->options->is_get && !batch->fault;
    ajob_task *task = NULL;
    if (is_download)
        each_get_ask(each, batch, &download);
    bool is_nothing = is_download && !download.mistake && !download.target.url;
    if (!is_nothing)
        task = each->run.silent ? show(each, batch, is_download ? &download : NULL)
                                : make_task(each, batch, is_download ? &download : NULL);
    if (is_download)
        each_get_done(&download);
    return task;
}

/* ---- the feed ---------------------------------------------------------------------- */

static ajob_task *next_task(ajob_task *group, void *data) {
    enum { AT_ONCE = 64 }; /* then signals are heard */
    struct each *each = data;
    struct each_batch *batch;
    for (int count = 0; count < AT_ONCE && !each->has_given_up; count++) {
        switch (each_input_next(&each->input, &batch)) {
        case AJOB_ITEM_NONE_YET:
            ajob_feed_wait(group);
            return NULL;
        case AJOB_ITEM_END:
            return NULL;
        case AJOB_ITEM_UNREADABLE:
            return fail_input(each);
        case AJOB_ITEM_FOUND:
        case AJOB_ITEM_TOO_LONG:
            break;
        }
        batch->values.number = ++each->number;
        ajob_task *task = make_or_show(each, batch);
        if (task)
            return task;
    }
    if (each->has_given_up)
        return NULL;
    ajob_feed_wait(group);
    ajob_feed_resume(group);
    return NULL;
}

static void more_items(void *data) {
    struct each *each = data;
    ajob_feed_resume(each->run.root);
}

/* "10/s" as microseconds from one to the next. */
static bool parse_rate(const char *text, uint64_t *interval_us) {
    static const char units[] = "smh";
    static const uint64_t seconds[] = {1, 60, 3600};
    enum { MOST = 1000000 };
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    const char *unit = *end == '/' && end[1] ? strchr(units, end[1]) : NULL;
    if (*text < '0' || *text > '9' || !number || number > MOST || !unit || end[2])
        return false;
    *interval_us = seconds[unit - units] * 1000000 / number;
    return true;
}

static int feed(struct each *each) {
    enum { DEFAULT_TRANSFERS = 16 };
    const struct each_options *options = each->options;
    unsigned jobs = (unsigned)each->run_options.jobs.value;
    uint64_t interval_us = 0;
    if (options->limit_start && !parse_rate(options->limit_start, &interval_us))
        return cli_fail(each->command, STATUS_USAGE,
                        "--limit-start: %s: not a rate: use 10/s, 100/m or 1000/h",
                        options->limit_start);
    bool is_rate = options->delay.value * 1000 <= interval_us;
    if (!is_rate)
        interval_us = options->delay.value * 1000;
    if (!jobs)
        jobs = options->is_get ? DEFAULT_TRANSFERS : ajob_processors();
    int status = each_input_start(&each->input, each->run.loop, more_items, each);
    if (status != STATUS_OK)
        return status;
    ajob_feed asks = {
        .next = next_task,
        .data = each,
        .window = interval_us ? jobs : 2 * jobs, /* with an interval, what comes starts at once */
        .total = each_input_count(&each->input),
        .interval_us = interval_us,
        .is_rate = is_rate,
        .drops_rest = true,
    };
    if (ajob_group_feed(each->run.root, &asks))
        return cli_fail(each->command, STATUS_FAULT, "%s", ajob_error(each->run.loop));
    return STATUS_OK;
}

/* ---- the run ---------------------------------------------------------------- */

/* What earlier runs have done, or failed to do. */
static int read_record(struct each *each) {
    const struct each_options *options = each->options;
    struct run_options *run = &each->run_options;
    const char *option = options->resume ? "--resume" : "--retry-failed";
    const char *path = options->resume ? options->resume : options->retry_failed;
    uint64_t whole = 0;
    if (!path)
        return STATUS_OK;
    each->is_resumed = options->resume != NULL;
    const char *events = options->run.events; /* also if there is only a list */
    run->adds_events = events && resume_is_same_file(path, events);
    if (each->is_resumed && run->adds_events && access(path, F_OK) != 0 && errno == ENOENT)
        return STATUS_OK;
    each->record = ajob_record_read(each->run.loop, path, !each->is_resumed, &whole);
    if (!each->record)
        return cli_fail(each->command, STATUS_USAGE, "%s: %s: %s", option, path,
                        ajob_error(each->run.loop));
    if (!each->is_resumed)
        each_input_retry(&each->input, each->record);
    bool is_cut = run->adds_events && !run->dry_run;
    return is_cut ? resume_cut(each->command, path, whole) : STATUS_OK;
}

int each_run(struct each *each) {
    const struct amount *most = &each->options->max_failures;
    struct run_work work = {
        .policy = each->run_options.fail_fast || most->given ? AJOB_ALL : AJOB_SETTLED,
        .max_failures = (unsigned)most->value,
        .has_commands = !each->options->is_get,
        .runs_one_command = each->run_options.jobs.value == 1,
        .is_stream = true,
        .is_batched = each->options->input.max_args.given || each->options->input.max_chars.given,
        .commands = (unsigned)each->run_options.jobs.value,
    };
    if (each->run_options.dry_run)
        each->run_options.events = each->run_options.results_dir = NULL;
    int status = run_open(&each->run, each->command, &each->run_options, &work);
    if (status != STATUS_OK)
        return status;
    each->run.silent = each->run_options.dry_run;
    status = read_record(each);
    if (status == STATUS_OK)
        status = feed(each);
    if (status == STATUS_OK && each->run_options.results_dir)
        status = each_results_open(&each->results, &each->run);
    return status == STATUS_OK ? run_start(&each->run) : run_close(&each->run, status);
}

void each_done(struct each *each) {
    template_free(each->template);
    arguments_done(&each->arguments);
    ajob_record_free(each->record);
    ajob_claims_free(each->claims);
    free(each->parts.texts);
    free(each->parts.lengths);
    free(each->failure);
}
