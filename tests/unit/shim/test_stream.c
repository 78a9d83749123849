/* The proxy port: connections under credit, half-close, resets, the link's end, limits, fairness.
 */
#include <arpa/inet.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/socket.h>
#include <unistd.h>

#include <check.h>

#include "tests/unit/shim/client.h"
#include "tests/unit/shim/far.h"
#include "tests/unit/transport/suite.h"

static struct double_monitor monitor;
static char self[PATH_MAX];
static char port_text[8];

#define LEFT_BEHIND (BJ_STREAM_WINDOW + 100000U) /* bytes */

/* Loop tests: 0 as an ordinary process, 1 as pid 1. */
#define WALL(index) ((index) == 1)

/* A port that is free just now, and not one that the kernel gives to connections soon. */
static void choose_port(void)
{
    /* Else tests that run at the same time choose the same one. */
    srandom((unsigned)getpid() ^ (unsigned)time(NULL));
    for (;;) {
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_port = htons((uint16_t)(10000 + random() % 20000)),
                                      .sin_addr = {htonl(INADDR_LOOPBACK)}};
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int status = bind(fd, (struct sockaddr *)&address, sizeof(address));
        close(fd);
        if (status == 0) {
            snprintf(port_text, sizeof(port_text), "%d", ntohs(address.sin_port));
            return;
        }
    }
}

static void start_with(bool wall, const char *const argv[])
{
    choose_port();
    double_options = (const char *const[]){"--proxy-port", port_text, NULL};
    double_start(&monitor, wall, argv);
    double_connect(&monitor);
}

static void start(bool wall, const char *client, const char *argument)
{
    start_with(wall, (const char *const[]){self, "client", client, port_text, argument, NULL});
}

static void line(void)
{
    double_send_input(&monitor, "\n", 1);
}

static void end(int code)
{
    struct bj_message message;
    while (!far_exited)
        far_next(&monitor, &message);
    double_ack(&monitor);
    while (double_next(&monitor, &message))
        ck_assert_uint_gt(message.channel, BJ_CHANNEL_PTY);
    double_hang_up(&monitor);
    ck_assert_int_eq(double_wait(monitor.shim), code);
    monitor.shim = 0;
    double_end(&monitor);
}

/* Gives back what is held as far as the credit goes, and ends when they have. */
static void give_back(struct far *far)
{
    if (far->channel == 0 || far->done || far->our_eof)
        return;
    size_t sent = far_send(&monitor, far, far->bytes, far->held);
    far_use(&monitor, far, sent);
    if (far->their_eof && far->held == 0)
        far_eof(&monitor, far);
}

START_TEST(test_echo)
{
    struct bj_message message;
    int closed = 0;
    start(WALL(_i), "echo", "50");
    while (closed < 50) {
        far_next(&monitor, &message);
        for (size_t i = 0; i < 64; i++)
            give_back(&fars[i]);
        closed += message.type == BJ_CLOSE;
    }
    for (size_t i = 0; i < 50; i++) {
        ck_assert_uint_eq(fars[i].got, 1024 * 1024);
        ck_assert_str_eq(fars[i].reason, "");
    }
    far_wait_output(&monitor, "echoed");
    end(0);
}
END_TEST

START_TEST(test_half_close)
{
    start(WALL(_i), "half", NULL);
    struct far *far = far_wait_open(&monitor);
    far_wait_eof(&monitor, far);
    ck_assert_uint_eq(far->held, 8);
    ck_assert_int_eq(memcmp(far->bytes, "question", 8), 0);
    ck_assert_uint_eq(far_send(&monitor, far, "ans", 3), 3);
    far_sync(&monitor);
    ck_assert_uint_eq(far_send(&monitor, far, "wer", 3), 3);
    far_eof(&monitor, far);
    far_wait_close(&monitor, far);
    ck_assert_str_eq(far->reason, "");
    far_wait_output(&monitor, "<answer>");
    end(0);
}
END_TEST

START_TEST(test_half_close_outside)
{
    start(WALL(_i), "late", NULL);
    struct far *far = far_wait_open(&monitor);
    ck_assert_uint_eq(far_send(&monitor, far, "first", 5), 5);
    far_eof(&monitor, far);
    far_wait_close(&monitor, far);
    ck_assert(far->their_eof);
    ck_assert_uint_eq(far->held, 4);
    ck_assert_int_eq(memcmp(far->bytes, "late", 4), 0);
    far_wait_output(&monitor, "<first>");
    line();
    end(0);
}
END_TEST

/* CLOSE without EOF is a reset; after EOF nothing is lost, however slow the reader. */
START_TEST(test_close)
{
    static char bytes[BJ_STREAM_WINDOW];
    start(WALL(_i), "half", NULL);
    struct far *far = far_wait_open(&monitor);
    far_wait_eof(&monitor, far);
    far_close(&monitor, far);
    far_wait_output(&monitor, "0 bytes, then Connection reset by peer");
    end(0);

    far_reset();
    far_clear_output();
    start(WALL(_i), "slow", NULL);
    far = far_wait_open(&monitor);
    uint64_t before;
    do { /* until the kernel takes no more, and the shim holds a window */
        before = far->sent;
        far_send(&monitor, far, bytes, sizeof(bytes));
        far_sync(&monitor);
    } while (far->sent > before || far->sent < far->limit);
    char expected[64];
    snprintf(expected, sizeof(expected), "%llu bytes", (unsigned long long)far->sent);
    far_eof(&monitor, far);
    far_close(&monitor, far);
    line();
    far_wait_output(&monitor, expected);
    end(0);
}
END_TEST

START_TEST(test_reset_inside)
{
    start(WALL(_i), "reset", NULL);
    struct far *far = far_wait_open(&monitor);
    far_wait_held(&monitor, far, 1);
    line();
    far_wait_close(&monitor, far);
    ck_assert_str_eq(far->reason, "the connection was reset inside");
    line();
    end(0);
}
END_TEST

/* The sandbox ends with a program that has sent more than we took. */
START_TEST(test_program_leaves)
{
    struct bj_message message;
    char size[16];
    snprintf(size, sizeof(size), "%u", LEFT_BEHIND);
    start(WALL(_i), "leave", size);
    struct far *far = far_wait_open(&monitor);
    while (!far_exited)
        far_next(&monitor, &message);
    while (!far->their_eof) {
        far_use(&monitor, far, far->held);
        far_next(&monitor, &message);
    }
    ck_assert_uint_eq(far->got, LEFT_BEHIND);
    far_eof(&monitor, far);
    far_wait_close(&monitor, far);
    end(0);
}
END_TEST

/* A program that ends without a word resets what it had not read; its stream is closed. */
START_TEST(test_program_dies)
{
    start_with(WALL(_i), (const char *const[]){"sh", "-c",
                                               "\"$0\" client slow $1 & read x; kill $!; "
                                               "wait; read x",
                                               self, port_text, NULL});
    struct far *far = far_wait_open(&monitor);
    ck_assert_uint_eq(far_send(&monitor, far, "unread", 6), 6);
    far_sync(&monitor);
    line();
    far_wait_close(&monitor, far);
    line();
    end(0);
}
END_TEST

START_TEST(test_link_ends)
{
    start(WALL(_i), "half", NULL);
    struct far *far = far_wait_open(&monitor);
    far_wait_eof(&monitor, far);
    far_reset();
    double_connect(&monitor);
    far_wait_output(&monitor, "0 bytes, then Connection reset by peer");
    ck_assert_uint_eq(far_count(), 0);
    end(0);
}
END_TEST

/* While the link is down a connection waits, and is served afterwards. */
START_TEST(test_link_is_down)
{
    struct bj_message message;
    char path[300], made[320], link[300];
    start_with(WALL(_i), (const char *const[]){
                             "sh", "-c", "read path; echo ready; exec \"$0\" client after $1 $path",
                             self, port_text, NULL});
    snprintf(path, sizeof(path), "%s/up", monitor.dir);
    snprintf(made, sizeof(made), "%s/up.connected", monitor.dir);
    snprintf(link, sizeof(link), "%s/link.sock", monitor.dir);
    fclose(fopen(path, "w"));
    double_send_input(&monitor, path, strlen(path));
    line();
    far_wait_output(&monitor, "ready");
    close(monitor.listener);
    unlink(link);
    double_hang_up(&monitor);
    unlink(path);
    while (access(made, F_OK) < 0)
        usleep(5000);
    double_listen_again(&monitor);
    double_accept(&monitor, &message);
    double_welcome(&monitor, UINT64_MAX);
    struct far *far = far_wait_open(&monitor);
    far_wait_held(&monitor, far, 5);
    ck_assert_int_eq(memcmp(far->bytes, "hello", 5), 0);
    far_send(&monitor, far, "well", 4);
    far_eof(&monitor, far);
    far_wait_output(&monitor, "<well>");
    end(0);
}
END_TEST

static unsigned long private_memory(void)
{
    char path[64], text[256];
    unsigned long sum = 0;
    snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", monitor.shim);
    FILE *stream = fopen(path, "r");
    if (!stream)
        return 0; /* an ordinary user may not look at it */
    while (fgets(text, sizeof(text), stream))
        if (strncmp(text, "Private_", 8) == 0)
            sum += strtoul(strchr(text, ':') + 1, NULL, 10);
    fclose(stream);
    return sum;
}

/* What is over the limit waits until another ends; a program can be started all the same. */
START_TEST(test_many)
{
    start(WALL(_i), "idle", "250");
    while (far_count() < 240)
        far_wait_open(&monitor);
    far_wait_output(&monitor, "connected");
    for (int i = 0; i < 3; i++)
        far_sync(&monitor);
    ck_assert_uint_eq(far_count(), 240);
    if (getenv("BELLJAR_TEST_SHIPPED") && !WALL(_i)) /* sanitizers have memory of their own */
        ck_assert_uint_lt(private_memory(), 2048);
    struct far *far =
        far_exec(&monitor, BJ_CHANNEL_FIRST_HOST, "", (const char *const[]){"echo", "still", NULL});
    far_wait_close(&monitor, far);
    far->channel = 0;
    for (size_t i = 100; i < 105; i++)
        far_close(&monitor, &fars[i]);
    for (int i = 0; i < 5; i++)
        far_wait_open(&monitor);
    far_sync(&monitor);
    ck_assert_uint_eq(far_count(), 240);
    line();
    end(0);
}
END_TEST

/* How much of streams comes between a key and its echo, while they send as fast as they can. */
START_TEST(test_flood)
{
    struct bj_message message;
    size_t between = 0, echoes = 0;
    start_with(WALL(_i), (const char *const[]){"sh", "-c",
                                               "\"$0\" client flood $1 20 & "
                                               "while read x; do echo got $x; done",
                                               self, port_text, NULL});
    far_wait_open(&monitor);
    bool asked = false;
    for (size_t seen = 0; echoes < 20;) {
        far_next(&monitor, &message);
        for (size_t i = 0; i < 20; i++)
            if (fars[i].channel)
                far_use(&monitor, &fars[i], fars[i].held);
        if (message.type == BJ_DATA && message.channel != BJ_CHANNEL_PTY) {
            seen += message.field[BJ_DATA_BYTES].size;
            if (!asked && seen > 1000000) {
                far_clear_output();
                double_send_input(&monitor, "key\n", 4);
                asked = true;
                seen = 0;
            }
        }
        if (asked && strstr(far_output, "got key")) {
            between += seen;
            seen = 0;
            asked = false;
            echoes++;
        }
    }
    /* a socket's buffer and ours full of it are on their way before; sh's own time adds more */
    ck_assert_uint_lt(between / echoes, 4 * 1024 * 1024);
    double_send_uints(&monitor, BJ_SHUTDOWN, 0, 0, NULL);
    ck_assert_int_eq(double_wait(monitor.shim), 137);
    monitor.shim = 0;
    double_end(&monitor);
}
END_TEST

/* A reader that does not read keeps its own credit, and delays nobody. */
START_TEST(test_slow_reader)
{
    static char bytes[BJ_STREAM_WINDOW];
    uint64_t before;
    start_with(WALL(_i), (const char *const[]){"sh", "-c",
                                               "\"$0\" client hold $1 8 & "
                                               "read x; echo got $x; kill $!",
                                               self, port_text, NULL});
    while (far_count() < 8)
        far_wait_open(&monitor);
    do {
        before = 0;
        for (size_t i = 0; i < 8; i++)
            before += far_send(&monitor, &fars[i], bytes, sizeof(bytes));
        far_sync(&monitor);
    } while (before > 0);
    double_send_input(&monitor, "key\n", 4);
    far_wait_output(&monitor, "got key");
    end(0);
}
END_TEST

/* The agent floods its terminal: streams still get their turn. */
START_TEST(test_pty_flood)
{
    struct bj_message message;
    start_with(WALL(_i), (const char *const[]){"sh", "-c", "\"$0\" client echo $1 1 & yes", self,
                                               port_text, NULL});
    do {
        far_next(&monitor, &message);
        if (message.type == BJ_DATA && message.channel == BJ_CHANNEL_PTY)
            double_ack(&monitor);
        give_back(&fars[0]);
    } while (!fars[0].done);
    ck_assert_uint_eq(fars[0].got, 1024 * 1024);
    double_send_uints(&monitor, BJ_SHUTDOWN, 0, 0, NULL);
    ck_assert_int_eq(double_wait(monitor.shim), 137);
    monitor.shim = 0;
    double_end(&monitor);
}
END_TEST

static const struct {
    enum bj_message_type type;
    uint64_t number;
    const char *bytes;
    int times; /* the last time is the error */
} bad[] = {
    {BJ_EOF, 0, NULL, 2}, {BJ_DATA, 1, "x", 1},    {BJ_DATA, 0, "x", 2},  {BJ_CREDIT, 5, NULL, 1},
    {BJ_ACK, 0, NULL, 1}, {BJ_VERDICT, 1, "x", 1}, {BJ_EXEC, 0, NULL, 1},
};

#define BAD (int)(sizeof(bad) / sizeof(bad[0]))

/* Each ends the link, which ends the connection. */
START_TEST(test_broken_rules)
{
    int row = _i % BAD;
    bool said = false;
    start(WALL(_i / BAD), "idle", "1");
    struct far *far = far_wait_open(&monitor);
    struct bj_message message = {.type = bad[row].type, .channel = far->channel};
    message.field[0].u = bad[row].number;
    message.field[0].data = message.field[1].data = bad[row].bytes;
    message.field[0].size = message.field[1].size = bad[row].bytes ? 1 : 0;
    for (int times = 0; times < bad[row].times; times++)
        double_send(&monitor, &message);
    while (double_next(&monitor, &message))
        said = message.type == BJ_ERROR;
    ck_assert(said);
    double_connect(&monitor);
    line();
    end(0);
}
END_TEST

START_TEST(test_port_in_use)
{
    choose_port();
    int on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)atoi(port_text)),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(listen(fd, 1), 0);
    double_options = (const char *const[]){"--proxy-port", port_text, NULL};
    double_start_shell(&monitor, false, "true");
    ck_assert_int_eq(double_wait(monitor.shim), 1);
    monitor.shim = 0;
    close(fd);
    double_end(&monitor);
}
END_TEST

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "client") == 0)
        return client_main(argc, argv);
    if (!realpath(argv[0], self))
        return 99;
    Suite *suite = suite_create("shim stream");
    TCase *tests = tcase_create("stream");
    int modes = double_can_wall() ? 2 : 1;
    tcase_set_timeout(tests, 60);
    tcase_add_unchecked_fixture(tests, double_base_make, double_base_remove);
    tcase_add_loop_test(tests, test_echo, 0, modes);
    tcase_add_loop_test(tests, test_half_close, 0, modes);
    tcase_add_loop_test(tests, test_half_close_outside, 0, modes);
    tcase_add_loop_test(tests, test_close, 0, modes);
    tcase_add_loop_test(tests, test_reset_inside, 0, modes);
    tcase_add_loop_test(tests, test_program_leaves, 0, modes);
    tcase_add_loop_test(tests, test_program_dies, 0, modes);
    tcase_add_loop_test(tests, test_link_ends, 0, modes);
    tcase_add_loop_test(tests, test_link_is_down, 0, modes);
    tcase_add_loop_test(tests, test_many, 0, modes);
    tcase_add_loop_test(tests, test_flood, 0, modes);
    tcase_add_loop_test(tests, test_slow_reader, 0, modes);
    tcase_add_loop_test(tests, test_pty_flood, 0, modes);
    tcase_add_loop_test(tests, test_broken_rules, 0, BAD * modes);
    tcase_add_test(tests, test_port_in_use);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
