#include "mux/egress/report.h"

#include <stdio.h>
#include <stdlib.h>

#include "transport/pack.h"

#define INTERVAL_MS 1000

struct report_host {
    struct report_host *next;
    struct host host;
    uint16_t port;
    uint32_t open;
    uint64_t serial;  /* of this entry: the same host gets another when it is spoken to again */
    uint64_t in, out; /* since the entry was made */
    bool changed;
};

static void drop_unused(struct report *report)
{
    struct report_host **at = &report->hosts;
    while (*at) {
        struct report_host *host = *at;
        if (host->open > 0 || host->changed) {
            at = &host->next;
            continue;
        }
        *at = host->next;
        free(host);
    }
}

static void tell_traffic(struct report *report)
{
    uint32_t count = 0;
    for (struct report_host *host = report->hosts; host; host = host->next)
        count += host->changed;
    msgpack_packer *packer = uplink_notify(report->uplink, "egress.traffic", 4);
    if (!packer)
        return;
    bj_pack_key_uint(packer, "in", report->in);
    bj_pack_key_uint(packer, "out", report->out);
    bj_pack_key_uint(packer, "open", report->open);
    bj_pack_str(packer, "hosts");
    msgpack_pack_array(packer, count);
    for (struct report_host *host = report->hosts; host; host = host->next) {
        if (!host->changed)
            continue;
        msgpack_pack_map(packer, 5);
        bj_pack_key_str(packer, "host", host->host.text);
        bj_pack_key_uint(packer, "port", host->port);
        bj_pack_key_uint(packer, "serial", host->serial);
        bj_pack_key_uint(packer, "in", host->in);
        bj_pack_key_uint(packer, "out", host->out);
        host->changed = false;
    }
    bj_rpc_send(&report->uplink->rpc);
    report->changed = false;
}

static void tell_refused(struct report *report, const char *host, uint16_t port, const char *reason)
{
    char clean[HOST_TEXT_MAX + 1];
    snprintf(clean, sizeof(clean), "%s", host ? host : "");
    for (char *at = clean; *at; at++)
        if (*at <= 0x20 || *at >= 0x7f)
            *at = '?';
    msgpack_packer *packer = uplink_notify(report->uplink, "egress.refused", 4);
    if (!packer)
        return;
    bj_pack_key_str(packer, "host", clean);
    bj_pack_key_uint(packer, "port", port);
    bj_pack_key_str(packer, "reason", reason);
    bj_pack_key_uint(packer, "suppressed", report->suppressed);
    bj_rpc_send(&report->uplink->rpc);
    report->suppressed = 0;
}

static void on_timer(uv_timer_t *timer)
{
    struct report *report = timer->data;
    if (report->suppressed > 0)
        tell_refused(report, NULL, 0, "and more like these");
    report->refusals = 0;
    if (report->changed)
        tell_traffic(report);
    drop_unused(report);
}

static void tick(struct report *report)
{
    if (!uv_is_active((uv_handle_t *)&report->timer) &&
        !uv_is_closing((uv_handle_t *)&report->timer))
        uv_timer_start(&report->timer, on_timer, INTERVAL_MS, 0);
}

int report_init(struct report *report, uv_loop_t *loop, struct uplink *uplink)
{
    *report = (struct report){.uplink = uplink};
    report->timer.data = report;
    return uv_timer_init(loop, &report->timer);
}

void report_stop(struct report *report)
{
    if (report->changed)
        tell_traffic(report);
    for (struct report_host *host = report->hosts; host; host = host->next)
        host->changed = false;
    drop_unused(report);
    uv_close((uv_handle_t *)&report->timer, NULL);
}

struct report_host *report_opened(struct report *report, const struct host *name, uint16_t port,
                                  const char *address, const char *protocol)
{
    msgpack_packer *packer = uplink_notify(report->uplink, "egress.opened", 4);
    if (packer) {
        bj_pack_key_str(packer, "host", name->text);
        bj_pack_key_uint(packer, "port", port);
        bj_pack_key_str(packer, "address", address);
        bj_pack_key_str(packer, "protocol", protocol);
        bj_rpc_send(&report->uplink->rpc);
    }
    struct report_host *host = report->hosts;
    while (host && (host->port != port || !host_equal(&host->host, name)))
        host = host->next;
    if (!host) {
        host = calloc(1, sizeof(*host));
        if (!host)
            return NULL;
        host->host = *name;
        host->port = port;
        host->serial = ++report->serial;
        host->next = report->hosts;
        report->hosts = host;
    }
    host->open++;
    report->open++;
    return host;
}

void report_bytes(struct report *report, struct report_host *host, uint64_t in, uint64_t out)
{
    report->in += in;
    report->out += out;
    report->changed = true;
    if (host) {
        host->in += in;
        host->out += out;
        host->changed = true;
    }
    tick(report);
}

void report_closed(struct report *report, struct report_host *host, uint64_t in, uint64_t out,
                   double seconds)
{
    if (!host)
        return;
    msgpack_packer *packer = uplink_notify(report->uplink, "egress.closed", 5);
    if (packer) {
        bj_pack_key_str(packer, "host", host->host.text);
        bj_pack_key_uint(packer, "port", host->port);
        bj_pack_key_uint(packer, "in", in);
        bj_pack_key_uint(packer, "out", out);
        bj_pack_key_double(packer, "seconds", seconds);
        bj_rpc_send(&report->uplink->rpc);
    }
    host->open--;
    report->open--;
    report->changed = true;
    tick(report);
}

void report_refused(struct report *report, const char *host, uint16_t port, const char *reason)
{
    tick(report);
    if (report->refusals >= REPORT_REFUSALS_MAX) {
        report->suppressed++;
        return;
    }
    report->refusals++;
    tell_refused(report, host, port, reason);
}
