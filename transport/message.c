#include "transport/message.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include <msgpack.h>

#define U32 UINT32_MAX
#define U64 UINT64_MAX

/* clang-format off */
const struct bj_message_spec bj_messages[] = {
    {BJ_HELLO, "HELLO", BJ_SIDE_SHIM,
     "First message on a connection. What the shim holds decides where both ends go on.",
     {{"version", BJ_TYPE_UINT, 0xffff, "protocol version the shim speaks"},
      {"epoch", BJ_TYPE_BIN, 16, "16 random bytes, drawn once when the shim starts"},
      {"out_start", BJ_TYPE_UINT, U64, "offset of the oldest output byte held"},
      {"out_end", BJ_TYPE_UINT, U64, "offset behind the newest output byte held"},
      {"in_next", BJ_TYPE_UINT, U64, "offset of the next input byte expected"}}},
    {BJ_WELCOME, "WELCOME", BJ_SIDE_MONITOR,
     "Answer to HELLO. The shim sends output from out_next on, never beyond out_limit.",
     {{"version", BJ_TYPE_UINT, 0xffff, "protocol version to speak from here on"},
      {"out_next", BJ_TYPE_UINT, U64, "offset of the next output byte expected"},
      {"out_limit", BJ_TYPE_UINT, U64, "credit: output may go up to this offset"},
      {"in_next", BJ_TYPE_UINT, U64, "offset of the next input byte that will be sent"},
      {"rows", BJ_TYPE_UINT, 10000, "the pty's height"},
      {"cols", BJ_TYPE_UINT, 10000, "the pty's width"}}},
    {BJ_ERROR, "ERROR", BJ_SIDE_ANY,
     "Last message before the sender closes the connection.",
     {{"text", BJ_TYPE_STR, 512, "why"}}},
    {BJ_PING, "PING", BJ_SIDE_MONITOR,
     "Asks for a PONG with the same token.",
     {{"token", BJ_TYPE_UINT, U64, "any number"}}},
    {BJ_PONG, "PONG", BJ_SIDE_SHIM,
     "Answer to PING.",
     {{"token", BJ_TYPE_UINT, U64, "the token of the PING"}}},
    {BJ_STARTED, "STARTED", BJ_SIDE_SHIM,
     "The agent runs. Sent again after every reconnect until EXITED.",
     {{"pid", BJ_TYPE_UINT, U32, "the agent's process id inside the sandbox"}}},
    {BJ_EXITED, "EXITED", BJ_SIDE_SHIM,
     "The agent ended, or could not be started. Sent after all of its output, and again after "
     "every reconnect.",
     {{"code", BJ_TYPE_UINT, 255, "exit status, 0 when a signal ended it"},
      {"signal", BJ_TYPE_UINT, 255, "signal that ended it, else 0"},
      {"error", BJ_TYPE_STR, 512, "why the agent could not be started, else empty"}}},
    {BJ_SIZE, "SIZE", BJ_SIDE_MONITOR,
     "Sets the pty's size.",
     {{"rows", BJ_TYPE_UINT, 10000, "height in cells"},
      {"cols", BJ_TYPE_UINT, 10000, "width in cells"}}},
    {BJ_SIGNAL, "SIGNAL", BJ_SIDE_MONITOR,
     "Sends a signal to the pty's foreground process group.",
     {{"number", BJ_TYPE_UINT, 64, "Linux signal number"}}},
    {BJ_SHUTDOWN, "SHUTDOWN", BJ_SIDE_MONITOR,
     "Ends the sandbox: the shim kills every process in it and exits.",
     {{0}}},
    {BJ_DATA, "DATA", BJ_SIDE_ANY,
     "Bytes of a channel. Offsets go on without gap or overlap, and never beyond the credit.",
     {{"offset", BJ_TYPE_UINT, U64, "stream offset of the first byte"},
      {"bytes", BJ_TYPE_BIN, BJ_DATA_MAX, "the bytes, at least one"}}},
    {BJ_ACK, "ACK", BJ_SIDE_BOTH,
     "Everything before the offset is safe at the receiver and need not be kept.",
     {{"offset", BJ_TYPE_UINT, U64, "stream offset"}}},
    {BJ_CREDIT, "CREDIT", BJ_SIDE_ANY,
     "The receiver takes bytes up to this offset. Never goes back.",
     {{"limit", BJ_TYPE_UINT, U64, "stream offset"}}},
    {BJ_EOF, "EOF", BJ_SIDE_BOTH,
     "No more DATA comes from the sender on this stream; the other direction goes on.",
     {{0}}},
    {BJ_OPEN, "OPEN", BJ_SIDE_SHIM,
     "Opens a stream. Each side may send 128 KiB (BJ_STREAM_WINDOW) until CREDIT raises that.",
     {{"kind", BJ_TYPE_STR, 16, "egress: a connection to the proxy port inside"}}},
    {BJ_EXEC, "EXEC", BJ_SIDE_MONITOR,
     "Opens a stream to the standard input and output of a program that the shim starts as the "
     "agent's user. The shim's CLOSE tells its exit status as a decimal number, a space, and the "
     "last of its standard error.",
     {{"argv", BJ_TYPE_BIN, BJ_EXEC_ARGV_MAX, "program and arguments, each ended by a NUL"},
      {"directory", BJ_TYPE_STR, 1024, "working directory"}}},
    {BJ_ASK, "ASK", BJ_SIDE_SHIM,
     "Opens a channel that waits for a verdict. Open ones are sent again after every reconnect. "
     "No text in it is believed: the sandbox is known by its link.",
     {{"kind", BJ_TYPE_STR, BJ_ASK_KIND_MAX, "what it is about, e.g. exec"},
      {"title", BJ_TYPE_STR, BJ_ASK_TITLE_MAX, "one line for the human"},
      {"detail", BJ_TYPE_BIN, BJ_ASK_DETAIL_MAX, "more of it, opaque"}}},
    {BJ_VERDICT, "VERDICT", BJ_SIDE_MONITOR,
     "Answers an ASK and closes its channel.",
     {{"answer", BJ_TYPE_UINT, BJ_ANSWER_PASS, "0 deny, 1 allow, 2 pass (nobody decided)"},
      {"reason", BJ_TYPE_STR, BJ_REASON_MAX,
       "for the agent, may be empty; of a pass: nothing was asked"}}},
    {BJ_CLOSE, "CLOSE", BJ_SIDE_ANY,
     "The channel is gone, e.g. the asking process died.",
     {{"reason", BJ_TYPE_STR, 1024, "why, may be empty"}}},
    {BJ_GREET, "GREET", BJ_SIDE_FAR,
     "First message of a bridge's far end.",
     {{"version", BJ_TYPE_UINT, 0xffff, "version of the bridge that it speaks"},
      {"program", BJ_TYPE_STR, 64, "version of Belljar there"}}},
    {BJ_DIAL, "DIAL", BJ_SIDE_NEAR,
     "Opens a connection to a socket of the far host. The far end's CREDIT says that it is open; its "
     "CLOSE, why not. Numbers rise.",
     {{"service", BJ_TYPE_STR, 16, "server; view or exec: of a sandbox's monitor"},
      {"id", BJ_TYPE_STR, BJ_BRIDGE_ID_MAX, "the sandbox's id, else empty"}}},
};
/* clang-format on */

const size_t bj_messages_count = sizeof(bj_messages) / sizeof(bj_messages[0]);

const struct bj_message_spec *bj_message_find(uint64_t type)
{
    for (size_t i = 0; i < bj_messages_count; i++)
        if ((uint64_t)bj_messages[i].type == type)
            return &bj_messages[i];
    return NULL;
}

size_t bj_message_fields(const struct bj_message_spec *spec)
{
    size_t count = 0;
    while (count < BJ_FIELDS_MAX && spec->fields[count].name)
        count++;
    return count;
}

static int decode_field(struct bj_field *field, const struct bj_message_spec *message,
                        const struct bj_field_spec *spec, const msgpack_object *object,
                        struct bj_error *error)
{
    uint64_t measure;
    *field = (struct bj_field){0};
    if (spec->type == BJ_TYPE_UINT && object->type == MSGPACK_OBJECT_POSITIVE_INTEGER) {
        field->u = measure = object->via.u64;
    } else if (spec->type == BJ_TYPE_STR && object->type == MSGPACK_OBJECT_STR) {
        field->data = object->via.str.ptr;
        field->size = object->via.str.size;
        measure = field->size;
    } else if (spec->type == BJ_TYPE_BIN && object->type == MSGPACK_OBJECT_BIN) {
        field->data = object->via.bin.ptr;
        field->size = object->via.bin.size;
        measure = field->size;
    } else {
        return bj_fail(error, -EPROTO, "%s: field %s has the wrong type", message->name,
                       spec->name);
    }
    if (measure > spec->limit)
        return bj_fail(error, -EPROTO, "%s: field %s is over its limit (%" PRIu64 " > %" PRIu64 ")",
                       message->name, spec->name, measure, spec->limit);
    return 0;
}

static int decode_object(struct bj_message *message, enum bj_side from, const msgpack_object *root,
                         struct bj_error *error)
{
    if (root->type != MSGPACK_OBJECT_ARRAY || root->via.array.size < 2)
        return bj_fail(error, -EPROTO, "not a message: not an array of two or more");
    const msgpack_object *items = root->via.array.ptr;
    if (items[0].type != MSGPACK_OBJECT_POSITIVE_INTEGER ||
        items[1].type != MSGPACK_OBJECT_POSITIVE_INTEGER)
        return bj_fail(error, -EPROTO, "not a message: type or channel is no unsigned integer");

    const struct bj_message_spec *spec = bj_message_find(items[0].via.u64);
    if (!spec)
        return bj_fail(error, -EPROTO, "unknown message type %" PRIu64, items[0].via.u64);
    if (!(spec->from & from))
        return bj_fail(error, -EPROTO, "%s came from the wrong side", spec->name);
    if (items[1].via.u64 > BJ_CHANNEL_MAX)
        return bj_fail(error, -EPROTO, "%s: no such channel", spec->name);
    size_t count = bj_message_fields(spec);
    if (root->via.array.size != 2 + count)
        return bj_fail(error, -EPROTO, "%s: %u fields instead of %zu", spec->name,
                       root->via.array.size - 2, count);

    message->type = spec->type;
    message->channel = (uint32_t)items[1].via.u64;
    for (size_t i = 0; i < count; i++) {
        int status = decode_field(&message->field[i], spec, &spec->fields[i], &items[2 + i], error);
        if (status < 0)
            return status;
    }
    return 0;
}

int bj_message_decode(struct bj_message *message, enum bj_side from, const void *frame, size_t size,
                      struct bj_error *error)
{
    msgpack_unpacked unpacked;
    msgpack_unpacked_init(&unpacked);
    size_t offset = 0;
    int status;
    msgpack_unpack_return found = msgpack_unpack_next(&unpacked, frame, size, &offset);
    if (found == MSGPACK_UNPACK_NOMEM_ERROR) {
        status = bj_fail(error, -ENOMEM, "no memory for a message");
    } else if (found != MSGPACK_UNPACK_SUCCESS || offset != size) {
        status = bj_fail(error, -EPROTO, "not msgpack");
    } else {
        /* Strings and binaries point into `frame`, so they outlive the zone. */
        status = decode_object(message, from, &unpacked.data, error);
    }
    msgpack_unpacked_destroy(&unpacked);
    return status;
}

int bj_message_encode(const struct bj_message *message, struct msgpack_sbuffer *out)
{
    const struct bj_message_spec *spec = bj_message_find(message->type);
    if (!spec)
        return -EINVAL;
    if (message->channel > BJ_CHANNEL_MAX)
        return -EINVAL;
    size_t count = bj_message_fields(spec);
    for (size_t i = 0; i < count; i++) {
        const struct bj_field *field = &message->field[i];
        uint64_t measure = spec->fields[i].type == BJ_TYPE_UINT ? field->u : field->size;
        if (measure > spec->fields[i].limit)
            return -EMSGSIZE;
    }

    size_t before = out->size;
    msgpack_packer packer;
    msgpack_packer_init(&packer, out, msgpack_sbuffer_write);
    int failed = msgpack_pack_array(&packer, 2 + count);
    failed |= msgpack_pack_uint32(&packer, (uint32_t)message->type);
    failed |= msgpack_pack_uint32(&packer, message->channel);
    for (size_t i = 0; i < count; i++) {
        const struct bj_field *field = &message->field[i];
        switch (spec->fields[i].type) {
        case BJ_TYPE_UINT:
            failed |= msgpack_pack_uint64(&packer, field->u);
            break;
        case BJ_TYPE_STR:
            failed |= msgpack_pack_str_with_body(&packer, field->data, field->size);
            break;
        case BJ_TYPE_BIN:
            failed |= msgpack_pack_bin_with_body(&packer, field->data, field->size);
            break;
        }
    }
    if (!failed)
        return 0;
    out->size = before; /* half a message would spoil everything behind it */
    return -ENOMEM;
}

int bj_message_encode_uints(enum bj_message_type type, uint32_t channel,
                            struct msgpack_sbuffer *out, size_t count, const uint64_t values[])
{
    struct bj_message message = {.type = type, .channel = channel};
    for (size_t i = 0; i < count && i < BJ_FIELDS_MAX; i++)
        message.field[i].u = values[i];
    return bj_message_encode(&message, out);
}

static uint8_t *put(uint8_t *at, uint8_t head, uint64_t value, int bytes)
{
    *at++ = head;
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
        *at++ = (uint8_t)(value >> shift);
    return at;
}

size_t bj_message_data_head(uint8_t out[BJ_DATA_HEAD_MAX], uint32_t channel, uint64_t offset,
                            uint32_t size)
{
    uint8_t *at = out;
    *at++ = 0x94; /* array of 4 */
    *at++ = BJ_DATA;
    at = put(at, 0xce, channel, 4);
    at = put(at, 0xcf, offset, 8);
    at = put(at, 0xc6, size, 4);
    return (size_t)(at - out);
}
