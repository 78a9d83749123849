#include "harness.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "transport/pack.h"
#include "transport/socket.h"

#define IN_SIZE (256U * 1024)

static void wait_readable(int fd)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    int found;
    do
        found = poll(&poll_fd, 1, WAIT_MS);
    while (found < 0 && errno == EINTR);
    ck_assert_msg(found == 1, "nothing came within %d ms", WAIT_MS);
}

static void send_all(int fd, const void *bytes, size_t size)
{
    const char *at = bytes;
    while (size > 0) {
        ssize_t sent = send(fd, at, size, MSG_NOSIGNAL);
        if (sent < 0 && (errno == EAGAIN || errno == EINTR)) {
            struct pollfd poll_fd = {.fd = fd, .events = POLLOUT};
            ck_assert_int_eq(poll(&poll_fd, 1, WAIT_MS), 1);
            continue;
        }
        if (sent < 0)
            return; /* the other end closed; the test finds out by reading */
        at += sent;
        size -= (size_t)sent;
    }
}

static int dial(const struct world *world, const char *name)
{
    char path[160];
    struct bj_error error = {0};
    snprintf(path, sizeof(path), "%s/%s", world->runtime, name);
    int fd = bj_socket_connect(path, &error);
    ck_assert_msg(fd >= 0, "%s", error.text);
    return fd;
}

void world_start_monitor(struct world *world)
{
    int ready[2];
    char rows[] = "24", limit[32], fd[16];
    ck_assert_int_eq(pipe(ready), 0);
    snprintf(limit, sizeof(limit), "%llu", (unsigned long long)world->record_limit);
    snprintf(fd, sizeof(fd), "%d", ready[1]);
    const char *program = getenv("BELLJAR_MONITOR");
    ck_assert_ptr_nonnull(program);
    world->monitor = fork();
    ck_assert_int_ge(world->monitor, 0);
    if (world->monitor == 0) {
        struct rlimit file = {world->file_limit, world->file_limit};
        if (world->file_limit)
            setrlimit(RLIMIT_FSIZE, &file);
        execl(program, program, "--id", "test", "--runtime", world->runtime, "--state",
              world->state, "--rows", rows, "--cols", "80", "--scrollback", "100000",
              "--record-limit", limit, "--ready-fd", fd, NULL);
        _exit(127);
    }
    close(ready[1]);
    char answer[512] = "";
    size_t size = 0;
    ssize_t got;
    while (size < sizeof(answer) - 1 &&
           (got = read(ready[0], answer + size, sizeof(answer) - 1 - size)) > 0)
        size += (size_t)got;
    answer[size] = '\0';
    close(ready[0]);
    ck_assert_str_eq(answer, "ok\n");
}

void world_connect_control(struct world *world)
{
    peer_connect(&world->control, world, "control.sock");
    peer_call(&world->control, "monitor.info", "");
}

void world_begin(struct world *world)
{
    uint64_t record_limit = world->record_limit, file_limit = world->file_limit;
    *world = (struct world){.record_limit = record_limit, .file_limit = file_limit};
    snprintf(world->directory, sizeof(world->directory), "/tmp/belljar-monitor-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(world->directory));
    snprintf(world->runtime, sizeof(world->runtime), "%s/r", world->directory);
    snprintf(world->state, sizeof(world->state), "%s/s", world->directory);
    ck_assert_int_eq(mkdir(world->runtime, 0700), 0);
    ck_assert_int_eq(mkdir(world->state, 0700), 0);
    world_start_monitor(world);
    world_connect_control(world);
}

static void reap(struct world *world)
{
    int status;
    ck_assert_int_eq(waitpid(world->monitor, &status, 0), world->monitor);
    world->monitor = 0;
}

void world_kill_monitor(struct world *world)
{
    kill(world->monitor, SIGKILL);
    reap(world);
    peer_close(&world->control);
}

static int remove_entry(const char *path, const struct stat *info, int flag, struct FTW *walk)
{
    (void)info;
    (void)flag;
    (void)walk;
    return remove(path);
}

void world_end(struct world *world)
{
    if (world->monitor) {
        peer_call(&world->control, "monitor.stop", "");
        int status;
        ck_assert_int_eq(waitpid(world->monitor, &status, 0), world->monitor);
        ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the monitor ended with %x",
                      status);
        peer_close(&world->control);
    }
    nftw(world->directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

void peer_connect(struct peer *peer, const struct world *world, const char *name)
{
    *peer = (struct peer){.fd = dial(world, name)};
    msgpack_unpacker_init(&peer->in, 65536);
    msgpack_unpacked_init(&peer->message);
    msgpack_sbuffer_init(&peer->kept);
}

void peer_close(struct peer *peer)
{
    if (peer->fd < 0)
        return;
    close(peer->fd);
    msgpack_unpacker_destroy(&peer->in);
    msgpack_unpacked_destroy(&peer->message);
    msgpack_sbuffer_destroy(&peer->kept);
    peer->fd = -1;
}

/* The next message as [type, ...]; NULL at the end of the connection. */
static const msgpack_object *next_message(struct peer *peer)
{
    for (;;) {
        if (msgpack_unpacker_next(&peer->in, &peer->message) == MSGPACK_UNPACK_SUCCESS)
            return &peer->message.data;
        wait_readable(peer->fd);
        msgpack_unpacker_reserve_buffer(&peer->in, 65536);
        ssize_t got = recv(peer->fd, msgpack_unpacker_buffer(&peer->in), 65536, 0);
        if (got == 0 || (got < 0 && errno == ECONNRESET))
            return NULL;
        if (got > 0)
            msgpack_unpacker_buffer_consumed(&peer->in, (size_t)got);
    }
}

static void keep(struct peer *peer, const msgpack_object *message)
{
    msgpack_packer packer;
    msgpack_packer_init(&packer, &peer->kept, msgpack_sbuffer_write);
    msgpack_pack_object(&packer, *message);
}

static void pack_params(msgpack_packer *packer, const char *types, va_list arguments)
{
    msgpack_pack_map(packer, strlen(types));
    for (; *types; types++) {
        bj_pack_str(packer, va_arg(arguments, const char *));
        if (*types == 'u') {
            msgpack_pack_uint64(packer, va_arg(arguments, uint64_t));
        } else if (*types == 's') {
            bj_pack_str(packer, va_arg(arguments, const char *));
        } else if (*types == 'b') {
            if (va_arg(arguments, int))
                msgpack_pack_true(packer);
            else
                msgpack_pack_false(packer);
        } else {
            const char *bytes = va_arg(arguments, const char *);
            bj_pack_bin(packer, bytes, va_arg(arguments, size_t));
        }
    }
}

static uint32_t ask(struct peer *peer, const char *method, const char *types, va_list arguments)
{
    msgpack_sbuffer out;
    msgpack_packer packer;
    msgpack_sbuffer_init(&out);
    msgpack_packer_init(&packer, &out, msgpack_sbuffer_write);
    uint32_t id = ++peer->id;
    msgpack_pack_array(&packer, 4);
    msgpack_pack_int(&packer, 0);
    msgpack_pack_uint32(&packer, id);
    bj_pack_str(&packer, method);
    msgpack_pack_array(&packer, 1);
    pack_params(&packer, types, arguments);
    send_all(peer->fd, out.data, out.size);
    msgpack_sbuffer_destroy(&out);
    return id;
}

uint32_t peer_ask(struct peer *peer, const char *method, const char *types, ...)
{
    va_list arguments;
    va_start(arguments, types);
    uint32_t id = ask(peer, method, types, arguments);
    va_end(arguments);
    return id;
}

const msgpack_object *peer_answer(struct peer *peer, uint32_t id)
{
    for (;;) {
        const msgpack_object *message = next_message(peer);
        ck_assert_msg(message != NULL, "the connection ended");
        const msgpack_object *items = message->via.array.ptr;
        if (items[0].via.u64 == 1 && items[1].via.u64 == id)
            return items;
        keep(peer, message);
    }
}

const msgpack_object *peer_call(struct peer *peer, const char *method, const char *types, ...)
{
    va_list arguments;
    va_start(arguments, types);
    const msgpack_object *items = peer_answer(peer, ask(peer, method, types, arguments));
    va_end(arguments);
    char text[256];
    bj_get_copy(&items[2], "message", text, sizeof(text));
    ck_assert_msg(items[2].type == MSGPACK_OBJECT_NIL, "%s: %s", method, text);
    return &items[3];
}

int peer_refused(struct peer *peer, const char *method, const char *types, ...)
{
    va_list arguments;
    va_start(arguments, types);
    const msgpack_object *items = peer_answer(peer, ask(peer, method, types, arguments));
    va_end(arguments);
    ck_assert_int_eq(items[2].type, MSGPACK_OBJECT_MAP);
    return (int)bj_get_int(&items[2], "code", 0);
}

/* Looks among the notifications that were put aside; takes out the first of that name. */
static const msgpack_object *kept_event(struct peer *peer, const char *name)
{
    size_t offset = 0, start = 0;
    msgpack_sbuffer *kept = &peer->kept;
    while (offset < kept->size && msgpack_unpack_next(&peer->message, kept->data, kept->size,
                                                      &offset) == MSGPACK_UNPACK_SUCCESS) {
        const msgpack_object *items = peer->message.data.via.array.ptr;
        if (bj_is_str(&items[1], name)) {
            /* A copy: the strings point into the bytes that are moved now. */
            static msgpack_unpacked copy;
            static char *bytes;
            free(bytes);
            size_t size = offset - start, from = 0;
            bytes = malloc(size);
            ck_assert_ptr_nonnull(bytes);
            memcpy(bytes, kept->data + start, size);
            msgpack_unpacked_destroy(&copy);
            msgpack_unpack_next(&copy, bytes, size, &from);
            memmove(kept->data + start, kept->data + offset, kept->size - offset);
            kept->size -= size;
            return &copy.data.via.array.ptr[2].via.array.ptr[0];
        }
        start = offset;
    }
    return NULL;
}

const msgpack_object *peer_event(struct peer *peer, const char *name)
{
    const msgpack_object *found = kept_event(peer, name);
    while (!found) {
        const msgpack_object *message = next_message(peer);
        ck_assert_msg(message != NULL, "the connection ended before %s", name);
        const msgpack_object *items = message->via.array.ptr;
        if (items[0].via.u64 == 2 && bj_is_str(&items[1], name))
            found = &items[2].via.array.ptr[0];
        else
            keep(peer, message);
    }
    return found;
}

bool peer_ended(struct peer *peer)
{
    while (next_message(peer))
        ;
    return true;
}

void shim_dial(struct shim *shim, const struct world *world)
{
    shim->fd = dial(world, "link/link.sock");
    free(shim->in);
    shim->in = malloc(IN_SIZE);
    shim->in_size = 0;
    ck_assert_ptr_nonnull(shim->in);
}

void shim_close(struct shim *shim)
{
    if (shim->fd >= 0)
        close(shim->fd);
    free(shim->in);
    shim->in = NULL;
    shim->fd = -1;
}

void shim_raw(struct shim *shim, const void *bytes, size_t size)
{
    send_all(shim->fd, bytes, size);
}

void shim_send(struct shim *shim, const struct bj_message *message)
{
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    ck_assert_int_eq(bj_message_encode(message, &out), 0);
    send_all(shim->fd, out.data, out.size);
    msgpack_sbuffer_destroy(&out);
}

void shim_uints(struct shim *shim, enum bj_message_type type, uint32_t channel, size_t count,
                const uint64_t *values)
{
    struct bj_message message = {.type = type, .channel = channel};
    for (size_t i = 0; i < count; i++)
        message.field[i].u = values[i];
    shim_send(shim, &message);
}

void shim_data(struct shim *shim, uint64_t offset, const void *bytes, size_t size)
{
    struct bj_message message = {.type = BJ_DATA, .channel = BJ_CHANNEL_PTY};
    message.field[BJ_DATA_OFFSET].u = offset;
    message.field[BJ_DATA_BYTES].data = bytes;
    message.field[BJ_DATA_BYTES].size = (uint32_t)size;
    shim_send(shim, &message);
}

void shim_hello(struct shim *shim, uint64_t out_start, uint64_t out_end)
{
    shim_hello_version(shim, BJ_PROTOCOL_VERSION, out_start, out_end);
}

void shim_hello_version(struct shim *shim, uint64_t version, uint64_t out_start, uint64_t out_end)
{
    struct bj_message hello = {.type = BJ_HELLO};
    hello.field[BJ_HELLO_VERSION].u = version;
    hello.field[BJ_HELLO_EPOCH].data = (const char *)shim->epoch;
    hello.field[BJ_HELLO_EPOCH].size = 16;
    hello.field[BJ_HELLO_OUT_START].u = out_start;
    hello.field[BJ_HELLO_OUT_END].u = out_end;
    hello.field[BJ_HELLO_IN_NEXT].u = shim->in_next;
    shim_send(shim, &hello);
}

static void take_input(struct shim *shim, const struct bj_message *message)
{
    const struct bj_field *bytes = &message->field[BJ_DATA_BYTES];
    ck_assert_uint_eq(message->field[BJ_DATA_OFFSET].u, shim->in_next);
    shim->in_next += bytes->size;
    for (uint32_t i = 0; i < bytes->size && shim->input_size < sizeof(shim->input) - 1; i++)
        shim->input[shim->input_size++] = bytes->data[i];
    shim->input[shim->input_size] = '\0';
}

/* The next message, NULL at the end of the connection. */
static const struct bj_message *take_message(struct shim *shim)
{
    static uint8_t frame_bytes[IN_SIZE];
    for (;;) {
        struct bj_frame frame;
        struct bj_error error = {0};
        size_t end;
        bj_frame_reset(&frame);
        int found =
            bj_frame_scan(&frame, &bj_frame_limits_link, shim->in, shim->in_size, &end, &error);
        ck_assert_msg(found >= 0, "%s", error.text);
        if (found > 0) {
            memcpy(frame_bytes, shim->in, end);
            shim->in_size -= end;
            memmove(shim->in, shim->in + end, shim->in_size);
            ck_assert_msg(
                bj_message_decode(&shim->message, BJ_SIDE_MONITOR, frame_bytes, end, &error) == 0,
                "%s", error.text);
            if (shim->message.type == BJ_ACK)
                shim->acked = shim->message.field[BJ_ACK_OFFSET].u;
            else if (shim->message.type == BJ_CREDIT)
                shim->limit = shim->message.field[BJ_CREDIT_LIMIT].u;
            else if (shim->message.type == BJ_DATA)
                take_input(shim, &shim->message);
            return &shim->message;
        }
        wait_readable(shim->fd);
        ssize_t got = recv(shim->fd, shim->in + shim->in_size, IN_SIZE - shim->in_size, 0);
        if (got == 0 || (got < 0 && errno == ECONNRESET))
            return NULL;
        if (got > 0)
            shim->in_size += (size_t)got;
    }
}

const struct bj_message *shim_wait(struct shim *shim, enum bj_message_type type)
{
    const struct bj_message *message;
    do {
        message = take_message(shim);
        ck_assert_msg(message != NULL, "the link ended before message %d", type);
        ck_assert_msg(message->type != BJ_ERROR || type == BJ_ERROR, "the monitor: %.*s",
                      (int)message->field[0].size, message->field[0].data);
    } while (message->type != type);
    return message;
}

void shim_wait_acked(struct shim *shim, uint64_t offset)
{
    while (shim->acked < offset)
        shim_wait(shim, BJ_ACK);
}

bool shim_ended(struct shim *shim)
{
    while (take_message(shim))
        ;
    return true;
}

void shim_welcome(struct shim *shim, struct world *world)
{
    uint64_t start = shim->acked;
    shim_dial(shim, world);
    peer_call(&world->control, "monitor.admit", "u", "pid", (uint64_t)getpid());
    shim_hello(shim, start, start);
    const struct bj_message *welcome = shim_wait(shim, BJ_WELCOME);
    shim->limit = welcome->field[BJ_WELCOME_OUT_LIMIT].u;
}

void shim_credit(struct shim *shim)
{
    uint64_t credit = shim->in_next + BJ_INPUT_WINDOW;
    shim_uints(shim, BJ_CREDIT, BJ_CHANNEL_PTY, 1, &credit);
}

void shim_up(struct shim *shim, struct world *world)
{
    shim_welcome(shim, world);
    shim_credit(shim);
}

void shim_output(struct shim *shim, const uint8_t *stream, uint64_t from, uint64_t to)
{
    while (from < to) {
        while (from >= shim->limit)
            shim_wait(shim, BJ_CREDIT);
        uint64_t size = to - from < BJ_DATA_MAX ? to - from : BJ_DATA_MAX;
        if (size > shim->limit - from)
            size = shim->limit - from;
        shim_data(shim, from, stream + from, (size_t)size);
        from += size;
    }
}
