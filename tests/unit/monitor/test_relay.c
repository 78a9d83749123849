/* Streams through the real belljar-monitor, between a shim and processes of the host. */
#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness.h"
#include "transport/frame.h"
#include "transport/pack.h"
#include "transport/socket.h"

static struct world world;
static struct shim shim;

/* A process of the host on egress.sock or exec.sock. */
struct line {
    int fd;
    uint8_t in[256 * 1024];
    size_t size, taken;
    struct bj_message message;
};

static struct line egress, caller;

static void line_dial(struct line *line, const char *name)
{
    char path[256];
    struct bj_error error = {0};
    line->size = line->taken = 0;
    snprintf(path, sizeof(path), "%s/%s", world.runtime, name);
    line->fd = bj_socket_connect(path, &error);
    ck_assert_msg(line->fd >= 0, "%s", error.text);
}

static void line_close(struct line *line)
{
    if (line->fd >= 0)
        close(line->fd);
    line->fd = -1;
}

static void line_send(struct line *line, const struct bj_message *message)
{
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    ck_assert_int_eq(bj_message_encode(message, &out), 0);
    ck_assert_int_eq(send(line->fd, out.data, out.size, MSG_NOSIGNAL), (ssize_t)out.size);
    msgpack_sbuffer_destroy(&out);
}

/* The next message, or NULL at the end of the connection. */
static const struct bj_message *line_next(struct line *line)
{
    memmove(line->in, line->in + line->taken, line->size - line->taken);
    line->size -= line->taken;
    line->taken = 0;
    for (;;) {
        struct bj_frame frame;
        struct bj_error error = {0};
        size_t end;
        bj_frame_reset(&frame);
        int found =
            bj_frame_scan(&frame, &bj_frame_limits_link, line->in, line->size, &end, &error);
        ck_assert_msg(found >= 0, "%s", error.text);
        if (found) {
            ck_assert_int_eq(bj_message_decode(&line->message, BJ_SIDE_SHIM, line->in, end, &error),
                             0);
            line->taken = end;
            return &line->message;
        }
        struct pollfd wait = {.fd = line->fd, .events = POLLIN};
        ck_assert_int_eq(poll(&wait, 1, WAIT_MS), 1);
        ssize_t got = recv(line->fd, line->in + line->size, sizeof(line->in) - line->size, 0);
        if (got <= 0)
            return NULL;
        line->size += (size_t)got;
    }
}

static const struct bj_message *line_wait(struct line *line, enum bj_message_type type,
                                          uint32_t channel)
{
    const struct bj_message *message = line_next(line);
    ck_assert_ptr_nonnull(message);
    ck_assert_int_eq(message->type, type);
    ck_assert_uint_eq(message->channel, channel);
    return message;
}

static struct bj_message text_message(enum bj_message_type type, uint32_t channel, const char *text)
{
    struct bj_message message = {.type = type, .channel = channel};
    int field = type == BJ_DATA ? BJ_DATA_BYTES : 0;
    message.field[field] = (struct bj_field){.data = text, .size = (uint32_t)strlen(text)};
    return message;
}

static void shim_open(uint32_t channel)
{
    struct bj_message message = text_message(BJ_OPEN, channel, "egress");
    shim_send(&shim, &message);
}

static void setup(void)
{
    world = (struct world){.record_limit = 64 << 20};
    shim = (struct shim){.fd = -1};
    egress.fd = caller.fd = -1;
    memcpy(shim.epoch, "sixteen bytes ok", 16);
    world_begin(&world);
    shim_up(&shim, &world);
}

static void teardown(void)
{
    line_close(&egress);
    line_close(&caller);
    shim_close(&shim);
    world_end(&world);
}

START_TEST(test_both_ways)
{
    line_dial(&egress, "egress.sock");
    shim_open(16);
    line_wait(&egress, BJ_OPEN, 16);
    struct bj_message there = text_message(BJ_DATA, 16, "GET / HTTP/1.1\r\n\r\n");
    shim_send(&shim, &there);
    const struct bj_message *got = line_wait(&egress, BJ_DATA, 16);
    ck_assert_int_eq(memcmp(got->field[BJ_DATA_BYTES].data, "GET /", 5), 0);
    struct bj_message back = text_message(BJ_DATA, 16, "HTTP/1.1 403\r\n\r\n");
    line_send(&egress, &back);
    got = shim_wait(&shim, BJ_DATA);
    ck_assert_uint_eq(got->channel, 16);
    ck_assert_int_eq(memcmp(got->field[BJ_DATA_BYTES].data, "HTTP/1.1 403", 12), 0);
    struct bj_message end = {.type = BJ_EOF, .channel = 16};
    line_send(&egress, &end);
    ck_assert_uint_eq(shim_wait(&shim, BJ_EOF)->channel, 16);
    struct bj_message close = text_message(BJ_CLOSE, 16, "");
    shim_send(&shim, &close);
    line_wait(&egress, BJ_CLOSE, 16);
    /* What was on its way when the channel closed harms nobody, on either side. */
    shim_send(&shim, &there);
    line_send(&egress, &back);
    shim_open(17);
    line_wait(&egress, BJ_OPEN, 17);
}
END_TEST

START_TEST(test_waits_for_egress)
{
    shim_open(20);
    struct bj_message early = text_message(BJ_DATA, 20, "early");
    shim_send(&shim, &early);
    peer_event(&world.control, "egress.wanted");
    line_dial(&egress, "egress.sock");
    line_wait(&egress, BJ_OPEN, 20);
    const struct bj_message *got = line_wait(&egress, BJ_DATA, 20);
    ck_assert_uint_eq(got->field[BJ_DATA_BYTES].size, 5);
}
END_TEST

START_TEST(test_egress_dies)
{
    line_dial(&egress, "egress.sock");
    shim_open(16);
    line_wait(&egress, BJ_OPEN, 16);
    line_close(&egress);
    const struct bj_message *closed = shim_wait(&shim, BJ_CLOSE);
    ck_assert_uint_eq(closed->channel, 16);
    ck_assert_uint_gt(closed->field[BJ_CLOSE_REASON].size, 0);
    line_dial(&egress, "egress.sock");
    shim_open(18);
    line_wait(&egress, BJ_OPEN, 18);
    /* A second one takes over; the streams of the first end. */
    static struct line second;
    line_dial(&second, "egress.sock");
    ck_assert_uint_eq(shim_wait(&shim, BJ_CLOSE)->channel, 18);
    shim_open(19);
    line_wait(&second, BJ_OPEN, 19);
    line_close(&second);
}
END_TEST

START_TEST(test_link_dies)
{
    line_dial(&egress, "egress.sock");
    shim_open(16);
    line_wait(&egress, BJ_OPEN, 16);
    shim_close(&shim);
    line_wait(&egress, BJ_ERROR, 0);
    ck_assert_ptr_null(line_next(&egress));
}
END_TEST

START_TEST(test_exec)
{
    static const char argv[] = "git\0status";
    struct bj_message exec = {.type = BJ_EXEC, .channel = BJ_CHANNEL_FIRST_HOST};
    exec.field[BJ_EXEC_ARGV] = (struct bj_field){.data = argv, .size = sizeof(argv)};
    exec.field[BJ_EXEC_DIRECTORY] = (struct bj_field){.data = "/work", .size = 5};
    line_dial(&caller, "exec.sock");
    line_send(&caller, &exec);
    uint32_t first = shim_wait(&shim, BJ_EXEC)->channel;
    ck_assert_uint_ge(first, BJ_CHANNEL_FIRST_HOST);
    static struct line second;
    line_dial(&second, "exec.sock");
    line_send(&second, &exec);
    uint32_t other = shim_wait(&shim, BJ_EXEC)->channel;
    ck_assert_uint_gt(other, first);
    struct bj_message out = text_message(BJ_DATA, other, "two");
    shim_send(&shim, &out);
    out = text_message(BJ_DATA, first, "one");
    shim_send(&shim, &out);
    const struct bj_message *got = line_wait(&caller, BJ_DATA, BJ_CHANNEL_FIRST_HOST);
    ck_assert_int_eq(memcmp(got->field[BJ_DATA_BYTES].data, "one", 3), 0);
    got = line_wait(&second, BJ_DATA, BJ_CHANNEL_FIRST_HOST);
    ck_assert_int_eq(memcmp(got->field[BJ_DATA_BYTES].data, "two", 3), 0);
    struct bj_message done = text_message(BJ_CLOSE, first, "0 ");
    shim_send(&shim, &done);
    line_wait(&caller, BJ_CLOSE, BJ_CHANNEL_FIRST_HOST);
    line_close(&second); /* its program is to end */
    ck_assert_uint_eq(shim_wait(&shim, BJ_CLOSE)->channel, other);
}
END_TEST

START_TEST(test_host_misbehaves)
{
    /* An exec peer that talks of a channel it has not opened, and one that sends no message. */
    line_dial(&caller, "exec.sock");
    struct bj_message data = text_message(BJ_DATA, 1, "typed?");
    line_send(&caller, &data);
    line_close(&caller);
    line_dial(&caller, "exec.sock");
    ck_assert_int_eq(send(caller.fd, "\xc1\xc1", 2, MSG_NOSIGNAL), 2);
    line_wait(&caller, BJ_ERROR, 0);
    ck_assert_ptr_null(line_next(&caller));
    line_dial(&egress, "egress.sock");
    struct bj_message exec = {.type = BJ_EXEC, .channel = BJ_CHANNEL_FIRST_HOST};
    exec.field[BJ_EXEC_ARGV] = (struct bj_field){.data = "sh", .size = 3};
    exec.field[BJ_EXEC_DIRECTORY] = (struct bj_field){.data = "/", .size = 1};
    line_send(&egress, &exec);
    line_wait(&egress, BJ_ERROR, 0); /* the egress proxy starts no programs */
    shim_data(&shim, 0, "still up", 8);
    shim_wait_acked(&shim, 8);
}
END_TEST

/* Each ends the link, with an alert. */
static void refused(uint32_t channel, enum bj_message_type type)
{
    struct bj_message message = text_message(type, channel, type == BJ_OPEN ? "egress" : "x");
    if (type == BJ_EOF || type == BJ_CREDIT)
        message = (struct bj_message){.type = type, .channel = channel};
    shim_send(&shim, &message);
    ck_assert(shim_ended(&shim));
    peer_event(&world.control, "alert");
    shim_close(&shim);
    shim_up(&shim, &world);
}

START_TEST(test_shim_misbehaves)
{
    line_dial(&egress, "egress.sock");
    refused(100, BJ_DATA);
    refused(BJ_CHANNEL_FIRST_HOST, BJ_DATA);
    refused(BJ_CHANNEL_FIRST_HOST, BJ_OPEN);
    line_dial(&egress, "egress.sock");
    shim_open(16);
    refused(16, BJ_OPEN);
    refused(2, BJ_OPEN);
}
END_TEST

START_TEST(test_too_many)
{
    line_dial(&egress, "egress.sock");
    for (uint32_t i = 0; i < BJ_STREAMS_MAX; i++)
        shim_open(16 + i);
    for (uint32_t i = 0; i < BJ_STREAMS_MAX; i++)
        line_wait(&egress, BJ_OPEN, 16 + i);
    refused(16 + BJ_STREAMS_MAX, BJ_OPEN);
}
END_TEST

/* Downloads through a shim that is never quite done, and still goes on. */
START_TEST(test_slow_shim)
{
    static char block[60000], sink[32 * 1024];
    msgpack_sbuffer out;
    size_t sent = 0, taken = 0;
    uint64_t printed = 0;
    msgpack_sbuffer_init(&out);
    memset(block, 'x', sizeof(block));
    line_dial(&egress, "egress.sock");
    shim_open(16);
    line_wait(&egress, BJ_OPEN, 16);
    struct bj_message data = {.type = BJ_DATA, .channel = 16};
    data.field[BJ_DATA_BYTES] = (struct bj_field){.data = block, .size = sizeof(block)};
    while (taken < 8U << 20) {
        ssize_t put = 1;
        while (put > 0) {
            if (sent == out.size) {
                msgpack_sbuffer_clear(&out);
                sent = 0;
                ck_assert_int_eq(bj_message_encode(&data, &out), 0);
                data.field[BJ_DATA_OFFSET].u += sizeof(block);
            }
            put = send(egress.fd, out.data + sent, out.size - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
            sent += put > 0 ? (size_t)put : 0;
        }
        ck_assert_msg(errno == EAGAIN, "cut off after %zu bytes", taken);
        struct pollfd wait = {.fd = shim.fd, .events = POLLIN};
        ck_assert_int_eq(poll(&wait, 1, WAIT_MS), 1);
        int waits;
        ck_assert_int_eq(ioctl(shim.fd, FIONREAD, &waits), 0);
        wait.events = POLLRDHUP;
        if (waits < 100000 && poll(&wait, 1, 1) == 0)
            continue; /* the monitor is not to be the slower one */
        ssize_t got = recv(shim.fd, sink, sizeof(sink), 0);
        ck_assert_msg(got > 0, "cut off after %zu bytes", taken);
        taken += (size_t)got;
        shim_data(&shim, printed++, "x", 1); /* so that the monitor fills up what was taken */
    }
    msgpack_sbuffer_destroy(&out);
}
END_TEST

/* A proxy that reads nothing while the sandbox floods it, credit or not, costs itself. */
START_TEST(test_flood)
{
    static char block[60000];
    memset(block, 'x', sizeof(block));
    line_dial(&egress, "egress.sock");
    shim_open(16);
    struct bj_message data = {.type = BJ_DATA, .channel = 16};
    data.field[BJ_DATA_BYTES] = (struct bj_field){.data = block, .size = sizeof(block)};
    for (int i = 0; i < 1000; i++) {
        shim_send(&shim, &data);
        data.field[BJ_DATA_OFFSET].u += sizeof(block);
    }
    ck_assert_uint_eq(shim_wait(&shim, BJ_CLOSE)->channel, 16);
    shim_data(&shim, 0, "still up", 8);
    shim_wait_acked(&shim, 8);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("relay");
    TCase *tcase = tcase_create("relay");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, test_both_ways);
    tcase_add_test(tcase, test_waits_for_egress);
    tcase_add_test(tcase, test_egress_dies);
    tcase_add_test(tcase, test_link_dies);
    tcase_add_test(tcase, test_exec);
    tcase_add_test(tcase, test_host_misbehaves);
    tcase_add_test(tcase, test_shim_misbehaves);
    tcase_add_test(tcase, test_too_many);
    tcase_add_test(tcase, test_slow_shim);
    tcase_add_test(tcase, test_flood);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
