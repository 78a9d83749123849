/*
 * The marks of a recording, from the audit log: requests, verdicts, alerts, and what else befell
 * the sandbox.
 */
#pragma once

#include "tui/cli/track.h"

/* Fills track->marks with what the log says of the sandbox since the recording's beginning and
 * before `until` (unix seconds; 0: all). The end moves when something came after the last output. A
 * log that cannot be read has no marks. */
int track_marks(struct track *track, const char *state, const char *id, double until,
                const atomic_bool *stop, struct bj_error *error);
