/*
 * test_draw.c - a spec's graph as text, DOT, Mermaid, JSON and as an order.
 *
 * Specs are made by hand here; what reading makes of a text is another test's.
 */
#include <cjson/cJSON.h>

#include "base/mem.h"
#include "check.h"
#include "spec/spec.h"

enum { TASKS_MOST = 32, NEEDS_MOST = 4 };

/* ---- a spec by hand ---------------------------------------------------- */

static struct ajob_spec spec;
static struct spec_task tasks[TASKS_MOST];
static struct spec_need needs[TASKS_MOST][NEEDS_MOST];
static struct spec_more mores[TASKS_MOST];
static struct spec_command commands[TASKS_MOST];
static struct spec_get downloads[TASKS_MOST];
static struct spec_each eaches[TASKS_MOST];
static struct spec_release release;

static void begin(void) {
    spec = (struct ajob_spec){0};
    memset(tasks, 0, sizeof tasks);
    memset(needs, 0, sizeof needs);
    memset(mores, 0, sizeof mores);
    memset(commands, 0, sizeof commands);
    memset(downloads, 0, sizeof downloads);
    memset(eaches, 0, sizeof eaches);
}

/* As in a text: what is in a group is added before what comes after it. */
static struct spec_task *add(struct spec_task *group, const char *name, enum spec_kind kind) {
    struct spec_task *task = &tasks[spec.task_count];
    struct spec_task **first = group ? &group->first : &spec.first;
    struct spec_task **last = group ? &group->last : &spec.last;
    *task = (struct spec_task){
        .parent = group, .name = name, .kind = (uint8_t)kind, .number = spec.task_count++};
    if (*last)
        (*last)->next = task;
    else
        *first = task;
    *last = task;
    task->needs = needs[task->number];
    if (kind == SPEC_EXEC || kind == SPEC_SH || kind == SPEC_SERVICE)
        task->command = &commands[task->number];
    else if (kind == SPEC_GET)
        task->get = &downloads[task->number];
    else if (kind == SPEC_EACH)
        task->each = &eaches[task->number];
    else if (kind == SPEC_RELEASE)
        task->release = &release;
    return task;
}

static struct spec_task *sh(struct spec_task *group, const char *name, const char *script) {
    struct spec_task *task = add(group, name, SPEC_SH);
    task->command->script.text = script;
    return task;
}

static struct spec_more *more(struct spec_task *task) {
    task->more = &mores[task->number];
    return task->more;
}

static void need(struct spec_task *task, struct spec_task *needed) {
    task->needs[task->need_count++].task = needed;
}

static struct spec_string items[] = {{"a", 0},    {"b c", 0}, {"", 0},
                                     {"it's", 0}, {"e", 0},   {"f", 0}};

/* ---- what is drawn ----------------------------------------------------- */

static struct text drawn = TEXT_INIT(64 << 20);
static size_t pieces;

static void take(const char *text, void *data) {
    (void)data;
    CHECK(text[strlen(text) - 1] == '\n');
    text_add(&drawn, text);
    pieces++;
}

static const char *draw(enum ajob_drawing drawing) {
    text_clear(&drawn);
    pieces = 0;
    CHECK_NUMBER(ajob_spec_draw(&spec, drawing, take, NULL), 0);
    return text_string(&drawn);
}

/* The names of the order, one after the other. */
static const char *order(void) {
    static char names[512];
    size_t used = 0;
    for (const char *line = draw(AJOB_DRAW_ORDER); *line; line = strchr(line, '\n') + 1) {
        size_t length = strcspn(line, " ");
        CHECK(used + length + 2 < sizeof names);
        memcpy(names + used, line, length);
        used += length;
        names[used++] = ' ';
    }
    names[used ? used - 1 : 0] = '\0';
    return names;
}

static bool has(const char *piece) {
    bool found = strstr(text_string(&drawn), piece) != NULL;
    if (!found)
        printf("# not in it: %s\n# %s\n", piece, text_string(&drawn));
    return found;
}

static bool has_not(const char *piece) {
    return !strstr(text_string(&drawn), piece);
}

/* ---- text -------------------------------------------------------------- */

static struct spec_pool db_pool = {"db", 1};

/* src <- build <- tests {unit, it}, with a service and a finalizer */
static void make_example(void) {
    static struct spec_pool *pools[] = {&db_pool};
    static struct spec_pool_use use = {&db_pool, 1};
    begin();
    spec.pools = pools;
    spec.pool_count = 1;
    spec.top = (ajob_spec_top){.jobs = 8, .has_timeout = true, .timeout_ms = 1200000};
    struct spec_task *src = add(NULL, "src", SPEC_GET);
    src->get->url.text = "https://me:secret@example.org/jq.tar.gz?token=secret";
    src->get->to.text = "jq.tar.gz";
    struct spec_task *build =
        sh(NULL, "build", "# how it is built\n\n  cd jq && make  \nmake check\n");
    need(build, src);
    *more(build) = (struct spec_more){.description = "Compile it",
                                      .has_timeout = true,
                                      .timeout_ms = 600000,
                                      .has_retry = true,
                                      .retry = {.max = 2}};
    struct spec_task *db = add(NULL, "db", SPEC_SERVICE);
    static struct spec_string argv[] = {{"postgres", 0}, {"-D", 0}, {"my data", 0}};
    db->command->argv = (struct spec_strings){argv, 3};
    db->command->ready = AJOB_READY_TCP;
    db->command->ready_text.text = "127.0.0.1:5432";
    struct spec_task *tests = add(NULL, "tests", SPEC_GROUP);
    need(tests, build);
    *more(tests) = (struct spec_more){.policy = AJOB_SETTLED, .limit = 4};
    sh(tests, "unit", "make unit");
    struct spec_task *it = sh(tests, "it", "make it");
    need(it, db);
    *more(it) = (struct spec_more){.pools = &use, .pool_count = 1};
    struct spec_task *clean = sh(NULL, "clean", "rm -rf scratch");
    need(clean, tests);
    more(clean)->when = AJOB_WHEN_ALWAYS;
}

static void a_tree_shows_groups_what_tasks_do_needs_and_options(void) {
    make_example();
    CHECK_TEXT(draw(AJOB_DRAW_ASCII), "6 tasks, jobs 8, timeout 20m, pools: db 1\n"
                                      "|-- src    get: https://example.org/jq.tar.gz -> jq.tar.gz\n"
                                      "|-- build  sh: cd jq && make ...\n"
                                      "|          Compile it\n"
                                      "|          needs: src; timeout 10m, retry 2\n"
                                      "|-- db     service: postgres -D 'my data'\n"
                                      "|          ready by tcp 127.0.0.1:5432\n"
                                      "|-- tests  group: 2 tasks\n"
                                      "|   |      needs: build; policy settled, limit 4\n"
                                      "|   |-- unit  sh: make unit\n"
                                      "|   `-- it    sh: make it\n"
                                      "|             needs: db; pool db\n"
                                      "`-- clean  sh: rm -rf scratch\n"
                                      "           needs: tests; when always\n");
    CHECK_NUMBER(pieces, 14);
    draw(AJOB_DRAW_TEXT);
    CHECK(has("\n\xe2\x94\x82   \xe2\x94\x94\xe2\x94\x80\xe2\x94\x80 it    sh: make it\n"
              "\xe2\x94\x82             needs: db"));
}

static void an_empty_spec_is_drawn_in_every_format(void) {
    begin();
    CHECK_TEXT(draw(AJOB_DRAW_TEXT), "0 tasks\n");
    CHECK_TEXT(draw(AJOB_DRAW_ORDER), "");
    CHECK_TEXT(draw(AJOB_DRAW_JSON), "{\n  \"schema\": 1, \"policy\": \"all\", \"pools\": {},\n"
                                     "  \"nodes\": [\n  ],\n  \"edges\": [\n  ]\n}\n");
    CHECK_TEXT(draw(AJOB_DRAW_MERMAID), "flowchart TD\n  classDef finalizer stroke-dasharray:5\n");
    draw(AJOB_DRAW_DOT);
    CHECK(has("digraph ajob {\n") && has("}\n"));
}

static void only_what_is_selected_is_drawn(void) {
    make_example();
    spec.has_selection = true;
    tasks[0].is_selected = tasks[1].is_selected = true;
    CHECK_TEXT(order(), "src build");
    for (int format = AJOB_DRAW_TEXT; format <= AJOB_DRAW_ASCII; format++) {
        draw((enum ajob_drawing)format);
        CHECK(has("build") && has_not("tests") && has_not("clean"));
    }
}

static void lists_of_items_and_of_needs_are_cut(void) {
    begin();
    struct spec_task *list = sh(NULL, "list", "ls");
    struct spec_task *words = add(NULL, "words", SPEC_EACH);
    words->each->items = (struct spec_strings){items, 6};
    sh(words, NULL, "echo");
    struct spec_task *range = add(NULL, "range", SPEC_EACH);
    *range->each = (struct spec_each){.is_range = true, .from = 10, .to = -5, .step = -3};
    sh(range, NULL, "echo");
    struct spec_task *lines = add(NULL, "lines", SPEC_EACH);
    lines->each->lines = list;
    lines->needs[lines->need_count++] = (struct spec_need){.task = list, .is_start = true};
    sh(lines, NULL, "echo");
    static struct spec_need many[20];
    struct spec_task *all = add(NULL, "all", SPEC_JOIN);
    all->needs = many;
    for (; all->need_count < 20; all->need_count++)
        many[all->need_count].task = words;
    draw(AJOB_DRAW_ASCII);
    CHECK(has("words  each: 6 items: a, 'b c', '', 'it'\\''s', e, ...\n|   `-- do  sh: echo\n"));
    CHECK(has("range  each: 6 items, 10 to -5 by -3\n"));
    CHECK(has("lines  each: line of list\n|   |      needs: list (its start)\n"));
    CHECK(has("`-- all    join\n           needs: words, words, words, words, words, words, words, "
              "words and 12 more\n"));
    draw(AJOB_DRAW_ORDER);
    CHECK(has("words/do  sh: echo (for each of 6 items)\n"));
    CHECK(has("lines/do  sh: echo (for each line of list)\n"));
    CHECK(has("all       join\n"));
}

static void ranges_are_counted_up_to_the_ends_of_numbers(void) {
    static const struct {
        int64_t from, to, step;
        const char *count;
    } ranges[] = {
        {1, 10, 1, "\"items\": 10"},
        {1, 10, 4, "\"items\": 3"},
        {1, 0, 1, "\"items\": 0"},
        {0, 1, -1, "\"items\": 0"},
        {5, 5, -7, "\"items\": 1"},
        {INT64_MIN, INT64_MAX, 2, "\"items\": 9223372036854775808"},
        {3, 1, INT64_MIN, "\"items\": 1"},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        begin();
        struct spec_task *each = add(NULL, "each", SPEC_EACH);
        *each->each = (struct spec_each){
            .is_range = true, .from = ranges[i].from, .to = ranges[i].to, .step = ranges[i].step};
        draw(AJOB_DRAW_JSON);
        CHECK(has(ranges[i].count));
    }
}

/* ---- order ------------------------------------------------------------- */

static void the_order_is_that_of_the_text_among_what_could_start(void) {
    begin();
    struct spec_task *a = sh(NULL, "a", "a"), *b = sh(NULL, "b", "b");
    sh(NULL, "c", "c");
    struct spec_task *d = sh(NULL, "d", "d");
    need(a, d);
    need(b, a);
    CHECK_TEXT(order(), "c d a b");
}

static void what_needs_a_group_waits_for_all_in_it_and_they_for_its_needs(void) {
    begin();
    struct spec_task *last = sh(NULL, "last", "x");
    struct spec_task *outer = add(NULL, "outer", SPEC_GROUP);
    struct spec_task *one = sh(outer, "one", "x");
    struct spec_task *inner = add(outer, "inner", SPEC_GROUP);
    sh(inner, "x", "x");
    struct spec_task *first = sh(NULL, "first", "x"), *late = sh(NULL, "late", "x");
    need(last, outer);
    need(inner, late);
    need(outer, first);
    need(one, inner);
    CHECK_TEXT(order(), "first late outer/inner/x outer/one last");
}

static void finalizers_are_last_and_wait_for_the_ordinary_tasks_of_their_group(void) {
    begin();
    struct spec_task *group = add(NULL, "group", SPEC_GROUP);
    struct spec_task *clean = sh(group, "clean", "x"), *work = sh(group, "work", "x");
    struct spec_task *end = sh(NULL, "end", "x"), *other = add(NULL, "other", SPEC_GROUP);
    sh(other, "y", "y");
    struct spec_task *report = sh(other, "report", "y");
    more(clean)->when = AJOB_WHEN_ALWAYS;
    more(end)->when = AJOB_WHEN_FAILURE;
    more(report)->when = AJOB_WHEN_ALWAYS;
    need(work, other);
    CHECK_TEXT(order(), "other/y other/report group/work group/clean end");
    CHECK(has("group/clean   sh: x (when always)\n") &&
          has("end           sh: x (when failure)\n"));
}

static void a_finalizer_whose_needs_have_ended_lets_ordinary_tasks_pass(void) {
    begin();
    struct spec_task *clean = sh(NULL, "clean", "x"), *a = sh(NULL, "a", "x");
    sh(NULL, "z", "x");
    more(clean)->when = AJOB_WHEN_ALWAYS;
    need(clean, a);
    CHECK_TEXT(order(), "a z clean");
}

static void a_service_is_before_what_needs_it(void) {
    make_example();
    CHECK_TEXT(order(), "src build db tests/unit tests/it clean");
}

static void each_task_comes_once_whatever_the_needs_are(void) {
    begin();
    struct spec_task *a = sh(NULL, "a", "a"), *b = sh(NULL, "b", "b"), *c = sh(NULL, "c", "c");
    struct spec_task *empty = add(NULL, "empty", SPEC_GROUP);
    need(a, b);
    need(b, a);
    need(b, b);
    need(c, b);
    need(empty, c);
    CHECK_TEXT(order(), "a b c empty");
    draw(AJOB_DRAW_DOT);
    CHECK(has("\"a\" -> \"b\""));
}

/* ---- other formats ----------------------------------------------------- */

static void dot_has_clusters_and_edges_that_end_at_their_borders(void) {
    make_example();
    draw(AJOB_DRAW_DOT);
    CHECK(has("  \"src\" [label=\"src\\nget: https://example.org/jq.tar.gz -> jq.tar.gz\", "
              "tooltip=\"\", shape=folder];\n"));
    CHECK(has("tooltip=\"Compile it\""));
    CHECK(has("  subgraph \"cluster_tests\" {\n    graph [label=\"tests\\ngroup: 2 tasks\\npolicy "
              "settled, limit 4\", tooltip=\"\", style=\"rounded\"];\n    \"tests/unit\" [label="));
    CHECK(has("  \"src\" -> \"build\" [];\n"));
    CHECK(has("  \"build\" -> \"tests/unit\" [lhead=\"cluster_tests\"];\n"));
    CHECK(has("  \"db\" -> \"tests/it\" [style=dashed, label=\"ready\"];\n"));
    CHECK(has("  \"tests/it\" -> \"clean\" [ltail=\"cluster_tests\"];\n"));
}

static void mermaid_has_subgraphs_and_numbers_for_names(void) {
    make_example();
    tasks[1].name = "end";
    draw(AJOB_DRAW_MERMAID);
    CHECK(has("  n1[\"end<br/>sh#58; cd jq #38;#38; make ...<br/>timeout 10m, retry 2\"]\n"));
    CHECK(
        has("  subgraph n3[\"tests<br/>group#58; 2 tasks<br/>policy settled, limit 4\"]\n    n4["));
    CHECK(has("  end\n  n6[\"clean<br/>sh#58; rm -rf scratch<br/>when always\"]:::finalizer\n"));
    CHECK(has("  n1 --> n3\n") && has("  n2 -.->|ready| n5\n"));
}

static void json_is_json_with_every_node_and_edge(void) {
    make_example();
    cJSON *json = cJSON_Parse(draw(AJOB_DRAW_JSON));
    const cJSON *nodes = cJSON_GetObjectItem(json, "nodes");
    const cJSON *edges = cJSON_GetObjectItem(json, "edges");
    CHECK_NUMBER(cJSON_GetArraySize(nodes), 7);
    CHECK_NUMBER(cJSON_GetArraySize(edges), 4);
    CHECK(has("{\"id\": \"build\", \"group\": null, \"kind\": \"sh\", \"what\": \"cd jq && make "
              "...\", \"description\": \"Compile it\", \"timeout\": 600, \"retry\": 2},\n"));
    CHECK(has("{\"id\": \"tests/it\", \"group\": \"tests\", \"kind\": \"sh\", \"what\": \"make "
              "it\", \"pools\": {\"db\": 1}},\n"));
    CHECK(has("{\"from\": \"db\", \"to\": \"tests/it\", \"after\": \"ready\"},\n"));
    cJSON_Delete(json);
}

static void what_comes_from_outside_is_escaped_in_every_format(void) {
    static const char *const evil =
        "echo \"a\\n]\x1b[31m\xe2\x80\xae &quot; <b> #; `x` %%{init}%% $$ \xff\xc3\xa9 | } ];";
    begin();
    struct spec_task *task = sh(NULL, "a", evil);
    more(task)->description = evil;
    CHECK_TEXT(draw(AJOB_DRAW_ORDER), "a  sh: echo \"a\\n]\\x1b[31m\\u{202e} &quot; <b> #; `x` "
                                      "%%{init}%% $$ \\xff\\u{e9} | } ];\n");
    draw(AJOB_DRAW_TEXT);
    CHECK(has("\xc3\xa9") && has_not("\x1b") && has_not("\xe2\x80\xae") && has_not("\xff"));
    draw(AJOB_DRAW_DOT);
    CHECK(has("sh: echo \\\"a\\\\n]\\\\x1b[31m\\\\u{202e} &amp;quot; <b> "));
    draw(AJOB_DRAW_MERMAID);
    CHECK(has("sh#58; echo #34;a#92;n#93;#92;x1b#91;31m#92;u#123;202e#125; #38;quot#59; "
              "#60;b#62; #35;#59; "));
    CHECK(has_not("%") && has_not("$") && has_not("`"));
    cJSON *json = cJSON_Parse(draw(AJOB_DRAW_JSON));
    const cJSON *node = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "nodes"), 0);
    CHECK(has_not("\x1b") && has_not("\xff"));
    CHECK(strstr(cJSON_GetStringValue(cJSON_GetObjectItem(node, "what")),
                 "echo \"a\\n]\x1b[31m\xe2\x80\xae &quot; <b> #; `x` %%{init}%% $$ "
                 "\xef\xbf\xbd\xc3\xa9 | } ];") != NULL);
    cJSON_Delete(json);
}

static void long_texts_are_cut_at_a_character(void) {
    char script[4096];
    begin();
    for (size_t i = 0; i + 2 < sizeof script; i += 2)
        memcpy(script + i, "\xc3\xa9", 3);
    script[sizeof script - 2] = '\0';
    sh(NULL, "a", script);
    draw(AJOB_DRAW_TEXT);
    CHECK(has("\xc3\xa9\xe2\x80\xa6\n"));
    CHECK_NUMBER(drawn.length, strlen("1 task\n") +
                                   strlen("\xe2\x94\x94\xe2\x94\x80\xe2\x94\x80 a   sh: ") +
                                   2 * (1000 - 4 - 1) + strlen("\xe2\x80\xa6\n"));
    draw(AJOB_DRAW_MERMAID);
    CHECK(has("\xc3\xa9\xe2\x80\xa6\"]\n"));
}

static void urls_are_shown_without_secrets_even_if_they_are_no_urls_yet(void) {
    static const struct {
        const char *url, *shown;
    } urls[] = {
        {"https://u:p@h.org/a?b=secret#secret", "get: https://h.org/a\n"},
        {"https://u:${env.T}@h.org/${item}?secret", "get: https://h.org/${item}\n"},
        {"https://${env.HOST}/x y?secret", "get: https://${env.HOST}/x y\n"},
        {"https://user:sec@ret@h.org/@a", "get: https://h.org/@a\n"},
        {"${var.base}/x?secret", "get: ${var.base}/x\n"},
        {"https://user:secret@", "get: https://\n"},
    };
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        begin();
        struct spec_task *get = add(NULL, "a", SPEC_GET);
        get->get->url.text = urls[i].url;
        draw(AJOB_DRAW_ORDER);
        CHECK(has(urls[i].shown) && has_not("secret"));
    }
}

static void kinds_and_options_have_their_words(void) {
    begin();
    static struct spec_string globs[] = {{"*amd64*", 0}, {"*.txt", 0}};
    release = (struct spec_release){
        .repository = {"jqlang/jq", 0}, .assets = {globs, 2}, .exclude = {globs + 1, 1}};
    add(NULL, "tools", SPEC_RELEASE);
    struct spec_task *pause = add(NULL, "pause", SPEC_SLEEP);
    pause->sleep_ms = 1500;
    struct spec_task *task = sh(NULL, "a", "\n# nothing\n");
    task->command->stdin_task = pause;
    *more(task) = (struct spec_more){.when = AJOB_WHEN_FAILURE,
                                     .has_timeout = true,
                                     .has_attempt_timeout = true,
                                     .attempt_timeout_ms = 500,
                                     .is_shielded = true,
                                     .allow_failure = true,
                                     .dir = {"sub dir", 0}};
    struct spec_task *web = add(NULL, "web", SPEC_SERVICE);
    web->command->script.text = "serve";
    web->command->ready = AJOB_READY_FD;
    web->command->ready_fd = 3;
    draw(AJOB_DRAW_ASCII);
    CHECK(has("tools  release: jqlang/jq, the latest: *amd64*, *.txt without *.txt\n"));
    CHECK(has("pause  sleep: 1.5s\n"));
    CHECK(
        has("a      sh: \n|          when failure, timeout 0s, attempt timeout 500ms, shield, may "
            "fail, dir sub dir, stdin from pause\n"));
    CHECK(has("web    service: serve\n           ready by fd 3\n"));
}

/* ---- size and memory --------------------------------------------------- */

static void a_hundred_thousand_tasks_take_a_moment(void) {
    enum { MANY = 100000 };
    struct spec_task *many = mem_new(MANY * sizeof *many);
    struct spec_need *chain = mem_new(MANY * sizeof *chain);
    static struct spec_command command = {.script = {"true", 0}};
    begin();
    for (uint32_t i = 0; i < MANY; i++) {
        /* Each needs the one after it but the last: the worst order. */
        many[i] = (struct spec_task){.name = "task",
                                     .kind = SPEC_SH,
                                     .number = i,
                                     .command = &command,
                                     .next = i + 1 < MANY ? &many[i + 1] : NULL,
                                     .need_count = i + 1 < MANY,
                                     .needs = &chain[i]};
        chain[i].task = many[i].next;
    }
    spec.first = many;
    spec.task_count = MANY;
    for (int format = AJOB_DRAW_TEXT; format <= AJOB_DRAW_ASCII; format++) {
        draw((enum ajob_drawing)format);
        CHECK(pieces >= MANY);
    }
    mem_free(many);
    mem_free(chain);
}

/* Or does no harm: a URL that cannot be parsed for lack of it has no secret either. */
static void lack_of_memory_is_told(void) {
    for (int format = AJOB_DRAW_TEXT; format <= AJOB_DRAW_ASCII; format++) {
        make_example();
        char *whole = mem_copy(draw((enum ajob_drawing)format));
        bool has_come = true;
        unsigned told = 0;
        for (unsigned long nth = 1; has_come; nth++) {
            text_clear(&drawn);
            mem_fail_nth(FAULT_ALLOC, nth);
            int code = ajob_spec_draw(&spec, (enum ajob_drawing)format, take, NULL);
            has_come = mem_fail_nth(FAULT_ALLOC, 0) == 0;
            if (code)
                CHECK_NUMBER(code, AJOB_ENOMEM);
            else
                CHECK_TEXT(text_string(&drawn), whole);
            told += code != 0;
        }
        CHECK(told > 1);
        mem_free(whole);
    }
}

int main(void) {
    RUN(a_tree_shows_groups_what_tasks_do_needs_and_options);
    RUN(an_empty_spec_is_drawn_in_every_format);
    RUN(only_what_is_selected_is_drawn);
    RUN(lists_of_items_and_of_needs_are_cut);
    RUN(ranges_are_counted_up_to_the_ends_of_numbers);
    RUN(the_order_is_that_of_the_text_among_what_could_start);
    RUN(what_needs_a_group_waits_for_all_in_it_and_they_for_its_needs);
    RUN(finalizers_are_last_and_wait_for_the_ordinary_tasks_of_their_group);
    RUN(a_finalizer_whose_needs_have_ended_lets_ordinary_tasks_pass);
    RUN(a_service_is_before_what_needs_it);
    RUN(each_task_comes_once_whatever_the_needs_are);
    RUN(dot_has_clusters_and_edges_that_end_at_their_borders);
    RUN(mermaid_has_subgraphs_and_numbers_for_names);
    RUN(json_is_json_with_every_node_and_edge);
    RUN(what_comes_from_outside_is_escaped_in_every_format);
    RUN(long_texts_are_cut_at_a_character);
    RUN(urls_are_shown_without_secrets_even_if_they_are_no_urls_yet);
    RUN(kinds_and_options_have_their_words);
    RUN(a_hundred_thousand_tasks_take_a_moment);
    RUN(lack_of_memory_is_told);
    text_done(&drawn);
    return finish();
}
