/* Hosts have one spelling; addresses that are not public are known in every disguise. */
#include "suite.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "mux/egress/address.h"
#include "mux/egress/host.h"
#include "mux/egress/proxy_env.h"

static const struct {
    const char *text, *canonical; /* NULL: refused */
    enum host_kind kind;
} spellings[] = {
    {"example.org", "example.org", HOST_NAME},
    {"EXAMPLE.Org", "example.org", HOST_NAME},
    {"example.org.", "example.org", HOST_NAME},
    {"xn--bcher-kva.example", "xn--bcher-kva.example", HOST_NAME},
    {"XN--BCHER-KVA.example", "xn--bcher-kva.example", HOST_NAME},
    {"_dmarc.example.org", "_dmarc.example.org", HOST_NAME},
    {"localhost", "localhost", HOST_NAME},
    {"1.example", "1.example", HOST_NAME},
    {"127.0.0.1", "127.0.0.1", HOST_IPV4},
    {"127.0.0.1.", "127.0.0.1", HOST_IPV4},
    {"127.1", "127.0.0.1", HOST_IPV4},
    {"127.0.1", "127.0.0.1", HOST_IPV4},
    {"2130706433", "127.0.0.1", HOST_IPV4},
    {"0x7f000001", "127.0.0.1", HOST_IPV4},
    {"0X7F.1", "127.0.0.1", HOST_IPV4},
    {"0177.0.0.01", "127.0.0.1", HOST_IPV4},
    {"0", "0.0.0.0", HOST_IPV4},
    {"0x", "0.0.0.0", HOST_IPV4},
    {"1.2.3.0xff", "1.2.3.255", HOST_IPV4},
    {"[::1]", "::1", HOST_IPV6},
    {"::1", "::1", HOST_IPV6},
    {"[0:0:0:0:0:0:0:1]", "::1", HOST_IPV6},
    {"[2001:DB8::1]", "2001:db8::1", HOST_IPV6},
    {"[::ffff:127.0.0.1]", "127.0.0.1", HOST_IPV4},
    {"::ffff:7f00:1", "127.0.0.1", HOST_IPV4},
    {"", NULL, 0},
    {".", NULL, 0},
    {"a..b", NULL, 0},
    {".example.org", NULL, 0},
    {"example.org..", NULL, 0},
    {"user@example.org", NULL, 0},
    {"example.org:443", NULL, 0},
    {"exa mple.org", NULL, 0},
    {"example.org\t", NULL, 0},
    {"example.org\n", NULL, 0},
    {"ex\xc3\xa4mple.org", NULL, 0},
    {"example%2eorg", NULL, 0},
    {"example.org/x", NULL, 0},
    {"a\\b", NULL, 0},
    {"[::1", NULL, 0},
    {"::1]", NULL, 0},
    {"[127.0.0.1]", NULL, 0},
    {"[fe80::1%eth0]", NULL, 0},
    {"fe80::1%25eth0", NULL, 0},
    {"1.2.3.256", NULL, 0},
    {"256", "0.0.1.0", HOST_IPV4},
    {"1.2.3.4.5", NULL, 0},
    {"4294967296", NULL, 0},
    {"1.2.3.08", NULL, 0},
    {"example.123", NULL, 0},
    {"1..2", NULL, 0},
    {"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.org", NULL, 0}, /* 64 */
};

START_TEST(one_spelling)
{
    struct host host;
    struct bj_error error = {0};
    int status = host_parse(&host, spellings[_i].text, strlen(spellings[_i].text), &error);
    if (!spellings[_i].canonical) {
        ck_assert_msg(status == -EINVAL && error.text[0], "%s was taken", spellings[_i].text);
        return;
    }
    ck_assert_msg(status == 0, "%s: %s", spellings[_i].text, error.text);
    ck_assert_str_eq(host.text, spellings[_i].canonical);
    ck_assert_int_eq(host.kind, spellings[_i].kind);
}
END_TEST

START_TEST(sizes)
{
    char name[300];
    struct host host;
    memset(name, 'a', sizeof(name));
    for (size_t i = 50; i < sizeof(name); i += 51)
        name[i] = '.';
    ck_assert_int_eq(host_parse(&host, name, 253, NULL), 0);
    ck_assert_int_eq(host_parse(&host, name, 254, NULL), -EINVAL);
    ck_assert_int_eq(host_parse(&host, name, 300, NULL), -EINVAL);
    ck_assert_int_eq(host_parse(&host, "a\0b.org", 7, NULL), -EINVAL);
}
END_TEST

static const struct {
    const char *text, *host; /* NULL: refused */
    unsigned port;
} authorities[] = {
    {"Example.org:443", "example.org", 443},
    {"example.org", "example.org", 80},
    {"[::1]:8080", "::1", 8080},
    {"[::1]", "::1", 80},
    {"127.1:1", "127.0.0.1", 1},
    {"example.org:65535", "example.org", 65535},
    {"example.org:", NULL, 0},
    {"example.org:0", NULL, 0},
    {"example.org:65536", NULL, 0},
    {"example.org:+80", NULL, 0},
    {"example.org:080", NULL, 0},
    {"example.org:80 ", NULL, 0},
    {"example.org:80:80", NULL, 0},
    {"user@example.org:80", NULL, 0},
    {"user:80@example.org:80", NULL, 0},
    {"::1:80", NULL, 0},
    {"[::1]80", NULL, 0},
    {":80", NULL, 0},
};

START_TEST(host_and_port)
{
    struct host host;
    uint16_t port = 0;
    int status = host_parse_authority(&host, &port, 80, authorities[_i].text,
                                      strlen(authorities[_i].text), NULL);
    if (!authorities[_i].host) {
        ck_assert_msg(status == -EINVAL, "%s was taken", authorities[_i].text);
        return;
    }
    ck_assert_int_eq(status, 0);
    ck_assert_str_eq(host.text, authorities[_i].host);
    ck_assert_uint_eq(port, authorities[_i].port);
}
END_TEST

static const struct {
    const char *address;
    bool is_public;
} addresses[] = {
    {"8.8.8.8", true},
    {"1.1.1.1", true},
    {"172.15.255.255", true},
    {"172.32.0.1", true},
    {"100.63.255.255", true},
    {"100.128.0.1", true},
    {"2606:4700::1111", true},
    {"2002:0808:0808::1", true},
    {"64:ff9b::8.8.8.8", true},
    {"0.0.0.0", false},
    {"0.1.2.3", false},
    {"10.0.0.1", false},
    {"10.255.255.255", false},
    {"100.64.0.1", false},
    {"100.100.100.200", false},
    {"127.0.0.1", false},
    {"127.255.255.254", false},
    {"169.254.169.254", false},
    {"169.254.0.1", false},
    {"172.16.0.1", false},
    {"172.31.255.255", false},
    {"192.168.1.1", false},
    {"192.0.0.1", false},
    {"168.63.129.16", false},
    {"198.18.0.1", false},
    {"224.0.0.1", false},
    {"255.255.255.255", false},
    {"240.0.0.1", false},
    {"::", false},
    {"::1", false},
    {"fc00::1", false},
    {"fd12:3456::1", false},
    {"fe80::1", false},
    {"fec0::1", false},
    {"ff02::1", false},
    {"::ffff:10.0.0.1", false},
    {"::ffff:0:10.0.0.1", false},
    {"::10.0.0.1", false},
    {"64:ff9b::10.0.0.1", false},
    {"64:ff9b:1::8.8.8.8", false},
    {"2002:0a00:0001::1", false},
    {"2002:7f00:0001::", false},
    {"2001::1", false},
    {"2001:db8::1", false},
    {"fd00:ec2::254", false},
    {"2a00::5efe:10.0.0.1", false},
    {"2a00::200:5efe:127.0.0.1", false},
    {"4000::1", false},
    {"::ffff:8.8.8.8", true},
};

START_TEST(not_public)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    const struct sockaddr *address = (struct sockaddr *)&v4;
    if (inet_pton(AF_INET, addresses[_i].address, &v4.sin_addr) != 1) {
        ck_assert_int_eq(inet_pton(AF_INET6, addresses[_i].address, &v6.sin6_addr), 1);
        address = (struct sockaddr *)&v6;
    }
    ck_assert_msg((address_refusal(address) == NULL) == addresses[_i].is_public, "%s",
                  addresses[_i].address);
}
END_TEST

START_TEST(other_families)
{
    struct sockaddr other = {.sa_family = AF_UNIX};
    ck_assert_ptr_nonnull(address_refusal(&other));
}
END_TEST

START_TEST(environment)
{
    static const char *const wanted[] = {"http_proxy=http://127.0.0.1:3128",
                                         "HTTPS_PROXY=http://127.0.0.1:3128",
                                         "no_proxy=localhost,127.0.0.1,::1", "NODE_USE_ENV_PROXY=1",
                                         "GIT_CONFIG_VALUE_0=http://127.0.0.1:3128"};
    for (size_t w = 0; w < sizeof(wanted) / sizeof(wanted[0]); w++) {
        bool found = false;
        for (size_t i = 0; i < proxy_env_count(); i++) {
            char text[PROXY_ENV_TEXT_MAX];
            proxy_env_text(i, 3128, text);
            ck_assert_uint_lt(strlen(text), sizeof(text) - 1);
            found = found || strcmp(text, wanted[w]) == 0;
        }
        ck_assert_msg(found, "%s", wanted[w]);
    }
}
END_TEST

#define COUNT(table) (int)(sizeof(table) / sizeof((table)[0]))

int main(void)
{
    TCase *names = tcase_create("names");
    tcase_add_loop_test(names, one_spelling, 0, COUNT(spellings));
    tcase_add_test(names, sizes);
    tcase_add_loop_test(names, host_and_port, 0, COUNT(authorities));
    tcase_add_loop_test(names, not_public, 0, COUNT(addresses));
    tcase_add_test(names, other_families);
    tcase_add_test(names, environment);
    TCase *cases[] = {names, NULL};
    return suite_run("egress-names", cases);
}
