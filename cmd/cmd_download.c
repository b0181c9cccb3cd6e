/*
 * cmd_download.c - ajob download: the assets of releases.
 *
 * Each tag is one ajob_release() task in the run's root group, named by its tag;
 * the library adds the assets when it knows them.
 */
#include "cli.h"
#include "runner.h"
#include "token.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { MOST_SHOWN = 4096 };

struct download_options {
    struct run_options run;
    struct text_list patterns, excludes;
    const char *token_file;
    const char *lock, *locked;
    bool all, flat, list, prerelease, require_digest, no_cache;
};

#define AT(field) .at = offsetof(struct download_options, field)

static const struct cli_option asset_options[] = {
    {
        .name = "all",
        .letter = 'A',
        .type = CLI_FLAG,
        AT(all),
        .help = "Download every release instead of the latest",
        .more = "Prereleases too; drafts not.",
    },
    {
        .name = "prerelease",
        .type = CLI_FLAG,
        AT(prerelease),
        .help = "Without TAG, download the newest release, be it a prerelease or not",
        .more = "The newest is the first in the API's list. The latest, which is downloaded "
                "otherwise, is never a prerelease.",
    },
    {
        .name = "pattern",
        .letter = 'p',
        .argument = "GLOB",
        .type = CLI_TEXTS,
        AT(patterns),
        .help = "Download only assets whose names match GLOB; may be repeated",
        .more = "An asset is chosen if any of them matches. Quote GLOB, or the shell expands it.",
    },
    {
        .name = "exclude",
        .letter = 'x',
        .argument = "GLOB",
        .type = CLI_TEXTS,
        AT(excludes),
        .help = "Leave out assets whose names match GLOB; may be repeated",
    },
    {
        .name = "flat",
        .type = CLI_FLAG,
        AT(flat),
        .help = "Write to DIR/NAME instead of DIR/TAG/NAME",
    },
    {
        .name = "require-digest",
        .type = CLI_FLAG,
        AT(require_digest),
        .help = "Refuse assets that have no digest, before they are downloaded",
        .more = "A digest is the API's or, where it has none, that of a file of checksums among "
                "the assets: SHA256SUMS, checksums.txt, NAME.sha256 and the like. Where both "
                "speak, the API's counts, and the file is not read. The other assets are "
                "downloaded, and the run fails.",
    },
    {
        .name = "lock",
        .argument = "FILE",
        .type = CLI_FILE,
        AT(lock),
        .help = "Write to FILE what was downloaded, for --locked",
        .more = "Repository, tag, id, name, size, digest and URL of each asset, as JSON, in an "
                "order that does not depend on the run. FILE is written only if everything was "
                "downloaded, and replaced at once. That it can be is tried first: FILE.tmp is made "
                "and removed.",
    },
    {
        .name = "locked",
        .argument = "FILE",
        .type = CLI_FILE,
        AT(locked),
        .help = "Download exactly what FILE says, or fail",
        .more = "FILE was written by --lock. The API is not asked what there is; an asset that "
                "has gone or was replaced is a failure. OWNER/REPO and TAG choose some of what "
                "FILE has; without them it is all of it.",
    },
    {
        .name = "list",
        .type = CLI_FLAG,
        AT(list),
        .help = "Print tag, name, size and digest of each asset, and download nothing",
        .more = "One line each, with tabs between the fields, the size in bytes, and - for a "
                "digest that is not known.",
    },
    {
        .name = "token-file",
        .argument = "FILE",
        .type = CLI_FILE,
        AT(token_file),
        .help = "Read the API token from FILE instead of the environment",
    },
    {
        .name = "no-cache",
        .type = CLI_FLAG,
        AT(no_cache),
        .help = "Neither use nor keep answers of the API",
        .more = "They are kept in ajob/api under XDG_CACHE_HOME, or under .cache in the home "
                "directory. What has not changed since then costs no rate limit.",
    },
    {0},
};

/* GITHUB_API_URL, unless the repository is a URL of a host of its own. */
static const char *api_url(const char *repository) {
    static const char *const prefixes[] = {"https://github.com/", "https://www.github.com/",
                                           "http://github.com/"};
    const char *url = getenv("GITHUB_API_URL");
    bool elsewhere = strstr(repository, "://") != NULL;

    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
        if (strncasecmp(repository, prefixes[i], strlen(prefixes[i])) == 0)
            elsewhere = false;
    return elsewhere || !url || !*url ? NULL : url;
}

/* ---- lists ------------------------------------------------------------- */

struct listing {
    struct run *run;
    const struct download_options *options;
};

static void list_asset(const ajob_asset *asset, void *data) {
    struct listing *listing = data;
    const struct download_options *options = listing->options;
    char tag[1024], name[1024], digest[256];
    char target[MOST_SHOWN], url[MOST_SHOWN], size[32];

    if (options->list) {
        run_print(listing->run, "%s\t%s\t%" PRIu64 "\t%s\n",
                  ajob_escape(tag, sizeof tag, asset->tag),
                  ajob_escape(name, sizeof name, asset->name), asset->size,
                  ajob_escape(digest, sizeof digest, asset->digest ? asset->digest : "-"));
        return;
    }
    run_print(listing->run, "would download %s to %s (%s)\n",
              asset->url ? ajob_show_url(url, sizeof url, asset->url)
                         : ajob_escape(url, sizeof url, asset->name),
              ajob_escape(target, sizeof target, asset->path), ajob_format_size(size, asset->size));
}

/* ---- the cache --------------------------------------------------------- */

/* Where answers of the API are kept; NULL: nowhere. */
static const char *cache_dir(const struct download_options *options, char *buffer, size_t size) {
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int length = -1;

    if (options->no_cache)
        return NULL;
    if (cache && *cache == '/') /* others are to be ignored, says the specification */
        length = snprintf(buffer, size, "%s/ajob/api", cache);
    else if (home && *home == '/')
        length = snprintf(buffer, size, "%s/.cache/ajob/api", home);
    return length > 0 && (size_t)length < size ? buffer : NULL;
}

/* ---- the run ----------------------------------------------------------- */

static bool seen_before(const struct text_list *list, size_t index) {
    for (size_t i = 0; i < index; i++)
        if (strcmp(list->items[i], list->items[index]) == 0)
            return true;
    return false;
}

static int check(const struct command *command, const struct download_options *options,
                 const struct text_list *operands) {
    const struct {
        const char *name;
        bool given;
    } choices[] = {{"--lock", options->lock != NULL},
                   {"--all", options->all},
                   {"--prerelease", options->prerelease}};

    for (size_t i = 0; options->locked && i < sizeof choices / sizeof choices[0]; i++)
        if (choices[i].given)
            return cli_fail(command, STATUS_USAGE,
                            "--locked: %s is given too: FILE says which releases it is",
                            choices[i].name);
    if (options->lock && (options->list || options->run.dry_run))
        return cli_fail(command, STATUS_USAGE, "--lock: %s: nothing is downloaded: use one of both",
                        options->list ? "--list" : "--dry-run");
    if (options->prerelease && operands->count > 1)
        return cli_fail(command, STATUS_USAGE,
                        "--prerelease: %s: tags are given too: use one of both",
                        operands->items[1]);
    if (operands->count == 0 && !options->locked)
        return cli_fail(command, STATUS_USAGE,
                        "no repository given: use ajob download OWNER/REPO [TAG...]");
    if (options->all && operands->count > 1)
        return cli_fail(command, STATUS_USAGE, "--all: %s: tags are given too: use one of both",
                        operands->items[1]);
    if (options->run.events && strcmp(options->run.events, "-") == 0 &&
        (options->list || options->run.dry_run))
        return cli_fail(command, STATUS_USAGE,
                        "--events: -: the list goes to standard output too: use a file");
    for (size_t i = 0; i < operands->count; i++)
        if (!*operands->items[i])
            return cli_fail(command, STATUS_USAGE, "operand %zu is empty: give %s", i + 1,
                            i ? "a TAG" : "OWNER/REPO");
    return STATUS_OK;
}

/* What a run has besides its options. */
struct download {
    struct run *run;
    const struct download_options *options;
    const struct text_list *operands;
    const char *token;
    char cache[MOST_SHOWN];
    ajob_lock *lock, *locked; /* or NULL */
    struct listing listing;
};

static int add_release(struct download *download, const ajob_release_options *release,
                       const char *title) {
    return run_add(download->run, ajob_release(download->run->loop, release), title, NULL);
}

/* The tags of one repository, or what there is without tags. */
static int add_repository(struct download *download, ajob_release_options *release) {
    const struct text_list *operands = download->operands;
    const struct download_options *options = download->options;
    const char *title = options->locked       ? "locked"
                        : options->all        ? "all"
                        : options->prerelease ? "newest"
                                              : "latest";

    if (operands->count <= 1)
        return add_release(download, release, title);
    for (size_t i = 1; i < operands->count; i++) {
        if (seen_before(&(struct text_list){operands->items + 1, operands->count - 1}, i - 1))
            continue;
        release->tag = operands->items[i];
        int status = add_release(download, release, release->tag);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static int add_releases(struct download *download) {
    const struct download_options *options = download->options;
    struct run *run = download->run;
    ajob_release_options release = {
        .repository = download->operands->count ? download->operands->items[0] : NULL,
        .all = options->all,
        .prerelease = options->prerelease,
        .dir = options->run.dir,
        .flat = options->flat,
        .include = options->patterns.items,
        .exclude = options->excludes.items,
        .policy = run_policy(&options->run),
        .retry = run_retry(&options->run),
        .no_retry = options->run.retries.given && options->run.retries.value == 0,
        .max_wait_ms = run_amount(&options->run.max_wait),
        .segments = (unsigned)options->run.segments.value,
        .fsync = options->run.fsync,
        .require_digest = options->require_digest,
        .cache_dir = cache_dir(options, download->cache, sizeof download->cache),
        .lock = download->lock,
        .locked = download->locked,
        .asset = run->silent ? list_asset : NULL,
        .data = &download->listing,
        .list_only = run->silent,
        .http = run_http(&options->run),
    };
    bool is_kept = *download->token && !options->token_file && release.repository &&
                   !token_is_for(release.repository);
    int status = STATUS_OK;

    release.token_hint = token_hint(options->token_file, is_kept);
    release.http.token = *download->token && !is_kept ? download->token : NULL;
    if (release.repository) {
        release.api_url = api_url(release.repository);
        return add_repository(download, &release);
    }
    for (size_t i = 0; status == STATUS_OK; i++) {
        release.repository = ajob_lock_repository(download->locked, i);
        if (!release.repository)
            return i ? STATUS_OK
                     : cli_fail(run->command, STATUS_USAGE, "--locked: %s: it is empty",
                                options->locked);
        release.api_url = api_url(release.repository);
        status = add_repository(download, &release);
    }
    return status;
}

/* Once all was downloaded. */
static int write_lock(struct run *run, void *data) {
    const struct download *download = data;

    if (ajob_lock_write(download->lock, run->loop, download->options->lock) == 0)
        return STATUS_OK;
    return cli_fail(run->command, STATUS_FAILED, "--lock: %s", ajob_error(run->loop));
}

/* Whether the lock is to be in DIR itself, which is not there yet: the run will make it. */
static bool is_in_new_dir(const struct download_options *options) {
    const char *lock = options->lock, *dir = options->run.dir, *slash = strrchr(lock, '/');
    size_t length = dir ? strlen(dir) : 0;
    while (length > 1 && dir[length - 1] == '/')
        length--;
    return dir && slash && (size_t)(slash - lock) == length && strncmp(lock, dir, length) == 0 &&
           access(dir, F_OK) != 0 && errno == ENOENT;
}

static int open_locks(struct download *download) {
    const struct download_options *options = download->options;
    struct run *run = download->run;

    const char *const own[] = {options->lock, options->locked, options->token_file};
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        if (own[i] && ajob_protect(run->loop, own[i]))
            return cli_fail(run->command, STATUS_FAULT, "out of memory");
    if (options->lock && !is_in_new_dir(options) && ajob_lock_check(run->loop, options->lock))
        return cli_fail(run->command, run_refused(run), "--lock: %s", ajob_error(run->loop));
    if (options->lock && !(download->lock = ajob_lock_new()))
        return cli_fail(run->command, STATUS_FAULT, "out of memory");
    if (options->locked && !(download->locked = ajob_lock_read(run->loop, options->locked)))
        return cli_fail(run->command, run_refused(run), "--locked: %s", ajob_error(run->loop));
    if (options->lock) {
        run->succeeded = write_lock;
        run->succeeded_data = download;
    }
    return STATUS_OK;
}

static int download(const struct command *command, void *data, const struct text_list *operands) {
    static char token[TOKEN_SIZE];
    const struct download_options *options = data;
    struct run run;
    struct download download = {
        .run = &run, .options = options, .operands = operands, .token = token};
    int status = check(command, options, operands);

    if (status == STATUS_OK)
        status = token_find(command, options->token_file, token);
    if (status == STATUS_OK)
        status =
            run_open(&run, command, &options->run,
                     &(struct run_work){
                         .policy = run_policy(&options->run), .has_files = true, .has_tags = true});
    if (status != STATUS_OK)
        return status;

    download.listing = (struct listing){.run = &run, .options = options};
    run.silent = options->list || options->run.dry_run;
    status = open_locks(&download);
    if (status == STATUS_OK)
        status = add_releases(&download);
    status = status == STATUS_OK ? run_start(&run) : run_close(&run, status);
    ajob_lock_free(download.lock);
    ajob_lock_free(download.locked);
    return status;
}

static const struct cli_section sections[] = {
    {"Assets", asset_options, 0},
    {"Transfers", run_transfer_options, offsetof(struct download_options, run)},
    {"Network", run_network_options, offsetof(struct download_options, run)},
    {"Output", run_output_options, offsetof(struct download_options, run)},
    CLI_HELP_SECTION,
    {0},
};

const struct command download_command = {
    .name = "download",
    .summary = "Download the assets of GitHub releases",
    .operands = "[OWNER/REPO] [TAG...]",
    .description =
        "Download the assets of the releases TAG of a GitHub repository, or of its latest "
        "release, in parallel. Each goes to DIR/TAG/NAME, is checked against its digest, and "
        "appears there only when it is complete. To continue after an interruption, run the "
        "same command again; files that are up to date are left alone.\n\n"
        "OWNER/REPO may also be the repository's URL, and is not needed with --locked.",
    .examples = "ajob download jqlang/jq\n"
                "ajob download -d bin -p '*linux-amd64*' jqlang/jq jq-1.7.1 jq-1.8.0\n"
                "ajob download --list --all cli/cli\n"
                "ajob download --lock tools.lock -p '*linux-amd64*' jqlang/jq jq-1.8.0\n"
                "ajob download --locked tools.lock",
    .sections = sections,
    .options_size = sizeof(struct download_options),
    .run = download,
};
