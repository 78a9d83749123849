#include "mux/policy/host.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/transport/suite.h"

#define COUNT(array) (int)(sizeof(array) / sizeof(*(array)))

static const struct {
    const char *text, *canonical;
    enum policy_host_kind kind;
} good[] = {
    {"api.example.test", "api.example.test", POLICY_HOST_NAME},
    {"API.Example.TEST", "api.example.test", POLICY_HOST_NAME},
    {"api.example.test.", "api.example.test", POLICY_HOST_NAME},
    {"_dmarc.example.test", "_dmarc.example.test", POLICY_HOST_NAME},
    {"xn--bcher-kva.example", "xn--bcher-kva.example", POLICY_HOST_NAME},
    {"localhost", "localhost", POLICY_HOST_NAME},
    {"1.example", "1.example", POLICY_HOST_NAME},
    {"0x7f.example", "0x7f.example", POLICY_HOST_NAME},
    {"a.0xg", "a.0xg", POLICY_HOST_NAME},
    {"127.0.0.1", "127.0.0.1", POLICY_HOST_IPV4},
    {"127.0.0.1.", "127.0.0.1", POLICY_HOST_IPV4},
    {"2130706433", "127.0.0.1", POLICY_HOST_IPV4},
    {"0x7f000001", "127.0.0.1", POLICY_HOST_IPV4},
    {"0X7F.1", "127.0.0.1", POLICY_HOST_IPV4},
    {"017700000001", "127.0.0.1", POLICY_HOST_IPV4},
    {"127.1", "127.0.0.1", POLICY_HOST_IPV4},
    {"127.0.1", "127.0.0.1", POLICY_HOST_IPV4},
    {"0177.0.0.1", "127.0.0.1", POLICY_HOST_IPV4},
    {"0xa9.0xfe.0xa9.0xfe", "169.254.169.254", POLICY_HOST_IPV4},
    {"2852039166", "169.254.169.254", POLICY_HOST_IPV4},
    {"0x", "0.0.0.0", POLICY_HOST_IPV4},
    {"0", "0.0.0.0", POLICY_HOST_IPV4},
    {"::1", "::1", POLICY_HOST_IPV6},
    {"[::1]", "::1", POLICY_HOST_IPV6},
    {"[0:0:0:0:0:0:0:1]", "::1", POLICY_HOST_IPV6},
    {"FE80::ABCD", "fe80::abcd", POLICY_HOST_IPV6},
    {"::ffff:127.0.0.1", "127.0.0.1", POLICY_HOST_IPV4},
    {"[::ffff:7f00:1]", "127.0.0.1", POLICY_HOST_IPV4},
    {"[::FFFF:169.254.169.254]", "169.254.169.254", POLICY_HOST_IPV4},
};

static void check_spellings(int row)
{
    struct policy_host host;
    struct bj_error error = {0};
    ck_assert_msg(policy_host_canonical(good[row].text, strlen(good[row].text), &host, &error) == 0,
                  "%s: %s", good[row].text, error.text);
    ck_assert_str_eq(host.text, good[row].canonical);
    ck_assert_int_eq(host.kind, good[row].kind);
    /* What is canonical stays so. */
    struct policy_host again;
    ck_assert_int_eq(policy_host_canonical(host.text, strlen(host.text), &again, NULL), 0);
    ck_assert_str_eq(again.text, host.text);
    ck_assert_int_eq(again.kind, host.kind);
}

START_TEST(spellings)
{
    for (int row = 0; row < COUNT(good); row++)
        check_spellings(row);
}
END_TEST

#define LABEL63       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define TEXT(literal) literal, sizeof(literal) - 1

/* Everything that row 26 of the attack table lists, and what parsers are known to disagree about.
 */
static const struct {
    const char *text;
    size_t size;
} bad[] = {
    {TEXT("")},
    {TEXT(".")},
    {TEXT("..")},
    {TEXT("a..test")},
    {TEXT(".a.test")},
    {TEXT("a.test..")},
    {TEXT("user@a.test")},
    {TEXT("allowed.test@evil.test")},
    {TEXT("a.test:80")},
    {TEXT("a.test/")},
    {TEXT("a.test?x")},
    {TEXT("a.test#x")},
    {TEXT("a.test\\evil.test")},
    {TEXT("a.test%00.evil.test")},
    {TEXT("%61.test")},
    {TEXT("a.test\0.evil.test")},
    {TEXT("a.test\r\nHost: b.test")},
    {TEXT("a.test\n")},
    {TEXT(" a.test")},
    {TEXT("a.test ")},
    {TEXT("a\t.test")},
    {TEXT("a.te\x7fst")},
    {TEXT("b\xc3\xbc"
          "cher.example")},
    {TEXT("a\xe3\x80\x82test")}, /* ideographic full stop */
    {TEXT("\xef\xbd\x81.test")}, /* fullwidth a */
    {TEXT("\xe2\x91\xa0.test")}, /* circled one */
    {TEXT("a.te\xc2\xadst")},    /* soft hyphen */
    {TEXT("a\xff.test")},
    {TEXT("*.test")},
    {TEXT("**")},
    {TEXT("-a.test")},
    {TEXT("a-.test")},
    {TEXT(LABEL63 "a.test")},
    {TEXT(LABEL63 "." LABEL63 "." LABEL63 "." LABEL63)},
    {TEXT("256.0.0.1")},
    {TEXT("1.2.3.4.5")},
    {TEXT("1.2.3.256")},
    {TEXT("127.0.0.08")},
    {TEXT("4294967296")},
    {TEXT("99999999999999999999999")},
    {TEXT("1..1")},
    {TEXT("a.1")},
    {TEXT("evil.test.1")},
    {TEXT("[::1")},
    {TEXT("[]")},
    {TEXT("[::1]x")},
    {TEXT("[::1%25lo]")},
    {TEXT("fe80::1%lo")},
    {TEXT("::ffff:1.2.3")},
    {TEXT("::g")},
    {TEXT("[127.0.0.1]")},
    {TEXT("[a.test]")},
    {TEXT("1::2::3")},
};

static void check_odd_names(int row)
{
    struct policy_host host;
    struct bj_error error = {0};
    ck_assert_msg(policy_host_canonical(bad[row].text, bad[row].size, &host, &error) == -EINVAL,
                  "\"%s\" was taken as %s", bad[row].text, host.text);
    for (const char *at = error.text; *at; at++)
        ck_assert(*at >= 0x20 && *at < 0x7f); /* never passes on what it refuses */
}

START_TEST(odd_names)
{
    for (int row = 0; row < COUNT(bad); row++)
        check_odd_names(row);
}
END_TEST

START_TEST(longest)
{
    struct policy_host host;
    static const char name[] =
        LABEL63 "." LABEL63 "." LABEL63 "."
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    ck_assert_uint_eq(strlen(name), 253);
    ck_assert_int_eq(policy_host_canonical(name, strlen(name), &host, NULL), 0);
    ck_assert_int_eq(policy_host_canonical(LABEL63 "b.test", 69, &host, NULL), -EINVAL);
}
END_TEST

static const struct {
    const char *text;
    uint16_t fallback;
    const char *host; /* NULL: refused */
    uint16_t port;
} authorities[] = {
    {"a.test:443", 0, "a.test", 443},
    {"a.test", 443, "a.test", 443},
    {"a.test", 0, NULL, 0},
    {"a.test:", 443, NULL, 0},
    {"a.test:0", 443, NULL, 0},
    {"a.test:65535", 443, "a.test", 65535},
    {"a.test:65536", 443, NULL, 0},
    {"a.test:0443", 443, NULL, 0},
    {"a.test:+443", 443, NULL, 0},
    {"a.test: 443", 443, NULL, 0},
    {"a.test:443 ", 443, NULL, 0},
    {"a.test:44a", 443, NULL, 0},
    {"a.test:443:80", 443, NULL, 0},
    {"a.test:443@b.test", 443, NULL, 0},
    {"user:pw@a.test:443", 443, NULL, 0},
    {"[::1]:22", 0, "::1", 22},
    {"[::1]", 80, "::1", 80},
    {"::1", 80, "::1", 80},
    {"[::1]22", 80, NULL, 0},
    {"[::1]:", 80, NULL, 0},
    {":443", 0, NULL, 0},
    {"0x7f.1:80", 0, "127.0.0.1", 80},
    {"a.test.:80", 0, "a.test", 80},
};

static void check_authority(int row)
{
    struct policy_host host;
    uint16_t port;
    int status = policy_authority_parse(authorities[row].text, strlen(authorities[row].text),
                                        authorities[row].fallback, &host, &port, NULL);
    ck_assert_msg(status == (authorities[row].host ? 0 : -EINVAL), "%s", authorities[row].text);
    if (!authorities[row].host)
        return;
    ck_assert_str_eq(host.text, authorities[row].host);
    ck_assert_uint_eq(port, authorities[row].port);
}

START_TEST(authority)
{
    for (int row = 0; row < COUNT(authorities); row++)
        check_authority(row);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("policy host");
    TCase *tests = tcase_create("host");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, spellings);
    tcase_add_test(tests, odd_names);
    tcase_add_test(tests, authority);
    tcase_add_test(tests, longest);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
