/* token.c - the token for GitHub's API: from a file or the environment. See token.h. */
#include "token.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The token in text, without the white space around it, moved to its beginning.
 * False if there is something in it that no token has. */
static bool trim_token(char *text) {
    size_t begin = strspn(text, " \t\r\n"), end = strlen(text);
    while (end > begin && strchr(" \t\r\n", text[end - 1]))
        end--;
    memmove(text, text + begin, end - begin);
    text[end - begin] = '\0';
    for (const char *at = text; *at; at++)
        if (!isgraph((unsigned char)*at))
            return false;
    return true;
}

/* Reads the token from a file into token. STATUS_OK, or a status after a message. */
static int read_token(const struct command *command, const char *path, char token[TOKEN_SIZE]) {
    FILE *file = fopen(path, "r");
    if (!file)
        return cli_fail(command, STATUS_USAGE, "--token-file: %s: cannot be read: %s", path,
                        strerror(errno));
    errno = 0;
    size_t length = fread(token, 1, TOKEN_SIZE - 1, file);
    int error = ferror(file) ? errno : 0;
    bool longer = getc(file) != EOF;
    fclose(file);
    token[length] = '\0';
    if (error)
        return cli_fail(command, STATUS_USAGE, "--token-file: %s: cannot be read: %s", path,
                        strerror(error));
    if (longer || strlen(token) != length || !trim_token(token))
        return cli_fail(command, STATUS_USAGE,
                        "--token-file: %s: does not hold a token: it must be one printable word",
                        path);
    if (!*token)
        return cli_fail(command, STATUS_USAGE, "--token-file: %s: holds no token", path);
    return STATUS_OK;
}

int token_find(const struct command *command, const char *path, char token[TOKEN_SIZE]) {
    static const char *const names[] = {"GH_TOKEN", "GITHUB_TOKEN"};

    if (path)
        return read_token(command, path, token);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = getenv(names[i]);
        if (!value)
            continue;
        if (snprintf(token, TOKEN_SIZE, "%s", value) >= TOKEN_SIZE || !trim_token(token))
            return cli_fail(command, STATUS_USAGE,
                            "%s: does not hold a token: it must be one printable word", names[i]);
        if (*token)
            return STATUS_OK;
    }
    token[0] = '\0';
    return STATUS_OK;
}

/* Whether url is https (or of the same scheme as other, if that is a URL) and has the host that
 * other has or is; of api.HOST the one whose API that is. */
static bool has_host(const char *url, const char *other) {
    const char *host = strstr(url, "://") + 3, *scheme = other ? strstr(other, "://") : NULL;
    size_t begin = (size_t)(host - url), length = strcspn(host, "/?#");
    bool is_safe =
        scheme ? (size_t)(scheme + 3 - other) == begin && strncasecmp(url, other, begin) == 0
               : strncasecmp(url, "https://", 8) == 0;
    if (!other || !*other || !length || !is_safe)
        return false;
    const char *its = scheme ? scheme + 3 : other;
    bool is_api = scheme && strncasecmp(its, "api.", 4) == 0 && strncasecmp(host, "api.", 4) != 0;
    its += is_api ? 4 : 0;
    return strcspn(its, "/?#") == length && strncasecmp(host, its, length) == 0;
}

bool token_is_for(const char *repository) {
    static const char *const homes[] = {"https://github.com", "https://www.github.com",
                                        "http://github.com"};
    bool is_home = !strstr(repository, "://");
    for (size_t i = 0; i < sizeof homes / sizeof homes[0]; i++)
        is_home = is_home || has_host(repository, homes[i]);
    return is_home || has_host(repository, getenv("GITHUB_API_URL")) ||
           has_host(repository, getenv("GH_HOST"));
}

const char *token_hint(const char *path, bool is_kept) {
    if (is_kept)
        return "or private: GH_TOKEN is for another host, set GH_HOST or use --token-file";
    const char *own = getenv("GH_TOKEN"), *workflow = getenv("GITHUB_TOKEN");
    const char *actions = getenv("GITHUB_ACTIONS");
    bool is_workflows = !path && (!own || !*own) && workflow && *workflow && actions &&
                        strcmp(actions, "true") == 0;

    return is_workflows ? "or private: the workflow's GITHUB_TOKEN sees its own repository only, "
                          "set GH_TOKEN to another"
                        : NULL;
}
