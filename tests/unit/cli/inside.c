#include "suite.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <msgpack.h>

#include "transport/channel.h"
#include "tui/cli/inside.h"

#define CHANNEL BJ_CHANNEL_FIRST_HOST

static int ours, theirs; /* the client's end is taken over by inside_run() */
static msgpack_sbuffer script;
static char got[256];
static size_t got_size;
static struct inside_end end;
static struct bj_error error;

static void setup(void)
{
    int ends[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    ours = ends[0];
    theirs = ends[1];
    msgpack_sbuffer_init(&script);
    got_size = 0;
    error = (struct bj_error){0};
}

static void teardown(void)
{
    close(theirs);
    msgpack_sbuffer_destroy(&script);
}

static void say(enum bj_message_type type, uint32_t channel, uint64_t number, const char *text,
                size_t size)
{
    struct bj_message message = {.type = type, .channel = channel};
    const struct bj_message_spec *spec = bj_message_find(type);
    for (size_t i = 0; i < bj_message_fields(spec); i++) {
        message.field[i].u = number;
        if (spec->fields[i].type != BJ_TYPE_UINT)
            message.field[i] = (struct bj_field){.data = text, .size = (uint32_t)size};
    }
    ck_assert_int_eq(bj_message_encode(&message, &script), 0);
}

static void say_data(uint64_t offset, const char *text)
{
    say(BJ_DATA, CHANNEL, offset, text, strlen(text));
}

static void say_close(const char *reason)
{
    say(BJ_CLOSE, CHANNEL, 0, reason, strlen(reason));
}

static int take(void *owner, const void *bytes, size_t size, struct bj_error *why)
{
    (void)owner;
    if (size > sizeof(got) - got_size)
        return bj_fail(why, -ENOBUFS, "the test has no room");
    memcpy(got + got_size, bytes, size);
    got_size += size;
    return 0;
}

static const char *const argv[] = {"sh", "-c", "true", NULL};

/* Runs against the script, which was written before; then the peer's end is closed for writing. */
static int run(struct inside_program program)
{
    ck_assert_int_eq(write(theirs, script.data, script.size), (ssize_t)script.size);
    program.argv = argv;
    program.directory = "/work";
    program.output = take;
    program.limit = program.limit ? program.limit : 1000;
    program.input = -1;
    return inside_run(ours, &program, &end, &error);
}

static int run_closed(void)
{
    ck_assert_int_eq(write(theirs, script.data, script.size), (ssize_t)script.size);
    shutdown(theirs, SHUT_WR);
    struct inside_program program = {
        .argv = argv, .directory = "/work", .input = -1, .limit = 1000, .output = take};
    return inside_run(ours, &program, &end, &error);
}

START_TEST(output_and_status_come)
{
    say_data(0, "hello ");
    say_data(6, "world");
    say(BJ_EOF, CHANNEL, 0, "", 0);
    say_close("3 it \033[31mfailed\n");
    ck_assert_int_eq(run((struct inside_program){0}), 0);
    ck_assert_uint_eq(got_size, 11);
    ck_assert_mem_eq(got, "hello world", 11);
    ck_assert_int_eq(end.status, 3);
    ck_assert_str_eq(end.text, "it ?[31mfailed?");
    ck_assert_uint_eq(end.received, 11);
}
END_TEST

/* What the monitor got: EXEC with every word, then the end of the empty input. */
START_TEST(exec_comes_first)
{
    uint8_t bytes[512];
    struct bj_message message;
    struct bj_frame frame;
    size_t size;
    ck_assert_int_eq(run((struct inside_program){.quiet_ms = 20}), -ETIMEDOUT);
    ssize_t all = read(theirs, bytes, sizeof(bytes));
    ck_assert_int_gt(all, 0);
    bj_frame_reset(&frame);
    ck_assert_int_eq(bj_frame_scan(&frame, &bj_frame_limits_link, bytes, (size_t)all, &size, NULL),
                     1);
    ck_assert_int_eq(bj_message_decode(&message, BJ_SIDE_MONITOR, bytes, size, NULL), 0);
    ck_assert_int_eq(message.type, BJ_EXEC);
    ck_assert_uint_eq(message.channel, CHANNEL);
    ck_assert_uint_eq(message.field[BJ_EXEC_ARGV].size, 11);
    ck_assert_mem_eq(message.field[BJ_EXEC_ARGV].data, "sh\0-c\0true\0", 11);
    ck_assert_mem_eq(message.field[BJ_EXEC_DIRECTORY].data, "/work", 5);
    ck_assert_int_eq(
        bj_message_decode(&message, BJ_SIDE_MONITOR, bytes + size, (size_t)all - size, NULL), 0);
    ck_assert_int_eq(message.type, BJ_EOF);
}
END_TEST

/* A peer that breaks the rules, one at a time: what it says, and what comes of it. */
enum lie {
    GAP,
    OVERLAP,
    BEHIND_EOF,
    TWO_EOFS,
    OTHER_CHANNEL,
    OTHER_TYPE,
    WRONG_SIDE,
    CREDIT_BACK,
    NO_STATUS,
    HUGE_STATUS,
    EARLY_CLOSE,
    GARBAGE,
    SELF,
    MUTE,
    LIES
};

static const struct {
    int code;
    const char *words;
} expected[LIES] = {
    [GAP] = {-EPROTO, "breaks the protocol"},
    [OVERLAP] = {-EPROTO, "breaks the protocol"},
    [BEHIND_EOF] = {-EPROTO, "behind EOF"},
    [TWO_EOFS] = {-EPROTO, "second EOF"},
    [OTHER_CHANNEL] = {-EPROTO, "for channel"},
    [OTHER_TYPE] = {-EPROTO, "of type"},
    [WRONG_SIDE] = {-EPROTO, "wrong side"},
    [CREDIT_BACK] = {-EPROTO, "went back"},
    [NO_STATUS] = {-EPIPE, "the link went down"},
    [HUGE_STATUS] = {-EPROTO, "exit status"},
    [EARLY_CLOSE] = {-EPROTO, "before the end"},
    [GARBAGE] = {-EPROTO, "breaks the protocol"},
    [SELF] = {-EPIPE, "too busy"},
    [MUTE] = {-EPIPE, "ended the connection"},
};

START_TEST(lies_are_found)
{
    switch ((enum lie)_i) {
    case GAP:
        say_data(1, "x");
        break;
    case OVERLAP:
        say_data(0, "xy");
        say_data(1, "y");
        break;
    case BEHIND_EOF:
        say(BJ_EOF, CHANNEL, 0, "", 0);
        say_data(0, "x");
        break;
    case TWO_EOFS:
        say(BJ_EOF, CHANNEL, 0, "", 0);
        say(BJ_EOF, CHANNEL, 0, "", 0);
        break;
    case OTHER_CHANNEL:
        say(BJ_DATA, CHANNEL + 1, 0, "x", 1);
        break;
    case OTHER_TYPE:
        say(BJ_PONG, CHANNEL, 0, "", 0);
        break;
    case WRONG_SIDE:
        say(BJ_EXEC, CHANNEL, 0, "sh", 3);
        break;
    case CREDIT_BACK:
        say(BJ_CREDIT, CHANNEL, 1, "", 0);
        break;
    case NO_STATUS:
        say_close("the link went down");
        break;
    case HUGE_STATUS:
        say(BJ_EOF, CHANNEL, 0, "", 0);
        say_close("256 x");
        break;
    case EARLY_CLOSE:
        say_close("0 ");
        break;
    case GARBAGE:
        msgpack_sbuffer_write(&script, "\xc1\xc1\xc1", 3);
        break;
    case SELF:
        say(BJ_ERROR, 0, 0, "too busy", 8);
        break;
    default:
        break;
    }
    ck_assert_int_eq(run_closed(), expected[_i].code);
    ck_assert_msg(strstr(error.text, expected[_i].words) != NULL, "%s", error.text);
}
END_TEST

START_TEST(limits_hold)
{
    say_data(0, "12345");
    say_data(5, "67890");
    ck_assert_int_eq(run((struct inside_program){.limit = 9}), -EFBIG);
    ck_assert_uint_eq(got_size, 5);
}
END_TEST

START_TEST(silence_ends)
{
    ck_assert_int_eq(run((struct inside_program){.quiet_ms = 20}), -ETIMEDOUT);
}
END_TEST

START_TEST(a_signal_stops_it)
{
    static const volatile sig_atomic_t stop = 1;
    ck_assert_int_eq(run((struct inside_program){.stop = &stop}), -EINTR);
}
END_TEST

START_TEST(a_command_that_is_too_long_is_refused)
{
    static char word[BJ_EXEC_ARGV_MAX];
    memset(word, 'x', sizeof(word) - 1);
    const char *const words[] = {"sh", word, NULL};
    struct inside_program program = {.argv = words, .directory = "/", .input = -1, .output = take};
    ck_assert_int_eq(inside_run(ours, &program, &end, &error), -EMSGSIZE);
}
END_TEST

/* A shim that takes a pattern to its end and then sends the same, each way with as little credit as
 * it may. Its exit status tells what it found wrong. */
#define TRAFFIC (3 * BJ_STREAM_WINDOW + 17)

struct shim {
    struct bj_receiver in;
    struct bj_sender out;
    bool eof;
};

static char pattern(uint64_t at)
{
    return (char)(at % 251);
}

static void shim_take(struct shim *shim, const struct bj_message *message)
{
    const struct bj_field *data = &message->field[BJ_DATA_BYTES];
    if (message->type == BJ_CREDIT &&
        bj_sender_on_credit(&shim->out, message->field[BJ_CREDIT_LIMIT].u, NULL) < 0)
        _exit(1);
    shim->eof = shim->eof || message->type == BJ_EOF;
    if (message->type != BJ_DATA)
        return;
    for (uint32_t i = 0; i < data->size; i++)
        if (data->data[i] != pattern(shim->in.next + i))
            _exit(2);
    if (bj_receiver_on_data(&shim->in, message->field[BJ_DATA_OFFSET].u, data->size, NULL) < 0)
        _exit(3);
    if (bj_receiver_refill(&shim->in, shim->in.next))
        say(BJ_CREDIT, CHANNEL, shim->in.limit, "", 0);
}

/* Returns true at the end. */
static bool shim_send(struct shim *shim)
{
    static char bytes[30000];
    size_t size, left = (size_t)(TRAFFIC - shim->out.next);
    while (shim->eof && (size = bj_sender_allowed(&shim->out, left)) > 0) {
        size = size < sizeof(bytes) ? size : sizeof(bytes);
        for (size_t i = 0; i < size; i++)
            bytes[i] = pattern(shim->out.next + i);
        say(BJ_DATA, CHANNEL, shim->out.next, bytes, size);
        shim->out.next += size;
        left -= size;
    }
    if (left > 0)
        return false;
    say(BJ_EOF, CHANNEL, 0, "", 0);
    say_close("0 ");
    return true;
}

_Noreturn static void play_shim(int fd)
{
    static uint8_t bytes[256 * 1024];
    struct shim shim = {.in = {.window = BJ_STREAM_WINDOW, .limit = BJ_STREAM_WINDOW},
                        .out = {.limit = BJ_STREAM_WINDOW}};
    size_t size = 0, used;
    for (bool done = false; !done;) {
        struct bj_frame frame;
        struct bj_message message;
        ssize_t part = read(fd, bytes + size, sizeof(bytes) - size);
        if (part <= 0)
            _exit(4);
        size += (size_t)part;
        script.size = 0;
        for (;;) {
            bj_frame_reset(&frame);
            if (bj_frame_scan(&frame, &bj_frame_limits_link, bytes, size, &used, NULL) != 1)
                break;
            if (bj_message_decode(&message, BJ_SIDE_MONITOR, bytes, used, NULL) < 0)
                _exit(5);
            shim_take(&shim, &message);
            size -= used;
            memmove(bytes, bytes + used, size);
        }
        done = shim_send(&shim);
        for (size_t at = 0; at < script.size; at += (size_t)part)
            if ((part = write(fd, script.data + at, script.size - at)) < 0)
                _exit(6);
    }
    _exit(shim.in.next == TRAFFIC ? 0 : 7);
}

static int count(void *owner, const void *bytes, size_t size, struct bj_error *why)
{
    const char *at = bytes;
    for (size_t i = 0; i < size; i++)
        if (at[i] != pattern(*(uint64_t *)owner + i))
            return bj_fail(why, -EIO, "another byte came back");
    *(uint64_t *)owner += size;
    return 0;
}

START_TEST(credit_is_kept_both_ways)
{
    int pipes[2], status;
    uint64_t received = 0;
    ck_assert_int_eq(pipe(pipes), 0);
    pid_t shim = fork();
    if (shim == 0) {
        close(ours);
        close(pipes[1]);
        play_shim(theirs);
    }
    close(theirs);
    theirs = -1;
    pid_t writer = fork();
    if (writer == 0) {
        char bytes[1000];
        for (uint64_t at = 0; at < TRAFFIC; at += sizeof(bytes)) {
            size_t size = TRAFFIC - at < sizeof(bytes) ? (size_t)(TRAFFIC - at) : sizeof(bytes);
            for (size_t i = 0; i < size; i++)
                bytes[i] = pattern(at + i);
            if (write(pipes[1], bytes, size) != (ssize_t)size)
                _exit(1);
        }
        _exit(0);
    }
    close(pipes[1]);
    struct inside_program program = {.argv = argv,
                                     .directory = "/",
                                     .input = pipes[0],
                                     .limit = TRAFFIC,
                                     .output = count,
                                     .owner = &received};
    ck_assert_msg(inside_run(ours, &program, &end, &error) == 0, "%s", error.text);
    ck_assert_uint_eq(received, TRAFFIC);
    ck_assert_uint_eq(end.sent, TRAFFIC);
    close(pipes[0]);
    ck_assert_int_eq(waitpid(writer, &status, 0), writer);
    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(waitpid(shim, &status, 0), shim);
    ck_assert_msg(status == 0, "the shim found fault %d", WEXITSTATUS(status));
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("inside");
    signal(SIGPIPE, SIG_IGN);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, output_and_status_come);
    tcase_add_test(tests, exec_comes_first);
    tcase_add_loop_test(tests, lies_are_found, 0, LIES);
    tcase_add_test(tests, limits_hold);
    tcase_add_test(tests, silence_ends);
    tcase_add_test(tests, a_signal_stops_it);
    tcase_add_test(tests, a_command_that_is_too_long_is_refused);
    tcase_add_test(tests, credit_is_kept_both_ways);
    return run_suite("inside", tests);
}
