#include "suite.h"

#include <errno.h>
#include <string.h>

#include "transport/frame.h"

static const struct bj_frame_limits small = {.bytes = 64, .items = 5, .depth = 3};

/* Scans all at once. Returns what the scanner says, and the end in *end. */
static int scan(const struct bj_frame_limits *limits, const void *data, size_t size, size_t *end)
{
    struct bj_frame frame;
    struct bj_error error = {0};
    bj_frame_reset(&frame);
    int found = bj_frame_scan(&frame, limits, data, size, end, &error);
    ck_assert_int_eq(found < 0, error.text[0] != '\0');
    return found;
}

/* One value of every head byte of the specification, whole: the scanner must find its last byte. */
static const struct value {
    const char *name;
    size_t size;
    const char *bytes;
} values[] = {
    {"positive fixint", 1, "\x7f"},
    {"negative fixint", 1, "\xe0"},
    {"nil", 1, "\xc0"},
    {"false", 1, "\xc2"},
    {"true", 1, "\xc3"},
    {"fixstr empty", 1, "\xa0"},
    {"fixstr", 4,
     "\xa3"
     "abc"},
    {"fixmap empty", 1, "\x80"},
    {"fixmap", 3, "\x81\x01\x02"},
    {"fixarray empty", 1, "\x90"},
    {"fixarray", 3, "\x92\x01\x02"},
    {"bin 8", 4, "\xc4\x02xy"},
    {"bin 8 empty", 2, "\xc4\x00"},
    {"bin 16", 5, "\xc5\x00\x02xy"},
    {"bin 32", 7, "\xc6\x00\x00\x00\x02xy"},
    {"ext 8", 5, "\xc7\x02\x01xy"},
    {"ext 16", 6, "\xc8\x00\x02\x01xy"},
    {"ext 32", 8, "\xc9\x00\x00\x00\x02\x01xy"},
    {"float 32", 5, "\xca....."},
    {"float 64", 9, "\xcb........."},
    {"uint 8", 2, "\xcc\xff"},
    {"uint 16", 3, "\xcd\xff\xff"},
    {"uint 32", 5, "\xce\xff\xff\xff\xff"},
    {"uint 64", 9, "\xcf\xff\xff\xff\xff\xff\xff\xff\xff"},
    {"int 8", 2, "\xd0\xff"},
    {"int 16", 3, "\xd1\xff\xff"},
    {"int 32", 5, "\xd2\xff\xff\xff\xff"},
    {"int 64", 9, "\xd3\xff\xff\xff\xff\xff\xff\xff\xff"},
    {"fixext 1", 3, "\xd4\x01x"},
    {"fixext 2", 4, "\xd5\x01xx"},
    {"fixext 4", 6, "\xd6\x01xxxx"},
    {"fixext 8", 10, "\xd7\x01xxxxxxxx"},
    {"fixext 16", 18, "\xd8\x01xxxxxxxxxxxxxxxx"},
    {"str 8", 4, "\xd9\x02xy"},
    {"str 16", 5, "\xda\x00\x02xy"},
    {"str 32", 7, "\xdb\x00\x00\x00\x02xy"},
    {"array 16", 4, "\xdc\x00\x01\x07"},
    {"array 16 empty", 3, "\xdc\x00\x00"},
    {"array 32", 6, "\xdd\x00\x00\x00\x01\x07"},
    {"map 16", 5, "\xde\x00\x01\x07\x08"},
    {"map 32", 7, "\xdf\x00\x00\x00\x01\x07\x08"},
    {"nested", 8, "\x92\x91\x01\x82\x01\x90\x02\x80"},
};

START_TEST(every_head)
{
    const struct value *value = &values[_i];
    size_t end = 0;
    ck_assert_msg(scan(&small, value->bytes, value->size, &end) == 1, "%s", value->name);
    ck_assert_uint_eq(end, value->size);

    /* With bytes of the next value behind it the end stays the same. */
    char longer[80];
    memcpy(longer, value->bytes, value->size);
    memset(longer + value->size, 0xc1, 8);
    ck_assert_int_eq(scan(&small, longer, value->size + 8, &end), 1);
    ck_assert_uint_eq(end, value->size);
}
END_TEST

START_TEST(byte_by_byte)
{
    const struct value *value = &values[_i];
    struct bj_frame frame;
    size_t end = 0;
    bj_frame_reset(&frame);
    for (size_t size = 0; size < value->size; size++) {
        /* A copy of just these bytes, so that ASan sees a read beyond them. */
        char *part = malloc(size ? size : 1);
        memcpy(part, value->bytes, size);
        ck_assert_msg(bj_frame_scan(&frame, &small, part, size, &end, NULL) == 0, "%s at %zu",
                      value->name, size);
        free(part);
    }
    ck_assert_int_eq(bj_frame_scan(&frame, &small, value->bytes, value->size, &end, NULL), 1);
    ck_assert_uint_eq(end, value->size);
}
END_TEST

/* Over a limit already in the header: refused before the bytes that it announces. */
static const struct value refused[] = {
    {"never used", 1, "\xc1"},
    {"never used inside", 2, "\x92\xc1"},
    {"bin 8 too long", 2, "\xc4\xff"},
    {"bin 32 huge", 5, "\xc6\xff\xff\xff\xff"},
    {"str 32 huge", 5, "\xdb\xff\xff\xff\xff"},
    {"ext 32 huge", 5, "\xc9\xff\xff\xff\xff"},
    {"array of six", 1, "\x96"},
    {"array 16 huge", 3, "\xdc\xff\xff"},
    {"array 32 huge", 5, "\xdd\xff\xff\xff\xff"},
    {"map of three pairs", 1, "\x83"},
    {"map 16 huge", 3, "\xde\xff\xff"},
    {"map 32 huge", 5, "\xdf\xff\xff\xff\xff"},
    {"map 32 whose pairs wrap", 5, "\xdf\x80\x00\x00\x00"},
    {"fourth level", 4, "\x91\x91\x91\x91"},
    {"fourth level of maps", 7, "\x81\x01\x81\x01\x81\x01\x81"},
};

START_TEST(over_limits)
{
    size_t end = 12345;
    struct bj_error error = {0};
    struct bj_frame frame;
    bj_frame_reset(&frame);
    int found = bj_frame_scan(&frame, &small, refused[_i].bytes, refused[_i].size, &end, &error);
    ck_assert_msg(found == -EPROTO, "%s: %d", refused[_i].name, found);
    ck_assert_int_eq(error.code, -EPROTO);
    ck_assert_uint_eq(end, 12345);
}
END_TEST

START_TEST(exact_limits)
{
    size_t end = 0;
    unsigned char bytes[80] = {0xc4, 62};
    ck_assert_int_eq(scan(&small, bytes, 64, &end), 1);
    ck_assert_uint_eq(end, 64);
    bytes[1] = 63;
    ck_assert_int_eq(scan(&small, bytes, 65, &end), -EPROTO);

    ck_assert_int_eq(scan(&small, "\x95\x01\x01\x01\x01\x01", 6, &end), 1);
    ck_assert_int_eq(scan(&small, "\x91\x91\x91\x01", 4, &end), 1);
    /* An empty container opens nothing, so it may lie one level deeper. */
    ck_assert_int_eq(scan(&small, "\x91\x91\x91\x90", 4, &end), 1);

    /* The sum counts, not only each part: five texts of 14 bytes are 71 bytes. */
    unsigned char sum[80] = {0x95};
    for (size_t i = 0; i < 5; i++)
        sum[1 + 14 * i] = 0xad;
    ck_assert_int_eq(scan(&small, sum, 71, &end), -EPROTO);
}
END_TEST

START_TEST(depth_never_leaves_its_array)
{
    const struct bj_frame_limits deep = {.bytes = 4096, .items = 5, .depth = 1000};
    unsigned char bytes[64];
    size_t end;
    memset(bytes, 0x91, sizeof(bytes));
    ck_assert_int_eq(scan(&deep, bytes, sizeof(bytes), &end), -EPROTO);
    bytes[BJ_FRAME_DEPTH_MAX] = 0xc0;
    ck_assert_int_eq(scan(&deep, bytes, BJ_FRAME_DEPTH_MAX + 1, &end), 1);
}
END_TEST

START_TEST(several_in_a_row)
{
    static const char bytes[] = "\x92\x01\x02\xa1x\x80\xc0";
    static const size_t sizes[] = {3, 2, 1, 1};
    struct bj_frame frame;
    size_t at = 0;
    for (size_t i = 0; i < 4; i++) {
        size_t end;
        bj_frame_reset(&frame);
        ck_assert_int_eq(
            bj_frame_scan(&frame, &small, bytes + at, sizeof(bytes) - 1 - at, &end, NULL), 1);
        ck_assert_uint_eq(end, sizes[i]);
        at += end;
    }
}
END_TEST

START_TEST(nothing_at_all)
{
    size_t end;
    ck_assert_int_eq(scan(&small, "", 0, &end), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("frame");
    TCase *heads = tcase_create("heads");
    tcase_add_loop_test(heads, every_head, 0, sizeof(values) / sizeof(values[0]));
    tcase_add_loop_test(heads, byte_by_byte, 0, sizeof(values) / sizeof(values[0]));
    tcase_add_test(heads, several_in_a_row);
    tcase_add_test(heads, nothing_at_all);
    suite_add_tcase(suite, heads);
    TCase *limits = tcase_create("limits");
    tcase_add_loop_test(limits, over_limits, 0, sizeof(refused) / sizeof(refused[0]));
    tcase_add_test(limits, exact_limits);
    tcase_add_test(limits, depth_never_leaves_its_array);
    suite_add_tcase(suite, limits);
    return suite_run(suite);
}
