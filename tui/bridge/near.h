/*
 * The near end of a bridge: `belljar bridge --to DESTINATION`, a process between a client and ssh.
 *
 * It starts ssh, checks what the far end says of itself, carries the connections that the client
 * asks for, and starts ssh again when it ends: after 1 s, then twice as long each time up to 30 s.
 * Only the first ssh, and only when `ask` is set, may use the terminal; later ones lead a session
 * of their own. It ends when the client's end of `control` is closed.
 */
#pragma once

#include <stdbool.h>

#include "transport/error.h"

struct near_options {
    const char *destination, *remote;
    int control; /* descriptor of the socket pair of host.h; taken over */
    bool ask;
};

int near_run(const struct near_options *options, struct bj_error *error);
