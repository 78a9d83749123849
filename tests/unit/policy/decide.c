#include "mux/policy/policy.h"

#include <stdio.h>
#include <string.h>

#include "mux/policy/rules.h"
#include "tests/unit/transport/suite.h"

#define NOW 1000000.0

static struct policy_query query_of(enum policy_kind kind, const char *subject)
{
    return (struct policy_query){kind, subject, strlen(subject), "s1", "/home/u/p", NOW};
}

/* One policy file, rules of the form "effect scope pattern", a subject, and what comes of it. */
static const struct {
    const char *file, *rules[3];
    const char *subject;
    enum policy_effect effect;
    const char *where;
} table[] = {
    {"egress { default = ask }", {0}, "a.test", POLICY_ASK, "p.conf:1"},
    {"exec { default = allow }", {0}, "a.test", POLICY_DENY, "built in"},
    {"egress { allow = a.test }", {0}, "a.test", POLICY_ALLOW, "p.conf:1"},
    /* deny before ask before allow when equal */
    {"egress {\nallow = a.test\nask = a.test\ndeny = a.test }",
     {0},
     "a.test",
     POLICY_DENY,
     "p.conf:4"},
    {"egress {\nallow = a.test\nask = a.test }", {0}, "a.test", POLICY_ASK, "p.conf:3"},
    /* the most specific first, whatever its effect */
    {"egress {\nallow = a.b.test\ndeny = \"**.test\" }", {0}, "a.b.test", POLICY_ALLOW, "p.conf:2"},
    {"egress {\nallow = \"**.test\"\ndeny = a.b.test }", {0}, "a.b.test", POLICY_DENY, "p.conf:3"},
    {"egress {\nallow = \"*.b.test\"\ndeny = \"**.b.test\" }",
     {0},
     "a.b.test",
     POLICY_ALLOW,
     "p.conf:2"},
    {"egress {\nallow = \"a.test:443\"\ndeny = a.test }",
     {0},
     "a.test:443",
     POLICY_ALLOW,
     "p.conf:2"},
    {"egress {\nallow = \"a.test:443\"\ndeny = a.test }",
     {0},
     "a.test:80",
     POLICY_DENY,
     "p.conf:3"},
    {"egress {\nallow = \"**\"\ndeny = \"**:25\" }", {0}, "a.test:25", POLICY_DENY, "p.conf:3"},
    /* remembered: it answers an ask of equal specificity, never a deny */
    {"egress { ask = a.test }", {"allow all a.test"}, "a.test", POLICY_ALLOW, "rule 1"},
    {"egress { deny = a.test }", {"allow all a.test"}, "a.test", POLICY_DENY, "p.conf:1"},
    {"egress { ask = \"a.test:443\" }", {"allow all a.test"}, "a.test:443", POLICY_ASK, "p.conf:1"},
    {"egress { deny = \"*.test\" }", {"allow all a.test:443"}, "a.test", POLICY_ALLOW, "rule 1"},
    {"egress { allow = a.test }", {"deny all a.test"}, "a.test", POLICY_DENY, "rule 1"},
    {"", {"allow all a.test", "deny sandbox a.test"}, "a.test", POLICY_DENY, "rule 2"},
    {"", {"allow all a.test", "allow sandbox a.test"}, "a.test", POLICY_ALLOW, "rule 2"},
    {"", {"allow other a.test"}, "a.test", POLICY_DENY, "built in"},
    {"", {"allow project a.test"}, "a.test", POLICY_ALLOW, "rule 1"},
    {"", {"allow elsewhere a.test"}, "a.test", POLICY_DENY, "built in"},
    {"", {"allow expired a.test"}, "a.test", POLICY_DENY, "built in"},
    {"", {"allow future a.test"}, "a.test", POLICY_DENY, "built in"},
    /* what is no subject */
    {"egress { default = allow; allow = \"**\" }", {0}, "x@a.test", POLICY_DENY, "built in"},
    {"egress { default = allow }", {0}, "a..test", POLICY_DENY, "built in"},
};

static void add_rule(struct rules *rules, const char *text)
{
    char effect[16], scope[16], pattern[64];
    struct rule rule;
    ck_assert_int_eq(sscanf(text, "%15s %15s %63s", effect, scope, pattern), 3);
    bool sandbox = strcmp(scope, "sandbox") == 0 || strcmp(scope, "other") == 0;
    bool project = strcmp(scope, "project") == 0 || strcmp(scope, "elsewhere") == 0;
    const char *value = strcmp(scope, "sandbox") == 0   ? "s1"
                        : strcmp(scope, "other") == 0   ? "s2"
                        : strcmp(scope, "project") == 0 ? "/home/u/p"
                                                        : "/home/u/q";
    double made = strcmp(scope, "expired") == 0  ? NOW - 100
                  : strcmp(scope, "future") == 0 ? NOW + 100
                                                 : NOW;
    ck_assert_int_eq(rule_from_pattern(&rule, POLICY_EGRESS, pattern,
                                       (enum policy_effect)policy_effect_find(effect),
                                       sandbox   ? RULE_SANDBOX
                                       : project ? RULE_PROJECT
                                                 : RULE_ALL,
                                       value, made, 100, "r1-x", NULL),
                     0);
    ck_assert_int_eq(rules_add(rules, &rule, NULL), 0);
}

static void check_precedence(int row)
{
    struct policy policy = {0};
    struct rules rules;
    struct policy_decision decision, explained;
    struct bj_error error = {0};
    ck_assert_int_eq(rules_open(&rules, NULL, NULL), 0);
    ck_assert_msg(policy_load_text(&policy, table[row].file, strlen(table[row].file), "p.conf",
                                   POLICY_TRUSTED, NULL, &error) == 0,
                  "%s", error.text);
    for (int i = 0; i < 3 && table[row].rules[i]; i++)
        add_rule(&rules, table[row].rules[i]);
    struct policy_query query = query_of(POLICY_EGRESS, table[row].subject);
    policy_decide(&policy, &rules, &query, &decision);
    ck_assert_msg(decision.effect == table[row].effect, "row %d: %s", row, decision.why);
    ck_assert_str_eq(decision.where, table[row].where);
    ck_assert(decision.why[0]);

    struct policy_line *lines;
    size_t count, deciding = 0;
    ck_assert_int_eq(policy_explain(&policy, &rules, &query, &explained, &lines, &count, &error),
                     0);
    ck_assert_int_eq(memcmp(&decision, &explained, sizeof(decision)), 0);
    for (size_t i = 0; i < count; i++)
        if (lines[i].decides) {
            deciding++;
            ck_assert_str_eq(lines[i].where, decision.where);
            ck_assert_int_eq(lines[i].effect, decision.effect);
        }
    ck_assert_uint_eq(deciding, decision.invalid ? 0 : 1);
    policy_lines_free(lines, count);
    rules_free(&rules);
    policy_free(&policy);
}

START_TEST(precedence)
{
    for (int row = 0; row < (int)(sizeof(table) / sizeof(*table)); row++)
        check_precedence(row);
}
END_TEST

/* Of several files: what is equal is settled by strictness, not by the file; the default is the
 * last. */
START_TEST(files_together)
{
    struct policy policy = {0};
    struct policy_decision decision;
    static const char one[] = "egress { deny = a.test; default = allow }";
    static const char two[] = "egress { allow = a.test; default = ask }";
    ck_assert_int_eq(policy_load_text(&policy, one, strlen(one), "one", POLICY_TRUSTED, NULL, NULL),
                     0);
    ck_assert_int_eq(policy_load_text(&policy, two, strlen(two), "two", POLICY_TRUSTED, NULL, NULL),
                     0);
    struct policy_query query = query_of(POLICY_EGRESS, "a.test");
    policy_decide(&policy, NULL, &query, &decision);
    ck_assert_int_eq(decision.effect, POLICY_DENY);
    ck_assert_str_eq(decision.where, "one:1");
    query = query_of(POLICY_EGRESS, "b.test");
    policy_decide(&policy, NULL, &query, &decision);
    ck_assert_int_eq(decision.effect, POLICY_ASK);
    ck_assert(decision.by_default);
    ck_assert_str_eq(decision.where, "two:1");
    policy_free(&policy);
}
END_TEST

START_TEST(explaining)
{
    struct policy policy = {0};
    struct policy_decision decision;
    static const char file[] = "egress {\n allow = [\"**.test\",\n \"@npm\", \"@pip\"]\n"
                               " ask = \"*.b.test\"\n default = deny\n}";
    ck_assert_int_eq(policy_load_text(&policy, file, strlen(file), "f", POLICY_TRUSTED, NULL, NULL),
                     0);
    char *hosts[] = {"a.b.test:443", "not a host", "*.b.test"};
    struct preset npm = {"@npm", hosts, 3, "from npm config"};
    struct preset pip = {"@pip", NULL, 0, "cannot run pip"};
    ck_assert_int_eq(policy_set_preset(&policy, &npm, NULL), 0);
    ck_assert_int_eq(policy_set_preset(&policy, &npm, NULL), 0); /* again replaces */
    ck_assert_int_eq(policy_set_preset(&policy, &pip, NULL), 0);
    ck_assert_uint_eq(policy.presets_count, 2);
    struct policy_line *lines;
    size_t count;
    struct policy_query query = query_of(POLICY_EGRESS, "A.B.test.");
    ck_assert_int_eq(policy_explain(&policy, NULL, &query, &decision, &lines, &count, NULL), 0);
    ck_assert_str_eq(decision.subject, "a.b.test:443");
    ck_assert_uint_eq(count, 5);
    ck_assert_str_eq(lines[0].text, "@npm (a.b.test:443)");
    ck_assert_str_eq(lines[0].where, "f:3");
    ck_assert(lines[0].decides);
    ck_assert_str_eq(lines[1].text, "*.b.test");
    ck_assert_str_eq(lines[2].text, "**.test");
    ck_assert_str_eq(lines[3].text, "default");
    ck_assert_int_eq(lines[3].effect, POLICY_DENY);
    ck_assert_str_eq(lines[4].text, "@pip is empty: cannot run pip");
    ck_assert_int_eq(lines[4].effect, 0);
    policy_lines_free(lines, count);
    policy_free(&policy);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("policy decisions");
    TCase *tests = tcase_create("decide");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, precedence);
    tcase_add_test(tests, files_together);
    tcase_add_test(tests, explaining);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
