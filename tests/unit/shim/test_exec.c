/* Programs that the monitor starts: input, output, end, limits, and a monitor that breaks rules. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

#include "tests/unit/shim/far.h"
#include "tests/unit/transport/suite.h"

static struct double_monitor monitor;
static const uint32_t first = BJ_CHANNEL_FIRST_HOST;

/* Loop tests: 0 as an ordinary process, 1 as pid 1. */
#define WALL(index)   ((index) == 1)
#define SHELL(script) ((const char *const[]){"sh", "-c", script, NULL})

static void start(bool wall)
{
    double_start_shell(&monitor, wall, "read x");
    double_connect(&monitor);
}

static void end(void)
{
    struct bj_message message;
    double_send_input(&monitor, "\n", 1);
    ck_assert_int_eq(double_finish(&monitor, &message), 0);
    double_end(&monitor);
}

static const struct {
    const char *script, *directory, *input, *output, *reason;
} rows[] = {
    {"cat", "", "in and out", "in and out", "0 "},
    {"cat", "", "", "", "0 "},
    {"pwd", "/usr", "", "/usr\n", "0 "},
    {"echo out; echo bad luck >&2; exit 3", "", "", "out\n", "3 bad luck"},
    {"kill -9 $$", "", "", "", "137 "},
    {"printf 'a\\nb\\033[1m\\377\\n\\n' >&2", "", "", "", "0 a b?[1m?"},
    {"ulimit -c; echo $((1 + $(ls /proc/self/fd | wc -l)))", "", "", "0\n5\n", "0 "},
    {"test $$ = $(cut -d' ' -f6 /proc/self/stat) && echo leader", "", "", "leader\n", "0 "},
    {"exec <&-; echo unread", "", "much input", "unread\n", "0 "},
    /* what is left behind holds the output, with and without leaving the group */
    {"sleep 1000 & echo left", "", "", "left\n", "0 "},
    {"setsid sleep 7 & echo left", "", "", "left\n", "0 "},
    {"exec >&-; read x; exit 4", "", "on", "", "4 "},
    {"pwd", "/no/such", "", "", "127 sh: cannot enter its directory: No such file or directory"},
};
#define ROWS (int)(sizeof(rows) / sizeof(rows[0]))

START_TEST(test_run)
{
    int row = _i % ROWS;
    start(WALL(_i / ROWS));
    struct far *far = far_exec(&monitor, first + 7, rows[row].directory, SHELL(rows[row].script));
    size_t size = strlen(rows[row].input);
    ck_assert_uint_eq(far_send(&monitor, far, rows[row].input, size), size);
    far_eof(&monitor, far);
    far_wait_close(&monitor, far);
    ck_assert(far->their_eof);
    ck_assert_int_eq((int)far->held, (int)strlen(rows[row].output));
    ck_assert_int_eq(memcmp(far->bytes, rows[row].output, far->held), 0);
    ck_assert_str_eq(far->reason, rows[row].reason);
    end();
}
END_TEST

START_TEST(test_missing)
{
    start(WALL(_i));
    struct far *far =
        far_exec(&monitor, first, "", (const char *const[]){"/no/such/program", "x", NULL});
    far_wait_close(&monitor, far);
    ck_assert_str_eq(far->reason, "127 /no/such/program: cannot run it: No such file or directory");
    far = far_exec(&monitor, first + 1, "", (const char *const[]){"/etc/passwd", NULL});
    far_wait_close(&monitor, far);
    ck_assert_str_eq(far->reason, "126 /etc/passwd: cannot run it: Permission denied");
    end();
}
END_TEST

/* The last of much is kept, and much does not stop the program. */
START_TEST(test_long_error)
{
    start(WALL(_i));
    struct far *far =
        far_exec(&monitor, first, "", SHELL("seq 1 200000 >&2; echo 'the end' >&2; exit 1"));
    far_wait_close(&monitor, far);
    size_t length = strlen(far->reason);
    ck_assert_uint_gt(length, 500);
    ck_assert_uint_le(length, 520);
    ck_assert_str_eq(far->reason + length - 15, " 200000 the end");
    end();
}
END_TEST

/* Output waits for credit, exactly; and nothing of it is lost when the program has long ended. */
START_TEST(test_big_output)
{
    static const uint64_t size = 3000000;
    uint64_t seen = 0;
    start(WALL(_i));
    struct far *far =
        far_exec(&monitor, first, "", SHELL("head -c 3000000 /dev/zero | tr '\\0' x"));
    far_wait_held(&monitor, far, BJ_STREAM_WINDOW);
    far_sync(&monitor);
    ck_assert_uint_eq(far->got, BJ_STREAM_WINDOW);
    while (!far->done) {
        struct bj_message message;
        for (size_t i = 0; i < far->held; i++)
            if (far->bytes[i] != 'x')
                ck_abort_msg("byte %d", far->bytes[i]);
        seen += far->held;
        far_use(&monitor, far, far->held);
        if (!far->done)
            far_next(&monitor, &message);
    }
    ck_assert_uint_eq(seen, size);
    ck_assert_str_eq(far->reason, "0 ");
    end();
}
END_TEST

/* Input of many windows through `cat`, which gives it back. */
START_TEST(test_big_input)
{
    static char bytes[1000000];
    size_t sent = 0, seen = 0;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)(i * 7 + i / 251);
    start(WALL(_i));
    struct far *far = far_exec(&monitor, first, "", (const char *const[]){"cat", NULL});
    while (!far->done) {
        struct bj_message message;
        if (!far->our_eof) {
            sent += far_send(&monitor, far, bytes + sent, sizeof(bytes) - sent);
            if (sent == sizeof(bytes))
                far_eof(&monitor, far);
        }
        ck_assert_int_eq(memcmp(far->bytes, bytes + seen, far->held), 0);
        seen += far->held;
        far_use(&monitor, far, far->held);
        far_next(&monitor, &message);
    }
    ck_assert_uint_eq(seen + far->held, sizeof(bytes));
    end();
}
END_TEST

/* Waits until no process has this program's number any more. */
static void wait_gone(uint32_t channel, const char *pid)
{
    char script[100];
    snprintf(script, sizeof(script), "while kill -0 %.20s 2>/dev/null; do sleep 0.02; done", pid);
    struct far *far = far_exec(&monitor, channel, "", SHELL(script));
    far_wait_close(&monitor, far);
    ck_assert_str_eq(far->reason, "0 ");
}

/* CLOSE and the link's end kill the program and its children. */
START_TEST(test_killed)
{
    static const char script[] = "trap '' TERM HUP INT; sleep 1000 & echo $!; wait; echo never";
    for (int drop = 0; drop < 2; drop++) {
        char pid[32] = "";
        start(WALL(_i));
        struct far *far = far_exec(&monitor, first, "", SHELL(script));
        while (!memchr(far->bytes, '\n', far->held))
            far_wait_held(&monitor, far, far->held + 1);
        memcpy(pid, far->bytes, far->held < sizeof(pid) ? far->held - 1 : 0);
        if (drop) {
            far_reset();
            double_connect(&monitor);
            wait_gone(first, pid); /* the numbers of the new connection are its own */
        } else {
            far_close(&monitor, far);
            wait_gone(first + 1, pid);
        }
        far_reset();
        end();
    }
}
END_TEST

START_TEST(test_too_many)
{
    struct far *running[16], *far;
    start(WALL(_i));
    for (uint32_t i = 0; i < 16; i++)
        running[i] = far_exec(&monitor, first + i, "", (const char *const[]){"cat", NULL});
    far = far_exec(&monitor, first + 16, "", (const char *const[]){"cat", NULL});
    far_wait_close(&monitor, far);
    ck_assert_str_eq(far->reason, "126 too many programs run already");
    far_eof(&monitor, running[3]);
    far_wait_close(&monitor, running[3]);
    far = far_exec(&monitor, first + 17, "", SHELL("exit 9"));
    far_wait_close(&monitor, far);
    ck_assert_str_eq(far->reason, "9 ");
    for (int i = 0; i < 16; i++)
        if (i != 3)
            far_close(&monitor, running[i]);
    end();
}
END_TEST

/* The agent's end waits for a program, and its code is still the agent's. */
START_TEST(test_after_the_agent)
{
    struct bj_message message;
    double_start_shell(&monitor, WALL(_i), "read x; exit 5");
    double_connect(&monitor);
    struct far *far = far_exec(&monitor, first, "", (const char *const[]){"cat", NULL});
    ck_assert_uint_eq(far_send(&monitor, far, "a", 1), 1);
    far_wait_held(&monitor, far, 1);
    double_send_input(&monitor, "\n", 1);
    while (!far_exited)
        far_next(&monitor, &message);
    double_ack(&monitor);
    for (int i = 0; i < 5; i++)
        far_sync(&monitor);
    ck_assert_uint_eq(far_send(&monitor, far, "b", 1), 1);
    far_wait_held(&monitor, far, 2);
    far_eof(&monitor, far);
    far_wait_close(&monitor, far);
    ck_assert(!double_next(&monitor, &message));
    double_hang_up(&monitor);
    ck_assert_int_eq(double_wait(monitor.shim), 5);
    monitor.shim = 0;
    double_end(&monitor);
}
END_TEST

/* After EXEC of `sleep` on the first channel: type, channel, number or offset, bytes. */
static const struct {
    enum bj_message_type type;
    uint32_t channel;
    uint64_t number;
    const char *bytes;
    uint32_t size;
    int times; /* the last time is the error */
} bad[] = {
    {BJ_EOF, BJ_CHANNEL_FIRST_HOST, 0, NULL, 0, 2},
    {BJ_DATA, BJ_CHANNEL_FIRST_HOST, 1, "x", 1, 1},
    {BJ_DATA, BJ_CHANNEL_FIRST_HOST, 0, "", 0, 1},
    {BJ_DATA, BJ_CHANNEL_FIRST_HOST, 0, "x", 1, 2},
    {BJ_CREDIT, BJ_CHANNEL_FIRST_HOST, 1, NULL, 0, 1},
    {BJ_ACK, BJ_CHANNEL_FIRST_HOST, 0, NULL, 0, 1},
    {BJ_VERDICT, BJ_CHANNEL_FIRST_HOST, 1, "", 0, 1},
    {BJ_DATA, BJ_CHANNEL_FIRST_HOST + 1, 0, "x", 1, 1},
    {BJ_CLOSE, BJ_CHANNEL_FIRST_HOST + 1, 0, "", 0, 1},
    {BJ_DATA, BJ_CHANNEL_FIRST_FREE, 0, "x", 1, 1},
    {BJ_EOF, BJ_CHANNEL_FIRST_FREE, 0, NULL, 0, 1},
    {BJ_CLOSE, BJ_CHANNEL_FIRST_FREE, 0, "", 0, 1},
    {BJ_EOF, BJ_CHANNEL_PTY, 0, NULL, 0, 1},
    {BJ_CLOSE, BJ_CHANNEL_PTY, 0, "", 0, 1},
    {BJ_EXEC, BJ_CHANNEL_PTY, 0, "cat", 4, 1},
    {BJ_EXEC, BJ_CHANNEL_FIRST_FREE, 0, "cat", 4, 1},
    {BJ_EXEC, BJ_CHANNEL_FIRST_HOST - 1, 0, "cat", 4, 1},
    {BJ_EXEC, BJ_CHANNEL_FIRST_HOST, 0, "cat", 4, 1},
    {BJ_EXEC, BJ_CHANNEL_FIRST_HOST + 1, 0, "cat", 3, 1},
    {BJ_EXEC, BJ_CHANNEL_FIRST_HOST + 1, 0, "", 1, 1},
    {BJ_EXEC, BJ_CHANNEL_FIRST_HOST + 1, 0, "", 0, 1},
    {BJ_EXEC, BJ_CHANNEL_FIRST_HOST + 1, 99, "cat", 4, 1}, /* 99: a NUL in the directory */
};

static void send_bad(size_t row)
{
    struct bj_message message = {.type = bad[row].type, .channel = bad[row].channel};
    struct bj_field bytes = {.data = bad[row].bytes, .size = bad[row].size};
    message.field[0].u = bad[row].number;
    if (message.type == BJ_DATA || message.type == BJ_VERDICT)
        message.field[1] = bytes;
    else if (message.type == BJ_EXEC || message.type == BJ_CLOSE)
        message.field[0] = bytes;
    if (message.type == BJ_EXEC)
        message.field[1] = (struct bj_field){.data = "/\0", .size = bad[row].number == 99 ? 2 : 1};
    double_send(&monitor, &message);
}

static void expect_refusal(const char *what, size_t row)
{
    struct bj_message message;
    bool said = false;
    while (double_next(&monitor, &message))
        said = message.type == BJ_ERROR;
    ck_assert_msg(said, "%s, row %zu", what, row);
}

START_TEST(test_broken_rules)
{
    start(WALL(_i));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        far_reset();
        far_exec(&monitor, first, "", SHELL("exec sleep 1000"));
        far_sync(&monitor);
        for (int times = 0; times < bad[i].times; times++)
            send_bad(i);
        expect_refusal("bad message", i);
        double_connect(&monitor);
    }
    far_reset();
    end();
}
END_TEST

/* A program that does not read gets the window and what its pipe holds, and not a byte more. */
START_TEST(test_beyond_credit)
{
    static char bytes[BJ_STREAM_WINDOW];
    start(WALL(_i));
    struct far *far = far_exec(&monitor, first, "", SHELL("exec sleep 1000"));
    uint64_t before;
    do {
        before = far->sent;
        far_send(&monitor, far, bytes, sizeof(bytes));
        far_sync(&monitor);
    } while (far->sent > before || far->limit > far->sent);
    ck_assert_uint_le(far->sent, BJ_STREAM_WINDOW + 128 * 1024);
    far->limit++;
    far_send(&monitor, far, bytes, 1);
    expect_refusal("beyond the credit", 0);
    double_connect(&monitor);
    end();
}
END_TEST

/* What was on its way when we closed is no error. */
START_TEST(test_late_messages)
{
    start(WALL(_i));
    struct far *far = far_exec(&monitor, first, "", SHELL("exit 0"));
    far_wait_close(&monitor, far);
    far_send(&monitor, far, "late", 4);
    double_send_uints(&monitor, BJ_CREDIT, first, 1, (const uint64_t[]){1000000});
    far_eof(&monitor, far);
    far_close(&monitor, far);
    far_sync(&monitor);
    end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("shim exec");
    TCase *tests = tcase_create("exec");
    int modes = double_can_wall() ? 2 : 1;
    tcase_set_timeout(tests, 60);
    tcase_add_unchecked_fixture(tests, double_base_make, double_base_remove);
    tcase_add_loop_test(tests, test_run, 0, ROWS * modes);
    tcase_add_loop_test(tests, test_missing, 0, modes);
    tcase_add_loop_test(tests, test_long_error, 0, modes);
    tcase_add_loop_test(tests, test_big_output, 0, modes);
    tcase_add_loop_test(tests, test_big_input, 0, modes);
    tcase_add_loop_test(tests, test_killed, 0, modes);
    tcase_add_loop_test(tests, test_too_many, 0, modes);
    tcase_add_loop_test(tests, test_after_the_agent, 0, modes);
    tcase_add_loop_test(tests, test_broken_rules, 0, modes);
    tcase_add_loop_test(tests, test_beyond_credit, 0, modes);
    tcase_add_loop_test(tests, test_late_messages, 0, modes);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
