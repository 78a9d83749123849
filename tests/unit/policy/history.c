#include "mux/policy/history.h"

#include <stdarg.h>
#include <string.h>

#include "tests/unit/transport/suite.h"

static struct history history;

static void setup(void)
{
    history = (struct history){0};
}

static void teardown(void)
{
    history_free(&history);
}

/* A record as json_pack() writes it. */
static void record(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    json_t *made = json_vpack_ex(NULL, 0, format, args);
    va_end(args);
    ck_assert_ptr_nonnull(made);
    ck_assert_int_eq(history_add(&history, made, NULL), 0);
    json_decref(made);
}

static void asked(const char *about, const char *subject, const char *project, const char *answer,
                  const char *by, double time, double waited)
{
    record("{s:s, s:f, s:s, s:s, s:s, s:s*, s:s, s:s, s:f}", "kind", "verdict", "time", time,
           "about", about, "subject", subject, "sandbox", "blue", "project", project, "answer",
           answer, "by", by, "waited", waited);
}

static struct suggestion *list;
static size_t count;

static void suggest(size_t times, size_t subjects)
{
    struct suggest_options options = {times, subjects};
    struct bj_error error = {0};
    ck_assert_msg(history_suggest(&history, &options, &list, &count, &error) == 0, "%s",
                  error.text);
}

START_TEST(exact_rules)
{
    for (int i = 0; i < 3; i++)
        asked("egress", "a.test:443", "/p", "allow", "human", 100 + i, 1);
    asked("egress", "once.test:443", "/p", "allow", "human", 110, 1);
    asked("egress", "evil.test", "/p", "deny", "human", 111, 1);
    asked("egress", "evil.test:443", "/q", "deny", "human", 112, 1);
    asked("egress", "both.test", "/p", "deny", "human", 113, 1);
    asked("egress", "both.test", "/p", "allow", "human", 114, 1);
    asked("egress", "ruled.test", "/p", "allow", "rule", 115, 0);
    asked("egress", "ruled.test", "/p", "allow", "policy", 116, 0);
    suggest(2, 3);
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(list[0].pattern, "a.test:443");
    ck_assert_int_eq(list[0].effect, POLICY_ALLOW);
    ck_assert_uint_eq(list[0].answered, 3);
    ck_assert_int_eq(list[0].scope, RULE_PROJECT);
    ck_assert_str_eq(list[0].value, "/p");
    ck_assert_str_eq(list[1].pattern, "evil.test:443");
    ck_assert_int_eq(list[1].effect, POLICY_DENY);
    ck_assert_int_eq(list[1].scope, RULE_ALL); /* of two projects */
    suggestions_free(list, count);
}
END_TEST

/* Three subjects that share their labels: one wildcard in place of three rules, no wider than
 * needed. */
START_TEST(wildcards)
{
    asked("egress", "a.cdn.test:443", NULL, "allow", "human", 1, 1);
    asked("egress", "b.cdn.test:443", NULL, "allow", "human", 2, 1);
    asked("egress", "b.cdn.test:443", NULL, "allow", "human", 2, 1);
    asked("egress", "c.cdn.test:443", NULL, "allow", "human", 3, 1);
    asked("exec", "Bash(npm run a)", NULL, "allow", "human", 4, 1);
    asked("exec", "Bash(npm run b)", NULL, "allow", "human", 5, 1);
    asked("exec", "Bash(npm run c)", NULL, "allow", "human", 6, 1);
    asked("file_out", "dist/x/a.js", NULL, "allow", "human", 7, 1);
    asked("file_out", "dist/y/b.js", NULL, "allow", "human", 8, 1);
    asked("file_out", "dist/c.js", NULL, "allow", "human", 9, 1);
    suggest(0, 0);
    ck_assert_uint_eq(count, 3);
    ck_assert_str_eq(list[0].pattern, "*.cdn.test:443");
    ck_assert_uint_eq(list[0].answered, 4);
    ck_assert_uint_eq(list[0].subjects_count, 3);
    ck_assert_str_eq(list[0].subjects[0], "b.cdn.test:443"); /* most frequent first */
    ck_assert_uint_eq(list[0].times[0], 2);
    for (size_t i = 1; i < 3; i++)
        ck_assert_str_eq(list[i].pattern,
                         list[i].kind == POLICY_EXEC ? "Bash(npm run *)" : "dist/**");
    suggestions_free(list, count);
}
END_TEST

/* What a human denied is never let through, and a single label is never enough for a wildcard. */
START_TEST(wildcards_keep_away_from_denials)
{
    asked("egress", "a.cdn.test:443", NULL, "allow", "human", 1, 1);
    asked("egress", "b.cdn.test:443", NULL, "allow", "human", 2, 1);
    asked("egress", "c.cdn.test:443", NULL, "allow", "human", 3, 1);
    asked("egress", "evil.cdn.test:443", NULL, "deny", "human", 4, 1);
    suggest(1, 3);
    ck_assert_uint_eq(count, 4);
    for (size_t i = 0; i < count; i++)
        ck_assert_ptr_null(strchr(list[i].pattern, '*'));
    suggestions_free(list, count);
    history_free(&history);
    asked("egress", "a.test:443", NULL, "allow", "human", 1, 1);
    asked("egress", "b.test:443", NULL, "allow", "human", 2, 1);
    asked("egress", "c.test:443", NULL, "allow", "human", 3, 1);
    suggest(1, 3);
    ck_assert_uint_eq(count, 3);
    suggestions_free(list, count);
}
END_TEST

START_TEST(suggested_rules_answer_what_they_say)
{
    static const char *const hosts[] = {"a.x.test", "b.x.test",     "c.y.x.test", "d.z.x.test",
                                        "e.test",   "f.other.test", "10.0.0.1"};
    unsigned seed = 3;
    for (int i = 0; i < 200; i++)
        asked("egress", hosts[rand_r(&seed) % 7], "/p", "allow", "human", i, 1);
    suggest(1, 3);
    size_t answered = 0;
    struct rules rules;
    ck_assert_int_eq(rules_open(&rules, NULL, NULL), 0);
    for (size_t i = 0; i < count; i++) {
        struct rule rule;
        ck_assert_int_eq(rule_from_pattern(&rule, list[i].kind, list[i].pattern, list[i].effect,
                                           list[i].scope, list[i].value, 1, 0, NULL, NULL),
                         0);
        ck_assert_int_eq(rules_add(&rules, &rule, NULL), 0);
        answered += list[i].answered;
    }
    ck_assert_uint_eq(answered, 200);
    ck_assert_uint_lt(count, 5); /* not one for each */
    struct policy policy = {0};
    for (int i = 0; i < 7; i++) {
        struct policy_query query = {POLICY_EGRESS, hosts[i], strlen(hosts[i]), "s", "/p", 2};
        struct policy_decision decision;
        policy_decide(&policy, &rules, &query, &decision);
        ck_assert_int_eq(decision.effect, POLICY_ALLOW);
    }
    rules_free(&rules);
    suggestions_free(list, count);
}
END_TEST

START_TEST(statistics)
{
    struct policy_stats stats;
    record("{s:s, s:f}", "kind", "server_start", "time", 1000.0);
    record("{s:s, s:f, s:s}", "kind", "start", "time", 1000.0, "sandbox_id", "s1");
    record("{s:s, s:f, s:s}", "kind", "start", "time", 1000.0, "sandbox_id", "s2");
    record("{s:s, s:f, s:i}", "kind", "attach", "time", 1000.0, "client", 1);
    record("{s:s, s:f, s:i}", "kind", "attach", "time", 1600.0, "client", 2); /* the same human */
    record("{s:s, s:f, s:s, s:s, s:s, s:s}", "kind", "request", "time", 2000.0, "id", "r1-a",
           "about", "egress", "subject", "a.test:443", "sandbox", "blue");
    record("{s:s, s:f, s:s, s:s, s:s}", "kind", "verdict", "time", 2004.0, "id", "r1-a", "answer",
           "allow", "by", "human");
    asked("egress", "b.test:443", NULL, "deny", "human", 2010, 10);
    asked("egress", "c.test:443", NULL, "allow", "human", 2020, 6);
    asked("egress", "d.test:443", NULL, "allow", "policy", 2030, 0);
    record("{s:s, s:f, s:s, s:s, s:s}", "kind", "request", "time", 2040.0, "id", "r2-b", "about",
           "egress", "subject", "e.test:443");
    record("{s:s, s:f, s:s, s:s}", "kind", "verdict", "time", 2050.0, "id", "r2-b", "by", "gone");
    record("{s:s, s:f, s:i}", "kind", "detach", "time", 2800.0, "client", 1);
    record("{s:s, s:f, s:i}", "kind", "detach", "time", 2800.0, "client", 2);
    record("{s:s, s:f, s:s}", "kind", "exit", "time", 2800.0, "sandbox_id", "s1");
    record("{s:s, s:f, s:s}", "kind", "other", "time", 2900.0, "x", "y");
    history_stats(&history, 4600, &stats);
    ck_assert_uint_eq(stats.requests, 5);
    ck_assert_uint_eq(stats.by_human, 3);
    ck_assert_uint_eq(stats.by_rule, 1);
    ck_assert_uint_eq(stats.unanswered, 1);
    ck_assert_double_eq_tol(stats.sandbox_hours, 1.5, 1e-9);
    ck_assert_double_eq_tol(stats.human_hours, 0.5, 1e-9);
    ck_assert_double_eq_tol(stats.per_sandbox_hour, 4 / 1.5, 1e-9);
    ck_assert_double_eq_tol(stats.per_human_hour, 8, 1e-9);
    ck_assert_double_eq_tol(stats.share_by_rule, 0.25, 1e-9);
    ck_assert_double_eq_tol(stats.median_seconds, 6, 1e-9);
}
END_TEST

/* A server that was killed never wrote who went; its clients end with its last record. */
START_TEST(killed_server)
{
    struct policy_stats stats;
    record("{s:s, s:f, s:i}", "kind", "attach", "time", 1000.0, "client", 1);
    record("{s:s, s:f}", "kind", "pause", "time", 2800.0);
    record("{s:s, s:f}", "kind", "server_start", "time", 90000.0);
    history_stats(&history, 91000, &stats);
    ck_assert_double_eq_tol(stats.human_hours, 0.5, 1e-9);
    ck_assert_double_eq(stats.per_sandbox_hour, 0);
    ck_assert_double_lt(stats.median_seconds, 0);
}
END_TEST

START_TEST(odd_records)
{
    record("{s:s}", "kind", "verdict");
    record("{s:s, s:f}", "kind", "verdict", "time", 1.0);
    record("{s:s, s:f, s:s}", "kind", "request", "time", 1.0, "about", "weather");
    record("{s:i, s:f}", "kind", 3, "time", 1.0);
    asked("egress", "not a host", NULL, "allow", "human", 1, 1);
    asked("egress", "not a host", NULL, "allow", "human", 1, -5);
    json_t *array = json_array();
    ck_assert_int_eq(history_add(&history, array, NULL), 0);
    json_decref(array);
    suggest(1, 1);
    ck_assert_uint_eq(count, 0);
    suggestions_free(list, count);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("policy history");
    TCase *tests = tcase_create("history");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, exact_rules);
    tcase_add_test(tests, wildcards);
    tcase_add_test(tests, wildcards_keep_away_from_denials);
    tcase_add_test(tests, suggested_rules_answer_what_they_say);
    tcase_add_test(tests, statistics);
    tcase_add_test(tests, killed_server);
    tcase_add_test(tests, odd_records);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
