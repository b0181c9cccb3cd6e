/* test_claims.c - names that are taken: by whom, and how many may be. */
#include "base/mem.h"
#include "core_rig.h"

static const char *key_of(const char *text) {
    static char keys[2][AJOB_KEY_SIZE];
    static unsigned next;
    size_t length = strlen(text);
    char *key = keys[next++ % 2];
    CHECK_NUMBER(ajob_record_key(rig.loop, &text, &length, 1, key), 0);
    return key;
}

static uint64_t owner_of(ajob_claims *claims, const char *name, const char *purpose,
                         uint64_t number) {
    CHECK_NUMBER(ajob_claims_add(claims, key_of(name), key_of(purpose), &number), 0);
    return number;
}

static void the_first_one_has_a_name(void) {
    uint64_t number;
    rig_open(0);
    ajob_claims *claims = ajob_claims_new(rig.loop);
    CHECK_NUMBER(owner_of(claims, "a", "x", 1), 1);
    CHECK_NUMBER(owner_of(claims, "a", "y", 2), 1);
    CHECK_NUMBER(owner_of(claims, "a", "x", 3), 3); /* the same for the same */
    CHECK_NUMBER(owner_of(claims, "a", "y", 4), 1);
    CHECK_NUMBER(owner_of(claims, "b", "y", 5), 5);
    CHECK_NUMBER(ajob_claims_find(claims, key_of("b"), &number), 0);
    CHECK_NUMBER(number, 5);
    CHECK_NUMBER(ajob_claims_find(claims, key_of("c"), &number), 0);
    CHECK_NUMBER(number, 0);
    ajob_claims_free(claims);
    CHECK(!ajob_claims_free(NULL));
    rig_close();
}

/* Three tables: the last two are in a file. */
static void of_many_none_is_lost(void) {
    enum { MANY = 100000 };
    char name[24];
    rig_open(0);
    ajob_claims *claims = ajob_claims_new(rig.loop);
    for (uint64_t i = 1; i <= MANY; i++) {
        snprintf(name, sizeof name, "%d", (int)i);
        if (owner_of(claims, name, "x", i) != i)
            CHECK_NUMBER(i, -1);
    }
    for (uint64_t i = 1; i <= MANY; i++) {
        snprintf(name, sizeof name, "%d", (int)i);
        if (owner_of(claims, name, "y", 0) != i)
            CHECK_NUMBER(i, -1);
    }
    CHECK_NUMBER(owner_of(claims, "0", "x", 7), 7);
    ajob_claims_free(claims);
    rig_close();
}

static void what_cannot_be_kept_is_no_claim(void) {
    enum { MANY = 30000 };
    char name[24];
    uint64_t number = 0;
    int error = 0;
    rig_open(0);
    mem_fail_nth(FAULT_WRITE, 1);
    ajob_claims *claims = ajob_claims_new(rig.loop);
    for (uint64_t i = 1; i <= MANY && !error; i++) {
        snprintf(name, sizeof name, "%d", (int)i);
        number = i;
        error = ajob_claims_add(claims, key_of(name), key_of("x"), &number);
    }
    CHECK_NUMBER(error, AJOB_ESYSTEM);
    CHECK_TEXT(ajob_error(rig.loop), "which names are taken cannot be kept in TMPDIR, or /tmp: No "
                                     "space left on device");
    mem_fail_nth(FAULT_WRITE, 0);
    ajob_claims_free(claims);
    rig_close();
}

int main(void) {
    RUN(the_first_one_has_a_name);
    RUN(of_many_none_is_lost);
    RUN(what_cannot_be_kept_is_no_claim);
    return finish();
}
