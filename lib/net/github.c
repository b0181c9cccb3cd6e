/* github.c - GitHub's REST API: URLs and JSON. See github.h. */
#include "net/github.h"

#include "ajob.h"
#include "base/mem.h"
#include "net/json_field.h"
#include "net/url.h"

/* ---- repositories --------------------------------------------------------- */

static bool is_part_of_name(const char *text, size_t length) {
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    bool is_dots = (length == 1 && text[0] == '.') || (length == 2 && !strncmp(text, "..", 2));
    return length && length <= 100 && strspn(text, letters) >= length && !is_dots;
}

static bool is_github_com(const char *host, size_t length) {
    return (length == 10 && !strncasecmp(host, "github.com", 10)) ||
           (length == 14 && !strncasecmp(host, "www.github.com", 14));
}

/* The API of the host in a repository's URL. */
static char *api_of(const char *url, const char *host, size_t host_length) {
    if (is_github_com(host, host_length))
        return mem_copy("https://api.github.com");
    return text_make("%.*s/api/v3", (int)(host - url + (long)host_length), url);
}

const char *github_api_fault(const char *url) {
    const char *fault = url_fault(url);
    const char *host = fault ? NULL : strstr(url, "://") + 3;
    if (host && memchr(host, '@', strcspn(host, "/?#")))
        return "a user or password in it: use a token";
    return fault ? fault : url[strcspn(url, "?#")] ? "a query in it" : NULL;
}

/* OWNER/REPO at path, perhaps with ".git" or a slash behind it; where each is. */
struct repo_path {
    const char *owner, *name;
    size_t owner_length, name_length;
    bool has_more; /* "/releases/tag/v1": that is more than a repository */
};

static bool read_repo_path(const char *path, struct repo_path *ret_path) {
    const char *slash = strchr(path, '/');
    struct repo_path parts = {.owner = path, .name = slash ? slash + 1 : ""};
    if (!slash)
        return false;
    parts.owner_length = (size_t)(slash - path);
    parts.name_length = strcspn(parts.name, "/?#");
    const char *rest = parts.name + parts.name_length;
    parts.has_more = *rest && strcmp(rest, "/") != 0;
    if (parts.name_length > 4 && !strncmp(rest - 4, ".git", 4))
        parts.name_length -= 4;
    *ret_path = parts;
    return is_part_of_name(parts.owner, parts.owner_length) &&
           is_part_of_name(parts.name, parts.name_length);
}

bool github_is_repo(const char *text) {
    struct repo_path parts;
    return read_repo_path(text, &parts) && !parts.name[parts.name_length];
}

/* Where OWNER/REPO begins in what may be a URL, and the API of its host (on the
 * heap) if it is one of a host. NULL: it is no such URL. */
static const char *path_of(const char *repository, char **ret_api) {
    const char *scheme = strstr(repository, "://");
    *ret_api = NULL;
    const char *first = strchr(repository, '/');
    if (first && !scheme && is_github_com(repository, (size_t)(first - repository)))
        return first + 1;
    if (!scheme)
        return repository;
    const char *host = scheme + 3, *slash = host + strcspn(host, "/?#");
    if (url_fault(repository) || *slash != '/' || memchr(host, '@', (size_t)(slash - host)))
        return NULL;
    *ret_api = api_of(repository, host, (size_t)(slash - host));
    return slash + 1;
}

/* api.github.com is of github.com, api.NAME.ghe.com of NAME.ghe.com. */
int github_is_web_url(const char *api, const char *url) {
    static const char prefix[] = "https://api.";
    int is_web = url_compare_origins(api, url);
    if (is_web || strncasecmp(api, prefix, sizeof prefix - 1) != 0)
        return is_web;
    char *web = text_make("https://%s", api + sizeof prefix - 1);
    is_web = web ? url_compare_origins(web, url) : -1;
    mem_free(web);
    return is_web;
}

static void drop_slashes(char *url) {
    for (size_t length = url ? strlen(url) : 0; length && url[length - 1] == '/';)
        url[--length] = '\0';
}

bool github_parse_repo(const char *repository, const char *api_url, struct github_repo *ret_repo,
                       struct text *error) {
    struct github_repo repo = {0};
    struct repo_path parts;
    const char *path = path_of(repository, &repo.api);
    const char *api_fault = api_url ? github_api_fault(api_url) : NULL;
    char safe[TEXT_LINE_MAX];
    bool is_url = strchr(repository, '@') || strstr(repository, "://");
    if (is_url)
        ajob_show_url(safe, sizeof safe, repository);
    else
        ajob_escape(safe, sizeof safe, repository);
    if (!path || !read_repo_path(path, &parts)) {
        text_format(error, "%s: not a repository: write OWNER/REPO or its URL", safe);
    } else if (parts.has_more) {
        text_format(error, "%s: more than a repository: write %.*s/%.*s TAG", safe,
                    (int)parts.owner_length, parts.owner, (int)parts.name_length, parts.name);
    } else if (api_fault) {
        text_format(error, "the API's URL: %s", api_fault);
    } else {
        if (api_url || !repo.api) {
            mem_free(repo.api);
            repo.api = mem_copy(api_url ? api_url : "https://api.github.com");
        }
        drop_slashes(repo.api);
        repo.owner = mem_copy_n(parts.owner, parts.owner_length);
        repo.name = mem_copy_n(parts.name, parts.name_length);
        if (repo.api && repo.owner && repo.name) {
            *ret_repo = repo;
            return true;
        }
        text_add(error, "out of memory");
    }
    github_repo_done(&repo);
    return false;
}

void github_repo_done(struct github_repo *repo) {
    mem_free(repo->api);
    mem_free(repo->owner);
    mem_free(repo->name);
    *repo = (struct github_repo){0};
}

/* ---- URLs ----------------------------------------------------------------- */

char *github_release_url(const struct github_repo *repo, const char *tag) {
    if (!tag)
        return text_make("%s/repos/%s/%s/releases/latest", repo->api, repo->owner, repo->name);
    char *encoded = url_encode_segment(tag);
    char *url = encoded ? text_make("%s/repos/%s/%s/releases/tags/%s", repo->api, repo->owner,
                                    repo->name, encoded)
                        : NULL;
    mem_free(encoded);
    return url;
}

char *github_releases_url(const struct github_repo *repo, unsigned per_page) {
    return text_make("%s/repos/%s/%s/releases?per_page=%u", repo->api, repo->owner, repo->name,
                     per_page);
}

char *github_assets_url(const struct github_repo *repo, uint64_t release_id) {
    return text_make("%s/repos/%s/%s/releases/%llu/assets?per_page=100", repo->api, repo->owner,
                     repo->name, (unsigned long long)release_id);
}

char *github_asset_url(const struct github_repo *repo, uint64_t asset_id) {
    return text_make("%s/repos/%s/%s/releases/assets/%llu", repo->api, repo->owner, repo->name,
                     (unsigned long long)asset_id);
}

/* ---- JSON ----------------------------------------------------------------- */

/* GitHub allows 1,000 in a release. */
enum { ASSETS_MAX = 10000 };

/* What files and tags are called; GitHub allows 255 bytes. */
static const char *read_name(const cJSON *json, const char *key) {
    enum { NAME_BYTES_MAX = 1024 };
    const char *name = json_field_text(json, key);
    return name && strlen(name) <= NAME_BYTES_MAX ? name : NULL;
}

static bool is_short(const char *text) {
    enum { TEXT_BYTES_MAX = 4096 };
    return !text || strlen(text) <= TEXT_BYTES_MAX;
}

void github_asset_done(struct github_asset *asset) {
    mem_free(asset->name);
    mem_free(asset->state);
    mem_free(asset->url);
    mem_free(asset->digest);
    *asset = (struct github_asset){0};
}

bool github_copy_asset(const struct github_asset *asset, struct github_asset *ret_copy) {
    struct github_asset copy = {
        .id = asset->id,
        .size = asset->size,
        .name = mem_copy(asset->name),
        .state = mem_copy(asset->state),
        .url = mem_copy(asset->url),
        .digest = mem_copy(asset->digest),
    };
    bool is_whole =
        copy.name && copy.state && (copy.url || !asset->url) && (copy.digest || !asset->digest);
    if (is_whole)
        *ret_copy = copy;
    else
        github_asset_done(&copy);
    return is_whole;
}

static bool read_asset(const cJSON *json, struct github_asset *ret_asset, struct text *error) {
    const char *state = json_field_text(json, "state");
    struct github_asset asset = {
        .name = (char *)read_name(json, "name"), /* to be copied, as all of it is */
        .state = (char *)(state ? state : "uploaded"),
        .url = (char *)json_field_text(json, "browser_download_url"),
        .digest = (char *)json_field_text(json, "digest"),
    };
    bool is_valid = asset.name && json_field_whole(json, "id", &asset.id) &&
                    json_field_whole(json, "size", &asset.size) && is_short(asset.state) &&
                    is_short(asset.url) && is_short(asset.digest);
    if (!is_valid)
        text_add(error,
                 "the API's answer makes no sense: an asset without a usable name, id or size, "
                 "or with a text that is too long");
    else if (!github_copy_asset(&asset, ret_asset))
        text_add(error, "out of memory");
    else
        return true;
    return false;
}

static bool has_asset(const struct github_release *release, size_t count, const cJSON *json) {
    uint64_t id;
    if (!json_field_whole(json, "id", &id))
        return false;
    for (size_t i = 0; i < count; i++)
        if (release->assets[i].id == id)
            return true;
    return false;
}

bool github_add_asset(struct github_release *release, const struct github_asset *asset) {
    void *assets =
        mem_resize(release->assets, (release->asset_count + 1) * sizeof *release->assets);
    if (!assets)
        return false;
    release->assets = assets;
    if (!github_copy_asset(asset, &release->assets[release->asset_count]))
        return false;
    release->asset_count++;
    return true;
}

bool github_read_assets(const cJSON *json, struct github_release *release, struct text *error) {
    size_t before = release->asset_count;
    const cJSON *item;
    if (!cJSON_IsArray(json)) {
        text_add(error, "the API's answer makes no sense: a release without a list of assets");
        return false;
    }
    size_t more = (size_t)cJSON_GetArraySize(json);
    if (!more)
        return true;
    if (before + more > ASSETS_MAX) {
        text_format(error, "the API's answer makes no sense: more than %d assets", ASSETS_MAX);
        return false;
    }
    void *assets = mem_resize(release->assets, (before + more) * sizeof *release->assets);
    if (!assets) {
        text_add(error, "out of memory");
        return false;
    }
    release->assets = assets;
    cJSON_ArrayForEach(item, json) {
        if (has_asset(release, before, item))
            continue;
        if (!read_asset(item, &release->assets[release->asset_count], error))
            return false;
        release->asset_count++;
    }
    return true;
}

const char *github_tag(const cJSON *release) {
    return read_name(release, "tag_name");
}

bool github_is_draft(const cJSON *release) {
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(release, "draft"));
}

bool github_read_release(const cJSON *json, struct github_release *ret_release,
                         struct text *error) {
    struct github_release release = {0};
    const char *tag = github_tag(json);
    if (!tag || !json_field_whole(json, "id", &release.id)) {
        text_add(error, "the API's answer makes no sense: a release without a usable tag or id");
        return false;
    }
    release.tag = mem_copy(tag);
    release.is_draft = github_is_draft(json);
    const cJSON *assets = cJSON_GetObjectItemCaseSensitive(json, "assets");
    if (!release.tag || !github_read_assets(assets, &release, error)) {
        github_release_done(&release);
        return false;
    }
    *ret_release = release;
    return true;
}

void github_release_done(struct github_release *release) {
    for (size_t i = 0; i < release->asset_count; i++)
        github_asset_done(&release->assets[i]);
    mem_free(release->assets);
    mem_free(release->tag);
    *release = (struct github_release){0};
}
