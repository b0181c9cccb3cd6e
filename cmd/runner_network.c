/*
 * runner_network.c - the options of talking to servers, and what they say in the words
 * of ajob.h. See runner.h.
 */
#include "runner.h"

#include <stdlib.h>

/* In the order of the enum that they stand for. */
static const char *const http_words[] = {"auto", "1.1", "2", NULL};

_Static_assert(AJOB_HTTP_AUTO == 0 && AJOB_HTTP_1_1 == 1 && AJOB_HTTP_2 == 2, "http_words");

#define AT(field) .at = offsetof(struct run_options, field)

const struct cli_option run_network_options[] = {
    {
        .name = "header",
        .letter = 'H',
        .argument = "LINE",
        .type = CLI_TEXTS,
        AT(headers),
        .help = "Send the header LINE, as in \"Name: value\", with each request; may be repeated",
        .more = "Headers go to the server that was named, never to one that it redirects to. Other "
                "users of the machine can see them in the list of processes.",
    },
    {
        .name = "cacert",
        .argument = "FILE",
        .type = CLI_FILE,
        AT(cacert),
        .help = "Trust the certificate authorities in FILE (PEM) instead of the system's",
    },
    {
        .name = "http",
        .argument = "VERSION",
        .type = CLI_WORD,
        .words = http_words,
        AT(http),
        .help = "Speak this VERSION of HTTP",
        .more = "With auto, it is what the server offers and the installed libcurl does well.",
    },
    {
        .name = "connect-timeout",
        .argument = "D",
        .type = CLI_DURATION,
        AT(connect_timeout),
        .help = "Give up connecting after D (default: 30s)",
    },
    {
        .name = "stall-timeout",
        .argument = "D",
        .type = CLI_DURATION,
        AT(stall_timeout),
        .help = "Give up an attempt when nothing has arrived for D (default: 30s)",
    },
    {
        .name = "min-speed",
        .argument = "SIZE",
        .type = CLI_SIZE,
        AT(min_speed),
        .help = "Give up an attempt that stays below SIZE a second (default: 100)",
        .more = "That is for as long as --stall-timeout says. What --limit-rate holds back counts "
                "as arrived.",
    },
    {
        .name = "insecure",
        .type = CLI_FLAG,
        AT(insecure),
        .help = "Take any certificate, and send no tokens and headers",
        .more = "Whoever is on the way can then read and change what comes, unless its digest is "
                "given. ajob says so each time.",
    },
    {0},
};

/* curl(1) reads the first of these, and OpenSSL the second. */
static const char *certificates(const struct run_options *options) {
    static const char *const names[] = {"CURL_CA_BUNDLE", "SSL_CERT_FILE"};
    if (options->cacert)
        return options->cacert;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = getenv(names[i]);
        if (value && *value)
            return value;
    }
    return NULL;
}

ajob_http_options run_http(const struct run_options *options) {
    ajob_http_options http = {
        .headers = options->headers.items,
        .cacert = certificates(options),
        .connect_timeout_ms = run_amount(&options->connect_timeout),
        .stall_timeout_ms = run_amount(&options->stall_timeout),
        .min_speed = run_amount(&options->min_speed),
        .insecure = options->insecure,
    };
    if (options->http == AJOB_HTTP_1_1)
        http.version = AJOB_HTTP_1_1;
    else if (options->http == AJOB_HTTP_2)
        http.version = AJOB_HTTP_2;
    return http;
}
