/*
 * belljar-egress: the only process of a sandbox that may open network connections. The parts and
 * their one owner, from egress_start() to the end of the loop.
 *
 *   stream      connections that the sandbox opened, from the monitor's egress.sock
 *   connection  what each of them says (HTTP, SOCKS) and what becomes of it
 *   decision    host and port -> verdict -> checked addresses
 *   upstream    one TCP connection out;  broker: one HTTPS request with a credential
 *   uplink      the server;  report: what it is told;  dialer: who connects to our own sockets
 */
#pragma once

#include <stdbool.h>

#include <uv.h>

#include "mux/egress/broker.h"
#include "mux/egress/credential.h"
#include "mux/egress/decision.h"
#include "mux/egress/dialer.h"
#include "mux/egress/report.h"
#include "mux/egress/stream.h"
#include "mux/egress/uplink.h"

struct egress_options {
    const char *id;      /* of the sandbox */
    const char *stream;  /* path of the monitor's egress socket */
    const char *server;  /* path of the server's egress socket */
    const char *ca_file; /* certificates for the broker; NULL: the system's */
    unsigned hold_seconds, head_seconds;
    int ready_fd; /* -1: none */
};

struct connection;

struct egress {
    const struct egress_options *options;
    uv_loop_t loop;
    struct dialer dialer;
    struct uplink uplink;
    struct streams streams;
    uv_timer_t stream_timer; /* when to dial the monitor again */
    unsigned stream_delay_ms;
    struct decisions decisions;
    struct credentials credentials;
    struct broker broker;
    struct report report;
    struct connection *connections;
    bool stopping;
};

/* Sets everything up; after it, nothing needs to be opened any more. `dialer_socket` is taken over.
 */
int egress_start(struct egress *egress, const struct egress_options *options, int dialer_socket,
                 struct bj_error *error);
void egress_run(struct egress *egress); /* returns after the end, with everything freed */
