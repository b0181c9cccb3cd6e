/*
 * test_build.c - from a spec to tasks: the tree, its keys, and a lack of memory at any
 * point, in building and in running.
 */
#include "base/mem.h"
#include "check.h"
#include "core/group.h"
#include "core/loop.h"
#include "core/task.h"

static const char everything[] =
    "{\"env\": {\"A\": \"1\"}, \"pools\": {\"p\": 2}, \"tasks\": {"
    "\"j\": {}, \"k\": {\"needs\": [\"j\"]},"
    "\"s\": {\"sleep\": 0, \"needs\": [\"k\"], \"timeout\": \"1m\"},"
    "\"g\": {\"needs\": [\"j\"], \"policy\": \"settled\", \"limit\": 2, \"dir\": \".\","
    "        \"group\": {\"x\": {}, \"y\": {\"needs\": [\"x\", \"k\"]}}},"
    "\"e\": {\"each\": [\"a\", \"${env.AJOB_TEST}\", \"a\"], \"needs\": [\"s\"],"
    "        \"do\": {\"group\": {\"x\": {\"sleep\": 0}, \"y\": {\"needs\": [\"x\"]},"
    "              \"z\": {\"each\": {\"from\": 1, \"to\": 2}, \"do\": {\"sleep\": 0}}}}},"
    "\"f\": {\"sleep\": 0, \"when\": \"always\"}}}";

static const char work[] =
    "{\"tasks\": {"
    "\"a\": {\"exec\": [\"true\", \"$$\"], \"pool\": \"p\", \"env\": {\"B\": \"2\", \"C\": null}},"
    "\"b\": {\"sh\": \"true\", \"env\": {\"V\": \"${a.stdout}\"}, \"dir\": \"d\"},"
    "\"c\": {\"get\": \"http://127.0.0.1:1/${var.v}\", \"to\": \"x\", \"headers\": {\"H\": \"v\"}},"
    "\"d\": {\"get\": \"${a.stdout}\", \"needs\": [\"a\"]},"
    "\"r\": {\"release\": \"o/r\", \"tag\": \"v1\", \"assets\": [\"*\"]},"
    "\"l\": {\"release\": \"o/r\", \"tag\": \"${a.stdout}\"},"
    "\"s\": {\"service\": \"true\", \"ready\": {\"tcp\": \"127.0.0.1:1\"}},"
    "\"e\": {\"each\": {\"lines\": \"a\"}, \"do\": {\"exec\": [\"echo\", \"${item}\"]}}},"
    "\"pools\": {\"p\": 2}}";

/* NULL on lack of memory. */
static ajob_spec *read_spec(const char *text) {
    ajob_spec *spec = ajob_spec_new();
    if (!spec)
        return NULL;
    if (!ajob_spec_set(spec, "v", "1") && !ajob_spec_parse(spec, "spec", text, strlen(text)) &&
        !ajob_spec_check(spec, NULL, NULL))
        return spec;
    ajob_spec_free(spec);
    return NULL;
}

static uint64_t succeeded;
static char keys[32][65];
static size_t key_count;

static void heard(const ajob_event *event, void *data) {
    (void)data;
    if (event->type == AJOB_RUN_ENDED)
        succeeded = event->counts[AJOB_SUCCEEDED];
    const ajob_field *key = ajob_event_field(event, "key");
    if (key && key_count < sizeof keys / sizeof keys[0])
        snprintf(keys[key_count++], sizeof keys[0], "%s", key->text);
}

/* Builds and runs. Returns the exit status, or -1: it could not be built. */
static int run(ajob_spec *spec, const ajob_spec_options *options) {
    ajob_loop *loop = ajob_loop_new(NULL);
    int status = -1;
    if (!loop)
        return status;
    succeeded = key_count = 0;
    ajob_task *root = ajob_spec_build(spec, loop, options);
    if (root && !ajob_on_event(loop, heard, NULL))
        status = ajob_run(loop, root);
    else
        CHECK(*ajob_error(loop));
    ajob_loop_free(loop);
    return status;
}

static void the_tree_is_that_of_the_spec(void) {
    ajob_spec *spec = read_spec(everything);
    ajob_loop *loop = ajob_loop_new(NULL);
    if (!CHECK(spec && loop))
        return;
    ajob_task *root = ajob_spec_build(spec, loop, NULL);
    static const char *const names[] = {"j", "k", "s", "g", "e", "f"};
    static const char *const kinds[] = {"join", "join", "sleep", "group", "each", "sleep"};
    size_t i = 0;
    if (CHECK(root != NULL))
        for (ajob_task *task = group_of(root)->first; task; task = task->next, i++) {
            CHECK_TEXT(ajob_task_name(task), names[i]);
            CHECK_TEXT(ajob_task_kind(task), kinds[i]);
        }
    CHECK_NUMBER(i, 6);
    ajob_loop_free(loop);
    ajob_spec_free(spec);
}

static void all_of_it_runs_and_again(void) {
    ajob_spec *spec = read_spec(everything);
    if (!CHECK(spec != NULL))
        return;
    CHECK_NUMBER(run(spec, NULL), 0);
    CHECK_NUMBER(succeeded, 6 + 3 * 4);
    CHECK_NUMBER(run(spec, &(ajob_spec_options){.keep_going = true, .has_keys = true}), 0);
    CHECK_NUMBER(succeeded, 6 + 3 * 4);
    ajob_spec_free(spec);
}

static void a_small_task_is_small(void) {
    CHECK(sizeof(struct ajob_task) <= 256);
}

/* A line of events for each key that was given. */
static int resume(ajob_spec *spec, size_t count) {
    struct text text = TEXT_INIT(1 << 16);
    text_add(&text, "{\"event\":\"run.started\"}\n");
    for (size_t i = 0; i < count; i++)
        text_format(&text,
                    "{\"event\":\"task.ended\",\"task\":\"t%zu\",\"status\":\"succeeded\","
                    "\"key\":\"%s\"}\n",
                    i, keys[i]);
    text_add(&text, "{\"event\":\"task.en"); /* it was cut off */
    int error = ajob_spec_resume(spec, text_string(&text), text.length);
    text_done(&text);
    return error;
}

static void keys_are_the_same_each_time_and_differ_by_item(void) {
    static char first[32][65];
    ajob_spec *spec = read_spec(everything);
    if (!CHECK(spec != NULL))
        return;
    CHECK_NUMBER(run(spec, &(ajob_spec_options){.has_keys = true}), 0);
    size_t count = key_count;
    CHECK_NUMBER(count, 1 + 3 * 3); /* those that sleep, the finalizer not */
    memcpy(first, keys, sizeof first);
    CHECK_NUMBER(run(spec, &(ajob_spec_options){.has_keys = true}), 0);
    size_t same = 0, alike = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++) {
            same += !strcmp(first[i], keys[j]);
            alike += i != j && !strcmp(first[i], first[j]);
        }
    CHECK_NUMBER(same, count + alike);
    CHECK_NUMBER(alike, 2 * 3); /* the item that comes twice */
    CHECK_NUMBER(resume(spec, count), 0);
    CHECK_NUMBER(resume(spec, count), AJOB_EINVAL); /* once is enough */
    CHECK_NUMBER(run(spec, &(ajob_spec_options){.has_keys = true}), 0);
    CHECK_NUMBER(succeeded, 6 + 3 * 4);
    ajob_spec_free(spec);
}

/* Whatever allocation fails, there is an error or an end, and nothing is left. */
static void lack_of_memory(const char *text, bool is_run) {
    const ajob_spec_options options = {
        .has_keys = true,
        .dir = "dir",
        .http.headers = (const char *const[]){"A: b", NULL},
    };
    bool is_over = false;
    for (unsigned long n = 1; !is_over && n < 20000; n++) {
        ajob_spec *spec = read_spec(text);
        ajob_loop *loop = ajob_loop_new(NULL);
        if (!CHECK(spec && loop))
            return;
        mem_fail_nth(FAULT_ALLOC, n);
        ajob_task *root = ajob_spec_build(spec, loop, &options);
        succeeded = 0;
        if (root && is_run && !ajob_on_event(loop, heard, NULL) && !ajob_run(loop, root))
            CHECK_NUMBER(succeeded, 6 + 3 * 4);
        is_over = mem_fail_nth(FAULT_ALLOC, 0) != 0;
        CHECK(root || *ajob_error(loop));
        CHECK(!is_over || root);
        ajob_loop_free(loop);
        ajob_spec_free(spec);
    }
    CHECK(is_over);
}

static void lack_of_memory_while_building_and_running(void) {
    lack_of_memory(everything, true);
}

static void lack_of_memory_while_work_is_made(void) {
    lack_of_memory(work, false);
}

static void what_cannot_be_built_says_which_task(void) {
    static const char text[] = "{\"tasks\": {\"g\": {\"group\": {\"x\": {\"exec\": [\"true\", "
                               "\"${env.AJOB_TEST_UNSET}\"]}}}}}";
    ajob_spec *spec = read_spec(text);
    ajob_loop *loop = ajob_loop_new(NULL);
    if (!CHECK(spec && loop))
        return;
    CHECK(!ajob_spec_build(spec, loop, NULL));
    CHECK_TEXT(ajob_error(loop), "task g/x: ${env.AJOB_TEST_UNSET}: it is not set in the "
                                 "environment of ajob");
    ajob_loop_free(loop);
    ajob_spec_free(spec);
}

int main(void) {
    setenv("AJOB_TEST", "b", 1);
    RUN(the_tree_is_that_of_the_spec);
    RUN(all_of_it_runs_and_again);
    RUN(a_small_task_is_small);
    RUN(keys_are_the_same_each_time_and_differ_by_item);
    RUN(what_cannot_be_built_says_which_task);
    RUN(lack_of_memory_while_building_and_running);
    RUN(lack_of_memory_while_work_is_made);
    return finish();
}
