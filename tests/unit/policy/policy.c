#include "mux/policy/policy.h"

#include <errno.h>
#include <string.h>

#include "mux/policy/document.h"
#include "tests/unit/policy/scratch.h"
#include "tests/unit/transport/suite.h"

static int load(struct policy *policy, const char *text, struct policy_report *report,
                struct bj_error *error)
{
    return policy_load_text(policy, text, strlen(text), "p.conf", POLICY_TRUSTED, report, error);
}

START_TEST(whole_file)
{
    struct policy policy = {0};
    struct bj_error error = {0};
    int status = load(&policy,
                      "egress {\n  allow = [\"a.test\", \"*.b.test:443\", \"@npm\"]\n"
                      "  deny = evil.test\n  default = ask\n}\n"
                      "limits { memory = 1.5gb; cpus = 1.5; pids = 100; disk = 10g\n"
                      "  egress_per_hour = 10mb; wall_clock = 90min; recording_age = 7d }\n"
                      "credential claude {\n  from = \"env:SECRET_KEY\"\n"
                      "  hosts = [\"api.example.test\"]\n  header = \"x-api-key\"\n"
                      "  placeholder_env = \"API_KEY\"\n  base_url_env = \"API_BASE\"\n"
                      "  upstream = \"https://api.example.test/v1\"\n}\n",
                      NULL, &error);
    ck_assert_msg(status == 0, "%s", error.text);
    ck_assert_uint_eq(policy.entries_count, 4);
    ck_assert_int_eq(policy.entries[3].line, 3);
    ck_assert_str_eq(policy.entries[2].preset, "@npm");
    ck_assert_int_eq(policy.defaults[POLICY_EGRESS].effect, POLICY_ASK);
    ck_assert_int_eq(policy.defaults[POLICY_EGRESS].line, 4);
    ck_assert_int_eq(policy.defaults[POLICY_EXEC].effect, 0);
    ck_assert_uint_eq(policy.limits[POLICY_LIMIT_MEMORY].value, 3ULL << 29);
    ck_assert_uint_eq(policy.limits[POLICY_LIMIT_CPUS].value, 1500);
    ck_assert_uint_eq(policy.limits[POLICY_LIMIT_PIDS].value, 100);
    ck_assert_uint_eq(policy.limits[POLICY_LIMIT_DISK].value, 10ULL * 1000 * 1000 * 1000);
    ck_assert_uint_eq(policy.limits[POLICY_LIMIT_EGRESS].value, 10 << 20);
    ck_assert_uint_eq(policy.limits[POLICY_LIMIT_WALL].value, 90 * 60 * 1000);
    ck_assert_uint_eq(policy.limits[POLICY_LIMIT_RECORDING_AGE].value, 7ULL * 24 * 3600 * 1000);
    ck_assert_uint_eq(policy.credentials_count, 1);
    const struct policy_credential *credential = &policy.credentials[0];
    ck_assert_str_eq(credential->name, "claude");
    ck_assert_int_eq(credential->source, CREDENTIAL_ENV);
    ck_assert_str_eq(credential->from, "SECRET_KEY");
    ck_assert_str_eq(credential->format, "%s");
    ck_assert_str_eq(credential->upstream_host.text, "api.example.test");
    ck_assert_uint_eq(credential->upstream_port, 443);
    ck_assert_int_eq(credential->line, 8);
    policy_free(&policy);
}
END_TEST

#define CREDENTIAL(body)                                                                           \
    "credential c {\nfrom = \"env:A\"\nhosts = [h.test]\nheader = k\n" body "\n}"

/* Each mistake, its line, and a word of what would be right. */
static const struct {
    const char *text;
    int line;
    const char *says;
} wrong[] = {
    {"egres { }", 1, "a policy has egress"},
    {"egress = 1", 1, "egress { ... }"},
    {"egress x { }", 1, "no name of its own"},
    {"\negress {\n alow = [] }", 3, "allow, ask, deny, private and default"},
    {"egress {\n default = maybe }", 2, "one of allow, ask, deny"},
    {"egress {\n default = ask\n default = deny }", 3, "line 2"},
    {"egress { allow { } }", 1, "list of patterns"},
    {"egress {\n allow = [\n a.test,\n \"a*.test\"\n] }", 4, "wildcards stand in front"},
    {"egress { allow = [\"@nmp\"] }", 1, "@npm"},
    {"exec { allow = [\"@npm\"\n] deny = \"Bash(\" }", 2, "Tool(arguments)"},
    {"file_out { allow = \"/etc\" }", 1, "relative to the project"},
    {"limits {\n memory = much }", 2, "512mb"},
    {"limits { memory = -1 }", 1, "512mb"},
    {"limits { cpus = 1.2345 }", 1, "1.5"},
    {"limits { pids = 1.5 }", 1, "whole number"},
    {"limits { wall_clock = 10 }", 1, "30min"},
    {"limits { disk = 99999999999999tb }", 1, "4gb"},
    {"limits {\n pids = 1\n pids = 2 }", 3, "line 2"},
    {"limits { ram = 1gb }", 1, "memory, cpus"},
    {"limits { memory = [1gb] }", 1, "one value"},
    {"credential { }", 1, "credential NAME"},
    {"credential \"a b\" { }", 1, "letters, digits"},
    {"credential c { }", 1, "no `from`"},
    {"credential c {\n from = sk-123 }", 2, "never the secret itself"},
    {"credential c { from = \"env:1A\" }", 1, "name of a variable"},
    {"credential c { from = \"file:x\" }", 1, "begins with /"},
    {"credential c { from = \"command:\" }", 1, "needs a command"},
    {"credential c { from = \"env:A\"; header = k }", 1, "no `hosts`"},
    {"credential c { from = \"env:A\"; hosts = a.test }", 1, "no `header`"},
    {"credential c {\nfrom = \"env:A\"\nhosts = [\na.test\n\"*.b.test\"] }", 5,
     "without wildcards"},
    {"credential c { from = \"env:A\"; hosts = [\"@npm\"] }", 1, "not by a preset"},
    {CREDENTIAL("header = j"), 5, "line 4"},
    {CREDENTIAL("format = Bearer"), 5, "one %s"},
    {CREDENTIAL("format = \"%s %s\""), 5, "one %s"},
    {CREDENTIAL("format = \"%s\\r\\nX: y\""), 5, "one %s"},
    {CREDENTIAL("base_url_env = B"), 1, "no `upstream`"},
    {CREDENTIAL("upstream = \"http://h.test\""), 5, "https://"},
    {CREDENTIAL("upstream = \"https://u@h.test\""), 5, "user information"},
    {CREDENTIAL("upstream = \"https://other.test\""), 1, "not among `hosts`"},
    {CREDENTIAL("placeholder_env = \"A=B\""), 5, "name of a variable"},
    {CREDENTIAL("token = x"), 5, "it has from"},
    {CREDENTIAL("") "\ncredential c {\nfrom = \"env:A\"\nhosts = h.test\nheader = k\n}", 7,
     "line 1"},
    {"credential c { from = \"env:A\"; hosts = h.test; header = \"a b\" }", 1, "HTTP header"},
};

static void check_mistakes(int row)
{
    struct policy policy = {0};
    struct bj_error error = {0};
    char place[32];
    int status = load(&policy, wrong[row].text, NULL, &error);
    ck_assert_msg(status < 0, "%s was taken", wrong[row].text);
    snprintf(place, sizeof(place), "p.conf:%d: ", wrong[row].line);
    ck_assert_msg(strncmp(error.text, place, strlen(place)) == 0, "%s gave: %s", wrong[row].text,
                  error.text);
    ck_assert_msg(strstr(error.text, wrong[row].says) != NULL, "%s gave: %s", wrong[row].text,
                  error.text);
    ck_assert_uint_eq(policy.files_count, 0); /* unchanged */
    ck_assert_uint_eq(policy.entries_count, 0);
    policy_free(&policy);
}

START_TEST(mistakes)
{
    for (int row = 0; row < (int)(sizeof(wrong) / sizeof(*wrong)); row++)
        check_mistakes(row);
}
END_TEST

START_TEST(every_mistake_is_reported)
{
    struct policy policy = {0};
    struct policy_report report = {0};
    struct bj_error error = {0};
    ck_assert_int_lt(
        load(&policy, "a = 1\negress {\n deny = \"-\"\n}\nlimits { x = 1 }", &report, &error), 0);
    ck_assert_uint_eq(report.count, 3);
    ck_assert_str_eq(report.lines[0], error.text);
    ck_assert_ptr_nonnull(strstr(report.lines[1], "p.conf:3:"));
    ck_assert_ptr_nonnull(strstr(report.lines[2], "p.conf:5:"));
    policy_report_free(&report);
    ck_assert_int_lt(load(&policy, "egress {", &report, &error), 0);
    ck_assert_uint_eq(report.count, 1);
    policy_report_free(&report);
    policy_free(&policy);
}
END_TEST

/* Later files win where only one value can be. */
START_TEST(layers)
{
    struct policy policy = {0};
    ck_assert_int_eq(load(&policy,
                          "egress { default = ask } limits { pids = 1; memory = 1gb }\n"
                          "credential c { from = \"env:A\"; hosts = a.test; header = k }",
                          NULL, NULL),
                     0);
    ck_assert_int_eq(load(&policy,
                          "egress { default = deny; allow = x.test } limits { pids = 2 }\n"
                          "credential c { from = \"env:B\"; hosts = a.test; header = k }\n"
                          "credential d { from = \"env:D\"; hosts = a.test; header = k }",
                          NULL, NULL),
                     0);
    ck_assert_uint_eq(policy.files_count, 2);
    ck_assert_int_eq(policy.defaults[POLICY_EGRESS].effect, POLICY_DENY);
    ck_assert_uint_eq(policy.defaults[POLICY_EGRESS].file, 1);
    ck_assert_uint_eq(policy.limits[POLICY_LIMIT_PIDS].value, 2);
    ck_assert_uint_eq(policy.limits[POLICY_LIMIT_MEMORY].value, 1ULL << 30);
    ck_assert_uint_eq(policy.credentials_count, 2);
    ck_assert_str_eq(policy.credentials[0].from, "B");
    ck_assert_uint_eq(policy.credentials[0].file, 1);
    ck_assert_uint_eq(policy.entries[0].file, 1);
    policy_free(&policy);
}
END_TEST

START_TEST(files)
{
    struct policy policy = {0};
    struct bj_error error = {0};
    scratch_make();
    scratch_write("policy.conf", "egress { default = ask }", 0600);
    ck_assert_int_eq(policy_load_file(&policy, scratch_path("policy.conf"), NULL, &error), 0);
    ck_assert_int_eq(policy_load_file(&policy, scratch_path("no.conf"), NULL, &error), -ENOENT);
    ck_assert_int_eq(policy_load_optional(&policy, scratch_path("no.conf"), NULL, &error), 0);
    scratch_write("bad.conf", "egress { default = x }", 0600);
    ck_assert_int_lt(policy_load_optional(&policy, scratch_path("bad.conf"), NULL, &error), 0);
    ck_assert_uint_eq(policy.files_count, 1);
    policy_free(&policy);
    scratch_remove();
}
END_TEST

START_TEST(shipped_default)
{
    struct policy policy = {0};
    struct bj_error error = {0};
    char path[512];
    snprintf(path, sizeof(path), "%s/default.conf", getenv("BELLJAR_TEST_POLICIES"));
    ck_assert_msg(policy_load_file(&policy, path, NULL, &error) == 0, "%s", error.text);
    for (int kind = 0; kind < POLICY_KINDS; kind++)
        ck_assert_int_ne(policy.defaults[kind].effect, 0);
    ck_assert_int_eq(policy.defaults[POLICY_EGRESS].effect, POLICY_ASK);
    ck_assert_int_eq(policy.defaults[POLICY_CLIPBOARD].effect, POLICY_DENY);
    for (int limit = 0; limit < POLICY_LIMITS; limit++)
        ck_assert(policy.limits[limit].set);
    /* No host name is written in it. */
    for (size_t i = 0; i < policy.entries_count; i++)
        if (policy.entries[i].kind == POLICY_EGRESS)
            ck_assert_ptr_nonnull(policy.entries[i].preset);
    policy_free(&policy);
}
END_TEST

/* What docs/policy.md shows can be written so. */
START_TEST(documented_example)
{
    struct policy policy = {0};
    struct bj_error error = {0};
    char path[512], *text;
    size_t size;
    snprintf(path, sizeof(path), "%s/../docs/policy.md", getenv("BELLJAR_TEST_POLICIES"));
    ck_assert_int_eq(document_read(path, &text, &size, &error), 0);
    char *begin = strstr(text, "```\n");
    ck_assert_ptr_nonnull(begin);
    char *end = strstr(begin + 4, "```");
    ck_assert_ptr_nonnull(end);
    ck_assert_msg(policy_load_text(&policy, begin + 4, (size_t)(end - begin - 4), "policy.md",
                                   POLICY_TRUSTED, NULL, &error) == 0,
                  "%s", error.text);
    ck_assert_uint_eq(policy.credentials_count, 1);
    policy_free(&policy);
    free(text);
}
END_TEST

START_TEST(places)
{
    struct policy policy = {0};
    char name[600], where[POLICY_WHERE_MAX];
    memset(name, 'x', sizeof(name));
    strcpy(name + 590, "/p.conf");
    ck_assert_int_eq(policy_load_text(&policy, "", 0, name, POLICY_TRUSTED, NULL, NULL), 0);
    policy_where(&policy, 0, 12, where, sizeof(where));
    ck_assert_ptr_nonnull(strstr(where, "/p.conf:12"));
    policy_where(&policy, 9, 12, where, sizeof(where));
    ck_assert_str_eq(where, "?:12");
    policy_free(&policy);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("policy files");
    TCase *tests = tcase_create("policy");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, whole_file);
    tcase_add_test(tests, mistakes);
    tcase_add_test(tests, every_mistake_is_reported);
    tcase_add_test(tests, layers);
    tcase_add_test(tests, files);
    tcase_add_test(tests, shipped_default);
    tcase_add_test(tests, documented_example);
    tcase_add_test(tests, places);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
