/*
 * Kill, pause, resume and remove of one, several or all sandboxes: repeated steps from a timer
 * until what was asked is true for each, and only then the answer; or, after OPERATION_MS, an
 * error that names those for which it is not.
 */
#pragma once

#include "mux/server/client.h"
#include "mux/server/sandbox.h"

#define OPERATION_MS 2000U

enum operation_kind {
    OPERATION_KILL,
    OPERATION_PAUSE,
    OPERATION_RESUME,
    OPERATION_REMOVE,
    OPERATION_KINDS,
};

/* Takes over `call`; it may be NULL when `done` is given, which is called afterwards. -ENOMEM: then
 * the call has got that, and `done` is not called. */
int operation_start(struct server *server, enum operation_kind kind,
                    struct sandbox *const *sandboxes, size_t count, struct call *call,
                    void (*done)(struct server *server));

/* One step of ending what outlives a sandbox's own processes, `passed` ms after the first: its
 * monitor, which is asked first, and its egress proxy. True when both are gone. */
bool operation_clear(struct sandbox *sandbox, bool *asked, uint64_t passed);
