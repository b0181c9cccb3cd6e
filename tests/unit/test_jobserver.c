/*
 * test_jobserver.c - tokens and slots, with work that the test ends, on real pipes.
 *
 * The work takes its slots from the pool of commands, as commands do.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "core_rig.h"
#include "exec/jobserver.h"

enum { WORKS = 6 };

static struct work works[WORKS];
static ajob_task *root;
static int ends[2];

/* The tokens in the pipe, taken out and put back, as text. */
static const char *tokens_in(int in, int out) {
    static char tokens[64];
    int flags = fcntl(in, F_GETFL);
    fcntl(in, F_SETFL, flags | O_NONBLOCK);
    ssize_t length = read(in, tokens, sizeof tokens - 1);
    fcntl(in, F_SETFL, flags);
    tokens[length > 0 ? length : 0] = '\0';
    if (length > 0)
        CHECK_NUMBER(write(out, tokens, (size_t)length), length);
    return tokens;
}

/* A pipe with these tokens, and a run of six works. */
static void open_run(const char *tokens, unsigned most) {
    char makeflags[64];
    CHECK_NUMBER(pipe(ends), 0);
    CHECK_NUMBER(write(ends[1], tokens, strlen(tokens)), strlen(tokens));
    rig_open(0);
    root = make_group(AJOB_ALL, NULL, NULL);
    for (int i = 0; i < WORKS; i++)
        CHECK_NUMBER(ajob_set_pool(make(&works[i], NULL, root), rig.loop->commands, 1), 0);
    snprintf(makeflags, sizeof makeflags, " -j8 --jobserver-auth=%d,%d", ends[0], ends[1]);
    setenv("MAKEFLAGS", makeflags, 1);
    CHECK_NUMBER(ajob_join_jobserver(rig.loop, most), 1);
    unsetenv("MAKEFLAGS");
}

static void close_run(void) {
    rig_close();
    close(ends[0]);
    close(ends[1]);
}

static unsigned running(void) {
    unsigned count = 0;
    for (int i = 0; i < WORKS; i++)
        count += works[i].task->state == AJOB_RUNNING;
    return count;
}

static void end_one(void) {
    for (int i = 0; i < WORKS; i++)
        if (works[i].task->state == AJOB_RUNNING) {
            ajob_resolve(works[i].task, NULL);
            break;
        }
    turn();
}

/* As uv does when the pipe has something to read. */
static void run_uv(void) {
    for (int i = 0; i < 3; i++)
        uv_run(rig.loop->uv, UV_RUN_NOWAIT);
}

static void one_needs_no_token_and_each_other_takes_one(void) {
    open_run("ab", 0);
    start_run(root);
    CHECK_NUMBER(running(), 3);
    CHECK_TEXT(tokens_in(ends[0], ends[1]), "");
    for (int left = WORKS; left > 0; left--) {
        CHECK_NUMBER(running(), left < 3 ? left : 3);
        end_one();
    }
    CHECK_NUMBER(strlen(tokens_in(ends[0], ends[1])), 2);
    CHECK(strchr(tokens_in(ends[0], ends[1]), 'a') && strchr(tokens_in(ends[0], ends[1]), 'b'));
    CHECK_ENDED(root, AJOB_SUCCEEDED, NULL);
    close_run();
}

static void a_token_goes_back_as_soon_as_nobody_waits(void) {
    open_run("abcdefgh", 0);
    start_run(root);
    CHECK_NUMBER(running(), WORKS);
    CHECK_TEXT(tokens_in(ends[0], ends[1]), "fgh");
    end_one();
    CHECK_NUMBER(strlen(tokens_in(ends[0], ends[1])), 4);
    end_one();
    CHECK_NUMBER(strlen(tokens_in(ends[0], ends[1])), 5);
    for (int i = 0; i < WORKS; i++)
        end_one();
    CHECK_NUMBER(strlen(tokens_in(ends[0], ends[1])), 8);
    close_run();
}

static void a_token_that_comes_later_is_taken(void) {
    open_run("", 0);
    start_run(root);
    CHECK_NUMBER(running(), 1);
    run_uv();
    CHECK_NUMBER(running(), 1);
    CHECK_NUMBER(write(ends[1], "x", 1), 1);
    run_uv();
    CHECK_NUMBER(running(), 2);
    CHECK_NUMBER(write(ends[1], "yz", 2), 2);
    run_uv();
    CHECK_NUMBER(running(), 4);
    for (int i = 0; i < WORKS; i++)
        end_one();
    CHECK_NUMBER(strlen(tokens_in(ends[0], ends[1])), 3);
    close_run();
}

static void tokens_go_back_when_the_run_is_cancelled(void) {
    open_run("abc", 0);
    for (int i = 0; i < WORKS; i++)
        works[i].resolves_when_stopped = i > 0;
    start_run(root);
    CHECK_NUMBER(running(), 4);
    ajob_cancel(root, "the test");
    turn();
    CHECK_NUMBER(strlen(tokens_in(ends[0], ends[1])), 3); /* the one that stays needs none */
    ajob_resolve(works[0].task, NULL);
    turn();
    CHECK_ENDED(root, AJOB_CANCELLED, "cancelled by the test");
    CHECK_NUMBER(strlen(tokens_in(ends[0], ends[1])), 3);
    close_run();
}

static void tokens_go_back_when_the_loop_is_closed(void) {
    open_run("abc", 0);
    for (int i = 0; i < WORKS; i++)
        works[i].resolves_when_stopped = true;
    start_run(root);
    CHECK_TEXT(tokens_in(ends[0], ends[1]), "");
    ajob_loop_free(rig.loop);
    text_done(&rig.log);
    CHECK_NUMBER(strlen(tokens_in(ends[0], ends[1])), 3);
    close(ends[0]);
    close(ends[1]);
}

static void no_more_run_than_wanted(void) {
    open_run("abcdef", 2);
    start_run(root);
    CHECK_NUMBER(running(), 2);
    CHECK_NUMBER(strlen(tokens_in(ends[0], ends[1])), 5);
    for (int i = 0; i < WORKS; i++)
        end_one();
    CHECK_NUMBER(strlen(tokens_in(ends[0], ends[1])), 6);
    close_run();
}

/* A task that takes the slot it got a token for nowhere keeps no token. */
static void a_token_that_another_pool_makes_useless_goes_back(void) {
    open_run("ab", 0);
    ajob_pool *narrow = ajob_pool_new(rig.loop, "narrow", 1);
    for (int i = 0; i < WORKS; i++)
        CHECK_NUMBER(ajob_set_pool(works[i].task, narrow, 1), 0);
    start_run(root);
    CHECK_NUMBER(running(), 1);
    CHECK_NUMBER(strlen(tokens_in(ends[0], ends[1])), 2);
    for (int i = 0; i < WORKS; i++)
        end_one();
    CHECK_ENDED(root, AJOB_SUCCEEDED, NULL);
    CHECK_NUMBER(strlen(tokens_in(ends[0], ends[1])), 2);
    close_run();
}

static void check_offer(const char *fifo) {
    rig_open(0);
    root = make_group(AJOB_ALL, NULL, NULL);
    for (int i = 0; i < WORKS; i++)
        CHECK_NUMBER(ajob_set_pool(make(&works[i], NULL, root), rig.loop->commands, 1), 0);
    if (!CHECK_NUMBER(ajob_offer_jobserver(rig.loop, 4, fifo), 0))
        printf("# %s\n", ajob_error(rig.loop));
    const struct jobserver_gift *gift = jobserver_gift(rig.loop);
    struct jobserver_address address;
    CHECK(jobserver_find(gift->variable, &address));
    int in = address.in, out = address.out;
    if (fifo) {
        CHECK_NUMBER(gift->ends[0], -1);
        in = open(fifo, O_RDONLY | O_NONBLOCK);
        out = open(fifo, O_WRONLY);
    }
    CHECK_TEXT(tokens_in(in, out), "++++");
    start_run(root);
    CHECK_NUMBER(running(), 4);
    CHECK_TEXT(tokens_in(in, out), "");
    end_one();
    end_one();
    end_one();
    CHECK_NUMBER(running(), 3);
    CHECK_TEXT(tokens_in(in, out), "+");
    char token;
    CHECK_NUMBER(read(in, &token, 1), 1); /* a make among the commands takes one */
    for (int i = 0; i < WORKS; i++)
        end_one();
    CHECK_TEXT(tokens_in(in, out), "+++");
    if (fifo) {
        close(in);
        close(out);
    }
    rig_close();
}

static void what_is_offered_is_shared_with_commands(void) {
    setenv("MAKEFLAGS", "k -- X=1", 1);
    check_offer(NULL);
    char fifo[] = "/tmp/ajob-jobserver-XXXXXX";
    if (CHECK(mkdtemp(fifo) != NULL)) {
        char *path = text_make("%s/fifo", fifo);
        check_offer(path);
        CHECK(access(path, F_OK) != 0 && errno == ENOENT);
        rmdir(fifo);
        mem_free(path);
    }
    unsetenv("MAKEFLAGS");
}

static void what_was_in_makeflags_stays(void) {
    setenv("MAKEFLAGS", "k -j12  -j --jobserver-auth=3,4 -s -- X=1 -j9", 1);
    rig_open(0);
    CHECK_NUMBER(ajob_offer_jobserver(rig.loop, 3, NULL), 0);
    const struct jobserver_gift *gift = jobserver_gift(rig.loop);
    char *expected = text_make("MAKEFLAGS=k -s -j3 --jobserver-auth=%d,%d -- X=1 -j9",
                               gift->ends[0], gift->ends[1]);
    CHECK_TEXT(gift->variable, expected);
    CHECK(gift->ends[0] > 255 && gift->ends[1] > 255);
    mem_free(expected);
    rig_close();
    unsetenv("MAKEFLAGS");
}

static void makeflags_are_read_as_make_writes_them(void) {
    static const struct {
        const char *makeflags;
        int in, out; /* 0: none there; -1: the fifo /f */
    } cases[] = {
        {"", 0, 0},
        {"k", 0, 0},
        {" -j4 --jobserver-auth=3,4", 3, 4},
        {"ks -j4 --jobserver-fds=5,6", 5, 6},
        {"--jobserver-auth=3,4 --jobserver-auth=7,8", 7, 8},
        {" --jobserver-auth=fifo:/f", -1, -1},
        {" --jobserver-auth=fifo:/f -k", -1, -1},
        {" --jobserver-auth=-2,-2", 0, 0},
        {" --jobserver-auth=3,4 --jobserver-auth=-2,-2", 0, 0},
        {" --jobserver-auth=3", 0, 0},
        {" --jobserver-auth=3,4x", 0, 0},
        {" --jobserver-auth=", 0, 0},
        {" --jobserver-auth=fifo:", 0, 0},
        {" --jobserver-auth=99999999999999999999999999999999999,4", 0, 0},
        {"k -- A=--jobserver-auth=3,4 --jobserver-auth=3,4", 0, 0},
        {"-- --jobserver-auth=3,4", 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct jobserver_address address = {0};
        bool is_there = jobserver_find(cases[i].makeflags, &address);
        if (!CHECK_NUMBER(is_there, cases[i].in != 0))
            printf("# %s\n", cases[i].makeflags);
        if (cases[i].in > 0)
            CHECK(address.in == cases[i].in && address.out == cases[i].out && !address.fifo);
        if (cases[i].in < 0)
            CHECK(address.fifo && address.fifo_length == 2 && !strncmp(address.fifo, "/f", 2));
    }
}

static void expect_refusal(const char *makeflags, const char *error) {
    setenv("MAKEFLAGS", makeflags, 1);
    CHECK_NUMBER(ajob_join_jobserver(rig.loop, 0), AJOB_ESYSTEM);
    CHECK_TEXT(ajob_error(rig.loop), error);
    unsetenv("MAKEFLAGS");
}

static void what_cannot_be_joined_is_refused(void) {
    rig_open(0);
    CHECK_NUMBER(ajob_join_jobserver(rig.loop, 0), 0);
    expect_refusal("--jobserver-auth=250,251", "jobserver 250,251: it is not open: the rule in the "
                                               "makefile needs a + before it");
    expect_refusal(
        "--jobserver-auth=0,/dev/null --jobserver-auth=252,252",
        "jobserver 252,252: it is not open: the rule in the makefile needs a + before it");
    expect_refusal("--jobserver-auth=fifo:/nowhere/fifo -k",
                   "jobserver /nowhere/fifo: it cannot be opened");
    expect_refusal("--jobserver-auth=fifo:/dev/null", "jobserver /dev/null: it cannot be opened");
    CHECK_NUMBER(ajob_offer_jobserver(rig.loop, 0, NULL), AJOB_EINVAL);
    CHECK_NUMBER(ajob_offer_jobserver(rig.loop, 4097, NULL), AJOB_EINVAL);
    CHECK_NUMBER(ajob_offer_jobserver(rig.loop, 1, "/nowhere/fifo"), AJOB_ESYSTEM);
    CHECK(jobserver_gift(rig.loop) == NULL);
    CHECK_NUMBER(ajob_offer_jobserver(rig.loop, 1, NULL), 0);
    CHECK_NUMBER(ajob_offer_jobserver(rig.loop, 1, NULL), AJOB_EINVAL);
    rig_close();
}

int main(void) {
    RUN(one_needs_no_token_and_each_other_takes_one);
    RUN(a_token_goes_back_as_soon_as_nobody_waits);
    RUN(a_token_that_comes_later_is_taken);
    RUN(tokens_go_back_when_the_run_is_cancelled);
    RUN(tokens_go_back_when_the_loop_is_closed);
    RUN(no_more_run_than_wanted);
    RUN(a_token_that_another_pool_makes_useless_goes_back);
    RUN(what_is_offered_is_shared_with_commands);
    RUN(what_was_in_makeflags_stays);
    RUN(makeflags_are_read_as_make_writes_them);
    RUN(what_cannot_be_joined_is_refused);
    return finish();
}
