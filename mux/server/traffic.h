/*
 * Whom a sandbox spoke to: connections and bytes per host and port, as its egress proxy tells. The
 * figures go on over proxies that come and go. Bounded: beyond TRAFFIC_HOSTS_MAX the quietest
 * closed host gives way.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mux/policy/host.h"

#define TRAFFIC_HOSTS_MAX 256
#define TRAFFIC_SLOTS     60 /* of a minute each */

struct traffic_host {
    char host[POLICY_HOST_MAX];
    uint16_t port;
    uint32_t open;
    uint64_t opened, refused;
    uint64_t in, out;           /* bytes since the server heard of it first */
    uint64_t serial;            /* the proxy's, whose count goes on; another begins from zero */
    uint64_t base_in, base_out; /* bytes under earlier serials */
    uint64_t rate;              /* bytes per second, at the last report */
    uint64_t told;              /* monotonic ms of that */
    bool once;                  /* a human let it through without a rule */
};

/* How often something happened in this minute. */
struct traffic_window {
    uint64_t minute;
    unsigned count;
};

struct traffic {
    struct traffic_host *hosts;
    size_t count;
    uint64_t minutes[TRAFFIC_SLOTS]; /* bytes both ways */
    uint64_t minute;                 /* the newest slot's, in monotonic minutes */
    uint64_t total;                  /* what the proxy has told last */
    bool counting;                   /* `total` is known */
    bool over;                       /* the quota of the last hour is used up */
    struct traffic_window audited, held;
    struct {
        uint64_t count, in, out;
    } unlisted; /* connections that are not in the audit log each by itself, nor in a sum yet */
};

/* NULL when out of memory. */
struct traffic_host *traffic_host(struct traffic *traffic, const char *host, uint16_t port);
/* A proxy was started: it counts from zero. */
void traffic_restart(struct traffic *traffic);
/* A proxy has come, or come back: what it had open is not known any more. */
void traffic_rejoin(struct traffic *traffic);
/* Bytes that the proxy has counted for this host so far. */
void traffic_count(struct traffic *traffic, struct traffic_host *host, uint64_t serial, uint64_t in,
                   uint64_t out, uint64_t now);
/* Bytes both ways that the proxy has counted since it began, of all hosts; they make the hour. Of a
 * proxy that was there before this server, what it tells first is not of this hour. */
void traffic_total(struct traffic *traffic, uint64_t total, uint64_t now);
/* Bytes of the last hour. */
uint64_t traffic_hour(struct traffic *traffic, uint64_t now);
/* Counts; false when it was more often than `limit` in this minute. */
bool traffic_within(struct traffic_window *window, unsigned limit, uint64_t now);
void traffic_free(struct traffic *traffic);
