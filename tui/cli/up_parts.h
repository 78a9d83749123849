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
    struct peer server;
};

/* What there is of it: fills `steps`. Refuses when a name is another sandbox's. */
int up_look(struct up *up, struct bj_error *error);

/* Whether the wall stands, every agent and its key are there, and no name is another sandbox's;
 * fills `steps`. A negative code with what is missing. */
int up_check(struct up *up, struct bj_error *error);

/* Whether these bytes were accepted, and the note that they are now. */
bool up_accepted(const struct up *up);
int up_accept(const struct up *up, struct bj_error *error);
