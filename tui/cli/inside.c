#include "tui/cli/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <msgpack.h>

#include "transport/channel.h"

#define CHANNEL    BJ_CHANNEL_FIRST_HOST
#define SLICE_MS   500          /* how late a stop by signal may be seen */
#define PIECE_SIZE (32U * 1024) /* input sent in one DATA */

struct run {
    const struct inside_program *program;
    struct inside_end *end;
    int fd;
    struct bj_receiver in;
    struct bj_sender out;
    bool in_eof, out_eof, closed;
    int64_t progress; /* monotonic milliseconds of the last byte */

    uint8_t *bytes; /* received, the first message at 0 */
    size_t size, capacity;
    struct bj_frame frame;

    msgpack_sbuffer unsent;
    size_t written; /* of unsent */
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int queue(struct run *run, const struct bj_message *message, struct bj_error *error)
{
    int status = bj_message_encode(message, &run->unsent);
    if (status == -EMSGSIZE)
        return bj_fail(error, status, "the command for the sandbox is too long");
    return status < 0 ? bj_fail(error, status, "out of memory") : 0;
}

static int queue_exec(struct run *run, struct bj_error *error)
{
    char text[BJ_EXEC_ARGV_MAX];
    size_t size = 0;
    for (const char *const *word = run->program->argv; *word; word++) {
        size_t length = strlen(*word) + 1;
        if (length > sizeof(text) - size)
            return bj_fail(error, -EMSGSIZE, "the command for the sandbox is too long");
        memcpy(text + size, *word, length);
        size += length;
    }
    struct bj_message message = {.type = BJ_EXEC, .channel = CHANNEL};
    message.field[BJ_EXEC_ARGV] = (struct bj_field){.data = text, .size = (uint32_t)size};
    message.field[BJ_EXEC_DIRECTORY] = (struct bj_field){
        .data = run->program->directory, .size = (uint32_t)strlen(run->program->directory)};
    return queue(run, &message, error);
}

static int queue_credit(struct run *run, struct bj_error *error)
{
    struct bj_message message = {.type = BJ_CREDIT, .channel = CHANNEL};
    if (run->in_eof || !bj_receiver_refill(&run->in, run->in.next))
        return 0;
    message.field[BJ_CREDIT_LIMIT].u = run->in.limit;
    return queue(run, &message, error);
}

static int queue_eof(struct run *run, struct bj_error *error)
{
    struct bj_message message = {.type = BJ_EOF, .channel = CHANNEL};
    run->out_eof = true;
    return queue(run, &message, error);
}

/* Printable ASCII only: it comes from inside and is shown to a person. */
static void copy_text(char *out, size_t room, const char *bytes, size_t size)
{
    size_t length = size < room - 1 ? size : room - 1;
    for (size_t i = 0; i < length; i++)
        out[i] = bytes[i] >= ' ' && bytes[i] <= '~' ? bytes[i] : '?';
    out[length] = '\0';
}

static int on_data(struct run *run, const struct bj_message *message, struct bj_error *error)
{
    const struct bj_field *bytes = &message->field[BJ_DATA_BYTES];
    if (run->in_eof)
        return bj_fail(error, -EPROTO, "DATA behind EOF");
    int status =
        bj_receiver_on_data(&run->in, message->field[BJ_DATA_OFFSET].u, bytes->size, error);
    if (status < 0)
        return status;
    if (bytes->size > run->program->limit - run->end->received)
        return bj_fail(error, -EFBIG, "the sandbox sends more than the limit of %" PRIu64 " bytes",
                       run->program->limit);
    run->end->received += bytes->size;
    return run->program->output(run->program->owner, bytes->data, bytes->size, error);
}

/* "STATUS text", or why the stream could not go on. */
static int on_close(struct run *run, const struct bj_message *message, struct bj_error *error)
{
    char reason[INSIDE_TEXT_MAX];
    char *rest;
    const struct bj_field *field = &message->field[BJ_CLOSE_REASON];
    copy_text(reason, sizeof(reason), field->size ? field->data : "", field->size);
    run->closed = true;
    if (reason[0] < '0' || reason[0] > '9')
        return bj_fail(error, -EPIPE, "the link to the sandbox gave up: %s",
                       reason[0] ? reason : "no reason was given");
    errno = 0;
    unsigned long status = strtoul(reason, &rest, 10);
    if (errno != 0 || status > 255 || (*rest != ' ' && *rest != '\0'))
        return bj_fail(error, -EPROTO, "CLOSE without an exit status");
    if (!run->in_eof)
        return bj_fail(error, -EPROTO, "CLOSE before the end of the output");
    run->end->status = (int)status;
    snprintf(run->end->text, sizeof(run->end->text), "%s", *rest ? rest + 1 : "");
    return 0;
}

static int on_message(struct run *run, const struct bj_message *message, struct bj_error *error)
{
    char text[INSIDE_TEXT_MAX];
    if (message->type == BJ_ERROR) {
        const struct bj_field *field = &message->field[BJ_ERROR_TEXT];
        copy_text(text, sizeof(text), field->size ? field->data : "", field->size);
        return bj_fail(error, -EPIPE, "the monitor refuses: %s", text);
    }
    if (message->channel != CHANNEL)
        return bj_fail(error, -EPROTO, "a message for channel %u", message->channel);
    switch (message->type) {
    case BJ_DATA:
        return on_data(run, message, error);
    case BJ_CREDIT:
        return bj_sender_on_credit(&run->out, message->field[BJ_CREDIT_LIMIT].u, error);
    case BJ_EOF:
        if (run->in_eof)
            return bj_fail(error, -EPROTO, "a second EOF");
        run->in_eof = true;
        return 0;
    case BJ_CLOSE:
        return on_close(run, message, error);
    default:
        return bj_fail(error, -EPROTO, "a message of type %d", (int)message->type);
    }
}

/* Takes every whole message of what was received. */
static int take_messages(struct run *run, struct bj_error *error)
{
    size_t start = 0, size;
    int status = 0;
    while (status == 0 && !run->closed) {
        struct bj_message message;
        status = bj_frame_scan(&run->frame, &bj_frame_limits_link, run->bytes + start,
                               run->size - start, &size, error);
        if (status <= 0)
            break;
        bj_frame_reset(&run->frame);
        status = bj_message_decode(&message, BJ_SIDE_SHIM, run->bytes + start, size, error);
        if (status == 0)
            status = on_message(run, &message, error);
        start += size;
    }
    run->size -= start;
    memmove(run->bytes, run->bytes + start, run->size);
    return status;
}

static int receive(struct run *run, struct bj_error *error)
{
    ssize_t got = read(run->fd, run->bytes + run->size, run->capacity - run->size);
    if (got < 0)
        return errno == EAGAIN || errno == EINTR
                   ? 0
                   : bj_fail(error, -EPIPE, "the connection to the monitor broke: %s",
                             strerror(errno));
    if (got == 0)
        return bj_fail(error, -EPIPE,
                       "the monitor ended the connection: is the sandbox still "
                       "running? belljar ls tells");
    run->progress = now_ms();
    run->size += (size_t)got;
    int status = take_messages(run, error);
    if (status == -EPROTO)
        bj_fail_prefix(error, "the sandbox breaks the protocol");
    return status;
}

static int transmit(struct run *run, struct bj_error *error)
{
    ssize_t put = send(run->fd, run->unsent.data + run->written, run->unsent.size - run->written,
                       MSG_NOSIGNAL);
    if (put < 0)
        return errno == EAGAIN || errno == EINTR
                   ? 0
                   : bj_fail(error, -EPIPE, "the connection to the monitor broke: %s",
                             strerror(errno));
    run->progress = now_ms();
    run->written += (size_t)put;
    if (run->written == run->unsent.size) {
        msgpack_sbuffer_clear(&run->unsent);
        run->written = 0;
    }
    return 0;
}

static int feed(struct run *run, struct bj_error *error)
{
    char bytes[PIECE_SIZE];
    ssize_t got = read(run->program->input, bytes, bj_sender_allowed(&run->out, sizeof(bytes)));
    if (got < 0)
        return errno == EINTR || errno == EAGAIN
                   ? 0
                   : bj_fail(error, -errno, "cannot read what should go in: %s", strerror(errno));
    if (got == 0)
        return queue_eof(run, error);
    struct bj_message message = {.type = BJ_DATA, .channel = CHANNEL};
    message.field[BJ_DATA_OFFSET].u = run->out.next;
    message.field[BJ_DATA_BYTES] = (struct bj_field){.data = bytes, .size = (uint32_t)got};
    run->out.next += (uint64_t)got;
    run->end->sent += (uint64_t)got;
    return queue(run, &message, error);
}

/* Waits for what can be done next, and does it. */
static int turn(struct run *run, struct bj_error *error)
{
    bool unsent = run->unsent.size > 0;
    bool hungry = !run->out_eof && !unsent && bj_sender_allowed(&run->out, 1) > 0;
    struct pollfd polls[2] = {
        {.fd = run->fd, .events = (short)(POLLIN | (unsent ? POLLOUT : 0))},
        {.fd = hungry ? run->program->input : -1, .events = POLLIN},
    };
    int quiet = run->program->quiet_ms ? run->program->quiet_ms : INSIDE_QUIET_MS;
    int left = (int)(run->progress + quiet - now_ms());
    if (run->program->stop && *run->program->stop)
        return bj_fail(error, -EINTR, "interrupted");
    if (left <= 0)
        return bj_fail(error, -ETIMEDOUT, "nothing came from the sandbox for %d s", quiet / 1000);
    if (poll(polls, 2, left < SLICE_MS ? left : SLICE_MS) < 0)
        return errno == EINTR ? 0 : bj_fail(error, -errno, "poll: %s", strerror(errno));
    int status = 0;
    if (polls[0].revents & (POLLIN | POLLHUP | POLLERR)) /* first: it may say why it ended */
        status = receive(run, error);
    if (status == 0 && !run->closed && polls[0].revents & POLLOUT)
        status = transmit(run, error);
    if (status == 0 && !run->closed && polls[1].revents)
        status = feed(run, error);
    return status < 0 || run->closed ? status : queue_credit(run, error);
}

int inside_run(int socket, const struct inside_program *program, struct inside_end *end,
               struct bj_error *error)
{
    *end = (struct inside_end){0};
    struct run run = {
        .program = program,
        .end = end,
        .fd = socket,
        .progress = now_ms(),
        .in = {.window = BJ_STREAM_WINDOW, .limit = BJ_STREAM_WINDOW},
        .out = {.limit = BJ_STREAM_WINDOW},
        .capacity = bj_frame_limits_link.bytes + 1,
    };
    msgpack_sbuffer_init(&run.unsent);
    bj_frame_reset(&run.frame);
    run.bytes = malloc(run.capacity);
    int flags = fcntl(socket, F_GETFL);
    int status = 0;
    if (!run.bytes)
        status = bj_fail(error, -ENOMEM, "out of memory");
    else if (flags < 0 || fcntl(socket, F_SETFL, flags | O_NONBLOCK) < 0)
        status = bj_fail(error, -errno, "cannot use the monitor's socket: %s", strerror(errno));
    if (status == 0)
        status = queue_exec(&run, error);
    if (status == 0 && program->input < 0)
        status = queue_eof(&run, error);
    while (status == 0 && !run.closed)
        status = turn(&run, error);
    msgpack_sbuffer_destroy(&run.unsent);
    free(run.bytes);
    close(socket);
    return status;
}
