/*
 * egress.credential: reads a secret from where the policy says, in a worker since that may run a
 * command of the user's, answers, and forgets it.
 */
#pragma once

#include "mux/server/egress_line.h"

void egress_secret(struct egress_line *line, uint32_t id, const msgpack_object *params);
