/* fuzz_repository.c - what people write for a repository: its parts fit into a path, and
 * the API is that of the host they wrote. The first line is the API's URL, or empty. */
#include "fuzz.h"
#include "net/github.h"
#include "net/url.h"

static void check(const struct github_repo *repo) {
    HOLDS(*repo->owner && *repo->name && !strpbrk(repo->owner, "/?#%:@ \\"));
    HOLDS(!strpbrk(repo->name, "/?#%:@ \\"));
    HOLDS(strcmp(repo->owner, "..") != 0 && strcmp(repo->name, "..") != 0);
    HOLDS(!url_fault(repo->api) && !strpbrk(repo->api, "?#"));
    char *urls[] = {github_releases_url(repo, 100), github_release_url(repo, NULL),
                    github_release_url(repo, "a/b#c"), github_asset_url(repo, 1)};
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        HOLDS(urls[i] && url_same_origin(urls[i], repo->api));
        mem_free(urls[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *input = fuzz_string(data, size < 2000 ? size : 2000);
    const char *rest = input;
    char *api = fuzz_field(&rest, '\n');
    struct github_repo repo;
    struct text error = TEXT_INIT(2 * TEXT_LINE_MAX); /* one is the repository */
    if (github_parse_repo(rest, *api ? api : NULL, &repo, &error)) {
        check(&repo);
        github_repo_done(&repo);
    } else {
        HOLDS(error.length && fuzz_is_printable(text_string(&error)));
    }
    text_done(&error);
    mem_free(api);
    mem_free(input);
    return 0;
}
