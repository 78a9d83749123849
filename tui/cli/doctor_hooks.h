/*
 * Whether an agent's hooks reach the policy: tried, in a sandbox as the agent itself would have.
 */
#pragma once

#include "tui/cli/doctor.h"
#include "tui/cli/peer.h"

/* Starts a sandbox of the profile with a script in place of its program. That looks for the files
 * whose hooks call the shim, tries to write into them, and asks a question in the words of each
 * hook, which a policy made for this denies; nobody is asked. The sandbox is removed again.
 *
 * 0: every hook was answered; -ENOENT: the profile has none; another negative code with what is
 * wrong. Takes a second, at most 30. */
int doctor_hooks(const struct doctor *doctor, struct peer *server, const char *agent,
                 struct bj_error *error);
