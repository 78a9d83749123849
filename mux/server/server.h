/*
 * The server as a whole: one loop, one registry, one listener. Everything runs on the loop's
 * thread. Parts get at each other through this struct.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>

#include <uv.h>

#include "mux/resource/cgroup.h"
#include "mux/policy/proposal.h"
#include "mux/policy/rules.h"
#include "mux/server/alert.h"
#include "mux/server/ledger.h"
#include "mux/server/request.h"
#include "mux/server/sandbox.h"
#include "mux/server/secret.h"
#include "mux/server/session.h"
#include "transport/paths.h"

struct child;
struct client;
struct egress_line;
struct monitor;

struct server {
    uv_loop_t loop;
    struct bj_paths paths;
    struct cgroup_place cgroups;
    struct rlimit files; /* as the user had it, for inside */
    char boot_id[PROCESS_BOOT_ID_MAX];
    double started; /* unix seconds */
    int lock;
    bool stopping;

    uv_poll_t listener;
    int listen_descriptor;
    uv_signal_t signals[3];
    uv_timer_t flush;  /* coalesces events */
    uint64_t stuck_ms; /* $BELLJAR_TEST_STUCK_MS: tests need not wait for two minutes; 0: unset */
    uv_timer_t sample; /* see stats.h */
    uv_timer_t sweep;  /* removes cgroups that were still in use at the end */
    unsigned sweeps_left;
    uv_timer_t monitors_missing; /* starts those that could not be started */

    struct sandbox **sandboxes; /* oldest first, owned */
    size_t sandbox_count;
    struct requests requests;
    struct ledger ledger;
    struct rules rules;
    uv_timer_t rules_timer;    /* runs until the next rule expires */
    struct secrets secrets;    /* variables that clients gave */
    struct accepted *accepted; /* NULL: cannot be read */
    struct policy presets;     /* found for other sandboxes ... */
    uint64_t presets_found;    /* ... at this monotonic ms, 0 never */
    bool presets_loading;      /* for all that wait */
    struct {
        uv_poll_t listener;
        int listen_fd;
        struct egress_line *lines;
        struct child *children;
        uint64_t waits; /* numbers given */
    } egress;
    uv_timer_t quota; /* looks at limits that no kernel enforces */
    struct alerts alerts;
    uv_timer_t alerts_timer;
    struct sessions sessions;
    bool sessions_dirty;
    uint64_t typed_at;  /* monotonic ms: a human turned to an agent, or typed; see pace.h */
    bool crowd_changed; /* see clients_crowd_changed() */
    struct client *clients;
    uint64_t clients_seen;
    struct monitor *monitors; /* every one whose handles are open */
};

/* Unix seconds, and a monotonic clock in milliseconds. */
double server_time(void);
uint64_t server_clock(void);

/* Opens the listener and signal handlers and finds old sandboxes again. */
int server_open(struct server *server, struct bj_error *error);

/* Runs until it is stopped, then frees everything. */
void server_run(struct server *server);

/* Stops serving; agents and monitors go on. */
void server_stop(struct server *server, bool killed);

/* Writes STATE/sessions.json when something in it changed. */
void server_save_sessions(struct server *server);

/* The alerts have changed: writes STATE/alerts.json within half a second. */
void server_keep_alerts(struct server *server);

/* An alert, logged too. `sandbox` may be NULL. */
void server_alert(struct server *server, struct sandbox *sandbox, enum alert_severity severity,
                  const char *kind, const char *format, ...) __attribute__((format(printf, 5, 6)));
