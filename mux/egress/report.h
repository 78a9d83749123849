/*
 * What the server is told for the audit log and the figures: connections that open and close,
 * bytes per host, and what was refused. The sandbox cannot flood it: traffic is told at most once
 * a second, refusals at most REPORT_REFUSALS_MAX times a second, the rest as a count.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "mux/egress/host.h"
#include "mux/egress/uplink.h"

#define REPORT_REFUSALS_MAX 20

struct report_host;

struct report {
    struct uplink *uplink;
    uv_timer_t timer;
    struct report_host *hosts;
    uint64_t serial;
    uint64_t in, out; /* bytes of the sandbox since the process started */
    uint32_t open;
    bool changed;
    uint32_t refusals, suppressed; /* in this second; not told */
};

int report_init(struct report *report, uv_loop_t *loop, struct uplink *uplink);
void report_stop(struct report *report);

/* A connection to `address` stands. The result is passed to the calls below, and ends with
 * report_closed(); NULL when out of memory, which those calls take. */
struct report_host *report_opened(struct report *report, const struct host *host, uint16_t port,
                                  const char *address, const char *protocol);
void report_bytes(struct report *report, struct report_host *host, uint64_t in, uint64_t out);
void report_closed(struct report *report, struct report_host *host, uint64_t in, uint64_t out,
                   double seconds);

/* `host` may be NULL or text that is no host name: what is not printable is replaced. */
void report_refused(struct report *report, const char *host, uint16_t port, const char *reason);
