/*
 * test_host.c - the slots of a host: an embargo closes it for all and for its time, and
 * connections that one task has beside its slot leave room for others.
 */
#include "core_rig.h"
#include "net/host.h"

enum { MANY = 8, LONGEST_MS = 300000 };

static struct work works[MANY];
static ajob_task *root;
static struct host *host;

static void open_with(unsigned per_host) {
    rig_open(0);
    rig.loop->per_host = per_host;
    root = make_group(AJOB_SETTLED, NULL, NULL);
    host = host_for(rig.loop, "https://a:443");
    CHECK(host && host == host_for(rig.loop, "https://a:443"));
    for (int i = 0; i < MANY; i++) {
        make(&works[i], (char[]){(char)('a' + i), 0}, root);
        CHECK_NUMBER(ajob_set_pool(works[i].task, host_pool(host), 1), 0);
    }
    start_run(root);
}

static const char *running(void) {
    static char names[MANY + 1];
    size_t count = 0;
    for (int i = 0; i < MANY; i++)
        if (ajob_task_state(works[i].task) == AJOB_RUNNING)
            names[count++] = (char)('a' + i);
    names[count] = '\0';
    return names;
}

static void resolve(int i) {
    ajob_resolve(works[i].task, NULL);
    turn();
}

static void close_all(void) {
    for (int round = 0; round < MANY; round++)
        for (int i = 0; i < MANY; i++)
            resolve(i);
    CHECK_NUMBER(ajob_task_state(root), AJOB_ENDED);
    rig_close();
}

static void an_embargo_closes_the_host_and_opens_it_again(void) {
    open_with(2);
    CHECK_TEXT(running(), "ab");
    host_embargo(host, 5000, LONGEST_MS);
    resolve(0);
    CHECK_TEXT(running(), "b");
    pass(4999);
    resolve(1);
    CHECK_TEXT(running(), "");
    CHECK_NUMBER(host_embargo_ms(host), 1);
    pass(1);
    turn();
    CHECK_TEXT(running(), "cd");
    CHECK_NUMBER(host_embargo_ms(host), 0);
    close_all();
}

static void the_longer_embargo_stays(void) {
    open_with(1);
    host_embargo(host, 5000, LONGEST_MS);
    host_embargo(host, 1000, LONGEST_MS);
    host_embargo(host, 0, LONGEST_MS);
    resolve(0);
    pass(1000);
    CHECK_TEXT(running(), "");
    host_embargo(host, 6000, LONGEST_MS);
    pass(4000);
    CHECK_TEXT(running(), "");
    pass(2000);
    turn();
    CHECK_TEXT(running(), "b");
    close_all();
}

static void one_that_is_too_long_lets_tasks_begin_to_fail(void) {
    struct text cause = TEXT_INIT(100);
    open_with(1);
    host_embargo(host, LONGEST_MS + 1, LONGEST_MS);
    resolve(0);
    CHECK_TEXT(running(), "b");
    CHECK_NUMBER(host_embargo_ms(host), LONGEST_MS + 1);
    host_explain(host, &cause);
    CHECK_TEXT(text_string(&cause), "https://a:443 wants to be left alone for 5m");
    text_done(&cause);
    pass(LONGEST_MS + 1);
    close_all();
}

static void hosts_are_their_own(void) {
    open_with(1);
    struct host *other = host_for(rig.loop, "https://b:443");
    host_embargo(other, 5000, LONGEST_MS);
    resolve(0);
    CHECK_TEXT(running(), "b");
    CHECK_NUMBER(host_embargo_ms(host), 0);
    pass(5000);
    close_all();
}

static void a_stop_of_the_program_shifts_its_end(void) {
    open_with(1);
    host_embargo(host, 5000, LONGEST_MS);
    resolve(0);
    rig.now_ns += UINT64_C(60000000000);
    rig.loop->suspended_ns += UINT64_C(60000000000);
    pass(4000);
    CHECK_TEXT(running(), "");
    pass(1000);
    turn();
    CHECK_TEXT(running(), "b");
    close_all();
}

static void more_connections_only_where_nobody_waits(void) {
    open_with(2);
    CHECK(!host_widen(host)); /* c waits */
    for (int i = 0; i < 6; i++)
        resolve(i);
    CHECK_TEXT(running(), "gh");
    CHECK(host_widen(host));
    host_embargo(host, 1000, LONGEST_MS);
    CHECK(!host_widen(host));
    pass(1000);
    CHECK(host_widen(host));
    host_narrow(host);
    host_narrow(host);
    close_all();
}

static void there_are_never_more_than_a_host_may_have(void) {
    open_with(6);
    rig.loop->connections_per_host = 8;
    for (int i = 0; i < 7; i++)
        resolve(i);
    CHECK_TEXT(running(), "h");
    for (int i = 0; i < 7; i++)
        CHECK(host_widen(host));
    CHECK(!host_widen(host) && !host_is_wanted(host));
    struct work late, later;
    ajob_task *first = make(&late, "late", root), *second = make(&later, "later", root);
    ajob_set_pool(first, host_pool(host), 1);
    ajob_set_pool(second, host_pool(host), 1);
    turn();
    CHECK_NUMBER(ajob_task_state(first), AJOB_READY);
    CHECK(host_is_wanted(host));
    host_narrow(host);
    turn();
    CHECK_NUMBER(ajob_task_state(first), AJOB_RUNNING);
    CHECK_NUMBER(ajob_task_state(second), AJOB_READY);
    CHECK(host_is_wanted(host) && !host_widen(host));
    for (int i = 0; i < 6; i++)
        host_narrow(host);
    turn();
    CHECK_NUMBER(ajob_task_state(second), AJOB_RUNNING);
    CHECK(!host_is_wanted(host));
    ajob_resolve(first, NULL);
    ajob_resolve(second, NULL);
    close_all();
}

int main(void) {
    RUN(an_embargo_closes_the_host_and_opens_it_again);
    RUN(the_longer_embargo_stays);
    RUN(one_that_is_too_long_lets_tasks_begin_to_fail);
    RUN(hosts_are_their_own);
    RUN(a_stop_of_the_program_shifts_its_end);
    RUN(more_connections_only_where_nobody_waits);
    RUN(there_are_never_more_than_a_host_may_have);
    return finish();
}
