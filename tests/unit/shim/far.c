#include "tests/unit/shim/far.h"

#include <stdlib.h>
#include <string.h>

#include <check.h>

#define TURN_MAX (16U * 1024) /* bytes that the shim sends of a stream at once */

struct far fars[BJ_STREAMS_MAX];
char far_output[64 * 1024];
size_t far_output_size;
bool far_exited;

void far_reset(void)
{
    memset(fars, 0, sizeof(fars));
    far_exited = false;
}

static struct far *find(uint32_t channel)
{
    for (size_t i = 0; i < BJ_STREAMS_MAX; i++)
        if (fars[i].channel == channel)
            return &fars[i];
    return NULL;
}

static struct far *add(uint32_t channel)
{
    struct far *far = find(0);
    ck_assert_msg(far != NULL, "too many streams");
    memset(far, 0, sizeof(*far));
    far->channel = channel;
    far->granted = far->limit = BJ_STREAM_WINDOW;
    return far;
}

static struct far *find_open(const struct bj_message *message)
{
    struct far *far = find(message->channel);
    ck_assert_msg(far && !far->done, "message %d on channel %u, which is not open", message->type,
                  message->channel);
    return far;
}

static void on_data(struct far *far, const struct bj_message *message)
{
    const struct bj_field *bytes = &message->field[BJ_DATA_BYTES];
    ck_assert(!far->their_eof);
    ck_assert_uint_eq(message->field[BJ_DATA_OFFSET].u, far->got);
    ck_assert_uint_gt(bytes->size, 0);
    ck_assert_uint_le(bytes->size, TURN_MAX);
    ck_assert_uint_le(far->got + bytes->size, far->granted);
    ck_assert_uint_le(far->held + bytes->size, sizeof(far->bytes));
    memcpy(far->bytes + far->held, bytes->data, bytes->size);
    far->held += bytes->size;
    far->got += bytes->size;
}

static void on_close(struct far *far, const struct bj_message *message)
{
    const struct bj_field *reason = &message->field[BJ_CLOSE_REASON];
    far->done = true;
    if (reason->size > 0) /* else it has no address */
        memcpy(far->reason, reason->data, reason->size);
    far->reason[reason->size] = '\0';
}

void far_clear_output(void)
{
    far_output_size = 0;
    far_output[0] = '\0';
}

static void keep_output(const struct bj_field *bytes)
{
    size_t half = sizeof(far_output) / 2;
    const char *from = bytes->data;
    size_t size = bytes->size;
    if (size >= half) {
        from += size - half + 1;
        size = half - 1;
    }
    if (far_output_size + size >= sizeof(far_output)) {
        memmove(far_output, far_output + half, far_output_size - half);
        far_output_size -= half;
    }
    memcpy(far_output + far_output_size, from, size);
    far_output_size += size;
    far_output[far_output_size] = '\0';
}

void far_wait_output(struct double_monitor *monitor, const char *text)
{
    struct bj_message message;
    while (!strstr(far_output, text))
        far_next(monitor, &message);
}

void far_next(struct double_monitor *monitor, struct bj_message *message)
{
    ck_assert_msg(double_next(monitor, message), "the link ended");
    if (message->type == BJ_DATA && message->channel == BJ_CHANNEL_PTY)
        keep_output(&message->field[BJ_DATA_BYTES]);
    far_exited = far_exited || message->type == BJ_EXITED;
    if (message->channel <= BJ_CHANNEL_PTY || message->type == BJ_ASK)
        return;
    if (message->type == BJ_OPEN) {
        const struct bj_field *kind = &message->field[BJ_OPEN_KIND];
        ck_assert(kind->size == 6 && memcmp(kind->data, "egress", 6) == 0);
        ck_assert_uint_ge(message->channel, BJ_CHANNEL_FIRST_FREE);
        ck_assert_uint_lt(message->channel, BJ_CHANNEL_FIRST_HOST);
        ck_assert_ptr_null(find(message->channel));
        add(message->channel);
        return;
    }
    struct far *far = find_open(message);
    if (message->type == BJ_DATA) {
        on_data(far, message);
    } else if (message->type == BJ_CREDIT) {
        ck_assert_uint_gt(message->field[BJ_CREDIT_LIMIT].u, far->limit);
        far->limit = message->field[BJ_CREDIT_LIMIT].u;
    } else if (message->type == BJ_EOF) {
        ck_assert(!far->their_eof);
        far->their_eof = true;
    } else {
        ck_assert_int_eq(message->type, BJ_CLOSE);
        on_close(far, message);
    }
}

struct far *far_wait_open(struct double_monitor *monitor)
{
    struct bj_message message;
    do
        far_next(monitor, &message);
    while (message.type != BJ_OPEN);
    return find(message.channel);
}

void far_wait_close(struct double_monitor *monitor, struct far *far)
{
    struct bj_message message;
    while (!far->done)
        far_next(monitor, &message);
}

void far_wait_eof(struct double_monitor *monitor, struct far *far)
{
    struct bj_message message;
    while (!far->their_eof)
        far_next(monitor, &message);
}

void far_wait_held(struct double_monitor *monitor, struct far *far, size_t size)
{
    struct bj_message message;
    while (far->held < size)
        far_next(monitor, &message);
}

void far_sync(struct double_monitor *monitor)
{
    static uint64_t token = 1000;
    struct bj_message message;
    token++;
    double_send_uints(monitor, BJ_PING, 0, 1, &token);
    do
        far_next(monitor, &message);
    while (message.type != BJ_PONG || message.field[BJ_PONG_TOKEN].u != token);
}

size_t far_count(void)
{
    size_t count = 0;
    for (size_t i = 0; i < BJ_STREAMS_MAX; i++)
        count += fars[i].channel != 0 && !fars[i].done;
    return count;
}

size_t far_send(struct double_monitor *monitor, struct far *far, const void *bytes, size_t size)
{
    size_t total = 0;
    while (total < size && far->sent < far->limit) {
        size_t part = size - total < BJ_DATA_MAX ? size - total : BJ_DATA_MAX;
        if (part > far->limit - far->sent)
            part = (size_t)(far->limit - far->sent);
        struct bj_message message = {.type = BJ_DATA, .channel = far->channel};
        message.field[BJ_DATA_OFFSET].u = far->sent;
        message.field[BJ_DATA_BYTES].data = (const char *)bytes + total;
        message.field[BJ_DATA_BYTES].size = (uint32_t)part;
        double_send(monitor, &message);
        far->sent += part;
        total += part;
    }
    return total;
}

void far_eof(struct double_monitor *monitor, struct far *far)
{
    double_send_uints(monitor, BJ_EOF, far->channel, 0, NULL);
    far->our_eof = true;
}

void far_close(struct double_monitor *monitor, struct far *far)
{
    struct bj_message message = {.type = BJ_CLOSE, .channel = far->channel};
    message.field[BJ_CLOSE_REASON].data = "";
    double_send(monitor, &message);
    far->channel = 0;
}

void far_use(struct double_monitor *monitor, struct far *far, size_t size)
{
    ck_assert_uint_le(size, far->held);
    far->held -= size;
    memmove(far->bytes, far->bytes + size, far->held);
    uint64_t limit = far->got - far->held + BJ_STREAM_WINDOW;
    if (far->done || far->their_eof || limit - far->granted < BJ_STREAM_WINDOW / 2)
        return;
    far->granted = limit;
    double_send_uints(monitor, BJ_CREDIT, far->channel, 1, &far->granted);
}

struct far *far_exec(struct double_monitor *monitor, uint32_t channel, const char *directory,
                     const char *const argv[])
{
    char text[BJ_EXEC_ARGV_MAX];
    size_t size = 0;
    for (size_t i = 0; argv[i]; i++) {
        size_t length = strlen(argv[i]) + 1;
        ck_assert_uint_le(size + length, sizeof(text));
        memcpy(text + size, argv[i], length);
        size += length;
    }
    struct bj_message message = {.type = BJ_EXEC, .channel = channel};
    message.field[BJ_EXEC_ARGV] = (struct bj_field){.data = text, .size = (uint32_t)size};
    message.field[BJ_EXEC_DIRECTORY] =
        (struct bj_field){.data = directory, .size = (uint32_t)strlen(directory)};
    double_send(monitor, &message);
    return add(channel);
}
