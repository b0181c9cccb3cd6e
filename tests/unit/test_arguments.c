/*
 * test_arguments.c - tasks from arguments, without any text of a spec, and with one.
 */
#include "base/mem.h"
#include "check.h"
#include "spec/spec.h"

static struct text told = TEXT_INIT(1 << 16);

static void tell(const ajob_mistake *mistake, void *data) {
    (void)data;
    CHECK(mistake->length >= 1);
    text_format(&told, "%s|%u|%s\n", mistake->file, mistake->line, mistake->text);
}

/* The mistakes of a spec, and how many are errors. */
static size_t check(ajob_spec *spec) {
    text_clear(&told);
    return ajob_spec_check(spec, tell, NULL);
}

static void a_task_may_need_one_that_comes_later(void) {
    ajob_spec *spec = ajob_spec_new();
    CHECK_NUMBER(ajob_spec_add(spec, "exec", "test:build,data=make check = all"), 0);
    CHECK_NUMBER(ajob_spec_add(spec, "get", "data=https://h/?a=b:c"), 0);
    CHECK_NUMBER(ajob_spec_add(spec, "exec", "build=make"), 0);
    CHECK_NUMBER(check(spec), 0);
    const struct spec_task *test = spec->first, *data = test->next, *build = data->next;
    CHECK(test->kind == SPEC_SH && data->kind == SPEC_GET && !build->next);
    CHECK_TEXT(test->command->script.text, "make check = all");
    CHECK_TEXT(data->get->url.text, "https://h/?a=b:c");
    CHECK_NUMBER(test->need_count, 2);
    CHECK(test->needs[0].task == build && test->needs[1].task == data);
    CHECK(test->at == SPEC_NOWHERE);
    ajob_spec_free(spec);
}

static void mistakes_have_the_argument_and_no_line(void) {
    ajob_spec *spec = ajob_spec_new();
    CHECK_NUMBER(ajob_spec_add(spec, "exec", "test:biuld=make"), 0);
    CHECK_NUMBER(ajob_spec_add(spec, "exec", "build"), 0);
    CHECK_NUMBER(ajob_spec_add(spec, "exec", ""), 0);
    CHECK_NUMBER(ajob_spec_add(spec, "get", "data="), 0);
    CHECK_NUMBER(check(spec), 4);
    CHECK_TEXT(text_string(&told),
               "build|0|a task has no value\n"
               "|0|a task has no value\n"
               "data|0|task \"data\" has an empty value\n"
               "test:biuld|0|task \"test\" needs \"biuld\", which does not exist\n");
    ajob_spec_free(spec);
}

static void names_and_arguments_may_be_too_long(void) {
    char argument[1024];
    ajob_spec *spec = ajob_spec_new();
    memset(argument, 'a', sizeof argument);
    memcpy(argument + 300, ":b=x", 5);
    CHECK_NUMBER(ajob_spec_add(spec, "exec", argument), 0);
    CHECK_NUMBER(check(spec), 1);
    CHECK_NUMBER(strchr(text_string(&told), '|') - text_string(&told), 200);
    CHECK(strstr(text_string(&told), "aaa\" is no name of a task\n") != NULL);
    ajob_spec_free(spec);
}

static void another_kind_is_refused(void) {
    ajob_spec *spec = ajob_spec_new();
    CHECK_NUMBER(ajob_spec_add(spec, "sleep", "a=1"), AJOB_EINVAL);
    CHECK_TEXT(ajob_spec_error(spec), "sleep: no kind of task that an argument makes");
    CHECK_NUMBER(check(spec), 0);
    ajob_spec_free(spec);
}

static void arguments_have_the_defaults_of_the_text_and_use_its_tasks(void) {
    static const char text[] = "{\"defaults\": {\"timeout\": 7, \"dir\": \"sub\"},"
                               " \"tasks\": {\"a\": {\"get\": \"http://h/\"}}}";
    ajob_spec *spec = ajob_spec_new();
    CHECK_NUMBER(ajob_spec_parse(spec, "f.json", text, strlen(text)), 0);
    CHECK_NUMBER(ajob_spec_add(spec, "get", "b=http://h/${c.stdout}"), 0);
    CHECK_NUMBER(ajob_spec_add(spec, "exec", "c:a=x"), 0);
    CHECK_NUMBER(check(spec), 0);
    const struct spec_task *b = spec->first->next;
    CHECK(b->more && b->more->has_timeout && b->more->timeout_ms == 7000);
    CHECK_TEXT(b->more->dir.text, "sub");
    CHECK(b->need_count == 1 && b->needs[0].task == b->next);
    CHECK(b->next->needs[0].task == spec->first);
    ajob_spec_free(spec);
}

static void lack_of_memory_is_told(void) {
    bool has_come = true;
    for (unsigned long nth = 1; has_come; nth++) {
        mem_fail_nth(FAULT_ALLOC, 0);
        ajob_spec *spec = ajob_spec_new();
        mem_fail_nth(FAULT_ALLOC, nth);
        int code = ajob_spec_add(spec, "get", "a:b=http://h/${b.stdout}");
        code = code ? code : ajob_spec_add(spec, "exec", "b:=x");
        size_t errors = ajob_spec_check(spec, NULL, NULL);
        has_come = mem_fail_nth(FAULT_ALLOC, 0) == 0;
        CHECK(code == 0 || (code == AJOB_ENOMEM && *ajob_spec_error(spec)));
        CHECK(errors >= 1);
        ajob_spec_free(spec);
    }
}

int main(void) {
    RUN(a_task_may_need_one_that_comes_later);
    RUN(mistakes_have_the_argument_and_no_line);
    RUN(names_and_arguments_may_be_too_long);
    RUN(another_kind_is_refused);
    RUN(arguments_have_the_defaults_of_the_text_and_use_its_tasks);
    RUN(lack_of_memory_is_told);
    text_done(&told);
    return finish();
}
