#include "double.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <msgpack.h>

#include "transport/frame.h"
#include "transport/message.h"
#include "transport/pack.h"
#include "transport/socket.h"

#define IN_MAX (8 * 1024 * 1024)

struct world world;

double now_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void path_of(char out[128], const char *name)
{
    snprintf(out, 128, "%s/%s", world.directory, name);
}

static void send_all(int fd, const void *bytes, size_t size)
{
    const char *at = bytes;
    while (size > 0) {
        ssize_t done = send(fd, at, size, MSG_NOSIGNAL);
        if (done < 0 && errno == EAGAIN) {
            world_advance(5);
            continue;
        }
        if (done < 0)
            return; /* egress closed it: the test sees that elsewhere */
        at += done;
        size -= (size_t)done;
    }
}

/* ---- the shim's side ---- */

static void send_message(const struct bj_message *message)
{
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    ck_assert_int_eq(bj_message_encode(message, &out), 0);
    send_all(world.stream, out.data, out.size);
    msgpack_sbuffer_destroy(&out);
}

struct channel *shim_channel(unsigned channel)
{
    ck_assert_uint_lt(channel - FIRST, CHANNELS);
    return &world.channels[channel - FIRST];
}

void shim_open(unsigned channel)
{
    struct channel *c = shim_channel(channel);
    free(c->in);
    *c = (struct channel){.credit = BJ_STREAM_WINDOW, .granted = BJ_STREAM_WINDOW};
    c->in = calloc(1, 1);
    struct bj_message message = {.type = BJ_OPEN, .channel = channel};
    message.field[BJ_OPEN_KIND] = (struct bj_field){.data = "egress", .size = 6};
    send_message(&message);
}

void shim_send(unsigned channel, const char *bytes, size_t size)
{
    struct channel *c = shim_channel(channel);
    while (size > 0) {
        for (int left = 1000; c->sent >= c->credit && left > 0 && !c->closed; left--)
            world_advance(10);
        if (c->closed)
            return;
        ck_assert_uint_lt(c->sent, c->credit);
        size_t part = size < c->credit - c->sent ? size : (size_t)(c->credit - c->sent);
        if (part > BJ_DATA_MAX)
            part = BJ_DATA_MAX;
        struct bj_message message = {.type = BJ_DATA, .channel = channel};
        message.field[BJ_DATA_OFFSET].u = c->sent;
        message.field[BJ_DATA_BYTES] = (struct bj_field){.data = bytes, .size = (uint32_t)part};
        send_message(&message);
        c->sent += part;
        bytes += part;
        size -= part;
    }
}

void shim_text(unsigned channel, const char *text)
{
    shim_send(channel, text, strlen(text));
}

void shim_say(unsigned channel, const char *text)
{
    shim_open(channel);
    shim_text(channel, text);
}

void shim_eof(unsigned channel)
{
    send_message(&(struct bj_message){.type = BJ_EOF, .channel = channel});
}

void shim_close(unsigned channel)
{
    struct bj_message message = {.type = BJ_CLOSE, .channel = channel};
    message.field[BJ_CLOSE_REASON] = (struct bj_field){.data = "", .size = 0};
    send_message(&message);
}

void shim_raw(const void *bytes, size_t size)
{
    send_all(world.stream, bytes, size);
}

bool has(unsigned channel, const char *text)
{
    struct channel *c = shim_channel(channel);
    return memmem(c->in, c->in_size, text, strlen(text)) != NULL;
}

static void on_data(struct channel *c, unsigned number, const struct bj_message *message)
{
    const struct bj_field *bytes = &message->field[BJ_DATA_BYTES];
    ck_assert_uint_eq(message->field[BJ_DATA_OFFSET].u, c->in_size);
    ck_assert_uint_le(c->in_size + bytes->size, c->granted); /* egress keeps to the credit */
    ck_assert(!c->eof);
    if (c->in_capacity < c->in_size + bytes->size + 1) {
        c->in_capacity = (c->in_size + bytes->size + 1) * 2;
        c->in = realloc(c->in, c->in_capacity);
    }
    memcpy(c->in + c->in_size, bytes->data, bytes->size);
    c->in_size += bytes->size;
    c->in[c->in_size] = '\0';
    world.seen = realloc(world.seen, world.seen_size + bytes->size);
    memcpy(world.seen + world.seen_size, bytes->data, bytes->size);
    world.seen_size += bytes->size;
    if (c->hold_credit || c->in_size + BJ_STREAM_WINDOW / 2 < c->granted)
        return;
    c->granted = c->in_size + BJ_STREAM_WINDOW;
    struct bj_message credit = {.type = BJ_CREDIT, .channel = number};
    credit.field[BJ_CREDIT_LIMIT].u = c->granted;
    send_message(&credit);
}

static void on_message(const struct bj_message *message)
{
    if (message->type == BJ_ERROR) {
        snprintf(world.error_text, sizeof(world.error_text), "%.*s", (int)message->field[0].size,
                 message->field[0].data);
        return;
    }
    struct channel *c = shim_channel(message->channel);
    ck_assert_msg(!c->closed, "message %d after CLOSE", message->type);
    if (message->type == BJ_DATA) {
        on_data(c, message->channel, message);
    } else if (message->type == BJ_CREDIT) {
        ck_assert_uint_gt(message->field[0].u, c->credit);
        ck_assert_uint_le(message->field[0].u, c->sent + BJ_STREAM_WINDOW);
        c->credit = message->field[0].u;
    } else if (message->type == BJ_EOF) {
        ck_assert(!c->eof);
        c->eof = true;
    } else {
        ck_assert_int_eq(message->type, BJ_CLOSE);
        c->closed = true;
        snprintf(c->reason, sizeof(c->reason), "%.*s", (int)message->field[0].size,
                 message->field[0].data);
    }
}

/* ---- the server's side ---- */

static const struct rule *rule_for(const char *host)
{
    for (size_t i = 0; i < world.rule_count; i++)
        if (strcmp(world.rules[i].host, "*") == 0 || strcmp(world.rules[i].host, host) == 0)
            return &world.rules[i];
    return NULL;
}

void rule_add(const char *host, const char *answer, const char *reason, bool addresses_allowed)
{
    /* The newest first, so that a test can change its mind. */
    memmove(world.rules + 1, world.rules, sizeof(world.rules[0]) * (RULES_MAX - 1));
    world.rules[0] = (struct rule){host, answer, reason, addresses_allowed};
    if (world.rule_count < RULES_MAX)
        world.rule_count++;
}

static void send_packed(msgpack_sbuffer *out)
{
    send_all(world.server, out->data, out->size);
    msgpack_sbuffer_destroy(out);
}

static void begin_reply(msgpack_packer *packer, msgpack_sbuffer *out, uint64_t id)
{
    msgpack_sbuffer_init(out);
    msgpack_packer_init(packer, out, msgpack_sbuffer_write);
    msgpack_pack_array(packer, 4);
    msgpack_pack_int(packer, 1);
    msgpack_pack_uint64(packer, id);
}

static void answer_decide(uint64_t id, struct note *note)
{
    const struct rule *rule = rule_for(note->host);
    if (world.mute)
        return;
    msgpack_sbuffer out;
    msgpack_packer packer;
    begin_reply(&packer, &out, id);
    msgpack_pack_nil(&packer);
    msgpack_pack_map(&packer, 4);
    bj_pack_key_str(&packer, "answer", rule ? rule->answer : "wait");
    bj_pack_key_str(&packer, "reason", rule ? rule->reason : "");
    bj_pack_key_bool(&packer, "addresses_allowed", rule && rule->addresses_allowed);
    snprintf(note->wait_id, sizeof(note->wait_id), "w%u", ++world.next_wait);
    bj_pack_key_str(&packer, "wait_id", note->wait_id);
    send_packed(&out);
}

static void answer_credential(uint64_t id)
{
    msgpack_sbuffer out;
    msgpack_packer packer;
    begin_reply(&packer, &out, id);
    if (world.credential_error) {
        msgpack_pack_map(&packer, 2);
        bj_pack_key_int(&packer, "code", -ENOENT);
        bj_pack_key_str(&packer, "message", world.credential_error);
        msgpack_pack_nil(&packer);
    } else {
        msgpack_pack_nil(&packer);
        msgpack_pack_map(&packer, 5);
        bj_pack_key_str(&packer, "secret", world.secret);
        bj_pack_key_str(&packer, "header", world.header);
        bj_pack_key_str(&packer, "format", world.format);
        bj_pack_key_str(&packer, "upstream", world.upstream);
        bj_pack_str(&packer, "hosts");
        msgpack_pack_array(&packer, 1);
        bj_pack_str(&packer, world.credential_host);
    }
    send_packed(&out);
}

static void read_note(struct note *note, const msgpack_object *name, const msgpack_object *params)
{
    *note = (struct note){0};
    snprintf(note->name, sizeof(note->name), "%.*s", (int)name->via.str.size, name->via.str.ptr);
    const msgpack_object *map = &params->via.array.ptr[0];
    char id[32];
    bj_get_copy(map, "id", id, sizeof(id));
    ck_assert_str_eq(id, "box");
    bj_get_copy(map, "host", note->host, sizeof(note->host));
    bj_get_copy(map, "reason", note->reason, sizeof(note->reason));
    bj_get_copy(map, "address", note->address, sizeof(note->address));
    bj_get_copy(map, "wait_id", note->wait_id, sizeof(note->wait_id));
    bj_get_copy(map, "protocol", note->protocol, sizeof(note->protocol));
    note->is_address = bj_get_bool(map, "address", false);
    note->port = bj_get_uint(map, "port", 0);
    note->in = bj_get_uint(map, "in", 0);
    note->out = bj_get_uint(map, "out", 0);
    note->suppressed = bj_get_uint(map, "suppressed", 0);
}

static void on_rpc(const msgpack_object *message)
{
    const msgpack_object *item = message->via.array.ptr;
    bool call = item[0].via.u64 == 0;
    ck_assert_uint_lt(world.note_count, NOTES_MAX);
    struct note *note = &world.notes[world.note_count++];
    read_note(note, &item[call ? 2 : 1], &item[call ? 3 : 2]);
    if (call && strcmp(note->name, "egress.decide") == 0)
        answer_decide(item[1].via.u64, note);
    else if (call && strcmp(note->name, "egress.credential") == 0)
        answer_credential(item[1].via.u64);
}

static void begin_notification(msgpack_packer *packer, msgpack_sbuffer *out, const char *name,
                               unsigned fields)
{
    msgpack_sbuffer_init(out);
    msgpack_packer_init(packer, out, msgpack_sbuffer_write);
    msgpack_pack_array(packer, 3);
    msgpack_pack_int(packer, 2);
    bj_pack_str(packer, name);
    msgpack_pack_array(packer, 1);
    msgpack_pack_map(packer, fields);
}

void server_verdict(const char *wait_id, const char *answer, const char *reason,
                    bool addresses_allowed)
{
    msgpack_sbuffer out;
    msgpack_packer packer;
    begin_notification(&packer, &out, "egress.verdict", 4);
    bj_pack_key_str(&packer, "wait_id", wait_id);
    bj_pack_key_str(&packer, "answer", answer);
    bj_pack_key_str(&packer, "reason", reason);
    bj_pack_key_bool(&packer, "addresses_allowed", addresses_allowed);
    send_packed(&out);
}

void server_revoke(const char *host, unsigned port)
{
    msgpack_sbuffer out;
    msgpack_packer packer;
    begin_notification(&packer, &out, "egress.revoke", 2);
    bj_pack_key_str(&packer, "host", host);
    bj_pack_key_uint(&packer, "port", port);
    send_packed(&out);
}

void server_notify_name(const char *method, const char *name)
{
    msgpack_sbuffer out;
    msgpack_packer packer;
    begin_notification(&packer, &out, method, 1);
    bj_pack_key_str(&packer, "name", name);
    send_packed(&out);
}

int notes_named(const char *name)
{
    int count = 0;
    for (size_t i = 0; i < world.note_count; i++)
        count += strcmp(world.notes[i].name, name) == 0;
    return count;
}

struct note *note_last(const char *name)
{
    for (size_t i = world.note_count; i > 0; i--)
        if (strcmp(world.notes[i - 1].name, name) == 0)
            return &world.notes[i - 1];
    return NULL;
}

/* ---- both ---- */

static bool fill(int *fd, char *in, size_t *size)
{
    ck_assert_uint_lt(*size, IN_MAX);
    ssize_t got = recv(*fd, in + *size, IN_MAX - *size, MSG_DONTWAIT);
    if (got > 0) {
        *size += (size_t)got;
        return true;
    }
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    close(*fd);
    *fd = -1;
    *size = 0;
    return false;
}

static void consume(char *in, size_t *size, const struct bj_frame_limits *limits, bool stream)
{
    size_t start = 0, end;
    struct bj_error error = {0};
    for (;;) {
        struct bj_frame frame;
        bj_frame_reset(&frame);
        int found = bj_frame_scan(&frame, limits, in + start, *size - start, &end, &error);
        ck_assert_msg(found >= 0, "%s", error.text);
        if (found == 0)
            break;
        if (stream) {
            struct bj_message message;
            ck_assert_msg(bj_message_decode(&message, BJ_SIDE_MONITOR, in + start, end, &error) ==
                              0,
                          "%s", error.text);
            start += end;
            on_message(&message);
        } else {
            msgpack_unpacked unpacked;
            msgpack_unpacked_init(&unpacked);
            size_t offset = 0;
            ck_assert(msgpack_unpack_next(&unpacked, in + start, end, &offset) ==
                      MSGPACK_UNPACK_SUCCESS);
            start += end;
            on_rpc(&unpacked.data);
            msgpack_unpacked_destroy(&unpacked);
        }
    }
    memmove(in, in + start, *size - start);
    *size -= start;
}

static void accept_one(int listener, int *fd, int *count, size_t *in_size)
{
    int accepted = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (accepted < 0)
        return;
    ck_assert_int_eq(*fd, -1);
    *fd = accepted;
    *in_size = 0;
    (*count)++;
}

void world_advance(int milliseconds)
{
    static bool inside; /* send_all() comes back here: then only wait */
    struct pollfd wait[] = {{world.stream_listen, POLLIN, 0},
                            {world.server_listen, POLLIN, 0},
                            {world.stream, POLLIN, 0},
                            {world.server, POLLIN, 0}};
    if (inside) {
        poll(NULL, 0, milliseconds);
        return;
    }
    inside = true;
    poll(wait, 4, milliseconds);
    /* To the end, so that an old connection is closed before a new one is taken. */
    while (world.stream >= 0 && fill(&world.stream, world.stream_in, &world.stream_in_size))
        consume(world.stream_in, &world.stream_in_size, &bj_frame_limits_link, true);
    while (world.server >= 0 && fill(&world.server, world.server_in, &world.server_in_size))
        consume(world.server_in, &world.server_in_size, &bj_frame_limits_rpc, false);
    if (world.stream < 0)
        accept_one(world.stream_listen, &world.stream, &world.stream_accepts,
                   &world.stream_in_size);
    if (world.server < 0)
        accept_one(world.server_listen, &world.server, &world.server_accepts,
                   &world.server_in_size);
    inside = false;
}

void world_spawn(const char *const *options)
{
    char stream[128], server[128], ready[16];
    const char *argv[32] = {getenv("BELLJAR_TEST_EGRESS"),
                            "--id",
                            "box",
                            "--stream",
                            stream,
                            "--server",
                            server,
                            "--ready-fd",
                            ready};
    size_t count = 9;
    path_of(stream, "egress.sock");
    path_of(server, "server.sock");
    for (; options && *options; options++)
        argv[count++] = *options;
    int pair[2];
    ck_assert_int_eq(pipe(pair), 0);
    snprintf(ready, sizeof(ready), "%d", pair[1]);
    world.egress = fork();
    if (world.egress == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed test leaves nothing behind */
        close(pair[0]);
        fcntl(world.stream_listen, F_SETFD, FD_CLOEXEC);
        execv(argv[0], (char **)argv);
        _exit(127);
    }
    close(pair[1]);
    char text[600] = "";
    size_t size = 0;
    for (ssize_t got; (got = read(pair[0], text + size, sizeof(text) - 1 - size)) > 0;)
        size += (size_t)got;
    close(pair[0]);
    ck_assert_str_eq(text, "ok\n");
    wait_for(world.stream >= 0 && world.server >= 0);
}

void world_start(const char *const *options)
{
    signal(SIGPIPE, SIG_IGN);
    ck_assert_ptr_nonnull(getenv("BELLJAR_TEST_EGRESS"));
    world = (struct world){.stream = -1, .server = -1};
    strcpy(world.directory, "/tmp/belljar-egress-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(world.directory));
    world.stream_in = malloc(IN_MAX);
    world.server_in = malloc(IN_MAX);
    char path[128];
    path_of(path, "egress.sock");
    ck_assert_int_ge(world.stream_listen = bj_socket_listen(path, NULL), 0);
    path_of(path, "server.sock");
    ck_assert_int_ge(world.server_listen = bj_socket_listen(path, NULL), 0);
    world_spawn(options);
}

void world_drop_server(void)
{
    close(world.server);
    world.server = -1;
    world.server_in_size = 0;
}

void world_kill(void)
{
    kill(world.egress, SIGKILL);
    ck_assert_int_eq(waitpid(world.egress, NULL, 0), world.egress);
    world.egress = -1;
    wait_for(world.stream < 0 && world.server < 0);
}

void world_stop(void)
{
    int status = 0;
    if (world.egress > 0) {
        kill(world.egress, SIGTERM);
        pid_t ended = 0;
        wait_for((ended = waitpid(world.egress, &status, WNOHANG)) != 0);
        ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "egress ended with %x",
                      (unsigned)status);
    }
    char path[128];
    path_of(path, "egress.sock");
    unlink(path);
    path_of(path, "server.sock");
    unlink(path);
    rmdir(world.directory);
    close(world.stream_listen);
    close(world.server_listen);
    if (world.stream >= 0)
        close(world.stream);
    if (world.server >= 0)
        close(world.server);
    free(world.stream_in);
    free(world.server_in);
    free(world.seen);
    for (size_t i = 0; i < CHANNELS; i++)
        free(world.channels[i].in);
}

int tcp_listen(unsigned *port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, size), 0);
    ck_assert_int_eq(listen(fd, 256), 0);
    getsockname(fd, (struct sockaddr *)&address, &size);
    *port = ntohs(address.sin_port);
    return fd;
}

int tcp_accept(int listener)
{
    int fd = -1;
    wait_for((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0);
    return fd;
}

char *tcp_read_until(int socket, const char *end)
{
    static char text[256 * 1024];
    size_t size = 0;
    text[0] = '\0';
    for (int left = 1000; left > 0 && !strstr(text, end); left--) {
        ssize_t got = recv(socket, text + size, sizeof(text) - 1 - size, MSG_DONTWAIT);
        if (got > 0)
            size += (size_t)got;
        else if (got == 0)
            break;
        else
            world_advance(10);
        text[size] = '\0';
    }
    ck_assert_msg(strstr(text, end) != NULL, "'%s' never came, but: %s", end, text);
    return text;
}

bool tcp_at_eof(int socket)
{
    char byte;
    ssize_t got = recv(socket, &byte, 1, MSG_DONTWAIT);
    return got == 0 || (got < 0 && errno != EAGAIN);
}
