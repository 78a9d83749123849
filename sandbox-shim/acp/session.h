/*
 * One conversation in the Agent Client Protocol, version 1 (JSON-RPC 2.0, a message a line): what
 * is sent, and what answers and requests mean. No I/O but the transcript; the caller moves the
 * bytes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "sandbox-shim/acp/permission.h"
#include "sandbox-shim/acp/pipe.h"

struct session {
    struct buffer out;                        /* to the agent */
    struct buffer prompts;                    /* not yet sent, each ended by a NUL */
    char id[256];                             /* of the session; "" when it is not known */
    const char *keep;                         /* file that keeps the id, for --continue */
    bool resume;                              /* what --continue says, until it is tried */
    bool open;                                /* there is a session: prompts may be sent */
    bool running;                             /* a turn is under way */
    bool shown;                               /* the next prompt is in the transcript already */
    bool failed;                              /* it can't go on */
    json_int_t next, initialize, begin, turn; /* numbers of our requests */
    struct permission permissions[PERMISSIONS_MAX];
};

/* Greets the agent. */
void session_start(struct session *session, const char *keep, bool resume);

/* Sends it as the next prompt, as soon as the turn before has ended. `shown`: where it was typed.
 */
void session_prompt(struct session *session, const char *text, bool shown);

/* One message of the agent. */
void session_take(struct session *session, const char *line);

/* The ask of this permission ended with this exit code. */
void session_decided(struct session *session, struct permission *permission, int code);

/* The human interrupts the turn. */
void session_cancel(struct session *session);
