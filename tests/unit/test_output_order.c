/* test_output_order.c - blocks in the order of the tasks, however they end; what waits is
 * in one file, and holds feeds back when it is too much. */
#include "output_rig.h"

enum { TASKS = 6 };

static struct place *places[PRINTERS];

static void open_order(enum ajob_output_mode mode) {
    bool is_lacking;
    say_open();
    say.fds[0] = say_file(&say.read_fds[0]);
    say.fds[1] = say_file(&say.read_fds[1]);
    say_start((ajob_output_options){.mode = mode, .is_ordered = true});
    for (size_t i = 0; i < PRINTERS; i++) {
        places[i] = output_place(rig.loop, &is_lacking);
        CHECK(places[i] && !is_lacking);
        output_set_place(say.outputs[i], places[i]);
    }
}

static void end_of(size_t i, const char *failure) {
    over(i, failure);
    output_place_over(places[i]);
}

static void close_order(void) {
    for (size_t i = 0; i < PRINTERS; i++)
        if (say.outputs[i])
            end_of(i, NULL);
    say_close();
}

static void the_first_is_live_and_the_others_wait(void) {
    open_order(AJOB_OUTPUT_GROUP);
    print(1, "b1\n");
    CHECK_TEXT(seen(OUTPUT_STDOUT), "");
    print(0, "a1\n");
    CHECK_TEXT(seen(OUTPUT_STDOUT), "a1\n");
    end_of(1, NULL);
    print(2, "c1\n");
    print(0, "a2\n");
    CHECK_TEXT(seen(OUTPUT_STDOUT), "a2\n");
    end_of(0, "wrong");
    CHECK_TEXT(seen(OUTPUT_STDOUT), "b1\nc1\n"); /* the third is live now */
    print(2, "c2\n");
    CHECK_TEXT(seen(OUTPUT_STDOUT), "c2\n");
    close_order();
}

static void an_attempt_is_not_the_end(void) {
    open_order(AJOB_OUTPUT_GROUP);
    print(1, "b\n");
    end_of(1, NULL);
    print(0, "first\n");
    output_close(say.outputs[0], true);
    output_free(say.outputs[0]);
    CHECK_TEXT(seen(OUTPUT_STDOUT), "first\n");
    say.outputs[0] = output_open(say.tasks[0], false, say_has_room);
    output_set_place(say.outputs[0], places[0]);
    print(0, "second\n");
    end_of(0, NULL);
    CHECK_TEXT(seen(OUTPUT_STDOUT), "second\nb\n");
    close_order();
}

static void only_failures_in_order(void) {
    open_order(AJOB_OUTPUT_NONE);
    for (size_t i = TASKS; i-- > 0;) {
        char line[] = {(char)('a' + i), '\n', '\0'};
        print(i, line);
        end_of(i, i % 2 ? "wrong" : NULL);
    }
    CHECK_TEXT(seen(OUTPUT_STDERR), "b\nd\nf\n");
    close_order();
}

/* Every order in which six can end. */
static void any_order_of_ends_gives_the_same(void) {
    unsigned orders = 1;
    for (unsigned i = 2; i <= TASKS; i++)
        orders *= i;
    for (unsigned order = 0; order < orders; order++) {
        size_t left[TASKS] = {0, 1, 2, 3, 4, 5};
        unsigned rest = order;
        open_order(AJOB_OUTPUT_GROUP);
        for (size_t i = 0; i < TASKS; i++) {
            char line[] = {(char)('a' + i), '\n', '\0'};
            print(i, line);
        }
        for (unsigned count = TASKS; count; count--) {
            unsigned pick = rest % count;
            rest /= count;
            end_of(left[pick], NULL);
            memmove(left + pick, left + pick + 1, (TASKS - 1 - pick) * sizeof left[0]);
        }
        CHECK_TEXT(seen(OUTPUT_STDOUT), "a\nb\nc\nd\ne\nf\n");
        close_order();
    }
}

static void much_goes_to_one_file_and_comes_back_whole(void) {
    enum { MUCH = 900 * 1024 };
    open_order(AJOB_OUTPUT_GROUP);
    for (size_t i = 1; i < PRINTERS; i++) {
        print_much(i, MUCH);
        end_of(i, NULL);
    }
    CHECK(!rig.loop->holds_feeds); /* little of it is in memory */
    end_of(0, NULL);
    for (int i = 0; i < 40; i++)
        uv_turns(); /* a lot is written in portions */
    const char *text = seen(OUTPUT_STDOUT);
    for (size_t i = 1; i < PRINTERS; i++)
        text = check_much(i, MUCH, text);
    CHECK_TEXT(text, "");
    close_order();
}

static void too_much_holds_feeds_back_until_it_is_gone(void) {
    open_order(AJOB_OUTPUT_GROUP);
    mem_fail_nth(FAULT_WRITE, 1); /* what cannot be spooled stays in memory */
    for (size_t i = 1; i < PRINTERS; i++) {
        print_much(i, 1000 * 1024);
        end_of(i, NULL);
        mem_fail_nth(FAULT_WRITE, 1);
    }
    mem_fail_nth(FAULT_WRITE, 0);
    CHECK(rig.loop->holds_feeds);
    end_of(0, NULL);
    for (int i = 0; i < 40; i++)
        uv_turns();
    CHECK(!rig.loop->holds_feeds);
    close_order();
}

int main(void) {
    RUN(the_first_is_live_and_the_others_wait);
    RUN(an_attempt_is_not_the_end);
    RUN(only_failures_in_order);
    RUN(any_order_of_ends_gives_the_same);
    RUN(much_goes_to_one_file_and_comes_back_whole);
    RUN(too_much_holds_feeds_back_until_it_is_gone);
    return finish();
}
