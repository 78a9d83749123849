/*
 * Requests with a credential, against a TLS server of our own: `openssl s_server`, whose standard
 * input and output are the plain text of the connection, with a certificate made for the test.
 */
#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <msgpack.h>

#include "tests/unit/egress/double.h"
#include "transport/message.h"

#define C      FIRST
#define SECRET "sk-real-0123456789abcdef"

static char files[64], certificate[96], key[96], upstream[128];

static struct {
    pid_t pid;
    int in, out; /* to and from its standard streams */
    unsigned port;
    char text[512 * 1024]; /* the request, as far as it came */
    size_t size;
} server;

static void make_certificate(void)
{
    char command[512];
    strcpy(files, "/tmp/belljar-tls-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(files));
    snprintf(certificate, sizeof(certificate), "%s/cert.pem", files);
    snprintf(key, sizeof(key), "%s/key.pem", files);
    snprintf(command, sizeof(command),
             "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
             "-subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout %s -out %s "
             "2>/dev/null",
             key, certificate);
    ck_assert_int_eq(system(command), 0);
}

static void server_start(void)
{
    int in[2], out[2];
    char address[32];
    if (server.port == 0) /* the same one again when it starts again */
        close(tcp_listen(&server.port));
    ck_assert_int_eq(pipe2(in, O_CLOEXEC), 0);
    ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
    snprintf(address, sizeof(address), "127.0.0.1:%u", server.port);
    server.pid = fork();
    if (server.pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(in[0], 0);
        dup2(out[1], 1);
        dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), 2);
        execlp("openssl", "openssl", "s_server", "-quiet", "-accept", address, "-cert", certificate,
               "-key", key, "-naccept", "1", (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    server.in = in[1];
    server.out = out[0];
    fcntl(server.out, F_SETFL, O_NONBLOCK);
    fcntl(server.in, F_SETFL, O_NONBLOCK);
    server.size = 0;
    server.text[0] = '\0';
    snprintf(upstream, sizeof(upstream), "https://localhost:%u/base/", server.port);
}

static void server_stop(void)
{
    if (server.pid <= 0)
        return;
    kill(server.pid, SIGKILL);
    waitpid(server.pid, NULL, 0);
    close(server.in);
    close(server.out);
    server.pid = -1;
}

static bool server_got(const char *text)
{
    ssize_t size =
        read(server.out, server.text + server.size, sizeof(server.text) - 1 - server.size);
    if (size > 0) {
        server.size += (size_t)size;
        server.text[server.size] = '\0';
    }
    return strstr(server.text, text) != NULL;
}

static void server_say(const char *text)
{
    ck_assert_int_eq(write(server.in, text, strlen(text)), (ssize_t)strlen(text));
}

/* It listens a moment after its start: the test asks again until it does. */
static void server_ready(void)
{
    char command[128];
    snprintf(command, sizeof(command), ":%04X ", server.port);
    bool listens = false;
    for (int left = 500; left > 0 && !listens; left--) {
        char line[256];
        FILE *file = fopen("/proc/net/tcp", "re");
        while (file && fgets(line, sizeof(line), file))
            listens = listens || (strstr(line, command) && strstr(line, " 0A "));
        if (file)
            fclose(file);
        world_advance(10);
    }
    ck_assert_msg(listens, "openssl s_server does not listen");
}

static void use_credential(void)
{
    world.secret = SECRET;
    world.header = "Authorization";
    world.format = "Bearer {}";
    world.upstream = upstream;
    world.credential_host = "localhost";
    rule_add("localhost", "allow", "", true);
}

static void start(void)
{
    make_certificate();
    const char *const options[] = {"--ca-file", certificate, "--hold-seconds", "5", NULL};
    world_start(options);
    server_start();
    server_ready();
    use_credential();
}

static void stop(void)
{
    server_stop();
    if (world.seen_size > 0)
        ck_assert_ptr_null(memmem(world.seen, world.seen_size, SECRET, strlen(SECRET)));
    world_stop();
    unlink(certificate);
    unlink(key);
    rmdir(files);
}

static int count(const char *where, const char *what)
{
    int times = 0;
    for (const char *at = where; (at = strstr(at, what)); at++)
        times++;
    return times;
}

#define HEAD "Host: 127.0.0.1:3128\r\nAuthorization: Bearer placeholder\r\n"

START_TEST(the_header_is_replaced)
{
    shim_say(C, "POST /belljar/credential/api/v1/messages?x=1 HTTP/1.1\r\n" HEAD
                "authorization: Bearer placeholder-2\r\nX-Mine: 1\r\nX-Empty:\r\n"
                "Connection: keep-alive\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhel");
    wait_for(server_got("\r\n\r\nhel"));
    shim_text(C, "lo");
    wait_for(server_got("\r\n\r\nhello"));
    ck_assert(strncmp(server.text, "POST /base/v1/messages?x=1 HTTP/1.1\r\n", 37) == 0);
    ck_assert_int_eq(count(server.text, "\r\nAuthorization: Bearer " SECRET "\r\n"), 1);
    ck_assert_int_eq(count(server.text, "uthorization"), 1);
    ck_assert_int_eq(count(server.text, "placeholder"), 0);
    ck_assert_int_eq(count(server.text, "\r\nX-Mine: 1\r\n"), 1);
    ck_assert_int_eq(count(server.text, "\r\nX-Empty:"), 1);
    ck_assert_int_eq(count(server.text, "\r\nHost: localhost:"), 1);
    ck_assert_int_eq(count(server.text, "Content-Length: 5\r\n"), 1);
    ck_assert_int_eq(count(server.text, "Expect"), 0);
    ck_assert_int_eq(count(server.text, "Accept"), 0);
    server_say(
        "HTTP/1.1 200 Fine\r\nContent-Length: 4\r\nX-Theirs: 2\r\nKeep-Alive: 5\r\n\r\nbody");
    wait_for(has(C, "body"));
    ck_assert_str_eq(shim_channel(C)->in, "HTTP/1.1 200 Fine\r\nContent-Length: 4\r\n"
                                          "X-Theirs: 2\r\nConnection: close\r\n\r\nbody");
    wait_for(shim_channel(C)->eof);
    ck_assert_str_eq(note_last("egress.decide")->host, "localhost");
    ck_assert_str_eq(note_last("egress.decide")->protocol, "credential");
    ck_assert_int_eq(notes_named("egress.opened"), 1);
    wait_for(notes_named("egress.closed") == 1);
}
END_TEST

START_TEST(events_pass_as_they_come)
{
    shim_say(C, "GET /belljar/credential/api/events HTTP/1.1\r\n" HEAD "\r\n");
    wait_for(server_got("\r\n\r\n"));
    ck_assert_int_eq(count(server.text, "GET /base/events HTTP/1.1\r\n"), 1);
    server_say("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
               "Transfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n");
    wait_for(has(C, "9\r\ndata: 1\n\n\r\n"));
    ck_assert_int_eq(count(shim_channel(C)->in, "Transfer-Encoding: chunked\r\n"), 1);
    server_say("9\r\ndata: 2\n\n\r\n");
    wait_for(has(C, "9\r\ndata: 2\n\n\r\n"));
    ck_assert(!shim_channel(C)->eof);
    server_say("0\r\n\r\n");
    wait_for(has(C, "0\r\n\r\n") && shim_channel(C)->eof);
}
END_TEST

START_TEST(uploads_pass_as_they_come)
{
    shim_say(C, "POST http://127.0.0.1:3128/belljar/credential/api HTTP/1.1\r\n" HEAD
                "Transfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n");
    wait_for(server_got("5\r\nfirst\r\n"));
    ck_assert_int_eq(count(server.text, "POST /base HTTP/1.1\r\n"), 1);
    shim_text(C, "6\r\nsec");
    wait_for(server_got("sec"));
    shim_text(C, "ond\r\n0\r\n\r\n");
    wait_for(server_got("0\r\n\r\n"));
    server_say("HTTP/1.1 204 No Content\r\n\r\n");
    wait_for(shim_channel(C)->eof);
    ck_assert_str_eq(shim_channel(C)->in, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
}
END_TEST

START_TEST(a_slow_reader_stops_the_server)
{
    enum { SIZE = 3 * 1024 * 1024 };
    static char block[SIZE];
    memset(block, 'x', sizeof(block));
    shim_open(C);
    shim_channel(C)->hold_credit = true;
    shim_text(C, "GET /belljar/credential/api/big HTTP/1.1\r\n" HEAD "\r\n");
    wait_for(server_got("\r\n\r\n"));
    char head[64];
    snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", SIZE);
    server_say(head);
    size_t sent = 0;
    bool freed = false;
    for (int left = 20000; sent < sizeof(block) && left > 0; left--) {
        ssize_t size = write(server.in, block + sent, sizeof(block) - sent);
        sent += size > 0 ? (size_t)size : 0;
        world_advance(1);
        struct channel *c = shim_channel(C);
        if (!freed && c->in_size == BJ_STREAM_WINDOW) {
            freed = true; /* all credit used, not a byte more came: now go on */
            c->hold_credit = false;
            c->granted = c->in_size + BJ_STREAM_WINDOW;
            uint64_t limit = c->granted;
            msgpack_sbuffer out;
            msgpack_sbuffer_init(&out);
            bj_message_encode_uints(BJ_CREDIT, C, &out, 1, &limit);
            shim_raw(out.data, out.size);
            msgpack_sbuffer_destroy(&out);
        }
    }
    ck_assert(freed);
    wait_for(shim_channel(C)->eof);
    ck_assert_ptr_nonnull(strstr(shim_channel(C)->in, "\r\n\r\n"));
    ck_assert_uint_eq(strlen(strstr(shim_channel(C)->in, "\r\n\r\n") + 4), SIZE);
}
END_TEST

START_TEST(redirects_are_the_agents_business)
{
    shim_say(C, "GET /belljar/credential/api/r HTTP/1.1\r\n" HEAD "\r\n");
    wait_for(server_got("\r\n\r\n"));
    server_say(
        "HTTP/1.1 302 Found\r\nLocation: https://evil.example/\r\nContent-Length: 0\r\n\r\n");
    wait_for(has(C, "Location: https://evil.example/") && shim_channel(C)->eof);
    ck_assert_int_eq(notes_named("egress.decide"), 1);
}
END_TEST

START_TEST(a_returned_secret_is_stopped)
{
    if (_i == 0) {
        shim_say(C, "GET /belljar/credential/api/echo HTTP/1.1\r\n" HEAD "\r\n");
        wait_for(server_got("\r\n\r\n"));
        server_say("HTTP/1.1 200 OK\r\nX-You-Sent: Bearer " SECRET "\r\nContent-Length: 0\r\n\r\n");
        wait_for(has(C, "HTTP/1.1 502 "));
    } else {
        shim_say(C, "GET /belljar/credential/api/echo HTTP/1.1\r\n" HEAD "\r\n");
        wait_for(server_got("\r\n\r\n"));
        server_say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nyou sent sk-real-01");
        wait_for(has(C, "you sent ")); /* what could be its beginning waits */
        ck_assert(!has(C, "sk-"));
        server_say("23456789abcdef, see?");
        wait_for(shim_channel(C)->closed);
        ck_assert(!has(C, "sk-"));
    }
    wait_for(notes_named("egress.refused") == 1);
}
END_TEST

/* What the credential lets through is the broker's: a tunnel that comes meanwhile is asked about.
 */
START_TEST(no_tunnel_on_the_credentials_verdict)
{
    char text[80];
    rule_add("localhost", "wait", "", true);
    shim_say(C, "GET /belljar/credential/api/x HTTP/1.1\r\n" HEAD "\r\n");
    wait_for(notes_named("egress.decide") == 1);
    ck_assert_str_eq(note_last("egress.decide")->protocol, "credential");
    snprintf(text, sizeof(text), "CONNECT localhost:%u HTTP/1.1\r\n\r\n", server.port);
    shim_say(C + 1, text);
    wait_for(notes_named("egress.decide") == 2);
    ck_assert_str_eq(note_last("egress.decide")->protocol, "connect");
}
END_TEST

/* In another form, or in pieces, the secret would not be found. */
START_TEST(no_encoding_and_no_ranges)
{
    shim_say(C, "GET /belljar/credential/api/echo HTTP/1.1\r\n" HEAD
                "Accept-Encoding: gzip\r\nRange: bytes=0-9\r\nIf-Range: \"x\"\r\n\r\n");
    wait_for(server_got("\r\n\r\n"));
    ck_assert(!server_got("gzip") && !server_got("ytes=") && !server_got("-Range"));
    server_say("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd");
    wait_for(has(C, "HTTP/1.1 502 "));
    ck_assert(!has(C, "abcd"));
}
END_TEST

START_TEST(a_broken_response_is_not_taken_for_whole)
{
    shim_say(C, "GET /belljar/credential/api/x HTTP/1.1\r\n" HEAD "\r\n");
    wait_for(server_got("\r\n\r\n"));
    server_say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n");
    wait_for(has(C, "first"));
    server_stop();
    wait_for(shim_channel(C)->closed);
    ck_assert(!has(C, "0\r\n\r\n") && !shim_channel(C)->eof);
}
END_TEST

START_TEST(the_client_goes_away)
{
    shim_say(C, "GET /belljar/credential/api/events HTTP/1.1\r\n" HEAD "\r\n");
    wait_for(server_got("\r\n\r\n"));
    server_say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n");
    wait_for(has(C, "first"));
    if (_i == 0) {
        shim_close(C);
    } else {
        server_revoke("localhost", 0);
        wait_for(shim_channel(C)->closed);
    }
    int status;
    wait_for(waitpid(server.pid, &status, WNOHANG) == server.pid); /* its connection ended */
    server.pid = -1;
    close(server.in);
    close(server.out);
    wait_for(notes_named("egress.closed") == 1);
}
END_TEST

START_TEST(head_requests_and_old_clients)
{
    if (_i == 0) {
        shim_say(C, "HEAD /belljar/credential/api/x HTTP/1.1\r\n" HEAD "\r\n");
        wait_for(server_got("\r\n\r\n"));
        server_say("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
        wait_for(shim_channel(C)->eof);
        ck_assert(has(C, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nConnection: close\r\n\r\n"));
    } else { /* HTTP/1.0 knows no chunks */
        shim_say(C, "GET /belljar/credential/api/x HTTP/1.0\r\n\r\n");
        wait_for(server_got("\r\n\r\n"));
        server_say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
        wait_for(shim_channel(C)->eof);
        ck_assert_str_eq(shim_channel(C)->in, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc");
    }
}
END_TEST

START_TEST(refusals)
{
    static const struct {
        const char *line, *answer;
    } wrong[] = {
        {"GET /belljar/credential/ HTTP/1.1\r\n", "404"},
        {"GET /belljar/credential//x HTTP/1.1\r\n", "404"},
        {"GET /belljar/credential/a%20b/x HTTP/1.1\r\n", "404"},
        {"GET /belljar/credential/api/../x HTTP/1.1\r\n", "400"},
        {"GET /belljar/credential/api/%2e%2E/x HTTP/1.1\r\n", "400"},
        {"GET /belljar/credential/api/.%2e HTTP/1.1\r\n", "400"},
        {"GET /belljar/credential/api/a%2f..%2fx HTTP/1.1\r\n", "400"},
        {"GET /belljar/credential/api/a\\..\\x HTTP/1.1\r\n", "400"},
        {"GET /belljar/credential/api/..?x HTTP/1.1\r\n", "400"},
        {"TRACE /belljar/credential/api/x HTTP/1.1\r\n", "400"},
    };
    char text[256];
    unsigned i = 0;
    for (; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        snprintf(text, sizeof(text), "%s" HEAD "\r\n", wrong[i].line);
        shim_say(C + i, text);
        snprintf(text, sizeof(text), "HTTP/1.1 %s ", wrong[i].answer);
        wait_for(has(C + i, text));
    }
    ck_assert_int_eq(notes_named("egress.credential"), 0);

    static const struct {
        const char *header, *format, *upstream, *host, *error;
    } bad[] = {
        {"Authorization", "{}", "http://localhost/", "localhost", NULL},
        {"Authorization", "{}", "https://localhost/", "other.example", NULL},
        {"Authorization", "{}", "https://user@localhost/", "localhost", NULL},
        {"Authorization", "{}", "https://localhost/?x", "localhost", NULL},
        {"Authorization", "no place", "https://localhost/", "localhost", NULL},
        {"Authori\nzation", "{}", "https://localhost/", "localhost", NULL},
        {"", "{}", "https://localhost/", "localhost", NULL},
        {"Authorization", "{}", "https://localhost/", "localhost", "no such credential"},
    };
    for (unsigned b = 0; b < sizeof(bad) / sizeof(bad[0]); b++, i++) {
        world.header = bad[b].header;
        world.format = bad[b].format;
        world.upstream = bad[b].upstream;
        world.credential_host = bad[b].host;
        world.credential_error = bad[b].error;
        shim_say(C + i, "GET /belljar/credential/api/x HTTP/1.1\r\n" HEAD "\r\n");
        wait_for(has(C + i, "HTTP/1.1 403 "));
    }
    ck_assert(has(C + i - 1, "no such credential"));
    ck_assert_int_eq(notes_named("egress.decide"), 0);
    ck_assert(!server_got("x"));
}
END_TEST

START_TEST(the_policy_is_asked)
{
    if (_i == 0)
        rule_add("localhost", "deny", "not today", true);
    else
        rule_add("localhost", "allow", "", false); /* but no private addresses */
    shim_say(C, "GET /belljar/credential/api/x HTTP/1.1\r\n" HEAD "\r\n");
    wait_for(has(C, "HTTP/1.1 403 "));
    ck_assert(has(C, _i == 0 ? "not today" : "a loopback address"));
    ck_assert(!server_got("x"));
}
END_TEST

START_TEST(kept_until_forgotten)
{
    for (unsigned i = 0; i < 3; i++) {
        shim_say(C + i, "GET /belljar/credential/api/x HTTP/1.1\r\n" HEAD "\r\n");
        wait_for(server_got("\r\n\r\n"));
        ck_assert_int_eq(count(server.text, i < 2 ? SECRET : "sk-new-one-1234"), 1);
        server_say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        wait_for(shim_channel(C + i)->eof);
        server_stop();
        ck_assert_int_eq(notes_named("egress.credential"), i < 2 ? 1 : 2);
        if (i == 1) {
            world.secret = "sk-new-one-1234";
            server_notify_name("egress.forget", "api");
        }
        server_start();
        server_ready();
    }
}
END_TEST

START_TEST(nothing_to_be_seen_from_outside)
{
    char path[64], line[512];
    int pid = 0;
    bool no_core = false;
    shim_say(C, "GET /belljar/credential/api/x HTTP/1.1\r\n" HEAD "\r\n");
    wait_for(server_got(SECRET));
    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)world.egress, (int)world.egress);
    FILE *file = fopen(path, "re");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fscanf(file, "%d", &pid), 1);
    fclose(file);
    snprintf(path, sizeof(path), "/proc/%d/limits", pid);
    file = fopen(path, "re");
    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof(line), file)) {
        unsigned long soft = 1, hard = 1;
        if (sscanf(line, "Max core file size %lu %lu", &soft, &hard) == 2)
            no_core = soft == 0 && hard == 0;
    }
    fclose(file);
    ck_assert(no_core);
    static const char *const shown[] = {"cmdline", "environ"};
    for (size_t i = 0; i < 2; i++) {
        char text[65536] = "";
        snprintf(path, sizeof(path), "/proc/%d/%s", pid, shown[i]);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t size = fd < 0 ? 0 : read(fd, text, sizeof(text));
        ck_assert_ptr_null(memmem(text, size > 0 ? (size_t)size : 0, SECRET, strlen(SECRET)));
        if (fd >= 0)
            close(fd);
    }
}
END_TEST

/* Without --ca-file the test's certificate is nobody's. */
static void start_untrusting(void)
{
    make_certificate();
    world_start(NULL);
    server_start();
    server_ready();
    use_credential();
}

START_TEST(certificates_are_verified)
{
    shim_say(C, "GET /belljar/credential/api/x HTTP/1.1\r\n" HEAD "\r\n");
    wait_for(has(C, "HTTP/1.1 502 "));
    ck_assert(has(C, "certificate"));
    ck_assert(!server_got("x"));
}
END_TEST

int main(void)
{
    if (system("openssl version >/dev/null 2>&1") != 0) {
        puts("1..0 # SKIP openssl, the program, is not installed: no TLS server to test against");
        return 77;
    }
    TCase *broker = tcase_create("broker");
    tcase_add_checked_fixture(broker, start, stop);
    tcase_set_timeout(broker, 60);
    tcase_add_test(broker, the_header_is_replaced);
    tcase_add_test(broker, events_pass_as_they_come);
    tcase_add_test(broker, uploads_pass_as_they_come);
    tcase_add_test(broker, a_slow_reader_stops_the_server);
    tcase_add_test(broker, redirects_are_the_agents_business);
    tcase_add_loop_test(broker, a_returned_secret_is_stopped, 0, 2);
    tcase_add_test(broker, no_encoding_and_no_ranges);
    tcase_add_test(broker, no_tunnel_on_the_credentials_verdict);
    tcase_add_test(broker, a_broken_response_is_not_taken_for_whole);
    tcase_add_loop_test(broker, the_client_goes_away, 0, 2);
    tcase_add_loop_test(broker, head_requests_and_old_clients, 0, 2);
    tcase_add_test(broker, refusals);
    tcase_add_loop_test(broker, the_policy_is_asked, 0, 2);
    tcase_add_test(broker, kept_until_forgotten);
    tcase_add_test(broker, nothing_to_be_seen_from_outside);
    TCase *untrusting = tcase_create("untrusting");
    tcase_add_checked_fixture(untrusting, start_untrusting, stop);
    tcase_set_timeout(untrusting, 60);
    tcase_add_test(untrusting, certificates_are_verified);
    TCase *cases[] = {broker, untrusting, NULL};
    return suite_run("egress-broker", cases);
}
