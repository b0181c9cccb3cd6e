/*
 * runner_options.c - the options that runs have in common, and what they say in the
 * words of ajob.h. See runner.h.
 *
 * Transfers, commands and graphs have tables of their own: an option that several
 * have means the same in all of them, but is explained where it stands; what would be
 * the same to the letter is a ROW_.
 */
#include "runner.h"
#include "view.h"

#include <stdlib.h>
#include <string.h>

enum {
    MOST_JOBS = 1024,
    MOST_COMMANDS = 100000,
    MOST_RETRIES = 1000,
    MOST_SEGMENTS = 16,
    DEFAULT_RETRIES = 4,
};

/* ---- the tables -------------------------------------------------------- */

/* In the order of the enums that they stand for. */
static const char *const progress_words[] = {"auto", "bar", "lines", "none", NULL};
static const char *const color_words[] = {"auto", "always", "never", NULL};
static const char *const segments_words[] = {"auto", NULL};
static const char *const exit_words[] = {"any", "first", NULL};

_Static_assert(PROGRESS_AUTO == 0 && PROGRESS_BAR == 1 && PROGRESS_LINES == 2 && PROGRESS_NONE == 3,
               "progress_words");
_Static_assert(EXIT_CODE_ANY == 0 && EXIT_CODE_FIRST == 1, "exit_words");
_Static_assert(COLOR_AUTO == 0 && COLOR_ALWAYS == 1 && COLOR_NEVER == 2, "color_words");

#define AT(field) .at = offsetof(struct run_options, field)

#define ROW_GRACE                                                                                  \
    {                                                                                              \
        .name = "grace", .argument = "D", .type = CLI_DURATION, AT(grace),                         \
        .help = "Stop hard what has not stopped D after it was asked to (default: 5s)",            \
    }

#define ROW_EXIT_CODE                                                                              \
    {                                                                                              \
        .name = "exit-code", .argument = "WHICH", .type = CLI_WORD, .words = exit_words,           \
        AT(exit_code), .help = "Exit with this code where a command has failed",                   \
        .more = "With any, it is 1. With first, it is that of the command that failed first: its " \
                "own, 127 if it was not found, 126 if it could not be run, 128 and the number of " \
                "the signal if one ended it.",                                                     \
    }

#define ROW_PER_HOST                                                                               \
    {                                                                                              \
        .name = "per-host", .argument = "N", .type = CLI_NUMBER, AT(per_host), .min = 1,           \
        .max = MOST_JOBS, .help = "Run at most N transfers to one host at once",                   \
    }

#define ROW_LIMIT_RATE                                                                             \
    {                                                                                              \
        .name = "limit-rate", .argument = "SIZE", .type = CLI_SIZE, AT(limit_rate),                \
        .help = "Receive at most SIZE a second, all transfers together (default: no limit)",       \
    }

#define ROW_SEGMENTS                                                                               \
    {                                                                                              \
        .name = "segments", .argument = "N", .type = CLI_NUMBER, .words = segments_words,          \
        AT(segments), .min = 1, .max = MOST_SEGMENTS,                                              \
        .help = "Use N connections for one file, or auto: as many as pay (default: auto)",         \
        .more =                                                                                    \
            "With auto, a large file begins with one connection; others are added while that "     \
            "makes it faster, as it does where a server limits each. There are never more than "   \
            "16 to one host. What a server cannot send in pieces comes over one, as does all "     \
            "with --http 2; else those that are added speak HTTP/1.1.",                            \
    }

#define ROW_MAX_WAIT                                                                               \
    {                                                                                              \
        .name = "max-wait", .argument = "D", .type = CLI_DURATION, AT(max_wait),                   \
        .help = "Wait at most D when a server asks for it (default: 5m, for a release 1m)",        \
        .more = "It does with Retry-After, or with a rate limit that says when it ends. A server " \
                "that asks for more fails the task at once. With 0s nothing is waited for.",       \
    }

#define ROW_FSYNC                                                                                  \
    {                                                                                              \
        .name = "fsync", .type = CLI_FLAG, AT(fsync),                                              \
        .help = "Call a file downloaded only when it would survive a loss of power",               \
        .more =                                                                                    \
            "It and its directory are then written out to the disk, which takes time. Without "    \
            "it a file is as safe from whatever stops ajob alone.",                                \
    }

#define ROW_TIMEOUT                                                                                \
    {                                                                                              \
        .name = "timeout", .argument = "D", .type = CLI_DURATION, AT(timeout),                     \
        .help = "Stop everything after the duration D, and exit 124",                              \
    }

#define ROW_JOBSERVER                                                                              \
    {                                                                                              \
        .name = "jobserver", .argument = "HOW", .type = CLI_WORD, .words = run_jobserver_words,    \
        AT(jobserver), .help = "Share the limit on commands with GNU make in this way",            \
        .more = "With join, commands take their slots from the make that ajob was started by (in " \
                "a rule with a +), beside the one that it has; with pipe, ajob is the one that "   \
                "lends N slots to its commands and to the makes among them; fifo is the same "     \
                "for ninja and others that know no pipe. With auto, run joins if there is no "     \
                "--jobs.",                                                                         \
    }

#define ROW_COMMAND_DIR                                                                            \
    {                                                                                              \
        .name = "dir", .letter = 'd', .argument = "DIR", .type = CLI_DIR, AT(dir),                 \
        .help = "Run commands in DIR (default: the current directory)",                            \
    }

#define ROW_COMMAND_RETRIES                                                                        \
    {                                                                                              \
        .name = "retries", .letter = 'r', .argument = "N", .type = CLI_NUMBER, AT(retries),        \
        .max = MOST_RETRIES, .help = "Run a command that fails up to N times more (default: 0)",   \
    }

#define ROW_COMMAND_RETRY_DELAY                                                                    \
    {                                                                                              \
        .name = "retry-delay", .argument = "D", .type = CLI_DURATION, AT(retry_delay),             \
        .help = "Wait up to D before the first retry, then twice as long each time (default: 1s)", \
        .more = "The wait is drawn at random from zero to that time, which grows to 30s at most.", \
    }

#define ROW_COMMAND_DRY_RUN                                                                        \
    {                                                                                              \
        .name = "dry-run", .letter = 'n', .type = CLI_FLAG, AT(dry_run),                           \
        .help = "Print the commands, and run none",                                                \
    }

const struct cli_option run_transfer_options[] = {
    {
        .name = "dir",
        .alias = "download-dir",
        .letter = 'd',
        .argument = "DIR",
        .type = CLI_DIR,
        AT(dir),
        .help = "Write to DIR, which is made if needed (default: the current directory)",
    },
    {
        .name = "jobs",
        .letter = 'j',
        .argument = "N",
        .type = CLI_NUMBER,
        AT(jobs),
        .min = 1,
        .max = MOST_JOBS,
        .help = "Run N transfers at once (default: 16, and 6 of them to one host)",
        .more = "Given a number, so many may go to one host too, unless --per-host says otherwise.",
    },
    ROW_PER_HOST,
    ROW_SEGMENTS,
    ROW_LIMIT_RATE,
    {
        .name = "timeout",
        .argument = "D",
        .type = CLI_DURATION,
        AT(timeout),
        .help = "Stop everything after the duration D, and exit 124",
        .more = "What had arrived is kept, and used by the next run.",
    },
    ROW_GRACE,
    {
        .name = "retries",
        .letter = 'r',
        .argument = "N",
        .type = CLI_NUMBER,
        AT(retries),
        .max = MOST_RETRIES,
        .help = "Try up to N times more where that may help (default: 4)",
        .more =
            "That is after connection and DNS errors, stalls, truncated bodies and the HTTP "
            "statuses 408, 425, 429, 500, 502, 503, 504 and 520 to 524. What has arrived is kept. "
            "A host name that does not exist cannot be told from a name server that is away: it "
            "is looked up again, too.",
    },
    {
        .name = "retry-delay",
        .argument = "D",
        .type = CLI_DURATION,
        AT(retry_delay),
        .help = "Wait up to D before the first retry, then twice as long each time (default: 1s)",
        .more = "The wait is drawn at random from zero to that time, which grows to 30s at most. A "
                "server that asks for a longer one is obeyed, see --max-wait.",
    },
    ROW_MAX_WAIT,
    ROW_FSYNC,
    {
        .name = "fail-fast",
        .type = CLI_FLAG,
        AT(fail_fast),
        .help = "Cancel everything else at the first failure",
    },
    {
        .name = "keep-going",
        .letter = 'k',
        .type = CLI_UNFLAG,
        AT(fail_fast),
        .help = "Let the others go on after a failure (the default)",
        .more = "The last one of --keep-going and --fail-fast counts.",
    },
    {
        .name = "dry-run",
        .letter = 'n',
        .type = CLI_FLAG,
        AT(dry_run),
        .help = "Print what would be downloaded to where, and download nothing",
    },
    {0},
};

const struct cli_option run_command_options[] = {
    ROW_COMMAND_DIR,
    {
        .name = "jobs",
        .letter = 'j',
        .argument = "N",
        .type = CLI_NUMBER,
        AT(jobs),
        .min = 1,
        .max = MOST_COMMANDS,
        .help = "Run N commands at once (default: all)",
    },
    ROW_TIMEOUT,
    ROW_JOBSERVER,
    ROW_GRACE,
    ROW_COMMAND_RETRIES,
    ROW_COMMAND_RETRY_DELAY,
    ROW_EXIT_CODE,
    ROW_COMMAND_DRY_RUN,
    {0},
};

const struct cli_option run_item_options[] = {
    ROW_COMMAND_DIR,
    {
        .name = "jobs",
        .letter = 'j',
        .argument = "N",
        .type = CLI_TEXT,
        AT(jobs_text),
        .help = "Run N commands at once (default: as many as there are CPUs)",
        .more = "50% is half as many as there are CPUs, +1 one more, -1 one less; at least one.",
    },
    ROW_TIMEOUT,
    ROW_JOBSERVER,
    ROW_GRACE,
    ROW_COMMAND_RETRIES,
    ROW_COMMAND_RETRY_DELAY,
    {
        .name = "fail-fast",
        .type = CLI_FLAG,
        AT(fail_fast),
        .help = "Cancel everything else at the first failure",
    },
    ROW_EXIT_CODE,
    ROW_COMMAND_DRY_RUN,
    {0},
};

const struct cli_option run_item_transfer_options[] = {
    ROW_PER_HOST, ROW_SEGMENTS, ROW_LIMIT_RATE, ROW_MAX_WAIT, ROW_FSYNC, {0},
};

const struct cli_option run_graph_options[] = {
    {
        .name = "dir",
        .letter = 'd',
        .argument = "DIR",
        .type = CLI_DIR,
        AT(dir),
        .help = "Start from DIR (default: the current directory)",
        .more = "Commands run there, files go there, and a relative dir of a task starts "
                "there.",
    },
    {
        .name = "jobs",
        .letter = 'j',
        .argument = "N",
        .type = CLI_NUMBER,
        AT(jobs),
        .min = 1,
        .max = MOST_JOBS,
        .help = "Run N commands and N transfers at once",
        .more = "By default as many commands as there are CPUs, and 16 transfers, 6 of them to one "
                "host.",
    },
    ROW_PER_HOST,
    ROW_LIMIT_RATE,
    ROW_TIMEOUT,
    ROW_JOBSERVER,
    ROW_GRACE,
    {
        .name = "retries",
        .letter = 'r',
        .argument = "N",
        .type = CLI_NUMBER,
        AT(retries),
        .max = MOST_RETRIES,
        .help = "Try what fails up to N times more, where the task does not say",
        .more = "By default commands are not tried again, and transfers up to 4 times where that "
                "may help.",
    },
    {
        .name = "retry-delay",
        .argument = "D",
        .type = CLI_DURATION,
        AT(retry_delay),
        .help = "With --retries, wait up to D before the first, then twice as long (default: 1s)",
        .more = "The wait is drawn at random from zero to that time, which grows to 30s at most.",
    },
    ROW_EXIT_CODE,
    {
        .name = "dry-run",
        .letter = 'n',
        .type = CLI_FLAG,
        AT(dry_run),
        .help = "Print what would run, each task after what it needs, and run nothing",
    },
    {0},
};

const struct cli_option run_output_options[] = {
    {
        .name = "events",
        .argument = "FILE",
        .type = CLI_FILE,
        AT(events),
        .help = "Write every event of the run to FILE as a line of JSON (-: standard output)",
    },
    {
        .name = "progress",
        .argument = "HOW",
        .type = CLI_WORD,
        .words = progress_words,
        AT(progress),
        .help = "Show progress in this way",
        .more = "With auto, it is bars on a terminal and lines elsewhere; lines, too, where what "
                "commands print goes into a pipe, whose reader may write to that terminal.",
    },
    {
        .name = "color",
        .argument = "WHEN",
        .type = CLI_WORD,
        .words = color_words,
        AT(color),
        .help = "Use colors on the terminal",
        .more = "With auto, NO_COLOR and CLICOLOR_FORCE are obeyed too.",
    },
    {
        .name = "quiet",
        .letter = 'q',
        .type = CLI_FLAG,
        AT(quiet),
        .help = "Show failures only",
    },
    {
        .name = "verbose",
        .letter = 'v',
        .type = CLI_COUNT,
        AT(verbosity),
        .help = "Show what starts, is cancelled or is skipped, too",
    },
    {
        .name = "no-actions",
        .type = CLI_FLAG,
        AT(no_actions),
        .help = "Treat GitHub Actions as any other place",
        .more =
            "There, which GITHUB_ACTIONS says, failures become annotations, a table of what was "
            "done goes to GITHUB_STEP_SUMMARY, and what was downloaded to GITHUB_OUTPUT.",
    },
    {0},
};

/* ---- options in the library's words ------------------------------------ */

/* In the library 0 asks for the default; here it was asked for as such. */
uint64_t run_amount(const struct amount *amount) {
    return amount->given && amount->value == 0 ? 1 : amount->value;
}

bool run_has_retry(const struct run_options *options) {
    return options->retries.given || options->retry_delay.given;
}

ajob_retry run_retry(const struct run_options *options) {
    return (ajob_retry){
        .max = options->retries.given ? (unsigned)options->retries.value : DEFAULT_RETRIES,
        .delay_ms = run_amount(&options->retry_delay),
    };
}

ajob_retry run_command_retry(const struct run_options *options) {
    return (ajob_retry){
        .max = (unsigned)options->retries.value,
        .delay_ms = run_amount(&options->retry_delay),
    };
}

enum ajob_policy run_policy(const struct run_options *options) {
    return options->fail_fast ? AJOB_ALL : AJOB_SETTLED;
}

bool run_parse_jobs(const char *text, struct amount *jobs) {
    bool is_relative = *text == '+' || *text == '-';
    char *end;
    unsigned long number = strtoul(text + is_relative, &end, 10);
    uint64_t processors = ajob_processors(), value = number;
    bool is_number =
        text[is_relative] >= '0' && text[is_relative] <= '9' && number <= MOST_COMMANDS;
    if (!is_number || (*end && (is_relative || strcmp(end, "%") != 0)) ||
        (!is_relative && number == 0))
        return false;
    if (*end)
        value = processors * number / 100;
    else if (*text == '+')
        value = processors + number;
    else if (*text == '-')
        value = processors > number ? processors - number : 1;
    *jobs = (struct amount){true, value == 0 ? 1 : value > MOST_COMMANDS ? MOST_COMMANDS : value};
    return true;
}
