/*
 * What is said to the proxy of a sandbox, rows 26 and 29 to 31 of the attack list: other protocols,
 * proxies behind it, Host headers that lie, smuggled, giant and endless requests.
 */
#include "canary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* KiB of the proxy that hold for any number of connections; a sanitizer keeps what was freed. */
#if defined(__SANITIZE_ADDRESS__)
#define MEMORY_MAX (1024 * 1024)
#else
#define MEMORY_MAX (64 * 1024)
#endif

static const char forms[] =
    "GET https://good.example/ HTTP/1.1\\r\\nHost: good.example\\r\\n\\r\\n\n"
    "GET ftp://good.example/ HTTP/1.1\\r\\nHost: good.example\\r\\n\\r\\n\n"
    "GET file:///etc/passwd HTTP/1.1\\r\\nHost: good.example\\r\\n\\r\\n\n"
    "GET gopher://127.0.0.1:80/ HTTP/1.1\\r\\nHost: good.example\\r\\n\\r\\n\n"
    "GET good.example:80 HTTP/1.1\\r\\nHost: good.example\\r\\n\\r\\n\n"
    "CONNECT http://good.example/ HTTP/1.1\\r\\nHost: good.example\\r\\n\\r\\n\n"
    "CONNECT good.example HTTP/1.1\\r\\nHost: good.example\\r\\n\\r\\n\n"
    "CONNECT good.example:80 HTTP/2.0\\r\\nHost: good.example\\r\\n\\r\\n\n"
    "connect good.example:80 HTTP/1.1\\r\\nHost: good.example\\r\\n\\r\\n\n"
    "PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n\n"
    "GET http://good.example\\x5c@127.0.0.1/ HTTP/1.1\\r\\nHost: good.example\\r\\n\\r\\n\n"
    "GET http://good.example@127.0.0.1/ HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\n\\r\\n\n"
    "GET http://127.0.0.1#@good.example/ HTTP/1.1\\r\\nHost: good.example\\r\\n\\r\\n\n"
    "GET http:/good.example/ HTTP/1.1\\r\\nHost: good.example\\r\\n\\r\\n\n"
    /* SOCKS4 and 4a; SOCKS5 BIND and UDP ASSOCIATE are no HTTP, and not TLS either. */
    "\\x04\\x01\\x00\\x50\\x7f\\x00\\x00\\x01user\\x00\n"
    "\\x04\\x01\\x00\\x50\\x00\\x00\\x00\\x01\\x00good.example\\x00\n"
    "\\x16\\x03\\x01\\x00\\x05\\x01\\x00\\x00\\x01\\x00\n";

static const char socks_commands[] =
    "python3 -c 'import socket\n"
    "for command in (0, 2, 3, 255):\n"
    "    s = socket.create_connection((\"127.0.0.1\", 3128)); s.sendall(b\"\\x05\\x01\\x00\")\n"
    "    s.recv(2); s.sendall(bytes([5, command, 0, 3, 12]) + b\"good.example\\x00\\x50\")\n"
    "    r = s.recv(10); print(\"command\", command, \"refused\" if r[1] == 7 else r)\n'\n"
    "echo over; cat";

START_TEST(other_protocols)
{
    attack_policy("egress { allow = [\"good.example:80\"]; default = deny }\n");
    network_all_refused("a", "raw", forms);
    attack_start("b", socks_commands);
    network_wait_over("b");
    ck_assert_msg(world_shows(&attack_world, "b",
                              "command 0 refused\ncommand 2 refused\ncommand 3 refused\n"
                              "command 255 refused\n"),
                  "%s", world_capture(&attack_world, "b"));
    ck_assert_int_eq(net_requests(""), 0);
    ck_assert_int_eq(network_lookups(), 0);
    ck_assert(attack_alerted("was refused"));
}
END_TEST

/* --- row 29 --- */

/* A proxy of the agent's own, which hands on to the sandbox's, is just the agent once more; and a
 * CONNECT or a second request behind an allowed one belongs to the allowed host. */
static const char relays[] =
    "python3 -c 'import socket, threading\n"
    "def pump(a, b):\n"
    "    while (d := a.recv(65536)): b.sendall(d)\n"
    "    b.shutdown(1)\n"
    "def serve(a):\n"
    "    b = socket.create_connection((\"127.0.0.1\", 3128))\n"
    "    threading.Thread(target=pump, args=(a, b), daemon=True).start(); pump(b, a)\n"
    "l = socket.create_server((\"127.0.0.1\", 9999))\n"
    "print(\"relays\", flush=True)\n"
    "while True: threading.Thread(target=serve, args=(l.accept()[0],), daemon=True).start()' "
    "2>/dev/null &\n"
    "read go\n"
    "curl -sS -m 60 -o /dev/null -w 'first %{http_code}\\n' --noproxy '' -x http://127.0.0.1:9999 "
    "http://evil.example/\n"
    "curl -sS -m 60 -o /dev/null -w 'second %{http_connect}\\n' --noproxy '' -x "
    "http://127.0.0.1:9999 -p "
    "http://evil.example:443/\n"
    "curl -sS -m 60 -o /dev/null -w 'third %{http_connect}\\n' --noproxy '' -x "
    "http://127.0.0.1:3128 -p "
    "http://127.0.0.1:9999/\n"
    "curl -sS -m 60 -o /dev/null -w 'fourth %{http_connect}\\n' --noproxy '' -x "
    "http://127.0.0.1:3128 -p "
    "http://127.0.0.1:3128/\n"
    "python3 -c 'import socket\n"
    "def say(*parts):\n"
    "    s = socket.create_connection((\"127.0.0.1\", 3128), timeout=20)\n"
    "    got = b\"\"\n"
    "    try:\n"
    "        for p in parts: s.sendall(p)\n"
    "        while (d := s.recv(65536)): got += d\n"
    "    except OSError: pass\n"
    "    return got.count(b\"HTTP/1.\")\n"
    "c = b\"CONNECT %s HTTP/1.1\\r\\nHost: %s\\r\\n\\r\\n\"\n"
    "g = b\"GET http://%s/%s HTTP/1.1\\r\\nHost: %s\\r\\n\\r\\n\"\n"
    "say(c % ((b\"good.example:80\",) * 2), c % ((b\"evil.example:443\",) * 2))\n"
    "print(\"answers\", say(g % (b\"good.example\", b\"x\", b\"good.example\"), "
    "g % (b\"evil.example\", b\"y\", b\"evil.example\")))'\n"
    "echo over; cat";

START_TEST(proxies_behind_proxies)
{
    attack_policy("egress { allow = [\"good.example:80\"]; default = deny }\n");
    attack_start("a", relays);
    WAIT_FOR(world_shows(&attack_world, "a", "relays"));
    BELLJAR_OK(&attack_world, "send", "a", "--enter", "go");
    network_wait_over("a");
    const char *text = world_capture(&attack_world, "a");
    static const char *const said[] = {"first 403", "second 403", "third 403", "fourth 403",
                                       "answers 1"};
    for (size_t i = 0; i < COUNT(said); i++)
        ck_assert_msg(strstr(text, said[i]) != NULL, "%s is not in: %s", said[i], text);
    ck_assert_int_eq(net_requests("GET /x good.example"), 1);
    ck_assert_int_eq(net_requests("GET"), 1);
    ck_assert_int_eq(network_lookups(), net_queries("good.example"));
    ck_assert(attack_alerted("evil.example:443 was denied"));
    network_canaries_are_alone();
}
END_TEST

/* --- rows 30 and 31 --- */

#define HEAD "GET http://good.example/x HTTP/1.1\\r\\n"
#define POST "POST http://good.example/x HTTP/1.1\\r\\nHost: good.example\\r\\n"
static const char hosts[] =
    HEAD "Host: evil.example\\r\\n\\r\\n\n" HEAD "Host: good.example:443\\r\\n\\r\\n\n" HEAD
         "Host: good.example\\r\\nHost: evil.example\\r\\n\\r\\n\n" HEAD
         "Host: good.example\\r\\nhost: good.example\\r\\n\\r\\n\n" HEAD
         "Host: good.example, evil.example\\r\\n\\r\\n\n" HEAD
         "Host: evil.example@good.example\\r\\n\\r\\n\n" HEAD "Host:\\r\\n\\r\\n\n" HEAD
         "\\r\\n\n" HEAD "Host : evil.example\\r\\n\\r\\n\n" HEAD
         "X: y\\r\\n Host: evil.example\\r\\n\\r\\n\n" HEAD "Host: 127.0.0.1\\r\\n\\r\\n\n"
         "CONNECT good.example:80 HTTP/1.1\\r\\nHost: evil.example:80\\r\\n\\r\\n\n"
         "GET http://evil.example/x HTTP/1.1\\r\\nHost: good.example\\r\\n\\r\\n\n"
         "GET http://127.0.0.1/x HTTP/1.1\\r\\nHost: good.example\\r\\n\\r\\n\n"
         "GET http://good.example/x HTTP/1.1\\r\\nConnection: host\\r\\nHost: good.example"
         "\\r\\n\\r\\n\n";

START_TEST(host_header_that_differs)
{
    attack_policy("egress { allow = [\"good.example:80\"]; default = deny }\n");
    network_all_refused("a", "raw", hosts);
    ck_assert_int_eq(net_requests(""), 0);
    ck_assert_int_eq(network_lookups(), 0);
}
END_TEST

#define SECOND "GET /smuggled HTTP/1.1\\r\\nHost: evil.example\\r\\n\\r\\n"
static const char smuggling[] = POST
    "Content-Length: 6\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n0\\r\\n\\r\\n" SECOND "\n" POST
    "Transfer-Encoding: chunked\\r\\nContent-Length: 6\\r\\n\\r\\n0\\r\\n\\r\\n" SECOND "\n" POST
    "Content-Length: 0\\r\\nContent-Length: 70\\r\\n\\r\\n" SECOND "\n" POST
    "Content-Length: 0, 70\\r\\n\\r\\n" SECOND "\n" POST "Content-Length: +70\\r\\n\\r\\n" SECOND
    "\n" POST "Content-Length: 0x46\\r\\n\\r\\n" SECOND "\n" POST
    "Content-Length: -1\\r\\n\\r\\n" SECOND "\n" POST
    "Content-Length: 99999999999999999999\\r\\n\\r\\n" SECOND "\n" POST
    "Transfer-Encoding: xchunked\\r\\n\\r\\n0\\r\\n\\r\\n" SECOND "\n" POST
    "Transfer-Encoding: chunked, identity\\r\\n\\r\\n0\\r\\n\\r\\n" SECOND "\n" POST
    "Transfer-Encoding: identity\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n" SECOND "\n" POST
    "Transfer-Encoding : chunked\\r\\n\\r\\n0\\r\\n\\r\\n" SECOND "\n" POST
    "Transfer-Encoding:\\x0bchunked\\r\\n\\r\\n0\\r\\n\\r\\n" SECOND "\n" POST
    " Transfer-Encoding: chunked\\r\\n\\r\\n0\\r\\n\\r\\n" SECOND "\n" POST
    "X: y\\rTransfer-Encoding: chunked\\r\\n\\r\\n0\\r\\n\\r\\n" SECOND "\n" POST
    "X: y\\nTransfer-Encoding: chunked\\r\\n\\r\\n0\\r\\n\\r\\n" SECOND "\n" POST
    "X: y\\x00z\\r\\n\\r\\n" SECOND "\n" POST "no colon\\r\\n\\r\\n" SECOND "\n" POST
    "Connection: content-length\\r\\nContent-Length: 70\\r\\n\\r\\n" SECOND "\n"
    "GET http://good.example/x HTTP/1.1\\nHost: good.example\\n\\n\n"
    "GET http://good.example/x\\x20HTTP/1.1\\r\\nX: HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n\n"
    "GET  http://good.example/x HTTP/1.1\\r\\nHost: good.example\\r\\n\\r\\n\n"
    "GET http://good.example/x HTTP/1.1 \\r\\nHost: good.example\\r\\n\\r\\n\n"
    "GET\\thttp://good.example/x\\tHTTP/1.1\\r\\nHost: good.example\\r\\n\\r\\n\n"
    "GET http://good.example/x HTTP/0.9\\r\\n\\r\\n\n"
    "GET http://good.example/x\\r\\n\\r\\n\n";

START_TEST(smuggling_requests)
{
    attack_policy("egress { allow = [\"good.example:80\"]; default = deny }\n");
    network_all_refused("a", "raw", smuggling);
    ck_assert_int_eq(net_requests(""), 0);
    ck_assert_int_eq(network_lookups(), 0);
    /* What stands behind a body that is whole goes nowhere. */
    attack_start("b", "printf 'POST http://good.example/x HTTP/1.1\\r\\nHost: good.example\\r\\n"
                      "Content-Length: 2\\r\\n\\r\\nok" SECOND
                      "' | curl -s -m 5 telnet://127.0.0.1:3128; echo over; cat");
    network_wait_over("b");
    ck_assert_int_eq(net_requests("GET /smuggled"), 0);
}
END_TEST

/* Resident memory of the largest egress proxy of this world, in KiB. */
static long egress_memory(void)
{
    pid_t pids[1024];
    char path[64];
    long most = 0;
    size_t count = world_processes(pids, COUNT(pids));
    for (size_t i = 0; i < count; i++) {
        snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pids[i]);
        if (!strstr(world_read(path), "belljar-egress"))
            continue;
        snprintf(path, sizeof(path), "/proc/%d/status", (int)pids[i]);
        const char *line = strstr(world_read(path), "VmRSS:");
        long size = line ? strtol(line + 6, NULL, 10) : 0;
        most = size > most ? size : most;
    }
    return most;
}

static const char giants[] =
    "python3 -c '\n"
    "h = r\"GET http://good.example/x HTTP/1.1\\r\\nHost: good.example\\r\\n\"\n"
    "print(h + \"X: \" + \"a\" * 4000000 + r\"\\r\\n\\r\\n\")\n"
    "print(h + r\"X: a\\r\\n\" * 200000 + r\"\\r\\n\")\n"
    "print(h + r\"X: a\\r\\n\" * 500 + r\"\\r\\n\")\n"
    "print(\"GET http://good.example/\" + \"a\" * 4000000 + r\" HTTP/1.1\\r\\n\\r\\n\")\n"
    "print(\"A\" * 4000000)\n"
    "' >places; python3 dial.py raw places; cat";

START_TEST(giant_heads)
{
    attack_policy("egress { allow = [\"good.example:80\"]; default = deny }\n");
    attack_start("a", giants);
    network_wait_over("a");
    ck_assert_msg(world_shows(&attack_world, "a", "over, 5 refused"), "%s",
                  world_capture(&attack_world, "a"));
    ck_assert_int_gt(egress_memory(), 0);
    ck_assert_int_lt(egress_memory(), MEMORY_MAX);
    ck_assert_int_eq(net_requests(""), 0);
    ck_assert(attack_alerted("was refused"));
}
END_TEST

START_TEST(slow_loris)
{
    attack_policy("egress { allow = [\"good.example:80\"]; default = deny }\n");
    attack_start("a", "python3 dial.py slow 200 & while read x; do curl -sS -m 60 -o /dev/null -w "
                      "'code %{http_code}\\n' http://good.example/x; done");
    WAIT_FOR(world_shows(&attack_world, "a", "holds 200"));
    /* Other sandboxes do not notice, nor does the agent's own next connection. */
    attack_start("b", NETWORK_FETCH("good.example"));
    network_wait_over("b");
    ck_assert(world_shows(&attack_world, "b", "code 200"));
    BELLJAR_OK(&attack_world, "send", "a", "--enter", "go");
    WAIT_FOR(world_shows(&attack_world, "a", "code 200"));
    ck_assert_int_lt(egress_memory(), MEMORY_MAX);
    /* And none of them is kept for ever. */
    WAIT_FOR(world_shows(&attack_world, "a", "all were closed"));
}
END_TEST

int main(void)
{
    const struct network_case cases[] = {
        {"row 26: other protocols", other_protocols},
        {"row 29: proxies behind proxies", proxies_behind_proxies},
        {"row 30: a Host header that differs", host_header_that_differs},
        {"row 31: smuggling", smuggling_requests},
        {"row 31: giant heads", giant_heads},
        {"row 31: slow loris", slow_loris},
    };
    return network_main("proxy", cases, sizeof(cases) / sizeof(cases[0]));
}
