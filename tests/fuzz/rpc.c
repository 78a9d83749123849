/*
 * Fuzz target: what a hostile client may send to a MessagePack-RPC socket. The first byte chooses
 * the table and how the stream is cut.
 */
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"
#include "transport/pack.h"
#include "transport/rpc.h"

static int closed;

static void on_reply(struct bj_rpc *rpc, const msgpack_object *error, const msgpack_object *result,
                     void *argument)
{
    struct bj_error read;
    if (error)
        bj_rpc_error_read(error, &read);
    ++*(int *)argument;
}

static void on_call(struct bj_rpc *rpc, uint32_t id, const struct bj_method *method,
                    const msgpack_object *params)
{
    /* What passed the table's check may be read without further thought. */
    for (size_t i = 0; i < BJ_PARAMS_MAX && method->params[i].name; i++) {
        char text[64];
        const char *name = method->params[i].name;
        require(!method->params[i].required || bj_get(params, name));
        bj_get_copy(params, name, text, sizeof(text));
    }
    bj_rpc_done(rpc, id);
}

static void on_notification(struct bj_rpc *rpc, const char *name, const msgpack_object *params)
{
    char text[16];
    bj_get_copy(params, name, text, sizeof(text));
}

static void on_closed(struct bj_rpc *rpc, const struct bj_error *why)
{
    closed++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct bj_method *const tables[] = {bj_api_server, bj_api_view, bj_api_control};
    static uv_loop_t loop;
    static bool ready;
    if (!ready) {
        signal(SIGPIPE, SIG_IGN);
        require(uv_loop_init(&loop) == 0);
        ready = true;
    }
    /* One write must fit the socket's buffer, since nobody reads at the same time. */
    if (size < 1 || size > 64 * 1024)
        return 0;
    const struct bj_rpc_events events = {.methods = tables[data[0] % 3],
                                         .call = on_call,
                                         .notification = on_notification,
                                         .closed = on_closed};
    size_t step = data[0] & 0x80 ? 1U + (data[0] & 0x7f) : size;
    struct bj_rpc rpc;
    int fds[2];
    int replies = 0;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) < 0)
        return 0;
    closed = 0;
    require(bj_rpc_open(&rpc, &loop, fds[0], &events, NULL, NULL) == 0);
    msgpack_pack_map(bj_rpc_request(&rpc, "api.info", on_reply, &replies), 0);
    bj_rpc_send(&rpc);
    for (size_t at = 1; at < size && !rpc.closing; at += step) {
        size_t part = size - at < step ? size - at : step;
        if (write(fds[1], data + at, part) < 0)
            break;
        uv_run(&loop, UV_RUN_NOWAIT);
    }
    close(fds[1]);
    while (!closed)
        uv_run(&loop, UV_RUN_ONCE);
    require(closed == 1 && replies == 1);
    return 0;
}
