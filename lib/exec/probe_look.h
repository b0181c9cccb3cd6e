/*
 * probe_look.h - what probe.c and the kinds of looking share; for probe*.c only.
 *
 * A look is one try of a probe. It owns its memory and its handles and frees itself
 * once these are closed: whoever loses interest just abandons it.
 */
#ifndef AJOB_EXEC_PROBE_LOOK_H
#define AJOB_EXEC_PROBE_LOOK_H

#include <netinet/in.h>
#include <regex.h>

#include "exec/probe.h"

enum {
    LOOK_CONNECT_MS = 1000, /* for one address to accept */
    LOOK_ANSWER_MS = 5000,  /* for an HTTP server to answer, after that */
    LOOK_COMMAND_MS = 10000,
};

struct look {
    struct probe *probe; /* NULL: abandoned */
};

struct look_kind {
    /* NULL: there is no memory or no descriptor for it now; as a look in vain. */
    struct look *(*begin)(struct probe *probe);
    /* look_over() comes no more. look->probe is NULL already. False: a process is left,
     * and the owner's gone() will come. */
    bool (*abandon)(struct look *look);
};

struct probe_plan {
    const struct look_kind *kind; /* NULL: line and fd, which are told and do not look */
    uint64_t interval_ms;
    int fd;            /* 0: none */
    char *host, *port; /* tcp, http: for getaddrinfo() */
    /* What needs no resolver: the address that host is, or both of localhost. */
    struct sockaddr_storage addresses[2];
    unsigned address_count;
    char *request; /* http: what is sent */
    char *path;    /* file */
    char **argv;   /* exec; ends with NULL */
    regex_t line;
    bool has_line; /* line was compiled */
};

extern const struct look_kind look_connect, look_file, look_exec;

const struct probe_setup *look_setup(const struct probe *probe);

/* The look has ended, with this result; called once, never from inside begin(). It
 * lives on until its handles are closed. */
void look_over(struct look *look, bool is_ready);

/* A look could not even begin, and why: told once for each probe. */
void look_failed(struct probe *probe, const char *why);

/* The status of an HTTP answer that begins like this: 0: more is needed, -1: it is
 * no HTTP. */
int http_status(const char *answer, size_t length);

#endif
