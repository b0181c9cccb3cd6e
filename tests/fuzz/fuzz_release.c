/* fuzz_release.c - the API's JSON: a release, then the same text once more as a page of
 * assets. */
#include "fuzz.h"
#include "net/checksums.h"
#include "net/github.h"
#include "net/name.h"
#include "net/url.h"

static void check(const struct github_release *release) {
    HOLDS(release->tag && *release->tag);
    for (size_t i = 0; i < release->asset_count; i++) {
        const struct github_asset *asset = &release->assets[i];
        HOLDS(asset->name && *asset->name && asset->state);
        HOLDS(asset->size <= UINT64_C(1) << 53 && asset->id <= UINT64_C(1) << 53);
        char *name = name_neutral(asset->name);
        HOLDS(name && name_is_usable(name));
        mem_free(name);
        checksums_is_list(asset->name);
    }
}

/* A tag stays one segment of the path. */
static void check_url(const char *tag) {
    struct github_repo repo = {
        .api = (char[]){"https://h"}, .owner = (char[]){"o"}, .name = (char[]){"r"}};
    char *url = github_release_url(&repo, tag);
    const char *before = "https://h/repos/o/r/releases/tags/";
    HOLDS(url && !strncmp(url, before, strlen(before)));
    HOLDS(!strpbrk(url + strlen(before), "/?#") && !url_fault(url));
    mem_free(url);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct github_release release;
    struct text error = TEXT_INIT(TEXT_LINE_MAX);
    cJSON *json = cJSON_ParseWithLength((const char *)data, size);
    if (github_read_release(json, &release, &error)) {
        size_t before = release.asset_count;
        check(&release);
        if (strlen(release.tag) < 10000)
            check_url(release.tag);
        /* The same page again adds nothing. */
        const cJSON *assets = cJSON_GetObjectItemCaseSensitive(json, "assets");
        if (github_read_assets(assets, &release, &error))
            HOLDS(release.asset_count == before);
        else
            HOLDS(error.length);
        check(&release);
        github_release_done(&release);
    } else {
        HOLDS(error.length && fuzz_is_printable(text_string(&error)));
    }
    cJSON_Delete(json);
    text_done(&error);
    return 0;
}
