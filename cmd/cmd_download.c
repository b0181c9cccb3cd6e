/*
 * cmd_download.c - ajob download: the assets of releases.
 *
 * Each tag is one ajob_release() task in the run's root group, named by its tag;
 * the library adds the assets when it knows them.
 */
#include "cli.h"
#include "runner.h"
#include "token.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MOST_SHOWN = 4096 };

struct download_options {
    struct run_options run;
    struct text_list patterns, excludes;
    const char *token_file;
    bool all, flat, list;
};

#define AT(field) .at = offsetof(struct download_options, field)

static const struct cli_option asset_options[] = {
    {
        .name = "all",
        .letter = 'A',
        .type = CLI_FLAG,
        AT(all),
        .help = "Download every release instead of the latest",
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
              ajob_escape(url, sizeof url, asset->url ? asset->url : asset->name),
              ajob_escape(target, sizeof target, asset->path), ajob_format_size(size, asset->size));
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
    if (operands->count == 0)
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

static int add_releases(struct run *run, const struct download_options *options,
                        const struct text_list *operands, const char *token,
                        struct listing *listing) {
    ajob_release_options release = {
        .repository = operands->items[0],
        .all = options->all,
        .api_url = api_url(operands->items[0]),
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
        .asset = run->silent ? list_asset : NULL,
        .data = listing,
        .list_only = run->silent,
        .http = run_http(&options->run),
    };
    release.http.token = *token ? token : NULL;

    if (operands->count == 1)
        return run_add(run, ajob_release(run->loop, &release), options->all ? "all" : "latest",
                       NULL);
    for (size_t i = 1; i < operands->count; i++) {
        if (seen_before(&(struct text_list){operands->items + 1, operands->count - 1}, i - 1))
            continue;
        release.tag = operands->items[i];
        int status = run_add(run, ajob_release(run->loop, &release), release.tag, NULL);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static int download(const struct command *command, void *data, const struct text_list *operands) {
    const struct download_options *options = data;
    static char token[TOKEN_SIZE];
    struct run run;
    int status = check(command, options, operands);

    if (status == STATUS_OK)
        status = token_find(command, options->token_file, token);
    if (status == STATUS_OK)
        status = run_open(&run, command, &options->run,
                          &(struct run_work){.policy = run_policy(&options->run)});
    if (status != STATUS_OK)
        return status;

    struct listing listing = {.run = &run, .options = options};
    run.silent = options->list || options->run.dry_run;
    status = add_releases(&run, options, operands, token, &listing);
    if (status != STATUS_OK)
        return run_close(&run, status);
    return run_start(&run);
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
    .operands = "OWNER/REPO [TAG...]",
    .description =
        "Download the assets of the releases TAG of a GitHub repository, or of its latest "
        "release, in parallel. Each goes to DIR/TAG/NAME, is checked against its digest, and "
        "appears there only when it is complete. To continue after an interruption, run the "
        "same command again; files that are up to date are left alone.\n\n"
        "OWNER/REPO may also be the repository's URL.",
    .examples = "ajob download jqlang/jq\n"
                "ajob download -d bin -p '*linux-amd64*' jqlang/jq jq-1.7.1 jq-1.8.0\n"
                "ajob download --list --all cli/cli",
    .sections = sections,
    .options_size = sizeof(struct download_options),
    .run = download,
};
