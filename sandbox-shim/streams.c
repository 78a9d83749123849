#include "sandbox-shim/streams.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sandbox-shim/clock.h"
#include "sandbox-shim/proxy.h"

#define ACCEPT_PAUSE 100 /* ms */
#define ACCEPT_BATCH 16  /* connections, then others get a turn */
#define TELL_BATCH   16  /* messages, likewise */
#define LISTENER     UINT16_MAX

int streams_open(struct streams *streams, uint16_t port, uint64_t nproc, struct bj_error *error)
{
    *streams = (struct streams){.listener = -1, .nproc = nproc};
    if (port > 0)
        streams->listener = proxy_open(port, error);
    return port > 0 && streams->listener < 0 ? streams->listener : 0;
}

/* Counts anew; cheap, since it looks at the slots in use only. */
static void recount(struct streams *streams)
{
    streams->connections = streams->execs = 0;
    size_t slots = streams->slots;
    streams->slots = 0;
    for (size_t i = 0; i < slots; i++) {
        const struct stream *stream = &streams->all[i];
        if (!stream->used)
            continue;
        streams->slots = i + 1;
        if (stream->exec)
            streams->execs++;
        else
            streams->connections++;
    }
}

static void drop(struct streams *streams, bool (*which)(const struct stream *stream))
{
    for (size_t i = 0; i < streams->slots; i++)
        if (streams->all[i].used && which(&streams->all[i]))
            stream_abort(&streams->all[i]);
    recount(streams);
}

static bool any(const struct stream *stream)
{
    return true;
}

static bool is_connection(const struct stream *stream)
{
    return !stream->exec;
}

static bool is_idle(const struct stream *stream)
{
    return !stream->exec && proxy_is_idle(stream->fd);
}

static bool is_known(const struct stream *stream)
{
    return stream->channel != 0;
}

static void close_listener(struct streams *streams)
{
    if (streams->listener >= 0)
        close(streams->listener);
    streams->listener = -1;
}

void streams_close(struct streams *streams)
{
    drop(streams, any);
    close_listener(streams);
}

void streams_close_idle(struct streams *streams)
{
    drop(streams, is_idle);
    close_listener(streams);
}

void streams_close_connections(struct streams *streams)
{
    drop(streams, is_connection);
}

void streams_drop(struct streams *streams)
{
    if (streams->slots > 0)
        drop(streams, is_known);
    streams->more = false;
}

static bool accepts(const struct streams *streams, const struct link *link)
{
    return streams->listener >= 0 && link->state == LINK_UP &&
           streams->connections < STREAMS_CONNECTIONS_MAX && link_has_channels(link);
}

static void add_poll(struct streams *streams, struct pollfd *polls, size_t *count, size_t owner,
                     int fd, short events)
{
    streams->polled[*count] = (uint16_t)owner;
    polls[(*count)++] = (struct pollfd){.fd = fd, .events = events};
}

size_t streams_poll(struct streams *streams, const struct link *link, struct pollfd *polls,
                    int64_t *deadline)
{
    size_t count = 0;
    if (streams->more)
        *deadline = 0;
    if (accepts(streams, link) && streams->accept_at != 0)
        *deadline = clock_earlier(*deadline, streams->accept_at);
    else if (accepts(streams, link))
        add_poll(streams, polls, &count, LISTENER, streams->listener, POLLIN);
    for (size_t i = 0; i < streams->slots; i++) {
        const struct stream *stream = &streams->all[i];
        if (!stream->used)
            continue;
        short in = stream->readable || stream->out_eof || stream->linger ? 0 : POLLIN;
        short out = bj_ring_used(&stream->held) > 0 ? POLLOUT : 0;
        if (!stream->exec) {
            if (!stream->hung) /* without events, too: a reset is heard of */
                add_poll(streams, polls, &count, i, stream->fd, in | out);
            continue;
        }
        if (in)
            add_poll(streams, polls, &count, i, stream->fd, in);
        if (out)
            add_poll(streams, polls, &count, i, stream->in_fd, out);
        if (stream->exec->err_fd >= 0)
            add_poll(streams, polls, &count, i, stream->exec->err_fd, POLLIN);
    }
    return count;
}

static struct stream *find_free(struct streams *streams)
{
    for (size_t i = 0; i < BJ_STREAMS_MAX; i++)
        if (!streams->all[i].used) {
            if (i >= streams->slots)
                streams->slots = i + 1;
            return &streams->all[i];
        }
    return NULL;
}

static void accept_connections(struct streams *streams, int64_t now)
{
    for (int i = 0; i < ACCEPT_BATCH && streams->connections < STREAMS_CONNECTIONS_MAX; i++) {
        int fd = proxy_accept(streams->listener);
        if (fd < 0) {
            if (fd != -EAGAIN)
                streams->accept_at = now + ACCEPT_PAUSE;
            return;
        }
        struct stream *stream = find_free(streams);
        if (!stream) {
            proxy_reset(fd);
            return;
        }
        stream_open(stream, fd, fd, NULL);
        streams->connections++;
    }
}

static void serve_connection(struct stream *stream, short events)
{
    if (events & POLLERR) {
        stream->gone = "the connection was reset inside";
        stream->hung = true;
        if (stream->channel == 0)
            stream_abort(stream);
        return;
    }
    if (events & (POLLIN | POLLHUP))
        stream->readable = true;
    if (events & POLLHUP)
        stream->hung = true;
    if (events & POLLOUT)
        stream_write(stream);
}

static void serve_exec(struct stream *stream, int fd)
{
    if (fd == stream->fd)
        stream->readable = true;
    else if (fd == stream->in_fd)
        stream_write(stream);
    else if (fd == stream->exec->err_fd)
        exec_read_err(stream->exec);
}

void streams_service(struct streams *streams, const struct pollfd *polls, size_t count, int64_t now)
{
    bool waiting = false;
    for (size_t i = 0; i < count; i++) {
        if (polls[i].revents == 0)
            continue;
        if (streams->polled[i] == LISTENER) {
            waiting = true;
            continue;
        }
        struct stream *stream = &streams->all[streams->polled[i]];
        if (stream->used && stream->exec)
            serve_exec(stream, polls[i].fd);
        else if (stream->used)
            serve_connection(stream, polls[i].revents);
    }
    if (streams->slots > 0)
        recount(streams);
    if (streams->accept_at != 0 && now >= streams->accept_at)
        streams->accept_at = 0;
    if (waiting)
        accept_connections(streams, now);
}

void streams_on_end(void *owner, const siginfo_t *info)
{
    struct streams *streams = owner;
    for (size_t i = 0; i < streams->slots; i++) {
        struct stream *stream = &streams->all[i];
        if (stream->used && stream->exec && stream->exec->pid == info->si_pid)
            stream_on_exec_end(stream, info);
    }
}

struct stream *streams_find(struct streams *streams, uint32_t channel)
{
    for (size_t i = 0; i < streams->slots; i++)
        if (streams->all[i].used && streams->all[i].channel == channel)
            return &streams->all[i];
    return NULL;
}

int streams_take(struct streams *streams, struct stream *stream, const struct bj_message *message,
                 struct bj_error *error)
{
    int status = stream_take(stream, message, error);
    if (!stream->used)
        recount(streams);
    return status;
}

/* 126: as a shell says of what it cannot run. */
static void refuse_exec(uint32_t channel, const char *why, struct link *link, int64_t now)
{
    char text[EXEC_REASON_MAX];
    int size = snprintf(text, sizeof(text), "126 %.400s", why);
    struct bj_message message = {.type = BJ_CLOSE, .channel = channel};
    message.field[BJ_CLOSE_REASON] = (struct bj_field){.data = text, .size = (uint32_t)size};
    link_send(link, &message, now);
}

int streams_exec(struct streams *streams, const struct bj_message *message, struct link *link,
                 int64_t now, struct bj_error *error)
{
    int in, out;
    struct exec *exec = NULL;
    int status = link_on_host_channel(link, message->channel, error);
    if (status < 0)
        return status;
    struct stream *stream = streams->execs < EXECS_MAX ? find_free(streams) : NULL;
    if (!stream) {
        refuse_exec(message->channel, "too many programs run already", link, now);
        return 0;
    }
    struct bj_error why = {0};
    status = exec_start(&exec, message, streams->nproc, &in, &out, &why);
    if (status == -EPROTO)
        return bj_fail(error, -EPROTO, "%s", why.text);
    if (status < 0) {
        refuse_exec(message->channel, why.text, link, now);
        return 0;
    }
    stream_open(stream, out, in, exec);
    stream->channel = message->channel;
    streams->execs++;
    return 0;
}

static bool speak(struct stream *stream, struct link *link, int64_t now)
{
    if (stream->channel != 0 || stream->exec || stream->linger)
        return stream_speak(stream, link, now);
    if (!link_has_channels(link))
        return false;
    static const char kind[] = "egress";
    struct bj_message message = {.type = BJ_OPEN};
    message.channel = stream->channel = link_take_channel(link);
    message.field[BJ_OPEN_KIND] = (struct bj_field){.data = kind, .size = sizeof(kind) - 1};
    link_send(link, &message, now);
    return true;
}

/* The next in turn that has something to say. */
static bool speak_next(struct streams *streams, struct link *link, int64_t now)
{
    for (size_t i = 0; i < streams->slots; i++) {
        size_t at = (streams->turn + i) % streams->slots;
        struct stream *stream = &streams->all[at];
        if (!stream->used || !speak(stream, link, now))
            continue;
        streams->turn = at + 1;
        if (!stream->used)
            recount(streams);
        return true;
    }
    return false;
}

void streams_tell(struct streams *streams, struct link *link, int64_t now)
{
    streams->more = false;
    for (int i = 0; i < TELL_BATCH; i++) {
        if (streams->slots == 0 || !link_has_turn(link) || !speak_next(streams, link, now))
            return;
        link_turn_taken(link);
        link_flush(link, now);
    }
    streams->more = link_has_turn(link);
}
