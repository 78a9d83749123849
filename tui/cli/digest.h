/*
 * Reads from the audit log what happened since the last dashboard of a session was left.
 */
#pragma once

#include <stdatomic.h>

#include "transport/error.h"
#include "tui/model/digest.h"

/* `until` in unix seconds: when the human came back. What was seen by a dashboard that the server's
 * death ended counts from that on. `stop`, when set by another thread, ends it with -EINTR. */
int digest_read(struct digest *digest, const char *state, const char *session, double until,
                const atomic_bool *stop, struct bj_error *error);
