/* What the parts of `belljar up` and `down` share: up.c acts, up_check.c looks first. */
#pragma once

#include "transport/paths.h"
#include "tui/cli/manifest.h"
#include "tui/cli/peer.h"

enum up_step { UP_START, UP_RESTART, UP_KEEP };

struct up {
    const struct bj_paths *paths;
    const char *nothing; /* what an error says of what was done */
    struct manifest manifest;
    enum up_step steps[MANIFEST_SANDBOXES_MAX];
    size_t missing; /* how many things were said to be */
    struct peer server;
};

/* What there is of it: fills `steps`. Fails when a name is another sandbox's. Both say all that is
 * missing, and return an exit code. */
int up_look(struct up *up);

/* The same, and whether the wall stands and every agent that is to start and its key are there. */
int up_check(struct up *up);

/* What a policy file would change, a text each, those that let more through with a plus. The caller
 * drops the reference. */
json_t *up_policy_lines(const struct up *up, const char *path);

/* Whether these bytes were accepted, and the note that they are now. */
bool up_accepted(const struct up *up);
int up_accept(const struct up *up, struct bj_error *error);
