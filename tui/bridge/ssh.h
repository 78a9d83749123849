/*
 * How ssh is called for a bridge, and what it said when it failed.
 *
 * The far host gets nothing that a bridge does not need: no agent, no X11, no forwarding, no
 * terminal, no local command. A dead connection is noticed within 15 s by ssh itself. $BELLJAR_SSH
 * names another program to be run as ssh. Options as in ssh(1) and ssh_config(5) of OpenSSH.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "transport/error.h"

#define SSH_WORDS_MAX 256
#define SSH_ARGV_MAX  40

struct ssh_call {
    const char *argv[SSH_ARGV_MAX]; /* borrows the strings */
    char command[1024];
};

/* `remote` is the program's name at the far end, as its shell reads it. With `batch` nothing is
 * asked: neither a password nor whether a host key is right. -EINVAL when the destination cannot
 * be one, -ENAMETOOLONG. */
int ssh_call_make(struct ssh_call *call, const char *destination, const char *remote, bool batch,
                  struct bj_error *error);

/* The same for one command of Belljar there, about one sandbox; it never asks. -EINVAL for a name
 * that no sandbox can have: it goes through a shell, and a far server chose it. */
int ssh_call_about(struct ssh_call *call, const char *destination, const char *remote,
                   const char *command, const char *sandbox, struct bj_error *error);

/* What ssh and the far end's programs say on standard error: the last line that says something. */
struct ssh_words {
    char line[SSH_WORDS_MAX]; /* as it comes, not whole yet */
    size_t length;
    char last[SSH_WORDS_MAX]; /* cleaned; "" when nothing was said */
};
void ssh_words_feed(struct ssh_words *words, const char *bytes, size_t size);

/* Why a bridge ended, in a sentence: `code` is ssh's exit status, or 128 and a signal. */
void ssh_explain(struct ssh_words *words, int code, const char *remote, char out[SSH_WORDS_MAX]);
