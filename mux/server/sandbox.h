/*
 * One sandbox as the server knows it: its record on disk and what lives only as long as the
 * server: connection to the monitor, watched processes, figures. The registry owns it. What talks
 * to it asynchronously is an object of its own that is told (x_abandon, x_cancel) when it goes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "mux/resource/fence.h"
#include "mux/resource/sample.h"
#include "mux/resource/weight.h"
#include "mux/server/activity.h"
#include "mux/server/guard.h"
#include "mux/server/reading.h"
#include "mux/server/record.h"
#include "mux/server/timeline.h"
#include "mux/server/traffic.h"
#include "mux/server/quota.h"
#include "mux/server/watch.h"

#define SANDBOX_TITLE_MAX 256

struct egress_line;
struct monitor;
struct pending;
struct server;
struct start;

/* A decision of the policy that is on record already. */
#define SANDBOX_DECIDED 16
struct decided {
    uint64_t at; /* monotonic ms, 0 none */
    int effect;
    char subject[POLICY_AUTHORITY_MAX];
};

struct sandbox {
    struct server *server;
    struct record record;
    struct monitor *monitor; /* NULL: none */
    struct start *start;     /* while it is being started */
    struct watch *init_watch, *outer_watch;
    int outer_status; /* of the wall's process as from waitpid(2), -1 unknown */
    bool removing;    /* its directory is being deleted */

    char **env; /* what its caller gave, NAME=VALUE, NULL-terminated, owned; never on disk, so that
                   it is NULL when another server started it */
    char title[SANDBOX_TITLE_MAX];
    char agent_state[12]; /* what its hooks told last: working, waiting, done, or "" */
    char agent_text[160];
    uint32_t rows, cols;
    bool link_up;
    bool agent_started;
    bool ended;           /* init is gone */
    bool killed;          /* by our wish */
    bool exit_noted;      /* in the audit log */
    enum weight weight;   /* its share of the processor, see priority.h */
    uint64_t paced_until; /* monotonic ms, see pace.h */
    uint64_t bells;
    struct activity_facts facts; /* see signs.h */
    struct activity activity;
    struct timeline timeline;
    struct reading reading;
    uint64_t sign_counts[4]; /* output, lines, inputs, breaks as its monitor counts */
    bool dirty;              /* clients do not know this state yet */

    struct sample sample;
    struct glance glance; /* taken while nobody looks */
    uint64_t next_sample; /* monotonic ms */
    unsigned quiet_rounds;
    bool sample_dirty;

    struct guard guard;
    struct traffic traffic;
    struct egress_line *egress;      /* the proxy's connection, NULL: none */
    struct pending *egress_pendings; /* questions that wait for the presets */
    uint64_t egress_started;         /* monotonic ms of the last start of a proxy */
    struct decided decided[SANDBOX_DECIDED];
    struct watched watched;

    uint64_t monitor_started; /* monotonic ms, for the backoff of restarts */
    unsigned monitor_restarts;
    bool monitor_missing; /* it could not be started, and is tried again */
};

/* Opens a log of one of its helpers below STATE/ID for appending; emptied when it is too long. */
int sandbox_open_log(const struct sandbox *sandbox, const char *name, struct bj_error *error);

/* Whether processes of it may be alive. */
bool sandbox_alive(const struct sandbox *sandbox);

/* The state as clients see it: the record's, or waiting. */
const char *sandbox_state_shown(const struct sandbox *sandbox);

struct fence sandbox_fence(const struct sandbox *sandbox);

/* Clients get an event soon. */
void sandbox_touch(struct sandbox *sandbox);

/* Changes the state, saves the record, tells the clients. */
void sandbox_set_state(struct sandbox *sandbox, enum sandbox_state state);

/* Saves the record; a failure becomes an alert. */
void sandbox_save(struct sandbox *sandbox);

/* STATE/ID and RUNTIME/ID plus a file's name ("" for the directory itself). */
int sandbox_state_path(const struct sandbox *sandbox, const char *file, char *out,
                       struct bj_error *error);
/* A file of its recording (transport/paths.h). */
int sandbox_recording_path(const struct sandbox *sandbox, bool previous, int number, char *out,
                           struct bj_error *error);
int sandbox_runtime_path(const struct sandbox *sandbox, const char *file, char *out,
                         struct bj_error *error);
