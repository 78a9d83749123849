#include "mux/policy/rules.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <signal.h>

#include "mux/policy/document.h"
#include "tests/unit/policy/scratch.h"
#include "tests/unit/transport/suite.h"

static struct rules rules;

static void setup(void)
{
    scratch_make();
    ck_assert_int_eq(rules_open(&rules, scratch_path("rules.json"), NULL), 0);
    ck_assert_uint_eq(rules.count, 0);
}

static void teardown(void)
{
    rules_free(&rules);
    scratch_remove();
}

static void reopen(void)
{
    struct bj_error error = {0};
    rules_free(&rules);
    ck_assert_msg(rules_open(&rules, scratch_path("rules.json"), &error) == 0, "%s", error.text);
}

static uint64_t add(const char *subject, enum policy_effect effect, enum rule_scope scope,
                    const char *value, double now, double seconds)
{
    struct rule rule;
    struct bj_error error = {0};
    ck_assert_msg(rule_from_request(&rule, POLICY_EGRESS, subject, strlen(subject), effect, scope,
                                    value, now, seconds, "r7-ab", &error) == 0,
                  "%s", error.text);
    ck_assert_msg(rules_add(&rules, &rule, &error) == 0, "%s", error.text);
    return rules.list[rules.count - 1].id;
}

START_TEST(kept)
{
    uint64_t one = add("a.test:443", POLICY_ALLOW, RULE_ALL, NULL, 1000.25, 0);
    uint64_t two = add("b.test", POLICY_DENY, RULE_SANDBOX, "s1", 1001, 60);
    ck_assert_uint_lt(one, two);
    reopen();
    ck_assert_uint_eq(rules.count, 2);
    const struct rule *rule = rules_find(&rules, one);
    ck_assert_str_eq(rule->pattern.text, "a.test:443");
    ck_assert_int_eq(rule->effect, POLICY_ALLOW);
    ck_assert_int_eq(rule->scope, RULE_ALL);
    ck_assert_ptr_null(rule->value);
    ck_assert_double_eq(rule->created, 1000.25);
    ck_assert_str_eq(rule->request, "r7-ab");
    rule = rules_find(&rules, two);
    ck_assert_str_eq(rule->value, "s1");
    ck_assert_double_eq(rule->expires, 1061);
    struct stat info;
    ck_assert_int_eq(stat(scratch_path("rules.json"), &info), 0);
    ck_assert_uint_eq(info.st_mode & 0777, 0600);
    ck_assert_int_ne(access(scratch_path("rules.json.new"), F_OK), 0);
}
END_TEST

START_TEST(changing)
{
    struct rule removed;
    struct bj_error error = {0};
    ck_assert_int_eq(rules_undo(&rules, NULL, &error), -ENOENT);
    uint64_t one = add("a.test", POLICY_ALLOW, RULE_ALL, NULL, 1, 0);
    uint64_t two = add("b.test", POLICY_ALLOW, RULE_ALL, NULL, 2, 0);
    ck_assert_int_eq(rules_remove(&rules, 99, NULL, &error), -ENOENT);
    ck_assert_int_eq(rules_undo(&rules, &removed, &error), 0);
    ck_assert_uint_eq(removed.id, two);
    rule_free(&removed);
    uint64_t three = add("c.test", POLICY_ALLOW, RULE_ALL, NULL, 3, 0);
    ck_assert_uint_gt(three, two); /* no id comes twice */
    ck_assert_int_eq(rules_remove(&rules, one, NULL, &error), 0);
    reopen();
    ck_assert_uint_eq(rules.count, 1);
    ck_assert_uint_eq(rules.list[0].id, three);
}
END_TEST

/* The same once more takes the place of the old one, with its own times. */
START_TEST(repeated)
{
    uint64_t one = add("a.test", POLICY_ALLOW, RULE_ALL, NULL, 1, 10);
    add("b.test", POLICY_ALLOW, RULE_ALL, NULL, 1, 10);
    uint64_t two = add("a.test", POLICY_ALLOW, RULE_ALL, NULL, 2, 0);
    add("a.test", POLICY_ALLOW, RULE_SANDBOX, "s1", 2, 0);
    ck_assert_uint_eq(rules.count, 3);
    ck_assert_ptr_null(rules_find(&rules, one));
    ck_assert_double_eq(rules_find(&rules, two)->expires, 0);
    reopen();
    ck_assert_uint_eq(rules.count, 3);
}
END_TEST

START_TEST(expiry)
{
    uint64_t id = add("a.test", POLICY_ALLOW, RULE_ALL, NULL, 1000, 60);
    const struct rule *rule = rules_find(&rules, id);
    ck_assert(rule_applies(rule, NULL, NULL, 1000));
    ck_assert(rule_applies(rule, NULL, NULL, 1059.9));
    ck_assert(!rule_applies(rule, NULL, NULL, 1060));
    ck_assert(!rule_applies(rule, NULL, NULL, 900)); /* the clock was set back */
    add("b.test", POLICY_DENY, RULE_ALL, NULL, 1000, 60);
    add("c.test", POLICY_ALLOW, RULE_ALL, NULL, 1000, 0);
    ck_assert(rule_applies(&rules.list[1], NULL, NULL, 900));
    ck_assert_int_eq(rules_expire(&rules, 1059, NULL), 0);
    ck_assert_int_eq(rules_expire(&rules, 1060, NULL), 2);
    reopen();
    ck_assert_uint_eq(rules.count, 1);
    ck_assert_str_eq(rules.list[0].pattern.text, "c.test:443");
}
END_TEST

START_TEST(scopes)
{
    add("a.test", POLICY_ALLOW, RULE_SANDBOX, "s1", 1, 0);
    add("a.test", POLICY_ALLOW, RULE_PROJECT, "/p", 1, 0);
    ck_assert(rule_applies(&rules.list[0], "s1", NULL, 2));
    ck_assert(!rule_applies(&rules.list[0], "s2", "/p", 2));
    ck_assert(!rule_applies(&rules.list[0], NULL, NULL, 2));
    ck_assert(rule_applies(&rules.list[1], "s2", "/p", 2));
    ck_assert(!rule_applies(&rules.list[1], "s2", "/p/sub", 2));
    ck_assert_int_eq(rules_forget(&rules, "s1", NULL), 1);
    ck_assert_int_eq(rules_forget(&rules, "/p", NULL), 0);
    reopen();
    ck_assert_uint_eq(rules.count, 1);
}
END_TEST

START_TEST(never_wider_than_shown)
{
    static const struct {
        enum policy_kind kind;
        const char *subject, *pattern, *sentence;
    } cases[] = {
        {POLICY_EGRESS, "A.test", "a.test:443",
         "Allow connections to a.test:443, for every sandbox, until 1970-01-01 01:00:00 UTC."},
        {POLICY_EXEC, "Bash(rm *)", "Bash(rm \\*)",
         "Allow the tool call Bash(rm \\*), for every sandbox, until 1970-01-01 01:00:00 UTC."},
        {POLICY_OPEN_URL, "https://a.test/x", "https://a.test:443",
         "Allow opening https://a.test:443, for every sandbox, until 1970-01-01 01:00:00 UTC."},
        {POLICY_FILE_OUT, "a/b?", "a/b\\?",
         "Allow taking out files a/b\\?, for every sandbox, until 1970-01-01 01:00:00 UTC."},
    };
    char sentence[RULE_SENTENCE_MAX];
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct rule rule;
        ck_assert_int_eq(rule_from_request(&rule, cases[i].kind, cases[i].subject,
                                           strlen(cases[i].subject), POLICY_ALLOW, RULE_ALL, NULL,
                                           0, 3600, "r", NULL),
                         0);
        ck_assert_str_eq(rule.pattern.text, cases[i].pattern);
        rule_sentence(&rule, NULL, sentence);
        ck_assert_str_eq(sentence, cases[i].sentence);
        rule_free(&rule);
    }
    struct rule rule;
    ck_assert_int_eq(rule_from_pattern(&rule, POLICY_EGRESS, "**.test", POLICY_DENY, RULE_SANDBOX,
                                       "id1", 0, 0, NULL, NULL),
                     0);
    rule_sentence(&rule, "blue", sentence);
    ck_assert_str_eq(sentence,
                     "Deny connections to **.test on every port, for the sandbox blue, for good.");
    rule_free(&rule);
}
END_TEST

START_TEST(refused)
{
    struct rule rule;
    static const char subject[] = "a.test";
    char big[POLICY_SUBJECT_MAX];
    memset(big, 'a', sizeof(big));
    ck_assert_int_eq(rule_from_request(&rule, POLICY_EGRESS, "u@a.test", 8, POLICY_ALLOW, RULE_ALL,
                                       NULL, 0, 0, "", NULL),
                     -EINVAL);
    ck_assert_int_eq(rule_from_request(&rule, POLICY_EGRESS, subject, 6, POLICY_ASK, RULE_ALL, NULL,
                                       0, 0, "", NULL),
                     -EINVAL);
    ck_assert_int_eq(rule_from_request(&rule, POLICY_EGRESS, subject, 6, POLICY_ALLOW, RULE_SANDBOX,
                                       NULL, 0, 0, "", NULL),
                     -EINVAL);
    ck_assert_int_eq(rule_from_request(&rule, POLICY_EGRESS, subject, 6, POLICY_ALLOW, RULE_ALL,
                                       NULL, 0, -1, "", NULL),
                     -EINVAL);
    ck_assert_int_eq(rule_from_request(&rule, POLICY_NOTIFICATION, big, 2000, POLICY_ALLOW,
                                       RULE_ALL, NULL, 0, 0, "", NULL),
                     -E2BIG);
}
END_TEST

static const char *const damaged[] = {
    "",
    "{",
    "[]",
    "{\"version\":2}",
    "{\"version\":1}",
    "{\"version\":1,\"next\":0,\"rules\":[]}",
    "{\"version\":1,\"next\":2,\"rules\":[{}]}",
    "{\"version\":1,\"next\":2,\"rules\":[{\"id\":2,\"kind\":\"egress\",\"effect\":\"allow\","
    "\"pattern\":"
    "\"a.test\",\"scope\":\"all\",\"created\":1,\"expires\":0,\"request\":\"\"}]}",
    "{\"version\":1,\"next\":2,\"rules\":[{\"id\":1,\"kind\":\"egress\",\"effect\":\"ask\","
    "\"pattern\":"
    "\"a.test\",\"scope\":\"all\",\"created\":1,\"expires\":0,\"request\":\"\"}]}",
    "{\"version\":1,\"next\":2,\"rules\":[{\"id\":1,\"kind\":\"egress\",\"effect\":\"allow\","
    "\"pattern\":"
    "\"a*.test\",\"scope\":\"all\",\"created\":1,\"expires\":0,\"request\":\"\"}]}",
    "{\"version\":1,\"next\":2,\"rules\":[{\"id\":1,\"kind\":\"egress\",\"effect\":\"allow\","
    "\"pattern\":"
    "\"a.test\",\"scope\":\"sandbox\",\"created\":1,\"expires\":0,\"request\":\"\"}]}",
    "{\"version\":1,\"next\":2,\"rules\":[{\"id\":1,\"kind\":\"egress\",\"effect\":\"allow\","
    "\"pattern\":"
    "\"a.test\",\"scope\":\"all\",\"created\":1,\"expires\":0,\"request\":\"\",\"extra\":1}]}",
};

/* A damaged file is said to be so, and is left as it is. */
START_TEST(damaged_file)
{
    struct rules other;
    struct bj_error error = {0};
    scratch_write("other.json", damaged[_i], 0600);
    ck_assert_int_eq(rules_open(&other, scratch_path("other.json"), &error), -EINVAL);
    ck_assert_ptr_nonnull(strstr(error.text, "other.json"));
    ck_assert_uint_eq(other.count, 0);
    char *text;
    size_t size;
    ck_assert_int_eq(document_read(scratch_path("other.json"), &text, &size, NULL), 0);
    ck_assert_str_eq(text, damaged[_i]);
    free(text);
}
END_TEST

/* When the new file cannot be written nothing has changed, on disk or in memory. */
START_TEST(full_disk)
{
    struct bj_error error = {0};
    uint64_t one = add("a.test", POLICY_ALLOW, RULE_ALL, NULL, 1, 0);
    add("b.test", POLICY_ALLOW, RULE_ALL, NULL, 1, 5);
    add("c.test", POLICY_ALLOW, RULE_ALL, NULL, 1, 0);
    struct rlimit none = {16, RLIM_INFINITY}, before;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    struct rule fresh, again;
    ck_assert_int_eq(rule_from_pattern(&fresh, POLICY_EGRESS, "d.test", POLICY_ALLOW, RULE_ALL,
                                       NULL, 1, 0, NULL, NULL),
                     0);
    ck_assert_int_eq(rule_from_pattern(&again, POLICY_EGRESS, "a.test:443", POLICY_ALLOW, RULE_ALL,
                                       NULL, 9, 0, NULL, NULL),
                     0);
    setrlimit(RLIMIT_FSIZE, &none);
    int added = rules_add(&rules, &fresh, &error);
    int replaced = rules_add(&rules, &again, NULL);
    int removed = rules_remove(&rules, one, NULL, NULL);
    int undone = rules_undo(&rules, NULL, NULL);
    int expired = rules_expire(&rules, 100, NULL);
    setrlimit(RLIMIT_FSIZE, &before);
    ck_assert_int_eq(added, -EFBIG);
    ck_assert(error.text[0]);
    ck_assert_int_eq(replaced, -EFBIG);
    ck_assert_int_eq(removed, -EFBIG);
    ck_assert_int_eq(undone, -EFBIG);
    ck_assert_int_eq(expired, -EFBIG);
    rule_free(&fresh);
    rule_free(&again);
    for (int round = 0; round < 2; round++) {
        ck_assert_uint_eq(rules.count, 3);
        ck_assert_uint_eq(rules.list[0].id, one);
        ck_assert_str_eq(rules.list[2].pattern.text, "c.test:443");
        ck_assert_uint_eq(rules.next, 4);
        reopen();
    }
}
END_TEST

START_TEST(too_many)
{
    rules_free(&rules);
    ck_assert_int_eq(rules_open(&rules, NULL, NULL), 0); /* in memory */
    struct rule rule;
    for (int i = 0; i <= RULES_MAX; i++) {
        char host[32];
        snprintf(host, sizeof(host), "h%d.test", i);
        ck_assert_int_eq(rule_from_pattern(&rule, POLICY_EGRESS, host, POLICY_ALLOW, RULE_ALL, NULL,
                                           1, 0, NULL, NULL),
                         0);
        ck_assert_int_eq(rules_add(&rules, &rule, NULL), i < RULES_MAX ? 0 : -ENOSPC);
    }
    rule_free(&rule);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("policy rules");
    TCase *tests = tcase_create("rules");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, kept);
    tcase_add_test(tests, changing);
    tcase_add_test(tests, repeated);
    tcase_add_test(tests, expiry);
    tcase_add_test(tests, scopes);
    tcase_add_test(tests, never_wider_than_shown);
    tcase_add_test(tests, refused);
    tcase_add_loop_test(tests, damaged_file, 0, (int)(sizeof(damaged) / sizeof(*damaged)));
    tcase_add_test(tests, full_disk);
    tcase_add_test(tests, too_many);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
