/*
 * test_spec.c - from the text of a spec to its tasks: what building and drawing rely
 * on. Mistakes are tests/bats/40-check.bats's; here they are counted.
 */
#include <cjson/cJSON.h>
#include <time.h>

#include "base/mem.h"
#include "check.h"
#include "spec/spec.h"

static ajob_spec *spec;
static char told[4096]; /* "LINE:COLUMN text" of each mistake */

static void tell(const ajob_mistake *mistake, void *data) {
    size_t used = strlen(told);
    (void)data;
    snprintf(told + used, sizeof told - used, "%u:%u %s%s", mistake->line, mistake->column,
             mistake->text, "\n");
}

/* Reads and checks a text; returns how many errors there are. */
static size_t read_text(const char *text, size_t length) {
    ajob_spec_free(spec);
    spec = ajob_spec_new();
    told[0] = '\0';
    CHECK_NUMBER(ajob_spec_parse(spec, "spec", text, length), 0);
    return ajob_spec_check(spec, tell, NULL);
}

static bool read(const char *text) {
    size_t errors = read_text(text, strlen(text));
    if (errors)
        printf("# %s", told);
    return CHECK_NUMBER(errors, 0);
}

static struct spec_task *task(const char *name) {
    struct spec_task *found = spec_find(spec, NULL, name, strlen(name));
    if (!CHECK(found != NULL))
        printf("# there is no %s\n", name);
    return found;
}

/* "a b*": its needs in their order, a star for those whose start is awaited. */
static const char *needs_of(const struct spec_task *of) {
    static char names[256];
    names[0] = '\0';
    for (uint32_t i = 0; i < of->need_count; i++)
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s%s", i ? " " : "",
                 of->needs[i].task->name, of->needs[i].is_start ? "*" : "");
    return names;
}

/* ---- trees ------------------------------------------------------------------ */

static void tasks_are_in_the_order_of_the_text(void) {
    struct text paths = TEXT_INIT(1024);
    if (!read("{\"tasks\": {\"b\": \"x\", \"g\": {\"needs\": \"b\", \"group\": {\"z\": {}, \"a\": "
              "{\"group\": {\"i\": {}}}}}, \"e\": {\"do\": \"y\", \"each\": [\"1\"]}, \"a\": {}}}"))
        return;
    uint32_t number = 0;
    for (struct spec_task *it = spec->first; it; it = spec_next(it)) {
        CHECK_NUMBER(it->number, number++);
        spec_path(it, &paths);
        text_format(&paths, ":%s ", spec_kind_name((enum spec_kind)it->kind));
    }
    CHECK_TEXT(text_string(&paths), "b:sh g:group g/z:join g/a:group g/a/i:join e:each e/do:sh "
                                    "a:join ");
    CHECK_NUMBER(spec->task_count, 8);
    CHECK(task("e")->first == task("e")->last && task("e")->first->parent == task("e"));
    CHECK(task("e")->first->name == NULL);
    text_done(&paths);
}

static void names_are_found_where_they_can_be_seen(void) {
    if (!read("{\"tasks\": {\"a\": {}, \"g\": {\"group\": {\"a\": {}, \"h\": {\"group\": {\"x\": "
              "{\"needs\": [\"a\", \"b\"]}}}}}, \"b\": {}}}"))
        return;
    const struct spec_task *h = spec_find(spec, task("g")->first, "h", 1);
    CHECK(spec_find(spec, h->first, "a", 1) == task("g")->first);
    CHECK(spec_find(spec, NULL, "a", 1) == spec->first);
    CHECK(spec_find(spec, NULL, "h", 1) == NULL);
    CHECK(spec_find(spec, NULL, "ab", 1) == spec->first); /* so many bytes of it */
    CHECK_TEXT(needs_of(h->first), "a b");
    CHECK(h->first->needs[0].task == task("g")->first);
}

static void equal_names_in_many_groups_are_not_confused(void) {
    enum { GROUPS = 5000 };
    struct text text = TEXT_INIT(1024 * 1024);
    text_add(&text, "{\"tasks\":{");
    for (int i = 0; i < GROUPS; i++)
        text_format(&text, "\"g%d\":{\"group\":{\"a\":{},\"b\":{\"needs\":\"a\"}}},", i);
    text_add(&text, "}}");
    CHECK(text_ok(&text) && read(text_string(&text)));
    text_done(&text);
    for (struct spec_task *group = spec->first; group; group = group->next)
        CHECK(group->last->need_count == 1 && group->last->needs[0].task == group->first);
}

/* ---- needs that follow from uses ----------------------------------------------- */

static void what_is_used_is_needed(void) {
    if (!read(
            "{\"tasks\": {\"v\": \"x\", \"f\": {\"get\": \"http://h/${v.stdout}\"},"
            "\"a\": {\"exec\": [\"${f.path}\", \"${v.stdout}\", \"${f.path}\"], \"needs\": "
            "[\"v\"]},"
            "\"c\": {\"sh\": \"y\", \"stdin\": {\"task\": \"v\"}, \"env\": {\"E\": \"${x.exit}\"}},"
            "\"x\": \"z\"}}"))
        return;
    CHECK_TEXT(needs_of(task("f")), "v");
    CHECK_TEXT(needs_of(task("a")), "v f");
    CHECK_TEXT(needs_of(task("c")), "v x");
    CHECK(task("c")->command->stdin_task == task("v"));
    CHECK(task("v")->keeps_stdout);
    CHECK(!task("x")->keeps_stdout);
    CHECK(!task("f")->keeps_stdout);
}

static void what_is_in_an_each_is_needed_by_the_each(void) {
    if (!read("{\"tasks\": {\"v\": \"x\", \"w\": {}, \"l\": \"y\","
              "\"e\": {\"each\": {\"lines\": \"l\"}, \"do\": {\"group\": {"
              "  \"a\": {\"exec\": [\"${v.stdout}\", \"${item}\"], \"needs\": [\"w\"]},"
              "  \"b\": {\"exec\": [\"${a.stdout}\"], \"needs\": [\"a\"]}}}},"
              "\"g\": {\"group\": {\"i\": {\"exec\": [\"${v.stdout}\"]}}}}}"))
        return;
    CHECK_TEXT(needs_of(task("e")), "l* w v");
    CHECK(task("e")->each->lines == task("l") && task("l")->keeps_stdout);
    const struct spec_task *a = task("e")->first->first;
    CHECK_TEXT(needs_of(a), "");
    CHECK_TEXT(needs_of(a->next), "a");
    CHECK_TEXT(needs_of(task("g")), "");
    CHECK_TEXT(needs_of(task("g")->first), "v");
}

static void a_source_whose_end_is_needed_is_awaited_to_its_end(void) {
    if (read("{\"tasks\": {\"l\": \"y\", \"e\": {\"each\": {\"lines\": \"l\"}, \"do\": \"x\", "
             "\"needs\": [\"l\"]}}}"))
        CHECK_TEXT(needs_of(task("e")), "l");
}

/* ---- options --------------------------------------------------------------------- */

static void options_have_their_places(void) {
    if (!read("{\"jobs\": 3, \"timeout\": 0.25, \"policy\": \"race\", \"pools\": {\"p\": 2},"
              "\"env\": {\"A\": \"1\", \"B\": null, \"C\": 1.50},"
              "\"tasks\": {\"a\": {\"sh\": [\"x\", \"y\"], \"timeout\": \"1m\", "
              "\"attempt_timeout\": 2,"
              "\"retry\": {\"max\": 3, \"delay\": 0, \"jitter\": false, \"on\": [1, 75]},"
              "\"pool\": {\"p\": 2}, \"shield\": true, \"when\": \"always\", \"leftovers\": "
              "\"ignore\"},"
              "\"g\": {\"get\": \"http://h/x\", \"sha256\": \"" /* of nothing */
              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"},"
              "\"s\": {\"service\": \"z\", \"ready\": {\"line\": \"^a$\", \"interval\": \"1s\"}},"
              "\"r\": {\"each\": {\"from\": 3, \"to\": -1, \"step\": -2}, \"do\": {}, \"limit\": "
              "2}}}"))
        return;
    ajob_spec_top top = ajob_spec_get_top(spec);
    CHECK(top.jobs == 3 && top.has_timeout && top.timeout_ms == 250 && spec->policy == AJOB_RACE);
    CHECK(spec->env.count == 3 && !spec->env.items[1].value.text);
    CHECK_TEXT(spec->env.items[2].value.text, "1.50");
    const struct spec_more *more = task("a")->more;
    CHECK_TEXT(task("a")->command->script.text, "x\ny");
    CHECK(more->has_timeout && more->timeout_ms == 60000 && more->attempt_timeout_ms == 2000);
    CHECK(more->has_retry && more->retry.max == 3 && more->retry.no_jitter);
    CHECK_NUMBER(more->retry.delay_ms, 1); /* 0 would be the default */
    CHECK(more->retry.on_count == 2 && more->retry.on[1] == 75);
    CHECK(more->pool_count == 1 && more->pools[0].pool == spec->pools[0] &&
          more->pools[0].count == 2);
    CHECK(more->is_shielded && more->when == AJOB_WHEN_ALWAYS);
    CHECK(task("a")->command->leaves_leftovers);
    CHECK(strncmp(task("g")->get->digest.text, "sha256:e3b0", 11) == 0);
    const struct spec_command *service = task("s")->command;
    CHECK(service->ready == AJOB_READY_LINE && service->ready_interval_ms == 1000);
    CHECK_TEXT(service->ready_text.text, "^a$");
    const struct spec_each *each = task("r")->each;
    CHECK(each->is_range && each->from == 3 && each->to == -1 && each->step == -2);
    CHECK(!task("g")->more);
}

static void defaults_are_for_work_that_does_not_say_itself(void) {
    if (!read("{\"tasks\": {\"a\": \"x\", \"b\": \"y\","
              "\"c\": {\"sh\": \"z\", \"timeout\": 9, \"retry\": 0, \"pools\": \"q\", "
              "\"leftovers\": \"kill\"},"
              "\"g\": {\"group\": {\"i\": \"x\"}, \"dir\": \"there\"}, \"s\": {\"sleep\": 1}, "
              "\"j\": {},"
              "\"f\": {\"get\": \"http://h/f\"}, \"e\": {\"each\": [\"1\"], \"do\": \"x\"}},"
              "\"defaults\": {\"timeout\": \"5s\", \"retry\": {\"max\": 2}, \"dir\": \"here\", "
              "\"pool\": \"p\","
              "\"leftovers\": \"ignore\", \"env\": {\"D\": \"1\"}}, \"env\": {\"T\": \"1\"},"
              "\"pools\": {\"p\": 1, \"q\": 1}}"))
        return;
    const struct spec_more *a = task("a")->more, *c = task("c")->more;
    CHECK(a && a == task("b")->more); /* shared */
    CHECK(a->has_timeout && a->timeout_ms == 5000 && a->has_retry && a->retry.max == 2);
    CHECK_TEXT(a->dir.text, "here");
    CHECK(a->pool_count == 1 && task("a")->command->leaves_leftovers && a->env.count == 0);
    CHECK(c->timeout_ms == 9000 && c->has_retry && c->retry.max == 0 && c->pool_count == 1);
    CHECK_TEXT(c->pools[0].pool->name, "q");
    CHECK(!task("c")->command->leaves_leftovers);
    CHECK(!task("g")->more->has_timeout && !task("s")->more && !task("j")->more &&
          !task("e")->more);
    CHECK(task("g")->first->more && !task("g")->first->more->dir.text);
    CHECK(task("f")->more && task("f")->more->timeout_ms == 5000 &&
          task("f")->more->pool_count == 1);
    CHECK(task("e")->first->more && task("e")->first->more->timeout_ms == 5000);
    CHECK(spec->env.count == 2 && !strcmp(spec->env.items[1].name, "D"));
}

/* ---- selection --------------------------------------------------------------------- */

static const char *selected(void) {
    static char names[512];
    struct text path = TEXT_INIT(256);
    names[0] = '\0';
    for (struct spec_task *it = spec->first; it; it = spec_next(it)) {
        if (!it->is_selected)
            continue;
        text_clear(&path);
        spec_path(it, &path);
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", *names ? " " : "",
                 text_string(&path));
    }
    text_done(&path);
    return names;
}

static const char *select_from(const char *const *names, size_t count) {
    static const char text[] = "{\"tasks\": {\"a\": {}, \"b\": {\"needs\": \"a\"}, \"c\": {}, "
                               "\"g\": {\"needs\": \"c\", \"group\": "
                               "{\"x\": {}, \"y\": {\"needs\": [\"x\", \"b\"]}, \"z\": {}}}, "
                               "\"e\": {\"each\": [\"1\"], \"do\": "
                               "{\"group\": {\"i\": {}}}}, \"h\": {\"needs\": \"e\"}}}";
    if (!read(text) || ajob_spec_select(spec, names, count))
        return ajob_spec_error(spec);
    CHECK(spec->has_selection);
    return selected();
}

static void a_selection_has_what_its_tasks_need(void) {
    CHECK_TEXT(select_from((const char *[]){"b"}, 1), "a b");
    CHECK_TEXT(select_from((const char *[]){"g/y"}, 1), "a b c g g/x g/y");
    CHECK_TEXT(select_from((const char *[]){"g/z", "a"}, 2), "a c g g/z");
    CHECK_TEXT(select_from((const char *[]){"g"}, 1), "a b c g g/x g/y g/z");
    CHECK_TEXT(select_from((const char *[]){"h"}, 1), "e e/do e/do/i h");
    CHECK_TEXT(select_from((const char *[]){"a", "nobody"}, 2), "nobody: there is no such task");
    CHECK_TEXT(select_from((const char *[]){"g/xx"}, 1),
               "g/xx: there is no such task; did you mean g/x?");
    CHECK_TEXT(select_from((const char *[]){"gg"}, 1),
               "gg: there is no such task; did you mean g?");
    CHECK(strncmp(select_from((const char *[]){""}, 1), ": there is no", 13) == 0);
}

/* ---- mistakes ------------------------------------------------------------------------ */

static void a_mistake_has_its_place_in_characters(void) {
    static const char text[] = "{\n\"tasks\":{\"a\":{\"x-\xc3\xa4\":0,\"y\":1}}}";
    CHECK_NUMBER(read_text(text, sizeof text - 1), 1);
    CHECK_TEXT(told, "2:23 unknown key \"y\" in task \"a\"\n");
    static const char marked[] =
        "\xef\xbb\xbf{\"y\": 1, \"tasks\": {\"a\": {}}}"; /* nobody sees it */
    CHECK_NUMBER(read_text(marked, sizeof marked - 1), 1);
    CHECK_TEXT(told, "1:2 unknown key \"y\" at the top\n");
}

static void a_spec_is_read_once(void) {
    CHECK(read("{\"tasks\": {\"a\": {}}}"));
    CHECK_NUMBER(ajob_spec_parse(spec, "again", "{}", 2), AJOB_EINVAL);
    CHECK_TEXT(ajob_spec_error(spec), "again: a spec was read already");
    CHECK_NUMBER(ajob_spec_set(spec, "a=b", ""), AJOB_EINVAL);
}

/* ---- without memory -------------------------------------------------------------------- */

static const char medium[] =
    "{\"pools\": {\"p\": 2}, \"env\": {\"E\": \"${var.V}\"}, \"defaults\": {\"timeout\": 1, "
    "\"dir\": \"d\"},"
    "\"tasks\": {\"a\": {\"exec\": [\"x\", \"${b.stdout}\"], \"needs\": [\"b\", \"c\"], \"retry\": "
    "2},"
    "\"b\": {\"sh\": [\"x\", \"y\"], \"env\": {\"A\": \"1\", \"B\": \"2\"}, \"pool\": [\"p\"]},"
    "\"c\": {\"get\": \"http://h/x\", \"to\": \"y\", \"headers\": {\"A\": \"b\"}},"
    "\"c2\": {\"get\": \"http://h/x\", \"to\": \"y\"},"
    "\"r\": {\"release\": \"o/r\", \"assets\": [\"*\"], \"exclude\": \"z\"},"
    "\"s\": {\"service\": [\"x\"], \"ready\": {\"exec\": [\"y\"]}, \"stdin\": {\"task\": \"b\"}},"
    "\"g\": {\"group\": {\"x\": \"1\", \"y\": {\"needs\": \"x\", \"wrong\": 1}}, \"description\": "
    "\"t\"},"
    "\"e\": {\"each\": [\"1\", 2], \"do\": {\"exec\": [\"${item}\"]}}, \"f\": {\"needs\": [\"f\", "
    "\"nobody\"]}}}";

static void *fallible(size_t size) {
    return mem_new(size);
}

static void release(void *block) {
    mem_free(block);
}

static void lack_of_memory_is_an_error_and_leaves_nothing(void) {
    enum { MOST_CALLS = 20000 };
    static const size_t errors = 3; /* wrong, f -> f, nobody */
    unsigned long n = 0;
    bool has_come;
    cJSON_InitHooks(&(cJSON_Hooks){fallible, release}); /* its calls count, too */
    do {
        mem_fail_nth(FAULT_ALLOC, ++n);
        ajob_spec *it = ajob_spec_new();
        int error = it ? ajob_spec_set(it, "V", "1") : AJOB_ENOMEM;
        if (!error)
            error = ajob_spec_parse(it, "spec", medium, sizeof medium - 1);
        size_t found = it ? ajob_spec_check(it, NULL, NULL) : 1;
        has_come = mem_fail_nth(FAULT_ALLOC, 0) == 0;
        CHECK(found >= 1);
        CHECK(!error || error == AJOB_ENOMEM);
        if (!has_come)
            CHECK_NUMBER(found, errors);
        told[0] = '\0';
        if (it && has_come && error) /* it is still told, and says so */
            ajob_spec_check(it, tell, NULL);
        CHECK(!it || !has_come || !error || strstr(told, "out of memory"));
        ajob_spec_free(it);
    } while (has_come && n < MOST_CALLS);
    CHECK(n > 100 && n < MOST_CALLS);
    cJSON_InitHooks(NULL);
}

/* ---- hostile ----------------------------------------------------------------------------- */

enum { MANY = 100000 };

/* A text of a beginning, a piece many times with its number for %d, and an end. */
static char *many(const char *begin, const char *piece, const char *end, size_t *ret_length) {
    struct text text = TEXT_INIT(64 * 1024 * 1024);
    text_add(&text, begin);
    for (int i = 0; i < MANY; i++) {
        const char *number = strstr(piece, "%d");
        text_add(&text, i ? "," : "");
        if (number)
            text_format(&text, "%.*s%d%s", (int)(number - piece), piece, i, number + 2);
        else
            text_add(&text, piece);
    }
    text_add(&text, end);
    CHECK(text_ok(&text));
    *ret_length = text.length;
    return text.data;
}

/* Squares of a hundred thousand take minutes. */
static void large_specs_do_not_cost_their_square(void) {
    static const struct {
        const char *begin, *piece, *end;
        bool is_right;
    } rows[] = {
        {"{\"tasks\":{", "\"t%d\":{\"needs\":[\"t0\",\"t7\"]}", "}}", false}, /* two cycles */
        {"{\"tasks\":{\"a\":{},\"b\":{},", "\"t%d\":{\"needs\":[\"a\",\"b\"]}", "}}", true},
        {"{\"tasks\":{", "\"a\":{}", "}}", false},
        {"{\"tasks\":{\"a\":{", "\"sh\":\"x\"", "}}}", false},
        {"{\"tasks\":{\"a\":{", "\"k%d\":1", "}}}", false},
        {"{\"tasks\":{", "\"t%d\":{\"needs\":\"s%d\"}", "}}", false},
        {"{\"tasks\":{\"a\":{\"sh\":\"x\",\"env\":{", "\"A\":\"1\"", "}}}}", false},
        {"{\"tasks\":{\"a\":{\"sh\":\"x\",\"env\":{", "\"A%d\":\"1\"", "}}}}", true},
        {"{\"tasks\":{\"b\":{},\"a\":{\"needs\":[", "\"b\"", "]}}}", true},
        {"{\"tasks\":{\"b\":\"x\",\"a\":{\"exec\":[", "\"${b.stdout}${b.exit}\"", "]}}}", true},
        {"{\"tasks\":{\"o\":{},", "\"f%d\":{\"when\":\"always\"}", "}}", true},
        {"{\"tasks\":{", "\"g%d\":{\"get\":\"http://h/x\"}", "}}", true},
        {"{\"tasks\":{\"a\":{\"sh\":\"x\",\"pool\":[", "\"p\"", "]}},\"pools\":{\"p\":1}}", false},
        {"{\"pools\":{", "\"p%d\":1", "},\"tasks\":{}}", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t length;
        char *text = many(rows[i].begin, rows[i].piece, rows[i].end, &length);
        clock_t begun = clock();
        size_t errors = read_text(text, length);
        if (!CHECK((errors == 0) == rows[i].is_right) ||
            !CHECK(clock() - begun < 20 * CLOCKS_PER_SEC))
            printf("# row %zu: %zu errors\n%s", i, errors, told);
        mem_free(text);
    }
}

static void a_long_string_is_only_long(void) {
    enum { LENGTH = 10 * 1000 * 1000 };
    static const char *const forms[] = {"{\"tasks\":{\"a\":{\"exec\":[\"%s\"]}}}",
                                        "{\"tasks\":{\"%s\":{}}}",
                                        "{\"tasks\":{\"a\":{\"%s\":1}}}",
                                        "{\"tasks\":{\"a\":{\"timeout\":\"%s\"}}}",
                                        "{\"tasks\":{\"a\":{\"needs\":\"%s\"}}}",
                                        "{\"tasks\":{\"a\":{\"sh\":\"x\",\"pool\":\"%s\"}}}"};
    char *string = mem_new(LENGTH + 1);
    memset(string, 'x', LENGTH);
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        struct text text = TEXT_INIT(2 * LENGTH);
        const char *place = strstr(forms[i], "%s");
        text_add_n(&text, forms[i], (size_t)(place - forms[i]));
        text_add_n(&text, string, LENGTH);
        text_add(&text, place + 2);
        CHECK_NUMBER(read_text(text.data, text.length), i > 0);
        CHECK(strlen(told) < 400);
        text_done(&text);
    }
    mem_free(string);
}

int main(void) {
    RUN(tasks_are_in_the_order_of_the_text);
    RUN(names_are_found_where_they_can_be_seen);
    RUN(equal_names_in_many_groups_are_not_confused);
    RUN(what_is_used_is_needed);
    RUN(what_is_in_an_each_is_needed_by_the_each);
    RUN(a_source_whose_end_is_needed_is_awaited_to_its_end);
    RUN(options_have_their_places);
    RUN(defaults_are_for_work_that_does_not_say_itself);
    RUN(a_selection_has_what_its_tasks_need);
    RUN(a_mistake_has_its_place_in_characters);
    RUN(a_spec_is_read_once);
    RUN(lack_of_memory_is_an_error_and_leaves_nothing);
    RUN(large_specs_do_not_cost_their_square);
    RUN(a_long_string_is_only_long);
    ajob_spec_free(spec);
    return finish();
}
