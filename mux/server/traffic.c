#include "mux/server/traffic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE_MS 60000U

static struct traffic_host *make_room(struct traffic *traffic)
{
    if (traffic->count < TRAFFIC_HOSTS_MAX) {
        struct traffic_host *hosts = realloc(traffic->hosts, (traffic->count + 1) * sizeof(*hosts));
        if (!hosts)
            return NULL;
        traffic->hosts = hosts;
        return &hosts[traffic->count++];
    }
    struct traffic_host *quietest = NULL;
    for (size_t i = 0; i < traffic->count; i++) {
        struct traffic_host *host = &traffic->hosts[i];
        if (host->open == 0 && (!quietest || host->told < quietest->told))
            quietest = host;
    }
    return quietest;
}

struct traffic_host *traffic_host(struct traffic *traffic, const char *name, uint16_t port)
{
    for (size_t i = 0; i < traffic->count; i++)
        if (traffic->hosts[i].port == port && strcmp(traffic->hosts[i].host, name) == 0)
            return &traffic->hosts[i];
    struct traffic_host *host = make_room(traffic);
    if (host) {
        *host = (struct traffic_host){.port = port};
        snprintf(host->host, sizeof(host->host), "%s", name);
    }
    return host;
}

void traffic_rejoin(struct traffic *traffic)
{
    for (size_t i = 0; i < traffic->count; i++)
        traffic->hosts[i].open = 0;
}

static void begin(struct traffic_host *host, uint64_t serial)
{
    host->base_in = host->in;
    host->base_out = host->out;
    host->serial = serial;
}

void traffic_restart(struct traffic *traffic)
{
    for (size_t i = 0; i < traffic->count; i++)
        begin(&traffic->hosts[i], 0);
    traffic_rejoin(traffic);
    traffic->total = 0;
    traffic->counting = true;
}

/* Moves on to this minute, emptying the slots between. */
static void advance(struct traffic *traffic, uint64_t now)
{
    uint64_t minute = now / MINUTE_MS;
    if (minute - traffic->minute >= TRAFFIC_SLOTS)
        memset(traffic->minutes, 0, sizeof(traffic->minutes));
    else
        for (uint64_t at = traffic->minute + 1; at <= minute; at++)
            traffic->minutes[at % TRAFFIC_SLOTS] = 0;
    traffic->minute = minute;
}

void traffic_count(struct traffic *traffic, struct traffic_host *host, uint64_t serial, uint64_t in,
                   uint64_t out, uint64_t now)
{
    uint64_t before = host->in + host->out;
    if (serial != host->serial)
        begin(host, serial);
    host->in = host->base_in + in;
    host->out = host->base_out + out;
    uint64_t more = host->in + host->out > before ? host->in + host->out - before : 0;
    uint64_t since = now > host->told ? now - host->told : 1;
    host->rate = host->told ? more * 1000 / since : 0;
    host->told = now;
}

void traffic_total(struct traffic *traffic, uint64_t total, uint64_t now)
{
    uint64_t more = traffic->counting && total > traffic->total ? total - traffic->total : 0;
    traffic->total = total;
    traffic->counting = true;
    advance(traffic, now);
    traffic->minutes[traffic->minute % TRAFFIC_SLOTS] += more;
}

uint64_t traffic_hour(struct traffic *traffic, uint64_t now)
{
    uint64_t sum = 0;
    advance(traffic, now);
    for (size_t i = 0; i < TRAFFIC_SLOTS; i++)
        sum += traffic->minutes[i];
    return sum;
}

bool traffic_within(struct traffic_window *window, unsigned limit, uint64_t now)
{
    uint64_t minute = now / MINUTE_MS;
    if (window->minute != minute)
        *window = (struct traffic_window){.minute = minute};
    return ++window->count <= limit;
}

void traffic_free(struct traffic *traffic)
{
    free(traffic->hosts);
    *traffic = (struct traffic){0};
}
