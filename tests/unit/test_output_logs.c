/* test_output_logs.c - names of log files, whatever tasks are called. */
#include "output_rig.h"

#include <sys/stat.h>

enum { A, B, C };

static char dir[] = "/tmp/ajob-test-XXXXXX";

static const char *content(const char *name) {
    static char text[4096];
    char path[512];
    snprintf(path, sizeof path, "%s/logs/%s", dir, name);
    FILE *file = fopen(path, "r");
    if (!file)
        return NULL;
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    remove(path);
    return text;
}

static const char *logs_dir(void) {
    static char path[64];
    snprintf(path, sizeof path, "%s//logs/", dir);
    return path;
}

static void open_logs(void) {
    say.fds[0] = say_file(&say.read_fds[0]);
    say.fds[1] = say_file(&say.read_fds[1]);
    say_start((ajob_output_options){.mode = AJOB_OUTPUT_NONE, .log_dir = logs_dir()});
}

static void close_logs(void) {
    char name[16];
    say_close();
    for (char c = 'a'; c < 'a' + PRINTERS; c++) {
        snprintf(name, sizeof name, "%c.log", c);
        content(name);
    }
}

static void names_never_leave_the_directory(void) {
    static const struct {
        const char *title, *file;
    } cases[] = {
        {"../../etc/x", "_._.._etc_x.log"},
        {"..", "_..log"},
        {".", "_.log"},
        {"-rf", "_rf.log"},
        {"a/b", "a_b.log"},
        {"a\n\033b\xff", "a__b_.log"},
        {"\xe2\x80\xae.txt", "_.txt.log"},
        {"\xc3\xa9", "\xc3\xa9.log"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        say_open();
        CHECK_NUMBER(ajob_set_title(say.tasks[A], cases[i].title), 0);
        open_logs();
        print(A, "x\n");
        over(A, NULL);
        if (!CHECK_TEXT(content(cases[i].file), "x\n"))
            printf("# %s\n", cases[i].file);
        close_logs();
    }
}

static void a_long_name_is_cut(void) {
    char name[300], file[300];
    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = '\0';
    snprintf(file, sizeof file, "%.200s.log", name);
    say_open();
    CHECK_NUMBER(ajob_set_title(say.tasks[A], name), 0);
    open_logs();
    print(A, "x");
    over(A, NULL);
    CHECK_TEXT(content(file), "x");
    close_logs();
}

static void tasks_of_one_name_share_a_file(void) {
    say_open();
    CHECK_NUMBER(ajob_set_name(say.tasks[A], "same"), 0);
    CHECK_NUMBER(ajob_set_name(say.tasks[B], "same"), 0);
    open_logs();
    print(A, "a1\na2");
    print(B, "b1\n");
    over(A, NULL);
    over(B, NULL);
    CHECK_TEXT(content("same.log"), "a1\nb1\na2");
    close_logs();
}

static void groups_are_directories_and_links_are_not_followed(void) {
    char path[512], target[256];
    for (int round = 0; round < 2; round++) {
        say_open();
        ajob_task *group = make_group(AJOB_SETTLED, "g", NULL);
        CHECK_NUMBER(ajob_group_add(group, say.root), 0);
        CHECK_NUMBER(ajob_set_name(say.root, "in"), 0);
        say.root = make_group(AJOB_SETTLED, NULL, NULL);
        CHECK_NUMBER(ajob_group_add(say.root, group), 0);
        open_logs();
        print(A, "deep\n");
        over(A, NULL);
        if (round == 0)
            CHECK_TEXT(content("g/in/a.log"), "deep\n");
        else
            CHECK(strstr(marks(), "g/in/a note:its log cannot be written: ") != NULL);
        say_close();
        for (char c = 'a'; c < 'a' + PRINTERS; c++) {
            snprintf(path, sizeof path, "g/in/%c.log", c);
            CHECK((content(path) != NULL) == (round == 0 && c > 'a'));
        }
        snprintf(path, sizeof path, "%s/logs/g", dir);
        snprintf(target, sizeof target, "%s/logs/elsewhere", dir);
        if (round == 0)
            CHECK(rename(path, target) == 0 && symlink(target, path) == 0);
    }
    CHECK_NUMBER(unlink(path), 0);
    snprintf(path, sizeof path, "%s/in", target);
    CHECK_NUMBER(rmdir(path), 0);
    CHECK_NUMBER(rmdir(target), 0);
}

int main(void) {
    if (!mkdtemp(dir))
        return 1;
    RUN(names_never_leave_the_directory);
    RUN(a_long_name_is_cut);
    RUN(tasks_of_one_name_share_a_file);
    RUN(groups_are_directories_and_links_are_not_followed);
    CHECK(rmdir(logs_dir()) == 0 && rmdir(dir) == 0);
    return finish();
}
