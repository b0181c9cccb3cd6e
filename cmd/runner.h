/*
 * runner.h - from the options that all runs have to a run, and its exit status.
 *
 *     struct run run;
 *     struct run_work work = {.policy = run_policy(&options->run)};
 *     int status = run_open(&run, command, &options->run, &work);
 *     if (status != STATUS_OK)
 *         return status;
 *     ... make tasks, ajob_group_add(run.root, task); on a mistake
 *         return run_close(&run, STATUS_USAGE);
 *     return run_start(&run);
 *
 * Nothing is started, written or shown before run_start(), so that wrong usage
 * leaves no trace.
 */
#ifndef CMD_RUNNER_H
#define CMD_RUNNER_H

#include "cli.h"

/* What --exit-code says. */
enum { EXIT_CODE_ANY, EXIT_CODE_FIRST };

/* Filled by the tables below. The views' modes are theirs (view.h). */
struct run_options {
    struct amount jobs, per_host, retries;
    struct amount timeout, grace, retry_delay, max_wait, connect_timeout, stall_timeout;
    struct amount segments, limit_rate, min_speed;
    struct text_list headers;
    const char *jobs_text; /* of each, as it was written: see run_parse_jobs() */
    const char *dir;
    const char *cacert;
    const char *events;
    const char *log_dir;
    const char *results_dir;
    int output;   /* 0: auto; else enum ajob_output_mode plus one */
    int http;     /* as ajob_http_options.version */
    int progress; /* enum progress_mode */
    int color;    /* enum color_mode */
    int verbosity;
    int exit_code;
    int jobserver; /* an index in run_jobserver_words */
    bool fail_fast;
    bool events_output;
    bool is_ordered, tag;
    bool adds_events; /* behind what is in their file, which is of an earlier run */
    bool quiet;
    bool dry_run;
    bool fsync;
    bool insecure;
    bool no_actions;
};

extern const struct cli_option run_transfer_options[];
extern const struct cli_option run_command_options[];       /* of gather, any and race */
extern const struct cli_option run_item_options[];          /* of each */
extern const struct cli_option run_item_transfer_options[]; /* of each, besides these */
extern const struct cli_option run_graph_options[];         /* of run */
extern const struct cli_option run_network_options[];       /* of runner_network.c */
extern const struct cli_option run_output_options[];
extern const struct cli_option run_printing_options[];      /* of those that run commands */
extern const struct cli_option run_item_printing_options[]; /* of each */

/* Of runner_jobserver.c: what --jobserver says. */
extern const char *const run_jobserver_words[];

struct view;

struct run {
    const struct command *command;
    const struct run_options *options;
    ajob_loop *loop;
    ajob_task *root;       /* the group that is run */
    bool has_lost_results; /* which was told: no run is a success then */
    bool silent;           /* stdout gets a list instead: only errors are shown */
    /* Called when all has succeeded, before anything is closed; NULL, or a function that
     * returns STATUS_OK, or another status after a message. */
    int (*succeeded)(struct run *run, void *data);
    void *succeeded_data;
    int write_error;   /* errno of the first failure to write to stdout, or 0 */
    struct view *view; /* NULL: there is none yet, or no more */
    bool has_commands, runs_one_command, is_stream, is_batched; /* these as in struct run_work */
    bool has_files, has_tags;
};

/* What a run is of. */
struct run_work {
    enum ajob_policy policy; /* of the root group */
    unsigned max_failures;   /* as in ajob_group_options */
    bool has_commands;       /* --dir is where they run: it must be there */
    bool runs_one_command;   /* at a time */
    bool has_files;          /* all it is for; a CI system is told which */
    bool has_tags;           /* they are in groups with the tags for names */
    unsigned commands;       /* how many run at once; 0: as many as there are CPUs */
    bool is_stream;          /* as in struct view_options */
    bool is_batched;         /* the same */
};

/* Makes the loop and the root group. Returns STATUS_OK, or another status after
 * a message, with nothing left to close. */
int run_open(struct run *run, const struct command *command, const struct run_options *options,
             const struct run_work *work);

/* Runs the root group, shows it, writes its events, and closes everything.
 * Returns the exit status, unless a signal ended the run: it is then raised
 * again, so that ajob dies of it. */
int run_start(struct run *run);

/* Closes everything without a run, or after it. Returns status, or another one
 * if what was printed could not be written. */
int run_close(struct run *run, int status);

/* The status for what the library has refused: wrong usage, or, where it lacked memory, a
 * fault of ours. */
int run_refused(const struct run *run);

/* Adds a task to the root group under a title. STATUS_OK, or a status after a
 * message. task may be NULL: its making failed, which is then the message, after
 * `what` unless that is NULL or in the message already. */
int run_add(struct run *run, ajob_task *task, const char *title, const char *what);

/* Prints to stdout. Text from outside goes through ajob_escape() first. When
 * that cannot be written the run is cancelled and run_close() says so. */
void run_print(struct run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Of runner_output.c, for runner.c: wrong usage; and where the output of commands
 * goes. Both return STATUS_OK, or another status after a message. */
int run_check_printing(const struct command *command, const struct run_options *options);
int run_set_output(struct run *run);

/* Of runner_jobserver.c, for runner.c: where the slots of commands come from. STATUS_OK,
 * or another status after a message. */
int run_set_jobserver(struct run *run, const struct run_work *work);

/* What the options say in the words of ajob.h. The strings are the options'. */
uint64_t run_amount(const struct amount *amount); /* never 0 where 0 was given */
ajob_http_options run_http(const struct run_options *options);
ajob_retry run_retry(const struct run_options *options);
ajob_retry run_command_retry(const struct run_options *options);
bool run_has_retry(const struct run_options *options);

/* "4", "50%", "+1" or "-1": of as many CPUs as there are. False: it is none of these. */
bool run_parse_jobs(const char *text, struct amount *jobs);
enum ajob_policy run_policy(const struct run_options *options);

#endif
