#include "transport/rpc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "transport/pack.h"

#define READ_SIZE (64U * 1024)

enum { REQUEST, RESPONSE, NOTIFICATION }; /* specification: message types */

struct bj_rpc_pending {
    struct bj_rpc_pending *next;
    uint32_t id;
    bj_rpc_reply *reply;
    void *argument;
};

struct write {
    uv_write_t request;
    size_t size;
    char *bytes;
};

/* Tells everyone who waits. Requests that a reply makes are left for the next time. */
static void fail_pending(struct bj_rpc *rpc)
{
    struct bj_rpc_pending *pending = rpc->pending;
    rpc->pending = NULL;
    const char *text = rpc->why.code ? rpc->why.text : "connection closed";
    int64_t code = rpc->why.code ? rpc->why.code : -EPIPE;
    msgpack_object_kv fields[2] = {
        {.key = {MSGPACK_OBJECT_STR, {.str = {4, "code"}}},
         .val = {MSGPACK_OBJECT_NEGATIVE_INTEGER, {.i64 = code}}},
        {.key = {MSGPACK_OBJECT_STR, {.str = {7, "message"}}},
         .val = {MSGPACK_OBJECT_STR, {.str = {(uint32_t)strlen(text), text}}}},
    };
    const msgpack_object error = {MSGPACK_OBJECT_MAP, {.map = {2, fields}}};
    while (pending) {
        struct bj_rpc_pending *next = pending->next;
        pending->reply(rpc, &error, NULL, pending->argument);
        free(pending);
        pending = next;
    }
}

static void on_closed(uv_handle_t *handle)
{
    struct bj_rpc *rpc = handle->data;
    rpc->closed = true;
    fail_pending(rpc);
    free(rpc->in);
    rpc->in = NULL;
    free(rpc->spare);
    rpc->spare = NULL;
    msgpack_sbuffer_destroy(&rpc->out);
    struct bj_error why = rpc->why;
    rpc->handler->closed(rpc, &why);
}

void bj_rpc_close(struct bj_rpc *rpc)
{
    if (rpc->closing)
        return;
    rpc->closing = true;
    fail_pending(rpc);
    uv_close((uv_handle_t *)&rpc->pipe, on_closed);
}

static void fail(struct bj_rpc *rpc, int code, const char *text)
{
    if (rpc->closing)
        return;
    bj_fail(&rpc->why, code, "%s", text);
    bj_rpc_close(rpc);
}

/* A peer that said something and then closed is gone for who writes first: what it said must not be
 * lost, and its end is read behind it. */
static void cannot_write(struct bj_rpc *rpc, int status)
{
    if (status == UV_EPIPE || status == UV_ECONNRESET)
        rpc->deaf = true;
    else
        fail(rpc, status, uv_strerror(status));
}

static void on_written(uv_write_t *request, int status)
{
    struct write *write = (struct write *)request;
    struct bj_rpc *rpc = request->handle->data;
    rpc->out_flying -= write->size;
    free(write->bytes);
    free(write);
    if (rpc->closing)
        return;
    if (status < 0)
        cannot_write(rpc, status);
    else if (bj_rpc_backlog(rpc) == 0 && rpc->handler->drained)
        rpc->handler->drained(rpc);
}

/* Half a packed message would spoil everything behind it: bj_rpc_send() then ends the connection.
 */
static int pack_out(void *data, const char *bytes, size_t size)
{
    struct bj_rpc *rpc = data;
    if (msgpack_sbuffer_write(&rpc->out, bytes, size) == 0)
        return 0;
    rpc->out_of_memory = true;
    return -1;
}

void bj_rpc_send(struct bj_rpc *rpc)
{
    if (rpc->closing)
        return;
    if (rpc->out_of_memory) {
        fail(rpc, -ENOMEM, "out of memory");
        return;
    }
    if (rpc->deaf)
        msgpack_sbuffer_clear(&rpc->out);
    if (rpc->out.size == 0)
        return;
    size_t taken = 0;
    if (rpc->out_flying == 0) {
        uv_buf_t part = uv_buf_init(rpc->out.data, (unsigned)rpc->out.size);
        int status = uv_try_write((uv_stream_t *)&rpc->pipe, &part, 1);
        if (status == (int)rpc->out.size) {
            msgpack_sbuffer_clear(&rpc->out);
            return;
        }
        if (status < 0 && status != UV_EAGAIN) {
            cannot_write(rpc, status);
            msgpack_sbuffer_clear(&rpc->out);
            return;
        }
        taken = status > 0 ? (size_t)status : 0;
    }
    if (rpc->out_flying + rpc->out.size - taken > BJ_RPC_PENDING_MAX) {
        fail(rpc, -EOVERFLOW, "the peer does not read: too much waits for it");
        return;
    }

    struct write *write = calloc(1, sizeof(*write));
    if (!write) {
        fail(rpc, -ENOMEM, "out of memory");
        return;
    }
    write->size = rpc->out.size - taken;
    uv_buf_t part = uv_buf_init(rpc->out.data + taken, (unsigned)write->size);
    write->bytes = msgpack_sbuffer_release(&rpc->out);
    int status = uv_write(&write->request, (uv_stream_t *)&rpc->pipe, &part, 1, on_written);
    if (status < 0) {
        free(write->bytes);
        free(write);
        fail(rpc, status, uv_strerror(status));
        return;
    }
    rpc->out_flying += write->size;
}

size_t bj_rpc_backlog(const struct bj_rpc *rpc)
{
    return rpc->out_flying + rpc->out.size;
}

msgpack_packer *bj_rpc_request(struct bj_rpc *rpc, const char *method, bj_rpc_reply *reply,
                               void *argument)
{
    uint32_t id = rpc->next_id++;
    if (rpc->next_id == BJ_RPC_NO_REPLY)
        rpc->next_id = 0;
    if (reply && !rpc->closed) {
        struct bj_rpc_pending *pending = calloc(1, sizeof(*pending));
        if (!pending) {
            rpc->out_of_memory = true;
            pending = rpc->spare;
            rpc->spare = NULL;
        }
        if (pending) {
            *pending = (struct bj_rpc_pending){rpc->pending, id, reply, argument};
            rpc->pending = pending;
        }
    }
    msgpack_pack_array(&rpc->packer, 4);
    msgpack_pack_int(&rpc->packer, REQUEST);
    msgpack_pack_uint32(&rpc->packer, id);
    bj_pack_str(&rpc->packer, method);
    msgpack_pack_array(&rpc->packer, 1);
    return &rpc->packer;
}

msgpack_packer *bj_rpc_notify(struct bj_rpc *rpc, const char *method)
{
    msgpack_pack_array(&rpc->packer, 3);
    msgpack_pack_int(&rpc->packer, NOTIFICATION);
    bj_pack_str(&rpc->packer, method);
    msgpack_pack_array(&rpc->packer, 1);
    return &rpc->packer;
}

msgpack_packer *bj_rpc_result(struct bj_rpc *rpc, uint32_t id)
{
    if (id == BJ_RPC_NO_REPLY)
        return NULL;
    msgpack_pack_array(&rpc->packer, 4);
    msgpack_pack_int(&rpc->packer, RESPONSE);
    msgpack_pack_uint32(&rpc->packer, id);
    msgpack_pack_nil(&rpc->packer);
    return &rpc->packer;
}

void bj_rpc_error(struct bj_rpc *rpc, uint32_t id, const struct bj_error *error)
{
    if (id == BJ_RPC_NO_REPLY)
        return;
    msgpack_pack_array(&rpc->packer, 4);
    msgpack_pack_int(&rpc->packer, RESPONSE);
    msgpack_pack_uint32(&rpc->packer, id);
    msgpack_pack_map(&rpc->packer, 2);
    bj_pack_key_int(&rpc->packer, "code", error->code);
    bj_pack_key_str(&rpc->packer, "message", error->text);
    msgpack_pack_nil(&rpc->packer);
    bj_rpc_send(rpc);
}

void bj_rpc_done(struct bj_rpc *rpc, uint32_t id)
{
    msgpack_packer *packer = bj_rpc_result(rpc, id);
    if (!packer)
        return;
    msgpack_pack_map(packer, 0);
    bj_rpc_send(rpc);
}

void bj_rpc_error_read(const msgpack_object *map, struct bj_error *error)
{
    error->code = (int)bj_get_int(map, "code", -EPROTO);
    bj_get_copy(map, "message", error->text, sizeof(error->text));
    if (!error->text[0])
        bj_fail(error, error->code, "the other end reported an error without words");
}

static void answer_call(struct bj_rpc *rpc, uint32_t id, const struct bj_method *method,
                        const msgpack_object *params)
{
    struct bj_error error = {0};
    if (bj_method_check(method, params, &error) < 0) {
        bj_rpc_error(rpc, id, &error);
    } else if (strcmp(method->name, "api.info") == 0) {
        msgpack_packer *packer = bj_rpc_result(rpc, id);
        if (packer) {
            bj_api_pack(packer, rpc->handler->methods, rpc->handler->events);
            bj_rpc_send(rpc);
        }
    } else {
        rpc->handler->call(rpc, id, method, params);
    }
}

static void on_call(struct bj_rpc *rpc, uint32_t id, const msgpack_object *name,
                    const msgpack_object *params)
{
    /* Methods without parameters may be called with an empty list. */
    static const msgpack_object no_params = {.type = MSGPACK_OBJECT_MAP};
    const msgpack_object *first = params->via.array.size == 1   ? params->via.array.ptr
                                  : params->via.array.size == 0 ? &no_params
                                                                : params;
    const struct bj_method *method =
        bj_method_find(rpc->handler->methods, name->via.str.ptr, name->via.str.size);
    if (method) {
        answer_call(rpc, id, method, first);
        return;
    }
    char text[64];
    size_t size = name->via.str.size < sizeof(text) - 1 ? name->via.str.size : sizeof(text) - 1;
    for (size_t i = 0; i < size; i++) { /* cut or not, the answer must be valid text */
        unsigned char c = (unsigned char)name->via.str.ptr[i];
        text[i] = c >= 0x20 && c < 0x7f ? (char)c : '?';
    }
    text[size] = '\0';
    if (id == BJ_RPC_NO_REPLY) {
        if (rpc->handler->notification)
            rpc->handler->notification(rpc, text, first);
        return;
    }
    struct bj_error error = {0};
    bj_fail(&error, -ENOSYS, "no method %s: api.info lists them", text);
    bj_rpc_error(rpc, id, &error);
}

static void on_response(struct bj_rpc *rpc, uint32_t id, const msgpack_object *error,
                        const msgpack_object *result)
{
    for (struct bj_rpc_pending **at = &rpc->pending; *at; at = &(*at)->next) {
        if ((*at)->id != id)
            continue;
        struct bj_rpc_pending *pending = *at;
        *at = pending->next;
        bool failed = error->type != MSGPACK_OBJECT_NIL;
        pending->reply(rpc, failed ? error : NULL, failed ? NULL : result, pending->argument);
        free(pending);
        return;
    }
}

static int dispatch(struct bj_rpc *rpc, const msgpack_object *message)
{
    const msgpack_object *item = message->via.array.ptr;
    uint32_t size = message->type == MSGPACK_OBJECT_ARRAY ? message->via.array.size : 0;
    if (size < 3 || size > 4 || item[0].type != MSGPACK_OBJECT_POSITIVE_INTEGER)
        return -EPROTO;
    bool with_id = item[0].via.u64 != NOTIFICATION;
    if (with_id && (size != 4 || item[1].type != MSGPACK_OBJECT_POSITIVE_INTEGER ||
                    item[1].via.u64 >= BJ_RPC_NO_REPLY))
        return -EPROTO;
    switch (item[0].via.u64) {
    case REQUEST:
        if (item[2].type != MSGPACK_OBJECT_STR || item[3].type != MSGPACK_OBJECT_ARRAY)
            return -EPROTO;
        on_call(rpc, (uint32_t)item[1].via.u64, &item[2], &item[3]);
        return 0;
    case RESPONSE:
        on_response(rpc, (uint32_t)item[1].via.u64, &item[2], &item[3]);
        return 0;
    case NOTIFICATION:
        if (size != 3 || item[1].type != MSGPACK_OBJECT_STR || item[2].type != MSGPACK_OBJECT_ARRAY)
            return -EPROTO;
        on_call(rpc, BJ_RPC_NO_REPLY, &item[1], &item[2]);
        return 0;
    default:
        return -EPROTO;
    }
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    (void)suggested;
    struct bj_rpc *rpc = handle->data;
    if (rpc->in_capacity - rpc->in_size < READ_SIZE) {
        size_t capacity = rpc->in_capacity ? rpc->in_capacity * 2 : READ_SIZE * 2;
        uint8_t *grown = realloc(rpc->in, capacity);
        if (!grown) {
            *buffer = uv_buf_init(NULL, 0); /* libuv then reports UV_ENOBUFS */
            return;
        }
        rpc->in = grown;
        rpc->in_capacity = capacity;
    }
    *buffer =
        uv_buf_init((char *)rpc->in + rpc->in_size, (unsigned)(rpc->in_capacity - rpc->in_size));
}

/* Dispatches every whole frame; returns the bytes consumed. */
static size_t consume(struct bj_rpc *rpc)
{
    size_t start = 0;
    while (!rpc->closing) {
        size_t end;
        struct bj_error error = {0};
        int found = bj_frame_scan(&rpc->frame, &bj_frame_limits_rpc, rpc->in + start,
                                  rpc->in_size - start, &end, &error);
        if (found < 0)
            fail(rpc, found, error.text);
        if (found <= 0)
            break;
        msgpack_unpacked unpacked;
        msgpack_unpacked_init(&unpacked);
        size_t offset = 0;
        msgpack_unpack_return got =
            msgpack_unpack_next(&unpacked, (char *)rpc->in + start, end, &offset);
        if (got == MSGPACK_UNPACK_NOMEM_ERROR)
            fail(rpc, -ENOMEM, "out of memory");
        else if (got != MSGPACK_UNPACK_SUCCESS || dispatch(rpc, &unpacked.data) < 0)
            fail(rpc, -EPROTO, "not a MessagePack-RPC message");
        msgpack_unpacked_destroy(&unpacked);
        start += end;
        bj_frame_reset(&rpc->frame);
    }
    return start;
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    (void)buffer;
    struct bj_rpc *rpc = stream->data;
    if (size == UV_EOF || size == UV_ECONNRESET) {
        bj_rpc_close(rpc);
        return;
    }
    if (size < 0) {
        fail(rpc, (int)size, uv_strerror((int)size));
        return;
    }
    rpc->in_size += (size_t)size;
    size_t used = consume(rpc);
    if (rpc->closing)
        return;
    memmove(rpc->in, rpc->in + used, rpc->in_size - used);
    rpc->in_size -= used;
    if (rpc->in_size == 0 && rpc->in_capacity > READ_SIZE * 4) {
        free(rpc->in);
        rpc->in = NULL;
        rpc->in_capacity = 0;
    }
}

int bj_rpc_open(struct bj_rpc *rpc, uv_loop_t *loop, int descriptor,
                const struct bj_rpc_events *handler, void *owner, struct bj_error *error)
{
    *rpc = (struct bj_rpc){.handler = handler, .owner = owner};
    bj_frame_reset(&rpc->frame);
    msgpack_sbuffer_init(&rpc->out);
    msgpack_packer_init(&rpc->packer, rpc, pack_out);
    rpc->spare = calloc(1, sizeof(*rpc->spare));
    int status = rpc->spare ? uv_pipe_init(loop, &rpc->pipe, 0) : -ENOMEM;
    if (status < 0) {
        free(rpc->spare);
        close(descriptor);
        return bj_fail(error, status, "cannot open a connection: %s", uv_strerror(status));
    }
    rpc->pipe.data = rpc;
    status = uv_pipe_open(&rpc->pipe, descriptor);
    if (status < 0)
        close(descriptor);
    else
        status = uv_read_start((uv_stream_t *)&rpc->pipe, on_alloc, on_read);
    if (status < 0) {
        /* The handle must be closed asynchronously, so `closed` tells the owner, as always. */
        bj_fail(&rpc->why, status, "cannot read from a connection: %s", uv_strerror(status));
        bj_rpc_close(rpc);
    }
    return 0;
}
