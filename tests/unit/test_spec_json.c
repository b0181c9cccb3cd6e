/*
 * test_spec_json.c - the text of specs: what is JSON, why another text is none and
 * where; ${} in strings.
 */
#include "ajob.h"
#include "base/mem.h"
#include "check.h"
#include "spec/json.h"
#include "spec/value.h"

/* ---- what is JSON --------------------------------------------------------- */

/* "" if the text is JSON, else "OFFSET reason". */
static const char *scan_bytes(const char *text, size_t length) {
    static char said[256];
    struct json json;
    struct json_fault fault;
    char *copy = mem_copy_n(text, length); /* so that nothing is read behind it */
    int error = json_scan(&json, copy, length, &fault);
    said[0] = '\0';
    if (error == AJOB_EINVAL)
        snprintf(said, sizeof said, "%u %s", fault.at, fault.text);
    else
        CHECK_NUMBER(error, 0);
    json_done(&json);
    mem_free(copy);
    return said;
}

static const char *scan(const char *text) {
    return scan_bytes(text, strlen(text));
}

static void json_is_accepted(void) {
    static const char *const texts[] = {
        "{}",
        "[]",
        " 1 ",
        "\"\"",
        "null",
        "true",
        "false",
        "-0",
        "0",
        "10",
        "-1.5e+10",
        "0.0",
        "1E5",
        "1e308",
        "\t\r\n{ \"a\" : [ 1 , 2 ] } \n",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\\ud83d\\ude00\"",
        "\"\xc3\xa4\xf0\x9f\x98\x80\"",
        "{\"a\":1,\"a\":2}",
        /* and what is more than that */
        "// x\n{}",
        "{}// x",
        "{}//",
        "/**/{}/* * / ** */",
        "{/*}*/}",
        "[1,]",
        "[1/*,*/,// ,\n]",
        "{\"a\":1,}",
        "\xef\xbb\xbf{}",
        "[\"// no\", \"/* no\"]",
        "[\"a,\",]",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (!CHECK_TEXT(scan(texts[i]), ""))
            printf("# in %s\n", texts[i]);
}

static void other_text_is_not_and_the_reason_is_said(void) {
    static const struct {
        const char *text, *said;
    } rows[] = {
        {"", "0 there is nothing in it"},
        {" \n// x", "0 there is nothing in it"},
        {"{} {}", "3 more text after the end of the spec"},
        {"{}}", "2 more text after the end of the spec"},
        {"[1 2]", "3 a comma is missing before this"},
        {"{\"a\":1 \"b\":2}", "7 a comma is missing before this"},
        {"{\"a\" 1}", "1 a colon is missing after this key"},
        {"{\"a\":}", "5 a value is expected here, not '}'"},
        {"{\"a\"}", "1 a colon is missing after this key"},
        {"[,]", "1 a value is missing before this comma"},
        {"[1,,2]", "3 a value is missing before this comma"},
        {"{,}", "1 a key is missing before this comma"},
        {"{1:2}", "1 a key is expected here, not '1'"},
        {"{a:2}", "1 a key must be in double quotes"},
        {"{'a':2}", "1 strings are in double quotes"},
        {"['a']", "1 strings are in double quotes"},
        {"[`a`]", "1 strings are in double quotes"},
        {"# x", "0 comments begin with //"},
        {"[1}", "2 ']' is expected here, for the '[' of line 1"},
        {"{\n\"a\":[\n}", "8 a value is expected here, not '}'"},
        {"{\"a\":[1\n}", "8 ']' is expected here, for the '[' of line 1"},
        {"[1", "0 this '[' is never closed"},
        {"{\"a\":1,", "7 the text ends where a key is expected"},
        {"[[]", "0 this '[' is never closed"},
        {"[", "0 this '[' is never closed"},
        {"{\"a\":", "5 the text ends where a value is expected"},
        {"[1;2]", "2 ',' or ']' is expected here, not ';'"},
        {"[\"a]", "1 the string has no closing quote on its line"},
        {"[\"a\nb\"]", "1 the string has no closing quote on its line"},
        {"\"\t\"", "1 a control character in a string: byte 0x09"},
        {"\"\x7f\"", ""},
        {"\"\\x\"", "1 unknown escape in a string"},
        {"\"\\", "1 unknown escape in a string"},
        {"\"\\u12g4\"", "1 \\u needs four hexadecimal digits"},
        {"\"\\u12", "1 \\u needs four hexadecimal digits"},
        {"\"\\u0000\"", "1 \\u0000 in a string: no program can be given it"},
        {"\"\\ud83d\"", "1 half of a surrogate pair in a string"},
        {"\"\\ude00\"", "1 half of a surrogate pair in a string"},
        {"\"\\ud83d\\u0041\"", "1 half of a surrogate pair in a string"},
        {"\"\xff\"", "1 not UTF-8: byte 0xff"},
        {"\"\xc0\x80\"", "1 not UTF-8: byte 0xc0"},
        {"\"\xed\xa0\x80\"", "1 not UTF-8: byte 0xed"},
        {"// \xff\n{}", "3 not UTF-8: byte 0xff"},
        {"\xff\xfe{", "0 the text is UTF-16"},
        {"[\xc3\xa4]", "2 a value is expected here"},
        {"/* x", "0 the comment is never closed"},
        {"/*/", "0 the comment is never closed"},
        {"/ {}", "0 a value is expected here, not '/'"},
        {"01", "0 a number with leading zeros"},
        {"-01", "0 a number with leading zeros"},
        {"1.", "0 not a number as JSON has them"},
        {".5", "0 not a number as JSON has them"},
        {"+1", "0 not a number as JSON has them"},
        {"-", "0 not a number as JSON has them"},
        {"1e", "0 not a number as JSON has them"},
        {"0x10", "0 not a number as JSON has them"},
        {"30s", "0 not a number as JSON has them"},
        {"1e999", "0 the number is too large"},
        {"-1e999", "0 the number is too large"},
        {"1234567890123456789012345678901234567890123456789012345678901",
         "0 a number of more than 60 characters"},
        {"True", "0 unknown word True"},
        {"NaN", "0 unknown word NaN"},
        {"nulll", "0 unknown word nulll"},
        {"undefined", "0 unknown word undefined"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (!CHECK_TEXT(scan(rows[i].text), rows[i].said))
            printf("# in %s\n", rows[i].text);
    CHECK_TEXT(scan_bytes("{\0}", 3), "1 a NUL byte in the text");
    CHECK_TEXT(scan_bytes("\"\0\"", 3), "1 a control character in a string: byte 0x00");
    CHECK_TEXT(scan_bytes("//\0\n{}", 6), "2 a NUL byte in the text");
    CHECK_TEXT(scan_bytes("{}\0", 3), "2 more text after the end of the spec");
}

static void depth_and_size_are_bounded(void) {
    enum { DEPTH = 100000 };
    static char deep[2 * DEPTH + 1];
    memset(deep, '[', JSON_DEPTH_MAX);
    memset(deep + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
    CHECK_TEXT(scan(deep), "");
    memset(deep, '[', DEPTH);
    memset(deep + DEPTH, ']', DEPTH);
    CHECK_TEXT(scan(deep), "64 nested deeper than 64");
    struct json json;
    struct json_fault fault;
    CHECK_NUMBER(json_scan(&json, "", JSON_SIZE_MAX + 1, &fault), AJOB_EINVAL);
    CHECK_TEXT(fault.text, "larger than 64 MiB");
    json_done(&json);
}

/* ---- tokens ---------------------------------------------------------------- */

static void tokens_say_where_keys_and_values_are(void) {
    static const char text[] = "/*x*/{\"a\": [1, {\"b\" : \"c\"},], \"d\": null}";
    static const struct json_token expected[] = {
        {5, 9}, {6, 7}, {11, 7}, {12, 4}, {15, 7}, {16, 7}, {22, 7}, {30, 9}, {35, 9},
    };
    struct json json;
    struct json_fault fault;
    CHECK_NUMBER(json_scan(&json, text, sizeof text - 1, &fault), 0);
    CHECK_NUMBER(json.count, sizeof expected / sizeof expected[0]);
    for (uint32_t i = 0; i < json.count; i++) {
        CHECK_NUMBER(json.tokens[i].at, expected[i].at);
        CHECK_NUMBER(json.tokens[i].next, expected[i].next);
    }
    cJSON *list = json_value(&json, 2); /* the nodes know their tokens */
    CHECK_NUMBER(list->valueint, 2);
    CHECK_NUMBER(list->child->valueint, 3);
    CHECK_NUMBER(list->child->next->valueint, 4);
    CHECK_NUMBER(list->child->next->child->valueint, 6);
    CHECK(list->child->next->next == NULL);
    cJSON_Delete(list);
    struct arena arena = {0};
    CHECK_TEXT(json_string(&json, 7, &arena), "d");
    arena_done(&arena);
    json_done(&json);
}

static void a_key_is_decoded(void) {
    struct json json;
    struct json_fault fault;
    struct arena arena = {0};
    const char *text = "{\"\\u00e4\\n\": \"\"}";
    CHECK_NUMBER(json_scan(&json, text, strlen(text), &fault), 0);
    CHECK_TEXT(json_string(&json, 1, &arena), "\xc3\xa4\n");
    CHECK_TEXT(json_string(&json, 2, &arena), "");
    arena_done(&arena);
    json_done(&json);
}

/* ---- ${} -------------------------------------------------------------------- */

/* The pieces of a string, one letter and its name for each. */
static const char *pieces(const char *string) {
    static char said[256];
    const char *cursor = string;
    size_t used = 0;
    for (;;) {
        struct value value = value_next(string, &cursor);
        if (value.type == VALUE_END)
            break;
        used +=
            (size_t)snprintf(said + used, sizeof said - used, "%s%c%zu:%.*s", used ? " " : "",
                             "-LSPXIEVW"[value.type], value.offset, (int)value.length, value.name);
        CHECK((value.type == VALUE_WRONG) == (value.error != NULL));
    }
    said[used] = '\0';
    return said;
}

static void values_are_taken_apart(void) {
    CHECK_TEXT(pieces(""), "");
    CHECK_TEXT(pieces("text"), "L0:text");
    CHECK_TEXT(pieces("a${b.stdout}c"), "L0:a S1:b L12:c");
    CHECK_TEXT(pieces("${a.path}${a.exit}"), "P0:a X9:a");
    CHECK_TEXT(pieces("${a.b-c_1.stdout}"), "S0:a.b-c_1");
    CHECK_TEXT(pieces("${stdout.stdout}"), "S0:stdout");
    CHECK_TEXT(pieces("${item}"), "I0:item");
    CHECK_TEXT(pieces("${env.HOME}${var.a.b}"), "E0:HOME V11:a.b");
    CHECK_TEXT(pieces("$$"), "L0:$");
    CHECK_TEXT(pieces("$${a}"), "L0:$ L2:{a}");
    CHECK_TEXT(pieces("$"), "L0:$");
    CHECK_TEXT(pieces("a$b$"), "L0:a L1:$b L3:$");
    CHECK_TEXT(pieces("$$$${item}"), "L0:$ L2:$ L4:{item}");
    CHECK(!value_has_any("a$b$") && !value_has_any("") && !value_has_any("}{"));
    CHECK(value_has_any("$$") && value_has_any("a${"));
}

static void wrong_values_are_pieces_too(void) {
    CHECK_TEXT(pieces("${"), "W0:${");
    CHECK_TEXT(pieces("a${b"), "L0:a W1:${b");
    CHECK_TEXT(pieces("${}x"), "W0: L3:x");
    CHECK_TEXT(pieces("${a}"), "W0:a");
    CHECK_TEXT(pieces("${a.}"), "W0:a");
    CHECK_TEXT(pieces("${.path}"), "W0:.path");
    CHECK_TEXT(pieces("${a.size}"), "W0:a");
    CHECK_TEXT(pieces("${env.}"), "W0:");
    CHECK_TEXT(pieces("${a b.path}"), "W0:a b.path");
    CHECK_TEXT(pieces("${${item}}"), "W0:${item L9:}");
}

int main(void) {
    RUN(json_is_accepted);
    RUN(other_text_is_not_and_the_reason_is_said);
    RUN(depth_and_size_are_bounded);
    RUN(tokens_say_where_keys_and_values_are);
    RUN(a_key_is_decoded);
    RUN(values_are_taken_apart);
    RUN(wrong_values_are_pieces_too);
    return finish();
}
