/* `belljar-shim ask` and its server: verdicts, withdrawal, reconnects, limits, hostile clients. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <check.h>

#include "tests/unit/shim/double.h"
#include "tests/unit/transport/suite.h"

static struct double_monitor monitor;

static const char *const question[] = {"--kind", "exec", "--title", "May I?", NULL};

static void start(void)
{
    double_start_shell(&monitor, false, "read x");
    double_connect(&monitor);
    struct bj_message message;
    double_expect(&monitor, BJ_STARTED, &message); /* so its socket is there, too */
}

static void end(void)
{
    struct bj_message message;
    double_send_input(&monitor, "\n", 1);
    ck_assert_int_eq(double_finish(&monitor, &message), 0);
    double_end(&monitor);
}

static void verdict(uint32_t channel, uint64_t answer, const char *reason)
{
    struct bj_message message = {.type = BJ_VERDICT, .channel = channel};
    message.field[BJ_VERDICT_ANSWER].u = answer;
    message.field[BJ_VERDICT_REASON].data = reason;
    message.field[BJ_VERDICT_REASON].size = (uint32_t)strlen(reason);
    double_send(&monitor, &message);
}

static void check_text(int err, const char *expected)
{
    char text[4096];
    size_t size = 0;
    ssize_t got;
    while ((got = read(err, text + size, sizeof(text) - 1 - size)) > 0)
        size += (size_t)got;
    text[size] = '\0';
    close(err);
    if (expected[0] == '\0')
        ck_assert_str_eq(text, "");
    else
        ck_assert_msg(strstr(text, expected) != NULL, "\"%s\" lacks \"%s\"", text, expected);
}

static bool field_is(const struct bj_field *field, const char *text)
{
    return field->size == strlen(text) && memcmp(field->data, text, field->size) == 0;
}

static const struct {
    uint64_t answer;
    const char *reason;
    int code;
    const char *text;
} answers[] = {
    {BJ_ANSWER_ALLOW, "", 0, ""},
    {BJ_ANSWER_ALLOW, "just once", 0, "allowed: just once"},
    {BJ_ANSWER_DENY, "", 1, "denied"},
    {BJ_ANSWER_DENY, "too wide", 1, "denied: too wide"},
    {BJ_ANSWER_PASS, "", 2, "nobody decided"},
    {BJ_ANSWER_PASS, "away", 2, "nobody decided: away"},
};

START_TEST(test_answers)
{
    uint32_t last = BJ_CHANNEL_FIRST_FREE - 1;
    start();
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        int err;
        struct bj_message message;
        pid_t pid = double_ask(&monitor, question, &err);
        double_expect(&monitor, BJ_ASK, &message);
        ck_assert(field_is(&message.field[BJ_ASK_KIND], "exec"));
        ck_assert(field_is(&message.field[BJ_ASK_TITLE], "May I?"));
        ck_assert_uint_eq(message.field[BJ_ASK_DETAIL].size, 0);
        ck_assert_uint_gt(message.channel, last);
        last = message.channel;
        verdict(message.channel, answers[i].answer, answers[i].reason);
        ck_assert_int_eq(double_wait(pid), answers[i].code);
        check_text(err, answers[i].text);
        verdict(message.channel, BJ_ANSWER_ALLOW, ""); /* too late, and no error */
    }
    end();
}
END_TEST

/* A hook of an agent: `input` on stdin, the answer on stdout. `event`: it tells of this one. */
static pid_t hook(const char *dialect, const char *event, const char *path, const char *input,
                  size_t size, int *out)
{
    int in[2], answer[2];
    ck_assert(pipe2(in, O_CLOEXEC) == 0 && pipe2(answer, O_CLOEXEC) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        setenv("BELLJAR_ASK_SOCKET", path, 1);
        dup2(in[0], 0);
        dup2(answer[1], 1);
        dup2(answer[1], 2);
        execl(getenv("BELLJAR_TEST_SHIM"), "belljar-shim", "ask", "--dialect", dialect,
              event ? "--event" : NULL, event, NULL);
        _exit(99);
    }
    close(in[0]);
    close(answer[1]);
    signal(SIGPIPE, SIG_IGN); /* who needs no more of it reads no more */
    while (size > 0) {
        ssize_t sent = write(in[1], input, size);
        if (sent <= 0)
            break;
        input += sent;
        size -= (size_t)sent;
    }
    close(in[1]);
    *out = answer[0];
    return pid;
}

#define HOOK(NAME) "{\"hookSpecificOutput\":{\"hookEventName\":\"" NAME "\","

/* What each dialect says to allow, to deny (with a reason that needs escapes, and without one), and
 * when nobody decided: nothing where the agent goes on to its own question, else a denial. */
static const struct {
    const char *name, *allow, *deny;
    int codes[3];
    bool alone;
} dialects[] = {
    {"claude",
     HOOK("PreToolUse") "\"permissionDecision\":\"allow\"",
     HOOK("PreToolUse") "\"permissionDecision\":\"deny\",\"permissionDecisionReason\":\"",
     {0},
     false},
    {"claude-permission",
     HOOK("PermissionRequest") "\"decision\":{\"behavior\":\"allow\"}}}",
     HOOK("PermissionRequest") "\"decision\":{\"behavior\":\"deny\",\"message\":\"",
     {0},
     false},
    {"codex", "", HOOK("PreToolUse") "\"permissionDecision\":\"deny\"", {0}, true},
    {"codex-permission",
     HOOK("PermissionRequest") "\"decision\":{\"behavior\":\"allow\"}}}",
     HOOK("PermissionRequest") "\"decision\":{\"behavior\":\"deny\",\"message\":\"",
     {0},
     true},
    {"gemini", "{\"decision\":\"allow\"", "{\"decision\":\"deny\",\"reason\":\"", {0}, true},
    {"opencode", "{\"decision\":\"allow\"", "{\"decision\":\"deny\",\"reason\":\"", {0}, true},
    {"raw", "", "", {0, 1, 2}, false},
};

static void check_dialect(size_t i, const char *event, uint64_t answer, const char *reason,
                          const char *expected)
{
    char path[300], kind[64];
    struct bj_message message;
    int out;
    snprintf(path, sizeof(path), "%s/ask.sock", monitor.dir);
    pid_t pid = hook(dialects[i].name, event, path, "{\"tool\":1}", 10, &out);
    double_expect(&monitor, BJ_ASK, &message);
    snprintf(kind, sizeof(kind), "hook/%s", dialects[i].name);
    ck_assert(field_is(&message.field[BJ_ASK_KIND], kind));
    ck_assert(field_is(&message.field[BJ_ASK_DETAIL], "{\"tool\":1}"));
    verdict(message.channel, answer, reason);
    int code = answer == BJ_ANSWER_ALLOW ? 0 : answer == BJ_ANSWER_DENY ? 1 : 2;
    ck_assert_int_eq(double_wait(pid), event ? 0 : dialects[i].codes[code]);
    check_text(out, expected);
}

START_TEST(test_dialects)
{
    start();
    for (size_t i = 0; i < sizeof(dialects) / sizeof(dialects[0]); i++) {
        const char *reason =
            strcmp(dialects[i].name, "raw") == 0 ? "" : "no \\\"\\u000a\\u007f\\\\";
        const char *unsaid = *reason ? "denied by the human" : "";
        check_dialect(i, NULL, BJ_ANSWER_ALLOW, "", dialects[i].allow);
        check_dialect(i, NULL, BJ_ANSWER_DENY, "no \"\n\x7f\\", dialects[i].deny);
        check_dialect(i, NULL, BJ_ANSWER_DENY, "no \"\n\x7f\\", reason);
        check_dialect(i, NULL, BJ_ANSWER_DENY, "", unsaid);
        check_dialect(i, NULL, BJ_ANSWER_PASS, "", "");
        check_dialect(i, NULL, BJ_ANSWER_PASS, "too many",
                      dialects[i].alone ? dialects[i].deny : "");
        check_dialect(i, NULL, BJ_ANSWER_PASS, "too many", dialects[i].alone ? "too many" : "");
        for (uint64_t answer = BJ_ANSWER_DENY; answer <= BJ_ANSWER_PASS; answer++)
            check_dialect(i, "Stop", answer, "whatever", "");
        /* Behind a tool the agent is told something, if there is anything. */
        check_dialect(i, "PostToolUse", BJ_ANSWER_PASS, "no \"a\"\nb",
                      HOOK("PostToolUse") "\"additionalContext\":\"no \\\"a\\\"\\u000ab\"}}\n");
        check_dialect(i, "AfterTool", BJ_ANSWER_PASS, "why", HOOK("AfterTool"));
        check_dialect(i, "PostToolUseFailure", BJ_ANSWER_PASS, "", "");
    }
    end();
}
END_TEST

/* The agents that would go on without an answer hear a denial, whatever it is that fails. */
START_TEST(test_dialect_without_a_server)
{
    start();
    for (size_t i = 0; i < sizeof(dialects) / sizeof(dialects[0]); i++)
        for (int tells = 0; tells < 2; tells++) {
            int out;
            pid_t pid =
                hook(dialects[i].name, tells ? "Stop" : NULL, "/nowhere/ask.sock", "{}", 2, &out);
            ck_assert_int_eq(double_wait(pid), tells ? 0 : dialects[i].codes[2]);
            check_text(out, !tells && dialects[i].alone ? dialects[i].deny : "cannot connect");
        }
    end();
}
END_TEST

/* The question was closed without a word on it. */
START_TEST(test_dialect_closed)
{
    char path[300];
    struct bj_message message;
    int out;
    start();
    snprintf(path, sizeof(path), "%s/ask.sock", monitor.dir);
    pid_t pid = hook("codex", NULL, path, "{}", 2, &out);
    double_expect(&monitor, BJ_ASK, &message);
    struct bj_message gone = {.type = BJ_CLOSE, .channel = message.channel};
    gone.field[BJ_CLOSE_REASON].data = "";
    double_send(&monitor, &gone);
    ck_assert_int_eq(double_wait(pid), 0);
    check_text(out, "\"permissionDecision\":\"deny\"");
    end();
}
END_TEST

/* More than a question may have is none: the monitor gets an empty one and tells the human. Of an
 * event it gets the name. A dialect that does not exist is told to it as well. */
START_TEST(test_dialect_too_long)
{
    static char input[BJ_ASK_DETAIL_MAX + 2];
    char path[300];
    struct bj_message message;
    int out;
    memset(input, 'x', sizeof(input));
    start();
    snprintf(path, sizeof(path), "%s/ask.sock", monitor.dir);
    pid_t pid = hook("claude", NULL, path, input, sizeof(input), &out);
    double_expect(&monitor, BJ_ASK, &message);
    ck_assert_uint_eq(message.field[BJ_ASK_DETAIL].size, 0);
    verdict(message.channel, BJ_ANSWER_PASS, "over 64 KiB");
    ck_assert_int_eq(double_wait(pid), 0);
    check_text(out, "");
    pid = hook("codex", NULL, path, input, sizeof(input), &out);
    double_expect(&monitor, BJ_ASK, &message);
    ck_assert_uint_eq(message.field[BJ_ASK_DETAIL].size, 0);
    verdict(message.channel, BJ_ANSWER_PASS, "over 64 KiB");
    ck_assert_int_eq(double_wait(pid), 0);
    check_text(out, "\"deny\",\"permissionDecisionReason\":\"over 64 KiB\"");
    pid = hook("gemini", "AfterAgent", path, input, sizeof(input), &out);
    double_expect(&monitor, BJ_ASK, &message);
    ck_assert(field_is(&message.field[BJ_ASK_DETAIL], "{\"hook_event_name\":\"AfterAgent\"}"));
    verdict(message.channel, BJ_ANSWER_PASS, "");
    ck_assert_int_eq(double_wait(pid), 0);
    check_text(out, "");
    pid = hook("esperanto", NULL, path, "{}", 2, &out);
    double_expect(&monitor, BJ_ASK, &message);
    ck_assert(field_is(&message.field[BJ_ASK_KIND], "hook/esperanto"));
    verdict(message.channel, BJ_ANSWER_PASS, "not known");
    ck_assert_int_eq(double_wait(pid), 2);
    check_text(out, "there is no dialect \"esperanto\", but claude");
    end();
}
END_TEST

/* What an agent may put in the place of the shim's socket. None of it is an allow. */
static const struct {
    const char *bytes;
    size_t size;
    const char *text;
} false_answers[] = {
    {"", 0, "closed the connection"},
    {"\x92\x00", 2, "closed the connection"},
    {"\xc1", 1, "not msgpack"},
    {"\x00", 1, "cannot be read"},
    {"\x91\x01", 2, "cannot be read"},
    {"\x92\x01\x01", 3, "cannot be read"},
    {"\x92\xa1x\xa1y", 5, "cannot be read"},
    {"\x92\x63\xa2hi", 5, "cannot be read"}, /* an answer that does not exist */
};

START_TEST(test_false_server)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "/tmp/belljar-false-%d", (int)getpid());
    unlink(address.sun_path);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(listen(listener, 4), 0);
    for (size_t i = 0; i < sizeof(false_answers) / sizeof(false_answers[0]); i++) {
        int out;
        pid_t pid = hook("raw", NULL, address.sun_path, "{}", 2, &out);
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(send(fd, false_answers[i].bytes, false_answers[i].size, MSG_NOSIGNAL),
                         (ssize_t)false_answers[i].size);
        shutdown(fd, SHUT_WR);
        ck_assert_int_eq(double_wait(pid), 2);
        close(fd);
        check_text(out, false_answers[i].text);
    }
    close(listener);
    unlink(address.sun_path);
}
END_TEST

START_TEST(test_closed_by_monitor)
{
    int err;
    struct bj_message message;
    start();
    pid_t pid = double_ask(&monitor, question, &err);
    double_expect(&monitor, BJ_ASK, &message);
    struct bj_message gone = {.type = BJ_CLOSE, .channel = message.channel};
    gone.field[BJ_CLOSE_REASON] = (struct bj_field){.data = "gone", .size = 4};
    double_send(&monitor, &gone);
    ck_assert_int_eq(double_wait(pid), 2);
    check_text(err, "nobody decided: gone");
    end();
}
END_TEST

START_TEST(test_client_dies)
{
    int err;
    struct bj_message message;
    start();
    pid_t pid = double_ask(&monitor, question, &err);
    double_expect(&monitor, BJ_ASK, &message);
    uint32_t channel = message.channel;
    kill(pid, SIGKILL);
    ck_assert_int_eq(double_wait(pid), 128 + SIGKILL);
    close(err);
    double_expect(&monitor, BJ_CLOSE, &message);
    ck_assert_uint_eq(message.channel, channel);
    end();
}
END_TEST

/* Asked while the link is down, told when it is up, told again on the next connection. */
START_TEST(test_reconnect)
{
    int err;
    struct bj_message message;
    start();
    close(monitor.listener);
    double_hang_up(&monitor);
    pid_t pid = double_ask(&monitor, question, &err);
    double_listen_again(&monitor);
    double_connect(&monitor);
    double_expect(&monitor, BJ_ASK, &message);
    uint32_t channel = message.channel;
    double_connect(&monitor);
    double_expect(&monitor, BJ_ASK, &message);
    ck_assert_uint_eq(message.channel, channel);
    ck_assert(field_is(&message.field[BJ_ASK_TITLE], "May I?"));
    verdict(channel, BJ_ANSWER_ALLOW, "");
    ck_assert_int_eq(double_wait(pid), 0);
    close(err);
    end();
}
END_TEST

/* All wait at once, more are turned away, each gets its own answer. */
START_TEST(test_many)
{
    pid_t pids[BJ_ASKS_MAX];
    int errs[BJ_ASKS_MAX], err;
    uint32_t channels[BJ_ASKS_MAX];
    struct bj_message message;
    start();
    for (size_t i = 0; i < BJ_ASKS_MAX; i++) {
        pids[i] = double_ask(&monitor, question, &errs[i]);
        double_expect(&monitor, BJ_ASK, &message);
        channels[i] = message.channel;
    }
    pid_t more = double_ask(&monitor, question, &err);
    ck_assert_int_eq(double_wait(more), 2);
    check_text(err, "too many questions");
    for (size_t i = BJ_ASKS_MAX; i-- > 0;)
        verdict(channels[i], i % 2, "");
    for (size_t i = 0; i < BJ_ASKS_MAX; i++) {
        ck_assert_int_eq(double_wait(pids[i]), i % 2 ? 0 : 1);
        close(errs[i]);
    }
    end();
}
END_TEST

START_TEST(test_detail)
{
    static char detail[BJ_ASK_DETAIL_MAX + 1];
    memset(detail, '\xff', sizeof(detail));
    struct bj_message message;
    start();
    for (size_t extra = 0; extra < 2; extra++) {
        int err, in[2];
        ck_assert_int_eq(pipe2(in, O_CLOEXEC), 0);
        int old = dup(0);
        dup2(in[0], 0);
        pid_t pid = double_ask(
            &monitor,
            (const char *const[]){"--kind", "exec", "--title", "x", "--detail-stdin", NULL}, &err);
        dup2(old, 0);
        close(old);
        close(in[0]);
        signal(SIGPIPE, SIG_IGN);
        for (size_t at = 0; at < BJ_ASK_DETAIL_MAX + extra;)
            at += (size_t)write(in[1], detail + at, BJ_ASK_DETAIL_MAX + extra - at);
        close(in[1]);
        if (extra) {
            ck_assert_int_eq(double_wait(pid), 2);
            check_text(err, "more than 65536 bytes");
            break;
        }
        double_expect(&monitor, BJ_ASK, &message);
        ck_assert_uint_eq(message.field[BJ_ASK_DETAIL].size, BJ_ASK_DETAIL_MAX);
        ck_assert_int_eq(memcmp(message.field[BJ_ASK_DETAIL].data, detail, BJ_ASK_DETAIL_MAX), 0);
        verdict(message.channel, BJ_ANSWER_ALLOW, "");
        ck_assert_int_eq(double_wait(pid), 0);
        close(err);
    }
    end();
}
END_TEST

START_TEST(test_usage)
{
    static char long_title[BJ_ASK_TITLE_MAX + 2];
    memset(long_title, 'x', sizeof(long_title) - 1);
    const struct {
        const char *argv[8];
        int code;
        const char *text;
    } rows[] = {
        {{"--kind", "exec", "--title", long_title}, 2, "1025 bytes, 1024 are allowed"},
        {{"--kind", "exec"}, 2, "--title TEXT"},
        {{"--title", "x"}, 2, "--kind KIND"},
        {{"--kind", "a-kind-that-has-too-many-characters", "--title", "x"}, 2, "32 are allowed"},
        {{"--kind", "exec", "--title", "May", "I?"}, 2, "I?"},
        {{"--nonsense"}, 2, "nonsense"},
        {{"--kind", "exec", "--title", "x", "--event", "Stop"}, 2, "goes with --dialect"},
        {{"--dialect", "claude", "--event", "a\"b"}, 0, "an event is a word"},
        {{"--help"}, 0, ""},
        {{"--version"}, 0, ""},
    };
    start();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int err;
        pid_t pid = double_ask(&monitor, rows[i].argv, &err);
        ck_assert_int_eq(double_wait(pid), rows[i].code);
        check_text(err, rows[i].text);
    }
    end();
}
END_TEST

START_TEST(test_nobody_listens)
{
    int err;
    start();
    char dir[256];
    memcpy(dir, monitor.dir, sizeof(dir));
    strcat(monitor.dir, "/none");
    pid_t pid = double_ask(&monitor, question, &err);
    memcpy(monitor.dir, dir, sizeof(dir));
    ck_assert_int_eq(double_wait(pid), 2);
    check_text(err, "cannot connect");
    end();
}
END_TEST

static int raw_client(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%.90s/ask.sock", monitor.dir);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static const struct {
    const char *bytes;
    size_t size;
} bad_questions[] = {
    {"\xc1", 1},
    {"\x01", 1},
    {"\x93\xa1k\xa1t", 5}, /* waits for more, and the client goes */
    {"\x93\xa1k\xa1t\xa1"
     "d",
     7},                             /* str instead of bin */
    {"\x92\xa1k\xa1t", 5},           /* two */
    {"\x93\xa1k\xa1t\xc4\x00x", 8},  /* a byte behind it */
    {"\x93\xdb\xff\xff\xff\xff", 6}, /* huge */
    {"\x93\xd9\x21"
     "123456789012345678901234567890123"
     "\xa0\xc4\x00",
     39}, /* long kind */
    {"\x91\x91\x91\x91\x91\x91", 6},
};

START_TEST(test_hostile_clients)
{
    struct bj_message message;
    char byte[64];
    start();
    int idle[40];
    for (size_t i = 0; i < 40; i++) /* they say nothing and take no one's place */
        idle[i] = raw_client();
    for (size_t i = 0; i < sizeof(bad_questions) / sizeof(bad_questions[0]); i++) {
        int fd = raw_client();
        ck_assert_int_gt(send(fd, bad_questions[i].bytes, bad_questions[i].size, MSG_NOSIGNAL), 0);
        if (i != 2)
            while (recv(fd, byte, sizeof(byte), 0) > 0)
                ck_assert_uint_eq((unsigned char)byte[1], BJ_ANSWER_PASS);
        close(fd);
    }
    int err;
    pid_t pid = double_ask(&monitor, question, &err);
    double_expect(&monitor, BJ_ASK, &message); /* the first that is one */
    ck_assert_uint_eq(message.channel, BJ_CHANNEL_FIRST_FREE);
    verdict(message.channel, BJ_ANSWER_ALLOW, "");
    ck_assert_int_eq(double_wait(pid), 0);
    close(err);

    /* One that talks on while it waits is taken for dead. */
    int fd = raw_client();
    ck_assert_int_eq(send(fd, "\x93\xa1k\xa1t\xc4\x00", 7, 0), 7);
    double_expect(&monitor, BJ_ASK, &message);
    ck_assert_int_eq(send(fd, "x", 1, 0), 1);
    double_expect(&monitor, BJ_CLOSE, &message);
    close(fd);
    for (size_t i = 0; i < 40; i++)
        close(idle[i]);
    end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("shim ask");
    TCase *tests = tcase_create("ask");
    tcase_set_timeout(tests, 60);
    tcase_add_unchecked_fixture(tests, double_base_make, double_base_remove);
    tcase_add_test(tests, test_answers);
    tcase_add_test(tests, test_closed_by_monitor);
    tcase_add_test(tests, test_client_dies);
    tcase_add_test(tests, test_dialects);
    tcase_add_test(tests, test_dialect_too_long);
    tcase_add_test(tests, test_dialect_without_a_server);
    tcase_add_test(tests, test_dialect_closed);
    tcase_add_test(tests, test_false_server);
    tcase_add_test(tests, test_reconnect);
    tcase_add_test(tests, test_many);
    tcase_add_test(tests, test_detail);
    tcase_add_test(tests, test_usage);
    tcase_add_test(tests, test_nobody_listens);
    tcase_add_test(tests, test_hostile_clients);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
