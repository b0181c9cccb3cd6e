/* names.c - what numbers are called: enums of ajob.h, signals. See names.h. */
#include "core/names.h"

#include <signal.h>

const char *ajob_state_name(enum ajob_state state) {
    static const char *const names[] = {
#define AJOB_X(name, text) text,
        AJOB_STATES(AJOB_X)
#undef AJOB_X
    };
    return names[state];
}

const char *ajob_status_name(enum ajob_status status) {
    static const char *const names[] = {
#define AJOB_X(name, text) text,
        AJOB_STATUSES(AJOB_X)
#undef AJOB_X
    };
    return names[status];
}

const char *ajob_policy_name(enum ajob_policy policy) {
    static const char *const names[] = {
#define AJOB_X(name, text) text,
        AJOB_POLICIES(AJOB_X)
#undef AJOB_X
    };
    return names[policy];
}

const char *ajob_event_name(enum ajob_event_type type) {
    static const char *const names[] = {
#define AJOB_X(name, text) text,
        AJOB_EVENTS(AJOB_X)
#undef AJOB_X
    };
    return names[type];
}

const char *name_of_readiness(unsigned readiness) {
    static const char *const names[] = {
#define AJOB_X(name, text) [AJOB_READY_##name] = text,
        AJOB_READINESS(AJOB_X)
#undef AJOB_X
    };
    return readiness < sizeof names / sizeof names[0] ? names[readiness] : NULL;
}

/* clang-format off */
#define SIGNALS(X) \
    X(HUP) X(INT) X(QUIT) X(ILL) X(TRAP) X(ABRT) X(BUS) X(FPE) X(KILL) X(USR1) \
    X(SEGV) X(USR2) X(PIPE) X(ALRM) X(TERM) X(CHLD) X(CONT) X(STOP) X(TSTP) \
    X(TTIN) X(TTOU) X(URG) X(XCPU) X(XFSZ) X(VTALRM) X(PROF) X(SYS)
/* clang-format on */

const char *name_of_signal(int number) {
    static char unknown[16];
    switch (number) {
#define AJOB_X(name)                                                                               \
    case SIG##name:                                                                                \
        return #name;
        SIGNALS(AJOB_X)
#undef AJOB_X
    }
    snprintf(unknown, sizeof unknown, "%d", number);
    return unknown;
}
