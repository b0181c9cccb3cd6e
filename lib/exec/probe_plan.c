/*
 * probe_plan.c - what ajob_ready_options say, checked and taken apart.
 *
 * Everything that can be wrong with a probe is found here, before anything
 * starts; whether a name exists or a port is open only the probe finds out.
 */
#include <strings.h>
#include <uv.h>

#include "base/mem.h"
#include "base/pattern.h"
#include "core/names.h"
#include "exec/probe_look.h"

enum { FD_FIRST = 3, FD_LAST = 255, HOST_MAX = 255, URL_MAX = 8192 };

typedef bool plan_fn(struct probe_plan *plan, const ajob_ready_options *options,
                     struct text *error);

/* Appends: ready tcp "localhost": it has no port. */
static bool refuse(const ajob_ready_options *options, struct text *error, const char *why) {
    char shown[256];
    char *quoted = options->text && options->text[0] ? text_make(" \"%s\"", options->text) : NULL;
    text_format(error, "ready %s", name_of_readiness(options->probe));
    if (quoted)
        text_add(error, ajob_escape(shown, sizeof shown, quoted));
    mem_free(quoted);
    text_format(error, ": %s", why);
    return false;
}

/* A field got its memory. */
static bool has(const void *field) {
    return field != NULL;
}

/* ---- host and port ----------------------------------------------------- */

static bool is_host(const char *text, size_t length, bool is_bracketed) {
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        bool is_alphanumeric = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
        if (!is_alphanumeric && c < 0x80 && !strchr(is_bracketed ? "_-.:%" : "_-.", c))
            return false;
    }
    return length > 0 && length <= HOST_MAX;
}

static bool is_port(const char *text, size_t length) {
    unsigned long port = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9' || i >= 5)
            return false;
        port = port * 10 + (unsigned long)(text[i] - '0');
    }
    return port >= 1 && port <= 65535;
}

/* An address needs no resolver, nor does localhost (RFC 6761, section 6.3): it has to
 * work where there is no /etc/hosts, as in a bare chroot. */
static void find_addresses(struct probe_plan *plan) {
    bool is_localhost = !strcasecmp(plan->host, "localhost");
    struct sockaddr_storage *at = plan->addresses;
    int port = (int)strtol(plan->port, NULL, 10);
    if (!uv_ip6_addr(is_localhost ? "::1" : plan->host, port, (struct sockaddr_in6 *)at))
        at++;
    if (!uv_ip4_addr(is_localhost ? "127.0.0.1" : plan->host, port, (struct sockaddr_in *)at))
        at++;
    plan->address_count = (unsigned)(at - plan->addresses);
}

/* "host", "host:port", "[v6]:port"; default_port NULL: it must have one. NULL, or
 * what is wrong, "" being a lack of memory. */
static const char *read_authority(struct probe_plan *plan, const char *text, size_t length,
                                  const char *default_port) {
    const char *end = text + length, *host = text, *host_end, *port;
    bool is_bracketed = length && text[0] == '[';
    if (is_bracketed) {
        host++;
        host_end = memchr(text, ']', length);
        if (!host_end || (host_end + 1 < end && host_end[1] != ':'))
            return "it is no [address]:port";
        port = host_end + 1 < end ? host_end + 2 : NULL;
    } else {
        const char *colon = memchr(text, ':', length);
        if (colon && memchr(colon + 1, ':', (size_t)(end - colon - 1)))
            return "an IPv6 address is written in brackets: [::1]:5432";
        host_end = colon ? colon : end;
        port = colon ? colon + 1 : NULL;
    }
    if (host == host_end)
        return "it has no host: write 127.0.0.1 for this machine";
    if (!is_host(host, (size_t)(host_end - host), is_bracketed))
        return "it has a host that is no name and no address";
    if (!port && !default_port)
        return "it has no port: write host:port";
    if (port && !is_port(port, (size_t)(end - port)))
        return "a port is a number from 1 to 65535";
    plan->host = mem_copy_n(host, (size_t)(host_end - host));
    plan->port = port ? mem_copy_n(port, (size_t)(end - port)) : mem_copy(default_port);
    if (!plan->host || !plan->port)
        return "";
    find_addresses(plan);
    if (is_bracketed && !(plan->address_count && strchr(plan->host, ':')))
        return "what is in the brackets is no IPv6 address";
    return NULL;
}

/* ---- the probes -------------------------------------------------------- */

static bool plan_tcp(struct probe_plan *plan, const ajob_ready_options *options,
                     struct text *error) {
    plan->kind = &look_connect;
    const char *wrong = strchr(options->text, '/')
                            ? "it is no host:port"
                            : read_authority(plan, options->text, strlen(options->text), NULL);
    if (wrong && *wrong)
        return refuse(options, error, wrong);
    return !wrong;
}

/* Nothing in it ends the request's line or needs encoding. */
static bool is_url_text(const char *text) {
    for (; *text; text++)
        if (*text <= ' ' || *text > '~')
            return false;
    return true;
}

/* Absolute URLs without user, as in RFC 9110, 4.2.1. */
static bool plan_http(struct probe_plan *plan, const ajob_ready_options *options,
                      struct text *error) {
    static const char scheme[] = "http://", secure[] = "https://";
    const char *url = options->text;
    plan->kind = &look_connect;
    if (!strncasecmp(url, secure, sizeof secure - 1))
        return refuse(options, error, "only http:// is asked: probe https with exec and curl -fsk");
    if (strncasecmp(url, scheme, sizeof scheme - 1))
        return refuse(options, error, "it does not begin with http://");
    if (!is_url_text(url) || strlen(url) > URL_MAX)
        return refuse(options, error, "it is no URL: spaces and others are written as %20");
    const char *authority = url + sizeof scheme - 1;
    size_t length = strcspn(authority, "/?#");
    if (memchr(authority, '@', length))
        return refuse(options, error, "a user and password are not sent: probe with exec and curl");
    const char *wrong = read_authority(plan, authority, length, "80");
    if (wrong && *wrong)
        return refuse(options, error, wrong);
    if (wrong)
        return false;
    const char *target = authority + length;
    int target_length = (int)strcspn(target, "#");
    plan->request =
        text_make("GET %s%.*s HTTP/1.1\r\n"
                  "Host: %.*s\r\n"
                  "User-Agent: ajob/" AJOB_VERSION "\r\n"
                  "Accept: */*\r\n"
                  "Connection: close\r\n\r\n",
                  *target == '/' ? "" : "/", target_length, target, (int)length, authority);
    return has(plan->request);
}

static bool plan_file(struct probe_plan *plan, const ajob_ready_options *options,
                      struct text *error) {
    (void)error;
    plan->kind = &look_file;
    plan->path = mem_copy(options->text);
    return has(plan->path);
}

static bool plan_line(struct probe_plan *plan, const ajob_ready_options *options,
                      struct text *error) {
    const char *excess = pattern_excess(options->text);
    if (excess)
        return refuse(options, error, excess);
    int code = regcomp(&plan->line, options->text, REG_EXTENDED | REG_NOSUB);
    plan->has_line = !code;
    if (code && code != REG_ESPACE) {
        char why[256];
        regerror(code, &plan->line, why, sizeof why);
        char *text = text_new("no regular expression: %s", why);
        refuse(options, error, text ? text : "no regular expression");
        mem_free(text);
    }
    return !code;
}

static bool plan_fd(struct probe_plan *plan, const ajob_ready_options *options,
                    struct text *error) {
    plan->fd = options->fd;
    if (plan->fd >= FD_FIRST && plan->fd <= FD_LAST)
        return true;
    char why[96];
    snprintf(why, sizeof why, "%d: a descriptor for it is a number from %d to %d", options->fd,
             FD_FIRST, FD_LAST);
    return refuse(options, error, why);
}

static bool plan_exec(struct probe_plan *plan, const ajob_ready_options *options,
                      struct text *error) {
    size_t count = 0;
    plan->kind = &look_exec;
    while (options->argv && options->argv[count])
        count++;
    if (!count || !options->argv[0][0])
        return refuse(options, error, "there is no command");
    plan->argv = mem_new((count + 1) * sizeof *plan->argv);
    for (size_t i = 0; plan->argv && i < count; i++)
        if (!(plan->argv[i] = mem_copy(options->argv[i])))
            return false;
    return has(plan->argv);
}

struct probe_plan *probe_plan_new(const ajob_ready_options *options, struct text *error) {
    static const struct {
        plan_fn *make;
        bool has_text;
    } plans[] = {
        [AJOB_READY_FD] = {plan_fd, false},    [AJOB_READY_LINE] = {plan_line, true},
        [AJOB_READY_TCP] = {plan_tcp, true},   [AJOB_READY_HTTP] = {plan_http, true},
        [AJOB_READY_FILE] = {plan_file, true}, [AJOB_READY_EXEC] = {plan_exec, false},
    };
    unsigned probe = (unsigned)options->probe;
    if (probe == AJOB_READY_AT_START || probe >= sizeof plans / sizeof plans[0]) {
        text_format(error, "ready: there is no probe number %u", probe);
        return NULL;
    }
    struct probe_plan *plan = mem_new(sizeof *plan);
    if (!plan)
        return NULL;
    plan->interval_ms = options->interval_ms ? options->interval_ms : PROBE_INTERVAL_MS;
    bool lacks_text = plans[probe].has_text && (!options->text || !options->text[0]);
    if (lacks_text)
        refuse(options, error, "it is empty");
    if (!lacks_text && plans[probe].make(plan, options, error))
        return plan;
    probe_plan_free(plan);
    return NULL;
}

int probe_plan_fd(const struct probe_plan *plan) {
    return plan->fd;
}

bool probe_plan_wants_lines(const struct probe_plan *plan) {
    return plan->has_line;
}

void probe_plan_free(struct probe_plan *plan) {
    if (!plan)
        return;
    if (plan->has_line)
        regfree(&plan->line);
    for (char **argument = plan->argv; argument && *argument; argument++)
        mem_free(*argument);
    mem_free(plan->argv);
    mem_free(plan->request);
    mem_free(plan->path);
    mem_free(plan->host);
    mem_free(plan->port);
    mem_free(plan);
}
