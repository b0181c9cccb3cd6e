/* test_each_template.c - placeholders, what becomes of them, and how a shell reads it. */
#include "../../cmd/each_template.h"

#include <stdlib.h>

#include "check.h"

static char joined[4096];

/* The arguments with '|' between them. */
static const char *join(const struct arguments *arguments) {
    size_t used = 0;
    joined[0] = '\0';
    for (size_t i = 0; i < arguments->count; i++)
        used += (size_t)snprintf(joined + used, sizeof joined - used, "%s%s", i ? "|" : "",
                                 arguments->argv[i]);
    CHECK(!arguments->argv[arguments->count]);
    return joined;
}

static const char *expand(const char *const *argv, size_t count, struct template_values values) {
    struct arguments arguments = {0};
    struct template *template = template_new(argv, count);
    CHECK(template != NULL);
    CHECK(template_expand(template, &values, &arguments));
    CHECK(template_expand(template, &values, &arguments)); /* it is used again */
    join(&arguments);
    arguments_done(&arguments);
    CHECK(!template_free(template));
    return joined;
}

#define ARGV(...)                                                                                  \
    (const char *[]){__VA_ARGS__}, sizeof((const char *[]){__VA_ARGS__}) / sizeof(const char *)
#define ITEMS(...)                                                                                 \
    (struct template_values) {                                                                     \
        .items = (const char *[]){__VA_ARGS__},                                                    \
        .count = sizeof((const char *[]){__VA_ARGS__}) / sizeof(const char *), .number = 7,        \
    }

static void an_item_is_appended_or_put_where_it_belongs(void) {
    CHECK_TEXT(expand(ARGV("a", "b"), ITEMS("x y")), "a|b|x y");
    CHECK_TEXT(expand(ARGV("a"), ITEMS("x", "", "z")), "a|x||z");
    CHECK_TEXT(expand(ARGV("a", "{}", "b{}c{}"), ITEMS("x")), "a|x|bxcx");
    CHECK_TEXT(expand(ARGV("a", "{#}", "n{#}"), ITEMS("x")), "a|7|n7");
    CHECK_TEXT(expand(ARGV("{}"), ITEMS("{}")), "{}"); /* not expanded again */
}

static void what_is_no_placeholder_stays(void) {
    CHECK_TEXT(expand(ARGV("{", "}", "{ }", "{x}", "{0}", "{01}", "{-1}", "{1", "{#"), ITEMS("i")),
               "{|}|{ }|{x}|{0}|{01}|{-1}|{1|{#|i");
    CHECK_TEXT(expand(ARGV("{{}}", "{}}", "{{}"), ITEMS("i")), "{i}|i}|{i");
    CHECK_TEXT(expand(ARGV("{9999999999}", "{}"), ITEMS("i")), "{9999999999}|i");
}

static void parts_of_paths(void) {
    static const char *const cases[][5] = {
        /* item, {.}, {/}, {//}, {/.} */
        {"/a/b/c.tar.gz", "/a/b/c.tar", "c.tar.gz", "/a/b", "c.tar"},
        {"x.y/foo", "x.y/foo", "foo", "x.y", "foo"},
        {"foo", "foo", "foo", ".", "foo"},
        {".hid", "", ".hid", ".", ""},
        {"a.", "a.", "a.", ".", "a."},
        {"a/", "a/", "", ".", ""},
        {"a//b", "a//b", "b", "a", "b"},
        {"/", "/", "", "/", ""},
        {"//x", "//x", "x", "/", "x"},
        {"", "", "", ".", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char expected[256];
        const char *const *it = cases[i];
        snprintf(expected, sizeof expected, "%s|%s|%s|%s|%s", it[0], it[1], it[2], it[3], it[4]);
        CHECK_TEXT(expand(ARGV("{}", "{.}", "{/}", "{//}", "{/.}"), ITEMS(it[0])), expected);
    }
}

static void several_items_repeat_an_argument(void) {
    CHECK_TEXT(expand(ARGV("c", "-i{}", "{/}", "{2}", "e{1}{3}{4}"), ITEMS("d/x", "y", "z")),
               "c|-id/x|-iy|-iz|x|y|z|y|ed/xz");
}

static void columns_are_numbered(void) {
    struct template_values values = ITEMS("a.b,c");
    values.columns = (const char *[]){"a.b", "c"};
    values.column_count = 2;
    CHECK_TEXT(expand(ARGV("x"), values), "x|a.b|c");
    CHECK_TEXT(expand(ARGV("{2}{1.}", "{3}", "{}"), values), "ca||a.b,c");
}

static void lengths_are_never_too_small(void) {
    static const char *const templates[][3] = {
        {"echo", "", ""}, {"{}", "a{}b{}", "{1}{2/}"}, {"x{#}", "{2}", "y"}};
    static const char *const items[] = {"one", "", "three/3"};
    for (size_t i = 0; i < sizeof templates / sizeof templates[0]; i++) {
        struct arguments arguments = {0};
        struct template *template = template_new(templates[i], 3);
        struct template_values values = {.items = items, .count = 3, .number = 1};
        size_t length = template_length(template);
        for (size_t j = 0; j < 3; j++)
            length += template_growth(template, strlen(items[j]));
        CHECK(template_expand(template, &values, &arguments));
        CHECK(arguments.used <= length + 20); /* the number aside */
        arguments_done(&arguments);
        template_free(template);
    }
}

static const char *quoted(const char *const *argv, size_t count) {
    struct arguments arguments = {0};
    char *line = NULL;
    size_t length = 0;
    for (size_t i = 0; i < count; i++)
        CHECK(arguments_add(&arguments, argv[i], strlen(argv[i])));
    CHECK(arguments_end(&arguments) && arguments_quote(&arguments, &line, &length));
    CHECK_NUMBER(strlen(line), length);
    snprintf(joined, sizeof joined, "%s", line);
    free(line);
    arguments_done(&arguments);
    return joined;
}

static void a_shell_reads_it_back(void) {
    CHECK_TEXT(quoted(ARGV("cc", "-DA=1", "a/b.c", "x,y", "@1", "50%")),
               "cc -DA=1 a/b.c x,y @1 50%");
    CHECK_TEXT(quoted(ARGV("A=1", "", "it's", "a b", "~", "#", "{a,b}", "a\nb")),
               "'A=1' '' 'it'\\''s' 'a b' '~' '#' '{a,b}' 'a\nb'");
    CHECK_TEXT(quoted(ARGV("if", "if")), "'if' if");
    CHECK_TEXT(quoted(ARGV("a", "=b", "x=~y", "\xc3\xa9", "*")), "a '=b' 'x=~y' '\xc3\xa9' '*'");
}

int main(void) {
    RUN(an_item_is_appended_or_put_where_it_belongs);
    RUN(what_is_no_placeholder_stays);
    RUN(parts_of_paths);
    RUN(several_items_repeat_an_argument);
    RUN(columns_are_numbered);
    RUN(lengths_are_never_too_small);
    RUN(a_shell_reads_it_back);
    return finish();
}
