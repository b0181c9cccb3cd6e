/* test_lock.c - lock files: what is read is what was written, and wrong ones are refused. */
#include "check.h"
#include "net/lock.h"
#include "net/lock_json.h"

#define API "https://api.github.com"
#define HEX "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void add(ajob_lock *lock, const char *repository, const char *tag, const char *name,
                uint64_t id) {
    struct lock_entry entry = {
        .api = (char *)API,
        .repository = (char *)repository,
        .tag = (char *)tag,
        .asset = {.name = (char *)name,
                  .id = id,
                  .size = 7,
                  .digest = (char *)"SHA256:" HEX,
                  .url = (char *)"https://github.com/o/r/x"},
    };
    CHECK(lock_add_entry(lock, &entry) != NULL);
}

static char *printed(ajob_lock *lock) {
    struct text json = TEXT_INIT(LOCK_SIZE_MAX);
    lock_print(lock, &json);
    char *copy = mem_copy(text_string(&json));
    text_done(&json);
    return copy;
}

static int parsed(ajob_lock *lock, const char *text) {
    struct text error = TEXT_INIT(TEXT_LINE_MAX);
    int code = lock_parse(lock, text, strlen(text), &error);
    CHECK(!code == !error.length);
    text_done(&error);
    return code;
}

static void the_order_of_adding_does_not_matter(void) {
    ajob_lock *one = ajob_lock_new(), *two = ajob_lock_new();
    add(one, "o/r", "v1", "a", 1);
    add(one, "o/r", "v1", "b", 2);
    add(one, "a/r", "v2", "c", 3);
    add(two, "a/r", "v2", "c", 3);
    add(two, "o/r", "v1", "b", 2);
    add(two, "o/r", "v1", "a", 9);
    add(two, "o/r", "v1", "a", 1);
    char *first = printed(one), *second = printed(two);
    CHECK(strcmp(first, second) != 0); /* the 9 is in it */
    CHECK(strstr(first, "\"a/r\"") < strstr(first, "\"o/r\""));
    CHECK(strstr(first, "\"digest\": \"sha256:" HEX "\"") != NULL);
    mem_free(second);
    ajob_lock_free(two);
    two = ajob_lock_new();
    CHECK(parsed(two, first) == 0);
    second = printed(two);
    CHECK_TEXT(second, first);
    mem_free(first);
    mem_free(second);
    ajob_lock_free(one);
    ajob_lock_free(two);
}

static void an_empty_one_is_one(void) {
    ajob_lock *lock = ajob_lock_new();
    char *text = printed(lock);
    CHECK_TEXT(text, "{\n  \"version\": 1,\n  \"assets\": []\n}\n");
    CHECK(parsed(lock, text) == 0);
    CHECK(ajob_lock_repository(lock, 0) == NULL);
    mem_free(text);
    ajob_lock_free(lock);
}

static void it_knows_its_repositories_and_tags(void) {
    ajob_lock *lock = ajob_lock_new();
    struct github_repo repo = {.api = (char *)API, .owner = (char *)"O", .name = (char *)"R"};
    struct github_repo elsewhere = {
        .api = (char *)"https://ghe.example/api/v3", .owner = (char *)"o", .name = (char *)"r"};
    struct github_release release;
    struct text error = TEXT_INIT(TEXT_LINE_MAX);
    add(lock, "o/r", "v2", "a", 1);
    add(lock, "o/r", "v1", "b", 2);
    add(lock, "o/r", "v2", "c", 3);
    add(lock, "a/r", "v0", "d", 4);
    CHECK_TEXT(ajob_lock_repository(lock, 0), "a/r");
    CHECK_TEXT(ajob_lock_repository(lock, 1), "o/r");
    CHECK(ajob_lock_repository(lock, 2) == NULL);
    const struct lock_entry *first = lock_next_release(lock, &repo, NULL);
    CHECK_TEXT(first->tag, "v1");
    first = lock_next_release(lock, &repo, first);
    CHECK_TEXT(first->tag, "v2");
    CHECK(lock_release_at(first, &release) && release.asset_count == 2);
    github_release_done(&release);
    CHECK(lock_next_release(lock, &repo, first) == NULL);
    CHECK(lock_release(lock, &repo, "v2", &release) && release.asset_count == 2);
    github_release_done(&release);
    CHECK(lock_has(lock, &repo, NULL, &error) && lock_has(lock, &repo, "v1", &error));
    CHECK(!error.length);
    CHECK(!lock_has(lock, &repo, "v0", &error) && error.length);
    text_clear(&error);
    CHECK(!lock_has(lock, &elsewhere, NULL, &error));
    CHECK(strstr(text_string(&error), "GITHUB_API_URL") != NULL);
    text_done(&error);
    ajob_lock_free(lock);
}

static void the_web_is_on_the_apis_host(void) {
    CHECK(github_is_web_url(API, "https://github.com/o/r/releases/download/v1/a"));
    CHECK(github_is_web_url("https://api.corp.ghe.com", "https://corp.ghe.com/a"));
    CHECK(github_is_web_url("https://ghe.example/api/v3", "https://ghe.example/o/r"));
    CHECK(!github_is_web_url(API, "http://github.com/a"));
    CHECK(!github_is_web_url(API, "https://github.com.evil.example/a"));
    CHECK(!github_is_web_url(API, "https://evil.example/github.com"));
    CHECK(!github_is_web_url(API, "https://github.com:8443/a"));
    CHECK(!github_is_web_url("http://api.x.example", "http://x.example/a"));
}

static void memory_may_be_short(void) {
    static const char text[] =
        "{\"version\": 1, \"assets\": [{\"api\": \"" API
        "\", \"repository\": \"o/r\", \"tag\": \"v\","
        "\"name\": \"n\", \"id\": 1, \"size\": 0, \"digest\": null, \"url\": null}]}";
    for (unsigned long n = 1; n < 60; n++) {
        ajob_lock *lock = ajob_lock_new();
        struct text error = TEXT_INIT(TEXT_LINE_MAX);
        mem_fail_nth(FAULT_ALLOC, n);
        int code = lock_parse(lock, text, strlen(text), &error);
        unsigned long left = mem_fail_nth(FAULT_ALLOC, 0);
        CHECK(code == 0 ? HASH_COUNT(lock->table) == 1 : HASH_COUNT(lock->table) == 0);
        text_done(&error);
        ajob_lock_free(lock);
        if (left)
            return;
    }
    CHECK(false); /* not all allocations were tried */
}

int main(void) {
    RUN(the_order_of_adding_does_not_matter);
    RUN(an_empty_one_is_one);
    RUN(it_knows_its_repositories_and_tags);
    RUN(the_web_is_on_the_apis_host);
    RUN(memory_may_be_short);
    return finish();
}
