#include "sandbox-shim/ask_server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <msgpack.h>

#include "sandbox-shim/clock.h"
#include "transport/socket.h"

#define READ_TIME    10000 /* ms that a client has for its question */
#define ACCEPT_PAUSE 100   /* ms */
#define ACCEPT_BATCH 16    /* then others get a turn */
#define FIRST_SIZE   1024U /* bytes of buffer; doubled as the question grows */

static const struct {
    enum bj_type wire_type;
    uint32_t limit;
    const char *too_long;
} fields[] = {
    {BJ_TYPE_STR, BJ_ASK_KIND_MAX, "the kind is too long"},
    {BJ_TYPE_STR, BJ_ASK_TITLE_MAX, "the title is too long"},
    {BJ_TYPE_BIN, BJ_ASK_DETAIL_MAX, "the detail is too long"},
};

int ask_server_open(struct ask_server *server, const char *path, struct bj_error *error)
{
    *server = (struct ask_server){0};
    server->fd = bj_socket_listen(path, error);
    return server->fd < 0 ? server->fd : 0;
}

static void ask_free(struct ask_server *server, struct ask *ask)
{
    if (ask->state == ASK_WAITING)
        server->waiting--;
    close(ask->fd);
    free(ask->bytes);
    *ask = (struct ask){0};
}

void ask_server_close(struct ask_server *server)
{
    for (size_t i = 0; i < ASK_CLIENTS_MAX; i++)
        if (server->asks[i].state != ASK_FREE)
            ask_free(server, &server->asks[i]);
    if (server->fd >= 0)
        close(server->fd);
    server->fd = -1;
}

/* The answer is smaller than any socket's buffer and the first thing sent on it, so one attempt is
 * enough; who gets nothing sees the end of file and knows that nobody decided. */
static void answer(int fd, enum bj_answer verdict, const char *reason, size_t size)
{
    msgpack_sbuffer out;
    msgpack_packer packer;
    msgpack_sbuffer_init(&out);
    msgpack_packer_init(&packer, &out, msgpack_sbuffer_write);
    if (msgpack_pack_array(&packer, 2) == 0 && msgpack_pack_int(&packer, (int)verdict) == 0 &&
        msgpack_pack_str_with_body(&packer, reason, size) == 0)
        send(fd, out.data, out.size, MSG_NOSIGNAL | MSG_DONTWAIT);
    msgpack_sbuffer_destroy(&out);
}

static void pass(int fd, const char *reason)
{
    answer(fd, BJ_ANSWER_PASS, reason, strlen(reason));
}

static struct ask *find_free(struct ask_server *server)
{
    for (size_t i = 0; i < ASK_CLIENTS_MAX; i++)
        if (server->asks[i].state == ASK_FREE)
            return &server->asks[i];
    return NULL;
}

static void accept_clients(struct ask_server *server, int64_t now)
{
    for (int i = 0; i < ACCEPT_BATCH; i++) {
        int fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0) {
            if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
                server->accept_at = now + ACCEPT_PAUSE;
            return;
        }
        struct ask *ask = find_free(server);
        if (!ask) {
            pass(fd, "too many questions wait already: ask again");
            close(fd);
            continue;
        }
        *ask = (struct ask){.state = ASK_READING, .fd = fd, .deadline = now + READ_TIME};
        bj_frame_reset(&ask->frame);
    }
}

static const char *take_field(struct bj_field *field, const msgpack_object *object, size_t index)
{
    if (fields[index].wire_type == BJ_TYPE_STR && object->type == MSGPACK_OBJECT_STR)
        *field = (struct bj_field){.data = object->via.str.ptr, .size = object->via.str.size};
    else if (fields[index].wire_type == BJ_TYPE_BIN && object->type == MSGPACK_OBJECT_BIN)
        *field = (struct bj_field){.data = object->via.bin.ptr, .size = object->via.bin.size};
    else
        return "not a question";
    return field->size > fields[index].limit ? fields[index].too_long : NULL;
}

/* Returns what is wrong with the question, or NULL. The fields point into the client's bytes. */
static const char *decode(struct ask *ask, size_t size)
{
    msgpack_unpacked unpacked;
    msgpack_unpacked_init(&unpacked);
    size_t offset = 0;
    const char *wrong = "not a question";
    struct bj_field *const targets[] = {&ask->kind, &ask->title, &ask->detail};
    if (msgpack_unpack_next(&unpacked, (const char *)ask->bytes, size, &offset) ==
            MSGPACK_UNPACK_SUCCESS &&
        unpacked.data.type == MSGPACK_OBJECT_ARRAY && unpacked.data.via.array.size == 3) {
        wrong = NULL;
        for (size_t i = 0; i < 3 && !wrong; i++)
            wrong = take_field(targets[i], &unpacked.data.via.array.ptr[i], i);
    }
    msgpack_unpacked_destroy(&unpacked);
    return wrong;
}

/* The question is whole. Returns why it is not passed on, or NULL. */
static const char *accept_question(struct ask_server *server, struct ask *ask, size_t size,
                                   struct link *link)
{
    if (size != ask->size)
        return "not a question";
    if (server->waiting >= BJ_ASKS_MAX)
        return "too many questions wait already: ask again";
    const char *wrong = decode(ask, size);
    if (wrong)
        return wrong;
    ask->channel = link_take_channel(link);
    if (ask->channel == 0)
        return "this sandbox has asked its last question";
    ask->state = ASK_WAITING;
    server->waiting++;
    return NULL;
}

static bool make_room(struct ask *ask)
{
    if (ask->size < ask->capacity)
        return true;
    size_t capacity = ask->capacity ? ask->capacity * 2 : FIRST_SIZE;
    if (capacity > bj_frame_limits_link.bytes)
        capacity = bj_frame_limits_link.bytes;
    uint8_t *bytes = capacity > ask->capacity ? realloc(ask->bytes, capacity) : NULL;
    if (!bytes)
        return false;
    ask->bytes = bytes;
    ask->capacity = capacity;
    return true;
}

static void read_question(struct ask_server *server, struct ask *ask, struct link *link)
{
    const char *wrong = NULL;
    while (!wrong) {
        if (!make_room(ask)) {
            wrong = "no memory for the question";
            break;
        }
        ssize_t got = recv(ask->fd, ask->bytes + ask->size, ask->capacity - ask->size, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EAGAIN)
            return;
        if (got <= 0) {
            ask_free(server, ask);
            return;
        }
        ask->size += (size_t)got;
        size_t end;
        int whole =
            bj_frame_scan(&ask->frame, &bj_frame_limits_link, ask->bytes, ask->size, &end, NULL);
        if (whole > 0) {
            wrong = accept_question(server, ask, end, link);
            if (!wrong)
                return;
        } else if (whole < 0) {
            wrong = "not a question";
        }
    }
    pass(ask->fd, wrong);
    ask_free(server, ask);
}

/* Nothing is to come from a client that waits: its end, or bytes too many, withdraws the ask. */
static void withdraw(struct ask_server *server, struct ask *ask, struct link *link, int64_t now)
{
    if (ask->told) {
        struct bj_message message = {.type = BJ_CLOSE, .channel = ask->channel};
        message.field[BJ_CLOSE_REASON].data = "";
        link_send(link, &message, now);
    }
    ask_free(server, ask);
}

size_t ask_server_poll(const struct ask_server *server, struct pollfd *polls, int64_t *deadline)
{
    size_t count = 0;
    bool paused = server->accept_at != 0;
    polls[count++] = (struct pollfd){.fd = paused ? -1 : server->fd, .events = POLLIN};
    if (paused)
        *deadline = clock_earlier(*deadline, server->accept_at);
    for (size_t i = 0; i < ASK_CLIENTS_MAX; i++) {
        const struct ask *ask = &server->asks[i];
        if (ask->state == ASK_FREE)
            continue;
        polls[count++] = (struct pollfd){.fd = ask->fd, .events = POLLIN};
        if (ask->state == ASK_READING)
            *deadline = clock_earlier(*deadline, ask->deadline);
    }
    return count;
}

void ask_server_service(struct ask_server *server, const struct pollfd *polls, size_t count,
                        struct link *link, int64_t now)
{
    size_t at = 1;
    for (size_t i = 0; i < ASK_CLIENTS_MAX && at < count; i++) {
        struct ask *ask = &server->asks[i];
        if (ask->state == ASK_FREE || ask->fd != polls[at].fd)
            continue;
        bool ready = polls[at++].revents != 0;
        if (ready && ask->state == ASK_WAITING) {
            withdraw(server, ask, link, now);
        } else if (ready) {
            read_question(server, ask, link);
        } else if (ask->state == ASK_READING && now >= ask->deadline) {
            pass(ask->fd, "the question did not come in time");
            ask_free(server, ask);
        }
    }
    if (server->accept_at != 0 && now >= server->accept_at)
        server->accept_at = 0;
    if (polls[0].revents != 0)
        accept_clients(server, now);
}

void ask_server_forget_told(struct ask_server *server)
{
    for (size_t i = 0; i < ASK_CLIENTS_MAX; i++)
        server->asks[i].told = false;
}

bool ask_server_tell(struct ask_server *server, struct link *link, int64_t now)
{
    if (link->state != LINK_UP || link_queued(link))
        return false;
    struct ask *next = NULL; /* oldest first: the human sees them in their order */
    for (size_t i = 0; i < ASK_CLIENTS_MAX; i++) {
        struct ask *ask = &server->asks[i];
        if (ask->state == ASK_WAITING && !ask->told && (!next || ask->channel < next->channel))
            next = ask;
    }
    if (!next)
        return false;
    struct bj_message message = {.type = BJ_ASK, .channel = next->channel};
    message.field[BJ_ASK_KIND] = next->kind;
    message.field[BJ_ASK_TITLE] = next->title;
    message.field[BJ_ASK_DETAIL] = next->detail;
    next->told = true;
    link_send(link, &message, now);
    return true;
}

static struct ask *find_waiting(struct ask_server *server, uint32_t channel)
{
    for (size_t i = 0; i < ASK_CLIENTS_MAX; i++)
        if (server->asks[i].state == ASK_WAITING && server->asks[i].channel == channel)
            return &server->asks[i];
    return NULL;
}

bool ask_server_has(struct ask_server *server, uint32_t channel)
{
    return find_waiting(server, channel) != NULL;
}

void ask_server_answer(struct ask_server *server, const struct bj_message *message)
{
    struct ask *ask = find_waiting(server, message->channel);
    if (!ask) /* its client has gone meanwhile: CLOSE is on its way */
        return;
    enum bj_answer verdict = BJ_ANSWER_PASS;
    static const struct bj_field closed = {.data = "the question was closed", .size = 23};
    const struct bj_field *reason = &message->field[BJ_CLOSE_REASON];
    if (reason->size == 0)
        reason = &closed;
    if (message->type == BJ_VERDICT) {
        verdict = (enum bj_answer)message->field[BJ_VERDICT_ANSWER].u;
        reason = &message->field[BJ_VERDICT_REASON];
    }
    answer(ask->fd, verdict, reason->data, reason->size);
    ask_free(server, ask);
}
