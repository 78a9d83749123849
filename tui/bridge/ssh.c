#include "tui/bridge/ssh.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/model/text.h"

#define SSH_FAILED 255 /* ssh(1), EXIT STATUS: an error occurred in ssh itself */
#define NOT_FOUND  127 /* POSIX shell: command not found */

static const char *const options[] = {
    "-T",
    "-a",
    "-x",
    "-e",
    "none",
    "-o",
    "ClearAllForwardings=yes",
    "-o",
    "PermitLocalCommand=no",
    "-o",
    "RemoteCommand=none",
    "-o",
    "ConnectTimeout=10",
    "-o",
    "ServerAliveInterval=5",
    "-o",
    "ServerAliveCountMax=2",
};
#define OPTIONS (sizeof(options) / sizeof(options[0]))
_Static_assert(OPTIONS + 8 < SSH_ARGV_MAX, "room for all of it");

static bool is_destination(const char *text)
{
    for (const char *at = text; *at; at++)
        if ((unsigned char)*at <= ' ' || *at == 0x7f)
            return false;
    return *text && *text != '-';
}

static int make(struct ssh_call *call, const char *destination, bool batch, struct bj_error *error)
{
    const char *program = getenv("BELLJAR_SSH");
    size_t count = 0;
    if (!is_destination(destination))
        return bj_fail(error, -EINVAL,
                       "'%.64s' is no host: give USER@HOST, a name from ssh's configuration or "
                       "ssh://USER@HOST:PORT",
                       destination);
    call->argv[count++] = program && *program ? program : "ssh";
    memcpy(&call->argv[count], options, sizeof(options));
    count += OPTIONS;
    if (batch) {
        call->argv[count++] = "-o";
        call->argv[count++] = "BatchMode=yes";
    }
    call->argv[count++] = "--";
    call->argv[count++] = destination;
    call->argv[count++] = call->command;
    call->argv[count] = NULL;
    return 0;
}

int ssh_call_make(struct ssh_call *call, const char *destination, const char *remote, bool batch,
                  struct bj_error *error)
{
    if (snprintf(call->command, sizeof(call->command), "%s bridge", remote) >=
        (int)sizeof(call->command))
        return bj_fail(error, -ENAMETOOLONG, "the remote command is too long");
    return make(call, destination, batch, error);
}

static bool is_name(const char *text)
{
    for (const char *at = text; *at; at++)
        if (!(*at >= 'a' && *at <= 'z') && !(*at >= 'A' && *at <= 'Z') &&
            !(*at >= '0' && *at <= '9') && !strchr("-_.", *at))
            return false;
    return *text && *text != '-';
}

int ssh_call_about(struct ssh_call *call, const char *destination, const char *remote,
                   const char *command, const char *sandbox, struct bj_error *error)
{
    if (!is_name(sandbox))
        return bj_fail(error, -EINVAL, "no sandbox can have that name");
    if (snprintf(call->command, sizeof(call->command), "%s %s -- %s", remote, command, sandbox) >=
        (int)sizeof(call->command))
        return bj_fail(error, -ENAMETOOLONG, "the remote command is too long");
    return make(call, destination, true, error);
}

static void end_line(struct ssh_words *words)
{
    char clean[SSH_WORDS_MAX];
    text_clean(clean, sizeof(clean), words->line, words->length);
    words->length = 0;
    size_t blank = strspn(clean, " ");
    if (clean[blank])
        memmove(words->last, clean + blank, strlen(clean + blank) + 1);
}

void ssh_words_feed(struct ssh_words *words, const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (bytes[i] == '\n' || bytes[i] == '\r')
            end_line(words);
        else if (words->length < sizeof(words->line) - 1)
            words->line[words->length++] = bytes[i];
}

void ssh_explain(struct ssh_words *words, int code, const char *remote, char out[SSH_WORDS_MAX])
{
    if (words->length > 0)
        end_line(words);
    if (code == NOT_FOUND)
        snprintf(out, SSH_WORDS_MAX,
                 "%.60s was not found there: install Belljar on that host, or name it with "
                 "--remote-command (%.100s)",
                 remote, words->last);
    else if (words->last[0])
        snprintf(out, SSH_WORDS_MAX, "%s", words->last);
    else if (code > 128 && code != SSH_FAILED)
        snprintf(out, SSH_WORDS_MAX, "ssh was ended by signal %d", code - 128);
    else if (code == 0)
        snprintf(out, SSH_WORDS_MAX, "the connection ended");
    else
        snprintf(out, SSH_WORDS_MAX, "%s ended with status %d and said nothing",
                 code == SSH_FAILED ? "ssh" : "the bridge", code);
}
