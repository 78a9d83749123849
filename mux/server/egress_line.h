/*
 * One egress proxy's connection: what it asks, and what it tells of its connections.
 *
 *   decide   asked of the policy; held until the presets are found, or until a human has answered
 *   secrets  read from where the policy says when they are asked for, in a worker, and kept nowhere
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "mux/server/sandbox.h"
#include "transport/rpc.h"

struct egress_line {
    struct egress_line *next; /* server->egress.lines */
    struct server *server;
    struct bj_rpc rpc;
    pid_t pid;               /* of the peer, as the kernel says */
    struct sandbox *sandbox; /* NULL before hello, and once it is gone */
};

void egress_line_call(struct egress_line *line, uint32_t id, const struct bj_method *method,
                      const msgpack_object *params);
void egress_line_notification(struct egress_line *line, const char *name,
                              const msgpack_object *params);

/* The connection or the sandbox ends. */
void egress_line_unbind(struct egress_line *line);
