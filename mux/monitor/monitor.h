/*
 * One belljar-monitor: the outer end of one sandbox's link, its terminal and recording, and the two
 * sockets that show them. Everything hangs on one struct monitor and one loop; the parts call each
 * other through the functions of their headers.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <uv.h>

#include "mux/monitor/alerts.h"
#include "mux/monitor/control.h"
#include "mux/monitor/link.h"
#include "mux/monitor/recording.h"
#include "mux/monitor/relay.h"
#include "mux/monitor/terminal.h"
#include "mux/monitor/view.h"

struct agent {
    bool started, exited;
    uint32_t pid; /* inside */
    int code, signal;
    char error[512];
};

struct monitor {
    uv_loop_t loop;
    const char *id;
    uid_t owner; /* whose clients and server may connect */
    struct terminal *terminal;
    struct recording recording;
    struct agent agent;
    struct link link;
    struct relay relay;
    struct control control;
    struct view view;
    struct alerts alerts;
    uv_timer_t idle; /* gives memory back a while after the last output; not running when idle */
    bool stopping;
};

/* Clients typed, or the terminal answers a query. -ENOBUFS when the shim takes too little. */
int monitor_input(struct monitor *monitor, const void *bytes, size_t size);

/* A client's wish. Changes terminal, recording, pty and tells everyone. */
void monitor_resize(struct monitor *monitor, int rows, int cols);

/* A batch of output was taken. */
void monitor_output_taken(struct monitor *monitor);

/* Rate-limited by kind; kept while no server is connected. */
void monitor_alert(struct monitor *monitor, const char *severity, const char *kind,
                   const char *text);

/* Writes what is there and ends the loop. */
void monitor_stop(struct monitor *monitor);
