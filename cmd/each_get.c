/*
 * each_get.c - the items of ajob each --get. See each_get.h.
 *
 * What an earlier run has done takes its name as well: another item does not replace it.
 */
#include "each_get.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

static ajob_download_options options_of(const struct each *each, const struct target *target) {
    const struct run_options *run = &each->run_options;
    return (ajob_download_options){
        .url = target->url,
        .name = target->name,
        .digest = target->digest,
        .mirrors = target->mirrors,
        .dir = run->dir,
        .max_wait_ms = run_amount(&run->max_wait),
        .segments = (unsigned)run->segments.value,
        .fsync = run->fsync,
        .http = run_http(run),
    };
}

static bool make_key(const struct each *each, const char *text, size_t length,
                     char key[AJOB_KEY_SIZE]) {
    return ajob_record_key(each->run.loop, &text, &length, 1, key) == 0;
}

/* Which file is asked for, wherever it goes to. */
static bool make_purpose(const struct each *each, const struct target *target,
                         char key[AJOB_KEY_SIZE]) {
    char mirrors[AJOB_KEY_SIZE] = "";
    for (const char **mirror = target->mirrors; mirror && *mirror; mirror++) {
        const char *parts[] = {mirrors, *mirror};
        if (ajob_record_key(each->run.loop, parts, (size_t[]){strlen(mirrors), strlen(*mirror)}, 2,
                            mirrors))
            return false;
    }
    const char *parts[] = {target->url, mirrors};
    return ajob_record_key(each->run.loop, parts, (size_t[]){strlen(target->url), strlen(mirrors)},
                           2, key) == 0;
}

/* False with ajob_error(). *number becomes that of whose name it is. */
static bool take_name(struct each *each, const struct each_download *download, uint64_t *number) {
    char name[AJOB_KEY_SIZE], purpose[AJOB_KEY_SIZE];
    if (!each->claims && !(each->claims = ajob_claims_new(each->run.loop)))
        return false;
    return make_key(each, download->path, strlen(download->path), name) &&
           make_purpose(each, &download->target, purpose) &&
           ajob_claims_add(each->claims, name, purpose, number) == 0;
}

/* The item whose part goes where the file of this one goes, or the other way round; or 0. */
static bool find_part(const struct each *each, const char *path, uint64_t *number) {
    static const char *const endings[] = {AJOB_PART_ENDINGS};
    char key[AJOB_KEY_SIZE], text[PATH_MAX + sizeof ".part.json.tmp"];
    size_t length = strlen(path);
    *number = 0;
    for (size_t i = 0; i < sizeof endings / sizeof endings[0] && length < PATH_MAX; i++) {
        size_t more = strlen(endings[i]);
        memcpy(text, path, length);
        memcpy(text + length, endings[i], more);
        if (!make_key(each, text, length + more, key) ||
            ajob_claims_find(each->claims, key, number))
            return false;
        bool is_part = length > more && memcmp(path + length - more, endings[i], more) == 0;
        if (!*number && is_part &&
            (!make_key(each, path, length - more, key) ||
             ajob_claims_find(each->claims, key, number)))
            return false;
        if (*number)
            return true;
    }
    return true;
}

static void note_error(struct each *each, struct each_download *download) {
    snprintf(download->text, sizeof download->text, "%s", ajob_error(each->run.loop));
    download->mistake = download->text;
}

static void check_name(struct each *each, struct each_download *download) {
    uint64_t owner = each->number, part_owner = 0;
    char safe[512];
    bool is_known =
        take_name(each, download, &owner) && find_part(each, download->path, &part_owner);
    download->is_refused = is_known && (owner != each->number || part_owner);
    if (!is_known)
        note_error(each, download);
    if (!download->is_refused)
        return;
    snprintf(download->text, sizeof download->text,
             "is to be written to %s, as is %sitem %llu: give one of them another name, after a "
             "tab",
             ajob_escape(safe, sizeof safe, download->path), part_owner ? "the part of " : "",
             (unsigned long long)(part_owner ? part_owner : owner));
    download->mistake = download->text;
}

void each_get_ask(struct each *each, const struct each_batch *batch,
                  struct each_download *download) {
    struct target *target = &download->target;
    *download = (struct each_download){0};
    download->mistake = target_parse(target, batch->text, batch->length);
    bool is_retried = each->record && !each->is_resumed;
    if (!download->mistake && is_retried && target_is_hidden(batch->text, batch->length))
        download->mistake = "its URL has a secret, which no events have: use --resume, with the "
                            "input";
    if (download->mistake || !target->url)
        return;
    ajob_download_options options = options_of(each, target);
    if (ajob_download_check(each->run.loop, &options, &download->path))
        note_error(each, download);
    else
        check_name(each, download);
}

ajob_task *each_get_make(struct each *each, const struct each_download *download) {
    ajob_download_options options = options_of(each, &download->target);
    return ajob_download(each->run.loop, &options);
}

void each_get_done(struct each_download *download) {
    target_done(&download->target);
}
