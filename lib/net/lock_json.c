/* lock_json.c - the text of a lock file. See lock_json.h. */
#include "net/lock_json.h"

#include <cjson/cJSON.h>
#include <ctype.h>

#include "net/digest.h"
#include "net/json_field.h"
#include "net/url.h"

static const char no_memory[] = "out of memory"; /* as url_fault() says it */

enum { VERSION = 1, ENTRIES_MAX = 100000, REPOSITORIES_MAX = 1000, NAME_BYTES_MAX = 1024 };

/* ---- writing -------------------------------------------------------------- */

static void add_text(struct text *json, const char *key, const char *value) {
    text_format(json, "      \"%s\": ", key);
    if (!value) {
        text_add(json, "null");
        return;
    }
    text_add_char(json, '"');
    text_add_json(json, value, strlen(value));
    text_add_char(json, '"');
}

static void add_number(struct text *json, const char *key, uint64_t value) {
    text_format(json, "      \"%s\": %llu", key, (unsigned long long)value);
}

static void add_entry(struct text *json, const struct lock_entry *entry) {
    static const char next[] = ",\n";
    const struct github_asset *asset = &entry->asset;
    add_text(json, "api", entry->api);
    text_add(json, next);
    add_text(json, "repository", entry->repository);
    text_add(json, next);
    add_text(json, "tag", entry->tag);
    text_add(json, next);
    add_text(json, "name", asset->name);
    text_add(json, next);
    add_number(json, "id", asset->id);
    text_add(json, next);
    add_number(json, "size", asset->size);
    text_add(json, next);
    add_text(json, "digest", asset->digest);
    text_add(json, next);
    add_text(json, "url", asset->url);
}

void lock_print(ajob_lock *lock, struct text *json) {
    lock_sort(lock);
    text_format(json, "{\n  \"version\": %d,\n  \"assets\": [", VERSION);
    for (const struct lock_entry *entry = lock->table; entry; entry = entry->hh.next) {
        text_add(json, entry == lock->table ? "\n    {\n" : ",\n    {\n");
        add_entry(json, entry);
        text_add(json, "\n    }");
    }
    text_add(json, lock->table ? "\n  ]\n}\n" : "]\n}\n");
}

/* ---- reading -------------------------------------------------------------- */

/* cJSON takes what is no JSON: NULs that cut strings off, control characters, wrong
 * UTF-8, something behind it. */
static bool is_plain(const char *text, size_t length) {
    for (size_t i = 0; i < length;) {
        uint32_t point = 0;
        size_t step = utf8_decode(text + i, length - i, &point);
        bool is_space = point == '\n' || point == '\r' || point == '\t';
        if (!step || (point < ' ' && !is_space))
            return false;
        if (text[i] == '\\' && length - i >= 6 && !strncmp(text + i + 1, "u0000", 5))
            return false;
        i += step;
    }
    return true;
}

static cJSON *parse(const char *text, size_t length) {
    enum { VALUES_MAX = 20 * ENTRIES_MAX };
    const char *end = NULL;
    if (json_field_count(text, length) > VALUES_MAX || !is_plain(text, length))
        return NULL;
    cJSON *json = cJSON_ParseWithLengthOpts(text, length, &end, false);
    while (json && end < text + length && isspace((unsigned char)*end))
        end++;
    if (json && end == text + length)
        return json;
    cJSON_Delete(json);
    return NULL;
}

/* A key that is there twice, or NULL. */
static const char *twice(const cJSON *object) {
    enum { KEYS_MAX = 32 };
    size_t count = 0;
    for (const cJSON *item = object->child; item; item = item->next) {
        if (++count > KEYS_MAX)
            return item->string;
        for (const cJSON *other = item->next; other; other = other->next)
            if (!strcmp(item->string, other->string))
                return item->string;
    }
    return NULL;
}

static bool is_line(const char *text) {
    for (const char *c = text; *c; c++)
        if (iscntrl((unsigned char)*c))
            return false;
    return *text && strlen(text) <= NAME_BYTES_MAX;
}

/* As the rest of the library sees names: without one that leads elsewhere. */
static bool is_name(const char *name) {
    return is_line(name) && !strpbrk(name, "/\\") && strcmp(name, ".") != 0 &&
           strcmp(name, "..") != 0;
}

/* Slashes are fine in a tag; what git(1) calls a reference has no ".." in it. */
static bool is_tag(const char *tag) {
    return is_line(tag) && *tag != '/' && strcmp(tag, ".") != 0 && !strstr(tag, "..") &&
           !strchr(tag, '\\');
}

static bool is_digest(const char *digest) {
    struct digest_want want;
    return digest_parse(digest, &want) &&
           (!strncmp(digest, "sha256:", 7) || !strncmp(digest, "sha512:", 7));
}

/* On the host of the entry's API, and not in the clear where the API is not: as
 * github_is_web_url(). */
static int is_url(const struct lock_entry *entry) {
    const char *url = entry->asset.url;
    int is_web = github_is_web_url(entry->api, url);
    const char *authority = is_web > 0 ? strstr(url, "://") + 3 : NULL;
    bool has_user = authority && memchr(authority, '@', strcspn(authority, "/?#"));
    return has_user ? 0 : is_web;
}

/* The text of a key; NULL if it has none, or is null. */
static char *text_of(const cJSON *json, const char *key) {
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, key));
}

static bool is_null(const cJSON *json, const char *key) {
    return cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(json, key));
}

/* The entry, its strings still the JSON's; NULL, or the key that is wrong, or no_memory. */
static const char *read_entry(const cJSON *json, struct lock_entry *entry) {
    *entry = (struct lock_entry){
        .api = text_of(json, "api"),
        .repository = text_of(json, "repository"),
        .tag = text_of(json, "tag"),
        .asset = {.name = text_of(json, "name"),
                  .digest = text_of(json, "digest"),
                  .url = text_of(json, "url")},
    };
    const char *const digest = entry->asset.digest;
    size_t api_length = entry->api ? strlen(entry->api) : 0;
    const char *api_fault = api_length ? github_api_fault(entry->api) : "it is empty";
    int has_url = entry->asset.url && !api_fault ? is_url(entry) : 0;
    if (has_url < 0 || (api_fault && !strcmp(api_fault, no_memory)))
        return no_memory;
    if (api_fault || entry->api[api_length - 1] == '/')
        return "api";
    if (!entry->repository || !github_is_repo(entry->repository))
        return "repository";
    if (!entry->tag || !is_tag(entry->tag))
        return "tag";
    if (!entry->asset.name || !is_name(entry->asset.name))
        return "name";
    if (!json_field_whole(json, "id", &entry->asset.id))
        return "id";
    if (!json_field_whole(json, "size", &entry->asset.size))
        return "size";
    if (digest ? !is_digest(digest) : !is_null(json, "digest"))
        return "digest";
    if (entry->asset.url ? !has_url : !is_null(json, "url"))
        return "url";
    return NULL;
}

static int read_one(ajob_lock *lock, const cJSON *item, size_t index, struct text *error) {
    struct lock_entry entry;
    unsigned before = HASH_COUNT(lock->table);
    char safe[200];
    text_format(error, "assets[%zu]: ", index);
    const char *key = cJSON_IsObject(item) ? twice(item) : NULL;
    if (!cJSON_IsObject(item)) {
        text_add(error, "not an object");
        return AJOB_EINVAL;
    }
    if (key) {
        text_format(error, "key \"%s\" twice, or too many keys",
                    ajob_escape(safe, sizeof safe, key));
        return AJOB_EINVAL;
    }
    key = read_entry(item, &entry);
    if (key == no_memory)
        return AJOB_ENOMEM;
    if (key) {
        const char *value = text_of(item, key);
        text_format(error, "\"%s\" is missing or not what a lock has there%s%s", key,
                    value ? ": " : "", value ? ajob_escape(safe, sizeof safe, value) : "");
        return AJOB_EINVAL;
    }
    if (!lock_add_entry(lock, &entry))
        return AJOB_ENOMEM;
    if (HASH_COUNT(lock->table) == before) {
        text_format(error, "the id of %s is there twice",
                    ajob_escape(safe, sizeof safe, entry.asset.name));
        return AJOB_EINVAL;
    }
    text_clear(error);
    return 0;
}

/* Names are each once in a release, as ids are. */
static int check_names(ajob_lock *lock, struct text *error) {
    char safe[200];
    lock_sort(lock);
    if (ajob_lock_repository(lock, REPOSITORIES_MAX)) {
        text_format(error, "more than %d repositories", REPOSITORIES_MAX);
        return AJOB_EINVAL;
    }
    for (const struct lock_entry *entry = lock->table, *next; entry; entry = next) {
        next = entry->hh.next;
        bool is_same = next && !strcmp(entry->api, next->api) &&
                       !strcmp(entry->repository, next->repository) &&
                       !strcmp(entry->tag, next->tag) &&
                       !strcmp(entry->asset.name, next->asset.name);
        if (!is_same)
            continue;
        text_format(error, "%s is there twice", ajob_escape(safe, sizeof safe, next->asset.name));
        return AJOB_EINVAL;
    }
    return 0;
}

static int read_all(ajob_lock *lock, const cJSON *json, struct text *error) {
    const cJSON *assets = cJSON_GetObjectItemCaseSensitive(json, "assets");
    const cJSON *item;
    uint64_t version = 0;
    size_t index = 0;
    int code = 0;
    const char *fault = NULL;
    if (!cJSON_IsObject(json) || twice(json) || !json_field_whole(json, "version", &version))
        fault = "not a lock file: no JSON object with one \"version\" and one \"assets\"";
    else if (version != VERSION)
        fault = "a lock file of another version: this one is not known to this ajob";
    else if (!cJSON_IsArray(assets) || cJSON_GetArraySize(assets) > ENTRIES_MAX)
        fault = "not a lock file: \"assets\" is no list, or too long";
    if (fault) {
        text_add(error, fault);
        return AJOB_EINVAL;
    }
    cJSON_ArrayForEach(item, assets) {
        if (!code)
            code = read_one(lock, item, index++, error);
    }
    return code ? code : check_names(lock, error);
}

int lock_parse(ajob_lock *lock, const char *text, size_t length, struct text *error) {
    cJSON *json = parse(text, length);
    int code = AJOB_EINVAL;
    if (json)
        code = read_all(lock, json, error);
    else
        text_add(error, "not a lock file: no valid JSON");
    cJSON_Delete(json);
    return code;
}
