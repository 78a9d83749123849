/*
 * The egress proxies (belljar-egress) of the sandboxes as the server sees them: one process for
 * each sandbox that wants to go out, started on first use, and its connection to
 * RUNTIME/egress.sock. Like monitors they outlive the server. What they ask is decided here, on the
 * name, before anything is resolved; what the policy holds becomes a request.
 *
 * A connection is believed to be of the sandbox whose record names the peer's very process.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "mux/server/sandbox.h"

struct egress_line;

int egress_open(struct server *server, struct bj_error *error); /* listens */
void egress_close(struct server *server);

/* The monitor says that connections wait for a proxy. */
void egress_wanted(struct sandbox *sandbox);
/* The sandbox has ended, or is forgotten: so is its proxy. */
void egress_end(struct sandbox *sandbox);

/* Answers what waits under this number; `subject` is what was asked, `once` that no rule says so.
 * -ENOTCONN. */
int egress_verdict(struct sandbox *sandbox, uint64_t number, bool allow, bool once,
                   const char *reason, const char *subject, struct bj_error *error);

/* Rules or policies changed: closes what is not allowed any more. What a human allowed once stays,
 * unless it is denied now. */
void egress_recheck(struct server *server);
/* The same for one sandbox that may not send any more at all. */
void egress_cut(struct sandbox *sandbox);
