/*
 * test_base.c - text that grows up to a bound, UTF-8, escaping, units, the
 * nearest word, memory faults.
 */
#include "ajob.h"
#include "base/mem.h"
#include "base/pattern.h"
#include "base/text.h"
#include "check.h"

/* ---- text -------------------------------------------------------------- */

static void text_grows_up_to_its_bound(void) {
    struct text text = TEXT_INIT(200);
    CHECK_TEXT(text_string(&text), "");
    for (int i = 0; i < 100; i++)
        text_add(&text, "ab");
    CHECK(text_ok(&text));
    CHECK_NUMBER(text.length, 200);
    text_add(&text, "");
    CHECK(text_ok(&text));
    text_add_char(&text, 'x');
    CHECK(!text_ok(&text));
    CHECK_NUMBER(text.length, 200); /* what fitted stays */
    text_clear(&text);
    CHECK(text_ok(&text));
    text_format(&text, "%d-%s", 7, "x");
    CHECK_TEXT(text_string(&text), "7-x");
    text_format(&text, "%200d", 1); /* too long: nothing of it */
    CHECK(!text_ok(&text));
    CHECK_TEXT(text_string(&text), "7-x");
    text_done(&text);
    text_add(&text, "again");
    CHECK_TEXT(text_string(&text), "again");
    text_done(&text);
}

static void text_without_memory_is_marked(void) {
    struct text text = TEXT_INIT(200);
    mem_fail_nth(FAULT_ALLOC, 1);
    text_add(&text, "a");
    CHECK(!text_ok(&text));
    text_add(&text, "b"); /* no hole in the middle */
    CHECK(!text_ok(&text));
    CHECK_TEXT(text_string(&text), "");
    text_clear(&text);
    text_add(&text, "c");
    CHECK_TEXT(text_string(&text), "c");
    text_done(&text);
}

static void a_new_text_is_cut_at_a_character(void) {
    char longest[3000];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    memcpy(longest + TEXT_LINE_MAX - 3, "\xf0\x9f\x98\x80", 4); /* of 4 bytes, 2 fit */
    char *text = text_new("%s", longest);
    CHECK_NUMBER(strlen(text), TEXT_LINE_MAX - 3);
    mem_free(text);
    memcpy(longest + TEXT_LINE_MAX - 5, "\xf0\x9f\x98\x80", 4); /* all fit */
    longest[TEXT_LINE_MAX - 1] = '\0';
    text = text_new("%s", longest);
    CHECK_NUMBER(strlen(text), TEXT_LINE_MAX - 1);
    mem_free(text);
    text = text_new("%s%s", "a", "b");
    CHECK_TEXT(text, "ab");
    mem_free(text);
}

static void json_has_valid_utf8_whatever_comes_in(void) {
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"plain", "plain"},
        {"\"\\/\n", "\\\"\\\\/\\n"},
        {"\t\r\x01\x7f", "\\u0009\\u000d\\u0001\\u007f"},
        {"\xc3\xa9", "\xc3\xa9"},
        {"\xc3", "\xef\xbf\xbd"},
        {"\xff.\xfe", "\xef\xbf\xbd.\xef\xbf\xbd"},
        {"\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd"},                 /* overlong */
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* a surrogate */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct text text = TEXT_INIT(200);
        text_add_json(&text, cases[i].in, strlen(cases[i].in));
        CHECK_TEXT(text_string(&text), cases[i].out);
        text_done(&text);
    }
    struct text text = TEXT_INIT(200);
    text_add_json(&text, "a\0b", 3);
    CHECK_TEXT(text_string(&text), "a\\u0000b");
    text_done(&text);
}

/* Against the definition: every code point, and every sequence of 1 and 2 bytes. */
static void utf8_is_what_rfc_3629_says(void) {
    for (uint32_t point = 0; point <= 0x10ffff; point++) {
        char bytes[4];
        size_t size = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
        static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
        uint32_t rest = point, decoded = UINT32_MAX;
        for (size_t i = size; i-- > 1; rest >>= 6)
            bytes[i] = (char)(0x80 | (rest & 0x3f));
        bytes[0] = (char)(lead[size] | rest);
        bool is_surrogate = point >= 0xd800 && point <= 0xdfff;
        CHECK_NUMBER(utf8_decode(bytes, 4, &decoded), is_surrogate ? 0 : size);
        CHECK(is_surrogate || decoded == point);
        CHECK_NUMBER(utf8_decode(bytes, size - 1, &decoded), 0); /* cut off */
    }
    for (unsigned first = 0x80; first < 0x100; first++) {
        char bytes[2] = {(char)first, 0};
        uint32_t point;
        CHECK_NUMBER(utf8_decode(bytes, 1, &point), 0);
        CHECK_NUMBER(utf8_decode(bytes, 2, &point), 0); /* no continuation */
    }
    static const char *const wrong[] = {
        "\xc1\xbf",         "\xe0\x9f\xbf",         "\xf0\x8f\xbf\xbf",
        "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\x80"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        uint32_t point;
        CHECK_NUMBER(utf8_decode(wrong[i], strlen(wrong[i]), &point), 0);
    }
}

static void escaped_text_does_nothing_to_a_terminal_or_ci(void) {
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"plain \xc3\xa9 \xf0\x9f\x98\x80", "plain \xc3\xa9 \xf0\x9f\x98\x80"},
        {"", ""},
        {"a\nb\x1b[31m\x7f", "a\\x0ab\\x1b[31m\\x7f"},
        {"\xc2\x9b", "\\x9b"},         /* a C1 control */
        {"\xff\xc3", "\\xff\\xc3"},    /* not UTF-8 */
        {"\xe2\x80\xae", "\\u{202e}"}, /* right to left */
        {"\xe2\x80\xa8\xef\xbb\xbf", "\\u{2028}\\u{feff}"},
        {"\xf3\xa0\x81\x81", "\\u{e0041}"}, /* a tag character */
        {"\xd8\x9c", "\\u{61c}"},
        {"::error::x", "\\x3a:error::x"},
        {"::::", "\\x3a:::"},
        {" \xc2\xa0::x", " \xc2\xa0\\x3a:x"}, /* the runner skips space */
        {"a ::x", "a ::x"},
        {":x", ":x"},
        {"x##[error]y", "x\\x23#[error]y"},
        {"##x", "##x"},
        {"\\x41", "\\x41"},
    };
    char out[128];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        CHECK_TEXT(ajob_escape(out, sizeof out, cases[i].in), cases[i].out);
}

static void escaped_text_is_cut_at_a_character(void) {
    char out[16];
    CHECK_TEXT(ajob_escape(out, 4, "abcdef"), "abc");
    CHECK_TEXT(ajob_escape(out, 4, "ab\xc3\xa9"), "ab");
    CHECK_TEXT(ajob_escape(out, 5, "ab\xc3\xa9"), "ab\xc3\xa9");
    CHECK_TEXT(ajob_escape(out, 6, "ab\x01z"), "ab");
    CHECK_TEXT(ajob_escape(out, 1, "abc"), "");
    out[0] = 'x';
    CHECK(ajob_escape(out, 0, "abc") == out && out[0] == 'x');
}

/* ---- units ------------------------------------------------------------- */

static void durations_are_read(void) {
    static const struct {
        const char *text;
        uint64_t ms;
    } good[] = {
        {"500ms", 500},      {"30s", 30000},        {"5m", 300000},     {"1h30m", 5400000},
        {"90", 90000},       {"1.5", 1500},         {"0", 0},           {"0s", 0},
        {"1d", 86400000},    {"365d", 31536000000}, {"1.5h", 5400000},  {"0.001", 1},
        {"1h0.5s", 3600500}, {"0.0009", 0},         {"1m500ms", 60500}, {"8760h", 31536000000}};
    static const char *const bad[] = {
        "",   "s",   "-1",    "1x",   "1 s",      " 1",   "1s ",     "1.",
        ".5", "1e3", "30m1h", "1s1s", "1h30",     "366d", "365d1ms", "99999999999999999999",
        "1S", "1sm", "inf",   "0x10", "31536001", "+1"};
    uint64_t ms = 42;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        if (!CHECK(ajob_parse_duration(good[i].text, &ms)) || !CHECK_NUMBER(ms, good[i].ms))
            printf("# \"%s\"\n", good[i].text);
    }
    ms = 42;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (!CHECK(!ajob_parse_duration(bad[i], &ms)))
            printf("# \"%s\"\n", bad[i]);
    CHECK_NUMBER(ms, 42); /* set only on success */
}

static void sizes_are_read(void) {
    static const struct {
        const char *text;
        uint64_t size;
    } good[] = {{"0", 0},
                {"64K", 65536},
                {"64k", 65536},
                {"4M", 4194304},
                {"1G", 1073741824},
                {"2T", 2199023255552},
                {"18446744073709551615", UINT64_MAX},
                {"16777215T", UINT64_C(16777215) << 40}};
    static const char *const bad[] = {
        "",          "K",   "-1", "1.5K", "1KB", "1KiB", "1 K", "1P", "18446744073709551616",
        "16777216T", "0x1", "1K "};
    uint64_t size = 42;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        if (!CHECK(ajob_parse_size(good[i].text, &size)) || !CHECK(size == good[i].size))
            printf("# \"%s\"\n", good[i].text);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (!CHECK(!ajob_parse_size(bad[i], &size)))
            printf("# \"%s\"\n", bad[i]);
}

static void durations_and_sizes_are_written(void) {
    char text[32];
    CHECK_TEXT(ajob_format_duration(text, 0), "0s");
    CHECK_TEXT(ajob_format_duration(text, 250), "250ms");
    CHECK_TEXT(ajob_format_duration(text, 999), "999ms");
    CHECK_TEXT(ajob_format_duration(text, 1000), "1s");
    CHECK_TEXT(ajob_format_duration(text, 1500), "1.5s");
    CHECK_TEXT(ajob_format_duration(text, 59999), "59.9s");
    CHECK_TEXT(ajob_format_duration(text, 60000), "1m");
    CHECK_TEXT(ajob_format_duration(text, 90500), "1m30s");
    CHECK_TEXT(ajob_format_duration(text, 5400000), "1h30m");
    CHECK_TEXT(ajob_format_duration(text, 86400000), "1d");
    CHECK(strlen(ajob_format_duration(text, UINT64_MAX)) < 32);
    CHECK_TEXT(ajob_format_size(text, 0), "0 B");
    CHECK_TEXT(ajob_format_size(text, 1023), "1023 B");
    CHECK_TEXT(ajob_format_size(text, 1024), "1.0 KiB");
    CHECK_TEXT(ajob_format_size(text, 14575206), "13.9 MiB");
    CHECK_TEXT(ajob_format_size(text, 1048575), "1.0 MiB");
    CHECK_TEXT(ajob_format_size(text, UINT64_MAX), "16.0 EiB");
}

/* ---- words ------------------------------------------------------------- */

static void the_nearest_word_is_found(void) {
    static const char *const words[] = {"timeout", "retries", "jobs", "grace", "dir", "progress"};
    enum { COUNT = sizeof words / sizeof words[0] };
    CHECK_TEXT(ajob_nearest("timout", words, COUNT), "timeout");
    CHECK_TEXT(ajob_nearest("timeuot", words, COUNT), "timeout"); /* a swap is one */
    CHECK_TEXT(ajob_nearest("retrise", words, COUNT), "retries");
    CHECK_TEXT(ajob_nearest("job", words, COUNT), "jobs");
    CHECK_TEXT(ajob_nearest("jbo", words, COUNT), NULL); /* short words: one apart */
    CHECK_TEXT(ajob_nearest("dri", words, COUNT), "dir");
    CHECK_TEXT(ajob_nearest("timeout", words, COUNT), "timeout");
    CHECK_TEXT(ajob_nearest("something", words, COUNT), NULL);
    CHECK_TEXT(ajob_nearest("x", words, 0), NULL);
    char longest[200];
    memset(longest, 'a', sizeof longest);
    longest[199] = '\0';
    CHECK_TEXT(ajob_nearest(longest, words, COUNT), NULL);
    const char *long_words[] = {longest, "grace"};
    CHECK_TEXT(ajob_nearest("grac", long_words, 2), "grace");
    longest[64] = '\0'; /* the longest that is compared */
    CHECK_TEXT(ajob_nearest(longest, long_words, 2), longest);
}

/* ---- patterns ---------------------------------------------------------- */

static void a_pattern_without_bounds_is_refused(void) {
    static const char *const fine[] = {
        "",
        "a|b",
        "^up on [0-9]{1,3}(\\.[0-9]{1,3}){3}:[0-9]+$",
        "(a+)+",
        "a{4000}",
        "[]{9]",
        "[[:alpha:]]{1,100}x*",
        "a{",
        "a{,5}",
        "((",
        "))",
        "[",
        "[[:",
        "\\",
        "\\{999999",
    };
    static const char *const excessive[] = {
        "((((a{1,200}){1,200}){1,200}){1,200}){1,200}",
        "((((((((((((((a+)+)+)+)+)+)+)+)+)+)+)+)+)+",
        "a{99999999999999999999}",
        "(a{100,}){100,}",
        "[[:digit:]]{6000}",
        "(a*)(b*)\\1c",
    };
    char deep[100];
    for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++)
        CHECK_TEXT(pattern_excess(fine[i]), NULL);
    for (size_t i = 0; i < sizeof excessive / sizeof excessive[0]; i++)
        CHECK(pattern_excess(excessive[i]) != NULL);
    memset(deep, '(', sizeof deep);
    deep[64] = '\0';
    CHECK_TEXT(pattern_excess(deep), NULL);
    deep[64] = '(';
    deep[65] = '\0';
    CHECK(pattern_excess(deep) != NULL);
}

/* ---- memory ------------------------------------------------------------ */

static void the_nth_call_fails(void) {
    void *block = NULL;
    mem_fail_nth(FAULT_ALLOC, 3);
    CHECK((block = mem_new(10)) != NULL);
    block = mem_free(block);
    CHECK((block = mem_copy("a")) != NULL);
    CHECK(!mem_resize(block, 100));
    CHECK_TEXT(block, "a"); /* as it was */
    void *larger = mem_resize(block, 100);
    CHECK(larger != NULL);
    CHECK(!mem_free(larger));
    CHECK(!mem_copy(NULL));
    char *copy = mem_copy_n("abc", 2);
    CHECK_TEXT(copy, "ab");
    mem_free(copy);
    mem_fail_nth(FAULT_WRITE, 1); /* each fault has its own count */
    CHECK(!mem_fault(FAULT_ALLOC));
    CHECK(mem_fault(FAULT_WRITE));
    CHECK(!mem_fault(FAULT_WRITE));
}

static void logins_are_hidden(void) {
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"http://u:p@h/x", "http://h/x"},
        {"a: http://u@h, https://v:w@g?x@y", "a: http://h, https://g"},
        {"http://u:p@q@h", "http://h"},
        {"http://h/a@b http://u:a b@h", "http://h/a@b http://h"},
        {"http://h?s: why, http://h/x#s; \"http://h/?s\" ?",
         "http://h: why, http://h/x; \"http://h/\" ?"},
        {"http://h/x?:s@:http://u@g?s:", "http://h/x:"},
        {"://@", "://"},
        {"http://@://@x", "http://://x"},
        {"u:p@h", "u:p@h"},
        {"://", "://"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[64];
        snprintf(text, sizeof text, "%s", cases[i].in);
        CHECK_TEXT(ajob_hide_secrets(text), cases[i].out);
    }
}

static void a_url_is_shown_without_secrets_whatever_it_is(void) {
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"http://u:p@h/x?q#f", "http://h/x"},
        {"http://h/x?a b://c@d", "http://h/x"},
        {"http://h#f", "http://h"},
        {"u:p@h/x?q", "h/x"},
        {"h/a@b", "h/a@b"},
        {"?q", ""},
        {"", ""},
        {"::x\n", "\\x3a:x\\x0a"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char shown[64];
        CHECK_TEXT(ajob_show_url(shown, sizeof shown, cases[i].in), cases[i].out);
    }
}

int main(void) {
    RUN(text_grows_up_to_its_bound);
    RUN(text_without_memory_is_marked);
    RUN(a_new_text_is_cut_at_a_character);
    RUN(json_has_valid_utf8_whatever_comes_in);
    RUN(utf8_is_what_rfc_3629_says);
    RUN(escaped_text_does_nothing_to_a_terminal_or_ci);
    RUN(escaped_text_is_cut_at_a_character);
    RUN(logins_are_hidden);
    RUN(a_url_is_shown_without_secrets_whatever_it_is);
    RUN(durations_are_read);
    RUN(sizes_are_read);
    RUN(durations_and_sizes_are_written);
    RUN(the_nearest_word_is_found);
    RUN(a_pattern_without_bounds_is_refused);
    RUN(the_nth_call_fails);
    return finish();
}
