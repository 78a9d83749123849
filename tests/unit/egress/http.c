/* Heads and bodies are read in one way only, or refused; SOCKS; the watch for returned secrets. */
#include "suite.h"

#include <errno.h>
#include <string.h>

#include "mux/egress/body.h"
#include "mux/egress/echo_guard.h"
#include "mux/egress/http.h"
#include "mux/egress/socks.h"

static struct http_request request;
static struct bj_error error;

static int parse(const char *text)
{
    return http_request_parse(&request, text, strlen(text), &error);
}

#define GET  "GET http://example.org/ HTTP/1.1\r\nHost: example.org\r\n"
#define POST "POST http://example.org/ HTTP/1.1\r\nHost: example.org\r\n"

static const struct {
    const char *head;
    bool fine;
} heads[] = {
    {GET "\r\n", true},
    {"GET http://EXAMPLE.org:80/a?b HTTP/1.1\r\nhost: example.ORG.\r\n\r\n", true},
    {"GET http://example.org HTTP/1.0\r\n\r\n", true},
    {"CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n", true},
    {"CONNECT example.org:443 HTTP/1.1\r\nHost: example.org\r\n\r\n", true},
    {"CONNECT example.org:443 HTTP/1.1\r\n\r\n", true},
    {"CONNECT [2001:db8::1]:443 HTTP/1.1\r\nHost: [2001:db8::1]:443\r\n\r\n", true},
    {POST "Content-Length: 5\r\n\r\n", true},
    {POST "Transfer-Encoding: chunked\r\n\r\n", true},
    {"GET / HTTP/1.1\r\nHost: 127.0.0.1:3128\r\n\r\n", true},
    {"GET /x HTTP/1.1\r\n\r\n", false},                                        /* no Host */
    {"GET http://example.org/ HTTP/1.1\r\nHost: evil.example\r\n\r\n", false}, /* another one */
    {"GET http://example.org/ HTTP/1.1\r\nHost: example.org:8080\r\n\r\n", false},
    {GET "Host: example.org\r\n\r\n", false},
    {"CONNECT example.org:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n", false},
    {"CONNECT example.org HTTP/1.1\r\n\r\n", false},
    {"CONNECT user@example.org:443 HTTP/1.1\r\n\r\n", false},
    {"CONNECT example.org:443@evil.example:443 HTTP/1.1\r\n\r\n", false},
    {"CONNECT http://example.org:443 HTTP/1.1\r\n\r\n", false},
    {"CONNECT example.org:443 HTTP/1.1\r\nContent-Length: 5\r\n\r\n", false},
    {"GET http://user@example.org/ HTTP/1.1\r\nHost: example.org\r\n\r\n", false},
    {"GET http://example.org\\@evil.example/ HTTP/1.1\r\nHost: example.org\r\n\r\n", false},
    {"GET http://example.org#@evil.example/ HTTP/1.1\r\nHost: example.org\r\n\r\n", false},
    {"GET https://example.org/ HTTP/1.1\r\nHost: example.org\r\n\r\n", false},
    {"GET ftp://example.org/ HTTP/1.1\r\nHost: example.org\r\n\r\n", false},
    {"GET http:///x HTTP/1.1\r\nHost: x\r\n\r\n", false},
    {"GET  http://example.org/ HTTP/1.1\r\nHost: example.org\r\n\r\n", false},
    {"GET http://example.org/ HTTP/1.1 \r\nHost: example.org\r\n\r\n", false},
    {"GET http://example.org/ HTTP/2.0\r\nHost: example.org\r\n\r\n", false},
    {"GET http://example.org/\tx HTTP/1.1\r\nHost: example.org\r\n\r\n", false},
    {"G(T http://example.org/ HTTP/1.1\r\nHost: example.org\r\n\r\n", false},
    {"\r\n" GET "\r\n", false},
    {POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", false},
    {POST "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", false},
    {POST "Content-Length: 5, 5\r\n\r\n", false},
    {POST "Content-Length: +5\r\n\r\n", false},
    {POST "Content-Length: 0x5\r\n\r\n", false},
    {POST "Content-Length: 05\r\n\r\n", false},
    {POST "Content-Length: -1\r\n\r\n", false},
    {POST "Content-Length:\r\n\r\n", false},
    {POST "Content-Length: 99999999999999999999\r\n\r\n", false},
    {POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", false},
    {POST "Transfer-Encoding: gzip, chunked\r\n\r\n", false},
    {POST "Transfer-Encoding: xchunked\r\n\r\n", false},
    {POST "Transfer-Encoding : chunked\r\n\r\n", false},
    {"POST http://a/ HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", false},
    {POST " Content-Length: 5\r\n\r\n", false}, /* folded */
    {GET "X: a\r\n b\r\n\r\n", false},          /* folded */
    {GET "X: a\n\r\n", false},                  /* bare LF */
    {"GET http://example.org/ HTTP/1.1\nHost: example.org\n\n", false},
    {GET "X: a\rb\r\n\r\n", false},
    {GET "X: a\x01"
         "b\r\n\r\n",
     false},
    {GET "X\r\n\r\n", false},
    {GET ": x\r\n\r\n", false},
    {GET "X y: z\r\n\r\n", false},
    {POST "Connection: Content-Length\r\nContent-Length: 5\r\n\r\n", false},
    {POST "Connection: close, transfer-encoding\r\nTransfer-Encoding: chunked\r\n\r\n", false},
    {GET "Connection: host\r\n\r\n", false},
};

START_TEST(strict_heads)
{
    const char *head = heads[_i].head;
    ck_assert_uint_eq(http_head_end(head, strlen(head)), strlen(head));
    for (size_t size = 0; size < strlen(head); size++) {
        size_t end = http_head_end(head, size);
        ck_assert_uint_eq(end, 0);
    }
    int status = parse(head);
    ck_assert_msg((status == 0) == heads[_i].fine, "%s %s", error.text, head);
    http_request_free(&request);
}
END_TEST

START_TEST(nul_bytes)
{
    static const char head[] = GET "X: a\0b\r\n\r\n";
    ck_assert_int_eq(http_request_parse(&request, head, sizeof(head) - 1, &error), -EINVAL);
    http_request_free(&request);
}
END_TEST

START_TEST(too_many_lines)
{
    char head[4096] = GET;
    for (int i = 0; i < HTTP_HEADERS_MAX; i++)
        strcat(head, "X: y\r\n");
    strcat(head, "\r\n");
    ck_assert_int_eq(parse(head), -EINVAL);
    http_request_free(&request);
}
END_TEST

START_TEST(forwarding)
{
    struct buffer out = {0};
    ck_assert_int_eq(parse("POST http://Example.org:8080?q=1 HTTP/1.1\r\n"
                           "Host: example.org:8080\r\nProxy-Connection: keep-alive, X-Hop\r\n"
                           "X-Hop: 1\r\nKeep-Alive: 5\r\nTE: trailers\r\nUpgrade: h2c\r\n"
                           "Proxy-Authorization: Basic eA==\r\nX-Kept:  a b \r\n"
                           "Content-Length: 3\r\n\r\n"),
                     0);
    ck_assert_int_eq(http_request_forward(&request, &out), 0);
    buffer_append(&out, "", 1);
    ck_assert_str_eq(buffer_data(&out), "POST /?q=1 HTTP/1.1\r\nHost: example.org:8080\r\n"
                                        "X-Kept: a b\r\nContent-Length: 3\r\n"
                                        "Connection: close\r\n\r\n");
    buffer_free(&out);
    http_request_free(&request);
}
END_TEST

static const struct {
    const char *head, *out; /* NULL: none */
} responses[] = {
    {"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nKeep-Alive: 5\r\nX: y\r\n\r\n",
     "HTTP/1.1 200 OK\r\nX: y\r\nConnection: close\r\n\r\n"},
    {"HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n"},
    {"HTTP/1.0 404 No\nX: y\n\n", "HTTP/1.0 404 No\r\nX: y\r\nConnection: close\r\n\r\n"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"},
    {"HTTP/1.1 20\r\n\r\n", NULL},
    {"ICY 200 OK\r\n\r\n", NULL},
    {"HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n", NULL},
};

START_TEST(response_heads)
{
    struct buffer out = {0};
    int code;
    int status = http_response_forward(responses[_i].head, strlen(responses[_i].head), &code, &out);
    ck_assert_int_eq(status, responses[_i].out ? 0 : -EPROTO);
    buffer_append(&out, "", 1);
    if (responses[_i].out)
        ck_assert_str_eq(buffer_data(&out), responses[_i].out);
    buffer_free(&out);
}
END_TEST

static const struct {
    enum http_framing framing;
    unsigned length;
    const char *bytes, *payload; /* NULL: malformed */
    const char *rest;            /* behind the body */
} bodies[] = {
    {HTTP_NO_BODY, 0, "GET /", "", "GET /"},
    {HTTP_LENGTH, 5, "helloGET /", "hello", "GET /"},
    {HTTP_LENGTH, 0, "GET /", "", "GET /"},
    {HTTP_CHUNKED, 0, "5\r\nhello\r\n0\r\n\r\nGET /", "hello", "GET /"},
    {HTTP_CHUNKED, 0, "1\r\na\r\n00A\r\n0123456789\r\n000\r\n\r\n", "a0123456789", ""},
    {HTTP_CHUNKED, 0, "5;x=y\r\nhello\r\n0\r\n\r\n", NULL, ""},
    {HTTP_CHUNKED, 0, "5 \r\nhello\r\n0\r\n\r\n", NULL, ""},
    {HTTP_CHUNKED, 0, "5\nhello\r\n0\r\n\r\n", NULL, ""},
    {HTTP_CHUNKED, 0, "5\r\nhelloo\r\n0\r\n\r\n", NULL, ""},
    {HTTP_CHUNKED, 0, "5\r\nhello\r\n0\r\nX: y\r\n\r\n", NULL, ""},
    {HTTP_CHUNKED, 0, "\r\n", NULL, ""},
    {HTTP_CHUNKED, 0, "-1\r\n", NULL, ""},
    {HTTP_CHUNKED, 0, "0x5\r\n", NULL, ""},
    {HTTP_CHUNKED, 0, "fffffffffffffffff\r\n", NULL, ""},
};

START_TEST(body_ends)
{
    for (size_t step = 1; step <= 64; step += step < 4 ? 1 : 60) { /* however it is cut */
        struct http_request like = {.framing = bodies[_i].framing, .length = bodies[_i].length};
        struct body body;
        char payload[64] = "";
        const char *at = bodies[_i].bytes, *end = at + strlen(at);
        long used = 0;
        body_init(&body, &like);
        while (!body_is_done(&body) && at < end) {
            size_t size = (size_t)(end - at) < step ? (size_t)(end - at) : step, take;
            used = body_next(&body, at, size, &take, &error);
            if (used < 0)
                break;
            ck_assert_int_gt(used, 0);
            strncat(payload, at, take);
            at += used;
        }
        if (!bodies[_i].payload) {
            ck_assert_int_eq(used, -EINVAL);
            continue;
        }
        ck_assert(body_is_done(&body));
        ck_assert_str_eq(payload, bodies[_i].payload);
        ck_assert_str_eq(at, bodies[_i].rest);
    }
}
END_TEST

START_TEST(socks_parsing)
{
    struct host host;
    uint16_t port;
    uint8_t method;
    enum socks_reply reply;
    ck_assert_int_eq(socks_greeting((const uint8_t *)"\5\2\2\0", 4, &method, NULL), 4);
    ck_assert_uint_eq(method, 0);
    ck_assert_int_eq(socks_greeting((const uint8_t *)"\5\1\2", 3, &method, NULL), 3);
    ck_assert_uint_eq(method, 0xff);
    ck_assert_int_eq(socks_greeting((const uint8_t *)"\5\3\0\1", 4, &method, NULL), 0);
    ck_assert_int_eq(socks_greeting((const uint8_t *)"\4\1", 2, &method, NULL), -EPROTO);

    static const uint8_t name[] = "\5\1\0\3\013EXAMPLE.org\1\273";
    for (size_t size = 0; size < sizeof(name) - 1; size++)
        ck_assert_int_eq(socks_request(name, size, &host, &port, &reply, NULL), 0);
    ck_assert_int_eq(socks_request(name, sizeof(name) - 1, &host, &port, &reply, NULL), 18);
    ck_assert_str_eq(host.text, "example.org");
    ck_assert_uint_eq(port, 443);

    ck_assert_int_eq(
        socks_request((const uint8_t *)"\5\1\0\1\12\0\0\1\0\120", 10, &host, &port, &reply, NULL),
        10);
    ck_assert_str_eq(host.text, "10.0.0.1");
    static const uint8_t mapped[22] = {5, 1, 0, 4, [14] = 0xff, [15] = 0xff, 127, 0, 0, 1, 0, 80};
    ck_assert_int_eq(socks_request(mapped, 22, &host, &port, &reply, NULL), 22);
    ck_assert_int_eq(host.kind, HOST_IPV4);
    ck_assert_str_eq(host.text, "127.0.0.1");
    /* A name that is an address in disguise is one. */
    ck_assert_int_eq(
        socks_request((const uint8_t *)"\5\1\0\3\005127.1\0\120", 12, &host, &port, &reply, NULL),
        12);
    ck_assert_int_eq(host.kind, HOST_IPV4);

    ck_assert_int_eq(
        socks_request((const uint8_t *)"\5\2\0\1\12\0\0\1\0\120", 10, &host, &port, &reply, NULL),
        -EINVAL);
    ck_assert_int_eq(reply, SOCKS_NO_COMMAND);
    ck_assert_int_eq(
        socks_request((const uint8_t *)"\5\1\0\2\12\0\0\1\0\120", 10, &host, &port, &reply, NULL),
        -EINVAL);
    ck_assert_int_eq(reply, SOCKS_NO_ADDRESS);
    ck_assert_int_eq(
        socks_request((const uint8_t *)"\5\1\0\3\3a@b\0\120", 10, &host, &port, &reply, NULL),
        -EINVAL);
    ck_assert_int_eq(
        socks_request((const uint8_t *)"\5\1\0\1\12\0\0\1\0\0", 10, &host, &port, &reply, NULL),
        -EINVAL);
}
END_TEST

START_TEST(secret_comes_back)
{
    static const char secret[] = "sk-aab-aabc-XYZ";
    static const char text[] = "before sk-aab-aab sk- sk-aab-aabc-XY and sk-aab-aabc-XYZ after";
    struct echo_guard guard;
    const char *safe;
    for (size_t step = 1; step < sizeof(text); step++) {
        char passed[sizeof(text) + 1] = "";
        bool found = false;
        echo_guard_init(&guard, secret, strlen(secret));
        for (size_t at = 0; at < strlen(text) && !found; at += step) {
            size_t size = strlen(text) - at < step ? strlen(text) - at : step;
            long count = echo_guard_pass(&guard, text + at, size, &safe);
            found = count == -EACCES;
            if (!found)
                strncat(passed, safe, (size_t)count);
        }
        ck_assert(found);
        ck_assert_ptr_null(strstr(passed, "XYZ"));
        ck_assert(strncmp(text, passed, strlen(passed)) == 0);
        echo_guard_free(&guard);
    }
    echo_guard_init(&guard, secret, strlen(secret));
    ck_assert_int_eq(echo_guard_pass(&guard, "data: x\n\n", 9, &safe), 9); /* nothing is delayed */
    ck_assert_int_eq(echo_guard_pass(&guard, "end sk-a", 8, &safe), 4);
    ck_assert_uint_eq(echo_guard_rest(&guard, &safe), 4);
    ck_assert(memcmp(safe, "sk-a", 4) == 0);
    echo_guard_free(&guard);
}
END_TEST

#define COUNT(table) (int)(sizeof(table) / sizeof((table)[0]))

int main(void)
{
    TCase *http = tcase_create("http");
    tcase_add_loop_test(http, strict_heads, 0, COUNT(heads));
    tcase_add_test(http, nul_bytes);
    tcase_add_test(http, too_many_lines);
    tcase_add_test(http, forwarding);
    tcase_add_loop_test(http, response_heads, 0, COUNT(responses));
    tcase_add_loop_test(http, body_ends, 0, COUNT(bodies));
    tcase_add_test(http, socks_parsing);
    tcase_add_test(http, secret_comes_back);
    TCase *cases[] = {http, NULL};
    return suite_run("egress-http", cases);
}
