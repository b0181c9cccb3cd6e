/*
 * token.h - the token for GitHub's API.
 */
#ifndef CMD_TOKEN_H
#define CMD_TOKEN_H

#include "cli.h"

enum { TOKEN_SIZE = 16 * 1024 };

/* Puts the token in the file path, or, if that is NULL, of GH_TOKEN or GITHUB_TOKEN,
 * or "", into token. It is never printed. STATUS_OK, or a status after a message. */
int token_find(const struct command *command, const char *path, char token[TOKEN_SIZE]);

/* What "not found" may mean with that token, for people; NULL: nothing in particular. */
const char *token_hint(const char *path);

#endif
