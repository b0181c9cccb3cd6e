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

/* Whether the token of the environment may go where this repository is: to the API that
 * GITHUB_API_URL names or else to GitHub's, and for a URL of another host only if GH_HOST says
 * that the token is for it. Who names a host has not said that he trusts it. */
bool token_is_for(const char *repository);

/* What "not found" may mean with that token, for people; is_kept: it was not sent. NULL:
 * nothing in particular. */
const char *token_hint(const char *path, bool is_kept);

#endif
