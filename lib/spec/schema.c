/* schema.c - every key of a spec, in tables. See schema.h. */
#include "spec/schema.h"

#define BIT(kind) (1u << SPEC_##kind)

enum {
    COMMANDS = BIT(EXEC) | BIT(SH) | BIT(SERVICE),
    TRANSFERS = BIT(GET) | BIT(RELEASE),
    MANY = BIT(GROUP) | BIT(EACH),
    WORK = COMMANDS | TRANSFERS | MANY, /* what can fail by itself */
    ALL_KINDS = WORK | BIT(SLEEP) | BIT(JOIN),
};

const char *const schema_expected[SCHEMA_TYPE_COUNT] = {
#define X(name, expected, schema) [SCHEMA_##name] = (expected),
    SCHEMA_TYPES(X)
#undef X
};

const char *const schema_texts[SCHEMA_TYPE_COUNT] = {
#define X(name, expected, schema) [SCHEMA_##name] = (schema),
    SCHEMA_TYPES(X)
#undef X
};

/* ---- words --------------------------------------------------------------- */

static const struct schema_word policies[] = {
#define AJOB_X(name, text) {text, AJOB_##name},
    AJOB_POLICIES(AJOB_X)
#undef AJOB_X
        {NULL, 0},
};

static const struct schema_word whens[] = {
    {"success", AJOB_WHEN_NEEDS_SUCCEEDED},
    {"always", AJOB_WHEN_ALWAYS},
    {"failure", AJOB_WHEN_FAILURE},
    {NULL, 0},
};

static const struct schema_word leftovers[] = {{"kill", false}, {"ignore", true}, {NULL, 0}};

/* ---- tasks --------------------------------------------------------------- */

#define KEY(text, value_type) .name = (text), .type = SCHEMA_##value_type
#define IN(where, type, field) .place = IN_##where, .at = offsetof(struct type, field)
#define GIVEN(type, field) .given_at = offsetof(struct type, field)

/* clang-format off */
static const struct schema_key task_keys[] = {
    {KEY("exec", ARGV), .kinds = BIT(EXEC), .flags = IS_KIND | HAS_VALUES,
     IN(PAYLOAD, spec_command, argv), .help = "A command: the program and its arguments"},
    {KEY("sh", SCRIPT), .kinds = BIT(SH), .flags = IS_KIND,
     IN(PAYLOAD, spec_command, script), .help = "A script for /bin/sh"},
    {KEY("get", URL), .kinds = BIT(GET), .flags = IS_KIND | HAS_VALUES,
     IN(PAYLOAD, spec_get, url), .help = "A download: its URL"},
    {KEY("release", STRING), .kinds = BIT(RELEASE), .flags = IS_KIND | HAS_VALUES,
     IN(PAYLOAD, spec_release, repository), .help = "Assets of a release: OWNER/REPO"},
    {KEY("sleep", DURATION), .kinds = BIT(SLEEP), .flags = IS_KIND,
     IN(TASK, spec_task, sleep_ms), .help = "A delay"},
    {KEY("service", COMMAND), .kinds = BIT(SERVICE), .flags = IS_KIND | HAS_VALUES,
     .place = IN_PAYLOAD, .help = "A long-lived command that others need"},
    {KEY("group", TASKS), .kinds = BIT(GROUP), .flags = IS_KIND,
     .help = "A group: its tasks by name"},
    {KEY("each", EACH), .kinds = BIT(EACH), .flags = IS_KIND | HAS_VALUES, .place = IN_PAYLOAD,
     .help = "One task for each item: a list, a range, or the lines that a task prints"},

    {KEY("needs", NEEDS), .kinds = ALL_KINDS,
     .help = "Start after these tasks, of the same group or one around it, have succeeded"},
    {KEY("when", WORD), .words = whens, .kinds = ALL_KINDS, IN(MORE, spec_more, when),
     .help = "Run when what it needs has succeeded, or in any case, or on a failure only"},
    {KEY("description", TEXT), .kinds = ALL_KINDS, IN(MORE, spec_more, description),
     .help = "What it is for"},
    {KEY("timeout", DURATION), .kinds = ALL_KINDS, .flags = IN_DEFAULTS,
     IN(MORE, spec_more, timeout_ms), GIVEN(spec_more, has_timeout),
     .help = "The time it may take from its start, its retries included; of a service, to "
             "become ready"},
    {KEY("attempt_timeout", DURATION), .kinds = WORK, .flags = IN_DEFAULTS,
     IN(MORE, spec_more, attempt_timeout_ms), GIVEN(spec_more, has_attempt_timeout),
     .help = "The time that one try may take"},
    {KEY("retry", RETRY), .kinds = WORK, .flags = IN_DEFAULTS,
     IN(MORE, spec_more, retry), GIVEN(spec_more, has_retry), .help = "Further tries after a failure"},
    {KEY("shield", BOOL), .kinds = ALL_KINDS, IN(MORE, spec_more, is_shielded),
     .help = "Not reached by its group's cancellation; needs a timeout"},
    {KEY("allow_failure", BOOL), .kinds = ALL_KINDS, .flags = IN_DEFAULTS,
     IN(MORE, spec_more, allow_failure), .help = "Its failure is none of its group's"},
    {KEY("pool", POOLS), .kinds = COMMANDS | BIT(GET), .flags = IN_DEFAULTS, .place = IN_MORE,
     .help = "Slots of pools that it holds while it runs"},
    {KEY("pools", POOLS), .kinds = COMMANDS | BIT(GET), .flags = IN_DEFAULTS | IS_ALIAS,
     .place = IN_MORE, .help = "The same as pool"},
    {KEY("env", VARIABLES), .kinds = COMMANDS | MANY, .flags = IN_DEFAULTS | HAS_VALUES,
     IN(MORE, spec_more, env), .help = "Variables of the environment; null removes one"},
    {KEY("dir", STRING), .kinds = COMMANDS | TRANSFERS | MANY, .flags = IN_DEFAULTS | HAS_VALUES,
     IN(MORE, spec_more, dir), .help = "The directory that it works in or writes to"},
    {KEY("policy", WORD), .words = policies, .kinds = MANY | BIT(RELEASE),
     IN(MORE, spec_more, policy), .help = "What happens when a task in it ends"},
    {KEY("limit", COUNT), .min = 1, .max = 1000000, .kinds = MANY, IN(MORE, spec_more, limit),
     .help = "How many tasks in it work at once"},

    {KEY("stdin", STDIN), .kinds = COMMANDS, .flags = HAS_VALUES, .place = IN_PAYLOAD,
     .help = "Its standard input: a file, or what a task printed"},
    {KEY("leftovers", WORD), .words = leftovers, .kinds = COMMANDS, .flags = IN_DEFAULTS,
     IN(PAYLOAD, spec_command, leaves_leftovers),
     .help = "What happens to processes that it leaves behind"},
    {KEY("ready", READY), .kinds = BIT(SERVICE), .place = IN_PAYLOAD,
     .help = "How the service shows that it is ready"},
    {KEY("to", STRING), .kinds = BIT(GET), .flags = HAS_VALUES, IN(PAYLOAD, spec_get, to),
     .help = "The file; by default the URL's name"},
    {KEY("sha256", SHA256), .kinds = BIT(GET), .flags = HAS_VALUES, IN(PAYLOAD, spec_get, digest),
     .help = "The digest that the file must have"},
    {KEY("digest", DIGEST), .kinds = BIT(GET), .flags = HAS_VALUES | IS_ALIAS,
     IN(PAYLOAD, spec_get, digest), .help = "The same with the name of its kind: sha512:HEX"},
    {KEY("mirrors", URLS), .kinds = BIT(GET), .flags = HAS_VALUES,
     IN(PAYLOAD, spec_get, mirrors), .help = "More URLs of the same file"},
    {KEY("headers", HEADERS), .kinds = BIT(GET), .flags = HAS_VALUES,
     IN(PAYLOAD, spec_get, headers), .help = "Headers of the request"},
    {KEY("tag", STRING), .kinds = BIT(RELEASE), .flags = HAS_VALUES, IN(PAYLOAD, spec_release, tag),
     .help = "The release's tag; by default the latest"},
    {KEY("assets", STRINGS), .kinds = BIT(RELEASE), .flags = HAS_VALUES,
     IN(PAYLOAD, spec_release, assets), .help = "Globs of the assets wanted"},
    {KEY("exclude", STRINGS), .kinds = BIT(RELEASE), .flags = HAS_VALUES,
     IN(PAYLOAD, spec_release, exclude), .help = "Globs of the assets not wanted"},
    {KEY("all", BOOL), .kinds = BIT(RELEASE), IN(PAYLOAD, spec_release, all),
     .help = "Every release instead of one"},
    {KEY("flat", BOOL), .kinds = BIT(RELEASE), IN(PAYLOAD, spec_release, flat),
     .help = "Write to DIR/ASSET instead of DIR/TAG/ASSET"},
    {KEY("prerelease", BOOL), .kinds = BIT(RELEASE), IN(PAYLOAD, spec_release, prerelease),
     .help = "Without tag, the newest release, whether a prerelease or not"},
    {KEY("require_digest", BOOL), .kinds = BIT(RELEASE), IN(PAYLOAD, spec_release, require_digest),
     .help = "Fail an asset without a digest before it is downloaded"},
    {KEY("segments", SEGMENTS), .kinds = TRANSFERS, .flags = IN_DEFAULTS,
     IN(MORE, spec_more, segments),
     .help = "How many connections for one file, or auto: as many as pay"},
    {KEY("fsync", BOOL), .kinds = TRANSFERS, .flags = IN_DEFAULTS, IN(MORE, spec_more, fsync),
     .help = "A file is downloaded only when it would survive a loss of power"},
    {KEY("do", TASK), .kinds = BIT(EACH), .flags = IS_REQUIRED, .help = "The task for each item, ${item} in it"},
    {.name = NULL},
};

static const struct schema_key top_keys[] = {
    {KEY("description", TEXT), .help = "What the spec is for"},
    {KEY("jobs", COUNT), .min = 1, .max = 1024, IN(PART, ajob_spec, top.jobs),
     .help = "How many tasks work at once"},
    {KEY("timeout", DURATION), IN(PART, ajob_spec, top.timeout_ms), GIVEN(ajob_spec, top.has_timeout),
     .help = "The time that the run may take"},
    {KEY("limit_rate", SIZE), IN(PART, ajob_spec, top.limit_rate),
     .help = "How much all transfers together may receive in a second"},
    {KEY("policy", WORD), .words = policies, IN(PART, ajob_spec, policy),
     .help = "What happens when a task ends"},
    {KEY("pools", POOL_SIZES), .help = "Named limits on how many tasks run at once"},
    {KEY("env", VARIABLES), .flags = HAS_VALUES, IN(PART, ajob_spec, env),
     .help = "Variables of the environment of all commands; null removes one"},
    {KEY("defaults", DEFAULTS), .help = "Options of all tasks that are work and do not say themselves"},
    {KEY("tasks", TASKS), .flags = IS_REQUIRED, .help = "The tasks by name"},
    {.name = NULL},
};

/* ---- their parts ---------------------------------------------------------- */

static const struct schema_key retry_keys[] = {
    {KEY("max", COUNT), .min = 0, .max = 1000, .flags = IS_REQUIRED, .place = IN_PART, .at = offsetof(ajob_retry, max),
     .help = "How many further tries"},
    {KEY("delay", INTERVAL), .place = IN_PART, .at = offsetof(ajob_retry, delay_ms),
     .help = "The longest wait before the first of them"},
    {KEY("backoff", FACTOR), .place = IN_PART, .at = offsetof(ajob_retry, backoff),
     .help = "The factor by which the wait grows"},
    {KEY("max_delay", INTERVAL), .place = IN_PART, .at = offsetof(ajob_retry, max_delay_ms),
     .help = "The longest wait of all"},
    {KEY("jitter", FALSE), .place = IN_PART, .at = offsetof(ajob_retry, no_jitter),
     .help = "Draw the wait at random from zero to that time"},
    {KEY("on", EXITS), .place = IN_PART, .help = "Only after these exit codes"},
    {.name = NULL},
};

static const struct schema_key ready_keys[] = {
    {KEY("fd", COUNT), .min = 3, .max = 255, .flags = NOT_WITH_OTHERS, IN(PART, spec_command, ready_fd),
     .help = "A line is written to this descriptor"},
    {KEY("line", STRING), .flags = NOT_WITH_OTHERS, IN(PART, spec_command, ready_text),
     .help = "A line is printed that this regular expression (POSIX extended) matches"},
    {KEY("tcp", STRING), .flags = NOT_WITH_OTHERS | HAS_VALUES, IN(PART, spec_command, ready_text),
     .help = "HOST:PORT accepts a connection"},
    {KEY("http", STRING), .flags = NOT_WITH_OTHERS | HAS_VALUES, IN(PART, spec_command, ready_text),
     .help = "The http:// URL answers with a status from 200 to 399"},
    {KEY("file", STRING), .flags = NOT_WITH_OTHERS | HAS_VALUES, IN(PART, spec_command, ready_text),
     .help = "The file exists"},
    {KEY("exec", ARGV), .flags = NOT_WITH_OTHERS | HAS_VALUES, IN(PART, spec_command, ready_argv),
     .help = "The command exits with 0"},
    {KEY("interval", INTERVAL), IN(PART, spec_command, ready_interval_ms),
     .help = "The time between two looks"},
    {.name = NULL},
};

static const struct schema_key range_keys[] = {
    {KEY("from", WHOLE), .flags = IS_REQUIRED, IN(PART, spec_each, from), .help = "The first number"},
    {KEY("to", WHOLE), .flags = IS_REQUIRED, IN(PART, spec_each, to), .help = "The last number"},
    {KEY("step", WHOLE), IN(PART, spec_each, step), .help = "From one to the next; by default 1"},
    {.name = NULL},
};

static const struct schema_key lines_keys[] = {
    {KEY("lines", NAME), .flags = IS_REQUIRED, .help = "The task whose lines are the items"},
    {.name = NULL},
};

static const struct schema_key stdin_keys[] = {
    {KEY("task", NAME), .flags = IS_REQUIRED, .help = "The task whose output it reads"},
    {.name = NULL},
};
/* clang-format on */

const struct schema_object schema_top = {"spec", "A graph of tasks for ajob", top_keys};
const struct schema_object schema_task = {"task", "A task", task_keys};
const struct schema_object schema_retry = {"retry", "Further tries after a failure", retry_keys};
const struct schema_object schema_ready = {"ready", "How a service shows that it is ready",
                                           ready_keys};
const struct schema_object schema_range = {"each", "Numbers from one to another", range_keys};
const struct schema_object schema_lines = {"each", "The lines that a task prints", lines_keys};
const struct schema_object schema_stdin = {"stdin", "What a task printed", stdin_keys};

/* ---- finding ------------------------------------------------------------- */

const struct schema_key *schema_find(const struct schema_object *object, const char *name) {
    for (const struct schema_key *key = object->keys; key->name; key++)
        if (strcmp(key->name, name) == 0)
            return key;
    return NULL;
}

const char *schema_nearest(const struct schema_object *object, unsigned kinds, const char *name) {
    const char *names[SCHEMA_KEYS_MAX];
    size_t count = 0;
    for (const struct schema_key *key = object->keys; key->name; key++)
        if (!kinds || key->kinds & kinds || key->flags & IS_KIND)
            names[count++] = key->name;
    return ajob_nearest(name, names, count);
}

bool schema_is_comment(const char *name) {
    return strcmp(name, "$schema") == 0 || strcmp(name, "$comment") == 0;
}

bool schema_is_ignored(const char *name) {
    return schema_is_comment(name) || strncmp(name, "x-", 2) == 0;
}
