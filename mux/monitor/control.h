/*
 * control.sock: the server's side of the monitor (bj_api_control). The newest connection is the
 * server; an older one is closed. Open asks, link candidates and alerts that came while no server
 * was connected are told after its monitor.info.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <uv.h>

#include "mux/monitor/alerts.h"
#include "mux/monitor/asks.h"
#include "transport/rpc.h"

struct monitor;

struct control_connection {
    struct bj_rpc rpc;
    struct monitor *monitor;
    bool informed; /* it called monitor.info and knows the state */
};

struct control {
    uv_poll_t listener;
    uv_timer_t output_timer; /* runs only while output is to be told */
    int listen_fd;
    struct control_connection *server; /* the newest, or NULL */
    uint64_t output_told_at;
    bool title_due, output_due, state_due; /* told when the timer runs out */
    uint64_t furthest, lines;              /* how far down it got; how often it got further */
    uint64_t clears;                       /* of the terminal, when `furthest` was taken */
    uint64_t inputs, breaks;               /* times that a human typed, and what interrupts */
    uint64_t typed_line;                   /* into which he typed last */
    bool typed, typed_behind;              /* and something stood before the cursor when he began */
    const char *state;                     /* what a hook told last, NULL: nothing yet */
    char state_text[160];
    struct bucket bells;
};

int control_open(struct monitor *monitor, int listen_fd, struct bj_error *error);
void control_close(struct monitor *monitor);

void control_candidate(struct monitor *monitor, pid_t pid);
void control_link_up(struct monitor *monitor, pid_t pid);
void control_link_down(struct monitor *monitor, const char *why);
void control_started(struct monitor *monitor);
void control_exited(struct monitor *monitor);
void control_ask_opened(struct monitor *monitor, const struct ask *ask);
void control_ask_closed(struct monitor *monitor, uint32_t channel);
/* A hook of the agent told what it does; at most a few times a second, the last one counts. */
void control_agent_state(struct monitor *monitor, const char *state, const char *text);
void control_egress_wanted(struct monitor *monitor);
void control_title(struct monitor *monitor);
void control_bell(struct monitor *monitor);
void control_size(struct monitor *monitor);
void control_output(struct monitor *monitor);
/* A human typed into it; `breaks`: Escape or Ctrl-C, which interrupt most agents. */
void control_input(struct monitor *monitor, bool breaks);

/* Returns false when no server is there to hear it. */
bool control_alert(struct monitor *monitor, const struct alert *alert);
