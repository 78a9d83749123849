/*
 * The connection to the server, on which egress is a MessagePack-RPC client. Dialled again for as
 * long as the process lives; while it is down nothing is decided and nothing is told, and what is
 * open goes on.
 *
 * Every message carries `id`, the sandbox's id.
 *
 *   requests        egress.decide {host, port, address, protocol, waited}
 *                     -> {answer: allow|deny|wait, reason, addresses_allowed, rule, wait_id}
 *                   egress.credential {name}
 *                     -> {secret, header, format, upstream, hosts}
 *   notifications   egress.hello {pid}
 *   to the server   egress.gone {wait_id}: nobody waits for this verdict any more
 *                   egress.opened {host, port, address, protocol}
 *                   egress.closed {host, port, in, out, seconds}
 *                   egress.refused {host, port, reason, suppressed}
 *                   egress.traffic {in, out, open, hosts: [{host, port, in, out}]}
 *   notifications   egress.verdict {wait_id, answer, reason, addresses_allowed}
 *   from the server egress.revoke {host, port}: port 0 or absent means all
 *                   egress.forget {name}: drop this credential
 */
#pragma once

#include <stdbool.h>

#include <uv.h>

#include "mux/egress/dialer.h"
#include "transport/rpc.h"

struct uplink {
    struct bj_rpc rpc;
    uv_timer_t timer;
    struct dialer *dialer;
    const char *id;
    bool up, stopping, rpc_alive;
    unsigned delay_ms;
    void *owner;
    void (*came_up)(struct uplink *uplink);
    void (*notified)(struct uplink *uplink, const char *name, const msgpack_object *params);
};

int uplink_init(struct uplink *uplink, uv_loop_t *loop, struct dialer *dialer, const char *id);
void uplink_start(struct uplink *uplink);
void uplink_dialled(struct uplink *uplink, int descriptor); /* the dialer's answer */
void uplink_stop(struct uplink *uplink);                    /* sends what is packed; then closes */

/* Each packs a map of `fields` + 1 fields, of which the first (`id`) is already there; the caller
 * packs the others and calls bj_rpc_send(&uplink->rpc). NULL while the uplink is down. */
msgpack_packer *uplink_request(struct uplink *uplink, const char *method, uint32_t fields,
                               bj_rpc_reply *reply, void *argument);
msgpack_packer *uplink_notify(struct uplink *uplink, const char *name, uint32_t fields);
