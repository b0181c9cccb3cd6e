/*
 * cmd_get.c - ajob get: files from any URLs.
 *
 * Everything that can be wrong with a URL, a name or a digest is found before
 * the first transfer starts: operands and list are read into targets, these are
 * checked, those for one file are merged, and only then the run begins. It makes
 * a target a task when it can use one, so that a long list costs little memory.
 */
#include "cli.h"
#include "runner.h"
#include "targets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_SHOWN = 4096, SHA256_DIGITS = 64 };

struct get_options {
    struct run_options run;
    const char *output_file;
    const char *input_file;
    const char *sha256;
    struct text_list mirrors;
    bool require_digest;
};

#define AT(field) .at = offsetof(struct get_options, field)

static const struct cli_option file_options[] = {
    {
        .name = "output-file",
        .letter = 'o',
        .argument = "FILE",
        .type = CLI_FILE,
        AT(output_file),
        .help = "Write to FILE, in DIR if --dir is given; for one URL only",
    },
    {
        .name = "input-file",
        .letter = 'i',
        .argument = "LIST",
        .type = CLI_FILE,
        AT(input_file),
        .help = "Download what LIST names too, a URL on each line (-: standard input)",
        .more = "A line may name mirrors of the same file after its URL, with spaces between. It "
                "may go on, after a tab, with the name of the file and, after another, with its "
                "digest, as in sha256:HEX (or sha512, sha1, md5). Empty lines and those that begin "
                "with # are skipped.",
    },
    {
        .name = "sha256",
        .argument = "HEX",
        .type = CLI_TEXT,
        AT(sha256),
        .help = "Fail unless the file has this SHA-256 digest; for one URL only",
    },
    {
        .name = "require-digest",
        .type = CLI_FLAG,
        AT(require_digest),
        .help = "Refuse to start where a URL has no digest",
    },
    {
        .name = "mirror",
        .argument = "URL",
        .type = CLI_TEXTS,
        AT(mirrors),
        .help = "Get the same file from URL, too; for one URL only; may be repeated",
        .more =
            "When one fails the next is tried at once. Where the digest and the size are known, "
            "pieces of a large file come from several.",
    },
    {0},
};

/* ---- the run ----------------------------------------------------------- */

static int check_digest(const struct command *command, const char *hex) {
    if (!hex ||
        (strlen(hex) == SHA256_DIGITS && strspn(hex, "0123456789abcdefABCDEF") == SHA256_DIGITS))
        return STATUS_OK;
    return cli_fail(command, STATUS_USAGE,
                    "--sha256: %s: not a SHA-256 digest: use its 64 hexadecimal digits", hex);
}

/* Operands and list as targets. STATUS_OK, or a status after a message. */
static int collect(struct targets *targets, const struct get_options *options,
                   const struct text_list *operands) {
    const struct command *command = targets->command;
    char mirror[PLACE_SIZE];
    int status = check_digest(command, options->sha256);

    if (status != STATUS_OK)
        return status;
    if (operands->count == 0 && !options->input_file)
        return cli_fail(command, STATUS_USAGE, "no URL given: use ajob get URL... or -i LIST");
    for (size_t i = 0; i < operands->count; i++)
        if (!targets_add(targets, (struct target){.url = operands->items[i]}))
            return cli_fail(command, STATUS_FAULT, "out of memory");
    if (options->input_file) {
        status = targets_read(targets, options->input_file);
        if (status != STATUS_OK)
            return status;
    }
    const char *single = options->output_file     ? "--output-file"
                         : options->sha256        ? "--sha256"
                         : options->mirrors.count ? "--mirror"
                                                  : NULL;
    if (single && targets->count > 1)
        return cli_fail(command, STATUS_USAGE,
                        "%s: is for one URL, and there are %zu: use --input-file for names, "
                        "digests and mirrors",
                        single, targets->count);
    if (options->mirrors.count && targets->count && targets->items[0].mirrors)
        return cli_fail(command, STATUS_USAGE,
                        "--mirror: %s: the list names mirrors, too: add this one to them",
                        ajob_show_url(mirror, sizeof mirror, options->mirrors.items[0]));
    if (targets->count == 0 && !options->run.quiet)
        cli_warn(command, "--input-file: %s: nothing to download: there is no URL in it",
                 targets->list);
    if (options->output_file && strcmp(options->output_file, "-") == 0)
        return cli_fail(command, STATUS_USAGE,
                        "--output-file: -: standard output cannot be verified: use a file");
    return STATUS_OK;
}

/* The file that --output-file means, malloc'd; NULL without it or on lack of memory. */
static char *output_path(const struct get_options *options) {
    const char *file = options->output_file, *dir = options->run.dir;
    char *path = NULL;
    if (!file)
        return NULL;
    if (!dir || *file == '/')
        return strdup(file);
    return asprintf(&path, "%s/%s", dir, file) < 0 ? NULL : path;
}

/* What is left of the targets while they become tasks. */
struct queue {
    struct run *run;
    const struct get_options *options;
    struct targets *targets;
    ajob_download_options download; /* what all have in common */
    ajob_retry retry;
    size_t next;
    char digest[sizeof "sha256:" + SHA256_DIGITS]; /* of --sha256 */
};

static ajob_download_options options_of(const struct queue *queue, const struct target *target) {
    ajob_download_options download = queue->download;
    download.url = target->url;
    download.name = target->name;
    download.digest = queue->options->sha256 ? queue->digest : target->digest;
    if (target->mirrors)
        download.mirrors = target->mirrors;
    return download;
}

/* The first mirror that is no URL to download from fails as the URL itself would. */
static int check_mirrors(const struct queue *queue, ajob_download_options download) {
    const char *path;
    for (const char *const *mirror = download.mirrors; mirror && *mirror; mirror++) {
        download.url = *mirror;
        if (ajob_download_check(queue->run->loop, &download, &path))
            return AJOB_EINVAL;
    }
    return 0;
}

/* Checks every target and learns the file that it is for. */
static int check_targets(struct queue *queue) {
    struct targets *targets = queue->targets;
    char place[PLACE_SIZE];

    for (size_t i = 0; i < targets->count; i++) {
        struct target *target = &targets->items[i];
        ajob_download_options download = options_of(queue, target);
        const char *path;
        if (check_mirrors(queue, download) ||
            ajob_download_check(queue->run->loop, &download, &path))
            return run_add(queue->run, NULL, NULL, target_place(targets, target, place));
        if (queue->options->require_digest && !download.digest)
            return cli_fail(targets->command, STATUS_USAGE,
                            "--require-digest: %s: there is no digest: use --sha256, or a list "
                            "with digests",
                            target_place(targets, target, place));
        target->path = strdup(path);
        if (!target->path)
            return cli_fail(targets->command, STATUS_FAULT, "out of memory");
    }
    return targets_merge(targets);
}

static void show_target(const struct queue *queue, const struct target *target) {
    char url[MOST_SHOWN], file[MOST_SHOWN];
    const char *const *mirrors = options_of(queue, target).mirrors;
    run_print(queue->run, "would download %s", ajob_show_url(url, sizeof url, target->url));
    for (; mirrors && *mirrors; mirrors++)
        run_print(queue->run, " or %s", ajob_show_url(url, sizeof url, *mirrors));
    run_print(queue->run, " to %s\n", ajob_escape(file, sizeof file, target->path));
}

static void show_targets(const struct queue *queue) {
    for (size_t i = 0; i < queue->targets->count; i++)
        if (queue->targets->items[i].path)
            show_target(queue, &queue->targets->items[i]);
}

/* The task of a target, named by the file, or as --output-file has it. */
static ajob_task *make_task(const struct queue *queue, const struct target *target) {
    const char *slash = strrchr(target->path, '/');
    const char *name = queue->options->output_file ? queue->options->output_file
                       : slash                     ? slash + 1
                                                   : target->path;
    ajob_download_options download = options_of(queue, target);
    download.path = target->path; /* it was found out already */
    ajob_task *task = ajob_download(queue->run->loop, &download);
    if (!task || ajob_set_title(task, name))
        return NULL;
    if (run_has_retry(&queue->options->run) && ajob_set_retry(task, &queue->retry))
        return NULL;
    return task;
}

/* The next task for the run. All were checked: it can only lack memory. */
static ajob_task *next_task(ajob_task *group, void *data) {
    struct queue *queue = data;
    while (queue->next < queue->targets->count) {
        struct target *target = &queue->targets->items[queue->next++];
        ajob_task *task = target->path ? make_task(queue, target) : NULL;
        if (target->path && !task)
            ajob_cancel(group, ajob_error(queue->run->loop));
        target_done(target);
        if (task)
            return task;
    }
    return NULL;
}

static size_t count_targets(const struct targets *targets) {
    size_t count = 0;
    for (size_t i = 0; i < targets->count; i++)
        count += targets->items[i].path != NULL;
    return count;
}

static int run_targets(struct queue *queue) {
    enum { DEFAULT_JOBS = 16 };
    const struct amount *jobs = &queue->options->run.jobs;
    ajob_feed feed = {
        .next = next_task,
        .data = queue,
        .window = 2 * (jobs->given ? (unsigned)jobs->value : DEFAULT_JOBS),
        .total = count_targets(queue->targets),
    };
    if (ajob_group_feed(queue->run->root, &feed)) {
        cli_fail(queue->run->command, STATUS_FAULT, "%s", ajob_error(queue->run->loop));
        return run_close(queue->run, STATUS_FAULT);
    }
    return run_start(queue->run);
}

static int get_targets(struct targets *targets, const struct get_options *options,
                       struct run *run) {
    char *path = output_path(options);
    struct queue queue = {
        .run = run,
        .options = options,
        .targets = targets,
        .download = {.path = path,
                     .dir = options->run.dir,
                     .mirrors = options->mirrors.items,
                     .segments = (unsigned)options->run.segments.value,
                     .fsync = options->run.fsync,
                     .max_wait_ms = run_amount(&options->run.max_wait),
                     .http = run_http(&options->run)},
        .retry = run_retry(&options->run),
    };
    int status = STATUS_OK;

    if (options->sha256)
        snprintf(queue.digest, sizeof queue.digest, "sha256:%s", options->sha256);
    if (options->output_file && !path)
        status = cli_fail(run->command, STATUS_FAULT, "out of memory");
    else
        status = check_targets(&queue);
    if (status == STATUS_OK && options->run.dry_run)
        show_targets(&queue);
    status =
        status != STATUS_OK || options->run.dry_run ? run_close(run, status) : run_targets(&queue);
    free(path);
    return status;
}

static int get(const struct command *command, void *data, const struct text_list *operands) {
    const struct get_options *options = data;
    struct targets targets = {.command = command};
    struct run run;

    int status = collect(&targets, options, operands);
    if (status == STATUS_OK)
        status =
            run_open(&run, command, &options->run,
                     &(struct run_work){.policy = run_policy(&options->run), .has_files = true});
    if (status == STATUS_OK && options->input_file && ajob_protect(run.loop, options->input_file))
        status = run_close(&run, cli_fail(command, STATUS_FAULT, "out of memory"));
    if (status == STATUS_OK)
        status = get_targets(&targets, options, &run);
    targets_done(&targets);
    return status;
}

static const struct cli_section sections[] = {
    {"Files", file_options, 0},
    {"Transfers", run_transfer_options, offsetof(struct get_options, run)},
    {"Network", run_network_options, offsetof(struct get_options, run)},
    {"Output", run_output_options, offsetof(struct get_options, run)},
    CLI_HELP_SECTION,
    {0},
};

const struct command get_command = {
    .name = "get",
    .summary = "Download files from any URLs",
    .operands = "[URL...]",
    .description =
        "Download each URL (http or https) to a file in DIR, in parallel. A file appears under "
        "its name, the last part of the URL (index.html if that is empty), only when it is "
        "complete and, where its digest is "
        "known, verified. To continue after an interruption, run the same command again; files "
        "that are up to date are left alone.",
    .examples = "ajob get -d src https://example.org/a.tar.gz https://example.org/b.tar.gz\n"
                "ajob get -o jq --sha256 \"$digest\" https://example.org/jq-linux-amd64\n"
                "ajob get --mirror https://example.net/f.iso https://example.org/f.iso\n"
                "ajob get -j 64 -i urls.txt",
    .sections = sections,
    .options_size = sizeof(struct get_options),
    .run = get,
};
