#include "tui/cli/peer.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mux/json/json.h"
#include "transport/pack.h"
#include "tui/cli/plain.h"

/* JSON strings are UTF-8 without exception; what is not is replaced by U+FFFD. */
static json_t *json_of_text(const char *text, size_t size)
{
    json_t *value = json_stringn(text, size);
    if (value)
        return value;
    char *clean = plain_copy(text, size, PLAIN_LINES);
    value = clean ? json_string(clean) : NULL;
    free(clean);
    return value;
}

static json_t *json_of_map(const msgpack_object_map *map)
{
    json_t *object = json_object();
    for (uint32_t i = 0; object && i < map->size; i++) {
        const msgpack_object_kv *pair = &map->ptr[i];
        char key[128];
        if (pair->key.type != MSGPACK_OBJECT_STR || pair->key.via.str.size >= sizeof(key))
            continue;
        memcpy(key, pair->key.via.str.ptr, pair->key.via.str.size);
        key[pair->key.via.str.size] = '\0';
        if (json_object_set_new(object, key, peer_json(&pair->val)) < 0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

static json_t *json_of_array(const msgpack_object_array *array)
{
    json_t *list = json_array();
    for (uint32_t i = 0; list && i < array->size; i++)
        if (json_array_append_new(list, peer_json(&array->ptr[i])) < 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

json_t *peer_json(const msgpack_object *object)
{
    switch (object->type) {
    case MSGPACK_OBJECT_BOOLEAN:
        return json_boolean(object->via.boolean);
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        return object->via.u64 <= INT64_MAX ? json_integer((json_int_t)object->via.u64)
                                            : json_real((double)object->via.u64);
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        return json_integer(object->via.i64);
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
        return isfinite(object->via.f64) ? json_real(object->via.f64) : json_null();
    case MSGPACK_OBJECT_STR:
        return json_of_text(object->via.str.ptr, object->via.str.size);
    case MSGPACK_OBJECT_BIN:
        return json_of_text(object->via.bin.ptr, object->via.bin.size);
    case MSGPACK_OBJECT_ARRAY:
        return json_of_array(&object->via.array);
    case MSGPACK_OBJECT_MAP:
        return json_of_map(&object->via.map);
    default:
        return json_null();
    }
}

static void pack(msgpack_packer *packer, const json_t *value)
{
    const char *key;
    const json_t *item;
    size_t index;
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        msgpack_pack_map(packer, json_object_size(value));
        json_object_foreach((json_t *)value, key, item)
        {
            bj_pack_str(packer, key);
            pack(packer, item);
        }
        break;
    case JSON_ARRAY:
        msgpack_pack_array(packer, json_array_size(value));
        json_array_foreach(value, index, item) pack(packer, item);
        break;
    case JSON_STRING:
        bj_pack_strn(packer, json_string_value(value), json_string_length(value));
        break;
    case JSON_INTEGER:
        msgpack_pack_int64(packer, json_integer_value(value));
        break;
    case JSON_REAL:
        msgpack_pack_double(packer, json_real_value(value));
        break;
    case JSON_TRUE:
        msgpack_pack_true(packer);
        break;
    case JSON_FALSE:
        msgpack_pack_false(packer);
        break;
    case JSON_NULL:
        msgpack_pack_nil(packer);
        break;
    }
}

static void on_notification(struct bj_rpc *rpc, const char *name, const msgpack_object *params)
{
    struct peer *peer = rpc->owner;
    if (!peer->event)
        return;
    json_t *value = peer_json(params);
    if (value)
        peer->event(peer, name, value);
    json_decref(value);
}

static void on_closed(struct bj_rpc *rpc, const struct bj_error *why)
{
    struct peer *peer = rpc->owner;
    peer->connected = false;
    peer->why = *why;
}

static const struct bj_rpc_events peer_events = {
    .notification = on_notification,
    .closed = on_closed,
};

static void on_timer(uv_timer_t *timer)
{
    struct peer *peer = timer->data;
    peer->timed_out = true;
}

int peer_open(struct peer *peer, int descriptor, const char *who, struct bj_error *error)
{
    *peer = (struct peer){.who = who};
    json_watch();
    int status = uv_loop_init(&peer->loop);
    if (status < 0)
        return bj_fail(error, status, "cannot make an event loop: %s", uv_strerror(status));
    uv_timer_init(&peer->loop, &peer->timer);
    peer->timer.data = peer;
    status = bj_rpc_open(&peer->rpc, &peer->loop, descriptor, &peer_events, peer, error);
    if (status < 0) {
        peer_close(peer);
        return status;
    }
    peer->connected = true;
    return 0;
}

void peer_close(struct peer *peer)
{
    if (peer->connected)
        bj_rpc_close(&peer->rpc);
    if (!uv_is_closing((uv_handle_t *)&peer->timer))
        uv_close((uv_handle_t *)&peer->timer, NULL);
    uv_run(&peer->loop, UV_RUN_DEFAULT);
    uv_loop_close(&peer->loop);
}

static void on_reply(struct bj_rpc *rpc, const msgpack_object *error, const msgpack_object *result,
                     void *argument)
{
    (void)rpc;
    struct peer_reply *reply = argument;
    reply->done = true;
    if (error) {
        bj_rpc_error_read(error, &reply->error);
        return;
    }
    reply->result = peer_json(result);
    if (!reply->result)
        bj_fail(&reply->error, -ENOMEM, "out of memory");
}

void peer_send(struct peer *peer, const char *method, json_t *params, struct peer_reply *reply)
{
    *reply = (struct peer_reply){0};
    if (!peer->connected) {
        bj_fail(&reply->error, -EPIPE, "the connection to %s is closed", peer->who);
        reply->done = true;
    } else if (json_starved()) { /* what is asked for may lack something */
        bj_fail(&reply->error, -ENOMEM, "out of memory");
        reply->done = true;
        json_watch();
    } else {
        msgpack_packer *packer = bj_rpc_request(&peer->rpc, method, on_reply, reply);
        if (params)
            pack(packer, params);
        else
            msgpack_pack_map(packer, 0);
        bj_rpc_send(&peer->rpc);
    }
    json_decref(params);
}

static bool all_done(const struct peer_reply *replies, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!replies[i].done)
            return false;
    return true;
}

static void start_timer(struct peer *peer, unsigned milliseconds)
{
    peer->timed_out = false;
    uv_update_time(&peer->loop);
    if (milliseconds > 0)
        uv_timer_start(&peer->timer, on_timer, milliseconds, 0);
    else
        uv_timer_stop(&peer->timer);
}

int peer_wait(struct peer *peer, struct peer_reply *replies, size_t count, unsigned milliseconds,
              struct bj_error *error)
{
    start_timer(peer, milliseconds);
    while (peer->connected && !peer->timed_out && !all_done(replies, count))
        uv_run(&peer->loop, UV_RUN_ONCE);
    uv_timer_stop(&peer->timer);
    if (all_done(replies, count))
        return 0;
    /* The replies may be on the caller's stack: nothing may answer them later. */
    bj_rpc_close(&peer->rpc);
    while (peer->connected)
        uv_run(&peer->loop, UV_RUN_ONCE);
    for (size_t i = 0; i < count; i++) {
        json_decref(replies[i].result);
        replies[i].result = NULL;
    }
    return bj_fail(error, -ETIMEDOUT, "%s did not answer within %u s: see belljar server logs",
                   peer->who, milliseconds / 1000);
}

int peer_listen(struct peer *peer, const bool *stop, unsigned milliseconds, struct bj_error *error)
{
    start_timer(peer, milliseconds);
    while (peer->connected && !peer->timed_out && !*stop)
        uv_run(&peer->loop, UV_RUN_ONCE);
    uv_timer_stop(&peer->timer);
    if (*stop)
        return 0;
    if (!peer->connected)
        return bj_fail(error, peer->why.code ? peer->why.code : -EPIPE,
                       "the connection to %s ended%s%s", peer->who, peer->why.code ? ": " : "",
                       peer->why.text);
    return bj_fail(error, -ETIMEDOUT, "nothing came within %u s", milliseconds / 1000);
}

int peer_take(struct peer *peer, struct peer_reply *reply, unsigned milliseconds, json_t **result,
              struct bj_error *error)
{
    *result = NULL;
    int status = peer_wait(peer, reply, 1, milliseconds, error);
    if (status < 0)
        return status;
    if (!reply->result)
        return bj_fail(error, reply->error.code < 0 ? reply->error.code : -EPROTO, "%s",
                       reply->error.text);
    *result = reply->result;
    return 0;
}

int peer_call(struct peer *peer, const char *method, json_t *params, unsigned milliseconds,
              json_t **result, struct bj_error *error)
{
    struct peer_reply reply;
    peer_send(peer, method, params, &reply);
    return peer_take(peer, &reply, milliseconds, result, error);
}
