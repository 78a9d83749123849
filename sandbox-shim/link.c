#include "sandbox-shim/link.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sandbox-shim/clock.h"
#include "transport/socket.h"

#define CONNECT_MS    200           /* others inside may fill the queue of the monitor's socket */
#define BACKOFF_FIRST 20            /* ms */
#define BACKOFF_MAX   500           /* ms */
#define STEADY        1000          /* ms up after which a lost link is dialled at once */
#define MEMORY_PAUSE  20            /* ms */
#define ACK_PAUSE     20            /* ms */
#define ACK_BYTES     4096U         /* of input, whose ACK does not wait */
#define QUEUE_MAX     (256U * 1024) /* bytes; a monitor that reads so little is no use */
#define QUEUE_KEEP    (32U * 1024)  /* bytes of memory that an empty queue may hold */
#define READ_BATCH    (256U * 1024) /* bytes, then others get a turn */
#define DATA_TURNS    8U            /* DATA messages of the pty, then a stream gets a turn */
#define KEPT_FOR_ASKS 65536U        /* channels */

int link_init(struct link *link, const char *path, struct bj_ring *output, struct bj_error *error)
{
    *link = (struct link){.path = path, .fd = -1, .output = output, .backoff = BACKOFF_FIRST};
    link->next_channel = BJ_CHANNEL_FIRST_FREE;
    link->in.window = BJ_INPUT_WINDOW;
    msgpack_sbuffer_init(&link->queue);
    if (getrandom(link->epoch, sizeof(link->epoch), 0) != (ssize_t)sizeof(link->epoch))
        return bj_fail(error, -EIO, "cannot get random bytes: %s", strerror(errno));
    return 0;
}

static void link_close(struct link *link, int64_t now)
{
    if (link->fd >= 0)
        close(link->fd);
    link->fd = -1;
    if (link->state >= LINK_UP && now - link->up_since >= STEADY)
        link->backoff = BACKOFF_FIRST;
    link->state = LINK_DOWN;
    link->dial_at = now + link->backoff;
    link->backoff = clock_earlier(link->backoff * 2, BACKOFF_MAX);

    msgpack_sbuffer_destroy(&link->queue);
    msgpack_sbuffer_init(&link->queue);
    link->queue_sent = 0;
    link->data_size = 0;
    link->data_sent = 0;
    link->in_size = 0;
    link->blocked = link->ends = false;
    link->resume_at = link->ack_at = 0;
    bj_frame_reset(&link->frame);
}

void link_free(struct link *link)
{
    link_close(link, 0);
    msgpack_sbuffer_destroy(&link->queue);
}

static void queue(struct link *link, const struct bj_message *message, int64_t now)
{
    /* A message that cannot be queued would be missing: start again, with everything told anew. */
    if (link->queue.size - link->queue_sent > QUEUE_MAX ||
        bj_message_encode(message, &link->queue) < 0)
        link_close(link, now);
}

void link_dial(struct link *link, int64_t now)
{
    if (link->state != LINK_DOWN || now < link->dial_at)
        return;
    link->fd = bj_socket_connect_within(link->path, CONNECT_MS, NULL);
    if (link->fd < 0) {
        link_close(link, now);
        return;
    }
    link->state = LINK_GREETS;
    link->in_acked = link->in.next;
    struct bj_message hello = {.type = BJ_HELLO};
    hello.field[BJ_HELLO_VERSION].u = BJ_PROTOCOL_VERSION;
    hello.field[BJ_HELLO_EPOCH].data = (const char *)link->epoch;
    hello.field[BJ_HELLO_EPOCH].size = LINK_EPOCH_SIZE;
    hello.field[BJ_HELLO_OUT_START].u = link->output->start;
    hello.field[BJ_HELLO_OUT_END].u = link->output->end;
    hello.field[BJ_HELLO_IN_NEXT].u = link->in.next;
    queue(link, &hello, now);
}

void link_send(struct link *link, const struct bj_message *message, int64_t now)
{
    if (link->state == LINK_UP)
        queue(link, message, now);
}

void link_send_uints(struct link *link, enum bj_message_type type, uint32_t channel, size_t count,
                     const uint64_t values[], int64_t now)
{
    struct bj_message message = {.type = type, .channel = channel};
    for (size_t i = 0; i < count; i++)
        message.field[i].u = values[i];
    link_send(link, &message, now);
}

bool link_has_channels(const struct link *link)
{
    return link->next_channel < BJ_CHANNEL_FIRST_HOST - KEPT_FOR_ASKS;
}

uint32_t link_take_channel(struct link *link)
{
    return link->next_channel < BJ_CHANNEL_FIRST_HOST ? link->next_channel++ : 0;
}

int link_on_host_channel(struct link *link, uint32_t channel, struct bj_error *error)
{
    if (channel <= link->host_channel)
        return bj_fail(error, -EPROTO, "channel %u cannot be opened by the monitor any more",
                       channel);
    link->host_channel = channel;
    return 0;
}

bool link_was_opened(const struct link *link, uint32_t channel)
{
    return (channel >= BJ_CHANNEL_FIRST_FREE && channel < link->next_channel) ||
           (channel >= BJ_CHANNEL_FIRST_HOST && channel <= link->host_channel);
}

void link_consumed(struct link *link, uint64_t consumed, int64_t now)
{
    if (link->state != LINK_UP)
        return;
    if (consumed > link->in_acked && link->ack_at == 0)
        link->ack_at = now + ACK_PAUSE;
    /* Before an echo it would only wake the monitor once more: it goes with what else is said. */
    bool goes = link->output->end > link->out.next || link_queued(link) || now >= link->ack_at;
    if (consumed > link->in_acked && (goes || consumed - link->in_acked >= ACK_BYTES)) {
        link->in_acked = consumed;
        link->ack_at = 0;
        link_send_uints(link, BJ_ACK, BJ_CHANNEL_PTY, 1, &consumed, now);
    }
    if (bj_receiver_refill(&link->in, consumed))
        link_send_uints(link, BJ_CREDIT, BJ_CHANNEL_PTY, 1, &link->in.limit, now);
}

static int on_welcome(struct link *link, const struct bj_message *message, int64_t now,
                      struct bj_error *error)
{
    uint64_t version = message->field[BJ_WELCOME_VERSION].u;
    uint64_t out_next = message->field[BJ_WELCOME_OUT_NEXT].u;
    uint64_t in_next = message->field[BJ_WELCOME_IN_NEXT].u;
    if (version < BJ_PROTOCOL_OLDEST || version > BJ_PROTOCOL_VERSION)
        return bj_fail(error, -EPROTO,
                       "WELCOME to protocol version %" PRIu64 ", this shim speaks %d to %d",
                       version, BJ_PROTOCOL_OLDEST, BJ_PROTOCOL_VERSION);
    if (out_next < link->output->start || out_next > link->output->end)
        return bj_fail(error, -EPROTO,
                       "WELCOME wants output from %" PRIu64 ", held are %" PRIu64 "..%" PRIu64,
                       out_next, link->output->start, link->output->end);
    if (in_next != link->in.next)
        return bj_fail(error, -EPROTO, "WELCOME offers input from %" PRIu64 ", next is %" PRIu64,
                       in_next, link->in.next);
    /* What the monitor has is not yet what it has made safe: only ACK releases the ring. */
    link->out = (struct bj_sender){
        .next = out_next,
        .acked = link->output->start,
        .limit = message->field[BJ_WELCOME_OUT_LIMIT].u,
    };
    link->state = LINK_UP;
    link->up_since = now;
    link->host_channel = BJ_CHANNEL_FIRST_HOST - 1;
    /* The new connection knows no credit: tell what was granted, even if that is nothing new. */
    if (link->in.limit == 0)
        link->in.limit = link->in.window;
    link_send_uints(link, BJ_CREDIT, BJ_CHANNEL_PTY, 1, &link->in.limit, now);
    return 0;
}

static int on_error(const struct bj_message *message, struct bj_error *error)
{
    const struct bj_field *text = &message->field[BJ_ERROR_TEXT];
    return bj_fail(error, -ECONNRESET, "the monitor: %.*s", (int)text->size, text->data);
}

static int take_frame(struct link *link, const uint8_t *bytes, size_t size, link_message_fn *take,
                      void *owner, int64_t now, struct bj_error *error)
{
    struct bj_message message;
    int status = bj_message_decode(&message, BJ_SIDE_MONITOR, bytes, size, error);
    if (status < 0)
        return status;
    bool control = message.type < BJ_DATA;
    if (control != (message.channel == BJ_CHANNEL_CONTROL))
        return bj_fail(error, -EPROTO, "message %d on channel %u", message.type, message.channel);
    if (message.type == BJ_ERROR)
        return on_error(&message, error);
    if ((message.type == BJ_WELCOME) != (link->state == LINK_GREETS))
        return bj_fail(error, -EPROTO, "message %d came %s WELCOME", message.type,
                       message.type == BJ_WELCOME ? "as a second" : "before");
    if (message.type == BJ_WELCOME && (status = on_welcome(link, &message, now, error)) < 0)
        return status;
    return take(owner, &message, error);
}

/* Says why, if that can be said: inside a half-written DATA message there is no room for it. */
static void refuse(struct link *link, const struct bj_error *error, int64_t now)
{
    if (error->code == -EPROTO && link->data_sent == 0) {
        struct bj_message message = {.type = BJ_ERROR};
        message.field[BJ_ERROR_TEXT].data = error->text;
        message.field[BJ_ERROR_TEXT].size = (uint32_t)strlen(error->text);
        link->data_size = 0;
        link->out.limit = 0; /* the last message: no output behind it */
        queue(link, &message, now);
        link_flush(link, now);
    }
    if (link->state != LINK_DOWN)
        link_close(link, now);
}

/* Returns 0, or negative when the connection must end. */
static int take_frames(struct link *link, link_message_fn *take, void *owner, int64_t now,
                       struct bj_error *error)
{
    size_t start = 0;
    while (start < link->in_size && link->state != LINK_DOWN) {
        size_t end;
        int status = bj_frame_scan(&link->frame, &bj_frame_limits_link, link->in_bytes + start,
                                   link->in_size - start, &end, error);
        if (status == 0)
            break;
        if (status > 0) {
            bj_frame_reset(&link->frame);
            status = take_frame(link, link->in_bytes + start, end, take, owner, now, error);
        }
        if (status < 0)
            return status;
        start += end;
    }
    if (link->state == LINK_DOWN)
        return 0;
    link->in_size -= start;
    memmove(link->in_bytes, link->in_bytes + start, link->in_size);
    return 0;
}

void link_read(struct link *link, link_message_fn *take, void *owner, int64_t now)
{
    for (size_t total = 0; total < READ_BATCH && link->state != LINK_DOWN;) {
        size_t room = sizeof(link->in_bytes) - link->in_size;
        ssize_t got = recv(link->fd, link->in_bytes + link->in_size, room, MSG_DONTWAIT);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EAGAIN && !link->ends)
            return;
        if (got <= 0) {
            link_close(link, now);
            return;
        }
        total += (size_t)got;
        if (link->state == LINK_PARTS)
            continue;
        link->in_size += (size_t)got;
        struct bj_error error = {0};
        if (take_frames(link, take, owner, now, &error) < 0) {
            refuse(link, &error, now);
            return;
        }
        if ((size_t)got < room && !link->ends) /* that was all; poll(2) tells of more */
            return;
    }
}

/* Chooses the next DATA message. Nothing of it was sent yet, so it may be chosen anew. */
static void choose_data(struct link *link)
{
    link->data_size = 0;
    if (link->state != LINK_UP)
        return;
    size_t held = (size_t)(link->output->end - link->out.next);
    size_t size = bj_sender_allowed(&link->out, held < BJ_DATA_MAX ? held : BJ_DATA_MAX);
    if (size == 0)
        return;
    link->data_size = (uint32_t)size;
    link->head_size =
        bj_message_data_head(link->head, BJ_CHANNEL_PTY, link->out.next, link->data_size);
}

/* The unsent rest of the DATA message, at most three pieces. */
static int data_pieces(const struct link *link, struct iovec pieces[3])
{
    int count = 0;
    size_t sent = 0;
    if (link->data_sent < link->head_size)
        pieces[count++] = (struct iovec){(void *)(link->head + link->data_sent),
                                         link->head_size - link->data_sent};
    else
        sent = link->data_sent - link->head_size;
    return count + bj_ring_peek(link->output, link->out.next + sent, link->data_size - sent,
                                pieces + count);
}

static void queue_advance(struct link *link, size_t size)
{
    link->queue_sent += size;
    if (link->queue_sent < link->queue.size)
        return;
    link->queue_sent = 0;
    link->queue.size = 0;
    if (link->queue.alloc > QUEUE_KEEP) {
        msgpack_sbuffer_destroy(&link->queue);
        msgpack_sbuffer_init(&link->queue);
    }
}

static void data_advance(struct link *link, size_t size)
{
    link->data_sent += size;
    if (link->data_sent < link->head_size + link->data_size)
        return;
    link->out.next += link->data_size;
    link->data_size = 0;
    link->data_sent = 0;
    link->data_turns++;
}

/* Of a monitor that is gone, what it has sent before is read all the same: it may have told that it
 * was taken. */
static void on_send_error(struct link *link, int64_t now)
{
    if (errno == EAGAIN)
        link->blocked = true;
    else if (errno == ENOBUFS || errno == ENOMEM)
        link->resume_at = now + MEMORY_PAUSE;
    else if (errno != EINTR)
        link->blocked = link->ends = true;
}

void link_flush(struct link *link, int64_t now)
{
    if (now >= link->resume_at)
        link->resume_at = 0;
    while (link->state != LINK_DOWN && link->state != LINK_PARTS && !link->blocked &&
           link->resume_at == 0) {
        struct iovec pieces[4];
        int count = 0;
        size_t queued = 0;
        if (link->data_sent == 0) { /* between two DATA messages: the queue goes first */
            choose_data(link);
            queued = link->queue.size - link->queue_sent;
            if (queued > 0)
                pieces[count++] = (struct iovec){link->queue.data + link->queue_sent, queued};
        }
        if (link->data_size > 0)
            count += data_pieces(link, pieces + count);
        if (count == 0)
            return;

        struct msghdr header = {.msg_iov = pieces, .msg_iovlen = (size_t)count};
        ssize_t sent = sendmsg(link->fd, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0) {
            on_send_error(link, now);
            continue;
        }
        size_t size = (size_t)sent;
        size_t from_queue = size < queued ? size : queued;
        if (from_queue > 0)
            queue_advance(link, from_queue);
        if (size > from_queue)
            data_advance(link, size - from_queue);
    }
}

bool link_has_turn(const struct link *link)
{
    if (link->state != LINK_UP || link_queued(link))
        return false;
    size_t held = (size_t)(link->output->end - link->out.next);
    bool idle = !link->blocked && link->resume_at == 0 && bj_sender_allowed(&link->out, held) == 0;
    return idle || link->data_turns >= DATA_TURNS;
}

void link_turn_taken(struct link *link)
{
    link->data_turns = 0;
}

bool link_queued(const struct link *link)
{
    return link->queue.size > link->queue_sent;
}

bool link_all_sent(const struct link *link)
{
    return link->state == LINK_UP && link->data_sent == 0 && link->out.next == link->output->end;
}

void link_part(struct link *link)
{
    if (link->state == LINK_UP && shutdown(link->fd, SHUT_WR) == 0)
        link->state = LINK_PARTS;
}

short link_poll(const struct link *link, int64_t *deadline)
{
    if (link->state == LINK_DOWN)
        *deadline = clock_earlier(*deadline, link->dial_at);
    if (link->resume_at != 0)
        *deadline = clock_earlier(*deadline, link->resume_at);
    if (link->state == LINK_UP && link->ack_at != 0)
        *deadline = clock_earlier(*deadline, link->ack_at);
    return (short)(POLLIN | (link->blocked ? POLLOUT : 0));
}
