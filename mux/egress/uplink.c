#include "mux/egress/uplink.h"

#include <unistd.h>

#include "transport/pack.h"

#define DELAY_FIRST_MS 50
#define DELAY_MAX_MS   2000

static void on_timer(uv_timer_t *timer)
{
    struct uplink *uplink = timer->data;
    dialer_ask(uplink->dialer, DIALER_SERVER);
}

static void dial_later(struct uplink *uplink)
{
    if (uplink->stopping)
        return;
    uv_timer_start(&uplink->timer, on_timer, uplink->delay_ms, 0);
    uplink->delay_ms = uplink->delay_ms * 2 < DELAY_MAX_MS ? uplink->delay_ms * 2 : DELAY_MAX_MS;
}

static void on_notification(struct bj_rpc *rpc, const char *name, const msgpack_object *params)
{
    struct uplink *uplink = rpc->owner;
    uplink->notified(uplink, name, params);
}

static void on_closed(struct bj_rpc *rpc, const struct bj_error *why)
{
    (void)why;
    struct uplink *uplink = rpc->owner;
    uplink->up = uplink->rpc_alive = false;
    dial_later(uplink);
}

static const struct bj_rpc_events events = {.notification = on_notification, .closed = on_closed};

int uplink_init(struct uplink *uplink, uv_loop_t *loop, struct dialer *dialer, const char *id)
{
    uplink->dialer = dialer;
    uplink->id = id;
    uplink->delay_ms = DELAY_FIRST_MS;
    uplink->timer.data = uplink;
    return uv_timer_init(loop, &uplink->timer);
}

void uplink_start(struct uplink *uplink)
{
    dialer_ask(uplink->dialer, DIALER_SERVER);
}

void uplink_dialled(struct uplink *uplink, int descriptor)
{
    if (descriptor >= 0 && (uplink->stopping || uplink->rpc_alive)) {
        close(descriptor);
        return;
    }
    if (descriptor < 0 ||
        bj_rpc_open(&uplink->rpc, uplink->timer.loop, descriptor, &events, uplink, NULL) < 0) {
        dial_later(uplink);
        return;
    }
    uplink->rpc_alive = true;
    if (uplink->rpc.closing)
        return;
    uplink->up = true;
    uplink->delay_ms = DELAY_FIRST_MS;
    msgpack_packer *packer = uplink_notify(uplink, "egress.hello", 1);
    bj_pack_key_uint(packer, "pid", (uint64_t)getpid());
    bj_rpc_send(&uplink->rpc);
    uplink->came_up(uplink);
}

void uplink_stop(struct uplink *uplink)
{
    if (uplink->stopping)
        return;
    uplink->stopping = true;
    uv_close((uv_handle_t *)&uplink->timer, NULL);
    if (uplink->rpc_alive)
        bj_rpc_close(&uplink->rpc);
    uplink->up = false;
}

static msgpack_packer *begin(struct uplink *uplink, msgpack_packer *packer, uint32_t fields)
{
    msgpack_pack_map(packer, fields + 1);
    bj_pack_key_str(packer, "id", uplink->id);
    return packer;
}

msgpack_packer *uplink_request(struct uplink *uplink, const char *method, uint32_t fields,
                               bj_rpc_reply *reply, void *argument)
{
    if (!uplink->up || uplink->rpc.closing)
        return NULL;
    return begin(uplink, bj_rpc_request(&uplink->rpc, method, reply, argument), fields);
}

msgpack_packer *uplink_notify(struct uplink *uplink, const char *name, uint32_t fields)
{
    if (!uplink->up || uplink->rpc.closing)
        return NULL;
    return begin(uplink, bj_rpc_notify(&uplink->rpc, name), fields);
}
