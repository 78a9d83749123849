/*
 * Fuzz target: what a hostile shim may send. The first byte chooses the sender and how the stream
 * is cut; the rest is the stream. Beyond memory errors it checks that the cuts change nothing, that
 * no field is over the table's limit, and that a decoded message encodes to the same message.
 */
#include <string.h>

#include <msgpack.h>

#include "tests/fuzz/fuzz.h"
#include "transport/message.h"

/* The end of the frame when the stream comes in parts of `step` bytes, or the code. */
static int scan_in_parts(const uint8_t *data, size_t size, size_t step, size_t *end)
{
    struct bj_frame frame;
    bj_frame_reset(&frame);
    int found = 0;
    for (size_t have = step; found == 0; have += step) {
        size_t part = have < size ? have : size;
        found = bj_frame_scan(&frame, &bj_frame_limits_link, data, part, end, NULL);
        if (part == size)
            break;
    }
    return found;
}

static void check_message(const struct bj_message *message, enum bj_side from)
{
    const struct bj_message_spec *spec = bj_message_find(message->type);
    require(spec && (spec->from & from) && message->channel <= BJ_CHANNEL_MAX);
    for (size_t i = 0; i < bj_message_fields(spec); i++) {
        bool number = spec->fields[i].type == BJ_TYPE_UINT;
        require((number ? message->field[i].u : message->field[i].size) <= spec->fields[i].limit);
    }
    msgpack_sbuffer buffer;
    msgpack_sbuffer_init(&buffer);
    struct bj_message again;
    require(bj_message_encode(message, &buffer) == 0);
    require(bj_message_decode(&again, from, buffer.data, buffer.size, NULL) == 0);
    require(again.type == message->type && again.channel == message->channel);
    for (size_t i = 0; i < bj_message_fields(spec); i++) {
        const struct bj_field *a = &message->field[i], *b = &again.field[i];
        require(a->u == b->u && a->size == b->size);
        require(a->size == 0 || memcmp(a->data, b->data, a->size) == 0);
    }
    msgpack_sbuffer_destroy(&buffer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    enum bj_side from = data[0] & 1 ? BJ_SIDE_SHIM : BJ_SIDE_MONITOR;
    size_t step = 1U + (data[0] >> 1);
    data++;
    size--;
    while (size > 0) {
        size_t end = 0, cut_end = 0;
        int found = scan_in_parts(data, size, size, &end);
        require(scan_in_parts(data, size, step, &cut_end) == found && cut_end == end);
        if (found <= 0)
            break;
        require(end > 0 && end <= size && end <= bj_frame_limits_link.bytes);
        char *frame = fuzz_copy(data, end);
        struct bj_message message;
        struct bj_error error = {0};
        int status = bj_message_decode(&message, from, frame, end, &error);
        if (status == 0)
            check_message(&message, from);
        else
            require(error.text[0] != '\0');
        free(frame);
        data += end;
        size -= end;
    }
    return 0;
}
