/*
 * github.h - GitHub's REST API: where things are, and what its JSON means.
 *
 * Knows URLs and shapes, asks nothing itself (query.h does). Everything that
 * comes out of the JSON is from outside: of the right type, nothing more.
 * https://docs.github.com/en/rest/releases
 */
#ifndef AJOB_NET_GITHUB_H
#define AJOB_NET_GITHUB_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

struct github_repo {
    char *api; /* "https://api.github.com", no slash at the end */
    char *owner, *name;
};

/* From "OWNER/REPO" or a URL of it; api_url NULL: the public API, or that of
 * the URL's host. False with one line in error. */
bool github_parse_repo(const char *repository, const char *api_url, struct github_repo *ret_repo,
                       struct text *error);
void github_repo_done(struct github_repo *repo);

/* Why this is no URL of an API, or NULL: it may be one. A static text. */
const char *github_api_fault(const char *url);

/* Whether text is OWNER/NAME. */
bool github_is_repo(const char *text);

/* Whether url is on the host whose API this is, where browsers download: 1, 0, or -1 on
 * lack of memory. */
int github_is_web_url(const char *api, const char *url);

/* URLs of the API; on the heap or NULL. tag NULL: the latest release. */
char *github_release_url(const struct github_repo *repo, const char *tag);
char *github_releases_url(const struct github_repo *repo, unsigned per_page);
char *github_assets_url(const struct github_repo *repo, uint64_t release_id);
char *github_asset_url(const struct github_repo *repo, uint64_t asset_id);

struct github_asset {
    uint64_t id, size;
    char *name, *state, *url; /* url: the browser's; may be NULL */
    char *digest;             /* NULL: none */
};

/* A copy of all of it. False on lack of memory: *ret_copy is as before. */
bool github_copy_asset(const struct github_asset *asset, struct github_asset *ret_copy);
void github_asset_done(struct github_asset *asset);

struct github_release {
    uint64_t id;
    char *tag;
    bool is_draft;
    struct github_asset *assets;
    size_t asset_count;
};

/* Of a release's JSON, read or not; the tag: as long as that, or NULL. */
const char *github_tag(const cJSON *release);
bool github_is_draft(const cJSON *release);

/* Reads a release, with the assets in it. False with one line in error. */
bool github_read_release(const cJSON *json, struct github_release *ret_release, struct text *error);

/* Adds a page of assets; those that are there already (by id) stay once. */
bool github_read_assets(const cJSON *json, struct github_release *release, struct text *error);

/* Adds a copy of one. False on lack of memory. */
bool github_add_asset(struct github_release *release, const struct github_asset *asset);

void github_release_done(struct github_release *release);

#endif
