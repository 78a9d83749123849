/*
 * A wall around the work of a sandbox that has ended, for as long as one command looks into it.
 *
 * Nothing of an agent's is touched outside of a sandbox, and where nothing runs there is nobody to
 * ask. So a second sandbox is made of the same copy and home: the same wall, user and limits, but
 * no agent, no way out and no recording. A monitor of its own stands at its link, so that what
 * comes from inside is read by the same decoder, locked down, as ever. Only this process knows of
 * it: it ends with visit_close(), and the kernel ends it when this process is killed.
 */
#pragma once

#include <signal.h>

#include <jansson.h>

#include "transport/error.h"
#include "transport/paths.h"

struct visit;

/* `record` is the sandbox's from sandbox.list, borrowed. Blocks until programs can be run, at most
 * some seconds; `stop` (set by a signal) ends that. The caller closes *visit, also after failure.
 */
int visit_open(struct visit **visit, const struct bj_paths *paths, const json_t *record,
               const volatile sig_atomic_t *stop, struct bj_error *error);

/* Path of its exec socket (inside.h), as long as it is open. */
const char *visit_exec(const struct visit *visit);

/* Ends whatever runs in it and waits for that; removes its files. NULL is fine. */
void visit_close(struct visit *visit);
