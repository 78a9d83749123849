/*
 * Stands in for belljar-monitor in the server's tests: the same sockets and calls, no terminal. It
 * lets the shim in when the server admits it, passes asks and verdicts on, and drops the output.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <uv.h>

#include "transport/message.h"
#include "transport/pack.h"
#include "transport/rpc.h"
#include "transport/socket.h"

static struct {
    uv_loop_t loop;
    uv_poll_t control, link_listen, link;
    int control_fd, link_listen_fd, link_fd;
    bool link_open, admitted, up, started, exited;
    pid_t candidate, admit;
    struct bj_rpc rpc;
    bool rpc_open;
    uint8_t in[1 << 18];
    size_t in_size;
    struct bj_frame frame;
    uint64_t next;
    uint64_t code, number;
    char error[256];
} m;

static msgpack_packer *tell(const char *name, size_t fields)
{
    msgpack_packer *packer = bj_rpc_notify(&m.rpc, name);
    msgpack_pack_map(packer, fields);
    return packer;
}

static void send_link(const struct bj_message *message)
{
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    if (bj_message_encode(message, &out) == 0 && write(m.link_fd, out.data, out.size) < 0)
        perror("link");
    msgpack_sbuffer_destroy(&out);
}

static void on_hello(const struct bj_message *message)
{
    struct bj_message welcome = {.type = BJ_WELCOME};
    m.next = message->field[BJ_HELLO_OUT_START].u;
    welcome.field[BJ_WELCOME_VERSION].u = BJ_PROTOCOL_VERSION;
    welcome.field[BJ_WELCOME_OUT_NEXT].u = m.next;
    welcome.field[BJ_WELCOME_OUT_LIMIT].u = m.next + BJ_OUTPUT_WINDOW;
    welcome.field[BJ_WELCOME_IN_NEXT].u = message->field[BJ_HELLO_IN_NEXT].u;
    welcome.field[BJ_WELCOME_ROWS].u = 24;
    welcome.field[BJ_WELCOME_COLS].u = 80;
    send_link(&welcome);
    m.up = true;
    if (m.rpc_open)
        tell("link.up", 0);
}

static void on_data(const struct bj_message *message)
{
    m.next += message->field[BJ_DATA_BYTES].size;
    struct bj_message ack = {.type = BJ_ACK, .channel = BJ_CHANNEL_PTY};
    ack.field[BJ_ACK_OFFSET].u = m.next;
    send_link(&ack);
    struct bj_message credit = {.type = BJ_CREDIT, .channel = BJ_CHANNEL_PTY};
    credit.field[BJ_CREDIT_LIMIT].u = m.next + BJ_OUTPUT_WINDOW;
    send_link(&credit);
}

static void on_message(const struct bj_message *message)
{
    msgpack_packer *packer;
    switch (message->type) {
    case BJ_HELLO:
        on_hello(message);
        break;
    case BJ_DATA:
        if (message->channel == BJ_CHANNEL_PTY)
            on_data(message);
        break;
    case BJ_STARTED:
        m.started = true;
        if (m.rpc_open)
            bj_pack_key_uint(tell("agent.started", 1), "pid", message->field[BJ_STARTED_PID].u);
        break;
    case BJ_EXITED:
        m.exited = true;
        m.code = message->field[BJ_EXITED_CODE].u;
        m.number = message->field[BJ_EXITED_SIGNAL].u;
        snprintf(m.error, sizeof(m.error), "%.*s", (int)message->field[BJ_EXITED_ERROR].size,
                 message->field[BJ_EXITED_ERROR].data);
        if (m.rpc_open) {
            packer = tell("agent.exited", 3);
            bj_pack_key_uint(packer, "code", m.code);
            bj_pack_key_uint(packer, "signal", m.number);
            bj_pack_key_str(packer, "error", m.error);
        }
        break;
    case BJ_ASK:
        if (!m.rpc_open)
            break;
        packer = tell("ask.opened", 4);
        bj_pack_key_uint(packer, "channel", message->channel);
        bj_pack_str(packer, "kind");
        bj_pack_strn(packer, message->field[BJ_ASK_KIND].data, message->field[BJ_ASK_KIND].size);
        bj_pack_str(packer, "title");
        bj_pack_strn(packer, message->field[BJ_ASK_TITLE].data, message->field[BJ_ASK_TITLE].size);
        bj_pack_key_bin(packer, "detail", message->field[BJ_ASK_DETAIL].data,
                        message->field[BJ_ASK_DETAIL].size);
        break;
    case BJ_CLOSE:
        if (m.rpc_open)
            bj_pack_key_uint(tell("ask.closed", 1), "channel", message->channel);
        break;
    default:
        break;
    }
    if (m.rpc_open)
        bj_rpc_send(&m.rpc);
}

static void link_down(void)
{
    uv_poll_stop(&m.link);
    uv_close((uv_handle_t *)&m.link, NULL);
    close(m.link_fd);
    m.link_open = m.up = false;
    if (!m.rpc_open)
        return;
    bj_pack_key_str(tell("link.down", 1), "error", "");
    bj_rpc_send(&m.rpc);
}

static void on_link(uv_poll_t *poll, int status, int events)
{
    if (m.candidate != m.admit)
        return; /* waits in the socket until the server admits it */
    ssize_t size = read(m.link_fd, m.in + m.in_size, sizeof(m.in) - m.in_size);
    if (size < 0 && errno == EAGAIN)
        return;
    if (size <= 0) {
        link_down();
        return;
    }
    m.in_size += (size_t)size;
    size_t start = 0, end;
    while (bj_frame_scan(&m.frame, &bj_frame_limits_link, m.in + start, m.in_size - start, &end,
                         NULL) == 1) {
        struct bj_message message;
        if (bj_message_decode(&message, BJ_SIDE_SHIM, m.in + start, end, NULL) == 0)
            on_message(&message);
        bj_frame_reset(&m.frame);
        start += end;
    }
    memmove(m.in, m.in + start, m.in_size - start);
    m.in_size -= start;
}

static void on_dial(uv_poll_t *poll, int status, int events)
{
    int fd = accept4(m.link_listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    if (m.link_open) {
        close(fd);
        return;
    }
    m.link_fd = fd;
    m.link_open = true;
    m.in_size = 0;
    bj_frame_reset(&m.frame);
    bj_socket_peer(fd, &m.candidate, NULL, NULL, NULL);
    uv_poll_init(&m.loop, &m.link, fd);
    if (m.candidate == m.admit)
        uv_poll_start(&m.link, UV_READABLE, on_link);
    if (!m.rpc_open)
        return;
    bj_pack_key_uint(tell("link.candidate", 1), "pid", (uint64_t)m.candidate);
    bj_rpc_send(&m.rpc);
}

static void on_call(struct bj_rpc *rpc, uint32_t id, const struct bj_method *method,
                    const msgpack_object *params)
{
    if (strcmp(method->name, "monitor.info") == 0) {
        msgpack_packer *packer = bj_rpc_result(rpc, id);
        msgpack_pack_map(packer, 9);
        bj_pack_key_uint(packer, "pid", (uint64_t)getpid());
        bj_pack_key_str(packer, "link", m.up ? "up" : "down");
        bj_pack_key_uint(packer, "rows", 24);
        bj_pack_key_uint(packer, "cols", 80);
        bj_pack_key_bool(packer, "started", m.started);
        bj_pack_key_bool(packer, "exited", m.exited);
        bj_pack_key_uint(packer, "exit_code", m.code);
        bj_pack_key_uint(packer, "exit_signal", m.number);
        bj_pack_key_str(packer, "error", m.error);
        bj_rpc_send(rpc);
        return;
    }
    if (strcmp(method->name, "monitor.admit") == 0) {
        m.admit = (pid_t)bj_get_uint(params, "pid", 0);
        if (m.link_open && m.candidate == m.admit)
            uv_poll_start(&m.link, UV_READABLE, on_link);
    } else if (strcmp(method->name, "monitor.verdict") == 0) {
        struct bj_message verdict = {.type = BJ_VERDICT,
                                     .channel = (uint32_t)bj_get_uint(params, "channel", 0)};
        size_t size = 0;
        const char *reason = bj_get_bytes(params, "reason", &size);
        verdict.field[BJ_VERDICT_ANSWER].u = bj_get_uint(params, "answer", 0);
        verdict.field[BJ_VERDICT_REASON].data = reason;
        verdict.field[BJ_VERDICT_REASON].size = (uint32_t)size;
        send_link(&verdict);
    } else if (strcmp(method->name, "monitor.stop") == 0) {
        exit(0);
    }
    bj_rpc_done(rpc, id);
}

static void on_closed(struct bj_rpc *rpc, const struct bj_error *why)
{
    m.rpc_open = false;
}

static const struct bj_rpc_events handler = {
    .methods = bj_api_control, .events = bj_events_control, .call = on_call, .closed = on_closed};

static void on_control(uv_poll_t *poll, int status, int events)
{
    int fd = accept4(m.control_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0 && !m.rpc_open && bj_rpc_open(&m.rpc, &m.loop, fd, &handler, NULL, NULL) == 0)
        m.rpc_open = true;
}

int main(int argc, char **argv)
{
    char path[4200];
    const char *runtime = NULL;
    unsigned uid = 0;
    int ready = -1;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--runtime") == 0)
            runtime = argv[i + 1];
        else if (strcmp(argv[i], "--link-uid") == 0)
            uid = (unsigned)atoi(argv[i + 1]);
        else if (strcmp(argv[i], "--ready-fd") == 0)
            ready = atoi(argv[i + 1]);
    }
    if (!runtime || ready < 0)
        return 2;
    uv_loop_init(&m.loop);
    snprintf(path, sizeof(path), "%s/control.sock", runtime);
    m.control_fd = bj_socket_listen(path, NULL);
    snprintf(path, sizeof(path), "%s/link/link.sock", runtime);
    m.link_listen_fd = bj_socket_listen(path, NULL);
    if (m.control_fd < 0 || m.link_listen_fd < 0 || (geteuid() == 0 && chown(path, uid, uid) < 0))
        return 1;
    uv_poll_init(&m.loop, &m.control, m.control_fd);
    uv_poll_start(&m.control, UV_READABLE, on_control);
    uv_poll_init(&m.loop, &m.link_listen, m.link_listen_fd);
    uv_poll_start(&m.link_listen, UV_READABLE, on_dial);
    if (write(ready, "ok\n", 3) != 3)
        return 1;
    close(ready);
    return uv_run(&m.loop, UV_RUN_DEFAULT);
}
