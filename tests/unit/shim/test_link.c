/* The link: credit, acknowledgement, resume, the full ring, and a monitor that breaks the rules. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

#include "tests/unit/shim/double.h"
#include "tests/unit/transport/suite.h"

static struct double_monitor monitor;

/* Checks the output of `seq 1 N`, byte by byte, however it is cut. */
struct lines {
    unsigned long line, value;
};

static void lines_check(struct lines *lines, const struct bj_field *bytes)
{
    for (uint32_t i = 0; i < bytes->size; i++) {
        char c = bytes->data[i];
        if (c >= '0' && c <= '9') {
            lines->value = lines->value * 10 + (unsigned long)(c - '0');
        } else if (c == '\n') {
            if (lines->value != ++lines->line) /* an assertion for each byte would take a minute */
                ck_abort_msg("line %lu reads %lu", lines->line, lines->value);
            lines->value = 0;
        } else if (c != '\r') {
            ck_abort_msg("byte %d behind line %lu", c, lines->line);
        }
    }
}

/* A connection is lost every so often, at any byte, with acknowledgements behind: what was not
 * received in a whole message comes again, and no byte twice. */
START_TEST(test_resume)
{
    struct lines lines = {0};
    struct bj_message message;
    uint64_t cut_at = 500000;
    int cuts = 0;
    double_start_shell(&monitor, false, "seq 1 2500000");
    double_connect(&monitor);
    for (;;) {
        ck_assert_msg(double_next(&monitor, &message), "the link ended");
        if (message.type == BJ_EXITED)
            break;
        if (message.type != BJ_DATA)
            continue;
        lines_check(&lines, &message.field[BJ_DATA_BYTES]);
        if (monitor.out_next % 5 != 0)
            double_ack(&monitor);
        if (monitor.out_next >= cut_at) {
            struct bj_message hello;
            cut_at = monitor.out_next + 1300000;
            cuts++;
            double_accept(&monitor, &hello); /* hangs up first, inside a message as it falls */
            ck_assert_uint_le(hello.field[BJ_HELLO_OUT_START].u, monitor.out_next);
            ck_assert_uint_ge(hello.field[BJ_HELLO_OUT_END].u, monitor.out_next);
            double_welcome(&monitor, UINT64_MAX);
        }
    }
    ck_assert_int_gt(cuts, 10);
    ck_assert_uint_eq(lines.line, 2500000);
    double_ack(&monitor);
    ck_assert(!double_next(&monitor, &message));
    ck_assert_int_eq(double_wait(monitor.shim), 0);
    monitor.shim = 0;
    double_end(&monitor);
}
END_TEST

START_TEST(test_credit)
{
    struct bj_message message;
    double_start_shell(&monitor, false, DOUBLE_SEQ "; read x");
    double_accept(&monitor, &message);
    double_welcome(&monitor, 0);
    for (uint64_t limit = 1; limit < 700000; limit = limit * 3 + 1) {
        uint64_t enough = limit < DOUBLE_SEQ_BYTES ? limit : DOUBLE_SEQ_BYTES;
        double_send_uints(&monitor, BJ_CREDIT, BJ_CHANNEL_PTY, 1, &limit);
        double_take(&monitor, enough);
        ck_assert_uint_eq(monitor.out_next, enough);
        double_send_uints(&monitor, BJ_PING, 0, 1, &limit);
        double_expect(&monitor, BJ_PONG, &message);
        ck_assert_uint_eq(monitor.out_next, enough);
    }
    double_send_uints(&monitor, BJ_CREDIT, BJ_CHANNEL_PTY, 1, (const uint64_t[]){UINT64_MAX});
    double_take(&monitor, DOUBLE_SEQ_BYTES);
    double_send_input(&monitor, "\n", 1);
    ck_assert_int_eq(double_finish(&monitor, &message), 0);
    double_end(&monitor);
}
END_TEST

/* A monitor that is there and acknowledges nothing stops the agent long before a lost one. */
START_TEST(test_unacknowledged)
{
    struct bj_message message;
    double_start_shell(&monitor, false, DOUBLE_SEQ);
    double_accept(&monitor, &message);
    double_welcome(&monitor, UINT64_MAX);
    for (uint64_t stop = BJ_OUTPUT_AHEAD; stop < DOUBLE_SEQ_BYTES; stop += BJ_OUTPUT_AHEAD) {
        while (monitor.out_next < stop)
            double_expect(&monitor, BJ_DATA, &message);
        double_send_uints(&monitor, BJ_PING, 0, 1, &stop);
        double_expect(&monitor, BJ_PONG, &message);
        ck_assert_uint_eq(monitor.out_next, stop);
        double_ack(&monitor);
    }
    ck_assert_int_eq(double_finish(&monitor, &message), 0);
    double_end(&monitor);
}
END_TEST

/* Without acknowledgements the agent is stopped at 4 MiB, and goes on from there. */
START_TEST(test_full_ring)
{
    struct lines lines = {0};
    struct bj_message message;
    double_start_shell(&monitor, false, "seq 1 1000000");
    double_accept(&monitor, &message);
    double_welcome(&monitor, 0);
    do {
        double_accept(&monitor, &message);
        double_welcome(&monitor, 0);
    } while (message.field[BJ_HELLO_OUT_END].u < BJ_RING_SIZE);
    double_accept(&monitor, &message);
    ck_assert_uint_eq(message.field[BJ_HELLO_OUT_START].u, 0);
    ck_assert_uint_eq(message.field[BJ_HELLO_OUT_END].u, BJ_RING_SIZE);
    double_welcome(&monitor, UINT64_MAX);
    while (lines.line < 1000000) {
        ck_assert(double_next(&monitor, &message));
        if (message.type != BJ_DATA)
            continue;
        lines_check(&lines, &message.field[BJ_DATA_BYTES]);
        if (monitor.out_next >= BJ_RING_SIZE)
            double_ack(&monitor);
    }
    ck_assert_int_eq(double_finish(&monitor, &message), 0);
    double_end(&monitor);
}
END_TEST

/* What the shim held when the connection ended is neither asked for again nor lost. */
START_TEST(test_input)
{
    static char sent[300000], got[sizeof(sent)];
    size_t have = 0;
    uint64_t limit = 0, acked = 0;
    struct bj_message message;
    for (size_t i = 0; i < sizeof(sent); i++)
        sent[i] = (char)(i * 7 + i / 251);
    double_start_shell(&monitor, false, "stty raw -echo; echo ready; head -c 300000");
    double_connect(&monitor);
    double_expect_output(&monitor, "ready");
    double_hang_up(&monitor);
    double_connect(&monitor); /* the credit is told again */
    for (int cut = 0; have < sizeof(sent);) {
        ck_assert(double_next(&monitor, &message));
        if (message.type == BJ_CREDIT) {
            ck_assert_uint_ge(message.field[BJ_CREDIT_LIMIT].u, limit);
            limit = message.field[BJ_CREDIT_LIMIT].u;
        } else if (message.type == BJ_ACK) {
            ck_assert_uint_gt(message.field[BJ_ACK_OFFSET].u, acked);
            acked = message.field[BJ_ACK_OFFSET].u;
            ck_assert_uint_le(acked, monitor.in_next);
        } else if (message.type == BJ_DATA) {
            const struct bj_field *bytes = &message.field[BJ_DATA_BYTES];
            const char *from = bytes->data;
            size_t size = bytes->size;
            if (have == 0 && size >= 2 && memcmp(from, "\r\n", 2) == 0 && sent[0] != '\r')
                from += 2, size -= 2;
            ck_assert_uint_le(have + size, sizeof(got));
            memcpy(got + have, from, size);
            have += size;
            double_ack(&monitor);
        }
        uint64_t room = limit > monitor.in_next ? limit - monitor.in_next : 0;
        uint64_t rest = sizeof(sent) - monitor.in_next;
        size_t part = (size_t)(room < rest ? room : rest);
        if (part > 20000)
            part = 20000;
        if (part > 0)
            double_send_input(&monitor, sent + monitor.in_next, part);
        if (part > 0 && ++cut % 5 == 0) {
            double_accept(&monitor, &message); /* in_next is what the shim has */
            double_welcome(&monitor, UINT64_MAX);
        }
    }
    ck_assert_int_eq(memcmp(sent, got, sizeof(sent)), 0);
    ck_assert_int_eq(double_finish(&monitor, &message), 0);
    double_end(&monitor);
}
END_TEST

/* A monitor that is killed has told its clients what it had sent by then, whatever the shim is
 * doing. */
START_TEST(test_input_before_the_end)
{
    struct bj_message hello;
    double_start_shell(&monitor, false,
                       "stty raw -echo; echo ready; (while :; do echo x; done) & cat >/dev/null");
    double_connect(&monitor);
    double_expect_output(&monitor, "ready");
    for (uint64_t sent = 1; sent <= 200; sent++) {
        double_send_input(&monitor, "i", 1);
        double_hang_up(&monitor);
        double_accept(&monitor, &hello);
        ck_assert_uint_eq(hello.field[BJ_HELLO_IN_NEXT].u, sent);
        double_welcome(&monitor, UINT64_MAX);
    }
    double_end(&monitor);
}
END_TEST

/* Bytes that a monitor must not send, after WELCOME. */
static const struct {
    const char *what;
    const char *bytes;
    size_t size;
} rubbish[] = {
    {"not msgpack", "\xc1\xc1\xc1", 3},
    {"a number", "\x07", 1},
    {"an empty list", "\x90", 1},
    {"unknown type", "\x92\x63\x00", 3},
    {"a message of the shim", "\x93\x05\x00\x01", 4},
    {"too few fields", "\x92\x08\x00", 3},
    {"wrong field type", "\x94\x08\x00\xa1x\x01", 6},
    {"negative channel", "\x92\x0a\xff", 3},
    {"channel out of range", "\x92\x0a\xce\xff\xff\xff\xff", 7},
    {"size over its limit", "\x94\x08\x00\xcd\xff\xff\x01", 7},
    {"huge length", "\x94\x10\x01\x00\xc6\xff\xff\xff\xff", 9},
    {"huge list", "\xdd\xff\xff\xff\xff", 5},
    {"deep nesting", "\x91\x91\x91\x91\x91\x91\x91\x91", 8},
    {"control on the pty's channel", "\x93\x04\x01\x01", 4},
    {"data on channel 0", "\x94\x10\x00\x00\xc4\x01x", 7},
    {"data on an ask's channel", "\x94\x10\x10\x00\xc4\x01x", 7},
    {"data behind a gap", "\x94\x10\x01\x05\xc4\x01x", 7},
    {"no data", "\x94\x10\x01\x00\xc4\x00", 6},
    {"acknowledges what was not sent", "\x93\x11\x01\xce\x7f\xff\xff\xff", 8},
    {"credit that goes back", "\x93\x12\x01\x00", 4},
    {"verdict for no question", "\x94\x21\x10\x01\xa0", 5},
    {"verdict on the pty", "\x94\x21\x01\x01\xa0", 5},
    {"close of the pty", "\x93\x23\x01\xa0", 4},
    {"second welcome", "\x98\x02\x00\x01\x00\x00\x00\x18\x50", 9},
};

START_TEST(test_rubbish)
{
    struct bj_message message;
    double_start_shell(&monitor, false, "read x; echo fine");
    for (size_t i = 0; i < sizeof(rubbish) / sizeof(rubbish[0]); i++) {
        double_connect(&monitor);
        double_send_raw(&monitor, rubbish[i].bytes, rubbish[i].size);
        bool said = false;
        while (double_next(&monitor, &message))
            said = message.type == BJ_ERROR;
        ck_assert_msg(said, "%s: no ERROR", rubbish[i].what);
    }
    double_connect(&monitor);
    double_send_input(&monitor, "\n", 1);
    double_expect_output(&monitor, "fine");
    ck_assert_int_eq(double_finish(&monitor, &message), 0);
    double_end(&monitor);
}
END_TEST

START_TEST(test_random_bytes)
{
    struct bj_message message;
    srandom(4711);
    double_start_shell(&monitor, false, "read x; echo fine");
    for (int i = 0; i < 10; i++) {
        char bytes[3000];
        for (size_t j = 0; j < sizeof(bytes); j++)
            bytes[j] = (char)(random() >> 7);
        double_accept(&monitor, &message);
        if (i % 2)
            double_welcome(&monitor, UINT64_MAX);
        bytes[0] = (char)0xc1; /* some of them could be a legal message else */
        double_send_raw(&monitor, bytes + i % 3, sizeof(bytes) - (size_t)(i % 3));
        double_send_raw(&monitor, "\xc1", 1);
        double_hang_up(&monitor);
    }
    double_connect(&monitor);
    double_send_input(&monitor, "\n", 1);
    double_expect_output(&monitor, "fine");
    ck_assert_int_eq(double_finish(&monitor, &message), 0);
    double_end(&monitor);
}
END_TEST

/* version, out_next, out_limit, in_next */
static const uint64_t bad_welcomes[][4] = {
    {0, 0, 1000, 0},          {2, 0, 1000, 0}, {1, 1, 1000, 0},
    {1, UINT64_MAX, 1000, 0}, {1, 0, 1000, 1}, {1, 0, 1000, UINT64_MAX},
};

/* Also: input beyond the credit, and a first message that is no WELCOME. The agent must not have
 * started by any of them. */
START_TEST(test_bad_welcome)
{
    struct bj_message message;
    double_start_shell(&monitor, false, "echo ran");
    for (size_t i = 0; i <= sizeof(bad_welcomes) / sizeof(bad_welcomes[0]); i++) {
        double_accept(&monitor, &message);
        ck_assert_uint_eq(message.field[BJ_HELLO_OUT_END].u, 0);
        if (i < sizeof(bad_welcomes) / sizeof(bad_welcomes[0])) {
            const uint64_t *bad = bad_welcomes[i];
            double_send_uints(&monitor, BJ_WELCOME, 0, 6,
                              (const uint64_t[]){bad[0], bad[1], bad[2], bad[3], 24, 80});
        } else {
            double_send_uints(&monitor, BJ_PING, 0, 1, (const uint64_t[]){1});
        }
        ck_assert(double_next(&monitor, &message));
        ck_assert_int_eq(message.type, BJ_ERROR);
        ck_assert(!double_next(&monitor, &message));
    }
    double_connect(&monitor);
    double_expect_output(&monitor, "ran");
    ck_assert_int_eq(double_finish(&monitor, &message), 0);
    double_end(&monitor);
}
END_TEST

START_TEST(test_input_beyond_credit)
{
    static char bytes[BJ_DATA_MAX];
    struct bj_message message;
    double_start_shell(&monitor, false, "stty raw -echo; kill -STOP $$");
    double_connect(&monitor);
    bool said = false;
    for (int i = 0; i < 64; i++) /* more than any credit that was given */
        double_send_input(&monitor, bytes, sizeof(bytes));
    while (double_next(&monitor, &message))
        said = message.type == BJ_ERROR;
    (void)said; /* its ERROR is lost when our own bytes were still unread */
    double_connect(&monitor);
    double_send_uints(&monitor, BJ_SHUTDOWN, 0, 0, NULL);
    ck_assert_int_eq(double_wait(monitor.shim), 137);
    monitor.shim = 0;
    double_end(&monitor);
}
END_TEST

/* The agent ends while nobody listens: output and end wait for the next monitor. */
START_TEST(test_end_while_away)
{
    struct bj_message message;
    double_start_shell(&monitor, false, "read x; echo late; exit 9");
    double_connect(&monitor);
    double_send_input(&monitor, "\n", 1);
    double_expect(&monitor, BJ_ACK, &message);
    double_accept(&monitor, &message); /* without a welcome */
    double_accept(&monitor, &message);
    double_welcome(&monitor, UINT64_MAX);
    double_expect(&monitor, BJ_EXITED, &message);
    ck_assert_uint_eq(message.field[BJ_EXITED_CODE].u, 9);
    double_hang_up(&monitor); /* before the acknowledgement: it is told again */
    double_connect(&monitor);
    ck_assert_int_eq(double_finish(&monitor, &message), 9);
    ck_assert_uint_eq(message.field[BJ_EXITED_CODE].u, 9);
    double_end(&monitor);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("shim link");
    TCase *tests = tcase_create("link");
    tcase_set_timeout(tests, 60);
    tcase_add_unchecked_fixture(tests, double_base_make, double_base_remove);
    tcase_add_test(tests, test_resume);
    tcase_add_test(tests, test_credit);
    tcase_add_test(tests, test_unacknowledged);
    tcase_add_test(tests, test_full_ring);
    tcase_add_test(tests, test_input);
    tcase_add_test(tests, test_input_before_the_end);
    tcase_add_test(tests, test_rubbish);
    tcase_add_test(tests, test_random_bytes);
    tcase_add_test(tests, test_bad_welcome);
    tcase_add_test(tests, test_input_beyond_credit);
    tcase_add_test(tests, test_end_while_away);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
