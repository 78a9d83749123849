/*
 * The bridge between hosts: what ssh is told, what its words become, and a far end that is asked
 * for what it must not give.
 */
#include "suite.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <msgpack.h>

#include "transport/message.h"
#include "transport/socket.h"
#include "tui/bridge/far.h"
#include "tui/bridge/host.h"

/* ---- ssh ---- */

static bool has(const struct ssh_call *call, const char *word)
{
    for (int i = 0; call->argv[i]; i++)
        if (strcmp(call->argv[i], word) == 0)
            return true;
    return false;
}

START_TEST(ssh_is_told_no_option_by_a_host)
{
    static const char *const bad[] = {"", "-oProxyCommand=true", "a b", "a\nb", "a\tb", "\x7f"};
    struct ssh_call call;
    struct bj_error error = {0};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_int_eq(ssh_call_make(&call, bad[i], "belljar", false, &error), -EINVAL);
    ck_assert_int_eq(ssh_call_make(&call, "me@there", "belljar", false, &error), 0);
    ck_assert(has(&call, "me@there") && has(&call, "belljar bridge") && has(&call, "--"));
    ck_assert(!has(&call, "BatchMode=yes"));
    static const char *const names[] = {"", "-x", "a b", "a;b", "$(a)", "a\nb", "a/b", "\"a"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        ck_assert_int_eq(ssh_call_about(&call, "me@there", "belljar", "diff", names[i], &error),
                         -EINVAL);
    ck_assert_int_eq(ssh_call_about(&call, "me@there", "belljar", "diff", "web-1.a_B", &error), 0);
    ck_assert_str_eq(call.command, "belljar diff -- web-1.a_B");
    ck_assert_int_eq(ssh_call_make(&call, "me@there", "env A=b /x/belljar", true, &error), 0);
    ck_assert(has(&call, "BatchMode=yes") && has(&call, "env A=b /x/belljar bridge"));
    ck_assert(has(&call, "ClearAllForwardings=yes") && has(&call, "-a") && has(&call, "-x"));
}
END_TEST

static const char *explained(const char *said, int code)
{
    static char out[SSH_WORDS_MAX];
    struct ssh_words words = {0};
    ssh_words_feed(&words, said, strlen(said));
    ssh_explain(&words, code, "belljar", out);
    return out;
}

START_TEST(the_last_words_are_the_reason)
{
    ck_assert_str_eq(explained("Warning: x\r\nPermission denied (publickey).\r\n\n", 255),
                     "Permission denied (publickey).");
    ck_assert_str_eq(explained("no line feed", 255), "no line feed");
    ck_assert_ptr_nonnull(strstr(explained("sh: belljar: not found\n", 127), "--remote-command"));
    ck_assert_ptr_nonnull(strstr(explained("", 137), "signal 9"));
    ck_assert_ptr_nonnull(strstr(explained("", 255), "255"));
    ck_assert_ptr_null(strchr(explained("evil \x1b]0;title\a\n", 255), '\x1b'));
    char flood[100000];
    memset(flood, 'x', sizeof(flood) - 1);
    flood[sizeof(flood) - 1] = '\0';
    ck_assert_uint_lt(strlen(explained(flood, 255)), SSH_WORDS_MAX);
}
END_TEST

START_TEST(labels_are_short_and_unique)
{
    static const char *const names[] = {"me@build.example", "you@build.example",
                                        "ssh://me@other:2222", "build.example", "\x1b[31m"};
    struct host hosts[5];
    for (size_t i = 0; i < 5; i++) {
        hosts[i] = (struct host){.destination = names[i]};
        host_label(&hosts[i], hosts, i);
    }
    ck_assert_str_eq(hosts[0].label, "build.example");
    ck_assert_str_eq(hosts[1].label, "build.example~2");
    ck_assert_str_eq(hosts[2].label, "other");
    ck_assert_str_eq(hosts[3].label, "build.example~3");
    ck_assert_ptr_null(strchr(hosts[4].label, '\x1b'));
}
END_TEST

/* ---- the far end, as another process ---- */

static char base[64];
static int line = -1, view = -1;
static pid_t far;
static char in[512 * 1024];
static size_t in_size;

static void open_far(void)
{
    static struct bj_paths paths;
    char path[128];
    int pair[2];
    strcpy(base, "/tmp/bjb-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(base));
    snprintf(paths.runtime, sizeof(paths.runtime), "%s", base);
    snprintf(path, sizeof(path), "%s/abc", base);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    strcat(path, "/view.sock");
    view = bj_socket_listen(path, NULL);
    ck_assert_int_ge(view, 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    far = fork();
    ck_assert_int_ge(far, 0);
    if (far == 0) {
        dup2(pair[1], STDIN_FILENO);
        dup2(pair[1], STDOUT_FILENO);
        close(pair[0]);
        close(pair[1]);
        _exit(far_run(&paths, NULL) < 0);
    }
    close(pair[1]);
    line = pair[0];
    in_size = 0;
}

/* Returns whether it ended by itself because something was wrong. */
static bool close_far(void)
{
    int status;
    close(line);
    ck_assert_int_eq(waitpid(far, &status, 0), far);
    close(view);
    char command[128];
    snprintf(command, sizeof(command), "rm -r %s", base);
    ck_assert_int_eq(system(command), 0);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status) != 0;
}

/* False when the far end has left. */
static bool say(const struct bj_message *message)
{
    msgpack_sbuffer buffer;
    msgpack_sbuffer_init(&buffer);
    ck_assert_int_eq(bj_message_encode(message, &buffer), 0);
    bool whole = send(line, buffer.data, buffer.size, MSG_NOSIGNAL) == (ssize_t)buffer.size;
    ck_assert(whole || errno == EPIPE || errno == ECONNRESET);
    msgpack_sbuffer_destroy(&buffer);
    return whole;
}

static void dial(uint32_t channel, const char *service, const char *id)
{
    struct bj_message message = {.type = BJ_DIAL, .channel = channel};
    message.field[BJ_DIAL_SERVICE] =
        (struct bj_field){.data = service, .size = (uint32_t)strlen(service)};
    message.field[BJ_DIAL_ID] = (struct bj_field){.data = id, .size = (uint32_t)strlen(id)};
    say(&message);
}

static bool data(uint32_t channel, uint64_t offset, const char *bytes, size_t size)
{
    struct bj_message message = {.type = BJ_DATA, .channel = channel};
    message.field[BJ_DATA_OFFSET].u = offset;
    message.field[BJ_DATA_BYTES] = (struct bj_field){.data = bytes, .size = (uint32_t)size};
    return say(&message);
}

/* The next message; false at the end. Its fields are valid until the next call. */
static bool hear(struct bj_message *message)
{
    static size_t taken;
    memmove(in, in + taken, in_size - taken);
    in_size -= taken;
    taken = 0;
    for (;;) {
        struct bj_frame frame;
        bj_frame_reset(&frame);
        int found = bj_frame_scan(&frame, &bj_frame_limits_link, in, in_size, &taken, NULL);
        ck_assert_int_ge(found, 0);
        if (found == 1) {
            ck_assert_int_eq(bj_message_decode(message, BJ_SIDE_FAR, in, taken, NULL), 0);
            return true;
        }
        taken = 0;
        ssize_t got = read(line, in + in_size, sizeof(in) - in_size);
        if (got <= 0)
            return false;
        in_size += (size_t)got;
    }
}

static void hear_type(enum bj_message_type type, struct bj_message *message)
{
    ck_assert(hear(message));
    ck_assert_int_eq(message->type, type);
}

START_TEST(a_monitor_is_reached_by_its_id)
{
    struct bj_message message;
    char bytes[16];
    open_far();
    hear_type(BJ_GREET, &message);
    ck_assert_uint_eq(message.field[BJ_GREET_VERSION].u, BJ_BRIDGE_VERSION);
    dial(1, "view", "abc");
    hear_type(BJ_CREDIT, &message);
    ck_assert_uint_eq(message.field[BJ_CREDIT_LIMIT].u, BJ_STREAM_WINDOW);
    int there = -1;
    while (there < 0)
        there = accept(view, NULL, NULL);
    data(1, 0, "hello", 5);
    ssize_t got = -1;
    while (got < 0)
        got = read(there, bytes, sizeof(bytes));
    ck_assert_int_eq(got, 5);
    ck_assert_int_eq(write(there, "back", 4), 4);
    hear_type(BJ_DATA, &message);
    ck_assert_uint_eq(message.field[BJ_DATA_BYTES].size, 4);
    close(there);
    hear_type(BJ_CLOSE, &message);
    ck_assert(!close_far());
}
END_TEST

START_TEST(no_path_crosses_it)
{
    static const char *const ids[] = {"", ".", "..", "../abc", "abc/", "/abc", "a.b", "nobody"};
    struct bj_message message;
    open_far();
    hear_type(BJ_GREET, &message);
    for (uint32_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        dial(i + 1, "view", ids[i]);
        hear_type(BJ_CLOSE, &message);
        ck_assert_uint_eq(message.channel, i + 1);
        ck_assert_uint_gt(message.field[BJ_CLOSE_REASON].size, 0);
    }
    dial(100, "exec", "abc"); /* nobody listens there */
    hear_type(BJ_CLOSE, &message);
    ck_assert(!close_far());
}
END_TEST

/* Each breaks the rules once, which ends the bridge. */
START_TEST(what_breaks_the_rules_ends_it)
{
    struct bj_message message;
    struct bj_message credit = {.type = BJ_CREDIT, .channel = 1};
    open_far();
    hear_type(BJ_GREET, &message);
    dial(1, "view", "abc");
    hear_type(BJ_CREDIT, &message);
    switch (_i) {
    case 0:
        dial(2, "control", "abc");
        break;
    case 1:
        dial(1, "view", "abc"); /* a number is used once */
        break;
    case 2:
        data(1, 7, "gap", 3);
        break;
    case 3:
        data(9, 0, "nobody", 6);
        break;
    case 4:
        say(&credit); /* goes back: the far end may send a window from the start */
        break;
    case 5:
        ck_assert_int_eq(send(line, "GET / HTTP/1.1\r\n", 16, MSG_NOSIGNAL), 16);
        break;
    case 6: /* more than the credit; the monitor's socket, which nobody reads, takes the first of it
             */
        for (uint64_t sent = 0; data(1, sent, in, sizeof(in) / 16); sent += sizeof(in) / 16)
            ck_assert_uint_lt(sent, 64U * BJ_STREAM_WINDOW);
        break;
    }
    while (hear(&message))
        continue;
    ck_assert(close_far());
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("bridge");
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, ssh_is_told_no_option_by_a_host);
    tcase_add_test(cases, the_last_words_are_the_reason);
    tcase_add_test(cases, labels_are_short_and_unique);
    tcase_add_test(cases, a_monitor_is_reached_by_its_id);
    tcase_add_test(cases, no_path_crosses_it);
    tcase_add_loop_test(cases, what_breaks_the_rules_ends_it, 0, 7);
    return run_suite("bridge", cases);
}
