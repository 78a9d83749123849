#include "suite.h"

#include <errno.h>
#include <string.h>

#include <msgpack.h>

#include "transport/message.h"

static char big[BJ_DATA_MAX + 2];

/* A message of the table with every field at `scale`: 0 smallest, 1 at its limit, 2 beyond. */
static struct bj_message message_at(const struct bj_message_spec *spec, int scale, size_t over)
{
    struct bj_message message = {.type = spec->type, .channel = scale ? BJ_CHANNEL_MAX : 0};
    for (size_t i = 0; i < bj_message_fields(spec); i++) {
        const struct bj_field_spec *field = &spec->fields[i];
        uint64_t value = scale == 0 ? 0 : field->limit + (scale == 2 && i == over);
        if (field->type == BJ_TYPE_UINT)
            message.field[i].u = value;
        else
            message.field[i] = (struct bj_field){.data = big, .size = (uint32_t)value};
    }
    return message;
}

static void same(const struct bj_message *a, const struct bj_message *b)
{
    const struct bj_message_spec *spec = bj_message_find(a->type);
    ck_assert_int_eq(a->type, b->type);
    ck_assert_uint_eq(a->channel, b->channel);
    for (size_t i = 0; i < bj_message_fields(spec); i++) {
        if (spec->fields[i].type == BJ_TYPE_UINT) {
            ck_assert_uint_eq(a->field[i].u, b->field[i].u);
        } else {
            ck_assert_uint_eq(a->field[i].size, b->field[i].size);
            if (a->field[i].size > 0)
                ck_assert_mem_eq(a->field[i].data, b->field[i].data, a->field[i].size);
        }
    }
}

START_TEST(table_is_sound)
{
    const struct bj_message_spec *spec = &bj_messages[_i];
    ck_assert_ptr_eq(bj_message_find(spec->type), spec);
    ck_assert(spec->name && spec->doc && spec->from && !(spec->from & ~BJ_SIDE_ANY));
    if (_i > 0)
        ck_assert_int_lt(bj_messages[_i - 1].type, spec->type);
    uint64_t bytes = 16;
    for (size_t i = 0; i < bj_message_fields(spec); i++) {
        ck_assert(spec->fields[i].type >= BJ_TYPE_UINT && spec->fields[i].type <= BJ_TYPE_BIN);
        ck_assert(spec->fields[i].doc && spec->fields[i].limit > 0);
        bytes += 9 + (spec->fields[i].type == BJ_TYPE_UINT ? 0 : spec->fields[i].limit);
    }
    /* Whatever the table allows must get through the frame limits. */
    ck_assert_uint_le(bytes, bj_frame_limits_link.bytes);
    ck_assert_uint_le(2 + bj_message_fields(spec), bj_frame_limits_link.items);
}
END_TEST

START_TEST(round_trip)
{
    const struct bj_message_spec *spec = &bj_messages[_i];
    for (int scale = 0; scale < 2; scale++) {
        struct bj_message in = message_at(spec, scale, 0), out;
        msgpack_sbuffer buffer;
        msgpack_sbuffer_init(&buffer);
        ck_assert_int_eq(bj_message_encode(&in, &buffer), 0);

        struct bj_frame frame;
        size_t end;
        bj_frame_reset(&frame);
        ck_assert_int_eq(
            bj_frame_scan(&frame, &bj_frame_limits_link, buffer.data, buffer.size, &end, NULL), 1);
        ck_assert_uint_eq(end, buffer.size);
        for (int side = BJ_SIDE_SHIM; side <= BJ_SIDE_FAR; side <<= 1) {
            struct bj_error error = {0};
            int status = bj_message_decode(&out, side, buffer.data, buffer.size, &error);
            ck_assert_msg(status == (spec->from & side ? 0 : -EPROTO), "%s: %s", spec->name,
                          error.text);
            if (status == 0)
                same(&in, &out);
        }
        msgpack_sbuffer_destroy(&buffer);
    }
}
END_TEST

START_TEST(field_over_limit)
{
    const struct bj_message_spec *spec = &bj_messages[_i];
    for (size_t i = 0; i < bj_message_fields(spec); i++) {
        if (spec->fields[i].limit == UINT64_MAX)
            continue;
        struct bj_message message = message_at(spec, 2, i);
        msgpack_sbuffer buffer;
        msgpack_sbuffer_init(&buffer);
        ck_assert_int_eq(bj_message_encode(&message, &buffer), -EMSGSIZE);
        ck_assert_uint_eq(buffer.size, 0);
        msgpack_sbuffer_destroy(&buffer);
    }
}
END_TEST

/* Packs the message by hand, with field `wrong` replaced by what `how` says. */
enum wrong { WRONG_TYPE, WRONG_LIMIT, WRONG_NEGATIVE, WRONG_MISSING, WRONG_EXTRA, WRONG_KINDS };

static void pack_field(msgpack_packer *packer, enum bj_type type, uint64_t measure)
{
    if (type == BJ_TYPE_UINT)
        msgpack_pack_uint64(packer, measure);
    else if (type == BJ_TYPE_STR)
        msgpack_pack_str_with_body(packer, big, (size_t)measure);
    else
        msgpack_pack_bin_with_body(packer, big, (size_t)measure);
}

static void pack_wrong(msgpack_packer *packer, const struct bj_message_spec *spec, size_t wrong,
                       enum wrong how)
{
    size_t count = bj_message_fields(spec);
    msgpack_pack_array(packer, 2 + count - (how == WRONG_MISSING) + (how == WRONG_EXTRA));
    msgpack_pack_uint32(packer, spec->type);
    msgpack_pack_uint32(packer, 0);
    for (size_t i = 0; i < count; i++) {
        const struct bj_field_spec *field = &spec->fields[i];
        if (i != wrong || how == WRONG_EXTRA) {
            pack_field(packer, field->type, 0);
        } else if (how == WRONG_TYPE) {
            pack_field(packer, field->type == BJ_TYPE_BIN ? BJ_TYPE_STR : field->type + 1, 0);
        } else if (how == WRONG_LIMIT) {
            pack_field(packer, field->type, field->limit + 1);
        } else if (how == WRONG_NEGATIVE) {
            msgpack_pack_int(packer, -1);
        }
    }
    if (how == WRONG_EXTRA)
        msgpack_pack_nil(packer);
}

START_TEST(decode_refuses)
{
    const struct bj_message_spec *spec = &bj_messages[_i];
    for (enum wrong how = 0; how < WRONG_KINDS; how++)
        for (size_t i = 0; i < bj_message_fields(spec); i++) {
            if (how == WRONG_LIMIT && spec->fields[i].limit == UINT64_MAX)
                continue;
            msgpack_sbuffer buffer;
            msgpack_packer packer;
            msgpack_sbuffer_init(&buffer);
            msgpack_packer_init(&packer, &buffer, msgpack_sbuffer_write);
            pack_wrong(&packer, spec, i, how);
            struct bj_message message;
            struct bj_error error = {0};
            ck_assert_msg(bj_message_decode(&message, spec->from, buffer.data, buffer.size,
                                            &error) == -EPROTO,
                          "%s.%s wrong in way %d was taken", spec->name, spec->fields[i].name, how);
            ck_assert(error.code == -EPROTO && error.text[0]);
            msgpack_sbuffer_destroy(&buffer);
        }
}
END_TEST

static const struct {
    const char *name;
    size_t size;
    const char *bytes;
} nonsense[] = {
    {"nothing", 0, ""},
    {"a number", 1, "\x01"},
    {"a map", 1, "\x80"},
    {"an empty array", 1, "\x90"},
    {"only a type", 2, "\x91\x04"},
    {"a type that is text", 4, "\x93\xa1x\x00"},
    {"a negative type", 3, "\x92\xff\x00"},
    {"a negative channel", 3, "\x92\x0a\xff"},
    {"a channel that is a float", 7, "\x92\x0a\xca\x00\x00\x00\x00"},
    {"a channel over the limit", 7, "\x92\x0a\xce\x01\x00\x00\x00"},
    {"a channel of 64 bits", 11, "\x92\x0a\xcf\x01\x00\x00\x00\x00\x00\x00\x00"},
    {"type 0", 3, "\x92\x00\x00"},
    {"type 11", 3, "\x92\x0b\x00"},
    {"a huge type", 11, "\x92\xcf\xff\xff\xff\xff\xff\xff\xff\xff\x00"},
    {"a type that is SHUTDOWN modulo 2^32", 11, "\x92\xcf\x00\x00\x00\x01\x00\x00\x00\x0a\x00"},
    {"bytes missing", 2, "\x92\x0a"},
    {"bytes behind", 4, "\x92\x0a\x00\xc0"},
    {"not msgpack", 3, "\x92\x0a\xc1"},
};

START_TEST(decode_refuses_nonsense)
{
    struct bj_message message;
    struct bj_error error = {0};
    ck_assert_msg(bj_message_decode(&message, BJ_SIDE_BOTH, nonsense[_i].bytes, nonsense[_i].size,
                                    &error) == -EPROTO,
                  "%s was taken", nonsense[_i].name);
    ck_assert(error.text[0]);
    ck_assert_int_eq(
        bj_message_decode(&message, BJ_SIDE_BOTH, nonsense[_i].bytes, nonsense[_i].size, NULL),
        -EPROTO);
}
END_TEST

START_TEST(encode_refuses)
{
    msgpack_sbuffer buffer;
    msgpack_sbuffer_init(&buffer);
    struct bj_message message = {.type = 99};
    ck_assert_int_eq(bj_message_encode(&message, &buffer), -EINVAL);
    message = (struct bj_message){.type = BJ_SHUTDOWN, .channel = BJ_CHANNEL_MAX + 1};
    ck_assert_int_eq(bj_message_encode(&message, &buffer), -EINVAL);
    ck_assert_uint_eq(buffer.size, 0);
    msgpack_sbuffer_destroy(&buffer);
}
END_TEST

START_TEST(empty_fields_without_data)
{
    msgpack_sbuffer buffer;
    msgpack_sbuffer_init(&buffer);
    struct bj_message in = {.type = BJ_VERDICT, .channel = 16}, out;
    ck_assert_int_eq(bj_message_encode(&in, &buffer), 0);
    ck_assert_int_eq(bj_message_decode(&out, BJ_SIDE_MONITOR, buffer.data, buffer.size, NULL), 0);
    ck_assert_uint_eq(out.field[BJ_VERDICT_REASON].size, 0);
    msgpack_sbuffer_destroy(&buffer);
}
END_TEST

START_TEST(uints)
{
    msgpack_sbuffer buffer;
    msgpack_sbuffer_init(&buffer);
    struct bj_message out;
    ck_assert_int_eq(bj_message_encode_uints(BJ_SIZE, 1, &buffer, 2, (uint64_t[]){24, 80}), 0);
    ck_assert_int_eq(bj_message_decode(&out, BJ_SIDE_MONITOR, buffer.data, buffer.size, NULL), 0);
    ck_assert_uint_eq(out.field[BJ_SIZE_ROWS].u, 24);
    ck_assert_uint_eq(out.field[BJ_SIZE_COLS].u, 80);
    ck_assert_int_eq(bj_message_encode_uints(BJ_SIZE, 1, &buffer, 2, (uint64_t[]){10001, 80}),
                     -EMSGSIZE);
    msgpack_sbuffer_destroy(&buffer);
}
END_TEST

START_TEST(data_head)
{
    static const struct {
        uint32_t channel, size;
        uint64_t offset;
    } cases[] = {{1, 1, 0}, {BJ_CHANNEL_MAX, BJ_DATA_MAX, UINT64_MAX}, {16, 300, 1U << 31}};
    for (size_t i = 0; i < 3; i++) {
        uint8_t *bytes = malloc(BJ_DATA_HEAD_MAX + cases[i].size);
        size_t head = bj_message_data_head(bytes, cases[i].channel, cases[i].offset, cases[i].size);
        ck_assert_uint_le(head, BJ_DATA_HEAD_MAX);
        memset(bytes + head, 'x', cases[i].size);
        struct bj_message out;
        ck_assert_int_eq(bj_message_decode(&out, BJ_SIDE_SHIM, bytes, head + cases[i].size, NULL),
                         0);
        ck_assert_int_eq(out.type, BJ_DATA);
        ck_assert_uint_eq(out.channel, cases[i].channel);
        ck_assert_uint_eq(out.field[BJ_DATA_OFFSET].u, cases[i].offset);
        ck_assert_uint_eq(out.field[BJ_DATA_BYTES].size, cases[i].size);
        ck_assert_ptr_eq(out.field[BJ_DATA_BYTES].data, (char *)bytes + head);
        free(bytes);
    }
}
END_TEST

int main(void)
{
    int count = (int)bj_messages_count;
    Suite *suite = suite_create("message");
    TCase *table = tcase_create("table");
    tcase_add_loop_test(table, table_is_sound, 0, count);
    tcase_add_loop_test(table, round_trip, 0, count);
    tcase_add_loop_test(table, field_over_limit, 0, count);
    tcase_add_loop_test(table, decode_refuses, 0, count);
    suite_add_tcase(suite, table);
    TCase *edges = tcase_create("edges");
    tcase_add_loop_test(edges, decode_refuses_nonsense, 0, sizeof(nonsense) / sizeof(nonsense[0]));
    tcase_add_test(edges, encode_refuses);
    tcase_add_test(edges, empty_fields_without_data);
    tcase_add_test(edges, uints);
    tcase_add_test(edges, data_head);
    suite_add_tcase(suite, edges);
    return suite_run(suite);
}
