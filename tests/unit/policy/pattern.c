#include "mux/policy/pattern.h"

#include <errno.h>
#include <string.h>

#include "mux/policy/glob.h"
#include "tests/unit/transport/suite.h"

#define COUNT(array) (int)(sizeof(array) / sizeof(*(array)))

static const struct {
    enum policy_kind kind;
    const char *pattern, *subject;
    bool matches;
} table[] = {
    {POLICY_EGRESS, "a.test", "a.test:443", true},
    {POLICY_EGRESS, "A.Test.", "a.test:80", true},
    {POLICY_EGRESS, "a.test:443", "a.test:80", false},
    {POLICY_EGRESS, "a.test:*", "a.test:80", true},
    {POLICY_EGRESS, "*.a.test", "b.a.test:443", true},
    {POLICY_EGRESS, "*.a.test", "a.test:443", false},
    {POLICY_EGRESS, "*.a.test", "c.b.a.test:443", false},
    {POLICY_EGRESS, "*.*.a.test", "c.b.a.test:443", true},
    {POLICY_EGRESS, "**.a.test", "c.b.a.test:443", true},
    {POLICY_EGRESS, "**.a.test", "a.test:443", false},
    {POLICY_EGRESS, "**.a.test", "evila.test:443", false},
    {POLICY_EGRESS, "**.a.test", "a.test.evil.example:443", false},
    {POLICY_EGRESS, "**.*.a.test", "b.a.test:443", false},
    {POLICY_EGRESS, "**.*.a.test", "c.b.a.test:443", true},
    {POLICY_EGRESS, "**", "a.b.c.test:1", true},
    {POLICY_EGRESS, "**:443", "a.test:1", false},
    {POLICY_EGRESS, "*", "localhost:443", true},
    {POLICY_EGRESS, "*", "a.test:443", false},
    {POLICY_EGRESS, "**", "127.0.0.1:443", false},
    {POLICY_EGRESS, "**", "2130706433:443", false},
    {POLICY_EGRESS, "127.0.0.1", "0x7f.1:443", true},
    {POLICY_EGRESS, "0x7f.1:443", "[::ffff:127.0.0.1]:443", true},
    {POLICY_EGRESS, "[::1]:80", "[0::1]:80", true},
    {POLICY_EGRESS, "::1", "[::1]:80", true},
    {POLICY_EGRESS, "a.test:1", "a.test:1", true},
    {POLICY_EGRESS, "a.test:1", "a.test:2", false},
    {POLICY_OPEN_URL, "a.test", "https://a.test/x?y@b.test", true},
    {POLICY_OPEN_URL, "https://a.test", "http://a.test/", false},
    {POLICY_OPEN_URL, "a.test:443", "https://a.test", true},
    {POLICY_OPEN_URL, "a.test:443", "http://a.test", false},
    {POLICY_OPEN_URL, "**.a.test", "http://b.a.test:8080/", true},
    {POLICY_EXEC, "Bash", "Bash(rm -rf /)", true},
    {POLICY_EXEC, "Bash(git status*)", "Bash(git status -s)", true},
    {POLICY_EXEC, "Bash(git status*)", "Bash(git status; rm -rf .)", false},
    {POLICY_EXEC, "Bash(git status*)", "Bash(git status $(x))", false},
    {POLICY_EXEC, "Bash(git status*)", "Bash(git status\nrm x)", false},
    {POLICY_EXEC, "Bash(git status*)", "Bash(git status | sh)", false},
    {POLICY_EXEC, "Bash(a; b)", "Bash(a; b)", true},
    {POLICY_EXEC, "Bash(*)", "Bash", true},
    {POLICY_EXEC, "Bash(*)", "Bash(ls)", true},
    {POLICY_EXEC, "Bash(*)", "Bashx(ls)", false},
    {POLICY_EXEC, "mcp__*", "mcp__a__b(x)", true},
    {POLICY_EXEC, "*", "Write(/x)", true},
    {POLICY_EXEC, "*(ls)", "Sh(ls)", true},
    {POLICY_EXEC, "Bash(echo \\*)", "Bash(echo *)", true},
    {POLICY_EXEC, "Bash(echo \\*)", "Bash(echo x)", false},
    {POLICY_FILE_OUT, "dist/*", "dist/a.js", true},
    {POLICY_FILE_OUT, "dist/*", "dist/a/b.js", false},
    {POLICY_FILE_OUT, "dist/**", "dist/a/b.js", true},
    {POLICY_FILE_OUT, "**/*.png", "a/b/c.png", true},
    {POLICY_FILE_OUT, "**/*.png", "c.png", false},
    {POLICY_FILE_OUT, "**.png", "c.png", true},
    {POLICY_FILE_OUT, "a?c", "abc", true},
    {POLICY_FILE_OUT, "a?c", "a/c", false},
    {POLICY_CLIPBOARD, "write", "write", true},
    {POLICY_CLIPBOARD, "*", "read", true},
    {POLICY_NOTIFICATION, "Build *", "Build is done (2; 3)", true},
};

static void check_matching(int row)
{
    struct policy_pattern pattern;
    struct policy_subject subject;
    struct bj_error error = {0};
    ck_assert_msg(policy_pattern_parse(&pattern, table[row].kind, table[row].pattern, &error) == 0,
                  "%s: %s", table[row].pattern, error.text);
    ck_assert_msg(policy_subject_parse(&subject, table[row].kind, table[row].subject,
                                       strlen(table[row].subject), &error) == 0,
                  "%s: %s", table[row].subject, error.text);
    ck_assert_msg(policy_pattern_match(&pattern, &subject, true) == table[row].matches, "%s on %s",
                  table[row].pattern, table[row].subject);
    /* The canonical spelling means the same. */
    struct policy_pattern again;
    ck_assert_int_eq(policy_pattern_parse(&again, table[row].kind, pattern.text, NULL), 0);
    ck_assert_str_eq(again.text, pattern.text);
    ck_assert(again.specificity == pattern.specificity);
    policy_pattern_free(&again);
    policy_pattern_free(&pattern);
}

START_TEST(matching)
{
    for (int row = 0; row < COUNT(table); row++)
        check_matching(row);
}
END_TEST

START_TEST(denials_see_through_joins)
{
    struct policy_pattern pattern;
    struct policy_subject subject;
    static const char call[] = "Bash(git status; rm -rf .)";
    ck_assert_int_eq(policy_pattern_parse(&pattern, POLICY_EXEC, "Bash(*rm *)", NULL), 0);
    ck_assert_int_eq(policy_subject_parse(&subject, POLICY_EXEC, call, strlen(call), NULL), 0);
    ck_assert(policy_pattern_match(&pattern, &subject, false));
    ck_assert(!policy_pattern_match(&pattern, &subject, true));
    policy_pattern_free(&pattern);
}
END_TEST

static const struct {
    enum policy_kind kind;
    const char *text;
} bad_patterns[] = {
    {POLICY_EGRESS, ""},
    {POLICY_EGRESS, "a*.test"},
    {POLICY_EGRESS, "*a.test"},
    {POLICY_EGRESS, "a.*"},
    {POLICY_EGRESS, "a.*.test"},
    {POLICY_EGRESS, "*.**.test"},
    {POLICY_EGRESS, "***"},
    {POLICY_EGRESS, "**."},
    {POLICY_EGRESS, "*."},
    {POLICY_EGRESS, "*.1.2.3"},
    {POLICY_EGRESS, "a.test:0"},
    {POLICY_EGRESS, "a.test:80:*"},
    {POLICY_EGRESS, "**:x"},
    {POLICY_EGRESS, "**:99999999999999"},
    {POLICY_EGRESS, "https://a.test"},
    {POLICY_EGRESS, "a.test/x"},
    {POLICY_EGRESS, "b\xc3\xbc"
                    "cher.example"},
    {POLICY_EGRESS, "10.0.0.0/8"},
    {POLICY_OPEN_URL, "ftp://a.test"},
    {POLICY_OPEN_URL, "https://a.test/x"},
    {POLICY_EXEC, "Bash(x"},
    {POLICY_EXEC, "(x)"},
    {POLICY_EXEC, "Bash x"},
    {POLICY_EXEC, "Bash(x\\"},
    {POLICY_FILE_OUT, "/etc/passwd"},
    {POLICY_FILE_OUT, "../x"},
    {POLICY_FILE_OUT, "a/../b"},
    {POLICY_FILE_OUT, "a//b"},
    {POLICY_FILE_OUT, "a/"},
    {POLICY_FILE_OUT, "a\\"},
    {POLICY_NOTIFICATION, "a\x1b[0m"},
};

static void check_refused_patterns(int row)
{
    struct policy_pattern pattern;
    struct bj_error error = {0};
    ck_assert_msg(policy_pattern_parse(&pattern, bad_patterns[row].kind, bad_patterns[row].text,
                                       &error) == -EINVAL,
                  "%s", bad_patterns[row].text);
    ck_assert(error.text[0]);
}

START_TEST(refused_patterns)
{
    for (int row = 0; row < COUNT(bad_patterns); row++)
        check_refused_patterns(row);
}
END_TEST

static const struct {
    enum policy_kind kind;
    const char *text;
} bad_subjects[] = {
    {POLICY_EGRESS, "user@a.test:443"},
    {POLICY_EGRESS, "a.test:0"},
    {POLICY_OPEN_URL, "file:///etc/passwd"},
    {POLICY_OPEN_URL, "javascript:alert(1)"},
    {POLICY_OPEN_URL, "https://user:pw@a.test/"},
    {POLICY_OPEN_URL, "https://a.test\\@b.test/"},
    {POLICY_OPEN_URL, "https://a.test /"},
    {POLICY_OPEN_URL, "https:a.test"},
    {POLICY_OPEN_URL, "https:///a.test"},
    {POLICY_OPEN_URL, "a.test"},
    {POLICY_FILE_OUT, "/etc/passwd"},
    {POLICY_FILE_OUT, "../../x"},
    {POLICY_FILE_OUT, "a/./b"},
    {POLICY_FILE_OUT, "a\nb"},
    {POLICY_EXEC, "(x)"},
    {POLICY_EXEC, "Bash(x"},
    {POLICY_EXEC, "Ba sh(x)"},
    {POLICY_CLIPBOARD, ""},
};

static void check_refused_subjects(int row)
{
    struct policy_subject subject;
    ck_assert_msg(policy_subject_parse(&subject, bad_subjects[row].kind, bad_subjects[row].text,
                                       strlen(bad_subjects[row].text), NULL) == -EINVAL,
                  "%s", bad_subjects[row].text);
}

START_TEST(refused_subjects)
{
    for (int row = 0; row < COUNT(bad_subjects); row++)
        check_refused_subjects(row);
}
END_TEST

START_TEST(subject_limits)
{
    struct policy_subject subject;
    char text[POLICY_SUBJECT_MAX + 1];
    memset(text, 'a', sizeof(text));
    ck_assert_int_eq(
        policy_subject_parse(&subject, POLICY_NOTIFICATION, text, POLICY_SUBJECT_MAX - 1, NULL), 0);
    ck_assert_int_eq(
        policy_subject_parse(&subject, POLICY_NOTIFICATION, text, POLICY_SUBJECT_MAX, NULL),
        -E2BIG);
    ck_assert_int_eq(policy_subject_parse(&subject, POLICY_NOTIFICATION, "a\0b", 3, NULL), -EINVAL);
}
END_TEST

/* From the most specific down; each pair must be ordered so. */
static const char *const order[] = {"a.b.test:443",  "a.b.test",  "*.b.test:443", "*.b.test",
                                    "**.b.test:443", "**.b.test", "*.*.test",     "**.test",
                                    "**:443",        "**"};
static const char *const exec_order[] = {"Bash(git status)",
                                         "Bash(git status*)",
                                         "Bash(git *)",
                                         "Bash(*)",
                                         "Bash",
                                         "Ba*",
                                         "*(git status)",
                                         "*"};

static void check_order(enum policy_kind kind, const char *const *list, size_t count)
{
    uint64_t before = UINT64_MAX;
    for (size_t i = 0; i < count; i++) {
        struct policy_pattern pattern;
        ck_assert_int_eq(policy_pattern_parse(&pattern, kind, list[i], NULL), 0);
        ck_assert_msg(pattern.specificity < before, "%s is not below %s", list[i],
                      i ? list[i - 1] : "");
        before = pattern.specificity;
        policy_pattern_free(&pattern);
    }
}

START_TEST(specificity)
{
    check_order(POLICY_EGRESS, order, sizeof(order) / sizeof(*order));
    check_order(POLICY_EXEC, exec_order, sizeof(exec_order) / sizeof(*exec_order));
}
END_TEST

/* The exact pattern matches its subject, and nothing that differs in a byte. */
START_TEST(exact)
{
    static const struct {
        enum policy_kind kind;
        const char *subject, *other;
    } cases[] = {
        {POLICY_EGRESS, "A.test:80", "a.test:81"},
        {POLICY_EGRESS, "[::1]:80", "[::2]:80"},
        {POLICY_OPEN_URL, "https://a.test/x", "http://a.test:443/x"},
        {POLICY_EXEC, "Bash(rm *; ls ?\\)", "Bash(rm a; ls b\\)"},
        {POLICY_EXEC, "Read", "Read(x)"},
        {POLICY_FILE_OUT, "a*b/c?", "axb/cd"},
        {POLICY_NOTIFICATION, "a*", "ab"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct policy_subject subject, other;
        struct policy_pattern pattern;
        char text[POLICY_SUBJECT_MAX * 2];
        ck_assert_int_eq(policy_subject_parse(&subject, cases[i].kind, cases[i].subject,
                                              strlen(cases[i].subject), NULL),
                         0);
        ck_assert_int_eq(policy_subject_parse(&other, cases[i].kind, cases[i].other,
                                              strlen(cases[i].other), NULL),
                         0);
        ck_assert_int_eq(policy_pattern_exact(&subject, text, NULL), 0);
        ck_assert_int_eq(policy_pattern_parse(&pattern, cases[i].kind, text, NULL), 0);
        ck_assert_msg(policy_pattern_match(&pattern, &subject, true), "%s", text);
        ck_assert_msg(!policy_pattern_match(&pattern, &other, false), "%s", text);
        policy_pattern_free(&pattern);
    }
}
END_TEST

/* What globs mean, said the slow way. */
static bool slow(const char *p, size_t ps, const char *t, size_t ts, int flags)
{
    if (ps == 0)
        return ts == 0;
    if (*p == '*') {
        bool deep = (flags & GLOB_PATH) && ps > 1 && p[1] == '*';
        size_t taken = deep ? 2 : 1;
        for (size_t i = 0; i <= ts; i++) {
            if (slow(p + taken, ps - taken, t + i, ts - i, flags))
                return true;
            if (i == ts || ((flags & GLOB_PATH) && !deep && t[i] == '/') ||
                ((flags & GLOB_SIMPLE) && strchr(";&|<>`$()\n\r", t[i])))
                return false;
        }
    }
    if (ts == 0)
        return false;
    if (*p == '?')
        return !((flags & GLOB_PATH) && *t == '/') &&
               !((flags & GLOB_SIMPLE) && strchr(";&|<>`$()\n\r", *t)) &&
               slow(p + 1, ps - 1, t + 1, ts - 1, flags);
    if (*p == '\\' && ps > 1)
        return p[1] == *t && slow(p + 2, ps - 2, t + 1, ts - 1, flags);
    return *p == *t && slow(p + 1, ps - 1, t + 1, ts - 1, flags);
}

START_TEST(globs_agree_with_the_slow_way)
{
    unsigned seed = 11;
    for (int round = 0; round < 60000; round++) {
        char pattern[10], text[10];
        size_t ps = (size_t)(rand_r(&seed) % 10), ts = (size_t)(rand_r(&seed) % 10);
        for (size_t i = 0; i < ps; i++)
            pattern[i] = "ab/*?*;\\"[rand_r(&seed) % 8];
        for (size_t i = 0; i < ts; i++)
            text[i] = "ab/;"[rand_r(&seed) % 4];
        int flags = round % 3 == 0 ? 0 : round % 3 == 1 ? GLOB_PATH : GLOB_SIMPLE;
        if (!glob_valid(pattern, ps))
            continue;
        ck_assert_msg(glob_match(pattern, ps, text, ts, flags) ==
                          slow(pattern, ps, text, ts, flags),
                      "%.*s on %.*s, flags %d", (int)ps, pattern, (int)ts, text, flags);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("policy pattern");
    TCase *tests = tcase_create("pattern");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, matching);
    tcase_add_test(tests, refused_patterns);
    tcase_add_test(tests, refused_subjects);
    tcase_add_test(tests, denials_see_through_joins);
    tcase_add_test(tests, subject_limits);
    tcase_add_test(tests, specificity);
    tcase_add_test(tests, exact);
    tcase_add_test(tests, globs_agree_with_the_slow_way);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
